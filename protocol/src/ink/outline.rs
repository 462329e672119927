//! The line a pen would have left: the one geometry behind every picture of a signature.
//!
//! Phone and hub fill the same outline, in whole sub-units of the grid, whatever they fill it with: the
//! SVG document names its corners, the phone's bitmap fills them. A stroke becomes a strip of varying
//! width with discs at its ends and corners. All parts turn the same way round, so that filling "nonzero"
//! gives their union, without holes where they overlap.
//!
//! The line passes through every kept point and leaves the straight way between two by at most a quarter
//! pixel of a 600 px pad, so smoothing never invents ink. Only arithmetic that IEEE 754 defines to the last
//! bit is used (no sine, no `hypot`), so every device comes to the same corners.

use super::{GridPoint, PEN_WIDTH_UNITS, PenState, Signature, shape};

mod strip;
mod width;

/// Sub-units of the outline in one grid unit: 1/32 px on a 600 px pad, finer than a screen shows.
pub const OUTLINE_UNITS: u16 = 4;

/// What each end of a piece may bend it away from its chord: an eighth of a pixel.
const MAX_BEND_UNITS: f64 = 1.0;

/// Sharper turns are meant as corners (cosine of 60°).
const CORNER_COSINE: f64 = 0.5;

/// The thinnest line that shows in a picture, as half its width in pixels.
const MIN_HALF_WIDTH_PX: f64 = 0.5;

/// Closed rings of corners, in [`OUTLINE_UNITS`] of a grid unit. A corner may lie outside the canvas by
/// the width of the pen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    corners: Vec<(i32, i32)>,
    /// Behind the last corner of each ring.
    ends: Vec<usize>,
}

impl Outline {
    /// The rings, to be filled together with the nonzero rule.
    pub fn rings(&self) -> impl Iterator<Item = &[(i32, i32)]> {
        let starts = core::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .filter_map(|(from, to)| self.corners.get(from..*to))
    }

    /// Number of corners in all rings.
    #[must_use]
    pub fn corner_count(&self) -> usize {
        self.corners.len()
    }

    fn close(&mut self) {
        if self.ends.last() != Some(&self.corners.len()) {
            self.ends.push(self.corners.len());
        }
    }
}

/// A place on the line, in grid units.
#[derive(Clone, Copy)]
struct Sample {
    at: Vector,
    half_width: f64,
}

#[derive(Clone, Copy, PartialEq)]
struct Vector {
    x: f64,
    y: f64,
}

impl Vector {
    fn of(p: GridPoint) -> Self {
        Self {
            x: f64::from(p.x),
            y: f64::from(p.y),
        }
    }

    fn plus(self, other: Self, times: f64) -> Self {
        Self {
            x: self.x + other.x * times,
            y: self.y + other.y * times,
        }
    }

    fn minus(self, other: Self) -> Self {
        self.plus(other, -1.0)
    }

    fn dot(self, other: Self) -> f64 {
        self.x * other.x + self.y * other.y
    }

    fn cross(self, other: Self) -> f64 {
        self.x * other.y - self.y * other.x
    }

    fn length(self) -> f64 {
        self.dot(self).sqrt()
    }
}

impl Signature {
    /// The outline for a picture of this size. The size matters only where the line would be too thin to
    /// be seen.
    #[must_use]
    pub fn outline(&self, width_px: u32, height_px: u32) -> Outline {
        let px_per_unit = (f64::from(width_px) / f64::from(self.canvas_w))
            .min(f64::from(height_px) / f64::from(self.canvas_h));
        let thinnest = MIN_HALF_WIDTH_PX / px_per_unit.max(1e-6);
        let mut out = Outline::default();
        let mut pen = Pen::default();
        for (n, stroke) in self.strokes.iter().enumerate() {
            let states = self.dynamics.as_ref().and_then(|all| all.get(n));
            pen.follow(stroke, states.map(Vec::as_slice), thinnest);
            strip::fill(&pen.samples, &mut out);
        }
        out
    }
}

/// Buffers of one stroke after another.
#[derive(Default)]
struct Pen {
    points: Vec<GridPoint>,
    half_widths: Vec<f64>,
    samples: Vec<Sample>,
}

