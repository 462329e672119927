//! From samples of a line to the rings of its outline.
//!
//! Where the line bends gently, neighbouring pieces share the edge between them and make one ring: down
//! its left side and back on its right. Where it bends sharply for its width, that edge would fold over;
//! there the ring ends, another begins, and a disc covers the joint.

use super::{OUTLINE_UNITS, Outline, Sample, Vector};

/// Sharper turns than this get a disc (cosine of 45°).
const GENTLE_COSINE: f64 = 0.7;

/// Samples nearer to each other than this have no direction worth drawing.
const MIN_STEP_UNITS: f64 = 0.25;

/// A disc as sixteen corners, first quarter of it, as multiples of its radius.
const QUARTER: [(f64, f64); 4] = [
    (1.0, 0.0),
    (0.923_879_532_511_286_7, 0.382_683_432_365_089_8),
    (
        core::f64::consts::FRAC_1_SQRT_2,
        core::f64::consts::FRAC_1_SQRT_2,
    ),
    (0.382_683_432_365_089_8, 0.923_879_532_511_286_7),
];

/// Appends the rings of one stroke.
pub(super) fn fill(samples: &[Sample], out: &mut Outline) {
    let Some(first) = samples.first() else {
        return;
    };
    disc(first, out);
    let mut here = *first;
    // Direction and length of the piece before.
    let mut before: Option<(Vector, f64)> = None;
    let mut left: Vec<(i32, i32)> = Vec::with_capacity(samples.len());
    let mut right: Vec<(i32, i32)> = Vec::with_capacity(samples.len());
    for next in samples.iter().skip(1) {
        let way = next.at.minus(here.at);
        let length = way.length();
        if length < MIN_STEP_UNITS {
            continue;
        }
        let ahead = Vector {
            x: way.x / length,
            y: way.y / length,
        };
        match before {
            None => edge(&here, ahead, &mut left, &mut right),
            Some((behind, length_behind)) => {
                let shortest = length.min(length_behind);
                if shares_edge(behind, ahead, here.half_width, shortest) {
                    let middle = behind.plus(ahead, 1.0);
                    let size = middle.length();
                    let middle = Vector {
                        x: middle.x / size,
                        y: middle.y / size,
                    };
                    edge(&here, middle, &mut left, &mut right);
                } else {
                    edge(&here, behind, &mut left, &mut right);
                    ring(&mut left, &mut right, out);
                    disc(&here, out);
                    edge(&here, ahead, &mut left, &mut right);
                }
            }
        }
        before = Some((ahead, length));
        here = *next;
    }
    if let Some((behind, _)) = before {
        edge(&here, behind, &mut left, &mut right);
        ring(&mut left, &mut right, out);
        disc(&here, out);
    }
}

/// Whether two pieces can share the edge between them: they turn gently, and the inner end of that edge
/// does not reach back further than half of the shorter piece.
fn shares_edge(behind: Vector, ahead: Vector, half_width: f64, shortest: f64) -> bool {
    let cosine = behind.dot(ahead);
    // (width · sin φ/2)² against (length / 2)²
    cosine > GENTLE_COSINE
        && half_width * half_width * (1.0 - cosine) / 2.0 < shortest * shortest / 4.0
}

/// Both ends of the edge across the line at a sample.
fn edge(sample: &Sample, ahead: Vector, left: &mut Vec<(i32, i32)>, right: &mut Vec<(i32, i32)>) {
    let across = Vector {
        x: -ahead.y,
        y: ahead.x,
    };
    left.push(corner(sample.at.plus(across, sample.half_width)));
    right.push(corner(sample.at.plus(across, -sample.half_width)));
}

fn ring(left: &mut Vec<(i32, i32)>, right: &mut Vec<(i32, i32)>, out: &mut Outline) {
    out.corners.append(left);
    out.corners.extend(right.drain(..).rev());
    out.close();
}

fn disc(sample: &Sample, out: &mut Outline) {
    // Quarter by quarter, the same way round as the rings of the strip.
    let quarter = |turns: u8, (x, y): (f64, f64)| match turns {
        0 => Vector { x, y: -y },
        1 => Vector { x: -y, y: -x },
        2 => Vector { x: -x, y },
        _ => Vector { x: y, y: x },
    };
    for turns in 0..4 {
        for corner_of in QUARTER {
            let way = quarter(turns, corner_of);
            out.corners
                .push(corner(sample.at.plus(way, sample.half_width)));
        }
    }
    out.close();
}

#[allow(clippy::cast_possible_truncation)] // a canvas has at most 4,800 units a side
fn corner(at: Vector) -> (i32, i32) {
    let round = |v: f64| {
        let scaled = v * f64::from(OUTLINE_UNITS);
        if scaled < 0.0 {
            (scaled - 0.5) as i32
        } else {
            (scaled + 0.5) as i32
        }
    };
    (round(at.x), round(at.y))
}
