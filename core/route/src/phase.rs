//! One phase of the iterated local search: where it stands, and the steps it repeats.

use super::budget::Budget;
use super::departure::{self, Window};
use super::evaluate::Mode;
use super::improve::{ADAPT_AFTER, Found, Knobs, RAISE_AFTER, rank};
use super::kernel::{Goal, Kernel, UNIT};
use super::moves::{Move, Piece};
use super::random::Random;
use super::rebuild::{Measure, Workshop};
use super::search::Search;

/// A stop is kicked no further than this many positions.
const REACH: usize = 30;

/// Kicks at the part that decides the end begin this many positions before the last wait.
const LEAD: usize = 5;

/// Every fourth descent may look at first legs longer by this many typical legs, and at more neighbours
/// than the others: most descents should be cheap, and some should not miss anything.
const WIDE_GIVE: i64 = 6;
const WIDE_NEAR: usize = 14;
const CLOSE_NEAR: usize = 6;

/// While some stop is late, six kicks in eight and seven rebuilds in eight are aimed at a late one.
const AIMED_KICKS: usize = 6;
const AIMED_REBUILDS: usize = 7;
/// An aimed kick may change this many positions before the late stop, and after it.
const CAUSE: usize = 30;
const EFFECT: usize = 5;
/// An aimed rebuild begins less than this many positions before the late stop.
const REBUILD_LEAD: usize = 8;
/// So many rebuilds in eight are polished by a descent.
const POLISHED: usize = 6;

/// Where the departure is free, every eighth kick moves it by up to this many typical legs.
const DEPARTURE_REACH: i64 = 20;

/// Where a phase stands.
pub(crate) struct Phase<'k> {
    pub(crate) search: Search<'k>,
    workshop: Workshop<'k>,
    /// The best so far.
    pub(crate) best: Found,
    /// The order the next kick starts from, with its cost and departure.
    current: Vec<u16>,
    current_cost: i64,
    current_departure: i64,
    /// Kicks since the best was found.
    pub(crate) since: usize,
    /// Kicks since the penalty adapted, and how many of those ended on time.
    tried: u32,
    met: u32,
    /// Positions that may differ from `current`.
    low: usize,
    high: usize,
}

impl<'k> Phase<'k> {
    /// A phase that stands at the best order.
    pub(crate) fn new(search: Search<'k>, best: Found) -> Self {
        Self {
            current: best.order.clone(),
            current_cost: search.cost,
            current_departure: best.depart,
            workshop: Workshop::new(search.kernel, search.mode),
            search,
            best,
            since: 0,
            tried: 0,
            met: 0,
            low: 0,
            high: 0,
        }
    }

    /// While no order is on time, the way to one is an earlier end, whatever is minimised later.
    pub(crate) fn aim(
        &mut self,
        window: Window,
        budget: &Budget<'_>,
        stop: &mut dyn FnMut(u64) -> bool,
    ) {
        let kernel = self.search.kernel;
        let goal = if self.best.rank.0 > 0 {
            Goal::End
        } else {
            kernel.goal
        };
        if goal == self.search.goal() {
            return;
        }
        self.search.aim(goal);
        self.current_cost = self.search.cost;
        for position in 1..kernel.len() - 1 {
            self.search.enqueue(position);
        }
        (self.low, self.high) = (1, kernel.len() - 2);
        self.descend(stop);
        self.settle(0, window, budget);
    }

