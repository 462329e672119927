//! A keystore forgets, and nothing that was acknowledged is lost: real hub, real phone, the tool as a process.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use satchel_core::proof::photo::PhotoSource;
use satchel_core::{Error, StoreError};
use satchel_protocol::crypto::Secret32;
use satchel_protocol::escrow::{EscrowFile, RecoveryKey};
use satchel_protocol::ids::{DeviceId, StopId};
use satchel_protocol::orders::Policy;
use satchel_protocol::taxonomy::{HandoffKind, PhotoOrigin};
use satchel_tests::phone::{KEY, Phone, SyncEnd, long_signature, photo};
use satchel_tests::running::Running;

const SEALED: &str = "satchel.escrow";

fn recovery(n: u8) -> RecoveryKey {
    RecoveryKey::new(Secret32::new([n; 32]))
}

struct World {
    hub: Running,
    phone: Phone,
    stops: Vec<StopId>,
    home: tempfile::TempDir,
}

/// A phone that knows the recovery key; its first stop is at the hub.
fn world() -> World {
    let hub = Running::start();
    let policy = Policy {
        recovery_key: Some(recovery(1).public()),
        ..Policy::default()
    };
    hub.runtime.block_on(hub.hub.set_policy(policy)).unwrap();
    let phone = Phone::new(71);
    phone.enrol(&hub.round(6), &hub.http());
    let stops: Vec<StopId> = phone
        .core()
        .stops()
        .unwrap()
        .iter()
        .map(|s| s.stop_id)
        .collect();
    phone.deliver(stops[0], 1).unwrap();
    assert_eq!(phone.sync(&hub.http()), SyncEnd::Done);
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("key"), recovery(1).to_text()).unwrap();
    std::fs::write(home.path().join("wrong key"), recovery(2).to_text()).unwrap();
    World {
        hub,
        phone,
        stops,
        home,
    }
}

impl World {
    /// Four stops without a network, one of them in vain; then the keystore forgets.
    fn offline(&mut self) {
        for n in 1..5 {
            match n {
                4 => self.phone.fail(self.stops[n]).unwrap(),
                _ => self.phone.deliver(self.stops[n], n as u64).unwrap(),
            };
        }
        self.forget();
    }

    fn forget(&mut self) {
        self.phone.kill();
        self.phone.key = [0xEE; 32];
        let refused = self.phone.open().unwrap_err();
        assert!(matches!(refused, Error::Store(StoreError::WrongKey)));
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn salvage(&self, store: &Path, key: &str, more: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_satchel-salvage"))
            .arg(store)
            .arg("--recovery-key")
            .arg(self.file(key))
            .arg("-o")
            .arg(self.file("unsent.satchel"))
            .args(more)
            .output()
            .unwrap()
    }

    fn refused(&self, store: &Path, key: &str, more: &[&str], why: &str) {
        let out = self.salvage(store, key, more);
        let said = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(1), "{said}");
        assert!(said.contains(why), "{said}");
        assert!(!self.file("unsent.satchel").exists() && !self.file("unsent.work").exists());
    }

    fn import(&self) -> satchel_hub::ExportImport {
        let bytes = std::fs::read(self.file("unsent.satchel")).unwrap();
        let imported = self.hub.hub.import_export(&bytes[..]);
        self.hub.runtime.block_on(imported).unwrap()
    }

    fn rescue_file(&self, device: DeviceId) -> PathBuf {
        let taken = self.hub.hub.rescue(device, "the keystore forgot");
        let file = self.hub.runtime.block_on(taken).unwrap();
        let path = self.file("from hub");
        std::fs::write(&path, file.encode()).unwrap();
        path
    }
}

fn copy_store(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.join("blobs")).unwrap();
    for dir in ["", "blobs"] {
        for file in std::fs::read_dir(from.join(dir)).unwrap().flatten() {
            if file.file_type().unwrap().is_file() {
                std::fs::copy(file.path(), to.join(dir).join(file.file_name())).unwrap();
            }
        }
    }
}

