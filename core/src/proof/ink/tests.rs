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

/// Loops that cross themselves, corners, a dot: what a renderer may get wrong.
fn busy() -> Signature {
    let loops: Vec<(f32, f32)> = (0..240u16)
        .map(|i| {
            let t = f32::from(i) / 9.0;
            (
                40.0 + f32::from(i) * 1.8 + 30.0 * t.sin(),
                100.0 + 70.0 * (t * 1.4).cos(),
            )
        })
        .collect();
    let corners = [
        (420.0, 20.0),
        (590.0, 30.0),
        (430.0, 60.0),
        (580.0, 190.0),
        (600.0, 0.0),
    ];
    Signature::from_strokes(
        &[stroke(&loops), stroke(&corners), stroke(&[(20.0, 20.0)])],
        600.0,
        200.0,
    )
    .unwrap()
}

/// The same outline, filled by a renderer that knows nothing about it.
fn by_another_renderer(signature: &Signature, w: u32, h: u32) -> Vec<u8> {
    let outline = signature.outline(w, h);
    let mut path = tiny_skia::PathBuilder::new();
    for ring in outline.rings() {
        for (n, &(x, y)) in ring.iter().enumerate() {
            let (x, y) = (x as f32, y as f32);
            if n == 0 {
                path.move_to(x, y)
            } else {
                path.line_to(x, y)
            }
        }
        path.close();
    }
    let scale = w as f32 / (4_800.0 * 4.0);
    let mut mask = tiny_skia::Mask::new(w, h).unwrap();
    let place = tiny_skia::Transform::from_scale(scale, scale);
    mask.fill_path(
        &path.finish().unwrap(),
        tiny_skia::FillRule::Winding,
        true,
        place,
    );
    mask.data().iter().map(|v| 255 - v).collect()
}

/// Structural similarity, the mean over windows of 8 × 8 pixels.
fn ssim(a: &[u8], b: &[u8], width: usize) -> f64 {
    let rows = a.len() / width;
    let mut all = Vec::new();
    for y in (0..rows - 7).step_by(4) {
        for x in (0..width - 7).step_by(4) {
            let window = |p: &[u8]| -> Vec<f64> {
                (0..64)
                    .map(|n| f64::from(p[(y + n / 8) * width + x + n % 8]))
                    .collect()
            };
            let (p, q) = (window(a), window(b));
            let mean = |v: &[f64]| v.iter().sum::<f64>() / 64.0;
            let (mp, mq) = (mean(&p), mean(&q));
            let spread = |v: &[f64], m: f64| v.iter().map(|x| (x - m).powi(2)).sum::<f64>() / 63.0;
            let both = p
                .iter()
                .zip(&q)
                .map(|(x, y)| (x - mp) * (y - mq))
                .sum::<f64>()
                / 63.0;
            let (c1, c2) = (6.5025, 58.5225);
            all.push(
                (2.0 * mp * mq + c1) * (2.0 * both + c2)
                    / ((mp * mp + mq * mq + c1) * (spread(&p, mp) + spread(&q, mq) + c2)),
            );
        }
    }
    all.iter().sum::<f64>() / all.len() as f64
}

#[test]
fn looks_like_the_outline_filled_by_a_general_renderer() {
    // At a quarter of the pad's size strokes are thinner than a pixel and cross inside it.
    for (w, h, least, most) in [
        (1_200, 400, 0.995, 0.000_5),
        (600, 200, 0.995, 0.000_5),
        (300, 100, 0.98, 0.002),
        (151, 50, 0.94, 0.03),
    ] {
        let ours = pixels(&busy(), w, h).into_raw();
        let theirs = by_another_renderer(&busy(), w, h);
        let likeness = ssim(&ours, &theirs, w as usize);
        assert!(likeness > least, "{w} × {h}: {likeness}");
        // Where two parts of the outline share a pixel of the edge, ours adds both shares.
        let differing = ours
            .iter()
            .zip(&theirs)
            .filter(|(a, b)| a.abs_diff(**b) > 64);
        let share = differing.count() as f64 / ours.len() as f64;
        assert!(share < most, "{w} × {h}: {share} of all pixels");
    }
}

#[test]
fn the_same_ink_twice_as_large_shows_the_same() {
    let small = pixels(&busy(), 600, 200).into_raw();
    let large = pixels(&busy(), 1_200, 400);
    let halved = image::imageops::resize(&large, 600, 200, image::imageops::FilterType::Triangle);
    let likeness = ssim(&small, &halved.into_raw(), 600);
    assert!(likeness > 0.98, "{likeness}");
}

#[test]
fn ink_at_every_border_is_cut_there_and_nowhere_else() {
    let round = [
        (0.0, 0.0),
        (600.0, 0.0),
        (600.0, 200.0),
        (0.0, 200.0),
        (0.0, 0.0),
    ];
    let frame = Signature::from_strokes(&[stroke(&round)], 600.0, 200.0).unwrap();
    let picture = pixels(&frame, 600, 200);
    for (x, y) in [(300, 0), (599, 100), (300, 199), (0, 100)] {
        assert!(picture.get_pixel(x, y).0[0] < 96, "ink at {x},{y}");
    }
    for (x, y) in [
        (300, 4),
        (595, 100),
        (300, 195),
        (4, 100),
        (10, 10),
        (300, 100),
    ] {
        assert_eq!(picture.get_pixel(x, y).0[0], 255, "paper at {x},{y}");
    }
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
