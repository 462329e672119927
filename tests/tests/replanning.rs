//! Planning again after every kind of event: never later than the kept plan, stable, explained, and
//! still there after a kill (A012–A014, A049).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss
)]

use satchel_core::Error;
use satchel_core::model::attempt::ParcelOutcome;
use satchel_core::model::plan::{
    PlanEvent, PlanReason, PlanView, PlanWishes, PlannedBreak, RouteEnd,
};
use satchel_core::route::RouteError;
use satchel_protocol::feed::{LatLng, PickupItem, TrafficItem};
use satchel_protocol::ids::{CourierId, StopId};
use satchel_protocol::taxonomy::{Action, HandoffKind, Reason};
use satchel_tests::day::{Day, MORNING_MS, stop_item, stop_removed};
use satchel_tests::phone::{Phone, completion};
use satchel_tests::toy_hub::ToyHub;

const MINUTE_MS: i64 = 60_000;
const DEPOT: LatLng = LatLng {
    lat: 37.5,
    lng: 121.4,
};

/// Doors strewn over a district by a fixed rule, given in no sensible order; every fifth has a window.
fn district(count: u32) -> Day {
    (0..count).fold(Day::new(5), |day, n| {
        day.stop_with(1, |stop| {
            let mixed = n.wrapping_mul(2_654_435_761);
            stop.place = LatLng {
                lat: DEPOT.lat + f64::from(mixed % 97) * 0.0004,
                lng: DEPOT.lng + f64::from((mixed >> 8) % 89) * 0.0005,
            };
            if n % 5 == 0 {
                stop.window_start_ms = Some(MORNING_MS + i64::from(n) * 6 * MINUTE_MS);
                stop.window_end_ms = Some(MORNING_MS + (i64::from(n) * 6 + 60) * MINUTE_MS);
            }
        })
    })
}

struct World {
    phone: Phone,
    hub: ToyHub,
    courier: CourierId,
    day: Day,
}

impl World {
    fn new(day: Day) -> Self {
        let phone = Phone::new(21);
        let hub = ToyHub::new(phone.clock.clone());
        let (invite, courier) = hub.invite("李师傅");
        hub.give(courier, day.items());
        phone.enrol(&invite, &hub);
        Self {
            phone,
            hub,
            courier,
            day,
        }
    }

    fn planned(count: u32) -> (Self, PlanView) {
        let world = Self::new(district(count));
        let plan = world.phone.core().plan(Some(DEPOT)).unwrap();
        (world, plan)
    }

    fn replan(&self, event: PlanEvent) -> PlanView {
        let plan = self.phone.core().replan(event).unwrap();
        assert!(
            (plan.lateness, plan.completion_ms)
                <= (plan.lateness_before, plan.completion_before_ms),
            "later than the kept plan after {event:?}"
        );
        let listed: Vec<StopId> = self
            .phone
            .core()
            .stops()
            .unwrap()
            .iter()
            .map(|stop| stop.stop_id)
            .filter(|id| plan.stops.iter().any(|stop| stop.stop_id == *id))
            .collect();
        assert_eq!(listed, order(&plan), "the list follows the plan");
        plan
    }

    fn give(&self, items: impl IntoIterator<Item = (String, serde_json::Value)>) {
        self.hub.give(self.courier, items);
        self.phone.sync(&self.hub);
    }

    fn fail(&self, stop: StopId, action: Action) {
        let draft = self
            .phone
            .core()
            .begin_attempt(stop, HandoffKind::Recipient)
            .unwrap();
        let parcels: Vec<_> = self
            .phone
            .stop(stop)
            .parcels
            .iter()
            .map(|p| p.parcel_id)
            .collect();
        self.phone.call(stop);
        let outcome = ParcelOutcome::Failed {
            reason: Reason::RecipientAbsent,
            action,
        };
        self.phone
            .core()
            .complete_attempt(draft.attempt_id, &completion(&parcels, outcome))
            .unwrap();
    }
}

fn order(plan: &PlanView) -> Vec<StopId> {
    plan.stops.iter().map(|stop| stop.stop_id).collect()
}

fn why(world: &World, stop: StopId) -> PlanReason {
    world.phone.core().why(stop).unwrap().planned.why
}

