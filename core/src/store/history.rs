//! What is known of a parcel, event by event, and what follows from it.
//!
//! The events live in the parcel's own row, which an attempt rewrites anyway, so that keeping them costs
//! no page of flash. The log stays the truth: the row can be built again from log and feed. Beside the
//! events stand the state, outcome and count that [`fold`] makes of them.

use rusqlite::{Connection, params};
use satchel_protocol::taxonomy::Outcome;
use satchel_protocol::transitions::{
    Event, EventKind, Folded, ParcelState, Step, UndoWindow, fold,
};

use super::stops::ParcelRow;
use crate::error::{Result, StoreError};
use crate::limits::MAX_PARCEL_EVENTS;

/// How an event was taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It is in the history now.
    New,
    /// It was there before.
    Before,
    /// The history is full; nothing was changed.
    Full,
}

/// Where a parcel's life begins on this phone.
pub(crate) const fn start(is_pickup: bool) -> ParcelState {
    if is_pickup {
        ParcelState::ToCollect
    } else {
        ParcelState::OnRound
    }
}

impl ParcelRow {
    /// Where its life began on this phone.
    pub(crate) const fn start(&self) -> ParcelState {
        start(self.pickup.is_some())
    }

    /// Whether a courier has to go to its stop: to hand it over, or to collect it.
    pub(crate) fn wants_visit(&self) -> bool {
        // What is collected for another round goes to the depot, not back to its sender.
        let is_for_others = self.pickup.as_ref().is_some_and(|p| p.deliver_to.is_none());
        self.state == ParcelState::ToCollect || (self.state.is_deliverable() && !is_for_others)
    }

    /// Every known event, in the order of arrival.
    pub(crate) fn events(&self) -> Result<Vec<Event>> {
        match &self.history {
            None => Ok(Vec::new()),
            Some(bytes) => {
                minicbor::decode(bytes).map_err(|_| StoreError::BadRow("history").into())
            }
        }
    }

    /// What its events come to.
    pub(crate) fn folded(&self) -> Result<Folded> {
        Ok(fold(self.start(), &self.events()?, UndoWindow::default()))
    }
}

/// Adds an event to a parcel's row. `attempt_seq` is the entry of the attempt that it is, if it is one.
/// The caller has checked whether the event may be recorded; what comes from elsewhere is taken as it is.
pub(crate) fn push(
    conn: &Connection,
    parcel: &ParcelRow,
    event: Event,
    attempt_seq: Option<i64>,
) -> Result<Pushed> {
    let mut events = parcel.events()?;
    if events.iter().any(|e| e.id == event.id) {
        return Ok(Pushed::Before);
    }
    if events.len() >= MAX_PARCEL_EVENTS {
        return Ok(Pushed::Full);
    }
    events.push(event);
    let folded = fold(parcel.start(), &events, UndoWindow::default());
    let bytes = minicbor::to_vec(&events).map_err(|_| StoreError::BadRow("history"))?;
    conn.prepare_cached(
        "UPDATE parcel SET history = ?2, state = ?3, outcome = ?4, attempts = ?5,
             last_seq = coalesce(?6, last_seq), version = next_version() WHERE parcel_id = ?1",
    )?
    .execute(params![
        parcel.parcel_id.as_bytes(),
        bytes,
        folded.state.code(),
        outcome(&folded, &events).map(Outcome::code),
        folded.attempts,
        attempt_seq
    ])?;
    Ok(Pushed::New)
}

/// What came of the parcel so far, in the four words of an attempt's outcome: where it is decides, and
/// while it is under way, how the last visit that counts ended.
pub(crate) fn outcome(folded: &Folded, events: &[Event]) -> Option<Outcome> {
    use satchel_protocol::transitions::Verdict;
    match folded.state {
        ParcelState::Delivered | ParcelState::AtPickupPoint => Some(Outcome::Delivered),
        ParcelState::PartlyDelivered => Some(Outcome::PartiallyDelivered),
        ParcelState::Returned => Some(Outcome::Returned),
        _ => {
            let kind_of = |id| events.iter().find(|e| e.id == id).map(|e| e.kind);
            let last = folded
                .effects
                .iter()
                .rev()
                .find_map(|effect| match effect.verdict {
                    Verdict::Moved { step, .. } if step.is_attempt() || step == Step::Reopened => {
                        kind_of(effect.id)
                    }
                    _ => None,
                });
            matches!(last, Some(EventKind::Failed { .. })).then_some(Outcome::Failed)
        }
    }
}
