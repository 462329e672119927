//! The problem as the search sees it: dense arrays, no options, no names.
//!
//! Node 0 is the start, node `n - 1` the end, the stops lie between. Two normalisations happen here:
//!
//! * **Dwell.** Whatever every leg out of a node costs (its service time, and the smallest travel
//!   time of its row) is split off as the node's dwell. Orders differ only in the *reduced* legs left
//!   over, so gains can be compared between rows even when service was folded into the matrix.
//! * **End.** A free end is a node that costs nothing to reach; a shift end is its window.
//!
//! Invariants: every leg is in `0..=2^28`, every time in `±2^36`, every weight in `1..=1000`, at most
//! [`super::limits::MAX_STOPS`] stops, so that no sum of lateness can leave an `i64`.

use super::rules::Rules;
use super::sort::Least;
use super::table::Table;
use super::traffic::Clock;

/// Cost units per tick; the rest is room for the tie-break and for fractional penalties.
pub(crate) const UNIT: i64 = 64;

/// What the search minimises once lateness is equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// The sum of legs.
    Travel,
    /// The moment the route ends, the sum of legs breaking ties.
    End,
}

/// What a node asks for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Node {
    /// Service does not start before.
    pub(crate) open: i64,
    /// Service later than this is late.
    pub(crate) close: i64,
    /// Time from the start of service until leaving, see the module head.
    pub(crate) dwell: i64,
    /// What a tick of lateness counts.
    pub(crate) weight: i64,
}

/// Preferences between neighbours in the order that are not time: couriers refuse zone-hopping and
/// hate jumping plans.
#[derive(Debug, Default)]
pub(crate) struct Taste {
    /// Zone per node, 0 for none; empty when zones do not count.
    pub(crate) zone: Table<u16>,
    /// Cost of a leg from one zone to another, in cost units.
    pub(crate) zone_cost: i64,
    /// The next node in the plan the courier knows, 0 for none; empty when it does not count.
    pub(crate) next: Table<u16>,
    /// Cost of not keeping a next node, in cost units.
    pub(crate) change_cost: i64,
}

impl Taste {
    /// True when there is no preference to price.
    #[inline(always)]
    pub(crate) fn is_plain(&self) -> bool {
        self.zone.len() + self.next.len() == 0
    }

    /// What serving `b` right after `a` costs beyond time, in cost units.
    #[inline(always)]
    pub(crate) fn cost(&self, a: usize, b: usize) -> i64 {
        let mut cost = 0;
        if self.zone.len() != 0 {
            let (x, y) = (self.zone.at(a), self.zone.at(b));
            cost += self.zone_cost * i64::from(x != y && x != 0 && y != 0);
        }
        if self.next.len() != 0 {
            let known = usize::from(self.next.at(a));
            cost += self.change_cost * i64::from(known != b && known != 0);
        }
        cost
    }
}

/// The compiled problem.
#[derive(Debug)]
pub(crate) struct Kernel {
    n: usize,
    legs: Table<i32>,
    nodes: Table<Node>,
    near_count: usize,
    successors: Table<u16>,
    predecessors: Table<u16>,
    /// What may not move, and what must come before what.
    pub(crate) rules: Rules,
    /// What is minimised after lateness.
    pub(crate) goal: Goal,
    /// Preferences that are not time.
    pub(crate) taste: Taste,
    /// Travel times that depend on the clock, and breaks; none in the usual case.
    pub(crate) clock: Option<Clock>,
    /// Mean of the cheapest reduced legs: the scale on which a change is small.
    pub(crate) typical_leg: i64,
    /// The smallest weight of any node: lateness counts at least this much.
    pub(crate) least_weight: i64,
}

/// What [`Kernel::new`] needs.
#[derive(Debug)]
pub(crate) struct Parts {
    /// `n × n` travel times by row.
    pub(crate) legs: Vec<i32>,
    /// One per node; `dwell` holds the service time.
    pub(crate) nodes: Vec<Node>,
    /// See [`Kernel::rules`].
    pub(crate) rules: Rules,
    /// See [`Kernel::goal`].
    pub(crate) goal: Goal,
    /// See [`Kernel::taste`].
    pub(crate) taste: Taste,
    /// See [`Kernel::clock`].
    pub(crate) clock: Option<Clock>,
}

