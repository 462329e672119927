//! Consents on the phone: taken on the spot, sent by the hub, standing, withdrawn; and what they open.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use satchel_core::model::attempt::{Completion, ParcelOutcome, ParcelResult};
use satchel_core::model::consent::{ConsentInput, EvidenceInput};
use satchel_core::rules::consent::{ConsentFault, Standing};
use satchel_core::{Error, Refusal};
use satchel_protocol::attempt::LeftAt;
use satchel_protocol::doorstep::{ConsentEvidence, ConsentRecord, ConsentWithdrawnBody};
use satchel_protocol::entry::EntryKind;
use satchel_protocol::feed::{CONSENT, CONSENT_WITHDRAWN};
use satchel_protocol::taxonomy::{CallResult, ConsentOrigin, Giver, HandoffKind, Relation};
use satchel_tests::day::{Day, MORNING_MS, consent};
use satchel_tests::phone::signature;
use satchel_tests::work::Work;

fn asked(work: &Work, scope: HandoffKind, evidence: EvidenceInput) -> ConsentInput {
    ConsentInput {
        stop: work.day.stop_id(0),
        parcels: vec![],
        scope: vec![scope],
        giver: Giver::Recipient,
        named_person: None,
        place: None,
        evidence,
        expires_at_ms: None,
    }
}

fn into_locker(work: &Work) -> Completion {
    Completion {
        left_at: Some(LeftAt {
            place: Some("L-3".into()),
            slot: Some("08".into()),
            receipt: None,
        }),
        ..Completion::new(
            HandoffKind::Locker,
            vec![ParcelResult::new(
                work.day.parcel_id(0, 0),
                ParcelOutcome::Delivered,
            )],
        )
    }
}

