//! Giving a round to another courier in the middle of the day, and asking a phone for a full photo.
//!
//! What is done stays with whoever did it. What is left is taken off one phone and given to the other; a
//! courier who stands at a door at that moment can still end what he began, and both phones' words are kept
//! and merged by what happened when (B4-16).

use std::collections::BTreeSet;

use satchel_protocol::feed::{LatLng, ProofWantedItem, RouteItem, StopItem, StopRemovedItem};
use satchel_protocol::ids::{CourierId, Hash32, ParcelId, RouteId, StopId};
use satchel_protocol::transitions::ParcelState;
use sqlx::Row;

use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::hub::Hub;
use crate::intake::without_keys;
use crate::publish;
use crate::store::{couriers, feed, rounds};

impl Hub {
    /// Gives what is left of a round to another courier. Gives how many stops moved; none when it is his
    /// already.
    ///
    /// # Errors
    /// [`HubError::UnknownRound`], [`HubError::UnknownCourier`].
    pub async fn reassign(&self, route: RouteId, courier: &str) -> Result<usize, HubError> {
        let mut tx = self.db().write().await?;
        let to = couriers::courier_by_name(&mut tx, courier.trim())
            .await?
            .ok_or(HubError::UnknownCourier)?;
        let (item, from) = round(&mut tx, route).await?;
        if from == Some(to) {
            return Ok(0);
        }
        sqlx::query("UPDATE route SET courier_id = ? WHERE route_id = ?")
            .bind(&to.as_bytes()[..])
            .bind(&route.as_bytes()[..])
            .execute(&mut *tx)
            .await?;
        feed::append(&mut tx, to, RouteItem::KIND, &item).await?;
        let left = left_to_do(&mut tx, route).await?;
        for stop in &left {
            if let Some(from) = from {
                let gone = StopRemovedItem {
                    stop_id: stop.stop_id,
                };
                feed::append(&mut tx, from, StopRemovedItem::KIND, &gone).await?;
            }
            feed::append(&mut tx, to, StopItem::KIND, &without_keys(stop)?).await?;
        }
        publish::other_rounds(&mut tx, &BTreeSet::from([item.service_date])).await?;
        tx.commit().await?;
        tracing::info!(stops = left.len(), "round given to another courier");
        Ok(left.len())
    }

    /// Asks the phones that have it for a proof now, whatever their network costs. Gives how many couriers
    /// were asked: none when it is held, or when no entry binds it.
    ///
    /// # Errors
    /// [`HubError`].
    pub async fn want_proof(&self, hash: Hash32) -> Result<usize, HubError> {
        let mut tx = self.db().write().await?;
        let rows = sqlx::query(
            "SELECT DISTINCT d.courier_id FROM entry_blob b JOIN device d USING (device_id) \
             WHERE b.hash = ?1 AND NOT EXISTS (SELECT 1 FROM blob WHERE hash = ?1)",
        )
        .bind(&hash.0[..])
        .fetch_all(&mut *tx)
        .await?;
        for row in &rows {
            let courier = row.courier("courier_id")?;
            feed::append(
                &mut tx,
                courier,
                ProofWantedItem::KIND,
                &ProofWantedItem { hash },
            )
            .await?;
        }
        if !rows.is_empty() {
            sqlx::query("INSERT OR IGNORE INTO proof_wanted (hash, asked_at_ms) VALUES (?, ?)")
                .bind(&hash.0[..])
                .bind(self.now_ms())
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(rows.len())
    }

    /// The parcel of the newest attempt that names a proof.
    pub(crate) async fn parcel_of_proof(&self, hash: Hash32) -> Result<Option<ParcelId>, HubError> {
        let row = sqlx::query(
            "SELECT a.parcel_id FROM attempt_proof ap JOIN attempt a \
               ON a.device_id = ap.device_id AND a.seq = ap.seq \
             WHERE ap.hash = ? ORDER BY a.occurred_at_ms DESC LIMIT 1",
        )
        .bind(&hash.0[..])
        .fetch_optional(self.db().read())
        .await?;
        row.map(|row| row.parcel("parcel_id")).transpose()
    }

    /// The rounds of a courier, newest day first, with their names.
    ///
    /// # Errors
    /// [`HubError::UnknownCourier`].
    pub async fn rounds_of(&self, courier: &str) -> Result<Vec<(RouteId, String)>, HubError> {
        let mut tx = self.db().write().await?;
        let courier = couriers::courier_by_name(&mut tx, courier.trim())
            .await?
            .ok_or(HubError::UnknownCourier)?;
        let rows = sqlx::query(
            "SELECT route_id, name FROM route WHERE courier_id = ? \
             ORDER BY service_date DESC, name, route_id",
        )
        .bind(&courier.as_bytes()[..])
        .fetch_all(&mut *tx)
        .await?;
        rows.iter()
            .map(|row| Ok((RouteId(row.uuid("route_id")?), row.try_get("name")?)))
            .collect()
    }
}

async fn round(tx: &mut Tx, route: RouteId) -> Result<(RouteItem, Option<CourierId>), HubError> {
    let owner = rounds::owner(tx, route).await?;
    let owner = owner.ok_or(HubError::UnknownRound)?;
    let row = sqlx::query(
        "SELECT name, service_date, depot_lat, depot_lng, \
           (SELECT count(*) FROM stop s WHERE s.route_id = r.route_id) AS stops \
         FROM route r WHERE route_id = ?",
    )
    .bind(&route.as_bytes()[..])
    .fetch_one(&mut **tx)
    .await?;
    let (lat, lng): (Option<f64>, Option<f64>) =
        (row.try_get("depot_lat")?, row.try_get("depot_lng")?);
    let item = RouteItem {
        route_id: route,
        name: row.try_get("name")?,
        service_date: row.try_get("service_date")?,
        depot: lat.zip(lng).map(|(lat, lng)| LatLng { lat, lng }),
        stop_count: row.try_get("stops")?,
    };
    Ok((item, owner))
}

/// Stops of a round at which something is still to be done.
async fn left_to_do(tx: &mut Tx, route: RouteId) -> Result<Vec<StopItem>, HubError> {
    let rows = sqlx::query(
        "SELECT p.parcel_id, p.stop_id, f.state FROM parcel p JOIN stop s USING (stop_id) \
         LEFT JOIN parcel_fold f USING (parcel_id) WHERE s.route_id = ? ORDER BY s.position, p.stop_id",
    )
    .bind(&route.as_bytes()[..])
    .fetch_all(&mut **tx)
    .await?;
    let mut seen: BTreeSet<StopId> = BTreeSet::new();
    let mut left = Vec::new();
    for row in &rows {
        let state: Option<&str> = row.try_get("state")?;
        let done = state
            .and_then(|code| ParcelState::from_code(code).ok())
            .is_some_and(is_settled);
        let stop_id = StopId(row.uuid("stop_id")?);
        if done || !seen.insert(stop_id) {
            continue;
        }
        if let Some((stop, _)) = rounds::stop_of(tx, row.parcel("parcel_id")?).await? {
            left.push(stop);
        }
    }
    Ok(left)
}

/// Whether nothing is left to do at the door for a parcel in this state.
pub(crate) fn is_settled(state: ParcelState) -> bool {
    state.is_final()
        || matches!(
            state,
            ParcelState::AtPickupPoint | ParcelState::AtDepot | ParcelState::Cancelled
        )
}
