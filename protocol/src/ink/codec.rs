//! The bytes of ink: what is hashed, signed, stored and sent.
//!
//! Version 1, the bare shape:
//! `1 ‖ canvas_w ‖ canvas_h ‖ strokes ‖ (points ‖ Δx Δy …)…`
//!
//! Version 2, whatever is more than the bare shape:
//! `2 ‖ flags ‖ [attempt(16)] ‖ canvas_w ‖ canvas_h ‖ strokes ‖ (points ‖ columns)…`
//!
//! Numbers are LEB128 varints, differences zigzag, each stroke starting from where the pen left the one
//! before. Points with times keep every sample, whose steps change little: there the column of a
//! coordinate holds the change of the step. Times are steps in milliseconds, pressure is packed six bits
//! a point. There is one encoding for one drawing, so its hash names it; a reader refuses any other.

use uuid::Uuid;

use super::{GridPoint, LONG_SIDE_UNITS, MAX_POINTS, MAX_STROKES, PenState, Signature};
use crate::ids::AttemptId;

const SHAPE: u8 = 1;
const FLAGGED: u8 = 2;

/// The visit follows.
const BOUND: u8 = 1;
/// Every point has a time.
const TIMED: u8 = 2;
/// Every point has a time and a pressure.
const PRESSED: u8 = 4;

/// Longest time from the first point to the last; a varint of four bytes.
pub(super) const MAX_TIME_MS: u32 = (1 << 28) - 1;

const PRESSURE_BITS: u32 = 6;

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
    /// The ink was drawn for another visit (B4-1).
    #[error("the ink belongs to another visit")]
    OtherAttempt,
}

impl Signature {
    /// The one byte form of this drawing: what is hashed, stored and sent.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(32 + self.point_count() * 4);
        let flags = self.flags();
        if flags == 0 {
            out.push(SHAPE);
        } else {
            out.extend([FLAGGED, flags]);
        }
        if let Some(attempt) = self.attempt {
            out.extend_from_slice(attempt.0.as_bytes());
        }
        put_varint(&mut out, u32::from(self.canvas_w));
        put_varint(&mut out, u32::from(self.canvas_h));
        put_count(&mut out, self.strokes.len());
        let mut at = (0, 0);
        let mut t_ms = 0;
        for (n, stroke) in self.strokes.iter().enumerate() {
            put_count(&mut out, stroke.len());
            match self.dynamics.as_ref().and_then(|all| all.get(n)) {
                None => put_points(&mut out, &mut at, stroke),
                Some(states) => put_timed(&mut out, &mut at, &mut t_ms, stroke, states),
            }
        }
        out
    }

    fn flags(&self) -> u8 {
        let bound = if self.attempt.is_some() { BOUND } else { 0 };
        let state = self.dynamics.as_ref().and_then(|d| d.first()?.first());
        match state {
            None => bound,
            Some(PenState { pressure: None, .. }) => bound | TIMED,
            Some(_) => bound | TIMED | PRESSED,
        }
    }

    /// Reads what [`Signature::encode`] wrote. Only the form is judged, not the drawing: what was
    /// accepted at the door stays evidence even if the rules for new ink change.
    ///
    /// # Errors
    /// [`InkFormatError`] when the bytes are not ink in its canonical form.
    pub fn decode(bytes: &[u8]) -> Result<Self, InkFormatError> {
        let mut input = Reader { bytes };
        let flags = match input.byte()? {
            SHAPE => 0,
            FLAGGED => match input.byte()? {
                0 => return Err(InkFormatError::NotCanonical),
                flags if flags & !(BOUND | TIMED | PRESSED) != 0 => {
                    return Err(InkFormatError::UnknownVersion(FLAGGED));
                }
                flags if flags & (TIMED | PRESSED) == PRESSED => {
                    return Err(InkFormatError::NotCanonical);
                }
                flags => flags,
            },
            other => return Err(InkFormatError::UnknownVersion(other)),
        };
        let attempt = match flags & BOUND {
            0 => None,
            _ => Some(AttemptId(Uuid::from_bytes(input.array()?))),
        };
        let canvas = (input.canvas_side()?, input.canvas_side()?);
        if canvas.0.max(canvas.1) != LONG_SIDE_UNITS {
            return Err(InkFormatError::NotCanonical);
        }
        let stroke_count = input.count(MAX_STROKES)?;
        let mut strokes = Vec::with_capacity(stroke_count);
        let mut dynamics = (flags & TIMED != 0).then(Vec::new);
        let mut points_left = MAX_POINTS;
        let mut at = At::default();
        for _ in 0..stroke_count {
            let point_count = input.count(points_left)?;
            points_left -= point_count;
            match &mut dynamics {
                None => strokes.push(input.points(&mut at, point_count, canvas)?),
                Some(states) => {
                    strokes.push(input.columns(&mut at, point_count, canvas)?);
                    states.push(input.states(&mut at, point_count, flags)?);
                }
            }
        }
        if !input.bytes.is_empty() {
            return Err(InkFormatError::TrailingBytes);
        }
        Ok(Self {
            canvas_w: canvas.0,
            canvas_h: canvas.1,
            strokes,
            dynamics,
            attempt,
        })
    }

    /// [`Signature::decode`] for a reader that knows whose visit it is looking at.
    ///
    /// # Errors
    /// [`InkFormatError::OtherAttempt`] for ink that was drawn for another visit; those of `decode`.
    pub fn decode_for(bytes: &[u8], attempt: AttemptId) -> Result<Self, InkFormatError> {
        let ink = Self::decode(bytes)?;
        match ink.attempt {
            Some(other) if other != attempt => Err(InkFormatError::OtherAttempt),
            _ => Ok(ink),
        }
    }
}

