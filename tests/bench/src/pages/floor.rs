//! What the store alone can do: the rows of a page read, and the rows of a rating written, by bare
//! SQLite on one thread, in the very file the hub has just used.

use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, params};

use crate::Failure;

const GROUP: usize = 256;

pub(super) struct Floor {
    pub(super) reads_per_s: f64,
    pub(super) single_per_s: f64,
    pub(super) grouped_per_s: f64,
}

pub(super) fn measure(data: &Path, ratings: usize) -> Result<Floor, Failure> {
    let db = Connection::open(data.join("hub.db"))?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "secure_delete", "ON")?;
    Ok(Floor {
        reads_per_s: reads(&db)?,
        single_per_s: writes(&db, ratings.min(2_000), 1)?,
        grouped_per_s: writes(&db, ratings, GROUP)?,
    })
}

fn reads(db: &Connection) -> Result<f64, Failure> {
    let mut all = db.prepare("SELECT handle FROM parcel LIMIT 2000")?;
    let handles: Vec<Vec<u8>> = all.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?;
    let mut one = db.prepare(
        "SELECT p.waybill, p.promised_by_ms, d.device_id, c.name, w.first_seen_at_ms, r.revision \
         FROM parcel p JOIN assignment a USING (parcel_id) JOIN device d USING (device_id) \
           JOIN courier c USING (courier_id) LEFT JOIN witness w ON w.parcel_id = p.parcel_id \
           LEFT JOIN rating_said r ON r.parcel_id = p.parcel_id WHERE p.handle = ?",
    )?;
    let begin = Instant::now();
    let rounds = 20;
    for _ in 0..rounds {
        for handle in &handles {
            let waybill: String = one.query_row([handle], |r| r.get(0))?;
            std::hint::black_box(waybill);
        }
    }
    Ok(per_s(handles.len() * rounds, begin))
}

/// The payload of a rating, its record and its feed item, without rules, signature or checks.
fn writes(db: &Connection, count: usize, group: usize) -> Result<f64, Failure> {
    db.execute_batch(
        "CREATE TABLE IF NOT EXISTS floor_said (id INTEGER PRIMARY KEY, parcel BLOB, head BLOB, \
           stars INTEGER, tags TEXT, comment TEXT, at_ms INTEGER); \
         CREATE TABLE IF NOT EXISTS floor_record (seq INTEGER PRIMARY KEY, hash BLOB UNIQUE, \
           header BLOB, sig BLOB, salt BLOB, body BLOB); \
         CREATE TABLE IF NOT EXISTS floor_item (seq INTEGER PRIMARY KEY, kind TEXT, data TEXT);",
    )?;
    let begin = Instant::now();
    let mut done = 0_usize;
    while done < count {
        db.execute_batch("BEGIN IMMEDIATE")?;
        for _ in 0..group.min(count - done) {
            done += 1;
            db.prepare_cached(
                "INSERT INTO floor_said (parcel, head, stars, tags, comment, at_ms) \
                 VALUES (randomblob(16), randomblob(16), 5, '[\"polite\"]', 'thanks a lot', 1)",
            )?
            .execute(params![])?;
            db.prepare_cached(
                "INSERT INTO floor_record (hash, header, sig, salt, body) VALUES \
                 (randomblob(32), randomblob(160), randomblob(64), randomblob(32), randomblob(300))",
            )?
            .execute(params![])?;
            db.prepare_cached("INSERT INTO floor_item (kind, data) VALUES ('rating', ?)")?
                .execute(params!["x".repeat(320)])?;
        }
        db.execute_batch("COMMIT")?;
    }
    Ok(per_s(count, begin))
}

#[expect(clippy::cast_precision_loss, reason = "counts of a bench")]
fn per_s(count: usize, begin: Instant) -> f64 {
    count as f64 / begin.elapsed().as_secs_f64()
}
