//! Signatures and the visits they belong to: the wrong-job mix-up (B4-1) is tried, and what surrounds a
//! signature is in the signed entry.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use satchel_core::Error;
use satchel_core::model::attempt::{Completion, SignatureInput};
use satchel_core::proof::ink::{InkError, InkFormatError, InkPoint, KeepDynamics, Signature};
use satchel_protocol::attempt::Disclaimer;
use satchel_protocol::crypto;
use satchel_protocol::ids::{AttemptId, StopId};
use satchel_protocol::taxonomy::{HandoffKind, InkDoubt, ProofKind};
use satchel_tests::day::Day;
use satchel_tests::phone::{self, Phone};
use satchel_tests::work::{at_work, attempts};

/// Opens a handoff with the photo it needs, the signature left to be given.
fn open(phone: &Phone, stop: StopId, n: u64) -> (AttemptId, Completion) {
    let draft = phone.core().begin_attempt(stop, HandoffKind::Recipient);
    let attempt = draft.unwrap().attempt_id;
    let photo = phone::photo(n);
    let source = satchel_core::proof::photo::PhotoSource::Bytes(&photo);
    let origin = satchel_protocol::taxonomy::PhotoOrigin::Camera;
    phone.core().add_photo(attempt, source, origin).unwrap();
    (attempt, phone.delivered(stop, n))
}

/// A name as it is drawn, with times and pressure.
fn name() -> SignatureInput {
    let stroke = (0..240u16).map(|i| {
        let t = f32::from(i) / 12.0;
        InkPoint {
            x: 60.0 + 1.6 * f32::from(i) + 18.0 * t.sin(),
            y: 150.0 + 75.0 * (t * 1.3).cos(),
            t_ms: u32::from(i) * 8,
            pressure: Some(0.5),
        }
    });
    SignatureInput {
        strokes: vec![stroke.collect()],
        canvas_width: 600.0,
        canvas_height: 300.0,
        ..SignatureInput::default()
    }
}

#[test]
fn two_signatures_drawn_offline_stay_with_their_own_visits() {
    let day = Day::new(1).stops(2);
    let (phone, hub) = at_work(&day);
    let (first, first_done) = open(&phone, day.stop_id(0), 1);
    let (second, second_done) = open(&phone, day.stop_id(1), 2);
    // The courier goes back and forth, and the second visit ends first.
    phone.core().complete_attempt(second, &second_done).unwrap();
    phone.core().complete_attempt(first, &first_done).unwrap();

    let bodies = attempts(&phone, &hub);
    assert_eq!(bodies.len(), 2);
    for (attempt, input, stop) in [(first, &first_done, 0), (second, &second_done, 1)] {
        let body = bodies.iter().find(|b| b.attempt == attempt).unwrap();
        assert_eq!(body.stop, day.stop_id(stop));
        let named = |k: ProofKind| body.proofs.iter().find(|p| p.kind == k).unwrap().hash;
        let drawn = input.signature.as_ref().unwrap();
        let own = Signature::from_strokes(&drawn.strokes, 600.0, 300.0).unwrap();
        let bytes = own.bound_to(attempt).encode();
        assert_eq!(named(ProofKind::Signature), crypto::sha256(&[&bytes]));
        assert!(hub.has_blob(named(ProofKind::Signature)));
        // The other visit's ink does not pass for this one's.
        let other = if attempt == first { second } else { first };
        let refused = Signature::decode_for(&bytes, other);
        assert_eq!(refused, Err(InkFormatError::OtherAttempt));
    }
}

#[test]
fn a_pad_that_was_not_cleared_is_noticed_and_gives_another_hash() {
    let day = Day::new(1).stops(2);
    let (phone, hub) = at_work(&day);
    let same = name();
    for n in 0..2 {
        let (attempt, mut done) = open(&phone, day.stop_id(n), n as u64);
        done.signature = Some(same.clone());
        let check = phone
            .core()
            .check_signature(attempt, &same, 600, 300)
            .unwrap();
        let expected: &[InkDoubt] = if n == 0 {
            &[]
        } else {
            &[InkDoubt::SameAsBefore]
        };
        assert_eq!(check.doubts, expected, "asked about before it is taken");
        phone.core().complete_attempt(attempt, &done).unwrap();
    }
    let bodies = attempts(&phone, &hub);
    let facts = |n: usize| bodies[n].signature.clone().unwrap();
    assert_eq!(facts(0).doubts, []);
    assert_eq!(facts(1).doubts, [InkDoubt::SameAsBefore]);
    let hash = |n: usize| {
        let mut inks = bodies[n]
            .proofs
            .iter()
            .filter(|p| p.kind == ProofKind::Signature);
        inks.next().unwrap().hash
    };
    assert_ne!(hash(0), hash(1), "one drawing, two visits, two proofs");
}

