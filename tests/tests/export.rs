//! The last way out: a phone without a network is given back, and its unsent work reaches the hub as a file.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod spoiled;

use std::path::PathBuf;

use satchel_core::Error;
use satchel_core::model::status::ExportReport;
use satchel_core::model::stop::SyncState;
use satchel_core::model::storage::Erasure;
use satchel_core::proof::photo::PhotoSource;
use satchel_core::sync::task::{HttpTask, Purpose, TaskOutcome};
use satchel_protocol::taxonomy::{HandoffKind, PhotoOrigin};
use satchel_tests::day::Day;
use satchel_tests::link::Transport;
use satchel_tests::phone::{Phone, SyncEnd, long_signature, photo, photo_files};
use satchel_tests::running::Running;
use satchel_tests::work::Work;
use spoiled::spoil;

struct World {
    hub: Running,
    phone: Phone,
    file: PathBuf,
    _home: tempfile::TempDir,
}

/// One stop is at the hub; four are served since without a network, one of them in vain.
fn offline() -> World {
    let hub = Running::start();
    let phone = Phone::new(61);
    phone.enrol(&hub.round(5), &hub.http());
    let stops = phone.core().stops().unwrap();
    phone.deliver(stops[0].stop_id, 1).unwrap();
    assert_eq!(phone.sync(&hub.http()), SyncEnd::Done);
    for (n, stop) in stops.iter().enumerate().skip(1) {
        match n {
            4 => phone.fail(stop.stop_id).unwrap(),
            _ => phone.deliver(stop.stop_id, n as u64).unwrap(),
        };
    }
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("unsent.satchel");
    World {
        hub,
        phone,
        file,
        _home: home,
    }
}

impl World {
    fn import(&self, bytes: &[u8]) -> Result<satchel_hub::ExportImport, satchel_hub::HubError> {
        self.hub.runtime.block_on(self.hub.hub.import_export(bytes))
    }

    fn everything_is_at_the_hub(&self) {
        let audit = self.hub.audit();
        assert!(audit.parcels.iter().all(|p| p.attempts.len() == 1));
        let attempts = audit.parcels.iter().flat_map(|p| &p.attempts);
        let proofs: Vec<_> = attempts.flat_map(|a| &a.proofs).collect();
        assert_eq!(proofs.len(), 8);
        assert!(proofs.iter().all(|p| p.bound && p.complete));
        assert_eq!(audit.open_alarms, 0);
    }
}

#[test]
fn what_a_wiped_phone_had_not_sent_arrives_with_its_file_once() {
    let world = offline();
    let report = world.phone.core().export_unsent(&world.file).unwrap();
    assert_eq!((report.entries, report.proofs), (4, 3));
    let bytes = std::fs::read(&world.file).unwrap();
    assert_eq!(bytes.len() as u64, report.bytes);
    // It lies in a download folder: not one readable word of whom and where.
    for word in ["张1", "南大街", "WB0001", "JFIF"] {
        let hit = |w: &[u8]| bytes.windows(w.len()).any(|x| x == w);
        assert!(!hit(word.as_bytes()), "{word}");
    }
    // Nothing is said to be sent because it was written somewhere.
    assert_eq!(world.phone.core().sync_status().unwrap().unsent_entries, 4);

    let done = world.import(&bytes).unwrap();
    assert_eq!((done.entries, done.proofs, done.whole), (4, 3, true));
    assert_eq!(done.refused, None);
    world.everything_is_at_the_hub();
    let before = world.hub.audit();
    world.import(&bytes).unwrap();
    assert_eq!(world.hub.audit(), before, "a second time changes nothing");
    // The phone was not wiped after all: it sends nothing twice and learns that all is there.
    assert_eq!(world.phone.sync(&world.hub.http()), SyncEnd::Done);
    for stop in world.phone.core().stops().unwrap() {
        assert_eq!(stop.sync, SyncState::ProofComplete);
    }
    world.everything_is_at_the_hub();
}

