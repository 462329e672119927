//! First orders: cheap, different from each other, never worse than usable.

use super::evaluate::{Head, Mode};
use super::kernel::{Goal, Kernel};
use super::sort::sort;

/// First orders of all nodes, each keeping the rules.
pub(crate) fn starts(kernel: &Kernel) -> Vec<Vec<u16>> {
    let stops: Vec<u16> = (1..kernel.len().saturating_sub(1) as u16).collect();
    let by_close = sorted(&stops, |v| kernel.node(v).close);
    let by_middle = sorted(&stops, |v| {
        let node = kernel.node(v);
        node.open + node.close.min(1 << 40)
    });
    [nearest(kernel, &stops), by_close, by_middle]
        .iter()
        .filter_map(|wish| complete(kernel, wish))
        .collect()
}

/// Stops by a key, lower numbers first among equals.
fn sorted(stops: &[u16], key: impl Fn(usize) -> i64) -> Vec<u16> {
    let mut keyed: Vec<(i64, u16)> = stops.iter().map(|&v| (key(usize::from(v)), v)).collect();
    sort(&mut keyed);
    keyed.into_iter().map(|(_, v)| v).collect()
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
            let arrival =
                (time + kernel.node(at).dwell + i64::from(kernel.leg(at, usize::from(*v))))
                    .max(node.open);
            (arrival - time) + (node.close - arrival).clamp(-50 * scale, scale)
        };
        let Some((index, _)) = rest.iter().enumerate().min_by_key(|(_, v)| urgency(v)) else {
            break;
        };
        let v = rest.swap_remove(index);
        let node = kernel.node(usize::from(v));
        time = (time + kernel.node(at).dwell + i64::from(kernel.leg(at, usize::from(v))))
            .max(node.open);
        at = usize::from(v);
        order.push(v);
    }
    order
}

/// An order of some stops completed by cheapest insertion; `None` when the rules allow none.
///
/// Each missing stop goes where it costs least by the legs among all places that the evaluator finds
/// no later than the best of them, most urgent stop first.
pub(crate) fn insert_missing(kernel: &Kernel, known: &[u16]) -> Option<Vec<u16>> {
    let stops = kernel.len().checked_sub(2)?;
    let missing: Vec<u16> = (1..=stops as u16).filter(|v| !known.contains(v)).collect();
    let missing = sorted(&missing, |v| kernel.node(v).close);
    let mode = Mode::exact(kernel);
    let mut order = Vec::with_capacity(kernel.len());
    order.push(0);
    order.extend_from_slice(known);
    order.push(stops as u16 + 1);
    for v in missing {
        let place = cheapest_place(kernel, mode, &order, v);
        order.insert(place, v);
    }
    let inner = order.get(1..=stops)?;
    if kernel.rules.is_free() || kernel.rules.hold(&order) {
        return Some(order);
    }
    complete(kernel, inner)
}

/// The position that adds least lateness, then least to the end and the legs.
fn cheapest_place(kernel: &Kernel, mode: Mode, order: &[u16], v: u16) -> usize {
    let first = kernel.rules.frozen.min(order.len() - 2) + 1;
    let mut best = (i64::MAX, i64::MAX, i64::MAX);
    let mut place = first;
    let mut prefix = Head {
        time: kernel.node(0).open,
        late: 0,
    };
    for (q, pair) in order.windows(2).enumerate() {
        let [a, b] = pair else { continue };
        let (a, b, v) = (usize::from(*a), usize::from(*b), usize::from(v));
        if q + 1 >= first {
            let detour = i64::from(kernel.leg(a, v)) + i64::from(kernel.leg(v, b))
                - i64::from(kernel.leg(a, b));
            let head = mode.serve(kernel, prefix, a, v);
            let rest = order.get(q + 1..).unwrap_or_default();
            let head = mode.walk(kernel, head, v, rest, best.0);
            let cost = (
                head.late,
                if kernel.goal == Goal::End {
                    head.time
                } else {
                    0
                },
                detour,
            );
            if cost < best {
                best = cost;
                place = q + 1;
            }
        }
        prefix = mode.serve(kernel, prefix, a, b);
    }
    place
}
