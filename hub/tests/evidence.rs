//! Evidence bundles: made by a hub from what phones sent, checked by the program for strangers.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::{Bench, Phone, inline, sha};
use satchel_hub::{HubError, ParcelRef};
use satchel_protocol::attempt::ProofRef;
use satchel_protocol::batch::Batch;
use satchel_protocol::bundle::{Check, Strength, Trust, Verdict, pack, unpack, verify};
use satchel_protocol::doorstep::CorrectionBody;
use satchel_protocol::entry::{EntryKind, SignedEntry};
use satchel_protocol::feed::StopItem;
use satchel_protocol::ids::{Hash32, Sig64};
use satchel_protocol::lost::{LossCause, ProofLostBody};
use satchel_protocol::taxonomy::{Action, Outcome, PhotoOrigin, ProofKind, Reason};
use satchel_protocol::transitions::{Correction, EventId, Origin};
use satchel_protocol::wedge::ReplacementBody;

const PHOTO: &[u8] = b"\xff\xd8 a photo as far as this hub is concerned \xff\xd9";

/// A round with a delivery that has photo and signature, among others.
async fn delivered() -> (Bench, Phone, ParcelRef) {
    let (bench, mut phone, stops) = Bench::with_round(5).await;
    let proofs = [
        (ProofKind::Photo, PHOTO),
        (ProofKind::Signature, b"ink".as_slice()),
    ];
    for (n, stop) in stops.iter().enumerate() {
        let with = if n == 2 { &proofs[..] } else { &[] };
        let entry = phone.delivery(stop, with);
        let blobs = with
            .iter()
            .map(|(kind, bytes)| inline(*kind, bytes))
            .collect();
        let batch = Batch {
            entries: vec![entry],
            blobs,
        };
        phone.push(&bench, &batch).await.receipt(&bench, &phone);
    }
    let parcel = ParcelRef::Id(stops[2].parcels[0].parcel_id);
    (bench, phone, parcel)
}

fn trust(bench: &Bench) -> Trust {
    Trust {
        hub: Some(Hash32(bench.hub.public_key().to_bytes())),
        witnesses: vec![],
    }
}

fn satchel(args: &[&str], dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_satchel"))
        .args(args)
        .current_dir(dir)
        .output()
        .unwrap()
}

#[tokio::test]
async fn a_photo_that_was_lost_is_named_with_its_phones_word() {
    let (bench, mut phone, stops) = Bench::with_round(2).await;
    let parcel = ParcelRef::Id(stops[0].parcels[0].parcel_id);
    let photo = [(ProofKind::Photo, PHOTO)];
    let bound = phone.delivery(&stops[0], &photo);
    let of_seq = phone.seq;
    let other = phone.delivery(&stops[1], &[(ProofKind::Photo, b"another")]);
    phone.push_entries(&bench, &[bound, other]).await;
    let plain = bench.hub.evidence(&parcel).await.unwrap();
    assert!(!plain.contains("its phone says that it is lost"));
    let lost = ProofLostBody {
        hash: sha(PHOTO),
        of_seq,
        cause: LossCause::DAMAGED,
    };
    let said = phone.entry(ProofLostBody::KIND, lost.encode(), None, vec![]);
    phone.push_entries(&bench, &[said]).await;
    for _ in 0..2 {
        let file = bench.hub.evidence(&parcel).await.unwrap();
        assert!(file.contains("Not in this file; its phone says that it is lost"));
        assert!(file.contains("its file on the phone is damaged"));
        let report = verify(&file, &trust(&bench)).unwrap();
        assert!(report.holds(), "{report}");
        assert_eq!(report.verdict(Check::Proofs), Some(Verdict::Open));
        assert!(
            report
                .to_string()
                .contains("its phone says that it is lost")
        );
        let kinds: Vec<_> = report.entries.iter().map(|e| e.kind).collect();
        assert_eq!(kinds, [EntryKind::ATTEMPT, ProofLostBody::KIND]);
        // A hub of before finds it by a rebuild.
        bench.hub.rebuild().await.unwrap();
    }
    // The other parcel's photo only has not come.
    let other = ParcelRef::Id(stops[1].parcels[0].parcel_id);
    let file = bench.hub.evidence(&other).await.unwrap();
    assert!(file.contains("Not in this file<") && !file.contains("is lost"));
}

