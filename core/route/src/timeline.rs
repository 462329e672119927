//! An order, and what is known of each of its positions: how one gets there, and what follows from when.
//!
//! Invariant: [`Timeline::refresh`] after a change of positions leaves everything as if it had been
//! computed afresh (tested), while it recomputes only as far as the change is felt.

use super::evaluate::{Clocked, Evaluator, Head, Lateness, Mode, Warp, drive};
use super::kernel::{Kernel, Node};
use super::table::Table;

/// The rest of a route under tier 1, as a function of the arrival `t` at its first position:
/// lateness `warp + max(0, t - latest)`, end `clamp(t, earliest, latest) + span`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tail {
    /// Arriving sooner ends no sooner.
    pub(crate) earliest: i64,
    /// Arriving later is warped.
    pub(crate) latest: i64,
    /// From the clamped arrival to the end.
    pub(crate) span: i64,
    /// Lateness that no arrival avoids.
    pub(crate) warp: i64,
}

impl Tail {
    /// The rest from the last node on.
    fn last(node: Node) -> Self {
        Self {
            earliest: node.open,
            latest: node.close,
            span: 0,
            warp: 0,
        }
    }

    /// The rest from a node on whose next is `step` away from the start of its service.
    #[inline(always)]
    fn before(node: Node, step: i64, rest: &Self) -> Self {
        let (earliest, latest) = (rest.earliest - step, rest.latest - step);
        // Not `clamp`: that panics on an inverted window, and these run on every stop.
        let low = earliest.max(node.open).min(node.close);
        Self {
            earliest: low,
            latest: latest.max(node.open).min(node.close),
            span: step + rest.span + node.open.max(earliest).min(latest) - low,
            warp: rest.warp + (node.open - latest).max(0),
        }
    }

    /// Lateness and end for this arrival.
    #[inline(always)]
    pub(crate) fn meet(&self, arrival: i64) -> Head {
        Head {
            time: arrival.max(self.earliest).min(self.latest) + self.span,
            late: self.warp + (arrival - self.latest).max(0),
        }
    }
}

/// Where the rest of a route stays linear in a delay (tier 2), relative to today's arrival.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Range {
    /// Today's arrival at this position.
    pub(crate) arrival: i64,
    /// Smallest and largest delay of the range.
    pub(crate) low: i64,
    pub(crate) high: i64,
    /// Lateness from here on today, and its slope.
    pub(crate) late: i64,
    pub(crate) late_slope: i64,
    /// 1 when a delay reaches the end, 0 when a wait swallows it.
    pub(crate) end_slope: i64,
    /// How many positions ahead the next wait is, 0 when here; beyond any route when there is none.
    pub(crate) to_wait: u32,
}

impl Range {
    /// Lateness from here on is convex in the delay (every start of service is a maximum of sums), so
    /// the line that is exact within the range bounds it from below everywhere.
    #[inline(always)]
    pub(crate) fn at_least(&self, delay: i64) -> i64 {
        (self.late + self.late_slope * delay).max(0)
    }
}

/// Delays beyond this are outside any range; far from overflow when added to a time.
const FOREVER: i64 = 1 << 60;

/// The order and what is known of each position.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Timeline {
    /// Nodes by position.
    pub(crate) order: Table<u16>,
    /// Exact state by position.
    pub(crate) heads: Table<Head>,
    /// Tier 1 rest by position.
    pub(crate) tails: Table<Tail>,
    /// Tier 2 rest by position; empty unless used.
    pub(crate) ranges: Table<Range>,
}

impl Timeline {
    /// Room for an order of `n` nodes.
    pub(crate) fn new(n: usize, mode: Mode) -> Self {
        let ranged = if mode == Mode::Lateness { n } else { 0 };
        Self {
            order: Table::new(n),
            heads: Table::new(n),
            tails: Table::new(n),
            ranges: Table::new(ranged),
        }
    }

    /// Holds another order, of any length, that leaves at `departure`; to be refreshed as a whole.
    pub(crate) fn restart(&mut self, order: impl Iterator<Item = u16>, departure: i64) {
        self.order.replace(order);
        self.heads.resize(1);
        self.heads.put(
            0,
            Head {
                time: departure,
                late: 0,
            },
        );
    }