#[test]
fn after_a_cancellation_almost_every_next_stop_stays() {
    let (mut kept, mut known) = (0, 0);
    for index in [5, 15, 25, 35, 45, 55] {
        let (world, first) = World::planned(60);
        let gone = first.stops[index].stop_id;
        world.give([stop_removed(gone)]);
        let next = world.replan(PlanEvent::Cancelled { stop: gone });
        assert_eq!(next.pairs_known, 58);
        assert_eq!(next.change.dropped, [gone]);
        assert!(next.change.added.is_empty());
        let moved = next.change.moved.len();
        assert!(
            next.pairs_known - next.pairs_kept <= 3 * moved,
            "{moved} moved stops account for the pairs that changed"
        );
        kept += next.pairs_kept;
        known += next.pairs_known;
    }
    assert!(kept * 100 >= known * 95, "{kept} of {known} kept");
}

#[test]
fn a_new_stop_is_fitted_in_and_the_change_names_it() {
    let (mut world, first) = World::planned(40);
    world.day = world.day.clone().stop_with(1, |stop| {
        stop.place = LatLng {
            lat: DEPOT.lat + 0.01,
            lng: DEPOT.lng + 0.01,
        };
        stop.window_end_ms = Some(MORNING_MS + 30 * MINUTE_MS);
    });
    let new = world.day.stop_id(40);
    world.give([stop_item(&world.day.stops[40])]);
    let next = world.replan(PlanEvent::Added { stop: new });
    assert_eq!(next.change.added, [new]);
    assert_eq!(next.stops.len(), first.stops.len() + 1);
    let planned = next.stops.iter().find(|s| s.stop_id == new).unwrap();
    assert_eq!(planned.lateness_ms, 0, "in time for its window");
    assert_eq!(why(&world, new), PlanReason::Window);
}

#[test]
fn a_failed_stop_comes_later_or_not_at_all_as_the_courier_recorded() {
    let (world, first) = World::planned(20);
    let (again, never) = (first.stops[0].stop_id, first.stops[1].stop_id);
    world.fail(again, Action::RetrySameTour);
    let next = world.replan(PlanEvent::Failed { stop: again });
    let planned = next.stops.iter().find(|s| s.stop_id == again).unwrap();
    let start_ms = planned.arrival_ms + planned.wait_ms;
    assert!(start_ms >= MORNING_MS + 45 * MINUTE_MS, "not at once");
    world.fail(never, Action::SecondDelivery);
    let next = world.replan(PlanEvent::Failed { stop: never });
    assert!(!order(&next).contains(&never));
    assert_eq!(next.left_out, [never]);
    assert!(matches!(
        world.phone.core().why(never),
        Err(Error::NotFound { what: "stop" })
    ));
}

#[test]
fn done_delayed_off_plan_and_moved_are_followed() {
    let (world, first) = World::planned(30);
    let done = first.stops[0].stop_id;
    assert!(matches!(
        world.phone.core().replan(PlanEvent::Done { stop: done }),
        Err(Error::InvalidInput { what: "event" })
    ));
    world.phone.deliver(done, 1).unwrap();
    let next = world.replan(PlanEvent::Done { stop: done });
    assert_eq!(next.from, Some(world.phone.stop(done).place));
    assert_eq!(order(&next), order(&first)[1..]);

    let late = world.replan(PlanEvent::Delayed {
        by_ms: 40 * MINUTE_MS,
    });
    assert_eq!(late.departure_ms, MORNING_MS + 40 * MINUTE_MS);
    assert!(late.completion_ms > next.completion_ms);
    let still = world.replan(PlanEvent::Traffic);
    assert_eq!(still.departure_ms, late.departure_ms, "the delay is kept");

    let place = LatLng {
        lat: DEPOT.lat + 0.03,
        lng: DEPOT.lng + 0.04,
    };
    let off = world.replan(PlanEvent::OffPlan { place });
    assert_eq!(off.from, Some(place));

    let mut stop = world.day.stops[7].clone();
    let (id, far) = (stop.stop_id, DEPOT.lat + 0.2);
    stop.place.lat = far;
    world.give([stop_item(&stop)]);
    let moved = world.replan(PlanEvent::Moved { stop: id });
    assert!(moved.distance_m > off.distance_m + 10_000.0);
    assert_eq!(moved.stops.len(), off.stops.len());
}

#[test]
fn a_killed_app_shows_the_same_plan_with_its_reasons() {
    let (mut world, plan) = World::planned(25);
    let before = world.phone.core().why(plan.stops[4].stop_id).unwrap();
    assert_eq!(before.position, 5);
    assert_eq!(before.previous, Some(plan.stops[3].stop_id));
    world.phone.restart();
    let shown = world.phone.core().current_plan().unwrap().unwrap();
    assert_eq!(shown, plan);
    let after = world.phone.core().why(plan.stops[4].stop_id).unwrap();
    assert_eq!(after, before);
    world.phone.deliver(plan.stops[0].stop_id, 1).unwrap();
    let shown = world.phone.core().current_plan().unwrap().unwrap();
    assert_eq!(order(&shown), order(&plan)[1..]);
}

