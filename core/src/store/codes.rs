//! Tries of a recipient's code, counted from the log: restarting the app gives no new ones.

use rusqlite::Connection;
use satchel_protocol::attempt::CodeResult;
use satchel_protocol::doorstep::CodeEntryBody;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::ParcelId;

use super::{noted, stops};
use crate::error::Result;

/// Tries recorded for a parcel, right or wrong.
pub(crate) fn tries(conn: &Connection, parcel: ParcelId) -> Result<u8> {
    let count = noted::count(conn, parcel.as_bytes(), EntryKind::CODE_ENTRY)?;
    Ok(u8::try_from(count).unwrap_or(u8::MAX))
}

/// What is known of the code for the visit under way: what was typed at an earlier attempt says nothing
/// about who stands at the door now.
pub(crate) fn result(conn: &Connection, parcel: ParcelId) -> Result<Option<CodeResult>> {
    let last_attempt = stops::parcel(conn, parcel)?.last_seq.unwrap_or(0);
    let mut result = None;
    for entry in noted::about(conn, parcel.as_bytes(), EntryKind::CODE_ENTRY)? {
        if entry.seq <= last_attempt {
            continue;
        }
        let body = CodeEntryBody::decode(&entry.body)?;
        match (body.matched, body.sealed) {
            (Some(true), _) => return Ok(Some(CodeResult::Verified)),
            (None, Some(_)) => result = Some(CodeResult::AwaitsHub),
            _ => {}
        }
    }
    Ok(result)
}
