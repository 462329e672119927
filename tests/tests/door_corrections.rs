//! After the door: undo, reopen, late proof, wrong parcel, wrong reason; and what the hub tells of a parcel.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use satchel_core::model::history::CorrectionInput;
use satchel_core::model::stop::StopState;
use satchel_core::{Error, Refusal};
use satchel_protocol::bundle::{Trust, unpack, verify};
use satchel_protocol::doorstep::{CorrectionBody, ParcelStepBody};
use satchel_protocol::entry::EntryKind;
use satchel_protocol::feed::ParcelEventItem;
use satchel_protocol::ids::ParcelId;
use satchel_protocol::taxonomy::{Action, HandoffKind, Outcome, Reason};
use satchel_protocol::transitions::{
    Correction, Event, EventId, EventKind, Flag, Origin, ParcelState, Verdict, WhyNot,
};
use satchel_tests::day::{Day, MORNING_MS};
use satchel_tests::phone::completion;
use satchel_tests::work::Work;

fn correction(parcel: ParcelId, correction: Correction) -> CorrectionInput {
    CorrectionInput {
        parcel,
        of: None,
        correction,
        words: Some("点错了".into()),
        draft: None,
    }
}

fn told(work: &Work, seq: i64, at_ms: i64, kind: EventKind) {
    let item = ParcelEventItem {
        parcel_id: work.day.parcel_id(0, 0),
        event: Event {
            id: EventId {
                origin: Origin::Hub,
                seq,
            },
            at_ms,
            kind,
        },
    };
    work.tell(ParcelEventItem::KIND, &item);
}

fn state(work: &Work) -> ParcelState {
    work.phone.stop(work.day.stop_id(0)).parcels[0].state
}

#[test]
fn an_undo_restores_what_was_before_and_is_too_late_after_its_window() {
    let work = Work::on(Day::new(1).stops(1));
    let core = work.phone.core();
    let (stop, parcel) = (work.day.stop_id(0), work.day.parcel_id(0, 0));
    let before = work.phone.stop(stop);
    work.phone.deliver(stop, 1).unwrap();
    assert!(core.rating_code(parcel).is_ok());
    core.correct(&CorrectionInput {
        words: None,
        ..correction(parcel, Correction::Undo)
    })
    .unwrap();
    let after = work.phone.stop(stop);
    assert_eq!(after.parcels, before.parcels);
    assert_eq!(after.state, StopState::Open);
    assert!(core.rating_code(parcel).is_err(), "nothing is delivered");

    work.phone.deliver(stop, 2).unwrap();
    work.phone.clock.advance_ms(6 * 60_000);
    assert!(matches!(
        core.correct(&correction(parcel, Correction::Undo)),
        Err(Error::Refused(Refusal::NotNow(
            WhyNot::TooLateToUndo { .. }
        )))
    ));
    core.correct(&correction(parcel, Correction::Reopen))
        .unwrap();
    assert_eq!(state(&work), ParcelState::AwaitingNextAttempt);
    work.phone.deliver(stop, 3).unwrap();

    let lines = core.history(parcel).unwrap();
    assert_eq!(lines.len(), 5, "everything is kept");
    assert!(matches!(lines[0].verdict, Verdict::TakenBack { .. }));
    assert!(lines.iter().all(|l| l.here));
    let bodies = work.bodies(EntryKind::CORRECTION);
    let first = CorrectionBody::decode(&bodies[0]).unwrap();
    assert_eq!(first.of, lines[0].event.id);
}

#[test]
fn a_correction_that_does_not_hold_is_refused_typed_and_writes_nothing() {
    let work = Work::on(Day::new(1).stop(2));
    let core = work.phone.core();
    let (stop, parcel) = (work.day.stop_id(0), work.day.parcel_id(0, 0));
    let why = |input: &CorrectionInput| match core.correct(input) {
        Err(Error::Refused(Refusal::NotNow(why))) => why,
        other => panic!("{other:?}"),
    };
    assert!(matches!(
        core.correct(&correction(parcel, Correction::Undo)),
        Err(Error::NotFound { .. })
    ));
    work.phone.deliver(stop, 1).unwrap();
    let silent = CorrectionInput {
        words: Some("  ".into()),
        ..correction(parcel, Correction::Reopen)
    };
    assert_eq!(why(&silent), WhyNot::WordsMissing);
    let strange = CorrectionInput {
        of: Some(EventId {
            origin: Origin::Hub,
            seq: 77,
        }),
        ..correction(parcel, Correction::Reopen)
    };
    assert_eq!(why(&strange), WhyNot::UnknownEvent);
    let no_failure = Correction::WrongReason {
        reason: Reason::Weather,
        action: Action::ReturnToSender,
    };
    assert_eq!(why(&correction(parcel, no_failure)), WhyNot::NotAFailure);
    assert!(matches!(
        core.correct(&correction(parcel, Correction::LateProof)),
        Err(Error::InvalidInput { what: "late proof" })
    ));
    assert!(work.bodies(EntryKind::CORRECTION).is_empty());
}

