//! Proofs: staged with an attempt, bound by its entry, and at the same time the upload queue.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, Row, params};
use satchel_protocol::attempt::{PhotoFacts, ProofRef};
use satchel_protocol::crypto;
use satchel_protocol::ids::{AttemptId, Hash32, StopId};
use satchel_protocol::limits;
use satchel_protocol::taxonomy::{PhotoOrigin, ProofKind};

use super::entries::TakenBack;
use super::{entries, inks, row, thumbs};
use crate::error::{Error, Result, StoreError};

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

impl ProofRow {
    /// The bytes that lie in its row, if they are what its entry binds: nobody takes others for it.
    pub(crate) fn sound_bytes(&self) -> Option<&Vec<u8>> {
        let bytes = self.inline_bytes.as_ref()?;
        (crypto::sha256(&[bytes]) == self.proof.hash).then_some(bytes)
    }
}

/// Stages a photo that is in the blob folder; the same photo twice counts once.
pub(crate) fn stage(
    conn: &Connection,
    attempt: AttemptId,
    proof: &ProofRef,
    mark: Option<u64>,
) -> Result<()> {
    insert(conn, attempt, proof)?;
    conn.prepare_cached(
        "UPDATE proof SET photo_facts = ?3, photo_mark = ?4 WHERE attempt_id = ?1 AND hash = ?2
         AND in_folder AND photo_facts IS NULL",
    )?
    .execute(params![
        attempt.as_bytes(),
        proof.hash.0,
        proof.photo.as_ref().map(PhotoFacts::encode),
        mark.map(u64::cast_signed)
    ])?;
    Ok(())
}

/// A photo as it is compared with later ones.
#[derive(Debug)]
pub(crate) struct SeenPhoto {
    pub(crate) attempt: AttemptId,
    pub(crate) proof: ProofRef,
    pub(crate) mark: Option<u64>,
}

/// The last photos taken over on this phone, newest first.
pub(crate) fn recent_photos(conn: &Connection, limit: u32) -> Result<Vec<SeenPhoto>> {
    let mut stmt =
        conn.prepare_cached("SELECT * FROM proof WHERE in_folder ORDER BY id DESC LIMIT ?1")?;
    let mut rows = stmt.query([limit])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        let Some(ProofRow { attempt, proof, .. }) = readable(r)? else {
            continue;
        };
        let mark: Option<i64> = r.get("photo_mark")?;
        out.push(SeenPhoto {
            attempt,
            proof,
            mark: mark.map(i64::cast_unsigned),
        });
    }
    Ok(out)
}

fn insert(conn: &Connection, attempt: AttemptId, proof: &ProofRef) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO proof (attempt_id, hash, kind, size_bytes, origin, captured_at_ms, in_folder)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)
         ON CONFLICT (attempt_id, hash) WHERE in_folder DO NOTHING",
    )?
    .execute(params![
        attempt.as_bytes(),
        proof.hash.0,
        proof.kind.code(),
        i64::try_from(proof.size_bytes).unwrap_or(i64::MAX),
        proof.origin.map(PhotoOrigin::code),
        proof.captured_at_ms
    ])?;
    Ok(())
}

/// The photos of an attempt, staged or bound, in the order they were taken.
pub(crate) fn photos_of(conn: &Connection, attempt: AttemptId) -> Result<Vec<ProofRef>> {
    let mut stmt =
        conn.prepare_cached("SELECT * FROM proof WHERE attempt_id = ?1 AND in_folder ORDER BY id")?;
    let mut rows = stmt.query([attempt.as_bytes()])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(read(r)?.proof);
    }
    Ok(out)
}

/// Binds the attempt's staged photos to the entry at `seq`.
pub(crate) fn bind(conn: &Connection, attempt: AttemptId, seq: i64) -> Result<()> {
    conn.prepare_cached(
        "UPDATE proof SET bound_seq = ?2 WHERE attempt_id = ?1 AND in_folder AND bound_seq IS NULL",
    )?
    .execute(params![attempt.as_bytes(), seq])?;
    Ok(())
}

