//! Tests of plans as a caller sees them: rules, determinism, bad input, re-planning.

use proptest::prelude::*;

use super::random::Random;
use super::tests::{draft, pick};
use super::*;

const EFFORT: u64 = 20_000;

pub(crate) fn planned(draft: &Draft, seed: u64) -> Plan {
    solve(
        &Problem::new(draft.clone()).unwrap(),
        None,
        &Budget::count(EFFORT),
        seed,
    )
    .unwrap()
}

/// Stops on a line at these places, one tick apart per unit.
pub(crate) fn line(places: &[u32]) -> Draft {
    let all: Vec<u32> = core::iter::once(0).chain(places.iter().copied()).collect();
    let cells = all
        .iter()
        .flat_map(|a| all.iter().map(|b| Some(a.abs_diff(*b))))
        .collect();
    Draft::new(
        Start::default(),
        vec![Stop::default(); places.len()],
        Travel::Matrix(cells, SpeedModel::default()),
    )
}

/// Adds rules that some order (a random one) satisfies.
fn with_rules(mut draft: Draft, random: &mut Random) -> Draft {
    let count = draft.stops.len();
    let mut order: Vec<usize> = (0..count).collect();
    for k in (1..count).rev() {
        order.swap(k, random.below(k + 1));
    }
    let frozen = random.below(3).min(count);
    draft.frozen = order[..frozen].to_vec();
    for _ in 0..random.below(3) {
        let place = random.below(count);
        draft.stops[order[place]].pin = Some(Pin::At(place));
    }
    if frozen < count && random.below(4) == 0 {
        draft.stops[order[frozen]].pin = Some(Pin::First);
    }
    if random.below(4) == 0 && draft.stops[order[count - 1]].pin.is_none() && frozen < count {
        draft.stops[order[count - 1]].pin = Some(Pin::Last);
    }
    for _ in 0..random.below(4) {
        let (a, b) = (random.below(count), random.below(count));
        if a != b {
            draft.before.push((order[a.min(b)], order[a.max(b)]));
        }
    }
    draft
}

