//! Planning again after something happened, starting from the plan the courier knows.
//!
//! The kept plan (what is done removed, what is new inserted where it costs least) is where the search
//! starts and what it has to beat: the new plan is never later. Next-stop pairs that change cost
//! extra, because couriers distrust a plan that jumps.

use super::budget::Budget;
use super::compile::{Problem, distinct};
use super::error::RouteError;
use super::geography::LatLng;
use super::plan::{Plan, solve};
use super::problem::{Draft, End, Start, Stop, Traffic, Travel};

/// Ticks that a changed next stop counts, in a re-plan that asks for no other number.
pub const CHANGE_TICKS: u16 = 30;

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The stop is done or failed: the courier stands there now.
    Visited {
        /// Index of the stop.
        stop: usize,
        /// When he can leave.
        now: i64,
    },
    /// The stop is no longer to be visited.
    Cancelled {
        /// Index of the stop.
        stop: usize,
    },
    /// A stop came in; it gets the highest index.
    Added {
        /// The stop.
        stop: Stop,
        /// Travel times to and from it.
        legs: NewLegs,
    },
    /// A stop is elsewhere, or its window changed.
    Moved {
        /// Index of the stop.
        stop: usize,
        /// What it is now.
        to: Stop,
        /// Travel times to and from it.
        legs: NewLegs,
    },
    /// The courier is not where the plan has him.
    Elsewhere {
        /// Where he is.
        place: Option<LatLng>,
        /// When it is.
        now: i64,
        /// Travel times from there, by place; their first is 0.
        legs: Option<Vec<Option<u32>>>,
    },
    /// Time was lost.
    Delayed {
        /// Ticks.
        by: i64,
    },
    /// The hub pushed new speeds.
    Traffic(Option<Traffic>),
}

/// Travel times between all places (a new stop last, before an end of its own) and one stop; unknown
/// ones are estimated from coordinates.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewLegs {
    /// From each place to the stop.
    pub to: Vec<Option<u32>>,
    /// From the stop to each place.
    pub from: Vec<Option<u32>>,
}

/// A problem after an event, with its plan.
#[derive(Debug)]
pub struct Replanned {
    /// What is left to do. Indexes of stops behind a removed one have moved down by one.
    pub problem: Problem,
    /// The new plan; [`Plan::kept`] counts the next-stop pairs that stayed.
    pub plan: Plan,
}

/// Applies an event and plans again, starting from the order the courier knows.
///
/// # Errors
/// [`RouteError`] when the event names no stop, or leaves a problem that is not valid.
pub fn replan(
    draft: &Draft,
    order: &[usize],
    event: &Event,
    budget: &Budget<'_>,
    seed: u64,
) -> Result<Replanned, RouteError> {
    distinct(draft, order)?;
    let (mut after, order) = apply(draft, order, event)?;
    let change = draft
        .known
        .as_ref()
        .map_or(CHANGE_TICKS, |(_, ticks)| *ticks);
    after.known = Some((order.clone(), change));
    let problem = Problem::new(after)?;
    let plan = solve(&problem, Some(&order), budget, seed)?;
    Ok(Replanned { problem, plan })
}

/// The draft and the known order after an event.
fn apply(draft: &Draft, order: &[usize], event: &Event) -> Result<(Draft, Vec<usize>), RouteError> {
    let mut after = draft.clone();
    after.known = None;
    match event {
        Event::Visited { stop, now } => {
            let place = at(draft, *stop)?.place;
            let row = row_of(draft, stop + 1);
            start_from(&mut after, place, *now, row);
            return Ok(without(after, order, *stop));
        }
        Event::Cancelled { stop } => {
            at(draft, *stop)?;
            return Ok(without(after, order, *stop));
        }
        Event::Added { stop, legs } => {
            let place = after.stops.len() + 1;
            resize(&mut after, Some(place), None);
            after.stops.push(*stop);
            set_legs(&mut after, place, legs);
        }
        Event::Moved { stop, to, legs } => {
            let slot = after
                .stops
                .get_mut(*stop)
                .ok_or(RouteError::UnknownStop { stop: *stop })?;
            *slot = *to;
            set_legs(&mut after, stop + 1, legs);
        }
        Event::Elsewhere { place, now, legs } => {
            let row = legs.clone().unwrap_or_else(|| vec![None; after.places()]);
            start_from(&mut after, *place, *now, row);
        }
        Event::Delayed { by } => {
            after.start.earliest = after.start.earliest.saturating_add(*by);
            after.start.latest = after.start.latest.max(after.start.earliest);
        }
        Event::Traffic(traffic) => after.traffic.clone_from(traffic),
    }
    Ok((after, order.to_vec()))
}