    /// Takes stops around a troubled place out and puts them back. False when that is not worth going on
    /// from; the search then stands where it stood.
    pub(crate) fn rebuild(&mut self, random: &mut Random, tolerance: i64) -> bool {
        let at = self.trouble(random);
        let search = &mut self.search;
        let measure = Measure {
            goal: search.goal(),
            penalty: search.penalty,
        };
        self.workshop
            .rebuild(search.order(), search.departure(), at, measure, random);
        search.evaluations += self.workshop.evaluations;
        let order = self.workshop.order();
        let differs = |(a, b): (&u16, &u16)| a != b;
        let pairs = || order.iter().zip(&self.current);
        let (Some(low), Some(high)) = (pairs().position(differs), pairs().rposition(differs))
        else {
            return false;
        };
        search.restore(order, low, high);
        (self.low, self.high) = (low, high);
        if search.cost > self.current_cost.saturating_add(tolerance) {
            self.tried += 1;
            self.met += u32::from(search.end().late == 0);
            self.since += 1;
            search.restore(&self.current, low, high);
            return false;
        }
        if random.below(8) < POLISHED {
            // Where what moved meets what stayed.
            let stayed = |q: usize| self.current.get(q) == self.search.order().get(q);
            let seams: Vec<usize> = (low..=high)
                .filter(|&q| !stayed(q) && (stayed(q - 1) || stayed(q + 1)))
                .collect();
            for q in seams {
                self.search.enqueue(q);
            }
        }
        true
    }

    /// A position before a late stop, where the cause of its lateness lies, or any.
    fn trouble(&self, random: &mut Random) -> usize {
        let search = &self.search;
        let (from, to) = (search.kernel.rules.frozen + 1, search.kernel.len() - 2);
        if search.end().late > 0
            && random.below(8) < AIMED_REBUILDS
            && let Some(late) = search.any_late(random)
        {
            let cause = late.saturating_sub(random.below(REBUILD_LEAD));
            return cause.max(from).min(to);
        }
        from + random.below((to + 1).saturating_sub(from))
    }

    /// Changes a small place. False when the rules allow none of what was drawn.
    pub(crate) fn kick(&mut self, random: &mut Random, longest: usize, window: Window) -> bool {
        if window.is_open() && random.below(8) == 0 {
            let reach = self.search.kernel.typical_leg * DEPARTURE_REACH;
            let by = random.below(2 * reach as usize + 1) as i64 - reach;
            let at = (self.search.departure() + by)
                .max(window.first)
                .min(window.last);
            self.search.depart(at);
        }
        let wide = random.below(4) == 0;
        self.search.first_give = if wide { WIDE_GIVE } else { 1 };
        self.search.near = if wide { WIDE_NEAR } else { CLOSE_NEAR };
        let (from, to) = self.place(random);
        let Some(mv) = draw(self.search.kernel, random, longest, from, to) else {
            return false;
        };
        let rules = &self.search.kernel.rules;
        if !rules.is_free() && !rules.allow(&mv, &self.search.position) {
            return false;
        }
        self.search.apply(&mv);
        (self.low, self.high) = (mv.first(), mv.last());
        true
    }

    /// Where to kick: before a late stop, where the end is decided, or anywhere.
    fn place(&self, random: &mut Random) -> (usize, usize) {
        let search = &self.search;
        let last = search.kernel.len() - 2;
        if search.end().late > 0
            && random.below(8) < AIMED_KICKS
            && let Some(late) = search.any_late(random)
        {
            return (late.saturating_sub(CAUSE), last.min(late + EFFECT));
        }
        // Where the route waits, what comes before hardly matters for its end.
        if search.goal() == Goal::End && random.below(2) == 0 {
            return (search.last_wait().saturating_sub(LEAD), last);
        }
        (0, last)
    }

    /// Descends from what the kick left.
    pub(crate) fn descend(&mut self, stop: &mut dyn FnMut(u64) -> bool) {
        let (mut low, mut high) = (self.low, self.high);
        self.search.descend(stop, &mut |first, last| {
            (low, high) = (low.min(first), high.max(last))
        });
        (self.low, self.high) = (low, high);
    }

