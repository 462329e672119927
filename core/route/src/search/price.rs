//! What a move costs: gates 2 and 3, compiled once per evaluator.

use super::super::evaluate::{Evaluator, Head};
use super::super::kernel::{Goal, UNIT};
use super::super::moves::{Move, Piece};
use super::Search;

impl Search<'_> {
    /// Prices the candidates and keeps the best of them.
    pub(super) fn sift<E: Evaluator>(&mut self) {
        let mut candidates = core::mem::take(&mut self.candidates);
        for (mv, gain) in candidates.drain(..) {
            if self.may_pay::<E>(mv.first(), mv.last() + 1, gain) {
                self.price::<E>(mv, gain);
            }
        }
        self.candidates = candidates;
    }

    /// Gate 2 for a change of the positions from `first` until before `past`.
    #[inline(always)]
    pub(super) fn may_pay<E: Evaluator>(&self, first: usize, past: usize, gain: i64) -> bool {
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
    pub(super) fn price<E: Evaluator>(&mut self, mv: Move, gain: i64) {
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
        let floor = match self.goal {
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
        let beat = self.best <= self.cost && self.taste.len() == 0 && self.goal == Goal::End;
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
                head = self.serve_piece::<E>(piece, head, from, cap)?;
                from = self.stop(if piece.turned { piece.from } else { piece.to });
            }
            if head.late > cap {
                return None;
            }
        }
        Some((head, from, sure))
    }

    /// Serves a piece stop by stop, coming from `from`. `None` once lateness exceeds `cap`.
    #[inline(always)]
    fn serve_piece<E: Evaluator>(
        &self,
        piece: &Piece,
        head: Head,
        from: usize,
        cap: i64,
    ) -> Option<Head> {
        let (mut head, mut from) = (head, from);
        for step in 0..piece.len() {
            let q = if piece.turned {
                piece.to - step
            } else {
                piece.from + step
            };
            let to = self.stop(q);
            head = E::serve(self.kernel, head, from, to);
            if head.late > cap {
                return None;
            }
            if !piece.turned {
                // In step with the present times, the rest of the piece goes as it goes now.
                let now = self.line.heads.at(q);
                if head.time == now.time {
                    let last = self.line.heads.at(piece.to);
                    return Some(Head {
                        time: last.time,
                        late: head.late + last.late - now.late,
                    });
                }
            }
            from = to;
        }
        Some(head)
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
