//! Fills the outline of a signature into a grey bitmap.
//!
//! The outline is the one an SVG document of the same ink names, corner by corner, so the phone's picture
//! and the hub's are one. A pixel is as dark as it is covered, to the exact area: each edge adds what it
//! covers to the cells it crosses, and one sum along each row turns that into coverage. That works because
//! all rings turn the same way round, so what overlaps adds up to "covered". A general renderer, which
//! cannot know that, takes three times as long for it (bench `ink`).

use satchel_protocol::ink::OUTLINE_UNITS;

use super::Signature;

const WHITE: u8 = 255;

/// Grey pixels, row by row.
pub(super) fn draw(signature: &Signature, width_px: u32, height_px: u32) -> Vec<u8> {
    let mut cover = Cover::new(width_px as usize, height_px as usize);
    let frame = Frame::new(signature.canvas_units(), width_px, height_px);
    for ring in signature.outline(width_px, height_px).rings() {
        let Some(last) = ring.last() else { continue };
        let mut from = frame.place(*last);
        for corner in ring {
            let to = frame.place(*corner);
            cover.edge(from, to);
            from = to;
        }
    }
    cover.into_pixels()
}

/// Where the canvas lies in the picture: in proportion and centred.
struct Frame {
    scale: f32,
    left_px: f32,
    top_px: f32,
}

#[allow(clippy::cast_precision_loss)] // at most 2,048 pixels, and units below 2^24
impl Frame {
    fn new((w, h): (u16, u16), width_px: u32, height_px: u32) -> Self {
        let (width, height) = (width_px as f32, height_px as f32);
        let units = |side: u16| f32::from(side) * f32::from(OUTLINE_UNITS);
        let (w, h) = (units(w), units(h));
        let scale = (width / w).min(height / h);
        Self {
            scale,
            left_px: (width - w * scale) / 2.0,
            top_px: (height - h * scale) / 2.0,
        }
    }

    fn place(&self, (x, y): (i32, i32)) -> (f32, f32) {
        (
            self.left_px + x as f32 * self.scale,
            self.top_px + y as f32 * self.scale,
        )
    }
}

/// How much more of each cell is covered than of the one left of it.
struct Cover {
    width: usize,
    height: usize,
    /// Two cells more a row than pixels: an edge at the right border adds to the cell behind it.
    changes: Vec<f32>,
    /// First and last cell of each row that an edge touched.
    touched: Vec<(usize, usize)>,
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "cells of a picture of at most 2,048 pixels; values are clamped to it first"
)]
impl Cover {
    fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            changes: vec![0.0; (width + 2) * height],
            touched: vec![(usize::MAX, 0); height],
        }
    }

    /// Adds one edge, row by row.
    fn edge(&mut self, from: (f32, f32), to: (f32, f32)) {
        let down = from.1 < to.1;
        let (upper, lower) = if down { (from, to) } else { (to, from) };
        if lower.1 <= upper.1 {
            return;
        }
        let sign = if down { 1.0 } else { -1.0 };
        let slope = (lower.0 - upper.0) / (lower.1 - upper.1);
        let first = upper.1.max(0.0) as usize;
        let behind_last = (lower.1.max(0.0).ceil() as usize).min(self.height);
        let right = self.width as f32;
        let rows = self.changes.chunks_exact_mut(self.width + 2);
        let rows = rows.zip(&mut self.touched).enumerate();
        for (y, (cells, touched)) in rows.take(behind_last).skip(first) {
            let top = upper.1.max(y as f32);
            let bottom = lower.1.min(y as f32 + 1.0);
            let enters = (upper.0 + (top - upper.1) * slope).clamp(0.0, right);
            let leaves = (upper.0 + (bottom - upper.1) * slope).clamp(0.0, right);
            let (x0, x1) = (enters.min(leaves), enters.max(leaves));
            let first_cell = x0 as usize;
            let last_cell = (x1.ceil() as usize).max(first_cell + 1);
            touched.0 = touched.0.min(first_cell);
            touched.1 = touched.1.max(last_cell);
            if let Some(cells) = cells.get_mut(first_cell..=last_cell) {
                spread(
                    cells,
                    x0 - first_cell as f32,
                    x1 - first_cell as f32,
                    sign * (bottom - top),
                );
            }
        }
    }

    /// Sums each row up and turns coverage into grey.
    fn into_pixels(self) -> Vec<u8> {
        let mut pixels = vec![WHITE; self.width * self.height];
        let rows = pixels.chunks_exact_mut(self.width);
        let changes = self.changes.chunks_exact(self.width + 2);
        for ((row, changes), touched) in rows.zip(changes).zip(self.touched) {
            let to = touched.1.min(self.width);
            let (Some(row), Some(changes)) =
                (row.get_mut(touched.0..to), changes.get(touched.0..to))
            else {
                continue;
            };
            let (mut covered, mut grey) = (0.0f32, WHITE);
            for (pixel, &change) in row.iter_mut().zip(changes) {
                // Most cells lie between edges, and are as the one before.
                if change != 0.0 {
                    covered += change;
                    grey = WHITE - (covered.abs().min(1.0) * 255.0 + 0.5) as u8;
                }
                *pixel = grey;
            }
        }
        pixels
    }
}

/// Adds what an edge of one row covers to the cells from the one it enters to the one behind it. `x0` and
/// `x1` are counted from the first cell; `height` is the share of the row, with the edge's sign.
#[allow(clippy::cast_precision_loss)] // cells of one row
fn spread(cells: &mut [f32], x0: f32, x1: f32, height: f32) {
    if let [cell, next] = cells {
        let left = height * 0.5 * (x0 + x1);
        *cell += height - left;
        *next += left;
        return;
    }
    // The share of the edge's height left of the right border of each cell, integrated over the cell.
    let per_px = height / (x1 - x0);
    let mut before = 0.0;
    for (n, cell) in cells.iter_mut().enumerate() {
        let right = n as f32 + 1.0;
        let (a, b) = (x0.max(right - 1.0), x1.min(right));
        // Triangle or trapezium within the cell, and all that came before it in full.
        let within = if b > a {
            per_px * ((b - a) * (right - 0.5 * (a + b)) + (a - x0).max(0.0))
        } else {
            height
        };
        *cell += within - before;
        before = within;
    }
}
