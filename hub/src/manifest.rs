//! The closed manifest: what a phone was given has to be accounted for, so a history whose end was cut off
//! is missed and named (threat 6).
//!
//! A chain shows that nothing inside it was changed; it cannot show that something behind its end is gone.
//! What was given out can: the hub records it in its own signed journal when a page of the feed is served,
//! and once the day is over a parcel nobody said anything about raises an alarm with its device.

use satchel_protocol::ids::{DeviceId, ParcelId};
use serde::Serialize;

use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::hub::Hub;
use crate::journal;
use crate::store::entries::{self, AlarmKind};

/// A round that was to be done yesterday may still be on its way in until this time of the next day.
const GRACE_MS: i64 = 36 * 3_600_000;

#[derive(Serialize)]
struct GivenOut<'a> {
    device: DeviceId,
    parcels: &'a [ParcelId],
}

/// Records what this device was given for the first time.
pub(crate) async fn give_out(
    hub: &Hub,
    tx: &mut Tx,
    device: DeviceId,
    parcels: &[ParcelId],
) -> Result<(), HubError> {
    if parcels.is_empty() {
        return Ok(());
    }
    let record = GivenOut { device, parcels };
    let seq = journal::append(hub, tx, journal::GIVEN_OUT, &record).await?;
    for parcel in parcels {
        sqlx::query("UPDATE assignment SET journal_seq = ? WHERE parcel_id = ? AND device_id = ?")
            .bind(seq)
            .bind(&parcel.as_bytes()[..])
            .bind(&device.as_bytes()[..])
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// Parcels of days that are over, given to a phone of the courier whose round they are still on, about
/// which nobody recorded anything. `?1`: the last day that is over.
const OWED: &str = "SELECT a.parcel_id, a.device_id FROM assignment a \
    JOIN parcel p USING (parcel_id) JOIN stop s USING (stop_id) JOIN route r USING (route_id) \
    JOIN device d ON d.device_id = a.device_id AND d.courier_id = r.courier_id \
    WHERE r.service_date <= ?1 \
      AND NOT EXISTS (SELECT 1 FROM parcel_event e WHERE e.parcel_id = a.parcel_id \
        AND json_extract(e.event, '$') NOT IN ('loaded', 'collected')) \
      AND NOT EXISTS (SELECT 1 FROM erasure x WHERE x.parcel_id = a.parcel_id) \
      AND NOT EXISTS (SELECT 1 FROM alarm l WHERE l.parcel_id = a.parcel_id AND l.device_id = a.device_id \
        AND l.kind = ?2) LIMIT 10000";

impl Hub {
    /// Looks for parcels that were given out and never accounted for. Gives how many were found anew; an
    /// outcome that comes later takes its alarm away.
    ///
    /// # Errors
    /// [`HubError`].
    pub async fn review_manifest(&self) -> Result<usize, HubError> {
        let now_ms = self.now_ms();
        let offset_ms = i64::from(self.config().utc_offset_min) * 60_000;
        let over = chrono::DateTime::from_timestamp_millis(now_ms - GRACE_MS + offset_ms)
            .map(|at| at.date_naive().to_string())
            .unwrap_or_default();
        let mut tx = self.db().write().await?;
        let rows = sqlx::query(OWED)
            .bind(over)
            .bind(AlarmKind::NoOutcome.code())
            .fetch_all(&mut *tx)
            .await?;
        for row in &rows {
            let (device, parcel) = (row.device("device_id")?, row.parcel("parcel_id")?);
            entries::alarm(
                &mut tx,
                AlarmKind::NoOutcome,
                device,
                None,
                Some(parcel),
                now_ms,
            )
            .await?;
        }
        tx.commit().await?;
        Ok(rows.len())
    }

    /// Parcels with an open alarm that nobody accounted for, with the device that had each.
    ///
    /// # Errors
    /// [`HubError`].
    pub async fn owed(&self) -> Result<Vec<(DeviceId, ParcelId)>, HubError> {
        let rows = sqlx::query(
            "SELECT device_id, parcel_id FROM alarm WHERE kind = ? AND cleared_at_ms IS NULL \
             ORDER BY alarm_id",
        )
        .bind(AlarmKind::NoOutcome.code())
        .fetch_all(self.db().read())
        .await?;
        rows.iter()
            .map(|row| Ok((row.device("device_id")?, row.parcel("parcel_id")?)))
            .collect()
    }
}
