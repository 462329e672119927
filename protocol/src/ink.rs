//! Signature ink: what a finger drew, in a form phone and hub read alike.
//!
//! The codec lives here because the phone writes the ink and the hub draws it: both must see the
//! same line. Only the shape is kept. Speed and pressure are biometric data (PIPL 28, C5), so
//! time is dropped on entry and points that only record how fast the pen went are thinned out.
//! Ink is evidence of receipt, not a reliable electronic signature (电子签名法 Art 13).
//!
//! Form: `version(1) ‖ canvas_w ‖ canvas_h ‖ strokes ‖ (points ‖ Δx Δy …)…`, all LEB128 varints,
//! deltas zigzag, each stroke starting from where the pen left the one before. There is one
//! encoding for one drawing, so its hash names it.

use std::fmt::{self, Write as _};

mod shape;

#[cfg(test)]
mod tests;

/// The only form so far.
const VERSION: u8 = 1;

/// Grid units along the longer side of the canvas: 1/8 px on a 600 px pad. Rounding (≤ 0.09 px)
/// and thinning (≤ 0.125 px) together stay under a quarter pixel, and a step still fits one byte.
const LONG_SIDE_UNITS: u16 = 4_800;

/// Two minutes of drawing at 120 points a second; whoever needs more is not signing.
pub const MAX_POINTS: usize = 16_384;

/// The most elaborate names have under a hundred strokes; this only bounds work on hostile input.
pub const MAX_STROKES: usize = 512;

/// How far off the pad, as a share of its longer side, a finger may slide before we say that the
/// host mixed up its units. Up to there the point is held at the edge.
const EDGE_TOLERANCE: f64 = 0.10;

/// Pen width in grid units: 2.5 px on a 600 px pad, a ball-point on paper.
pub const PEN_WIDTH_UNITS: u16 = 20;

/// One touch sample as the platform reports it.
///
/// `t_ms` is taken so that hosts can hand over their events unchanged; it is not kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InkPoint {
    /// Distance from the left edge, in the units of the canvas size.
    pub x: f32,
    /// Distance from the top edge, in the units of the canvas size.
    pub y: f32,
    /// Time of the sample; dropped (PIPL 28).
    pub t_ms: u32,
}

/// Why a drawing is not taken as a signature. All of them are answered by asking to sign again.
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
    /// All ink lies on one straight line. A cross passes: a mark is a lawful signature.
    #[error("only a straight line was drawn")]
    StraightLine,
    /// A coordinate is NaN or infinite.
    #[error("a coordinate is not a number")]
    NotFinite,
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

/// Why bytes are not ink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InkFormatError {
    /// The bytes end too early.
    #[error("ink ends too early")]
    Truncated,
    /// A form this release does not know.
    #[error("unknown ink version {0}")]
    UnknownVersion(u8),
    /// Bytes follow the last stroke.
    #[error("bytes follow the ink")]
    TrailingBytes,
    /// The drawing is written in another way than [`Signature::encode`] would.
    #[error("ink is not in its one canonical form")]
    NotCanonical,
    /// A point lies outside the canvas the header names.
    #[error("an ink point lies outside the canvas")]
    OutsideCanvas,
    /// More points or strokes than we draw.
    #[error("ink has too many points or strokes")]
    TooMuchInk,
}

/// A point on the grid of [`Signature::canvas_units`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct GridPoint {
    /// Units from the left edge.
    pub x: u16,
    /// Units from the top edge.
    pub y: u16,
}

