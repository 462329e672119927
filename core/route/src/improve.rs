//! Iterated local search: kick a small place of the order or rebuild it, descend, keep the result if it
//! is about as good, remember the best.
//!
//! Three phases. With time warp first, because it is cheap and exact as soon as every window can be
//! met. If it cannot get near that, with true lateness. Should that reach a plan without lateness after
//! all, with time warp again for the rest.

use super::budget::Budget;
use super::departure::{self, Window};
use super::evaluate::Mode;
use super::kernel::{Goal, Kernel, UNIT};
use super::phase::Phase;
use super::random::Random;
use super::rebuild::{Measure, Workshop};
use super::search::Search;
use super::sort::sort;

/// What is compared, in this sequence: lateness, the goal with preferences, legs.
pub(crate) type Rank = (i64, i64, i64);

/// Knobs of one phase, found by measuring with the bench on the development instances.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Knobs {
    /// Penalty per tick of lateness while the first orders are improved.
    pub(crate) first_penalty: i64,
    /// Penalty per tick of lateness afterwards; it adapts so that about half the orders are late.
    pub(crate) penalty: i64,
    /// Largest penalty.
    pub(crate) most_penalty: i64,
    /// How much worse an order may be to go on from, in hundredths of a typical leg; it cools to 0.
    pub(crate) tolerance: i64,
    /// Longest piece of a kick.
    pub(crate) kick: usize,
    /// Kicks without a better order before going back to the best: a base and a part per node.
    pub(crate) patience: (usize, usize),
    /// Share of the phase that further first orders may take, in thousandths.
    pub(crate) starts: u32,
    /// How many first orders are built by insertion, and how many of the best of them are improved: after
    /// the first so many of the given ones, and before so many others.
    pub(crate) built: (usize, usize),
    pub(crate) given: (usize, usize),
    /// Per cent of rebuilds among the changes, while late and on time; the others are kicks.
    pub(crate) rebuilds: (usize, usize),
}

const WARP: Knobs = Knobs {
    first_penalty: 10 * UNIT,
    penalty: 2 * UNIT,
    most_penalty: 1_000 * UNIT,
    tolerance: 100,
    kick: 8,
    patience: (800, 10),
    starts: 100,
    built: (2, 1),
    given: (0, usize::MAX),
    rebuilds: (50, 30),
};

const LATE: Knobs = Knobs {
    penalty: 8 * UNIT,
    kick: 4,
    most_penalty: 20 * UNIT,
    starts: 300,
    built: (2, 1),
    given: (1, 1),
    rebuilds: (70, 70),
    ..WARP
};

const CLOCK: Knobs = Knobs {
    built: (0, 0),
    ..WARP
};

/// Building takes a time that grows with the square of the stops: for more nodes than these, only one order.
const BUILT_ONCE: usize = 500;
/// Time warp gives up when more lateness than this many typical legs is left after the first orders.
const HOPELESS_LEGS: i64 = 8;
/// Time warp gives up when any lateness is left after this share of the budget, in thousandths.
const HOPELESS_SHARE: u32 = 800;
/// Share of the budget for a first order by free-flow times, in thousandths.
const FREE_FLOW_SHARE: u32 = 30;
/// Kicks after which the penalty adapts.
pub(crate) const ADAPT_AFTER: u32 = 20;
/// Kicks without any order on time after which the penalty rises, as long as none was ever found.
pub(crate) const RAISE_AFTER: u32 = 5;

/// An order and how good it is.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Start, stops, end.
    pub(crate) order: Vec<u16>,
    /// See [`Rank`].
    pub(crate) rank: Rank,
    /// Departure.
    pub(crate) depart: i64,
}

/// The rank of where a search stands.
pub(crate) fn rank(search: &Search<'_>) -> Rank {
    let (end, legs) = (search.end(), search.legs());
    let goal = match search.kernel.goal {
        Goal::Travel => legs,
        Goal::End => end.time - search.departure(),
    };
    (end.late, goal * UNIT + search.tastes(), legs)
}

