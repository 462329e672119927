//! Golden vectors: the exact bytes of every format that leaves a device, as committed in
//! `golden/vectors.json`.
//!
//! Phones in the field, stored evidence and exported bundles hold these bytes for years. A difference
//! here means that they can no longer be read or verified: make a new version of the format instead.
//! Only when a format that has never shipped changes on purpose, run with `SATCHEL_GOLDEN=write`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use data_encoding::HEXLOWER;
use ed25519_dalek::SigningKey;
use p256::ecdsa::signature::Signer as _;
use satchel_protocol::api::{ErrorBody, ErrorCode};
use satchel_protocol::attempt::{
    AttemptBody, CodeResult, Disclaimer, EnrolledBody, Fix, IdentityCheck, ItemCount, LeftAt,
    PhotoFacts, ProofRef, RevealedBody, SignatureFacts, SkipRecord, Thumbnail,
};
use satchel_protocol::batch::{Batch, Form, InlineBlob};
use satchel_protocol::crypto::{self, Secret32};
use satchel_protocol::device_keys::SignedStatement;
use satchel_protocol::enrol::{
    self, Certificate, EnrolRequest, EnrolResponse, Invite, SignedCertificate, VouchedBy,
};
use satchel_protocol::entry::{ALG_ED25519_SHA256, ENTRY_VERSION, EntryKind, Header, SignedEntry};
use satchel_protocol::feed::{FeedContent, FeedPage, TrafficItem};
use satchel_protocol::http_sig::{self, RequestParts, SignParams};
use satchel_protocol::ids::{
    AttemptId, BootId, CourierId, DeviceId, Handle, Hash32, ParcelId, Salt, StopId,
};
use satchel_protocol::ink::{InkPoint, KeepDynamics, Signature};
use satchel_protocol::lost::{LossCause, ProofLostBody};
use satchel_protocol::receipt::{Receipt, ReceiptEntry, SignedReceipt};
use satchel_protocol::signed_time::SignedTime;
use satchel_protocol::taxonomy::{
    Action, HandoffKind, IdentityMethod, InkDoubt, InspectionResult, Outcome, PhotoOrigin,
    ProofKind, Reason, Relation,
};
use satchel_protocol::token::{self, RatingToken};
use satchel_protocol::wedge::{ReplacementBody, WedgeReason, Wedged};
use uuid::Uuid;

const DEVICE: DeviceId = DeviceId(Uuid::from_u128(0x0198_c0de_7d0c_7000_8000_0000_0000_beef));
const PARCEL: ParcelId = ParcelId(Uuid::from_u128(0x0198_c0de_7d0c_7000_8000_0000_0000_0001));
const STOP: StopId = StopId(Uuid::from_u128(0x0198_c0de_7d0c_7000_8000_0000_0000_0002));
const ATTEMPT: AttemptId = AttemptId(Uuid::from_u128(0x0198_c0de_7d0c_7000_8000_0000_0000_0003));
const COURIER: CourierId = CourierId(Uuid::from_u128(0x0198_c0de_7d0c_7000_8000_0000_0000_0004));

fn phone() -> SigningKey {
    SigningKey::from_bytes(&[0x11; 32])
}

fn hub() -> SigningKey {
    SigningKey::from_bytes(&[0x22; 32])
}

type Vectors = BTreeMap<String, String>;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/vectors.json")
}

