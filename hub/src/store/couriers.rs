//! Couriers, their devices and the invites that make a phone a device.

use satchel_protocol::ids::{CourierId, DeviceId, Hash32};
use sqlx::Row;
use sqlx::sqlite::SqlitePool;

use crate::db::{RowExt, Tx};
use crate::error::HubError;

/// A device as the request check needs it.
#[derive(Debug, Clone)]
pub(crate) struct DeviceRow {
    pub(crate) id: DeviceId,
    pub(crate) courier: CourierId,
    /// What its requests are signed with.
    pub(crate) log_key: Hash32,
    /// The key before, while requests under it are still taken.
    pub(crate) key_before: Option<Hash32>,
    pub(crate) certificate: Vec<u8>,
    pub(crate) revoked_at_seq: Option<i64>,
    pub(crate) quarantined: bool,
    /// It has been given a lease once.
    pub(crate) leased: bool,
    /// It is to destroy its store.
    pub(crate) wipe_ordered: bool,
}

/// An invite that exists, whatever its state.
#[derive(Debug)]
pub(crate) struct InviteRow {
    pub(crate) courier: CourierId,
    pub(crate) courier_name: String,
    pub(crate) expires_at_ms: i64,
    pub(crate) used_by: Option<DeviceId>,
}

const DEVICE_COLUMNS: &str = "SELECT device_id, courier_id, log_key, key_before, certificate, revoked_at_seq, \
    quarantined_at_ms IS NOT NULL AS quarantined, leased, \
    wipe_ordered_ms IS NOT NULL AS wipe_ordered FROM device WHERE device_id = ?";

fn device_row(row: &sqlx::sqlite::SqliteRow) -> Result<DeviceRow, HubError> {
    Ok(DeviceRow {
        id: row.device("device_id")?,
        courier: row.courier("courier_id")?,
        log_key: row.hash("log_key")?,
        key_before: match row.try_get::<Option<&[u8]>, _>("key_before")? {
            Some(_) => Some(row.hash("key_before")?),
            None => None,
        },
        certificate: row.try_get("certificate")?,
        revoked_at_seq: row.try_get("revoked_at_seq")?,
        quarantined: row.try_get("quarantined")?,
        leased: row.try_get("leased")?,
        wipe_ordered: row.try_get("wipe_ordered")?,
    })
}

pub(crate) async fn device(db: &SqlitePool, id: DeviceId) -> Result<Option<DeviceRow>, HubError> {
    let row = sqlx::query(DEVICE_COLUMNS)
        .bind(&id.as_bytes()[..])
        .fetch_optional(db)
        .await?;
    row.as_ref().map(device_row).transpose()
}

pub(crate) async fn device_in(tx: &mut Tx, id: DeviceId) -> Result<Option<DeviceRow>, HubError> {
    let row = sqlx::query(DEVICE_COLUMNS)
        .bind(&id.as_bytes()[..])
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(device_row).transpose()
}

/// The courier of this name.
pub(crate) async fn courier_by_name(
    tx: &mut Tx,
    name: &str,
) -> Result<Option<CourierId>, HubError> {
    let row = sqlx::query("SELECT courier_id FROM courier WHERE name = ?")
        .bind(name)
        .fetch_optional(&mut **tx)
        .await?;
    row.map(|r| r.courier("courier_id")).transpose()
}

