//! Attempts: opened at a door, completed once.

use rusqlite::{Connection, params};
use satchel_protocol::feed::LatLng;
use satchel_protocol::ids::{AttemptId, StopId};
use satchel_protocol::taxonomy::HandoffKind;

use super::row;
use crate::error::Result;

/// An attempt as stored.
#[derive(Debug, Clone)]
pub(crate) struct AttemptRow {
    pub(crate) stop_id: StopId,
    pub(crate) handoff: HandoffKind,
    /// Seals the attempt's photos in the blob folder; destroying it erases them.
    pub(crate) data_key: [u8; 32],
    pub(crate) opened_at_ms: i64,
    pub(crate) completed_at_ms: Option<i64>,
    pub(crate) kind: AttemptKind,
    /// The log's last entry when it was opened; 0 for one that was read from the store.
    pub(crate) opened_at_seq: i64,
}

/// What holds the proofs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttemptKind {
    /// A visit at a door.
    Visit,
    /// A correction of one, with proofs that came late.
    Correction,
    /// A consent that was signed for on the spot.
    Consent,
    /// An abnormal report, or a pickup, with photos.
    Report,
}

impl AttemptKind {
    const fn code(self) -> &'static str {
        match self {
            Self::Visit => "visit",
            Self::Correction => "correction",
            Self::Consent => "consent",
            Self::Report => "report",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        [Self::Visit, Self::Correction, Self::Consent, Self::Report]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

pub(crate) fn insert(conn: &Connection, id: AttemptId, attempt: &AttemptRow) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO attempt (attempt_id, stop_id, handoff, data_key, opened_at_ms,
             completed_at_ms, kind)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (attempt_id) DO UPDATE SET handoff = ?3, completed_at_ms = ?6",
    )?
    .execute(params![
        id.as_bytes(),
        attempt.stop_id.as_bytes(),
        attempt.handoff.code(),
        attempt.data_key,
        attempt.opened_at_ms,
        attempt.completed_at_ms,
        attempt.kind.code()
    ])?;
    Ok(())
}

pub(crate) fn get(conn: &Connection, id: AttemptId) -> Result<Option<AttemptRow>> {
    let mut stmt = conn.prepare_cached("SELECT * FROM attempt WHERE attempt_id = ?1")?;
    let mut rows = stmt.query([id.as_bytes()])?;
    let Some(r) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(AttemptRow {
        stop_id: StopId(row::uuid(r, "stop_id")?),
        handoff: row::code(r, "handoff", |c| HandoffKind::from_code(c).ok())?,
        data_key: row::bytes(r, "data_key")?,
        opened_at_ms: r.get("opened_at_ms")?,
        completed_at_ms: r.get("completed_at_ms")?,
        kind: row::code(r, "kind", AttemptKind::from_code)?,
        opened_at_seq: 0,
    }))
}

/// The key of a visit's photos alone: what else its row says, and in what state that is, is nothing to their files.
pub(crate) fn data_key(conn: &Connection, id: AttemptId) -> Result<Option<[u8; 32]>> {
    let mut stmt = conn.prepare_cached("SELECT data_key FROM attempt WHERE attempt_id = ?1")?;
    let mut rows = stmt.query([id.as_bytes()])?;
    rows.next()?.map(|r| row::bytes(r, "data_key")).transpose()
}

/// How an attempt stands in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// It has a row, as only attempts with photos do.
    pub(crate) has_row: bool,
    /// Its row says so, or an entry behind the place at which it was opened: without photos there is no row.
    pub(crate) is_completed: bool,
}

