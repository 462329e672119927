//! One step of one parcel: checked against the table of its life, written into the log and into the
//! parcel's history in the caller's transaction. Every use case that moves a parcel goes through here.

use satchel_protocol::transitions::{Event, EventId, EventKind, Origin, check_step};

use super::{Courier, Keys};
use crate::error::{Refusal, Result};
use crate::evidence::log::Fact;
use crate::limits;
use crate::store::db::Tx;
use crate::store::entries::{self, Beside, Head};
use crate::store::history::{self, Pushed};
use crate::store::stops::ParcelRow;

impl Courier {
    /// The time of what is recorded now about `parcels`: the wall clock's, but behind everything this phone
    /// knows of them and never before the last entry of its log, where the clock is only a little behind.
    /// What is checked against time (an undo's window, the end of a consent) is checked at this time, the one
    /// that the entry will carry; else a step could be taken here that nobody who reads the log would take.
    pub(crate) fn log_time_ms<'a>(
        &self,
        tx: &Tx<'_>,
        keys: &Keys,
        parcels: impl IntoIterator<Item = &'a ParcelRow>,
    ) -> Result<i64> {
        let here = Origin::Phone(keys.device);
        let mut at_ms = self.env.clock.wall_ms();
        if let Some(last_ms) = entries::last_occurred_at_ms(tx)?
            && last_ms.saturating_sub(at_ms) <= limits::CLOCK_SLACK_MS
        {
            at_ms = at_ms.max(last_ms);
        }
        for parcel in parcels {
            at_ms = after_others(&parcel.events()?, here, at_ms)?;
        }
        Ok(at_ms)
    }

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
        fact.occurred_at_ms = after_others(&events, here, fact.occurred_at_ms)?;
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

/// `at_ms`, or just behind the latest event that somebody else recorded.
fn after_others(events: &[Event], here: Origin, at_ms: i64) -> Result<i64, Refusal> {
    let others = events.iter().filter(|e| e.id.origin != here);
    let Some(latest_ms) = others.map(|e| e.at_ms).max() else {
        return Ok(at_ms);
    };
    let behind_ms = latest_ms.saturating_sub(at_ms);
    if behind_ms > limits::CLOCK_SLACK_MS {
        return Err(Refusal::ClockBehind { behind_ms });
    }
    Ok(at_ms.max(latest_ms.saturating_add(1)))
}
