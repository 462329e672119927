//! The picture shows the ink where the pen went, black on white.

use super::*;

fn stroke(points: &[(f32, f32)]) -> Vec<InkPoint> {
    points
        .iter()
        .map(|&(x, y)| InkPoint {
            x,
            y,
            ..InkPoint::default()
        })
        .collect()
}

/// A wide V and a dot, on a pad of 600 × 200.
fn sample() -> Signature {
    let v = stroke(&[(100.0, 40.0), (200.0, 160.0), (300.0, 40.0)]);
    Signature::from_strokes(&[v, stroke(&[(450.0, 100.0)])], 600.0, 200.0).unwrap()
}

fn pixels(signature: &Signature, w: u32, h: u32) -> image::GrayImage {
    let png = to_png(signature, w, h).unwrap();
    image::load_from_memory_with_format(&png, image::ImageFormat::Png)
        .unwrap()
        .into_luma8()
}

#[test]
fn ink_is_where_the_pen_went_and_nowhere_else() {
    let picture = pixels(&sample(), 600, 200);
    assert_eq!(picture.dimensions(), (600, 200));
    for (x, y) in [(100, 40), (150, 100), (200, 159), (250, 100), (450, 100)] {
        assert!(picture.get_pixel(x, y).0[0] < 64, "ink at {x},{y}");
    }
    for (x, y) in [(0, 0), (200, 60), (599, 199), (400, 100), (460, 100)] {
        assert_eq!(picture.get_pixel(x, y).0[0], 255, "paper at {x},{y}");
    }
    assert!(
        picture.pixels().any(|p| (1..255).contains(&p.0[0])),
        "edges are soft"
    );
}

#[test]
fn another_shape_of_picture_keeps_the_proportions() {
    // 600 × 200 in a square of 300: scaled to 300 × 100, with 100 above and below.
    let picture = pixels(&sample(), 300, 300);
    for (x, y) in [(50, 120), (75, 150), (100, 179)] {
        assert!(picture.get_pixel(x, y).0[0] < 64, "ink at {x},{y}");
    }
    // A dot between four pixels, barely wider than one of them.
    assert!(picture.get_pixel(225, 150).0[0] < 192, "the dot");
    let inked = |rows: std::ops::Range<u32>| {
        rows.into_iter()
            .any(|y| (0..300).any(|x| picture.get_pixel(x, y).0[0] < 255))
    };
    assert!(!inked(0..100) && !inked(200..300), "margins stay white");
}

#[test]
fn a_tiny_preview_still_shows_a_line() {
    let picture = pixels(&sample(), 60, 20);
    assert!(picture.pixels().filter(|p| p.0[0] < 128).count() > 20);
}

#[test]
fn the_picture_survives_the_codec() {
    let before = sample();
    let after = Signature::decode(&before.encode()).unwrap();
    assert_eq!(to_png(&before, 600, 200), to_png(&after, 600, 200));
}

#[test]
fn refuses_sizes_that_make_no_picture() {
    for (w, h) in [
        (0, 200),
        (600, 0),
        (MAX_PICTURE_PX + 1, 200),
        (600, u32::MAX),
    ] {
        let bad = InkPictureError::BadSize {
            width_px: w,
            height_px: h,
        };
        assert_eq!(to_png(&sample(), w, h), Err(bad));
    }
}
