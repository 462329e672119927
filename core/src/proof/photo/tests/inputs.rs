//! The many ways a picture can be stored, each of which gives the same proof.

use turbojpeg::{Colorspace, Compressor, Image, PixelFormat, Subsamp, Transform, TransformOp};

use super::*;

/// How alike two pictures are in brightness, 1 for equal: the mean of SSIM over squares of 8 × 8.
fn ssim(a: &RgbImage, b: &RgbImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let (a, b) = (image::imageops::grayscale(a), image::imageops::grayscale(b));
    let (mut sum, mut squares) = (0.0, 0u32);
    for top in (0..a.height() - 7).step_by(8) {
        for left in (0..a.width() - 7).step_by(8) {
            let of = |p: &image::GrayImage| -> Vec<f64> {
                (0..64)
                    .map(|i| f64::from(p.get_pixel(left + i % 8, top + i / 8).0[0]))
                    .collect()
            };
            let (x, y) = (of(&a), of(&b));
            let mean = |v: &[f64]| v.iter().sum::<f64>() / 64.0;
            let (mx, my) = (mean(&x), mean(&y));
            let spread = |v: &[f64], w: &[f64], mv: f64, mw: f64| {
                v.iter()
                    .zip(w)
                    .map(|(v, w)| (v - mv) * (w - mw))
                    .sum::<f64>()
                    / 63.0
            };
            let (vx, vy, vxy) = (
                spread(&x, &x, mx, mx),
                spread(&y, &y, my, my),
                spread(&x, &y, mx, my),
            );
            let (c1, c2) = (6.502_5, 58.522_5);
            sum += (2.0 * mx * my + c1) * (2.0 * vxy + c2)
                / ((mx * mx + my * my + c1) * (vx + vy + c2));
            squares += 1;
        }
    }
    sum / f64::from(squares)
}

/// What a careful resampling of the whole scene looks like.
fn reference(pixels: &RgbImage, w: u32, h: u32) -> RgbImage {
    image::imageops::resize(pixels, w, h, image::imageops::FilterType::Lanczos3)
}

#[test]
fn every_coding_of_jpeg_gives_the_picture() {
    let whole = scene(1_400, 1_050);
    let want = reference(&whole, 800, 600);
    let policy = PhotoPolicy {
        targets: PhotoTargets {
            long_side_px: 800,
            ..PhotoTargets::STANDARD
        },
        ..PhotoPolicy::default()
    };
    type How = fn(&mut Compressor);
    let codings: [(&str, How); 7] = [
        ("baseline 4:2:0", |c| {
            c.set_subsamp(Subsamp::Sub2x2).unwrap()
        }),
        ("baseline 4:4:4", |c| c.set_subsamp(Subsamp::None).unwrap()),
        ("4:2:2", |c| c.set_subsamp(Subsamp::Sub2x1).unwrap()),
        ("4:4:0", |c| c.set_subsamp(Subsamp::Sub1x2).unwrap()),
        ("progressive", |c| {
            c.set_subsamp(Subsamp::Sub2x2).unwrap();
            c.set_progressive(true).unwrap();
        }),
        ("grey", |c| c.set_subsamp(Subsamp::Gray).unwrap()),
        ("RGB", |c| c.set_colorspace(Colorspace::RGB).unwrap()),
    ];
    for (name, how) in codings {
        let photo = ingest_photo(PhotoSource::Bytes(&turbo(&whole, how)), &policy).unwrap();
        let got = decoded(&photo.jpeg);
        let alike = ssim(&got, &want);
        assert!(alike > 0.93, "{name}: {alike}");
        if name != "grey" {
            assert!(is_red(got.get_pixel(75, 75)), "{name}");
            assert!(is_blue(got.get_pixel(750, 550)), "{name}");
        }
        assert_eq!(photo.warnings, [], "{name}");
    }
}

/// The same coefficients in many scans.
fn progressive(baseline: &[u8]) -> Vec<u8> {
    let mut transform = Transform::op(TransformOp::None);
    transform.progressive = true;
    turbojpeg::transform(&transform, baseline).unwrap().to_vec()
}

