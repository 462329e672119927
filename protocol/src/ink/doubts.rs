//! What to ask about once more before a drawing is taken as a signature.
//!
//! None of these ever refuses: a mark or a cross is a lawful signature, and only the signer knows. The
//! thresholds were measured on forty signatures, none of which had a box under 27 × 7 mm, less than
//! 87 mm of ink or 17 radians of turning, or took less than a second.

use super::shape::{self, Step};
use super::{GridPoint, InkPoint, LONG_SIDE_UNITS, Signature};
use crate::taxonomy::InkDoubt;

/// A pad is about 60 mm across.
const UNITS_PER_MM: f64 = LONG_SIDE_UNITS as f64 / 60.0;

const LITTLE_INK_UNITS: f64 = 25.0 * UNITS_PER_MM;
const SMALL_BOX_UNITS: (f64, f64) = (10.0 * UNITS_PER_MM, 2.5 * UNITS_PER_MM);
/// A hand-drawn line strays up to about 3 % of its length from straight.
const STRAIGHT_SHARE: f64 = 0.03;
/// A touch screen gives this many in a tenth of a second.
const FEW_POINTS: usize = 8;
const QUICK_MS: u32 = 250;
/// Cells of 1.6 mm that the ink passes.
const CELL_UNITS: u16 = 128;
const FEW_CELLS: u32 = 10;

impl Signature {
    /// Doubts about this ink, given what was drawn (for its times and number of samples).
    #[must_use]
    pub fn doubts(&self, drawn: &[Vec<InkPoint>]) -> Vec<InkDoubt> {
        let mut out = Vec::new();
        let (w, h) = shape::ink_box(&self.strokes).unwrap_or_default();
        let mut doubt = |it: bool, doubt: InkDoubt| {
            if it {
                out.push(doubt);
            }
        };
        doubt(
            shape::ink_units(&self.strokes) < LITTLE_INK_UNITS,
            InkDoubt::LittleInk,
        );
        // A name written down the pad is as good as one across it.
        let (long, short) = (f64::from(w.max(h)), f64::from(w.min(h)));
        doubt(
            long < SMALL_BOX_UNITS.0 || short < SMALL_BOX_UNITS.1,
            InkDoubt::SmallBox,
        );
        let straight = is_straight(&self.strokes);
        doubt(straight, InkDoubt::StraightLine);
        doubt(
            !straight && turns_less_than_half(&self.strokes),
            InkDoubt::FewTurns,
        );
        doubt(cells(&self.strokes) < FEW_CELLS, InkDoubt::FewCells);
        doubt(
            drawn.iter().map(Vec::len).sum::<usize>() < FEW_POINTS,
            InkDoubt::FewPoints,
        );
        doubt(
            drawing_ms(drawn).is_some_and(|ms| ms < QUICK_MS),
            InkDoubt::Quick,
        );
        out
    }
}

/// How long the drawing took; `None` where the host gave no times.
fn drawing_ms(drawn: &[Vec<InkPoint>]) -> Option<u32> {
    let times = || drawn.iter().flatten().map(|p| p.t_ms);
    let took = times().max()?.checked_sub(times().min()?)?;
    (took > 0).then_some(took)
}

/// All ink lies on one straight line, in however many strokes.
fn is_straight(strokes: &[Vec<GridPoint>]) -> bool {
    let points = || strokes.iter().flatten().copied();
    let Some(first) = points().next() else {
        return false;
    };
    // The two ends of the drawing: farthest from any point, then farthest from that.
    let farthest = |from: GridPoint| {
        points()
            .max_by_key(|p| {
                let way = Step::between(from, *p);
                way.dot(way)
            })
            .unwrap_or(from)
    };
    let a = farthest(first);
    let along = Step::between(a, farthest(a));
    let stray = points()
        .map(|p| along.cross(Step::between(a, p)).abs())
        .max()
        .unwrap_or(0);
    // |cross| is distance × span, so this compares the distance with a share of the span.
    f64::from(stray) < STRAIGHT_SHARE * f64::from(along.dot(along))
}

/// The lines of all strokes together turn by less than half a turn. The turn at a point is measured
/// without an arc tangent, whose last digit differs between devices: `2·sin(φ/2)` falls short of φ by
/// 10 % at a right angle, which for a doubt is near enough.
fn turns_less_than_half(strokes: &[Vec<GridPoint>]) -> bool {
    let mut turned = 0.0;
    for stroke in strokes {
        let mut before: Option<Step> = None;
        for (a, b) in stroke.iter().zip(stroke.iter().skip(1)) {
            let step = Step::between(*a, *b);
            if let Some(before) = before {
                let lengths = before.length() * step.length();
                let cosine = f64::from(before.dot(step)) / lengths.max(1.0);
                turned += (2.0 - 2.0 * cosine).max(0.0).sqrt();
            }
            if turned >= core::f64::consts::PI {
                return false;
            }
            before = Some(step);
        }
    }
    true
}

/// How many cells of the pad the ink passes, up to [`FEW_CELLS`].
fn cells(strokes: &[Vec<GridPoint>]) -> u32 {
    let mut seen: Vec<(u16, u16)> = Vec::new();
    for stroke in strokes {
        let mut from = stroke.first().copied();
        for &to in stroke {
            let start = from.unwrap_or(to);
            let step = Step::between(start, to);
            // Half a cell at a time, so that none in between is missed by much.
            let parts = step.x.abs().max(step.y.abs()) / i32::from(CELL_UNITS / 2) + 1;
            for part in 0..=parts {
                let at = |from: u16, by: i32| {
                    let units = i32::from(from) + by * part / parts;
                    u16::try_from(units).unwrap_or(0) / CELL_UNITS
                };
                let cell = (at(start.x, step.x), at(start.y, step.y));
                if !seen.contains(&cell) {
                    seen.push(cell);
                }
                if seen.len() >= FEW_CELLS as usize {
                    return FEW_CELLS;
                }
            }
            from = Some(to);
        }
    }
    u32::try_from(seen.len()).unwrap_or(FEW_CELLS)
}