fn committed() -> Vectors {
    let text = std::fs::read_to_string(path()).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

fn unhex(vectors: &Vectors, name: &str) -> Vec<u8> {
    HEXLOWER.decode(vectors[name].as_bytes()).unwrap()
}

fn ink() -> Signature {
    let line = |dx: f32| {
        (0..12u8)
            .map(|i| InkPoint {
                x: 60.0 + dx + f32::from(i) * 30.0,
                y: 80.0 + f32::from(i % 3) * 45.5,
                t_ms: u32::from(i) * 16,
                ..InkPoint::default()
            })
            .collect::<Vec<_>>()
    };
    Signature::from_strokes(&[line(0.0), line(100.25)], 600.0, 300.0).unwrap()
}

fn timed_ink() -> Signature {
    let line: Vec<InkPoint> = (0..12u8)
        .map(|i| InkPoint {
            x: 60.0 + f32::from(i) * 30.0,
            y: 80.0 + f32::from(i % 3) * 45.5,
            t_ms: u32::from(i) * 16,
            pressure: Some(f32::from(i) / 12.0),
        })
        .collect();
    Signature::take(&[line], 600.0, 300.0, KeepDynamics::Yes).unwrap()
}

fn delivered() -> AttemptBody {
    AttemptBody {
        attempt: ATTEMPT,
        parcel: PARCEL,
        stop: STOP,
        attempt_no: 2,
        outcome: Outcome::Delivered,
        handoff: HandoffKind::HouseholdOrColleague,
        reason: None,
        action: None,
        signer_name: Some("李四".into()),
        relation: Some(Relation::Family),
        identity: Some(IdentityCheck {
            method: IdentityMethod::PhoneLast4,
            matched: true,
        }),
        inspection: Some(InspectionResult::Declined),
        consent: Some("consent-7".into()),
        proofs: vec![
            ProofRef {
                hash: Hash32([0xA1; 32]),
                kind: ProofKind::Photo,
                size_bytes: 201_337,
                origin: Some(PhotoOrigin::Camera),
                captured_at_ms: 1_795_219_200_123,
                photo: Some(PhotoFacts {
                    thumb: Some(Thumbnail {
                        hash: Hash32([0xA3; 32]),
                        size_bytes: 6_213,
                    }),
                    ..PhotoFacts::default()
                }),
            },
            ProofRef {
                hash: Hash32([0xA2; 32]),
                kind: ProofKind::Signature,
                size_bytes: 611,
                origin: None,
                captured_at_ms: 1_795_219_201_456,
                photo: None,
            },
        ],
        fix: Some(Fix {
            distance_m: Some(23.75),
            ..Fix::wgs84(37.539_297, 121.391_382, 8.5, 1_200, false)
        }),
        note: Some("放在门口".into()),
        rules_version: 1,
        skips: vec![SkipRecord {
            item: "TEMPERATURE".into(),
            reason: "DEVICE_FAULT".into(),
        }],
        items: vec![ItemCount {
            label: "鞋".into(),
            of: 2,
            accepted: 1,
        }],
        left_at: Some(LeftAt {
            place: Some("L-7".into()),
            slot: Some("0831".into()),
            receipt: None,
        }),
        age_checked: Some(true),
        visibly_damaged: true,
        scanned: true,
        code: Some(CodeResult::Verified),
        temperature_centi_c: Some((-120, 780)),
        warnings: vec!["QUIET_HOURS".into()],
        signature: None,
    }
}

fn signed() -> AttemptBody {
    AttemptBody {
        signature: Some(SignatureFacts {
            disclaimer: Some(Disclaimer {
                version: "2026-11".into(),
                text: "本人已验货 / I have inspected the parcel".into(),
            }),
            doubts: vec![InkDoubt::FewTurns, InkDoubt::Quick],
            asked_again: true,
        }),
        ..delivered()
    }
}

fn failed() -> AttemptBody {
    AttemptBody {
        outcome: Outcome::Failed,
        handoff: HandoffKind::Recipient,
        reason: Some(Reason::RecipientAbsent),
        action: Some(Action::SecondDelivery),
        signer_name: None,
        relation: None,
        identity: None,
        inspection: None,
        consent: None,
        proofs: vec![],
        fix: None,
        note: None,
        ..AttemptBody {
            attempt_no: 2,
            rules_version: 1,
            ..AttemptBody::bare(
                ATTEMPT,
                PARCEL,
                STOP,
                Outcome::Failed,
                HandoffKind::Recipient,
            )
        }
    }
}

fn header() -> Header {
    Header {
        version: ENTRY_VERSION,
        alg: ALG_ED25519_SHA256,
        device: DEVICE,
        seq: 300,
        prev: Hash32([0xB0; 32]),
        kind: EntryKind::ATTEMPT,
        occurred_at_ms: 1_795_219_202_000,
        boot_id: BootId([0xB1; 16]),
        boottime_ns: 86_400_000_000_123,
        utc_offset_min: 480,
        anchor: Some(Hash32([0xB2; 32])),
        handle: Some(Handle([0xB3; 8])),
        commitment: Hash32::ZERO,
        blobs: vec![Hash32([0xA1; 32]), Hash32([0xA2; 32])],
    }
}

fn entry() -> SignedEntry {
    SignedEntry::seal(header(), Salt([0xC0; 32]), delivered().encode(), &phone())
}

fn receipt() -> SignedReceipt {
    Receipt {
        version: 1,
        device: DEVICE,
        hub_key: crypto::key_id(&hub().verifying_key()),
        received_at_ms: 1_795_219_260_000,
        entries: vec![ReceiptEntry {
            seq: 300,
            hash: entry().hash(),
        }],
        blobs: vec![Hash32([0xA2; 32])],
        head_seq: 300,
        wedged: None,
    }
    .sign(&hub())
}

fn wedged_receipt() -> SignedReceipt {
    Receipt {
        version: 1,
        device: DEVICE,
        hub_key: crypto::key_id(&hub().verifying_key()),
        received_at_ms: 1_795_219_260_000,
        entries: vec![],
        blobs: vec![],
        head_seq: 300,
        wedged: Some(vec![Wedged {
            seq: 299,
            reason: WedgeReason::COMMITMENT_MISMATCH,
            replaced_by: Some(300),
        }]),
    }
    .sign(&hub())
}

fn replacement() -> ReplacementBody {
    ReplacementBody {
        of_seq: 299,
        of_hash: Hash32([0xB7; 32]),
        kind: EntryKind::ATTEMPT,
        body: failed().encode(),
    }
}

fn lost() -> ProofLostBody {
    ProofLostBody {
        hash: Hash32([0xC1; 32]),
        of_seq: 298,
        cause: LossCause::DAMAGED,
    }
}

fn batch() -> Batch {
    let bytes = ink().encode();
    Batch {
        entries: vec![
            entry(),
            SignedEntry {
                salt: None,
                body: None,
                ..entry()
            },
        ],
        blobs: vec![InlineBlob {
            hash: crypto::sha256(&[&bytes]),
            kind: ProofKind::Signature,
            bytes,
        }],
    }
}

fn invite() -> Invite {
    Invite {
        version: 1,
        hub_url: "https://hub.example.com".into(),
        code: [0xD0; 16],
        hub_key: hub().verifying_key().to_bytes(),
        pins: None,
    }
}

fn certificate() -> Certificate {
    Certificate {
        version: 1,
        device: DEVICE,
        log_key: Hash32(phone().verifying_key().to_bytes()),
        courier: COURIER,
        issued_at_ms: 1_795_219_100_000,
        hardware_key: None,
    }
}

/// What the phone's hardware says of its log key. ECDSA as RFC 6979 has it, so the bytes are always the same.
fn statement() -> SignedStatement {
    let hardware = p256::ecdsa::SigningKey::from_slice(&[0x33; 32]).unwrap();
    let point = hardware.verifying_key().to_sec1_point(true);
    let said = enrol::statement_at_enrolment(
        &[0xD0; 16],
        DEVICE,
        &phone().verifying_key(),
        crypto::p256_key(point.as_bytes()).unwrap(),
    );
    let made: p256::ecdsa::Signature = hardware.sign(&said.to_be_signed());
    said.sign(&phone(), crypto::p256_signature(&made.to_bytes()))
}

fn vouched_certificate() -> Vec<u8> {
    let hardware_key = statement().verify().unwrap().hardware_key;
    let certificate = Certificate {
        hardware_key,
        ..certificate()
    };
    SignedCertificate {
        statement: Some(statement()),
        ..certificate.sign(&hub())
    }
    .encode()
}

fn enrol_response() -> EnrolResponse {
    EnrolResponse {
        device_id: DEVICE,
        courier_id: COURIER,
        courier_name: "王师傅".into(),
        hub_time_ms: 1_795_219_100_000,
        certificate: hex(&certificate().sign(&hub()).encode()),
    }
}

fn token() -> RatingToken {
    let key = token::rating_key(&Secret32::new([0xE0; 32]), PARCEL, DEVICE);
    RatingToken::mint(&key, Handle([0xB3; 8]), &entry().hash())
}

fn clock_skew() -> ErrorBody {
    ErrorBody {
        error: ErrorCode::ClockSkew,
        detail: None,
        time: Some(SignedTime::sign(
            &hub(),
            1_795_219_300_000,
            "AQIDBAUGBwgJCgsM",
        )),
        expected_seq: None,
    }
}

const FEED_PAGE: &str = r#"{"items":[
{"seq":1,"kind":"route","data":{"route_id":"0198c0de-7d0c-7000-8000-000000000005","name":"R1","service_date":"2026-11-21","depot":{"lat":37.5,"lng":121.4},"stop_count":1}},
{"seq":2,"kind":"stop","data":{"stop_id":"0198c0de-7d0c-7000-8000-000000000002","route_id":"0198c0de-7d0c-7000-8000-000000000005","position":1,"place":{"lat":37.51,"lng":121.41},"address":"港城东大街588号","recipient":{"name":"张三","phone":"13812345678"},"window_start_ms":null,"window_end_ms":1795240800000,"parcels":[{"parcel_id":"0198c0de-7d0c-7000-8000-000000000001","waybill":"YT0001","handle":"b3b3b3b3b3b3b3b3","rating_key":"0101010101010101010101010101010101010101010101010101010101010101","promise_class":"same_city","promised_by_ms":1795262400000,"accepted_at_ms":1795215600000,"tags":["fragile"],"door_required":true,"consents":[{"consent_id":"c1","giver":"RECIPIENT","origin":"HUB_PAGE","scope":["LOCKER","STATION"],"parcels":["0198c0de-7d0c-7000-8000-000000000001"],"named_person":null,"place":null,"evidence":{"kind":"page","reference":"click-1"},"given_at_ms":1795215600000,"expires_at_ms":null,"withdrawn_at_ms":null}],"tier":null,"min_age_years":18,"customer_window_end_ms":null,"temperature":{"min_centi_c":200,"max_centi_c":800},"code":{"judge":"hub","digits":6},"pickup":null}]}},
{"seq":3,"kind":"rating","data":{"parcel_id":"0198c0de-7d0c-7000-8000-000000000001","stars":5,"timeliness":5,"attitude":4,"information":null,"tags":["polite"],"comment":"谢谢","rated_at_ms":1795230000000,"bound":true}},
{"seq":4,"kind":"stop_removed","data":{"stop_id":"0198c0de-7d0c-7000-8000-000000000002"}}],
"cursor":"4","more":false,"server_time_ms":1795219300000}"#;

