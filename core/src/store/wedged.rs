//! Entries that the hub left open, as rows: mirrored from its receipts, repaired by the courier's word.

use std::collections::BTreeSet;

use rusqlite::{Connection, Row, params};
use satchel_protocol::entry::{EntryKind, SignedEntry};
use satchel_protocol::ids::{AttemptId, Hash32, StopId};
use satchel_protocol::wedge::{WedgeReason, Wedged};
use uuid::Uuid;

use super::{entries, row};
use crate::error::{Error, Result};
use crate::model::wedge::{WedgeState, WedgeView};

/// An own entry with everything that lies in its row.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) hash: Hash32,
    pub(crate) kind: EntryKind,
    pub(crate) entry: SignedEntry,
    pub(crate) stop: Option<StopId>,
    pub(crate) occurred_at_ms: i64,
    pub(crate) attempt: Option<AttemptId>,
    pub(crate) opened_at_ms: Option<i64>,
    pub(crate) ink: Option<Vec<u8>>,
    /// How often it was sent again.
    pub(crate) tries: u32,
    /// Why the hub left it open.
    pub(crate) reason: WedgeReason,
}

/// Makes the table say what the hub's receipt says. `sent_up_to` is the last entry of the batch that it
/// answers: what was to be sent again up to there has been. Gives the stops concerned and how much of it was
/// news.
pub(crate) fn mirror(
    conn: &Connection,
    says: &[Wedged],
    (head_seq, sent_up_to): (i64, Option<i64>),
    at_ms: i64,
) -> Result<(usize, Vec<StopId>)> {
    let named: BTreeSet<i64> = says.iter().map(|w| w.seq).collect();
    let mut changed: BTreeSet<i64> = BTreeSet::new();
    for seq in known(conn)? {
        // Repaired at the hub, or lost there: either way it goes up like any other and its receipt tells.
        if !named.contains(&seq) && seq <= head_seq.max(sent_up_to.unwrap_or(0)) {
            conn.prepare_cached("DELETE FROM wedged WHERE seq = ?1")?
                .execute([seq])?;
            changed.insert(seq);
        }
    }
    if let Some(first) = changed.first() {
        entries::look_again_from(conn, *first)?;
    }
    let mut upsert = conn.prepare_cached(
        "INSERT INTO wedged (seq, reason, at_ms, replaced_by)
         SELECT ?1, ?2, ?3, ?4 FROM entry WHERE seq = ?1
         ON CONFLICT (seq) DO UPDATE SET reason = ?2, replaced_by = ?4
           WHERE reason <> ?2 OR replaced_by IS NOT ?4",
    )?;
    for open in says {
        if upsert.execute(params![open.seq, open.reason.0, at_ms, open.replaced_by])? > 0 {
            changed.insert(open.seq);
        }
    }
    // That it was refused again for the same reason is an answer too.
    let answered = match sent_up_to {
        Some(up_to) => conn
            .prepare_cached("UPDATE wedged SET resend = 0 WHERE resend AND seq <= ?1")?
            .execute([up_to])?,
        None => 0,
    };
    let mut stops = Vec::new();
    for seq in &changed {
        let mut stmt = conn.prepare_cached("SELECT stop_id FROM entry WHERE seq = ?1")?;
        let mut rows = stmt.query([seq])?;
        while let Some(r) = rows.next()? {
            stops.extend(entries::opt_stop_id(r)?);
        }
    }
    Ok((changed.len() + answered, stops))
}

