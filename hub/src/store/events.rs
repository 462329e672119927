//! The rows of parcels' events: what happened, at which recorder, and whose feed has it.

use std::collections::{BTreeMap, BTreeSet};

use satchel_protocol::entry::Header;
use satchel_protocol::ids::{CourierId, ParcelId};
use satchel_protocol::transitions::{Event, EventId, EventKind, Folded};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::bulk::{self, Rows};
use super::recorder::{Recorder, RecorderRow};
use crate::db::{RowExt, Tx};
use crate::error::HubError;

const DAMAGED: HubError = HubError::DamagedRow { what: "event" };

const INSERT: &str = "INSERT INTO parcel_event (parcel_id, recorder, seq, at_ms, event)";

/// Events of phones' logs, to be kept together.
pub(crate) struct NewEvents(Rows);

impl NewEvents {
    pub(crate) fn new() -> Self {
        Self(Rows::new(INSERT, ""))
    }

    pub(crate) fn add(
        &mut self,
        header: &Header,
        parcel: ParcelId,
        kind: &EventKind,
    ) -> Result<(), HubError> {
        self.0.push([
            parcel.as_bytes()[..].into(),
            Recorder::Device(header.device).as_bytes().into(),
            header.seq.into(),
            header.occurred_at_ms.into(),
            serde_json::to_string(kind).map_err(|_| DAMAGED)?.into(),
        ]);
        Ok(())
    }

    pub(crate) async fn put(self, tx: &mut Tx) -> Result<(), HubError> {
        self.0.put(tx).await.map(drop)
    }
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
    let mut rows = Rows::new(INSERT, "");
    rows.push([
        parcel.as_bytes()[..].into(),
        Recorder::Hub.as_bytes().into(),
        seq.into(),
        at_ms.into(),
        serde_json::to_string(kind).map_err(|_| DAMAGED)?.into(),
    ]);
    rows.put(tx).await.map(drop)
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

/// All events of these parcels; a parcel without any is not there.
pub(crate) async fn of_parcels<'a>(
    tx: &mut Tx,
    parcels: impl IntoIterator<Item = &'a ParcelId>,
) -> Result<BTreeMap<ParcelId, Vec<Event>>, HubError> {
    let rows = sqlx::query(
        "SELECT parcel_id, recorder, seq, at_ms, event FROM parcel_event \
         WHERE parcel_id IN (SELECT unhex(value) FROM json_each(?)) \
         ORDER BY parcel_id, recorder, seq",
    )
    .bind(bulk::parcels(parcels))
    .fetch_all(&mut **tx)
    .await?;
    let mut found: BTreeMap<ParcelId, Vec<Event>> = BTreeMap::new();
    for row in &rows {
        let parcel = row.parcel("parcel_id")?;
        found.entry(parcel).or_default().push(event(row)?);
    }
    Ok(found)
}

/// Keeps folds beside the events.
pub(crate) async fn set_folds<'a>(
    tx: &mut Tx,
    folds: impl IntoIterator<Item = (&'a ParcelId, &'a Folded)>,
) -> Result<(), HubError> {
    let mut rows = Rows::new(
        "INSERT INTO parcel_fold (parcel_id, state, attempts)",
        "ON CONFLICT (parcel_id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts",
    );
    for (parcel, folded) in folds {
        rows.push([
            parcel.as_bytes()[..].into(),
            folded.state.code().into(),
            i64::from(folded.attempts).into(),
        ]);
    }
    rows.put(tx).await.map(drop)
}

/// Events that a courier's phones cannot know of yet: made at the hub, or on another phone than one
/// that has the parcel. Marks them as told.
pub(crate) async fn untold<'a>(
    tx: &mut Tx,
    parcels: impl IntoIterator<Item = &'a ParcelId>,
) -> Result<Vec<(CourierId, ParcelId, Event)>, HubError> {
    let rows = sqlx::query(
        "SELECT DISTINCT d.courier_id, e.parcel_id, e.recorder, e.seq, e.at_ms, e.event \
         FROM parcel_event e \
         JOIN assignment a ON a.parcel_id = e.parcel_id AND a.device_id <> e.recorder \
         JOIN device d ON d.device_id = a.device_id \
         WHERE e.parcel_id IN (SELECT unhex(value) FROM json_each(?)) \
           AND NOT EXISTS (SELECT 1 FROM parcel_event_told t \
             WHERE t.courier_id = d.courier_id AND t.parcel_id = e.parcel_id \
               AND t.recorder = e.recorder AND t.seq = e.seq) \
         ORDER BY e.parcel_id, e.at_ms, e.recorder, e.seq, d.courier_id",
    )
    .bind(bulk::parcels(parcels))
    .fetch_all(&mut **tx)
    .await?;
    let mut untold = Vec::with_capacity(rows.len());
    let mut told = Rows::new(
        "INSERT INTO parcel_event_told (courier_id, parcel_id, recorder, seq)",
        "",
    );
    for row in &rows {
        let (courier, parcel) = (row.courier("courier_id")?, row.parcel("parcel_id")?);
        let event = event(row)?;
        told.push([
            courier.as_bytes()[..].into(),
            parcel.as_bytes()[..].into(),
            Recorder::from(event.id.origin).as_bytes().into(),
            event.id.seq.into(),
        ]);
        untold.push((courier, parcel, event));
    }
    told.put(tx).await?;
    Ok(untold)
}