/// What the hub knows of the roads; a field of a newer hub is skipped.
const TRAFFIC: &str = r#"{"made_at_ms":1795219300000,"utc_offset_min":480,"free_flow":{"detour_permille":1300,"speeds":[[150,1400],[1000,4000],[5000,6000]]},"bands_min":[0,420,540],"elsewhere":[1000,650,900],"zones":[{"south":37.5,"west":121.3,"north":37.55,"east":121.45,"speeds":[1000,300,800],"why":"roadworks"}]}"#;

/// Every vector as this build makes it.
fn made() -> Vectors {
    let mut out = Vectors::new();
    let mut put = |name: &str, value: String| {
        assert!(out.insert(name.to_owned(), value).is_none());
    };
    put("attempt_body_delivered", hex(&delivered().encode()));
    put("attempt_body_failed", hex(&failed().encode()));
    put("attempt_body_signed", hex(&signed().encode()));
    let enrolled = EnrolledBody {
        device: DEVICE,
        courier: COURIER,
        certificate: Hash32([0xF0; 32]),
    };
    put("enrolled_body", hex(&enrolled.encode()));
    put("revealed_body", hex(&RevealedBody { stop: STOP }.encode()));
    put("entry_header", hex(&entry().header));
    put("entry_hash", entry().hash().to_string());
    put("signed_entry", hex(&minicbor::to_vec(entry()).unwrap()));
    put("receipt", hex(&receipt().encode()));
    put("batch_frame", hex(&batch().encode().unwrap()));
    put("batch_lean", hex(&batch().encode_as(Form::Lean).unwrap()));
    put(
        "batch_json",
        String::from_utf8(batch().encode_as(Form::Json).unwrap()).unwrap(),
    );
    put("receipt_wedged", hex(&wedged_receipt().encode()));
    put("replacement_body", hex(&replacement().encode()));
    put("proof_lost_body", hex(&lost().encode()));
    put("ink", hex(&ink().encode()));
    put("ink_bound", hex(&ink().bound_to(ATTEMPT).encode()));
    put("ink_timed", hex(&timed_ink().encode()));
    put("invite", invite().to_text());
    put("certificate", hex(&certificate().sign(&hub()).encode()));
    put("key_statement", hex(&statement().encode()));
    put("certificate_vouched", hex(&vouched_certificate()));
    let request = EnrolRequest::signed(&[0xD0; 16], DEVICE, "王的手机", &phone());
    put("enrol_request", serde_json::to_string(&request).unwrap());
    put(
        "enrol_response",
        serde_json::to_string(&enrol_response()).unwrap(),
    );
    put(
        "clock_skew_answer",
        serde_json::to_string(&clock_skew()).unwrap(),
    );
    let page: FeedPage = serde_json::from_str(FEED_PAGE).unwrap();
    put("feed_page", serde_json::to_string(&page).unwrap());
    let traffic: TrafficItem = serde_json::from_str(TRAFFIC).unwrap();
    assert!(traffic.is_valid());
    put("feed_traffic", serde_json::to_string(&traffic).unwrap());
    put("rating_token", hex(&token().to_bytes()));
    put(
        "rating_url",
        token::rating_url("https://r.example.com", &token()),
    );
    let key = token::rating_key(&Secret32::new([0xE0; 32]), PARCEL, DEVICE);
    put("rating_key", hex(key.expose()));
    let parts = RequestParts {
        method: "POST",
        target_uri: "https://hub.example.com/v1/log",
        body: b"body",
        idempotency_key: "key-1",
    };
    let params = SignParams {
        created_s: 1_795_219_200,
        nonce: &[7; 12],
        key_id: &DEVICE.to_string(),
    };
    let signed = http_sig::sign(&parts, &params, &phone()).unwrap();
    for (name, value) in signed.iter() {
        put(&format!("http_{name}"), value.to_owned());
    }
    out
}

