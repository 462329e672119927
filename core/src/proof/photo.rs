//! Makes a camera file into a proof photo: upright, small, free of metadata.
//!
//! A camera file carries the recipient's position, the phone's serial data and often a second,
//! uncropped picture. None of it may leave the phone (PIPL 6, 19), so the picture is always
//! decoded and written anew; nothing of the source file is copied. Inputs are hostile until
//! decoded: sizes are judged before bytes are read, dimensions before pixels are allocated, and
//! a picture cut off on the way is refused instead of being filled up with grey.
//!
//! The picture stays in brightness and colour planes from decoding to writing, is shrunk while it is
//! decoded and turned while it is written (docs/adr/0007).

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::ops::RangeInclusive;
use std::path::Path;

use sha2::{Digest as _, Sha256};

mod colour;
mod decode;
mod facts;
mod jpeg;
mod look;
mod markers;
mod plane;
mod sheet;

#[cfg(test)]
mod tests;

pub use facts::{CaptureFacts, CapturePosition};
pub use look::same_picture;

use decode::Decoded;
use jpeg::Picture;
use plane::Planes;

/// Thumbnails are a few kilobytes whatever their quality; this shows a face of a parcel cleanly.
const THUMB_QUALITY: u8 = 60;

/// Where the camera or picker left the picture.
#[derive(Debug, Clone, Copy)]
pub enum PhotoSource<'a> {
    /// A file; judged by its length before it is read.
    Path(&'a Path),
    /// Bytes already in memory.
    Bytes(&'a [u8]),
    /// Pixels the platform decoded: the way in for HEIC.
    Rgba(RgbaImage<'a>),
}

/// Pixels of red, green, blue and opacity, a byte each, in sRGB.
#[derive(Clone, Copy)]
pub struct RgbaImage<'a> {
    /// Row by row.
    pub pixels: &'a [u8],
    /// Pixels in a row.
    pub width_px: u32,
    /// Rows.
    pub height_px: u32,
    /// Bytes from one row to the next.
    pub stride_bytes: usize,
    /// EXIF orientation of the pixels as they are: 1 if the platform turned them already.
    pub orientation: u16,
}

impl std::fmt::Debug for RgbaImage<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RgbaImage")
            .field("width_px", &self.width_px)
            .field("height_px", &self.height_px)
            .finish_non_exhaustive()
    }
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
    /// What a coding may need in memory at once. Camera JPEG and PNG need next to nothing at any
    /// size; progressive JPEG, interlaced PNG and WebP must be held whole, and this lets them
    /// have 12 MP.
    pub max_decode_bytes: u64,
    /// Longer side of the proof: a shipping label held half a metre away stays readable.
    pub long_side_px: u32,
    /// Longer side of the thumbnail for lists.
    pub thumb_px: u32,
    /// Size to stay under: 5 s of upload on a poor 0.5 Mbit/s link.
    pub target_bytes: usize,
    /// Quality to choose from: the best that fits the target. Above it only size grows, below it
    /// fewer pixels show more than blocks do.
    pub quality: RangeInclusive<u8>,
}

impl Default for PhotoPolicy {
    fn default() -> Self {
        Self {
            max_input_bytes: 64 * 1024 * 1024,
            max_pixels: 220_000_000,
            max_decode_bytes: 56 * 1024 * 1024,
            long_side_px: 1_600,
            thumb_px: 240,
            target_bytes: 300_000,
            quality: 55..=82,
        }
    }
}