impl Pen {
    /// Turns the kept points of a stroke into samples of the line, each with half the width there.
    fn follow(&mut self, stroke: &[GridPoint], states: Option<&[PenState]>, thinnest: f64) {
        self.samples.clear();
        match states {
            None => self.points = stroke.to_vec(),
            // Ink with times keeps every sample; a picture needs no more points than without.
            Some(_) => self.points = shape::thin(stroke),
        }
        if let [dot] = self.points.as_slice() {
            self.samples.push(Sample {
                at: Vector::of(*dot),
                half_width: (f64::from(PEN_WIDTH_UNITS) / 2.0).max(thinnest),
            });
            return;
        }
        width::of(
            &self.points,
            stroke,
            states.unwrap_or_default(),
            &mut self.half_widths,
        );
        for half_width in &mut self.half_widths {
            *half_width = half_width.max(thinnest);
        }
        for (at, pair) in self.points.windows(2).enumerate() {
            let &[from, to] = pair else { continue };
            let point = |n: usize| self.points.get(n).copied();
            let piece = Piece {
                from: Vector::of(from),
                bend_from: bend(from, to, at.checked_sub(1).and_then(point)),
                bend_to: bend(to, from, point(at + 2)),
                to: Vector::of(to),
            };
            let half_width = |n: usize| self.half_widths.get(n).copied().unwrap_or(thinnest);
            if at == 0 {
                self.samples.push(Sample {
                    at: piece.from,
                    half_width: half_width(0),
                });
            }
            piece.flatten((half_width(at), half_width(at + 1)), &mut self.samples);
        }
    }
}

/// A cubic Bézier curve between two kept points.
struct Piece {
    from: Vector,
    bend_from: Vector,
    bend_to: Vector,
    to: Vector,
}

impl Piece {
    /// Appends the samples behind `from`.
    fn flatten(&self, half_widths: (f64, f64), out: &mut Vec<Sample>) {
        let chord = self.to.minus(self.from);
        let off = |p: Vector| chord.cross(p.minus(self.from)).abs() / chord.length().max(1.0);
        // A flat piece needs no point between; one that bends most still stays within a tenth of a unit.
        let parts = match off(self.bend_from).max(off(self.bend_to)) {
            flat if flat < 0.3 => 1,
            gentle if gentle < 1.0 => 2,
            _ => 3,
        };
        for part in 1..parts {
            let t = f64::from(part) / f64::from(parts);
            out.push(Sample {
                at: self.at(t),
                half_width: half_widths.0 + (half_widths.1 - half_widths.0) * t,
            });
        }
        out.push(Sample {
            at: self.to,
            half_width: half_widths.1,
        });
    }

    fn at(&self, t: f64) -> Vector {
        let u = 1.0 - t;
        let zero = Vector { x: 0.0, y: 0.0 };
        zero.plus(self.from, u * u * u)
            .plus(self.bend_from, 3.0 * u * u * t)
            .plus(self.bend_to, 3.0 * u * t * t)
            .plus(self.to, t * t * t)
    }
}

/// Control point of the piece from `end` to `other` at `end`, behind which the stroke goes on to
/// `beyond`.
fn bend(end: GridPoint, other: GridPoint, beyond: Option<GridPoint>) -> Vector {
    let here = Vector::of(end);
    let Some(beyond) = beyond.map(Vector::of) else {
        return here;
    };
    let chord = Vector::of(other).minus(here);
    let incoming = here.minus(beyond);
    let tangent = Vector::of(other).minus(beyond);
    let (chord_length, tangent_length) = (chord.length(), tangent.length());
    let straightness = incoming.dot(chord) / (incoming.length() * chord_length);
    // Not a number where points coincide, which is no bend either.
    if !(straightness > CORNER_COSINE && tangent_length > 0.0) {
        return here;
    }
    let sine = (tangent.cross(chord) / (tangent_length * chord_length)).abs();
    // A control point this far out bends the curve 4/9 as far as it lies off the chord.
    let reach = (chord_length / 3.0).min(MAX_BEND_UNITS * 9.0 / 4.0 / sine.max(1e-9));
    here.plus(tangent, reach / tangent_length)
}