#[test]
fn every_format_has_the_bytes_it_shipped_with() {
    let made = made();
    if std::env::var("SATCHEL_GOLDEN").as_deref() == Ok("write") {
        let text = serde_json::to_string_pretty(&made).unwrap();
        std::fs::write(path(), text + "\n").unwrap();
        return;
    }
    let committed = committed();
    let names = |v: &Vectors| v.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&made), names(&committed), "a format came or went");
    for (name, value) in &made {
        // What zstd writes may change with its version; the next test pins what counts.
        if ["batch_frame", "batch_lean"].contains(&name.as_str()) {
            continue;
        }
        let before = &committed[name];
        let at = value
            .bytes()
            .zip(before.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        assert!(
            value == before,
            "WIRE FORMAT CHANGED: {name} differs from character {at} of golden/vectors.json on.\n\
             Bytes already signed and stored would no longer be read the same way.\n\
             committed: {before}\n      now: {value}"
        );
    }
}

#[test]
fn a_committed_batch_is_read_and_its_metadata_is_written_the_same() {
    let committed = unhex(&committed(), "batch_frame");
    assert_eq!(Batch::decode(&committed).unwrap(), batch());
    let split = |frame: &[u8]| {
        assert_eq!(&frame[..4], b"SLB1");
        let len = u32::from_le_bytes(frame[4..8].try_into().unwrap()) as usize;
        let meta = zstd::bulk::decompress(&frame[8..8 + len], 1 << 20).unwrap();
        (meta, frame[8 + len..].to_vec())
    };
    assert_eq!(split(&batch().encode().unwrap()), split(&committed));
}

