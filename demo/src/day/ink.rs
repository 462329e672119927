//! Invented signatures: a few loops and waves as a hurried hand draws them on glass.

use rand::RngExt as _;
use rand::rngs::StdRng;
use satchel_core::model::attempt::SignatureInput;
use satchel_core::proof::ink::InkPoint;

use crate::seed;

/// The pad of a phone held upright, in its own pixels.
const PAD_WIDTH: f32 = 328.0;
const PAD_HEIGHT: f32 = 180.0;
/// A touch screen samples about every 16 ms.
const SAMPLE_MS: u32 = 16;

/// The signature given at a visit.
#[must_use]
pub fn signature(day_seed: u64, visit: &str) -> SignatureInput {
    let mut rng = seed::rng(day_seed, &format!("ink/{visit}"));
    let strokes = rng.random_range(3..=5_u8);
    let points = rng.random_range(20..=38_u16);
    let room = PAD_WIDTH * 0.8 / f32::from(strokes);
    let mut time_ms = 0;
    let strokes = (0..strokes)
        .map(|at| {
            let left = PAD_WIDTH * 0.1 + room * f32::from(at);
            time_ms += 120;
            stroke(&mut rng, left, room, points, &mut time_ms)
        })
        .collect();
    SignatureInput {
        strokes,
        canvas_width: PAD_WIDTH,
        canvas_height: PAD_HEIGHT,
        ..SignatureInput::default()
    }
}

/// One character's worth of ink: a slanted wave with loops in it.
fn stroke(rng: &mut StdRng, left: f32, room: f32, points: u16, time_ms: &mut u32) -> Vec<InkPoint> {
    let height = rng.random_range(28.0..60.0_f32);
    let middle = PAD_HEIGHT / 2.0 + rng.random_range(-14.0..14.0_f32);
    let turns = rng.random_range(1.3..2.8_f32);
    let loops = rng.random_range(2.0..4.5_f32);
    let phase = rng.random_range(0.0..core::f32::consts::TAU);
    let slant = rng.random_range(-0.25..0.35_f32);
    (0..points)
        .map(|at| {
            let along = f32::from(at) / f32::from(points.max(2) - 1);
            let angle = core::f32::consts::TAU * turns * along + phase;
            let swing = height * 0.5 * angle.sin() * (1.0 - 0.35 * along);
            let curl = room * 0.22 * (core::f32::consts::TAU * loops * along).sin();
            let tremble = rng.random_range(-0.8..0.8_f32);
            *time_ms += SAMPLE_MS;
            InkPoint {
                x: (left + room * 0.9 * along + curl - slant * swing).clamp(1.0, PAD_WIDTH - 1.0),
                y: (middle + swing + tremble).clamp(1.0, PAD_HEIGHT - 1.0),
                t_ms: *time_ms,
                ..InkPoint::default()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use satchel_core::proof::ink::Signature;

    #[test]
    fn every_invented_signature_is_taken_by_the_core_and_differs_from_the_others() {
        let mut seen = std::collections::BTreeSet::new();
        for visit in 0..200 {
            let input = signature(1, &visit.to_string());
            let points: usize = input.strokes.iter().map(Vec::len).sum();
            assert!((60..=200).contains(&points), "{points}");
            let ink =
                Signature::from_strokes(&input.strokes, input.canvas_width, input.canvas_height)
                    .unwrap();
            assert!(seen.insert(ink.encode()));
        }
        assert_eq!(signature(1, "0"), signature(1, "0"));
    }
}
