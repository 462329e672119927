//! At the door: what a handoff needs, what is refused, and what stands once it is recorded.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use satchel_core::model::attempt::{Completion, ParcelOutcome, ParcelResult};
use satchel_core::model::stop::StopState;
use satchel_core::proof::photo::PhotoSource;
use satchel_core::rules::contact::NoContact;
use satchel_core::rules::position::RawFix;
use satchel_core::rules::ruleset::{Item, Level, Unmet};
use satchel_core::{Error, Refusal};
use satchel_protocol::attempt::{LeftAt, RevealedBody};
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::{AttemptId, ParcelId, StopId};
use satchel_protocol::taxonomy::{
    Action, HandlingTag, HandoffKind, Outcome, PhotoOrigin, ProofKind, Reason, Relation,
};
use satchel_tests::day::{Day, MORNING_MS, consent};
use satchel_tests::phone::{self, SyncEnd, completion, nobody_there};
use satchel_tests::work::{at_work, attempts};
use uuid::Uuid;

fn in_locker() -> Option<LeftAt> {
    Some(LeftAt {
        place: Some("L-1".into()),
        slot: Some("17".into()),
        receipt: None,
    })
}

fn names(unmet: &[Unmet]) -> Vec<Item> {
    unmet.iter().map(|u| u.item).collect()
}

#[test]
fn a_delivery_carries_everything_the_law_asks_for() {
    let day = Day::new(1).stops(1);
    let (phone, hub) = at_work(&day);
    let stop = day.stop_id(0);
    let draft = phone
        .core()
        .begin_attempt(stop, HandoffKind::Recipient)
        .unwrap();
    let required: Vec<Item> = draft
        .requirements
        .iter()
        .filter(|r| r.level == Level::Required)
        .map(|r| r.item)
        .collect();
    assert_eq!(
        required,
        [
            Item::IdentityCheck,
            Item::InspectionPrompt,
            Item::Photo,
            Item::Signature
        ]
    );
    let bare = completion(&[day.parcel_id(0, 0)], ParcelOutcome::Delivered);
    let refused = phone.core().complete_attempt(draft.attempt_id, &bare);
    assert!(
        matches!(refused, Err(Error::Refused(Refusal::Missing { ref items })) if names(items) == required)
    );
    let photo = phone
        .core()
        .add_photo(
            draft.attempt_id,
            PhotoSource::Bytes(&phone::photo(1)),
            PhotoOrigin::Gallery,
        )
        .unwrap();
    let input = Completion {
        fix: Some(RawFix::wgs84(37.51, 121.4, 12.0, 900, true)),
        note: Some("  放门口地毯上  ".into()),
        ..phone.delivered(stop, 1)
    };
    phone
        .core()
        .complete_attempt(draft.attempt_id, &input)
        .unwrap();
    assert_eq!(phone.stop(stop).state, StopState::Done);

    let body = attempts(&phone, &hub).remove(0);
    assert_eq!(body.outcome, Outcome::Delivered);
    assert_eq!(body.note.as_deref(), Some("放门口地毯上"));
    let fix = body.fix.unwrap();
    assert!(fix.mock, "a mock position is recorded, not blocked (B4-19)");
    assert!((900.0..1_100.0).contains(&fix.distance_m.unwrap()));
    let kinds: Vec<_> = body.proofs.iter().map(|p| (p.kind, p.origin)).collect();
    assert_eq!(
        kinds,
        [
            (ProofKind::Photo, Some(PhotoOrigin::Gallery)),
            (ProofKind::Signature, None)
        ]
    );
    assert_eq!(body.proofs[0].hash, photo.hash);
}

#[test]
fn a_second_completion_changes_nothing_also_after_a_restart() {
    let day = Day::new(1).stops(1);
    let (mut phone, hub) = at_work(&day);
    let stop = day.stop_id(0);
    let recorded = phone.deliver(stop, 1).unwrap();
    for restarted in [false, true] {
        if restarted {
            phone.restart();
        }
        let again = phone
            .core()
            .complete_attempt(recorded.attempt_id, &phone.delivered(stop, 2));
        assert!(matches!(again, Err(Error::AlreadyCompleted)));
        let late = phone.core().add_photo(
            recorded.attempt_id,
            PhotoSource::Bytes(&phone::photo(9)),
            PhotoOrigin::Camera,
        );
        assert!(matches!(late, Err(Error::AlreadyCompleted)));
        let reopened = phone.core().begin_attempt(stop, HandoffKind::Recipient);
        assert!(matches!(
            reopened,
            Err(Error::Refused(Refusal::ParcelClosed))
        ));
    }
    assert_eq!(attempts(&phone, &hub).len(), 1);
}

