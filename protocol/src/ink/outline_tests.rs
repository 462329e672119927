//! What the outline promises: the drawn line and nothing but it, at every size the same, without holes.

use proptest::prelude::*;

use super::tests::{PAD_H, PAD_W, any_line, loops, px_between, sign, stroke};
use super::*;

const PER_PX: f64 = 8.0 * OUTLINE_UNITS as f64;

fn corners_px(ring: &[(i32, i32)]) -> Vec<(f64, f64)> {
    ring.iter()
        .map(|&(x, y)| (f64::from(x) / PER_PX, f64::from(y) / PER_PX))
        .collect()
}

/// How often the rings go round a place, all in all: 0 is paper.
fn winding(outline: &Outline, at: (f64, f64)) -> i32 {
    let mut turns = 0;
    for ring in outline.rings() {
        let corners = corners_px(ring);
        for (n, a) in corners.iter().enumerate() {
            let b = corners[(n + 1) % corners.len()];
            let side = (b.0 - a.0) * (at.1 - a.1) - (at.0 - a.0) * (b.1 - a.1);
            if a.1 <= at.1 && b.1 > at.1 && side > 0.0 {
                turns += 1;
            } else if a.1 > at.1 && b.1 <= at.1 && side < 0.0 {
                turns -= 1;
            }
        }
    }
    turns
}

fn area(ring: &[(i32, i32)]) -> f64 {
    let corners = corners_px(ring);
    (0..corners.len())
        .map(|n| {
            let (a, b) = (corners[n], corners[(n + 1) % corners.len()]);
            (a.0 * b.1 - b.0 * a.1) / 2.0
        })
        .sum()
}

#[test]
fn all_rings_turn_the_same_way() {
    let sharp = stroke(&[
        (100.0, 50.0),
        (150.0, 150.0),
        (200.0, 50.0),
        (200.0, 51.0),
        (100.0, 52.0),
    ]);
    let outline = sign(&[loops(250), sharp, stroke(&[(500.0, 20.0)])])
        .unwrap()
        .outline(600, 200);
    for ring in outline.rings() {
        assert!(area(ring) < 0.0, "{}", area(ring));
    }
}

#[test]
fn every_drawn_point_is_inked() {
    let drawn = loops(250);
    let outline = sign(std::slice::from_ref(&drawn))
        .unwrap()
        .outline(600, 200);
    for p in &drawn {
        let at = (f64::from(p.x), f64::from(p.y));
        assert!(winding(&outline, at) != 0, "{at:?}");
    }
}

#[test]
fn the_line_is_broader_in_a_bend_than_in_full_flight_and_thins_out_at_its_ends() {
    // Straight, then round a small circle, then straight.
    let mut line: Vec<(f32, f32)> = (0..60u8)
        .map(|n| (20.0 + 4.0 * f32::from(n), 100.0))
        .collect();
    line.extend((0..60u8).map(|n| {
        let t = f32::from(n) / 9.0;
        (260.0 + 12.0 * t.sin(), 88.0 + 12.0 * t.cos())
    }));
    let ink = sign(&[stroke(&line)]).unwrap();
    let outline = ink.outline(600, 200);
    let width_at = |x: f64, y: f64, dy: f64| {
        let inked = |n: i32| winding(&outline, (x, y + dy * f64::from(n) / 50.0)) != 0;
        (-200..=200).filter(|n| inked(*n)).count()
    };
    let (end, flight, bend) = (
        width_at(21.0, 100.0, 1.0),
        width_at(140.0, 100.0, 1.0),
        width_at(260.0, 76.0, 1.0),
    );
    assert!(end < flight && flight < bend, "{end} {flight} {bend}");
}

#[test]
fn kept_pressure_decides_the_width() {
    let mut drawn = loops(200);
    for p in &mut drawn {
        p.pressure = Some(if p.x < 200.0 { 0.0 } else { 1.0 });
    }
    let inked = |pressure: Option<f32>| {
        let mut drawn = drawn.clone();
        for p in &mut drawn {
            p.pressure = pressure.or(p.pressure);
        }
        let ink = Signature::take(&[drawn], PAD_W, PAD_H, KeepDynamics::Yes).unwrap();
        -ink.outline(600, 200).rings().map(area).sum::<f64>()
    };
    assert!(inked(Some(0.0)) < inked(None) && inked(None) < inked(Some(1.0)));
}

#[test]
fn the_size_of_the_picture_changes_nothing_until_the_line_would_vanish() {
    let ink = sign(&[loops(200)]).unwrap();
    assert_eq!(ink.outline(600, 200), ink.outline(2_048, 1_024));
    let area = |w: u32, h: u32| -ink.outline(w, h).rings().map(area).sum::<f64>();
    assert!(
        area(60, 20) > 2.0 * area(600, 200),
        "a thumbnail shows the line"
    );
}

#[test]
fn ink_on_one_spot_is_still_drawn() {
    let ink = sign(&[
        loops(80),
        stroke(&[(500.0, 20.0)]),
        stroke(&[(550.0, 20.0), (550.0, 20.0)]),
    ])
    .unwrap();
    let outline = ink.outline(600, 200);
    assert!(winding(&outline, (500.0, 20.0)) != 0 && winding(&outline, (550.0, 20.0)) != 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn nothing_is_inked_that_the_pen_did_not_pass(line in any_line()) {
        let drawn = vec![line];
        if let Ok(ink) = sign(&drawn) {
            let reach = f64::from(24u8) / 2.0 / 8.0;
            for ring in ink.outline(600, 200).rings() {
                for at in corners_px(ring) {
                    let nearest = drawn[0].windows(2).map(|w| {
                        let at_px = |p: &InkPoint| (f64::from(p.x), f64::from(p.y));
                        px_between(at, at_px(&w[0]), at_px(&w[1]))
                    }).fold(f64::MAX, f64::min);
                    // Half the broadest line, and the grid, thinning and bending, an eighth of a pixel each.
                    prop_assert!(nearest <= reach + 0.45, "{} px off", nearest);
                }
            }
        }
    }

    #[test]
    fn the_way_of_the_pen_is_inked_without_holes(line in any_line()) {
        let drawn = vec![line];
        if let Ok(ink) = sign(&drawn) {
            let outline = ink.outline(600, 200);
            for p in drawn[0].iter().skip(1).step_by(7) {
                prop_assert!(winding(&outline, (f64::from(p.x) + 1e-4, f64::from(p.y) + 1e-4)) < 0);
            }
        }
    }
}
