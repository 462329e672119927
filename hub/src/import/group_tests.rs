//! Grouping: the rule's text, and what holds for every set of rounds.

use std::collections::BTreeSet;

use proptest::prelude::*;
use satchel_protocol::feed::LatLng;
use satchel_protocol::taxonomy::PromiseClass;

use super::geo::distance_m;
use super::*;

fn delivery(number: u64, position: LatLng, depot: LatLng, accepted_min: i64) -> Delivery {
    Delivery {
        row: number,
        waybill: format!("W{number:04}"),
        position,
        address: format!("Lane {}", number % 7),
        recipient_name: Some(format!("N{}", number % 7)),
        recipient_phone: None,
        accepted_at_ms: 1_628_899_200_000 + accepted_min * 60_000,
        utc_offset_min: 480,
        window_start_ms: None,
        window_end_ms: None,
        promise_class: PromiseClass::SameCity,
        tags: Vec::new(),
        door_required: false,
        consents: Vec::new(),
        depot: Some(depot),
        driven_at_ms: None,
        round: Some(format!("courier {}", number % 3)),
        tier: None,
        min_age_years: None,
        contents: Contents::default(),
        temperature: None,
        code: None,
        pickup_until_ms: None,
    }
}

fn at(lat: f64, lng: f64) -> LatLng {
    LatLng { lat, lng }
}

fn rule(text: &str) -> GroupRule {
    text.parse().unwrap()
}

#[test]
fn rules_are_read_with_their_units() {
    let depot = rule(" depot = 1km , window=2h,max=40,merge=0m");
    assert_eq!(
        depot.by,
        GroupBy::Depot {
            radius_m: 1_000,
            window_ms: 7_200_000
        }
    );
    assert_eq!((depot.max_stops, depot.merge_doors_m), (40, 0));
    let column = rule("column=快递员");
    assert_eq!(
        column.by,
        GroupBy::Column {
            name: Some("快递员".to_owned())
        }
    );
    assert_eq!(rule("single,max=25").max_stops, 25);
    assert_eq!(rule("depot=150m,window=20min").max_stops, 60);
}

#[test]
fn bad_rules_say_what_is_wrong() {
    let message = |text: &str| text.parse::<GroupRule>().unwrap_err().to_string();
    assert!(message("").contains("begins with"));
    assert!(message("max=3").contains("begins with"));
    assert!(message("single=1").contains("begins with"));
    assert!(message("depot=150m").contains("needs window"));
    assert!(message("depot=150,window=20min").contains("such as 150m"));
    assert!(message("depot=-5m,window=20min").contains("such as 150m"));
    assert!(message("depot=99999999999999999999km,window=20min").contains("between 10m and 50km"));
    assert!(message("depot=150m,window=20min,max=0").contains("between 1 and 500"));
    assert!(message("depot=150m,window=20min,max=5,max=6").contains("max is given twice"));
    assert!(message("single,window=20min").contains("\"window\" means nothing"));
}

#[test]
fn two_depots_and_two_times_are_three_rounds() {
    let (north, south) = (at(37.55, 121.38), at(37.41, 121.38));
    let near_north = at(37.5505, 121.3805); // about 70 m off
    let door = |number: u64| at(37.5 + number as f64 / 1_000.0, 121.4);
    let deliveries = vec![
        delivery(1, door(1), north, 0),
        delivery(2, door(2), near_north, 15),
        delivery(3, door(3), north, 90),
        delivery(4, door(4), south, 5),
    ];
    let rounds = plan_rounds(deliveries, "t", &rule("depot=150m,window=20min,merge=0m")).unwrap();
    let contents: Vec<Vec<&str>> = rounds
        .iter()
        .map(|round| {
            let mut names: Vec<&str> = round
                .stops
                .iter()
                .flat_map(|stop| &stop.parcels)
                .map(|parcel| parcel.waybill.as_str())
                .collect();
            names.sort_unstable();
            names
        })
        .collect();
    assert_eq!(
        contents,
        [vec!["W0001", "W0002"], vec!["W0004"], vec!["W0003"]]
    );
    assert_eq!(
        rounds[0].key,
        "round/t/2021-08-14/depot/37.55000,121.38000/1628899200000/1"
    );
    assert_eq!(
        rounds[0].accepted_ms,
        (1_628_899_200_000, 1_628_900_100_000)
    );
}

