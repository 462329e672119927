//! What must hold for every plan, whatever is asked: it is a permutation that honours frozen head, pins and
//! precedence; a re-plan is never later than the kept plan; and nonsense is a typed error, never a panic.
//!
//! A long run: `PROPTEST_CASES=100000 cargo test --release -p satchel-core --test route_properties`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]

#[path = "support/problems.rs"]
mod problems;

use problems::Source;
use proptest::prelude::*;
use satchel_route::{
    Budget, Draft, Event, LatLng, NewLegs, Objective, Pin, Plan, Problem, SpeedModel, Start, Stop,
    Travel, Uncertainty, etas, kept_pairs, kept_plan, replan, solve, timetable_of,
};

fn honours_the_rules(draft: &Draft, plan: &Plan) -> Result<(), TestCaseError> {
    let mut sorted = plan.order.clone();
    sorted.sort_unstable();
    prop_assert_eq!(sorted, (0..draft.stops.len()).collect::<Vec<_>>());
    prop_assert!(plan.order.starts_with(&draft.frozen), "frozen head");
    let place = |stop: usize| plan.order.iter().position(|s| *s == stop);
    for (stop, at) in draft.stops.iter().enumerate() {
        let wanted = match at.pin {
            None => continue,
            Some(Pin::At(index)) => index,
            Some(Pin::First) => draft.frozen.len(),
            Some(Pin::Last) => draft.stops.len() - 1,
        };
        prop_assert_eq!(place(stop), Some(wanted), "pin of stop {}", stop);
    }
    for &(a, b) in &draft.before {
        prop_assert!(place(a) < place(b), "{} before {}", a, b);
    }
    Ok(())
}

/// An event that the bytes decide.
fn event(source: &mut Source<'_>, draft: &Draft, wild: bool) -> Event {
    let count = draft.stops.len();
    let stop = source.below(count.max(1) + usize::from(wild));
    let at = LatLng {
        lat: 37.5,
        lng: 121.41 + f64::from(source.byte()) / 3_000.0,
    };
    let new = Stop {
        weight: 1 + u16::from(source.byte()) / 80,
        place: Some(at),
        ..Stop::default()
    };
    match source.below(7) {
        0 => Event::Visited {
            stop,
            now: draft.start.earliest.saturating_add(60),
        },
        1 => Event::Cancelled { stop },
        2 => Event::Added {
            stop: new,
            legs: NewLegs::default(),
        },
        3 => Event::Moved {
            stop,
            to: Stop {
                pin: draft.stops.get(stop).and_then(|s| s.pin),
                ..new
            },
            legs: NewLegs::default(),
        },
        4 => Event::Elsewhere {
            place: Some(at),
            now: draft.start.earliest,
            legs: None,
        },
        5 => Event::Delayed {
            by: [0, 900, if wild { i64::MAX } else { 60 }][source.below(3)],
        },
        _ => Event::Traffic(None),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_is_a_permutation_that_honours_every_rule(bytes in proptest::collection::vec(any::<u8>(), 3_000)) {
        let draft = Source(&bytes).draft(16, false);
        // Places may be missing where the matrix is silent; that is a typed error and not this test's.
        if let Ok(problem) = Problem::new(draft.clone()) {
            let plan = solve(&problem, None, &Budget::count(3_000), 1).unwrap();
            honours_the_rules(&draft, &plan)?;
            let again = solve(&problem, None, &Budget::count(3_000), 1).unwrap();
            prop_assert_eq!(&plan, &again);
            let walked = timetable_of(&problem, &plan.order).unwrap();
            if draft.objective != Objective::Duration {
                prop_assert_eq!((walked.lateness, walked.completion), (plan.lateness, plan.completion));
            }
        }
    }

    #[test]
    fn a_replan_is_never_later_than_the_kept_plan(bytes in proptest::collection::vec(any::<u8>(), 3_000)) {
        let mut source = Source(&bytes);
        let mut draft = source.draft(16, false);
        draft.objective = Objective::Completion;
        // Positions that count from the front mean something else once a stop is gone.
        draft.stops.iter_mut().for_each(|stop| stop.pin = None);
        let Ok(problem) = Problem::new(draft.clone()) else { return Ok(()) };
        if draft.stops.is_empty() { return Ok(()) }
        let mut order = solve(&problem, None, &Budget::count(500), 1).unwrap().order;
        for _ in 0..4 {
            let happened = event(&mut source, &draft, false);
            let next = match replan(&draft, &order, &happened, &Budget::count(2_000), 1) {
                Ok(next) => next,
                // Without coordinates an added or moved stop cannot be reached.
                Err(_) => return Ok(()),
            };
            let (after, known) = (next.problem.draft().clone(), next.problem.draft().known.clone().unwrap().0);
            honours_the_rules(&after, &next.plan)?;
let kept = kept_plan(&next.problem, &known).unwrap();
            prop_assert!(next.plan.lateness <= kept.lateness, "{} > {} after {:?}", next.plan.lateness, kept.lateness, happened);
            prop_assert_eq!(next.plan.kept, kept_pairs(&known, &next.plan.order));
            prop_assert!(next.plan.kept.0 <= next.plan.kept.1);
            (draft, order) = (after, next.plan.order);
            if draft.stops.is_empty() { return Ok(()) }
        }
    }

    #[test]
    fn any_bytes_are_a_plan_or_a_typed_error(bytes in proptest::collection::vec(any::<u8>(), 0..2_500), effort in 0_u64..1_500) {
        let mut source = Source(&bytes);
        let draft = source.draft(14, true);
        let order: Vec<usize> = (0..draft.stops.len()).map(|_| source.below(draft.stops.len() + 1)).collect();
        let happened = event(&mut source, &draft, true);
        if let Ok(problem) = Problem::new(draft.clone()) {
            let plan = solve(&problem, None, &Budget::count(effort), 1).unwrap();
            honours_the_rules(&draft, &plan)?;
            let windows = |stop: usize| (draft.stops[stop].open, draft.stops[stop].close);
            let shown = etas(&plan, windows, Uncertainty { travel: i64::from(source.byte()), service: i64::MAX });
            prop_assert_eq!(shown.len(), plan.visits.len());
            // A wrong warm order is refused, a right one taken.
            if let Ok(warm) = solve(&problem, Some(&order), &Budget::count(effort), 1) {
                honours_the_rules(&draft, &warm)?;
            }
        }
        if let Ok(next) = replan(&draft, &order, &happened, &Budget::count(effort), 1) {
            prop_assert_eq!(next.plan.order.len(), next.problem.len());
        }
    }
}

#[test]
fn no_stop_and_one_stop_are_plans() {
    for count in [0, 1] {
        let place = Some(LatLng { lat: 1.0, lng: 1.0 });
        let start = Start {
            place,
            ..Start::default()
        };
        let stop = Stop {
            place,
            ..Stop::default()
        };
        let draft = Draft::new(
            start,
            vec![stop; count],
            Travel::Estimated(SpeedModel::default()),
        );
        let problem = Problem::new(draft).unwrap();
        let plan = solve(&problem, None, &Budget::count(1_000), 1).unwrap();
        assert_eq!(plan.order.len(), count);
        assert_eq!(plan.lateness, 0);
    }
}
