//! Planning the order on the phone: shorter, never later, stable, and kept across a restart (A011–A017).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss
)]

use satchel_core::Error;
use satchel_core::model::plan::PlanView;
use satchel_protocol::feed::LatLng;
use satchel_protocol::ids::StopId;
use satchel_tests::day::{Day, MORNING_MS};
use satchel_tests::phone::Phone;
use satchel_tests::toy_hub::ToyHub;

const DEPOT: LatLng = LatLng {
    lat: 37.5,
    lng: 121.4,
};

/// A street of doors, given to the courier in an order that runs up and down it.
fn zigzag(count: u32) -> Day {
    (0..count).fold(Day::new(3), |day, n| {
        let door = if n % 2 == 0 { n / 2 } else { count - 1 - n / 2 };
        day.stop_with(1, |stop| {
            stop.place = LatLng {
                lat: DEPOT.lat,
                lng: DEPOT.lng + f64::from(door + 1) * 0.002,
            };
        })
    })
}

fn phone_with(day: &Day) -> (Phone, ToyHub) {
    let phone = Phone::new(11);
    let hub = ToyHub::new(phone.clock.clone());
    let (invite, courier) = hub.invite("王师傅");
    hub.give(courier, day.items());
    phone.enrol(&invite, &hub);
    (phone, hub)
}

fn order(plan: &PlanView) -> Vec<StopId> {
    plan.stops.iter().map(|s| s.stop_id).collect()
}

fn listed(phone: &Phone) -> Vec<StopId> {
    let stops = phone.core().stops().unwrap();
    stops.into_iter().map(|s| s.stop_id).collect()
}

#[test]
fn a_zigzag_becomes_one_way_down_the_street_and_the_list_follows() {
    let day = zigzag(20);
    let (phone, _hub) = phone_with(&day);
    let plan = phone.core().plan(Some(DEPOT)).unwrap();
    let lngs: Vec<f64> = order(&plan)
        .iter()
        .map(|id| phone.stop(*id).place.lng)
        .collect();
    assert!(lngs.windows(2).all(|w| w[0] < w[1]), "{lngs:?}");
    assert!(plan.distance_m < plan.distance_before_m / 5.0);
    assert!(plan.completion_ms < plan.completion_before_ms);
    assert_eq!(listed(&phone), order(&plan));
    for stop in &plan.stops {
        assert!(stop.eta_from_ms <= stop.arrival_ms + stop.wait_ms);
        assert!(stop.eta_to_ms >= stop.arrival_ms);
    }
}

#[test]
fn a_closing_window_goes_first_even_when_it_is_the_longer_way() {
    let mut day = zigzag(12);
    let last = day.stops.len() - 1;
    let far = day
        .stops
        .iter()
        .map(|s| s.place.lng)
        .fold(f64::MIN, f64::max);
    day.stops[last].place.lng = far + 0.002;
    day.stops[last].window_end_ms = Some(MORNING_MS + 15 * 60 * 1_000);
    let (phone, _hub) = phone_with(&day);
    let plan = phone.core().plan(Some(DEPOT)).unwrap();
    let visit = plan.stops.iter().find(|s| s.stop_id == day.stop_id(last));
    assert_eq!(visit.unwrap().lateness_ms, 0);
    assert!(
        plan.lateness_before > 0,
        "the given order would have been late"
    );
    assert_eq!(plan.lateness, 0);
}

#[test]
fn after_a_delivery_the_plan_is_kept_and_after_a_restart_it_is_still_there() {
    let day = zigzag(16);
    let (mut phone, _hub) = phone_with(&day);
    let first = phone.core().plan(Some(DEPOT)).unwrap();
    let done = first.stops[0].stop_id;
    phone.deliver(done, 1).unwrap();
    let second = phone.core().plan(Some(phone.stop(done).place)).unwrap();
    assert_eq!(order(&second), order(&first)[1..]);
    assert_eq!((second.pairs_kept, second.pairs_known), (14, 14));
    phone.kill();
    phone.restart();
    let open: Vec<StopId> = listed(&phone).into_iter().filter(|s| *s != done).collect();
    assert_eq!(open, order(&second));
}

#[test]
fn a_position_that_is_none_and_an_empty_day_are_no_trouble() {
    let day = zigzag(0);
    let (phone, _hub) = phone_with(&day);
    assert!(phone.core().plan(None).unwrap().stops.is_empty());
    let nowhere = LatLng {
        lat: f64::NAN,
        lng: 0.0,
    };
    assert!(matches!(
        phone.core().plan(Some(nowhere)),
        Err(Error::InvalidInput { what: "position" })
    ));
}
