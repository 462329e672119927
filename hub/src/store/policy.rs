//! What the operator asks of all phones, and the sealed keys they gave.

use satchel_protocol::escrow::Escrow;
use satchel_protocol::ids::DeviceId;
use satchel_protocol::orders::{Policy, Release};
use sqlx::{Row, SqliteConnection};

use crate::db::{RowExt, Tx};
use crate::error::HubError;

const DAMAGED: HubError = HubError::DamagedRow { what: "policy" };
/// Sealed keys that are kept of a phone: the one in use, one that follows it, and one that did not come about.
const KEPT: i64 = 3;

/// The policy and when it was set; `None`: nobody ever set one.
pub(crate) async fn policy(conn: &mut SqliteConnection) -> Result<Option<(i64, Policy)>, HubError> {
    let row = sqlx::query("SELECT * FROM policy WHERE id = 1")
        .fetch_optional(conn)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let recovery_key = match row.try_get::<Option<&[u8]>, _>("recovery_key")? {
        Some(_) => Some(row.hash("recovery_key")?),
        None => None,
    };
    let least: Option<String> = row.try_get("least_release")?;
    let least: Option<Release> = least
        .map(|text| text.parse().map_err(|_| DAMAGED))
        .transpose()?;
    let policy = Policy {
        recovery_key,
        log_key_days: row.try_get("log_key_days")?,
        least_release: least,
    };
    Ok(Some((row.try_get("set_at_ms")?, policy)))
}

pub(crate) async fn set_policy(
    tx: &mut Tx,
    set_at_ms: i64,
    policy: &Policy,
) -> Result<(), HubError> {
    sqlx::query(
        "INSERT OR REPLACE INTO policy (id, recovery_key, log_key_days, least_release, set_at_ms) \
         VALUES (1, ?, ?, ?, ?)",
    )
    .bind(policy.recovery_key.map(|key| key.0.to_vec()))
    .bind(policy.log_key_days)
    .bind(policy.least_release.map(|release| release.to_string()))
    .bind(set_at_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps a sealed key, and of the older ones those that the phone may still need.
pub(crate) async fn keep_escrow(tx: &mut Tx, escrow: &Escrow, now_ms: i64) -> Result<(), HubError> {
    let device = escrow.device.as_bytes();
    sqlx::query(
        "INSERT OR REPLACE INTO escrow (device_id, key_check, sealed, received_at_ms) \
         VALUES (?, ?, ?, ?)",
    )
    .bind(&device[..])
    .bind(&escrow.key_check.0[..])
    .bind(escrow.encode())
    .bind(now_ms)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "DELETE FROM escrow WHERE device_id = ?1 AND key_check NOT IN \
           (SELECT key_check FROM escrow WHERE device_id = ?1 \
            ORDER BY received_at_ms DESC, key_check = ?2 DESC LIMIT ?3)",
    )
    .bind(&device[..])
    .bind(&escrow.key_check.0[..])
    .bind(KEPT)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The sealed keys of a device, oldest first.
pub(crate) async fn escrows(
    conn: &mut SqliteConnection,
    device: DeviceId,
) -> Result<Vec<Escrow>, HubError> {
    let rows: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT sealed FROM escrow WHERE device_id = ? ORDER BY received_at_ms, key_check",
    )
    .bind(&device.as_bytes()[..])
    .fetch_all(conn)
    .await?;
    let damaged = |_| HubError::DamagedRow { what: "sealed key" };
    rows.iter()
        .map(|bytes| Escrow::decode(bytes).map_err(damaged))
        .collect()
}

/// A phone that is to be wiped has nothing that anybody may still open.
pub(crate) async fn forget_escrows(tx: &mut Tx, device: DeviceId) -> Result<(), HubError> {
    sqlx::query("DELETE FROM escrow WHERE device_id = ?")
        .bind(&device.as_bytes()[..])
        .execute(&mut **tx)
        .await?;
    Ok(())
}
