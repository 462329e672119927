//! One phase of the iterated local search: where it stands, and the steps it repeats.

use super::budget::Budget;
use super::departure::{self, Window};
use super::evaluate::Mode;
use super::improve::{ADAPT_AFTER, Found, Knobs, RAISE_AFTER, rank};
use super::kernel::{Goal, Kernel, UNIT};
use super::moves::{Move, Piece};
use super::random::Random;
use super::search::Search;

/// A stop is kicked no further than this many positions.
const REACH: usize = 30;

/// Kicks at the part that decides the end begin this many positions before the last wait.
const LEAD: usize = 5;

/// Every fourth descent may look at first legs longer by this many typical legs.
const WIDE_GIVE: i64 = 6;

/// Where the departure is free, every eighth kick moves it by up to this many typical legs.
const DEPARTURE_REACH: i64 = 20;

/// Where a phase stands.
pub(crate) struct Phase<'k> {
    pub(crate) search: Search<'k>,
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
            search,
            best,
            since: 0,
            tried: 0,
            met: 0,
            low: 0,
            high: 0,
        }
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
        self.search.first_give = if random.below(4) == 0 { WIDE_GIVE } else { 1 };
        // Where the route waits, what comes before hardly matters for its end.
        let decided = self.search.kernel.goal == Goal::End && random.below(2) == 0;
        let from = if decided {
            self.search.last_wait().saturating_sub(LEAD)
        } else {
            0
        };
        let Some(mv) = draw(self.search.kernel, random, longest, from) else {
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
        let least = if self.search.kernel.goal == Goal::End {
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
fn draw(kernel: &Kernel, random: &mut Random, longest: usize, from: usize) -> Option<Move> {
    let last = kernel.len() - 2;
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
