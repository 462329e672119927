//! Cheap looks at a finished photo: is it dark, blurred, burnt out, tiny, of a screen, seen before?
//!
//! These only ask the courier to look again (B4-18). They are rough on purpose: a wall, fog and a
//! tree all fool any such measure, so the thresholds flag only what is nearly always wrong.

use super::PhotoWarning;
use super::plane::Plane;

/// Most looks are taken at about this size, so one threshold serves all cameras.
pub(super) const LOOK_PX: usize = 512;

/// Mean brightness (0–255) below which print cannot be told from its ground.
const DARK_MEAN: f64 = 32.0;

/// Variance of the Laplacian below which there is no edge a camera had in focus. Sharp camera
/// pictures measure several hundred at this size, out-of-focus ones under twenty.
const BLURRY_VARIANCE: f64 = 20.0;

/// Below this many pixels across, a label on a parcel filling half the picture is not readable.
const TINY_SHORT_SIDE_PX: u32 = 480;

/// A cell is burnt out when its mean is this bright; no paper under even light is.
const BURNT_MEAN: u32 = 250;
const BURNT_CELL_PX: usize = 32;
/// Glare covers a part of the picture; where most is this bright, the exposure is merely high.
const GLARE_PERCENT: std::ops::RangeInclusive<usize> = 6..=60;

/// A screen's pixel grid shows as ripples of this many pixels.
const RIPPLE_PX: std::ops::RangeInclusive<usize> = 2..=12;
/// Places looked at along each side, and pixels looked at in each.
const RIPPLE_PLACES: usize = 8;
const RIPPLE_LENGTH: usize = 128;
/// Below this power ripples are noise.
const RIPPLE_POWER: i64 = 40;

/// Two pictures whose marks differ in at most this many of 64 bits show the same.
const SAME_BITS: u32 = 5;

/// What to ask the courier about. `small` shows the same at about [`LOOK_PX`]; `source_size` is the
/// camera's, before scaling.
pub(super) fn doubts(luma: &Plane, small: &Plane, source_size: (u32, u32)) -> Vec<PhotoWarning> {
    let mut doubts = Vec::new();
    if source_size.0.min(source_size.1) < TINY_SHORT_SIDE_PX {
        doubts.push(PhotoWarning::Tiny);
    }
    if mean(small) < DARK_MEAN {
        // In the dark every picture measures as blurred, so that says nothing more.
        doubts.push(PhotoWarning::Dark);
        return doubts;
    }
    if laplacian_variance(small).is_some_and(|v| v < BLURRY_VARIANCE) {
        doubts.push(PhotoWarning::Blurry);
    }
    if glares(small) {
        doubts.push(PhotoWarning::Glare);
    }
    if ripples(luma) {
        doubts.push(PhotoWarning::Screen);
    }
    doubts
}

#[allow(clippy::cast_precision_loss)] // at most 2^18 pixels
fn mean(grey: &Plane) -> f64 {
    let sum: u64 = grey.bytes.iter().map(|v| u64::from(*v)).sum();
    sum as f64 / grey.bytes.len().max(1) as f64
}

/// How strongly brightness bends from pixel to pixel; `None` for pictures without an inside.
#[allow(clippy::cast_precision_loss)] // at most 2^18 values under 2^21
fn laplacian_variance(grey: &Plane) -> Option<f64> {
    let (mut sum, mut sum_squared, mut count) = (0i64, 0i64, 0u32);
    for y in 1..grey.height.saturating_sub(1) {
        let (above, row, below) = (grey.row(y - 1), grey.row(y), grey.row(y + 1));
        let inner = above.iter().skip(1).zip(below.iter().skip(1));
        for (sides, (up, down)) in row.windows(3).zip(inner) {
            let [left, centre, right] = sides else {
                continue;
            };
            let around: i32 = [left, right, up, down].map(|v| i32::from(*v)).iter().sum();
            let bend = around - 4 * i32::from(*centre);
            sum += i64::from(bend);
            sum_squared += i64::from(bend * bend);
            count += 1;
        }
    }
    if count == 0 {
        return None;
    }
    let mean = sum as f64 / f64::from(count);
    Some(sum_squared as f64 / f64::from(count) - mean * mean)
}

/// Part of the picture is burnt out, as by a flash on foil or the sun in a pane.
fn glares(small: &Plane) -> bool {
    let (mut cells, mut burnt) = (0usize, 0usize);
    for y in (0..small.height).step_by(BURNT_CELL_PX) {
        for x in (0..small.width).step_by(BURNT_CELL_PX) {
            let (mut sum, mut count) = (0u32, 0u32);
            for y in y..(y + BURNT_CELL_PX).min(small.height) {
                for v in small.row(y).iter().skip(x).take(BURNT_CELL_PX) {
                    sum += u32::from(*v);
                    count += 1;
                }
            }
            cells += 1;
            burnt += usize::from(sum >= BURNT_MEAN * count);
        }
    }
    GLARE_PERCENT.contains(&(burnt * 100 / cells.max(1)))
}

