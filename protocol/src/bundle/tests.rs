//! A bundle as an honest hub makes it, and every way we know of to tamper with one.

mod keys;

use std::collections::BTreeMap;

use ed25519_dalek::SigningKey;
use uuid::Uuid;

use super::*;
use crate::attempt::AttemptBody;
use crate::attempt::{Fix, ProofRef};
use crate::crypto;
use crate::entry::{ALG_ED25519_SHA256, ENTRY_VERSION, EntryKind, Header};
use crate::ids::{AttemptId, BootId, DeviceId, Handle, Salt, StopId};
use crate::receipt::{Receipt, ReceiptEntry};
use crate::taxonomy::{HandoffKind, Outcome, PhotoOrigin};
use crate::tlog::{
    Checkpoint, SigType, Tiles, TlogProof, Vkey, cosign, inclusion_proof, log_origin, root,
};

const URL: &str = "https://hub.example.com";
const T0: i64 = 1_790_000_000_000;
const PHOTO: &[u8] = b"\xff\xd8 not really a photo \xff\xd9";

fn hub() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn phone() -> SigningKey {
    SigningKey::from_bytes(&[2; 32])
}

fn witness() -> (SigningKey, Vkey) {
    let key = SigningKey::from_bytes(&[3; 32]);
    let vkey = Vkey {
        name: "witness.example/w".into(),
        sig_type: SigType::Cosignature,
        key: key.verifying_key(),
    };
    (key, vkey)
}

fn device() -> DeviceId {
    DeviceId(Uuid::from_u128(7))
}

fn parcel() -> ParcelId {
    ParcelId(Uuid::from_u128(8))
}

fn entry(
    seq: i64,
    prev: Hash32,
    at_ms: i64,
    anchor: Option<Hash32>,
    body: &AttemptBody,
) -> SignedEntry {
    let header = Header {
        version: ENTRY_VERSION,
        alg: ALG_ED25519_SHA256,
        device: device(),
        seq,
        prev,
        kind: EntryKind::ATTEMPT,
        occurred_at_ms: at_ms,
        boot_id: BootId([3; 16]),
        boottime_ns: 1,
        utc_offset_min: 480,
        anchor,
        handle: Some(Handle([9; 8])),
        commitment: Hash32::ZERO,
        blobs: body.proofs.iter().map(|p| p.hash).collect(),
    };
    SignedEntry::seal(
        header,
        Salt([u8::try_from(seq).unwrap(); 32]),
        body.encode(),
        &phone(),
    )
}

fn body(outcome: Outcome, photo: bool) -> AttemptBody {
    let mut body = AttemptBody::bare(
        AttemptId(Uuid::from_u128(11)),
        parcel(),
        StopId(Uuid::from_u128(12)),
        outcome,
        HandoffKind::ALL[0],
    );
    body.signer_name = Some("<b>王</b>".into());
    body.fix = Some(Fix::wgs84(37.5, 121.4, 12.0, 0, false));
    if photo {
        body.proofs = vec![ProofRef {
            hash: crypto::sha256(&[PHOTO]),
            kind: ProofKind::Photo,
            size_bytes: PHOTO.len() as u64,
            origin: Some(PhotoOrigin::Camera),
            captured_at_ms: T0,
            photo: None,
        }];
    }
    body
}

fn receipt(entries: &[&SignedEntry], at_ms: i64) -> SignedReceipt {
    let named: Vec<_> = entries
        .iter()
        .map(|e| ReceiptEntry {
            seq: Header::decode(&e.header).unwrap().seq,
            hash: e.hash(),
        })
        .collect();
    Receipt {
        version: 1,
        device: device(),
        hub_key: crypto::key_id(&hub().verifying_key()),
        received_at_ms: at_ms,
        head_seq: named.last().map_or(0, |e| e.seq),
        entries: named,
        blobs: vec![],
        wedged: None,
    }
    .sign(&hub())
}

