//! Deliveries to rounds, the same rounds for the same deliveries whatever their order in the file.
//!
//! Every round, stop and parcel has a natural key made of what the file says about it. Ids derived
//! from these keys (UUIDv5) make a second import of the same file a no-op. The keys hold waybills,
//! times and depot positions but never a name, a phone number or an address.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use satchel_protocol::feed::LatLng;
use satchel_protocol::taxonomy::HandoffKind;

use super::geo;
use super::group::{GroupBy, GroupRule};
use super::model::Delivery;
use super::stops::{merge_doors, nearest_first, sectors};
use super::value::local_date;

/// Metres of one degree of latitude, a little less than true so that a search band is never too narrow.
const M_PER_LAT_DEGREE: f64 = 110_000.0;

/// Why deliveries cannot be grouped by a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// A depot rule for deliveries without a depot.
    #[error("grouping by depot needs `depot_lat` and `depot_lng` in the mapping")]
    NoDepot,
    /// A column rule for deliveries without a round.
    #[error("grouping by column needs the field `round` in the mapping, or column=NAME")]
    NoRound,
}

/// One courier's round.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// The natural key.
    pub key: String,
    /// The round or courier of the file, if it names one.
    pub label: Option<String>,
    /// Where it starts; `None` if the file does not say.
    pub depot: Option<LatLng>,
    /// The local date of its first acceptance.
    pub service_date: NaiveDate,
    /// First and last acceptance.
    pub accepted_ms: (i64, i64),
    /// The stops, in a plausible order of driving.
    pub stops: Vec<PlannedStop>,
}

impl Round {
    /// Parcels of all stops.
    #[must_use]
    pub fn parcel_count(&self) -> usize {
        self.stops.iter().map(|stop| stop.parcels.len()).sum()
    }
}

/// One door of a round. Person and address are those of any of its parcels.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedStop {
    /// The natural key: that of its first parcel.
    pub key: String,
    /// Where to go.
    pub position: LatLng,
    /// Not before.
    pub window_start_ms: Option<i64>,
    /// Not after.
    pub window_end_ms: Option<i64>,
    /// The customer insists on the door.
    pub door_required: bool,
    /// Handoffs the customer agreed to beforehand.
    pub consents: Vec<HandoffKind>,
    /// What to hand over, by waybill; never empty.
    pub parcels: Vec<Delivery>,
}

impl PlannedStop {
    pub(super) fn new(source: &str, first: Delivery) -> Self {
        Self {
            key: format!("stop/{source}/{}", first.waybill),
            position: first.position,
            window_start_ms: first.window_start_ms,
            window_end_ms: first.window_end_ms,
            door_required: first.door_required,
            consents: first.consents.clone(),
            parcels: vec![first],
        }
    }
}

/// The natural key of a parcel.
#[must_use]
pub fn parcel_key(source: &str, waybill: &str) -> String {
    format!("parcel/{source}/{waybill}")
}

/// Cuts deliveries into rounds; each is in exactly one. Waybills must be unique, as
/// [`super::read_rows`] gives them.
///
/// # Errors
/// [`GroupError`] if the deliveries lack what the rule groups by.
pub fn plan_rounds(
    deliveries: Vec<Delivery>,
    source: &str,
    rule: &GroupRule,
) -> Result<Vec<Round>, GroupError> {
    let batches = match &rule.by {
        GroupBy::Depot {
            radius_m,
            window_ms,
        } => by_depot(deliveries, *radius_m as f64, *window_ms)?,
        GroupBy::Column { .. } => by_label(deliveries)?,
        GroupBy::Single => by_day(deliveries),
    };
    let mut rounds: Vec<Round> = batches
        .into_iter()
        .flat_map(|batch| batch.into_rounds(source, rule))
        .collect();
    rounds.sort_by(|a, b| {
        (a.service_date, a.accepted_ms, &a.key).cmp(&(b.service_date, b.accepted_ms, &b.key))
    });
    Ok(rounds)
}

