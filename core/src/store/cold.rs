//! Temperature readings of a parcel: a bounded run of the newest, each reading once.

use rusqlite::{Connection, params};
use satchel_protocol::ids::ParcelId;

use crate::error::Result;
use crate::rules::coldchain::{MAX_SAMPLES, PLAUSIBLE_CENTI_C, Sample};

/// Keeps readings and gives those that are new. What is older than a full run is not.
pub(crate) fn keep(conn: &Connection, parcel: ParcelId, given: &[Sample]) -> Result<Vec<Sample>> {
    let (count, oldest_ms): (i64, Option<i64>) = conn
        .prepare_cached("SELECT count(*), min(at_ms) FROM temperature WHERE parcel_id = ?1")?
        .query_row([parcel.as_bytes()], |r| Ok((r.get(0)?, r.get(1)?)))?;
    let most = i64::try_from(MAX_SAMPLES).unwrap_or(i64::MAX);
    let from_ms = oldest_ms.filter(|_| count >= most);
    let mut insert = conn.prepare_cached(
        "INSERT INTO temperature (parcel_id, at_ms, centi_c) VALUES (?1, ?2, ?3)
         ON CONFLICT DO NOTHING",
    )?;
    let mut new = Vec::new();
    for sample in given {
        if from_ms.is_some_and(|from| sample.at_ms < from) {
            continue;
        }
        if insert.execute(params![parcel.as_bytes(), sample.at_ms, sample.centi_c])? == 1 {
            new.push(*sample);
        }
    }
    conn.prepare_cached(
        "DELETE FROM temperature WHERE parcel_id = ?1 AND at_ms < (
             SELECT at_ms FROM temperature WHERE parcel_id = ?1
             ORDER BY at_ms DESC LIMIT 1 OFFSET ?2)",
    )?
    .execute(params![parcel.as_bytes(), most - 1])?;
    Ok(new)
}

/// The readings kept, by time.
pub(crate) fn samples(conn: &Connection, parcel: ParcelId) -> Result<Vec<Sample>> {
    let mut stmt = conn.prepare_cached(
        "SELECT at_ms, centi_c FROM temperature WHERE parcel_id = ?1 ORDER BY at_ms, centi_c",
    )?;
    let rows = stmt.query_map([parcel.as_bytes()], |r| {
        Ok(Sample {
            at_ms: r.get(0)?,
            centi_c: r.get(1)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The lowest and the highest reading that a thermometer can mean, for the handoff (A039).
pub(crate) fn range(conn: &Connection, parcel: ParcelId) -> Result<Option<(i32, i32)>> {
    let (lowest, highest): (Option<i32>, Option<i32>) = conn
        .prepare_cached(
            "SELECT min(centi_c), max(centi_c) FROM temperature
             WHERE parcel_id = ?1 AND centi_c BETWEEN ?2 AND ?3",
        )?
        .query_row(
            params![
                parcel.as_bytes(),
                PLAUSIBLE_CENTI_C.start(),
                PLAUSIBLE_CENTI_C.end()
            ],
            |r| Ok((r.get(0)?, r.get(1)?)),
        )?;
    Ok(lowest.zip(highest))
}
