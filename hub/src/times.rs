//! Whether a phone's time can be true (threat 5): an entry is younger than the receipt it names and not from
//! the future. What does not fit is a flag on the board and in the evidence, never a correction: a wrong
//! clock is no lie by itself.

use std::collections::HashMap;

use satchel_protocol::entry::Header;
use satchel_protocol::ids::Hash32;
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

/// Receipts that entries of one batch name: a morning's entries all name the same one.
pub(crate) type Anchors = HashMap<Hash32, Given>;

/// A receipt that was given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given {
    first_seq: i64,
    at_ms: i64,
}

/// Raises an alarm for an entry whose time cannot be true.
pub(crate) async fn judge(
    tx: &mut Tx,
    hub: &Hub,
    header: &Header,
    anchors: &mut Anchors,
    now_ms: i64,
) -> Result<(), HubError> {
    let early = match header.anchor {
        Some(anchor) => {
            let known = anchors.get(&anchor).copied();
            let given = match known.filter(|given| given.first_seq < header.seq) {
                Some(given) => Some(given),
                None => given(tx, hub, header, anchor).await?,
            };
            anchors.extend(given.map(|given| (anchor, given)));
            given.is_some_and(|given| header.occurred_at_ms < given.at_ms - TOLERANCE_MS)
        }
        None => false,
    };
    if early || header.occurred_at_ms > now_ms + TOLERANCE_MS {
        let (device, seq) = (header.device, Some(header.seq));
        entries::alarm(tx, AlarmKind::TimeOutside, device, seq, None, now_ms).await?;
    }
    Ok(())
}

/// The receipt that this entry names as older than itself.
async fn given(
    tx: &mut Tx,
    hub: &Hub,
    header: &Header,
    anchor: Hash32,
) -> Result<Option<Given>, HubError> {
    let rows = sqlx::query(
        "SELECT first_seq, receipt FROM receipt_given WHERE device_id = ? AND first_seq < ? \
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
            let first_seq = row.try_get("first_seq")?;
            return Ok(read.ok().map(|r| Given {
                first_seq,
                at_ms: r.received_at_ms,
            }));
        }
    }
    Ok(None)
}