/// Deliveries that belong together, before the cap on stops.
struct Batch {
    name: String,
    label: Option<String>,
    depot: Option<LatLng>,
    service_date: NaiveDate,
    deliveries: Vec<Delivery>,
}

impl Batch {
    fn into_rounds(self, source: &str, rule: &GroupRule) -> Vec<Round> {
        let stops = merge_doors(self.deliveries, source, rule.merge_doors_m);
        let Some(centre) = self
            .depot
            .or_else(|| stops.first().map(|stop| stop.position))
        else {
            return Vec::new();
        };
        let parts = sectors(stops, centre, rule.max_stops);
        let (name, date) = (self.name, self.service_date);
        (1..)
            .zip(parts)
            .map(|(part, stops)| Round {
                key: format!("round/{source}/{date}/{name}/{part}"),
                label: self.label.clone(),
                depot: self.depot,
                service_date: date,
                accepted_ms: accepted_range(&stops),
                stops: nearest_first(stops, centre),
            })
            .collect()
    }
}

fn accepted_range(stops: &[PlannedStop]) -> (i64, i64) {
    let times = || {
        stops
            .iter()
            .flat_map(|stop| &stop.parcels)
            .map(|parcel| parcel.accepted_at_ms)
    };
    (
        times().min().unwrap_or_default(),
        times().max().unwrap_or_default(),
    )
}

fn service_date(delivery: &Delivery) -> NaiveDate {
    local_date(delivery.accepted_at_ms, delivery.utc_offset_min)
}

fn by_label(deliveries: Vec<Delivery>) -> Result<Vec<Batch>, GroupError> {
    let mut labels: BTreeMap<(NaiveDate, String), Vec<Delivery>> = BTreeMap::new();
    for delivery in deliveries {
        let label = delivery.round.clone().ok_or(GroupError::NoRound)?;
        labels
            .entry((service_date(&delivery), label))
            .or_default()
            .push(delivery);
    }
    let batch = |((service_date, label), deliveries): ((NaiveDate, String), Vec<Delivery>)| Batch {
        name: format!("label/{label}"),
        depot: most_common_depot(&deliveries),
        label: Some(label),
        service_date,
        deliveries,
    };
    Ok(labels.into_iter().map(batch).collect())
}

fn by_day(deliveries: Vec<Delivery>) -> Vec<Batch> {
    let mut days: BTreeMap<NaiveDate, Vec<Delivery>> = BTreeMap::new();
    for delivery in deliveries {
        days.entry(service_date(&delivery))
            .or_default()
            .push(delivery);
    }
    let batch = |(service_date, deliveries): (NaiveDate, Vec<Delivery>)| Batch {
        name: "day".to_owned(),
        depot: most_common_depot(&deliveries),
        label: None,
        service_date,
        deliveries,
    };
    days.into_iter().map(batch).collect()
}

fn by_depot(
    deliveries: Vec<Delivery>,
    radius_m: f64,
    window_ms: i64,
) -> Result<Vec<Batch>, GroupError> {
    let mut batches = Vec::new();
    for (depot, mut deliveries) in depots(deliveries, radius_m)? {
        deliveries
            .sort_by(|a, b| (a.accepted_at_ms, &a.waybill).cmp(&(b.accepted_at_ms, &b.waybill)));
        let mut first_ms = None;
        let mut open: Vec<Vec<Delivery>> = Vec::new();
        for delivery in deliveries {
            let accepted_ms = delivery.accepted_at_ms;
            match (first_ms, open.last_mut()) {
                (Some(first), Some(batch)) if accepted_ms - first <= window_ms => {
                    batch.push(delivery)
                }
                _ => {
                    first_ms = Some(accepted_ms);
                    open.push(vec![delivery]);
                }
            }
        }
        batches.extend(open.into_iter().filter_map(|deliveries| {
            let first = deliveries.first()?;
            let (at, lat, lng) = (first.accepted_at_ms, depot.lat, depot.lng);
            Some(Batch {
                name: format!("depot/{lat:.5},{lng:.5}/{at}"),
                label: None,
                depot: Some(depot),
                service_date: service_date(first),
                deliveries,
            })
        }));
    }
    Ok(batches)
}

