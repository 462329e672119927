//! The evidence log as rows: appended, marked as received, never changed and never deleted.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};
use satchel_protocol::entry::{EntryKind, SignedEntry};
use satchel_protocol::ids::{Hash32, Salt, Sig64, StopId};

use super::row;
use crate::error::{Error, Result, StoreError};

/// Position and hash of the last entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) seq: i64,
    pub(crate) hash: Hash32,
}

/// An entry on its way out.
#[derive(Debug, Clone)]
pub(crate) struct EntryRow {
    pub(crate) seq: i64,
    pub(crate) entry: SignedEntry,
}

pub(crate) fn head(conn: &Connection) -> Result<Head> {
    let mut stmt = conn.prepare_cached("SELECT seq, hash FROM entry ORDER BY seq DESC LIMIT 1")?;
    let mut rows = stmt.query([])?;
    Ok(match rows.next()? {
        Some(r) => Head {
            seq: r.get("seq")?,
            hash: Hash32(row::bytes(r, "hash")?),
        },
        None => Head {
            seq: 0,
            hash: Hash32::ZERO,
        },
    })
}

pub(crate) fn append(
    conn: &Connection,
    head: Head,
    kind: EntryKind,
    entry: &SignedEntry,
    stop: Option<StopId>,
    occurred_at_ms: i64,
) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO entry (seq, hash, kind, header, sig, salt, body, stop_id, occurred_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        head.seq,
        head.hash.0,
        kind.0,
        entry.header,
        entry.sig.0,
        entry.salt.map(|s| s.0),
        entry.body,
        stop.as_ref().map(StopId::as_bytes),
        occurred_at_ms
    ])?;
    Ok(())
}

/// When the entry's event happened, and its body unless that was erased.
pub(crate) fn body_at(conn: &Connection, seq: i64) -> Result<Option<(i64, Vec<u8>)>> {
    let mut stmt = conn.prepare_cached("SELECT occurred_at_ms, body FROM entry WHERE seq = ?1")?;
    let found: Option<(i64, Option<Vec<u8>>)> = stmt
        .query_row([seq], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    Ok(found.and_then(|(at_ms, body)| Some((at_ms, body?))))
}

pub(crate) fn hash_at(conn: &Connection, seq: i64) -> Result<Option<Hash32>> {
    let found: Option<Vec<u8>> = conn
        .prepare_cached("SELECT hash FROM entry WHERE seq = ?1")?
        .query_row([seq], |r| r.get(0))
        .optional()?;
    found
        .map(|b| Hash32::try_from(b.as_slice()).map_err(|_| StoreError::BadRow("hash").into()))
        .transpose()
}

/// What an entry is and its body, unless that was erased.
pub(crate) fn kind_and_body(conn: &Connection, seq: i64) -> Result<Option<(EntryKind, Vec<u8>)>> {
    let found: Option<(u16, Option<Vec<u8>>)> = conn
        .prepare_cached("SELECT kind, body FROM entry WHERE seq = ?1")?
        .query_row([seq], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    Ok(found.and_then(|(kind, body)| Some((EntryKind(kind), body?))))
}

/// The body of an entry of one kind.
pub(crate) fn body_of(conn: &Connection, seq: i64, kind: EntryKind) -> Result<Option<Vec<u8>>> {
    Ok(kind_and_body(conn, seq)?
        .filter(|(found, _)| *found == kind)
        .map(|(_, body)| body))
}

/// Entries without a receipt, in order.
pub(crate) fn unsent(conn: &Connection, limit: usize) -> Result<Vec<EntryRow>> {
    let mut stmt = conn.prepare_cached(
        "SELECT seq, header, sig, salt, body FROM entry WHERE seq > ?1 AND received_at_ms IS NULL
         ORDER BY seq LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = stmt.query([received_head(conn)?, limit])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(EntryRow {
            seq: r.get("seq")?,
            entry: SignedEntry {
                header: r.get("header")?,
                sig: Sig64(row::bytes(r, "sig")?),
                salt: row::opt_bytes(r, "salt")?.map(Salt),
                body: r.get("body")?,
            },
        });
    }
    Ok(out)
}

/// The last entry before the first unreceipted one.
pub(crate) fn received_head(conn: &Connection) -> Result<i64> {
    Ok(conn
        .prepare_cached("SELECT received_upto FROM phone WHERE id = 1")?
        .query_row([], |r| r.get(0))?)
}

/// Moves [`received_head`] over what has its receipt now; belongs into every transaction that marks.
pub(crate) fn advance_received_head(conn: &Connection) -> Result<()> {
    conn.execute(
        "UPDATE phone SET received_upto = coalesce(
             (SELECT min(seq) - 1 FROM entry WHERE seq > received_upto AND received_at_ms IS NULL),
             (SELECT max(seq) FROM entry), 0)
         WHERE id = 1",
        [],
    )?;
    Ok(())
}

/// What a receipt's line did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marked {
    /// First receipt for this entry; the entry may belong to a stop.
    New(Option<StopId>),
    /// It had one before.
    Before,
    /// This phone has no such entry.
    Unknown,
}

