//! Which moves are worth a look from a node whose surroundings changed (gate 1), and what their legs gain.
//!
//! Every named move is reached from one new leg: the node gets a near neighbour as its successor, or as
//! its predecessor. This exists once, for all evaluators.

use super::super::moves::{Move, Piece};
use super::Search;

/// Longest piece of a transfer whose other end is not led by a near neighbour.
const SHORT_PIECE: usize = 3;

impl Search<'_> {
    /// Moves that put a near node right after the one at position `i`.
    pub(super) fn try_successors(&mut self, i: usize) {
        let kernel = self.kernel;
        let last = kernel.len() - 2;
        if i > last {
            return;
        }
        let v = self.stop(i);
        let next = self.stop(i + 1);
        let old = i64::from(kernel.leg(v, next)) + self.give;
        for &u in kernel.successors(v).iter().take(self.near) {
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
        for &u in kernel.predecessors(seam).iter().take(self.near) {
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
    pub(super) fn try_predecessors(&mut self, i: usize) {
        let kernel = self.kernel;
        let last = kernel.len() - 2;
        if i == 0 {
            return;
        }
        let v = self.stop(i);
        let previous = self.stop(i - 1);
        let old = i64::from(kernel.leg(previous, v)) + self.give;
        for &u in kernel.predecessors(v).iter().take(self.near) {
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
    #[inline]
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
    #[inline]
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
}
