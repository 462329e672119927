//! A parcel's story at the hub: folded from the events of all phones and of the hub, with alarms for
//! what a phone should have refused, and told to every phone that has the parcel.
//!
//! Nothing is dropped because it should not have happened: a second delivery, a cancellation that came
//! too late and a locker without consent are facts with an alarm (B4-16).

mod alarms;
mod steps;

use satchel_protocol::feed::ParcelEventItem;
use satchel_protocol::ids::ParcelId;
use satchel_protocol::transitions::{Folded, ParcelState, UndoWindow, fold};
use sqlx::Row;
use sqlx::sqlite::Sqlite;

use crate::consents::HandoffCase;
use crate::db::Tx;
use crate::error::HubError;
use crate::store::{events, feed};

pub use steps::{HubStep, NoSuchStep, ParcelRef};
pub(crate) use steps::{demand_redelivery, find_parcel};

/// What the hub knows of a parcel before anything happened to it.
#[derive(Debug, Clone, Copy)]
struct Noted {
    start: ParcelState,
    door_required: bool,
    age_limited: bool,
}

async fn noted<'e>(
    db: impl sqlx::Executor<'e, Database = Sqlite>,
    parcel: ParcelId,
) -> Result<Noted, HubError> {
    let row = sqlx::query(
        "SELECT door_required, min_age_years IS NOT NULL AS age_limited, \
           pickup IS NOT NULL AS to_collect FROM parcel WHERE parcel_id = ?",
    )
    .bind(&parcel.as_bytes()[..])
    .fetch_optional(db)
    .await?;
    let Some(row) = row else {
        return Ok(Noted {
            start: ParcelState::OnRound,
            door_required: false,
            age_limited: false,
        });
    };
    Ok(Noted {
        start: if row.try_get("to_collect")? {
            ParcelState::ToCollect
        } else {
            ParcelState::OnRound
        },
        door_required: row.try_get("door_required")?,
        age_limited: row.try_get("age_limited")?,
    })
}

/// Folds a parcel's events anew and keeps the result.
pub(crate) async fn refold(tx: &mut Tx, parcel: ParcelId) -> Result<Folded, HubError> {
    let start = noted(&mut **tx, parcel).await?.start;
    let known = events::of_parcel(&mut **tx, parcel).await?;
    let folded = fold(start, &known, UndoWindow::default());
    if !known.is_empty() {
        events::set_fold(tx, parcel, &folded).await?;
    }
    Ok(folded)
}

/// After something happened to a parcel: its state, its alarms, and the other phones' feeds.
pub(crate) async fn settle(tx: &mut Tx, parcel: ParcelId, now_ms: i64) -> Result<(), HubError> {
    let folded = refold(tx, parcel).await?;
    alarms::refresh(tx, parcel, &folded, now_ms).await?;
    tell(tx, parcel).await?;
    Ok(())
}

/// Tells couriers the events their phones cannot know of. Gives how many items that made.
pub(crate) async fn tell(tx: &mut Tx, parcel_id: ParcelId) -> Result<usize, HubError> {
    let untold = events::untold(tx, parcel_id).await?;
    let count = untold.len();
    for (courier, event) in untold {
        let item = ParcelEventItem { parcel_id, event };
        feed::append(tx, courier, ParcelEventItem::KIND, &item).await?;
    }
    Ok(count)
}
