//! Facts that were recorded for a parcel before its handover: tries of the recipient's code, and
//! temperatures. They are read from the log itself, so that no screen can hand in better ones.

use satchel_protocol::attempt::CodeResult;
use satchel_protocol::doorstep::{CodeEntryBody, TemperatureBody};
use satchel_protocol::entry::EntryKind;

use crate::error::Result;
use crate::store::db::Snapshot;
use crate::store::noted;
use crate::store::stops::ParcelRow;

/// The code matched on this phone.
pub(super) const VERIFIED: CodeResult = CodeResult::Verified;

/// What is known about the recipient's code for the visit under way: the best of the tries since the
/// last one. What was typed at an earlier visit says nothing about who stands at the door now.
pub(super) fn code_result(conn: &Snapshot, parcel: &ParcelRow) -> Result<Option<CodeResult>> {
    let mut best = None;
    for entry in noted::about(conn, parcel.parcel_id.as_bytes(), EntryKind::CODE_ENTRY)? {
        if parcel.last_seq.is_some_and(|last| entry.seq <= last) {
            continue;
        }
        let body = CodeEntryBody::decode(&entry.body)?;
        best = match (best, body.matched) {
            (_, Some(true)) => return Ok(Some(CodeResult::Verified)),
            (_, None) if body.sealed.is_some() => Some(CodeResult::AwaitsHub),
            (best, _) => best,
        };
    }
    Ok(best)
}

/// Lowest and highest reading on the way, hundredths of a degree (A039).
pub(super) fn temperatures(conn: &Snapshot, parcel: &ParcelRow) -> Result<Option<(i32, i32)>> {
    let mut span: Option<(i32, i32)> = None;
    for entry in noted::about(conn, parcel.parcel_id.as_bytes(), EntryKind::TEMPERATURE)? {
        for sample in TemperatureBody::decode(&entry.body)?.samples {
            let (low, high) = span.unwrap_or((sample.centi_c, sample.centi_c));
            span = Some((low.min(sample.centi_c), high.max(sample.centi_c)));
        }
    }
    Ok(span)
}
