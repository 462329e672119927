//! Named moves. Each rearranges up to three neighbouring pieces of the order and leaves the rest.
//!
//! * **Reversal** (2-opt): one piece, turned round.
//! * **Transfer** (or-opt): a short piece goes elsewhere, turned round or not: two pieces change places.
//! * **Swap of pieces** (or-3opt, the sequential 3-exchange without reversal): the same, any lengths.
//! * **Exchange**: two stops change places, what lies between stays: three pieces.
//! * **Double bridge**: three pieces in reverse sequence, none turned; no sequence of the above undoes
//!   it cheaply, so it serves as the kick.

/// A run of positions, both ends included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    /// First position.
    pub(crate) from: usize,
    /// Last position.
    pub(crate) to: usize,
    /// Driven backwards.
    pub(crate) turned: bool,
}

impl Piece {
    /// The run as it is.
    #[inline(always)]
    pub(crate) const fn kept(from: usize, to: usize) -> Self {
        Self {
            from,
            to,
            turned: false,
        }
    }

    /// The run backwards.
    #[inline(always)]
    pub(crate) const fn turned(from: usize, to: usize) -> Self {
        Self {
            from,
            to,
            turned: true,
        }
    }

    /// Number of positions.
    #[inline(always)]
    pub(crate) const fn len(&self) -> usize {
        self.to + 1 - self.from
    }
}

/// Pieces that cover a run of positions without a gap, in their new sequence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Move {
    pieces: [Piece; 3],
    count: usize,
    first: usize,
    last: usize,
}

impl Move {
    /// 2-opt: the run backwards.
    #[inline(always)]
    pub(crate) const fn reversal(from: usize, to: usize) -> Self {
        let piece = Piece::turned(from, to);
        Self {
            pieces: [piece, piece, piece],
            count: 1,
            first: from,
            last: to,
        }
    }

    /// Two neighbouring pieces change places (or-opt, or-3opt); `a` comes first afterwards.
    #[inline(always)]
    pub(crate) const fn swap(a: Piece, b: Piece) -> Self {
        let (first, last) = if a.from < b.from {
            (a.from, b.to)
        } else {
            (b.from, a.to)
        };
        Self {
            pieces: [a, b, b],
            count: 2,
            first,
            last,
        }
    }

    /// The stops at `a < b` change places.
    #[inline(always)]
    pub(crate) const fn exchange(a: usize, b: usize) -> Self {
        if b - a < 2 {
            return Self::swap(Piece::kept(b, b), Piece::kept(a, a));
        }
        let pieces = [
            Piece::kept(b, b),
            Piece::kept(a + 1, b - 1),
            Piece::kept(a, a),
        ];
        Self {
            pieces,
            count: 3,
            first: a,
            last: b,
        }
    }

    /// The runs `[a, b)`, `[b, c)`, `[c, d)` in reverse sequence.
    #[inline(always)]
    pub(crate) const fn double_bridge(a: usize, b: usize, c: usize, d: usize) -> Self {
        let pieces = [
            Piece::kept(c, d - 1),
            Piece::kept(b, c - 1),
            Piece::kept(a, b - 1),
        ];
        Self {
            pieces,
            count: 3,
            first: a,
            last: d - 1,
        }
    }

    /// First position that may change.
    #[inline(always)]
    pub(crate) const fn first(&self) -> usize {
        self.first
    }

    /// Last position that may change.
    #[inline(always)]
    pub(crate) const fn last(&self) -> usize {
        self.last
    }

    /// The pieces in their new sequence.
    #[inline(always)]
    pub(crate) fn pieces(&self) -> &[Piece] {
        self.pieces.get(..self.count).unwrap_or_default()
    }

    /// Where the stop now at `position` comes to stand.
    pub(crate) fn lands(&self, position: usize) -> usize {
        let mut start = self.first;
        for piece in self.pieces() {
            if (piece.from..=piece.to).contains(&position) {
                let offset = if piece.turned {
                    piece.to - position
                } else {
                    position - piece.from
                };
                return start + offset;
            }
            start += piece.len();
        }
        position
    }

    /// Carries the move out on `order`, using `scratch` for the changed run.
    pub(crate) fn apply(&self, order: &mut [u16], scratch: &mut Vec<u16>) {
        scratch.clear();
        for piece in self.pieces() {
            let run = order.get(piece.from..=piece.to).unwrap_or_default();
            if piece.turned {
                scratch.extend(run.iter().rev());
            } else {
                scratch.extend_from_slice(run);
            }
        }
        if let Some(run) = order.get_mut(self.first..=self.last)
            && run.len() == scratch.len()
        {
            run.copy_from_slice(scratch);
        }
    }
}