/// A failed attempt, and a delivery whose time is held from both sides; other couriers' entries between.
fn bundle() -> (Bundle, BTreeMap<Hash32, Vec<u8>>) {
    let first = entry(1, Hash32::ZERO, T0, None, &body(Outcome::ALL[1], false));
    let early = receipt(&[&first], T0 + 60_000);
    let second = entry(
        2,
        first.hash(),
        T0 + 100_000,
        Some(early.anchor()),
        &body(Outcome::ALL[0], true),
    );
    let late = receipt(&[&second], T0 + 200_000);
    let mut tiles = Tiles::default();
    for at in 0..300 {
        let leaf = match at {
            100 => first.hash(),
            200 => second.hash(),
            n => crypto::sha256(&[&u64::to_be_bytes(n)]),
        };
        tiles.push(at, leaf).unwrap();
    }
    let mut note = Checkpoint {
        origin: log_origin(URL, 1),
        size: 300,
        root: root(&tiles, 300).unwrap(),
    }
    .sign(&hub());
    let line = cosign(
        &note,
        &witness().1.name,
        &witness().0,
        (T0 / 1_000 + 150) as u64,
    );
    note.signatures.push(line);
    let proof = |index| TlogProof {
        index,
        hashes: inclusion_proof(&tiles, index, 300).unwrap(),
        checkpoint: note.clone(),
    };
    let bundle = Bundle {
        version: BUNDLE_VERSION,
        made_at_ms: T0 + 300_000,
        made_by_phone: false,
        hub_url: URL.into(),
        hub_key: Hash32(hub().verifying_key().to_bytes()),
        parcel: parcel(),
        waybill: "SF1&2".into(),
        certificates: vec![keys::certificate()],
        entries: vec![
            BundledEntry {
                // As a phone proves it: through the entry that followed.
                later: vec![LaterHeader(second.header.clone())],
                entry: first,
                log_proof: Some(proof(200).to_string()),
            },
            BundledEntry {
                entry: second,
                later: vec![],
                log_proof: Some(proof(200).to_string()),
            },
        ],
        receipts: vec![early, late],
        proofs: vec![BundledProof {
            hash: crypto::sha256(&[PHOTO]),
            kind: ProofKind::Photo,
            bytes: None,
        }],
        timestamps: vec![],
        records: vec![],
        door: Some((37.5001, 121.4001)),
        rotations: None,
    };
    let photos = BTreeMap::from([(crypto::sha256(&[PHOTO]), PHOTO.to_vec())]);
    (bundle, photos)
}

fn trust() -> Trust {
    Trust {
        hub: Some(Hash32(hub().verifying_key().to_bytes())),
        witnesses: vec![witness().1],
    }
}

fn check(bundle: &Bundle, photos: &BTreeMap<Hash32, Vec<u8>>) -> Report {
    verify(&pack(bundle, photos), &trust()).unwrap()
}

#[test]
fn an_honest_bundle_proves_everything_and_says_between_which_moments() {
    let (bundle, photos) = bundle();
    let file = pack(&bundle, &photos);
    assert_eq!(unpack(&file).unwrap(), (bundle.clone(), photos.clone()));
    let report = verify(&file, &trust()).unwrap();
    assert!(report.holds(), "{report}");
    let open: Vec<_> = report
        .checks
        .iter()
        .filter(|(_, v, _)| *v != Verdict::Proven)
        .collect();
    assert!(open.is_empty(), "{report}");
    let [first, second] = &report.entries[..] else {
        panic!("{report}");
    };
    assert_eq!(first.interval.not_before_ms, None);
    assert_eq!(first.interval.not_after_ms, Some(T0 + 60_000));
    assert_eq!(second.interval.not_before_ms, Some(T0 + 60_000));
    // The witness had seen it before the hub's receipt was signed.
    assert_eq!(second.interval.not_after_ms, Some(T0 + 150_000));
    assert_eq!(
        (first.strength, second.strength),
        (Some(Strength::E0), Some(Strength::E2))
    );
    assert!(!second.outside);
    assert!(file.contains("&lt;b&gt;王&lt;/b&gt;") && file.contains("SF1&amp;2"));
    // Without anything from elsewhere, the same file says what is left to be believed.
    let alone = verify(&file, &Trust::default()).unwrap();
    assert!(alone.holds());
    assert_eq!(alone.verdict(Check::HubKey), Some(Verdict::Open));
    assert_eq!(alone.verdict(Check::Witnesses), Some(Verdict::Open));
}

#[test]
fn every_tampering_is_found_and_named() {
    type Tamper = fn(&mut Bundle, &mut BTreeMap<Hash32, Vec<u8>>);
    let cases: [(&str, Check, Tamper); 12] = [
        ("another outcome in the body", Check::Bodies, |b, _| {
            b.entries[1].entry.body = Some(body(Outcome::ALL[1], true).encode());
        }),
        ("the phone's time moved", Check::Signatures, |b, _| {
            let mut header = Header::decode(&b.entries[1].entry.header).unwrap();
            header.occurred_at_ms -= 3_600_000;
            b.entries[1].entry.header = header.encode();
        }),
        ("signed anew by a stranger", Check::Signatures, |b, _| {
            b.entries[0].entry.sig.0[5] ^= 1;
        }),
        (
            "a certificate of another hub",
            Check::Certificates,
            |b, _| {
                b.certificates[0].0[40] ^= 1;
            },
        ),
        ("a forged receipt", Check::Receipts, |b, _| {
            b.receipts[1].bytes[60] ^= 1;
        }),
        ("another hub's key", Check::HubKey, |b, _| {
            b.hub_key = Hash32(SigningKey::from_bytes(&[9; 32]).verifying_key().to_bytes());
        }),
        ("a proof of another tree", Check::Log, |b, _| {
            let proof = b.entries[1].log_proof.take().unwrap();
            b.entries[1].log_proof = Some(proof.replace("index 200", "index 201"));
        }),
        ("a missing link to the log", Check::Log, |b, _| {
            b.entries[0].later.clear()
        }),
        ("a fork", Check::History, |b, _| {
            let other = entry(2, Hash32::ZERO, T0, None, &body(Outcome::ALL[1], false));
            b.entries.push(BundledEntry {
                entry: other,
                later: vec![],
                log_proof: None,
            });
        }),
        ("half an erasure", Check::Bodies, |b, _| {
            b.entries[0].entry.salt = None
        }),
        ("another parcel", Check::Parcel, |b, _| {
            b.parcel = ParcelId(Uuid::from_u128(99))
        }),
        ("a record the hub never wrote", Check::Records, |b, _| {
            b.records.push(b.entries[0].entry.clone());
        }),
    ];
    for (what, check_hit, tamper) in cases {
        let (mut bundle, mut photos) = bundle();
        tamper(&mut bundle, &mut photos);
        let report = check(&bundle, &photos);
        assert_eq!(
            report.verdict(check_hit),
            Some(Verdict::Broken),
            "{what}: {report}"
        );
        assert!(!report.holds(), "{what}");
    }
}

