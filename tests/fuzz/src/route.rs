//! Problems for the route planner, sense and nonsense: extremes, zeros, overflows, NaN places, inverted
//! windows, rules that contradict each other. The bytes become a problem by the same reader that the
//! property tests of the core use.

#[path = "../../../core/route/tests/support/problems.rs"]
mod problems;

use problems::Source;
use satchel_route::{
    Budget, Draft, Event, Objective, Pin, Plan, Problem, kept_plan, replan, solve, timetable_of,
};

const EVALUATIONS: u64 = 400;
const MOST_STOPS: usize = 10;

/// Whatever the problem: a typed error, or a plan that keeps every rule and a re-plan that is not later.
pub fn problem(bytes: &[u8]) {
    let draft = Source(bytes).draft(MOST_STOPS, true);
    let problem = match Problem::new(draft.clone()) {
        Ok(problem) => problem,
        Err(why) => {
            assert!(!why.to_string().is_empty());
            return;
        }
    };
    let plan = match solve(&problem, None, &Budget::count(EVALUATIONS), 1) {
        Ok(plan) => plan,
        Err(why) => panic!("a checked problem has no plan: {why}"),
    };
    keeps_the_rules(&draft, &plan);
    let walked = timetable_of(&problem, &plan.order);
    assert!(
        draft.objective == Objective::Duration
            || walked
                .is_ok_and(|walked| (walked.lateness, walked.completion)
                    == (plan.lateness, plan.completion)),
        "the plan's figures are not those of its order"
    );
    if let (Some(&stop), Objective::Completion) = (plan.order.first(), draft.objective) {
        for event in [Event::Cancelled { stop }, Event::Delayed { by: 900 }] {
            mends(&draft, &plan, &event);
        }
    }
}

fn keeps_the_rules(draft: &Draft, plan: &Plan) {
    let mut sorted = plan.order.clone();
    sorted.sort_unstable();
    assert!(
        sorted.into_iter().eq(0..draft.stops.len()),
        "no permutation"
    );
    assert!(plan.order.starts_with(&draft.frozen), "frozen head");
    let place = |stop: usize| plan.order.iter().position(|other| *other == stop);
    for (stop, wish) in draft.stops.iter().enumerate() {
        let wanted = match wish.pin {
            None => continue,
            Some(Pin::At(index)) => index,
            Some(Pin::First) => draft.frozen.len(),
            Some(Pin::Last) => draft.stops.len() - 1,
        };
        assert!(place(stop) == Some(wanted), "pin of stop {stop}");
    }
    for &(a, b) in &draft.before {
        assert!(place(a) < place(b), "{a} before {b}");
    }
    let mut now = plan.departure;
    for visit in &plan.visits {
        assert!(visit.arrival >= now && visit.start == visit.arrival + visit.wait);
        assert!(visit.leave >= visit.start && visit.wait >= 0 && visit.lateness >= 0);
        now = visit.start;
    }
    assert!(plan.completion >= now);
}

fn mends(draft: &Draft, plan: &Plan, event: &Event) {
    // A position may be out of reach once a stop is gone, and a clock at its end: typed errors.
    let Ok(next) = replan(draft, &plan.order, event, &Budget::count(EVALUATIONS), 1) else {
        return;
    };
    let known = next.problem.draft().known.clone().unwrap_or_default().0;
    let Ok(kept) = kept_plan(&next.problem, &known) else {
        panic!("a re-plan without a kept plan");
    };
    assert!(
        next.plan.lateness <= kept.lateness,
        "later than the kept plan"
    );
    keeps_the_rules(next.problem.draft(), &next.plan);
}

/// Bytes without meaning of their own, which is what the reader is for.
pub fn problems() -> Vec<Vec<u8>> {
    (1..=24_u64)
        .map(|seed| {
            let mut state = seed;
            let mut next = || {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(seed);
                (state >> 56) as u8
            };
            (0..900).map(|_| next()).collect()
        })
        .collect()
}
