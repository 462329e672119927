//! Rows about the hub's transparency log: the last tree believed, the hub's words, its contradictions.

use rusqlite::{Connection, params};
use satchel_protocol::ids::Hash32;
use satchel_protocol::tlog::TreeHead;

use super::row;
use crate::error::{Result, StoreError};

/// More contradictions than this prove nothing more.
const MAX_FAULTS: i64 = 16;

pub(crate) fn tree_head(conn: &Connection) -> Result<Option<TreeHead>> {
    let mut stmt = conn.prepare_cached("SELECT * FROM tree_head WHERE id = 1")?;
    let mut rows = stmt.query([])?;
    let Some(r) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(TreeHead {
        log_no: r.get("log_no")?,
        size: row::unsigned(r, "size")?,
        root: Hash32(row::bytes(r, "root")?),
        note: r.get("note")?,
    }))
}

pub(crate) fn set_tree_head(conn: &Connection, head: &TreeHead) -> Result<()> {
    let size = i64::try_from(head.size).map_err(|_| StoreError::BadRow("tree_head"))?;
    conn.prepare_cached(
        "INSERT INTO tree_head (id, log_no, size, root, note) VALUES (1, ?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET
           log_no = excluded.log_no, size = excluded.size, root = excluded.root,
           note = excluded.note",
    )?
    .execute(params![head.log_no, size, head.root.0, head.note])?;
    Ok(())
}

/// Keeps the hub's word about the entries up to `last_seq`. The first one about them stays: it names the
/// earliest time.
pub(crate) fn keep_word(conn: &Connection, last_seq: i64, answer: &[u8]) -> Result<()> {
    let new = conn
        .prepare_cached(
            "INSERT INTO hub_word (last_seq, answer) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        )?
        .execute(params![last_seq, answer])?;
    if new > 0 {
        conn.prepare_cached(
            "UPDATE phone SET hub_words_bytes = hub_words_bytes + ?1 WHERE id = 1",
        )?
        .execute([i64::try_from(answer.len()).unwrap_or(i64::MAX)])?;
    }
    Ok(())
}

/// What the hub's kept words take, in bytes, and how many entries this phone has.
pub(crate) fn words(conn: &Connection) -> Result<(usize, usize)> {
    let (bytes, entries): (i64, i64) = conn
        .prepare_cached(
            "SELECT hub_words_bytes, (SELECT coalesce(max(seq), 0) FROM entry) FROM phone WHERE id = 1",
        )?
        .query_row([], |r| Ok((r.get(0)?, r.get(1)?)))?;
    let count = |n: i64| usize::try_from(n).unwrap_or(0);
    Ok((count(bytes), count(entries)))
}

pub(crate) fn set_anchor(conn: &Connection, anchor: Hash32) -> Result<()> {
    conn.prepare_cached("UPDATE phone SET anchor = ?1 WHERE id = 1")?
        .execute([anchor.0])?;
    Ok(())
}

/// Keeps what proves that the hub contradicted itself. It is never deleted; past a bound it is not added to.
pub(crate) fn keep_fault(
    conn: &Connection,
    at_ms: i64,
    what: &str,
    known: Option<&str>,
    answer: &[u8],
) -> Result<()> {
    conn.execute(
        "INSERT INTO tree_fault (at_ms, what, known, answer)
         SELECT ?1, ?2, ?3, ?4 WHERE (SELECT count(*) FROM tree_fault) < ?5",
        params![at_ms, what, known, answer, MAX_FAULTS],
    )?;
    Ok(())
}

/// The hub's contradictions that were kept: the tree it had shown before and the answer that does not fit.
pub(crate) fn kept_faults(conn: &Connection) -> Result<Vec<(String, Vec<u8>)>> {
    let mut stmt = conn.prepare_cached(
        "SELECT known, answer FROM tree_fault WHERE known IS NOT NULL ORDER BY fault_id",
    )?;
    let rows = stmt.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How often the hub contradicted itself, as far as it is kept.
pub(crate) fn faults(conn: &Connection) -> Result<u64> {
    let count: i64 = conn
        .prepare_cached("SELECT count(*) FROM tree_fault")?
        .query_row([], |r| r.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}
