//! Facts that were recorded for a parcel before its handover: tries of the recipient's code, and
//! temperatures. They are read from the store, so that no screen can hand in better ones.

use satchel_protocol::attempt::CodeResult;

use crate::error::Result;
use crate::store::db::Snapshot;
use crate::store::stops::ParcelRow;
use crate::store::{codes, cold};

/// The code matched on this phone.
pub(super) const VERIFIED: CodeResult = CodeResult::Verified;

/// What is known about the recipient's code for the visit under way: the best of the tries since the
/// last one. What was typed at an earlier visit says nothing about who stands at the door now.
pub(super) fn code_result(conn: &Snapshot, parcel: &ParcelRow) -> Result<Option<CodeResult>> {
    codes::result(conn, parcel.parcel_id)
}

/// Lowest and highest reading on the way, hundredths of a degree (A039).
pub(super) fn temperatures(conn: &Snapshot, parcel: &ParcelRow) -> Result<Option<(i32, i32)>> {
    cold::range(conn, parcel.parcel_id)
}
