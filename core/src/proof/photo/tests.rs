//! What a proof photo promises: upright, small, nothing of the recipient's data, and a plain
//! refusal for everything that is not a whole picture.

use std::io::{Seek as _, Write as _};

use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ImageEncoder as _, Rgb};

use super::*;

const GPS_MARKER: &[u8] = b"31.2304N,121.4737E";

/// A lit scene with edges: a red block top left, a blue one bottom right, stripes between.
fn scene(w: u32, h: u32) -> RgbImage {
    RgbImage::from_fn(w, h, |x, y| {
        if x < w / 4 && y < h / 4 {
            Rgb([220, 30, 30])
        } else if x >= w - w / 4 && y >= h - h / 4 {
            Rgb([30, 30, 220])
        } else if (x / 8 + y / 12) % 2 == 0 {
            Rgb([225, 225, 225])
        } else {
            Rgb([60, 90, 60])
        }
    })
}

fn jpeg(pixels: &RgbImage) -> Vec<u8> {
    encode(pixels, 92).unwrap()
}

/// Puts an EXIF segment with this orientation and a position behind the start mark.
fn with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01".to_vec();
    exif.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    exif.extend([0; 4]);
    exif.extend(GPS_MARKER);
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|w| w == needle)
}

fn from_bytes(bytes: &[u8]) -> Result<ReadyPhoto, PhotoError> {
    ingest_photo(PhotoSource::Bytes(bytes), &PhotoPolicy::default())
}

fn decoded(jpeg: &[u8]) -> RgbImage {
    image::load_from_memory_with_format(jpeg, image::ImageFormat::Jpeg)
        .unwrap()
        .into_rgb8()
}

fn is_red(pixel: &Rgb<u8>) -> bool {
    let [r, g, b] = pixel.0;
    r > 150 && g < 100 && b < 100
}

fn is_blue(pixel: &Rgb<u8>) -> bool {
    let [r, g, b] = pixel.0;
    b > 150 && r < 100 && g < 100
}

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
            photo.jpeg.len() <= policy.target_bytes,
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
    let with_target = |target_bytes| {
        let policy = PhotoPolicy {
            target_bytes,
            quality: 30..=90,
            ..PhotoPolicy::default()
        };
        ingest_photo(PhotoSource::Bytes(&source), &policy).unwrap()
    };
    let roomy = with_target(10_000_000);
    let top = roomy.jpeg.len();
    let tight = with_target(top * 2 / 3);
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
    assert_eq!(a.source_bytes, source.len() as u64);
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

#[test]
fn a_cut_off_jpeg_is_refused_never_filled_with_grey() {
    let source = with_exif(&jpeg(&scene(1_600, 1_200)), 6);
    for permille in [1, 10, 100, 500, 900, 990] {
        let cut = &source[..source.len() * permille / 1_000];
        let got = from_bytes(cut).map(|_| ());
        assert!(
            matches!(got, Err(PhotoError::Truncated | PhotoError::NotAnImage)),
            "{permille} ‰: {got:?}"
        );
    }
}

#[test]
fn a_missing_end_mark_is_taken_and_marked() {
    let source = jpeg(&scene(800, 600));
    let photo = from_bytes(&source[..source.len() - 2]).unwrap();
    assert!(photo.warnings.contains(&PhotoWarning::EndMissing));
    let trailing = [source.as_slice(), b"\0\0\0\x18ftypmp42", &[0; 5_000]].concat();
    assert_eq!(
        from_bytes(&trailing).unwrap().warnings,
        [],
        "a motion photo's video is ignored"
    );
}

#[test]
fn a_hole_in_the_picture_is_damage() {
    let mut source = jpeg(&scene(1_600, 1_200));
    let middle = source.len() / 2;
    source[middle..middle + 4_096].fill(0);
    assert_eq!(from_bytes(&source).map(|_| ()), Err(PhotoError::Damaged));
}

#[test]
fn refuses_what_is_no_photo_by_name_of_the_reason() {
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";
    let avif = b"\0\0\0\x1cftypavif\0\0\0\0";
    let mut arithmetic = jpeg(&scene(64, 64));
    let frame = arithmetic
        .windows(2)
        .position(|w| w == [0xff, 0xc0])
        .unwrap();
    arithmetic[frame + 1] = 0xc9;
    let cases: [(&[u8], PhotoError); 9] = [
        (b"", PhotoError::Empty),
        (b"<html><body>404</body></html>", PhotoError::NotAnImage),
        (b"GIF89a\x01\0\x01\0", PhotoError::NotAnImage),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", PhotoError::NotAnImage),
        (heic, PhotoError::UnsupportedFormat(UnsupportedFormat::Heic)),
        (avif, PhotoError::UnsupportedFormat(UnsupportedFormat::Avif)),
        (
            &arithmetic,
            PhotoError::UnsupportedFormat(UnsupportedFormat::RareJpeg),
        ),
        (b"\xff\xd8\xff\xd9", PhotoError::Damaged),
        (b"\xff\xd8\xff\xe0", PhotoError::Truncated),
    ];
    for (bytes, reason) in cases {
        assert_eq!(from_bytes(bytes), Err(reason));
    }
}

