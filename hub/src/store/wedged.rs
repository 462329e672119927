//! Rows of positions that stand open: what came for them, what must come, and what became of them.

use satchel_protocol::entry::SignedEntry;
use satchel_protocol::ids::{DeviceId, Hash32};
use satchel_protocol::limits;
use satchel_protocol::wedge::{WedgeReason, Wedged};
use sqlx::{Row, SqliteConnection};

use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::store::entries;

/// An open position.
#[derive(Debug, Clone)]
pub(crate) struct OpenRow {
    pub(crate) device: DeviceId,
    pub(crate) seq: i64,
    pub(crate) hash: Hash32,
    /// The next entry has said which hash belongs here.
    pub(crate) named: bool,
    pub(crate) reason: WedgeReason,
    pub(crate) replaced_by: Option<i64>,
    pub(crate) wedged_at_ms: i64,
    /// What came for it.
    pub(crate) entry: SignedEntry,
}

/// Leaves a position open. What came first for it is kept; a later try changes only the reason.
pub(crate) async fn open(
    tx: &mut Tx,
    device: DeviceId,
    seq: i64,
    entry: &SignedEntry,
    reason: WedgeReason,
    now_ms: i64,
) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO wedged (device_id, seq, hash, named, reason, header, sig, salt, body, wedged_at_ms) \
         VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (device_id, seq) DO UPDATE SET reason = excluded.reason",
    )
    .bind(&device.as_bytes()[..])
    .bind(seq)
    .bind(&entry.hash().0[..])
    .bind(i64::from(reason.0))
    .bind(&entry.header)
    .bind(&entry.sig.0[..])
    .bind(entry.salt.map(|s| s.0.to_vec()))
    .bind(&entry.body)
    .bind(now_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The next entry names what belongs to this position.
pub(crate) async fn name(
    tx: &mut Tx,
    device: DeviceId,
    seq: i64,
    hash: Hash32,
) -> Result<(), HubError> {
    sqlx::query("UPDATE wedged SET hash = ?, named = 1 WHERE device_id = ? AND seq = ?")
        .bind(&hash.0[..])
        .bind(&device.as_bytes()[..])
        .bind(seq)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The right entry has come.
pub(crate) async fn repaired(
    tx: &mut Tx,
    device: DeviceId,
    seq: i64,
    now_ms: i64,
) -> Result<(), HubError> {
    sqlx::query("UPDATE wedged SET repaired_at_ms = ? WHERE device_id = ? AND seq = ?")
        .bind(now_ms)
        .bind(&device.as_bytes()[..])
        .bind(seq)
        .execute(&mut **tx)
        .await?;
    clear_alarm(tx, device, seq, now_ms).await
}

/// The entry at `by` says again what the one with this hash should have said. `false`: that one does not
/// stand open, or was replaced before.
pub(crate) async fn replaced(
    tx: &mut Tx,
    device: DeviceId,
    (seq, hash): (i64, Hash32),
    by: i64,
    now_ms: i64,
) -> Result<bool, HubError> {
    let done = sqlx::query(
        "UPDATE wedged SET replaced_by = ? WHERE device_id = ? AND seq = ? AND hash = ? \
         AND named = 1 AND replaced_by IS NULL AND repaired_at_ms IS NULL",
    )
    .bind(by)
    .bind(&device.as_bytes()[..])
    .bind(seq)
    .bind(&hash.0[..])
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    clear_alarm(tx, device, seq, now_ms).await?;
    Ok(true)
}

/// Whether the entry at `by` was taken as a replacement.
pub(crate) async fn is_replacement(
    tx: &mut Tx,
    device: DeviceId,
    by: i64,
) -> Result<bool, HubError> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM wedged WHERE device_id = ? AND replaced_by = ?)",
    )
    .bind(&device.as_bytes()[..])
    .bind(by)
    .fetch_one(&mut **tx)
    .await?)
}

async fn clear_alarm(tx: &mut Tx, device: DeviceId, seq: i64, now_ms: i64) -> Result<(), HubError> {
    sqlx::query(
        "UPDATE alarm SET cleared_at_ms = ? WHERE kind = ? AND device_id = ? AND seq = ? \
         AND cleared_at_ms IS NULL",
    )
    .bind(now_ms)
    .bind(entries::AlarmKind::BadEntry.code())
    .bind(&device.as_bytes()[..])
    .bind(seq)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// One position that stands open, if it does.
pub(crate) async fn at(
    tx: &mut Tx,
    device: DeviceId,
    seq: i64,
) -> Result<Option<OpenRow>, HubError> {
    let row = sqlx::query(
        "SELECT * FROM wedged WHERE device_id = ? AND seq = ? AND repaired_at_ms IS NULL",
    )
    .bind(&device.as_bytes()[..])
    .bind(seq)
    .fetch_optional(&mut **tx)
    .await?;
    row.as_ref().map(read).transpose()
}

/// Where exactly these bytes stand open already.
pub(crate) async fn with_header(
    tx: &mut Tx,
    device: DeviceId,
    header: &[u8],
) -> Result<Option<i64>, HubError> {
    Ok(sqlx::query_scalar(
        "SELECT seq FROM wedged WHERE device_id = ? AND header = ? AND repaired_at_ms IS NULL \
         ORDER BY seq LIMIT 1",
    )
    .bind(&device.as_bytes()[..])
    .bind(header)
    .fetch_optional(&mut **tx)
    .await?)
}

/// What a receipt says of this device's open positions.
pub(crate) async fn of_device(
    conn: &mut SqliteConnection,
    device: DeviceId,
) -> Result<Vec<Wedged>, HubError> {
    let rows = sqlx::query(
        "SELECT seq, reason, replaced_by FROM wedged \
         WHERE device_id = ? AND repaired_at_ms IS NULL ORDER BY seq LIMIT ?",
    )
    .bind(&device.as_bytes()[..])
    .bind(i64::try_from(limits::MAX_WEDGED).unwrap_or(i64::MAX))
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Wedged {
                seq: row.try_get("seq")?,
                reason: WedgeReason(row.try_get("reason")?),
                replaced_by: row.try_get("replaced_by")?,
            })
        })
        .collect()
}

/// Every open position of every device.
pub(crate) async fn all(conn: &mut SqliteConnection) -> Result<Vec<OpenRow>, HubError> {
    let rows =
        sqlx::query("SELECT * FROM wedged WHERE repaired_at_ms IS NULL ORDER BY device_id, seq")
            .fetch_all(conn)
            .await?;
    rows.iter().map(read).collect()
}

fn read(row: &sqlx::sqlite::SqliteRow) -> Result<OpenRow, HubError> {
    Ok(OpenRow {
        device: row.device("device_id")?,
        seq: row.try_get("seq")?,
        hash: row.hash("hash")?,
        named: row.try_get("named")?,
        reason: WedgeReason(row.try_get("reason")?),
        replaced_by: row.try_get("replaced_by")?,
        wedged_at_ms: row.try_get("wedged_at_ms")?,
        entry: entries::signed(row, "wedged")?,
    })
}
