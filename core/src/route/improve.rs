//! Iterated local search: kick a small place of the order, descend, keep the result if it is about
//! as good, remember the best.

use super::budget::Budget;
use super::evaluate::{Clocked, Evaluator, Head, Lateness, Warp};
use super::kernel::{Goal, Kernel, UNIT};
use super::moves::{Move, Piece};
use super::random::Random;
use super::search::Search;

pub static ITERS: core::sync::atomic::AtomicU64 = core::sync::atomic::AtomicU64::new(0);
/// What is compared, in this sequence: lateness, the goal, legs.
pub(crate) type Rank = (i64, i64, i64);

/// Knobs of the search, found by measuring on half of the development instances.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Knobs {
    /// First penalty per tick of lateness, in cost units.
    pub(crate) penalty: i64,
    /// Largest penalty.
    pub(crate) most_penalty: i64,
    /// How much worse a new order may be at the start, in hundredths of a typical leg.
    pub(crate) tolerance: i64,
    /// Longest piece of a kick.
    pub(crate) kick: usize,
    /// Kicks without a better order before going back to the best: a base and a part per node.
    pub(crate) patience: (usize, usize),
}

/// An order and how good it is.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Start, stops, end.
    pub(crate) order: Vec<u16>,
    /// See [`Rank`].
    pub(crate) rank: Rank,
    /// Departure.
    pub(crate) depart: i64,
}

/// The rank of where a search stands.
pub(crate) fn rank(search: &Search<'_>) -> Rank {
    let (end, legs) = (search.end(), search.legs());
    let goal = match search.kernel.goal {
        Goal::Travel => legs * UNIT + search.tastes(),
        Goal::End => end.time * UNIT + search.tastes(),
    };
    (end.late, goal, legs)
}

/// The rank of an order under an evaluator.
pub(crate) fn rank_of<E: Evaluator>(kernel: &Kernel, order: &[u16]) -> Rank {
    rank(&Search::new::<E>(kernel, order, UNIT))
}

/// Improves `starts` until the budget is spent.
pub(crate) fn improve(kernel: &Kernel, starts: &[Vec<u16>], budget: &Budget<'_>, random: &mut Random, knobs: &Knobs) -> Option<Found> {
    let mut used = 0;
    if kernel.clock.is_some() {
        return iterate::<Clocked>(kernel, starts, budget, random, knobs, &mut used, 1_000, false);
    }
    let warped = iterate::<Warp>(kernel, starts, budget, random, knobs, &mut used, 150, true)?;
    if warped.rank.0 == 0 {
        return Some(warped);
    }
    // Some stop will be late: from here on only true lateness counts.
    let mut again: Vec<Vec<u16>> = vec![warped.order];
    again.extend(starts.iter().take(1).cloned());
    iterate::<Lateness>(kernel, &again, budget, random, knobs, &mut used, 1_000, false)
}

