//! The last way out: a phone without a network is given back, and its unsent work reaches the hub as a file.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::path::PathBuf;

use satchel_core::Error;
use satchel_core::model::stop::SyncState;
use satchel_tests::phone::{Phone, SyncEnd};
use satchel_tests::running::Running;

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
