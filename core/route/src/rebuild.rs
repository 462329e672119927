//! Ruin and recreate: some stops near a troubled one leave the route and come back one by one, each where
//! it costs least by the evaluator that counts.
//!
//! A descent looks at thousands of moves to repair a kick; this looks at a few hundred places and moves
//! several stops at once, which is what an order with lateness needs: the stops before a late one are in
//! its way. Strings of stops leave rather than single ones, because a hole worth filling is wider than one.

use super::evaluate::{Clocked, Evaluator, Head, Lateness, Mode, Warp, drive};
use super::kernel::{Goal, Kernel, UNIT};
use super::random::Random;
use super::sort::sort;
use super::table::Table;
use super::timeline::Timeline;

/// Most strings that leave at once.
const STRINGS: usize = 3;
/// Longest string that leaves.
const LONGEST: usize = 6;
/// One place in so many is overlooked, so that the same ruin is not always recreated alike.
const BLINK: usize = 60;

/// A place that makes the route later by more than this many typical legs than the best place so far is
/// not priced to the end.
const LATER: i64 = 64;

/// What a rebuilt order is measured by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measure {
    /// What is minimised.
    pub(crate) goal: Goal,
    /// What a tick of lateness costs, in cost units.
    pub(crate) penalty: i64,
}

impl Measure {
    /// One number from the end of a route and the detour that led to it.
    #[inline(always)]
    fn weigh(self, end: Head, detour: i64) -> i64 {
        let goal = match self.goal {
            Goal::Travel => detour * UNIT,
            Goal::End => end.time * UNIT + detour,
        };
        end.late.saturating_mul(self.penalty).saturating_add(goal)
    }
}

/// Where orders are taken apart and rebuilt.
pub(crate) struct Workshop<'k> {
    kernel: &'k Kernel,
    mode: Mode,
    line: Timeline,
    is_out: Table<bool>,
    out: Vec<(i64, u16)>,
    /// Places looked at by the last rebuild.
    pub(crate) evaluations: u64,
}

impl<'k> Workshop<'k> {
    /// An empty workshop.
    pub(crate) fn new(kernel: &'k Kernel, mode: Mode) -> Self {
        Self {
            kernel,
            mode,
            line: Timeline::new(kernel.len(), mode),
            is_out: Table::new(kernel.len()),
            out: Vec::new(),
            evaluations: 0,
        }
    }

    /// Rebuilds `order` around the stop at `position`, leaving at `departure`; nothing before the frozen
    /// head's end moves. The new order stays in [`Workshop::order`].
    pub(crate) fn rebuild(
        &mut self,
        order: &[u16],
        departure: i64,
        position: usize,
        measure: Measure,
        random: &mut Random,
    ) {
        self.evaluations = 0;
        self.ruin(order, position, random);
        let rest = order
            .iter()
            .copied()
            .filter(|v| !self.is_out.at(usize::from(*v)));
        self.line.restart(rest, departure);
        self.line.refresh_all(self.kernel, self.mode);
        self.sequence(random.below(4), random);
        self.recreate(measure, random);
    }

    /// Puts everything that is out where it costs least, one after the other.
    fn recreate(&mut self, measure: Measure, random: &mut Random) {
        let mut out = core::mem::take(&mut self.out);
        for (_, v) in out.drain(..) {
            self.is_out.put(usize::from(v), false);
            let place = match self.mode {
                Mode::Warp => self.best_place::<Warp>(v, measure, random),
                Mode::Lateness => self.best_place::<Lateness>(v, measure, random),
                Mode::Clocked => self.best_place::<Clocked>(v, measure, random),
            };
            self.line.insert(self.kernel, self.mode, place, v);
        }
        self.out = out;
    }

    /// Builds an order from nothing (no stop may be frozen), see [`Workshop::sequence`] for `how`.
    pub(crate) fn build(
        &mut self,
        departure: i64,
        how: usize,
        measure: Measure,
        random: &mut Random,
    ) {
        self.evaluations = 0;
        let last = (self.kernel.len() - 1) as u16;
        self.line.restart([0, last].into_iter(), departure);
        self.line.refresh_all(self.kernel, self.mode);
        self.out.extend((1..last).map(|v| (0, v)));
        self.sequence(how, random);
        self.recreate(measure, random);
    }