#[test]
fn a_page_that_was_touched_up_and_a_swapped_photo_do_not_pass() {
    let (bundle, mut photos) = bundle();
    let file = pack(&bundle, &photos);
    let nicer = file.replace("&lt;b&gt;王&lt;/b&gt;", "收件人本人");
    assert_ne!(nicer, file);
    let report = verify(&nicer, &trust()).unwrap();
    assert_eq!(report.verdict(Check::Page), Some(Verdict::Broken));

    // Another photo under the same name in the page: filed under what it is, so the real one is missing.
    let swapped = file.replace(
        &data_encoding::BASE64.encode(PHOTO),
        &data_encoding::BASE64.encode(b"\xff\xd8 another photo \xff\xd9"),
    );
    let report = verify(&swapped, &trust()).unwrap();
    assert!(!report.holds(), "{report}");

    // Left out: nothing is broken, but the report says that it is not there.
    photos.clear();
    let report = check(&bundle, &photos);
    assert!(report.holds());
    assert_eq!(report.verdict(Check::Proofs), Some(Verdict::Open));
    for rubbish in ["", "<html></html>", &file[..file.len() / 2]] {
        assert!(verify(rubbish, &trust()).is_err());
    }
}

#[test]
fn an_erased_entry_still_verifies_and_says_that_it_was_erased() {
    let (mut bundle, photos) = bundle();
    bundle.entries[0].entry.body = None;
    bundle.entries[0].entry.salt = None;
    let report = check(&bundle, &photos);
    assert!(report.holds(), "{report}");
    assert!(report.entries[0].erased);
    assert_eq!(report.verdict(Check::Bodies), Some(Verdict::Open));
    assert_eq!(report.verdict(Check::Log), Some(Verdict::Proven));
}

#[test]
fn an_entry_that_says_another_again_is_an_attempt_and_says_which() {
    let (mut bundle, photos) = bundle();
    let open = bundle.entries[1].entry.hash();
    let again = ReplacementBody {
        of_seq: 2,
        of_hash: open,
        kind: EntryKind::ATTEMPT,
        body: body(Outcome::ALL[0], true).encode(),
    };
    let mut header = Header::decode(&bundle.entries[1].entry.header).unwrap();
    (header.seq, header.prev, header.kind) = (3, open, ReplacementBody::KIND);
    let entry = SignedEntry::seal(header, Salt([3; 32]), again.encode(), &phone());
    let log_proof = None;
    bundle.entries.push(BundledEntry {
        entry,
        log_proof,
        ..bundle.entries[0].clone()
    });
    let report = check(&bundle, &photos);
    assert!(report.holds(), "{report}");
    let last = report.entries.last().unwrap();
    assert_eq!(last.says_again, Some((2, open)));
    assert_eq!(last.outcome, Some(Outcome::ALL[0]));
    assert_eq!(report.entries[0].says_again, None);
    assert!(
        report
            .to_string()
            .contains(&format!("says again what stood at 2 ({open})"))
    );
    let page = pack(&bundle, &photos);
    assert!(
        page.contains("无法接受")
            && page.contains(&format!("what stood at 2, under the hash {open}"))
    );
}

#[test]
fn a_clock_that_lies_is_seen_outside_of_its_interval() {
    let (mut bundle, photos) = bundle();
    let first = bundle.entries[0].entry.clone();
    let anchor = bundle.receipts[0].anchor();
    let lied = entry(
        2,
        first.hash(),
        T0 - 86_400_000,
        Some(anchor),
        &body(Outcome::ALL[0], true),
    );
    bundle.receipts[1] = receipt(&[&lied], T0 + 200_000);
    bundle.entries[1] = BundledEntry {
        entry: lied,
        later: vec![],
        log_proof: None,
    };
    let report = check(&bundle, &photos);
    assert!(report.entries[1].outside, "{report}");
}
