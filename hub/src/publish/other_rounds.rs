//! The waybill numbers of the day's other rounds, so that a missort is told at the vehicle and not at a
//! door (A204).
//!
//! Parcels are mixed up where they are loaded: a courier is told the rounds that start where his do. A hub of many
//! depots would tell each of thousands of couriers of all others, and each item is a row of the feed.

use std::cmp::Ordering;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use satchel_protocol::feed::{LatLng, OtherRoundItem};
use satchel_protocol::ids::{CourierId, RouteId};
use sqlx::Row;

use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::import::distance_m;
use crate::store::feed;

/// Rounds that start within this distance are loaded in one yard; fixes of one depot scatter by tens of metres.
const SAME_DEPOT_M: f64 = 500.0;

/// Most other rounds that one courier is told for a day: what a large depot sends out. It is what bounds a hub
/// whose rounds come without a depot.
const MOST_ROUNDS: usize = 100;

/// A round of the day.
#[derive(Debug, Clone)]
struct Round {
    route: RouteId,
    courier: Option<CourierId>,
    name: String,
    depot: Option<LatLng>,
    waybills: i64,
}

/// Tells every courier of these days the other rounds of his depot that are new or have changed.
pub(crate) async fn other_rounds(tx: &mut Tx, dates: &BTreeSet<String>) -> Result<(), HubError> {
    for date in dates {
        let rounds = rounds(tx, date).await?;
        let told = told(tx, date).await?;
        let mut items: HashMap<RouteId, OtherRoundItem> = HashMap::new();
        for (courier, near) in beside(&rounds) {
            for round in near {
                if told.get(&(courier, round.route)) == Some(&round.waybills) {
                    continue;
                }
                let item = match items.entry(round.route) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(place) => place.insert(OtherRoundItem {
                        route_id: round.route,
                        name: round.name.clone(),
                        service_date: date.clone(),
                        waybills: waybills(tx, round.route).await?,
                    }),
                };
                feed::append(tx, courier, OtherRoundItem::KIND, &*item).await?;
                sqlx::query(
                    "INSERT INTO other_round_told (courier_id, route_id, waybills) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (courier_id, route_id) DO UPDATE SET waybills = ?3",
                )
                .bind(&courier.as_bytes()[..])
                .bind(&round.route.as_bytes()[..])
                .bind(round.waybills)
                .execute(&mut **tx)
                .await?;
            }
        }
    }
    Ok(())
}

/// The rounds of others that each courier of the day loads beside, the nearest first.
fn beside(rounds: &[Round]) -> BTreeMap<CourierId, Vec<&Round>> {
    let mut own: BTreeMap<CourierId, Vec<&Round>> = BTreeMap::new();
    for round in rounds {
        if let Some(courier) = round.courier {
            own.entry(courier).or_default().push(round);
        }
    }
    own.into_iter()
        .map(|(courier, own)| {
            let mut near: Vec<(f64, &Round)> = rounds
                .iter()
                .filter(|round| round.courier != Some(courier))
                .filter_map(|round| Some((apart_m(&own, round)?, round)))
                .collect();
            near.sort_by(|(a_m, a), (b_m, b)| order((*a_m, a), (*b_m, b)));
            near.truncate(MOST_ROUNDS);
            (courier, near.into_iter().map(|(_, round)| round).collect())
        })
        .collect()
}

/// How far from the nearest of `own` a round starts; none for another depot. Where either start is not known, it
/// may be the same one, and comes behind those that are.
fn apart_m(own: &[&Round], other: &Round) -> Option<f64> {
    own.iter()
        .map(|round| match (round.depot, other.depot) {
            (Some(a), Some(b)) => distance_m(a, b),
            _ => SAME_DEPOT_M,
        })
        .filter(|apart_m| *apart_m <= SAME_DEPOT_M)
        .min_by(f64::total_cmp)
}

fn order((a_m, a): (f64, &Round), (b_m, b): (f64, &Round)) -> Ordering {
    a_m.total_cmp(&b_m)
        .then_with(|| a.name.cmp(&b.name))
        .then_with(|| a.route.cmp(&b.route))
}

