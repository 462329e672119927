//! An invented day as a file of deliveries: what a depot's own system would export, with a mapping to
//! read it by. It goes through the hub's real import like any other file.

use std::fmt::Write as _;

use chrono::{DateTime, FixedOffset};
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

use super::words::{ESTATES, GIVEN, STREETS, SURNAMES, TOWN, TOWN_CENTRE};
use crate::seed;

/// The town keeps the time of its longitude.
pub const UTC_OFFSET_MIN: i32 = 480;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// A courier's district is this many degrees across: about a kilometre.
const DISTRICT_DEG: f64 = 0.012;

/// How the file's columns are read.
pub const MAPPING: &str = include_str!("../../assets/demo-mapping.json");

const HEADER: &str = "waybill,courier,lat,lng,address,name,phone,accepted_at,window_start,\
    window_end,promise,tags,door_required,consents,driven_at";

/// What kind of day to invent.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The same seed gives the same day.
    pub seed: u64,
    /// Who drives; one round each.
    pub couriers: Vec<String>,
    /// Doors a courier.
    pub stops_each: u32,
    /// When the first courier leaves the depot, Unix milliseconds.
    pub leave_ms: i64,
    /// How long the round takes; the doors are spread over it.
    pub round_ms: i64,
}

/// Writes the day as CSV.
#[must_use]
pub fn csv(plan: &Plan) -> String {
    let mut out = format!("{HEADER}\n");
    for (at, courier) in plan.couriers.iter().enumerate() {
        let mut rng = seed::rng(plan.seed, &format!("round/{courier}"));
        let round = Round {
            plan,
            courier,
            number: u32::try_from(at).unwrap_or(u32::MAX),
            centre: district(at, plan.couriers.len()),
        };
        round.write(&mut rng, &mut out);
    }
    out
}

/// The districts lie in a ring around the middle of the town.
fn district(at: usize, of: usize) -> (f64, f64) {
    let count = u32::try_from(of.max(1)).unwrap_or(u32::MAX);
    let turn = f64::from(u32::try_from(at).unwrap_or(0)) / f64::from(count);
    let angle = turn * core::f64::consts::TAU;
    (
        TOWN_CENTRE.0 + 0.02 * angle.sin(),
        TOWN_CENTRE.1 + 0.025 * angle.cos(),
    )
}

struct Round<'a> {
    plan: &'a Plan,
    courier: &'a str,
    number: u32,
    centre: (f64, f64),
}

impl Round<'_> {
    fn write(&self, rng: &mut StdRng, out: &mut String) {
        let each_ms = self.plan.round_ms / i64::from(self.plan.stops_each.max(1));
        let street = pick(rng, STREETS);
        for stop in 0..self.plan.stops_each {
            // Some minutes early or late, never out of order.
            let jitter_ms = rng.random_range(0..(each_ms / 2).max(1));
            let driven_ms =
                self.plan.leave_ms + each_ms * i64::from(stop) + each_ms / 3 + jitter_ms;
            let door = self.door(rng, street, stop, driven_ms);
            let parcels = match rng.random_range(0..20_u8) {
                0 | 1 => 2,
                2 => 3,
                _ => 1,
            };
            for parcel in 0..parcels {
                self.parcel(rng, &door, stop, parcel, out);
            }
        }
    }

    fn door(&self, rng: &mut StdRng, street: &str, stop: u32, driven_ms: i64) -> Door {
        let offset = |rng: &mut StdRng| rng.random_range(-DISTRICT_DEG..DISTRICT_DEG) / 2.0;
        let (estate, number) = (pick(rng, ESTATES), 1 + stop * 2);
        let (block, room) = (rng.random_range(1..9_u8), rng.random_range(1..7_u16));
        let half_hour = 30 * MINUTE_MS;
        let window = rng.random_bool(0.3).then(|| {
            let from = (driven_ms - HOUR_MS) / half_hour * half_hour;
            (from, from + 2 * HOUR_MS)
        });
        let door_required = rng.random_bool(0.12);
        let consents = match rng.random_range(0..12_u8) {
            0 => "LOCKER",
            1 => "STATION",
            2 => "LEAVE_AT_DOOR|NEIGHBOUR",
            3 => "FRONT_DESK",
            _ => "",
        };
        Door {
            lat: self.centre.0 + offset(rng),
            lng: self.centre.1 + offset(rng),
            address: format!("{TOWN}{street}{number}号{estate}{block}栋{room}0{block}室"),
            name: format!("{}{}", pick(rng, SURNAMES), pick(rng, GIVEN)),
            phone: format!("1000000{:04}", rng.random_range(0..10_000_u16)),
            driven_ms,
            window,
            door_required,
            consents,
        }
    }

    fn parcel(&self, rng: &mut StdRng, door: &Door, stop: u32, parcel: u32, out: &mut String) {
        let promise = match rng.random_range(0..10_u8) {
            0..=5 => "same_city",
            6 | 7 => "same_day",
            _ => "cross_province",
        };
        // All of a round is accepted on one local day, or the import would make two rounds of it.
        let leave_ms = self.plan.leave_ms;
        let accepted_ms = (leave_ms - rng.random_range(20..90) * MINUTE_MS).max(midnight(leave_ms));
        let tags = match rng.random_range(0..10_u8) {
            0 => "fresh",
            1 => "fragile",
            2 => "fresh|fragile",
            _ => "",
        };
        let (from, to) = match door.window {
            Some((from, to)) => (local(from), local(to)),
            None => (String::new(), String::new()),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "DEMO{:02}{:03}{parcel},{},{:.6},{:.6},{},{},{},{},{from},{to},{promise},{tags},{},{},{}",
            self.number + 1,
            stop + 1,
            self.courier,
            door.lat,
            door.lng,
            door.address,
            door.name,
            door.phone,
            local(accepted_ms),
            if door.door_required { "是" } else { "否" },
            door.consents,
            local(door.driven_ms),
        );
    }
}