fn at(draft: &Draft, stop: usize) -> Result<Stop, RouteError> {
    draft
        .stops
        .get(stop)
        .copied()
        .ok_or(RouteError::UnknownStop { stop })
}

/// Travel times from a place, none when they are estimated anyway.
fn row_of(draft: &Draft, place: usize) -> Vec<Option<u32>> {
    match &draft.travel {
        Travel::Matrix(cells, _) => cells
            .iter()
            .skip(place * draft.places())
            .take(draft.places())
            .copied()
            .collect(),
        Travel::Estimated(_) => Vec::new(),
    }
}

/// Puts the start elsewhere. A route that ends where it started still ends there.
fn start_from(draft: &mut Draft, place: Option<LatLng>, now: i64, mut row: Vec<Option<u32>>) {
    if draft.end == End::Start {
        let end = draft.places();
        resize(draft, Some(end), None);
        draft.end = End::Place(draft.start.place);
        let width = end + 1;
        if let Travel::Matrix(cells, _) = &mut draft.travel {
            for line in cells.chunks_mut(width) {
                if let [first, .., last] = line {
                    *last = *first;
                }
            }
        }
        if let Some(traffic) = &mut draft.traffic {
            for line in traffic.classes.chunks_mut(width) {
                if let [first, .., last] = line {
                    *last = *first;
                }
            }
        }
        row.push(row.first().copied().flatten());
    }
    draft.start = Start {
        earliest: now,
        latest: draft.start.latest.max(now),
        place,
    };
    if let Travel::Matrix(cells, _) = &mut draft.travel {
        for (cell, given) in cells.iter_mut().zip(row) {
            *cell = given;
        }
    }
}

/// Takes a stop out of everything.
fn without(mut draft: Draft, order: &[usize], stop: usize) -> (Draft, Vec<usize>) {
    resize(&mut draft, None, Some(stop + 1));
    let renumber = |other: usize| if other > stop { other - 1 } else { other };
    draft.stops.remove(stop);
    draft.frozen.retain(|s| *s != stop);
    draft.frozen.iter_mut().for_each(|s| *s = renumber(*s));
    draft.before.retain(|&(a, b)| a != stop && b != stop);
    draft
        .before
        .iter_mut()
        .for_each(|pair| *pair = (renumber(pair.0), renumber(pair.1)));
    let order = order
        .iter()
        .filter(|s| **s != stop)
        .map(|s| renumber(*s))
        .collect();
    (draft, order)
}

/// Adds an empty row and column before place `add`, or drops those of place `drop`, in the matrix and
/// in the classes of the traffic table.
fn resize(draft: &mut Draft, add: Option<usize>, drop: Option<usize>) {
    let places = draft.places();
    if let Travel::Matrix(cells, _) = &mut draft.travel {
        *cells = resized(cells, places, add, drop, None);
    }
    if let Some(traffic) = &mut draft.traffic
        && !traffic.classes.is_empty()
    {
        traffic.classes = resized(&traffic.classes, places, add, drop, 0);
    }
}

fn resized<T: Copy>(
    cells: &[T],
    places: usize,
    add: Option<usize>,
    drop: Option<usize>,
    empty: T,
) -> Vec<T> {
    let mut rows = Vec::with_capacity(cells.len() + 2 * places + 1);
    let width = places + usize::from(add.is_some());
    for (index, row) in cells.chunks(places.max(1)).enumerate() {
        if Some(index) == add {
            rows.extend(core::iter::repeat_n(empty, width));
        }
        if Some(index) == drop {
            continue;
        }
        for (column, cell) in row.iter().enumerate() {
            if Some(column) == add {
                rows.push(empty);
            }
            if Some(column) != drop {
                rows.push(*cell);
            }
        }
        if add == Some(places) {
            rows.push(empty);
        }
    }
    if add == Some(places) {
        rows.extend(core::iter::repeat_n(empty, width));
    }
    rows
}

/// Writes the travel times to and from a place; what is not given becomes unknown.
fn set_legs(draft: &mut Draft, place: usize, legs: &NewLegs) {
    let places = draft.places();
    if let Travel::Matrix(cells, _) = &mut draft.travel {
        for other in (0..places).filter(|other| *other != place) {
            if let Some(cell) = cells.get_mut(other * places + place) {
                *cell = legs.to.get(other).copied().flatten();
            }
            if let Some(cell) = cells.get_mut(place * places + other) {
                *cell = legs.from.get(other).copied().flatten();
            }
        }
        if let Some(cell) = cells.get_mut(place * places + place) {
            *cell = Some(0);
        }
    }
}
