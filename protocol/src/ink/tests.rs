//! What the ink codec promises: one encoding, a quarter pixel, few bytes, no dots or swipes.

use proptest::prelude::*;

use super::*;

const PAD_W: f32 = 600.0;
const PAD_H: f32 = 200.0;

fn point(x: f32, y: f32) -> InkPoint {
    InkPoint { x, y, t_ms: 0 }
}

fn stroke(points: &[(f32, f32)]) -> Vec<InkPoint> {
    points.iter().map(|&(x, y)| point(x, y)).collect()
}

/// Loops across the pad, sampled like a 120 Hz touch screen.
fn loops(samples: u16) -> Vec<InkPoint> {
    (0..samples)
        .map(|i| {
            let t = f32::from(i) / 12.0;
            InkPoint {
                x: 60.0 + 1.6 * f32::from(i) + 18.0 * t.sin(),
                y: 100.0 + 55.0 * (t * 1.3).cos(),
                t_ms: u32::from(i) * 8,
            }
        })
        .collect()
}

fn sign(strokes: &[Vec<InkPoint>]) -> Result<Signature, InkError> {
    Signature::from_strokes(strokes, PAD_W, PAD_H)
}

#[test]
fn refuses_ink_without_intent() {
    assert_eq!(sign(&[]), Err(InkError::Empty));
    assert_eq!(sign(&[vec![], vec![]]), Err(InkError::Empty));
    assert_eq!(sign(&[stroke(&[(300.0, 100.0)])]), Err(InkError::Dot));
    let resting = stroke(&[
        (300.0, 100.0),
        (302.0, 103.0),
        (299.0, 101.0),
        (301.0, 99.0),
    ]);
    assert_eq!(sign(&[resting]), Err(InkError::Dot));
    assert_eq!(
        sign(&[stroke(&[(300.0, 100.0), (315.0, 110.0), (305.0, 120.0)])]),
        Err(InkError::TooShort)
    );
}

#[test]
fn refuses_a_swipe_however_it_is_drawn() {
    let swipe = stroke(&[(50.0, 60.0), (200.0, 80.5), (350.0, 99.5), (500.0, 120.0)]);
    assert_eq!(sign(&[swipe]), Err(InkError::StraightLine));
    let back_and_forth = stroke(&[(50.0, 60.0), (500.0, 120.0), (55.0, 61.0), (480.0, 117.0)]);
    assert_eq!(sign(&[back_and_forth]), Err(InkError::StraightLine));
    let dashes = [
        stroke(&[(50.0, 60.0), (200.0, 80.0)]),
        stroke(&[(350.0, 100.0), (500.0, 120.0)]),
    ];
    assert_eq!(sign(&dashes), Err(InkError::StraightLine));
}

#[test]
fn takes_a_cross_as_the_mark_of_someone_who_cannot_write() {
    let cross = [
        stroke(&[(200.0, 40.0), (300.0, 160.0)]),
        stroke(&[(300.0, 40.0), (200.0, 160.0)]),
    ];
    let signature = sign(&cross).unwrap();
    assert_eq!(signature.strokes().len(), 2);
}

#[test]
fn refuses_numbers_that_cannot_be_a_pad() {
    let ok = loops(100);
    for (w, h) in [
        (0.0, 200.0),
        (600.0, -1.0),
        (f32::NAN, 200.0),
        (600.0, f32::INFINITY),
        (1e-45, 1e-45),
    ] {
        let got = Signature::from_strokes(std::slice::from_ref(&ok), w, h);
        assert!(
            matches!(got, Err(InkError::BadCanvas | InkError::OutsideCanvas)),
            "{w}×{h}: {got:?}"
        );
    }
    let mut bad = ok.clone();
    bad.push(point(f32::NAN, 1.0));
    assert_eq!(sign(&[bad]), Err(InkError::NotFinite));
    let mut pixels_for_points = ok.clone();
    pixels_for_points.push(point(1_800.0, 300.0));
    assert_eq!(sign(&[pixels_for_points]), Err(InkError::OutsideCanvas));
}

#[test]
fn holds_a_finger_that_slid_off_at_the_edge() {
    let mut slid = loops(100);
    slid.push(point(300.0, 230.0));
    let signature = sign(&[slid]).unwrap();
    let (_, h) = signature.canvas_units();
    assert!(
        signature.strokes()[0].iter().any(|p| p.y == h),
        "the edge itself is inked"
    );
    assert!(signature.strokes()[0].iter().all(|p| p.y <= h));
}

