//! Judges an order by walking it once, straight from the instance.

use super::instance::{Instance, Reference};

/// What an order is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Summed at the start of service.
    pub(crate) lateness: i64,
    pub(crate) travel_time: i64,
    pub(crate) completion: i64,
    /// All nodes once, nobody late.
    pub(crate) feasible: bool,
}

impl Outcome {
    /// This outcome as what others are measured against.
    pub(crate) fn reference(&self) -> Reference {
        Reference {
            lateness: self.lateness,
            value: self.completion,
        }
    }
}

/// Walks an order of all nodes that begins with 0.
pub(crate) fn walk(instance: &Instance, order: &[usize]) -> Outcome {
    let window = |node: usize| instance.window.get(node).copied().unwrap_or((0, 0));
    let (mut now, _) = window(0);
    let (mut lateness, mut travel_time) = (0, 0);
    let ends = order.iter().skip(1).copied().chain([0]);
    for (from, to) in order.iter().copied().zip(ends) {
        let leg = instance.leg(from, to);
        travel_time += leg;
        now += leg;
        if to != 0 || !instance.open_path {
            let (open, close) = window(to);
            lateness += (now - close).max(0);
            now = now.max(open);
        }
    }
    let mut nodes = order.to_vec();
    nodes.sort_unstable();
    let complete = nodes.iter().copied().eq(0..instance.window.len());
    Outcome {
        lateness,
        travel_time,
        completion: now,
        feasible: complete && lateness == 0,
    }
}
