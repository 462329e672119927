//! Calls, read from the log.

use rusqlite::Connection;
use satchel_protocol::doorstep::CallBody;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::StopId;

use super::noted;
use crate::error::{Result, StoreError};
use crate::rules::contact::{CallAttempt, MaskedPhone};

/// A call as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallRow {
    pub(crate) seq: i64,
    pub(crate) at_ms: i64,
    pub(crate) body: CallBody,
}

/// The calls recorded for a stop, in the order of the log.
pub(crate) fn recorded(conn: &Connection, stop: StopId) -> Result<Vec<CallRow>> {
    noted::about(conn, stop.as_bytes(), EntryKind::CALL)?
        .into_iter()
        .map(|n| {
            Ok(CallRow {
                seq: n.seq,
                at_ms: n.occurred_at_ms,
                body: CallBody::decode(&n.body)?,
            })
        })
        .collect()
}

/// The same as the rules read them (A036, A045).
pub(crate) fn calls_of(conn: &Connection, stop: StopId) -> Result<Vec<CallAttempt>> {
    recorded(conn, stop)?
        .into_iter()
        .map(|row| {
            Ok(CallAttempt {
                at_ms: row.at_ms,
                number: MaskedPhone::from_masked(&row.body.number)
                    .map_err(|_| StoreError::BadRow("call"))?,
                virtual_number: row.body.virtual_number,
                duration_s: row.body.duration_s,
                result: row.body.result,
            })
        })
        .collect()
}
