//! The plan: an order, when everything happens, and why it is so.

use super::budget::Budget;
use super::compile::{Problem, distinct};
use super::construct;
use super::error::RouteError;
use super::evaluate::{Head, Mode};
use super::improve::{Found, Rank, improve, rank_of};
use super::problem::Pin;

/// The main reason for a stop's place in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Frozen or pinned by the courier.
    Pinned,
    /// Must follow its pickup, or precede its delivery.
    Precedence,
    /// Its window is kept, and would not be much later.
    Window,
    /// It is late whatever is done; its weight decides how late.
    Priority,
    /// Nothing but the way speaks for it.
    OnTheWay,
}

/// What happens at a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit {
    /// Index of the stop.
    pub stop: usize,
    /// When the courier gets there.
    pub arrival: i64,
    /// Ticks until the window opens.
    pub wait: i64,
    /// When service starts.
    pub start: i64,
    /// When service ends.
    pub leave: i64,
    /// Ticks that service starts too late (A049).
    pub lateness: i64,
    /// Ticks of delay from here on that make no stop later than it is.
    pub slack: i64,
    /// See [`Why`].
    pub why: Why,
}

/// An order with its timetable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Indexes of the stops.
    pub order: Vec<usize>,
    /// One per stop, in the same sequence.
    pub visits: Vec<Visit>,
    /// When to leave.
    pub departure: i64,
    /// When the route ends.
    pub completion: i64,
    /// Weighted lateness, the shift end included.
    pub lateness: i64,
    /// Candidate moves looked at.
    pub evaluations: u64,
    /// Next-stop pairs of the known order that are kept, and how many there were.
    pub kept: (usize, usize),
}

/// Plans a route. With `warm`, an order of some or all stops, the result is never later than that
/// order completed by cheapest insertion, and the search starts there.
///
/// # Errors
/// [`RouteError::UnknownStop`] or [`RouteError::DuplicateStop`] when `warm` is no order of stops.
pub fn solve(
    problem: &Problem,
    warm: Option<&[usize]>,
    budget: &Budget<'_>,
    seed: u64,
) -> Result<Plan, RouteError> {
    let kernel = &problem.kernel;
    let kept = match warm {
        Some(order) => Some(
            construct::insert_missing(kernel, &distinct(&problem.draft, order)?)
                .ok_or(RouteError::Contradiction)?,
        ),
        None => None,
    };
    let starts = match &kept {
        Some(order) => vec![order.clone()],
        None => construct::starts(kernel),
    };
    let (mut found, evaluations) =
        improve(kernel, &starts, problem.window, budget, seed).ok_or(RouteError::Contradiction)?;
    found.rank = true_rank(problem, &found);
    if let Some(order) = kept {
        let mut first = as_it_is(problem, order);
        first.rank = true_rank(problem, &first);
        if first.rank <= found.rank {
            found = first;
        }
    }
    Ok(timetable(problem, &found, evaluations))
}

/// The plan a re-plan has to beat: an order of some or all stops, completed by cheapest insertion and not
/// improved.
///
/// # Errors
/// As [`solve`].
pub fn kept_plan(problem: &Problem, known: &[usize]) -> Result<Plan, RouteError> {
    let order = construct::insert_missing(&problem.kernel, &distinct(&problem.draft, known)?)
        .ok_or(RouteError::Contradiction)?;
    Ok(timetable(problem, &as_it_is(problem, order), 0))
}

/// An order driven from the first moment on.
fn as_it_is(problem: &Problem, order: Vec<u16>) -> Found {
    Found {
        order,
        rank: (0, 0, 0),
        depart: problem.window.first,
    }
}

/// The rank by true lateness, whatever evaluator the search used.
fn true_rank(problem: &Problem, found: &Found) -> Rank {
    let kernel = &problem.kernel;
    rank_of(kernel, Mode::exact(kernel), &found.order, found.depart)
}

