//! Pictures from cameras, galleries and editors, and from somebody who wants the phone to stop.

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use satchel_core::proof::photo::{
    PhotoError, PhotoPolicy, PhotoSource, PhotoTargets, ReadyPhoto, RgbaImage, ingest_photo,
};

/// Small enough that thousands of pictures a minute go through; every limit still does its work.
fn policy() -> PhotoPolicy {
    PhotoPolicy {
        max_input_bytes: 256 * 1024,
        max_pixels: 2_000_000,
        max_decode_bytes: 8 * 1024 * 1024,
        thumb_px: 48,
        targets: PhotoTargets {
            long_side_px: 160,
            budget_bytes: 4_000,
            quality_min: 55,
            quality_max: 82,
        },
    }
}

/// A file of any format: a proof that is whole, or an error.
pub fn take(bytes: &[u8]) {
    let policy = policy();
    if let Ok(photo) = ingest_photo(PhotoSource::Bytes(bytes), &policy) {
        check(&photo, &policy);
        let again = ingest_photo(PhotoSource::Bytes(bytes), &policy);
        assert!(
            again.as_ref() == Ok(&photo),
            "the same bytes, another proof"
        );
    }
}

/// With no pixel allowed, a JPEG gets as far as the walk over its markers and never to a decoder.
pub fn walk_markers(bytes: &[u8]) {
    let policy = PhotoPolicy {
        max_pixels: 0,
        ..policy()
    };
    match ingest_photo(PhotoSource::Bytes(bytes), &policy) {
        Ok(_) => panic!("a picture without pixels was taken"),
        Err(PhotoError::TooManyPixels {
            width_px,
            height_px,
        }) => {
            assert!(
                width_px > 0 && height_px > 0,
                "a size of nothing is too large"
            );
        }
        Err(_) => {}
    }
}

/// Pixels the platform decoded: size, stride and orientation as the first bytes say, rightly or not.
pub fn take_pixels(bytes: &[u8]) {
    let Some(([w1, w0, h1, h0, padding, orientation], pixels)) = bytes.split_first_chunk() else {
        return;
    };
    let width_px = u32::from(u16::from_be_bytes([*w1, *w0]));
    let image = RgbaImage {
        pixels,
        width_px,
        height_px: u32::from(u16::from_be_bytes([*h1, *h0])),
        stride_bytes: (usize::from(u16::from_be_bytes([*w1, *w0])) * 4 + usize::from(*padding))
            .saturating_sub(1),
        orientation: u16::from(*orientation),
    };
    let policy = policy();
    if let Ok(photo) = ingest_photo(PhotoSource::Rgba(image), &policy) {
        check(&photo, &policy);
    }
}

/// What a proof promises: it is within its limits, decodes, and has none of its source's notes.
fn check(photo: &ReadyPhoto, policy: &PhotoPolicy) {
    let sides = (photo.width_px, photo.height_px);
    assert!(sides.0 > 0 && sides.1 > 0 && sides.0.max(sides.1) <= policy.targets.long_side_px);
    for (jpeg, want) in [(&photo.jpeg, Some(sides)), (&photo.thumb_jpeg, None)] {
        let shown = image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg);
        let shown = shown.unwrap_or_else(|e| panic!("a proof that cannot be shown: {e}"));
        assert!(want.is_none_or(|want| want == (shown.width(), shown.height())));
        assert!(only_picture_segments(jpeg), "a segment that no proof needs");
    }
}

/// JFIF, a colour profile, tables, frame and scan: nothing a source could have smuggled in.
fn only_picture_segments(jpeg: &[u8]) -> bool {
    let mut rest = jpeg.strip_prefix(&[0xff, 0xd8]).unwrap_or_default();
    while let [0xff, marker, high, low, ..] = rest {
        match marker {
            0xe0 | 0xe2 | 0xdb | 0xc0 | 0xc4 => {}
            // The rest is coded pixels, without a marker until the end.
            0xda => return jpeg.ends_with(&[0xff, 0xd9]),
            _ => return false,
        }
        let length = 2 + usize::from(u16::from_be_bytes([*high, *low]));
        rest = rest.get(length..).unwrap_or_default();
    }
    false
}

fn scene() -> RgbImage {
    RgbImage::from_fn(97, 61, |x, y| {
        if (20..60).contains(&x) && (15..45).contains(&y) && (x + y) % 9 < 6 {
            Rgb([200, 160, 100])
        } else {
            let shade = u8::try_from((x * 3 + y * 2) % 256).unwrap_or(0);
            Rgb([shade, 150, 255 - shade])
        }
    })
}

fn written(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    match picture.write_to(&mut out, format) {
        Ok(()) => out.into_inner(),
        Err(e) => panic!("a seed could not be written: {e}"),
    }
}

/// An orientation in the fewest bytes EXIF takes.
fn with_orientation(jpeg: &[u8], value: u8) -> Vec<u8> {
    let segment = [
        &[0xff, 0xe1, 0, 34][..],
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0",
        &[value, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    let (start, rest) = jpeg.split_at_checked(2).unwrap_or((jpeg, &[]));
    [start, &segment, rest].concat()
}

/// One picture in every format, and what is refused by its first bytes.
pub fn files() -> Vec<Vec<u8>> {
    let colour = DynamicImage::from(scene());
    let grey = GrayImage::from_fn(40, 33, |x, y| {
        Luma([u8::try_from(x * y % 256).unwrap_or(0)])
    });
    let jpeg = written(&colour, ImageFormat::Jpeg);
    let mut all = vec![
        written(&DynamicImage::from(grey), ImageFormat::Jpeg),
        written(&colour, ImageFormat::Png),
        written(&DynamicImage::from(colour.to_rgba8()), ImageFormat::WebP),
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec(),
        b"\0\0\0\x18ftypavif\0\0\0\0mif1avif".to_vec(),
    ];
    all.extend((0..=8).map(|value| with_orientation(&jpeg, value)));
    all.push(jpeg.get(..jpeg.len() / 2).unwrap_or_default().to_vec());
    all.push(jpeg);
    all
}

/// Handed-over pixels behind the six bytes [`take_pixels`] reads.
pub fn pixels() -> Vec<Vec<u8>> {
    let rgba = DynamicImage::from(scene()).to_rgba8();
    let turned = |orientation| {
        let head = [0, 97, 0, 61, 1, orientation];
        [&head[..], rgba.as_raw()].concat()
    };
    vec![
        turned(1),
        turned(6),
        turned(9),
        vec![0, 1, 0, 1, 1, 0, 9, 9, 9, 9],
    ]
}
