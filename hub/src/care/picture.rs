//! A customer's picture, made harmless: decoded under limits, turned upright, scaled, written anew.
//!
//! Only pixels survive. Position, camera, time, thumbnails and anything hidden behind the picture are
//! gone with the old file, and whatever pretended to be a picture never becomes one.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use satchel_protocol::crypto;
use satchel_protocol::ids::Hash32;
use tokio::sync::Semaphore;

use crate::error::HubError;
use crate::hub::Hub;

/// Largest file taken from a customer.
pub(crate) const MAX_FILE_BYTES: usize = 12 * 1_024 * 1_024;
/// Most pictures with one form.
pub(crate) const MAX_FILES: usize = 4;
/// Enough to read a waybill label on a carton.
const MAX_SIDE_PX: u32 = 2_048;
const MAX_INPUT_SIDE_PX: u32 = 12_000;
/// Sixty megapixels, which few phones have.
const MAX_DECODE_BYTES: u64 = 192 * 1_024 * 1_024;
/// How many are decoded at a time: each takes what the largest takes, at worst.
static DECODERS: Semaphore = Semaphore::const_new(2);
const QUALITY: u8 = 82;

/// The clean picture, or nothing if the file is not one of the three formats browsers and phones send.
pub(crate) fn clean(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .ok()?;
    if !matches!(
        reader.format()?,
        ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP
    ) {
        return None;
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_INPUT_SIDE_PX);
    limits.max_image_height = Some(MAX_INPUT_SIDE_PX);
    limits.max_alloc = Some(MAX_DECODE_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    let upright = decoder.orientation().ok()?;
    let mut picture = DynamicImage::from_decoder(decoder).ok()?;
    // Scaled first, so that what is turned is small.
    if picture.width().max(picture.height()) > MAX_SIDE_PX {
        picture = picture.thumbnail(MAX_SIDE_PX, MAX_SIDE_PX);
    }
    picture.apply_orientation(upright);
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, QUALITY)
        .encode_image(&picture.to_rgb8())
        .ok()?;
    Some(out)
}

/// A clean picture that is not stored yet.
#[derive(Debug)]
pub(crate) struct Picture {
    hash: Hash32,
    jpeg: Vec<u8>,
}

/// Cleans a picture; `None`: it was none.
pub(crate) async fn cleaned(bytes: Vec<u8>) -> Result<Option<Picture>, HubError> {
    let _turn = DECODERS.acquire().await.map_err(|_| HubError::Worker)?;
    let jpeg = tokio::task::spawn_blocking(move || clean(&bytes)).await?;
    Ok(jpeg.map(|jpeg| Picture {
        hash: crypto::sha256(&[&jpeg]),
        jpeg,
    }))
}

/// Stores pictures whose form was accepted.
pub(crate) async fn keep(
    hub: &Hub,
    pictures: &[Picture],
) -> Result<Vec<(Hash32, usize)>, HubError> {
    let mut kept = Vec::new();
    for Picture { hash, jpeg } in pictures {
        hub.blobs().put(*hash, jpeg.clone()).await?;
        kept.push((*hash, jpeg.len()));
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pixels_survive_and_what_is_no_picture_is_refused() {
        let big =
            image::RgbImage::from_fn(2_400, 1_200, |x, _| image::Rgb([(x % 251) as u8, 9, 9]));
        let mut png = Vec::new();
        big.write_to(&mut Cursor::new(&mut png), ImageFormat::Png)
            .unwrap();
        png.extend_from_slice(b"SECRET-AFTER-THE-END");
        let jpeg = clean(&png).unwrap();
        let back = image::load_from_memory(&jpeg).unwrap();
        assert_eq!((back.width(), back.height()), (2_048, 1_024));
        assert!(!jpeg.windows(6).any(|w| w == b"SECRET"));
        for junk in [&b"<svg onload=alert(1)>"[..], b"GIF89a", b"", &png[..60]] {
            assert!(clean(junk).is_none());
        }
    }

    #[test]
    fn a_picture_taken_sideways_is_turned_before_its_notes_are_dropped() {
        let mut jpeg = Vec::new();
        image::RgbImage::from_pixel(40, 20, image::Rgb([200, 0, 0]))
            .write_to(&mut Cursor::new(&mut jpeg), ImageFormat::Jpeg)
            .unwrap();
        // An APP1 segment with a single TIFF tag: orientation 6, a quarter turn, and a marker.
        let tiff = [
            &b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"[..],
            b"GPS-SECRET",
        ]
        .concat();
        let length = u16::try_from(tiff.len() + 2).unwrap().to_be_bytes();
        let mut turned = jpeg[..2].to_vec();
        turned.extend_from_slice(&[0xff, 0xe1]);
        turned.extend_from_slice(&length);
        turned.extend_from_slice(&tiff);
        turned.extend_from_slice(&jpeg[2..]);
        let out = clean(&turned).unwrap();
        let back = image::load_from_memory(&out).unwrap();
        assert_eq!((back.width(), back.height()), (20, 40));
        assert!(!out.windows(4).any(|w| w == b"Exif" || w == b"GPS-"));
    }
}