/// Marks an entry as received if the hash is ours.
pub(crate) fn mark_received(
    conn: &Connection,
    seq: i64,
    hash: Hash32,
    at_ms: i64,
) -> Result<Marked> {
    if hash_at(conn, seq)? != Some(hash) {
        return Ok(Marked::Unknown);
    }
    let marked: Option<Option<Vec<u8>>> = conn
        .prepare_cached(
            "UPDATE entry SET received_at_ms = ?2 WHERE seq = ?1 AND received_at_ms IS NULL
             RETURNING stop_id",
        )?
        .query_row(params![seq, at_ms], |r| r.get(0))
        .optional()?;
    Ok(match marked {
        None => Marked::Before,
        Some(stop) => Marked::New(stop.as_deref().map(stop_id).transpose()?),
    })
}

/// The hub turned out not to have what it receipted after `seq`: send it again. Gives the stops
/// concerned; empty also when it was only other entries than attempts.
pub(crate) fn unmark_after(conn: &Connection, seq: i64) -> Result<Vec<StopId>> {
    let mut stmt = conn.prepare_cached(
        "UPDATE entry SET received_at_ms = NULL WHERE seq > ?1 AND received_at_ms IS NOT NULL
         RETURNING stop_id",
    )?;
    let mut rows = stmt.query([seq])?;
    let mut stops = Vec::new();
    while let Some(r) = rows.next()? {
        let stop: Option<Vec<u8>> = r.get(0)?;
        stops.extend(stop.as_deref().map(stop_id).transpose()?);
    }
    conn.execute(
        "UPDATE phone SET received_upto = min(received_upto, max(?1, 0)) WHERE id = 1",
        [seq],
    )?;
    Ok(stops)
}

fn stop_id(bytes: &[u8]) -> Result<StopId> {
    uuid::Uuid::from_slice(bytes)
        .map(StopId)
        .map_err(|_| StoreError::BadRow("stop_id").into())
}

/// Entries without a receipt and when the oldest of them happened.
pub(crate) fn unsent_count(conn: &Connection) -> Result<(u64, Option<i64>)> {
    let mut stmt = conn.prepare_cached(
        "SELECT count(*) AS n, min(occurred_at_ms) AS oldest FROM entry
         WHERE seq > ?1 AND received_at_ms IS NULL",
    )?;
    let mut rows = stmt.query([received_head(conn)?])?;
    let r = rows
        .next()?
        .ok_or_else(|| Error::from(StoreError::BadRow("entry")))?;
    Ok((row::unsigned(r, "n")?, r.get("oldest")?))
}

/// How far what was recorded at a stop has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct StopSync {
    /// The last entry without receipt.
    pub(crate) last_unsent: Option<i64>,
    /// Bound proofs without receipt.
    pub(crate) proofs_unsent: i64,
}

/// Every stop at which something happened to a parcel.
pub(crate) fn stop_sync(conn: &Connection) -> Result<HashMap<StopId, StopSync>> {
    let mut out: HashMap<StopId, StopSync> = HashMap::new();
    let mut tried =
        conn.prepare_cached("SELECT DISTINCT stop_id FROM parcel WHERE history IS NOT NULL")?;
    let mut rows = tried.query([])?;
    while let Some(r) = rows.next()? {
        out.insert(StopId(row::uuid(r, "stop_id")?), StopSync::default());
    }
    let mut unsent = conn.prepare_cached(
        "SELECT stop_id, max(seq) AS seq FROM entry
         WHERE seq > ?1 AND received_at_ms IS NULL AND kind IN (?2, ?3, ?4, ?5)
         GROUP BY stop_id",
    )?;
    let mut rows = unsent.query(params![
        received_head(conn)?,
        EntryKind::ATTEMPT.0,
        EntryKind::CORRECTION.0,
        EntryKind::PICKUP.0,
        EntryKind::PARCEL_STEP.0
    ])?;
    while let Some(r) = rows.next()? {
        let stop = StopId(row::uuid(r, "stop_id")?);
        out.entry(stop).or_default().last_unsent = Some(r.get("seq")?);
    }
    let mut proofs = conn.prepare_cached(
        "SELECT a.stop_id AS stop_id, count(*) AS n FROM proof p JOIN attempt a USING (attempt_id)
         WHERE p.bound_seq IS NOT NULL AND p.received_at_ms IS NULL GROUP BY a.stop_id",
    )?;
    let mut rows = proofs.query([])?;
    while let Some(r) = rows.next()? {
        let stop = StopId(row::uuid(r, "stop_id")?);
        out.entry(stop).or_default().proofs_unsent = r.get("n")?;
    }
    Ok(out)
}
