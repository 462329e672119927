//! The slow evaluator: walks every order from its start with nothing remembered. The tests hold the
//! fast ones against it; it is written to be seen to be right.

use super::evaluate::Head;
use super::kernel::{Goal, Kernel, UNIT};

/// What happens to a courier who comes too late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Late {
    /// Set back to the window's end (tier 1).
    Warped,
    /// Served late (tier 2).
    Served,
}

/// Lateness and end of an order.
pub(crate) fn walk(kernel: &Kernel, order: &[u16], departure: i64, late: Late) -> Head {
    let mut now = departure;
    let mut lateness = 0;
    for pair in order.windows(2) {
        let (from, to) = (usize::from(pair[0]), usize::from(pair[1]));
        let node = kernel.node(to);
        let leave = now + kernel.node(from).dwell;
        let leg = i64::from(kernel.leg(from, to));
        let start = match &kernel.clock {
            Some(clock) => clock.serve(now, leave, clock.class(from, to), leg, node.open),
            None => (leave + leg).max(node.open),
        };
        let by = (start - node.close).max(0);
        match late {
            Late::Warped => {
                lateness += by;
                now = start - by;
            }
            Late::Served => {
                lateness += by * node.weight;
                now = start;
            }
        }
    }
    Head {
        time: now,
        late: lateness,
    }
}

/// Cost of an order.
pub(crate) fn cost(
    kernel: &Kernel,
    order: &[u16],
    departure: i64,
    late: Late,
    penalty: i64,
) -> i64 {
    let end = walk(kernel, order, departure, late);
    let pairs = order
        .windows(2)
        .map(|pair| (usize::from(pair[0]), usize::from(pair[1])));
    let legs: i64 = pairs
        .clone()
        .map(|(a, b)| i64::from(kernel.leg(a, b)))
        .sum();
    let taste: i64 = pairs.map(|(a, b)| kernel.taste.cost(a, b)).sum();
    let goal = match kernel.goal {
        Goal::Travel => legs * UNIT,
        Goal::End => (end.time - departure) * UNIT + legs,
    };
    end.late
        .saturating_mul(penalty)
        .saturating_add(goal + taste)
}
