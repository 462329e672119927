//! Photos whose bytes this phone cannot bring any more. They stay in the queue's rows without waiting there: a receipt or a
//! file that turns up again makes them what they were.

use rusqlite::{Connection, OptionalExtension, Row, params};
use satchel_protocol::ids::{Hash32, StopId};

use super::{entries, row};
use crate::error::Result;

/// A photo that was just found to be lost.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) stop: Option<StopId>,
    /// Where the entry stands that binds it.
    pub(crate) of_seq: i64,
    /// The hub signed for it once.
    pub(crate) was_receipted: bool,
    /// An entry said so before.
    pub(crate) told: bool,
}

/// Sets a waiting photo aside as lost. `None` where it does not wait: it was receipted or erased meanwhile.
pub(crate) fn set(conn: &Connection, id: i64, at_ms: i64) -> Result<Option<Found>> {
    let mut stmt = conn.prepare_cached(
        "UPDATE proof SET lost_at_ms = ?2 WHERE id = ?1 AND bound_seq IS NOT NULL
             AND received_at_ms IS NULL AND lost_at_ms IS NULL
         RETURNING bound_seq, was_receipted, lost_seq IS NOT NULL AS told,
             (SELECT stop_id FROM attempt a WHERE a.attempt_id = proof.attempt_id) AS stop_id",
    )?;
    let mut rows = stmt.query(params![id, at_ms])?;
    let Some(r) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(Found {
        stop: entries::opt_stop_id(r)?,
        of_seq: r.get("bound_seq")?,
        was_receipted: r.get("was_receipted")?,
        told: r.get("told")?,
    }))
}

/// The entry at `seq` says that it is lost.
pub(crate) fn set_told(conn: &Connection, id: i64, seq: i64) -> Result<()> {
    conn.prepare_cached("UPDATE proof SET lost_seq = ?2 WHERE id = ?1")?
        .execute([id, seq])?;
    Ok(())
}

/// A photo that counts as lost, and where its file would be.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) id: i64,
    pub(crate) key: [u8; 32],
    pub(crate) hash: Hash32,
    pub(crate) stop: StopId,
    /// Since when its file fails to be read, if it does.
    pub(crate) unread_since_ms: Option<i64>,
}

/// All of them.
pub(crate) fn all(conn: &Connection) -> Result<Vec<Lost>> {
    between(conn, 0, i64::MAX)
}

/// Those that the entry at `seq` binds.
pub(crate) fn bound_to(conn: &Connection, seq: i64) -> Result<Vec<Lost>> {
    between(conn, seq, seq)
}

fn between(conn: &Connection, first: i64, last: i64) -> Result<Vec<Lost>> {
    let mut stmt = conn.prepare_cached(
        "SELECT p.id AS id, p.hash AS hash, p.unread_since_ms AS unread_since_ms,
             a.data_key AS data_key, a.stop_id AS stop_id
         FROM proof p JOIN attempt a USING (attempt_id)
         WHERE p.bound_seq BETWEEN ?1 AND ?2 AND p.received_at_ms IS NULL AND p.lost_at_ms IS NOT NULL",
    )?;
    let mut rows = stmt.query([first, last])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        match read(r) {
            // Without its key or its name no file is its own.
            Err(error) if row::is_of_one_row(&error) => {}
            photo => out.push(photo?),
        }
    }
    Ok(out)
}

fn read(r: &Row<'_>) -> Result<Lost> {
    Ok(Lost {
        id: r.get("id")?,
        key: row::bytes(r, "data_key")?,
        hash: Hash32(row::bytes(r, "hash")?),
        stop: StopId(row::uuid(r, "stop_id")?),
        unread_since_ms: r.get("unread_since_ms")?,
    })
}

/// Its file is there again, or may be: it waits like any other.
pub(crate) fn unset(conn: &Connection, id: i64) -> Result<()> {
    conn.prepare_cached(
        "UPDATE proof SET lost_at_ms = NULL, unread_since_ms = NULL WHERE id = ?1",
    )?
    .execute([id])?;
    Ok(())
}

/// Since when the file of a photo fails to be read.
pub(crate) fn unread_since_ms(conn: &Connection, id: i64) -> Result<Option<i64>> {
    Ok(conn
        .prepare_cached("SELECT unread_since_ms FROM proof WHERE id = ?1")?
        .query_row([id], |r| r.get(0))
        .optional()?
        .flatten())
}

pub(crate) fn set_unread_since_ms(conn: &Connection, id: i64, at_ms: i64) -> Result<()> {
    conn.prepare_cached("UPDATE proof SET unread_since_ms = ?2 WHERE id = ?1")?
        .execute([id, at_ms])?;
    Ok(())
}

/// Its file was read.
pub(crate) fn set_read(conn: &Connection, id: i64) -> Result<()> {
    conn.prepare_cached(
        "UPDATE proof SET unread_since_ms = NULL WHERE id = ?1 AND unread_since_ms IS NOT NULL",
    )?
    .execute([id])?;
    Ok(())
}

/// How many there are.
pub(crate) fn count(conn: &Connection) -> Result<u64> {
    let n: i64 = conn
        .prepare_cached(
            "SELECT count(*) FROM proof INDEXED BY proof_unsent
             WHERE bound_seq IS NOT NULL AND received_at_ms IS NULL AND lost_at_ms IS NOT NULL",
        )?
        .query_row([], |r| r.get(0))?;
    Ok(u64::try_from(n).unwrap_or(0))
}
