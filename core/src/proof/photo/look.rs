//! Cheap looks at a finished photo: is it dark, blurred, tiny?
//!
//! These only ask the courier to look again (B4-18). They are rough on purpose: a wall, fog and
//! a tree all fool any such measure, so the thresholds flag only what is nearly always wrong.

use image::imageops::{self, FilterType};
use image::{DynamicImage, GrayImage, RgbImage};

use super::PhotoWarning;

/// The looks are taken at this size, so one threshold serves all cameras.
const LOOK_PX: u32 = 512;

/// Mean brightness (0–255) below which print cannot be told from its ground.
const DARK_MEAN: f64 = 32.0;

/// Variance of the Laplacian below which there is no edge a camera had in focus. Sharp camera
/// pictures measure several hundred at this size, out-of-focus ones under twenty.
const BLURRY_VARIANCE: f64 = 20.0;

/// Below this many pixels across, a label on a parcel filling half the picture is not readable.
const TINY_SHORT_SIDE_PX: u32 = 480;

/// What to ask the courier about. `source_size` is the camera's, before scaling.
pub(super) fn doubts(upright: &RgbImage, source_size: (u32, u32)) -> Vec<PhotoWarning> {
    let mut doubts = Vec::new();
    if source_size.0.min(source_size.1) < TINY_SHORT_SIDE_PX {
        doubts.push(PhotoWarning::Tiny);
    }
    let grey = small_grey(upright);
    if mean(&grey) < DARK_MEAN {
        // In the dark every picture measures as blurred, so that says nothing more.
        doubts.push(PhotoWarning::Dark);
    } else if laplacian_variance(&grey).is_some_and(|v| v < BLURRY_VARIANCE) {
        doubts.push(PhotoWarning::Blurry);
    }
    doubts
}

fn small_grey(upright: &RgbImage) -> GrayImage {
    let (w, h) = upright.dimensions();
    let grey = imageops::grayscale(upright);
    if w.max(h) <= LOOK_PX {
        return grey;
    }
    DynamicImage::ImageLuma8(grey)
        .resize(LOOK_PX, LOOK_PX, FilterType::Triangle)
        .into_luma8()
}

#[allow(clippy::cast_precision_loss)] // at most 2^18 pixels
fn mean(grey: &GrayImage) -> f64 {
    let sum: f64 = grey.as_raw().iter().map(|v| f64::from(*v)).sum();
    sum / grey.as_raw().len().max(1) as f64
}

/// How strongly brightness bends from pixel to pixel; `None` for pictures without an inside.
#[allow(clippy::cast_precision_loss)] // at most 2^18 pixels
fn laplacian_variance(grey: &GrayImage) -> Option<f64> {
    let width = usize::try_from(grey.width()).ok()?;
    let rows: Vec<&[u8]> = grey.as_raw().chunks_exact(width.max(1)).collect();
    let (mut sum, mut sum_squared, mut count) = (0.0, 0.0, 0u32);
    for three in rows.windows(3) {
        let [above, row, below] = three else { continue };
        for ((sides, up), down) in row
            .windows(3)
            .zip(above.iter().skip(1))
            .zip(below.iter().skip(1))
        {
            let [left, centre, right] = sides else {
                continue;
            };
            let around = [left, right, up, down]
                .map(|v| f64::from(*v))
                .iter()
                .sum::<f64>();
            let bend = around - 4.0 * f64::from(*centre);
            sum += bend;
            sum_squared += bend * bend;
            count += 1;
        }
    }
    if count == 0 {
        return None;
    }
    let mean = sum / f64::from(count);
    Some(sum_squared / f64::from(count) - mean * mean)
}