#[test]
fn what_a_phone_recorded_offline_survives_a_keystore_that_forgot() {
    let mut world = world();
    let device = world.phone.device();
    world.offline();
    let dir = world.phone.dir.clone();
    let before = std::fs::read(dir.join("satchel.db")).unwrap();
    let out = world.salvage(&dir, "key", &[]);
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    assert_eq!(std::fs::read(dir.join("satchel.db")).unwrap(), before);
    assert!(!world.file("unsent.work").exists());
    // Sealed to the hub: not one readable word, and not the store's key.
    let bytes = std::fs::read(world.file("unsent.satchel")).unwrap();
    for word in ["南大街".as_bytes(), b"WB0001", b"JFIF", &KEY] {
        assert!(!bytes.windows(word.len()).any(|w| w == word));
    }

    let done = world.import();
    assert_eq!(
        (done.device, done.entries, done.proofs, done.whole),
        (device, 4, 3, true)
    );
    assert_eq!(done.refused, None);
    let audit = world.hub.audit();
    let served = audit
        .parcels
        .iter()
        .filter(|p| p.attempts.len() == 1)
        .count();
    assert_eq!((served, audit.open_alarms), (5, 0));
    let attempts = audit.parcels.iter().flat_map(|p| &p.attempts);
    assert!(
        attempts
            .flat_map(|a| &a.proofs)
            .all(|p| p.bound && p.complete)
    );
    world.import();
    assert_eq!(world.hub.audit(), audit, "a second time changes nothing");
    // The key turned up after all: the phone goes on where it was, and nothing is there twice.
    world.phone.key = KEY;
    world.phone.open().unwrap();
    world.phone.deliver(world.stops[5], 9).unwrap();
    assert_eq!(world.phone.sync(&world.hub.http()), SyncEnd::Done);
    let audit = world.hub.audit();
    assert!(audit.parcels.iter().all(|p| p.attempts.len() == 1));
    assert_eq!(audit.open_alarms, 0);
}

#[test]
fn a_signature_too_long_to_ride_with_its_entry_comes_out_too() {
    let mut world = world();
    let stop = world.stops[1];
    let core = world.phone.core();
    let visit = core.begin_attempt(stop, HandoffKind::Recipient).unwrap();
    let mut done = world.phone.delivered(stop, 7);
    done.signature = Some(long_signature(7));
    let bytes = photo(7);
    let source = PhotoSource::Bytes(&bytes);
    core.add_photo(visit.attempt_id, source, PhotoOrigin::Camera)
        .unwrap();
    core.complete_attempt(visit.attempt_id, &done).unwrap();
    world.forget();
    let out = world.salvage(&world.phone.dir, "key", &[]);
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let done = world.import();
    assert_eq!((done.entries, done.proofs, done.whole), (1, 2, true));
    let audit = world.hub.audit();
    let attempts = audit.parcels.iter().flat_map(|p| &p.attempts);
    let mut proofs = attempts.flat_map(|a| &a.proofs);
    assert!(proofs.all(|p| p.bound && p.complete));
}

#[test]
fn the_hub_has_the_sealed_key_of_today_and_gives_it_to_a_person_with_a_reason() {
    let mut world = world();
    let (device, dir) = (world.phone.device(), world.phone.dir.clone());
    let again = [0x77; 32];
    world.phone.core().rekey(Secret32::new(again)).unwrap();
    world.phone.key = again;
    let beside = EscrowFile::decode(&std::fs::read(dir.join(SEALED)).unwrap()).unwrap();
    assert_eq!(beside.keys.len(), 1);
    assert_eq!(beside.keys[0].open(&recovery(1)).unwrap().expose(), &again);
    assert_eq!(world.phone.sync(&world.hub.http()), SyncEnd::Done);
    world.offline();
    // Somebody pulled the database alone.
    std::fs::remove_file(dir.join(SEALED)).unwrap();
    world.refused(&dir, "key", &[], "no sealed key");
    let nothing = world.hub.hub.rescue(device, " ");
    assert!(
        world.hub.runtime.block_on(nothing).is_err(),
        "not without a reason"
    );
    let from_hub = world.rescue_file(device);
    let out = world.salvage(&dir, "key", &["--escrow", from_hub.to_str().unwrap()]);
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    assert_eq!(world.import().entries, 4);
    // A phone that is to be wiped leaves nothing to open.
    let wipe = world.hub.hub.wipe(device, "stolen");
    world.hub.runtime.block_on(wipe).unwrap();
    let gone = world.hub.hub.rescue(device, "too late");
    assert!(world.hub.runtime.block_on(gone).is_err());
}

