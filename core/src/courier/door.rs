//! The door: ask what a handoff needs, open it, add photos, complete it, and correct it afterwards.
//!
//! Nothing is final before `complete_attempt`, and when that returns everything is on disk (B4-2, B4-3).
//! What may be done is asked of the rules in two places, when a handoff is opened and when it is
//! completed, because a consent can run out in between.

mod begin;
mod complete;
mod consent;
mod correct;
mod facts;
mod gate;
mod history;
mod input;
mod judge;
mod rules;

use satchel_protocol::ids::{AttemptId, StopId};
use satchel_protocol::taxonomy::HandoffKind;

pub(super) use gate::consented;

use super::Courier;
use crate::clock::random;
use crate::error::{Error, Result};
use crate::limits;
use crate::store::attempts::{self, AttemptKind, AttemptRow};
use crate::store::db::Snapshot;
use crate::store::entries;

impl Courier {
    /// A fresh holder of proofs at a stop; it costs no write before it has one.
    fn new_attempt(
        &self,
        stop: StopId,
        handoff: HandoffKind,
        kind: AttemptKind,
    ) -> Result<(AttemptId, AttemptRow)> {
        let head_seq = self.db.read_short(|conn| Ok(entries::head(conn)?.seq))?;
        self.new_attempt_behind(head_seq, stop, handoff, kind)
    }

    /// [`Courier::new_attempt`] for a caller who knows the log's last entry.
    fn new_attempt_behind(
        &self,
        head_seq: i64,
        stop: StopId,
        handoff: HandoffKind,
        kind: AttemptKind,
    ) -> Result<(AttemptId, AttemptRow)> {
        let now_ms = self.env.clock.wall_ms();
        let entropy = &*self.env.entropy;
        let id = AttemptId::from_parts(now_ms, random(entropy)?);
        let row = AttemptRow {
            stop_id: stop,
            handoff,
            data_key: random(entropy)?,
            opened_at_ms: now_ms,
            completed_at_ms: None,
            kind,
            opened_at_seq: head_seq,
        };
        Ok((id, row))
    }

    pub(super) fn open_attempt(&self, id: AttemptId) -> Result<AttemptRow> {
        if let Some(row) = self.drafts().get(&id) {
            return Ok(row.clone());
        }
        match self.db.read_short(|conn| attempts::get(conn, id))? {
            Some(row) if row.completed_at_ms.is_some() => Err(Error::AlreadyCompleted),
            Some(row) => Ok(row),
            None => self.never_opened(id),
        }
    }

    /// An attempt that is neither open nor stored: it was completed without photos, or never was. An
    /// open one is forgotten after a day, so the last days of the log tell.
    fn never_opened(&self, id: AttemptId) -> Result<AttemptRow> {
        let completed = self.db.read(|conn| {
            let since = entries::head(conn)?.seq - limits::COMPLETED_LOOKBACK_ENTRIES;
            Ok(attempts::standing(conn, id, since)?.is_completed)
        })?;
        Err(if completed {
            Error::AlreadyCompleted
        } else {
            Error::NotFound { what: "attempt" }
        })
    }

    /// An open attempt of the kind that the call is for.
    fn open_attempt_of(&self, id: AttemptId, kind: AttemptKind) -> Result<AttemptRow> {
        let row = self.open_attempt(id)?;
        if row.kind == kind {
            Ok(row)
        } else {
            Err(Error::NotFound { what: "attempt" })
        }
    }

    /// Randomness drawn beforehand, so that sealing never goes on with a missing nonce.
    pub(super) fn drawn(&self) -> Result<impl FnMut(&mut [u8]) + use<>> {
        let mut pool = random::<128>(&*self.env.entropy)?.into_iter();
        Ok(move |buf: &mut [u8]| {
            for (slot, byte) in buf.iter_mut().zip(&mut pool) {
                *slot = byte;
            }
        })
    }

    /// A draft without photos is worth nothing yet, so it costs no write; the oldest makes room.
    fn remember_draft(&self, id: AttemptId, row: AttemptRow) {
        let mut drafts = self.drafts();
        if drafts.len() >= limits::MAX_OPEN_DRAFTS {
            let oldest = drafts
                .iter()
                .min_by_key(|(_, row)| row.opened_at_ms)
                .map(|(id, _)| *id);
            if let Some(oldest) = oldest {
                drafts.remove(&oldest);
            }
        }
        drafts.insert(id, row);
    }
}

pub(super) fn refuse_completed(conn: &Snapshot, attempt: AttemptId) -> Result<()> {
    match attempts::get(conn, attempt)? {
        Some(row) if row.completed_at_ms.is_some() => Err(Error::AlreadyCompleted),
        _ => Ok(()),
    }
}

fn trimmed(text: Option<&str>) -> Option<String> {
    text.map(str::trim)
        .filter(|t| !t.is_empty())
        .map(str::to_owned)
}
