//! Golden vectors of the doorstep: the exact bytes of consents, corrections, steps and events, as committed
//! in `golden/doorstep.json`. The same promise as in `golden.rs`, and the same way to change it before
//! anything has shipped: `SATCHEL_GOLDEN=write`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use data_encoding::HEXLOWER;
use satchel_protocol::attempt::{
    AttemptBody, CodeResult, Fix, ItemCount, LeftAt, ProofRef, SkipRecord,
};
use satchel_protocol::doorstep::{
    ConsentEvidence, ConsentRecord, ConsentWithdrawnBody, CorrectionBody, ParcelStepBody,
    RuleSetRefusedBody,
};
use satchel_protocol::feed::ParcelEventItem;
use satchel_protocol::ids::{AttemptId, DeviceId, Hash32, ParcelId, StopId};
use satchel_protocol::taxonomy::{
    Action, CallResult, ConsentOrigin, Datum, Giver, HandoffKind, Outcome, PhotoOrigin, ProofKind,
    Reason, Zone,
};
use satchel_protocol::transitions::{Correction, Event, EventId, EventKind, Origin};
use uuid::Uuid;

const DEVICE: DeviceId = DeviceId(Uuid::from_u128(0x0198_c0de_7d0c_7000_8000_0000_0000_beef));
const PARCEL: ParcelId = ParcelId(Uuid::from_u128(0x0198_c0de_7d0c_7000_8000_0000_0000_0001));
const STOP: StopId = StopId(Uuid::from_u128(0x0198_c0de_7d0c_7000_8000_0000_0000_0002));
const ATTEMPT: AttemptId = AttemptId(Uuid::from_u128(0x0198_c0de_7d0c_7000_8000_0000_0000_0003));
const AT_MS: i64 = 1_795_219_200_123;

type Vectors = BTreeMap<String, String>;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/doorstep.json")
}

fn consent(evidence: ConsentEvidence) -> ConsentRecord {
    ConsentRecord {
        consent_id: "door-7".into(),
        giver: Giver::Recipient,
        origin: ConsentOrigin::OnTheSpot,
        scope: vec![HandoffKind::Locker, HandoffKind::NamedProxy],
        parcels: vec![PARCEL],
        named_person: Some("李四".into()),
        place: Some("L-3".into()),
        evidence,
        given_at_ms: AT_MS,
        expires_at_ms: Some(AT_MS + 3_600_000),
        withdrawn_at_ms: None,
    }
}

