//! Local search: from a node whose surroundings changed, try every named move that would give it a
//! near neighbour, and take the best.
//!
//! A candidate passes three gates, each dearer than the one before:
//!
//! 1. **Gain** (a few loads): the first new leg must be shorter than the leg it replaces, unless the
//!    present route has waiting or lateness that a longer way may save.
//! 2. **Bound** (O(1)): all legs of the move, driven without waiting, met with the tier 1 rest.
//! 3. **Price**: rules, then the changed run is walked and the rest finished by the evaluator.
//!
//! Only prefix sums make gates 1 and 2 cheap; nothing is pruned by the triangle inequality, which a
//! supplied matrix may violate.

mod price;
mod propose;

use super::evaluate::{Clocked, Head, Lateness, Mode, Warp};
use super::kernel::{Goal, Kernel, UNIT};
use super::moves::Move;
use super::random::Random;
use super::table::Table;
use super::timeline::Timeline;

/// All legs of a move together may get longer by this many typical legs, when waiting or lateness
/// could pay for it.
const TOTAL_GIVE: i64 = 8;

/// How many near neighbours count while first orders are improved.
const FIRST_NEAR: usize = 10;

/// The present order with everything the gates need.
pub(crate) struct Search<'k> {
    pub(crate) kernel: &'k Kernel,
    /// The evaluator that counts.
    pub(crate) mode: Mode,
    /// What is minimised now; not the kernel's while a travel-time search looks for an order on time.
    goal: Goal,
    line: Timeline,
    pub(crate) position: Table<u16>,
    /// The reduced leg into a position.
    steps: Table<i32>,
    /// What all legs up to a position would cost more the other way round.
    turn: Table<i64>,
    /// Sum of all reduced legs.
    legs: i64,
    /// Legs and dwell up to a position: the clock if nobody ever waited.
    free: Table<i64>,
    /// Preferences up to a position, forwards and backwards; empty without any.
    taste: Table<i64>,
    taste_back: Table<i64>,
    queue: Vec<u16>,
    queued: Table<bool>,
    scratch: Vec<u16>,
    /// What a tick of lateness costs, in cost units.
    pub(crate) penalty: i64,
    /// A first new leg may be longer than the old one by this many typical legs, when waiting or
    /// lateness could pay for it.
    pub(crate) first_give: i64,
    /// How many near neighbours of a node are looked at.
    pub(crate) near: usize,
    /// Candidates looked at so far.
    pub(crate) evaluations: u64,
    /// Cost of the present order.
    pub(crate) cost: i64,
    best: i64,
    best_move: Option<Move>,
    /// What passed gate 1, with the gain of its legs. Kept apart so that the generator of moves exists
    /// once, not once per evaluator.
    candidates: Vec<(Move, i64)>,
    /// How much longer the legs of a move may get.
    give: i64,
    give_total: i64,
    /// What preferences cost at least.
    least_taste: i64,
}

impl<'k> Search<'k> {
    /// A search that stands at `order` (all nodes, start first, end last).
    pub(crate) fn new(kernel: &'k Kernel, mode: Mode, order: &[u16], penalty: i64) -> Self {
        let n = kernel.len();
        let tasted = if kernel.taste.is_plain() { 0 } else { n };
        let mut search = Self {
            kernel,
            mode,
            goal: kernel.goal,
            line: Timeline::new(n, mode),
            position: Table::new(n),
            steps: Table::new(n),
            turn: Table::new(n),
            legs: 0,
            free: Table::new(n),
            taste: Table::new(tasted),
            taste_back: Table::new(tasted),
            queue: Vec::with_capacity(n),
            queued: Table::new(n),
            scratch: Vec::with_capacity(n),
            penalty,
            first_give: 1,
            near: FIRST_NEAR,
            evaluations: 0,
            cost: 0,
            best: 0,
            best_move: None,
            candidates: Vec::new(),
            give: 0,
            give_total: 0,
            least_taste: 0,
        };
        let node = kernel.node(0);
        search.line.heads.put(
            0,
            Head {
                time: node.open,
                late: 0,
            },
        );
        search.set(order);
        search
    }

    /// Stands at another order.
    pub(crate) fn set(&mut self, order: &[u16]) {
        let n = self.kernel.len();
        self.line.order.span_mut(0, n).copy_from_slice(order);
        self.refresh(0, n - 1);
    }

