//! A store under another key: every row is copied into a new file, which takes the old one's place when it is
//! whole.
//!
//! The cipher can change the key in place, but only of a store that leaves as much room at the end of its pages
//! as the cipher takes. Stores that SQLCipher made leave more, and come out unreadable (docs/adr/0052). A copy
//! does not ask how the old file was laid out, is smaller afterwards, and is durable by one rename: whoever is
//! killed has the old file or the new one, and the file beside the store says that it is one of the two keys
//! until it is certain which.

use std::fs::File;
use std::path::Path;

use rusqlite::Connection;
use satchel_protocol::crypto::Secret32;

use super::keycheck;
use super::opening::{self, DB_FILE, KEY_CHECK_FILE};
use crate::error::{Result, StoreError};

/// The copy while it is made. Without its name changed it is nothing.
const COPY_FILE: &str = "satchel.db.new";

/// Copies the store into a file under `new`. The log has to be empty, and nobody may read or write. After an
/// error the store is what it was.
pub(super) fn copy(conn: &Connection, dir: &Path, old: &Secret32, new: &Secret32) -> Result<()> {
    let check_path = dir.join(KEY_CHECK_FILE);
    sweep(dir)?;
    if !opening::empty_log(conn, dir)? {
        return Err(StoreError::InUse.into());
    }
    let copied = (|| {
        attach(conn, &dir.join(COPY_FILE), new)?;
        let filled = fill(conn);
        let detached = conn.execute_batch("DETACH fresh; PRAGMA foreign_keys = ON;");
        filled?;
        detached?;
        File::open(dir.join(COPY_FILE))?.sync_all()?;
        keycheck::write_both(&check_path, old, new)?;
        Ok(File::open(dir)?.sync_all()?)
    })();
    if copied.is_err() {
        // What failed is worth more than whether the rest of it can be removed; the next opening does.
        let _ = sweep(dir);
        let _ = keycheck::write(&check_path, old);
    }
    copied
}

/// Puts the copy in the old file's place; the connection to that one is closed.
pub(super) fn adopt(dir: &Path, new: &Secret32) -> Result<()> {
    std::fs::rename(dir.join(COPY_FILE), dir.join(DB_FILE))?;
    File::open(dir)?.sync_all()?;
    keycheck::write(&dir.join(KEY_CHECK_FILE), new)?;
    Ok(File::open(dir)?.sync_all()?)
}

/// Removes what a killed process left of a copy.
pub(super) fn sweep(dir: &Path) -> Result<()> {
    match std::fs::remove_file(dir.join(COPY_FILE)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(StoreError::from(e).into()),
        _ => Ok(()),
    }
}

fn attach(conn: &Connection, path: &Path, key: &Secret32) -> Result<()> {
    let path = path
        .to_str()
        .ok_or(StoreError::Io(std::io::ErrorKind::InvalidFilename))?;
    let key = opening::raw(key);
    conn.execute("ATTACH ?1 AS fresh KEY ?2", [path, key.as_str()])?;
    // Thrown away if it does not get whole, so it needs no journal on disk.
    conn.query_row("PRAGMA fresh.journal_mode = MEMORY", [], |_| Ok(()))?;
    // Rows are copied table by table; they referred to each other before.
    conn.execute_batch("PRAGMA fresh.synchronous = FULL; PRAGMA foreign_keys = OFF;")?;
    Ok(())
}

fn fill(conn: &Connection) -> Result<()> {
    let tx = conn.unchecked_transaction()?;
    for (kind, name, sql) in definitions(&tx)? {
        // As SQLite keeps them, all begin alike, and the name is the first word that is not a keyword.
        let heads = [
            "CREATE TABLE ",
            "CREATE INDEX ",
            "CREATE UNIQUE INDEX ",
            "CREATE TRIGGER ",
        ];
        let head = heads
            .into_iter()
            .find_map(|head| sql.strip_prefix(head).map(|rest| (head, rest)));
        let (head, rest) = head.ok_or(StoreError::BadRow("table definition"))?;
        tx.execute_batch(&format!("{head}fresh.{rest}"))?;
        if kind == "table" {
            let name = name.replace('"', "\"\"");
            tx.execute_batch(&format!(
                "INSERT INTO fresh.\"{name}\" SELECT * FROM main.\"{name}\""
            ))?;
        }
    }
    for pragma in ["user_version", "application_id"] {
        let value: i64 = tx.query_row(&format!("PRAGMA main.{pragma}"), [], |r| r.get(0))?;
        tx.execute_batch(&format!("PRAGMA fresh.{pragma} = {value}"))?;
    }
    tx.commit()?;
    let sound: String = conn.query_row("PRAGMA fresh.quick_check(1)", [], |r| r.get(0))?;
    if sound != "ok" {
        return Err(StoreError::Damaged.into());
    }
    Ok(())
}

/// Kind, name and statement of every table, index and trigger, tables first: no trigger fires for a row that is copied.
fn definitions(conn: &Connection) -> rusqlite::Result<Vec<(String, String, String)>> {
    conn.prepare(
        "SELECT type, name, sql FROM main.sqlite_master WHERE sql IS NOT NULL
         ORDER BY type <> 'table', rowid",
    )?
    .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
    .collect()
}