fn put_points(out: &mut Vec<u8>, at: &mut (i32, i32), stroke: &[GridPoint]) {
    for point in stroke {
        let (x, y) = (i32::from(point.x), i32::from(point.y));
        put_varint(out, zigzag(x - at.0));
        put_varint(out, zigzag(y - at.1));
        *at = (x, y);
    }
}

fn put_timed(
    out: &mut Vec<u8>,
    at: &mut (i32, i32),
    t_ms: &mut u32,
    stroke: &[GridPoint],
    states: &[PenState],
) {
    put_column(out, &mut at.0, stroke.iter().map(|p| p.x));
    put_column(out, &mut at.1, stroke.iter().map(|p| p.y));
    for state in states {
        put_varint(out, state.t_ms - *t_ms);
        *t_ms = state.t_ms;
    }
    let (mut bits, mut held) = (0u32, 0u32);
    for pressure in states.iter().filter_map(|s| s.pressure) {
        bits |= u32::from(pressure) << held;
        held += PRESSURE_BITS;
        while held >= 8 {
            let [low, ..] = bits.to_le_bytes();
            out.push(low);
            bits >>= 8;
            held -= 8;
        }
    }
    if held > 0 {
        let [low, ..] = bits.to_le_bytes();
        out.push(low);
    }
}

/// One coordinate of a stroke: first its place, then its step, then changes of the step.
fn put_column(out: &mut Vec<u8>, at: &mut i32, values: impl Iterator<Item = u16>) {
    let mut step = 0;
    for (n, value) in values.map(i32::from).enumerate() {
        let next = value - *at;
        put_varint(out, zigzag(next - step));
        // The way to a stroke's first point says nothing about the step within it.
        step = if n == 0 { 0 } else { next };
        *at = value;
    }
}

fn zigzag(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)).cast_unsigned()
}

fn unzigzag(value: u32) -> i32 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    put_varint(out, u32::try_from(count).unwrap_or(u32::MAX));
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

/// Where the pen was left.
#[derive(Default)]
struct At {
    x: i32,
    y: i32,
    t_ms: u32,
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

    fn array<const N: usize>(&mut self) -> Result<[u8; N], InkFormatError> {
        let (first, rest) = self
            .bytes
            .split_first_chunk()
            .ok_or(InkFormatError::Truncated)?;
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

    /// Room for so many points, but no more than the bytes that are left could hold.
    fn room<T>(&self, count: usize) -> Vec<T> {
        Vec::with_capacity(count.min(self.bytes.len()))
    }

    fn points(
        &mut self,
        at: &mut At,
        count: usize,
        canvas: (u16, u16),
    ) -> Result<Vec<GridPoint>, InkFormatError> {
        let mut stroke: Vec<GridPoint> = self.room(count);
        for _ in 0..count {
            // 28 bits of delta on a coordinate below 2^13 cannot overflow an i32.
            at.x += unzigzag(self.varint()?);
            at.y += unzigzag(self.varint()?);
            let point = GridPoint {
                x: on_canvas(at.x, canvas.0)?,
                y: on_canvas(at.y, canvas.1)?,
            };
            // Standing still inside a stroke draws nothing, so it has no second spelling.
            if stroke.last() == Some(&point) {
                return Err(InkFormatError::NotCanonical);
            }
            stroke.push(point);
        }
        Ok(stroke)
    }

    fn columns(
        &mut self,
        at: &mut At,
        count: usize,
        canvas: (u16, u16),
    ) -> Result<Vec<GridPoint>, InkFormatError> {
        let xs = self.column(&mut at.x, count, canvas.0)?;
        let ys = self.column(&mut at.y, count, canvas.1)?;
        let pairs = xs.into_iter().zip(ys);
        Ok(pairs.map(|(x, y)| GridPoint { x, y }).collect())
    }

    fn column(&mut self, at: &mut i32, count: usize, max: u16) -> Result<Vec<u16>, InkFormatError> {
        let mut values = self.room(count);
        let mut step = 0;
        for n in 0..count {
            // A step lies within the canvas, so neither sum can overflow.
            let next = step + unzigzag(self.varint()?);
            *at += next;
            values.push(on_canvas(*at, max)?);
            step = if n == 0 { 0 } else { next };
        }
        Ok(values)
    }

    fn states(
        &mut self,
        at: &mut At,
        count: usize,
        flags: u8,
    ) -> Result<Vec<PenState>, InkFormatError> {
        let mut states = self.room(count);
        for _ in 0..count {
            at.t_ms += self.varint()?;
            if at.t_ms > MAX_TIME_MS {
                return Err(InkFormatError::NotCanonical);
            }
            states.push(PenState {
                t_ms: at.t_ms,
                pressure: None,
            });
        }
        if flags & PRESSED != 0 {
            let (mut bits, mut held) = (0u32, 0u32);
            for state in &mut states {
                if held < PRESSURE_BITS {
                    bits |= u32::from(self.byte()?) << held;
                    held += 8;
                }
                let [low, ..] = bits.to_le_bytes();
                state.pressure = Some(low & 0x3f);
                bits >>= PRESSURE_BITS;
                held -= PRESSURE_BITS;
            }
            if bits != 0 {
                return Err(InkFormatError::NotCanonical);
            }
        }
        Ok(states)
    }
}

fn on_canvas(value: i32, max: u16) -> Result<u16, InkFormatError> {
    match u16::try_from(value) {
        Ok(value) if value <= max => Ok(value),
        _ => Err(InkFormatError::OutsideCanvas),
    }
}
