//! Photos that neither phone nor hub has any more: each has an end that says so, and nothing waits for it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::PathBuf;

use satchel_core::model::stop::SyncState;
use satchel_core::model::storage::Erasure;
use satchel_protocol::attempt::AttemptBody;
use satchel_protocol::bundle::{Trust, verify};
use satchel_protocol::entry::EntryKind;
use satchel_protocol::feed::ProofWantedItem;
use satchel_protocol::ids::Hash32;
use satchel_protocol::lost::{LossCause, ProofLostBody};
use satchel_tests::day::Day;
use satchel_tests::phone::{Phone, SyncEnd, photo_files};
use satchel_tests::seed::Rng;
use satchel_tests::work::Work;

/// The files of photos on the phone.
fn files(phone: &Phone) -> Vec<PathBuf> {
    photo_files(&phone.dir)
}

/// Takes the folder of photos away, or puts it back in the place of whatever is there.
fn swap_folder(phone: &Phone) {
    let (blobs, aside) = (phone.dir.join("blobs"), phone.dir.join("aside"));
    if aside.exists() {
        // What was taken meanwhile is kept by whoever puts a folder back.
        if blobs.exists() {
            for file in files(phone) {
                std::fs::rename(&file, aside.join(file.file_name().unwrap())).unwrap();
            }
            std::fs::remove_dir_all(&blobs).unwrap();
        }
        std::fs::rename(&aside, &blobs).unwrap();
    } else {
        std::fs::rename(&blobs, &aside).unwrap();
    }
}

/// The photo of a delivery as its entry binds it, and where that entry stands.
fn photo_of(work: &Work, n: usize) -> (Hash32, i64) {
    let attempts = work.entries(EntryKind::ATTEMPT);
    let bodies = work.attempts();
    let (header, _) = &attempts[n];
    let photo = bodies[n].proofs.iter().find(|p| p.origin.is_some());
    (photo.unwrap().hash, header.seq)
}

/// What the phone says is lost, waits and counts at sign-out: proofs.
fn counts(phone: &Phone) -> (u64, u64, u64) {
    let status = phone.core().sync_status().unwrap();
    let warning = phone.core().logout_warning().unwrap();
    let at_stake = warning.map_or(0, |w| w.left.proofs);
    (status.lost_proofs, status.unsent_proofs, at_stake)
}

fn lost_notes(work: &Work) -> Vec<ProofLostBody> {
    let bodies = work.bodies(ProofLostBody::KIND);
    bodies
        .iter()
        .map(|b| ProofLostBody::decode(b).unwrap())
        .collect()
}

/// Two deliveries at the hub whose photos gave way on the phone; then the hub went back to before the photos.
fn lost_on_both_sides() -> Work {
    let mut work = Work::on(Day::new(5).stops(3));
    let before = work.hub.backup();
    for n in 0..2 {
        work.phone.deliver(work.day.stop_id(n), n as u64).unwrap();
    }
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert_eq!(counts(&work.phone), (0, 0, 0));
    work.phone.core().set_photo_quota(0).unwrap();
    assert!(files(&work.phone).is_empty());
    work.hub.restore(before);
    work.phone.restart();
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    work
}

#[test]
fn a_photo_that_neither_side_has_is_said_to_be_lost_and_nothing_waits_for_it() {
    let mut work = lost_on_both_sides();
    let status = work.phone.core().sync_status().unwrap();
    assert_eq!((status.unsent_entries, status.unsent_bytes), (0, 0));
    assert_eq!(status.oldest_unsent_ms, None);
    assert_eq!((status.held_back_proofs, status.held_back_bytes), (0, 0));
    assert_eq!(counts(&work.phone), (2, 0, 0));
    for n in 0..2 {
        let stop = work.phone.stop(work.day.stop_id(n));
        assert_eq!(stop.sync, SyncState::ProofLost, "never said to be there");
    }
    // The hub is told, once for each.
    let (first, of_seq) = photo_of(&work, 0);
    let notes = lost_notes(&work);
    // It is to be seen that the courier had brought it.
    let cause = LossCause::GONE_AFTER_RECEIPT;
    assert_eq!(notes.len(), 2);
    assert!(notes.contains(&ProofLostBody {
        hash: first,
        of_seq,
        cause
    }));
    // And so is whoever reads the courier's evidence.
    let file = work
        .phone
        .core()
        .evidence(work.day.parcel_id(0, 0))
        .unwrap();
    assert!(file.contains("Not in this file; its phone says that it is lost"));
    let report = verify(&file, &Trust::default()).unwrap();
    assert!(report.holds(), "{report}");
    let said: Vec<_> = report.entries.iter().map(|e| e.kind).collect();
    assert_eq!(said, [EntryKind::ATTEMPT, ProofLostBody::KIND]);
    work.phone.restart();
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    work.tell(ProofWantedItem::KIND, &ProofWantedItem { hash: first });
    assert_eq!(lost_notes(&work).len(), 2);
    assert_eq!(counts(&work.phone), (2, 0, 0));

    // Signing out needs no word about proofs, and an export takes nothing along.
    let report = work.phone.core().export_unsent(&work.phone.dir.join("out"));
    assert_eq!(report.unwrap().proofs, 0);
}

