//! The evidence log as rows: appended, marked as received, never changed and never deleted.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, Row, params};
use satchel_protocol::entry::{EntryKind, Header, SignedEntry, header_hash};
use satchel_protocol::ids::{AttemptId, Hash32, Salt, Sig64, StopId};
use satchel_protocol::limits::MAX_INLINE_BLOB_BYTES;
use satchel_protocol::wedge::{ReplacementBody, Wedged};

use super::row::InOrder;
use super::stops::ParcelRow;
use super::{inks, proofs, row, wedged};
use crate::error::{Error, Result, StoreError};

/// About what an entry has beside its header and its body.
const SIGNATURE_AND_SALT_BYTES: usize = 100;

/// Position and hash of the last entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) seq: i64,
    pub(crate) hash: Hash32,
}

/// An entry on its way out, with its ink unless the hub has that.
#[derive(Debug, Clone)]
pub(crate) struct EntryRow {
    pub(crate) seq: i64,
    pub(crate) entry: SignedEntry,
    pub(crate) has_ink: bool,
    pub(crate) ink: Option<Vec<u8>>,
}

impl EntryRow {
    /// What it takes in a batch, without small photos.
    pub(crate) fn bytes(&self) -> usize {
        let body = self.entry.body.as_ref().map_or(0, Vec::len);
        let ink = self.ink.as_ref().map_or(0, Vec::len);
        // One too long to ride along goes up on its own.
        let rides = if ink <= MAX_INLINE_BLOB_BYTES { ink } else { 0 };
        self.entry.header.len() + body + SIGNATURE_AND_SALT_BYTES + rides
    }

    /// The proofs it binds, the ink's last. A header that went bad binds none: the hub leaves its place
    /// open, and the others go on.
    pub(crate) fn blobs(&self) -> Vec<Hash32> {
        Header::decode(&self.entry.header).map_or_else(|_| Vec::new(), |header| header.blobs)
    }
}

/// What lies in an entry's row without being part of the log.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Beside<'a> {
    /// Which visit the entry ends.
    pub(crate) attempt: Option<AttemptId>,
    /// When that was opened, where it has no row of its own.
    pub(crate) opened_at_ms: Option<i64>,
    /// A signature; its hash is the last that the entry binds.
    pub(crate) ink: Option<&'a [u8]>,
}

/// A row to append.
pub(crate) struct NewEntry<'a> {
    pub(crate) head: Head,
    pub(crate) kind: EntryKind,
    pub(crate) entry: &'a SignedEntry,
    pub(crate) stop: Option<StopId>,
    pub(crate) occurred_at_ms: i64,
    pub(crate) beside: Beside<'a>,
}

pub(crate) fn head(conn: &Connection) -> Result<Head> {
    let mut stmt =
        conn.prepare_cached("SELECT seq, hash, header FROM entry ORDER BY seq DESC LIMIT 1")?;
    let mut rows = stmt.query([])?;
    Ok(match rows.next()? {
        Some(r) => Head {
            seq: r.get("seq")?,
            hash: hash_of(r)?,
        },
        None => Head {
            seq: 0,
            hash: Hash32::ZERO,
        },
    })
}

/// What an entry that is written now follows and names, in one look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tail {
    pub(crate) head: Head,
    /// The last receipt that vouches for this log.
    pub(crate) anchor: Option<Hash32>,
    /// After which entry the present log key came into use.
    pub(crate) key_changed_seq: i64,
}

pub(crate) fn tail(conn: &Connection) -> Result<Tail> {
    let mut stmt = conn.prepare_cached(
        "SELECT e.seq, e.hash, p.anchor, p.key_changed_seq FROM phone p
         LEFT JOIN entry e ON e.seq = (SELECT max(seq) FROM entry) WHERE p.id = 1",
    )?;
    let mut rows = stmt.query([])?;
    let r = rows
        .next()?
        .ok_or_else(|| Error::from(StoreError::BadRow("phone")))?;
    let mut c = InOrder::new(r);
    let seq = c.get::<Option<i64>>()?.unwrap_or(0);
    let hash = match c.opt_bytes("hash") {
        Ok(hash) => hash.map_or(Hash32::ZERO, Hash32),
        Err(_) => hash_at(conn, seq)?.unwrap_or(Hash32::ZERO),
    };
    let head = Head { seq, hash };
    Ok(Tail {
        head,
        anchor: c.opt_bytes("anchor")?.map(Hash32),
        key_changed_seq: c.get()?,
    })
}

