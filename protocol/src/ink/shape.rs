//! What counts as a signature, and which points of it are worth keeping.
//!
//! Hosts of other products accept a dot or a swipe as a signature; a proof like that is worth
//! nothing in a dispute. The bar is kept low all the same, because a cross or a shaky mark is a
//! lawful signature: only ink that shows no intent is refused.

use super::{GridPoint, InkError};

/// Ink within 1/50 of the pad is a dot: a finger resting on the glass.
const DOT_DIVISOR: i64 = 50;

/// Less ink than 1/12 of the pad (about 5 mm on a phone) is no name.
const SHORT_DIVISOR: f64 = 12.0;

/// A hand-drawn line strays up to about 3 % of its length from straight.
const STRAIGHT_SHARE: f64 = 0.03;

/// How far, in grid units, a dropped point may lie from the line that replaces it.
const THIN_UNITS: i64 = 1;

/// Thinning looks at this many points at once, so hostile ink costs linear, not quadratic, time.
const THIN_WINDOW: usize = 256;

/// Refuses ink that shows no intent to sign.
pub(super) fn check(strokes: &[Vec<GridPoint>], long_side_units: u16) -> Result<(), InkError> {
    let points = || strokes.iter().flatten().copied();
    let first = points().next().ok_or(InkError::Empty)?;
    // The two ends of the drawing: farthest from any point, then farthest from that.
    let a = points()
        .max_by_key(|p| distance_squared(first, *p))
        .unwrap_or(first);
    let b = points()
        .max_by_key(|p| distance_squared(a, *p))
        .unwrap_or(a);
    let dot_units = i64::from(long_side_units) / DOT_DIVISOR;
    if distance_squared(a, b) < dot_units * dot_units {
        return Err(InkError::Dot);
    }
    let ink_units: f64 = strokes
        .iter()
        .flat_map(|s| s.iter().zip(s.iter().skip(1)))
        .map(|(p, q)| exact(distance_squared(*p, *q)).sqrt())
        .sum();
    if ink_units < f64::from(long_side_units) / SHORT_DIVISOR {
        return Err(InkError::TooShort);
    }
    let stray = points().map(|p| cross(a, b, p).abs()).max().unwrap_or(0);
    // |cross| is distance × span, so this compares the distance with a share of the span.
    if exact(stray) < STRAIGHT_SHARE * exact(distance_squared(a, b)) {
        return Err(InkError::StraightLine);
    }
    Ok(())
}

/// Drops the points a straight line replaces within [`THIN_UNITS`] (Douglas–Peucker). Evenly
/// timed samples show how fast the pen moved; after this, spacing follows the shape instead.
pub(super) fn thin(line: &[GridPoint]) -> Vec<GridPoint> {
    let mut kept: Vec<GridPoint> = line.first().copied().into_iter().collect();
    let mut start = 0;
    while start + 1 < line.len() {
        let end = (start + THIN_WINDOW).min(line.len() - 1);
        if let Some(window) = line.get(start..=end) {
            thin_window(window, &mut kept);
        }
        start = end;
    }
    kept.dedup();
    kept
}

/// Appends the points of `window` worth keeping, except its first, which is there already.
/// Integers only, so every device thins alike.
fn thin_window(window: &[GridPoint], kept: &mut Vec<GridPoint>) {
    let mut open = vec![window];
    while let Some(part) = open.pop() {
        let (Some(&from), Some(&to)) = (part.first(), part.last()) else {
            continue;
        };
        let line = Line::new(from, to);
        let allowed = THIN_UNITS * THIN_UNITS * line.span.max(1);
        let mut farthest: Option<usize> = None;
        let mut most = allowed + 1;
        for (at, p) in part
            .iter()
            .enumerate()
            .skip(1)
            .take(part.len().saturating_sub(2))
        {
            let stray = line.stray(*p);
            if stray >= most {
                most = stray;
                farthest = Some(at);
            }
        }
        match farthest.and_then(|at| Some((part.get(..=at)?, part.get(at..)?))) {
            // The stack gives back the left half first, so points stay in drawing order.
            Some((left, right)) => open.extend([right, left]),
            None => kept.push(to),
        }
    }
}

/// The line that may replace the points between its ends. Thinning asks it for every point several
/// times, so what all points share is worked out once.
struct Line {
    from: GridPoint,
    to: GridPoint,
    along: (i64, i64),
    span: i64,
}

impl Line {
    fn new(from: GridPoint, to: GridPoint) -> Self {
        let along = vector(from, to);
        Self {
            from,
            to,
            along,
            span: along.0 * along.0 + along.1 * along.1,
        }
    }

    /// Squared distance of `p` from the line, times the squared length of the line (or 1).
    fn stray(&self, p: GridPoint) -> i64 {
        let ((ax, ay), (bx, by)) = (self.along, vector(self.from, p));
        let dot = ax * bx + ay * by;
        if dot < 0 || self.span == 0 {
            (bx * bx + by * by) * self.span.max(1)
        } else if dot > self.span {
            distance_squared(self.to, p) * self.span
        } else {
            let cross = ax * by - ay * bx;
            cross * cross
        }
    }
}

fn vector(from: GridPoint, to: GridPoint) -> (i64, i64) {
    (
        i64::from(to.x) - i64::from(from.x),
        i64::from(to.y) - i64::from(from.y),
    )
}

fn distance_squared(p: GridPoint, q: GridPoint) -> i64 {
    let (dx, dy) = vector(p, q);
    dx * dx + dy * dy
}

fn cross(from: GridPoint, to: GridPoint, p: GridPoint) -> i64 {
    let ((ax, ay), (bx, by)) = (vector(from, to), vector(from, p));
    ax * by - ay * bx
}

/// Products of grid coordinates stay far below 2^53, so nothing is lost.
#[allow(clippy::cast_precision_loss)]
fn exact(product: i64) -> f64 {
    product as f64
}