/// How an attempt stands that was opened behind the entry at `since_seq`.
pub(crate) fn standing(conn: &Connection, id: AttemptId, since_seq: i64) -> Result<Standing> {
    // Where there is a row, the log is not looked through.
    let mut stmt = conn.prepare_cached(
        "SELECT a.attempt_id IS NOT NULL, CASE WHEN a.attempt_id IS NOT NULL THEN a.completed_at_ms IS NOT NULL
             ELSE EXISTS (SELECT 1 FROM entry WHERE seq > ?2 AND attempt_id = ?1) END
         FROM (SELECT 1) LEFT JOIN attempt a ON a.attempt_id = ?1",
    )?;
    Ok(stmt.query_row(params![id.as_bytes(), since_seq], |r| {
        Ok(Standing {
            has_row: r.get(0)?,
            is_completed: r.get(1)?,
        })
    })?)
}

/// The attempt at a stop opened after `since_ms` that was left open when the app was killed.
pub(crate) fn open_at_stop(
    conn: &Connection,
    stop: StopId,
    since_ms: i64,
) -> Result<Option<AttemptId>> {
    newest(
        conn,
        "SELECT attempt_id FROM attempt WHERE stop_id = ?1 AND completed_at_ms IS NULL
         AND kind = 'visit' AND opened_at_ms > ?2 ORDER BY opened_at_ms DESC LIMIT 1",
        stop,
        since_ms,
    )
}

/// The first `attempt_id` of a query for a stop and a time.
pub(super) fn newest(
    conn: &Connection,
    sql: &str,
    stop: StopId,
    since_ms: i64,
) -> Result<Option<AttemptId>> {
    let mut stmt = conn.prepare_cached(sql)?;
    let mut rows = stmt.query(params![stop.as_bytes(), since_ms])?;
    let row = rows.next()?;
    row.map(|r| Ok(AttemptId(row::uuid(r, "attempt_id")?)))
        .transpose()
}

/// Attempts opened before a time and never completed.
pub(crate) fn abandoned(conn: &Connection, before_ms: i64) -> Result<Vec<AttemptId>> {
    let mut stmt = conn.prepare_cached(
        "SELECT attempt_id FROM attempt INDEXED BY attempt_open
         WHERE completed_at_ms IS NULL AND opened_at_ms < ?1",
    )?;
    let mut rows = stmt.query([before_ms])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(AttemptId(row::uuid(r, "attempt_id")?));
    }
    Ok(out)
}

/// Removes an attempt that was never completed, and with it the key of its photos.
pub(crate) fn forget(conn: &Connection, id: AttemptId) -> Result<()> {
    conn.prepare_cached("DELETE FROM attempt WHERE attempt_id = ?1 AND completed_at_ms IS NULL")?
        .execute([id.as_bytes()])?;
    Ok(())
}

/// When and where this phone completed an attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Visited {
    pub(crate) opened_at_ms: i64,
    pub(crate) completed_at_ms: i64,
    pub(crate) place: LatLng,
}

/// The last visits of this phone, in order of time.
pub(crate) fn visits(conn: &Connection) -> Result<Vec<Visited>> {
    // A visit with photos has a row, one without lies beside its entry: bounded looks back find both.
    let mut stmt = conn.prepare_cached(
        "SELECT opened, at, s.lat AS lat, s.lng AS lng FROM (
             SELECT opened_at_ms AS opened, completed_at_ms AS at, stop_id FROM attempt
             WHERE completed_at_ms IS NOT NULL AND kind = 'visit' AND attempt_id IN (
                 SELECT attempt_id FROM (SELECT attempt_id FROM proof ORDER BY id DESC LIMIT 2000))
             UNION ALL
             SELECT opened_at_ms, occurred_at_ms, stop_id FROM entry
             WHERE seq > (SELECT coalesce(max(seq), 0) FROM entry) - 4000
                 AND attempt_id IS NOT NULL AND opened_at_ms IS NOT NULL
             ORDER BY at DESC LIMIT 500
         ) JOIN stop s USING (stop_id) ORDER BY at DESC",
    )?;
    let mut rows = stmt.query([])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(Visited {
            opened_at_ms: r.get("opened")?,
            completed_at_ms: r.get("at")?,
            place: LatLng {
                lat: r.get("lat")?,
                lng: r.get("lng")?,
            },
        });
    }
    out.reverse();
    Ok(out)
}
