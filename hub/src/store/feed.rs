//! The feed's rows: what each courier's phones are told, in order.

use satchel_protocol::ids::{CourierId, DeviceId, ParcelId};
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqlitePool;

use crate::db::Tx;
use crate::error::HubError;

/// One stored item; `data` is JSON without rating keys.
#[derive(Debug)]
pub(crate) struct FeedRow {
    pub(crate) seq: i64,
    pub(crate) kind: String,
    pub(crate) data: String,
}

/// Appends an item to a courier's feed.
pub(crate) async fn append(
    tx: &mut Tx,
    courier: CourierId,
    kind: &str,
    data: &impl Serialize,
) -> Result<(), HubError> {
    let data =
        serde_json::to_string(data).map_err(|_| HubError::DamagedRow { what: "feed item" })?;
    sqlx::query(
        "INSERT INTO feed_item (courier_id, seq, kind, data) \
         SELECT ?1, coalesce(max(seq), 0) + 1, ?2, ?3 FROM feed_item WHERE courier_id = ?1",
    )
    .bind(&courier.as_bytes()[..])
    .bind(kind)
    .bind(data)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Items behind `after`, in order.
pub(crate) async fn after(
    db: &SqlitePool,
    courier: CourierId,
    after: i64,
    limit: i64,
) -> Result<Vec<FeedRow>, HubError> {
    let rows = sqlx::query(
        "SELECT seq, kind, data FROM feed_item WHERE courier_id = ? AND seq > ? ORDER BY seq LIMIT ?",
    )
    .bind(&courier.as_bytes()[..])
    .bind(after)
    .bind(limit)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(FeedRow {
                seq: row.try_get("seq")?,
                kind: row.try_get("kind")?,
                data: row.try_get("data")?,
            })
        })
        .collect()
}

/// Records that `device` was given the rating key of `parcel`. `false`: it had it before.
pub(crate) async fn assign(
    tx: &mut Tx,
    parcel: ParcelId,
    device: DeviceId,
    now_ms: i64,
) -> Result<bool, HubError> {
    let done = sqlx::query(
        "INSERT INTO assignment (parcel_id, device_id, served_at_ms) VALUES (?, ?, ?) \
         ON CONFLICT DO NOTHING",
    )
    .bind(&parcel.as_bytes()[..])
    .bind(&device.as_bytes()[..])
    .bind(now_ms)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() > 0)
}