pub(crate) fn append(conn: &Connection, row: &NewEntry<'_>) -> Result<()> {
    let entry = row.entry;
    conn.prepare_cached(
        "INSERT INTO entry (seq, hash, kind, header, sig, salt, body, stop_id, occurred_at_ms,
             attempt_id, opened_at_ms, ink)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        row.head.seq,
        row.head.hash.0,
        row.kind.0,
        entry.header,
        entry.sig.0,
        entry.salt.map(|s| s.0),
        entry.body,
        row.stop.as_ref().map(StopId::as_bytes),
        row.occurred_at_ms,
        row.beside.attempt.as_ref().map(AttemptId::as_bytes),
        row.beside.opened_at_ms,
        row.beside.ink
    ])?;
    Ok(())
}

/// When the last entry's event happened.
pub(crate) fn last_occurred_at_ms(conn: &Connection) -> Result<Option<i64>> {
    let mut stmt =
        conn.prepare_cached("SELECT occurred_at_ms FROM entry ORDER BY seq DESC LIMIT 1")?;
    Ok(stmt.query_row([], |r| r.get(0)).optional()?)
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
    let mut stmt = conn.prepare_cached("SELECT hash, header FROM entry WHERE seq = ?1")?;
    let mut rows = stmt.query([seq])?;
    rows.next()?.map(hash_of).transpose()
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

/// How much of the log is read at once. What does not fit into a batch is decrypted in vain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Enough {
    pub(crate) entries: usize,
    /// Of all entries but the last.
    pub(crate) bytes: usize,
}

/// Entries without a receipt, in order.
pub(crate) fn unsent(conn: &Connection, enough: Enough) -> Result<Vec<EntryRow>> {
    unsent_behind(conn, received_head(conn)?, enough)
}

/// [`unsent`] entries behind the one at `after`.
pub(crate) fn unsent_behind(
    conn: &Connection,
    after: i64,
    enough: Enough,
) -> Result<Vec<EntryRow>> {
    let mut stmt = conn.prepare_cached(
        "SELECT e.seq AS seq, header, sig, salt, body,
             ink IS NOT NULL AS has_ink, CASE WHEN r.ink_at_ms IS NULL THEN ink END AS ink
         FROM entry e LEFT JOIN received r USING (seq) LEFT JOIN wedged w USING (seq)
         WHERE e.seq > ?1 AND r.at_ms IS NULL AND (w.seq IS NULL OR w.resend)
         ORDER BY e.seq LIMIT ?2",
    )?;
    let limit = i64::try_from(enough.entries).unwrap_or(i64::MAX);
    let mut rows = stmt.query([after, limit])?;
    let (mut out, mut bytes): (Vec<EntryRow>, usize) = (Vec::new(), 0);
    while bytes <= enough.bytes
        && let Some(r) = rows.next()?
    {
        let row = outgoing(r)?;
        bytes += row.bytes();
        out.push(row);
    }
    Ok(out)
}

/// One of the [`unsent`] entries.
pub(crate) fn unsent_at(conn: &Connection, seq: i64) -> Result<Option<EntryRow>> {
    one(
        conn,
        "SELECT e.seq AS seq, header, sig, salt, body,
             ink IS NOT NULL AS has_ink, CASE WHEN r.ink_at_ms IS NULL THEN ink END AS ink
         FROM entry e LEFT JOIN received r USING (seq) LEFT JOIN wedged w USING (seq)
         WHERE e.seq = ?1 AND r.at_ms IS NULL AND (w.seq IS NULL OR w.resend)",
        seq,
    )
}

/// One entry, whatever became of it.
pub(crate) fn at(conn: &Connection, seq: i64) -> Result<Option<EntryRow>> {
    one(
        conn,
        "SELECT seq, header, sig, salt, body, ink IS NOT NULL AS has_ink, ink FROM entry
         WHERE seq = ?1",
        seq,
    )
}

/// One entry whose ink cannot be read.
pub(crate) fn without_ink_at(conn: &Connection, seq: i64) -> Result<Option<EntryRow>> {
    one(
        conn,
        "SELECT seq, header, sig, salt, body, ink IS NOT NULL AS has_ink, NULL AS ink FROM entry
         WHERE seq = ?1",
        seq,
    )
}

