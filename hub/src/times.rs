//! Whether a phone's time can be true (threat 5): an entry is younger than the receipt it names and not from
//! the future. What does not fit is a flag on the board and in the evidence, never a correction: a wrong
//! clock is no lie by itself.

use satchel_protocol::entry::Header;
use satchel_protocol::receipt::SignedReceipt;
use sqlx::Row;

use crate::db::Tx;
use crate::error::HubError;
use crate::hub::Hub;
use crate::store::entries::{self, AlarmKind};

/// Clocks of phone and hub may differ by this much without anybody lying.
const TOLERANCE_MS: i64 = 120_000;
/// The receipt an entry names was given not long before; this many are looked through.
const RECEIPTS_BACK: i64 = 64;

/// Raises an alarm for an entry whose time cannot be true.
pub(crate) async fn judge(
    tx: &mut Tx,
    hub: &Hub,
    header: &Header,
    now_ms: i64,
) -> Result<(), HubError> {
    let early = match anchored_at(tx, hub, header).await? {
        Some(at_ms) => header.occurred_at_ms < at_ms - TOLERANCE_MS,
        None => false,
    };
    if early || header.occurred_at_ms > now_ms + TOLERANCE_MS {
        let (device, seq) = (header.device, Some(header.seq));
        entries::alarm(tx, AlarmKind::TimeOutside, device, seq, None, now_ms).await?;
    }
    Ok(())
}

/// When the hub gave the receipt that this entry names as older than itself.
async fn anchored_at(tx: &mut Tx, hub: &Hub, header: &Header) -> Result<Option<i64>, HubError> {
    let Some(anchor) = header.anchor else {
        return Ok(None);
    };
    let rows = sqlx::query(
        "SELECT receipt FROM receipt_given WHERE device_id = ? AND first_seq < ? \
         ORDER BY first_seq DESC LIMIT ?",
    )
    .bind(&header.device.as_bytes()[..])
    .bind(header.seq)
    .bind(RECEIPTS_BACK)
    .fetch_all(&mut **tx)
    .await?;
    for row in &rows {
        let receipt =
            SignedReceipt::decode(row.try_get("receipt")?).map_err(|_| HubError::DamagedRow {
                what: "receipt_given",
            })?;
        if receipt.anchor() == anchor {
            let read = receipt.verify(&hub.public_key(), header.device);
            return Ok(read.ok().map(|r| r.received_at_ms));
        }
    }
    Ok(None)
}