/// What an entry binds, where its own header cannot say so any more: its photos, and its ink last.
pub(crate) fn bound_to(conn: &Connection, seq: i64, ink: Option<&[u8]>) -> Result<Vec<Hash32>> {
    let mut stmt =
        conn.prepare_cached("SELECT hash FROM proof WHERE bound_seq = ?1 ORDER BY id")?;
    let mut rows = stmt.query([seq])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        // A hash that lost its width names no proof that anybody has.
        out.extend(row::readable_bytes(r, "hash")?.map(Hash32));
    }
    out.extend(thumbs::hashes_of_entry(conn, seq)?);
    out.extend(ink.map(|ink| crypto::sha256(&[ink])));
    Ok(out)
}

/// The hub asks for it. It may ask before the proof is bound, and for what it has by now; that overrules
/// any receipt, since a hub that was set back has not what it receipted. Where it has it after all, the
/// upload's first question finds that out.
pub(crate) fn want(conn: &Connection, hash: Hash32) -> Result<TakenBack> {
    conn.prepare_cached("UPDATE proof SET wanted = 1 WHERE hash = ?1")?
        .execute([hash.0])?;
    unmark(conn, 0, i64::MAX, |asked| asked == hash)
}

/// No photo is longer: a length that went bad is not counted.
const PLAUSIBLE_BYTES: i64 = limits::MAX_PROOF_BYTES.cast_signed();

/// Photos that wait for a line that costs nothing, and their bytes.
pub(crate) fn held_back(conn: &Connection) -> Result<(u64, u64)> {
    let mut stmt = conn.prepare_cached(
        "SELECT count(*) AS n, coalesce(sum(size_bytes) FILTER (WHERE size_bytes BETWEEN 0 AND ?1), 0) AS bytes
         FROM proof INDEXED BY proof_unsent
         WHERE bound_seq IS NOT NULL AND received_at_ms IS NULL AND lost_at_ms IS NULL AND NOT wanted",
    )?;
    let mut rows = stmt.query([PLAUSIBLE_BYTES])?;
    let r = rows
        .next()?
        .ok_or_else(|| Error::from(StoreError::BadRow("proof")))?;
    Ok((row::unsigned(r, "n")?, row::unsigned(r, "bytes")?))
}

pub(crate) fn set_started(conn: &Connection, id: i64) -> Result<()> {
    conn.prepare_cached("UPDATE proof SET started = 1 WHERE id = ?1 AND started = 0")?
        .execute([id])?;
    Ok(())
}

/// Hashes of proofs that were or can be sent, looked up once for a whole receipt.
#[derive(Debug, Default)]
pub(crate) struct Known {
    unsent: HashMap<Hash32, Vec<i64>>,
    /// Inks that wait; filled only if a receipt names what is no photo and bound by none of its entries.
    inks: Option<HashMap<Hash32, Vec<i64>>>,
    /// Filled only if a receipt names what is not unsent.
    all: Option<HashSet<Hash32>>,
}

/// Reads which proofs have no receipt, lost ones too: the hub may have one after all.
pub(crate) fn known(conn: &Connection) -> Result<Known> {
    let mut stmt = conn.prepare_cached(
        "SELECT id, hash FROM proof INDEXED BY proof_unsent
         WHERE bound_seq IS NOT NULL AND received_at_ms IS NULL",
    )?;
    let mut rows = stmt.query([])?;
    let mut known = Known::default();
    while let Some(r) = rows.next()? {
        let hash = Hash32(row::bytes_or(r, "hash", [0; 32])?);
        known.unsent.entry(hash).or_default().push(r.get("id")?);
    }
    Ok(known)
}

/// Marks a proof as received. Gives the stops for which that is news; `None` if this phone has no
/// proof with this hash. `bound` are proofs known to be this phone's without asking.
pub(crate) fn mark_received(
    conn: &Connection,
    known: &mut Known,
    hash: Hash32,
    at_ms: i64,
    bound: &HashSet<Hash32>,
) -> Result<Option<Vec<StopId>>> {
    let mut stops = Vec::new();
    let Some(ids) = known.unsent.remove(&hash) else {
        if bound.contains(&hash) {
            return Ok(Some(stops));
        }
        let inks = match &mut known.inks {
            Some(inks) => inks,
            empty => empty.insert(waiting_inks(conn)?),
        };
        if let Some(entries) = inks.remove(&hash) {
            for seq in entries {
                stops.extend(inks::mark_received(conn, seq, at_ms)?);
            }
            return Ok(Some(stops));
        }
        let all = match &mut known.all {
            Some(all) => all,
            empty => empty.insert(all_hashes(conn)?),
        };
        return Ok(all.contains(&hash).then(Vec::new));
    };
    let mut mark = conn.prepare_cached(
        "UPDATE proof SET received_at_ms = ?2, lost_at_ms = NULL, lost_seq = NULL, unread_since_ms = NULL
         WHERE id = ?1
         RETURNING (SELECT stop_id FROM attempt a WHERE a.attempt_id = proof.attempt_id) AS stop_id",
    )?;
    for id in ids {
        let mut rows = mark.query(params![id, at_ms])?;
        while let Some(r) = rows.next()? {
            stops.extend(entries::opt_stop_id(r)?);
        }
    }
    Ok(Some(stops))
}