#[tokio::test]
async fn a_bundle_of_the_hub_holds_and_its_parts_can_be_taken_out() {
    let (bench, _phone, parcel) = delivered().await;
    let file = bench.hub.evidence(&parcel).await.unwrap();
    let report = verify(&file, &trust(&bench)).unwrap();
    assert!(report.holds(), "{report}");
    for check in [
        Check::HubKey,
        Check::Page,
        Check::Certificates,
        Check::Signatures,
        Check::Bodies,
        Check::Parcel,
        Check::Proofs,
        Check::Receipts,
        Check::Log,
    ] {
        assert_eq!(
            report.verdict(check),
            Some(Verdict::Proven),
            "{check:?}: {report}"
        );
    }
    let [entry] = &report.entries[..] else {
        panic!("{report}");
    };
    assert_eq!(entry.interval.not_after_ms, Some(common::NOW_MS));
    assert_eq!(entry.strength, Some(Strength::E1));
    let (bundle, photos) = unpack(&file).unwrap();
    assert_eq!(photos.into_values().collect::<Vec<_>>(), [PHOTO.to_vec()]);
    assert_eq!(bundle.waybill, "WB0002");

    // The program for strangers says the same, with exit codes for scripts.
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    std::fs::write(here.join("evidence.html"), &file).unwrap();
    let key = Hash32(bench.hub.public_key().to_bytes()).to_string();
    let good = satchel(
        &[
            "verify",
            "evidence.html",
            "--hub-key",
            &key,
            "--extract",
            "parts",
        ],
        here,
    );
    let said = String::from_utf8(good.stdout).unwrap();
    assert_eq!(good.status.code(), Some(0), "{said}");
    assert!(said.contains("Nothing in this file is broken."), "{said}");
    let wrong_key = satchel(
        &["verify", "evidence.html", "--hub-key", &"0".repeat(64)],
        here,
    );
    assert_eq!(wrong_key.status.code(), Some(1));
    std::fs::write(here.join("touched.html"), file.replace("WB0002", "WB0003")).unwrap();
    let touched = satchel(&["verify", "touched.html"], here);
    assert_eq!(touched.status.code(), Some(1));
    assert!(
        String::from_utf8(touched.stdout)
            .unwrap()
            .contains("BROKEN")
    );
    std::fs::write(here.join("other.html"), "<html>").unwrap();
    for none in ["other.html", "missing.html"] {
        assert_eq!(
            satchel(&["verify", none], here).status.code(),
            Some(2),
            "{none}"
        );
    }
    // For a check by tools that nobody of us wrote (scripts/test-tlog).
    if let Ok(out) = std::env::var("SATCHEL_EVIDENCE_OUT") {
        for part in std::fs::read_dir(here.join("parts")).unwrap() {
            let part = part.unwrap();
            std::fs::copy(part.path(), Path::new(&out).join(part.file_name())).unwrap();
        }
    }
}

#[tokio::test]
async fn a_parcel_without_a_visit_has_an_empty_bundle_and_an_unknown_one_has_none() {
    let (bench, _phone, _) = delivered().await;
    bench.import(9, &["王强"]).await;
    let file = bench
        .hub
        .evidence(&ParcelRef::from("WB0008"))
        .await
        .unwrap();
    let report = verify(&file, &trust(&bench)).unwrap();
    assert!(report.holds() && report.entries.is_empty());
    assert_eq!(report.verdict(Check::Signatures), Some(Verdict::Open));
    let unknown = bench.hub.evidence(&ParcelRef::from("no such number")).await;
    assert!(matches!(unknown, Err(HubError::UnknownParcel)));
}

#[tokio::test]
async fn a_photo_that_has_not_come_is_named_as_missing() {
    let (bench, mut phone, stops) = Bench::with_round(2).await;
    let entry = phone.delivery(&stops[0], &[(ProofKind::Photo, PHOTO)]);
    phone
        .push_entries(&bench, &[entry])
        .await
        .receipt(&bench, &phone);
    let parcel = ParcelRef::Id(stops[0].parcels[0].parcel_id);
    let file = bench.hub.evidence(&parcel).await.unwrap();
    let report = verify(&file, &trust(&bench)).unwrap();
    assert!(report.holds(), "{report}");
    assert_eq!(report.verdict(Check::Proofs), Some(Verdict::Open));
    assert!(file.contains("Not in this file"));
}

const LATE: &[u8] = b"\xff\xd8 a photo that was found in the evening \xff\xd9";

