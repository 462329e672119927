//! Erasing one delivery: every row that says something about a person goes, the log's headers stay.
//!
//! An entry loses salt and body together, so that nobody can guess what it said from its commitment
//! (telephone numbers are few). Photos lose their key with the row of their visit; their files are removed
//! after the commit by whoever called. What several deliveries share goes with the last of them.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};
use satchel_protocol::entry::{EntryKind, Header};
use satchel_protocol::feed::StopItem;
use satchel_protocol::ids::{DeviceId, Hash32, ParcelId, StopId};
use satchel_protocol::transitions::Origin;

use super::stops::{self, ParcelRow};
use super::{places, row, versions};
use crate::error::{Result, StoreError};

/// An erasure that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) parcel: ParcelId,
    pub(crate) by_hub: bool,
}

/// Notes that a delivery is to be erased; the first asking stands.
pub(crate) fn ask(conn: &Connection, asked: Asked, at_ms: i64) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO erasure (parcel_id, asked_at_ms, asked_by_hub) VALUES (?1, ?2, ?3)
         ON CONFLICT (parcel_id) DO NOTHING",
    )?
    .execute(params![asked.parcel.as_bytes(), at_ms, asked.by_hub])?;
    Ok(())
}

/// Asked for and not done.
pub(crate) fn waiting(conn: &Connection) -> Result<Vec<Asked>> {
    let mut stmt = conn.prepare_cached(
        "SELECT parcel_id, asked_by_hub FROM erasure WHERE done_at_ms IS NULL ORDER BY asked_at_ms",
    )?;
    let mut rows = stmt.query([])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(Asked {
            parcel: ParcelId(row::uuid(r, "parcel_id")?),
            by_hub: r.get("asked_by_hub")?,
        });
    }
    Ok(out)
}

/// When a delivery was erased. `None`: not asked for; `Some(None)`: it waits.
pub(crate) fn state(conn: &Connection, parcel: ParcelId) -> Result<Option<Option<i64>>> {
    Ok(conn
        .prepare_cached("SELECT done_at_ms FROM erasure WHERE parcel_id = ?1")?
        .query_row([parcel.as_bytes()], |r| r.get(0))
        .optional()?)
}

/// Every delivery of this stop was erased here.
pub(crate) fn covers(conn: &Connection, stop: &StopItem) -> Result<bool> {
    for parcel in &stop.parcels {
        if !matches!(state(conn, parcel.parcel_id)?, Some(Some(_))) {
            return Ok(false);
        }
    }
    Ok(!stop.parcels.is_empty())
}

/// A delivery that is not on this phone has nothing to be erased.
pub(crate) fn nothing_here(conn: &Connection, parcel: ParcelId, at_ms: i64) -> Result<()> {
    conn.prepare_cached("UPDATE erasure SET done_at_ms = ?2 WHERE parcel_id = ?1")?
        .execute(params![parcel.as_bytes(), at_ms])?;
    Ok(())
}

/// Some rows are gone and the write-ahead log may still hold them.
pub(crate) fn unscrubbed(conn: &Connection) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM erasure WHERE done_at_ms IS NOT NULL AND NOT scrubbed)",
        )?
        .query_row([], |r| r.get(0))?)
}

/// The write-ahead log was emptied.
pub(crate) fn set_scrubbed(conn: &Connection) -> Result<()> {
    conn.execute(
        "UPDATE erasure SET scrubbed = 1 WHERE done_at_ms IS NOT NULL",
        [],
    )?;
    Ok(())
}

/// What is to go with one delivery.
#[derive(Debug)]
pub(crate) struct Scope {
    parcel: ParcelRow,
    /// No other delivery of the stop is left.
    whole_stop: bool,
    /// Entries of this log that are about it and about nothing that stays.
    pub(crate) entries: BTreeSet<i64>,
    /// Proofs they bind and no entry that stays does.
    proofs: BTreeSet<Hash32>,
}

/// Finds it; `None` for a parcel that is not on this phone.
pub(crate) fn scope(
    conn: &Connection,
    parcel: ParcelId,
    device: DeviceId,
) -> Result<Option<Scope>> {
    let Some(parcel) = stops::find_parcel(conn, parcel)? else {
        return Ok(None);
    };
    let mut staying = Vec::new();
    for other in stops::parcels(conn, Some(parcel.stop_id))? {
        let erased = matches!(state(conn, other.parcel_id)?, Some(Some(_)));
        if other.parcel_id != parcel.parcel_id && !erased {
            staying.push(other);
        }
    }
    let mut entries = own_entries(conn, &parcel, device)?;
    if staying.is_empty() {
        entries.extend(of_stop(conn, parcel.stop_id)?);
    }
    let mut kept = BTreeSet::new();
    for other in &staying {
        kept.extend(own_entries(conn, other, device)?);
    }
    entries.retain(|seq| !kept.contains(seq));
    let mut proofs = BTreeSet::new();
    for seq in &entries {
        proofs.extend(blobs(conn, *seq)?);
    }
    for seq in &kept {
        for hash in blobs(conn, *seq)? {
            proofs.remove(&hash);
        }
    }
    Ok(Some(Scope {
        whole_stop: staying.is_empty(),
        parcel,
        entries,
        proofs,
    }))
}

