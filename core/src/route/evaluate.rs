//! What an order costs, in three evaluators with one interface.
//!
//! * [`Warp`] (tier 1) prices the rest of a route in O(1). It counts *time warp*: a late courier is
//!   set back to the window's end. That is exact when every window can be met, and never more than
//!   the true lateness, so it also discards moves for the others.
//! * [`Lateness`] (tier 2) counts true weighted lateness. Around today's arrival at a position the
//!   rest of the route is linear in the delay; outside that range it is walked.
//! * [`Clocked`] is tier 2 with travel times that depend on the clock: the rest is walked until it
//!   falls in step with the present times.
//!
//! `super::obvious` is the slow reference that all three are tested against.

use super::kernel::{Kernel, Node};
use super::table::Table;

/// The state of the courier at a position: service has just started there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// When service starts.
    pub(crate) time: i64,
    /// Lateness so far (weighted in tier 2), this position included.
    pub(crate) late: i64,
}

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
    arrival: i64,
    /// Smallest and largest delay of the range.
    low: i64,
    high: i64,
    /// Lateness from here on today, and its slope.
    late: i64,
    late_slope: i64,
    /// 1 when a delay reaches the end, 0 when a wait swallows it.
    end_slope: i64,
    /// First position from here on that waits; beyond the route when none does.
    wait: u32,
}

