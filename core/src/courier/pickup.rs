//! Collecting from a sender: one check, two questions, three labels, then it is on the vehicle
//! (A198–A200). What may not travel is recorded as a failure with its reason, and stays where it is.

use satchel_protocol::attempt::ProofRef;
use satchel_protocol::doorstep::PickupBody;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::{ParcelId, StopId};
use satchel_protocol::taxonomy::{Action, Reason};
use satchel_protocol::transitions::{EventKind, ParcelState, parcel_next, step_after_failure};

use super::{Courier, Keys};
use crate::error::{Refusal, Result};
use crate::evidence::log::Fact;
use crate::model::day::PickupInput;
use crate::rules::pickup::{self, Pickup, PickupVerdict};
use crate::store::db::Tx;
use crate::store::stops::ParcelRow;
use crate::store::{noted, proofs, reports, stops};

impl Courier {
    /// Judges a pickup and, unless steps are missing, records it. An accepted parcel is on the vehicle
    /// and belongs to the stop it goes to, if that is on this round (A210).
    ///
    /// # Errors
    /// [`Refusal::NotOfThisParcel`] for a parcel that is not to be collected, [`Refusal::NotNow`] for one
    /// that was collected before, [`crate::Error::NotFound`] for an unknown one.
    pub fn pickup(&self, input: &PickupInput) -> Result<PickupVerdict> {
        let keys = self.at_work()?;
        let now_ms = self.env.clock.wall_ms();
        self.db.write(|tx| {
            let parcel = stops::parcel(tx, input.parcel)?;
            let Some(item) = &parcel.pickup else {
                return Err(Refusal::NotOfThisParcel { what: "pickup" }.into());
            };
            let verdict = pickup::judge(&input.pickup);
            let (kind, refused) = match &verdict {
                PickupVerdict::Incomplete { .. } => return Ok(verdict),
                PickupVerdict::Accepted { .. } => (EventKind::Collected, None),
                PickupVerdict::NotAccepted { reason } => {
                    (failure(*reason, parcel.state), Some(*reason))
                }
            };
            let proofs = match input.draft {
                None => Vec::new(),
                Some(draft) => self.close_draft(tx, draft, Some(parcel.stop_id), now_ms)?,
            };
            let body = body(&input.pickup, &parcel, refused, proofs, {
                // Nobody arrives after he has left; a clock moved back in between must not say so.
                input.arrived_at_ms.min(now_ms)
            });
            let seq = self.record_pickup(tx, &keys, &parcel, kind, &body, now_ms)?;
            if let Some(draft) = input.draft {
                proofs::bind(tx, draft, seq)?;
                reports::record(tx, draft, seq)?;
            }
            if refused.is_none()
                && let Some(to) = item.deliver_to
            {
                move_to(tx, parcel.parcel_id, to)?;
            }
            Ok(verdict)
        })
    }

    fn record_pickup(
        &self,
        tx: &Tx<'_>,
        keys: &Keys,
        parcel: &ParcelRow,
        kind: EventKind,
        body: &PickupBody,
        now_ms: i64,
    ) -> Result<i64> {
        let fact = Fact {
            kind: EntryKind::PICKUP,
            handle: Some(parcel.handle),
            blobs: body.proofs.iter().map(|p| p.hash).collect(),
            body: body.encode(),
            stop: Some(parcel.stop_id),
            occurred_at_ms: now_ms,
        };
        let head = self.record_step(tx, keys, parcel, kind, fact)?;
        let subject = parcel.parcel_id;
        noted::note(tx, subject.as_bytes(), EntryKind::PICKUP, head.seq)?;
        stops::touch(tx, parcel.stop_id)?;
        Ok(head.seq)
    }
}

/// The failure that says a parcel was not taken: the first legal action that leaves it where it is.
fn failure(reason: Reason, state: ParcelState) -> EventKind {
    let action = reason
        .legal_actions()
        .iter()
        .copied()
        .find(|action| parcel_next(state, step_after_failure(reason, *action)).is_some())
        .unwrap_or(Action::Hold);
    EventKind::Failed { reason, action }
}

fn body(
    pickup: &Pickup,
    parcel: &ParcelRow,
    refused: Option<Reason>,
    proofs: Vec<ProofRef>,
    arrived_at_ms: i64,
) -> PickupBody {
    PickupBody {
        parcel: parcel.parcel_id,
        stop: parcel.stop_id,
        sender_checked: pickup.sender_checked,
        contents: pickup.contents,
        time_need: pickup.time_need,
        wishes: pickup.wishes.clone(),
        tags: pickup.tags.clone(),
        packaging_taken_back: pickup.packaging_taken_back,
        refused,
        proofs,
        arrived_at_ms,
    }
}

/// Gives a collected parcel to the stop it goes to. A stop this phone does not have (yet) leaves it where
/// it is; the feed brings both together.
fn move_to(tx: &Tx<'_>, parcel: ParcelId, to: StopId) -> Result<()> {
    match stops::stop(tx, to) {
        Ok(stop) if !stop.removed => {
            stops::move_parcel(tx, parcel, to)?;
            stops::touch(tx, to)
        }
        Ok(_) | Err(crate::Error::NotFound { .. }) => Ok(()),
        Err(other) => Err(other),
    }
}
