//! What is too little to be a signature, and which points of one are worth keeping.
//!
//! Hosts of other products accept a dot as a signature; a proof like that is worth nothing in a dispute.
//! The bar is kept low all the same: only ink that shows no intent is refused, whatever its shape.

use super::{GridPoint, InkError};

/// Ink within 1/50 of the pad is a dot: a finger resting on the glass.
const DOT_DIVISOR: u16 = 50;

/// Less ink than 1/12 of the pad (about 5 mm on a phone) is no mark of anybody.
const SHORT_DIVISOR: f64 = 12.0;

/// Thinning looks at this many points at once, so hostile ink costs linear, not quadratic, time.
const THIN_WINDOW: usize = 255;

/// Refuses ink that shows no intent to sign.
pub(super) fn check(strokes: &[Vec<GridPoint>], long_side_units: u16) -> Result<(), InkError> {
    let (w, h) = ink_box(strokes).ok_or(InkError::Empty)?;
    if w.max(h) < long_side_units / DOT_DIVISOR {
        return Err(InkError::Dot);
    }
    if ink_units(strokes) < f64::from(long_side_units) / SHORT_DIVISOR {
        return Err(InkError::TooShort);
    }
    Ok(())
}

/// Width and height of the ink's own box; `None` without a point.
pub(super) fn ink_box(strokes: &[Vec<GridPoint>]) -> Option<(u16, u16)> {
    let mut points = strokes.iter().flatten();
    let first = *points.next()?;
    let (mut low, mut high) = (first, first);
    for p in points {
        low.x = low.x.min(p.x);
        low.y = low.y.min(p.y);
        high.x = high.x.max(p.x);
        high.y = high.y.max(p.y);
    }
    Some((high.x - low.x, high.y - low.y))
}

/// Length of all ink.
pub(super) fn ink_units(strokes: &[Vec<GridPoint>]) -> f64 {
    strokes
        .iter()
        .flat_map(|s| s.iter().zip(s.iter().skip(1)))
        .map(|(p, q)| Step::between(*p, *q).length())
        .sum()
}

/// The way from one point to another, in grid units.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) x: i32,
    pub(super) y: i32,
}

impl Step {
    pub(super) fn between(from: GridPoint, to: GridPoint) -> Self {
        Self {
            x: i32::from(to.x) - i32::from(from.x),
            y: i32::from(to.y) - i32::from(from.y),
        }
    }

    /// A canvas has at most 4,800 units a side, so no product of two steps leaves an `i32`.
    pub(super) fn dot(self, other: Self) -> i32 {
        self.x * other.x + self.y * other.y
    }

    pub(super) fn cross(self, other: Self) -> i32 {
        self.x * other.y - self.y * other.x
    }

    pub(super) fn length(self) -> f64 {
        f64::from(self.dot(self)).sqrt()
    }
}

/// Drops the points that a straight line replaces within one grid unit (Douglas–Peucker). Evenly timed
/// samples show how fast the pen moved; after this, spacing follows the shape instead. Integers only, so
/// every device thins alike.
pub(super) fn thin(line: &[GridPoint]) -> Vec<GridPoint> {
    let mut kept = Vec::with_capacity(line.len() / 2 + 2);
    kept.extend(line.first());
    let mut open: Vec<&[GridPoint]> = Vec::with_capacity(32);
    let mut rest = line;
    while rest.len() > 1 {
        let end = THIN_WINDOW.min(rest.len() - 1);
        open.extend(rest.get(..=end));
        while let Some(part) = open.pop() {
            match farthest(part).and_then(|at| Some((part.get(..=at)?, part.get(at..)?))) {
                // The stack gives back the left half first, so points stay in drawing order.
                Some((left, right)) => open.extend([right, left]),
                None => kept.extend(part.last()),
            }
        }
        rest = rest.get(end..).unwrap_or_default();
    }
    kept.dedup();
    kept
}

/// The point farthest from the line between the ends, if it lies more than a unit off.
fn farthest(part: &[GridPoint]) -> Option<usize> {
    let (from, to) = (*part.first()?, *part.last()?);
    let between = part.get(1..part.len() - 1)?;
    let along = Step::between(from, to);
    let span = along.dot(along);
    // Distance × length of the line: the cross product, and for a point beyond an end how far beyond.
    // Whole numbers of 32 bits without a branch, so that the loop runs on vectors.
    let stray = |p: &GridPoint| {
        let way = Step::between(from, *p);
        let on = along.dot(way);
        along.cross(way).abs() + (-on).max(on - span).max(0)
    };
    let most = between.iter().map(stray).fold(0, i32::max);
    if span == 0 {
        // Out and back to the same place: the way there is all there is.
        let away = |p: &GridPoint| {
            let way = Step::between(from, *p);
            way.dot(way)
        };
        let (at, most) = between.iter().map(away).enumerate().max_by_key(|x| x.1)?;
        return (most > 1).then_some(at + 1);
    }
    if most <= whole_root(span) {
        return None;
    }
    Some(between.iter().rposition(|p| stray(p) == most)? + 1)
}

#[allow(clippy::cast_possible_truncation)] // the root of an i32
fn whole_root(square: i32) -> i32 {
    f64::from(square).sqrt() as i32
}