#[test]
fn two_threads_completing_one_attempt_record_it_once() {
    let day = Day::new(1).stops(1);
    let (phone, hub) = at_work(&day);
    let stop = day.stop_id(0);
    let draft = phone
        .core()
        .begin_attempt(stop, HandoffKind::Recipient)
        .unwrap();
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| phone.record_failure(draft.attempt_id, stop)))
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1);
    assert_eq!(attempts(&phone, &hub).len(), 1);
}

#[test]
fn unknown_stops_parcels_and_attempts_are_named_and_change_nothing() {
    let day = Day::new(1).stops(2);
    let (phone, hub) = at_work(&day);
    let core = phone.core();
    let nowhere = StopId(Uuid::from_u128(404));
    let is_stop = |e: Error| matches!(e, Error::NotFound { what: "stop" });
    assert!(is_stop(core.stop(nowhere).unwrap_err()));
    assert!(is_stop(core.reveal(nowhere).unwrap_err()));
    assert!(is_stop(
        core.begin_attempt(nowhere, HandoffKind::Recipient)
            .unwrap_err()
    ));
    assert!(matches!(
        core.rating_code(ParcelId(Uuid::from_u128(404))),
        Err(Error::NotFound { what: "parcel" })
    ));
    assert!(matches!(
        core.rating_code(day.parcel_id(0, 0)),
        Err(Error::NotFound { .. })
    ));
    let nobody = AttemptId(Uuid::from_u128(404));
    assert!(matches!(
        core.complete_attempt(nobody, &phone.delivered(day.stop_id(0), 1)),
        Err(Error::NotFound { what: "attempt" })
    ));
    let draft = core
        .begin_attempt(day.stop_id(0), HandoffKind::Recipient)
        .unwrap();
    let elsewhere = completion(&[day.parcel_id(1, 0)], nobody_there());
    assert!(matches!(
        core.complete_attempt(draft.attempt_id, &elsewhere),
        Err(Error::Refused(Refusal::ParcelNotAtStop))
    ));
    assert_eq!(attempts(&phone, &hub).len(), 0);
}

#[test]
fn an_illegal_reason_and_action_is_refused_and_reasons_ask_for_their_proof() {
    let day = Day::new(1).stops(1);
    let (phone, _hub) = at_work(&day);
    let core = phone.core();
    let draft = core
        .begin_attempt(day.stop_id(0), HandoffKind::Recipient)
        .unwrap();
    let fail = |reason, action| {
        core.complete_attempt(
            draft.attempt_id,
            &completion(
                &[day.parcel_id(0, 0)],
                ParcelOutcome::Failed { reason, action },
            ),
        )
    };
    assert!(matches!(
        fail(Reason::Weather, Action::ReturnToSender),
        Err(Error::Refused(Refusal::IllegalAction { .. }))
    ));
    let missing = |r: satchel_core::Result<_>| match r {
        Err(Error::Refused(Refusal::Missing { items })) => names(&items),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        missing(fail(Reason::RefusedDamaged, Action::OpenLevel1Case)),
        [Item::Photo]
    );
    assert_eq!(missing(fail(Reason::Other, Action::Hold)), [Item::Note]);
    assert!(matches!(
        fail(Reason::RecipientAbsent, Action::StationWithConsent),
        Err(Error::Refused(Refusal::ConsentMissing { .. }))
    ));
    assert!(matches!(
        fail(Reason::RecipientAbsent, Action::SecondDelivery),
        Err(Error::Refused(Refusal::NoContact(NoContact::CallFirst {
            needed: 1,
            made: 0
        })))
    ));
    phone.call(day.stop_id(0));
    fail(Reason::RecipientAbsent, Action::SecondDelivery).unwrap();
}

