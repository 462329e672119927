//! The rows of parcels' events: what happened, at which recorder, and whose feed has it.

use std::collections::BTreeSet;

use satchel_protocol::entry::Header;
use satchel_protocol::ids::{CourierId, ParcelId};
use satchel_protocol::transitions::{Event, EventId, EventKind, Folded};
use sqlx::Row;
use sqlx::sqlite::{Sqlite, SqliteRow};

use super::recorder::{Recorder, RecorderRow};
use crate::db::{RowExt, Tx};
use crate::error::HubError;

const DAMAGED: HubError = HubError::DamagedRow { what: "event" };

/// Keeps an event of a phone's log.
pub(crate) async fn add(
    tx: &mut Tx,
    header: &Header,
    parcel: ParcelId,
    kind: &EventKind,
) -> Result<(), HubError> {
    insert(
        tx,
        parcel,
        Recorder::Device(header.device),
        header.seq,
        header.occurred_at_ms,
        kind,
    )
    .await
}

/// Keeps an event the hub made, in its own list and among the parcel's.
pub(crate) async fn add_hub(
    tx: &mut Tx,
    parcel: ParcelId,
    at_ms: i64,
    kind: &EventKind,
    words: Option<&str>,
) -> Result<(), HubError> {
    let seq: i64 = sqlx::query_scalar(
        "INSERT INTO hub_event (parcel_id, at_ms, event, words) VALUES (?, ?, ?, ?) RETURNING seq",
    )
    .bind(&parcel.as_bytes()[..])
    .bind(at_ms)
    .bind(serde_json::to_string(kind).map_err(|_| DAMAGED)?)
    .bind(words)
    .fetch_one(&mut **tx)
    .await?;
    insert(tx, parcel, Recorder::Hub, seq, at_ms, kind).await
}

async fn insert(
    tx: &mut Tx,
    parcel: ParcelId,
    recorder: Recorder,
    seq: i64,
    at_ms: i64,
    kind: &EventKind,
) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO parcel_event (parcel_id, recorder, seq, at_ms, event) VALUES (?, ?, ?, ?, ?)",
    )
    .bind(&parcel.as_bytes()[..])
    .bind(recorder.as_bytes())
    .bind(seq)
    .bind(at_ms)
    .bind(serde_json::to_string(kind).map_err(|_| DAMAGED)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Puts the hub's own events back among the others, for a rebuild.
pub(crate) async fn copy_hub_events(tx: &mut Tx) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO parcel_event (parcel_id, recorder, seq, at_ms, event) \
         SELECT parcel_id, x'', seq, at_ms, event FROM hub_event",
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Every parcel that has an event.
pub(crate) async fn parcels_with_events(tx: &mut Tx) -> Result<BTreeSet<ParcelId>, HubError> {
    let rows = sqlx::query("SELECT DISTINCT parcel_id FROM parcel_event")
        .fetch_all(&mut **tx)
        .await?;
    rows.iter().map(|row| row.parcel("parcel_id")).collect()
}

fn event(row: &SqliteRow) -> Result<Event, HubError> {
    Ok(Event {
        id: EventId {
            origin: row.recorder("recorder")?.origin(),
            seq: row.try_get("seq")?,
        },
        at_ms: row.try_get("at_ms")?,
        kind: serde_json::from_str(row.try_get("event")?).map_err(|_| DAMAGED)?,
    })
}

/// All events of a parcel.
pub(crate) async fn of_parcel<'e>(
    db: impl sqlx::Executor<'e, Database = Sqlite>,
    parcel: ParcelId,
) -> Result<Vec<Event>, HubError> {
    let rows = sqlx::query(
        "SELECT recorder, seq, at_ms, event FROM parcel_event WHERE parcel_id = ? \
         ORDER BY recorder, seq",
    )
    .bind(&parcel.as_bytes()[..])
    .fetch_all(db)
    .await?;
    rows.iter().map(event).collect()
}

/// Keeps the fold beside the events.
pub(crate) async fn set_fold(
    tx: &mut Tx,
    parcel: ParcelId,
    folded: &Folded,
) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO parcel_fold (parcel_id, state, attempts) VALUES (?1, ?2, ?3) \
         ON CONFLICT (parcel_id) DO UPDATE SET state = ?2, attempts = ?3",
    )
    .bind(&parcel.as_bytes()[..])
    .bind(folded.state.code())
    .bind(i64::from(folded.attempts))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Events that a courier's phones cannot know of yet: made at the hub, or on another phone than one
/// that has the parcel. Marks them as told.
pub(crate) async fn untold(
    tx: &mut Tx,
    parcel: ParcelId,
) -> Result<Vec<(CourierId, Event)>, HubError> {
    let rows = sqlx::query(
        "SELECT DISTINCT d.courier_id, e.recorder, e.seq, e.at_ms, e.event FROM parcel_event e \
         JOIN assignment a ON a.parcel_id = e.parcel_id AND a.device_id <> e.recorder \
         JOIN device d ON d.device_id = a.device_id \
         WHERE e.parcel_id = ? AND NOT EXISTS (SELECT 1 FROM parcel_event_told t \
           WHERE t.courier_id = d.courier_id AND t.parcel_id = e.parcel_id \
             AND t.recorder = e.recorder AND t.seq = e.seq) \
         ORDER BY e.at_ms, e.recorder, e.seq, d.courier_id",
    )
    .bind(&parcel.as_bytes()[..])
    .fetch_all(&mut **tx)
    .await?;
    let mut untold = Vec::with_capacity(rows.len());
    for row in &rows {
        let courier = row.courier("courier_id")?;
        let event = event(row)?;
        sqlx::query(
            "INSERT INTO parcel_event_told (courier_id, parcel_id, recorder, seq) \
             VALUES (?, ?, ?, ?)",
        )
        .bind(&courier.as_bytes()[..])
        .bind(&parcel.as_bytes()[..])
        .bind(Recorder::from(event.id.origin).as_bytes().to_vec())
        .bind(event.id.seq)
        .execute(&mut **tx)
        .await?;
        untold.push((courier, event));
    }
    Ok(untold)
}