#[test]
fn an_erasure_does_not_wait_for_a_photo_that_is_lost() {
    let work = lost_on_both_sides();
    let parcel = work.day.parcel_id(0, 0);
    let erased = work.phone.core().erase(parcel).unwrap();
    assert!(matches!(erased, Erasure::Done { .. }), "{erased:?}");
    assert_eq!(counts(&work.phone), (1, 0, 0));
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert_eq!(work.phone.core().sync_status().unwrap().unsent_entries, 0);
}

#[test]
fn an_erasure_that_waits_for_a_photo_is_carried_out_once_that_is_known_to_be_lost() {
    let work = Work::on(Day::new(5).stops(1));
    work.phone.deliver(work.day.stop_id(0), 1).unwrap();
    let parcel = work.day.parcel_id(0, 0);
    for file in files(&work.phone) {
        std::fs::remove_file(file).unwrap();
    }
    let asked = work.phone.core().erase(parcel).unwrap();
    assert_eq!(asked, Erasure::WaitsForHub);
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    let erasure = work.phone.core().erasure(parcel).unwrap().unwrap();
    assert!(matches!(erasure, Erasure::Done { .. }), "{erasure:?}");
    assert_eq!(lost_notes(&work).len(), 1);
    assert_eq!(counts(&work.phone), (0, 0, 0));
}

#[test]
fn what_the_hub_has_after_all_is_received_and_no_longer_lost() {
    let mut work = Work::on(Day::new(5).stops(1));
    work.phone.deliver(work.day.stop_id(0), 1).unwrap();
    for file in files(&work.phone) {
        std::fs::remove_file(file).unwrap();
    }
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert_eq!(counts(&work.phone), (1, 0, 0));
    let (hash, _) = photo_of(&work, 0);
    let before = work.hub.backup();
    // Imported from another store, say.
    work.hub.hold(hash, b"its bytes".to_vec());
    work.phone.restart();
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert_eq!(counts(&work.phone), (0, 0, 0));
    let stop = work.phone.stop(work.day.stop_id(0));
    assert_eq!(stop.sync, SyncState::ProofComplete);

    // When that hub loses it, the phone says that it had signed for it.
    work.hub.restore(before);
    work.phone.restart();
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert_eq!(counts(&work.phone), (1, 0, 0));
    let told: Vec<_> = lost_notes(&work).iter().map(|note| note.cause).collect();
    assert_eq!(told, [LossCause::MISSING, LossCause::GONE_AFTER_RECEIPT]);
}

#[test]
fn a_damaged_photo_is_lost_until_its_file_is_put_back_and_holds_up_no_other() {
    let mut work = Work::on(Day::new(5).stops(2));
    work.phone.deliver(work.day.stop_id(0), 1).unwrap();
    let file = files(&work.phone).remove(0);
    work.phone.deliver(work.day.stop_id(1), 2).unwrap();
    let sound = std::fs::read(&file).unwrap();
    let mut damaged = sound.clone();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    std::fs::write(&file, damaged).unwrap();
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    let sync = |work: &Work, n: usize| work.phone.stop(work.day.stop_id(n)).sync;
    assert_eq!(sync(&work, 0), SyncState::ProofLost);
    assert_eq!(sync(&work, 1), SyncState::ProofComplete);
    assert_eq!(counts(&work.phone), (1, 0, 0));
    assert_eq!(lost_notes(&work)[0].cause, LossCause::DAMAGED);

    std::fs::write(&file, sound).unwrap();
    work.phone.restart();
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert_eq!(sync(&work, 0), SyncState::ProofComplete);
    assert_eq!(counts(&work.phone), (0, 0, 0));
    assert!(work.hub.has_blob(photo_of(&work, 0).0));
}

