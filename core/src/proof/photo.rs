//! Makes a camera file into a proof photo: upright, small, free of metadata.
//!
//! A camera file carries the recipient's position, the phone's serial data and often a second,
//! uncropped picture. None of it may leave the phone (PIPL 6, 19), so the picture is always
//! decoded and written anew; nothing of the source file is copied. Inputs are hostile until
//! decoded: sizes are judged before bytes are read, dimensions before pixels are allocated, and
//! a picture cut off on the way is refused instead of being filled up with grey.
//!
//! The picture stays in brightness and colour planes from decoding to writing, is shrunk while it is
//! decoded and turned when it is small (docs/adr/0009).

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::ops::RangeInclusive;
use std::path::Path;

use satchel_protocol::attempt::PhotoFacts;
use satchel_protocol::ids::Hash32;
use sha2::{Digest as _, Sha256};

mod colour;
mod decode;
mod encode;
mod facts;
mod look;
mod markers;
mod plane;
mod policy;
mod sheet;

#[cfg(test)]
mod tests;

pub use look::same_picture;
pub use policy::{PhotoPolicy, PhotoTargets};

use decode::{Decoded, Ending};
use plane::Picture;

/// Shows a face of a parcel cleanly; the lower end is for thumbnails of noise.
const THUMB_QUALITY: RangeInclusive<u8> = 25..=60;

/// Thumbnails ride in batches of entries; usual ones have half of this.
const THUMB_BUDGET_BYTES: usize = 12_000;

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
    /// What the picture looks like, for [`same_picture`]; `None` where there is nothing to see.
    pub mark: Option<u64>,
    /// What source it was made from, for the signed entry; none of it is in `jpeg`.
    pub facts: PhotoFacts,
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
    let (decoded, source_bytes, source_hash) = match source {
        PhotoSource::Path(path) => {
            let bytes = read_limited(path, policy.max_input_bytes)?;
            file(bytes.into(), Some(path), policy)?
        }
        PhotoSource::Bytes(bytes) => {
            check_length(bytes.len() as u64, policy.max_input_bytes)?;
            file(bytes.into(), None, policy)?
        }
        PhotoSource::Rgba(image) => {
            let decoded = decode::rgba(&image, policy)?;
            (decoded, image.pixels.len() as u64, None)
        }
    };
    let mut photo = made(decoded, policy)?;
    photo.facts.source_bytes = source_bytes;
    photo.facts.source_hash = source_hash;
    Ok(photo)
}

type Opened = (Decoded, u64, Option<Hash32>);

fn file(
    bytes: Cow<'_, [u8]>,
    path: Option<&Path>,
    policy: &PhotoPolicy,
) -> Result<Opened, PhotoError> {
    let length = bytes.len() as u64;
    let hash = Hash32(Sha256::digest(&bytes).into());
    let again = path.map(|path| decode::Again { path, hash: hash.0 });
    Ok((decode::decode(bytes, again, policy)?, length, Some(hash)))
}

fn made(decoded: Decoded, policy: &PhotoPolicy) -> Result<ReadyPhoto, PhotoError> {
    let Decoded {
        sheet,
        width_px,
        height_px,
        noted,
        space,
        ending,
    } = decoded;
    let source_size = (width_px, height_px);
    let targets = &policy.targets;
    let (width, height) = fitted(source_size, targets.long_side_px);
    let picture = sheet.picture((width, height), noted.turn)?;
    drop(sheet);

    let mut facts = noted.facts;
    let mut warnings = Vec::new();
    match ending {
        Ending::Missing => {
            facts.end_missing = true;
            warnings.push(PhotoWarning::EndMissing);
        }
        Ending::Proper { trailing_bytes } => facts.trailing_bytes = trailing_bytes,
    }
    // Looks and thumbnail need no more than this, and both are quick on it.
    let small = picture.shrunk((width.max(height) / look::LOOK_PX).max(1));
    warnings.extend(look::doubts(&picture.luma, &small.luma, source_size));
    if noted.turn_doubtful {
        warnings.push(PhotoWarning::OrientationDoubtful);
    }

    let icc = space.profile();
    let upright_size = noted.turn.size(width_px, height_px);
    let (thumb_w, thumb_h) = fitted(upright_size, policy.thumb_px.min(targets.long_side_px));
    let thumb = small.smaller(thumb_w, thumb_h)?;
    drop(small);
    let thumb_jpeg = encode::within(&thumb, THUMB_QUALITY, THUMB_BUDGET_BYTES, icc.as_deref())?;

    let (jpeg, (width, height)) = written(picture, policy, icc.as_deref())?;
    let side = |px: usize| u32::try_from(px).map_err(|_| PhotoError::NotEncodable);
    Ok(ReadyPhoto {
        sha256: Sha256::digest(&jpeg).into(),
        jpeg,
        thumb_jpeg,
        width_px: side(width)?,
        height_px: side(height)?,
        mark: look::mark(&thumb.luma),
        facts,
        warnings,
    })
}

/// The best quality that fits the budget; a picture of pure noise gives up pixels instead.
fn written(
    mut picture: Picture,
    policy: &PhotoPolicy,
    icc: Option<&[u8]>,
) -> Result<(Vec<u8>, (usize, usize)), PhotoError> {
    let targets = &policy.targets;
    let quality = targets.quality_min..=targets.quality_max;
    let budget = usize::try_from(targets.budget_bytes).unwrap_or(usize::MAX);
    loop {
        let bytes = encode::within(&picture, quality.clone(), budget, icc)?;
        let (width, height) = (picture.luma.width, picture.luma.height);
        let nothing_left = width.max(height) <= 2 * policy.thumb_px as usize;
        if bytes.len() <= budget || nothing_left {
            // Over budget is better than no proof.
            return Ok((bytes, (width, height)));
        }
        picture = picture.smaller((width * 3 / 4).max(1), (height * 3 / 4).max(1))?;
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
