//! How many bytes a proof takes at the quality others have, and what quality it has within its budget.
//!
//! The reference is the photo decoded whole and resampled carefully, by code that has no part in Satchel.
//! libjpeg-turbo as everybody calls it (its own tables, 4:2:0) and Satchel write that reference at several
//! qualities; the sizes are compared where both have a SSIMULACRA2 of 70.

use std::fmt;
use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, RgbImage};
use satchel_core::proof::photo::{PhotoPolicy, PhotoSource, PhotoTargets, ingest_photo};
use serde::Serialize;
use ssimulacra2::{ColorPrimaries, Rgb, TransferCharacteristic, compute_frame_ssimulacra2};
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use crate::Failure;

const QUALITIES: [u8; 6] = [45, 55, 64, 72, 80, 88];
const SCORE: f64 = 70.0;

/// One photo's sizes.
#[derive(Debug, Serialize)]
pub(super) struct Sizes {
    input: String,
    /// Bytes at the common score; `None` where the qualities tried do not enclose it.
    turbo_bytes: Option<f64>,
    satchel_bytes: Option<f64>,
    ratio: Option<f64>,
    /// What the default policy makes of it.
    proof_bytes: usize,
    proof_score: f64,
}

/// All photos, and their mean.
#[derive(Debug, Serialize)]
pub(super) struct Table {
    rows: Vec<Sizes>,
    mean_ratio: Option<f64>,
}

impl Table {
    pub(super) fn measure(inputs: &[std::path::PathBuf]) -> Result<Self, Failure> {
        let rows = inputs
            .iter()
            .map(|i| sizes(i))
            .collect::<Result<Vec<_>, _>>()?;
        let ratios: Vec<f64> = rows.iter().filter_map(|r| r.ratio).collect();
        let count = f64::from(u32::try_from(ratios.len())?);
        let sum: f64 = ratios.iter().map(|r| r.ln()).sum();
        let mean_ratio = (!ratios.is_empty()).then(|| (sum / count).exp());
        Ok(Self { rows, mean_ratio })
    }
}

fn sizes(input: &Path) -> Result<Sizes, Failure> {
    let reference = reference(input)?;
    let mut png = Cursor::new(Vec::new());
    reference.write_to(&mut png, ImageFormat::Png)?;
    let original = Scored::new(&reference)?;
    let (mut turbo, mut satchel) = (Vec::new(), Vec::new());
    for quality in QUALITIES {
        let jpeg = by_turbo(&reference, quality)?;
        turbo.push((original.score(&jpeg)?, jpeg.len()));
        let fixed = PhotoTargets {
            quality_min: quality,
            quality_max: quality,
            budget_bytes: *PhotoTargets::BUDGET_BYTES.end(),
            ..PhotoTargets::STANDARD
        };
        let jpeg = by_satchel(png.get_ref(), fixed)?;
        satchel.push((original.score(&jpeg)?, jpeg.len()));
    }
    let (turbo_bytes, satchel_bytes) = (bytes_at(&turbo), bytes_at(&satchel));
    let proof = by_satchel(png.get_ref(), PhotoTargets::STANDARD)?;
    Ok(Sizes {
        input: input
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        turbo_bytes,
        satchel_bytes,
        ratio: satchel_bytes
            .zip(turbo_bytes)
            .map(|(ours, theirs)| ours / theirs),
        proof_bytes: proof.len(),
        proof_score: original.score(&proof)?,
    })
}

fn reference(input: &Path) -> Result<RgbImage, Failure> {
    let mut decoder = ImageReader::open(input)?
        .with_guessed_format()?
        .into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut pixels = DynamicImage::from_decoder(decoder)?;
    let long_side = PhotoTargets::STANDARD.long_side_px;
    if pixels.width().max(pixels.height()) > long_side {
        pixels = pixels.resize(long_side, long_side, image::imageops::FilterType::Lanczos3);
    }
    pixels.apply_orientation(orientation);
    Ok(pixels.into_rgb8())
}

fn by_turbo(pixels: &RgbImage, quality: u8) -> Result<Vec<u8>, Failure> {
    let mut encoder = Compressor::new()?;
    encoder.set_quality(i32::from(quality))?;
    encoder.set_subsamp(Subsamp::Sub2x2)?;
    let width = usize::try_from(pixels.width())?;
    Ok(encoder.compress_to_vec(Image {
        pixels: pixels.as_raw().as_slice(),
        width,
        pitch: width * 3,
        height: usize::try_from(pixels.height())?,
        format: PixelFormat::RGB,
    })?)
}

fn by_satchel(png: &[u8], targets: PhotoTargets) -> Result<Vec<u8>, Failure> {
    let policy = PhotoPolicy {
        targets,
        ..PhotoPolicy::default()
    };
    Ok(ingest_photo(PhotoSource::Bytes(png), &policy)?.jpeg)
}

/// Size at the common score, between the two qualities around it.
#[allow(clippy::cast_precision_loss)] // megabytes at most
fn bytes_at(tried: &[(f64, usize)]) -> Option<f64> {
    tried.windows(2).find_map(|pair| {
        let [(low, less), (high, more)] = pair else {
            return None;
        };
        if !(*low..=*high).contains(&SCORE) || high <= low {
            return None;
        }
        let part = (SCORE - low) / (high - low);
        let (less, more) = ((*less as f64).ln(), (*more as f64).ln());
        Some((less + (more - less) * part).exp())
    })
}

/// What pictures are compared with.
struct Scored(Rgb);

impl Scored {
    fn new(pixels: &RgbImage) -> Result<Self, Failure> {
        Ok(Self(as_rgb(pixels)?))
    }

    fn score(&self, jpeg: &[u8]) -> Result<f64, Failure> {
        let pixels = image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg)?.into_rgb8();
        if pixels.width() != u32::try_from(self.0.width())? {
            // Gave up pixels: no score on this scale.
            return Ok(0.0);
        }
        Ok(compute_frame_ssimulacra2(self.0.clone(), as_rgb(&pixels)?)?)
    }
}

fn as_rgb(pixels: &RgbImage) -> Result<Rgb, Failure> {
    let data = pixels
        .pixels()
        .map(|p| p.0.map(|v| f32::from(v) / 255.0))
        .collect();
    let (width, height) = (
        usize::try_from(pixels.width())?,
        usize::try_from(pixels.height())?,
    );
    Ok(Rgb::new(
        data,
        width,
        height,
        TransferCharacteristic::SRGB,
        ColorPrimaries::BT709,
    )?)
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<18} {:>12} {:>12} {:>7} {:>9} {:>7}",
            "input", "turbo KB@70", "ours KB@70", "ratio", "proof KB", "score"
        )?;
        let number = |v: Option<f64>, unit: f64, digits: usize| {
            v.map_or_else(|| "-".to_owned(), |v| format!("{:.digits$}", v / unit))
        };
        for row in &self.rows {
            writeln!(
                f,
                "{:<18} {:>12} {:>12} {:>7} {:>9} {:>7.1}",
                row.input,
                number(row.turbo_bytes, 1e3, 1),
                number(row.satchel_bytes, 1e3, 1),
                number(row.ratio, 1.0, 3),
                row.proof_bytes / 1_000,
                row.proof_score
            )?;
        }
        writeln!(
            f,
            "{:<18} {:>12} {:>12} {:>7}",
            "mean",
            "",
            "",
            number(self.mean_ratio, 1.0, 3)
        )
    }
}