#[test]
fn a_sparse_file_of_two_gigabytes_is_refused_unread() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&jpeg(&scene(64, 64))).unwrap();
    let bytes = 2 * 1024 * 1024 * 1024;
    file.as_file().set_len(bytes).unwrap();
    let policy = PhotoPolicy::default();
    assert_eq!(
        ingest_photo(PhotoSource::Path(file.path()), &policy),
        Err(PhotoError::TooLarge {
            bytes,
            limit: policy.max_input_bytes
        })
    );
    assert_eq!(
        file.as_file().stream_position().unwrap(),
        jpeg(&scene(64, 64)).len() as u64
    );
}

#[test]
fn paths_that_are_no_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let policy = PhotoPolicy::default();
    let missing = dir.path().join("gone.jpg");
    assert_eq!(
        ingest_photo(PhotoSource::Path(&missing), &policy),
        Err(PhotoError::Missing)
    );
    let folder = ingest_photo(PhotoSource::Path(dir.path()), &policy);
    assert!(
        matches!(folder, Err(PhotoError::Unreadable(_))),
        "{folder:?}"
    );
}

#[test]
fn a_small_file_claiming_a_huge_picture_is_refused_before_decoding() {
    let mut source = jpeg(&scene(64, 64));
    let frame = source.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    source[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
    assert_eq!(
        from_bytes(&source),
        Err(PhotoError::TooManyPixels {
            width_px: 65_500,
            height_px: 65_500
        })
    );
    let small = PhotoPolicy {
        max_pixels: 63 * 64,
        ..PhotoPolicy::default()
    };
    let whole = jpeg(&scene(64, 64));
    assert_eq!(
        ingest_photo(PhotoSource::Bytes(&whole), &small),
        Err(PhotoError::TooManyPixels {
            width_px: 64,
            height_px: 64
        })
    );
    let tight = PhotoPolicy {
        max_decode_bytes: 64 * 64 * 3 - 1,
        ..PhotoPolicy::default()
    };
    assert!(ingest_photo(PhotoSource::Bytes(&whole), &tight).is_err());
}

#[test]
fn doubts_are_told_and_never_refuse() {
    let sharp = from_bytes(&jpeg(&scene(1_200, 900))).unwrap();
    assert_eq!(sharp.warnings, []);

    let stripes = |x, y| u8::try_from((x / 8 + y / 12) % 2 * 14).unwrap();
    let night = RgbImage::from_fn(1_200, 900, |x, y| Rgb([stripes(x, y); 3]));
    assert_eq!(
        from_bytes(&jpeg(&night)).unwrap().warnings,
        [PhotoWarning::Dark]
    );

    let unfocused = image::imageops::fast_blur(&scene(1_200, 900), 14.0);
    assert_eq!(
        from_bytes(&jpeg(&unfocused)).unwrap().warnings,
        [PhotoWarning::Blurry]
    );

    let stamp = from_bytes(&jpeg(&scene(320, 240))).unwrap();
    assert_eq!(stamp.warnings, [PhotoWarning::Tiny]);
    let dot = from_bytes(&jpeg(&scene(1, 1))).unwrap();
    assert!(dot.warnings.contains(&PhotoWarning::Tiny));
}

#[test]
fn any_single_damaged_header_byte_gives_an_answer() {
    let source = with_exif(&jpeg(&scene(48, 32)), 6);
    let scan = source.windows(2).position(|w| w == [0xff, 0xda]).unwrap();
    let policy = PhotoPolicy {
        max_pixels: 1_000_000,
        ..PhotoPolicy::default()
    };
    for at in 0..scan + 12 {
        for value in [0x00, 0x01, 0x7f, 0xff] {
            let mut bad = source.clone();
            bad[at] = value;
            if let Ok(photo) = ingest_photo(PhotoSource::Bytes(&bad), &policy) {
                assert!(!contains(&photo.jpeg, GPS_MARKER), "byte {at} = {value}");
            }
        }
    }
}
