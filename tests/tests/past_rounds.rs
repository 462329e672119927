//! What months of work do to a phone: nothing. A day that is over leaves the lists when the hub has everything of
//! it, is still to be found, and comes back when something about it changes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use satchel_core::Error;
use satchel_core::model::history::CorrectionInput;
use satchel_core::model::stop::{StopState, SyncState};
use satchel_core::sync::task::{Network, Task, TaskOutcome};
use satchel_protocol::crypto::Secret32;
use satchel_protocol::feed::OtherRoundItem;
use satchel_protocol::ids::{CourierId, RouteId, StopId};
use satchel_protocol::transitions::Correction;
use satchel_tests::day::{Day, MORNING_MS};
use satchel_tests::phone::{Phone, SyncEnd};
use satchel_tests::toy_hub::ToyHub;
use serde_json::json;
use uuid::Uuid;

const DAY_MS: i64 = 24 * 3_600_000;

struct World {
    phone: Phone,
    hub: ToyHub,
    day: Day,
    courier: CourierId,
}

impl World {
    /// A phone with a round of three stops.
    fn new() -> Self {
        let phone = Phone::new(1);
        let hub = ToyHub::new(phone.clock.clone());
        let (invite, courier) = hub.invite("王师傅");
        let day = Day::new(1).stops(3);
        hub.give(courier, day.items());
        phone.enrol(&invite, &hub);
        Self {
            phone,
            hub,
            day,
            courier,
        }
    }

    fn pass_days(&self, days: i64) {
        self.phone.clock.advance_ms(days * DAY_MS);
    }

    fn sync(&self) {
        assert_eq!(self.phone.sync(&self.hub), SyncEnd::Done);
    }

    /// It asks, and no answer comes.
    fn idle(&self) {
        let core = self.phone.core();
        while let Task::Http(task) = core.next_task(Network::Unmetered).unwrap() {
            core.complete_task(&task.id, TaskOutcome::Failed).unwrap();
        }
    }

    fn listed(&self) -> Vec<StopId> {
        let stops = self.phone.core().stops().unwrap();
        stops.into_iter().map(|s| s.stop_id).collect()
    }

    fn route(&self) -> RouteId {
        self.day.route.route_id
    }
}

#[test]
fn a_day_that_is_over_leaves_the_lists_and_is_still_to_be_found() {
    let w = World::new();
    w.phone.deliver(w.day.stop_id(0), 1).unwrap();
    w.phone.deliver(w.day.stop_id(1), 2).unwrap();
    w.sync();
    assert_eq!(w.listed().len(), 3, "the evening of the same day");
    let seen = w.phone.core().changes_since(0).unwrap().version;
    w.pass_days(3);
    w.sync();
    // What is left to do stays, however old; the round is shown for it and counts all of its stops.
    assert_eq!(w.listed(), [w.day.stop_id(2)]);
    let routes = w.phone.core().routes().unwrap();
    assert_eq!(routes.len(), 1);
    assert_eq!((routes[0].open_stops, routes[0].total_stops), (1, 3));
    assert!(w.phone.core().past_routes(0, 10).unwrap().is_empty());
    let mut gone = w.phone.core().changes_since(seen).unwrap().stops;
    gone.sort();
    let mut expected = vec![w.day.stop_id(0), w.day.stop_id(1)];
    expected.sort();
    assert_eq!(gone, expected, "an app is told which rows to drop");
    assert!(w.phone.stop(w.day.stop_id(0)).past);

    w.phone.deliver(w.day.stop_id(2), 3).unwrap();
    w.sync();
    w.pass_days(2);
    w.sync();
    assert!(w.listed().is_empty());
    assert!(w.phone.core().routes().unwrap().is_empty());
    let past = w.phone.core().past_routes(0, 10).unwrap();
    assert_eq!(past.len(), 1);
    assert_eq!((past[0].route_id, past[0].total_stops), (w.route(), 3));
    assert!(w.phone.core().past_routes(1, 10).unwrap().is_empty());
    let stops = w.phone.core().stops_of(w.route()).unwrap();
    assert_eq!(stops.len(), 3);
    for stop in stops {
        assert_eq!(
            (stop.state, stop.sync),
            (StopState::Done, SyncState::ProofComplete)
        );
        assert!(w.phone.core().reveal(stop.stop_id).is_ok());
    }
    let report = w.phone.core().load_report(w.route()).unwrap();
    assert!(report.missorts.is_empty());
    let unknown = RouteId(Uuid::from_u128(9));
    let refused = w.phone.core().stops_of(unknown);
    assert!(matches!(refused, Err(Error::NotFound { what: "route" })));
}