#[test]
fn limits_points_and_strokes() {
    let many = vec![point(1.0, 1.0); MAX_POINTS + 1];
    assert_eq!(
        sign(&[many]),
        Err(InkError::TooManyPoints {
            points: MAX_POINTS + 1
        })
    );
    let taps = vec![stroke(&[(1.0, 1.0)]); MAX_STROKES + 1];
    assert_eq!(
        sign(&taps),
        Err(InkError::TooManyStrokes {
            strokes: MAX_STROKES + 1
        })
    );
}

/// These bytes are in signed logs once shipped: changing them breaks old evidence.
#[test]
fn golden_bytes() {
    let strokes = [
        stroke(&[(100.0, 50.0), (150.0, 150.0), (200.0, 50.0)]),
        stroke(&[(300.0, 100.0)]),
        stroke(&[
            (400.0, 60.0),
            (400.0, 60.125),
            (380.0, 140.0),
            (420.0, 140.0),
        ]),
    ];
    let bytes = sign(&strokes).unwrap().encode();
    let expected = [
        1, 192, 37, 192, 12, 3, // version, 4800 × 1600 units, three strokes
        3, 192, 12, 160, 6, 160, 6, 192, 12, 160, 6, 191, 12, // V
        1, 192, 12, 160, 6, // dot
        3, 192, 12, 255, 4, 191, 2, 128, 10, 128, 5, 0, // hook, its second point thinned away
    ];
    assert_eq!(bytes, expected);
}

#[test]
fn drops_time() {
    let fast = loops(250);
    let slow: Vec<InkPoint> = fast
        .iter()
        .map(|p| InkPoint {
            t_ms: p.t_ms * 7 + 3,
            ..*p
        })
        .collect();
    assert_eq!(
        sign(&[fast]).unwrap().encode(),
        sign(&[slow]).unwrap().encode()
    );
}

#[test]
fn evenly_timed_samples_of_a_line_leave_no_trace_of_speed() {
    let hurried = stroke(&[(50.0, 20.0), (290.0, 180.0), (530.0, 20.0)]);
    let mut hesitant = Vec::new();
    for i in 0u16..=100 {
        let share = (f32::from(i) / 100.0).powi(3);
        hesitant.push(point(50.0 + 240.0 * share, 20.0 + 160.0 * share));
    }
    hesitant.push(point(530.0, 20.0));
    assert_eq!(
        sign(&[hesitant]).unwrap().encode(),
        sign(&[hurried]).unwrap().encode()
    );
}

#[test]
fn costs_at_most_four_and_a_half_bytes_a_drawn_point() {
    let drawn = [loops(290)];
    let signature = sign(&drawn).unwrap();
    let bytes = signature.encode().len();
    assert!(bytes * 2 <= 290 * 9, "{bytes} bytes for 290 drawn points");
    assert!(
        bytes * 2 <= signature.point_count() * 9,
        "{bytes} for {} kept",
        signature.point_count()
    );
}

#[test]
fn the_drawn_line_stays_within_a_quarter_pixel() {
    let drawn = loops(290);
    let signature = sign(std::slice::from_ref(&drawn)).unwrap();
    let kept = &signature.strokes()[0];
    assert!(
        kept.len() < drawn.len(),
        "thinning keeps {} of {}",
        kept.len(),
        drawn.len()
    );
    for p in &drawn {
        let nearest = kept
            .windows(2)
            .map(|w| px_from_segment((f64::from(p.x), f64::from(p.y)), w[0], w[1]))
            .fold(f64::MAX, f64::min);
        assert!(nearest <= 0.25, "{nearest} px off");
    }
}

/// Distance in pixels of the 600×200 pad.
fn px_from_segment(p: (f64, f64), a: GridPoint, b: GridPoint) -> f64 {
    let a = (f64::from(a.x) / 8.0, f64::from(a.y) / 8.0);
    let b = (f64::from(b.x) / 8.0, f64::from(b.y) / 8.0);
    let d = (b.0 - a.0, b.1 - a.1);
    let t = ((p.0 - a.0) * d.0 + (p.1 - a.1) * d.1) / (d.0 * d.0 + d.1 * d.1);
    let t = t.clamp(0.0, 1.0);
    (p.0 - a.0 - t * d.0).hypot(p.1 - a.1 - t * d.1)
}

