//! The waybill numbers of the day's other rounds, so that a missort is told at the vehicle and not at a
//! door (A204).

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use satchel_protocol::feed::OtherRoundItem;
use satchel_protocol::ids::{CourierId, RouteId};
use sqlx::Row;

use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::store::feed;

/// Tells every courier of these days the other rounds that are new or have grown.
pub(crate) async fn other_rounds(tx: &mut Tx, dates: &BTreeSet<String>) -> Result<(), HubError> {
    for date in dates {
        let mut items: HashMap<RouteId, OtherRoundItem> = HashMap::new();
        for (courier, route_id, name) in news(tx, date).await? {
            let item = match items.entry(route_id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(OtherRoundItem {
                    route_id,
                    name,
                    service_date: date.clone(),
                    waybills: waybills(tx, route_id).await?,
                }),
            };
            feed::append(tx, courier, OtherRoundItem::KIND, &*item).await?;
            sqlx::query(
                "INSERT INTO other_round_told (courier_id, route_id, waybills) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (courier_id, route_id) DO UPDATE SET waybills = ?3",
            )
            .bind(&courier.as_bytes()[..])
            .bind(&route_id.as_bytes()[..])
            .bind(i64::try_from(item.waybills.len()).unwrap_or(i64::MAX))
            .execute(&mut **tx)
            .await?;
        }
    }
    Ok(())
}

/// Which courier is to hear of which round.
async fn news(tx: &mut Tx, date: &str) -> Result<Vec<(CourierId, RouteId, String)>, HubError> {
    let rows = sqlx::query(
        "WITH day AS (SELECT r.route_id, r.courier_id, r.name, count(p.parcel_id) AS waybills \
             FROM route r JOIN stop s USING (route_id) JOIN parcel p USING (stop_id) \
             WHERE r.service_date = ? GROUP BY r.route_id), \
           driver AS (SELECT DISTINCT courier_id FROM day WHERE courier_id IS NOT NULL) \
         SELECT driver.courier_id, day.route_id, day.name FROM driver JOIN day \
           ON day.courier_id IS NULL OR day.courier_id <> driver.courier_id \
         LEFT JOIN other_round_told t \
           ON t.courier_id = driver.courier_id AND t.route_id = day.route_id \
         WHERE t.waybills IS NULL OR t.waybills <> day.waybills \
         ORDER BY driver.courier_id, day.route_id",
    )
    .bind(date)
    .fetch_all(&mut **tx)
    .await?;
    rows.iter()
        .map(|row| {
            let route = RouteId(row.uuid("route_id")?);
            Ok((row.courier("courier_id")?, route, row.try_get("name")?))
        })
        .collect()
}

async fn waybills(tx: &mut Tx, route: RouteId) -> Result<Vec<String>, HubError> {
    Ok(sqlx::query_scalar(
        "SELECT p.waybill FROM parcel p JOIN stop s USING (stop_id) WHERE s.route_id = ? \
         ORDER BY p.waybill",
    )
    .bind(&route.as_bytes()[..])
    .fetch_all(&mut **tx)
    .await?)
}