fn refusal<T: std::fmt::Debug>(result: satchel_core::Result<T>) -> Refusal {
    match result {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_answered_call_opens_the_locker_offline_and_the_entry_names_the_consent() {
    let work = Work::on(Day::new(1).stops(1));
    let core = work.phone.core();
    let stop = work.day.stop_id(0);
    let missed = work.phone.call(stop);
    let input = |seq| asked(&work, HandoffKind::Locker, EvidenceInput::Call { seq });
    assert_eq!(
        refusal(core.record_consent(&input(missed.seq))),
        Refusal::NoConsent(ConsentFault::NoConversation)
    );
    assert!(matches!(
        core.record_consent(&input(999)),
        Err(Error::NotFound { what: "call" })
    ));
    let call = work.phone.call_ending(stop, CallResult::Answered, 21);
    let view = core.record_consent(&input(call.seq)).unwrap();
    assert_eq!(view.standing, Standing::Valid);
    let draft = work.begin(0, HandoffKind::Locker);
    work.photo(draft.attempt_id, 1);
    core.complete_attempt(draft.attempt_id, &into_locker(&work))
        .unwrap();

    let body = work.attempts().remove(0);
    assert_eq!(body.consent.as_deref(), Some(view.consent_id.as_str()));
    assert_eq!(body.left_at.unwrap().slot.as_deref(), Some("08"));
    let records = work.bodies(EntryKind::CONSENT);
    let record = ConsentRecord::decode(&records[0]).unwrap();
    assert_eq!(record.origin, ConsentOrigin::OnTheSpot);
    let ConsentEvidence::Call { number, .. } = record.evidence else {
        panic!("{:?}", record.evidence);
    };
    assert!(number.contains('*'), "masked: {number}");
}

#[test]
fn a_signature_on_the_spot_is_a_proof_of_its_own_and_none_for_a_neighbour() {
    let work = Work::on(Day::new(1).stops(1));
    let core = work.phone.core();
    let drawn = || EvidenceInput::Signature(signature(3));
    assert_eq!(
        refusal(core.record_consent(&asked(&work, HandoffKind::Neighbour, drawn()))),
        Refusal::ConsentChannelInsufficient
    );
    core.record_consent(&asked(&work, HandoffKind::LeaveAtDoor, drawn()))
        .unwrap();
    let records = work.bodies(EntryKind::CONSENT);
    let record = ConsentRecord::decode(&records[0]).unwrap();
    let ConsentEvidence::Signature { ink } = record.evidence else {
        panic!("{:?}", record.evidence);
    };
    assert!(work.hub.has_blob(ink), "the ink is at the hub");
    let _opens = work.begin(0, HandoffKind::LeaveAtDoor);
}

#[test]
fn what_is_no_consent_is_named_and_nothing_is_written() {
    let work = Work::on(Day::new(1).stops(1));
    let core = work.phone.core();
    let message = || EvidenceInput::Message {
        text: "放驿站吧".into(),
        number: "13800000001".into(),
    };
    let base = asked(&work, HandoffKind::Station, message());
    let fault = |input: ConsentInput| refusal(core.record_consent(&input));
    let nobody_named = ConsentInput {
        scope: vec![HandoffKind::NamedProxy],
        ..base.clone()
    };
    assert_eq!(
        fault(nobody_named),
        Refusal::NoConsent(ConsentFault::NobodyNamed)
    );
    let nothing = ConsentInput {
        scope: vec![],
        ..base.clone()
    };
    assert_eq!(fault(nothing), Refusal::NoConsent(ConsentFault::EmptyScope));
    let over = ConsentInput {
        expires_at_ms: Some(MORNING_MS - 1),
        ..base.clone()
    };
    assert_eq!(
        fault(over),
        Refusal::NoConsent(ConsentFault::EndsBeforeItBegins)
    );
    let code = asked(&work, HandoffKind::Station, EvidenceInput::Code);
    assert_eq!(fault(code), Refusal::ConsentChannelInsufficient);
    let elsewhere = ConsentInput {
        parcels: vec![satchel_protocol::ids::ParcelId(uuid::Uuid::nil())],
        ..base.clone()
    };
    assert_eq!(fault(elsewhere), Refusal::ParcelNotAtStop);
    assert!(core.consents(work.day.stop_id(0)).unwrap().is_empty());
    core.record_consent(&base).unwrap();
    assert_eq!(work.bodies(EntryKind::CONSENT).len(), 1);
}

#[test]
fn a_consent_of_the_page_arrives_and_its_withdrawal_locks_again() {
    let work = Work::on(Day::new(1).stops(1));
    let core = work.phone.core();
    let stop = work.day.stop_id(0);
    let record = consent(&[HandoffKind::Locker], &[work.day.parcel_id(0, 0)], None);
    work.tell(CONSENT, &record);
    let draft = work.begin(0, HandoffKind::Locker);
    work.photo(draft.attempt_id, 1);
    work.tell(
        CONSENT_WITHDRAWN,
        &ConsentWithdrawnBody {
            consent_id: "c-1".into(),
            withdrawn_at_ms: MORNING_MS,
            stop: None,
        },
    );
    assert_eq!(
        refusal(core.complete_attempt(draft.attempt_id, &into_locker(&work))),
        Refusal::ConsentWithdrawn
    );
    assert_eq!(
        core.consents(stop).unwrap()[0].standing,
        Standing::Withdrawn
    );
    // The draft and its photo are still there, for another way of handing over.
    assert_eq!(work.begin(0, HandoffKind::Recipient).photos.len(), 1);
    // The same record sent again does not undo the withdrawal.
    work.tell(CONSENT, &record);
    assert_eq!(
        refusal(core.begin_attempt(stop, HandoffKind::Locker)),
        Refusal::ConsentWithdrawn
    );
}

#[test]
fn a_withdrawal_at_the_door_counts_from_now_and_is_written_once() {
    let mut day = Day::new(1).stops(1);
    let parcel = day.parcel_id(0, 0);
    day.stops[0].parcels[0].consents = vec![consent(&[HandoffKind::Locker], &[parcel], None)];
    let work = Work::on(day);
    let core = work.phone.core();
    let stop = work.day.stop_id(0);
    for _ in 0..2 {
        core.withdraw_consent("c-1", Some(stop)).unwrap();
    }
    assert_eq!(work.bodies(EntryKind::CONSENT_WITHDRAWN).len(), 1);
    assert_eq!(
        refusal(core.begin_attempt(stop, HandoffKind::Locker)),
        Refusal::ConsentWithdrawn
    );
    assert!(matches!(
        core.withdraw_consent("k-9", None),
        Err(Error::NotFound { what: "consent" })
    ));
}

#[test]
fn a_standing_preference_is_for_everything_that_goes_to_its_recipient() {
    let mut day = Day::new(1).stops(3);
    day.stops[1].recipient = day.stops[0].recipient.clone();
    day.stops[0].parcels[0].consents = vec![ConsentRecord {
        origin: ConsentOrigin::StandingPreference,
        parcels: vec![],
        evidence: ConsentEvidence::Preference {
            reference: "p-1".into(),
        },
        expires_at_ms: Some(MORNING_MS + 86_400_000),
        ..consent(&[HandoffKind::LeaveAtDoor], &[], None)
    }];
    let work = Work::on(day);
    let begin = |stop: usize| {
        work.phone
            .core()
            .begin_attempt(work.day.stop_id(stop), HandoffKind::LeaveAtDoor)
    };
    begin(0).unwrap();
    begin(1).unwrap();
    assert!(matches!(refusal(begin(2)), Refusal::ConsentMissing { .. }));
}

#[test]
fn the_person_named_is_the_one_who_signs_and_the_sender_speaks_only_for_a_return() {
    let mut day = Day::new(1).stops(1);
    let parcel = day.parcel_id(0, 0);
    day.stops[0].parcels[0].consents = vec![
        ConsentRecord {
            named_person: Some("李四".into()),
            ..consent(&[HandoffKind::NamedProxy], &[parcel], None)
        },
        ConsentRecord {
            consent_id: "c-2".into(),
            giver: Giver::Sender,
            ..consent(&[HandoffKind::Guard], &[parcel], None)
        },
    ];
    let work = Work::on(day);
    let core = work.phone.core();
    assert_eq!(
        refusal(core.begin_attempt(work.day.stop_id(0), HandoffKind::Guard)),
        Refusal::ConsentWrongGiver
    );
    let draft = work.begin(0, HandoffKind::NamedProxy);
    work.photo(draft.attempt_id, 1);
    let signed_by = |name: &str| Completion {
        handoff: HandoffKind::NamedProxy,
        signer_name: Some(name.into()),
        relation: Some(Relation::Family),
        ..work.phone.delivered(work.day.stop_id(0), 1)
    };
    assert_eq!(
        refusal(core.complete_attempt(draft.attempt_id, &signed_by("王五"))),
        Refusal::ConsentNamesSomebodyElse
    );
    core.complete_attempt(draft.attempt_id, &signed_by(" 李四 "))
        .unwrap();
}

#[test]
fn goods_with_an_age_limit_are_never_left_where_nobody_can_be_checked() {
    let mut day = Day::new(1).stops(1);
    let parcel = day.parcel_id(0, 0);
    let item = &mut day.stops[0].parcels[0];
    item.consents = vec![consent(&[HandoffKind::Locker], &[parcel], None)];
    item.min_age_years = Some(18);
    let work = Work::on(day);
    let core = work.phone.core();
    let stop = work.day.stop_id(0);
    assert_eq!(
        refusal(core.begin_attempt(stop, HandoffKind::Locker)),
        Refusal::NobodyToCheck
    );
    let draft = work.begin(0, HandoffKind::Recipient);
    work.photo(draft.attempt_id, 1);
    let checked = |age_checked| Completion {
        age_checked,
        ..work.phone.delivered(stop, 1)
    };
    for result in [None, Some(false)] {
        assert!(matches!(
            refusal(core.complete_attempt(draft.attempt_id, &checked(result))),
            Refusal::Missing { .. }
        ));
    }
    core.complete_attempt(draft.attempt_id, &checked(Some(true)))
        .unwrap();
    assert_eq!(work.attempts()[0].age_checked, Some(true));
}