    /// Remembers the order if it is the best, goes on from it if it is good enough, or goes back.
    pub(crate) fn settle(&mut self, tolerance: i64, window: Window, budget: &Budget<'_>) {
        if window.is_open() && self.search.cost < self.current_cost.saturating_add(4 * tolerance) {
            let finest = (self.search.kernel.typical_leg / 32).max(departure::TICK);
            departure::choose(&mut self.search, window, finest);
        }
        let mut here = rank(&self.search);
        if window.is_open() && here < self.best.rank {
            departure::choose(&mut self.search, window, departure::TICK);
            here = rank(&self.search);
        }
        self.tried += 1;
        self.met += u32::from(here.0 == 0);
        self.since += 1;
        if here < self.best.rank {
            self.best.order.copy_from_slice(self.search.order());
            self.best.rank = here;
            self.best.depart = self.search.departure();
            self.since = 0;
            budget.guard.improved(here.0);
        }
        if self.search.cost <= self.current_cost.saturating_add(tolerance) {
            let changed = self
                .search
                .order()
                .get(self.low..=self.high)
                .unwrap_or_default();
            if let Some(into) = self.current.get_mut(self.low..=self.high) {
                into.copy_from_slice(changed);
            }
            self.current_cost = self.search.cost;
            self.current_departure = self.search.departure();
        } else {
            self.search.restore(&self.current, self.low, self.high);
            self.search.depart(self.current_departure);
        }
    }

    /// Moves the penalty to where about half the orders are on time: the best lie at that edge.
    pub(crate) fn adapt(&mut self, knobs: &Knobs) {
        let before = self.search.penalty;
        // Time warp sets the clock back: cheaper than the time it saves, it would be worth seeking,
        // and the bound of the search would not hold.
        let least = if self.search.goal() == Goal::End {
            UNIT
        } else {
            UNIT / 4
        };
        if self.search.mode != Mode::Lateness
            && self.best.rank.0 != 0
            && self.met == 0
            && self.tried >= RAISE_AFTER
        {
            self.search.penalty = (before * 3 / 2 + 1).min(knobs.most_penalty);
            (self.tried, self.met) = (0, 0);
        } else if self.tried >= ADAPT_AFTER {
            if self.met * 10 < self.tried * 3 {
                self.search.penalty = (before * 5 / 4 + 1).min(knobs.most_penalty);
            } else if self.met * 10 > self.tried * 7 {
                self.search.penalty = (before * 4 / 5).max(least);
            }
            (self.tried, self.met) = (0, 0);
        }
        if self.search.penalty != before {
            self.search.reweigh();
            self.current_cost = self.search.cost;
        }
    }

    /// Goes on from the best order.
    pub(crate) fn go_back(&mut self) {
        self.since = 0;
        self.current.copy_from_slice(&self.best.order);
        self.current_departure = self.best.depart;
        self.search.set(&self.best.order);
        self.search.depart(self.best.depart);
        self.current_cost = self.search.cost;
    }
}

/// A random small change somewhere: a double bridge, or a stop elsewhere nearby.
fn draw(
    kernel: &Kernel,
    random: &mut Random,
    longest: usize,
    from: usize,
    to: usize,
) -> Option<Move> {
    let last = to.max(8.min(kernel.len() - 2));
    let first = (kernel.rules.frozen + 1).max(from.min(last.saturating_sub(8)));
    let count = (last + 1).checked_sub(first)?;
    if count < 3 {
        return None;
    }
    if random.below(3) < 2 {
        let longest = longest.min(count / 3).max(1);
        let [x, y, z] = [
            1 + random.below(longest),
            1 + random.below(longest),
            1 + random.below(longest),
        ];
        let a = first + random.below(count - (x + y + z) + 1);
        return Some(Move::double_bridge(a, a + x, a + x + y, a + x + y + z));
    }
    let i = first + random.below(count);
    let span = REACH.min(count - 1);
    let j = (i + random.below(2 * span + 1))
        .saturating_sub(span)
        .max(first)
        .min(last);
    // Moving one stop shifts those between, which a pin there forbids; exchanging two does not.
    if !kernel.rules.is_free() && i != j && random.below(2) == 0 {
        return Some(Move::exchange(i.min(j), i.max(j)));
    }
    match i.cmp(&j) {
        core::cmp::Ordering::Less => Some(Move::swap(Piece::kept(i + 1, j), Piece::kept(i, i))),
        core::cmp::Ordering::Greater => Some(Move::swap(Piece::kept(i, i), Piece::kept(j, i - 1))),
        core::cmp::Ordering::Equal => None,
    }
}
