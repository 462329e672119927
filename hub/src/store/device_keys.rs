//! Which key signed which part of a device's log, and which one signs its requests.

use ed25519_dalek::VerifyingKey;
use satchel_protocol::device_keys::KeyChain;
use satchel_protocol::enrol::SignedCertificate;
use satchel_protocol::entry::{EntryKind, SignedEntry};
use satchel_protocol::ids::{DeviceId, Hash32};
use sqlx::{Row, SqliteConnection};

use super::couriers::DeviceRow;
use super::entries::{self, CheckedEntry};
use crate::db::{RowExt, Tx};
use crate::error::HubError;

const DAMAGED: HubError = HubError::DamagedRow { what: "device key" };

/// The keys of a device, from its enrolment on. They were checked when they came.
pub(crate) async fn chain(
    conn: &mut SqliteConnection,
    device: &DeviceRow,
    hub: &VerifyingKey,
) -> Result<KeyChain, HubError> {
    let certificate = SignedCertificate::verify(&device.certificate, hub).map_err(|_| DAMAGED)?;
    let mut chain = KeyChain::of(&certificate).ok_or(DAMAGED)?;
    let rows = sqlx::query(
        "SELECT from_seq, log_key FROM device_key WHERE device_id = ? ORDER BY from_seq",
    )
    .bind(&device.id.as_bytes()[..])
    .fetch_all(conn)
    .await?;
    for row in rows {
        let key = row.hash("log_key")?;
        let key = VerifyingKey::from_bytes(&key.0).map_err(|_| DAMAGED)?;
        chain = chain.with_key(row.try_get("from_seq")?, key);
    }
    Ok(chain)
}

/// Follows a change of keys that is joining the log: `chain` holds the new key already.
pub(crate) async fn rotated(
    tx: &mut Tx,
    entry: &CheckedEntry,
    chain: &KeyChain,
) -> Result<(), HubError> {
    let (device, from_seq) = (entry.header.device, entry.header.seq + 1);
    let key = chain.key_at(from_seq).ok_or(DAMAGED)?;
    sqlx::query("INSERT INTO device_key (device_id, from_seq, log_key) VALUES (?, ?, ?)")
        .bind(&device.as_bytes()[..])
        .bind(from_seq)
        .bind(&key.as_bytes()[..])
        .execute(&mut **tx)
        .await?;
    sqlx::query("UPDATE device SET key_before = log_key, log_key = ? WHERE device_id = ?")
        .bind(&key.as_bytes()[..])
        .bind(&device.as_bytes()[..])
        .execute(&mut **tx)
        .await?;
    tracing::info!(%device, from_seq, "a device changed its key");
    Ok(())
}

/// A request came under the new key: the one before signs nothing any more.
pub(crate) async fn give_up_before(tx: &mut Tx, device: DeviceId) -> Result<(), HubError> {
    sqlx::query(
        "UPDATE device SET key_before = NULL WHERE device_id = ? AND key_before IS NOT NULL",
    )
    .bind(&device.as_bytes()[..])
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The key that requests may still be signed with besides the newest.
pub(crate) fn before(row: &DeviceRow) -> Option<VerifyingKey> {
    let Hash32(bytes) = row.key_before?;
    VerifyingKey::from_bytes(&bytes).ok()
}

/// The entries by which a device changed its keys before `seq`, in their order.
pub(crate) async fn rotations(
    conn: &mut SqliteConnection,
    device: DeviceId,
    seq: i64,
) -> Result<Vec<SignedEntry>, HubError> {
    let rows = sqlx::query(
        "SELECT e.header, e.sig, e.salt, e.body FROM device_key k \
         JOIN entry e ON e.device_id = k.device_id AND e.seq = k.from_seq - 1 \
         WHERE k.device_id = ? AND k.from_seq <= ? ORDER BY k.from_seq",
    )
    .bind(&device.as_bytes()[..])
    .bind(seq)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| entries::signed(row, "entry"))
        .collect()
}

/// Whether an entry changes the key of its log.
pub(crate) fn is_rotation(entry: &CheckedEntry) -> bool {
    entry.header.kind == EntryKind::KEY_ROTATED
}