struct Door {
    lat: f64,
    lng: f64,
    address: String,
    name: String,
    phone: String,
    driven_ms: i64,
    window: Option<(i64, i64)>,
    door_required: bool,
    consents: &'static str,
}

fn pick<'a>(rng: &mut StdRng, words: &[&'a str]) -> &'a str {
    words.choose(rng).copied().unwrap_or_default()
}

/// The start of the local day.
fn midnight(unix_ms: i64) -> i64 {
    let offset_ms = i64::from(UTC_OFFSET_MIN) * MINUTE_MS;
    unix_ms - (unix_ms + offset_ms).rem_euclid(24 * HOUR_MS)
}

/// Local time as the mapping reads it.
fn local(unix_ms: i64) -> String {
    let zone = FixedOffset::east_opt(UTC_OFFSET_MIN * 60);
    zone.zip(DateTime::from_timestamp_millis(unix_ms))
        .map(|(zone, at)| {
            at.with_timezone(&zone)
                .format("%Y-%m-%d %H:%M:%S")
                .to_string()
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use satchel_hub::import::{Format, Mapping, plan_rounds, read_rows};

    fn plan(seed: u64) -> Plan {
        Plan {
            seed,
            couriers: vec!["甲".into(), "乙".into(), "丙".into()],
            stops_each: 20,
            leave_ms: 1_772_413_200_000,
            round_ms: 9 * HOUR_MS,
        }
    }

    #[test]
    fn a_demo_started_just_after_midnight_still_has_one_round_a_courier() {
        let midnight_ms = midnight(1_772_413_200_000);
        let text = csv(&Plan {
            leave_ms: midnight_ms + 7 * MINUTE_MS,
            ..plan(1)
        });
        let mapping = Mapping::from_json(MAPPING.as_bytes()).unwrap();
        let imported = read_rows(text.as_bytes(), Format::Csv, &mapping).unwrap();
        let rule = mapping.group().unwrap().clone();
        assert_eq!(
            plan_rounds(imported.deliveries, mapping.source(), &rule)
                .unwrap()
                .len(),
            3
        );
    }

    #[test]
    fn the_same_seed_gives_the_same_day_and_another_seed_another() {
        assert_eq!(csv(&plan(1)), csv(&plan(1)));
        assert_ne!(csv(&plan(1)), csv(&plan(2)));
    }

    #[test]
    fn the_import_takes_every_row_and_gives_each_courier_one_round_with_merged_doors() {
        let mapping = Mapping::from_json(MAPPING.as_bytes()).unwrap();
        let text = csv(&plan(seed::DEFAULT_SEED));
        let imported = read_rows(text.as_bytes(), Format::Csv, &mapping).unwrap();
        assert_eq!(imported.errors, []);
        let rule = mapping.group().unwrap().clone();
        let rounds = plan_rounds(imported.deliveries, mapping.source(), &rule).unwrap();
        let shape: Vec<_> = rounds
            .iter()
            .map(|r| (r.label.clone().unwrap(), r.stops.len()))
            .collect();
        assert_eq!(rounds.len(), 3);
        assert!(shape.iter().all(|(_, stops)| *stops == 20), "{shape:?}");
        let stops = || rounds.iter().flat_map(|r| &r.stops);
        assert!(stops().any(|s| s.parcels.len() > 1));
        assert!(stops().any(|s| !s.consents.is_empty()));
        assert!(stops().flat_map(|s| &s.parcels).any(|p| !p.tags.is_empty()));
        assert!(
            stops()
                .flat_map(|s| &s.parcels)
                .all(|p| p.driven_at_ms.is_some())
        );
    }
}
