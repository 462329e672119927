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
use super::timeline::Timeline;

/// The state of the courier at a position: service has just started there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// When service starts.
    pub(crate) time: i64,
    /// Lateness so far (weighted in tier 2), this position included.
    pub(crate) late: i64,
}

/// Which evaluator counts. What runs for every candidate is compiled once per evaluator; everything
/// else asks the mode, so that it exists once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// See [`Warp`].
    Warp,
    /// See [`Lateness`].
    Lateness,
    /// See [`Clocked`].
    Clocked,
}

impl Mode {
    /// The mode that tells the truth about a problem.
    pub(crate) fn exact(kernel: &Kernel) -> Self {
        if kernel.clock.is_some() {
            Self::Clocked
        } else {
            Self::Lateness
        }
    }

    /// When a drive from `from` to `to` ends.
    pub(crate) fn arrival(self, kernel: &Kernel, head: Head, from: usize, to: usize) -> i64 {
        match (&kernel.clock, self) {
            (Some(clock), Self::Clocked) => {
                let leave = head.time + kernel.node(from).dwell;
                let leg = i64::from(kernel.leg(from, to));
                clock.arrive(head.time, leave, clock.class(from, to), leg)
            }
            _ => drive(kernel, head, from, to),
        }
    }

    /// [`Evaluator::serve`] of this mode.
    pub(crate) fn serve(self, kernel: &Kernel, head: Head, from: usize, to: usize) -> Head {
        match self {
            Self::Warp => Warp::serve(kernel, head, from, to),
            Self::Lateness => Lateness::serve(kernel, head, from, to),
            Self::Clocked => Clocked::serve(kernel, head, from, to),
        }
    }

    /// Serves all nodes of an order, coming from `from`. Stops early when lateness exceeds `cap`.
    pub(crate) fn walk(
        self,
        kernel: &Kernel,
        head: Head,
        from: usize,
        order: &[u16],
        cap: i64,
    ) -> Head {
        let (mut head, mut from) = (head, from);
        for v in order {
            head = self.serve(kernel, head, from, usize::from(*v));
            if head.late > cap {
                break;
            }
            from = usize::from(*v);
        }
        head
    }
}

/// One way to price an order.
pub(crate) trait Evaluator: Sized {
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

/// When a drive from `from` to `to` ends, by legs alone.
#[inline(always)]
pub(crate) fn drive(kernel: &Kernel, head: Head, from: usize, to: usize) -> i64 {
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
        let flows = i64::from(range.to_wait as usize > last - first);
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