#[test]
fn a_committed_batch_of_every_form_and_what_stands_open_are_read_the_same() {
    let v = committed();
    let lean = Batch::decode(&unhex(&v, "batch_lean")).unwrap();
    let json = Batch::decode_json(v["batch_json"].as_bytes()).unwrap();
    assert_eq!((&lean, &json), (&batch(), &batch()));
    let receipt = SignedReceipt::decode(&unhex(&v, "receipt_wedged")).unwrap();
    let receipt = receipt.verify(&hub().verifying_key(), DEVICE).unwrap();
    assert_eq!(receipt.wedged.unwrap()[0].seq, 299);
    // An older hub says nothing of it, and that is read as nothing.
    let older = SignedReceipt::decode(&unhex(&v, "receipt")).unwrap();
    let older = older.verify(&hub().verifying_key(), DEVICE).unwrap();
    assert_eq!(older.wedged, None);
    let again = ReplacementBody::decode(&unhex(&v, "replacement_body")).unwrap();
    assert_eq!(again, replacement());
    let gone = ProofLostBody::decode(&unhex(&v, "proof_lost_body")).unwrap();
    assert_eq!(gone, lost());
}

#[test]
fn committed_evidence_still_verifies_and_means_the_same() {
    let v = committed();
    let entry: SignedEntry = minicbor::decode(&unhex(&v, "signed_entry")).unwrap();
    let read = entry.verify(&phone().verifying_key()).unwrap();
    assert_eq!((read.seq, read.blobs.len()), (300, 2));
    assert_eq!(entry.hash().to_string(), v["entry_hash"]);
    let body = AttemptBody::decode(entry.body.as_ref().unwrap()).unwrap();
    assert_eq!(body, delivered());
    let body = AttemptBody::decode(&unhex(&v, "attempt_body_failed")).unwrap();
    assert_eq!(body, failed());
    let body = AttemptBody::decode(&unhex(&v, "attempt_body_signed")).unwrap();
    assert_eq!(body, signed());

    let receipt = SignedReceipt::decode(&unhex(&v, "receipt")).unwrap();
    let receipt = receipt.verify(&hub().verifying_key(), DEVICE).unwrap();
    assert_eq!(receipt.entries[0].hash, entry.hash());
    let certificate = unhex(&v, "certificate");
    let certificate = SignedCertificate::verify(&certificate, &hub().verifying_key()).unwrap();
    assert_eq!(certificate, self::certificate());
    let (_, by) =
        SignedCertificate::verify_keys(&unhex(&v, "certificate_vouched"), &hub().verifying_key())
            .unwrap();
    assert!(matches!(by, VouchedBy::Hardware(_)));
    let read_ink = |name: &str| Signature::decode(&unhex(&v, name)).unwrap();
    assert_eq!(read_ink("ink"), ink());
    assert_eq!(read_ink("ink_bound"), ink().bound_to(ATTEMPT));
    assert_eq!(read_ink("ink_timed"), timed_ink());
}