#[test]
fn a_late_photo_reaches_the_hub_and_is_marked_as_late() {
    let work = Work::on(Day::new(1).stops(1));
    let core = work.phone.core();
    let (stop, parcel) = (work.day.stop_id(0), work.day.parcel_id(0, 0));
    work.phone.deliver(stop, 1).unwrap();
    let draft = core.begin_correction(parcel).unwrap();
    let photo = work.photo(draft, 9);
    let late = CorrectionInput {
        draft: Some(draft),
        ..correction(parcel, Correction::LateProof)
    };
    core.correct(&late).unwrap();
    assert!(matches!(core.correct(&late), Err(Error::AlreadyCompleted)));
    let line = core.history(parcel).unwrap().pop().unwrap();
    assert!(line.late && line.verdict == Verdict::Holds);
    assert_eq!(line.proofs[0].hash, photo.hash);
    assert_eq!(state(&work), ParcelState::Delivered);
    let _ = work.bodies(EntryKind::CORRECTION);
    assert!(work.hub.has_blob(photo.hash));
    // What the courier can show holds the visit, its correction, and the photo that came late.
    let file = core.evidence(parcel).unwrap();
    let report = verify(&file, &Trust::default()).unwrap();
    assert!(report.holds(), "{report}");
    let kinds: Vec<_> = report.entries.iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [EntryKind::ATTEMPT, EntryKind::CORRECTION]);
    let (_, photos) = unpack(&file).unwrap();
    assert!(photos.contains_key(&photo.hash));
    assert!(file.contains("Late proof") && !file.contains("Not in this file"));
    // A holder of late proofs is no visit that could be completed.
    let other = core.begin_correction(parcel).unwrap();
    let input = work.phone.delivered(stop, 3);
    assert!(matches!(
        core.complete_attempt(other, &input),
        Err(Error::NotFound { .. })
    ));
}

#[test]
fn what_was_recorded_on_the_wrong_parcel_goes_to_the_right_one_with_its_proofs() {
    let work = Work::on(Day::new(1).stop(2));
    let core = work.phone.core();
    let (wrong, meant) = (work.day.parcel_id(0, 0), work.day.parcel_id(0, 1));
    let draft = work.begin(0, HandoffKind::Recipient);
    work.photo(draft.attempt_id, 1);
    let mut input = work.phone.delivered(work.day.stop_id(0), 1);
    input.parcels.retain(|p| p.parcel_id == wrong);
    core.complete_attempt(draft.attempt_id, &input).unwrap();
    let done = core
        .correct(&correction(wrong, Correction::WrongParcel { meant }))
        .unwrap();
    assert!(done.meant.unwrap().rating.is_some());
    let states: Vec<ParcelState> = work
        .phone
        .stop(work.day.stop_id(0))
        .parcels
        .iter()
        .map(|p| p.state)
        .collect();
    assert_eq!(states, [ParcelState::OnRound, ParcelState::Delivered]);
    let bodies = work.attempts();
    assert_eq!(bodies[1].parcel, meant);
    assert_eq!(bodies[1].proofs, bodies[0].proofs);
    assert!(!bodies[1].scanned);
}

#[test]
fn another_reason_replaces_the_first_and_moves_the_parcel_where_it_leads() {
    let work = Work::on(Day::new(1).stops(1));
    let core = work.phone.core();
    let parcel = work.day.parcel_id(0, 0);
    work.phone.fail(work.day.stop_id(0)).unwrap();
    assert_eq!(state(&work), ParcelState::AwaitingNextAttempt);
    let illegal = Correction::WrongReason {
        reason: Reason::Weather,
        action: Action::ReturnToSender,
    };
    assert!(matches!(
        core.correct(&correction(parcel, illegal)),
        Err(Error::Refused(Refusal::NotNow(WhyNot::IllegalPair { .. })))
    ));
    let refused = Correction::WrongReason {
        reason: Reason::Refused,
        action: Action::ReturnToSender,
    };
    core.correct(&correction(parcel, refused)).unwrap();
    assert_eq!(state(&work), ParcelState::Returning);
    assert_eq!(work.attempts()[0].reason, Some(Reason::BusinessClosed));
}

