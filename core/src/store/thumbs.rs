//! Thumbnails: small copies of photos, in the encrypted database because each is a few kilobytes.
//!
//! They are kept when their photo gives way to newer ones, go with its row, and ride in the batch of the
//! entry that binds them: the hub shows them long before the photo itself arrives on a poor link.

use rusqlite::{Connection, OptionalExtension, params};
use satchel_protocol::attempt::Thumbnail;
use satchel_protocol::ids::{AttemptId, Hash32};

use super::row;
use crate::error::Result;

/// A proof small enough to go up with its entry.
#[derive(Debug)]
pub(crate) struct SmallProof {
    pub(crate) hash: Hash32,
    pub(crate) bytes: Vec<u8>,
}

/// Stores the small copy of a photo that is staged; the same photo twice has one.
pub(crate) fn put(
    conn: &Connection,
    attempt: AttemptId,
    photo: Hash32,
    thumb: &Thumbnail,
    bytes: &[u8],
) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO thumb (proof_id, hash, bytes)
         SELECT id, ?3, ?4 FROM proof WHERE attempt_id = ?1 AND hash = ?2 AND in_folder
         ON CONFLICT (proof_id) DO NOTHING",
    )?
    .execute(params![attempt.as_bytes(), photo.0, thumb.hash.0, bytes])?;
    Ok(())
}

/// The small copy of a photo.
pub(crate) fn get(conn: &Connection, attempt: AttemptId, photo: Hash32) -> Result<Option<Vec<u8>>> {
    Ok(conn
        .prepare_cached(
            "SELECT t.bytes FROM thumb t JOIN proof p ON p.id = t.proof_id
             WHERE p.attempt_id = ?1 AND p.hash = ?2 AND p.in_folder",
        )?
        .query_row(params![attempt.as_bytes(), photo.0], |r| r.get(0))
        .optional()?)
}

/// The small proofs of one entry that is still to be sent. They need no receipt of their own: a batch is
/// taken whole, so the entry's receipt stands for them, and an entry that is sent again brings them again.
pub(crate) fn of_entry(conn: &Connection, seq: i64) -> Result<Vec<SmallProof>> {
    let mut stmt = conn.prepare_cached(
        "SELECT t.hash, t.bytes FROM thumb t JOIN proof p ON p.id = t.proof_id
         WHERE p.bound_seq = ?1 ORDER BY p.id",
    )?;
    let mut rows = stmt.query([seq])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        // One whose hash lost its width stays behind; its photo comes without it.
        if let Some(hash) = row::readable_bytes(r, "hash")? {
            out.push(SmallProof {
                hash: Hash32(hash),
                bytes: r.get("bytes")?,
            });
        }
    }
    Ok(out)
}

/// The hashes of the small copies of one entry's photos.
pub(crate) fn hashes_of_entry(conn: &Connection, seq: i64) -> Result<Vec<Hash32>> {
    let mut stmt = conn.prepare_cached(
        "SELECT t.hash FROM thumb t JOIN proof p ON p.id = t.proof_id WHERE p.bound_seq = ?1",
    )?;
    let mut rows = stmt.query([seq])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.extend(row::readable_bytes(r, "hash")?.map(Hash32));
    }
    Ok(out)
}

/// How many there are and what they take; they count towards the quota of the photos they show.
pub(crate) fn held(conn: &Connection) -> Result<(u64, u64)> {
    Ok(conn
        .prepare_cached("SELECT count(*), coalesce(sum(length(bytes)), 0) FROM thumb")?
        .query_row([], |r| {
            let (count, bytes): (i64, i64) = (r.get(0)?, r.get(1)?);
            Ok((count.unsigned_abs(), bytes.unsigned_abs()))
        })?)
}

/// The hashes of all of them, to know them again in a receipt.
pub(crate) fn all_hashes(conn: &Connection) -> Result<Vec<Hash32>> {
    let mut stmt = conn.prepare_cached("SELECT hash FROM thumb")?;
    let mut rows = stmt.query([])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.extend(row::readable_bytes(r, "hash")?.map(Hash32));
    }
    Ok(out)
}