/// A signature: strokes on a grid, without time or pressure.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    canvas_w: u16,
    canvas_h: u16,
    strokes: Vec<Vec<GridPoint>>,
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
    /// Takes what was drawn on a canvas of the given size, in whatever units the host uses.
    ///
    /// # Errors
    /// [`InkError`] when this cannot pass as a signature; each asks to sign again.
    pub fn from_strokes(
        strokes: &[Vec<InkPoint>],
        canvas_w: f32,
        canvas_h: f32,
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
                line.push(grid.place(*point)?);
            }
            line.dedup();
            placed.push(line);
        }
        shape::check(&placed, LONG_SIDE_UNITS)?;
        for line in &mut placed {
            *line = shape::thin(line);
        }
        Ok(Self {
            canvas_w: grid.w,
            canvas_h: grid.h,
            strokes: placed,
        })
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

    /// How many points are kept.
    #[must_use]
    pub fn point_count(&self) -> usize {
        self.strokes.iter().map(Vec::len).sum()
    }

    /// The one byte form of this drawing: what is hashed, stored and sent.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(8 + self.point_count() * 3);
        out.push(VERSION);
        put_varint(&mut out, u32::from(self.canvas_w));
        put_varint(&mut out, u32::from(self.canvas_h));
        put_varint(
            &mut out,
            u32::try_from(self.strokes.len()).unwrap_or(u32::MAX),
        );
        let (mut x, mut y) = (0i32, 0i32);
        for stroke in &self.strokes {
            put_varint(&mut out, u32::try_from(stroke.len()).unwrap_or(u32::MAX));
            for point in stroke {
                let (px, py) = (i32::from(point.x), i32::from(point.y));
                put_varint(&mut out, zigzag(px - x));
                put_varint(&mut out, zigzag(py - y));
                (x, y) = (px, py);
            }
        }
        out
    }

    /// Reads what [`Signature::encode`] wrote. Only the form is judged, not the drawing: what was
    /// accepted at the door stays evidence even if the rules for new ink change.
    ///
    /// # Errors
    /// [`InkFormatError`] when the bytes are not ink in its canonical form.
    pub fn decode(bytes: &[u8]) -> Result<Self, InkFormatError> {
        let mut input = Reader { bytes };
        match input.byte()? {
            VERSION => {}
            other => return Err(InkFormatError::UnknownVersion(other)),
        }
        let canvas_w = input.canvas_side()?;
        let canvas_h = input.canvas_side()?;
        if canvas_w.max(canvas_h) != LONG_SIDE_UNITS {
            return Err(InkFormatError::NotCanonical);
        }
        let stroke_count = input.count(MAX_STROKES)?;
        let mut strokes = Vec::with_capacity(stroke_count);
        let mut points_left = MAX_POINTS;
        let mut at = (0i32, 0i32);
        for _ in 0..stroke_count {
            let point_count = input.count(points_left)?;
            points_left -= point_count;
            let mut stroke: Vec<GridPoint> = Vec::with_capacity(point_count.min(bytes.len()));
            for _ in 0..point_count {
                let point = input.point(&mut at, canvas_w, canvas_h)?;
                // Standing still inside a stroke draws nothing, so it has no second spelling.
                if stroke.last() == Some(&point) {
                    return Err(InkFormatError::NotCanonical);
                }
                stroke.push(point);
            }
            strokes.push(stroke);
        }
        if !input.bytes.is_empty() {
            return Err(InkFormatError::TrailingBytes);
        }
        Ok(Self {
            canvas_w,
            canvas_h,
            strokes,
        })
    }

    /// The drawing as an SVG document of this size in pixels: black ink on white, no styles or
    /// scripts, so a page with a strict content policy may show it.
    #[must_use]
    pub fn to_svg(&self, w: u32, h: u32) -> String {
        let (cw, ch) = (self.canvas_w, self.canvas_h);
        let mut svg = String::with_capacity(300 + self.point_count() * 8);
        // Writing to a String cannot fail.
        let _ = write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" \
             viewBox=\"0 0 {cw} {ch}\"><rect width=\"{cw}\" height=\"{ch}\" fill=\"#fff\"/>\
             <path fill=\"none\" stroke=\"#000\" stroke-width=\"{PEN_WIDTH_UNITS}\" \
             stroke-linecap=\"round\" stroke-linejoin=\"round\" d=\""
        );
        for stroke in &self.strokes {
            let mut before: Option<GridPoint> = None;
            for &point in stroke {
                let _ = match before {
                    None => write!(svg, "M{} {}", point.x, point.y),
                    Some(from) => write!(
                        svg,
                        "l{} {}",
                        i32::from(point.x) - i32::from(from.x),
                        i32::from(point.y) - i32::from(from.y)
                    ),
                };
                before = Some(point);
            }
            if stroke.len() == 1 {
                // A line of no length with a round cap is the dot itself.
                svg.push_str("l0 0");
            }
        }
        svg.push_str("\"/></svg>");
        svg
    }
}

