//! Signature ink: what a finger drew, in a form phone and hub read alike.
//!
//! The ink lives here because the phone writes it and the hub draws it: both must see the same line.
//! Only the shape is kept unless a host asks for more: speed and pressure are biometric data
//! (PIPL 28, C5), so time is dropped on entry and points that only record how fast the pen went are
//! thinned out. Ink is evidence of receipt, not a reliable electronic signature (电子签名法 Art 13).
//!
//! The parts: the rules for taking a drawing here, its bytes in `codec`, what is worth keeping and what
//! to doubt in `shape`, the line a pen would have left in `outline`, other programs' forms in `forms`.

use std::fmt;

use crate::ids::AttemptId;

mod codec;
mod doubts;
mod forms;
mod grid;
mod outline;
mod shape;

#[cfg(test)]
mod codec_tests;
#[cfg(test)]
mod forms_tests;
#[cfg(test)]
mod outline_tests;
#[cfg(test)]
mod tests;

pub use codec::InkFormatError;
pub use forms::{InkImportError, MAX_JSON_BYTES, strokes_from_signature_pad};
pub use outline::{OUTLINE_UNITS, Outline};

use grid::Grid;

/// Grid units along the longer side of the canvas: 1/8 px on a 600 px pad. Rounding (≤ 0.09 px)
/// and thinning (≤ 0.125 px) together stay under a quarter pixel, and a step still fits one byte.
const LONG_SIDE_UNITS: u16 = 4_800;

/// Two minutes of drawing at 120 points a second; whoever needs more is not signing.
pub const MAX_POINTS: usize = 16_384;

/// The most elaborate names have under a hundred strokes; this only bounds work on hostile input.
pub const MAX_STROKES: usize = 512;

/// Width of the pen where it rests, in grid units: 2.5 px on a 600 px pad, a ball-point on paper.
pub const PEN_WIDTH_UNITS: u16 = 20;

/// Steps of pressure that are kept: what a finger can tell apart is less.
const PRESSURE_STEPS: f32 = 63.0;

/// One touch sample as the platform reports it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct InkPoint {
    /// Distance from the left edge, in the units of the canvas size.
    pub x: f32,
    /// Distance from the top edge, in the units of the canvas size.
    pub y: f32,
    /// Time of the sample; dropped unless dynamics are kept (PIPL 28).
    pub t_ms: u32,
    /// Pressure from 0 to 1, where the platform knows it; dropped unless dynamics are kept.
    pub pressure: Option<f32>,
}

/// Whether speed and pressure are kept. Dropping them is the default everywhere: they are biometric
/// data, which needs its own consent and purpose (PIPL 28, 29).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeepDynamics {
    /// Only the shape is kept.
    #[default]
    No,
    /// All points are kept with their times, and with pressure where every point has it.
    Yes,
}

/// Why a drawing is not taken as a signature. All of them are answered by asking to sign again.
///
/// Shape alone never refuses: a cross or a line is the lawful mark of somebody who cannot write. What
/// looks odd is an [`InkDoubt`](crate::taxonomy::InkDoubt).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InkError {
    /// Nothing was drawn.
    #[error("nothing was drawn")]
    Empty,
    /// All ink lies on one spot.
    #[error("only a dot was drawn")]
    Dot,
    /// There is hardly any ink.
    #[error("the drawing is too short")]
    TooShort,
    /// A coordinate is NaN or infinite.
    #[error("a coordinate is not a number")]
    NotFinite,
    /// A pressure is not a number from 0 to 1.
    #[error("a pressure is not between 0 and 1")]
    BadPressure,
    /// The canvas has no area.
    #[error("the canvas has no usable size")]
    BadCanvas,
    /// A point lies well off the canvas: the host mixed up its units.
    #[error("a point lies outside the canvas")]
    OutsideCanvas,
    /// More points than [`MAX_POINTS`].
    #[error("{points} points, at most {MAX_POINTS} are taken")]
    TooManyPoints {
        /// How many there were.
        points: usize,
    },
    /// More strokes than [`MAX_STROKES`].
    #[error("{strokes} strokes, at most {MAX_STROKES} are taken")]
    TooManyStrokes {
        /// How many there were.
        strokes: usize,
    },
}

/// A point on the grid of [`Signature::canvas_units`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct GridPoint {
    /// Units from the left edge.
    pub x: u16,
    /// Units from the top edge.
    pub y: u16,
}

/// When and how hard the pen was at a point; only of signatures that keep their dynamics.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PenState {
    /// Milliseconds since the first point; never runs backwards.
    pub t_ms: u32,
    /// 0 to 63; all points of a signature have it or none.
    pub pressure: Option<u8>,
}

/// A signature: strokes on a grid.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    canvas_w: u16,
    canvas_h: u16,
    strokes: Vec<Vec<GridPoint>>,
    /// One state for each point, or none at all.
    dynamics: Option<Vec<Vec<PenState>>>,
    /// The visit it was drawn for; part of the bytes, so that one visit's ink cannot serve another.
    attempt: Option<AttemptId>,
}

