//! The rows of consents and withdrawals, of the hub's own making and of couriers' phones.

use std::collections::BTreeMap;

use satchel_protocol::doorstep::{ConsentRecord, ConsentWithdrawnBody};
use satchel_protocol::ids::{CourierId, ParcelId};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::recorder::{Recorder, RecorderRow};
use crate::db::{RowExt, Tx};
use crate::error::HubError;

/// Keeps a consent as its recorder made it.
pub(crate) async fn add(
    tx: &mut Tx,
    recorder: Recorder,
    seq: i64,
    record: &ConsentRecord,
) -> Result<(), HubError> {
    let json =
        serde_json::to_string(record).map_err(|_| HubError::DamagedRow { what: "consent" })?;
    sqlx::query("INSERT INTO consent (recorder, seq, consent_id, record) VALUES (?, ?, ?, ?)")
        .bind(recorder.as_bytes())
        .bind(seq)
        .bind(&record.consent_id)
        .bind(json)
        .execute(&mut **tx)
        .await?;
    for parcel in &record.parcels {
        sqlx::query(
            "INSERT INTO consent_parcel (parcel_id, recorder, seq) VALUES (?, ?, ?) \
             ON CONFLICT DO NOTHING",
        )
        .bind(&parcel.as_bytes()[..])
        .bind(recorder.as_bytes())
        .bind(seq)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// Keeps a withdrawal.
pub(crate) async fn add_withdrawal(
    tx: &mut Tx,
    recorder: Recorder,
    seq: i64,
    body: &ConsentWithdrawnBody,
) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO consent_withdrawal (recorder, seq, consent_id, withdrawn_at_ms, stop_id) \
         VALUES (?, ?, ?, ?, ?)",
    )
    .bind(recorder.as_bytes())
    .bind(seq)
    .bind(&body.consent_id)
    .bind(body.withdrawn_at_ms)
    .bind(body.stop.map(|s| s.as_bytes().to_vec()))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The next place among the hub's own consents and withdrawals.
pub(crate) async fn next_hub_seq(tx: &mut Tx) -> Result<i64, HubError> {
    Ok(sqlx::query_scalar(
        "SELECT 1 + max((SELECT coalesce(max(seq), 0) FROM consent WHERE recorder = x''), \
           (SELECT coalesce(max(seq), 0) FROM consent_withdrawal WHERE recorder = x''))",
    )
    .fetch_one(&mut **tx)
    .await?)
}

const WITH_WITHDRAWAL: &str = "SELECT c.recorder, c.record, \
    (SELECT min(w.withdrawn_at_ms) FROM consent_withdrawal w WHERE w.consent_id = c.consent_id) \
      AS withdrawn_at_ms FROM consent c ";

/// A consent as its recorder made it, with the earliest withdrawal that is known.
#[derive(Debug, Clone)]
pub(crate) struct ConsentRow {
    pub(crate) recorder: Recorder,
    pub(crate) record: ConsentRecord,
}

fn consent_row(row: &SqliteRow) -> Result<ConsentRow, HubError> {
    let damaged = |_| HubError::DamagedRow { what: "consent" };
    let mut record: ConsentRecord =
        serde_json::from_str(row.try_get("record")?).map_err(damaged)?;
    let withdrawn: Option<i64> = row.try_get("withdrawn_at_ms")?;
    record.withdrawn_at_ms = match (record.withdrawn_at_ms, withdrawn) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    Ok(ConsentRow {
        recorder: row.recorder("recorder")?,
        record,
    })
}

/// Every consent that names the parcel, in a fixed order.
pub(crate) async fn of_parcel<'e>(
    db: impl sqlx::Executor<'e, Database = sqlx::Sqlite>,
    parcel: ParcelId,
) -> Result<Vec<ConsentRow>, HubError> {
    let mut query = sqlx::QueryBuilder::new(WITH_WITHDRAWAL);
    query
        .push("JOIN consent_parcel USING (recorder, seq) WHERE parcel_id = ")
        .push_bind(parcel.as_bytes().to_vec())
        .push(" ORDER BY c.consent_id, c.recorder, c.seq");
    let rows = query.build().fetch_all(db).await?;
    rows.iter().map(consent_row).collect()
}

/// Every consent that names one of the parcels of a list, by parcel and in the same order.
pub(crate) async fn of_parcels(
    tx: &mut Tx,
    list: &str,
) -> Result<BTreeMap<ParcelId, Vec<ConsentRow>>, HubError> {
    let rows = sqlx::query(
        "SELECT p.parcel_id, c.recorder, c.record, \
           (SELECT min(w.withdrawn_at_ms) FROM consent_withdrawal w WHERE w.consent_id = c.consent_id) \
             AS withdrawn_at_ms FROM consent_parcel p JOIN consent c USING (recorder, seq) \
         WHERE p.parcel_id IN (SELECT unhex(value) FROM json_each(?)) \
         ORDER BY p.parcel_id, c.consent_id, c.recorder, c.seq",
    )
    .bind(list)
    .fetch_all(&mut **tx)
    .await?;
    let mut found: BTreeMap<ParcelId, Vec<ConsentRow>> = BTreeMap::new();
    for row in &rows {
        let consents = found.entry(row.parcel("parcel_id")?).or_default();
        consents.push(consent_row(row)?);
    }
    Ok(found)
}

/// Every record of this id; more than one only if two phones drew the same.
pub(crate) async fn by_id(tx: &mut Tx, consent_id: &str) -> Result<Vec<ConsentRow>, HubError> {
    let mut query = sqlx::QueryBuilder::new(WITH_WITHDRAWAL);
    query
        .push("WHERE c.consent_id = ")
        .push_bind(consent_id)
        .push(" ORDER BY c.recorder, c.seq");
    let rows = query.build().fetch_all(&mut **tx).await?;
    rows.iter().map(consent_row).collect()
}

/// The couriers who have any of these parcels: by their round, or by a phone that was given them.
pub(crate) async fn couriers_of(
    tx: &mut Tx,
    parcels: &[ParcelId],
) -> Result<Vec<CourierId>, HubError> {
    let mut couriers = Vec::new();
    for parcel in parcels {
        let rows = sqlx::query(
            "SELECT r.courier_id FROM parcel p JOIN stop s USING (stop_id) \
               JOIN route r USING (route_id) WHERE p.parcel_id = ?1 AND r.courier_id IS NOT NULL \
             UNION SELECT d.courier_id FROM assignment a JOIN device d USING (device_id) \
               WHERE a.parcel_id = ?1",
        )
        .bind(&parcel.as_bytes()[..])
        .fetch_all(&mut **tx)
        .await?;
        for row in &rows {
            couriers.push(row.courier("courier_id")?);
        }
    }
    couriers.sort_unstable();
    couriers.dedup();
    Ok(couriers)
}
