//! What a move costs: gates 2 and 3, compiled once per evaluator.

use super::super::evaluate::{Evaluator, Head};
use super::super::kernel::{Goal, UNIT};
use super::super::moves::Move;
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
