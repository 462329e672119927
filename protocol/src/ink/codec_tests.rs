//! What the bytes promise: one encoding for one drawing, few of them, bound to one visit.

use proptest::prelude::*;
use uuid::Uuid;

use super::tests::{PAD_H, PAD_W, any_drawing, loops, sign, stroke};
use super::*;

const VISIT: AttemptId = AttemptId(Uuid::from_u128(0x0198_c0de_7d0c_7000_8000_0000_0000_0003));
const OTHER: AttemptId = AttemptId(Uuid::from_u128(0x0198_c0de_7d0c_7000_8000_0000_0000_0004));

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

/// The second form, byte by byte.
#[test]
fn golden_bytes_of_bound_and_timed_ink() {
    let drawn: Vec<InkPoint> = [
        (0.0, 10.0, 0.0),
        (50.0, 10.0, 0.25),
        (99.0, 60.0, 0.5),
        (150.0, 60.0, 1.0),
    ]
    .iter()
    .enumerate()
    .map(|(n, &(x, y, pressure))| InkPoint {
        x,
        y,
        t_ms: 100 + u32::try_from(n).unwrap() * 8,
        pressure: Some(pressure),
    })
    .collect();
    let drawn = [drawn];
    let ink = Signature::take(&drawn, PAD_W, PAD_H, KeepDynamics::Yes).unwrap();
    let expected = [
        &[2, 7][..], // version, bound and timed and pressed
        VISIT.as_bytes(),
        &[192, 37, 192, 12, 1, 4], // 4800 × 1600 units, one stroke of four points
        &[0, 160, 6, 15, 32],      // x: 0, +400, +392, +408
        &[160, 1, 0, 160, 6, 159, 6], // y: 80, +0, +400, +0
        &[0, 8, 8, 8],             // ms
        &[0, 4, 254],              // 0, 16, 32, 63 in six bits each
    ]
    .concat();
    assert_eq!(ink.clone().bound_to(VISIT).encode(), expected);
    let shape = sign(&drawn).unwrap();
    assert_eq!(
        shape.clone().bound_to(VISIT).encode()[..18],
        [&[2, 1], &VISIT.as_bytes()[..]].concat()
    );
    assert_eq!(
        shape.bound_to(VISIT).encode()[18..],
        sign(&drawn).unwrap().encode()[1..]
    );
}

#[test]
fn ink_of_one_visit_cannot_serve_another() {
    let ink = sign(&[loops(200)]).unwrap();
    let (for_visit, for_other) = (ink.clone().bound_to(VISIT), ink.clone().bound_to(OTHER));
    assert_ne!(
        for_visit.encode(),
        for_other.encode(),
        "one drawing, two visits, two hashes"
    );
    assert_eq!(
        Signature::decode_for(&for_visit.encode(), VISIT),
        Ok(for_visit.clone())
    );
    assert_eq!(
        Signature::decode_for(&for_visit.encode(), OTHER),
        Err(InkFormatError::OtherAttempt)
    );
    assert_eq!(for_visit.unbound(), for_other.unbound());
    // Ink of the first form names no visit and is judged by its hash alone.
    assert_eq!(Signature::decode_for(&ink.encode(), OTHER), Ok(ink));
}

#[test]
fn all_dynamics_cost_at_most_four_and_a_half_bytes_a_point() {
    let mut drawn = loops(290);
    for (n, p) in drawn.iter_mut().enumerate() {
        let n = f32::from(u16::try_from(n).unwrap());
        p.pressure = Some(0.5 + 0.4 * (n / 9.0).sin());
    }
    let ink = Signature::take(&[drawn], PAD_W, PAD_H, KeepDynamics::Yes).unwrap();
    let bytes = ink.bound_to(VISIT).encode().len();
    assert!(bytes * 2 <= 290 * 9, "{bytes} bytes for 290 points");
}

#[test]
fn refuses_a_second_form_that_is_not_canonical() {
    let canvas: &[u8] = &[192, 37, 192, 12];
    let with = |flags: u8, tail: &[u8]| Signature::decode(&[&[2, flags], canvas, tail].concat());
    assert_eq!(
        with(0, &[1, 1, 2, 2]),
        Err(InkFormatError::NotCanonical),
        "that is the first form"
    );
    assert_eq!(
        with(4, &[1, 1, 2, 2, 0]),
        Err(InkFormatError::NotCanonical),
        "pressure without time"
    );
    assert_eq!(
        with(8, &[1, 1, 2, 2]),
        Err(InkFormatError::UnknownVersion(2)),
        "a flag of tomorrow"
    );
    assert!(with(2, &[1, 1, 2, 2, 0]).is_ok());
    let used_padding = with(6, &[1, 1, 2, 2, 0, 0x40]);
    assert_eq!(
        used_padding,
        Err(InkFormatError::NotCanonical),
        "bits behind the last pressure"
    );
    let forever = with(2, &[1, 2, 2, 2, 2, 2, 255, 255, 255, 127, 1]);
    assert_eq!(
        forever,
        Err(InkFormatError::NotCanonical),
        "longer than any signature"
    );
}

proptest! {
    #[test]
    fn what_is_accepted_comes_back_the_same(drawing in any_drawing(), bound: bool) {
        for keep in [KeepDynamics::No, KeepDynamics::Yes] {
            if let Ok(mut ink) = Signature::take(&drawing, PAD_W, PAD_H, keep) {
                if bound {
                    ink = ink.bound_to(VISIT);
                }
                let bytes = ink.encode();
                prop_assert!(Signature::decode(&bytes).as_ref() == Ok(&ink));
            }
        }
    }

    #[test]
    fn bytes_have_one_reading(bytes in proptest::collection::vec(any::<u8>(), 0..200), flags in 0u8..8) {
        let shape = [&[1, 192, 37, 192, 12], bytes.as_slice()].concat();
        let flagged = match flags & 1 {
            0 => [&[2, flags, 192, 37, 192, 12], bytes.as_slice()].concat(),
            _ => [&[2, flags], &VISIT.as_bytes()[..], &[192, 37, 192, 12], bytes.as_slice()].concat(),
        };
        for input in [bytes, shape, flagged] {
            if let Ok(ink) = Signature::decode(&input) {
                prop_assert_eq!(ink.encode(), input);
                // Whatever reads as ink can be drawn and written in every other form.
                prop_assert!(ink.to_svg(600, 200).ends_with("</svg>"));
                prop_assert!(ink.to_inkml().ends_with("</ink>"));
                prop_assert!(ink.to_signature_pad_json(600).ends_with(']'));
            }
        }
    }

    #[test]
    fn real_ink_with_a_few_changed_bytes_never_panics(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6)) {
        let ink = Signature::take(&[loops(60)], PAD_W, PAD_H, KeepDynamics::Yes).unwrap();
        let mut bytes = ink.bound_to(VISIT).encode();
        for (at, value) in changes {
            let length = bytes.len();
            bytes[at % length] = value;
        }
        if let Ok(ink) = Signature::decode(&bytes) {
            prop_assert_eq!(ink.encode(), bytes);
            let _ = ink.outline(600, 200);
        }
    }
}