impl PhotoPolicy {
    /// For couriers on a metered or poor link: a label still reads, at a third of the bytes.
    #[must_use]
    pub fn low_data() -> Self {
        Self {
            long_side_px: 1_200,
            target_bytes: 100_000,
            quality: 45..=70,
            ..Self::default()
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
    /// SHA-256 of `jpeg`: the name under which it is stored, signed and sent. The same source
    /// gives the same bytes, so two equal hashes are one picture sent twice.
    pub sha256: [u8; 32],
    /// Length of the source.
    pub source_bytes: u64,
    /// SHA-256 of the source file as the camera left it; `None` for pixels.
    pub source_sha256: Option<[u8; 32]>,
    /// What the picture looks like, for [`same_picture`]; `None` where there is nothing to see.
    pub mark: Option<u64>,
    /// What the camera noted, for the signed entry; it is no longer in `jpeg`.
    pub facts: CaptureFacts,
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
    /// Part of the picture is burnt out by a reflection.
    Glare,
    /// Looks like a photo of a screen.
    Screen,
    /// The file contradicts itself on which way is up.
    OrientationDoubtful,
    /// The same picture was taken as a proof before. Only the store can tell, so
    /// [`ingest_photo`] never says it.
    Repeated,
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
    let (decoded, source_bytes, source_sha256) = match source {
        PhotoSource::Path(path) => {
            file(read_limited(path, policy.max_input_bytes)?.into(), policy)?
        }
        PhotoSource::Bytes(bytes) => {
            check_length(bytes.len() as u64, policy.max_input_bytes)?;
            file(bytes.into(), policy)?
        }
        PhotoSource::Rgba(image) => {
            let decoded = decode::rgba(&image, policy)?;
            (decoded, image.pixels.len() as u64, None)
        }
    };
    let made = Made::from(decoded, policy)?;
    Ok(ReadyPhoto {
        sha256: Sha256::digest(&made.jpeg).into(),
        jpeg: made.jpeg,
        thumb_jpeg: made.thumb_jpeg,
        width_px: made.width_px,
        height_px: made.height_px,
        source_bytes,
        source_sha256,
        mark: made.mark,
        facts: made.facts,
        warnings: made.warnings,
    })
}

type Opened = (Decoded, u64, Option<[u8; 32]>);

fn file(bytes: Cow<'_, [u8]>, policy: &PhotoPolicy) -> Result<Opened, PhotoError> {
    let length = bytes.len() as u64;
    let sha256 = Sha256::digest(&bytes).into();
    Ok((decode::decode(bytes, policy)?, length, Some(sha256)))
}

/// Everything that comes from the pixels.
struct Made {
    jpeg: Vec<u8>,
    thumb_jpeg: Vec<u8>,
    width_px: u32,
    height_px: u32,
    mark: Option<u64>,
    facts: CaptureFacts,
    warnings: Vec<PhotoWarning>,
}

impl Made {
    fn from(decoded: Decoded, policy: &PhotoPolicy) -> Result<Self, PhotoError> {
        let source_size = (decoded.width_px, decoded.height_px);
        let (width, height) = fitted(source_size, policy.long_side_px);
        let planes = decoded.sheet.scaled(width, height)?;
        drop(decoded.sheet);

        let mut warnings = Vec::new();
        if decoded.end_missing {
            warnings.push(PhotoWarning::EndMissing);
        }
        // Looks and thumbnail need no more than this, and both are quick on it.
        let small = planes.shrunk((width.max(height) / look::LOOK_PX).max(1));
        warnings.extend(look::doubts(&planes.luma, &small.luma, source_size));
        if decoded.noted.turn_doubtful {
            warnings.push(PhotoWarning::OrientationDoubtful);
        }

        let turn = decoded.noted.turn;
        let icc = decoded.space.profile();
        let (thumb_w, thumb_h) = fitted(source_size, policy.thumb_px.min(policy.long_side_px));
        let thumb = small.smaller(thumb_w, thumb_h)?;
        drop(small);
        let thumb_picture = Picture::new(&thumb, turn);
        let quality = THUMB_QUALITY..=THUMB_QUALITY;
        let thumb_jpeg = jpeg::write(&thumb_picture, quality, usize::MAX, icc.as_deref());

        let (jpeg, (width, height)) = written(planes, turn, policy, icc.as_deref())?;
        let side = |px: usize| u32::try_from(px).map_err(|_| PhotoError::NotEncodable);
        Ok(Self {
            jpeg,
            thumb_jpeg,
            width_px: side(width)?,
            height_px: side(height)?,
            mark: look::mark(&thumb.luma, turn),
            facts: decoded.noted.facts,
            warnings,
        })
    }
}

/// The best quality that fits the target; a picture of pure noise gives up pixels instead.
fn written(
    mut planes: Planes,
    turn: plane::Turn,
    policy: &PhotoPolicy,
    icc: Option<&[u8]>,
) -> Result<(Vec<u8>, (usize, usize)), PhotoError> {
    loop {
        let picture = Picture::new(&planes, turn);
        let bytes = jpeg::write(&picture, policy.quality.clone(), policy.target_bytes, icc);
        let (width, height) = (planes.luma.width, planes.luma.height);
        let nothing_left = width.max(height) <= 2 * policy.thumb_px as usize;
        if bytes.len() <= policy.target_bytes || nothing_left {
            // Over target is better than no proof.
            return Ok((bytes, turn.size(width, height)));
        }
        planes = planes.smaller((width * 3 / 4).max(1), (height * 3 / 4).max(1))?;
    }
}

/// Scales so that the longer side is at most `long_side_px`; never enlarges.
fn fitted((width, height): (u32, u32), long_side_px: u32) -> (usize, usize) {
    let long_side = u64::from(width.max(height));
    let target = u64::from(long_side_px.max(1)).min(long_side);
    let side = |px: u32| {
        let scaled = (u64::from(px) * target + long_side / 2) / long_side;
        usize::try_from(scaled).unwrap_or(usize::MAX).max(1)
    };
    (side(width), side(height))
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
    // Room for an end mark, should it be missing.
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0) + 2);
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
