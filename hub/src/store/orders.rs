//! Which phones have leases, which are to be wiped, and what of a phone's work is not here.

use satchel_protocol::ids::{DeviceId, Hash32};
use sqlx::SqliteConnection;

use crate::db::Tx;
use crate::error::HubError;
use crate::orders::WipeReport;

pub(crate) async fn set_leased(tx: &mut Tx, device: DeviceId) -> Result<(), HubError> {
    sqlx::query("UPDATE device SET leased = 1 WHERE device_id = ?")
        .bind(&device.as_bytes()[..])
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// `false`: it was ordered before.
pub(crate) async fn order_wipe(
    tx: &mut Tx,
    device: DeviceId,
    now_ms: i64,
) -> Result<bool, HubError> {
    let done = sqlx::query(
        "UPDATE device SET wipe_ordered_ms = ? WHERE device_id = ? AND wipe_ordered_ms IS NULL",
    )
    .bind(now_ms)
    .bind(&device.as_bytes()[..])
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// The pins phones are to have; `None`: nobody ever named any.
pub(crate) async fn pins(conn: &mut SqliteConnection) -> Result<Option<Vec<Hash32>>, HubError> {
    let bytes: Option<Vec<u8>> = sqlx::query_scalar("SELECT pins FROM tls_pins WHERE id = 1")
        .fetch_optional(conn)
        .await?;
    Ok(bytes.map(|bytes| {
        let (pins, _) = bytes.as_chunks::<32>();
        pins.iter().copied().map(Hash32).collect()
    }))
}

pub(crate) async fn set_pins(tx: &mut Tx, pins: &[Hash32], now_ms: i64) -> Result<(), HubError> {
    let bytes: Vec<u8> = pins.iter().flat_map(|pin| pin.0).collect();
    sqlx::query("INSERT OR REPLACE INTO tls_pins (id, pins, set_at_ms) VALUES (1, ?, ?)")
        .bind(bytes)
        .bind(now_ms)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// What of this device's work has not come, as far as can be known here.
pub(crate) async fn missing(tx: &mut Tx, device: DeviceId) -> Result<WipeReport, HubError> {
    let row = sqlx::query(
        "SELECT \
           (SELECT count(*) FROM entry WHERE device_id = ?1) AS entries_held, \
           (SELECT count(*) FROM wedged WHERE device_id = ?1 AND repaired_at_ms IS NULL) AS entries_open, \
           (SELECT count(DISTINCT b.hash) FROM entry_blob b WHERE b.device_id = ?1 \
              AND NOT EXISTS (SELECT 1 FROM blob h WHERE h.hash = b.hash)) AS proofs_missing, \
           (SELECT count(*) FROM assignment a WHERE a.device_id = ?1 \
              AND NOT EXISTS (SELECT 1 FROM attempt t WHERE t.parcel_id = a.parcel_id)) \
             AS parcels_without_outcome",
    )
    .bind(&device.as_bytes()[..])
    .fetch_one(&mut **tx)
    .await?;
    WipeReport::of(device, &row)
}
