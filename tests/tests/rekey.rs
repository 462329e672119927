//! The store's key is changed: everything is there under the new key and nothing under the old one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use satchel_core::{Error, StoreError};
use satchel_protocol::crypto::Secret32;
use satchel_tests::day::Day;
use satchel_tests::phone::{KEY, SyncEnd};
use satchel_tests::work::Work;

const NEW: [u8; 32] = [0x11; 32];

#[test]
fn a_store_under_a_new_key_has_everything_and_the_old_key_opens_nothing() {
    let mut work = Work::on(Day::new(5).stops(3));
    work.phone.deliver(work.day.stop_id(0), 1).unwrap();
    // A reader that knows the old key is left behind.
    assert_eq!(work.phone.core().stops().unwrap().len(), 3);
    work.phone.core().rekey(Secret32::new(NEW)).unwrap();
    // The same process goes on, reading and writing.
    assert_eq!(work.phone.core().stops().unwrap().len(), 3);
    work.phone.deliver(work.day.stop_id(1), 2).unwrap();
    work.phone.core().pause();
    work.phone.core().resume().unwrap();
    work.phone.kill();
    assert_eq!(work.phone.key, KEY);
    for _ in 0..2 {
        let refused = work.phone.open().unwrap_err();
        assert!(matches!(refused, Error::Store(StoreError::WrongKey)));
    }
    work.phone.key = NEW;
    work.phone.open().unwrap();
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert_eq!(work.attempts().len(), 2);
    // Twice is once more.
    work.phone.core().rekey(Secret32::new(KEY)).unwrap();
    work.phone.key = KEY;
    work.phone.restart();
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
}
