//! Makes a camera file into a proof photo: upright, small, free of metadata.
//!
//! A camera file carries the recipient's position, the phone's serial data and often a second,
//! uncropped picture. None of it may leave the phone (PIPL 6, 19), so the picture is always
//! decoded and written anew; nothing of the source file is copied. Inputs are hostile until
//! decoded: sizes are judged before bytes are read, dimensions before pixels are allocated, and
//! a picture cut off on the way is refused instead of being filled up with grey.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::ops::RangeInclusive;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ExtendedColorType, RgbImage};
use sha2::{Digest as _, Sha256};

mod decode;
mod look;

#[cfg(test)]
mod tests;

/// Thumbnails are a few kilobytes whatever their quality; this shows a face of a parcel cleanly.
const THUMB_QUALITY: u8 = 60;

/// Where the camera or picker left the picture.
#[derive(Debug, Clone, Copy)]
pub enum PhotoSource<'a> {
    /// A file; judged by its length before it is read.
    Path(&'a Path),
    /// Bytes already in memory.
    Bytes(&'a [u8]),
}

/// Limits and targets. The defaults are meant for proof of delivery; tests and tenants narrow them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoPolicy {
    /// Larger files are refused unread. The largest real camera JPEGs (200 MP mode, motion photo
    /// with its video) stay under 64 MiB; beyond that it is not a photo.
    pub max_input_bytes: u64,
    /// More pixels are refused before decoding. Phones sell 200 MP cameras; 220 leaves room for
    /// odd aspect ratios.
    pub max_pixels: u64,
    /// What decoding may hold in memory at once: 220 MP as RGB. Formats that need more per pixel
    /// (progressive JPEG, 16-bit PNG) reach it at fewer pixels.
    pub max_decode_bytes: u64,
    /// Longer side of the proof: a shipping label held half a metre away stays readable.
    pub long_side_px: u32,
    /// Longer side of the thumbnail for lists.
    pub thumb_px: u32,
    /// Size to stay under: 4 s of upload on a poor 0.5 Mbit/s link.
    pub target_bytes: usize,
    /// JPEG quality to choose from: the best that fits the target. Above it only size grows,
    /// below it fewer pixels show more than blocks do. (The encoder keeps full colour, so its
    /// figures lie some ten lower than those of encoders that halve it.)
    pub quality: RangeInclusive<u8>,
}

impl Default for PhotoPolicy {
    fn default() -> Self {
        Self {
            max_input_bytes: 64 * 1024 * 1024,
            max_pixels: 220_000_000,
            max_decode_bytes: 660_000_000,
            long_side_px: 1_600,
            thumb_px: 240,
            target_bytes: 250_000,
            quality: 35..=82,
        }
    }
}

/// A proof photo, ready to be sealed and sent.
#[derive(Clone, PartialEq, Eq)]
pub struct ReadyPhoto {
    /// The proof itself: JPEG, upright, without metadata.
    pub jpeg: Vec<u8>,
    /// The same picture for lists.
    pub thumb_jpeg: Vec<u8>,
    /// Width of `jpeg`.
    pub width_px: u32,
    /// Height of `jpeg`.
    pub height_px: u32,
    /// SHA-256 of `jpeg`: the name under which it is stored, signed and sent.
    pub sha256: [u8; 32],
    /// Length of the source.
    pub source_bytes: u64,
    /// What the courier should be asked about. Never a reason to refuse (B4-18): a dark stairwell
    /// is dark.
    pub warnings: Vec<PhotoWarning>,
}

/// Sizes only: the picture shows somebody's door.
impl std::fmt::Debug for ReadyPhoto {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadyPhoto")
            .field("width_px", &self.width_px)
            .field("height_px", &self.height_px)
            .field("jpeg_bytes", &self.jpeg.len())
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

/// A doubt about the picture, for the courier to judge while still at the door (B4-18).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhotoWarning {
    /// Hardly any light.
    Dark,
    /// No sharp edge anywhere.
    Blurry,
    /// Too few pixels for a label to be read.
    Tiny,
    /// The file lacks its end mark; the bottom edge may be missing.
    EndMissing,
}

