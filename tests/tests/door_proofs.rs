//! Photos and ink at the door: what is taken, what is refused, and what a kill leaves of it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use satchel_core::Error;
use satchel_core::model::attempt::{Completion, SignatureInput};
use satchel_core::proof::ink::InkError;
use satchel_core::proof::photo::{PhotoError, PhotoSource};
use satchel_protocol::taxonomy::{HandoffKind, PhotoOrigin};
use satchel_tests::day::Day;
use satchel_tests::phone::{self, Phone};
use satchel_tests::work::{at_work, attempts};

#[test]
fn an_empty_signature_and_a_dot_are_no_signature() {
    let day = Day::new(1).stops(1);
    let (phone, _hub) = at_work(&day);
    let stop = day.stop_id(0);
    let draft = phone
        .core()
        .begin_attempt(stop, HandoffKind::Recipient)
        .unwrap();
    let sign = |strokes| {
        let input = Completion {
            signature: Some(SignatureInput {
                strokes,
                canvas_width: 600.0,
                canvas_height: 300.0,
                ..SignatureInput::default()
            }),
            ..phone.delivered(stop, 1)
        };
        phone.core().complete_attempt(draft.attempt_id, &input)
    };
    let dot = phone::signature(1).strokes[0][0];
    assert!(matches!(sign(vec![]), Err(Error::Ink(InkError::Empty))));
    assert!(matches!(
        sign(vec![vec![]]),
        Err(Error::Ink(InkError::Empty))
    ));
    assert!(matches!(
        sign(vec![vec![dot]]),
        Err(Error::Ink(InkError::Dot))
    ));
    assert!(matches!(
        sign(vec![vec![dot; 20_000]]),
        Err(Error::Ink(InkError::TooManyPoints { .. }))
    ));
}

#[test]
fn a_handoff_with_photos_is_taken_up_again_after_a_kill_and_not_hours_later() {
    let day = Day::new(1).stops(2);
    let (mut phone, hub) = at_work(&day);
    let begin = |phone: &Phone, stop: usize| {
        phone
            .core()
            .begin_attempt(day.stop_id(stop), HandoffKind::Recipient)
            .unwrap()
            .attempt_id
    };
    let add = |phone: &Phone, attempt, n| {
        phone.core().add_photo(
            attempt,
            PhotoSource::Bytes(&phone::photo(n)),
            PhotoOrigin::Camera,
        )
    };
    let first = begin(&phone, 0);
    add(&phone, first, 1).unwrap();
    phone.restart();
    assert_eq!(begin(&phone, 0), first);
    phone
        .core()
        .complete_attempt(first, &phone.delivered(day.stop_id(0), 1))
        .unwrap();
    let body = attempts(&phone, &hub).remove(0);
    assert_eq!(
        body.proofs.len(),
        2,
        "the photo of before the kill and the signature"
    );

    let morning = begin(&phone, 1);
    add(&phone, morning, 2).unwrap();
    phone.restart();
    phone.clock.advance_ms(6 * 3_600_000);
    assert_ne!(begin(&phone, 1), morning);
}

#[test]
fn photos_have_a_bound_and_the_same_photo_twice_counts_once() {
    let day = Day::new(1).stops(1);
    let (phone, _hub) = at_work(&day);
    let attempt = phone
        .core()
        .begin_attempt(day.stop_id(0), HandoffKind::Recipient)
        .unwrap()
        .attempt_id;
    let add = |n: u64| {
        phone.core().add_photo(
            attempt,
            PhotoSource::Bytes(&phone::photo(n)),
            PhotoOrigin::Camera,
        )
    };
    for n in 0..12 {
        add(n).unwrap();
    }
    assert!(matches!(add(99), Err(Error::InvalidInput { .. })));
    assert_eq!(add(3).unwrap().hash, add(3).unwrap().hash);
    let files = phone::photo_files(&phone.dir).len();
    assert_eq!(files, 12, "the refused one left nothing behind");
    let recorded = phone
        .core()
        .complete_attempt(attempt, &phone.delivered(day.stop_id(0), 1));
    recorded.unwrap();
}

#[test]
fn what_is_no_photo_is_refused_with_its_reason_and_a_sparse_giant_costs_nothing() {
    let day = Day::new(1).stops(1);
    let (phone, _hub) = at_work(&day);
    let attempt = phone
        .core()
        .begin_attempt(day.stop_id(0), HandoffKind::Recipient)
        .unwrap()
        .attempt_id;
    let refused = |source: PhotoSource<'_>| match phone.core().add_photo(
        attempt,
        source,
        PhotoOrigin::Camera,
    ) {
        Err(Error::Photo(error)) => error,
        other => panic!("{other:?}"),
    };
    let jpeg = phone::photo(1);
    assert_eq!(refused(PhotoSource::Bytes(b"")), PhotoError::Empty);
    assert_eq!(
        refused(PhotoSource::Bytes(b"<!doctype html><p>hello")),
        PhotoError::NotAnImage
    );
    let cut = refused(PhotoSource::Bytes(&jpeg[..jpeg.len() / 2]));
    assert!(matches!(cut, PhotoError::Truncated | PhotoError::Damaged));

    let home = tempfile::tempdir().unwrap();
    let missing = home.path().join("none.jpg");
    assert_eq!(refused(PhotoSource::Path(&missing)), PhotoError::Missing);
    let giant = home.path().join("giant.jpg");
    let file = std::fs::File::create(&giant).unwrap();
    file.set_len(2 * 1024 * 1024 * 1024).unwrap();
    assert!(matches!(
        refused(PhotoSource::Path(&giant)),
        PhotoError::TooLarge {
            bytes: 2_147_483_648,
            ..
        }
    ));
    assert!(matches!(
        refused(PhotoSource::Path(home.path())),
        PhotoError::Unreadable(_)
    ));
    assert!(phone::photo_files(&phone.dir).is_empty());
}