#[test]
fn what_the_hub_has_not_signed_for_stays_in_the_list() {
    let w = World::new();
    w.phone.deliver(w.day.stop_id(0), 1).unwrap();
    w.sync();
    w.phone.deliver(w.day.stop_id(1), 2).unwrap();
    w.pass_days(5);
    w.idle();
    assert_eq!(w.phone.stop(w.day.stop_id(1)).sync, SyncState::Local);
    assert_eq!(w.listed(), [w.day.stop_id(1), w.day.stop_id(2)]);
}

#[test]
fn a_past_delivery_comes_back_while_something_about_it_is_open() {
    let mut w = World::new();
    for n in 0..3 {
        w.phone.deliver(w.day.stop_id(n), n as u64).unwrap();
    }
    w.sync();
    w.pass_days(3);
    w.sync();
    assert!(w.listed().is_empty());
    let seen = w.phone.core().changes_since(0).unwrap().version;
    assert!(w.phone.core().changes_since(0).unwrap().stops.is_empty());
    let key = Secret32::new([0x42; 32]);
    w.phone.core().rekey(key.clone()).unwrap();
    w.phone.key = *key.expose();
    w.phone.restart();

    // A rating is read, its stop has changed, and the list stays short.
    let rating = json!({
        "parcel_id": w.day.parcel_id(0, 0), "stars": 4, "timeliness": 5, "attitude": 4,
        "information": null, "tags": [], "comment": null, "rated_at_ms": MORNING_MS, "bound": true
    });
    w.hub.give(w.courier, [("rating".to_owned(), rating)]);
    w.sync();
    let core = w.phone.core();
    assert!(w.listed().is_empty());
    assert_eq!(core.changes_since(seen).unwrap().stops, [w.day.stop_id(0)]);
    assert_eq!(
        w.phone.stop(w.day.stop_id(0)).parcels[0]
            .rating
            .clone()
            .unwrap()
            .stars,
        4
    );

    // A handover that is opened again is work, and what he records about it is to be sent.
    let reopened = CorrectionInput {
        parcel: w.day.parcel_id(1, 0),
        correction: Correction::Reopen,
        of: None,
        words: Some("handed back over the counter".into()),
        draft: None,
    };
    core.correct(&reopened).unwrap();
    assert_eq!(w.listed(), [w.day.stop_id(1)]);
    assert_eq!(core.routes().unwrap()[0].total_stops, 3);
    w.sync();
    assert_eq!(w.listed(), [w.day.stop_id(1)]);
    w.phone.deliver(w.day.stop_id(1), 7).unwrap();
    w.sync();
    w.pass_days(2);
    w.sync();
    assert!(w.listed().is_empty());
    let past = core.stops_of(w.route()).unwrap();
    assert!(
        past.iter()
            .all(|s| s.past && s.sync == SyncState::ProofComplete)
    );
}

#[test]
fn a_fast_clock_takes_no_round_of_today_away_for_good() {
    let w = World::new();
    w.phone.deliver(w.day.stop_id(0), 1).unwrap();
    w.sync();
    w.phone.clock.jump_wall_ms(40 * DAY_MS);
    w.phone.clock.advance_ms(20 * 60_000);
    w.idle();
    assert_eq!(w.listed().len(), 2);
    w.phone.clock.jump_wall_ms(-40 * DAY_MS);
    w.phone.clock.advance_ms(20 * 60_000);
    w.idle();
    assert_eq!(w.listed().len(), 3);
}

#[test]
fn the_numbers_of_others_end_with_their_day() {
    let w = World::new();
    let other = |date: &str, n: u128| {
        let item = OtherRoundItem {
            route_id: RouteId(Uuid::from_u128(n)),
            name: format!("R{n}"),
            service_date: date.into(),
            waybills: vec![format!("OTHER{n}")],
        };
        (
            OtherRoundItem::KIND.to_owned(),
            serde_json::to_value(item).unwrap(),
        )
    };
    w.hub
        .give(w.courier, [other("2026-11-21", 1), other("2026-11-24", 2)]);
    w.sync();
    let scan = |text: &str| {
        let result = w.phone.core().load_scan(w.route(), text, false).unwrap();
        format!("{:?}", result.result)
    };
    assert!(scan("OTHER1").contains("R1") && scan("OTHER2").contains("R2"));
    w.pass_days(3);
    w.sync();
    assert!(!scan("OTHER1").contains("R1") && scan("OTHER2").contains("R2"));
}
