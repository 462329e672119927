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

use super::evaluate::{Evaluator, Head, Timeline};
use super::kernel::{Goal, Kernel, UNIT};
use super::moves::{Move, Piece};
use super::table::Table;

/// Longest piece of a transfer whose other end is not led by a near neighbour.
const SHORT_PIECE: usize = 3;

/// All legs of a move together may get longer by this many typical legs, when waiting or lateness
/// could pay for it.
const TOTAL_GIVE: i64 = 8;

/// The present order with everything the gates need.
pub(crate) struct Search<'k> {
    pub(crate) kernel: &'k Kernel,
    pub(crate) line: Timeline,
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
    pub(crate) fn new<E: Evaluator>(kernel: &'k Kernel, order: &[u16], penalty: i64) -> Self {
        let n = kernel.len();
        let tasted = if kernel.taste.is_plain() { 0 } else { n };
        let mut search = Self {
            kernel,
            line: Timeline::new::<E>(n),
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
        search.set::<E>(order);
        search
    }

    /// Stands at another order.
    pub(crate) fn set<E: Evaluator>(&mut self, order: &[u16]) {
        let n = self.kernel.len();
        self.line.order.span_mut(0, n).copy_from_slice(order);
        self.refresh::<E>(0, n - 1);
    }

    /// Goes back to `order`, which differs only within the positions `first..=last`.
    pub(crate) fn restore<E: Evaluator>(&mut self, order: &[u16], first: usize, last: usize) {
        let from = order.get(first..=last).unwrap_or_default();
        let into = self.line.order.span_mut(first, last + 1);
        if from.len() == into.len() {
            into.copy_from_slice(from);
        }
        self.refresh::<E>(first, last);
    }

    /// Leaves at another time.
    pub(crate) fn depart<E: Evaluator>(&mut self, time: i64) {
        if time != self.departure() {
            self.line.heads.put(0, Head { time, late: 0 });
            self.refresh::<E>(0, self.kernel.len() - 1);
        }
    }

    /// When it leaves.
    pub(crate) fn departure(&self) -> i64 {
        self.line.heads.at(0).time
    }

    /// Time and lateness at the end when leaving at `time`.
    pub(crate) fn walk<E: Evaluator>(&self, time: i64) -> Head {
        let mut head = Head { time, late: 0 };
        let mut from = 0;
        for v in self.order().iter().skip(1) {
            head = E::serve(self.kernel, head, from, usize::from(*v));
            from = usize::from(*v);
        }
        head
    }

    /// The order, start and end included.
    pub(crate) fn order(&self) -> &[u16] {
        self.line.order.all()
    }

    /// Time and lateness at the end.
    pub(crate) fn end(&self) -> Head {
        self.line.heads.at(self.kernel.len() - 1)
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
        let goal = match self.kernel.goal {
            Goal::Travel => legs * UNIT,
            Goal::End => (outcome.time - self.departure()) * UNIT + legs,
        };
        outcome
            .late
            .saturating_mul(self.penalty)
            .saturating_add(goal + taste)
    }

    /// Recomputes the cost, as after a change of the penalty.
    pub(crate) fn reweigh(&mut self) {
        self.cost = self.weigh(self.end(), self.legs(), self.tastes());
    }

    /// Recomputes what a change of the positions `first..=last` touches.
    fn refresh<E: Evaluator>(&mut self, first: usize, last: usize) {
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
        self.line.refresh::<E>(self.kernel, first, last);
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
    pub(crate) fn apply<E: Evaluator>(&mut self, mv: &Move) {
        let n = self.kernel.len();
        let mut scratch = core::mem::take(&mut self.scratch);
        mv.apply(self.line.order.span_mut(0, n), &mut scratch);
        self.scratch = scratch;
        self.refresh::<E>(mv.first(), mv.last());
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
    pub(crate) fn descend<E: Evaluator>(
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
            let all = self.allow0(1).max(0) + i64::from(self.kernel.goal == Goal::End);
            self.give = all.min(self.kernel.typical_leg * self.first_give);
            self.give_total = all.min(self.kernel.typical_leg * TOTAL_GIVE);
            let at = usize::from(self.position.at(usize::from(v)));
            self.try_successors(at);
            self.try_predecessors(at);
            let mut candidates = core::mem::take(&mut self.candidates);
            for (mv, gain) in candidates.drain(..) {
                if self.may_pay::<E>(mv.first(), mv.last() + 1, gain) {
                    self.price::<E>(mv, gain);
                }
            }
            self.candidates = candidates;
            if let Some(mv) = self.best_move {
                self.apply::<E>(&mv);
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
        match self.kernel.goal {
            Goal::Travel => late,
            Goal::End => {
                late + (end.time - here.time)
                    - (self.free.at(n - 1) - self.free.at(at.saturating_sub(1)))
            }
        }
    }

    /// Moves that put a near node right after the one at position `i`.
    fn try_successors(&mut self, i: usize) {
        let kernel = self.kernel;
        let last = kernel.len() - 2;
        if i > last {
            return;
        }
        let v = self.stop(i);
        let next = self.stop(i + 1);
        let old = i64::from(kernel.leg(v, next)) + self.give;
        for &u in kernel.successors(v) {
            if old <= i64::from(kernel.leg(v, usize::from(u))) {
                break;
            }
            let j = usize::from(self.position.at(usize::from(u)));
            if j > i + 1 {
                if j <= last {
                    self.consider_reversal(i + 1, j);
                }
                for k in 1..=SHORT_PIECE {
                    if j + k - 1 <= last {
                        self.consider_swap(Piece::kept(j, j + k - 1), Piece::kept(i + 1, j - 1));
                    }
                    if k > 1 && j <= last && j > i + k {
                        self.consider_swap(Piece::turned(j + 1 - k, j), Piece::kept(i + 1, j - k));
                    }
                    if i >= k {
                        self.consider_swap(Piece::kept(i + 1, j - 1), Piece::kept(i + 1 - k, i));
                    }
                    if k > 1 && i >= 1 && j > i + k {
                        self.consider_swap(Piece::kept(i + k, j - 1), Piece::turned(i, i + k - 1));
                    }
                }
                let spare = old - i64::from(kernel.leg(v, usize::from(u)))
                    + i64::from(kernel.leg(self.stop(j - 1), usize::from(u)));
                self.try_swaps(next, spare, j, last, |w| {
                    (Piece::kept(j, w), Piece::kept(i + 1, j - 1))
                });
            } else if j < i && j >= 1 {
                for k in 1..=SHORT_PIECE {
                    if j + k <= i {
                        self.consider_swap(Piece::kept(j + k, i), Piece::kept(j, j + k - 1));
                    }
                    if k > 1 && j >= k {
                        self.consider_swap(Piece::kept(j + 1, i), Piece::turned(j + 1 - k, j));
                    }
                    if i >= j + k {
                        self.consider_swap(Piece::kept(i + 1 - k, i), Piece::kept(j, i - k));
                    }
                    if k > 1 && i + k - 1 <= last {
                        self.consider_swap(Piece::turned(i, i + k - 1), Piece::kept(j, i - 1));
                    }
                }
                let spare = old - i64::from(kernel.leg(v, usize::from(u)))
                    + i64::from(kernel.leg(self.stop(j - 1), usize::from(u)));
                self.try_swaps(next, spare, j, i - 1, |w| {
                    (Piece::kept(w + 1, i), Piece::kept(j, w))
                });
            }
        }
    }

    /// or-3opt: the piece that a first new leg begins may end wherever a near predecessor of `seam`
    /// stands within `low..=high`.
    fn try_swaps(
        &mut self,
        seam: usize,
        spare: i64,
        low: usize,
        high: usize,
        swap: impl Fn(usize) -> (Piece, Piece),
    ) {
        let kernel = self.kernel;
        for &u in kernel.predecessors(seam) {
            if spare <= i64::from(kernel.leg(usize::from(u), seam)) {
                break;
            }
            let w = usize::from(self.position.at(usize::from(u)));
            if (low..=high).contains(&w) {
                let (a, b) = swap(w);
                self.consider_swap(a, b);
            }
        }
    }

    /// Moves that put a near node right before the one at position `i`: the mirror of the above.
    fn try_predecessors(&mut self, i: usize) {
        let kernel = self.kernel;
        let last = kernel.len() - 2;
        if i == 0 {
            return;
        }
        let v = self.stop(i);
        let previous = self.stop(i - 1);
        let old = i64::from(kernel.leg(previous, v)) + self.give;
        for &u in kernel.predecessors(v) {
            if old <= i64::from(kernel.leg(usize::from(u), v)) {
                break;
            }
            let j = usize::from(self.position.at(usize::from(u)));
            if j + 1 < i {
                if j >= 1 {
                    self.consider_reversal(j, i - 1);
                }
                for k in 1..=SHORT_PIECE {
                    if j >= k {
                        self.consider_swap(Piece::kept(j + 1, i - 1), Piece::kept(j + 1 - k, j));
                    }
                    if k > 1 && j >= 1 && j + k < i {
                        self.consider_swap(Piece::kept(j + k, i - 1), Piece::turned(j, j + k - 1));
                    }
                    if i + k - 1 <= last {
                        self.consider_swap(Piece::kept(i, i + k - 1), Piece::kept(j + 1, i - 1));
                    }
                    if k > 1 && i <= last && i > j + k {
                        self.consider_swap(Piece::turned(i + 1 - k, i), Piece::kept(j + 1, i - k));
                    }
                }
            } else if j > i && j <= last {
                for k in 1..=SHORT_PIECE {
                    if j >= i + k {
                        self.consider_swap(Piece::kept(j + 1 - k, j), Piece::kept(i, j - k));
                        self.consider_swap(Piece::kept(i + k, j), Piece::kept(i, i + k - 1));
                    }
                    if k > 1 && j + k - 1 <= last {
                        self.consider_swap(Piece::turned(j, j + k - 1), Piece::kept(i, j - 1));
                    }
                    if k > 1 && i >= k {
                        self.consider_swap(Piece::kept(i + 1, j), Piece::turned(i + 1 - k, i));
                    }
                }
            }
        }
    }

    /// Two neighbouring pieces change places: `b` stood before `a`.
    #[inline(always)]
    fn consider_swap(&mut self, a: Piece, b: Piece) {
        self.evaluations += 1;
        let (first, past) = (b.from, a.to + 1);
        let mut gain = -(i64::from(self.step(first))
            + i64::from(self.step(a.from))
            + i64::from(self.step(past)));
        let (mut enter, mut leave) = (self.stop(a.from), self.stop(a.to));
        if a.turned {
            (enter, leave) = (leave, enter);
            gain += self.turning(a);
        }
        let (mut enter_b, mut leave_b) = (self.stop(b.from), self.stop(b.to));
        if b.turned {
            (enter_b, leave_b) = (leave_b, enter_b);
            gain += self.turning(b);
        }
        gain += i64::from(self.kernel.leg(self.stop(first - 1), enter))
            + i64::from(self.kernel.leg(leave, enter_b))
            + i64::from(self.kernel.leg(leave_b, self.stop(past)));
        if gain < self.give_total {
            self.candidates.push((Move::swap(a, b), gain));
        }
    }

    /// The run `from..=to` is turned round.
    #[inline(always)]
    fn consider_reversal(&mut self, from: usize, to: usize) {
        self.evaluations += 1;
        let (before, behind) = (self.stop(from - 1), self.stop(to + 1));
        let gain = self.turning(Piece::turned(from, to))
            + i64::from(self.kernel.leg(before, self.stop(to)))
            + i64::from(self.kernel.leg(self.stop(from), behind))
            - i64::from(self.step(from))
            - i64::from(self.step(to + 1));
        if gain < self.give_total {
            self.candidates.push((Move::reversal(from, to), gain));
        }
    }

    /// What the legs within a piece cost more when it is driven backwards.
    #[inline(always)]
    fn turning(&self, piece: Piece) -> i64 {
        self.turn.at(piece.to) - self.turn.at(piece.from)
    }

    /// The leg into a position.
    #[inline(always)]
    fn step(&self, position: usize) -> i32 {
        self.steps.at(position)
    }

    /// Gate 2 for a change of the positions from `first` until before `past`.
    #[inline(always)]
    fn may_pay<E: Evaluator>(&self, first: usize, past: usize, gain: i64) -> bool {
        let head = self.line.heads.at(first - 1);
        let soonest = head.time + gain + self.free.at(past) - self.free.at(first - 1);
        let rest = E::bound(self.kernel, &self.line, past, soonest);
        self.weigh(
            Head {
                time: rest.time,
                late: head.late + rest.late,
            },
            self.legs + gain,
            self.least_taste,
        ) < self.best
    }

    /// Gate 3.
    #[inline(never)]
    fn price<E: Evaluator>(&mut self, mv: Move, gain: i64) {
        let legs = self.legs + gain;
        let taste = if self.taste.len() == 0 {
            0
        } else {
            self.move_taste(&mv)
        };
        let rules = &self.kernel.rules;
        if mv.first() <= rules.frozen || (!rules.is_free() && !rules.allow(&mv, &self.position)) {
            return;
        }
        let floor = match self.kernel.goal {
            Goal::Travel => legs * UNIT + taste,
            Goal::End => taste,
        };
        // More lateness than this cannot beat the best move, whatever follows.
        let cap = self.best.saturating_sub(floor) / self.penalty.max(1) + 1;
        let Some((mut head, mut from, sure)) = self.pass::<E, true>(&mv, cap) else {
            return;
        };
        if !sure {
            let arrival = head.time
                + self.kernel.node(from).dwell
                + i64::from(self.kernel.leg(from, self.stop(mv.last() + 1)));
            let rest = E::bound(self.kernel, &self.line, mv.last() + 1, arrival);
            if self.weigh(
                Head {
                    time: rest.time,
                    late: head.late + rest.late,
                },
                legs,
                taste,
            ) >= self.best
            {
                return;
            }
            let Some(walked) = self.pass::<E, false>(&mv, cap) else {
                return;
            };
            (head, from, _) = walked;
        }
        // Without preferences and with the end as goal, only an earlier end is better (legs break ties,
        // which is worth no walk).
        let beat = self.best <= self.cost && self.taste.len() == 0 && self.kernel.goal == Goal::End;
        let end = E::finish(
            self.kernel,
            &self.line,
            head,
            from,
            mv.last() + 1,
            cap,
            beat,
        );
        if end.late > cap {
            return;
        }
        let cost = self.weigh(end, legs, taste);
        if cost < self.best {
            self.best = cost;
            self.best_move = Some(mv);
        }
    }

    /// Serves the pieces of a move: the state after them, the last node, and whether it is exact (it is
    /// a lower bound otherwise, and only with `SKIP`). `None` when lateness exceeds `cap`.
    #[inline(always)]
    fn pass<E: Evaluator, const SKIP: bool>(
        &self,
        mv: &Move,
        cap: i64,
    ) -> Option<(Head, usize, bool)> {
        let mut head = self.line.heads.at(mv.first() - 1);
        let mut from = self.stop(mv.first() - 1);
        let mut sure = true;
        for piece in mv.pieces() {
            if SKIP
                && !piece.turned
                && let Some((after, exact)) =
                    E::skip(self.kernel, &self.line, head, from, piece.from, piece.to)
            {
                head = after;
                from = self.stop(piece.to);
                sure &= exact;
            } else {
                let mut q = if piece.turned { piece.to } else { piece.from };
                for _ in 0..piece.len() {
                    let to = self.stop(q);
                    head = E::serve(self.kernel, head, from, to);
                    from = to;
                    q = if piece.turned {
                        q.wrapping_sub(1)
                    } else {
                        q + 1
                    };
                }
            }
            if head.late > cap {
                return None;
            }
        }
        Some((head, from, sure))
    }

    fn move_taste(&self, mv: &Move) -> i64 {
        let (first, past) = (mv.first(), mv.last() + 1);
        let mut sum = self.tastes() - (self.taste.at(past) - self.taste.at(first - 1));
        let mut from = self.stop(first - 1);
        for piece in mv.pieces() {
            let (enter, leave, inner) = if piece.turned {
                (
                    piece.to,
                    piece.from,
                    self.taste_back.at(piece.to) - self.taste_back.at(piece.from),
                )
            } else {
                (
                    piece.from,
                    piece.to,
                    self.taste.at(piece.to) - self.taste.at(piece.from),
                )
            };
            sum += self.kernel.taste.cost(from, self.stop(enter)) + inner;
            from = self.stop(leave);
        }
        sum + self.kernel.taste.cost(from, self.stop(past))
    }
}

/// What tests need to see.
#[cfg(test)]
impl Search<'_> {
    /// The price of a move, whatever it is.
    pub(crate) fn price_of<E: Evaluator>(&mut self, mv: Move, gain: i64) -> i64 {
        self.best = i64::MAX;
        self.best_move = None;
        self.price::<E>(mv, gain);
        self.best
    }

    /// False when gate 2 would discard a move of this true cost though it improves.
    pub(crate) fn could_reach<E: Evaluator>(&mut self, mv: &Move, gain: i64, truth: i64) -> bool {
        self.best = truth + 1;
        self.may_pay::<E>(mv.first(), mv.last() + 1, gain)
    }

    /// True when everything kept per position is equal.
    pub(crate) fn same_state(&self, other: &Self) -> bool {
        self.line == other.line
            && self.position.all() == other.position.all()
            && self.steps.all() == other.steps.all()
            && self.free.all() == other.free.all()
            && self.turn.all() == other.turn.all()
            && (self.legs, self.cost) == (other.legs, other.cost)
    }
}

fn shift(values: &mut [i64], by: i64) {
    if by != 0 {
        for value in values {
            *value += by;
        }
    }
}