    /// Goes back to `order`, which differs only within the positions `first..=last`.
    pub(crate) fn restore(&mut self, order: &[u16], first: usize, last: usize) {
        let from = order.get(first..=last).unwrap_or_default();
        let into = self.line.order.span_mut(first, last + 1);
        if from.len() == into.len() {
            into.copy_from_slice(from);
        }
        self.refresh(first, last);
    }

    /// Leaves at another time.
    pub(crate) fn depart(&mut self, time: i64) {
        if time != self.departure() {
            self.line.heads.put(0, Head { time, late: 0 });
            self.refresh(0, self.kernel.len() - 1);
        }
    }

    /// When it leaves.
    pub(crate) fn departure(&self) -> i64 {
        self.line.heads.at(0).time
    }

    /// Time and lateness at the end when leaving at `time`.
    pub(crate) fn walk(&self, time: i64) -> Head {
        let rest = self.line.order.span(1, self.kernel.len());
        let start = Head { time, late: 0 };
        self.mode.walk(self.kernel, start, 0, rest, i64::MAX)
    }

    /// The order, start and end included.
    pub(crate) fn order(&self) -> &[u16] {
        self.line.order.all()
    }

    /// Time and lateness at the end.
    pub(crate) fn end(&self) -> Head {
        self.line.heads.at(self.kernel.len() - 1)
    }

    /// A random position whose stop is late, each as likely as the other.
    pub(crate) fn any_late(&self, random: &mut Random) -> Option<usize> {
        let late = |q: &usize| self.line.heads.at(*q).late > self.line.heads.at(q - 1).late;
        let mut found = None;
        for (count, q) in (1..self.kernel.len()).filter(late).enumerate() {
            if random.below(count + 1) == 0 {
                found = Some(q);
            }
        }
        found
    }

    /// The last position that waits, where the end of the route is decided; 0 without any.
    pub(crate) fn last_wait(&self) -> usize {
        let stops = 1..self.kernel.len() - 1;
        stops
            .rev()
            .find(|&q| self.line.heads.at(q).time == self.kernel.node(self.stop(q)).open)
            .unwrap_or(0)
    }

    /// Sum of reduced legs.
    pub(crate) fn legs(&self) -> i64 {
        self.legs
    }

    /// Sum of preferences, in cost units.
    pub(crate) fn tastes(&self) -> i64 {
        if self.taste.len() == 0 {
            0
        } else {
            self.taste.at(self.kernel.len() - 1)
        }
    }

    #[inline(always)]
    fn stop(&self, position: usize) -> usize {
        usize::from(self.line.order.at(position))
    }

    /// One number from lateness, end, legs and preferences.
    #[inline(always)]
    fn weigh(&self, outcome: Head, legs: i64, taste: i64) -> i64 {
        let goal = match self.goal {
            Goal::Travel => legs * UNIT,
            Goal::End => (outcome.time - self.departure()) * UNIT + legs,
        };
        outcome
            .late
            .saturating_mul(self.penalty)
            .saturating_add(goal + taste)
    }

    /// Minimises something else from now on.
    pub(crate) fn aim(&mut self, goal: Goal) {
        self.goal = goal;
        self.reweigh();
    }

    /// What is minimised now.
    pub(crate) fn goal(&self) -> Goal {
        self.goal
    }

    /// Recomputes the cost, as after a change of the penalty.
    pub(crate) fn reweigh(&mut self) {
        self.cost = self.weigh(self.end(), self.legs(), self.tastes());
    }

    /// Recomputes what a change of the positions `first..=last` touches.
    fn refresh(&mut self, first: usize, last: usize) {
        let n = self.kernel.len();
        for q in first..=last {
            self.position.put(self.stop(q), q as u16);
        }
        let (first, past) = (first.max(1), (last + 2).min(n));
        let before = (self.turn.at(past - 1), self.free.at(past - 1));
        let mut a = self.stop(first - 1);
        let (mut turn, mut free) = (self.turn.at(first - 1), self.free.at(first - 1));
        for q in first..past {
            let b = self.stop(q);
            let leg = self.kernel.leg(a, b);
            turn += i64::from(self.kernel.leg(b, a)) - i64::from(leg);
            free += i64::from(leg) + self.kernel.node(a).dwell;
            self.legs += i64::from(leg) - i64::from(self.steps.at(q));
            self.steps.put(q, leg);
            self.turn.put(q, turn);
            self.free.put(q, free);
            a = b;
        }
        shift(self.turn.span_mut(past, n), turn - before.0);
        shift(self.free.span_mut(past, n), free - before.1);
        if self.taste.len() != 0 {
            self.refresh_taste(first);
        }
        self.line.refresh(self.kernel, self.mode, first, last);
        self.reweigh();
    }

