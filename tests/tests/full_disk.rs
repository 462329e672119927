//! A full disk: a typed error, nothing acknowledged is lost, and recording goes on once there is space.
//!
//! Needs a small file system of its own, which only root can mount; without root the test says so and
//! proves nothing.
#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod spoiled;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use satchel_core::clock::ManualClock;
use satchel_core::model::stop::SyncState;
use satchel_core::proof::photo::PhotoSource;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::taxonomy::{HandoffKind, PhotoOrigin};
use satchel_tests::day::{Day, MORNING_MS};
use satchel_tests::phone::{self, Phone, SyncEnd, is_full};
use satchel_tests::toy_hub::ToyHub;
use spoiled::spoil;

/// Leaves less free than ballast wants to see before it grows.
const TOO_SMALL_FOR_BALLAST_MB: u32 = 18;

/// A tmpfs of its own; unmounted when the test ends.
struct SmallDisk {
    dir: PathBuf,
    _home: tempfile::TempDir,
}

impl SmallDisk {
    fn mount(megabytes: u32) -> Option<Self> {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("disk");
        fs::create_dir(&dir).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(&dir)
            .output();
        match mounted {
            Ok(out) if out.status.success() => Some(Self { dir, _home: home }),
            _ => {
                eprintln!("SKIPPED, NOTHING PROVED: mounting a small disk needs root");
                None
            }
        }
    }