fn assert_rules(draft: &Draft, plan: &Plan) {
    let mut sorted = plan.order.clone();
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        (0..draft.stops.len()).collect::<Vec<_>>(),
        "every stop once"
    );
    assert!(plan.order.starts_with(&draft.frozen), "frozen head");
    let place = |stop: usize| plan.order.iter().position(|s| *s == stop).unwrap();
    for (stop, at) in draft.stops.iter().enumerate() {
        match at.pin {
            Some(Pin::At(index)) => assert_eq!(place(stop), index),
            Some(Pin::First) => assert_eq!(place(stop), draft.frozen.len()),
            Some(Pin::Last) => assert_eq!(place(stop), draft.stops.len() - 1),
            None => (),
        }
    }
    assert!(
        draft.before.iter().all(|&(a, b)| place(a) < place(b)),
        "precedence"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn plans_keep_every_rule_and_are_the_same_again(seed: u64, clocked: bool) {
        let mut random = Random::new(seed);
        let draft = with_rules(draft(&mut random, clocked), &mut random);
        let draft = Draft { known: None, ..draft };
        let plan = planned(&draft, seed);
        assert_rules(&draft, &plan);
        prop_assert_eq!(&plan, &planned(&draft, seed));
        let by_hand = plan.visits.iter().zip(&draft.stops).count();
        prop_assert_eq!(by_hand, draft.stops.len());
        for visit in &plan.visits {
            let stop = draft.stops[visit.stop];
            prop_assert_eq!(visit.start, visit.arrival + visit.wait);
            prop_assert!(visit.start >= stop.open);
            prop_assert_eq!(visit.lateness, (visit.start - stop.close).max(0));
            prop_assert!(visit.slack >= 0);
        }
    }

    #[test]
    fn slack_is_the_delay_that_makes_nobody_later(seed: u64) {
        let mut random = Random::new(seed);
        let draft = Draft { known: None, objective: Objective::Completion, ..draft(&mut random, false) };
        let plan = planned(&draft, 1);
        let Some(first) = plan.visits.first() else { return Ok(()) };
        if first.slack > (1 << 30) { return Ok(()) }
        let late = |by: i64| {
            let mut later = draft.clone();
            later.start.earliest += by;
            later.start.latest = later.start.earliest;
            timetable_of(&Problem::new(later).unwrap(), &plan.order).unwrap().lateness
        };
        prop_assert_eq!(late(first.slack), plan.lateness);
        prop_assert!(late(first.slack + 1) > plan.lateness || plan.lateness > 0);
    }

    #[test]
    fn a_warm_plan_is_never_later_than_the_kept_one(seed: u64, clocked: bool) {
        let mut random = Random::new(seed);
        let draft = draft(&mut random, clocked);
        let draft = Draft { known: None, objective: Objective::Completion, ..draft };
        let problem = Problem::new(draft.clone()).unwrap();
        let mut order: Vec<usize> = (0..draft.stops.len()).collect();
        for k in (1..order.len()).rev() {
            order.swap(k, random.below(k + 1));
        }
        let kept = timetable_of(&problem, &order).unwrap();
        let effort = random.below(5_000) as u64;
        let warm = solve(&problem, Some(&order), &Budget::count(effort), seed).unwrap();
        prop_assert!((warm.lateness, warm.completion) <= (kept.lateness, kept.completion));
    }

    #[test]
    fn any_matrix_gives_a_plan_or_a_typed_error(cells in proptest::collection::vec(any::<Option<u32>>(), 25), open: [i64; 4], close: [i64; 4], service: [i64; 4], weight: [u16; 4], start: i64) {
        let stops = (0..4).map(|i| Stop { open: open[i], close: close[i], service: service[i], weight: weight[i], ..Stop::default() }).collect();
        let draft = Draft::new(Start { earliest: start, latest: start, place: None }, stops, Travel::Matrix(cells, SpeedModel::default()));
        if let Ok(problem) = Problem::new(draft) {
            solve(&problem, None, &Budget::count(1_000), 1).unwrap();
        }
    }

    #[test]
    fn extremes_do_not_overflow(seed: u64, clocked: bool) {
        let mut random = Random::new(seed);
        let far = limits::MAX_TIME;
        let stops: Vec<Stop> = (0..12).map(|_| {
            let open = [-far, 0, far][random.below(3)];
            Stop { open, close: [open, far][random.below(2)], service: [0, limits::MAX_LEG][random.below(2)], weight: [1, limits::MAX_WEIGHT][random.below(2)], ..Stop::default() }
        }).collect();
        let longest = limits::MAX_LEG as u32 / if clocked { 4 } else { 1 };
        let cells = (0..13 * 13).map(|_| Some([0, longest][random.below(2)])).collect();
        let earliest = [-far, far][random.below(2)];
        let mut draft = Draft::new(Start { earliest, latest: far, place: None }, stops, Travel::Matrix(cells, SpeedModel::default()));
        draft.objective = [Objective::Completion, Objective::Travel, Objective::Duration][random.below(3)];
        if clocked {
            draft.traffic = Some(Traffic { band_ends: vec![-far, far], speeds: vec![vec![250_000, 1_000_000, 250_000]], classes: Vec::new() });
        }
        let plan = planned(&draft, seed);
        assert_rules(&draft, &plan);
        prop_assert!(plan.lateness >= 0);
    }

    #[test]
    fn events_are_followed(seed: u64, clocked: bool) {
        let mut random = Random::new(seed);
        let draft = Draft { known: None, objective: Objective::Completion, ..draft(&mut random, clocked) };
        let order = planned(&draft, 1).order;
        let count = order.len();
        let stop = order[random.below(count)];
        let legs = |places: usize, random: &mut Random| -> Vec<Option<u32>> { (0..places).map(|_| Some(pick(random, 0, 90) as u32)).collect() };
        let all = draft.places() + 1;
        let new_legs = NewLegs { to: legs(all, &mut random), from: legs(all, &mut random) };
        let events = [
            (Event::Visited { stop: order[0], now: 77 }, count - 1),
            (Event::Cancelled { stop }, count - 1),
            (Event::Added { stop: Stop::default(), legs: new_legs.clone() }, count + 1),
            (Event::Moved { stop, to: Stop { weight: 9, ..Stop::default() }, legs: new_legs }, count),
            (Event::Elsewhere { place: None, now: 40, legs: Some(legs(all, &mut random)) }, count),
            (Event::Delayed { by: 100 }, count),
            (Event::Traffic(None), count),
        ];
        for (event, left) in events {
            let next = replan(&draft, &order, &event, &Budget::count(2_000), seed).unwrap();
            prop_assert_eq!(next.plan.order.len(), left, "{:?}", &event);
            assert_rules(next.problem.draft(), &next.plan);
        }
    }
}