fn known(conn: &Connection) -> Result<Vec<i64>> {
    let mut stmt = conn.prepare_cached("SELECT seq FROM wedged ORDER BY seq")?;
    let rows = stmt.query_map([], |r| r.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The hub has nothing behind `seq`, it never had or it was set back: what it said of that is void. What this phone said
/// again stays said, and both go up, else it would be said once more.
pub(crate) fn forget_after(conn: &Connection, seq: i64) -> Result<()> {
    conn.prepare_cached("DELETE FROM wedged WHERE seq > ?1 AND said_again IS NULL")?
        .execute([seq])?;
    conn.prepare_cached("UPDATE wedged SET resend = 1, replaced_by = NULL WHERE seq > ?1")?
        .execute([seq])?;
    Ok(())
}

/// Entries that stand open and that nothing says again.
pub(crate) fn count(conn: &Connection) -> Result<u64> {
    let n: i64 = conn
        .prepare_cached("SELECT count(*) FROM wedged WHERE replaced_by IS NULL")?
        .query_row([], |r| r.get(0))?;
    Ok(u64::try_from(n).unwrap_or(0))
}

/// Entries whose content is on this phone alone: they stand open, nothing says them again, and they are not on
/// their way, so they do not count as unsent either.
pub(crate) fn at_stake(conn: &Connection) -> Result<Vec<i64>> {
    let mut stmt = conn.prepare_cached(
        "SELECT seq FROM wedged
         WHERE replaced_by IS NULL AND said_again IS NULL AND NOT resend ORDER BY seq",
    )?;
    let rows = stmt.query_map([], |r| r.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// For the courier's screen, oldest first.
pub(crate) fn list(conn: &Connection) -> Result<Vec<WedgeView>> {
    let mut stmt = conn.prepare_cached(
        "SELECT w.*, e.kind AS kind, e.stop_id AS stop_id, e.occurred_at_ms AS occurred_at_ms
         FROM wedged w JOIN entry e USING (seq) ORDER BY w.seq",
    )?;
    let mut rows = stmt.query([])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(WedgeView {
            seq: r.get("seq")?,
            reason: WedgeReason(r.get("reason")?),
            kind: EntryKind(r.get("kind")?),
            stop: entries::opt_stop_id(r)?,
            occurred_at_ms: r.get("occurred_at_ms")?,
            since_ms: r.get("at_ms")?,
            state: state(r)?,
        });
    }
    Ok(out)
}

fn state(r: &Row<'_>) -> Result<WedgeState> {
    let (replaced, said): (Option<i64>, Option<i64>) =
        (r.get("replaced_by")?, r.get("said_again")?);
    let resend: bool = r.get("resend")?;
    Ok(match (replaced, said) {
        (Some(_), _) => WedgeState::Replaced,
        (None, Some(_)) => WedgeState::Repairing,
        (None, None) if resend => WedgeState::Repairing,
        (None, None) => WedgeState::Open,
    })
}

/// An entry that stands open, with its row.
pub(crate) fn stored(conn: &Connection, seq: i64) -> Result<Stored> {
    let mut stmt = conn.prepare_cached(
        "SELECT e.*, w.tries AS tries, w.reason AS reason FROM wedged w JOIN entry e USING (seq)
         WHERE w.seq = ?1 AND w.replaced_by IS NULL AND w.said_again IS NULL",
    )?;
    let mut rows = stmt.query([seq])?;
    let r = rows.next()?.ok_or(Error::NotFound { what: "entry" })?;
    Ok(Stored {
        hash: entries::hash_of(r)?,
        kind: EntryKind(r.get("kind")?),
        entry: entries::signed(r)?,
        stop: entries::opt_stop_id(r)?,
        occurred_at_ms: r.get("occurred_at_ms")?,
        // What binds it to its visit here; what it says is in its body.
        attempt: row::readable_bytes(r, "attempt_id")?.map(|b| AttemptId(Uuid::from_bytes(b))),
        opened_at_ms: r.get("opened_at_ms")?,
        ink: r.get("ink")?,
        tries: u32::try_from(r.get::<_, i64>("tries")?).unwrap_or(u32::MAX),
        reason: WedgeReason(r.get("reason")?),
    })
}

/// This phone itself finds that an entry on its way went bad: it goes up all the same, so that its place is left
/// open and not missing, and what it says can be said again beside it.
pub(crate) fn found_bad(
    conn: &Connection,
    seq: i64,
    reason: WedgeReason,
    at_ms: i64,
) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO wedged (seq, reason, at_ms, resend) VALUES (?1, ?2, ?3, 1)
         ON CONFLICT (seq) DO NOTHING",
    )?
    .execute(params![seq, reason.0, at_ms])?;
    Ok(())
}

/// It is to go up once more.
pub(crate) fn send_again(conn: &Connection, seq: i64) -> Result<()> {
    conn.prepare_cached("UPDATE wedged SET resend = 1, tries = tries + 1 WHERE seq = ?1")?
        .execute([seq])?;
    entries::look_again_from(conn, seq)
}

/// The entry at `again` says it; its photos are that one's now.
pub(crate) fn said_again(conn: &Connection, seq: i64, again: i64) -> Result<()> {
    conn.prepare_cached("UPDATE wedged SET said_again = ?2 WHERE seq = ?1")?
        .execute([seq, again])?;
    conn.prepare_cached("UPDATE proof SET bound_seq = ?2 WHERE bound_seq = ?1")?
        .execute([seq, again])?;
    Ok(())
}

/// A signature is what its key makes of the header, so a damaged one can be made again.
pub(crate) fn set_signature(conn: &Connection, seq: i64, entry: &SignedEntry) -> Result<()> {
    conn.prepare_cached("UPDATE entry SET sig = ?2 WHERE seq = ?1")?
        .execute(params![seq, entry.sig.0])?;
    Ok(())
}
