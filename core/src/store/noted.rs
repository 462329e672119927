//! Which entries are about a stop, a parcel or a round, so that facts are read from the log itself and
//! counted there: a restart gives nobody new tries, and nothing is kept twice.

use rusqlite::{Connection, Row, params};
use satchel_protocol::entry::EntryKind;

use crate::error::Result;

/// An entry found again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Noted {
    pub(crate) seq: i64,
    pub(crate) occurred_at_ms: i64,
    pub(crate) body: Vec<u8>,
}

/// Remembers that the entry at `seq` is about `subject`.
pub(crate) fn note(conn: &Connection, subject: &[u8; 16], kind: EntryKind, seq: i64) -> Result<()> {
    conn.prepare_cached("INSERT INTO noted (subject, kind, seq) VALUES (?1, ?2, ?3)")?
        .execute(params![subject, kind.0, seq])?;
    Ok(())
}

/// Entries of one kind about `subject`, in the order of the log. One whose body was erased is left out.
pub(crate) fn about(conn: &Connection, subject: &[u8; 16], kind: EntryKind) -> Result<Vec<Noted>> {
    let mut stmt = conn.prepare_cached(
        "SELECT e.seq AS seq, e.occurred_at_ms AS at, e.body AS body
         FROM noted n JOIN entry e USING (seq)
         WHERE n.subject = ?1 AND n.kind = ?2 AND e.body IS NOT NULL ORDER BY n.seq",
    )?;
    let mut rows = stmt.query(params![subject, kind.0])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(read(r)?);
    }
    Ok(out)
}

/// How many entries of one kind are about `subject`, erased ones too.
pub(crate) fn count(conn: &Connection, subject: &[u8; 16], kind: EntryKind) -> Result<u64> {
    let n: i64 = conn
        .prepare_cached("SELECT count(*) FROM noted WHERE subject = ?1 AND kind = ?2")?
        .query_row(params![subject, kind.0], |r| r.get(0))?;
    Ok(u64::try_from(n).unwrap_or(0))
}

/// Entries of one kind that happened in `from_ms..until_ms`, in the order of the log. Reads the whole
/// log: for figures that a person asks for now and then.
pub(crate) fn in_window(
    conn: &Connection,
    kind: EntryKind,
    from_ms: i64,
    until_ms: i64,
) -> Result<Vec<Noted>> {
    let mut stmt = conn.prepare_cached(
        "SELECT seq, occurred_at_ms AS at, body FROM entry
         WHERE kind = ?1 AND occurred_at_ms >= ?2 AND occurred_at_ms < ?3 AND body IS NOT NULL
         ORDER BY seq",
    )?;
    let mut rows = stmt.query(params![kind.0, from_ms, until_ms])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(read(r)?);
    }
    Ok(out)
}

fn read(r: &Row<'_>) -> Result<Noted> {
    Ok(Noted {
        seq: r.get("seq")?,
        occurred_at_ms: r.get("at")?,
        body: r.get("body")?,
    })
}
