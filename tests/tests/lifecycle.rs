//! Opening, pausing and closing, and what is wrong with a store that does not open.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use satchel_core::clock::{ManualClock, OsEntropy};
use satchel_core::model::stop::SyncState;
use satchel_core::proof::photo::PhotoSource;
use satchel_core::sync::task::{Network, Task, TaskOutcome};
use satchel_core::{Courier, Environment, Error, OpenConfig, StoreError};
use satchel_protocol::crypto::{Secret32, sha256};
use satchel_protocol::ids::Hash32;
use satchel_protocol::taxonomy::{HandoffKind, PhotoOrigin};
use satchel_tests::day::{Day, MORNING_MS};
use satchel_tests::link::Transport as _;
use satchel_tests::phone::{self, Phone, SyncEnd, config};
use satchel_tests::toy_hub::ToyHub;

fn env() -> Environment {
    Environment {
        clock: Arc::new(ManualClock::new(MORNING_MS, 480)),
        entropy: Arc::new(OsEntropy),
    }
}

/// A phone with one delivery on it, closed.
fn used_store() -> (tempfile::TempDir, Day) {
    let home = tempfile::tempdir().unwrap();
    let day = Day::new(1).stops(2);
    let mut phone = Phone::at(home.path(), 1, Arc::new(ManualClock::new(MORNING_MS, 480)));
    let hub = ToyHub::new(phone.clock.clone());
    let (invite, courier) = hub.invite("王师傅");
    hub.give(courier, day.items());
    phone.enrol(&invite, &hub);
    phone.deliver(day.stop_id(0), 1).unwrap();
    phone.kill();
    (home, day)
}

fn open(dir: &Path) -> Result<Courier, StoreError> {
    open_with(dir, phone::KEY)
}

fn open_with(dir: &Path, key: [u8; 32]) -> Result<Courier, StoreError> {
    let config = OpenConfig {
        dir: dir.to_owned(),
        key: Secret32::new(key),
    };
    match Courier::open(config, env()) {
        Ok(core) => Ok(core),
        Err(Error::Store(error)) => Err(error),
        Err(other) => panic!("{other:?}"),
    }
}

/// Every file of the folder and the hash of its bytes.
fn snapshot(dir: &Path) -> Vec<(String, Hash32)> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap())
        .filter(|e| e.file_type().unwrap().is_file())
        .map(|e| {
            let name = e.file_name().into_string().unwrap();
            (name, sha256(&[&fs::read(e.path()).unwrap()]))
        })
        .filter(|(name, _)| !name.ends_with("-shm"))
        .collect();
    files.sort();
    files
}

#[test]
fn a_second_instance_is_refused_until_the_first_lets_go() {
    let (home, _day) = used_store();
    let dir = home.path().join("phone");
    let first = open(&dir).unwrap();
    assert!(matches!(open(&dir), Err(StoreError::InUse)));
    first.pause();
    // A host's extension may work while the app is suspended.
    let extension = open(&dir).unwrap();
    assert!(matches!(
        first.resume(),
        Err(Error::Store(StoreError::InUse))
    ));
    assert!(matches!(first.stops(), Err(Error::Paused)));
    drop(extension);
    first.resume().unwrap();
    first.shutdown();
    // The object may live on until a garbage collector finds it.
    open(&dir).unwrap();
    assert!(matches!(first.stops(), Err(Error::Closed)));
    assert!(matches!(first.resume(), Err(Error::Closed)));
    first.pause();
    assert!(matches!(first.stops(), Err(Error::Closed)));
}

#[test]
fn a_wrong_key_is_told_from_damage_and_touches_nothing() {
    let (home, _day) = used_store();
    let dir = home.path().join("phone");
    let before = snapshot(&dir);
    assert!(matches!(
        open_with(&dir, [1; 32]),
        Err(StoreError::WrongKey)
    ));
    assert_eq!(snapshot(&dir), before);
    open(&dir).unwrap();
}

#[test]
fn a_damaged_key_check_does_not_lock_the_courier_out() {
    let (home, day) = used_store();
    let dir = home.path().join("phone");
    for damage in [vec![0; 32], vec![], vec![7; 5]] {
        fs::write(dir.join("satchel.kcv"), damage).unwrap();
        let core = open(&dir).unwrap();
        let stop = core.stop(day.stop_id(0)).unwrap();
        assert_eq!(stop.sync, SyncState::Local);
        drop(core);
        assert!(matches!(
            open_with(&dir, [1; 32]),
            Err(StoreError::WrongKey)
        ));
    }
}