/// The same fine ripple all over the picture, across and down: the grid of a screen.
fn ripples(luma: &Plane) -> bool {
    let across = |x: usize, y: usize| -> Vec<u8> {
        luma.row(y)
            .iter()
            .skip(x)
            .take(RIPPLE_LENGTH)
            .copied()
            .collect()
    };
    let down = |x: usize, y: usize| -> Vec<u8> {
        let rows = y..(y + RIPPLE_LENGTH).min(luma.height);
        rows.filter_map(|y| luma.row(y).get(x).copied()).collect()
    };
    if luma.width.min(luma.height) < RIPPLE_LENGTH * 2 {
        return false;
    }
    everywhere(luma, across) && everywhere(luma, down)
}

fn everywhere(luma: &Plane, strip: impl Fn(usize, usize) -> Vec<u8>) -> bool {
    let mut votes = [0usize; 16];
    let place = |n: usize, side: usize| n * (side - RIPPLE_LENGTH) / (RIPPLE_PLACES - 1);
    for row in 0..RIPPLE_PLACES {
        for column in 0..RIPPLE_PLACES {
            let strip = strip(place(column, luma.width), place(row, luma.height));
            if let Some(vote) = ripple(&strip).and_then(|period| votes.get_mut(period)) {
                *vote += 1;
            }
        }
    }
    // Half of the places agree on the period; it may lie between two whole numbers of pixels.
    let agreed = votes
        .windows(2)
        .map(|pair| pair.iter().sum::<usize>())
        .max();
    agreed.is_some_and(|n| n * 2 >= RIPPLE_PLACES * RIPPLE_PLACES)
}

/// The period with which a strip repeats itself, if it does so clearly.
fn ripple(strip: &[u8]) -> Option<usize> {
    let bends: Vec<i64> = strip
        .windows(3)
        .map(|w| match w {
            [a, b, c] => 2 * i64::from(*b) - i64::from(*a) - i64::from(*c),
            _ => 0,
        })
        .collect();
    let power: i64 = bends.iter().map(|b| b * b).sum();
    if power < RIPPLE_POWER * i64::try_from(bends.len()).ok()? {
        return None;
    }
    let likeness = |lag: &usize| -> i64 {
        bends
            .iter()
            .zip(bends.iter().skip(*lag))
            .map(|(a, b)| a * b)
            .sum()
    };
    let best = RIPPLE_PX.max_by_key(likeness)?;
    (likeness(&best) * 2 > power).then_some(best)
}

/// 64 bits that stay nearly the same when a picture is scaled, recompressed or shot again from a
/// tripod: which of two neighbours in a grid of 9 × 8 is brighter. `None` where there is nothing to
/// see, since all blank pictures look alike.
pub(super) fn mark(thumb: &Plane) -> Option<u64> {
    const COLUMNS: usize = 9;
    const ROWS: usize = 8;
    let (w, h) = (thumb.width, thumb.height);
    if w < COLUMNS || h < ROWS {
        return None;
    }
    let mut grid = [[0u32; COLUMNS]; ROWS];
    for (cells, y) in grid.iter_mut().zip(0..) {
        for (cell, x) in cells.iter_mut().zip(0..) {
            let columns = x * w / COLUMNS..(x + 1) * w / COLUMNS;
            let rows = y * h / ROWS..(y + 1) * h / ROWS;
            let (mut sum, mut count) = (0u32, 0u32);
            for row in rows {
                let part = thumb.row(row).get(columns.clone());
                for v in part.unwrap_or_default() {
                    sum += u32::from(*v);
                    count += 1;
                }
            }
            // Sixteenths of a level keep neighbours apart that differ a little.
            *cell = sum * 16 / count.max(1);
        }
    }
    let all = || grid.iter().flatten().copied();
    let spread = all().max().unwrap_or(0) - all().min().unwrap_or(0);
    if spread < 16 * 16 {
        return None;
    }
    let bits = grid.iter().flat_map(|cells| cells.windows(2));
    Some(bits.fold(0, |mark, pair| {
        mark << 1 | u64::from(pair.first() < pair.last())
    }))
}

/// Whether two marks ([`super::ReadyPhoto::mark`]) are of the same picture.
#[must_use]
pub fn same_picture(a: u64, b: u64) -> bool {
    (a ^ b).count_ones() <= SAME_BITS
}
