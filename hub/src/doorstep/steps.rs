//! Steps the hub takes itself: cancelled, collected at the point, wanted at the door, opened again.

use std::str::FromStr;

use satchel_protocol::ids::ParcelId;
use satchel_protocol::transitions::{
    Correction, EventKind, Folded, ParcelState, Step, Verdict, WhyNot, check_step, parcel_next,
};

use super::{refold, settle};
use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::hub::Hub;
use crate::store::{events, rounds};

/// Longest words kept beside a step.
const MAX_WORDS_CHARS: usize = 500;

/// A step of the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HubStep {
    /// The sender or the operator takes the order back.
    Cancel,
    /// The recipient took it out of the locker or station.
    Collected,
    /// The recipient wants it at the door after all (Zhejiang Art 31).
    Redeliver,
    /// What moved the parcel last is not to stand.
    Reopen,
}

/// A text that names no step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a step is cancel, collected, redeliver or reopen")]
pub struct NoSuchStep;

impl FromStr for HubStep {
    type Err = NoSuchStep;

    fn from_str(text: &str) -> Result<Self, NoSuchStep> {
        Ok(match text {
            "cancel" => Self::Cancel,
            "collected" => Self::Collected,
            "redeliver" => Self::Redeliver,
            "reopen" => Self::Reopen,
            _ => return Err(NoSuchStep),
        })
    }
}

/// A parcel as people name it: by its id, or by its waybill number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParcelRef {
    /// The id.
    Id(ParcelId),
    /// The waybill number.
    Waybill(String),
}

impl From<&str> for ParcelRef {
    fn from(text: &str) -> Self {
        let text = text.trim();
        text.parse()
            .map_or_else(|_| Self::Waybill(text.to_owned()), Self::Id)
    }
}

impl Hub {
    /// Records a step of the hub and tells every phone that has the parcel. Gives where the parcel is
    /// then.
    ///
    /// # Errors
    /// [`HubError::UnknownParcel`], [`HubError::AmbiguousWaybill`], and [`HubError::Step`] when the
    /// step does not fit where the parcel is by all that is known.
    pub async fn take_step(
        &self,
        parcel: &ParcelRef,
        step: HubStep,
        words: Option<&str>,
    ) -> Result<ParcelState, HubError> {
        let words = words.map(str::trim).filter(|w| !w.is_empty());
        if words.is_some_and(|w| w.chars().count() > MAX_WORDS_CHARS) {
            return Err(HubError::TooManyWords);
        }
        let now_ms = self.now_ms();
        let mut tx = self.db().write().await?;
        let parcel = find_parcel(&mut tx, parcel).await?;
        let before = refold(&mut tx, parcel).await?;
        let kind = event_of(step, &before)?;
        events::add_hub(&mut tx, parcel, now_ms, &kind, words).await?;
        settle(&mut tx, parcel, now_ms).await?;
        let after = refold(&mut tx, parcel).await?.state;
        tx.commit().await?;
        tracing::info!(%parcel, ?step, state = after.code(), "step of the hub");
        Ok(after)
    }
}

/// Records that the recipient wants the parcel at the door after all, in the caller's transaction, and
/// tells every phone that has it (Zhejiang Art 31, A130). `false`: it is on its way there already, or
/// over.
pub(crate) async fn demand_redelivery(
    tx: &mut Tx,
    parcel: ParcelId,
    now_ms: i64,
    words: Option<&str>,
) -> Result<bool, HubError> {
    let before = refold(tx, parcel).await?;
    let Ok(kind) = event_of(HubStep::Redeliver, &before) else {
        return Ok(false);
    };
    events::add_hub(tx, parcel, now_ms, &kind, words).await?;
    settle(tx, parcel, now_ms).await?;
    Ok(true)
}

/// The event of a step, if it is legal now: what the hub knows to be handed over it cannot cancel.
fn event_of(step: HubStep, folded: &Folded) -> Result<EventKind, WhyNot> {
    let kind = match step {
        HubStep::Cancel => EventKind::Cancelled,
        HubStep::Collected => EventKind::CollectedByRecipient,
        HubStep::Redeliver => EventKind::RedeliveryDemanded,
        HubStep::Reopen => {
            let moved = |e: &&satchel_protocol::transitions::Effect| {
                matches!(e.verdict, Verdict::Moved { .. })
            };
            let last = folded.effects.iter().rev().find(moved);
            let of = last.ok_or(WhyNot::NothingToCorrect)?.id;
            let (from, step) = (folded.state, Step::Reopened);
            parcel_next(from, step).ok_or(WhyNot::IllegalStep { from, step })?;
            return Ok(EventKind::Corrected {
                of,
                correction: Correction::Reopen,
            });
        }
    };
    check_step(folded, kind)?;
    Ok(kind)
}

/// The parcel that is meant.
pub(crate) async fn find_parcel(tx: &mut Tx, parcel: &ParcelRef) -> Result<ParcelId, HubError> {
    match parcel {
        ParcelRef::Id(id) if rounds::parcel_is_known(tx, *id).await? => Ok(*id),
        ParcelRef::Id(_) => Err(HubError::UnknownParcel),
        ParcelRef::Waybill(number) => {
            let rows = sqlx::query("SELECT parcel_id FROM parcel WHERE waybill = ? LIMIT 2")
                .bind(number)
                .fetch_all(&mut **tx)
                .await?;
            match rows.as_slice() {
                [one] => one.parcel("parcel_id"),
                [] => Err(HubError::UnknownParcel),
                _ => Err(HubError::AmbiguousWaybill),
            }
        }
    }
}