/// One run with one evaluator. With `probe`, ends at `limit` thousandths unless lateness is 0 by then.
#[expect(clippy::too_many_arguments, reason = "the state of one run, used here only")]
fn iterate<E: Evaluator>(
    kernel: &Kernel,
    starts: &[Vec<u16>],
    budget: &Budget<'_>,
    random: &mut Random,
    knobs: &Knobs,
    used: &mut u64,
    limit: u32,
    probe: bool,
) -> Option<Found> {
    let n = kernel.len();
    let base = *used;
    let mut search = Search::new::<E>(kernel, starts.first()?, knobs.penalty.max(UNIT * 10));
    let mut best = Found { order: search.order().to_vec(), rank: rank(&search), depart: 0 };
    for order in starts {
        search.set::<E>(order);
        for q in random_positions(n, random) {
            search.enqueue(q);
        }
        let mut stop = |evaluations: u64| budget.spent(base + evaluations) >= 1_000;
        search.descend::<E>(&mut stop, &mut |_, _| ());
        if rank(&search) < best.rank {
            best = Found { order: search.order().to_vec(), rank: rank(&search), depart: 0 };
        }
        if budget.spent(base + search.evaluations) >= limit / 2 {
            break;
        }
    }
    search.penalty = knobs.penalty;
    search.set::<E>(&best.order);
    let mut current = best.order.clone();
    let mut current_cost = search.cost;
    let (mut since, mut tried, mut met) = (0_usize, 0_u32, 0_u32);
    while n > 5 {
        let spent = budget.spent(base + search.evaluations);
        if spent >= 1_000 || (probe && best.rank.0 != 0 && spent >= limit) {
            break;
        }
        let (mut low, mut high) = (n, 0);
        for _ in 0..=random.below(2) {
            if let Some(mv) = kick(kernel, &search, random, knobs) {
                search.apply::<E>(&mv);
                (low, high) = (low.min(mv.first()), high.max(mv.last()));
            }
        }
        if low > high {
            search.evaluations += 1;
            continue;
        }
        let mut stop = |evaluations: u64| budget.spent(base + evaluations) >= 1_000;
        search.descend::<E>(&mut stop, &mut |first, last| (low, high) = (low.min(first), high.max(last)));
        let here = rank(&search);
        tried += 1; ITERS.fetch_add(1, core::sync::atomic::Ordering::Relaxed);
        met += u32::from(here.0 == 0);
        if here < best.rank {
            best.order.copy_from_slice(search.order());
            best.rank = here;
            since = 0;
        } else {
            since += 1;
        }
        let tolerance = kernel.typical_leg * UNIT * knobs.tolerance / 100 * i64::from(1_000 - spent.min(1_000)) / 1_000;
        if search.cost <= current_cost || search.cost - current_cost < tolerance * random.below(1_000) as i64 / 1_000 {
            for q in low..=high {
                if let Some(place) = current.get_mut(q) {
                    *place = search.line.order.at(q);
                }
            }
            current_cost = search.cost;
        } else {
            search.restore::<E>(&current, low, high);
        }
        if tried == 40 {
            if met < 12 {
                search.penalty = (search.penalty * 5 / 4 + 1).min(knobs.most_penalty);
            } else if met > 28 {
                search.penalty = (search.penalty * 4 / 5).max(16);
            }
            (tried, met) = (0, 0);
            search.reweigh();
            current_cost = search.cost;
        }
        if since > knobs.patience.0 + knobs.patience.1 * n {
            since = 0;
            current.copy_from_slice(&best.order);
            search.set::<E>(&best.order);
            current_cost = search.cost;
        }
    }
    *used = base + search.evaluations;
    Some(best)
}

/// All positions of stops in random sequence.
fn random_positions(n: usize, random: &mut Random) -> Vec<usize> {
    let mut all: Vec<usize> = (1..n.saturating_sub(1)).collect();
    for k in (1..all.len()).rev() {
        all.swap(k, random.below(k + 1));
    }
    all
}

/// A random small change somewhere: a double bridge, or a stop elsewhere nearby.
fn kick(kernel: &Kernel, search: &Search<'_>, random: &mut Random, knobs: &Knobs) -> Option<Move> {
    let n = kernel.len();
    let first = kernel.rules.frozen + 1;
    let count = (n - 1).checked_sub(first)?;
    if count < 3 {
        return None;
    }
    let longest = knobs.kick.min(count / 3).max(1);
    let mv = if random.below(3) < 2 {
        let lengths = [1 + random.below(longest), 1 + random.below(longest), 1 + random.below(longest)];
        let total: usize = lengths.iter().sum();
        let a = first + random.below(count - total + 1);
        let [x, y, z] = lengths;
        Move::double_bridge(a, a + x, a + x + y, a + x + y + z)
    } else {
        let i = first + random.below(count);
        let span = 30.min(count - 1);
        let j = (i + random.below(2 * span + 1)).saturating_sub(span).clamp(first, n - 2);
        if i == j {
            return None;
        }
        if i < j {
            Move::swap(Piece::kept(i + 1, j), Piece::kept(i, i))
        } else {
            Move::swap(Piece::kept(i, i), Piece::kept(j, i - 1))
        }
    };
    let rules = &kernel.rules;
    (rules.is_free() || rules.allow(&mv, &search.position)).then_some(mv)
}

/// Time and lateness of an order by the obvious walk.
pub(crate) fn walk<E: Evaluator>(kernel: &Kernel, order: &[u16], depart: i64) -> Vec<Head> {
    let mut head = Head { time: depart, late: 0 };
    let mut heads = vec![head];
    for pair in order.windows(2) {
        if let [from, to] = pair {
            head = E::serve(kernel, head, usize::from(*from), usize::from(*to));
            heads.push(head);
        }
    }
    heads
}