#[test]
fn the_shortest_way_along_a_line_is_found() {
    let draft = line(&[50, 10, 40, 20, 30]);
    let plan = planned(&draft, 1);
    assert_eq!(plan.order, [1, 3, 4, 2, 0]);
    assert_eq!((plan.completion, plan.lateness), (50, 0));
    assert_eq!(plan.visits[0].why, Why::OnTheWay);
}

#[test]
fn the_heavier_stop_is_served_on_time_when_only_one_can_be() {
    for heavy in [0, 1] {
        let mut draft = line(&[100, 0]);
        // The second place lies as far on the other side: give it its own distances.
        draft.travel = Travel::Matrix(
            [0, 100, 100, 100, 0, 200, 100, 200, 0].map(Some).to_vec(),
            SpeedModel::default(),
        );
        for stop in &mut draft.stops {
            stop.close = 100;
        }
        draft.stops[heavy].weight = 10;
        let plan = planned(&draft, 1);
        assert_eq!(plan.order[0], heavy);
        assert_eq!(plan.lateness, 200);
        assert_eq!(plan.visits[1].why, Why::Priority);
    }
}

#[test]
fn none_and_one_stop_are_plans() {
    let empty = planned(&line(&[]), 1);
    assert_eq!((empty.order.len(), empty.completion), (0, 0));
    let one = planned(&line(&[7]), 1);
    assert_eq!((one.order, one.completion), (vec![0], 7));
}

#[test]
fn no_budget_still_gives_a_usable_plan() {
    let draft = line(&[50, 10, 40, 20, 30]);
    let plan = solve(
        &Problem::new(draft.clone()).unwrap(),
        None,
        &Budget::count(0),
        1,
    )
    .unwrap();
    assert_rules(&draft, &plan);
}

#[test]
fn a_courier_stays_in_a_zone_when_asked() {
    // Two zones interleaved along a street; crossing over costs more than driving back.
    let mut draft = line(&[10, 11, 12, 13, 14, 15]);
    for (index, stop) in draft.stops.iter_mut().enumerate() {
        stop.zone = 1 + (index % 2) as u16;
    }
    let changes = |plan: &Plan| {
        plan.order
            .windows(2)
            .filter(|p| p[0] % 2 != p[1] % 2)
            .count()
    };
    assert_eq!(changes(&planned(&draft, 1)), 5);
    draft.zone_change = 20;
    assert_eq!(changes(&planned(&draft, 1)), 1);
}

#[test]
fn a_break_is_taken_and_a_jam_avoided() {
    let mut draft = line(&[100, 200]);
    draft.breaks = vec![Break { at: 150, span: 60 }];
    let plan = planned(&draft, 1);
    assert_eq!(plan.completion, 260);
    let mut jam = line(&[100]);
    jam.objective = Objective::Duration;
    jam.start.latest = 1_000;
    jam.traffic = Some(Traffic {
        band_ends: vec![500],
        speeds: vec![vec![250_000, 1_000_000]],
        classes: Vec::new(),
    });
    let plan = planned(&jam, 1);
    assert!(
        plan.departure >= 500,
        "leaves after the jam, not at {}",
        plan.departure
    );
    assert_eq!(plan.completion - plan.departure, 100);
}

#[test]
fn a_cancellation_keeps_the_plan_and_says_so() {
    let places: Vec<u32> = (1..=40).map(|i| i * 10).collect();
    let draft = line(&places);
    let order: Vec<usize> = (0..40).collect();
    let next = replan(
        &draft,
        &order,
        &Event::Cancelled { stop: 20 },
        &Budget::count(EFFORT),
        1,
    )
    .unwrap();
    assert_eq!(next.plan.kept, (38, 38));
    assert_eq!(next.plan.completion, 400);
}
