//! The line a pen drew, from the points that were kept: the one geometry that every picture shows.
//!
//! Phone and hub draw the same curves, in whole grid units, whatever they draw them with. Curves pass
//! through all kept points and leave the straight way between two of them by at most a quarter pixel
//! of a 600 px pad, so rounding a corner never invents ink. The width follows the shape alone: strokes
//! thin out at their ends. Speed or pressure would make better widths, but they are biometric data and
//! were never kept (PIPL 28).

use super::{GridPoint, PEN_WIDTH_UNITS, Signature};

/// Widths near the end of a stroke, by how near it is. Few steps keep the SVG short.
const TAPER: [(f64, u16); 2] = [(40.0, 12), (110.0, 16)];

/// Shorter strokes are dots and ticks; thinned out they would vanish.
const TAPERED_FROM_UNITS: f64 = 400.0;

/// What each end of a piece may bend it away from its chord: an eighth of a pixel.
const MAX_BEND_UNITS: f64 = 1.0;

/// Sharper turns are meant as corners (cosine of 60°).
const CORNER_COSINE: f64 = 0.5;

/// One piece of a stroke: a cubic Bézier curve in grid units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PenCurve {
    /// Where it starts.
    pub from: GridPoint,
    /// First control point; equal to `from` where the piece is straight.
    pub bend_from: GridPoint,
    /// Second control point; equal to `to` where the piece is straight.
    pub bend_to: GridPoint,
    /// Where it ends; equal to `from` for a dot of the pen.
    pub to: GridPoint,
    /// Width of the round pen.
    pub width_units: u16,
}

impl PenCurve {
    /// No control point leaves the chord.
    #[must_use]
    pub fn is_straight(&self) -> bool {
        self.bend_from == self.from && self.bend_to == self.to
    }
}

impl Signature {
    /// The pieces to draw, stroke by stroke in drawing order.
    #[must_use]
    pub fn curves(&self) -> Vec<PenCurve> {
        let mut out = Vec::with_capacity(self.point_count());
        for stroke in &self.strokes {
            self.stroke_curves(stroke, &mut out);
        }
        out
    }

    fn stroke_curves(&self, stroke: &[GridPoint], out: &mut Vec<PenCurve>) {
        if let [dot] = stroke {
            out.push(PenCurve {
                from: *dot,
                bend_from: *dot,
                bend_to: *dot,
                to: *dot,
                width_units: PEN_WIDTH_UNITS,
            });
            return;
        }
        let lengths: Vec<f64> = stroke
            .iter()
            .zip(stroke.iter().skip(1))
            .map(|(a, b)| Vector::between(*a, *b).length())
            .collect();
        let whole: f64 = lengths.iter().sum();
        let mut done = 0.0;
        for (at, length) in lengths.iter().enumerate() {
            let point = |n: usize| stroke.get(n).copied();
            let (Some(from), Some(to)) = (point(at), point(at + 1)) else {
                continue;
            };
            let before = at.checked_sub(1).and_then(point);
            let after = point(at + 2);
            let middle = done + length / 2.0;
            out.push(PenCurve {
                from,
                bend_from: self.bend(from, to, before),
                bend_to: self.bend(to, from, after),
                to,
                width_units: width(middle.min(whole - middle), whole),
            });
            done += length;
        }
    }

    /// Control point of the piece from `end` to `other` at `end`, behind which the stroke goes on to
    /// `beyond`.
    fn bend(&self, end: GridPoint, other: GridPoint, beyond: Option<GridPoint>) -> GridPoint {
        let Some(beyond) = beyond else {
            return end;
        };
        let chord = Vector::between(end, other);
        let incoming = Vector::between(beyond, end);
        let tangent = Vector::between(beyond, other);
        let (chord_length, tangent_length) = (chord.length(), tangent.length());
        let straightness = incoming.dot(chord) / (incoming.length() * chord_length);
        // Not a number where points coincide, which is no bend either.
        if !(straightness > CORNER_COSINE && tangent_length > 0.0) {
            return end;
        }
        let sine = (tangent.cross(chord) / (tangent_length * chord_length)).abs();
        // A control point this far out bends the curve 4/9 as far as it lies off the chord.
        let reach = (chord_length / 3.0).min(MAX_BEND_UNITS * 9.0 / 4.0 / sine.max(1e-9));
        let share = reach / tangent_length;
        GridPoint {
            x: moved(end.x, tangent.x * share, self.canvas_w),
            y: moved(end.y, tangent.y * share, self.canvas_h),
        }
    }
}

fn width(from_end: f64, whole: f64) -> u16 {
    if whole < TAPERED_FROM_UNITS {
        return PEN_WIDTH_UNITS;
    }
    TAPER
        .iter()
        .find(|(near, _)| from_end < *near)
        .map_or(PEN_WIDTH_UNITS, |(_, width)| *width)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped to 0..=max just before
fn moved(from: u16, by: f64, max: u16) -> u16 {
    (f64::from(from) + by).round().clamp(0.0, f64::from(max)) as u16
}

#[derive(Clone, Copy)]
struct Vector {
    x: f64,
    y: f64,
}

impl Vector {
    fn between(a: GridPoint, b: GridPoint) -> Self {
        Self {
            x: f64::from(b.x) - f64::from(a.x),
            y: f64::from(b.y) - f64::from(a.y),
        }
    }

    fn length(self) -> f64 {
        self.dot(self).sqrt()
    }

    fn dot(self, other: Self) -> f64 {
        self.x * other.x + self.y * other.y
    }

    fn cross(self, other: Self) -> f64 {
        self.x * other.y - self.y * other.x
    }
}