/// Says how much ink there is, never what it looks like: a signature must not reach a log.
impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature")
            .field("strokes", &self.strokes.len())
            .field("points", &self.point_count())
            .finish_non_exhaustive()
    }
}

impl Signature {
    /// Takes the shape of what was drawn on a canvas of the given size, in whatever units the host uses.
    ///
    /// # Errors
    /// [`InkError`] when this cannot pass as a signature; each asks to sign again.
    pub fn from_strokes(
        strokes: &[Vec<InkPoint>],
        canvas_w: f32,
        canvas_h: f32,
    ) -> Result<Self, InkError> {
        Self::take(strokes, canvas_w, canvas_h, KeepDynamics::No)
    }

    /// [`Signature::from_strokes`], with speed and pressure if asked for. A time that runs backwards is
    /// held at the latest one before it: platforms deliver samples out of order, and a clock that is set
    /// must not cost a signature.
    ///
    /// # Errors
    /// [`InkError`] when this cannot pass as a signature; each asks to sign again.
    pub fn take(
        strokes: &[Vec<InkPoint>],
        canvas_w: f32,
        canvas_h: f32,
        keep: KeepDynamics,
    ) -> Result<Self, InkError> {
        let points = strokes
            .iter()
            .fold(0usize, |n, s| n.saturating_add(s.len()));
        if points == 0 {
            return Err(InkError::Empty);
        }
        if points > MAX_POINTS {
            return Err(InkError::TooManyPoints { points });
        }
        if strokes.len() > MAX_STROKES {
            return Err(InkError::TooManyStrokes {
                strokes: strokes.len(),
            });
        }
        let grid = Grid::new(f64::from(canvas_w), f64::from(canvas_h))?;
        let mut placed = Vec::with_capacity(strokes.len());
        for stroke in strokes.iter().filter(|s| !s.is_empty()) {
            let mut line = Vec::with_capacity(stroke.len());
            for point in stroke {
                if !point.pressure.is_none_or(|p| (0.0..=1.0).contains(&p)) {
                    return Err(InkError::BadPressure);
                }
                line.push(grid.place(*point)?);
            }
            placed.push(line);
        }
        shape::check(&placed, LONG_SIDE_UNITS)?;
        let dynamics = match keep {
            KeepDynamics::Yes => Some(pen_states(strokes)),
            KeepDynamics::No => {
                for line in &mut placed {
                    *line = shape::thin(line);
                }
                None
            }
        };
        Ok(Self {
            canvas_w: grid.w,
            canvas_h: grid.h,
            strokes: placed,
            dynamics,
            attempt: None,
        })
    }

    /// The same ink, bound to the visit it was drawn for: its bytes, and so its hash, name that visit
    /// and no other (B4-1).
    #[must_use]
    pub fn bound_to(mut self, attempt: AttemptId) -> Self {
        self.attempt = Some(attempt);
        self
    }

    /// The visit it was drawn for; `None` for ink that names none.
    #[must_use]
    pub fn attempt(&self) -> Option<AttemptId> {
        self.attempt
    }

    /// The ink without its visit, to compare drawings.
    #[must_use]
    pub fn unbound(mut self) -> Self {
        self.attempt = None;
        self
    }

    /// Width and height of the canvas in grid units; the longer one is always the same.
    #[must_use]
    pub fn canvas_units(&self) -> (u16, u16) {
        (self.canvas_w, self.canvas_h)
    }

    /// The strokes, each with at least one point; a single point is a dot of the pen.
    #[must_use]
    pub fn strokes(&self) -> &[Vec<GridPoint>] {
        &self.strokes
    }

    /// The state of the pen at each point of each stroke, if it was kept.
    #[must_use]
    pub fn dynamics(&self) -> Option<&[Vec<PenState>]> {
        self.dynamics.as_deref()
    }

    /// How many points are kept.
    #[must_use]
    pub fn point_count(&self) -> usize {
        self.strokes.iter().map(Vec::len).sum()
    }
}

/// Times from the first point on, never backwards; pressure only if all points have it.
fn pen_states(strokes: &[Vec<InkPoint>]) -> Vec<Vec<PenState>> {
    let points = || strokes.iter().flatten();
    let all_pressed = points().all(|p| p.pressure.is_some());
    let start = points().next().map_or(0, |p| p.t_ms);
    let mut latest = 0u32;
    strokes
        .iter()
        .filter(|s| !s.is_empty())
        .map(|stroke| {
            stroke
                .iter()
                .map(|p| {
                    latest = latest
                        .max(p.t_ms.saturating_sub(start))
                        .min(codec::MAX_TIME_MS);
                    PenState {
                        t_ms: latest,
                        pressure: p.pressure.filter(|_| all_pressed).map(pressure_step),
                    }
                })
                .collect()
        })
        .collect()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0..=1 was checked on entry
fn pressure_step(pressure: f32) -> u8 {
    (pressure * PRESSURE_STEPS + 0.5) as u8
}
