//! The hub's rule set in force, as the document it sent.

use rusqlite::{Connection, params};
use satchel_protocol::ids::Hash32;

use super::row;
use crate::error::Result;

/// The document in force; none: the built-in rules.
pub(crate) fn document(conn: &Connection) -> Result<Option<String>> {
    Ok(conn
        .prepare_cached("SELECT document FROM rule_set WHERE id = 1")?
        .query_row([], |r| r.get(0))?)
}

pub(crate) fn replace(conn: &Connection, document: &str) -> Result<()> {
    conn.prepare_cached("UPDATE rule_set SET document = ?1 WHERE id = 1")?
        .execute([document])?;
    Ok(())
}

/// The last document that was refused and reported.
pub(crate) fn refused(conn: &Connection) -> Result<Option<Hash32>> {
    let mut stmt = conn.prepare_cached("SELECT refused FROM rule_set WHERE id = 1")?;
    let mut rows = stmt.query([])?;
    match rows.next()? {
        Some(r) => Ok(row::opt_bytes(r, "refused")?.map(Hash32)),
        None => Ok(None),
    }
}

pub(crate) fn set_refused(conn: &Connection, document: Hash32) -> Result<()> {
    conn.prepare_cached("UPDATE rule_set SET refused = ?1 WHERE id = 1")?
        .execute(params![document.0])?;
    Ok(())
}