async fn rounds(tx: &mut Tx, date: &str) -> Result<Vec<Round>, HubError> {
    let rows = sqlx::query(
        "SELECT r.route_id, r.courier_id, r.name, r.depot_lat, r.depot_lng, \
           count(p.parcel_id) AS waybills \
         FROM route r JOIN stop s USING (route_id) JOIN parcel p USING (stop_id) \
         WHERE r.service_date = ? GROUP BY r.route_id ORDER BY r.route_id",
    )
    .bind(date)
    .fetch_all(&mut **tx)
    .await?;
    rows.iter()
        .map(|row| {
            let courier: Option<&[u8]> = row.try_get("courier_id")?;
            let (lat, lng): (Option<f64>, Option<f64>) =
                (row.try_get("depot_lat")?, row.try_get("depot_lng")?);
            Ok(Round {
                route: RouteId(row.uuid("route_id")?),
                courier: courier.map(|_| row.courier("courier_id")).transpose()?,
                name: row.try_get("name")?,
                depot: lat.zip(lng).map(|(lat, lng)| LatLng { lat, lng }),
                waybills: row.try_get("waybills")?,
            })
        })
        .collect()
}

/// How many numbers of which round each courier has been told.
async fn told(tx: &mut Tx, date: &str) -> Result<HashMap<(CourierId, RouteId), i64>, HubError> {
    let rows = sqlx::query(
        "SELECT t.courier_id, t.route_id, t.waybills \
         FROM other_round_told t JOIN route r USING (route_id) WHERE r.service_date = ?",
    )
    .bind(date)
    .fetch_all(&mut **tx)
    .await?;
    rows.iter()
        .map(|row| {
            let key = (row.courier("courier_id")?, RouteId(row.uuid("route_id")?));
            Ok((key, row.try_get("waybills")?))
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

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    /// A round of courier `n`, `north_m` metres north of the first depot.
    fn round(n: u128, north_m: Option<f64>) -> Round {
        Round {
            route: RouteId(Uuid::from_u128(n)),
            courier: Some(CourierId(Uuid::from_u128(n))),
            name: format!("R{n:04}"),
            depot: north_m.map(|m| LatLng {
                lat: 37.5 + m / 111_195.0,
                lng: 121.4,
            }),
            waybills: 1,
        }
    }

    fn names(rounds: &[Round], courier: u128) -> Vec<String> {
        let beside = beside(rounds);
        let near = &beside[&CourierId(Uuid::from_u128(courier))];
        near.iter().map(|round| round.name.clone()).collect()
    }

    #[test]
    fn a_courier_hears_of_the_rounds_of_his_yard_the_nearest_first() {
        let rounds = [
            round(1, Some(0.0)),
            round(2, Some(80.0)),
            round(3, Some(20.0)),
            round(4, Some(700.0)),
            round(5, None),
        ];
        assert_eq!(names(&rounds, 1), ["R0003", "R0002", "R0005"]);
        assert_eq!(names(&rounds, 4), ["R0005"]);
        assert_eq!(names(&rounds, 5), ["R0001", "R0002", "R0003", "R0004"]);
    }

    #[test]
    fn a_hub_without_depots_tells_no_more_than_a_depot_would() {
        let rounds: Vec<Round> = (1..=300).map(|n| round(n, None)).collect();
        let told = beside(&rounds);
        assert!(told.values().all(|near| near.len() == MOST_ROUNDS));
        assert!(!names(&rounds, 7).contains(&"R0007".to_owned()));
    }

    #[test]
    fn a_courier_of_two_rounds_hears_of_both_yards_and_of_no_round_of_his_own() {
        let mut second = round(9, Some(5_000.0));
        second.courier = Some(CourierId(Uuid::from_u128(1)));
        let rounds = [
            round(1, Some(0.0)),
            second,
            round(2, Some(10.0)),
            round(3, Some(5_010.0)),
        ];
        assert_eq!(names(&rounds, 1), ["R0002", "R0003"]);
        assert_eq!(names(&rounds, 3), ["R0009"]);
    }
}