#[test]
fn one_person_at_one_door_is_one_stop_and_a_neighbour_is_another() {
    let depot = at(37.55, 121.38);
    let door = at(37.50000, 121.40000);
    let beside = at(37.50005, 121.40005); // about 7 m
    let far = at(37.50050, 121.40000); // about 56 m
    let mut other_person = delivery(21, door, depot, 0);
    other_person.recipient_name = Some("Someone else".to_owned());
    let mut nobody = delivery(28, door, depot, 0);
    nobody.recipient_name = None;
    let mut later = delivery(35, door, depot, 0);
    later.window_end_ms = Some(later.accepted_at_ms + 3_600_000);
    let deliveries = vec![
        delivery(7, door, depot, 0),
        delivery(14, beside, depot, 0),
        other_person,
        nobody,
        later,
        delivery(42, far, depot, 0),
    ];
    let rounds = plan_rounds(deliveries, "t", &rule("single,merge=15m")).unwrap();
    let mut parcels: Vec<usize> = rounds[0]
        .stops
        .iter()
        .map(|stop| stop.parcels.len())
        .collect();
    parcels.sort_unstable();
    assert_eq!(parcels, [1, 1, 1, 1, 2]);
    let both = rounds[0]
        .stops
        .iter()
        .find(|stop| stop.parcels.len() == 2)
        .unwrap();
    assert_eq!(both.key, "stop/t/W0007");
}

#[test]
fn too_many_stops_are_cut_by_direction_into_equal_shares() {
    let depot = at(37.5, 121.4);
    // Four doors to each of the four points of the compass.
    let doors = [(0.05, 0.0), (0.0, 0.05), (-0.05, 0.0), (0.0, -0.05)];
    let deliveries: Vec<Delivery> = (0..16_u64)
        .map(|number| {
            let (lat, lng) = doors[number as usize % 4];
            delivery(
                number,
                at(37.5 + lat, 121.4 + lng + number as f64 / 10_000.0),
                depot,
                0,
            )
        })
        .collect();
    let rounds = plan_rounds(
        deliveries,
        "t",
        &rule("depot=150m,window=20min,max=5,merge=0m"),
    )
    .unwrap();
    assert_eq!(rounds.len(), 4);
    for round in &rounds {
        let sides: BTreeSet<u64> = round
            .stops
            .iter()
            .flat_map(|stop| &stop.parcels)
            .map(|parcel| parcel.row % 4)
            .collect();
        assert_eq!((round.stops.len(), sides.len()), (4, 1));
    }
}

#[test]
fn a_rule_needs_what_it_groups_by() {
    let mut stray = delivery(1, at(37.5, 121.4), at(37.5, 121.4), 0);
    stray.depot = None;
    stray.round = None;
    let plan = |text: &str| plan_rounds(vec![stray.clone()], "t", &rule(text));
    assert_eq!(plan("depot=150m,window=20min"), Err(GroupError::NoDepot));
    assert_eq!(plan("column"), Err(GroupError::NoRound));
    assert_eq!(plan("single").map(|rounds| rounds.len()), Ok(1));
}

#[test]
fn a_new_service_day_begins_at_local_midnight() {
    let place = at(37.5, 121.4);
    // Minute 0 is 08:00 in UTC+8; 16 h later a new day begins there, though not in UTC.
    let deliveries = vec![
        delivery(1, place, place, 0),
        delivery(2, place, place, 16 * 60),
    ];
    let rounds = plan_rounds(deliveries, "t", &rule("single")).unwrap();
    let days: Vec<String> = rounds
        .iter()
        .map(|round| round.service_date.to_string())
        .collect();
    assert_eq!(days, ["2021-08-14", "2021-08-15"]);
}