#[test]
fn committed_texts_are_still_understood() {
    let v = committed();
    assert_eq!(Invite::parse(&v["invite"]).unwrap(), invite());
    let request: EnrolRequest = serde_json::from_str(&v["enrol_request"]).unwrap();
    let proven = request.proven_keys().unwrap();
    assert_eq!(proven.log_key, phone().verifying_key());
    let response: EnrolResponse = serde_json::from_str(&v["enrol_response"]).unwrap();
    assert_eq!(response, enrol_response());
    let skew: ErrorBody = serde_json::from_str(&v["clock_skew_answer"]).unwrap();
    let time = skew.time.unwrap();
    assert_eq!(
        time.verify(&hub().verifying_key(), "AQIDBAUGBwgJCgsM"),
        Some(1_795_219_300_000)
    );
    let page: FeedPage = serde_json::from_str(&v["feed_page"]).unwrap();
    assert!(
        page.items
            .iter()
            .all(|i| !matches!(i.content(), Err(_) | Ok(FeedContent::Unknown)))
    );

    let text = v["rating_url"].rsplit('/').next().unwrap();
    let token = RatingToken::parse(text).unwrap();
    assert_eq!(hex(&token.to_bytes()), v["rating_token"]);
    let key: [u8; 32] = unhex(&v, "rating_key").try_into().unwrap();
    assert!(token.verify(&Secret32::new(key)));

    let parsed = http_sig::parse(&v["http_signature-input"], &v["http_signature"]).unwrap();
    let parts = RequestParts {
        method: "POST",
        target_uri: "https://hub.example.com/v1/log",
        body: b"body",
        idempotency_key: "key-1",
    };
    http_sig::verify(
        &parts,
        &v["http_content-digest"],
        &parsed,
        &phone().verifying_key(),
        1_795_219_201,
        0,
    )
    .unwrap();
}
