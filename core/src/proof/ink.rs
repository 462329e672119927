//! Signature ink on the phone: the shared codec, and a picture of it.
//!
//! The form of the ink and the outline of its line are agreed with the hub (`satchel_protocol::ink`).
//! The phone also needs a bitmap, for lists and for hosts that cannot draw SVG; it fills that very
//! outline.

pub use satchel_protocol::ink::{
    GridPoint, InkError, InkFormatError, InkImportError, InkPoint, KeepDynamics, MAX_POINTS,
    MAX_STROKES, Signature, strokes_from_signature_pad,
};
pub use satchel_protocol::taxonomy::InkDoubt;

mod raster;

#[cfg(test)]
mod tests;

/// Widest or highest picture drawn: a full-screen preview on a tablet.
pub const MAX_PICTURE_PX: u32 = 2_048;

/// Why there is no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InkPictureError {
    /// A side is 0 or above [`MAX_PICTURE_PX`].
    #[error("a picture of {width_px} × {height_px} pixels is not drawn")]
    BadSize {
        /// Asked width.
        width_px: u32,
        /// Asked height.
        height_px: u32,
    },
    /// The picture could not be written.
    #[error("the picture could not be written as PNG")]
    NotEncodable,
}

/// Draws a signature black on white as an 8-bit grey PNG, centred and in proportion.
///
/// # Errors
/// [`InkPictureError::BadSize`] for sizes that make no picture.
pub fn to_png(
    signature: &Signature,
    width_px: u32,
    height_px: u32,
) -> Result<Vec<u8>, InkPictureError> {
    let sensible = 1..=MAX_PICTURE_PX;
    if !(sensible.contains(&width_px) && sensible.contains(&height_px)) {
        return Err(InkPictureError::BadSize {
            width_px,
            height_px,
        });
    }
    let pixels = raster::draw(signature, width_px, height_px);
    let mut out = Vec::with_capacity(8 * 1024);
    let mut encoder = png::Encoder::new(&mut out, width_px, height_px);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    encoder
        .write_header()
        .and_then(|mut writer| {
            writer
                .write_image_data(&pixels)
                .and_then(|()| writer.finish())
        })
        .map_err(|_| InkPictureError::NotEncodable)?;
    Ok(out)
}