/// A place where parcels were accepted, and how many.
struct Place {
    at: LatLng,
    parcels: u64,
    depot: Option<usize>,
}

/// Finds the depots and gives each its deliveries.
///
/// Fixes of one depot scatter. The fix with most parcels around it is taken as a depot and claims
/// all unclaimed fixes within the radius, then the next, and so on: no chain of fixes can join two
/// depots, and none is farther from its depot than the radius.
fn depots(
    deliveries: Vec<Delivery>,
    radius_m: f64,
) -> Result<Vec<(LatLng, Vec<Delivery>)>, GroupError> {
    let mut places = places(&deliveries)?;
    let band = radius_m / M_PER_LAT_DEGREE;
    let mut by_weight: Vec<(u64, usize)> = (0..places.len())
        .filter_map(|centre| {
            let at = places.get(centre)?.at;
            Some((
                near(&places, at, band, radius_m)
                    .map(|(_, place)| place.parcels)
                    .sum(),
                centre,
            ))
        })
        .collect();
    by_weight.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut found: Vec<(LatLng, Vec<Delivery>)> = Vec::new();
    for (_, centre) in by_weight {
        let Some(at) = places
            .get(centre)
            .filter(|place| place.depot.is_none())
            .map(|place| place.at)
        else {
            continue;
        };
        let claimed: Vec<usize> = near(&places, at, band, radius_m)
            .map(|(index, _)| index)
            .collect();
        for index in claimed {
            if let Some(place) = places.get_mut(index) {
                place.depot.get_or_insert(found.len());
            }
        }
        found.push((at, Vec::new()));
    }
    for delivery in deliveries {
        let depot = delivery.depot.ok_or(GroupError::NoDepot)?;
        let place = places
            .binary_search_by(|place| geo::order(&place.at, &depot))
            .ok();
        let home = place.and_then(|place| places.get(place)?.depot);
        if let Some((_, members)) = home.and_then(|home| found.get_mut(home)) {
            members.push(delivery);
        }
    }
    Ok(found)
}

/// The distinct acceptance fixes, sorted.
fn places(deliveries: &[Delivery]) -> Result<Vec<Place>, GroupError> {
    let fixes: Option<Vec<LatLng>> = deliveries.iter().map(|delivery| delivery.depot).collect();
    let mut fixes = fixes.ok_or(GroupError::NoDepot)?;
    fixes.sort_by(geo::order);
    let mut places: Vec<Place> = Vec::new();
    for at in fixes {
        match places.last_mut() {
            Some(last) if geo::order(&last.at, &at).is_eq() => last.parcels += 1,
            _ => places.push(Place {
                at,
                parcels: 1,
                depot: None,
            }),
        }
    }
    Ok(places)
}

/// The places within a radius. They are sorted by latitude, so only a band of them is looked at.
fn near(
    places: &[Place],
    at: LatLng,
    band: f64,
    radius_m: f64,
) -> impl Iterator<Item = (usize, &Place)> {
    let from = places.partition_point(|place| place.at.lat < at.lat - band);
    let within_band = move |(_, place): &(usize, &Place)| place.at.lat <= at.lat + band;
    places
        .iter()
        .enumerate()
        .skip(from)
        .take_while(within_band)
        .filter(move |(_, place)| geo::distance_m(at, place.at) <= radius_m)
}

fn most_common_depot(deliveries: &[Delivery]) -> Option<LatLng> {
    let with_depot: Vec<Delivery> = deliveries
        .iter()
        .filter(|d| d.depot.is_some())
        .cloned()
        .collect();
    let places = places(&with_depot).ok()?;
    let heavier = |a: &&Place, b: &&Place| a.parcels.cmp(&b.parcels).then(geo::order(&b.at, &a.at));
    places.iter().max_by(heavier).map(|place| place.at)
}