#[test]
fn a_file_that_was_cut_or_changed_counts_as_far_as_it_is_whole_and_says_so() {
    let world = offline();
    world.phone.core().export_unsent(&world.file).unwrap();
    let bytes = std::fs::read(&world.file).unwrap();
    let cut = world.import(&bytes[..bytes.len() - 40]).unwrap();
    assert!(!cut.whole);
    assert_eq!(cut.entries, 4);
    for at in [0, 10, 30, 70, bytes.len() - 5] {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(world.import(&changed).is_err(), "byte {at}");
    }
    assert!(world.import(b"").is_err());
    let other = Running::start();
    let foreign = other.runtime.block_on(other.hub.import_export(&bytes[..]));
    assert!(foreign.is_err(), "made for another hub");
    world.import(&bytes).unwrap();
    world.everything_is_at_the_hub();
}

#[test]
fn a_file_that_cannot_be_written_leaves_nothing_behind() {
    let world = offline();
    let nowhere = world.file.join("below").join("unsent.satchel");
    assert!(world.phone.core().export_unsent(&nowhere).is_err());
    let dir = world.file.parent().unwrap();
    assert_eq!(std::fs::read_dir(dir).unwrap().count(), 0);
    let fresh = Phone::new(62);
    let early = fresh.core().export_unsent(&world.file);
    assert!(matches!(early, Err(Error::NotEnrolled)));
}

/// A line that carries the log and no proof.
struct OnlyTheLog<T>(T);

impl<T: Transport> Transport for OnlyTheLog<T> {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        match task.purpose {
            Purpose::Proof => Some(TaskOutcome::Failed),
            _ => self.0.send(task),
        }
    }
}

/// A phone on which one stop was served, with a photo and a signature that does not ride with its entry.
fn scribbled() -> World {
    let hub = Running::start();
    let phone = Phone::new(63);
    phone.enrol(&hub.round(1), &hub.http());
    let stop = phone.core().stops().unwrap()[0].stop_id;
    let draft = phone
        .core()
        .begin_attempt(stop, HandoffKind::Recipient)
        .unwrap();
    let bytes = photo(7);
    phone
        .core()
        .add_photo(
            draft.attempt_id,
            PhotoSource::Bytes(&bytes),
            PhotoOrigin::Camera,
        )
        .unwrap();
    let mut done = phone.delivered(stop, 7);
    done.signature = Some(long_signature(7));
    phone
        .core()
        .complete_attempt(draft.attempt_id, &done)
        .unwrap();
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("unsent.satchel");
    World {
        hub,
        phone,
        file,
        _home: home,
    }
}

/// What a report says of proofs: in the file, and left out.
fn proofs(report: &ExportReport) -> (u64, u64) {
    (report.proofs, report.left_out_proofs)
}

impl World {
    fn export(&self) -> ExportReport {
        self.phone.core().export_unsent(&self.file).unwrap()
    }

    /// How many proofs the hub has of how many that entries bind, after the import of what was exported.
    fn proofs_at_the_hub(&self) -> (usize, usize) {
        let done = self.import(&std::fs::read(&self.file).unwrap()).unwrap();
        assert_eq!((done.whole, done.refused), (true, None));
        let audit = self.hub.audit();
        let attempts = audit.parcels.iter().flat_map(|p| &p.attempts);
        let proofs: Vec<_> = attempts.flat_map(|a| &a.proofs).collect();
        let here = proofs.iter().filter(|p| p.bound && p.complete);
        (here.count(), proofs.len())
    }
}

#[test]
fn a_signature_too_long_to_ride_with_its_entry_is_in_the_file_all_the_same() {
    for entry_is_sent in [false, true] {
        let world = scribbled();
        if entry_is_sent {
            let line = OnlyTheLog(world.hub.http());
            assert_ne!(world.phone.sync(&line), SyncEnd::Done);
        }
        let status = world.phone.core().sync_status().unwrap();
        assert_eq!(status.unsent_entries, u64::from(!entry_is_sent));
        assert_eq!(status.unsent_proofs, 2);
        let report = world.export();
        assert_eq!(report.entries, u64::from(!entry_is_sent));
        assert_eq!(proofs(&report), (2, 0));
        assert_eq!(world.proofs_at_the_hub(), (2, 2));
        // Said once, whoever says it.
        assert_eq!(world.phone.sync(&world.hub.http()), SyncEnd::Done);
        assert_eq!(proofs(&world.export()), (0, 0));
    }
}