pub(crate) async fn add_courier(
    tx: &mut Tx,
    id: CourierId,
    name: &str,
    now_ms: i64,
) -> Result<(), HubError> {
    sqlx::query("INSERT INTO courier (courier_id, name, created_at_ms) VALUES (?, ?, ?)")
        .bind(&id.as_bytes()[..])
        .bind(name)
        .bind(now_ms)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(crate) async fn add_invite(
    tx: &mut Tx,
    code_hash: &Hash32,
    courier: CourierId,
    now_ms: i64,
    expires_at_ms: i64,
) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO invite (code_hash, courier_id, created_at_ms, expires_at_ms) VALUES (?, ?, ?, ?)",
    )
    .bind(&code_hash.0[..])
    .bind(&courier.as_bytes()[..])
    .bind(now_ms)
    .bind(expires_at_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(crate) async fn invite(tx: &mut Tx, code_hash: &Hash32) -> Result<Option<InviteRow>, HubError> {
    let row = sqlx::query(
        "SELECT i.courier_id, c.name, i.expires_at_ms, i.device_id \
         FROM invite i JOIN courier c USING (courier_id) WHERE i.code_hash = ?",
    )
    .bind(&code_hash.0[..])
    .fetch_optional(&mut **tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let used: Option<&[u8]> = row.try_get("device_id")?;
    Ok(Some(InviteRow {
        courier: row.courier("courier_id")?,
        courier_name: row.try_get("name")?,
        expires_at_ms: row.try_get("expires_at_ms")?,
        used_by: if used.is_some() {
            Some(row.device("device_id")?)
        } else {
            None
        },
    }))
}

/// What enrolment writes, all at once.
#[derive(Debug)]
pub(crate) struct NewDevice<'a> {
    pub(crate) id: DeviceId,
    pub(crate) courier: CourierId,
    pub(crate) log_key: Hash32,
    pub(crate) label: &'a str,
    pub(crate) certificate: &'a [u8],
    pub(crate) code_hash: Hash32,
}

/// `false` when the id or the key is already another device's.
pub(crate) async fn enrol(
    tx: &mut Tx,
    device: &NewDevice<'_>,
    now_ms: i64,
) -> Result<bool, HubError> {
    let done = sqlx::query(
        "INSERT INTO device (device_id, courier_id, log_key, label, certificate, enrolled_at_ms) \
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(&device.id.as_bytes()[..])
    .bind(&device.courier.as_bytes()[..])
    .bind(&device.log_key.0[..])
    .bind(device.label)
    .bind(device.certificate)
    .bind(now_ms)
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("UPDATE invite SET used_at_ms = ?, device_id = ? WHERE code_hash = ?")
        .bind(now_ms)
        .bind(&device.id.as_bytes()[..])
        .bind(&device.code_hash.0[..])
        .execute(&mut **tx)
        .await?;
    Ok(true)
}

/// Sets the device's log aside until a person has looked at it.
pub(crate) async fn quarantine(tx: &mut Tx, id: DeviceId, now_ms: i64) -> Result<(), HubError> {
    sqlx::query("UPDATE device SET quarantined_at_ms = ? WHERE device_id = ?")
        .bind(now_ms)
        .bind(&id.as_bytes()[..])
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Lets a looked-at device write again and clears its alarms. `false`: no such device.
pub(crate) async fn release(tx: &mut Tx, id: DeviceId, now_ms: i64) -> Result<bool, HubError> {
    let done = sqlx::query("UPDATE device SET quarantined_at_ms = NULL WHERE device_id = ?")
        .bind(&id.as_bytes()[..])
        .execute(&mut **tx)
        .await?;
    sqlx::query("UPDATE alarm SET cleared_at_ms = ? WHERE device_id = ? AND cleared_at_ms IS NULL")
        .bind(now_ms)
        .bind(&id.as_bytes()[..])
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Refuses all that this device would write from now on; what is held stays valid.
pub(crate) async fn revoke(tx: &mut Tx, id: DeviceId) -> Result<bool, HubError> {
    let done = sqlx::query(
        "UPDATE device SET revoked_at_seq = \
           (SELECT coalesce(max(seq), 0) FROM entry WHERE entry.device_id = device.device_id) \
         WHERE device_id = ? AND revoked_at_seq IS NULL",
    )
    .bind(&id.as_bytes()[..])
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Remembers a request's nonce. `false`: it was seen before.
pub(crate) async fn use_nonce(
    tx: &mut Tx,
    id: DeviceId,
    nonce: &[u8; 12],
    expires_at_ms: i64,
) -> Result<bool, HubError> {
    let done = sqlx::query(
        "INSERT INTO nonce (device_id, nonce, expires_at_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(&id.as_bytes()[..])
    .bind(&nonce[..])
    .bind(expires_at_ms)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() > 0)
}