/// Entries about this parcel: its events, and what was noted of it.
fn own_entries(conn: &Connection, parcel: &ParcelRow, device: DeviceId) -> Result<BTreeSet<i64>> {
    let here = Origin::Phone(device);
    let events = parcel.events()?;
    let events = events.iter().filter(|e| e.id.origin == here);
    let mut out: BTreeSet<i64> = events.map(|e| e.id.seq).collect();
    let mut stmt = conn.prepare_cached("SELECT seq FROM noted WHERE subject = ?1")?;
    for seq in stmt.query_map([parcel.parcel_id.as_bytes()], |r| r.get(0))? {
        out.insert(seq?);
    }
    Ok(out)
}

/// Entries about a door: calls, consents, looks at the address.
fn of_stop(conn: &Connection, stop: StopId) -> Result<BTreeSet<i64>> {
    // The kind first: it lies before the long columns, so most rows are passed over cheaply.
    let mut stmt = conn.prepare_cached(
        "SELECT seq FROM entry WHERE kind <> ?1 AND stop_id = ?2
         UNION SELECT seq FROM noted WHERE subject = ?2",
    )?;
    let seqs = stmt.query_map(params![EntryKind::ATTEMPT.0, stop.as_bytes()], |r| r.get(0))?;
    Ok(seqs.collect::<rusqlite::Result<_>>()?)
}

fn blobs(conn: &Connection, seq: i64) -> Result<Vec<Hash32>> {
    let header: Option<Vec<u8>> = conn
        .prepare_cached("SELECT header FROM entry WHERE seq = ?1")?
        .query_row([seq], |r| r.get(0))
        .optional()?;
    let Some(header) = header else {
        return Ok(Vec::new());
    };
    let header = Header::decode(&header).map_err(|_| StoreError::BadRow("header"))?;
    Ok(header.blobs)
}

/// The hub has everything that would go and that can be brought: entries, ink and photos.
pub(crate) fn is_received(conn: &Connection, scope: &Scope) -> Result<bool> {
    let upto = super::entries::received_head(conn)?;
    let mut entry = conn.prepare_cached(
        "SELECT (e.seq <= ?2 OR r.at_ms IS NOT NULL) AND (e.ink IS NULL OR r.ink_at_ms IS NOT NULL)
         FROM entry e LEFT JOIN received r USING (seq) WHERE e.seq = ?1",
    )?;
    for seq in &scope.entries {
        let held: Option<bool> = entry
            .query_row(params![seq, upto], |r| r.get(0))
            .optional()?;
        if held == Some(false) {
            return Ok(false);
        }
    }
    let mut proof = conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM proof
             WHERE bound_seq = ?1 AND received_at_ms IS NULL AND lost_at_ms IS NULL)",
    )?;
    for seq in &scope.entries {
        if proof.query_row([seq], |r| r.get(0))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Key and hash of each photo whose file is to be removed.
pub(crate) type Files = Vec<([u8; 32], Hash32)>;

/// Erases what `scope` found.
pub(crate) fn erase(conn: &Connection, scope: &Scope, at_ms: i64) -> Result<Files> {
    let files = erase_proofs(conn, scope)?;
    let mut empty =
        conn.prepare_cached("UPDATE entry SET salt = NULL, body = NULL WHERE seq = ?1")?;
    for seq in &scope.entries {
        empty.execute([seq])?;
    }
    erase_parcel(conn, &scope.parcel)?;
    if scope.whole_stop {
        erase_stop(conn, scope.parcel.stop_id)?;
    }
    let mut told = conn.prepare_cached(
        "DELETE FROM told WHERE what = 'report_answer' AND name IN (
             SELECT lower(substr(hex(report_id), 1, 8) || '-' || substr(hex(report_id), 9, 4) || '-' ||
                 substr(hex(report_id), 13, 4) || '-' || substr(hex(report_id), 17, 4) || '-' ||
                 substr(hex(report_id), 21)) FROM report WHERE seq = ?1)",
    )?;
    for seq in &scope.entries {
        told.execute([seq])?;
    }
    conn.prepare_cached("UPDATE erasure SET done_at_ms = ?2 WHERE parcel_id = ?1")?
        .execute(params![scope.parcel.parcel_id.as_bytes(), at_ms])?;
    Ok(files)
}

