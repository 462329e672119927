//! A phone whose store went bad in a row.

use satchel_tests::phone::{KEY, Phone, unlock};

/// Changes the phone's file as a bad flash cell or a bug would, between two starts of the app.
pub(crate) fn spoil(phone: &mut Phone, change: &str) {
    phone.kill();
    let db = rusqlite::Connection::open(phone.dir.join("satchel.db")).unwrap();
    db.execute_batch(&unlock(&KEY)).unwrap();
    db.execute_batch(change).unwrap();
    drop(db);
    phone.open().unwrap();
}