fn waiting_inks(conn: &Connection) -> Result<HashMap<Hash32, Vec<i64>>> {
    let mut out: HashMap<Hash32, Vec<i64>> = HashMap::new();
    for ink in inks::waiting(conn)? {
        out.entry(ink.hash).or_default().push(ink.seq);
    }
    Ok(out)
}

fn all_hashes(conn: &Connection) -> Result<HashSet<Hash32>> {
    let mut stmt = conn.prepare_cached("SELECT hash FROM proof")?;
    let mut rows = stmt.query([])?;
    let mut out = HashSet::new();
    while let Some(r) = rows.next()? {
        out.extend(row::readable_bytes(r, "hash")?.map(Hash32));
    }
    out.extend(inks::all_hashes(conn)?);
    out.extend(thumbs::all_hashes(conn)?);
    Ok(out)
}

/// What a row is asked about whose hash cannot be read any more.
pub(crate) const UNREADABLE: Hash32 = Hash32([0; 32]);

/// Takes receipts back for proofs bound by the entries from `first` to `last` that are `lost` at the hub.
pub(crate) fn unmark(
    conn: &Connection,
    first: i64,
    last: i64,
    lost: impl Fn(Hash32) -> bool,
) -> Result<TakenBack> {
    let mut stmt = conn.prepare_cached(
        "SELECT p.id, p.hash, a.stop_id FROM proof p LEFT JOIN attempt a USING (attempt_id)
         WHERE p.bound_seq BETWEEN ?1 AND ?2 AND p.received_at_ms IS NOT NULL",
    )?;
    let mut rows = stmt.query([first, last])?;
    let mut ids: Vec<i64> = Vec::new();
    let mut stops = Vec::new();
    while let Some(r) = rows.next()? {
        if lost(Hash32(row::bytes_or(r, "hash", UNREADABLE.0)?)) {
            ids.push(r.get("id")?);
            stops.extend(entries::opt_stop_id(r)?);
        }
    }
    let mut update = conn.prepare_cached(
        "UPDATE proof SET received_at_ms = NULL, was_receipted = 1 WHERE id = ?1",
    )?;
    let mut back = TakenBack {
        count: ids.len(),
        stops,
    };
    for id in ids {
        update.execute([id])?;
    }
    back.add(inks::unmark(conn, first, last, lost)?);
    Ok(back)
}

/// Key and hash of the proofs kept in the blob folder, the newest first, until `wants_more` says no. The files of the
/// oldest have given way: whoever asks for those that are there is content long before the months are read.
pub(crate) fn blob_keys(
    conn: &Connection,
    mut wants_more: impl FnMut([u8; 32], Hash32) -> bool,
) -> Result<()> {
    let mut stmt = conn.prepare_cached(
        "SELECT coalesce(a.data_key, x'') AS data_key, p.hash AS hash
         FROM proof p LEFT JOIN attempt a USING (attempt_id) WHERE p.in_folder ORDER BY p.id DESC",
    )?;
    let mut rows = stmt.query([])?;
    while let Some(r) = rows.next()? {
        if !wants_more(row::bytes(r, "data_key")?, Hash32(row::bytes(r, "hash")?)) {
            break;
        }
    }
    Ok(())
}

/// Whether a photo was ever put into the folder and is not forgotten since.
pub(crate) fn any_in_folder(conn: &Connection) -> Result<bool> {
    Ok(conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM proof WHERE in_folder)")?
        .query_row([], |r| r.get(0))?)
}