    /// Puts a stop before the one at `position` (not the start). What is known of the others moves along
    /// with them, so only what the newcomer changes is recomputed.
    pub(crate) fn insert(&mut self, kernel: &Kernel, mode: Mode, position: usize, v: u16) {
        self.order.insert(position, v);
        self.heads.insert(position, Head::default());
        self.tails.insert(position, Tail::default());
        if mode == Mode::Lateness {
            self.ranges.insert(position, Range::default());
        }
        self.refresh(kernel, mode, position, position);
    }

    /// Recomputes everything.
    pub(crate) fn refresh_all(&mut self, kernel: &Kernel, mode: Mode) {
        let n = self.order.len();
        self.heads.resize(n);
        self.tails.resize(n);
        if mode == Mode::Lateness {
            self.ranges.resize(n);
        }
        self.refresh(kernel, mode, 0, n - 1);
    }

    /// Recomputes what a change of the positions `first..=last` touches.
    pub(crate) fn refresh(&mut self, kernel: &Kernel, mode: Mode, first: usize, last: usize) {
        let first = first.max(1);
        let reached = match mode {
            Mode::Warp => self.refresh_heads::<Warp>(kernel, first, last),
            Mode::Lateness => self.refresh_heads::<Lateness>(kernel, first, last),
            Mode::Clocked => self.refresh_heads::<Clocked>(kernel, first, last),
        };
        self.refresh_tails(kernel, first, last);
        if mode == Mode::Lateness {
            self.refresh_ranges(kernel, first, reached);
        }
    }

    /// Answers the last position whose head changed, or the end.
    fn refresh_heads<E: Evaluator>(&mut self, kernel: &Kernel, first: usize, last: usize) -> usize {
        let end = self.order.len() - 1;
        let mut head = self.heads.at(first - 1);
        let mut from = usize::from(self.order.at(first - 1));
        for q in first..=end {
            let to = usize::from(self.order.at(q));
            head = E::serve(kernel, head, from, to);
            if q > last && head == self.heads.at(q) {
                return q;
            }
            self.heads.put(q, head);
            from = to;
        }
        end
    }

    fn refresh_tails(&mut self, kernel: &Kernel, first: usize, last: usize) {
        let end = self.order.len() - 1;
        let mut next = usize::from(self.order.at((last + 1).min(end)));
        let mut tail = self.tails.at((last + 1).min(end));
        if last >= end {
            tail = Tail::last(kernel.node(next));
            self.tails.put(end, tail);
        }
        for q in (0..=last.min(end - 1)).rev() {
            let v = usize::from(self.order.at(q));
            let node = kernel.node(v);
            tail = Tail::before(node, node.dwell + i64::from(kernel.leg(v, next)), &tail);
            // The step out of `first - 1` has changed as well.
            if q + 1 < first && tail == self.tails.at(q) {
                break;
            }
            self.tails.put(q, tail);
            next = v;
        }
    }

    /// Ranges depend on the arrivals, so they change up to where the times fell back in step.
    fn refresh_ranges(&mut self, kernel: &Kernel, first: usize, reached: usize) {
        let end = self.order.len() - 1;
        let mut range = Range {
            low: -FOREVER,
            high: FOREVER,
            end_slope: 1,
            to_wait: u32::MAX,
            ..Range::default()
        };
        if reached < end {
            range = self.ranges.at(reached + 1);
        }
        for q in (1..=reached).rev() {
            let v = usize::from(self.order.at(q));
            let from = usize::from(self.order.at(q - 1));
            let node = kernel.node(v);
            range.arrival = drive(kernel, self.heads.at(q - 1), from, v);
            range.to_wait = range.to_wait.saturating_add(1);
            let (to_open, to_close) = (node.open - range.arrival, node.close - range.arrival);
            if to_close < 0 {
                range.low = range.low.max(to_close);
                range.late += -to_close * node.weight;
                range.late_slope += node.weight;
            } else if to_open >= 0 {
                // A wait: any delay up to the opening is swallowed, and an early arrival too.
                range = Range {
                    low: -FOREVER,
                    high: to_open,
                    late_slope: 0,
                    end_slope: 0,
                    to_wait: 0,
                    ..range
                };
            } else {
                range.low = range.low.max(to_open);
                range.high = range.high.min(to_close);
            }
            if q < first && range == self.ranges.at(q) {
                break;
            }
            self.ranges.put(q, range);
        }
    }
}
