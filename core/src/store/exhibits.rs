//! Rows that a courier shows in a dispute: his entries, what followed them, and the hub's words about them.

use rusqlite::{Connection, OptionalExtension};
use satchel_protocol::entry::{EntryKind, SignedEntry};
use satchel_protocol::ids::{AttemptId, Hash32};

use super::{entries, row};
use crate::error::Result;

/// Words of the hub looked through for the one that an entry names as older than itself.
const WORDS_BEFORE: i64 = 64;

/// An entry as it was signed.
pub(crate) fn entry(conn: &Connection, seq: i64) -> Result<Option<SignedEntry>> {
    let mut stmt =
        conn.prepare_cached("SELECT header, sig, salt, body FROM entry WHERE seq = ?1")?;
    let mut rows = stmt.query([seq])?;
    rows.next()?.map(entries::signed).transpose()
}

/// The entries up to `last` by which this log changed its key, in their order.
pub(crate) fn rotations(conn: &Connection, last: i64) -> Result<Vec<SignedEntry>> {
    let mut stmt = conn.prepare_cached(
        "SELECT header, sig, salt, body FROM entry WHERE kind = ?1 AND seq < ?2 ORDER BY seq",
    )?;
    let mut rows = stmt.query((i64::from(EntryKind::KEY_ROTATED.0), last))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(entries::signed(row)?);
    }
    Ok(found)
}

/// Headers of the entries behind `seq` up to `last`, in order.
pub(crate) fn headers(conn: &Connection, seq: i64, last: i64) -> Result<Vec<Vec<u8>>> {
    let mut stmt =
        conn.prepare_cached("SELECT header FROM entry WHERE seq > ?1 AND seq <= ?2 ORDER BY seq")?;
    let headers = stmt.query_map([seq, last], |r| r.get(0))?;
    Ok(headers.collect::<rusqlite::Result<_>>()?)
}

/// The hub's first word that may name this entry, as it came.
pub(crate) fn word_about(conn: &Connection, seq: i64) -> Result<Option<Vec<u8>>> {
    Ok(conn
        .prepare_cached(
            "SELECT answer FROM hub_word WHERE last_seq >= ?1 ORDER BY last_seq LIMIT 1",
        )?
        .query_row([seq], |r| r.get(0))
        .optional()?)
}

/// The hub's words from before this entry, the newest first.
pub(crate) fn words_before(conn: &Connection, seq: i64) -> Result<Vec<Vec<u8>>> {
    let mut stmt = conn.prepare_cached(
        "SELECT answer FROM hub_word WHERE last_seq < ?1 ORDER BY last_seq DESC LIMIT ?2",
    )?;
    let words = stmt.query_map([seq, WORDS_BEFORE], |r| r.get(0))?;
    Ok(words.collect::<rusqlite::Result<_>>()?)
}

/// The photos that the correction at `seq` binds, with the draft they were taken for: its body does not name it.
pub(crate) fn late_photos(conn: &Connection, seq: i64) -> Result<Vec<(Hash32, AttemptId)>> {
    let mut stmt =
        conn.prepare_cached("SELECT hash, attempt_id FROM proof WHERE bound_seq = ?1")?;
    let mut rows = stmt.query([seq])?;
    let mut found = Vec::new();
    while let Some(r) = rows.next()? {
        let hash = Hash32(row::bytes(r, "hash")?);
        found.push((hash, AttemptId(row::uuid(r, "attempt_id")?)));
    }
    Ok(found)
}

/// Where the log says that a proof is lost which the entry at `seq` binds.
pub(crate) fn said_lost(conn: &Connection, seq: i64) -> Result<Vec<i64>> {
    let mut stmt = conn.prepare_cached(
        "SELECT lost_seq FROM proof WHERE bound_seq = ?1 AND lost_seq IS NOT NULL ORDER BY lost_seq",
    )?;
    let places = stmt.query_map([seq], |r| r.get(0))?;
    Ok(places.collect::<rusqlite::Result<_>>()?)
}

/// The certificate the hub gave this phone.
pub(crate) fn certificate(conn: &Connection) -> Result<Option<Vec<u8>>> {
    Ok(
        conn.query_row("SELECT certificate FROM phone WHERE id = 1", [], |r| {
            r.get(0)
        })?,
    )
}
