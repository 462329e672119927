//! Signatures: bytes that lie in the row of the entry that binds them, and what receipts said of them.
//!
//! An ink has no row of its own: that would cost every attempt a page of flash. It is the last proof its
//! entry's header binds, and its id in the upload queue is the entry's place below zero.

use rusqlite::{Connection, OptionalExtension, Row, params};
use satchel_protocol::attempt::ProofRef;
use satchel_protocol::crypto;
use satchel_protocol::entry::Header;
use satchel_protocol::ids::{AttemptId, Hash32, StopId};
use satchel_protocol::taxonomy::ProofKind;

use super::entries::TakenBack;
use super::proofs::ProofRow;
use super::queue::{self, Window};
use super::{entries, row};
use crate::error::Result;
use crate::limits;

/// An ink without a receipt.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) seq: i64,
    pub(crate) hash: Hash32,
    pub(crate) size_bytes: u64,
    pub(crate) stop: Option<StopId>,
}

/// Every ink without a receipt: of entries on their way, and of entries that arrived without theirs. One that was erased
/// waits for nothing.
pub(crate) fn waiting(conn: &Connection) -> Result<Vec<Waiting>> {
    let mut stmt = conn.prepare_cached(
        "SELECT e.seq AS seq, header, stop_id, length(ink) AS bytes
         FROM entry e LEFT JOIN received r USING (seq)
         WHERE e.seq > ?1 AND ink IS NOT NULL AND r.ink_at_ms IS NULL
         UNION ALL
         SELECT e.seq, header, stop_id, length(ink)
         FROM received r INDEXED BY ink_waiting JOIN entry e USING (seq)
         WHERE r.has_ink AND r.ink_at_ms IS NULL AND r.seq <= ?1 AND ink IS NOT NULL",
    )?;
    let mut rows = stmt.query([entries::received_head(conn)?])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        // An entry whose header went bad is wedged, and its ink with it.
        let Some(hash) = hash_of(r)? else { continue };
        out.push(Waiting {
            seq: r.get("seq")?,
            hash,
            size_bytes: row::unsigned(r, "bytes")?,
            stop: entries::opt_stop_id(r)?,
        });
    }
    Ok(out)
}

/// Inks whose entry the hub has and which it does not have themselves, behind the entry at `after`.
pub(crate) fn to_upload(conn: &Connection, after: i64) -> Result<Window> {
    let mut stmt = conn.prepare_cached(
        "SELECT e.seq AS id, header, occurred_at_ms, attempt_id, ink, r.started AS started
         FROM received r INDEXED BY ink_waiting JOIN entry e USING (seq)
         WHERE r.has_ink AND r.ink_at_ms IS NULL AND r.at_ms IS NOT NULL AND r.seq > ?1 AND ink IS NOT NULL
         ORDER BY r.seq LIMIT ?2",
    )?;
    let mut rows = stmt.query([after, i64::from(limits::PROOF_WINDOW)])?;
    queue::window(&mut rows, read)
}

/// Inks without a receipt, whether the hub has their entry or not, behind the entry at `after`. What was said again brings
/// its ink along.
pub(crate) fn unreceived(conn: &Connection, after: i64) -> Result<Window> {
    let mut stmt = conn.prepare_cached(
        "SELECT e.seq AS id, header, occurred_at_ms, attempt_id, ink, ifnull(r.started, 0) AS started
         FROM entry e LEFT JOIN received r USING (seq) LEFT JOIN wedged w USING (seq)
         WHERE e.seq > ?1 AND ink IS NOT NULL AND r.ink_at_ms IS NULL
           AND w.said_again IS NULL AND w.replaced_by IS NULL
         ORDER BY e.seq LIMIT ?2",
    )?;
    let mut rows = stmt.query([after, i64::from(limits::PROOF_WINDOW)])?;
    queue::window(&mut rows, read)
}

/// One of the [`unreceived`] inks.
pub(crate) fn unreceived_at(conn: &Connection, seq: i64) -> Result<Option<ProofRow>> {
    one(
        conn,
        "SELECT e.seq AS id, header, occurred_at_ms, attempt_id, ink, 0 AS started
         FROM entry e LEFT JOIN received r USING (seq) LEFT JOIN wedged w USING (seq)
         WHERE e.seq = ?1 AND ink IS NOT NULL AND r.ink_at_ms IS NULL
           AND w.said_again IS NULL AND w.replaced_by IS NULL",
        seq,
    )
}

/// The ink of one entry, whatever became of it.
pub(crate) fn at(conn: &Connection, seq: i64) -> Result<Option<ProofRow>> {
    one(
        conn,
        "SELECT seq AS id, header, occurred_at_ms, attempt_id, ink, 0 AS started
         FROM entry WHERE seq = ?1 AND ink IS NOT NULL",
        seq,
    )
}

/// Whether an entry has ink without a receipt, as far as its row says so without the ink's own pages.
pub(crate) fn waits_at(conn: &Connection, seq: i64) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT ink IS NOT NULL AND r.ink_at_ms IS NULL
             FROM entry e LEFT JOIN received r USING (seq) WHERE e.seq = ?1",
        )?
        .query_row([seq], |r| r.get(0))
        .optional()?
        .unwrap_or(false))
}