fn one(conn: &Connection, sql: &str, seq: i64) -> Result<Option<EntryRow>> {
    let mut stmt = conn.prepare_cached(sql)?;
    let mut rows = stmt.query([seq])?;
    rows.next()?.map(outgoing).transpose()
}

fn outgoing(r: &Row<'_>) -> Result<EntryRow> {
    Ok(EntryRow {
        seq: r.get("seq")?,
        entry: signed(r)?,
        has_ink: r.get("has_ink")?,
        ink: r.get("ink")?,
    })
}

/// An entry out of its four columns: exact bytes, as signed. A signature or a salt that lost its width is read as
/// one that fits nothing: like any other damage it makes the hub leave this place open and holds up no other entry.
pub(crate) fn signed(r: &Row<'_>) -> Result<SignedEntry> {
    let salt: Option<Vec<u8>> = r.get("salt")?;
    Ok(SignedEntry {
        header: r.get("header")?,
        sig: Sig64(row::bytes_or(r, "sig", [0; 64])?),
        salt: salt.map(|salt| Salt(salt.try_into().unwrap_or_default())),
        body: r.get("body")?,
    })
}

/// An entry's hash out of its row; where the cell lost its width, what its header makes.
pub(crate) fn hash_of(r: &Row<'_>) -> Result<Hash32> {
    let hash: Vec<u8> = r.get("hash")?;
    match hash.try_into() {
        Ok(hash) => Ok(Hash32(hash)),
        Err(_) => Ok(header_hash(&r.get::<_, Vec<u8>>("header")?)),
    }
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
             (SELECT min(e.seq) - 1 FROM entry e
                LEFT JOIN received r USING (seq) LEFT JOIN wedged w USING (seq)
              WHERE e.seq > received_upto AND r.at_ms IS NULL AND (w.seq IS NULL OR w.resend)),
             (SELECT max(seq) FROM entry), 0)
         WHERE id = 1",
        [],
    )?;
    Ok(())
}

/// An entry before [`received_head`] is to be sent after all.
pub(crate) fn look_again_from(conn: &Connection, seq: i64) -> Result<()> {
    conn.prepare_cached(
        "UPDATE phone SET received_upto = min(received_upto, ?1 - 1) WHERE id = 1",
    )?
    .execute([seq])?;
    Ok(())
}

/// The last entry up to `head_seq` that the hub has not left open.
pub(crate) fn newest_held(
    conn: &Connection,
    head_seq: i64,
    open: &[Wedged],
) -> Result<Option<Hash32>> {
    let is_open = |seq: i64| open.iter().any(|w| w.seq == seq);
    let seq = (1..=head_seq).rev().find(|seq| !is_open(*seq));
    seq.map_or(Ok(None), |seq| hash_at(conn, seq))
}

/// What a receipt's line did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Marked {
    /// It names an entry of this phone.
    Ours(Ours),
    /// This phone has no such entry.
    Unknown,
}

/// A receipted entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ours {
    /// The first receipt for it.
    pub(crate) is_new: bool,
    /// Its ink is new to the hub too.
    pub(crate) ink_is_new: bool,
    pub(crate) stop: Option<StopId>,
    /// The proofs it binds.
    pub(crate) blobs: Vec<Hash32>,
    /// Whether the last of them lies in the entry's row.
    pub(crate) has_ink: bool,
}

/// Marks an entry as received if the hash is ours, and its ink if that is among `held`.
pub(crate) fn mark_received(
    conn: &Connection,
    (seq, hash): (i64, Hash32),
    held: &HashSet<Hash32>,
    at_ms: i64,
) -> Result<Marked> {
    let mut stmt = conn.prepare_cached(
        "SELECT e.hash AS hash, e.header AS header, e.stop_id AS stop_id, e.ink IS NOT NULL AS has_ink,
             r.at_ms AS at_ms, r.ink_at_ms AS ink_at_ms
         FROM entry e LEFT JOIN received r USING (seq) WHERE e.seq = ?1",
    )?;
    let mut rows = stmt.query([seq])?;
    let Some(r) = rows.next()? else {
        return Ok(Marked::Unknown);
    };
    if hash_of(r)? != hash {
        return Ok(Marked::Unknown);
    }
    let (before_ms, ink_before_ms): (Option<i64>, Option<i64>) =
        (r.get("at_ms")?, r.get("ink_at_ms")?);
    let has_ink: bool = r.get("has_ink")?;
    let blobs = match blobs_of(r)? {
        Some(blobs) => blobs,
        None => bound_by(conn, seq)?,
    };
    let ink_held = has_ink && blobs.last().is_some_and(|ink| held.contains(ink));
    let ours = Ours {
        is_new: before_ms.is_none(),
        ink_is_new: ink_held && ink_before_ms.is_none(),
        stop: opt_stop_id(r)?,
        blobs,
        has_ink,
    };
    if ours.is_new || ours.ink_is_new {
        conn.prepare_cached(
            "INSERT INTO received (seq, at_ms, has_ink, ink_at_ms) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (seq) DO UPDATE SET at_ms = ?2, ink_at_ms = ?4",
        )?
        .execute(params![
            seq,
            before_ms.unwrap_or(at_ms),
            has_ink,
            ink_before_ms.or(ink_held.then_some(at_ms))
        ])?;
    }
    Ok(Marked::Ours(ours))
}

