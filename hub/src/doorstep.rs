//! A parcel's story at the hub: folded from the events of all phones and of the hub, with alarms for
//! what a phone should have refused, and told to every phone that has the parcel.
//!
//! Nothing is dropped because it should not have happened: a second delivery, a cancellation that came
//! too late and a locker without consent are facts with an alarm (B4-16).

mod alarms;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use satchel_protocol::feed::ParcelEventItem;
use satchel_protocol::ids::ParcelId;
use satchel_protocol::transitions::{Folded, ParcelState, UndoWindow, fold};
use sqlx::Row;

use crate::consents::HandoffCase;
use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::store::{bulk, events, feed};

pub use steps::{HubStep, NoSuchStep, ParcelRef};
pub(crate) use steps::{demand_redelivery, find_parcel};

/// What the hub knows of a parcel before anything happened to it.
#[derive(Debug, Clone, Copy)]
struct Noted {
    start: ParcelState,
    door_required: bool,
    age_limited: bool,
}

impl Noted {
    /// Of a parcel this hub does not have.
    const UNKNOWN: Self = Self {
        start: ParcelState::OnRound,
        door_required: false,
        age_limited: false,
    };
}

async fn noted<'a>(
    tx: &mut Tx,
    parcels: impl IntoIterator<Item = &'a ParcelId>,
) -> Result<BTreeMap<ParcelId, Noted>, HubError> {
    let rows = sqlx::query(
        "SELECT parcel_id, door_required, min_age_years IS NOT NULL AS age_limited, \
           pickup IS NOT NULL AS to_collect FROM parcel \
         WHERE parcel_id IN (SELECT unhex(value) FROM json_each(?))",
    )
    .bind(bulk::parcels(parcels))
    .fetch_all(&mut **tx)
    .await?;
    let noted = rows.iter().map(|row| {
        let start = if row.try_get("to_collect")? {
            ParcelState::ToCollect
        } else {
            ParcelState::OnRound
        };
        let noted = Noted {
            start,
            door_required: row.try_get("door_required")?,
            age_limited: row.try_get("age_limited")?,
        };
        Ok((row.parcel("parcel_id")?, noted))
    });
    noted.collect()
}

/// A parcel with its story told to the end.
struct Settled {
    noted: Noted,
    folded: Folded,
}

/// Folds the events of parcels anew and keeps the results.
async fn refold_all(
    tx: &mut Tx,
    parcels: &BTreeSet<ParcelId>,
) -> Result<BTreeMap<ParcelId, Settled>, HubError> {
    let noted = noted(tx, parcels).await?;
    let known = events::of_parcels(tx, parcels).await?;
    let mut settled = BTreeMap::new();
    for parcel in parcels {
        let noted = noted.get(parcel).copied().unwrap_or(Noted::UNKNOWN);
        let events = known.get(parcel).map_or(&[][..], Vec::as_slice);
        let folded = fold(noted.start, events, UndoWindow::default());
        settled.insert(*parcel, Settled { noted, folded });
    }
    let changed = settled
        .iter()
        .filter(|(parcel, _)| known.contains_key(*parcel));
    events::set_folds(
        tx,
        changed.map(|(parcel, settled)| (parcel, &settled.folded)),
    )
    .await?;
    Ok(settled)
}

/// Parcels whose stories are read at once; bounds memory, not the result.
const AT_ONCE: usize = 500;

/// [`refold`] for any number of parcels.
pub(crate) async fn refold_each(tx: &mut Tx, parcels: &BTreeSet<ParcelId>) -> Result<(), HubError> {
    let parcels: Vec<ParcelId> = parcels.iter().copied().collect();
    for some in parcels.chunks(AT_ONCE) {
        refold_all(tx, &some.iter().copied().collect()).await?;
    }
    Ok(())
}

/// Folds a parcel's events anew and keeps the result.
pub(crate) async fn refold(tx: &mut Tx, parcel: ParcelId) -> Result<Folded, HubError> {
    let mut settled = refold_all(tx, &BTreeSet::from([parcel])).await?;
    let settled = settled.remove(&parcel);
    settled
        .map(|s| s.folded)
        .ok_or(HubError::DamagedRow { what: "event" })
}

/// After something happened to a parcel: its state, its alarms, and the other phones' feeds.
pub(crate) async fn settle(tx: &mut Tx, parcel: ParcelId, now_ms: i64) -> Result<(), HubError> {
    settle_all(tx, &BTreeSet::from([parcel]), now_ms).await
}

/// [`settle`] for what one batch touched.
pub(crate) async fn settle_all(
    tx: &mut Tx,
    parcels: &BTreeSet<ParcelId>,
    now_ms: i64,
) -> Result<(), HubError> {
    if parcels.is_empty() {
        return Ok(());
    }
    let settled = refold_all(tx, parcels).await?;
    alarms::refresh(tx, &settled, now_ms).await?;
    tell_all(tx, parcels).await?;
    Ok(())
}

/// Tells couriers the events of a parcel that their phones cannot know of. Gives how many items that made.
pub(crate) async fn tell(tx: &mut Tx, parcel: ParcelId) -> Result<usize, HubError> {
    tell_all(tx, &BTreeSet::from([parcel])).await
}

async fn tell_all(tx: &mut Tx, parcels: &BTreeSet<ParcelId>) -> Result<usize, HubError> {
    let untold = events::untold(tx, parcels).await?;
    let count = untold.len();
    for (courier, parcel_id, event) in untold {
        let item = ParcelEventItem { parcel_id, event };
        feed::append(tx, courier, ParcelEventItem::KIND, &item).await?;
    }
    Ok(count)
}
