//! A phone watches its hub: a log that only grows is believed, one that was rewritten is not, and what
//! proves it is kept.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use satchel_core::Error;
use satchel_core::model::status::Blocking;
use satchel_core::model::stop::SyncState;
use satchel_protocol::bundle::{Check, Trust, Verdict, verify};
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::{Hash32, ParcelId};
use satchel_tests::day::Day;
use satchel_tests::phone::{Phone, SyncEnd};
use satchel_tests::work::at_work;

#[test]
fn a_hub_that_lost_entries_and_says_nothing_is_not_believed_and_nothing_is_lost() {
    let day = Day::new(1).stops(4);
    let (phone, hub) = at_work(&day);
    phone.deliver(day.stop_id(0), 0).unwrap();
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    let backup = hub.backup();
    phone.deliver(day.stop_id(1), 1).unwrap();
    assert_eq!(phone.sync(&hub), SyncEnd::Done);

    hub.restore_in_silence(backup.clone());
    phone.deliver(day.stop_id(2), 2).unwrap();
    phone.sync(&hub);
    let status = phone.core().sync_status().unwrap();
    assert_eq!(status.blocking, Some(Blocking::HubContradicts));
    assert!(status.hub_contradictions > 0);
    assert_eq!(phone.stop(day.stop_id(2)).sync, SyncState::Local);

    // The operator says what happened: the phone goes on, and its own log tells of it for ever.
    hub.restore(backup);
    phone.clock.advance_ms(60 * 60 * 1_000);
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    for n in 0..3 {
        assert_eq!(phone.stop(day.stop_id(n)).sync, SyncState::ProofComplete);
    }
    let kinds: Vec<_> = hub
        .log(phone.device())
        .iter()
        .map(|(h, _)| h.kind)
        .collect();
    assert!(kinds.contains(&EntryKind::HUB_LOG_RESTARTED), "{kinds:?}");
}

#[test]
fn a_hub_that_pads_its_receipts_does_not_fill_the_phone() {
    let day = Day::new(1).stops(30);
    let (phone, hub) = at_work(&day);
    let in_store = |phone: &Phone| -> u64 {
        let files = std::fs::read_dir(&phone.dir).unwrap();
        let files = files.map(|file| file.unwrap().metadata().unwrap());
        files.filter(|f| f.is_file()).map(|f| f.len()).sum()
    };
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    let before_bytes = in_store(&phone);
    hub.pad_receipts(10_000);
    for n in 0..30 {
        phone.deliver(day.stop_id(n), n as u64).unwrap();
        assert_eq!(phone.sync(&hub), SyncEnd::Done);
        assert_eq!(phone.stop(day.stop_id(n)).sync, SyncState::ProofComplete);
    }
    // Thirty of them have ten megabytes.
    let grown_bytes = in_store(&phone) - before_bytes;
    assert!(grown_bytes < 7_000_000, "{grown_bytes}");
    assert!(phone.core().sync_status().unwrap().receipt_alarms > 0);
}

#[test]
fn every_entry_after_a_receipt_names_it_and_cannot_be_older() {
    let day = Day::new(1).stops(3);
    let (phone, hub) = at_work(&day);
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    phone.deliver(day.stop_id(0), 0).unwrap();
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    phone.deliver(day.stop_id(1), 1).unwrap();
    phone.deliver(day.stop_id(2), 2).unwrap();
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    let anchors: Vec<_> = hub
        .log(phone.device())
        .iter()
        .map(|(h, _)| h.anchor)
        .collect();
    assert_eq!(
        anchors.first(),
        Some(&None),
        "nothing was receipted before the enrolment"
    );
    assert!(anchors[1].is_some());
    assert_ne!(anchors[1], anchors[2], "a new receipt came between");
    assert_eq!(anchors[2], anchors[3], "none came between");
}

#[test]
fn the_couriers_own_evidence_holds_without_the_hub_and_grows_with_its_receipts() {
    let day = Day::new(1).stops(3);
    let (phone, hub) = at_work(&day);
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    phone.deliver(day.stop_id(0), 0).unwrap();
    phone.deliver(day.stop_id(1), 1).unwrap();
    let parcel = day.parcel_id(0, 0);
    let key = hub.signing_key().verifying_key().to_bytes();
    let trust = Trust {
        hub: Some(Hash32(key)),
        witnesses: vec![],
    };
    // Offline: signed by an enrolled phone, and nobody else has seen it yet.
    let file = phone.core().evidence(parcel).unwrap();
    let report = verify(&file, &trust).unwrap();
    assert!(report.holds(), "{report}");
    assert_eq!(report.verdict(Check::Log), Some(Verdict::Open), "{report}");
    assert_eq!(report.entries[0].interval.not_after_ms, None);
    assert!(report.entries[0].interval.not_before_ms.is_some());

    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    let file = phone.core().evidence(parcel).unwrap();
    let report = verify(&file, &trust).unwrap();
    assert!(report.holds(), "{report}");
    for check in [
        Check::HubKey,
        Check::Page,
        Check::Log,
        Check::Proofs,
        Check::Receipts,
    ] {
        assert_eq!(
            report.verdict(check),
            Some(Verdict::Proven),
            "{check:?}: {report}"
        );
    }
    assert!(report.entries[0].interval.not_after_ms.is_some());
    let unknown = phone.core().evidence(ParcelId(uuid::Uuid::from_u128(9)));
    assert!(matches!(unknown, Err(Error::NotFound { what: "parcel" })));
}
