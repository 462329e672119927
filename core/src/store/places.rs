//! Where uploads lie at a server that names them itself (tus 1.0, creation).

use rusqlite::{Connection, OptionalExtension, params};
use satchel_protocol::ids::Hash32;

use crate::error::Result;

/// Where the server put this upload, if it said so and that is not where it was looked for.
pub(crate) fn of(conn: &Connection, hash: &Hash32) -> Result<Option<String>> {
    Ok(conn
        .prepare_cached("SELECT url FROM upload_place WHERE hash = ?1")?
        .query_row([hash.0], |r| r.get(0))
        .optional()?)
}

pub(crate) fn set(conn: &Connection, hash: &Hash32, url: &str) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO upload_place (hash, url) VALUES (?1, ?2)
         ON CONFLICT (hash) DO UPDATE SET url = excluded.url",
    )?
    .execute(params![hash.0, url])?;
    Ok(())
}

/// The upload is through, or begins anew.
pub(crate) fn forget(conn: &Connection, hash: &Hash32) -> Result<()> {
    conn.prepare_cached("DELETE FROM upload_place WHERE hash = ?1")?
        .execute([hash.0])?;
    Ok(())
}
