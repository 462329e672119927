//! What an order must honour whatever it costs: the frozen head, pinned positions, precedence.
//!
//! Every order the search ever holds satisfies the rules: the first is built by [`Rules::arrange`]
//! and every move is asked of [`Rules::allow`].

use super::moves::Move;
use super::sort::sort;
use super::table::Table;

/// The rules over nodes and positions (position 0 is the start).
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    /// Positions up to this one do not change.
    pub(crate) frozen: usize,
    /// `(node, position)` of pinned stops.
    pub(crate) pinned: Vec<(u16, u16)>,
    /// `(before, after)` nodes.
    pub(crate) pairs: Vec<(u16, u16)>,
}

impl Rules {
    /// True when nothing but the frozen head has to be checked.
    #[inline(always)]
    pub(crate) fn is_free(&self) -> bool {
        self.pinned.is_empty() && self.pairs.is_empty()
    }

    /// True when the move leaves every rule kept, given the positions before it.
    pub(crate) fn allow(&self, mv: &Move, position: &Table<u16>) -> bool {
        let after = |node: u16| mv.lands(usize::from(position.at(usize::from(node))));
        mv.first() > self.frozen
            && self
                .pinned
                .iter()
                .all(|&(node, place)| after(node) == usize::from(place))
            && self.pairs.iter().all(|&(a, b)| after(a) < after(b))
    }

    /// True when the whole order (start and end included) keeps pins and precedence.
    pub(crate) fn hold(&self, order: &[u16]) -> bool {
        let place = |node: u16| order.iter().position(|&v| v == node);
        self.pinned
            .iter()
            .all(|&(node, at)| place(node) == Some(usize::from(at)))
            && self.pairs.iter().all(|&(a, b)| place(a) < place(b))
    }

    /// The stops of `wish` (all of them, best first) in an order that keeps the rules and otherwise
    /// follows the wish; `None` when the rules contradict each other.
    ///
    /// Each stop gets a deadline position from its pin and its successors' deadlines; a free position
    /// takes the first stop of the wish that is due for it, unless some deadline leaves no room.
    pub(crate) fn arrange(&self, wish: &[u16]) -> Option<Vec<u16>> {
        if self.is_free() {
            return Some(wish.to_vec());
        }
        self.arrange_by(wish, false)
            .or_else(|| self.arrange_by(wish, true))
    }

    /// With `strict`, the stop with the nearest deadline always goes first: that finds an order
    /// whenever the deadlines allow one, at the price of the wish.
    fn arrange_by(&self, wish: &[u16], strict: bool) -> Option<Vec<u16>> {
        let count = wish.len();
        let due = self.deadlines(wish)?;
        let mut slots: Vec<u16> = vec![0; count + 1];
        for &(node, place) in &self.pinned {
            let slot = slots.get_mut(usize::from(place))?;
            if *slot != 0 {
                return None;
            }
            *slot = node;
        }
        let mut rest: Vec<u16> = wish
            .iter()
            .copied()
            .filter(|v| !self.is_pinned(*v))
            .collect();
        let mut done = vec![false; due.len()];
        for place in 1..=count {
            let pinned = slots.get(place).copied()?;
            if pinned == 0 {
                let open_slots = |limit: usize| {
                    slots
                        .get(place..=limit.min(count))
                        .map_or(0, |s| s.iter().filter(|v| **v == 0).count())
                };
                let index = self.pick(&rest, &due, &done, open_slots, strict)?;
                *slots.get_mut(place)? = rest.remove(index);
            }
            let node = slots.get(place).copied()?;
            if !self.is_ready(node, &done) {
                return None;
            }
            *done.get_mut(usize::from(node))? = true;
        }
        slots.remove(0);
        Some(slots)
    }

    fn pick(
        &self,
        rest: &[u16],
        due: &[usize],
        done: &[bool],
        open_slots: impl Fn(usize) -> usize,
        strict: bool,
    ) -> Option<usize> {
        let due_of = |v: u16| due.get(usize::from(v)).copied().unwrap_or(0);
        let ready = |&(_, v): &(usize, &u16)| self.is_ready(*v, done);
        if strict {
            return rest
                .iter()
                .enumerate()
                .filter(ready)
                .min_by_key(|&(_, v)| due_of(*v))
                .map(|(i, _)| i);
        }
        let mut limits: Vec<usize> = rest.iter().map(|v| due_of(*v)).collect();
        sort(&mut limits);
        let crowded = |&(rank, limit): &(usize, &usize)| rank + 1 >= open_slots(*limit);
        let limit = limits
            .iter()
            .enumerate()
            .find(crowded)
            .map_or(usize::MAX, |(_, limit)| *limit);
        rest.iter()
            .enumerate()
            .filter(ready)
            .find(|&(_, v)| due_of(*v) <= limit)
            .map(|(i, _)| i)
    }

    fn is_pinned(&self, node: u16) -> bool {
        self.pinned.iter().any(|&(v, _)| v == node)
    }

    fn is_ready(&self, node: u16, done: &[bool]) -> bool {
        let is_done = |v: u16| done.get(usize::from(v)).copied().unwrap_or(false);
        self.pairs.iter().all(|&(a, b)| b != node || is_done(a))
    }

    /// Latest position per node; `None` when precedence runs in a circle.
    fn deadlines(&self, wish: &[u16]) -> Option<Vec<usize>> {
        let count = wish.len();
        let size = wish.iter().copied().max().map_or(0, usize::from) + 1;
        let mut due = vec![count; size];
        for &(node, place) in &self.pinned {
            *due.get_mut(usize::from(node))? = usize::from(place);
        }
        // A longest chain has at most as many links as there are pairs.
        for round in 0..=self.pairs.len() {
            let mut changed = false;
            for &(a, b) in &self.pairs {
                let limit = due.get(usize::from(b))?.checked_sub(1)?;
                let slot = due.get_mut(usize::from(a))?;
                if *slot > limit {
                    *slot = limit;
                    changed = true;
                }
            }
            if !changed {
                return Some(due);
            }
            if round == self.pairs.len() {
                return None;
            }
        }
        Some(due)
    }
}
