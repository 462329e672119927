//! What the hub says about handoffs after the fact.

use satchel_protocol::doorstep::{ConsentEvidence, ConsentRecord};
use satchel_protocol::ids::{Hash32, ParcelId};
use satchel_protocol::taxonomy::{CallResult, ConsentOrigin, Giver, HandoffKind};
use uuid::Uuid;

use super::{HandoffCase, Refusal, refusal};

fn parcel() -> ParcelId {
    ParcelId(Uuid::from_u128(7))
}

fn consent(scope: HandoffKind) -> ConsentRecord {
    ConsentRecord {
        consent_id: "c-1".into(),
        giver: Giver::Recipient,
        origin: ConsentOrigin::HubPage,
        scope: vec![scope],
        parcels: vec![parcel()],
        named_person: None,
        place: None,
        evidence: ConsentEvidence::Page {
            reference: "r".into(),
        },
        given_at_ms: 1_000,
        expires_at_ms: None,
        withdrawn_at_ms: None,
    }
}

fn case(handoff: HandoffKind, at_ms: i64) -> HandoffCase<'static> {
    HandoffCase {
        handoff,
        parcel: parcel(),
        door_required: false,
        age_limited: false,
        signer_name: None,
        at_ms,
    }
}

#[test]
fn a_locker_needs_a_consent_that_holds_at_that_very_time() {
    let at = |c: &ConsentRecord, at_ms| refusal(&case(HandoffKind::Locker, at_ms), [c]);
    let open = consent(HandoffKind::Locker);
    assert_eq!(at(&open, 999), Some(Refusal::NoConsent));
    assert_eq!(at(&open, 1_000), None);
    let withdrawn = ConsentRecord {
        withdrawn_at_ms: Some(2_000),
        ..open.clone()
    };
    assert_eq!(at(&withdrawn, 1_999), None);
    assert_eq!(at(&withdrawn, 2_000), Some(Refusal::NoConsent));
    let expired = ConsentRecord {
        expires_at_ms: Some(1_500),
        ..open
    };
    assert_eq!(at(&expired, 1_500), Some(Refusal::NoConsent));
    let station = consent(HandoffKind::Station);
    assert_eq!(at(&station, 1_500), Some(Refusal::NoConsent));
    assert_eq!(refusal(&case(HandoffKind::Recipient, 5), []), None);
}

#[test]
fn door_delivery_and_age_limits_are_not_lifted_by_any_consent() {
    let consent = consent(HandoffKind::Locker);
    let door = HandoffCase {
        door_required: true,
        ..case(HandoffKind::Locker, 1_500)
    };
    assert_eq!(refusal(&door, [&consent]), Some(Refusal::DoorRequired));
    let age = HandoffCase {
        age_limited: true,
        ..case(HandoffKind::Locker, 1_500)
    };
    assert_eq!(refusal(&age, [&consent]), Some(Refusal::NobodyToCheck));
}

#[test]
fn the_channel_and_the_person_must_fit() {
    let with = |evidence, handoff| {
        let record = ConsentRecord {
            evidence,
            ..consent(handoff)
        };
        refusal(&case(handoff, 1_500), [&record])
    };
    let signature = ConsentEvidence::Signature { ink: Hash32::ZERO };
    assert_eq!(with(signature.clone(), HandoffKind::Locker), None);
    assert_eq!(
        with(signature, HandoffKind::Neighbour),
        Some(Refusal::NoConsent)
    );
    let call = |result| ConsentEvidence::Call {
        call_id: "1".into(),
        number: "1****".into(),
        result,
        duration_s: 20,
    };
    assert_eq!(with(call(CallResult::Answered), HandoffKind::Guard), None);
    assert_eq!(
        with(call(CallResult::NoAnswer), HandoffKind::Guard),
        Some(Refusal::NoConsent)
    );
    let code = ConsentEvidence::Code { verified: false };
    assert_eq!(with(code, HandoffKind::Locker), Some(Refusal::NoConsent));

    let named = ConsentRecord {
        named_person: Some("李娜".into()),
        ..consent(HandoffKind::NamedProxy)
    };
    let by = |signer_name| {
        let case = HandoffCase {
            signer_name,
            ..case(HandoffKind::NamedProxy, 1_500)
        };
        refusal(&case, [&named])
    };
    assert_eq!(by(Some(" 李娜 ")), None);
    assert_eq!(by(Some("王强")), Some(Refusal::NoConsent));
}
