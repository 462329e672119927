//! Fills the outline of a signature into a grey bitmap.
//!
//! The outline is the one an SVG document of the same ink names, corner by corner, so the phone's picture
//! and the hub's are one. All strokes are filled at once: their parts turn the same way round, so where
//! they overlap is filled like the rest.

use satchel_protocol::ink::OUTLINE_UNITS;
use tiny_skia::{FillRule, Mask, PathBuilder, Transform};

use super::Signature;

/// Grey pixels, row by row; `None` for a size without pixels.
pub(super) fn draw(signature: &Signature, width_px: u32, height_px: u32) -> Option<Vec<u8>> {
    let mut mask = Mask::new(width_px, height_px)?;
    let outline = signature.outline(width_px, height_px);
    let mut path = PathBuilder::with_capacity(outline.corner_count() + 64, outline.corner_count());
    for ring in outline.rings() {
        let mut first = true;
        for &(x, y) in ring {
            let (x, y) = (exact(x), exact(y));
            if first {
                path.move_to(x, y);
            } else {
                path.line_to(x, y);
            }
            first = false;
        }
        path.close();
    }
    if let Some(path) = path.finish() {
        let place = frame(signature.canvas_units(), width_px, height_px);
        mask.fill_path(&path, FillRule::Winding, true, place);
    }
    let mut pixels = mask.take();
    for pixel in &mut pixels {
        *pixel = !*pixel;
    }
    Some(pixels)
}

/// Lays the canvas into the picture, in proportion and centred.
#[allow(clippy::cast_precision_loss)] // at most 2,048 pixels
fn frame((w, h): (u16, u16), width_px: u32, height_px: u32) -> Transform {
    let (width, height) = (width_px as f32, height_px as f32);
    let units = |side: u16| f32::from(side) * f32::from(OUTLINE_UNITS);
    let (w, h) = (units(w), units(h));
    let scale = (width / w).min(height / h);
    let (left, top) = ((width - w * scale) / 2.0, (height - h * scale) / 2.0);
    Transform::from_row(scale, 0.0, 0.0, scale, left, top)
}

#[allow(clippy::cast_precision_loss)] // below 2^24
fn exact(units: i32) -> f32 {
    units as f32
}