/// `None`: the header went bad after it was sent.
fn blobs_of(r: &Row<'_>) -> Result<Option<Vec<Hash32>>> {
    let header: Vec<u8> = r.get("header")?;
    Ok(Header::decode(&header).ok().map(|header| header.blobs))
}

/// The proofs an entry binds, where its header cannot say so any more.
fn bound_by(conn: &Connection, seq: i64) -> Result<Vec<Hash32>> {
    let ink = at(conn, seq)?.and_then(|row| row.ink);
    proofs::bound_to(conn, seq, ink.as_deref())
}

/// The stop an entry is of. A cell that lost its width names none.
pub(crate) fn opt_stop_id(r: &Row<'_>) -> Result<Option<StopId>> {
    let id: Option<Vec<u8>> = r.get("stop_id")?;
    Ok(id
        .and_then(|id| uuid::Uuid::from_slice(&id).ok())
        .map(StopId))
}

/// What receipts said and what is not so any more.
#[derive(Debug, Default)]
pub(crate) struct TakenBack {
    /// Entries or proofs. Some are of no stop.
    pub(crate) count: usize,
    /// The stops concerned.
    pub(crate) stops: Vec<StopId>,
}

impl TakenBack {
    pub(crate) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.stops.extend(other.stops);
    }
}

/// The hub turned out not to have what it receipted after `seq`: send it again.
pub(crate) fn unmark_after(conn: &Connection, seq: i64) -> Result<TakenBack> {
    let mut stmt = conn.prepare_cached(
        "UPDATE received SET at_ms = NULL WHERE seq > ?1 AND at_ms IS NOT NULL
         RETURNING (SELECT stop_id FROM entry e WHERE e.seq = received.seq) AS stop_id",
    )?;
    let mut rows = stmt.query([seq])?;
    let mut lost = TakenBack::default();
    while let Some(r) = rows.next()? {
        lost.count += 1;
        lost.stops.extend(opt_stop_id(r)?);
    }
    conn.execute(
        "UPDATE phone SET received_upto = min(received_upto, max(?1, 0)) WHERE id = 1",
        [seq],
    )?;
    Ok(lost)
}

/// What of the log waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    pub(crate) count: u64,
    /// Of the entries alone: ink counts with the proofs.
    pub(crate) bytes: u64,
    pub(crate) oldest_ms: Option<i64>,
}

/// Entries without a receipt that are to be sent.
pub(crate) fn waiting(conn: &Connection) -> Result<Waiting> {
    // A length is in the row's head: what the cells hold is not read for it.
    let mut stmt = conn.prepare_cached(
        "SELECT count(*) AS n, min(occurred_at_ms) AS oldest, coalesce(sum(length(header)
             + length(sig) + ifnull(length(salt), 0) + ifnull(length(body), 0)), 0) AS bytes
         FROM entry e LEFT JOIN received r USING (seq) LEFT JOIN wedged w USING (seq)
         WHERE e.seq > ?1 AND r.at_ms IS NULL AND (w.seq IS NULL OR w.resend)",
    )?;
    let mut rows = stmt.query([received_head(conn)?])?;
    let r = rows
        .next()?
        .ok_or_else(|| Error::from(StoreError::BadRow("entry")))?;
    Ok(Waiting {
        count: row::unsigned(r, "n")?,
        bytes: row::unsigned(r, "bytes")?,
        oldest_ms: r.get("oldest")?,
    })
}

