//! What is taken as a signature, what is doubted, and what is kept of it.

use proptest::prelude::*;

use super::*;
use crate::taxonomy::InkDoubt;

pub(super) const PAD_W: f32 = 600.0;
pub(super) const PAD_H: f32 = 200.0;

pub(super) fn point(x: f32, y: f32) -> InkPoint {
    InkPoint {
        x,
        y,
        ..InkPoint::default()
    }
}

pub(super) fn stroke(points: &[(f32, f32)]) -> Vec<InkPoint> {
    points.iter().map(|&(x, y)| point(x, y)).collect()
}

/// Loops across the pad, sampled like a 120 Hz touch screen.
pub(super) fn loops(samples: u16) -> Vec<InkPoint> {
    (0..samples)
        .map(|i| {
            let t = f32::from(i) / 12.0;
            InkPoint {
                x: 60.0 + 1.6 * f32::from(i) + 18.0 * t.sin(),
                y: 100.0 + 55.0 * (t * 1.3).cos(),
                t_ms: u32::from(i) * 8,
                ..InkPoint::default()
            }
        })
        .collect()
}

pub(super) fn sign(strokes: &[Vec<InkPoint>]) -> Result<Signature, InkError> {
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
fn a_swipe_is_doubted_however_it_is_drawn_and_never_refused() {
    let swipe = stroke(&[(50.0, 60.0), (200.0, 80.5), (350.0, 99.5), (500.0, 120.0)]);
    let back_and_forth = stroke(&[(50.0, 60.0), (500.0, 120.0), (55.0, 61.0), (480.0, 117.0)]);
    let dashes = [
        stroke(&[(50.0, 60.0), (200.0, 80.0)]),
        stroke(&[(350.0, 100.0), (500.0, 120.0)]),
    ];
    for drawn in [vec![swipe], vec![back_and_forth], dashes.to_vec()] {
        let doubts = sign(&drawn).unwrap().doubts(&drawn);
        assert!(doubts.contains(&InkDoubt::StraightLine), "{doubts:?}");
    }
}

#[test]
fn takes_a_cross_as_the_mark_of_someone_who_cannot_write() {
    let cross = [
        stroke(&[(200.0, 40.0), (300.0, 160.0)]),
        stroke(&[(300.0, 40.0), (200.0, 160.0)]),
    ];
    let signature = sign(&cross).unwrap();
    assert_eq!(signature.strokes().len(), 2);
    let doubts = signature.doubts(&cross);
    assert!(doubts.contains(&InkDoubt::FewTurns), "{doubts:?}");
    assert!(!doubts.contains(&InkDoubt::StraightLine), "{doubts:?}");
}

#[test]
fn a_name_raises_no_doubt_and_each_oddity_its_own() {
    let name = [loops(250)];
    let doubts = |drawn: &[Vec<InkPoint>]| sign(drawn).unwrap().doubts(drawn);
    assert_eq!(doubts(&name), []);
    let without_clock = [name[0].iter().map(|p| InkPoint { t_ms: 0, ..*p }).collect()];
    assert_eq!(
        doubts(&without_clock),
        [],
        "a host without a clock is not quick"
    );
    let shrunk = |to: f32, p: &InkPoint| InkPoint {
        x: p.x * to,
        y: p.y * to,
        ..*p
    };
    let quick = [name[0]
        .iter()
        .map(|p| InkPoint {
            t_ms: p.t_ms / 10,
            ..*p
        })
        .collect()];
    assert_eq!(doubts(&quick), [InkDoubt::Quick]);
    let tiny = [name[0].iter().map(|p| shrunk(0.1, p)).collect()];
    assert_eq!(
        doubts(&tiny),
        [InkDoubt::LittleInk, InkDoubt::SmallBox, InkDoubt::FewCells]
    );
    let few = [stroke(&[
        (50.0, 150.0),
        (150.0, 50.0),
        (250.0, 150.0),
        (350.0, 50.0),
        (450.0, 150.0),
    ])];
    assert_eq!(doubts(&few), [InkDoubt::FewPoints]);
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
fn a_time_that_runs_backwards_is_held() {
    let mut drawn = [loops(40), loops(60)];
    drawn[0][10].t_ms = 5_000;
    drawn[1][3].t_ms = 0;
    let kept = Signature::take(&drawn, PAD_W, PAD_H, KeepDynamics::Yes).unwrap();
    let times: Vec<u32> = kept
        .dynamics()
        .unwrap()
        .iter()
        .flatten()
        .map(|s| s.t_ms)
        .collect();
    assert_eq!(times.len(), 100);
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(
        (times[0], times[9], times[10], times[99]),
        (0, 72, 5_000, 5_000)
    );
}

#[test]
fn pressure_is_kept_only_whole_and_refused_out_of_range() {
    let pressed = |value: f32| {
        let mut drawn = loops(60);
        for p in &mut drawn {
            p.pressure = Some(value);
        }
        drawn
    };
    let keep = |drawn: Vec<InkPoint>| Signature::take(&[drawn], PAD_W, PAD_H, KeepDynamics::Yes);
    let state = |s: &Signature| s.dynamics().unwrap()[0][30];
    assert_eq!(state(&keep(pressed(1.0)).unwrap()).pressure, Some(63));
    let mut gap = pressed(0.5);
    gap[7].pressure = None;
    assert_eq!(state(&keep(gap).unwrap()).pressure, None);
    for bad in [-0.1, 1.1, f32::NAN] {
        assert_eq!(keep(pressed(bad)), Err(InkError::BadPressure));
    }
    assert!(
        sign(&[pressed(0.5)]).unwrap().dynamics().is_none(),
        "dropped unless asked for"
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
    px_between(p, a, b)
}

pub(super) fn px_between(p: (f64, f64), a: (f64, f64), b: (f64, f64)) -> f64 {
    let d = (b.0 - a.0, b.1 - a.1);
    let span = (d.0 * d.0 + d.1 * d.1).max(1e-12);
    let t = ((p.0 - a.0) * d.0 + (p.1 - a.1) * d.1) / span;
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
fn debug_output_does_not_draw_the_name() {
    let shown = format!("{:?}", sign(&[loops(80)]).unwrap());
    assert!(shown.contains("strokes: 1"), "{shown}");
    assert!(!shown.contains("GridPoint") && shown.len() < 60, "{shown}");
}

pub(super) fn any_drawing() -> impl Strategy<Value = Vec<Vec<InkPoint>>> {
    let point = (0.0f32..=PAD_W, 0.0f32..=PAD_H, any::<u32>(), 0.0f32..=1.0);
    let point = point.prop_map(|(x, y, t_ms, pressure)| InkPoint {
        x,
        y,
        t_ms,
        pressure: Some(pressure),
    });
    proptest::collection::vec(proptest::collection::vec(point, 0..300), 0..6)
}

/// Lines between random corners, sampled every so often, as a finger draws them.
pub(super) fn any_line() -> impl Strategy<Value = Vec<InkPoint>> {
    let corners = proptest::collection::vec((0.0f32..=PAD_W, 0.0f32..=PAD_H), 3..60);
    (corners, 1u16..30).prop_map(|(corners, steps)| {
        let mut line = Vec::new();
        for pair in corners.windows(2) {
            for n in 0..steps {
                let t = f32::from(n) / f32::from(steps);
                line.push(point(
                    pair[0].0 + (pair[1].0 - pair[0].0) * t,
                    pair[0].1 + (pair[1].1 - pair[0].1) * t,
                ));
            }
        }
        line
    })
}

proptest! {
    #[test]
    fn scribbles_are_accepted(drawing in proptest::collection::vec((0.0f32..=PAD_W, 0.0f32..=PAD_H), 40..120)) {
        prop_assert!(sign(&[stroke(&drawing)]).is_ok());
    }

    #[test]
    fn every_drawn_point_lies_within_a_quarter_pixel_of_what_is_kept(line in any_line()) {
        let drawn = vec![line];
        if let Ok(signature) = sign(&drawn) {
            let kept = &signature.strokes()[0];
            for p in &drawn[0] {
                let at = (f64::from(p.x), f64::from(p.y));
                let nearest = kept.windows(2).map(|w| px_from_segment(at, w[0], w[1])).fold(f64::MAX, f64::min);
                prop_assert!(nearest <= 0.25, "{} px off", nearest);
            }
        }
    }

    #[test]
    fn strokes_and_points_keep_their_order(drawing in any_drawing()) {
        if let Ok(signature) = sign(&drawing) {
            let drawn = drawing.iter().filter(|s| !s.is_empty());
            prop_assert_eq!(signature.strokes().len(), drawn.clone().count());
            for (kept, drawn) in signature.strokes().iter().zip(drawn) {
                // Each kept point is one of the drawn ones, and they come in the same order.
                let mut rest = drawn.iter();
                for p in kept {
                    let found = rest.any(|d| {
                        (d.x * 8.0 - f32::from(p.x)).abs() <= 0.51 && (d.y * 8.0 - f32::from(p.y)).abs() <= 0.51
                    });
                    prop_assert!(found);
                }
            }
        }
    }

    #[test]
    fn kept_times_are_as_many_as_points_and_never_run_backwards(drawing in any_drawing()) {
        if let Ok(signature) = Signature::take(&drawing, PAD_W, PAD_H, KeepDynamics::Yes) {
            let states = signature.dynamics().unwrap();
            let counts = |all: &[Vec<PenState>]| all.iter().map(Vec::len).collect::<Vec<_>>();
            prop_assert_eq!(counts(states), signature.strokes().iter().map(Vec::len).collect::<Vec<_>>());
            prop_assert!(states.iter().flatten().is_sorted_by_key(|s| s.t_ms));
            prop_assert_eq!(signature.point_count(), drawing.iter().map(Vec::len).sum::<usize>());
        }
    }
}
