//! Invented delivery photos: a door, a parcel on the floor and a label with lines of print.
//!
//! Drawn, not shipped as files: every visit gets its own picture, so a hub that mixed two up would be
//! found out. Cheap on purpose; the phone decodes, measures and encodes it again anyway.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, Rgb, RgbImage};
use rand::RngExt as _;
use rand::rngs::StdRng;

use crate::error::Result;
use crate::seed;

const WIDTH_PX: u32 = 640;
const HEIGHT_PX: u32 = 480;
const FLOOR_PX: u32 = 330;
const QUALITY: u8 = 80;

/// The photo taken at a visit, as a camera would hand it over: a JPEG.
///
/// # Errors
/// When the picture cannot be encoded.
pub fn jpeg(day_seed: u64, visit: &str) -> Result<Vec<u8>> {
    let mut rng = seed::rng(day_seed, &format!("photo/{visit}"));
    let mut picture = room(&mut rng);
    door(&mut picture, &mut rng);
    parcel(&mut picture, &mut rng);
    grain(&mut picture, &mut rng);
    let mut out = Vec::with_capacity(64 * 1024);
    JpegEncoder::new_with_quality(&mut out, QUALITY).encode(
        picture.as_raw(),
        WIDTH_PX,
        HEIGHT_PX,
        ExtendedColorType::Rgb8,
    )?;
    Ok(out)
}

/// A wall that darkens upwards and a tiled floor.
fn room(rng: &mut StdRng) -> RgbImage {
    let wall = colour(rng, 120..210);
    let floor = colour(rng, 90..150);
    let tile_px = rng.random_range(36..64_u32);
    RgbImage::from_fn(WIDTH_PX, HEIGHT_PX, |x, y| {
        if y < FLOOR_PX {
            let shade = u8::try_from((FLOOR_PX - y) / 6).unwrap_or(u8::MAX);
            Rgb(wall.map(|c| c.saturating_sub(shade)))
        } else if x % tile_px < 2 || y % (tile_px / 2) < 2 {
            Rgb(floor.map(|c| c.saturating_sub(40)))
        } else {
            Rgb(floor)
        }
    })
}

fn door(picture: &mut RgbImage, rng: &mut StdRng) {
    let left = rng.random_range(60..330_u32);
    let wood = colour(rng, 50..130);
    let width = rng.random_range(170..230_u32);
    fill(picture, (left, 40, width, FLOOR_PX - 40), wood);
    let panel = wood.map(|c| c.saturating_add(25));
    for (row, height) in [(70, 90), (190, 110)] {
        fill(picture, (left + 24, row, width - 48, height), panel);
    }
    fill(picture, (left + width - 34, 190, 18, 6), [220, 200, 120]);
    let plate = (left + width / 2 - 22, 52, 44, 14);
    fill(picture, plate, [235, 235, 225]);
    print(picture, rng, (plate.0 + 4, plate.1 + 3, 36, 8), 8);
}

fn parcel(picture: &mut RgbImage, rng: &mut StdRng) {
    let (left, top) = (
        rng.random_range(180..320_u32),
        rng.random_range(250..290_u32),
    );
    let (width, height) = (
        rng.random_range(170..250_u32),
        rng.random_range(120..165_u32),
    );
    let card = [
        rng.random_range(165..200),
        rng.random_range(125..150),
        rng.random_range(80..105),
    ];
    fill(picture, (left, top, width, height), card);
    fill(
        picture,
        (left, top, width, 14),
        card.map(|c| c.saturating_add(28)),
    );
    fill(
        picture,
        (left + width / 2 - 8, top, 16, height),
        card.map(|c| c.saturating_sub(30)),
    );
    let label = (left + 18, top + 28, 104, 74);
    fill(picture, label, [246, 246, 242]);
    for line in 0..4 {
        print(
            picture,
            rng,
            (label.0 + 6, label.1 + 6 + line * 10, 90, 6),
            6,
        );
    }
    bars(picture, rng, (label.0 + 6, label.1 + 50, 92, 18));
}

/// Little dark blocks with gaps, which at arm's length look like print.
fn print(picture: &mut RgbImage, rng: &mut StdRng, area: (u32, u32, u32, u32), letter_px: u32) {
    let (left, top, width, height) = area;
    let mut x = left;
    while x + letter_px < left + width {
        if rng.random_bool(0.85) {
            let tall = rng.random_range(height / 2..=height);
            fill(
                picture,
                (x, top + height - tall, letter_px - 2, tall),
                [30, 30, 34],
            );
        }
        x += letter_px;
    }
}

/// A bar code of nothing.
fn bars(picture: &mut RgbImage, rng: &mut StdRng, area: (u32, u32, u32, u32)) {
    let (left, top, width, height) = area;
    let mut x = left;
    while x < left + width {
        let bar = rng.random_range(1..4_u32);
        fill(picture, (x, top, bar, height), [16, 16, 18]);
        x += bar + rng.random_range(1..4_u32);
    }
}

/// Sensor noise: without it every flat wall would compress to nothing. One strip of noise is laid over
/// the rows, each time shifted, which is much cheaper than a number for every pixel.
fn grain(picture: &mut RgbImage, rng: &mut StdRng) {
    let strip: Vec<u8> = (0..4_099).map(|_| rng.random_range(0..10)).collect();
    let row_bytes = WIDTH_PX as usize * 3;
    for row in picture.chunks_exact_mut(row_bytes) {
        let shift = rng.random_range(0..strip.len() - row_bytes);
        for (byte, noise) in row.iter_mut().zip(strip.iter().skip(shift)) {
            *byte = byte.saturating_add(*noise);
        }
    }
}

fn fill(picture: &mut RgbImage, area: (u32, u32, u32, u32), colour: [u8; 3]) {
    let (left, top, width, height) = area;
    for y in top..(top + height).min(HEIGHT_PX) {
        for x in left..(left + width).min(WIDTH_PX) {
            picture.put_pixel(x, y, Rgb(colour));
        }
    }
}

fn colour(rng: &mut StdRng, range: core::ops::Range<u8>) -> [u8; 3] {
    [
        rng.random_range(range.clone()),
        rng.random_range(range.clone()),
        rng.random_range(range),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use satchel_core::proof::photo::{PhotoPolicy, PhotoSource, ingest_photo};

    #[test]
    fn invented_photos_pass_as_sharp_and_bright_and_repeat_exactly() {
        for visit in ["a", "b", "c"] {
            let bytes = jpeg(1, visit).unwrap();
            let ready = ingest_photo(PhotoSource::Bytes(&bytes), &PhotoPolicy::default()).unwrap();
            assert_eq!(ready.warnings, []);
            assert_eq!(bytes, jpeg(1, visit).unwrap());
        }
        assert_ne!(jpeg(1, "a").unwrap(), jpeg(1, "b").unwrap());
        assert_ne!(jpeg(1, "a").unwrap(), jpeg(2, "a").unwrap());
    }
}