fn any_deliveries() -> impl Strategy<Value = Vec<Delivery>> {
    let spot = (0..40_i32, 0..40_i32);
    // Depots on a 50 m grid, so that radius decisions are near ties; doors often coincide.
    proptest::collection::vec((spot.clone(), spot, 0..300_i64), 1..120).prop_map(|rows| {
        let place = |(north, east): (i32, i32), step: f64| {
            at(
                37.4 + f64::from(north) * step,
                121.3 + f64::from(east) * step,
            )
        };
        (0..)
            .zip(rows)
            .map(|(number, (door, depot, minute))| {
                delivery(number, place(door, 0.000_1), place(depot, 0.000_45), minute)
            })
            .collect()
    })
}

fn any_rule() -> impl Strategy<Value = GroupRule> {
    let depot = (10..2_000_u64, 1..200_i64).prop_map(|(radius_m, minutes)| GroupBy::Depot {
        radius_m,
        window_ms: minutes * 60_000,
    });
    let by = prop_oneof![
        depot,
        Just(GroupBy::Column { name: None }),
        Just(GroupBy::Single)
    ];
    (by, 1..40_u64, 0..60_u64).prop_map(|(by, max_stops, merge_doors_m)| GroupRule {
        by,
        max_stops,
        merge_doors_m,
    })
}

proptest! {
    #[test]
    fn every_delivery_is_in_one_round_and_every_round_keeps_the_rule(
        deliveries in any_deliveries(), rule in any_rule()
    ) {
        let before: BTreeSet<String> = deliveries.iter().map(|delivery| delivery.waybill.clone()).collect();
        let rounds = plan_rounds(deliveries.clone(), "t", &rule).unwrap();
        let after: Vec<&Delivery> =
            rounds.iter().flat_map(|round| &round.stops).flat_map(|stop| &stop.parcels).collect();
        prop_assert_eq!(after.len(), deliveries.len());
        prop_assert_eq!(&after.iter().map(|delivery| delivery.waybill.clone()).collect::<BTreeSet<_>>(), &before);
        let keys: BTreeSet<&String> = rounds.iter().map(|round| &round.key).collect();
        prop_assert_eq!(keys.len(), rounds.len());
        for round in &rounds {
            prop_assert!(!round.stops.is_empty());
            prop_assert!(round.stops.len() as u64 <= rule.max_stops);
            for stop in &round.stops {
                for parcel in &stop.parcels {
                    prop_assert!(distance_m(stop.position, parcel.position) <= rule.merge_doors_m as f64);
                    prop_assert_eq!(&parcel.recipient_name, &stop.parcels[0].recipient_name);
                }
            }
            let parcels = round.stops.iter().flat_map(|stop| &stop.parcels);
            match rule.by {
                GroupBy::Depot { radius_m, window_ms } => {
                    prop_assert!(round.accepted_ms.1 - round.accepted_ms.0 <= window_ms);
                    for parcel in parcels {
                        let off_m = distance_m(round.depot.unwrap(), parcel.depot.unwrap());
                        prop_assert!(off_m <= radius_m as f64);
                    }
                }
                GroupBy::Column { .. } => {
                    for parcel in parcels {
                        prop_assert_eq!(&parcel.round, &round.label);
                    }
                }
                GroupBy::Single => {}
            }
        }
    }

    #[test]
    fn the_order_of_rows_changes_nothing(
        (deliveries, shuffled) in any_deliveries().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        rule in any_rule()
    ) {
        prop_assert_eq!(plan_rounds(deliveries, "t", &rule), plan_rounds(shuffled, "t", &rule));
    }
}
