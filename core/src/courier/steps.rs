//! One step of one parcel: checked against the table of its life, written into the log and into the
//! parcel's history in the caller's transaction. Every use case that moves a parcel goes through here.

use satchel_protocol::transitions::{Event, EventId, EventKind, Origin, check_step};

use super::{Courier, Keys};
use crate::error::{Refusal, Result};
use crate::evidence::log::Fact;
use crate::limits;
use crate::store::db::Tx;
use crate::store::entries::{Beside, Head};
use crate::store::history::{self, Pushed};
use crate::store::stops::ParcelRow;

impl Courier {
    /// Records what happened to a parcel now. `fact` is its entry. A correction must have been checked
    /// by [`satchel_protocol::transitions::check_correction`] before.
    ///
    /// The step follows everything this phone knows. Where the hub's clock is a little ahead, the entry
    /// gets the hub's time, so that the order of the fold is the order in which things were known; the
    /// time since boot in the header stays what it is.
    pub(crate) fn record_step(
        &self,
        tx: &Tx<'_>,
        keys: &Keys,
        parcel: &ParcelRow,
        kind: EventKind,
        fact: Fact,
    ) -> Result<Head> {
        self.record_step_beside(tx, keys, parcel, kind, (fact, Beside::default()))
    }

    /// [`Courier::record_step`] with what lies beside the entry.
    pub(crate) fn record_step_beside(
        &self,
        tx: &Tx<'_>,
        keys: &Keys,
        parcel: &ParcelRow,
        kind: EventKind,
        (mut fact, beside): (Fact, Beside<'_>),
    ) -> Result<Head> {
        let events = parcel.events()?;
        let folded = parcel.folded()?;
        check_step(&folded, kind).map_err(|why| {
            if folded.state.is_final() {
                Refusal::ParcelClosed
            } else {
                Refusal::NotNow(why)
            }
        })?;
        if events.len() >= limits::MAX_PARCEL_EVENTS {
            return Err(Refusal::HistoryFull.into());
        }
        let here = Origin::Phone(keys.device);
        let elsewhere_ms = events
            .iter()
            .filter(|e| e.id.origin != here)
            .map(|e| e.at_ms)
            .max();
        if let Some(latest_ms) = elsewhere_ms {
            let behind_ms = latest_ms.saturating_sub(fact.occurred_at_ms);
            if behind_ms > limits::CLOCK_SLACK_MS {
                return Err(Refusal::ClockBehind { behind_ms }.into());
            }
            fact.occurred_at_ms = fact.occurred_at_ms.max(latest_ms.saturating_add(1));
        }
        let at_ms = fact.occurred_at_ms;
        let head = self.pen(keys).append_beside(tx, fact, beside)?;
        let event = Event {
            id: EventId {
                origin: here,
                seq: head.seq,
            },
            at_ms,
            kind,
        };
        let is_visit = matches!(
            kind,
            EventKind::Delivered { .. } | EventKind::PartlyDelivered | EventKind::Failed { .. }
        );
        match history::push(tx, parcel, event, is_visit.then_some(head.seq))? {
            Pushed::New => Ok(head),
            Pushed::Before | Pushed::Full => Err(Refusal::HistoryFull.into()),
        }
    }
}
