//! The floor: one `INSERT` per transaction in bare SQLite, with and without SQLCipher's scheme.

use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, params};

use super::payload::Payload;
use super::{Run, bytes_written, disk_bytes};
use crate::Failure;

/// SQLCipher's scheme as it is by default, and a raw key, as Satchel takes it.
pub(super) const KEY: &str = "PRAGMA cipher = 'sqlcipher'; PRAGMA legacy = 4;
    PRAGMA key = \"x'2dd29ca851e7b56e4697b0e1f08507293d761a05ce4d1b628663f411a8086d99'\"";

/// Stores the payloads.
pub(super) fn record(dir: &Path, payloads: &[Payload], key: Option<&str>) -> Result<Run, Failure> {
    let conn = Connection::open(dir.join("floor.db"))?;
    if let Some(key) = key {
        conn.execute_batch(key)?;
    }
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    conn.execute_batch(
        "PRAGMA synchronous = FULL;
         CREATE TABLE attempt (id TEXT PRIMARY KEY, record TEXT NOT NULL, signature BLOB NOT NULL);
         PRAGMA wal_checkpoint(TRUNCATE);",
    )?;
    let disk_before = disk_bytes(dir)?;
    let written_before = bytes_written();
    let mut micros = Vec::with_capacity(payloads.len());
    let start = Instant::now();
    for payload in payloads {
        let one = Instant::now();
        conn.prepare_cached("INSERT INTO attempt (id, record, signature) VALUES (?1, ?2, ?3)")?
            .execute(params![payload.id, payload.record, payload.signature])?;
        micros.push(u64::try_from(one.elapsed().as_micros())?);
    }
    let seconds = start.elapsed().as_secs_f64();
    let bytes_written = bytes_written() - written_before;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    drop(conn);
    micros.sort_unstable();
    let first = payloads.first().ok_or("no payload")?;
    Ok(Run {
        seconds,
        micros,
        ink_micros: 0,
        bytes_written,
        disk_before,
        disk_after: disk_bytes(dir)?,
        payload: (first.record.len(), first.signature.len()),
    })
}