/// The rank of an order under an evaluator, leaving at `depart`.
pub(crate) fn rank_of(kernel: &Kernel, mode: Mode, order: &[u16], depart: i64) -> Rank {
    let mut search = Search::new(kernel, mode, order, UNIT);
    search.depart(depart);
    rank(&search)
}

/// Improves `starts` until the budget is spent.
pub(crate) fn improve<'k>(
    kernel: &'k Kernel,
    starts: &[Vec<u16>],
    window: Window,
    budget: &'k Budget<'k>,
    seed: u64,
) -> Option<(Found, u64)> {
    let mut run = Run {
        kernel,
        window,
        budget,
        random: Random::new(seed),
        used: 0,
        may_build: starts.len() > 1 && kernel.rules.is_free() && kernel.rules.frozen == 0,
    };
    let mut starts = ranked(kernel, starts);
    if kernel.clock.is_some() {
        // Free-flow times give a first order fast; from there on the clock counts.
        let free = run.iterate(Mode::Warp, &starts, &WARP, |_, spent| {
            spent >= FREE_FLOW_SHARE
        })?;
        starts.insert(0, free.order);
        let found = run.iterate(Mode::Clocked, &starts, &CLOCK, |_, _| false)?;
        return Some((found, run.used));
    }
    let hopeless = |late: i64, spent: u32| {
        late > 0 && (spent >= HOPELESS_SHARE || late > kernel.typical_leg * HOPELESS_LEGS)
    };
    let mut found = run.iterate(Mode::Warp, &starts, &WARP, hopeless)?;
    if found.rank.0 > 0 {
        starts.insert(0, found.order);
        found = run.iterate(Mode::Lateness, &starts, &LATE, |late, _| late == 0)?;
        if found.rank.0 == 0 && !run.is_over() {
            found = run.iterate(Mode::Warp, &[found.order], &WARP, |_, _| false)?;
        }
    }
    Some((found, run.used))
}

/// Orders, the best by time warp first.
fn ranked(kernel: &Kernel, orders: &[Vec<u16>]) -> Vec<Vec<u16>> {
    let mut ranks: Vec<(Rank, &Vec<u16>)> = orders
        .iter()
        .map(|order| {
            (
                rank_of(kernel, Mode::Warp, order, kernel.node(0).open),
                order,
            )
        })
        .collect();
    sort(&mut ranks);
    ranks.into_iter().map(|(_, order)| order.clone()).collect()
}

/// What the phases share.
struct Run<'k> {
    kernel: &'k Kernel,
    window: Window,
    budget: &'k Budget<'k>,
    random: Random,
    used: u64,
    /// False when the caller wants his own order improved, or rules stand against building.
    may_build: bool,
}

impl<'k> Run<'k> {
    fn is_over(&self) -> bool {
        self.budget.spent(self.used) >= 1_000
    }

    /// One phase with one evaluator, until the budget is spent or `leave(lateness, spent)`.
    fn iterate(
        &mut self,
        mode: Mode,
        starts: &[Vec<u16>],
        knobs: &Knobs,
        leave: impl Fn(i64, u32) -> bool,
    ) -> Option<Found> {
        let kernel = self.kernel;
        let (base, budget) = (self.used, self.budget);
        let mut stop = move |evaluations: u64| budget.spent(base + evaluations) >= 1_000;
        let mut phase = self.begin(mode, starts, knobs, &mut stop)?;
        // Up to three stops the first descent has tried every order.
        while kernel.len() > 5 {
            let spent = budget.spent(base + phase.search.evaluations);
            if spent >= 1_000 || leave(phase.best.rank.0, spent) {
                break;
            }
            phase.search.evaluations += 1;
            phase.aim(self.window, budget, &mut stop);
            let tolerance = kernel.typical_leg * UNIT * knobs.tolerance / 100
                * i64::from(1_000 - spent)
                / 1_000;
            let tolerance = tolerance * self.random.below(1_000) as i64 / 1_000;
            let (late, on_time) = knobs.rebuilds;
            let is_late = phase.search.end().late > 0;
            let share = if is_late { late } else { on_time };
            let is_changed = if kernel.rules.is_free() && self.random.below(100) < share {
                phase.rebuild(&mut self.random, tolerance)
            } else {
                phase.kick(&mut self.random, knobs.kick, self.window)
            };
            if is_changed {
                phase.descend(&mut stop);
                phase.settle(tolerance, self.window, budget);
            }
            phase.adapt(knobs);
            if phase.since > knobs.patience.0 + knobs.patience.1 * kernel.len() {
                phase.go_back();
            }
        }
        self.used = base + phase.search.evaluations;
        Some(phase.best)
    }