#[test]
fn consent_opens_the_locker_until_it_expires_and_never_against_door_delivery() {
    let locker = [HandoffKind::Locker];
    let until = MORNING_MS + 60_000;
    let day = Day::new(1)
        .stop(1)
        .stop_with(1, |s| {
            s.parcels[0].consents = vec![consent(&locker, &[s.parcels[0].parcel_id], Some(until))]
        })
        .stop_with(1, |s| {
            s.parcels[0].consents = vec![consent(&locker, &[s.parcels[0].parcel_id], None)];
            s.parcels[0].consents[0].consent_id = "c-2".into();
            s.parcels[0].door_required = true;
        });
    let (phone, hub) = at_work(&day);
    let begin = |stop: usize| {
        phone
            .core()
            .begin_attempt(day.stop_id(stop), HandoffKind::Locker)
    };
    assert!(matches!(
        begin(0),
        Err(Error::Refused(Refusal::ConsentMissing { .. }))
    ));
    assert!(matches!(
        begin(2),
        Err(Error::Refused(Refusal::DoorRequired))
    ));
    let draft = begin(1).unwrap();
    phone
        .core()
        .add_photo(
            draft.attempt_id,
            PhotoSource::Bytes(&phone::photo(1)),
            PhotoOrigin::Camera,
        )
        .unwrap();
    let into_locker = Completion {
        handoff: HandoffKind::Locker,
        left_at: in_locker(),
        ..completion(&[day.parcel_id(1, 0)], ParcelOutcome::Delivered)
    };
    let complete = || {
        phone
            .core()
            .complete_attempt(draft.attempt_id, &into_locker)
    };
    phone.clock.advance_ms(60_001);
    assert!(
        matches!(complete(), Err(Error::Refused(Refusal::ConsentExpired))),
        "it ran out while the courier walked"
    );
    phone.clock.jump_wall_ms(-60_000);
    complete().unwrap();
    let body = attempts(&phone, &hub).remove(0);
    assert_eq!(
        (body.handoff, body.consent.as_deref()),
        (HandoffKind::Locker, Some("c-1"))
    );
}

#[test]
fn several_parcels_at_one_door_can_end_differently_with_shared_proofs() {
    let day = Day::new(1).stop_with(3, |s| s.parcels[2].tags = vec![HandlingTag::Fragile]);
    let (phone, hub) = at_work(&day);
    let stop = day.stop_id(0);
    let draft = phone
        .core()
        .begin_attempt(stop, HandoffKind::Recipient)
        .unwrap();
    phone
        .core()
        .add_photo(
            draft.attempt_id,
            PhotoSource::Bytes(&phone::photo(1)),
            PhotoOrigin::Camera,
        )
        .unwrap();
    let outcomes = [
        (0, ParcelOutcome::Delivered),
        (1, nobody_there()),
        (2, ParcelOutcome::Delivered),
    ];
    let input = Completion {
        parcels: outcomes
            .iter()
            .map(|(n, outcome)| ParcelResult {
                scan: Some(day.stops[0].parcels[*n].waybill.clone()),
                ..ParcelResult::new(day.parcel_id(0, *n), *outcome)
            })
            .collect(),
        ..phone.delivered(stop, 1)
    };
    let recorded = phone
        .core()
        .complete_attempt(draft.attempt_id, &input)
        .unwrap();
    let rated: Vec<bool> = recorded
        .parcels
        .iter()
        .map(|p| p.rating.is_some())
        .collect();
    assert_eq!(rated, [true, false, true]);
    assert_eq!(phone.stop(stop).state, StopState::Failed);

    let bodies = attempts(&phone, &hub);
    assert_eq!(bodies.len(), 3);
    assert!(bodies.iter().all(|b| b.attempt == recorded.attempt_id));
    assert!(bodies.iter().all(|b| b.proofs == bodies[0].proofs));

    // The one that failed gets its second attempt; the delivered ones are closed.
    let again = phone.deliver(stop, 2).unwrap_err();
    assert!(matches!(again, Error::Refused(Refusal::ParcelClosed)));
    let draft = phone
        .core()
        .begin_attempt(stop, HandoffKind::Recipient)
        .unwrap();
    let second = completion(&[day.parcel_id(0, 1)], nobody_there());
    phone
        .core()
        .complete_attempt(draft.attempt_id, &second)
        .unwrap();
    let last = attempts(&phone, &hub).pop().unwrap();
    assert_eq!((last.parcel, last.attempt_no), (day.parcel_id(0, 1), 2));
}

#[test]
fn one_parcel_without_consent_does_not_keep_its_neighbours_from_the_locker() {
    let day = Day::new(1).stop_with(2, |s| {
        s.parcels[0].consents = vec![consent(
            &[HandoffKind::Locker],
            &[s.parcels[0].parcel_id],
            None,
        )];
    });
    let (phone, _hub) = at_work(&day);
    let draft = phone
        .core()
        .begin_attempt(day.stop_id(0), HandoffKind::Locker)
        .unwrap();
    phone
        .core()
        .add_photo(
            draft.attempt_id,
            PhotoSource::Bytes(&phone::photo(1)),
            PhotoOrigin::Camera,
        )
        .unwrap();
    let into_locker = |parcels: &[usize]| Completion {
        handoff: HandoffKind::Locker,
        left_at: in_locker(),
        parcels: parcels
            .iter()
            .map(|n| ParcelResult {
                scan: Some(day.stops[0].parcels[*n].waybill.clone()),
                ..ParcelResult::new(day.parcel_id(0, *n), ParcelOutcome::Delivered)
            })
            .collect(),
        ..completion(&[], ParcelOutcome::Delivered)
    };
    let (with, without) = (0, 1);
    let both = phone
        .core()
        .complete_attempt(draft.attempt_id, &into_locker(&[with, without]));
    assert!(matches!(
        both,
        Err(Error::Refused(Refusal::ConsentMissing { .. }))
    ));
    let open = |n: usize| phone.stop(day.stop_id(0)).parcels[n].outcome.is_none();
    assert!(open(0) && open(1), "all or nothing");
    phone
        .core()
        .complete_attempt(draft.attempt_id, &into_locker(&[with]))
        .unwrap();
    assert_eq!((open(0), open(1)), (false, true));
}