#[test]
fn what_the_signer_saw_is_in_the_entry_and_speed_is_not() {
    let day = Day::new(1).stops(2);
    let (phone, hub) = at_work(&day);
    let shown = Disclaimer {
        version: "2026-11".into(),
        text: "本人已当面验货,包装完好。".into(),
    };
    for (n, keep) in [(0, KeepDynamics::No), (1, KeepDynamics::Yes)] {
        let (attempt, mut done) = open(&phone, day.stop_id(n), n as u64);
        let mut signature = name();
        signature.strokes[0][3].x += n as f32;
        signature.disclaimer = Some(shown.clone());
        signature.keep_dynamics = keep;
        done.signature = Some(signature);
        phone.core().complete_attempt(attempt, &done).unwrap();
        let ink = phone.core().signature(attempt).unwrap();
        assert_eq!(ink.dynamics().is_some(), keep == KeepDynamics::Yes);
    }
    for body in attempts(&phone, &hub) {
        assert_eq!(body.signature.unwrap().disclaimer, Some(shown.clone()));
    }
}

#[test]
fn a_cross_and_a_line_are_taken_with_their_doubts() {
    let day = Day::new(1).stops(2);
    let (phone, hub) = at_work(&day);
    let line = |from: (f32, f32), to: (f32, f32)| -> Vec<InkPoint> {
        (0..30u16)
            .map(|i| {
                let t = f32::from(i) / 29.0;
                InkPoint {
                    x: from.0 + (to.0 - from.0) * t,
                    y: from.1 + (to.1 - from.1) * t,
                    t_ms: u32::from(i) * 16,
                    ..InkPoint::default()
                }
            })
            .collect()
    };
    let cross = vec![
        line((200.0, 60.0), (320.0, 240.0)),
        line((320.0, 60.0), (200.0, 240.0)),
    ];
    let marks = [
        (cross, InkDoubt::FewTurns),
        (
            vec![line((50.0, 150.0), (500.0, 140.0))],
            InkDoubt::StraightLine,
        ),
    ];
    for (n, (strokes, doubt)) in marks.into_iter().enumerate() {
        let (attempt, mut done) = open(&phone, day.stop_id(n), n as u64);
        let mark = SignatureInput {
            strokes,
            asked_again: true,
            ..name()
        };
        let check = phone
            .core()
            .check_signature(attempt, &mark, 600, 300)
            .unwrap();
        assert!(check.doubts.contains(&doubt), "{:?}", check.doubts);
        done.signature = Some(mark);
        phone.core().complete_attempt(attempt, &done).unwrap();
        let stored = phone.core().signature_svg(attempt, 600, 300).unwrap();
        assert_eq!(stored, check.svg, "stored is what was shown before");
    }
    for (body, doubt) in attempts(&phone, &hub)
        .iter()
        .zip([InkDoubt::FewTurns, InkDoubt::StraightLine])
    {
        let facts = body.signature.clone().unwrap();
        assert!(
            facts.asked_again && facts.doubts.contains(&doubt),
            "{facts:?}"
        );
    }
}

#[test]
fn a_check_refuses_like_the_completion_and_writes_nothing() {
    let day = Day::new(1).stops(1);
    let (phone, _hub) = at_work(&day);
    let (attempt, _) = open(&phone, day.stop_id(0), 1);
    let mut dot = name();
    dot.strokes[0].truncate(1);
    let check = |input: &SignatureInput| phone.core().check_signature(attempt, input, 600, 300);
    assert!(matches!(check(&dot), Err(Error::Ink(InkError::Dot))));
    let mut wordy = name();
    wordy.disclaimer = Some(Disclaimer {
        version: "1".into(),
        text: "字".repeat(2_001),
    });
    assert!(matches!(
        check(&wordy),
        Err(Error::InvalidInput { what: "disclaimer" })
    ));
    check(&name()).unwrap();
    let none = phone.core().signature_svg(attempt, 600, 300);
    assert!(matches!(none, Err(Error::NotFound { what: "signature" })));
}
