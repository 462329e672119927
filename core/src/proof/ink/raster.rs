//! Draws strokes with soft edges: each pixel is as dark as the pen covers it.
//!
//! A segment of round pen is all points within a radius of a line, so a pixel's cover follows
//! from its distance to that line. Only the pixels near the segment are visited, row by row.

use super::{GridPoint, PEN_WIDTH_UNITS, Signature};

const WHITE: u8 = 255;

/// Below this a line turns into a grey haze; small previews get a pen this wide at least.
const MIN_RADIUS_PX: f32 = 0.6;

/// Grey pixels, row by row.
pub(super) fn draw(signature: &Signature, width_px: u32, height_px: u32) -> Vec<u8> {
    let width = width_px as usize;
    let mut canvas = vec![WHITE; width * height_px as usize];
    let frame = Frame::new(signature.canvas_units(), width_px, height_px);
    for stroke in signature.strokes() {
        let mut from: Option<(f32, f32)> = None;
        for &point in stroke {
            let to = frame.place(point);
            segment(&mut canvas, width, frame.radius_px, from.unwrap_or(to), to);
            from = Some(to);
        }
    }
    canvas
}

/// Where the grid lies in the picture.
struct Frame {
    px_per_unit: f32,
    left_px: f32,
    top_px: f32,
    radius_px: f32,
}

#[allow(clippy::cast_precision_loss)] // at most 2,048 pixels
impl Frame {
    fn new((w, h): (u16, u16), width_px: u32, height_px: u32) -> Self {
        let (width, height) = (width_px as f32, height_px as f32);
        let (w, h) = (f32::from(w), f32::from(h));
        let px_per_unit = (width / w).min(height / h);
        Self {
            px_per_unit,
            left_px: (width - w * px_per_unit) / 2.0,
            top_px: (height - h * px_per_unit) / 2.0,
            radius_px: (f32::from(PEN_WIDTH_UNITS) * px_per_unit / 2.0).max(MIN_RADIUS_PX),
        }
    }

    fn place(&self, point: GridPoint) -> (f32, f32) {
        (
            self.left_px + f32::from(point.x) * self.px_per_unit,
            self.top_px + f32::from(point.y) * self.px_per_unit,
        )
    }
}

fn segment(canvas: &mut [u8], width: usize, radius: f32, a: (f32, f32), b: (f32, f32)) {
    let reach = radius + 1.0;
    let first_row = pixel(a.1.min(b.1) - reach);
    let last_row = pixel(a.1.max(b.1) + reach);
    let rows = canvas.chunks_exact_mut(width).enumerate();
    for (y, row) in rows.take(last_row + 1).skip(first_row) {
        let centre_y = centre(y);
        // The part of the segment this row can touch bounds the columns to visit.
        let (x0, x1) = columns(a, b, centre_y, reach);
        let (skip, take) = (pixel(x0 - reach), pixel(x1 + reach) + 1);
        for (x, value) in row.iter_mut().enumerate().take(take).skip(skip) {
            let cover = (radius + 0.5 - distance((centre(x), centre_y), a, b)).clamp(0.0, 1.0);
            *value = (*value).min(shade(cover));
        }
    }
}

/// The span of x in which the segment comes within `reach` of a row.
fn columns(a: (f32, f32), b: (f32, f32), y: f32, reach: f32) -> (f32, f32) {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    if dy.abs() < f32::EPSILON {
        return (a.0.min(b.0), a.0.max(b.0));
    }
    let at = |edge: f32| a.0 + dx * ((edge - a.1) / dy).clamp(0.0, 1.0);
    let (p, q) = (at(y - reach), at(y + reach));
    (p.min(q), p.max(q))
}

fn distance(p: (f32, f32), a: (f32, f32), b: (f32, f32)) -> f32 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let span = dx * dx + dy * dy;
    let along = if span > 0.0 {
        (((p.0 - a.0) * dx + (p.1 - a.1) * dy) / span).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let (ex, ey) = (p.0 - a.0 - along * dx, p.1 - a.1 - along * dy);
    (ex * ex + ey * ey).sqrt()
}

#[allow(clippy::cast_precision_loss)] // at most 2,048 pixels
fn centre(pixel: usize) -> f32 {
    pixel as f32 + 0.5
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the cast holds at 0
fn pixel(position: f32) -> usize {
    position.max(0.0) as usize
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // cover lies in 0..=1
fn shade(cover: f32) -> u8 {
    (f32::from(WHITE) * (1.0 - cover)).round() as u8
}