#[test]
fn a_cut_overwritten_or_missing_store_is_damage_and_stays_as_it_is() {
    for damage in ["cut", "cut to nothing", "noise", "missing", "header"] {
        let (home, _day) = used_store();
        let dir = home.path().join("phone");
        let db = dir.join("satchel.db");
        let bytes = fs::read(&db).unwrap();
        // What is in the write-ahead log would heal the file.
        let _ = fs::remove_file(dir.join("satchel.db-wal"));
        match damage {
            "cut" => fs::write(&db, &bytes[..bytes.len() / 2]).unwrap(),
            "cut to nothing" => fs::write(&db, []).unwrap(),
            "noise" => fs::write(&db, vec![0xA7; bytes.len()]).unwrap(),
            "missing" => fs::remove_file(&db).unwrap(),
            _ => {
                let mut bytes = bytes;
                bytes[20] ^= 0xFF;
                fs::write(&db, bytes).unwrap();
            }
        }
        let before = fs::read(&db).ok();
        match open(&dir) {
            Err(StoreError::Damaged) => {}
            other => panic!("{damage}: {:?}", other.err()),
        }
        let after = fs::read(&db)
            .ok()
            .filter(|b| !b.is_empty() || before.is_some());
        assert!(
            after == before,
            "{damage}: set right by a person, not by us"
        );
    }
}

#[test]
fn a_foreign_file_is_not_ours() {
    let plain = {
        let mut bytes = b"SQLite format 3\0".to_vec();
        bytes.resize(8_192, 0);
        bytes
    };
    for (what, bytes) in [
        ("another app's database", plain),
        ("a text", b"hello".to_vec()),
        ("noise", vec![0x5C; 20_000]),
        ("zeros", vec![0; 8_192]),
    ] {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("satchel.db"), &bytes).unwrap();
        assert!(
            matches!(open(home.path()), Err(StoreError::Foreign)),
            "{what}"
        );
        assert_eq!(fs::read(home.path().join("satchel.db")).unwrap(), bytes);
    }
}

#[test]
fn a_folder_that_cannot_be_one_is_an_io_error() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, b"x").unwrap();
    assert!(matches!(open(&file), Err(StoreError::Io(_))));
    assert!(matches!(open(&file.join("below")), Err(StoreError::Io(_))));
}

#[test]
fn pause_closes_every_file_and_resume_goes_on() {
    let (home, day) = used_store();
    let dir = home.path().join("phone");
    let core = open(&dir).unwrap();
    core.stops().unwrap();
    core.pause();
    assert_eq!(open_files_in(&dir), Vec::<String>::new());
    core.pause();
    assert!(matches!(core.stops(), Err(Error::Paused)));
    assert!(matches!(
        core.begin_attempt(day.stop_id(1), HandoffKind::Recipient),
        Err(Error::Paused)
    ));
    assert!(matches!(
        core.next_task(Network::Unmetered),
        Err(Error::Paused)
    ));
    core.resume().unwrap();
    core.resume().unwrap();
    assert_eq!(core.stops().unwrap().len(), 2);
}

#[test]
fn a_pause_under_load_loses_nothing_and_holds_no_file() {
    let (home, day) = used_store();
    let dir = home.path().join("phone");
    let core = open(&dir).unwrap();
    let stop = AtomicBool::new(false);
    let recorded = std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    assert!(matches!(core.stops(), Ok(_) | Err(Error::Paused)));
                }
            });
        }
        let writer = scope.spawn(|| {
            let mut recorded = 0;
            while !stop.load(Ordering::Relaxed) {
                match core.reveal(day.stop_id(1)) {
                    Ok(_) => recorded += 1,
                    Err(Error::Paused) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
            recorded
        });
        for _ in 0..25 {
            std::thread::sleep(std::time::Duration::from_millis(4));
            core.pause();
            assert_eq!(open_files_in(&dir), Vec::<String>::new());
            core.resume().unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        writer.join().unwrap()
    });
    assert!(recorded > 0);
    let unsent = core.sync_status().unwrap().unsent_entries;
    assert_eq!(unsent, recorded + 1, "and the delivery of before");
}

#[test]
fn an_answer_that_meets_a_pause_is_asked_for_again() {
    let home = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(MORNING_MS, 480));
    let phone = Phone::at(home.path(), 1, clock.clone());
    let hub = ToyHub::new(clock);
    let (invite, courier) = hub.invite("王师傅");
    hub.give(courier, Day::new(1).stops(1).items());
    let core = phone.core();
    core.enrol(&invite, "phone").unwrap();
    // Enrolment itself: the hub has taken it, the phone cannot note it.
    let Task::Http(task) = core.next_task(Network::Unmetered).unwrap() else {
        panic!("no enrolment")
    };
    let answer = hub.send(&task).unwrap();
    core.pause();
    assert!(matches!(
        core.complete_task(&task.id, answer),
        Err(Error::Paused)
    ));
    core.resume().unwrap();
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    assert_eq!(hub.devices(), [phone.device()]);
    assert_eq!(core.stops().unwrap().len(), 1);
}