#[test]
fn a_signature_that_was_erased_is_nothing_to_wait_for_when_the_hub_lost_it() {
    let mut work = Work::on(Day::new(5).stops(2));
    let before = work.hub.backup();
    work.phone.deliver(work.day.stop_id(0), 1).unwrap();
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    let parcel = work.day.parcel_id(0, 0);
    let erased = work.phone.core().erase(parcel).unwrap();
    assert!(matches!(erased, Erasure::Done { .. }));
    work.hub.restore(before);
    work.phone.restart();
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert_eq!(counts(&work.phone), (0, 0, 0));
    assert_eq!(work.phone.core().sync_status().unwrap().unsent_entries, 0);
    work.phone.deliver(work.day.stop_id(1), 2).unwrap();
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    let stop = work.phone.stop(work.day.stop_id(1));
    assert_eq!(stop.sync, SyncState::ProofComplete);
}

/// A day on which files go and hubs are set back, in any order; told by its seed.
fn random_day(seed: u64) -> usize {
    const STOPS: usize = 8;
    let mut rng = Rng::new(seed ^ 0x105E);
    let mut work = Work::on(Day::new(seed).stops(STOPS));
    let (mut backup, mut delivered, mut erased) = (work.hub.backup(), 0, Vec::new());
    let (mut lost_before, mut lost_in_vain) = (0, false);
    for _ in 0..40 {
        match rng.below(10) {
            0..3 if delivered < STOPS && work.phone.dir.join("blobs").exists() => {
                let stop = work.day.stop_id(delivered);
                work.phone.deliver(stop, delivered as u64).unwrap();
                delivered += 1;
            }
            3 => work.phone.core().set_photo_quota(0).unwrap(),
            4 if work.phone.dir.join("blobs").exists() => {
                let mut files = files(&work.phone);
                if !files.is_empty() {
                    std::fs::remove_file(files.remove(rng.below(files.len()))).unwrap();
                }
            }
            5 => backup = work.hub.backup(),
            6 => work
                .hub
                .restore(std::mem::replace(&mut backup, work.hub.backup())),
            7 if delivered > 0 && rng.chance(40) => {
                let n = rng.below(delivered);
                work.phone.core().erase(work.day.parcel_id(n, 0)).unwrap();
                erased.push(n);
            }
            8 => work.phone.restart(),
            9 => swap_folder(&work.phone),
            _ => drop(work.phone.sync_now(&work.hub)),
        }
        if work.phone.dir.join("aside").exists() {
            let lost = work.phone.core().sync_status().unwrap().lost_proofs;
            lost_in_vain |= lost_before < lost;
        }
        lost_before = work.phone.core().sync_status().unwrap().lost_proofs;
    }
    assert!(
        !lost_in_vain,
        "seed {seed}: nothing is lost while the folder is away"
    );
    if work.phone.dir.join("aside").exists() {
        swap_folder(&work.phone);
    }
    work.phone.restart();
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done, "seed {seed}");
    let status = work.phone.core().sync_status().unwrap();
    assert_eq!(
        (status.unsent_entries, status.unsent_proofs),
        (0, 0),
        "seed {seed}"
    );
    // One that was erased before the hub got it again has no content there.
    let entries = work.entries(EntryKind::ATTEMPT);
    assert_eq!(entries.len(), delivered, "seed {seed}");
    let bodies = entries.iter().filter_map(|(_, entry)| entry.body.as_ref());
    let attempts: Vec<AttemptBody> = bodies.map(|b| AttemptBody::decode(b).unwrap()).collect();
    for n in &erased {
        let erasure = work.phone.core().erasure(work.day.parcel_id(*n, 0));
        assert!(
            matches!(erasure.unwrap(), Some(Erasure::Done { .. })),
            "seed {seed}"
        );
    }
    let mut lost = 0;
    for n in (0..delivered).filter(|n| !erased.contains(n)) {
        let parcel = work.day.parcel_id(n, 0);
        let attempt = attempts.iter().find(|a| a.parcel == parcel).unwrap();
        let at_hub = attempt.proofs.iter().all(|p| work.hub.has_blob(p.hash));
        let expected = match at_hub {
            true => SyncState::ProofComplete,
            false => SyncState::ProofLost,
        };
        assert_eq!(
            work.phone.stop(work.day.stop_id(n)).sync,
            expected,
            "seed {seed}, stop {n}"
        );
        lost += usize::from(!at_hub);
    }
    assert_eq!(status.lost_proofs, lost as u64, "seed {seed}");
    let mut notes: Vec<Hash32> = lost_notes(&work).iter().map(|note| note.hash).collect();
    let told = notes.len();
    notes.sort();
    notes.dedup();
    assert!(
        told == notes.len() && told >= lost,
        "seed {seed}: each said once"
    );
    lost
}

#[test]
fn on_random_days_every_photo_is_at_the_hub_or_said_to_be_lost_and_nothing_waits() {
    let lost: usize = (0..24).map(random_day).sum();
    assert!(lost > 5, "the days lose something: {lost}");
}

mod spoiled;

