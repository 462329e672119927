//! Proofs: staged with an attempt, bound by its entry, and at the same time the upload queue.

use rusqlite::{Connection, OptionalExtension, Row, params};
use satchel_protocol::attempt::ProofRef;
use satchel_protocol::ids::{AttemptId, Hash32, StopId};
use satchel_protocol::taxonomy::{PhotoOrigin, ProofKind};

use super::row;
use crate::error::{Error, Result, StoreError};
use crate::limits;

/// A proof as stored.
#[derive(Debug, Clone)]
pub(crate) struct ProofRow {
    pub(crate) id: i64,
    pub(crate) attempt: AttemptId,
    pub(crate) proof: ProofRef,
    /// Small proofs live in the row; photos in the blob folder.
    pub(crate) inline_bytes: Option<Vec<u8>>,
    /// An upload of it was handed out before: ask the hub first how much it has.
    pub(crate) started: bool,
}

pub(crate) fn stage(
    conn: &Connection,
    attempt: AttemptId,
    proof: &ProofRef,
    inline: Option<&[u8]>,
) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO proof (attempt_id, hash, kind, size_bytes, origin, captured_at_ms, inline_bytes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (attempt_id, hash) DO NOTHING",
    )?
    .execute(params![
        attempt.as_bytes(),
        proof.hash.0,
        proof.kind.code(),
        i64::try_from(proof.size_bytes).unwrap_or(i64::MAX),
        proof.origin.map(PhotoOrigin::code),
        proof.captured_at_ms,
        inline
    ])?;
    Ok(())
}

pub(crate) fn of_attempt(conn: &Connection, attempt: AttemptId) -> Result<Vec<ProofRow>> {
    let mut stmt = conn.prepare_cached("SELECT * FROM proof WHERE attempt_id = ?1 ORDER BY id")?;
    let mut rows = stmt.query([attempt.as_bytes()])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(read(r)?);
    }
    Ok(out)
}

/// Binds every staged proof of the attempt to the entry at `seq`.
pub(crate) fn bind(conn: &Connection, attempt: AttemptId, seq: i64) -> Result<()> {
    conn.prepare_cached(
        "UPDATE proof SET bound_seq = ?2 WHERE attempt_id = ?1 AND bound_seq IS NULL",
    )?
    .execute(params![attempt.as_bytes(), seq])?;
    Ok(())
}

/// Inline proofs bound by one entry that no receipt has named.
pub(crate) fn inline_of_entry(conn: &Connection, seq: i64) -> Result<Vec<ProofRow>> {
    let mut stmt = conn.prepare_cached(
        "SELECT * FROM proof WHERE bound_seq = ?1 AND inline_bytes IS NOT NULL
         AND received_at_ms IS NULL ORDER BY id",
    )?;
    let mut rows = stmt.query([seq])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(read(r)?);
    }
    Ok(out)
}

/// Proofs whose entry the hub has and which it does not have themselves, oldest first, from behind
/// the proof with id `after`.
pub(crate) fn to_upload(conn: &Connection, after: i64) -> Result<Vec<ProofRow>> {
    let mut stmt = conn.prepare_cached(
        "SELECT p.* FROM proof p JOIN entry e ON e.seq = p.bound_seq
         WHERE p.bound_seq IS NOT NULL AND p.received_at_ms IS NULL AND e.received_at_ms IS NOT NULL
         AND p.id > ?1 ORDER BY p.id LIMIT ?2",
    )?;
    let mut rows = stmt.query([after, i64::from(limits::PROOF_WINDOW)])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(read(r)?);
    }
    Ok(out)
}

pub(crate) fn set_started(conn: &Connection, id: i64) -> Result<()> {
    conn.prepare_cached("UPDATE proof SET started = 1 WHERE id = ?1 AND started = 0")?
        .execute([id])?;
    Ok(())
}

