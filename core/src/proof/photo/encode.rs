//! Writes a proof as JPEG of at most a given size, through libjpeg-turbo.
//!
//! The planes go in as they are: no way through RGB (docs/adr/0009). Which quality fits is tried on pieces from
//! all over the picture, at a tenth of the cost of the whole; then the whole is written once, seldom twice.

use std::ops::RangeInclusive;

use super::PhotoError;
use super::plane::{Picture, Plane};

mod native;
mod tables;

use tables::Tables;

/// Rows that are coded together where colour is halved.
const BAND_ROWS: usize = 16;

/// Pixels along each side of a coded block.
const BLOCK: usize = 8;

/// Of each band, so many columns of blocks that are coded together are tried: an eighth of a proof.
const SAMPLE_COLUMNS: usize = 10;

/// Pictures of fewer columns are tried whole.
const SAMPLED_FROM_COLUMNS: usize = 24;

/// Markers and tables in front of the coded picture; not to be multiplied with the sample.
const HEADER_BYTES: usize = 623;

/// The estimate is aimed this far below the budget, so that one writing is nearly always enough.
const AIM_PERCENT: usize = 97;

/// Trials on the sample; each brings the estimate some ten times closer.
const MAX_TRIALS: usize = 3;

/// Writings of the whole picture; each costs a tenth of taking the photo in.
const MAX_WRITINGS: usize = 3;

const ICC_TAG: &[u8] = b"ICC_PROFILE\0\x01\x01";

/// Writes the best quality of the range that fits the budget; the lowest if none does.
pub(super) fn within(
    picture: &Picture,
    quality: RangeInclusive<u8>,
    budget_bytes: usize,
    icc: Option<&[u8]>,
) -> Result<Vec<u8>, PhotoError> {
    let room = budget_bytes.saturating_sub(icc.map_or(0, |icc| icc.len() + ICC_TAG.len() + 4));
    let (mut chosen, slope) = choose(picture, &quality, room)?;
    for writing in 1.. {
        let jpeg = write(picture, chosen)?;
        let lowest = chosen <= *quality.start();
        if jpeg.len() <= room || lowest {
            return Ok(with_profile(jpeg, icc));
        }
        chosen = if writing < MAX_WRITINGS {
            // A little more than the estimate was wrong by.
            let excess = ratio_ln(jpeg.len(), room) + 0.01;
            lowered(chosen, excess / slope).max(*quality.start())
        } else {
            *quality.start()
        };
    }
    Err(PhotoError::NotEncodable)
}

/// How much larger a picture gets with each step of quality, as a logarithm: what most pictures show
/// between 55 and 82.
const USUAL_SLOPE: f64 = 0.022;
const SLOPES: RangeInclusive<f64> = 0.010..=0.060;

/// A quality that should fit, and the slope of size over quality around it.
fn choose(
    picture: &Picture,
    quality: &RangeInclusive<u8>,
    room: usize,
) -> Result<(u8, f64), PhotoError> {
    let (low, high) = (*quality.start(), *quality.end());
    if room >= picture.luma.bytes.len() * 3 {
        // No picture takes so much.
        return Ok((high, USUAL_SLOPE));
    }
    let few = picture.luma.width < SAMPLED_FROM_COLUMNS * BAND_ROWS;
    let sample = (!few).then(|| sampled(picture));
    let aim = room / 100 * AIM_PERCENT;
    let mut slope = USUAL_SLOPE;
    let mut tried = (high, estimate(picture, sample.as_ref(), high)?);
    if tried.1 <= aim {
        return Ok((high, slope));
    }
    for _ in 1..MAX_TRIALS {
        let next = lowered(tried.0, ratio_ln(tried.1, aim) / slope).clamp(low, high);
        if next == tried.0 {
            break;
        }
        let bytes = estimate(picture, sample.as_ref(), next)?;
        let steps = f64::from(tried.0) - f64::from(next);
        slope = (ratio_ln(tried.1, bytes) / steps).clamp(*SLOPES.start(), *SLOPES.end());
        tried = (next, bytes);
    }
    let last = lowered(tried.0, ratio_ln(tried.1, aim) / slope);
    Ok((last.clamp(low, high), slope))
}

/// Size of the whole as the sample tells it.
fn estimate(picture: &Picture, sample: Option<&Picture>, quality: u8) -> Result<usize, PhotoError> {
    let tried = sample.unwrap_or(picture);
    let coded = write(tried, quality)?.len().saturating_sub(HEADER_BYTES);
    Ok(coded * picture.luma.width / tried.luma.width.max(1) + HEADER_BYTES)
}

/// A narrow picture of one piece of each band, each from another place.
fn sampled(picture: &Picture) -> Picture {
    let columns = picture.luma.width / BAND_ROWS;
    let pieces = |plane: &Plane, side: usize| -> Plane {
        let (width, height) = (SAMPLE_COLUMNS * side, plane.height);
        let mut bytes = Vec::with_capacity(width * height);
        for (rows, band) in plane.bytes.chunks((side * plane.width).max(1)).zip(0..) {
            // Steps of the golden ratio spread the pieces evenly without a pattern.
            let first = (band * 618 % 1_000) * (columns - SAMPLE_COLUMNS + 1) / 1_000 * side;
            for row in rows.chunks_exact(plane.width) {
                bytes.extend_from_slice(row.get(first..first + width).unwrap_or_default());
            }
        }
        Plane {
            width,
            height,
            bytes,
        }
    };
    Picture {
        luma: pieces(&picture.luma, BAND_ROWS),
        chroma: picture
            .chroma
            .as_ref()
            .map(|both| both.each_ref().map(|p| pieces(p, BAND_ROWS / 2))),
    }
}

#[allow(clippy::cast_precision_loss)] // sizes of at most megabytes
fn ratio_ln(bytes: usize, of: usize) -> f64 {
    (bytes.max(1) as f64 / of.max(1) as f64).ln()
}

/// `quality` less this many steps, rounded to the lower side; more when `steps` is negative.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped just before
fn lowered(quality: u8, steps: f64) -> u8 {
    (f64::from(quality) - steps).floor().clamp(1.0, 100.0) as u8
}

fn write(picture: &Picture, quality: u8) -> Result<Vec<u8>, PhotoError> {
    let luma = picture.luma.in_whole_blocks(BLOCK);
    let chroma = picture
        .chroma
        .as_ref()
        .map(|both| both.each_ref().map(|p| p.in_whole_blocks(BLOCK)));
    let planes = native::Rows {
        width: picture.luma.width,
        height: picture.luma.height,
        luma: &luma,
        chroma: chroma
            .as_ref()
            .map(|both| both.each_ref().map(AsRef::as_ref)),
    };
    native::write(&planes, &Tables::new(quality))
}

/// Puts the colour profile behind the JFIF segment, where readers look for it.
fn with_profile(jpeg: Vec<u8>, icc: Option<&[u8]>) -> Vec<u8> {
    let behind_jfif = match jpeg.get(4..6) {
        Some([high, low]) => 4 + usize::from(u16::from_be_bytes([*high, *low])),
        _ => 2,
    };
    let segment =
        icc.and_then(|icc| Some((icc, u16::try_from(icc.len() + ICC_TAG.len() + 2).ok()?)));
    let (Some((icc, length)), Some((head, rest))) = (segment, jpeg.split_at_checked(behind_jfif))
    else {
        return jpeg;
    };
    [
        head,
        &[0xff, 0xe2],
        &length.to_be_bytes(),
        ICC_TAG,
        icc,
        rest,
    ]
    .concat()
}
