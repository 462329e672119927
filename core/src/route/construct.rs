//! First orders: cheap, different from each other, never worse than usable.

use super::kernel::Kernel;

/// First orders of all nodes, each keeping the rules.
pub(crate) fn starts(kernel: &Kernel) -> Vec<Vec<u16>> {
    let stops: Vec<u16> = (1..kernel.len().saturating_sub(1) as u16).collect();
    let mut by_close = stops.clone();
    by_close.sort_by_key(|&v| kernel.node(usize::from(v)).close);
    let mut by_middle = stops.clone();
    by_middle.sort_by_key(|&v| {
        let node = kernel.node(usize::from(v));
        node.open + node.close.min(1 << 40)
    });
    [nearest(kernel, &stops), by_close, by_middle].iter().filter_map(|wish| complete(kernel, wish)).collect()
}

/// The order that comes nearest to a wish: rules kept, start and end added.
pub(crate) fn complete(kernel: &Kernel, wish: &[u16]) -> Option<Vec<u16>> {
    let stops = kernel.rules.arrange(wish)?;
    let mut order = Vec::with_capacity(kernel.len());
    order.push(0);
    order.extend(stops);
    order.push((kernel.len() - 1) as u16);
    Some(order)
}

/// Always the stop that can be served soonest, urgent ones first among equals.
fn nearest(kernel: &Kernel, stops: &[u16]) -> Vec<u16> {
    let scale = kernel.typical_leg * 4;
    let mut rest = stops.to_vec();
    let mut order = Vec::with_capacity(rest.len());
    let (mut at, mut time) = (0, kernel.node(0).open);
    while !rest.is_empty() {
        let urgency = |v: &u16| {
            let node = kernel.node(usize::from(*v));
            let arrival = (time + kernel.node(at).dwell + i64::from(kernel.leg(at, usize::from(*v)))).max(node.open);
            (arrival - time) + (node.close - arrival).clamp(-50 * scale, scale)
        };
        let Some((index, _)) = rest.iter().enumerate().min_by_key(|(_, v)| urgency(v)) else { break };
        let v = rest.swap_remove(index);
        let node = kernel.node(usize::from(v));
        time = (time + kernel.node(at).dwell + i64::from(kernel.leg(at, usize::from(v)))).max(node.open);
        at = usize::from(v);
        order.push(v);
    }
    order
}