#[test]
fn one_scan_and_many_give_the_same_proof() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("photo.jpg");
    // Sizes that end amid a block, and enough rows that coefficients are given back while others wait.
    for (subsamp, width, height) in [
        (Subsamp::Sub2x2, 1_401, 1_051),
        (Subsamp::None, 1_051, 1_401),
        (Subsamp::Sub2x1, 1_217, 803),
        (Subsamp::Sub1x2, 803, 1_217),
        (Subsamp::Sub4x1, 1_020, 777),
        (Subsamp::Gray, 1_401, 1_051),
        (Subsamp::Sub2x2, 17, 9),
    ] {
        let baseline = turbo(&scene(width, height), |c| c.set_subsamp(subsamp).unwrap());
        let many = progressive(&baseline);
        fs::write(&path, &many).unwrap();
        for long_side_px in [1_600, 1_000, 640, 300] {
            let policy = PhotoPolicy {
                targets: PhotoTargets {
                    long_side_px,
                    ..PhotoTargets::STANDARD
                },
                ..PhotoPolicy::default()
            };
            let of = |bytes| ingest_photo(PhotoSource::Bytes(bytes), &policy).unwrap();
            let (one, many) = (of(&baseline), of(&many));
            let case = format!("{subsamp:?} {width}x{height} to {long_side_px}");
            assert!(one.jpeg == many.jpeg, "{case}");
            assert!(one.thumb_jpeg == many.thumb_jpeg, "{case}");
            // From a file, which is read by pieces.
            let filed = ingest_photo(PhotoSource::Path(&path), &policy).unwrap();
            assert!(filed == many, "{case}");
        }
    }
}

#[test]
fn a_picture_that_lacks_its_last_refinement_is_smoothed_and_taken() {
    let pixels = scene(1_401, 1_051);
    let whole = turbo(&pixels, |c| {
        c.set_subsamp(Subsamp::Sub2x2).unwrap();
        c.set_progressive(true).unwrap();
    });
    let last_scan = whole.windows(2).rposition(|w| w == [0xff, 0xda]).unwrap();
    let tables = whole[..last_scan]
        .windows(2)
        .rposition(|w| w == [0xff, 0xc4])
        .unwrap();
    let coarse = [&whole[..tables], &[0xff, 0xd9]].concat();
    let photo = from_bytes(&coarse).unwrap();
    assert_ne!(photo.jpeg, from_bytes(&whole).unwrap().jpeg);
    let alike = ssim(&decoded(&photo.jpeg), &pixels);
    assert!(alike > 0.9, "{alike}");
}

#[test]
fn inks_are_turned_into_light() {
    let pixels = scene(900, 700);
    // Adobe's way: how much paper shows. libjpeg-turbo writes the mark of it.
    let inks: Vec<u8> = pixels
        .pixels()
        .flat_map(|p| [p.0[0], p.0[1], p.0[2], 255])
        .collect();
    for colorspace in [Colorspace::CMYK, Colorspace::YCCK] {
        let mut compressor = Compressor::new().unwrap();
        compressor.set_quality(95).unwrap();
        compressor.set_subsamp(Subsamp::None).unwrap();
        compressor.set_colorspace(colorspace).unwrap();
        let source = compressor
            .compress_to_vec(Image {
                pixels: inks.as_slice(),
                width: 900,
                pitch: 900 * 4,
                height: 700,
                format: PixelFormat::CMYK,
            })
            .unwrap();
        let got = decoded(&from_bytes(&source).unwrap().jpeg);
        let alike = ssim(&got, &pixels);
        assert!(alike > 0.93, "{colorspace:?}: {alike}");
        assert!(
            is_red(got.get_pixel(60, 60)) && is_blue(got.get_pixel(850, 650)),
            "{colorspace:?}"
        );
    }
}

#[test]
fn pixels_from_the_platform_are_taken_with_their_stride_and_turn() {
    let pixels = scene(700, 500);
    let stride = 700 * 4 + 12;
    let mut rgba = Vec::new();
    for row in pixels.rows() {
        for pixel in row {
            rgba.extend(pixel.0);
            rgba.push(255);
        }
        rgba.resize(rgba.len() + 12, 0xaa);
    }
    // The last row need not be padded.
    rgba.truncate(rgba.len() - 12);
    let with = |width_px, orientation, stride_bytes, pixels: &[u8]| {
        let image = RgbaImage {
            pixels,
            width_px,
            height_px: 500,
            stride_bytes,
            orientation,
        };
        ingest_photo(PhotoSource::Rgba(image), &PhotoPolicy::default())
    };
    let upright = with(700, 1, stride, &rgba).unwrap();
    let alike = ssim(&decoded(&upright.jpeg), &pixels);
    assert!(alike > 0.93, "{alike}");
    assert_eq!(upright.facts.source_hash, None, "pixels are no file");
    let turned = with(700, 6, stride, &rgba).unwrap();
    assert_eq!((turned.width_px, turned.height_px), (500, 700));
    assert!(
        is_red(decoded(&turned.jpeg).get_pixel(450, 60)),
        "top left went to top right"
    );
    let doubtful = with(700, 9, stride, &rgba).unwrap();
    assert!(
        doubtful
            .warnings
            .contains(&PhotoWarning::OrientationDoubtful)
    );
    for (width, stride, length) in [
        (700, stride, rgba.len() - 1),
        (700, 2_799, rgba.len()),
        (700, usize::MAX, 9),
    ] {
        let got = with(width, 1, stride, &rgba[..length]).map(|_| ());
        assert_eq!(
            got,
            Err(PhotoError::Truncated),
            "stride {stride}, {length} bytes"
        );
    }
    assert_eq!(with(0, 1, 0, &[]).map(|_| ()), Err(PhotoError::Damaged));
}

