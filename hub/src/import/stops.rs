//! Parcels to stops, and stops to sectors and to an order of driving.
//!
//! Everything here starts from a sorted list, so that the order of rows in the file changes nothing.

use std::collections::BTreeMap;

use satchel_protocol::feed::LatLng;
use satchel_protocol::taxonomy::HandoffKind;

use super::geo::{bearing_deg, distance_m};
use super::model::Delivery;
use super::rounds::PlannedStop;

/// What must be equal for two parcels to be handed over in one go.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Door {
    address: String,
    recipient_name: Option<String>,
    recipient_phone: Option<String>,
    window_ms: (Option<i64>, Option<i64>),
    door_required: bool,
    consents: Vec<HandoffKind>,
    /// Set where nobody is named: then an equal address may still be another flat.
    only_waybill: Option<String>,
}

impl Door {
    fn of(delivery: &Delivery) -> Self {
        let nobody = delivery.recipient_name.is_none() && delivery.recipient_phone.is_none();
        Self {
            address: delivery.address.clone(),
            recipient_name: delivery.recipient_name.clone(),
            recipient_phone: delivery.recipient_phone.clone(),
            window_ms: (delivery.window_start_ms, delivery.window_end_ms),
            door_required: delivery.door_required,
            consents: delivery.consents.clone(),
            only_waybill: nobody.then(|| delivery.waybill.clone()),
        }
    }
}

/// Makes stops: parcels for one person at one address within `merge_doors_m` become one stop.
pub(super) fn merge_doors(
    deliveries: Vec<Delivery>,
    source: &str,
    merge_doors_m: u64,
) -> Vec<PlannedStop> {
    let mut doors: BTreeMap<Door, Vec<Delivery>> = BTreeMap::new();
    for delivery in deliveries {
        doors.entry(Door::of(&delivery)).or_default().push(delivery);
    }
    let mut stops = Vec::new();
    for mut parcels in doors.into_values() {
        parcels.sort_by(|a, b| a.waybill.cmp(&b.waybill));
        let mut here: Vec<PlannedStop> = Vec::new();
        for parcel in parcels {
            let near = |stop: &&mut PlannedStop| {
                merge_doors_m > 0
                    && distance_m(stop.position, parcel.position) <= merge_doors_m as f64
            };
            match here.iter_mut().find(near) {
                Some(stop) => stop.parcels.push(parcel),
                None => here.push(PlannedStop::new(source, parcel)),
            }
        }
        stops.append(&mut here);
    }
    stops.sort_by(|a, b| a.key.cmp(&b.key));
    stops
}

/// Cuts stops into as few parts of at most `max_stops` as possible, each one sector as seen from
/// `centre`: couriers of one depot share out the town by direction, and cross each other's way least.
pub(super) fn sectors(
    stops: Vec<PlannedStop>,
    centre: LatLng,
    max_stops: u64,
) -> Vec<Vec<PlannedStop>> {
    let max = usize::try_from(max_stops.max(1)).unwrap_or(usize::MAX);
    let parts = stops.len().div_ceil(max);
    if parts <= 1 {
        return vec![stops];
    }
    let bearing = |stop: &PlannedStop| bearing_deg(centre, stop.position);
    let mut around: Vec<(f64, PlannedStop)> = stops
        .into_iter()
        .map(|stop| (bearing(&stop), stop))
        .collect();
    around.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.key.cmp(&b.1.key)));
    // Begin where the widest empty sector ends, so that no cut is needed there.
    let before = around.last().map_or(0.0, |last| last.0 - 360.0);
    let mut widest = (0, f64::NEG_INFINITY);
    let mut previous = before;
    for (place, (degrees, _)) in around.iter().enumerate() {
        if degrees - previous > widest.1 {
            widest = (place, degrees - previous);
        }
        previous = *degrees;
    }
    around.rotate_left(widest.0);
    let (share, extra) = (around.len() / parts, around.len() % parts);
    let mut rest = around.into_iter().map(|(_, stop)| stop);
    (0..parts)
        .map(|part| {
            rest.by_ref()
                .take(share + usize::from(part < extra))
                .collect()
        })
        .collect()
}

/// Orders stops by always going to the nearest next one. The phone re-sequences with time windows
/// and traffic; this only gives it, and the dispatcher's list, a sensible start.
pub(super) fn nearest_first(mut stops: Vec<PlannedStop>, start: LatLng) -> Vec<PlannedStop> {
    let mut ordered = Vec::with_capacity(stops.len());
    let mut here = start;
    loop {
        let to = |stop: &PlannedStop| distance_m(here, stop.position);
        let by_distance = |(_, a): &(usize, &PlannedStop), (_, b): &(usize, &PlannedStop)| {
            to(a).total_cmp(&to(b)).then_with(|| a.key.cmp(&b.key))
        };
        let Some(nearest) = stops
            .iter()
            .enumerate()
            .min_by(by_distance)
            .map(|(place, _)| place)
        else {
            return ordered;
        };
        let stop = stops.swap_remove(nearest);
        here = stop.position;
        ordered.push(stop);
    }
}