#[test]
fn nothing_comes_out_with_a_wrong_key_a_changed_seal_or_another_phones() {
    let mut world = world();
    world.offline();
    let dir = world.phone.dir.clone();
    world.refused(&dir, "wrong key", &[], "another recovery key");
    world.refused(world.home.path(), "key", &[], "no store");

    let sealed = std::fs::read(dir.join(SEALED)).unwrap();
    for at in (0..sealed.len()).step_by(7) {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        std::fs::write(dir.join(SEALED), &changed).unwrap();
        let out = world.salvage(&dir, "key", &[]);
        assert_eq!(out.status.code(), Some(1), "byte {at}");
    }
    // The phone of another courier, which sealed its own key.
    let other = Phone::new(72);
    other.enrol(&world.hub.invite("another courier"), &world.hub.http());
    assert_eq!(other.sync(&world.hub.http()), SyncEnd::Done);
    let from_hub = world.rescue_file(other.device());
    std::fs::remove_file(dir.join(SEALED)).unwrap();
    // Test phones share a key, so only the name on the seal tells.
    world.refused(
        &dir,
        "key",
        &["--escrow", from_hub.to_str().unwrap()],
        "not this store's",
    );
    std::fs::write(dir.join(SEALED), &sealed).unwrap();
    assert!(world.salvage(&dir, "key", &[]).status.success());
}

#[test]
fn of_a_damaged_store_everything_is_saved_that_can_be_read() {
    let mut world = world();
    for (n, stop) in world.stops.iter().enumerate().skip(1) {
        world.phone.deliver(*stop, n as u64).unwrap();
    }
    for _ in 0..120 {
        world.phone.core().reveal(world.stops[5]).unwrap();
    }
    // What is in the log's file goes into the database.
    world.phone.core().rekey(Secret32::new([0x78; 32])).unwrap();
    world.phone.key = [0x78; 32];
    world.forget();
    let pages = std::fs::metadata(world.phone.dir.join("satchel.db"))
        .unwrap()
        .len()
        / 4_096;
    let (mut in_part, mut refused) = (0, 0);
    for page in 0..pages {
        let store = world.file("damaged");
        copy_store(&world.phone.dir, &store);
        let mut bytes = std::fs::read(store.join("satchel.db")).unwrap();
        bytes[page as usize * 4_096 + 1_000] ^= 1;
        std::fs::write(store.join("satchel.db"), bytes).unwrap();
        let out = world.salvage(&store, "key", &[]);
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        match out.status.code() {
            Some(0) => {}
            Some(2) => {
                in_part += 1;
                let in_the_middle = !said.contains("(0 cannot be read)\nproofs");
                if in_the_middle && !world.file("kept").exists() {
                    std::fs::copy(world.file("unsent.satchel"), world.file("kept")).unwrap();
                }
            }
            Some(1) => refused += 1,
            other => panic!("page {page}: {other:?}"),
        }
        std::fs::remove_dir_all(store).unwrap();
    }
    // The first page, the table of tables and the phone's own row cost all; most pages cost a few rows.
    assert!(in_part >= 2, "{in_part} of {pages}");
    assert!(refused <= 8, "{refused} of {pages}");

    // Places that are gone stand open at the hub, and what is behind them is held; the right entries close them.
    std::fs::rename(world.file("kept"), world.file("unsent.satchel")).unwrap();
    let done = world.import();
    assert_eq!((done.whole, done.refused), (true, None));
    let open = || {
        world
            .hub
            .runtime
            .block_on(world.hub.hub.open_positions())
            .unwrap()
    };
    assert!(!open().is_empty());
    let out = world.salvage(&world.phone.dir, "key", &[]);
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    assert_eq!(world.import().refused, None);
    assert_eq!(open().len(), 0);
    let audit = world.hub.audit();
    assert!(audit.parcels.iter().all(|p| !p.attempts.is_empty()));
}