#[test]
fn what_the_camera_noted_is_told_and_the_rest_is_not() {
    let source = with_camera_notes(&jpeg(&scene(800, 600)));
    let facts = from_bytes(&source).unwrap().facts;
    assert_eq!(facts.taken_local.as_deref(), Some("2024-05-17T09:30:00"));
    assert_eq!(facts.utc_offset_min, Some(480));
    assert_eq!(facts.camera.as_deref(), Some("Maker Model 7"));
    assert_eq!(facts.gps_accuracy_m, Some(5));
    assert_eq!(
        facts.source_hash,
        Some(Hash32(Sha256::digest(&source).into()))
    );
    assert_eq!(facts.source_bytes, source.len() as u64);
    assert!(!facts.end_missing);
    assert_eq!(facts.trailing_bytes, 0);
    let shown = format!("{facts:?}");
    assert!(
        !shown.contains("Model") && !shown.contains("2024"),
        "a log gets none of it: {shown}"
    );
}

fn with_camera_notes(jpeg: &[u8]) -> Vec<u8> {
    use exif::{Rational, Tag, Value};
    let ascii = |text: &str| Value::Ascii(vec![text.as_bytes().to_vec()]);
    let accuracy = Rational { num: 47, denom: 10 };
    with_notes(
        jpeg,
        &[
            (Tag::Make, ascii("Maker")),
            (Tag::Model, ascii("Model 7")),
            (Tag::DateTimeOriginal, ascii("2024:05:17 09:30:00")),
            (Tag::OffsetTimeOriginal, ascii("+08:00")),
            (Tag::GPSHPositioningError, Value::Rational(vec![accuracy])),
        ],
    )
}

#[test]
fn wide_colours_stay_wide() {
    // A red that only Display P3 has, named as such by the profile every such proof carries.
    let source = jpeg(&RgbImage::from_pixel(800, 600, Rgb([230, 40, 40])));
    let profile = colour::Space::DisplayP3.profile().unwrap();
    assert!(profile.len() <= 4_096);
    let body = [b"ICC_PROFILE\0\x01\x01".as_slice(), &profile].concat();
    let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
    let wide = [&source[..2], &[0xff, 0xe2], &length, &body, &source[2..]].concat();
    let photo = from_bytes(&wide).unwrap();
    for out in [&photo.jpeg, &photo.thumb_jpeg] {
        assert!(contains(out, &profile), "kept");
        assert_eq!(
            decoded(out).get_pixel(5, 5).0.map(|v| v / 16),
            [230, 40, 40].map(|v| v / 16)
        );
    }
    let plain = from_bytes(&source).unwrap();
    assert!(!contains(&plain.jpeg, b"ICC_PROFILE"), "sRGB says nothing");
    // A profile we do not know could hold anything, so none of it is copied.
    let mut unknown = wide.clone();
    let primaries = unknown.windows(4).position(|w| w == b"rXYZ").unwrap();
    unknown[primaries..primaries + 4].copy_from_slice(b"serl");
    assert!(!contains(
        &from_bytes(&unknown).unwrap().jpeg,
        b"ICC_PROFILE"
    ));
}

#[test]
fn a_name_that_lies_changes_nothing() {
    let mut png = Vec::new();
    scene(640, 480)
        .write_to(&mut io::Cursor::new(&mut png), image::ImageFormat::Png)
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("photo.jpg");
    fs::write(&path, &png).unwrap();
    let photo = ingest_photo(PhotoSource::Path(&path), &PhotoPolicy::default()).unwrap();
    assert_eq!((photo.width_px, photo.height_px), (640, 480));
}

#[test]
fn an_independent_reader_finds_no_metadata() {
    use std::process::Command;
    if Command::new("exiftool").arg("-ver").output().is_err() {
        eprintln!("NOT TESTED: exiftool is not installed (Debian: libimage-exiftool-perl)");
        return;
    }
    let photo = from_bytes(&with_camera_notes(&with_exif(&jpeg(&scene(1_700, 900)), 6))).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in [("proof.jpg", &photo.jpeg), ("thumb.jpg", &photo.thumb_jpeg)] {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        let out = Command::new("exiftool")
            .args(["-a", "-G1", "-s", "-u"])
            .arg(&path)
            .output()
            .unwrap();
        let told = String::from_utf8(out.stdout).unwrap();
        let foreign: Vec<&str> = told
            .lines()
            .filter(|l| {
                !["[ExifTool]", "[System]", "[File]", "[JFIF]", "[Composite]"]
                    .iter()
                    .any(|g| l.starts_with(g))
            })
            .collect();
        assert_eq!(foreign, Vec::<&str>::new(), "{name}");
        assert!(told.contains("[JFIF]"), "it did read the file: {told}");
    }
}
