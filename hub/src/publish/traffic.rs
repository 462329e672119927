//! The speeds that phones plan with (A012): one table for all, the newest counts.
//!
//! The operator gives a day of speeds by zone and time band; the hub says when it took them. Phones keep the
//! newest table and go on planning with it where there is no network.

use satchel_protocol::feed::TrafficItem;
use serde_json::Value;
use thiserror::Error;

use super::everybody;
use crate::error::HubError;
use crate::hub::Hub;
use crate::store::feed;

/// Largest table a phone is sent: 64 zones of 96 bands fit several times.
const MAX_TABLE_BYTES: usize = 256 * 1_024;

/// Why a traffic table is not sent out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TrafficFault {
    /// Larger than a phone is sent.
    #[error("the traffic table is larger than {} KiB", MAX_TABLE_BYTES / 1024)]
    TooLarge,
    /// Not a JSON object with the fields of a table.
    #[error(
        "a traffic table is a JSON object with \"utc_offset_min\", \"bands_min\" and \"elsewhere\", and perhaps \"zones\" and \"free_flow\""
    )]
    Form,
    /// A table that no phone would plan with.
    #[error(
        "bands begin at 0 and ascend within a day, and everywhere has one speed per band, 20 to 1000 thousandths"
    )]
    Senseless,
}

impl Hub {
    /// Sends a traffic table to all couriers, in place of the one before. Gives the time it counts from,
    /// which is the hub's, whatever `made_at_ms` the document has.
    ///
    /// # Errors
    /// [`HubError::Traffic`].
    pub async fn set_traffic(&self, document: &[u8]) -> Result<i64, HubError> {
        let mut item = read(document)?;
        let mut tx = self.db().write().await?;
        let newest: Option<i64> = sqlx::query_scalar("SELECT made_at_ms FROM traffic")
            .fetch_optional(&mut *tx)
            .await?;
        // Phones keep the newer of two tables: a hub whose clock was set back still sends a newer one.
        let after = newest.map_or(i64::MIN, |newest| newest.saturating_add(1));
        item.made_at_ms = self.now_ms().max(after);
        let json = serde_json::to_string(&item).map_err(|_| TrafficFault::Form)?;
        sqlx::query(
            "INSERT INTO traffic (only, item, made_at_ms) VALUES (1, ?1, ?2) \
             ON CONFLICT (only) DO UPDATE SET item = ?1, made_at_ms = ?2",
        )
        .bind(json)
        .bind(item.made_at_ms)
        .execute(&mut *tx)
        .await?;
        for courier in everybody(&mut tx).await? {
            feed::append(&mut tx, courier, TrafficItem::KIND, &item).await?;
        }
        tx.commit().await?;
        tracing::info!(
            zones = item.zones.len(),
            bands = item.bands_min.len(),
            "traffic table sent out"
        );
        Ok(item.made_at_ms)
    }
}

fn read(document: &[u8]) -> Result<TrafficItem, TrafficFault> {
    if document.len() > MAX_TABLE_BYTES {
        return Err(TrafficFault::TooLarge);
    }
    let mut value: Value = serde_json::from_slice(document).map_err(|_| TrafficFault::Form)?;
    let fields = value.as_object_mut().ok_or(TrafficFault::Form)?;
    fields.insert("made_at_ms".to_owned(), Value::from(0));
    let item: TrafficItem = serde_json::from_value(value).map_err(|_| TrafficFault::Form)?;
    if item.is_valid() {
        Ok(item)
    } else {
        Err(TrafficFault::Senseless)
    }
}
