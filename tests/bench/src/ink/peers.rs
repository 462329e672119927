//! What others do with the same samples, and what nobody can avoid.

use std::fmt::Write as _;

use satchel_core::proof::ink::{InkPoint, Signature};
use satchel_core::protocol::ink::OUTLINE_UNITS;

use crate::Failure;

/// Widths of the widespread web pad, in pixels.
const MIN_WIDTH: f32 = 0.5;
const MAX_WIDTH: f32 = 2.5;

/// A disc every half pixel along the line, its radius after the speed of the pen.
pub(super) fn stamp(strokes: &[Vec<InkPoint>], (width, height): (u32, u32)) -> Vec<u8> {
    let mut canvas = vec![255; width as usize * height as usize];
    for stroke in strokes {
        let mut velocity = 0.0f32;
        for (a, b) in stroke.iter().zip(stroke.iter().skip(1)) {
            let (dx, dy) = (b.x - a.x, b.y - a.y);
            let length = (dx * dx + dy * dy).sqrt();
            let ms = b.t_ms.saturating_sub(a.t_ms).max(1) as f32;
            velocity = 0.7 * length / ms + 0.3 * velocity;
            let pen = (MAX_WIDTH / (velocity + 1.0)).max(MIN_WIDTH);
            let steps = (length * 2.0).ceil().max(1.0);
            let mut step = 0.0;
            while step < steps {
                let t = step / steps;
                disc(&mut canvas, width as usize, a.x + dx * t, a.y + dy * t, pen);
                step += 1.0;
            }
        }
    }
    canvas
}

fn disc(canvas: &mut [u8], width: usize, x: f32, y: f32, radius: f32) {
    let reach = radius + 1.0;
    let span = |v: f32| ((v - reach).max(0.0) as usize, (v + reach).max(0.0) as usize);
    let (rows, columns) = (span(y), span(x));
    let lines = canvas.chunks_exact_mut(width).enumerate();
    for (row, line) in lines.take(rows.1 + 1).skip(rows.0) {
        for (column, pixel) in line
            .iter_mut()
            .enumerate()
            .take(columns.1 + 1)
            .skip(columns.0)
        {
            let (dx, dy) = (column as f32 + 0.5 - x, row as f32 + 0.5 - y);
            let cover = (radius + 0.5 - (dx * dx + dy * dy).sqrt()).clamp(0.0, 1.0);
            *pixel = (*pixel).min((255.0 * (1.0 - cover)) as u8);
        }
    }
}

/// The same outline filled by a general renderer, all at once.
pub(super) fn tiny_skia(ink: &Signature, (width, height): (u32, u32)) -> Option<Vec<u8>> {
    let outline = ink.outline(width, height);
    let mut path = tiny_skia::PathBuilder::new();
    for ring in outline.rings() {
        for (n, &(x, y)) in ring.iter().enumerate() {
            let (x, y) = (x as f32, y as f32);
            if n == 0 {
                path.move_to(x, y);
            } else {
                path.line_to(x, y);
            }
        }
        path.close();
    }
    let units = f32::from(ink.canvas_units().0) * f32::from(OUTLINE_UNITS);
    let place = tiny_skia::Transform::from_scale(width as f32 / units, width as f32 / units);
    let mut mask = tiny_skia::Mask::new(width, height)?;
    mask.fill_path(&path.finish()?, tiny_skia::FillRule::Winding, true, place);
    Some(mask.take())
}

/// The pixels of a grey PNG.
pub(super) fn pixels(file: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info()?;
    let mut out = vec![0; reader.output_buffer_size().unwrap_or_default()];
    reader.next_frame(&mut out)?;
    Ok(out)
}

/// Grey pixels as PNG, as fast as the library can.
pub(super) fn png(pixels: &[u8], (width, height): (u32, u32)) -> Vec<u8> {
    let mut out = Vec::with_capacity(8 * 1024);
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    // Into memory, of a size that fits: this cannot fail.
    let _ = encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(pixels));
    out
}

/// What a web pad's `toData()` gives, in its own spelling.
pub(super) fn json(strokes: &[Vec<InkPoint>]) -> String {
    let mut out = String::from("[");
    for stroke in strokes {
        out.push_str("{\"penColor\":\"black\",\"points\":[");
        for p in stroke {
            let (time, pressure) = (
                1_763_740_800_000 + u64::from(p.t_ms),
                p.pressure.unwrap_or(0.5),
            );
            // Writing to a String cannot fail.
            let _ = write!(
                out,
                "{{\"time\":{time},\"x\":{:.3},\"y\":{:.3},\"pressure\":{pressure:.2}}},",
                p.x, p.y
            );
        }
        out.push_str("]},");
    }
    out.push(']');
    out
}

/// The other library's matrix alone.
pub(super) fn qrcode(text: &str) -> usize {
    qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::M).map_or(0, |c| c.width())
}

/// Our library's matrix alone.
pub(super) fn fast_qr(text: &str) -> usize {
    let code = fast_qr::QRBuilder::new(text).ecl(fast_qr::ECL::M).build();
    code.map_or(0, |code| code.size)
}