/// A picture format we recognise and do not decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsupportedFormat {
    /// HEIC/HEIF: ask the platform for JPEG when taking or picking the picture.
    Heic,
    /// AVIF, which shares HEIC's container.
    Avif,
    /// A JPEG coding no camera writes (arithmetic, lossless, 12 bit).
    RareJpeg,
}

/// Why there is no proof photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    /// There is no file at the path.
    #[error("the photo file is missing")]
    Missing,
    /// The file cannot be read.
    #[error("the photo file cannot be read: {0}")]
    Unreadable(io::ErrorKind),
    /// The source has no bytes.
    #[error("the photo is empty")]
    Empty,
    /// The source is longer than the policy allows.
    #[error("the photo has {bytes} bytes, at most {limit} are read")]
    TooLarge {
        /// Length of the source.
        bytes: u64,
        /// The policy's limit.
        limit: u64,
    },
    /// Decoding would need more pixels or memory than the policy allows.
    #[error("the photo has too many pixels ({width_px} × {height_px})")]
    TooManyPixels {
        /// Claimed width.
        width_px: u32,
        /// Claimed height.
        height_px: u32,
    },
    /// Neither JPEG, PNG nor WebP.
    #[error("the file is not a photo")]
    NotAnImage,
    /// A picture, but of a format we do not decode.
    #[error("photos of this format are not taken: {0:?}")]
    UnsupportedFormat(UnsupportedFormat),
    /// The file ends before the picture does.
    #[error("the photo is cut off")]
    Truncated,
    /// The file does not decode.
    #[error("the photo is damaged")]
    Damaged,
    /// The finished picture could not be written.
    #[error("the photo could not be written as JPEG")]
    NotEncodable,
}

/// Reads a picture and makes it a proof photo.
///
/// # Errors
/// [`PhotoError`]; the source is left untouched in any case.
pub fn ingest_photo(
    source: PhotoSource<'_>,
    policy: &PhotoPolicy,
) -> Result<ReadyPhoto, PhotoError> {
    match source {
        PhotoSource::Path(path) => ingest(&read_limited(path, policy.max_input_bytes)?, policy),
        PhotoSource::Bytes(bytes) => {
            check_length(bytes.len() as u64, policy.max_input_bytes)?;
            ingest(bytes, policy)
        }
    }
}

fn ingest(bytes: &[u8], policy: &PhotoPolicy) -> Result<ReadyPhoto, PhotoError> {
    let decoded = decode::decode(bytes, policy)?;
    let mut warnings = Vec::new();
    if decoded.end_missing {
        warnings.push(PhotoWarning::EndMissing);
    }
    let source_size = (decoded.pixels.width(), decoded.pixels.height());
    let mut upright = scale_down(decoded.pixels, policy.long_side_px);
    // Turning the small picture costs a fifth of turning the large one.
    upright.apply_orientation(decoded.orientation);
    let upright = flatten(upright);
    warnings.extend(look::doubts(&upright, source_size));

    let (jpeg, finished) = encode_within(upright, policy)?;
    let thumb = scale_down(DynamicImage::ImageRgb8(finished.clone()), policy.thumb_px).into_rgb8();
    let thumb_jpeg = encode(&thumb, THUMB_QUALITY)?;
    Ok(ReadyPhoto {
        sha256: Sha256::digest(&jpeg).into(),
        width_px: finished.width(),
        height_px: finished.height(),
        source_bytes: bytes.len() as u64,
        jpeg,
        thumb_jpeg,
        warnings,
    })
}

/// Asks for the length first: a sparse file of gigabytes costs nothing to refuse.
fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>, PhotoError> {
    let meta = fs::metadata(path).map_err(|e| from_io(&e))?;
    if !meta.is_file() {
        // Opening a pipe would wait for ever, and a folder is no photo.
        return Err(PhotoError::Unreadable(io::ErrorKind::InvalidInput));
    }
    check_length(meta.len(), limit)?;
    let file = File::open(path).map_err(|e| from_io(&e))?;
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0));
    // The file may have grown since it was measured.
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|e| from_io(&e))?;
    check_length(bytes.len() as u64, limit)?;
    Ok(bytes)
}