#[test]
fn wishes_are_honoured_explained_and_outlive_a_kill() {
    let (mut world, plan) = World::planned(30);
    let id = |index: usize| plan.stops[index].stop_id;
    let wishes = PlanWishes {
        frozen: 2,
        first: Some(id(20)),
        last: Some(id(3)),
        pinned: vec![id(10)],
        before: vec![(id(25), id(5))],
        breaks: vec![PlannedBreak {
            at_ms: MORNING_MS + 60 * MINUTE_MS,
            span_ms: 30 * MINUTE_MS,
        }],
        shift_end_ms: Some(MORNING_MS + 9 * 60 * MINUTE_MS),
        end: RouteEnd::Depot,
        zone_change_s: 60,
        ..PlanWishes::default()
    };
    world.phone.core().set_plan_wishes(&wishes).unwrap();
    world.phone.restart();
    assert_eq!(world.phone.core().plan_wishes().unwrap(), wishes);
    let next = world.replan(PlanEvent::OffPlan { place: DEPOT });
    let place = |stop: StopId| order(&next).iter().position(|s| *s == stop).unwrap();
    assert_eq!(order(&next)[..3], [id(0), id(1), id(20)]);
    assert_eq!((place(id(3)), place(id(10))), (29, 10));
    assert!(place(id(25)) < place(id(5)));
    assert_eq!(why(&world, id(0)), PlanReason::Frozen);
    assert_eq!(why(&world, id(20)), PlanReason::First);
    assert_eq!(why(&world, id(3)), PlanReason::Last);
    assert_eq!(why(&world, id(10)), PlanReason::Pinned);
    let pause_ms = MORNING_MS + 60 * MINUTE_MS..MORNING_MS + 90 * MINUTE_MS;
    let mut starts = next.stops.iter().map(|s| s.arrival_ms + s.wait_ms);
    assert!(starts.clone().any(|at| at >= pause_ms.end));
    assert!(
        !starts.any(|at| pause_ms.contains(&at)),
        "the break is taken"
    );

    let circle = PlanWishes {
        before: vec![(id(1), id(2)), (id(2), id(1))],
        ..PlanWishes::default()
    };
    assert!(matches!(
        world.phone.core().set_plan_wishes(&circle),
        Err(Error::Route(RouteError::Contradiction))
    ));
    assert_eq!(world.phone.core().plan_wishes().unwrap(), wishes);
}

#[test]
fn what_is_collected_on_the_way_is_collected_before_it_is_delivered() {
    let mut day = district(15);
    let id = |day: &Day, index: usize| day.stops[index].stop_id;
    let pairs = [(14, 2), (9, 6), (6, 9)].map(|(a, b)| (id(&day, a), id(&day, b)));
    for (index, to) in [(14, 2), (9, 6), (6, 9)] {
        let deliver_to = Some(id(&day, to));
        day.stops[index].parcels[0].pickup = Some(PickupItem {
            window_end_ms: MORNING_MS + 600 * MINUTE_MS,
            deliver_to,
        });
    }
    let world = World::new(day);
    let plan = world.phone.core().plan(Some(DEPOT)).unwrap();
    let place = |stop: StopId| order(&plan).iter().position(|s| *s == stop).unwrap();
    assert!(place(pairs[0].0) < place(pairs[0].1));
    assert_eq!(
        plan.stops.len(),
        15,
        "two doors that exchange parcels are no trouble"
    );
}

#[test]
fn a_stop_set_aside_waits_until_it_is_brought_back() {
    let (world, plan) = World::planned(12);
    let stop = plan.stops[6].stop_id;
    let without = world.replan(PlanEvent::Cancelled { stop });
    assert_eq!(
        (without.stops.len(), &without.left_out[..]),
        (11, &[stop][..])
    );
    assert_eq!(world.replan(PlanEvent::Traffic).stops.len(), 11);
    let back = world.replan(PlanEvent::Added { stop });
    assert_eq!((back.stops.len(), back.left_out.len()), (12, 0));
}