#[test]
fn values_out_of_range_are_refused_before_anything_is_written() {
    let day = Day::new(1).stops(1);
    let (phone, hub) = at_work(&day);
    let stop = day.stop_id(0);
    let draft = phone
        .core()
        .begin_attempt(stop, HandoffKind::Recipient)
        .unwrap();
    let good = completion(&[day.parcel_id(0, 0)], nobody_there());
    let fix = |lat: f64, accuracy_m: f32| Some(RawFix::wgs84(lat, 0.0, accuracy_m, 0, false));
    let twice = vec![good.parcels[0].clone(), good.parcels[0].clone()];
    let bad = [
        Completion {
            parcels: vec![],
            ..good.clone()
        },
        Completion {
            parcels: twice,
            ..good.clone()
        },
        Completion {
            note: Some("长".repeat(2_001)),
            ..good.clone()
        },
        Completion {
            signer_name: Some("名".repeat(81)),
            ..good.clone()
        },
        Completion {
            fix: fix(f64::NAN, 1.0),
            ..good.clone()
        },
        Completion {
            fix: fix(91.0, 1.0),
            ..good.clone()
        },
        Completion {
            fix: fix(1.0, -1.0),
            ..good.clone()
        },
        Completion {
            fix: fix(1.0, f32::INFINITY),
            ..good.clone()
        },
    ];
    for input in &bad {
        let refused = phone.core().complete_attempt(draft.attempt_id, input);
        assert!(
            matches!(refused, Err(Error::InvalidInput { .. })),
            "{input:?}"
        );
    }
    phone
        .core()
        .complete_attempt(draft.attempt_id, &good)
        .unwrap();
    assert_eq!(attempts(&phone, &hub).len(), 1);
}

#[test]
fn a_stated_signer_is_kept_and_required_where_another_person_takes_the_parcel() {
    let day = Day::new(1).stop_with(1, |s| {
        s.parcels[0].consents = vec![consent(
            &[HandoffKind::FrontDesk],
            &[s.parcels[0].parcel_id],
            None,
        )];
        s.parcels[0].tags = vec![HandlingTag::Fragile];
    });
    let (phone, hub) = at_work(&day);
    let draft = phone
        .core()
        .begin_attempt(day.stop_id(0), HandoffKind::FrontDesk)
        .unwrap();
    phone
        .core()
        .add_photo(
            draft.attempt_id,
            PhotoSource::Bytes(&phone::photo(1)),
            PhotoOrigin::Camera,
        )
        .unwrap();
    let blank = Completion {
        handoff: HandoffKind::FrontDesk,
        signer_name: Some("   ".into()),
        ..completion(&[day.parcel_id(0, 0)], ParcelOutcome::Delivered)
    };
    let refused = phone.core().complete_attempt(draft.attempt_id, &blank);
    assert!(
        matches!(refused, Err(Error::Refused(Refusal::Missing { ref items }))
        if names(items) == [Item::InspectionPrompt, Item::SignerName, Item::Relation])
    );
    let named = Completion {
        signer_name: Some(" 李前台 ".into()),
        relation: Some(Relation::FrontDesk),
        inspection: Some(satchel_protocol::taxonomy::InspectionResult::Declined),
        ..blank
    };
    phone
        .core()
        .complete_attempt(draft.attempt_id, &named)
        .unwrap();
    let body = attempts(&phone, &hub).remove(0);
    assert_eq!(body.signer_name.as_deref(), Some("李前台"));
}

#[test]
fn showing_a_person_in_full_is_written_into_the_log() {
    let day = Day::new(1).stops(2);
    let (phone, hub) = at_work(&day);
    let contact = phone.core().reveal(day.stop_id(1)).unwrap();
    assert_eq!(contact.name, "张三2");
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    let log = hub.log(phone.device());
    let (header, entry) = log.last().unwrap();
    assert_eq!(header.kind, EntryKind::REVEALED);
    let body = RevealedBody::decode(entry.body.as_ref().unwrap()).unwrap();
    assert_eq!(body.stop, day.stop_id(1));
}