#[test]
fn a_photo_whose_visit_went_bad_in_another_cell_is_not_lost_and_arrives() {
    for change in [
        "PRAGMA ignore_check_constraints = ON; UPDATE attempt SET kind = 'xx'",
        "PRAGMA ignore_check_constraints = ON; UPDATE attempt SET handoff = 'xx'",
    ] {
        let mut work = Work::on(Day::new(5).stops(1));
        work.phone.deliver(work.day.stop_id(0), 1).unwrap();
        spoiled::spoil(&mut work.phone, change);
        assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
        assert_eq!(counts(&work.phone), (0, 0, 0), "{change}");
        assert!(work.hub.has_blob(photo_of(&work, 0).0), "{change}");
        assert!(lost_notes(&work).is_empty(), "{change}");
    }
}

/// A delivery whose photo's file was away when it was to go up, and came back where the phone cannot know of it.
fn back_again() -> (Work, PathBuf) {
    let mut work = Work::on(Day::new(5).stops(1));
    work.phone.deliver(work.day.stop_id(0), 1).unwrap();
    let file = files(&work.phone).remove(0);
    let sound = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert_eq!(work.phone.core().sync_status().unwrap().lost_proofs, 1);
    std::fs::write(&file, sound).unwrap();
    work.phone.restart();
    (work, file)
}

#[test]
fn a_lost_photo_that_is_there_again_goes_out_by_file_is_told_at_sign_out_and_is_not_erased() {
    let (work, _) = back_again();
    let report = work.phone.core().export_unsent(&work.phone.dir.join("out"));
    let report = report.unwrap();
    assert_eq!((report.proofs, report.left_out_proofs), (1, 0));

    let (work, _) = back_again();
    let warning = work.phone.core().logout_warning().unwrap();
    assert_eq!(warning.map(|w| w.left.proofs), Some(1));
    assert_eq!(counts(&work.phone), (0, 1, 1));

    let (work, file) = back_again();
    let erasure = work.phone.core().erase(work.day.parcel_id(0, 0));
    assert_eq!(erasure.unwrap(), Erasure::WaitsForHub);
    assert!(file.exists());
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert!(work.hub.has_blob(photo_of(&work, 0).0));
    assert!(!file.exists(), "at the hub first, then erased");
}

#[test]
fn photos_whose_folder_is_away_for_a_while_are_not_lost() {
    let work = Work::on(Day::new(5).stops(3));
    for n in 0..3 {
        work.phone.deliver(work.day.stop_id(n), n as u64).unwrap();
    }
    let (blobs, aside) = (work.phone.dir.join("blobs"), work.phone.dir.join("aside"));
    std::fs::rename(&blobs, &aside).unwrap();
    work.phone.sync(&work.hub);
    assert_eq!(counts(&work.phone), (0, 3, 3));
    std::fs::rename(&aside, &blobs).unwrap();
    work.phone.clock.advance_ms(3_600_000);
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert_eq!(counts(&work.phone), (0, 0, 0));
    assert!(lost_notes(&work).is_empty());
}

#[test]
fn a_lost_photo_that_is_back_is_found_by_the_same_process() {
    let work = Work::on(Day::new(5).stops(1));
    work.phone.deliver(work.day.stop_id(0), 1).unwrap();
    let file = files(&work.phone).remove(0);
    let sound = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    std::fs::write(&file, sound).unwrap();
    // The next hour, whoever asks.
    work.phone.clock.advance_ms(3_600_000);
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert!(work.hub.has_blob(photo_of(&work, 0).0));
}

#[test]
fn a_file_that_cannot_be_read_now_holds_up_no_other_and_no_export() {
    let work = Work::on(Day::new(5).stops(3));
    work.phone.deliver(work.day.stop_id(0), 0).unwrap();
    let file = files(&work.phone).remove(0);
    let sound = std::fs::read(&file).unwrap();
    for n in 1..3 {
        work.phone.deliver(work.day.stop_id(n), n as u64).unwrap();
    }
    // Any error of the file system will do.
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let report = work.phone.core().export_unsent(&work.phone.dir.join("out"));
    let report = report.unwrap();
    assert_eq!((report.proofs, report.left_out_proofs), (2, 1));
    for _ in 0..50 {
        work.phone.sync_now(&work.hub);
    }
    assert_eq!(counts(&work.phone), (0, 1, 1), "it waits, and is not lost");
    assert!(
        work.phone
            .core()
            .sync_status()
            .unwrap()
            .next_retry_ms
            .is_some()
    );
    std::fs::remove_dir(&file).unwrap();
    std::fs::write(&file, sound).unwrap();
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert_eq!(counts(&work.phone), (0, 0, 0));
}