#[test]
fn pushed_traffic_delays_the_plan_flags_late_stops_and_is_kept_offline() {
    let mut day = district(20);
    for stop in &mut day.stops {
        stop.window_start_ms = None;
        stop.window_end_ms = Some(MORNING_MS + 240 * MINUTE_MS);
    }
    let mut world = World::new(day);
    let free = world.phone.core().plan(Some(DEPOT)).unwrap();
    assert!(free.stops.iter().all(|stop| !stop.predicted_late));
    let jam = TrafficItem {
        made_at_ms: MORNING_MS,
        utc_offset_min: 480,
        free_flow: None,
        bands_min: vec![0, 14 * 60],
        elsewhere: vec![60, 1_000],
        zones: vec![],
    };
    let item = (
        TrafficItem::KIND.to_owned(),
        serde_json::to_value(&jam).unwrap(),
    );
    world.give([item]);
    let slow = world.replan(PlanEvent::Traffic);
    assert!(slow.completion_ms > free.completion_ms + 30 * MINUTE_MS);
    assert!(!slow.change.newly_late.is_empty());
    let flagged = slow.stops.iter().filter(|stop| stop.predicted_late);
    assert!(flagged.count() >= slow.change.newly_late.len());
    world.phone.restart();
    let again = world.replan(PlanEvent::OffPlan { place: DEPOT });
    assert_eq!(
        again.completion_ms, slow.completion_ms,
        "kept without a network"
    );
}

#[test]
fn nonsense_is_a_typed_error_and_changes_nothing() {
    let (world, plan) = World::planned(8);
    let core = world.phone.core();
    let stranger = Day::new(99).stops(1).stop_id(0);
    let nowhere = LatLng {
        lat: f64::NAN,
        lng: 0.0,
    };
    for event in [
        PlanEvent::Done { stop: stranger },
        PlanEvent::Failed { stop: stranger },
        PlanEvent::Added { stop: stranger },
        PlanEvent::Cancelled { stop: stranger },
        PlanEvent::Moved { stop: stranger },
    ] {
        assert!(
            matches!(core.replan(event), Err(Error::NotFound { what: "stop" })),
            "{event:?}"
        );
    }
    assert!(matches!(
        core.replan(PlanEvent::OffPlan { place: nowhere }),
        Err(Error::InvalidInput { what: "position" })
    ));
    for by_ms in [-1, i64::MIN, i64::MAX] {
        assert!(matches!(
            core.replan(PlanEvent::Delayed { by_ms }),
            Err(Error::InvalidInput { what: "delay" })
        ));
    }
    let far = PlanWishes {
        end: RouteEnd::Place(nowhere),
        ..PlanWishes::default()
    };
    assert!(matches!(
        core.set_plan_wishes(&far),
        Err(Error::InvalidInput { what: "position" })
    ));
    for (at_ms, span_ms) in [(i64::MIN, i64::MAX), (i64::MAX, i64::MAX), (0, -5)] {
        let odd = PlanWishes {
            breaks: vec![PlannedBreak { at_ms, span_ms }],
            shift_end_ms: Some(at_ms),
            busy_until_ms: Some(span_ms),
            ..PlanWishes::default()
        };
        let kept = core.set_plan_wishes(&odd);
        assert!(matches!(kept, Ok(()) | Err(Error::Route(_))), "{kept:?}");
        core.set_plan_wishes(&PlanWishes::default()).unwrap();
    }
    let twice = PlanWishes {
        pinned: vec![plan.stops[0].stop_id; 3],
        first: Some(plan.stops[0].stop_id),
        last: Some(plan.stops[0].stop_id),
        before: vec![(plan.stops[0].stop_id, plan.stops[0].stop_id)],
        ..PlanWishes::default()
    };
    assert!(matches!(core.set_plan_wishes(&twice), Err(Error::Route(_))));
    assert_eq!(core.current_plan().unwrap(), Some(plan));
}

#[test]
fn windows_that_make_no_sense_and_doors_that_coincide_are_planned() {
    let mut day = district(6);
    let place = day.stops[0].place;
    day.stops[1].place = place;
    day.stops[2].window_start_ms = Some(MORNING_MS + 120 * MINUTE_MS);
    day.stops[2].window_end_ms = Some(MORNING_MS + 60 * MINUTE_MS);
    day.stops[3].window_start_ms = Some(i64::MIN);
    day.stops[3].window_end_ms = Some(i64::MAX);
    day.stops[4].window_end_ms = Some(i64::MIN);
    let world = World::new(day);
    let plan = world.phone.core().plan(Some(DEPOT)).unwrap();
    assert_eq!(plan.stops.len(), 6);
    assert!(plan.lateness > 0, "the window that closed long ago");
    let one = World::new(district(1));
    assert_eq!(one.phone.core().plan(None).unwrap().stops.len(), 1);
}
