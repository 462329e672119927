//! What is known of a parcel, line by line, and the steps that need no door: a new time, and giving back.

use std::collections::HashMap;

use satchel_protocol::attempt::{AttemptBody, ProofRef};
use satchel_protocol::doorstep::{CorrectionBody, ParcelStepBody, PickupBody};
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::ParcelId;
use satchel_protocol::transitions::{
    Correction, Event, EventId, EventKind, Origin, ParcelState, Verdict,
};

use super::{input, trimmed};
use crate::courier::{Courier, Keys};
use crate::error::{Error, Result};
use crate::evidence::log::Fact;
use crate::limits;
use crate::model::history::HistoryLine;
use crate::store::db::{Snapshot, Tx};
use crate::store::stops::ParcelRow;
use crate::store::{entries, stops};

impl Courier {
    /// Everything that is known about a parcel, in the order in which it counts: what moved it, what was
    /// taken back, what has no effect and why. Reads only.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown parcel.
    pub fn history(&self, parcel: ParcelId) -> Result<Vec<HistoryLine>> {
        let keys = self.enrolled()?;
        let here = Origin::Phone(keys.device);
        self.db.read(|conn| {
            let row = stops::parcel(conn, parcel)?;
            let events: HashMap<EventId, Event> =
                row.events()?.into_iter().map(|e| (e.id, e)).collect();
            row.folded()?
                .effects
                .into_iter()
                .filter_map(|effect| Some((*events.get(&effect.id)?, effect.verdict)))
                .map(|(event, verdict)| line(conn, event, verdict, event.id.origin == here))
                .collect()
        })
    }

    /// Records that a new time was agreed on without a visit: the next attempt of the same parcel, never
    /// a new one (B4-5).
    ///
    /// # Errors
    /// [`crate::Refusal::NotNow`] where the parcel's life allows no new time,
    /// [`Error::InvalidInput`] for a window that ends before it begins or has passed.
    pub fn reschedule(
        &self,
        parcel: ParcelId,
        window_ms: Option<(i64, i64)>,
        words: Option<&str>,
    ) -> Result<ParcelState> {
        let keys = self.at_work()?;
        input::check_words(words)?;
        let now_ms = self.env.clock.wall_ms();
        if window_ms.is_some_and(|(from, until)| until <= from || until <= now_ms) {
            return Err(Error::InvalidInput {
                what: "time window",
            });
        }
        self.db.write(|tx| {
            let row = stops::parcel(tx, parcel)?;
            let kind = EventKind::Rescheduled;
            self.record_parcel_step(tx, &keys, &row, kind, window_ms, words)?;
            Ok(stops::parcel(tx, parcel)?.state)
        })
    }

    /// Records that parcels were given back at the depot, all or none.
    ///
    /// # Errors
    /// [`crate::Refusal::NotNow`] for one that cannot be given back now.
    pub fn hand_back(&self, parcels: &[ParcelId]) -> Result<()> {
        let keys = self.at_work()?;
        if parcels.is_empty() || parcels.len() > limits::MAX_PARCELS_PER_ATTEMPT {
            return Err(Error::InvalidInput {
                what: "number of parcels",
            });
        }
        self.db.write(|tx| {
            for id in parcels {
                let row = stops::parcel(tx, *id)?;
                self.record_parcel_step(tx, &keys, &row, EventKind::HandedBack, None, None)?;
            }
            Ok(())
        })
    }

    /// A step of a parcel without a visit, as its own entry.
    pub(in crate::courier) fn record_parcel_step(
        &self,
        tx: &Tx<'_>,
        keys: &Keys,
        parcel: &ParcelRow,
        event: EventKind,
        window_ms: Option<(i64, i64)>,
        words: Option<&str>,
    ) -> Result<()> {
        let body = ParcelStepBody {
            parcel: parcel.parcel_id,
            stop: parcel.stop_id,
            event,
            window_ms,
            words: trimmed(words),
        };
        let fact = Fact {
            kind: EntryKind::PARCEL_STEP,
            handle: Some(parcel.handle),
            blobs: vec![],
            body: body.encode(),
            stop: Some(parcel.stop_id),
            occurred_at_ms: self.env.clock.wall_ms(),
        };
        self.record_step(tx, keys, parcel, event, fact).map(|_| ())
    }
}

fn line(conn: &Snapshot, event: Event, verdict: Verdict, here: bool) -> Result<HistoryLine> {
    let (words, proofs) = if here {
        told(conn, event.id.seq)?
    } else {
        (None, Vec::new())
    };
    Ok(HistoryLine {
        late: matches!(
            event.kind,
            EventKind::Corrected {
                correction: Correction::LateProof,
                ..
            }
        ),
        event,
        verdict,
        here,
        words,
        proofs,
    })
}

/// Words and proofs of an entry of this phone. One whose body was erased has none (PIPL 47).
fn told(conn: &Snapshot, seq: i64) -> Result<(Option<String>, Vec<ProofRef>)> {
    let Some((kind, bytes)) = entries::kind_and_body(conn, seq)? else {
        return Ok((None, Vec::new()));
    };
    Ok(match kind {
        EntryKind::ATTEMPT => {
            let body = AttemptBody::decode(&bytes)?;
            (body.note, body.proofs)
        }
        EntryKind::CORRECTION => {
            let body = CorrectionBody::decode(&bytes)?;
            (body.words, body.proofs)
        }
        EntryKind::PARCEL_STEP => (ParcelStepBody::decode(&bytes)?.words, Vec::new()),
        EntryKind::PICKUP => (None, PickupBody::decode(&bytes)?.proofs),
        _ => (None, Vec::new()),
    })
}