/// The timetable of an order of all stops, as it is.
///
/// # Errors
/// As [`solve`]; also [`RouteError::UnknownStop`] when a stop is missing.
pub fn timetable_of(problem: &Problem, order: &[usize]) -> Result<Plan, RouteError> {
    let nodes = distinct(&problem.draft, order)?;
    if nodes.len() != problem.len() {
        return Err(RouteError::UnknownStop { stop: nodes.len() });
    }
    let mut all = vec![0];
    all.extend(nodes);
    all.push(problem.len() as u16 + 1);
    Ok(timetable(problem, &as_it_is(problem, all), 0))
}

fn timetable(problem: &Problem, found: &Found, evaluations: u64) -> Plan {
    let kernel = &problem.kernel;
    let mode = Mode::exact(kernel);
    let mut head = Head {
        time: found.depart,
        late: 0,
    };
    let mut from = 0;
    let mut visits = Vec::with_capacity(problem.len());
    for &v in found.order.iter().skip(1) {
        let to = usize::from(v);
        let node = kernel.node(to);
        let arrival = mode.arrival(kernel, head, from, to);
        head = mode.serve(kernel, head, from, to);
        from = to;
        let Some(stop) = to.checked_sub(1).filter(|_| to + 1 < kernel.len()) else {
            continue;
        };
        visits.push(Visit {
            stop,
            arrival,
            wait: head.time - arrival,
            start: head.time,
            leave: head.time + problem.draft.stops.get(stop).map_or(0, |s| s.service),
            lateness: (head.time - node.close).max(0),
            slack: 0,
            why: Why::OnTheWay,
        });
    }
    // Slack shrinks to the tightest window downstream and grows with every wait on the way.
    let end = kernel.node(kernel.len() - 1);
    let mut slack = (end.close - head.time).max(0);
    for visit in visits.iter_mut().rev() {
        let close = kernel.node(visit.stop + 1).close;
        if visit.lateness == 0 {
            slack = slack.min(close - visit.start);
        } else {
            slack = 0;
        }
        visit.slack = slack.saturating_add(visit.wait);
        slack = visit.slack;
        visit.why = why(problem, visit);
    }
    let order: Vec<usize> = visits.iter().map(|visit| visit.stop).collect();
    let kept = kept_pairs(
        problem.draft.known.as_ref().map_or(&[], |(known, _)| known),
        &order,
    );
    Plan {
        order,
        visits,
        departure: found.depart,
        completion: head.time,
        lateness: head.late,
        evaluations,
        kept,
    }
}

/// A window is the reason when moving the visit by this many typical legs would break it.
const TIGHT_LEGS: i64 = 10;

fn why(problem: &Problem, visit: &Visit) -> Why {
    let draft = &problem.draft;
    let stop = draft.stops.get(visit.stop).copied().unwrap_or_default();
    let tight = problem.kernel.typical_leg * TIGHT_LEGS;
    let pinned = matches!(stop.pin, Some(Pin::First | Pin::Last | Pin::At(_)))
        || draft.frozen.contains(&visit.stop);
    if pinned {
        Why::Pinned
    } else if visit.lateness > 0 {
        Why::Priority
    } else if visit.wait > 0 || stop.close - visit.start < tight {
        Why::Window
    } else if draft
        .before
        .iter()
        .any(|&(a, b)| a == visit.stop || b == visit.stop)
    {
        Why::Precedence
    } else {
        Why::OnTheWay
    }
}

/// How many neighbours in `known` are still neighbours in `order`, of those whose stops both remain.
#[must_use]
pub fn kept_pairs(known: &[usize], order: &[usize]) -> (usize, usize) {
    let size = order.iter().copied().max().map_or(0, |most| most + 1);
    let mut next = vec![usize::MAX; size];
    let mut present = vec![false; size];
    for (a, b) in order.iter().zip(order.iter().skip(1)) {
        if let Some(slot) = next.get_mut(*a) {
            *slot = *b;
        }
    }
    for stop in order {
        if let Some(slot) = present.get_mut(*stop) {
            *slot = true;
        }
    }
    let remaining: Vec<usize> = known
        .iter()
        .copied()
        .filter(|s| present.get(*s) == Some(&true))
        .collect();
    let pairs = remaining.iter().zip(remaining.iter().skip(1));
    let kept = pairs.filter(|&(a, b)| next.get(*a) == Some(b)).count();
    (kept, remaining.len().saturating_sub(1))
}