#[test]
fn a_cancellation_that_comes_after_the_delivery_leaves_both_and_a_flag() {
    let work = Work::on(Day::new(1).stops(1));
    let (stop, parcel) = (work.day.stop_id(0), work.day.parcel_id(0, 0));
    work.phone.deliver(stop, 1).unwrap();
    told(&work, 5, MORNING_MS + 1_000, EventKind::Cancelled);
    let view = work.phone.stop(stop).parcels.remove(0);
    assert_eq!(view.state, ParcelState::Delivered);
    assert!(matches!(
        view.flags[..],
        [Flag::CancelledAfterHandover { .. }]
    ));
    assert_eq!(work.phone.core().history(parcel).unwrap().len(), 2);
    // The same item again changes nothing.
    told(&work, 5, MORNING_MS + 1_000, EventKind::Cancelled);
    assert_eq!(work.phone.core().history(parcel).unwrap().len(), 2);
}

#[test]
fn a_cancelled_parcel_cannot_be_delivered_and_is_given_back() {
    let work = Work::on(Day::new(1).stops(1));
    let core = work.phone.core();
    let (stop, parcel) = (work.day.stop_id(0), work.day.parcel_id(0, 0));
    told(&work, 5, MORNING_MS, EventKind::Cancelled);
    assert!(matches!(
        work.phone.deliver(stop, 1),
        Err(Error::Refused(Refusal::NotNow(WhyNot::IllegalStep { .. })))
    ));
    assert_eq!(work.phone.stop(stop).state, StopState::Done);
    core.hand_back(&[parcel]).unwrap();
    assert_eq!(state(&work), ParcelState::AtDepot);
    let bodies = work.bodies(EntryKind::PARCEL_STEP);
    let body = ParcelStepBody::decode(&bodies[0]).unwrap();
    assert_eq!(body.event, EventKind::HandedBack);
    assert!(core.hand_back(&[parcel]).is_err());
}

#[test]
fn a_clock_far_behind_the_hub_is_told_and_a_little_behind_it_costs_nothing() {
    let work = Work::on(Day::new(1).stops(1));
    let stop = work.day.stop_id(0);
    told(&work, 1, MORNING_MS + 3_600_000, EventKind::Loaded);
    assert!(matches!(
        work.phone.fail(stop),
        Err(Error::Refused(Refusal::ClockBehind {
            behind_ms: 3_590_000..=3_600_000
        }))
    ));
    work.phone.clock.advance_ms(3_599_000);
    work.phone.deliver(stop, 1).unwrap();
    assert_eq!(state(&work), ParcelState::Delivered);
}

#[test]
fn a_new_time_is_the_next_attempt_of_the_same_parcel() {
    let work = Work::on(Day::new(1).stops(1));
    let core = work.phone.core();
    let parcel = work.day.parcel_id(0, 0);
    let window = Some((MORNING_MS + 60_000, MORNING_MS + 120_000));
    let after = core.reschedule(parcel, window, Some("客户改到下午"));
    assert_eq!(after.unwrap(), ParcelState::AwaitingNextAttempt);
    for bad in [(MORNING_MS, MORNING_MS), (MORNING_MS - 9, MORNING_MS - 5)] {
        assert!(matches!(
            core.reschedule(parcel, Some(bad), None),
            Err(Error::InvalidInput { .. })
        ));
    }
    work.phone.deliver(work.day.stop_id(0), 1).unwrap();
    assert_eq!(work.attempts()[0].attempt_no, 1);
    assert!(matches!(
        core.reschedule(parcel, None, None),
        Err(Error::Refused(Refusal::ParcelClosed))
    ));
}

#[test]
fn the_recipient_who_wants_it_at_the_door_gets_another_attempt() {
    let mut day = Day::new(1).stops(1);
    let parcel = day.parcel_id(0, 0);
    day.stops[0].parcels[0].consents = vec![satchel_tests::day::consent(
        &[HandoffKind::LeaveAtDoor],
        &[parcel],
        None,
    )];
    let work = Work::on(day);
    let core = work.phone.core();
    let draft = work.begin(0, HandoffKind::LeaveAtDoor);
    work.photo(draft.attempt_id, 1);
    let mut input = completion(
        &[parcel],
        satchel_core::model::attempt::ParcelOutcome::Delivered,
    );
    input.handoff = HandoffKind::LeaveAtDoor;
    core.complete_attempt(draft.attempt_id, &input).unwrap();
    assert_eq!(state(&work), ParcelState::Delivered);
    assert_eq!(
        work.phone.stop(work.day.stop_id(0)).parcels[0].outcome,
        Some(Outcome::Delivered)
    );
    told(&work, 9, MORNING_MS + 5_000, EventKind::RedeliveryDemanded);
    let line = core.history(parcel).unwrap().pop().unwrap();
    assert!(
        matches!(line.verdict, Verdict::NoEffect(_)) && !line.here,
        "only from a locker or station"
    );
}
