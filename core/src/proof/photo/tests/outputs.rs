//! What comes out: upright, within its size, without anything of the source.

use std::io::Write as _;

use image::DynamicImage;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder as _};

use super::*;

#[test]
fn comes_out_upright_for_every_orientation() {
    let upright = DynamicImage::ImageRgb8(scene(640, 480));
    // How the sensor saw the scene, for each value a camera may write.
    let seen: [(u8, DynamicImage); 8] = [
        (1, upright.clone()),
        (2, upright.fliph()),
        (3, upright.rotate180()),
        (4, upright.flipv()),
        (5, upright.rotate90().fliph()),
        (6, upright.rotate270()),
        (7, upright.rotate270().fliph()),
        (8, upright.rotate90()),
    ];
    for (orientation, sensor) in seen {
        let source = with_exif(&jpeg(&sensor.into_rgb8()), orientation);
        let photo = from_bytes(&source).unwrap();
        assert_eq!(
            (photo.width_px, photo.height_px),
            (640, 480),
            "orientation {orientation}"
        );
        for (name, bytes, w, h) in [
            ("proof", &photo.jpeg, 640, 480),
            ("thumbnail", &photo.thumb_jpeg, 240, 180),
        ] {
            let picture = decoded(bytes);
            assert_eq!(
                picture.dimensions(),
                (w, h),
                "{name}, orientation {orientation}"
            );
            assert!(
                is_red(picture.get_pixel(w / 10, h / 10)),
                "{name}, {orientation}: red"
            );
            assert!(
                is_blue(picture.get_pixel(w - w / 10, h - h / 10)),
                "{name}, {orientation}"
            );
        }
    }
}

#[test]
fn nothing_of_the_source_but_the_picture_leaves() {
    let source = with_exif(&jpeg(&scene(800, 600)), 6);
    assert!(
        contains(&source, GPS_MARKER) && contains(&source, b"Exif"),
        "the test has a point"
    );
    let photo = from_bytes(&source).unwrap();
    for out in [&photo.jpeg, &photo.thumb_jpeg] {
        assert!(!contains(out, b"Exif") && !contains(out, GPS_MARKER));
        assert_eq!(foreign_segments(out), Vec::<u8>::new());
    }
}

/// Markers in front of the scan that are not needed to draw the picture.
fn foreign_segments(jpeg: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    let mut at = 2;
    while jpeg[at + 1] != 0xda {
        let marker = jpeg[at + 1];
        if !matches!(marker, 0xe0 | 0xdb | 0xc0 | 0xc4) {
            found.push(marker);
        }
        at += 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
    }
    found
}

#[test]
fn scales_down_and_never_up() {
    let large = from_bytes(&jpeg(&scene(2_400, 1_200))).unwrap();
    assert_eq!((large.width_px, large.height_px), (1_600, 800));
    let huge = from_bytes(&jpeg(&scene(600, 6_000))).unwrap();
    assert_eq!((huge.width_px, huge.height_px), (160, 1_600));
    let small = from_bytes(&jpeg(&scene(500, 490))).unwrap();
    assert_eq!((small.width_px, small.height_px), (500, 490));
}

#[test]
fn stays_within_the_byte_target_whatever_the_picture() {
    let mut state = 1u32;
    let noise = RgbImage::from_fn(1_600, 1_200, |_, _| {
        Rgb([0; 3].map(|_: u8| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        }))
    });
    let policy = PhotoPolicy::default();
    for (name, pixels) in [("noise", noise), ("scene", scene(1_600, 1_200))] {
        let photo = from_bytes(&jpeg(&pixels)).unwrap();
        assert!(
            photo.jpeg.len() <= policy.targets.budget_bytes as usize,
            "{name}: {}",
            photo.jpeg.len()
        );
        assert!(
            photo.thumb_jpeg.len() <= 40_000,
            "{name}: {}",
            photo.thumb_jpeg.len()
        );
        assert_eq!(
            decoded(&photo.jpeg).dimensions(),
            (photo.width_px, photo.height_px)
        );
    }
}

#[test]
fn uses_the_room_the_target_leaves() {
    let source = jpeg(&scene(1_600, 1_200));
    let with_budget = |budget: usize| {
        let policy = PhotoPolicy {
            targets: PhotoTargets {
                budget_bytes: u32::try_from(budget).unwrap(),
                quality_min: 30,
                quality_max: 90,
                ..PhotoTargets::STANDARD
            },
            ..PhotoPolicy::default()
        };
        ingest_photo(PhotoSource::Bytes(&source), &policy).unwrap()
    };
    let roomy = with_budget(10_000_000);
    let top = roomy.jpeg.len();
    let tight = with_budget(top * 2 / 3);
    assert_eq!(
        (tight.width_px, tight.height_px),
        (1_600, 1_200),
        "quality goes before pixels"
    );
    assert!(tight.jpeg.len() <= top * 2 / 3);
    assert!(
        tight.jpeg.len() > top / 2,
        "{} of {top}: not lower than needed",
        tight.jpeg.len()
    );
}

#[test]
fn the_hash_names_the_proof_and_the_result_is_repeatable() {
    let source = with_exif(&jpeg(&scene(900, 700)), 3);
    let a = from_bytes(&source).unwrap();
    assert_eq!(a.sha256, <[u8; 32]>::from(Sha256::digest(&a.jpeg)));
    assert_eq!(a.facts.source_bytes, source.len() as u64);
    assert_eq!(from_bytes(&source).unwrap(), a);
}

#[test]
fn a_file_gives_what_its_bytes_give() {
    let source = jpeg(&scene(700, 500));
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&source).unwrap();
    let policy = PhotoPolicy::default();
    let photo = ingest_photo(PhotoSource::Path(file.path()), &policy).unwrap();
    assert_eq!(photo, from_bytes(&source).unwrap());
    assert_eq!(
        fs::read(file.path()).unwrap(),
        source,
        "the source is left as it was"
    );
}

#[test]
fn takes_png_and_webp_with_transparency_on_white() {
    let mut pixels = DynamicImage::ImageRgb8(scene(640, 480)).into_rgba8();
    pixels.get_pixel_mut(320, 240).0[3] = 0;
    for pixel in pixels.pixels_mut().take(640 * 40) {
        pixel.0 = [0, 0, 0, 0];
    }
    let (mut png, mut webp) = (Vec::new(), Vec::new());
    let color = ExtendedColorType::Rgba8;
    PngEncoder::new(&mut png)
        .write_image(pixels.as_raw(), 640, 480, color)
        .unwrap();
    WebPEncoder::new_lossless(&mut webp)
        .encode(pixels.as_raw(), 640, 480, color)
        .unwrap();
    for source in [png, webp] {
        let picture = decoded(&from_bytes(&source).unwrap().jpeg);
        assert!(
            picture.get_pixel(300, 10).0.iter().all(|c| *c > 240),
            "transparent is white"
        );
        assert!(is_red(picture.get_pixel(60, 80)), "the rest is kept");
        assert_eq!(
            from_bytes(&source[..source.len() / 2]).map(|_| ()),
            Err(cut(&source))
        );
    }
}

/// WebP decoders cannot tell a short file from a wrong one.
fn cut(source: &[u8]) -> PhotoError {
    if source.starts_with(b"RIFF") {
        PhotoError::Damaged
    } else {
        PhotoError::Truncated
    }
}
