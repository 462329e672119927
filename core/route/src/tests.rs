//! Tests of the inside: the fast evaluators against the obvious one, and that what is kept up piece by
//! piece equals what is computed afresh. Plans as a caller sees them are tested in `plan_tests`.

use super::compile::Problem;
use super::evaluate::{Clocked, Evaluator, Lateness, Mode, Warp};
use super::kernel::{Goal, UNIT};
use super::moves::{Move, Piece};
use super::obvious::{Late, cost, walk};
use super::problem::{Break, Draft, End, Objective, Start, Stop, Traffic, Travel};
use super::random::Random;
use super::rebuild::{Measure, Workshop};
use super::search::Search;
use super::{LatLng, SpeedModel};

pub(crate) fn pick(random: &mut Random, low: i64, high: i64) -> i64 {
    low + random.below((high - low + 1) as usize) as i64
}

/// A random problem: windows from generous to impossible, any weights, asymmetric, often with zeros.
pub(crate) fn draft(random: &mut Random, clocked: bool) -> Draft {
    let count = 3 + random.below(14);
    let spread = [20, 300, 3_000][random.below(3)];
    let stops = (0..count)
        .map(|_| {
            let open = pick(random, -50, spread * 4);
            Stop {
                open,
                close: open + pick(random, 0, spread),
                service: pick(random, 0, 60),
                weight: [1, 1, 1, 3, 50][random.below(5)],
                zone: random.below(3) as u16,
                ..Stop::default()
            }
        })
        .collect();
    let end = [End::Free, End::Start, End::Place(None)][random.below(3)];
    let mut draft = Draft::new(
        Start::default(),
        stops,
        Travel::Estimated(SpeedModel::default()),
    );
    draft.end = end;
    let places = draft.places();
    let most = [3, 100, 400][random.below(3)];
    let cells = (0..places * places)
        .map(|_| Some(pick(random, 0, most) as u32))
        .collect();
    draft.travel = Travel::Matrix(cells, SpeedModel::default());
    draft.start = Start {
        earliest: pick(random, -100, 500),
        latest: 600,
        place: None,
    };
    draft.objective = [
        Objective::Completion,
        Objective::Travel,
        Objective::Duration,
    ][random.below(3)];
    draft.zone_change = [0, 0, 25][random.below(3)];
    if random.below(2) == 0 {
        draft.shift_end = Some((pick(random, 0, spread * 5), 7));
    }
    if random.below(3) == 0 {
        draft.known = Some(((0..count).rev().collect(), 13));
    }
    if clocked {
        draft.breaks = vec![Break { at: 300, span: 45 }, Break { at: 900, span: 10 }];
        draft.traffic = Some(Traffic {
            band_ends: vec![200, 700],
            speeds: vec![vec![1_000_000, 500_000, 900_000]; 3],
            classes: if random.below(2) == 0 {
                Vec::new()
            } else {
                (0..places * places)
                    .map(|_| random.below(3) as u8)
                    .collect()
            },
        });
    }
    draft
}

fn shuffled(n: usize, random: &mut Random) -> Vec<u16> {
    let mut order: Vec<u16> = (0..n as u16).collect();
    for k in (2..n - 1).rev() {
        order.swap(k, 1 + random.below(k));
    }
    order
}

/// Any move between positions 1 and `last`.
fn any_move(last: usize, random: &mut Random) -> Move {
    let mut cuts: Vec<usize> = (0..4).map(|_| 1 + random.below(last)).collect();
    cuts.sort_unstable();
    let (a, b) = (cuts[0], cuts[3]);
    let middle = (a + 1 + random.below(last)).min(b);
    if a == b || middle == a {
        return Move::reversal(a, b);
    }
    let piece = |from, to, turned| {
        if turned {
            Piece::turned(from, to)
        } else {
            Piece::kept(from, to)
        }
    };
    let (left, right) = (
        piece(a, middle - 1, random.below(3) == 0),
        piece(middle, b, random.below(3) == 0),
    );
    match random.below(4) {
        0 => Move::reversal(a, b),
        1 => Move::exchange(a, b),
        2 if b - a >= 2 => Move::double_bridge(a, a + 1, b, b + 1),
        _ => Move::swap(right, left),
    }
}