    /// What was rebuilt, start and end included.
    pub(crate) fn order(&self) -> &[u16] {
        self.line.order.all()
    }

    /// Strings around the seed and its near neighbours leave.
    fn ruin(&mut self, order: &[u16], position: usize, random: &mut Random) {
        let kernel = self.kernel;
        let seed = order.get(position).copied().map_or(0, usize::from);
        self.take_string(order, position, random);
        let strings = random.below(STRINGS);
        let near = kernel.successors(seed);
        for _ in 0..strings {
            let v = near.get(random.below(near.len())).copied().unwrap_or(0);
            if self.is_out.at(usize::from(v)) {
                continue;
            }
            if let Some(at) = order.iter().position(|other| *other == v) {
                self.take_string(order, at, random);
            }
        }
    }

    /// A string that contains the position leaves.
    fn take_string(&mut self, order: &[u16], position: usize, random: &mut Random) {
        let first_free = self.kernel.rules.frozen + 1;
        let length = 1 + random.below(LONGEST);
        let from = position
            .saturating_sub(random.below(length))
            .max(first_free);
        let last = order.len().saturating_sub(2);
        for v in order.iter().take(last + 1).skip(from).take(length) {
            if !self.is_out.at(usize::from(*v)) {
                self.is_out.put(usize::from(*v), true);
                self.out.push((0, *v));
            }
        }
    }

    /// Which of them comes back first: the most urgent (0), the choosiest (1), or any.
    fn sequence(&mut self, how: usize, random: &mut Random) {
        for (key, v) in &mut self.out {
            let node = self.kernel.node(usize::from(*v));
            *key = match how {
                0 => node.close,
                1 => node.close - node.open,
                _ => random.below(1 << 16) as i64,
            };
        }
        sort(&mut self.out);
    }

    /// The cheapest position for a stop.
    fn best_place<E: Evaluator>(&mut self, v: u16, measure: Measure, random: &mut Random) -> usize {
        let (kernel, line) = (self.kernel, &self.line);
        let first = kernel.rules.frozen + 1;
        let v = usize::from(v);
        let (mut best, mut place, mut cap) = (i64::MAX, first, i64::MAX);
        let plain = kernel.taste.is_plain();
        for q in first..line.order.len() {
            let before = line.heads.at(q - 1);
            if before.late > cap {
                break;
            }
            if random.below(BLINK) == 0 && best < i64::MAX {
                continue;
            }
            self.evaluations += 1;
            let (a, b) = (
                usize::from(line.order.at(q - 1)),
                usize::from(line.order.at(q)),
            );
            let detour = i64::from(kernel.leg(a, v)) + i64::from(kernel.leg(v, b))
                - i64::from(kernel.leg(a, b));
            let head = E::serve(kernel, before, a, v);
            if head.late > cap {
                continue;
            }
            let taste = if plain {
                0
            } else {
                let taste = &kernel.taste;
                taste.cost(a, v) + taste.cost(v, b) - taste.cost(a, b)
            };
            let rest = E::bound(kernel, line, q, drive(kernel, head, v, b));
            let least = Head {
                late: head.late + rest.late,
                ..rest
            };
            if measure.weigh(least, detour) + taste >= best {
                continue;
            }
            let end = E::finish(kernel, line, head, v, q, cap, false);
            let cost = measure.weigh(end, detour) + taste;
            if cost < best {
                (best, place) = (cost, q);
                cap = end.late.saturating_add(kernel.typical_leg * LATER);
            }
        }
        place
    }
}

/// What tests need to see.
#[cfg(test)]
impl Workshop<'_> {
    /// Time and lateness at the end.
    pub(crate) fn end(&self) -> Head {
        self.line.heads.at(self.line.order.len() - 1)
    }
}