#[test]
fn an_entry_that_is_said_again_takes_its_long_signature_along_once() {
    let mut world = scribbled();
    let change = "UPDATE entry SET salt = x'00' WHERE ink IS NOT NULL";
    spoil(&mut world.phone, change);
    let report = world.export();
    assert_eq!((report.entries, &report.left_open[..]), (2, &[][..]));
    assert_eq!(proofs(&report), (2, 0));
    assert_eq!(world.proofs_at_the_hub(), (2, 2));
}

#[test]
fn a_signature_whose_bytes_went_bad_is_named_and_spoils_no_file() {
    // One that rides with its entry, and one that does not.
    for mut world in [offline(), scribbled()] {
        let change = "UPDATE entry SET ink = zeroblob(length(ink))
             WHERE seq = (SELECT max(seq) FROM entry WHERE ink IS NOT NULL)";
        spoil(&mut world.phone, change);
        let report = world.export();
        assert_eq!(report.left_out_proofs, 1);
        let (here, all) = world.proofs_at_the_hub();
        assert_eq!(here + 1, all);
    }
}

#[test]
fn photos_behind_many_rows_that_went_bad_go_out_by_file_and_by_line_and_those_are_named() {
    const STOPS: usize = 70;
    const BAD: u64 = 66;
    let served = || {
        let mut work = Work::on(Day::new(5).stops(STOPS));
        for n in 0..STOPS {
            work.phone.deliver(work.day.stop_id(n), n as u64).unwrap();
        }
        // More of them one behind the other than are looked at together.
        spoil(
            &mut work.phone,
            &format!("UPDATE proof SET hash = x'00' WHERE id <= {BAD}"),
        );
        work
    };
    let good = STOPS as u64 - BAD;
    let work = served();
    let file = work.phone.dir.join("out");
    let report = work.phone.core().export_unsent(&file).unwrap();
    assert_eq!(proofs(&report), (good, BAD));

    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    let status = work.phone.core().sync_status().unwrap();
    // Nobody knows any more whose files they are.
    assert_eq!((status.unsent_proofs, status.lost_proofs), (0, BAD));
    assert_eq!(status.next_retry_ms, None);
    // At the hub they are: whoever signs out is told of nothing.
    assert!(work.phone.core().logout_warning().unwrap().is_none());
}

#[test]
fn a_photo_s_row_in_which_only_words_about_it_went_bad_still_brings_its_photo() {
    let change = "PRAGMA ignore_check_constraints = ON;
         UPDATE proof SET kind = 'xx' WHERE id = 1;
         UPDATE proof SET origin = 'xx' WHERE id = 2;
         UPDATE proof SET photo_facts = x'00' WHERE id = 3";
    let mut world = offline();
    spoil(&mut world.phone, change);
    assert_eq!(proofs(&world.export()), (3, 0));
    assert_eq!(world.proofs_at_the_hub(), (8, 8));

    let mut world = offline();
    spoil(&mut world.phone, change);
    assert_eq!(world.phone.sync(&world.hub.http()), SyncEnd::Done);
    let status = world.phone.core().sync_status().unwrap();
    assert_eq!((status.unsent_proofs, status.lost_proofs), (0, 0));
    world.everything_is_at_the_hub();
}

#[test]
fn a_delivery_whose_photo_s_row_went_bad_is_erased_all_the_same() {
    let mut work = Work::on(Day::new(5).stops(1));
    work.phone.deliver(work.day.stop_id(0), 1).unwrap();
    spoil(&mut work.phone, "UPDATE proof SET hash = x'00'");
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    let erased = work.phone.core().erase(work.day.parcel_id(0, 0)).unwrap();
    assert!(matches!(erased, Erasure::Done { .. }), "{erased:?}");
    assert_eq!(work.phone.core().sync_status().unwrap().lost_proofs, 0);
    assert!(photo_files(&work.phone.dir).is_empty());
}