/// Prices random moves on random problems both ways; then carries them out and compares the state.
fn agree<E: Evaluator>(mode: Mode, late: Late, seed: u64, problems: usize) {
    let mut random = Random::new(seed);
    for _ in 0..problems {
        let problem = Problem::new(draft(&mut random, mode == Mode::Clocked)).unwrap();
        let kernel = &problem.kernel;
        let n = kernel.len();
        let penalty = pick(&mut random, 2, 100) * UNIT / 2;
        let order = shuffled(n, &mut random);
        let mut search = Search::new(kernel, mode, &order, penalty);
        search.depart(pick(&mut random, -100, 500));
        for _ in 0..20 {
            let before = search.order().to_vec();
            let departure = search.departure();
            assert_eq!(
                search.cost,
                cost(kernel, &before, departure, late, penalty),
                "cost of an order"
            );
            assert_eq!(
                search.end(),
                walk(kernel, &before, departure, late),
                "end of an order"
            );
            let mv = any_move(n - 2, &mut random);
            let mut after = before.clone();
            mv.apply(&mut after, &mut Vec::new());
            let truth = cost(kernel, &after, departure, late, penalty);
            let legs = |order: &[u16]| -> i64 {
                order
                    .windows(2)
                    .map(|p| i64::from(kernel.leg(usize::from(p[0]), usize::from(p[1]))))
                    .sum()
            };
            let gain = legs(&after) - legs(&before);
            assert!(
                search.could_reach::<E>(&mv, gain, truth),
                "the bound discards a move that pays"
            );
            assert_eq!(search.price_of::<E>(mv, gain), truth, "price of {mv:?}");
            for position in 1..n - 1 {
                assert_eq!(after[mv.lands(position)], before[position], "landing place");
            }
            search.apply(&mv);
            search.clear_queue();
            assert_eq!(search.order(), after);
            let mut fresh = Search::new(kernel, mode, &after, penalty);
            fresh.depart(departure);
            assert!(
                search.same_state(&fresh),
                "what is kept up differs from what is computed afresh"
            );
        }
    }
}

/// How many problems; a long run sets `ROUTE_TEST_PROBLEMS` (millions of cases, see the docs).
fn problems() -> usize {
    std::env::var("ROUTE_TEST_PROBLEMS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(400)
}

#[test]
fn time_warp_agrees_with_the_obvious_walk() {
    agree::<Warp>(Mode::Warp, Late::Warped, 1, problems());
}

#[test]
fn true_lateness_agrees_with_the_obvious_walk() {
    agree::<Lateness>(Mode::Lateness, Late::Served, 2, problems());
}

#[test]
fn clocked_travel_agrees_with_the_obvious_walk() {
    agree::<Clocked>(Mode::Clocked, Late::Served, 3, problems());
}

#[test]
fn descending_never_makes_it_worse_and_ends() {
    let mut random = Random::new(4);
    for _ in 0..problems() {
        let problem = Problem::new(draft(&mut random, false)).unwrap();
        let n = problem.kernel.len();
        let mut search = Search::new(
            &problem.kernel,
            Mode::Lateness,
            &shuffled(n, &mut random),
            2 * UNIT,
        );
        let before = search.cost;
        for q in 1..n - 1 {
            search.enqueue(q);
        }
        assert!(search.descend(&mut |evaluations| evaluations > 10_000_000, &mut |_, _| ()));
        assert!(search.cost <= before);
    }
}

#[test]
fn rebuilding_keeps_every_stop_and_the_frozen_head() {
    let mut random = Random::new(6);
    for case in 0..problems() {
        let mode = [Mode::Warp, Mode::Lateness, Mode::Clocked][case % 3];
        let mut draft = draft(&mut random, mode == Mode::Clocked);
        draft.frozen = (0..random.below(3)).collect();
        let problem = Problem::new(draft).unwrap();
        let kernel = &problem.kernel;
        let mut order: Vec<u16> = (0..kernel.len() as u16).collect();
        order[1 + kernel.rules.frozen..kernel.len() - 1].reverse();
        let departure = pick(&mut random, -100, 500);
        let measure = Measure {
            goal: [Goal::Travel, Goal::End][random.below(2)],
            penalty: 2 * UNIT,
        };
        let mut workshop = Workshop::new(kernel, mode);
        for _ in 0..5 {
            let position =
                1 + kernel.rules.frozen + random.below(kernel.len() - 2 - kernel.rules.frozen);
            workshop.rebuild(&order, departure, position, measure, &mut random);
            let rebuilt = workshop.order().to_vec();
            assert_eq!(
                rebuilt[..=kernel.rules.frozen],
                order[..=kernel.rules.frozen]
            );
            let mut sorted = rebuilt.clone();
            sorted.sort_unstable();
            assert!(sorted.iter().copied().eq(0..kernel.len() as u16));
            let late = if mode == Mode::Warp {
                Late::Warped
            } else {
                Late::Served
            };
            assert_eq!(workshop.end(), walk(kernel, &rebuilt, departure, late));
            order = rebuilt;
        }
    }
}

#[test]
fn whoever_leaves_later_arrives_no_sooner() {
    let mut random = Random::new(5);
    for _ in 0..200 {
        let problem = Problem::new(draft(&mut random, true)).unwrap();
        let order = shuffled(problem.kernel.len(), &mut random);
        let ends: Vec<_> = (-100..1_200)
            .map(|at| walk(&problem.kernel, &order, at, Late::Served).time)
            .collect();
        assert!(ends.windows(2).all(|pair| pair[0] <= pair[1]));
    }
}

#[test]
fn distances_are_those_of_the_sphere() {
    let at = |lat, lng| LatLng { lat, lng };
    // A quarter of the equator, half a meridian, and two doors apart.
    assert!((at(0.0, 0.0).distance_m(&at(0.0, 90.0)) - 10_007_557.2).abs() < 1.0);
    assert!((at(-90.0, 0.0).distance_m(&at(90.0, 0.0)) - 20_015_114.4).abs() < 1.0);
    assert!((at(37.5, 121.4).distance_m(&at(37.5, 121.4001)) - 8.82).abs() < 0.01);
}