#[test]
fn a_photo_whose_record_was_never_written_is_swept_and_a_used_one_stays() {
    let (home, day) = used_store();
    let dir = home.path().join("phone");
    let blobs = dir.join("blobs");
    let files = || phone::photo_files(&dir).len();
    assert_eq!(files(), 1);
    let orphan = format!("{}.{}", "ab".repeat(32), "0".repeat(16));
    fs::write(blobs.join(orphan), b"sealed").unwrap();
    fs::write(blobs.join(".part-00ff"), b"half").unwrap();
    fs::write(blobs.join("holiday.jpg"), b"not ours").unwrap();
    let core = open(&dir).unwrap();
    assert_eq!(files(), 2, "the proof and the file that is not ours");
    // Staged but not completed counts as used.
    let draft = core
        .begin_attempt(day.stop_id(1), HandoffKind::Recipient)
        .unwrap();
    core.add_photo(
        draft.attempt_id,
        PhotoSource::Bytes(&phone::photo(5)),
        PhotoOrigin::Camera,
    )
    .unwrap();
    drop(core);
    open(&dir).unwrap();
    assert_eq!(files(), 3);
}

#[test]
fn before_enrolment_and_after_a_refusal_calls_say_so() {
    let phone = Phone::new(3);
    let core = phone.core();
    let hub = ToyHub::new(phone.clock.clone());
    assert_eq!(core.next_task(Network::Unmetered).unwrap(), Task::Done);
    let day = Day::new(1).stops(1);
    assert!(matches!(
        core.begin_attempt(day.stop_id(0), HandoffKind::Recipient),
        Err(Error::NotEnrolled)
    ));
    for text in ["", "SATCHEL:", "https://example.com", "SATCHEL:0000"] {
        assert!(matches!(
            core.enrol(text, "phone"),
            Err(Error::InvalidInvite)
        ));
    }
    let (invite, _) = hub.invite("王师傅");
    for label in ["", "  ", "a\nb", &"长".repeat(81)] {
        assert!(matches!(
            core.enrol(&invite, label),
            Err(Error::InvalidInput { what: "label" })
        ));
    }
    // A used code is refused by the hub; a fresh one works after that.
    let other = Phone::new(4);
    other.enrol(&invite, &hub);
    core.enrol(&invite, "phone").unwrap();
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    let refused = core.enrolment().unwrap();
    assert_eq!(refused, satchel_core::model::status::Enrolment::Refused);
    let (fresh, courier) = hub.invite("李师傅");
    hub.give(courier, day.items());
    phone.enrol(&fresh, &hub);
    assert!(matches!(
        core.enrol(&fresh, "phone"),
        Err(Error::AlreadyEnrolled)
    ));
}

#[test]
fn a_lost_enrolment_answer_costs_neither_code_nor_identity() {
    let phone = Phone::new(5);
    let core = phone.core();
    let hub = ToyHub::new(phone.clock.clone());
    let (invite, _) = hub.invite("王师傅");
    core.enrol(&invite, "phone").unwrap();
    let Task::Http(task) = core.next_task(Network::Unmetered).unwrap() else {
        panic!("no enrolment")
    };
    let late = hub.send(&task).unwrap();
    core.complete_task(&task.id, TaskOutcome::Failed).unwrap();
    // The courier scans the same code again, out of impatience.
    core.enrol(&invite, "my phone").unwrap();
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    assert_eq!(hub.devices(), [phone.device()]);
    core.complete_task(&task.id, late).unwrap();
    assert_eq!(hub.log(phone.device()).len(), 1, "enrolled once");
}

#[test]
fn a_new_phone_uses_its_folder_and_survives_being_killed_at_once() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("deep").join("folder");
    drop(Courier::open(config(&dir), env()).unwrap());
    let core = Courier::open(config(&dir), env()).unwrap();
    assert_eq!(core.stops().unwrap(), vec![]);
}

/// Files of the folder that this process holds open.
fn open_files_in(dir: &Path) -> Vec<String> {
    let dir = dir.canonicalize().unwrap();
    fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|fd| fs::read_link(fd.unwrap().path()).ok())
        .filter(|path| path.starts_with(&dir))
        .map(|path| path.display().to_string())
        .collect()
}

#[test]
fn a_store_that_was_closed_opens_again_while_the_process_starts_others() {
    let (home, _day) = used_store();
    let dir = home.path().join("phone");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let _ = std::process::Command::new("true").status();
                }
            });
        }
        for _ in 0..150 {
            let opened = open(&dir);
            let refused = opened.err();
            if refused.is_some() {
                stop.store(true, Ordering::Relaxed);
                panic!("{refused:?}");
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
}