    /// Descends from each first order and stands at the best.
    fn begin(
        &mut self,
        mode: Mode,
        starts: &[Vec<u16>],
        knobs: &Knobs,
        stop: &mut dyn FnMut(u64) -> bool,
    ) -> Option<Phase<'k>> {
        let mut search = Search::new(self.kernel, mode, starts.first()?, knobs.first_penalty);
        let mut best = Found {
            order: search.order().to_vec(),
            rank: rank(&search),
            depart: search.departure(),
        };
        let begun = self.budget.spent(self.used);
        let until = begun + 1_000_u32.saturating_sub(begun) * knobs.starts / 1_000;
        for order in &self.first_orders(&mut search, starts, knobs) {
            search.set(order);
            departure::choose(&mut search, self.window, departure::TICK);
            for q in self.shuffled() {
                search.enqueue(q);
            }
            search.descend(stop, &mut |_, _| ());
            departure::choose(&mut search, self.window, departure::TICK);
            if rank(&search) < best.rank {
                best = Found {
                    order: search.order().to_vec(),
                    rank: rank(&search),
                    depart: search.departure(),
                };
                self.budget.guard.improved(best.rank.0);
            }
            if self.budget.spent(self.used + search.evaluations) >= until {
                break;
            }
        }
        search.penalty = knobs.penalty;
        search.depart(best.depart);
        search.set(&best.order);
        Some(Phase::new(search, best))
    }

    /// The given first orders and, among them, the best of some that are built by insertion.
    fn first_orders(
        &mut self,
        search: &mut Search<'_>,
        given: &[Vec<u16>],
        knobs: &Knobs,
    ) -> Vec<Vec<u16>> {
        let (kernel, mode) = (search.kernel, search.mode);
        let mut built = Vec::new();
        if self.may_build && !self.is_over() {
            let depart = self.window.first;
            let measure = Measure {
                goal: kernel.goal,
                penalty: knobs.first_penalty,
            };
            let mut workshop = Workshop::new(kernel, mode);
            let (few, large) = (knobs.built.0.min(1), kernel.len() > BUILT_ONCE);
            for how in 0..if large { few } else { knobs.built.0 } {
                workshop.build(depart, how, measure, &mut self.random);
                search.evaluations += workshop.evaluations;
                let order = workshop.order().to_vec();
                built.push((rank_of(kernel, mode, &order, depart), order));
            }
            sort(&mut built);
        }
        let best = built
            .into_iter()
            .take(knobs.built.1)
            .map(|(_, order)| order);
        let (first, others) = given.split_at(knobs.given.0.min(given.len()));
        let others = others.iter().take(knobs.given.1).cloned();
        first.iter().cloned().chain(best).chain(others).collect()
    }

    /// All positions of stops in random sequence.
    fn shuffled(&mut self) -> Vec<usize> {
        let mut all: Vec<usize> = (1..self.kernel.len().saturating_sub(1)).collect();
        for k in (1..all.len()).rev() {
            all.swap(k, self.random.below(k + 1));
        }
        all
    }
}