/// Entries that would be lost with this phone: unsent ones, and those that the hub left open.
pub(crate) fn only_here(conn: &Connection) -> Result<u64> {
    let open = wedged::at_stake(conn)?.len() as u64;
    Ok(waiting(conn)?.count + open)
}

/// How far what was recorded at a stop has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct StopSync {
    /// The last entry without receipt.
    pub(crate) last_unsent: Option<i64>,
    /// Bound proofs without receipt that can still be brought.
    pub(crate) proofs_unsent: i64,
    /// Those that cannot.
    pub(crate) proofs_lost: i64,
}

/// How far each stop has got: those of `parcels` to which something happened, and every stop with anything that has no
/// receipt.
pub(crate) fn sync_of_parcels(
    conn: &Connection,
    parcels: &[ParcelRow],
) -> Result<HashMap<StopId, StopSync>> {
    let mut out = under_way(conn)?;
    for parcel in parcels.iter().filter(|p| p.history.is_some()) {
        out.entry(parcel.stop_id).or_default();
    }
    Ok(out)
}

/// Stops with an entry or a proof that has no receipt and can still be brought.
pub(crate) fn stops_waiting(conn: &Connection) -> Result<HashSet<StopId>> {
    let is_unsent = |s: &StopSync| s.last_unsent.is_some() || s.proofs_unsent > 0;
    let mut known = under_way(conn)?;
    known.retain(|_, sync| is_unsent(sync));
    Ok(known.into_keys().collect())
}

/// Stops with anything that has no receipt.
fn under_way(conn: &Connection) -> Result<HashMap<StopId, StopSync>> {
    let mut out: HashMap<StopId, StopSync> = HashMap::new();
    let mut unsent = conn.prepare_cached(
        "SELECT stop_id, max(e.seq) AS seq
         FROM entry e LEFT JOIN received r USING (seq) LEFT JOIN wedged w USING (seq)
         WHERE e.seq > ?1 AND r.at_ms IS NULL AND kind IN (?2, ?3, ?4, ?5, ?6) AND w.seq IS NULL
         GROUP BY stop_id",
    )?;
    let mut rows = unsent.query(params![
        received_head(conn)?,
        EntryKind::ATTEMPT.0,
        EntryKind::CORRECTION.0,
        EntryKind::PICKUP.0,
        EntryKind::PARCEL_STEP.0,
        ReplacementBody::KIND.0
    ])?;
    while let Some(r) = rows.next()? {
        if let Some(stop) = opt_stop_id(r)? {
            out.entry(stop).or_default().last_unsent = Some(r.get("seq")?);
        }
    }
    // What stands open at the hub is here and nowhere else, whatever was sent since.
    let mut open = conn.prepare_cached(
        "SELECT e.stop_id AS stop_id FROM wedged w JOIN entry e USING (seq)
         WHERE w.replaced_by IS NULL AND e.stop_id IS NOT NULL",
    )?;
    let mut rows = open.query([])?;
    while let Some(r) = rows.next()? {
        if let Some(stop) = opt_stop_id(r)? {
            out.entry(stop).or_default().last_unsent = Some(i64::MAX);
        }
    }
    // A visit whose row is gone or names no stop: the entry that binds the photo names it as well.
    let mut proofs = conn.prepare_cached(
        "SELECT CASE length(a.stop_id) WHEN 16 THEN a.stop_id ELSE e.stop_id END AS stop_id,
                count(*) AS n, count(p.lost_at_ms) AS lost
         FROM proof p INDEXED BY proof_unsent LEFT JOIN attempt a USING (attempt_id)
             LEFT JOIN entry e ON e.seq = p.bound_seq
         WHERE p.bound_seq IS NOT NULL AND p.received_at_ms IS NULL GROUP BY 1",
    )?;
    let mut rows = proofs.query([])?;
    while let Some(r) = rows.next()? {
        let (all, lost): (i64, i64) = (r.get("n")?, r.get("lost")?);
        if let Some(stop) = opt_stop_id(r)? {
            let of_stop = out.entry(stop).or_default();
            of_stop.proofs_unsent += all - lost;
            of_stop.proofs_lost += lost;
        }
    }
    for waiting in inks::waiting(conn)? {
        if let Some(stop) = waiting.stop {
            out.entry(stop).or_default().proofs_unsent += 1;
        }
    }
    Ok(out)
}