#[test]
fn the_same_drawing_on_a_sharper_screen_is_the_same_ink() {
    let drawn = loops(200);
    let sharper: Vec<InkPoint> = drawn
        .iter()
        .map(|p| InkPoint {
            x: p.x * 2.0,
            y: p.y * 2.0,
            ..*p
        })
        .collect();
    let small = sign(&[drawn]).unwrap();
    let large = Signature::from_strokes(&[sharper], PAD_W * 2.0, PAD_H * 2.0).unwrap();
    assert_eq!(small.encode(), large.encode());
}

#[test]
fn refuses_bytes_that_are_not_canonical_ink() {
    let good = sign(&[loops(60)]).unwrap().encode();
    for cut in 0..good.len() {
        assert_eq!(
            Signature::decode(&good[..cut]),
            Err(InkFormatError::Truncated),
            "cut at {cut}"
        );
    }
    let mut longer = good.clone();
    longer.push(0);
    assert_eq!(
        Signature::decode(&longer),
        Err(InkFormatError::TrailingBytes)
    );
    let mut newer = good.clone();
    newer[0] = 2;
    assert_eq!(
        Signature::decode(&newer),
        Err(InkFormatError::UnknownVersion(2))
    );
    // Canvas 4800 × 1600, then …
    let with = |tail: &[u8]| Signature::decode(&[&[1, 192, 37, 192, 12], tail].concat());
    assert_eq!(with(&[0]), Err(InkFormatError::NotCanonical), "no stroke");
    assert_eq!(
        with(&[1, 0]),
        Err(InkFormatError::NotCanonical),
        "stroke without points"
    );
    assert_eq!(
        with(&[129, 0, 1, 2, 2]),
        Err(InkFormatError::NotCanonical),
        "padded count"
    );
    assert_eq!(
        with(&[1, 2, 2, 2, 0, 0]),
        Err(InkFormatError::NotCanonical),
        "standing still"
    );
    assert_eq!(
        with(&[1, 1, 1, 2]),
        Err(InkFormatError::OutsideCanvas),
        "left of the canvas"
    );
    assert_eq!(
        with(&[255, 127]),
        Err(InkFormatError::TooMuchInk),
        "16,383 strokes"
    );
    assert_eq!(
        with(&[1, 129, 128, 1]),
        Err(InkFormatError::TooMuchInk),
        "16,385 points"
    );
}

#[test]
fn svg_shows_every_stroke_and_the_dot() {
    let strokes = [loops(80), stroke(&[(500.0, 20.0)])];
    let svg = sign(&strokes).unwrap().to_svg(600, 200);
    assert!(
        svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"600\" height=\"200\"")
    );
    assert_eq!(svg.matches('M').count(), 2);
    assert!(svg.contains("M4000 160l0 0"), "the dot is drawn");
    assert!(!svg.contains("style") && !svg.contains("script"));
}

#[test]
fn debug_output_does_not_draw_the_name() {
    let shown = format!("{:?}", sign(&[loops(80)]).unwrap());
    assert!(shown.contains("strokes: 1"), "{shown}");
    assert!(!shown.contains("GridPoint") && shown.len() < 60, "{shown}");
}

fn any_drawing() -> impl Strategy<Value = Vec<Vec<InkPoint>>> {
    let point = (0.0f32..=PAD_W, 0.0f32..=PAD_H, any::<u32>()).prop_map(|(x, y, t_ms)| InkPoint {
        x,
        y,
        t_ms,
    });
    proptest::collection::vec(proptest::collection::vec(point, 0..300), 0..6)
}

proptest! {
    #[test]
    fn what_is_accepted_comes_back_the_same(drawing in any_drawing()) {
        if let Ok(signature) = sign(&drawing) {
            let bytes = signature.encode();
            prop_assert_eq!(Signature::decode(&bytes), Ok(signature.clone()));
            prop_assert!(bytes.len() <= 5 + signature.strokes().len() * 2 + 2 + signature.point_count() * 4);
        }
    }

    #[test]
    fn scribbles_are_accepted(drawing in proptest::collection::vec((0.0f32..=PAD_W, 0.0f32..=PAD_H), 40..120)) {
        prop_assert!(sign(&[stroke(&drawing)]).is_ok());
    }

    #[test]
    fn bytes_have_one_reading(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let framed = [&[1, 192, 37, 192, 12], bytes.as_slice()].concat();
        for input in [bytes, framed] {
            if let Ok(signature) = Signature::decode(&input) {
                prop_assert_eq!(signature.encode(), input);
            }
        }
    }
}