    fn refresh_taste(&mut self, first: usize) {
        for q in first..self.kernel.len() {
            let (a, b) = (self.stop(q - 1), self.stop(q));
            self.taste
                .put(q, self.taste.at(q - 1) + self.kernel.taste.cost(a, b));
            self.taste_back
                .put(q, self.taste_back.at(q - 1) + self.kernel.taste.cost(b, a));
        }
    }

    /// Carries a move out.
    pub(crate) fn apply(&mut self, mv: &Move) {
        let n = self.kernel.len();
        let mut scratch = core::mem::take(&mut self.scratch);
        mv.apply(self.line.order.span_mut(0, n), &mut scratch);
        self.scratch = scratch;
        self.refresh(mv.first(), mv.last());
        self.touch(mv);
    }

    /// Queues the stops at the seams of a move.
    fn touch(&mut self, mv: &Move) {
        let mut seam = mv.first();
        self.enqueue(seam - 1);
        for piece in mv.pieces() {
            self.enqueue(seam);
            seam += piece.len();
            self.enqueue(seam - 1);
        }
        self.enqueue(seam);
    }

    /// Queues the stop at a position.
    pub(crate) fn enqueue(&mut self, position: usize) {
        if position >= self.kernel.len() {
            return;
        }
        let v = self.stop(position);
        if !self.queued.at(v) {
            self.queued.put(v, true);
            self.queue.push(v as u16);
        }
    }

    /// Descends until no queued stop has an improving move. True unless `stop` ended it early.
    /// Reports each changed run of positions to `changed`.
    pub(crate) fn descend(
        &mut self,
        stop: &mut dyn FnMut(u64) -> bool,
        changed: &mut dyn FnMut(usize, usize),
    ) -> bool {
        let mut visits = 0_u32;
        while let Some(v) = self.queue.pop() {
            self.queued.put(usize::from(v), false);
            visits += 1;
            if visits.is_multiple_of(16) && stop(self.evaluations) {
                self.clear_queue();
                return false;
            }
            self.best = self.cost;
            self.best_move = None;
            let all = self.allow0(1).max(0) + i64::from(self.goal == Goal::End);
            self.give = all.min(self.kernel.typical_leg * self.first_give);
            self.give_total = all.min(self.kernel.typical_leg * TOTAL_GIVE);
            let at = usize::from(self.position.at(usize::from(v)));
            self.try_successors(at);
            self.try_predecessors(at);
            match self.mode {
                Mode::Warp => self.sift::<Warp>(),
                Mode::Lateness => self.sift::<Lateness>(),
                Mode::Clocked => self.sift::<Clocked>(),
            }
            if let Some(mv) = self.best_move {
                self.apply(&mv);
                changed(mv.first(), mv.last());
                self.enqueue(usize::from(self.position.at(usize::from(v))));
            }
        }
        true
    }

    /// Forgets what is queued.
    pub(crate) fn clear_queue(&mut self) {
        while let Some(v) = self.queue.pop() {
            self.queued.put(usize::from(v), false);
        }
    }

    /// How much longer the way may get before a saved wait or lateness can no longer pay for it.
    fn allow0(&self, at: usize) -> i64 {
        let n = self.kernel.len();
        let (end, here) = (self.end(), self.line.heads.at(at.saturating_sub(1)));
        let late = end.late.saturating_mul(self.penalty) / UNIT;
        match self.goal {
            Goal::Travel => late,
            Goal::End => {
                late + (end.time - here.time)
                    - (self.free.at(n - 1) - self.free.at(at.saturating_sub(1)))
            }
        }
    }
}

fn shift(values: &mut [i64], by: i64) {
    if by != 0 {
        for value in values {
            *value += by;
        }
    }
}