    /// Takes all space that is left.
    fn fill(&self) {
        let mut filler = File::create(self.filler()).unwrap();
        for chunk in [64 * 1_024, 4_096, 1] {
            while filler.write_all(&vec![1; chunk]).is_ok() {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.dir.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.dir).status();
    }
}

fn blob_files(dir: &Path) -> usize {
    phone::photo_files(dir).len()
}

#[test]
fn a_full_disk_is_named_and_loses_nothing() {
    const STOPS: usize = 1_200;
    let Some(disk) = SmallDisk::mount(TOO_SMALL_FOR_BALLAST_MB) else {
        return;
    };
    let day = Day::new(1).stops(STOPS);
    let clock = Arc::new(ManualClock::new(MORNING_MS, 480));
    let mut phone = Phone::at(&disk.dir, 1, clock);
    let hub = ToyHub::new(phone.clock.clone());
    let (invite, courier) = hub.invite("王师傅");
    hub.give(courier, day.items());
    phone.enrol(&invite, &hub);

    disk.fill();
    let mut acknowledged = Vec::new();
    let mut next = 0;
    let error = loop {
        match phone.fail(day.stop_id(next)) {
            Ok(recorded) => acknowledged.push(recorded.parcels[0].entry_hash),
            Err(error) => break error,
        }
        next += 1;
    };
    assert!(is_full(&error), "{error:?}");
    assert!(
        !acknowledged.is_empty(),
        "the log grown beforehand still takes records"
    );

    // A smaller record may still fit where that one did not; then there is no room for it either.
    let mut revealed = 0;
    while phone.core().reveal(day.stop_id(next)).is_ok() {
        revealed += 1;
    }
    let kept = acknowledged.len() as u64 + revealed;

    // It stays full: every way of writing says so, reading works, nothing is left half done.
    let draft = phone
        .core()
        .begin_attempt(day.stop_id(next), HandoffKind::Recipient)
        .unwrap();
    let files = blob_files(&phone.dir);
    for n in 0..3 {
        let photo = phone.core().add_photo(
            draft.attempt_id,
            PhotoSource::Bytes(&phone::photo(n)),
            PhotoOrigin::Camera,
        );
        assert!(is_full(&photo.unwrap_err()));
        assert!(is_full(&phone.fail(day.stop_id(next)).unwrap_err()));
        assert!(is_full(
            &phone.core().reveal(day.stop_id(next)).unwrap_err()
        ));
    }
    assert_eq!(blob_files(&phone.dir), files);
    let unsent = |phone: &Phone| phone.core().sync_status().unwrap().unsent_entries;
    assert_eq!(unsent(&phone), kept);
    assert_eq!(phone.stop(day.stop_id(next)).sync, SyncState::Nothing);

    // The app is killed and comes back on the full disk.
    phone.restart();
    assert_eq!(unsent(&phone), kept);
    assert_eq!(phone.stop(day.stop_id(0)).sync, SyncState::Local);

    disk.free();
    for n in next..next + 5 {
        let recorded = phone.deliver(day.stop_id(n), n as u64).unwrap();
        acknowledged.push(recorded.parcels[0].entry_hash);
    }
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    let log = hub.log(phone.device());
    let held: Vec<_> = log
        .iter()
        .filter(|(h, _)| h.kind == EntryKind::ATTEMPT)
        .map(|(_, e)| e.hash())
        .collect();
    assert_eq!(held, acknowledged);
}

#[test]
fn ballast_carries_deliveries_with_photos_through_a_full_disk_and_grows_back() {
    let Some(disk) = SmallDisk::mount(32) else {
        return;
    };
    let day = Day::new(1).stops(1_200);
    let clock = Arc::new(ManualClock::new(MORNING_MS, 480));
    let mut phone = Phone::at(&disk.dir, 1, clock);
    let hub = ToyHub::new(phone.clock.clone());
    let (invite, courier) = hub.invite("王师傅");
    hub.give(courier, day.items());
    phone.enrol(&invite, &hub);
    let ballast = |phone: &Phone| phone.core().storage_usage().unwrap().ballast_bytes;
    let full = ballast(&phone);
    assert!(full > 0, "no ballast on a disk with room for it");

    // Use up what the log has in reserve, so that nothing but the ballast is left.
    disk.fill();
    let mut next = 0;
    while ballast(&phone) == full {
        phone.fail(day.stop_id(next)).unwrap();
        next += 1;
    }
    let from = next;
    while ballast(&phone) > 0 {
        let recorded = phone.deliver(day.stop_id(next), next as u64);
        recorded.unwrap_or_else(|e| panic!("with ballast left: {e:?}"));
        next += 1;
    }
    assert!(
        next - from >= 5,
        "{} deliveries out of the ballast",
        next - from
    );
    phone.restart();
    assert_eq!(ballast(&phone), 0, "a full disk gives none back");

    disk.free();
    phone.restart();
    assert_eq!(ballast(&phone), full, "grown back");
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    assert_eq!(hub.log(phone.device()).len(), next + 1);
}

#[test]
fn receipted_photos_make_room_on_a_full_disk_before_the_ballast() {
    let Some(disk) = SmallDisk::mount(32) else {
        return;
    };
    let day = Day::new(1).stops(60);
    let clock = Arc::new(ManualClock::new(MORNING_MS, 480));
    let phone = Phone::at(&disk.dir, 1, clock);
    let hub = ToyHub::new(phone.clock.clone());
    let (invite, courier) = hub.invite("王师傅");
    hub.give(courier, day.items());
    phone.enrol(&invite, &hub);
    for n in 0..10 {
        phone.deliver(day.stop_id(n), n as u64).unwrap();
    }
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    let before = phone.core().storage_usage().unwrap();
    assert_eq!(before.evictable.photos, 10);
    disk.fill();
    phone.deliver(day.stop_id(10), 10).unwrap();
    let after = phone.core().storage_usage().unwrap();
    assert!(after.evictable.photos < 10, "{after:?}");
    assert_eq!(
        (after.waiting.photos, after.ballast_bytes),
        (1, before.ballast_bytes)
    );
}

#[test]
fn a_receipt_that_cannot_be_stored_is_asked_for_again() {
    let Some(disk) = SmallDisk::mount(TOO_SMALL_FOR_BALLAST_MB) else {
        return;
    };
    let day = Day::new(1).stops(1_200);
    let clock = Arc::new(ManualClock::new(MORNING_MS, 480));
    let phone = Phone::at(&disk.dir, 1, clock);
    let hub = ToyHub::new(phone.clock.clone());
    let (invite, courier) = hub.invite("王师傅");
    hub.give(courier, day.items());
    phone.enrol(&invite, &hub);
    disk.fill();
    let mut count = 0;
    while phone.fail(day.stop_id(count)).is_ok() {
        count += 1;
    }
    let core = phone.core();
    for _ in 0..5 {
        match core.next_task(satchel_core::sync::task::Network::Unmetered) {
            Ok(satchel_core::sync::task::Task::Http(task)) => {
                let outcome = satchel_tests::link::Transport::send(&hub, &task).unwrap();
                let taken = core.complete_task(&task.id, outcome);
                assert!(taken.is_ok() || is_full(&taken.unwrap_err()));
            }
            Ok(_) => phone.wait(),
            Err(error) => panic!("{error:?}"),
        }
    }
    disk.free();
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    assert_eq!(hub.log(phone.device()).len(), count + 1);
    assert_eq!(phone.stop(day.stop_id(0)).sync, SyncState::ProofComplete);
    assert_eq!(core.sync_status().unwrap().unsent_entries, 0);
}

#[test]
fn the_last_way_out_is_open_on_a_full_disk_and_names_what_could_not_be_repaired() {
    let Some(disk) = SmallDisk::mount(TOO_SMALL_FOR_BALLAST_MB) else {
        return;
    };
    let day = Day::new(1).stops(1_200);
    let clock = Arc::new(ManualClock::new(MORNING_MS, 480));
    let mut phone = Phone::at(&disk.dir, 1, clock);
    let hub = ToyHub::new(phone.clock.clone());
    let (invite, courier) = hub.invite("王师傅");
    hub.give(courier, day.items());
    phone.enrol(&invite, &hub);
    for n in 0..3 {
        phone.deliver(day.stop_id(n), n as u64).unwrap();
    }
    spoil(
        &mut phone,
        "UPDATE entry SET salt = x'00' WHERE seq = 2; UPDATE entry SET sig = x'00' WHERE seq = 3;
         UPDATE entry SET header = CAST(substr(header, 1, length(header) - 1) || x'5a' AS BLOB) WHERE seq = 4",
    );
    disk.fill();
    let mut next = 3;
    while phone.fail(day.stop_id(next)).is_ok() {
        next += 1;
    }
    while phone.core().reveal(day.stop_id(next)).is_ok() {}
    let unsent = phone.core().sync_status().unwrap().unsent_entries;

    let card = tempfile::tempdir().unwrap();
    let file = card.path().join("unsent.satchel");
    let report = phone.core().export_unsent(&file).unwrap();
    assert_eq!((report.entries, report.proofs), (unsent, 3));
    // A signature is made for the way; what would have to be said again is not, and is named. Nobody signs a header that
    // is not the one that was signed.
    assert_eq!(report.left_open, [2, 4]);

    disk.free();
    let report = phone.core().export_unsent(&file).unwrap();
    assert_eq!((report.entries, report.left_open), (unsent + 2, vec![]));
}