/// A photo this phone has a row for; its file may have given way.
#[derive(Debug)]
pub(crate) struct HeldPhoto {
    pub(crate) key: [u8; 32],
    pub(crate) hash: Hash32,
    pub(crate) bound: bool,
    pub(crate) receipted: bool,
}

/// All photos, oldest first.
pub(crate) fn held_photos(conn: &Connection) -> Result<Vec<HeldPhoto>> {
    let mut stmt = conn.prepare_cached(
        "SELECT a.data_key AS data_key, p.hash AS hash, p.bound_seq IS NOT NULL AS bound,
             p.received_at_ms IS NOT NULL AS receipted
         FROM proof p JOIN attempt a USING (attempt_id) WHERE p.in_folder ORDER BY p.id",
    )?;
    let mut rows = stmt.query([])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        match held_photo(r) {
            // Its file is nobody's to count or to remove.
            Err(error) if row::is_of_one_row(&error) => {}
            photo => out.push(photo?),
        }
    }
    Ok(out)
}

fn held_photo(r: &Row<'_>) -> Result<HeldPhoto> {
    Ok(HeldPhoto {
        key: row::bytes(r, "data_key")?,
        hash: Hash32(row::bytes(r, "hash")?),
        bound: r.get("bound")?,
        receipted: r.get("receipted")?,
    })
}

/// Forgets an attempt's staged photos. Gives key and hash of each, to remove its file.
pub(crate) fn unstage(conn: &Connection, attempt: AttemptId) -> Result<Vec<([u8; 32], Hash32)>> {
    let mut stmt = conn.prepare_cached(
        "DELETE FROM proof WHERE attempt_id = ?1 AND bound_seq IS NULL
         RETURNING hash, (SELECT data_key FROM attempt a WHERE a.attempt_id = proof.attempt_id) AS data_key",
    )?;
    let mut rows = stmt.query([attempt.as_bytes()])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push((row::bytes(r, "data_key")?, Hash32(row::bytes(r, "hash")?)));
    }
    Ok(out)
}

/// Proofs that wait for a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unsent {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
    /// When the first of what they belong to happened, as far as these are photos: ink waits beside its entry.
    pub(crate) oldest_ms: Option<i64>,
}

/// What of the proofs waits.
pub(crate) fn unsent(conn: &Connection) -> Result<Unsent> {
    let mut stmt = conn.prepare_cached(
        "SELECT count(*) AS n, coalesce(sum(p.size_bytes) FILTER (WHERE p.size_bytes BETWEEN 0 AND ?1), 0) AS bytes,
             min(e.occurred_at_ms) AS oldest
         FROM proof p INDEXED BY proof_unsent LEFT JOIN entry e ON e.seq = p.bound_seq
         WHERE p.bound_seq IS NOT NULL AND p.received_at_ms IS NULL AND p.lost_at_ms IS NULL",
    )?;
    let mut rows = stmt.query([PLAUSIBLE_BYTES])?;
    let r = rows
        .next()?
        .ok_or_else(|| Error::from(StoreError::BadRow("proof")))?;
    let photos: (u64, u64) = (row::unsigned(r, "n")?, row::unsigned(r, "bytes")?);
    let oldest_ms = r.get("oldest")?;
    let inks = inks::waiting(conn)?;
    let ink_bytes: u64 = inks.iter().map(|ink| ink.size_bytes).sum();
    Ok(Unsent {
        count: photos.0 + inks.len() as u64,
        bytes: photos.1 + ink_bytes,
        oldest_ms,
    })
}

fn photo_facts(r: &Row<'_>) -> Result<Option<PhotoFacts>> {
    let bytes: Option<Vec<u8>> = r.get("photo_facts")?;
    bytes
        .map(|b| PhotoFacts::decode(&b).map_err(|_| StoreError::BadRow("photo_facts").into()))
        .transpose()
}

/// A row; `None` where it went bad. That one holds up no other.
fn readable(r: &Row<'_>) -> Result<Option<ProofRow>> {
    match read(r) {
        Ok(row) => Ok(Some(row)),
        Err(error) if row::is_of_one_row(&error) => {
            tracing::error!(%error, "the row of a proof cannot be read");
            Ok(None)
        }
        Err(error) => Err(error),
    }
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
            photo: photo_facts(r)?,
        },
        inline_bytes: None,
        started: r.get("started")?,
    })
}
