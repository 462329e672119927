//! Versions of what is shown, for `changes_since`.
//!
//! Each stop and parcel row carries the version of its last change. The counter behind them lives in
//! memory with the writer and is taken up from the rows when the store opens: on disk it would cost
//! every attempt one more page, and as a temporary table a transaction of its own. What is rolled back
//! leaves a gap.
//!
//! Only listed stops are looked through. A past one ([`super::past`]) has not changed since it left the lists,
//! and the version of that moment is its own.

use std::sync::atomic::{AtomicI64, Ordering};

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, params};
use satchel_protocol::ids::StopId;

use super::row;
use crate::error::Result;

const NEWEST: &str = "SELECT max(version) FROM (
         SELECT max(version) AS version FROM stop WHERE past = 0
         UNION ALL SELECT max(version) FROM parcel WHERE stop_id IN (SELECT stop_id FROM stop WHERE past = 0)
         UNION ALL SELECT max(past) FROM stop WHERE past > 0)";

/// Gives the writer its counter.
pub(super) fn start(writer: &Connection) -> Result<()> {
    let newest: Option<i64> = writer.query_row(NEWEST, [], |r| r.get(0))?;
    let version = AtomicI64::new(newest.unwrap_or(0));
    writer.create_scalar_function(
        "next_version",
        0,
        FunctionFlags::SQLITE_DIRECTONLY,
        move |_| Ok(version.fetch_add(1, Ordering::Relaxed) + 1),
    )?;
    Ok(())
}

/// The next version. Only the writer has one to give. Where one row is changed, the statement itself asks for it.
pub(super) fn next(writer: &Connection) -> Result<i64> {
    let mut stmt = writer.prepare_cached("SELECT next_version()")?;
    Ok(stmt.query_row([], |r| r.get(0))?)
}

/// The newest version, and the stops that changed after `since` in the order of their changes; with 0 those that
/// are listed.
pub(crate) fn changes(conn: &Connection, since: i64) -> Result<(i64, Vec<StopId>)> {
    let newest: Option<i64> = conn.prepare_cached(NEWEST)?.query_row([], |r| r.get(0))?;
    let mut stmt = conn.prepare_cached(
        "SELECT stop_id, max(version) AS version FROM
             (SELECT stop_id, version FROM stop WHERE past = 0 AND version > ?1
              UNION ALL SELECT stop_id, version FROM parcel
                  WHERE version > ?1 AND stop_id IN (SELECT stop_id FROM stop WHERE past = 0)
              UNION ALL SELECT stop_id, past FROM stop WHERE past > ?1 AND past > 0 AND ?1 > 0)
         GROUP BY stop_id ORDER BY version",
    )?;
    let mut rows = stmt.query(params![since])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(StopId(row::uuid(r, "stop_id")?));
    }
    Ok((newest.unwrap_or(0), out))
}