impl Range {
    /// Lateness from here on is convex in the delay (every start of service is a maximum of sums), so
    /// the line that is exact within the range bounds it from below everywhere.
    #[inline(always)]
    fn at_least(&self, delay: i64) -> i64 {
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

/// One way to price an order.
pub(crate) trait Evaluator: Sized {
    /// True when [`Timeline::ranges`] is kept up.
    const RANGES: bool;

    /// When a drive from `from` to `to` ends.
    fn arrival(kernel: &Kernel, head: Head, from: usize, to: usize) -> i64 {
        drive(kernel, head, from, to)
    }

    /// Drives from `from` to `to` and starts service there.
    fn serve(kernel: &Kernel, head: Head, from: usize, to: usize) -> Head;

    /// Lateness and end of the positions from `position` on, reached at `arrival`: never more than
    /// they will be, in O(1).
    fn bound(kernel: &Kernel, line: &Timeline, position: usize, arrival: i64) -> Head;

    /// Serves the positions `first..=last` as they follow each other, coming from `from`, in O(1):
    /// never more than it will be, and exact when the flag says so. `None` when not known in O(1).
    #[inline(always)]
    fn skip(
        _: &Kernel,
        _: &Timeline,
        _: Head,
        _: usize,
        _: usize,
        _: usize,
    ) -> Option<(Head, bool)> {
        None
    }

    /// Serves all positions from `position` on, coming from `from`; `late` and `time` at the end.
    /// May stop early, with a lateness beyond `cap`, when that is sure to be exceeded; with `beat`, also
    /// when the rest can only end as late as it does now, or later.
    fn finish(
        kernel: &Kernel,
        line: &Timeline,
        head: Head,
        from: usize,
        position: usize,
        cap: i64,
        beat: bool,
    ) -> Head;
}

/// Tier 1, see the module head.
pub(crate) struct Warp;

/// Tier 2, see the module head.
pub(crate) struct Lateness;

/// Tier 2 by the clock, see the module head.
pub(crate) struct Clocked;

#[inline(always)]
fn drive(kernel: &Kernel, head: Head, from: usize, to: usize) -> i64 {
    head.time + kernel.node(from).dwell + i64::from(kernel.leg(from, to))
}

/// Starts service on arrival or when the window opens, late or not.
#[inline(always)]
fn start(node: Node, head: Head, arrival: i64) -> Head {
    Head {
        time: arrival.max(node.open),
        late: head.late + (arrival - node.close).max(0) * node.weight,
    }
}

impl Evaluator for Warp {
    const RANGES: bool = false;

    #[inline(always)]
    fn serve(kernel: &Kernel, head: Head, from: usize, to: usize) -> Head {
        let arrival = drive(kernel, head, from, to);
        let node = kernel.node(to);
        Head {
            time: arrival.max(node.open).min(node.close),
            late: head.late + (arrival - node.close).max(0),
        }
    }

    #[inline(always)]
    fn bound(_: &Kernel, line: &Timeline, position: usize, arrival: i64) -> Head {
        line.tails.at(position).meet(arrival)
    }

    #[inline(always)]
    fn finish(
        kernel: &Kernel,
        line: &Timeline,
        head: Head,
        from: usize,
        position: usize,
        _: i64,
        _: bool,
    ) -> Head {
        let arrival = drive(kernel, head, from, usize::from(line.order.at(position)));
        let end = line.tails.at(position).meet(arrival);
        Head {
            time: end.time,
            late: head.late + end.late,
        }
    }
}

impl Evaluator for Lateness {
    const RANGES: bool = true;

    #[inline(always)]
    fn serve(kernel: &Kernel, head: Head, from: usize, to: usize) -> Head {
        start(kernel.node(to), head, drive(kernel, head, from, to))
    }

    #[inline(always)]
    fn bound(kernel: &Kernel, line: &Timeline, position: usize, arrival: i64) -> Head {
        let tail = line.tails.at(position).meet(arrival);
        let range = line.ranges.at(position);
        let delay = arrival - range.arrival;
        let end = line.heads.at(line.order.len() - 1).time + range.end_slope * delay;
        Head {
            time: tail.time.max(end),
            late: (tail.late * kernel.least_weight).max(range.at_least(delay)),
        }
    }

    #[inline(always)]
    fn skip(
        kernel: &Kernel,
        line: &Timeline,
        head: Head,
        from: usize,
        first: usize,
        last: usize,
    ) -> Option<(Head, bool)> {
        let arrival = drive(kernel, head, from, usize::from(line.order.at(first)));
        let (range, rest) = (line.ranges.at(first), line.ranges.at(last + 1));
        let delay = arrival - range.arrival;
        let flows = i64::from(range.wait as usize > last);
        let slope = range.late_slope - flows * rest.late_slope;
        let late = (range.late - rest.late + slope * delay).max(0);
        let time = line.heads.at(last).time + flows * delay;
        Some((
            Head {
                time,
                late: head.late + late,
            },
            delay >= range.low && delay <= range.high,
        ))
    }

    #[inline(always)]
    fn finish(
        kernel: &Kernel,
        line: &Timeline,
        head: Head,
        from: usize,
        position: usize,
        cap: i64,
        _: bool,
    ) -> Head {
        let (mut head, mut from) = (head, from);
        let last = line.order.len() - 1;
        for q in position..=last {
            let to = usize::from(line.order.at(q));
            let arrival = drive(kernel, head, from, to);
            let range = line.ranges.at(q);
            let delay = arrival - range.arrival;
            if delay >= range.low && delay <= range.high {
                return Head {
                    time: line.heads.at(last).time + range.end_slope * delay,
                    late: head.late + range.late + range.late_slope * delay,
                };
            }
            let least = range.at_least(delay);
            if head.late + least > cap {
                return Head {
                    time: head.time,
                    late: head.late + least,
                };
            }
            head = start(kernel.node(to), head, arrival);
            from = to;
        }
        head
    }
}

impl Evaluator for Clocked {
    const RANGES: bool = false;

    fn arrival(kernel: &Kernel, head: Head, from: usize, to: usize) -> i64 {
        let leave = head.time + kernel.node(from).dwell;
        let leg = i64::from(kernel.leg(from, to));
        kernel.clock.as_ref().map_or(leave + leg, |clock| {
            clock.arrive(head.time, leave, clock.class(from, to), leg)
        })
    }

    #[inline(always)]
    fn serve(kernel: &Kernel, head: Head, from: usize, to: usize) -> Head {
        let node = kernel.node(to);
        let (leave, leg) = (
            head.time + kernel.node(from).dwell,
            i64::from(kernel.leg(from, to)),
        );
        let time = match &kernel.clock {
            Some(clock) => clock.serve(head.time, leave, clock.class(from, to), leg, node.open),
            None => (leave + leg).max(node.open),
        };
        Head {
            time,
            late: head.late + (time - node.close).max(0) * node.weight,
        }
    }

    #[inline(always)]
    fn bound(kernel: &Kernel, line: &Timeline, position: usize, arrival: i64) -> Head {
        let tail = line.tails.at(position).meet(arrival);
        Head {
            time: tail.time,
            late: tail.late * kernel.least_weight,
        }
    }

    fn finish(
        kernel: &Kernel,
        line: &Timeline,
        head: Head,
        from: usize,
        position: usize,
        cap: i64,
        beat: bool,
    ) -> Head {
        let (mut head, mut from) = (head, from);
        let last = line.order.len() - 1;
        for q in position..=last {
            let to = usize::from(line.order.at(q));
            head = Self::serve(kernel, head, from, to);
            let now = line.heads.at(q);
            if head.time == now.time {
                let end = line.heads.at(last);
                return Head {
                    time: end.time,
                    late: head.late + end.late - now.late,
                };
            }
            if head.late > cap {
                return head;
            }
            // Whoever is later here, with no less lateness behind him, is later ever after (FIFO).
            if beat && head.time >= now.time && head.late >= now.late {
                return Head {
                    late: i64::MAX,
                    ..head
                };
            }
            from = to;
        }
        head
    }
}

impl Timeline {
    /// Room for an order of `n` nodes.
    pub(crate) fn new<E: Evaluator>(n: usize) -> Self {
        Self {
            order: Table::new(n),
            heads: Table::new(n),
            tails: Table::new(n),
            ranges: Table::new(if E::RANGES { n } else { 0 }),
        }
    }

    /// Recomputes what a change of the positions `first..=last` touches.
    pub(crate) fn refresh<E: Evaluator>(&mut self, kernel: &Kernel, first: usize, last: usize) {
        let end = self.order.len() - 1;
        let first = first.max(1);
        let mut head = self.heads.at(first - 1);
        let mut from = usize::from(self.order.at(first - 1));
        let mut reached = end;
        for q in first..=end {
            let to = usize::from(self.order.at(q));
            head = E::serve(kernel, head, from, to);
            if q > last && head == self.heads.at(q) {
                reached = q;
                break;
            }
            self.heads.put(q, head);
            from = to;
        }
        self.refresh_tails(kernel, first, last);
        if E::RANGES {
            self.refresh_ranges(kernel, first, reached);
        }
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
            wait: u32::MAX,
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
                    wait: q as u32,
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
