//! The running shift and its last fix. A fix replaces the one before: no movement track is kept
//! (PIPL Art 28), and none is left when the shift ends.

use rusqlite::{Connection, params};
use satchel_protocol::feed::LatLng;

use crate::error::Result;
use crate::rules::duty::Duty;

/// The shift as stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ShiftRow {
    pub(crate) duty: Duty,
    pub(crate) last_fix: Option<(LatLng, i64)>,
}

pub(crate) fn get(conn: &Connection) -> Result<ShiftRow> {
    let mut stmt = conn
        .prepare_cached("SELECT since_ms, fix_lat, fix_lng, fix_at_ms FROM shift WHERE id = 1")?;
    Ok(stmt.query_row([], |r| {
        let since_ms: Option<i64> = r.get("since_ms")?;
        let lat: Option<f64> = r.get("fix_lat")?;
        let lng: Option<f64> = r.get("fix_lng")?;
        let at_ms: Option<i64> = r.get("fix_at_ms")?;
        Ok(ShiftRow {
            duty: since_ms.map_or(Duty::Off, |since_ms| Duty::On { since_ms }),
            last_fix: lat
                .zip(lng)
                .zip(at_ms)
                .map(|((lat, lng), at)| (LatLng { lat, lng }, at)),
        })
    })?)
}

/// Stores a shift that starts or ends, and forgets the fix of the one before.
pub(crate) fn set_duty(conn: &Connection, duty: Duty) -> Result<()> {
    let since_ms = match duty {
        Duty::Off => None,
        Duty::On { since_ms } => Some(since_ms),
    };
    conn.prepare_cached(
        "UPDATE shift SET since_ms = ?1, fix_lat = NULL, fix_lng = NULL, fix_at_ms = NULL
         WHERE id = 1",
    )?
    .execute([since_ms])?;
    Ok(())
}

/// Replaces the last fix.
pub(crate) fn set_fix(conn: &Connection, place: LatLng, at_ms: i64) -> Result<()> {
    conn.prepare_cached(
        "UPDATE shift SET fix_lat = ?1, fix_lng = ?2, fix_at_ms = ?3
         WHERE id = 1 AND since_ms IS NOT NULL",
    )?
    .execute(params![place.lat, place.lng, at_ms])?;
    Ok(())
}

/// Visits and reports that were opened, have photos and were not completed.
pub(crate) fn left_open(conn: &Connection) -> Result<u64> {
    let n: i64 = conn
        .prepare_cached(
            "SELECT count(DISTINCT a.attempt_id) FROM attempt a JOIN proof p USING (attempt_id)
             WHERE a.completed_at_ms IS NULL AND p.bound_seq IS NULL",
        )?
        .query_row([], |r| r.get(0))?;
    Ok(u64::try_from(n).unwrap_or(0))
}