/// Ink beside entries, photos with their small copies, and the key of a visit that holds none any more.
fn erase_proofs(conn: &Connection, scope: &Scope) -> Result<Files> {
    let mut files = Vec::new();
    let mut photos = conn.prepare_cached(
        "DELETE FROM proof WHERE hash = ?1 AND attempt_id IN
             (SELECT attempt_id FROM attempt WHERE stop_id = ?2)
         RETURNING (SELECT data_key FROM attempt a WHERE a.attempt_id = proof.attempt_id) AS data_key",
    )?;
    for hash in &scope.proofs {
        let mut rows = photos.query(params![hash.0, scope.parcel.stop_id.as_bytes()])?;
        while let Some(r) = rows.next()? {
            files.push((row::bytes(r, "data_key")?, *hash));
        }
        places::forget(conn, hash)?;
    }
    files.extend(erase_unnamed(conn, scope)?);
    let mut ink = conn.prepare_cached("UPDATE entry SET ink = NULL WHERE seq = ?1")?;
    for seq in with_ink(conn, scope)? {
        ink.execute([seq])?;
    }
    if scope.whole_stop {
        // Photos of a visit that nobody completed.
        let mut staged = conn.prepare_cached(
            "DELETE FROM proof WHERE attempt_id IN (SELECT attempt_id FROM attempt WHERE stop_id = ?1)
             RETURNING hash, (SELECT data_key FROM attempt a WHERE a.attempt_id = proof.attempt_id)
                 AS data_key",
        )?;
        let mut rows = staged.query([scope.parcel.stop_id.as_bytes()])?;
        while let Some(r) = rows.next()? {
            files.push((row::bytes(r, "data_key")?, Hash32(row::bytes(r, "hash")?)));
        }
    }
    conn.prepare_cached(
        "DELETE FROM attempt WHERE stop_id = ?1 AND (?2 OR completed_at_ms IS NOT NULL)
             AND attempt_id NOT IN (SELECT attempt_id FROM proof)",
    )?
    .execute(params![scope.parcel.stop_id.as_bytes(), scope.whole_stop])?;
    Ok(files)
}

/// Photos whose rows lost their hash: the file of each is under one of the names that its entry binds.
fn erase_unnamed(conn: &Connection, scope: &Scope) -> Result<Files> {
    let mut files = Vec::new();
    let mut unnamed = conn.prepare_cached(
        "DELETE FROM proof WHERE bound_seq = ?1 AND length(hash) <> 32
         RETURNING (SELECT data_key FROM attempt a WHERE a.attempt_id = proof.attempt_id) AS data_key",
    )?;
    for seq in &scope.entries {
        let mut rows = unnamed.query([seq])?;
        while let Some(r) = rows.next()? {
            if let Some(key) = row::readable_bytes(r, "data_key")? {
                files.extend(scope.proofs.iter().map(|hash| (key, *hash)));
            }
        }
    }
    Ok(files)
}

/// Entries beside which an ink lies that goes: a visit's ink lies beside its first entry, which may be
/// about another parcel than the last one to be erased.
fn with_ink(conn: &Connection, scope: &Scope) -> Result<Vec<i64>> {
    let mut stmt = conn
        .prepare_cached("SELECT seq, header FROM entry WHERE stop_id = ?1 AND ink IS NOT NULL")?;
    let mut rows = stmt.query([scope.parcel.stop_id.as_bytes()])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        let header: Vec<u8> = r.get("header")?;
        let header = Header::decode(&header).map_err(|_| StoreError::BadRow("header"))?;
        if header
            .blobs
            .last()
            .is_some_and(|ink| scope.proofs.contains(ink))
        {
            out.push(r.get("seq")?);
        }
    }
    Ok(out)
}

fn erase_parcel(conn: &Connection, parcel: &ParcelRow) -> Result<()> {
    let id = parcel.parcel_id;
    for sql in [
        "DELETE FROM rating WHERE parcel_id = ?1",
        "DELETE FROM temperature WHERE parcel_id = ?1",
        "DELETE FROM consent_parcel WHERE parcel_id = ?1",
        "UPDATE parcel SET rating_key = zeroblob(32), code = NULL WHERE parcel_id = ?1",
    ] {
        conn.prepare_cached(sql)?.execute([id.as_bytes()])?;
    }
    // A consent goes with the last of its parcels.
    conn.execute(
        "DELETE FROM consent WHERE record IS NOT NULL
             AND consent_id NOT IN (SELECT consent_id FROM consent_parcel)",
        [],
    )?;
    for name in [id.to_string(), parcel.stop_id.to_string()] {
        conn.prepare_cached("DELETE FROM feed_kept WHERE instr(data, ?1) > 0")?
            .execute([name])?;
    }
    Ok(())
}

/// The address and who lives there. The place is kept to about a kilometre, for figures over a district.
fn erase_stop(conn: &Connection, stop: StopId) -> Result<()> {
    let version = versions::next(conn)?;
    conn.prepare_cached(
        "UPDATE stop SET address = '', recipient_name = '', recipient_phone = '', raw = '{}',
             lat = round(lat, 2), lng = round(lng, 2), removed = 1, version = ?2 WHERE stop_id = ?1",
    )?
    .execute(params![stop.as_bytes(), version])?;
    Ok(())
}