impl Kernel {
    /// Normalises the parts and lists each node's neighbours.
    pub(crate) fn new(parts: Parts, near_count: usize) -> Self {
        let n = parts.nodes.len();
        let near_count = near_count.min(n.saturating_sub(1));
        let mut kernel = Self {
            n,
            legs: parts.legs.into(),
            nodes: parts.nodes.into(),
            near_count,
            successors: Table::new(n * near_count),
            predecessors: Table::new(n * near_count),
            rules: parts.rules,
            goal: parts.goal,
            taste: parts.taste,
            clock: parts.clock,
            typical_leg: 1,
            least_weight: 1,
        };
        // With a clock the legs are lower bounds that the clock is asked about: they stay whole.
        if kernel.clock.is_none() {
            kernel.reduce();
        }
        kernel.least_weight = kernel
            .nodes
            .all()
            .iter()
            .map(|node| node.weight)
            .min()
            .unwrap_or(1);
        kernel.list_neighbours();
        kernel
    }

    /// Moves the smallest leg of each row into the node's dwell.
    fn reduce(&mut self) {
        let n = self.n;
        for v in 0..n.saturating_sub(1) {
            let row = self.legs.span(v * n, (v + 1) * n).iter().enumerate();
            let least = row
                .filter(|&(u, _)| u != v && u != 0)
                .map(|(_, leg)| *leg)
                .min()
                .unwrap_or(0);
            for leg in self.legs.span_mut(v * n, (v + 1) * n) {
                *leg = leg.saturating_sub(least).max(0);
            }
            let mut node = self.nodes.at(v);
            node.dwell += i64::from(least);
            self.nodes.put(v, node);
        }
    }

    /// Nodes worth having next to each other: near, without much waiting, without lateness.
    fn list_neighbours(&mut self) {
        let (n, count) = (self.n, self.near_count);
        let mut after = Least::new(count);
        let mut before: Vec<Least> = (0..n).map(|_| Least::new(count)).collect();
        let mut total = 0;
        for v in 0..n.saturating_sub(1) {
            for (u, into) in before
                .iter_mut()
                .enumerate()
                .skip(1)
                .filter(|(u, _)| *u != v)
            {
                let strange = self.estrangement(v, u);
                after.offer((strange, u as u16));
                into.offer((strange, v as u16));
            }
            // Nearest first, so that the search can stop at the first leg that is too long.
            let list = after.take_by(|u| i64::from(self.leg(v, u)));
            total += list.iter().take(3).map(|entry| entry.0).sum::<i64>();
            fill(self.successors.span_mut(v * count, (v + 1) * count), &list);
        }
        for (v, into) in before.iter_mut().enumerate() {
            let list = into.take_by(|u| i64::from(self.leg(u, v)));
            fill(
                self.predecessors.span_mut(v * count, (v + 1) * count),
                &list,
            );
        }
        self.typical_leg = (total / (3 * n.max(1) as i64)).max(1);
    }

    fn estrangement(&self, a: usize, b: usize) -> i64 {
        let (from, to) = (self.node(a), self.node(b));
        let leg = i64::from(self.leg(a, b));
        let whole = from.dwell + leg;
        let wait = (to.open - whole - from.close).max(0);
        let late = (from.open + whole - to.close).max(0);
        leg + wait / 5 + late
    }

    /// Number of nodes, start and end included.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.n
    }

    /// The reduced leg from `a` to `b`.
    #[inline(always)]
    pub(crate) fn leg(&self, a: usize, b: usize) -> i32 {
        self.legs.at(a * self.n + b)
    }

    /// A node's wishes.
    #[inline(always)]
    pub(crate) fn node(&self, v: usize) -> Node {
        self.nodes.at(v)
    }

    /// Good successors of `v`, nearest first.
    #[inline(always)]
    pub(crate) fn successors(&self, v: usize) -> &[u16] {
        self.successors
            .span(v * self.near_count, (v + 1) * self.near_count)
    }

    /// Good predecessors of `v`, nearest first.
    #[inline(always)]
    pub(crate) fn predecessors(&self, v: usize) -> &[u16] {
        self.predecessors
            .span(v * self.near_count, (v + 1) * self.near_count)
    }
}

/// Writes a list of neighbours. A node at the edge has fewer: the last one is repeated.
fn fill(list: &mut [u16], ranked: &[(i64, u16)]) {
    for (slot, index) in list.iter_mut().zip(0..) {
        if let Some((_, v)) = ranked.get(index).or(ranked.last()) {
            *slot = *v;
        }
    }
}