/// Whether receipts say that an entry arrived without its ink.
pub(crate) fn is_missed_at(conn: &Connection, seq: i64) -> Result<bool> {
    Ok(conn
        .prepare_cached("SELECT has_ink AND ink_at_ms IS NULL FROM received WHERE seq = ?1")?
        .query_row([seq], |r| r.get(0))
        .optional()?
        .unwrap_or(false))
}

fn one(conn: &Connection, sql: &str, seq: i64) -> Result<Option<ProofRow>> {
    let mut stmt = conn.prepare_cached(sql)?;
    let mut rows = stmt.query([seq])?;
    rows.next()?.map(read).transpose()
}

fn read(r: &Row<'_>) -> Result<ProofRow> {
    let seq: i64 = r.get("id")?;
    let ink: Vec<u8> = r.get("ink")?;
    let hash = hash_of(r)?.unwrap_or_else(|| crypto::sha256(&[&ink]));
    Ok(ProofRow {
        id: -seq,
        // Its bytes are here, so nobody looks for its visit.
        attempt: AttemptId(
            row::readable_bytes(r, "attempt_id")?.map_or(uuid::Uuid::nil(), uuid::Uuid::from_bytes),
        ),
        proof: ProofRef {
            hash,
            kind: ProofKind::Signature,
            size_bytes: ink.len() as u64,
            origin: None,
            captured_at_ms: r.get("occurred_at_ms")?,
            photo: None,
        },
        inline_bytes: Some(ink),
        started: r.get("started")?,
    })
}

pub(crate) fn set_started(conn: &Connection, seq: i64) -> Result<()> {
    conn.prepare_cached("UPDATE received SET started = 1 WHERE seq = ?1 AND started = 0")?
        .execute([seq])?;
    Ok(())
}

/// The ink of an attempt's signature; the newest entries are looked at first.
pub(crate) fn of_attempt(conn: &Connection, attempt: AttemptId) -> Result<Option<Vec<u8>>> {
    Ok(conn
        .prepare_cached(
            "SELECT ink FROM entry WHERE attempt_id = ?1 AND ink IS NOT NULL
             ORDER BY seq DESC LIMIT 1",
        )?
        .query_row([attempt.as_bytes()], |r| r.get(0))
        .optional()?)
}

/// Marks the ink of the entry at `seq` as received. Gives the stop.
pub(crate) fn mark_received(conn: &Connection, seq: i64, at_ms: i64) -> Result<Option<StopId>> {
    conn.prepare_cached(
        "INSERT INTO received (seq, has_ink, ink_at_ms) VALUES (?1, 1, ?2)
         ON CONFLICT (seq) DO UPDATE SET ink_at_ms = ?2",
    )?
    .execute(params![seq, at_ms])?;
    let mut stmt = conn.prepare_cached("SELECT stop_id FROM entry WHERE seq = ?1")?;
    let mut rows = stmt.query([seq])?;
    match rows.next()? {
        Some(r) => entries::opt_stop_id(r),
        None => Ok(None),
    }
}

/// Takes receipts back for inks of the entries from `first` to `last` that are `lost` at the hub.
pub(crate) fn unmark(
    conn: &Connection,
    first: i64,
    last: i64,
    lost: impl Fn(Hash32) -> bool,
) -> Result<TakenBack> {
    let mut stmt = conn.prepare_cached(
        "SELECT e.seq AS seq, header, stop_id FROM received r JOIN entry e USING (seq)
         WHERE r.seq BETWEEN ?1 AND ?2 AND r.ink_at_ms IS NOT NULL",
    )?;
    let mut rows = stmt.query([first, last])?;
    let mut gone: Vec<i64> = Vec::new();
    let mut stops = Vec::new();
    while let Some(r) = rows.next()? {
        if hash_of(r)?.is_some_and(&lost) {
            gone.push(r.get("seq")?);
            stops.extend(entries::opt_stop_id(r)?);
        }
    }
    let mut update = conn.prepare_cached("UPDATE received SET ink_at_ms = NULL WHERE seq = ?1")?;
    for seq in &gone {
        update.execute([seq])?;
    }
    Ok(TakenBack {
        count: gone.len(),
        stops,
    })
}

/// The hashes of all inks.
pub(crate) fn all_hashes(conn: &Connection) -> Result<Vec<Hash32>> {
    let mut stmt = conn.prepare_cached("SELECT header FROM entry WHERE ink IS NOT NULL")?;
    let mut rows = stmt.query([])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.extend(hash_of(r)?);
    }
    Ok(out)
}

/// The hash under which an entry binds its ink, unless its header cannot be read any more.
fn hash_of(r: &Row<'_>) -> Result<Option<Hash32>> {
    let header: Vec<u8> = r.get("header")?;
    let Ok(header) = Header::decode(&header) else {
        return Ok(None);
    };
    Ok(header.blobs.last().copied())
}