fn check_length(bytes: u64, limit: u64) -> Result<(), PhotoError> {
    match bytes {
        0 => Err(PhotoError::Empty),
        _ if bytes > limit => Err(PhotoError::TooLarge { bytes, limit }),
        _ => Ok(()),
    }
}

fn from_io(error: &io::Error) -> PhotoError {
    match error.kind() {
        io::ErrorKind::NotFound => PhotoError::Missing,
        kind => PhotoError::Unreadable(kind),
    }
}

/// Scales so that the longer side is at most `long_side_px`; never enlarges.
fn scale_down(pixels: DynamicImage, long_side_px: u32) -> DynamicImage {
    let long_side = pixels.width().max(pixels.height());
    if long_side <= long_side_px {
        return pixels;
    }
    // Lanczos works in floats over the full width. From three times the target up, averaging to
    // twice the target first saves most of that time and memory and cannot be told apart.
    let near = if long_side > long_side_px.saturating_mul(3) {
        pixels.thumbnail(long_side_px * 2, long_side_px * 2)
    } else {
        pixels
    };
    near.resize(long_side_px, long_side_px, FilterType::Lanczos3)
}

/// Lays transparent pixels on white, as a viewer would show them; JPEG knows no transparency.
fn flatten(pixels: DynamicImage) -> RgbImage {
    if !pixels.color().has_alpha() {
        return pixels.into_rgb8();
    }
    let rgba = pixels.into_rgba8();
    let mut flat = RgbImage::new(rgba.width(), rgba.height());
    for (out, pixel) in flat.pixels_mut().zip(rgba.pixels()) {
        let [r, g, b, a] = pixel.0;
        out.0 = [r, g, b].map(|c| {
            let mixed = (u16::from(c) * u16::from(a) + 255 * (255 - u16::from(a)) + 127) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        });
    }
    flat
}

/// The best quality that fits the target; a picture of pure noise gives up pixels instead.
fn encode_within(
    mut pixels: RgbImage,
    policy: &PhotoPolicy,
) -> Result<(Vec<u8>, RgbImage), PhotoError> {
    loop {
        let floor = encode(&pixels, *policy.quality.start())?;
        if floor.len() <= policy.target_bytes {
            return Ok((best_fitting(&pixels, floor, policy)?, pixels));
        }
        let long_side = pixels.width().max(pixels.height());
        if long_side <= policy.thumb_px {
            // Nothing left to give up: over target is better than no proof.
            return Ok((floor, pixels));
        }
        pixels = scale_down(DynamicImage::ImageRgb8(pixels), long_side * 3 / 4).into_rgb8();
    }
}

/// Halves the quality range until the best fitting value is found; `floor` is the lowest, which fits.
fn best_fitting(
    pixels: &RgbImage,
    floor: Vec<u8>,
    policy: &PhotoPolicy,
) -> Result<Vec<u8>, PhotoError> {
    let (mut fits, mut top) = (*policy.quality.start(), *policy.quality.end());
    let mut best = floor;
    // Most pictures fit at once at the top, so that is tried first.
    let mut next = top;
    // The last tenth of the room is not worth another trial on a slow phone.
    while fits < top && best.len() < policy.target_bytes / 10 * 9 {
        let tried = encode(pixels, next)?;
        if tried.len() <= policy.target_bytes {
            (fits, best) = (next, tried);
        } else {
            top = next - 1;
        }
        next = fits + (top - fits).div_ceil(2);
    }
    Ok(best)
}

fn encode(pixels: &RgbImage, quality: u8) -> Result<Vec<u8>, PhotoError> {
    let mut out = Vec::with_capacity(256 * 1024);
    JpegEncoder::new_with_quality(&mut out, quality)
        .encode(
            pixels.as_raw(),
            pixels.width(),
            pixels.height(),
            ExtendedColorType::Rgb8,
        )
        .map_err(|_| PhotoError::NotEncodable)?;
    Ok(out)
}
