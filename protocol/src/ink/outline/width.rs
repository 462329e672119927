//! How wide the line is where.
//!
//! A pen is slow where its way is narrow and fast where it is straight (speed goes with about the cube
//! root of the radius), and slow ink is broad. So the shape alone gives a lifelike width, and nothing of
//! the signer's own speed has to be kept (PIPL 28). Where times or pressure were kept, they decide.

use super::{GridPoint, PenState, Vector};

/// Half widths at rest and in full flight: 3 and 1.75 px of a 600 px pad across.
const BROAD: f64 = 12.0;
const NARROW: f64 = 7.0;

/// Radius of a bend at which the width is half way between the two: 20 px of a 600 px pad.
const HALF_WAY_RADIUS_UNITS: f64 = 160.0;
/// The same for speed: 0.8 px of a 600 px pad in a millisecond.
const HALF_WAY_UNITS_PER_MS: f64 = 6.4;

/// The way on which the width follows a change: ink does not step.
const LAG_UNITS: f64 = 60.0;

/// Strokes thin out at their ends on this way, down to this share. Shorter strokes than
/// [`TAPERED_FROM_UNITS`] are dots and ticks, which would vanish.
const TAPER_UNITS: f64 = 100.0;
const TAPER_SHARE: f64 = 0.6;
const TAPERED_FROM_UNITS: f64 = 400.0;

/// Half the width at each of `points`, which are among those of `stroke`, in their order. `states` are
/// those of `stroke` or none.
pub(super) fn of(
    points: &[GridPoint],
    stroke: &[GridPoint],
    states: &[PenState],
    out: &mut Vec<f64>,
) {
    out.clear();
    if states.is_empty() {
        by_shape(points, out);
    } else {
        by_state(points, stroke, states, out);
    }
    let lengths: Vec<f64> = points
        .windows(2)
        .map(|pair| match pair {
            [a, b] => Vector::of(*b).minus(Vector::of(*a)).length(),
            _ => 0.0,
        })
        .collect();
    lag(out.iter_mut(), lengths.iter());
    lag(out.iter_mut().rev(), lengths.iter().rev());
    taper(out, &lengths);
}

fn between(share_of_broad: f64) -> f64 {
    NARROW + (BROAD - NARROW) * share_of_broad
}

/// By the radius of the circle through a point and its neighbours.
fn by_shape(points: &[GridPoint], out: &mut Vec<f64>) {
    let mut middle = points.windows(3).map(|three| match three {
        [a, b, c] => {
            let (a, b, c) = (Vector::of(*a), Vector::of(*b), Vector::of(*c));
            let (to, on) = (b.minus(a), c.minus(b));
            let sides = to.length() * on.length() * c.minus(a).length();
            let twice_area = to.cross(on).abs();
            // A sharp way back has no area either, but no speed at all.
            if to.dot(on) < 0.0 {
                between(1.0)
            } else {
                let radius = sides / (2.0 * twice_area).max(1e-9);
                between(HALF_WAY_RADIUS_UNITS / (HALF_WAY_RADIUS_UNITS + radius))
            }
        }
        _ => between(0.5),
    });
    // The ends are as the points next to them.
    let first = middle.next();
    let ends = first.unwrap_or_else(|| between(0.5));
    out.push(ends);
    out.extend(first);
    out.extend(middle);
    out.push(out.last().copied().unwrap_or(ends));
}

/// By pressure, or by speed since the point before.
fn by_state(points: &[GridPoint], stroke: &[GridPoint], states: &[PenState], out: &mut Vec<f64>) {
    let mut kept = points.iter().peekable();
    let mut before: Option<(GridPoint, PenState)> = None;
    for (point, state) in stroke.iter().zip(states) {
        let share = match (state.pressure, before) {
            (Some(pressure), _) => f64::from(pressure) / 63.0,
            (None, None) => 0.5,
            (None, Some((from, then))) => {
                let units = Vector::of(*point).minus(Vector::of(from)).length();
                let ms = f64::from(state.t_ms.saturating_sub(then.t_ms)).max(1.0);
                HALF_WAY_UNITS_PER_MS / (HALF_WAY_UNITS_PER_MS + units / ms)
            }
        };
        before = Some((*point, *state));
        if kept.peek() == Some(&point) {
            kept.next();
            out.push(between(share));
        }
    }
    // A point that was passed twice may be matched early; its width then stands for what is left.
    let last = out.last().copied().unwrap_or_else(|| between(0.5));
    out.resize(points.len(), last);
}

fn lag<'a>(widths: impl Iterator<Item = &'a mut f64>, lengths: impl Iterator<Item = &'a f64>) {
    let mut lengths = lengths;
    let mut now: Option<f64> = None;
    for width in widths {
        if let Some(before) = now {
            let way = lengths.next().copied().unwrap_or(0.0);
            *width = before + (*width - before) * way / (way + LAG_UNITS);
        }
        now = Some(*width);
    }
}

fn taper(widths: &mut [f64], lengths: &[f64]) {
    let whole: f64 = lengths.iter().sum();
    if whole < TAPERED_FROM_UNITS {
        return;
    }
    let mut done = 0.0;
    let ways = lengths.iter().copied().chain(core::iter::once(0.0));
    for (width, way) in widths.iter_mut().zip(ways) {
        let from_end = f64::min(done, whole - done).max(0.0);
        if from_end < TAPER_UNITS {
            *width *= TAPER_SHARE + (1.0 - TAPER_SHARE) * from_end / TAPER_UNITS;
        }
        done += way;
    }
}
