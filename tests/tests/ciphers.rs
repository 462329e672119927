//! The cipher under the store: stores of the release that still linked SQLCipher open as they were left, no
//! other key opens one, and no file of it can be read without.
//!
//! `golden/sqlcipher-store` was written by that release (docs/adr/0052) from the test kit's made-up round: one
//! handoff received by the hub and moved into the database, then, after a restart, a second one that only its
//! write-ahead log holds. The log's unused tail of zeros is cut off.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;
use std::sync::Arc;

use satchel_core::clock::ManualClock;
use satchel_core::model::stop::{StopState, SyncState};
use satchel_core::{Error, StoreError};
use satchel_protocol::crypto::Secret32;
use satchel_tests::day::MORNING_MS;
use satchel_tests::phone::{KEY, Phone, unlock};

const NEW: [u8; 32] = [0x11; 32];

/// A copy of the store that SQLCipher wrote, not opened yet.
fn sqlcipher_store(home: &Path) -> Phone {
    let clock = Arc::new(ManualClock::new(MORNING_MS + 60_000, 480));
    let phone = Phone::closed_at(home, 9, clock);
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/sqlcipher-store"),
        &phone.dir,
    );
    phone
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let target = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            copy(&file.path(), &target);
        } else {
            std::fs::copy(file.path(), target).unwrap();
        }
    }
}

/// What the courier sees of the three stops.
fn seen(phone: &Phone) -> Vec<(StopState, SyncState)> {
    let stops = phone.core().stops().unwrap();
    stops.iter().map(|s| (s.state, s.sync)).collect()
}

#[test]
fn a_store_that_sqlcipher_wrote_opens_with_all_that_was_in_its_log_and_takes_a_new_key() {
    let home = tempfile::tempdir().unwrap();
    let mut phone = sqlcipher_store(home.path());
    phone.open().unwrap();
    let left = [
        (StopState::Done, SyncState::ProofComplete),
        (StopState::Done, SyncState::Local),
        (StopState::Open, SyncState::Nothing),
    ];
    assert_eq!(seen(&phone), left);
    // It goes on as if nothing had been, under the old key and under a new one.
    let third = phone.core().stops().unwrap()[2].stop_id;
    phone.deliver(third, 3).unwrap();
    phone.restart();
    phone.core().rekey(Secret32::new(NEW)).unwrap();
    phone.kill();
    let refused = phone.open().unwrap_err();
    assert!(matches!(refused, Error::Store(StoreError::WrongKey)));
    phone.key = NEW;
    phone.open().unwrap();
    assert_eq!(seen(&phone)[..2], left[..2]);
    assert_eq!(seen(&phone)[2], (StopState::Done, SyncState::Local));
    phone.kill();
    let conn = rusqlite::Connection::open(phone.dir.join("satchel.db")).unwrap();
    conn.execute_batch(&unlock(&NEW)).unwrap();
    let whole: String = conn
        .query_row("PRAGMA integrity_check", [], |r| r.get(0))
        .unwrap();
    assert_eq!(whole, "ok");
}

#[test]
fn no_other_key_opens_a_store_whether_or_not_it_can_be_told_from_damage() {
    // 10,000 with `scripts/test-long keys`.
    let keys: u32 = std::env::var("SATCHEL_KEYS").map_or(60, |n| n.parse().unwrap());
    let home = tempfile::tempdir().unwrap();
    let mut phone = sqlcipher_store(home.path());
    phone.open().unwrap();
    phone.kill();
    let before = std::fs::read(phone.dir.join("satchel.db")).unwrap();
    let key_check = std::fs::read(phone.dir.join("satchel.kcv")).unwrap();
    for n in 0..keys {
        // One bit off, then many.
        phone.key = KEY;
        if n < 256 {
            phone.key[(n / 8) as usize] ^= 1 << (n % 8);
        } else {
            phone.key[..4].copy_from_slice(&n.to_be_bytes());
        }
        if n % 2 == 0 {
            std::fs::write(phone.dir.join("satchel.kcv"), &key_check).unwrap();
            let refused = phone.open().unwrap_err();
            assert!(matches!(refused, Error::Store(StoreError::WrongKey)));
        } else {
            // Without the file beside it the store itself is what refuses.
            let _ = std::fs::remove_file(phone.dir.join("satchel.kcv"));
            let refused = phone.open().unwrap_err();
            assert!(matches!(refused, Error::Store(StoreError::Foreign)));
        }
    }
    let after = std::fs::read(phone.dir.join("satchel.db")).unwrap();
    assert_eq!(before, after, "whoever has no key changes nothing");
    phone.key = KEY;
    phone.open().unwrap();
}

#[test]
fn what_is_written_is_noise_to_whoever_has_no_key_and_to_an_sqlite_without_a_cipher() {
    let mut phone = Phone::new(3);
    phone.kill();
    for file in ["satchel.db", "satchel.db-wal"] {
        let bytes = std::fs::read(phone.dir.join(file)).unwrap();
        assert!(!bytes.starts_with(b"SQLite format 3"), "{file}");
        for word in [&b"CREATE TABLE"[..], b"sqlite_"] {
            assert!(!bytes.windows(word.len()).any(|w| w == word), "{file}");
        }
    }
    // What fills the first pages is as even as noise: every byte about as often as any other.
    let bytes = std::fs::read(phone.dir.join("satchel.db")).unwrap();
    let mut counts = [0_u64; 256];
    bytes.iter().for_each(|b| counts[*b as usize] += 1);
    let expected = bytes.len() as f64 / 256.0;
    let chi: f64 = counts
        .iter()
        .map(|n| (*n as f64 - expected).powi(2) / expected)
        .sum();
    // 255 degrees of freedom: noise exceeds 450 once in 10^12; plain tables come to hundreds of thousands.
    assert!(chi < 450.0, "{chi}");
    let plain = rusqlite::Connection::open(phone.dir.join("satchel.db")).unwrap();
    let read = plain.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()));
    assert_eq!(
        read.unwrap_err().sqlite_error_code(),
        Some(rusqlite::ErrorCode::NotADatabase)
    );
}
