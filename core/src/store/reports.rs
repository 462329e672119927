//! Abnormal reports: drafts that hold photos, and the finished ones, read from the log.

use rusqlite::{Connection, OptionalExtension, params};
use satchel_protocol::doorstep::ReportBody;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::{AttemptId, StopId};

use super::attempts;
use crate::error::Result;

/// A report as recorded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ReportRow {
    pub(crate) seq: i64,
    pub(crate) occurred_at_ms: i64,
    pub(crate) body: ReportBody,
}

/// What is known of the id of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// No report, so perhaps an attempt.
    None,
    Draft,
    Recorded,
}

/// Opens a draft.
pub(crate) fn open(conn: &Connection, id: AttemptId) -> Result<()> {
    conn.prepare_cached("INSERT INTO report (report_id) VALUES (?1)")?
        .execute([id.as_bytes()])?;
    Ok(())
}

/// The draft at a stop that was opened after `since_ms` and left open.
pub(crate) fn open_at_stop(
    conn: &Connection,
    stop: StopId,
    since_ms: i64,
) -> Result<Option<AttemptId>> {
    attempts::newest(
        conn,
        "SELECT a.attempt_id FROM report r JOIN attempt a ON a.attempt_id = r.report_id
         WHERE r.seq IS NULL AND a.stop_id = ?1 AND a.opened_at_ms > ?2
         ORDER BY a.opened_at_ms DESC LIMIT 1",
        stop,
        since_ms,
    )
}

pub(crate) fn stage(conn: &Connection, id: AttemptId) -> Result<Stage> {
    let seq: Option<Option<i64>> = conn
        .prepare_cached("SELECT seq FROM report WHERE report_id = ?1")?
        .query_row([id.as_bytes()], |r| r.get(0))
        .optional()?;
    Ok(match seq {
        None => Stage::None,
        Some(None) => Stage::Draft,
        Some(Some(_)) => Stage::Recorded,
    })
}

/// The report of this id is the entry at `seq`.
pub(crate) fn record(conn: &Connection, id: AttemptId, seq: i64) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO report (report_id, seq) VALUES (?1, ?2)
         ON CONFLICT (report_id) DO UPDATE SET seq = ?2",
    )?
    .execute(params![id.as_bytes(), seq])?;
    Ok(())
}

/// The last reports, newest first.
pub(crate) fn recorded(conn: &Connection, limit: u32) -> Result<Vec<ReportRow>> {
    let mut stmt = conn.prepare_cached(
        "SELECT e.seq AS seq, e.occurred_at_ms AS at, e.body AS body
         FROM report r JOIN entry e ON e.seq = r.seq
         WHERE e.kind = ?1 AND e.body IS NOT NULL ORDER BY e.seq DESC LIMIT ?2",
    )?;
    // A draft may also have held the photos of a pickup.
    let mut rows = stmt.query(params![EntryKind::REPORT.0, limit])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        let body: Vec<u8> = r.get("body")?;
        out.push(ReportRow {
            seq: r.get("seq")?,
            occurred_at_ms: r.get("at")?,
            body: ReportBody::decode(&body)?,
        });
    }
    Ok(out)
}

/// Where a report was made, if at a stop of this phone.
pub(crate) fn stop_of(conn: &Connection, report_id: &str) -> Result<Option<StopId>> {
    let Ok(id) = report_id.parse::<AttemptId>() else {
        return Ok(None);
    };
    let stop: Option<Option<Vec<u8>>> = conn
        .prepare_cached(
            "SELECT e.stop_id FROM report r JOIN entry e ON e.seq = r.seq WHERE r.report_id = ?1",
        )?
        .query_row([id.as_bytes()], |r| r.get(0))
        .optional()?;
    Ok(stop
        .flatten()
        .and_then(|b| uuid::Uuid::from_slice(&b).ok())
        .map(StopId))
}