/// Every way a consent can be shown.
fn evidence() -> [(&'static str, ConsentEvidence); 6] {
    [
        (
            "call",
            ConsentEvidence::Call {
                call_id: "entry-12".into(),
                number: "138*******1".into(),
                result: CallResult::Answered,
                duration_s: 21,
            },
        ),
        ("code", ConsentEvidence::Code { verified: true }),
        (
            "message",
            ConsentEvidence::Message {
                text_hash: Hash32([0xB1; 32]),
                number: "138*******1".into(),
            },
        ),
        (
            "page",
            ConsentEvidence::Page {
                reference: "click-9".into(),
            },
        ),
        (
            "preference",
            ConsentEvidence::Preference {
                reference: "pref-2".into(),
            },
        ),
        (
            "signature",
            ConsentEvidence::Signature {
                ink: Hash32([0xB2; 32]),
            },
        ),
    ]
}

fn here(seq: i64) -> EventId {
    EventId {
        origin: Origin::Phone(DEVICE),
        seq,
    }
}

/// Every correction, by name.
fn corrections() -> [(&'static str, Correction); 5] {
    [
        ("undo", Correction::Undo),
        ("reopen", Correction::Reopen),
        ("late_proof", Correction::LateProof),
        ("wrong_parcel", Correction::WrongParcel { meant: PARCEL }),
        (
            "wrong_reason",
            Correction::WrongReason {
                reason: Reason::Refused,
                action: Action::ReturnToSender,
            },
        ),
    ]
}

fn correction(what: Correction) -> CorrectionBody {
    CorrectionBody {
        parcel: PARCEL,
        stop: STOP,
        of: here(41),
        correction: what,
        words: Some("点错了".into()),
        proofs: vec![ProofRef {
            hash: Hash32([0xA1; 32]),
            kind: ProofKind::Photo,
            size_bytes: 99_000,
            origin: Some(PhotoOrigin::Camera),
            captured_at_ms: AT_MS,
            photo: None,
        }],
    }
}

fn step() -> ParcelStepBody {
    ParcelStepBody {
        parcel: PARCEL,
        stop: STOP,
        event: EventKind::Rescheduled,
        window_ms: Some((AT_MS, AT_MS + 7_200_000)),
        words: Some("改到下午".into()),
    }
}

/// One of each kind of event, as a phone stores them and a hub sends them.
fn events() -> Vec<Event> {
    let kinds = [
        EventKind::Collected,
        EventKind::Loaded,
        EventKind::Delivered {
            handoff: HandoffKind::Locker,
        },
        EventKind::PartlyDelivered,
        EventKind::Failed {
            reason: Reason::RecipientAbsent,
            action: Action::SecondDelivery,
        },
        EventKind::Rescheduled,
        EventKind::Cancelled,
        EventKind::HandedBack,
        EventKind::ReturnedToSender,
        EventKind::CollectedByRecipient,
        EventKind::RedeliveryDemanded,
        EventKind::Corrected {
            of: here(3),
            correction: Correction::Undo,
        },
    ];
    kinds
        .into_iter()
        .zip(1i64..)
        .map(|(kind, seq)| Event {
            id: if seq % 2 == 0 {
                here(seq)
            } else {
                EventId {
                    origin: Origin::Hub,
                    seq,
                }
            },
            at_ms: AT_MS + seq,
            kind,
        })
        .collect()
}

/// An attempt with everything a doorstep can add.
fn attempt() -> AttemptBody {
    AttemptBody {
        skips: vec![SkipRecord {
            item: "TEMPERATURE".into(),
            reason: "DEVICE_FAULT".into(),
        }],
        items: vec![ItemCount {
            label: "苹果".into(),
            of: 3,
            accepted: 2,
        }],
        left_at: Some(LeftAt {
            place: Some("L-3".into()),
            slot: Some("08".into()),
            receipt: None,
        }),
        age_checked: Some(true),
        visibly_damaged: true,
        scanned: true,
        code: Some(CodeResult::AwaitsHub),
        temperature_centi_c: Some((-150, 420)),
        warnings: vec!["QUIET_HOURS".into()],
        fix: Some(Fix {
            datum: Some(Datum::Bd09),
            raw: Some((37.470_1, 121.454_2)),
            zone: Some(Zone::Inside),
            distance_m: Some(3.5),
            ..Fix::wgs84(37.463_8, 121.447_9, 8.0, 500, false)
        }),
        ..AttemptBody::bare(
            ATTEMPT,
            PARCEL,
            STOP,
            Outcome::PartiallyDelivered,
            HandoffKind::Partial,
        )
    }
}

fn made() -> Vectors {
    let hex = |bytes: &[u8]| HEXLOWER.encode(bytes);
    let mut out = Vectors::new();
    for (name, shown) in evidence() {
        out.insert(
            format!("consent_{name}"),
            hex(&consent(shown.clone()).encode()),
        );
        let json = serde_json::to_string(&consent(shown)).unwrap();
        out.insert(format!("feed_consent_{name}"), json);
    }
    for (name, what) in corrections() {
        out.insert(
            format!("correction_{name}"),
            hex(&correction(what).encode()),
        );
    }
    let withdrawn = ConsentWithdrawnBody {
        consent_id: "door-7".into(),
        withdrawn_at_ms: AT_MS,
        stop: Some(STOP),
    };
    out.insert("consent_withdrawn".into(), hex(&withdrawn.encode()));
    out.insert("parcel_step".into(), hex(&step().encode()));
    let refused = RuleSetRefusedBody {
        current_version: 3,
        offered_version: Some(4),
        document: Hash32([0xD1; 32]),
        why: "rule no-photo weakens PHOTO".into(),
    };
    out.insert("rule_set_refused".into(), hex(&refused.encode()));
    out.insert("events".into(), hex(&minicbor::to_vec(events()).unwrap()));
    for event in events() {
        let item = ParcelEventItem {
            parcel_id: PARCEL,
            event,
        };
        out.insert(
            format!("feed_parcel_event_{:02}", event.id.seq),
            serde_json::to_string(&item).unwrap(),
        );
    }
    out.insert("attempt_body_partial".into(), hex(&attempt().encode()));
    out
}

#[test]
fn every_doorstep_format_has_its_committed_bytes() {
    let made = made();
    if std::env::var("SATCHEL_GOLDEN").as_deref() == Ok("write") {
        let text = serde_json::to_string_pretty(&made).unwrap();
        std::fs::write(path(), text + "\n").unwrap();
        return;
    }
    let text = std::fs::read_to_string(path()).unwrap();
    let committed: Vectors = serde_json::from_str(&text).unwrap();
    let names = |v: &Vectors| v.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&made), names(&committed), "a format came or went");
    for (name, value) in &made {
        assert_eq!(value, &committed[name], "WIRE FORMAT CHANGED: {name}");
    }
}

#[test]
fn committed_doorstep_bytes_are_read_and_mean_the_same() {
    let text = std::fs::read_to_string(path()).unwrap();
    let v: Vectors = serde_json::from_str(&text).unwrap();
    let unhex = |name: &str| HEXLOWER.decode(v[name].as_bytes()).unwrap();
    for (name, shown) in evidence() {
        let want = consent(shown);
        let read = ConsentRecord::decode(&unhex(&format!("consent_{name}"))).unwrap();
        assert_eq!(read, want);
        let read: ConsentRecord =
            serde_json::from_str(&v[&format!("feed_consent_{name}")]).unwrap();
        assert_eq!(read, want);
    }
    for (name, what) in corrections() {
        let read = CorrectionBody::decode(&unhex(&format!("correction_{name}"))).unwrap();
        assert_eq!(read, correction(what));
    }
    assert_eq!(
        ParcelStepBody::decode(&unhex("parcel_step")).unwrap(),
        step()
    );
    let read: Vec<Event> = minicbor::decode(&unhex("events")).unwrap();
    assert_eq!(read, events());
    for event in events() {
        let name = format!("feed_parcel_event_{:02}", event.id.seq);
        let read: ParcelEventItem = serde_json::from_str(&v[&name]).unwrap();
        assert_eq!((read.parcel_id, read.event), (PARCEL, event));
    }
    let read = AttemptBody::decode(&unhex("attempt_body_partial")).unwrap();
    assert_eq!(read, attempt());
}