/// The canvas laid under a grid whose longer side is [`LONG_SIDE_UNITS`].
struct Grid {
    w: u16,
    h: u16,
    units_per_host_unit: f64,
}

impl Grid {
    fn new(canvas_w: f64, canvas_h: f64) -> Result<Self, InkError> {
        let long_side = canvas_w.max(canvas_h);
        if !(canvas_w.is_finite() && canvas_h.is_finite() && canvas_w > 0.0 && canvas_h > 0.0) {
            return Err(InkError::BadCanvas);
        }
        let units_per_host_unit = f64::from(LONG_SIDE_UNITS) / long_side;
        if !units_per_host_unit.is_finite() {
            return Err(InkError::BadCanvas);
        }
        Ok(Self {
            w: to_units(canvas_w * units_per_host_unit, LONG_SIDE_UNITS).max(1),
            h: to_units(canvas_h * units_per_host_unit, LONG_SIDE_UNITS).max(1),
            units_per_host_unit,
        })
    }

    fn place(&self, point: InkPoint) -> Result<GridPoint, InkError> {
        if !(point.x.is_finite() && point.y.is_finite()) {
            return Err(InkError::NotFinite);
        }
        let x = f64::from(point.x) * self.units_per_host_unit;
        let y = f64::from(point.y) * self.units_per_host_unit;
        let slack = f64::from(LONG_SIDE_UNITS) * EDGE_TOLERANCE;
        let near = |v: f64, side: u16| v >= -slack && v <= f64::from(side) + slack;
        if !(near(x, self.w) && near(y, self.h)) {
            return Err(InkError::OutsideCanvas);
        }
        Ok(GridPoint {
            x: to_units(x, self.w),
            y: to_units(y, self.h),
        })
    }
}

/// Rounds to the grid and holds the value on the canvas.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped to 0..=max just before
fn to_units(value: f64, max: u16) -> u16 {
    value.round().clamp(0.0, f64::from(max)) as u16
}

fn zigzag(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)).cast_unsigned()
}

fn unzigzag(value: u32) -> i32 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

fn put_varint(out: &mut Vec<u8>, mut value: u32) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, InkFormatError> {
        let (first, rest) = self.bytes.split_first().ok_or(InkFormatError::Truncated)?;
        self.bytes = rest;
        Ok(*first)
    }

    /// A value of at most 28 bits: more than any field holds, and shifts cannot overflow.
    fn varint(&mut self) -> Result<u32, InkFormatError> {
        let mut value = 0u32;
        for shift in [0u32, 7, 14, 21] {
            let byte = self.byte()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                // A leading zero group would be a second way to write the same number.
                return if byte == 0 && shift > 0 {
                    Err(InkFormatError::NotCanonical)
                } else {
                    Ok(value)
                };
            }
        }
        Err(InkFormatError::NotCanonical)
    }

    fn canvas_side(&mut self) -> Result<u16, InkFormatError> {
        match u16::try_from(self.varint()?) {
            Ok(side) if (1..=LONG_SIDE_UNITS).contains(&side) => Ok(side),
            _ => Err(InkFormatError::NotCanonical),
        }
    }

    fn count(&mut self, limit: usize) -> Result<usize, InkFormatError> {
        match usize::try_from(self.varint()?) {
            Ok(0) => Err(InkFormatError::NotCanonical),
            Ok(count) if count <= limit => Ok(count),
            _ => Err(InkFormatError::TooMuchInk),
        }
    }

    fn point(
        &mut self,
        at: &mut (i32, i32),
        canvas_w: u16,
        canvas_h: u16,
    ) -> Result<GridPoint, InkFormatError> {
        // 28 bits of delta on a coordinate below 2^13 cannot overflow an i32.
        at.0 += unzigzag(self.varint()?);
        at.1 += unzigzag(self.varint()?);
        match (u16::try_from(at.0), u16::try_from(at.1)) {
            (Ok(x), Ok(y)) if x <= canvas_w && y <= canvas_h => Ok(GridPoint { x, y }),
            _ => Err(InkFormatError::OutsideCanvas),
        }
    }
}