/// The stop's parcel failed for another reason than its last entry says; a photo comes with it.
fn wrong_reason(phone: &mut Phone, stop: &StopItem) -> SignedEntry {
    let body = CorrectionBody {
        parcel: stop.parcels[0].parcel_id,
        stop: stop.stop_id,
        of: EventId {
            origin: Origin::Phone(phone.device),
            seq: phone.seq,
        },
        correction: Correction::WrongReason {
            reason: Reason::RefusedDamaged,
            action: Action::ReturnToSender,
        },
        words: Some("It was <broken>, not refused".into()),
        proofs: vec![ProofRef {
            hash: sha(LATE),
            kind: ProofKind::Photo,
            size_bytes: LATE.len() as u64,
            origin: Some(PhotoOrigin::Camera),
            captured_at_ms: common::NOW_MS,
            photo: None,
        }],
    };
    let handle = Some(stop.parcels[0].handle);
    let blobs = vec![sha(LATE)];
    phone.entry(EntryKind::CORRECTION, body.encode(), handle, blobs)
}

#[tokio::test]
async fn a_corrected_visit_is_there_as_it_was_recorded_and_as_it_was_corrected() {
    let (bench, mut phone, stops) = Bench::with_round(2).await;
    let first = phone.attempt(&stops[0], Outcome::Failed, &[(ProofKind::Photo, PHOTO)]);
    let corrected = wrong_reason(&mut phone, &stops[0]);
    let hashes = [first.hash(), corrected.hash()];
    let batch = Batch {
        entries: vec![first, corrected],
        blobs: vec![
            inline(ProofKind::Photo, PHOTO),
            inline(ProofKind::Photo, LATE),
        ],
    };
    phone.push(&bench, &batch).await.receipt(&bench, &phone);
    let parcel = ParcelRef::Id(stops[0].parcels[0].parcel_id);
    let file = bench.hub.evidence(&parcel).await.unwrap();
    let report = verify(&file, &trust(&bench)).unwrap();
    assert!(report.holds(), "{report}");
    for check in [Check::Page, Check::Parcel, Check::Proofs, Check::Log] {
        let verdict = report.verdict(check);
        assert_eq!(verdict, Some(Verdict::Proven), "{check:?}: {report}");
    }
    let held: Vec<_> = report.entries.iter().map(|e| (e.kind, e.hash)).collect();
    let kinds = [EntryKind::ATTEMPT, EntryKind::CORRECTION];
    assert_eq!(held, [(kinds[0], hashes[0]), (kinds[1], hashes[1])]);
    assert_eq!(report.entries[0].outcome, Some(Outcome::Failed));
    let (_, photos) = unpack(&file).unwrap();
    assert!(photos.contains_key(&sha(PHOTO)) && photos.contains_key(&sha(LATE)));
    // For a person: both are on the page, the courier's words as text.
    for words in ["It failed for another reason", "It was &lt;broken&gt;"] {
        assert!(file.contains(words), "{words}");
    }

    // Without the late photo the file says that it is not whole; with another's correction it does not hold.
    let (mut bundle, _) = unpack(&file).unwrap();
    bundle.proofs.retain(|proof| proof.hash != sha(LATE));
    let report = verify(&pack(&bundle, &photos), &trust(&bench)).unwrap();
    assert_eq!(report.verdict(Check::Proofs), Some(Verdict::Open));
    bundle.parcel = stops[1].parcels[0].parcel_id;
    bundle.entries.remove(0);
    let report = verify(&pack(&bundle, &photos), &trust(&bench)).unwrap();
    assert_eq!(report.verdict(Check::Parcel), Some(Verdict::Broken));
}

#[tokio::test]
async fn a_visit_said_again_is_there_with_the_position_it_stands_for() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let good = phone.delivery(&stops[0], &[]);
    let mut bad = good.clone();
    bad.sig = Sig64([7; 64]);
    let answer = phone.push_entries(&bench, &[bad]).await;
    let receipt = answer.receipt(&bench, &phone);
    assert_eq!(receipt.wedged.map(|open| open.len()), Some(1));
    let again = ReplacementBody {
        of_seq: 1,
        of_hash: good.hash(),
        kind: EntryKind::ATTEMPT,
        body: good.body.clone().unwrap(),
    };
    let handle = Some(stops[0].parcels[0].handle);
    let again = phone.entry(ReplacementBody::KIND, again.encode(), handle, vec![]);
    let hash = again.hash();
    let answer = phone.push_entries(&bench, &[again]).await;
    answer.receipt(&bench, &phone);
    let parcel = ParcelRef::Id(stops[0].parcels[0].parcel_id);
    let file = bench.hub.evidence(&parcel).await.unwrap();
    let report = verify(&file, &trust(&bench)).unwrap();
    assert!(report.holds(), "{report}");
    let [entry] = &report.entries[..] else {
        panic!("{report}");
    };
    assert_eq!(
        (entry.hash, entry.says_again),
        (hash, Some((1, good.hash())))
    );
    assert_eq!(entry.outcome, Some(Outcome::Delivered));
}
