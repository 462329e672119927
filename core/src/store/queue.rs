//! The photos in the upload queue, a window at a time.
//!
//! Whoever goes through the queue goes on behind the last row that he looked at, whether he could read it or not: rows that
//! went bad hide nothing that stands behind them, and each is named to whoever has to say that it stays here.

use rusqlite::{Connection, Row, Rows, params};
use satchel_protocol::attempt::ProofRef;
use satchel_protocol::ids::{AttemptId, Hash32};
use satchel_protocol::taxonomy::ProofKind;

use super::proofs::ProofRow;
use super::row;
use crate::error::Result;
use crate::limits;

/// What was found in one look.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) rows: Vec<ProofRow>,
    /// Ids of the rows that went bad.
    pub(crate) unreadable: Vec<i64>,
    /// Behind which row the next look begins; `None`: there was nothing.
    pub(crate) up_to: Option<i64>,
}

/// Reads a window out of rows that have their place in the column `id`.
pub(super) fn window(
    rows: &mut Rows<'_>,
    read: impl Fn(&Row<'_>) -> Result<ProofRow>,
) -> Result<Window> {
    let mut out = Window {
        rows: Vec::new(),
        unreadable: Vec::new(),
        up_to: None,
    };
    while let Some(r) = rows.next()? {
        let id: i64 = r.get("id")?;
        out.up_to = Some(id);
        match read(r) {
            Ok(row) => out.rows.push(row),
            Err(error) if row::is_of_one_row(&error) => {
                tracing::error!(%error, "the row of a proof cannot be read");
                out.unreadable.push(id);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(out)
}

/// How much may hang on a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worth {
    /// The hub asked for it.
    Wanted = 0,
    /// Of a report or a correction: something is amiss already.
    Disputed = 1,
    /// Nobody signed: it alone says what happened at the door.
    Alone = 2,
    /// There is a signature as well.
    Signed = 3,
}

/// Photos of this worth whose entry the hub has and which it does not have themselves, oldest first, from
/// behind the proof with id `after`.
pub(crate) fn to_upload(conn: &Connection, after: i64, worth: Worth) -> Result<Window> {
    // One that lost its visit is found too, so that it can be said to be lost. By the table's own order, which gives the
    // first few without looking at all that wait, and from the first on that waits, past the months that do not.
    let mut stmt = conn.prepare_cached(
        "SELECT p.* FROM proof p NOT INDEXED JOIN received e ON e.seq = p.bound_seq LEFT JOIN attempt a USING (attempt_id)
         WHERE p.bound_seq IS NOT NULL AND p.received_at_ms IS NULL AND p.lost_at_ms IS NULL
           AND e.at_ms IS NOT NULL AND p.id > max(?1, coalesce((SELECT min(id) - 1 FROM proof INDEXED BY proof_unsent
               WHERE bound_seq IS NOT NULL AND received_at_ms IS NULL), 0))
           AND CASE WHEN p.wanted THEN 0 WHEN a.kind IN ('report', 'correction') THEN 1
             WHEN NOT e.has_ink THEN 2 ELSE 3 END = ?3
         ORDER BY p.id LIMIT ?2",
    )?;
    window(
        &mut stmt.query(params![after, limits::PROOF_WINDOW, worth as i64])?,
        read,
    )
}

/// Bound photos without a receipt, whether the hub has their entry or not, from behind `after`. Also those that count as
/// lost: whoever takes all that is here along looks for each file himself.
pub(crate) fn unreceived(conn: &Connection, after: i64) -> Result<Window> {
    let mut stmt = conn.prepare_cached(
        "SELECT * FROM proof WHERE bound_seq IS NOT NULL AND received_at_ms IS NULL
         AND id > ?1 ORDER BY id LIMIT ?2",
    )?;
    window(&mut stmt.query(params![after, limits::PROOF_WINDOW])?, read)
}

/// One bound photo without a receipt; also one that counts as lost, for whoever looks into a damaged store.
pub(crate) fn unreceived_at(conn: &Connection, id: i64) -> Result<Option<ProofRow>> {
    let mut stmt = conn.prepare_cached(
        "SELECT * FROM proof WHERE id = ?1 AND bound_seq IS NOT NULL AND received_at_ms IS NULL",
    )?;
    let mut rows = stmt.query([id])?;
    rows.next()?.map(read).transpose()
}

/// The last place in the queue. Where the table does not say, the index of what waits does.
pub(crate) fn last(conn: &Connection, by_index: bool) -> Result<i64> {
    let sql = match by_index {
        false => "SELECT max(id) FROM proof",
        true => {
            "SELECT max(id) FROM proof INDEXED BY proof_unsent
             WHERE bound_seq IS NOT NULL AND received_at_ms IS NULL"
        }
    };
    let last: Option<i64> = conn.query_row(sql, [], |r| r.get(0))?;
    Ok(last.unwrap_or(0))
}

/// What sending needs. What else the row says of the photo is in the body of its entry, and keeps nobody from sending it
/// where it went bad.
fn read(r: &Row<'_>) -> Result<ProofRow> {
    Ok(ProofRow {
        id: r.get("id")?,
        attempt: AttemptId(row::uuid(r, "attempt_id")?),
        proof: ProofRef {
            hash: Hash32(row::bytes(r, "hash")?),
            // Signatures lie beside their entries.
            kind: ProofKind::Photo,
            size_bytes: r.get::<_, i64>("size_bytes")?.unsigned_abs(),
            origin: None,
            captured_at_ms: r.get("captured_at_ms")?,
            photo: None,
        },
        inline_bytes: None,
        started: r.get("started")?,
    })
}