/// Marks a proof as received. Gives the stops for which that is news; `None` if this phone has no
/// proof with this hash.
pub(crate) fn mark_received(
    conn: &Connection,
    hash: Hash32,
    at_ms: i64,
) -> Result<Option<Vec<StopId>>> {
    let mut marked = conn.prepare_cached(
        "UPDATE proof SET received_at_ms = ?2 WHERE hash = ?1 AND received_at_ms IS NULL
         AND bound_seq IS NOT NULL
         RETURNING (SELECT stop_id FROM attempt a WHERE a.attempt_id = proof.attempt_id) AS stop_id",
    )?;
    let mut rows = marked.query(params![hash.0, at_ms])?;
    let mut stops = Vec::new();
    while let Some(r) = rows.next()? {
        stops.push(StopId(row::uuid(r, "stop_id")?));
    }
    if !stops.is_empty() {
        return Ok(Some(stops));
    }
    let known: Option<i64> = conn
        .prepare_cached("SELECT id FROM proof WHERE hash = ?1 LIMIT 1")?
        .query_row([hash.0], |r| r.get(0))
        .optional()?;
    Ok(known.map(|_| stops))
}

/// Takes receipts back for proofs bound by the entries from `first` to `last` that are `lost` at the
/// hub. Gives the stops concerned.
pub(crate) fn unmark(
    conn: &Connection,
    first: i64,
    last: i64,
    lost: impl Fn(Hash32) -> bool,
) -> Result<Vec<StopId>> {
    let mut stmt = conn.prepare_cached(
        "SELECT p.id, p.hash, a.stop_id FROM proof p JOIN attempt a USING (attempt_id)
         WHERE p.bound_seq BETWEEN ?1 AND ?2 AND p.received_at_ms IS NOT NULL",
    )?;
    let mut rows = stmt.query([first, last])?;
    let mut ids: Vec<i64> = Vec::new();
    let mut stops = Vec::new();
    while let Some(r) = rows.next()? {
        if lost(Hash32(row::bytes(r, "hash")?)) {
            ids.push(r.get("id")?);
            stops.push(StopId(row::uuid(r, "stop_id")?));
        }
    }
    let mut update = conn.prepare_cached("UPDATE proof SET received_at_ms = NULL WHERE id = ?1")?;
    for id in ids {
        update.execute([id])?;
    }
    Ok(stops)
}

/// Key and hash of every proof kept in the blob folder.
pub(crate) fn blob_keys(conn: &Connection) -> Result<Vec<([u8; 32], Hash32)>> {
    let mut stmt = conn.prepare_cached(
        "SELECT a.data_key AS data_key, p.hash AS hash FROM proof p JOIN attempt a USING (attempt_id)
         WHERE p.inline_bytes IS NULL",
    )?;
    let mut rows = stmt.query([])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push((row::bytes(r, "data_key")?, Hash32(row::bytes(r, "hash")?)));
    }
    Ok(out)
}

/// Proofs without a receipt and their bytes.
pub(crate) fn unsent(conn: &Connection) -> Result<(u64, u64)> {
    let mut stmt = conn.prepare_cached(
        "SELECT count(*) AS n, coalesce(sum(size_bytes), 0) AS bytes FROM proof
         WHERE bound_seq IS NOT NULL AND received_at_ms IS NULL",
    )?;
    let mut rows = stmt.query([])?;
    let r = rows
        .next()?
        .ok_or_else(|| Error::from(StoreError::BadRow("proof")))?;
    Ok((row::unsigned(r, "n")?, row::unsigned(r, "bytes")?))
}

fn read(r: &Row<'_>) -> Result<ProofRow> {
    let origin: Option<String> = r.get("origin")?;
    Ok(ProofRow {
        id: r.get("id")?,
        attempt: AttemptId(row::uuid(r, "attempt_id")?),
        proof: ProofRef {
            hash: Hash32(row::bytes(r, "hash")?),
            kind: row::code(r, "kind", |c| ProofKind::from_code(c).ok())?,
            size_bytes: row::unsigned(r, "size_bytes")?,
            origin: origin
                .map(|c| {
                    PhotoOrigin::from_code(&c)
                        .map_err(|_| Error::from(StoreError::BadRow("origin")))
                })
                .transpose()?,
            captured_at_ms: r.get("captured_at_ms")?,
        },
        inline_bytes: r.get("inline_bytes")?,
        started: r.get("started")?,
    })
}
