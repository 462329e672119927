//! From the solver's plan to what the courier is shown.

use std::collections::HashSet;

use satchel_protocol::feed::LatLng;
use satchel_protocol::ids::StopId;

use super::draft::Tour;
use crate::error::{Error, Result};
use crate::model::plan::{OrderFigures, PlanChange, PlanReason, PlanView, PlannedStop, StopWhy};
use crate::route::{self, Pin, Problem, Uncertainty, Visit, Why};
use crate::rules::geofence;
use crate::store::db::Snapshot;
use crate::store::stops;

/// How uncertain a leg is, in thousandths of its length.
const TRAVEL_SPREAD: i64 = 250;
/// Slack beyond two days is no deadline that a tour could miss.
const NO_DEADLINE_S: i64 = 2 * 24 * 3_600;

/// `told` is the plan the courier has seen.
pub(super) fn plan(
    tour: &Tour,
    problem: &Problem,
    before: &route::Plan,
    plan: &route::Plan,
    told: Option<&PlanView>,
    now_ms: i64,
) -> PlanView {
    let at = |ticks: i64| now_ms.saturating_add(ticks.saturating_mul(1_000));
    let uncertainty = Uncertainty {
        travel: TRAVEL_SPREAD,
        service: tour.general.spread,
    };
    let window = |index: usize| {
        let stop = problem.draft().stops.get(index);
        stop.map_or((0, 0), |stop| (stop.open, stop.close))
    };
    let etas = route::etas(plan, window, uncertainty);
    let stops: Vec<PlannedStop> = plan
        .visits
        .iter()
        .zip(etas)
        .filter_map(|(visit, eta)| {
            Some(PlannedStop {
                stop_id: tour.open.get(visit.stop)?.row.stop_id,
                arrival_ms: at(visit.arrival),
                eta_from_ms: at(eta.from),
                eta_to_ms: at(eta.to),
                wait_ms: visit.wait * 1_000,
                service_ms: (visit.leave - visit.start) * 1_000,
                lateness_ms: visit.lateness * 1_000,
                slack_ms: (visit.slack < NO_DEADLINE_S).then_some(visit.slack * 1_000),
                predicted_late: eta.late,
                why: reason(problem, visit),
            })
        })
        .collect();
    let ids = |order: &[usize]| -> Vec<StopId> {
        order
            .iter()
            .filter_map(|&index| tour.open.get(index))
            .map(|stop| stop.row.stop_id)
            .collect()
    };
    let before_ids = ids(&before.order);
    let known = ids(&tour.known);
    PlanView {
        made_at_ms: now_ms,
        from: tour.from,
        departure_ms: at(plan.departure),
        change: change(&known, &stops, told),
        stops,
        left_out: tour.left_out.clone(),
        completion_ms: at(plan.completion),
        completion_before_ms: at(before.completion),
        lateness: plan.lateness,
        lateness_before: before.lateness,
        distance_m: length_m(tour, &plan.order),
        distance_before_m: length_m(tour, &before.order),
        before: before_ids,
        pairs_kept: plan.kept.0,
        pairs_known: plan.kept.1,
    }
}

/// What an order comes to.
pub(super) fn figures(tour: &Tour, plan: &route::Plan, now_ms: i64) -> OrderFigures {
    OrderFigures {
        lateness: plan.lateness,
        completion_ms: now_ms.saturating_add(plan.completion.saturating_mul(1_000)),
        distance_m: length_m(tour, &plan.order),
    }
}

/// The solver knows that a place is fixed; whose wish it was is known here.
fn reason(problem: &Problem, visit: &Visit) -> PlanReason {
    let draft = problem.draft();
    let pin = draft.stops.get(visit.stop).and_then(|stop| stop.pin);
    match visit.why {
        Why::Pinned if draft.frozen.contains(&visit.stop) => PlanReason::Frozen,
        Why::Pinned => match pin {
            Some(Pin::First) => PlanReason::First,
            Some(Pin::Last) => PlanReason::Last,
            Some(Pin::At(_)) | None => PlanReason::Pinned,
        },
        Why::Precedence => PlanReason::Precedence,
        Why::Window => PlanReason::Window,
        Why::Priority => PlanReason::Priority,
        Why::OnTheWay => PlanReason::OnTheWay,
    }
}

/// `known` is the order as it was, of what is still open.
fn change(known: &[StopId], stops: &[PlannedStop], told: Option<&PlanView>) -> PlanChange {
    let Some(told) = told.filter(|told| !told.stops.is_empty()) else {
        return PlanChange::default();
    };
    let order: Vec<StopId> = stops.iter().map(|stop| stop.stop_id).collect();
    let now: HashSet<StopId> = order.iter().copied().collect();
    let was: HashSet<StopId> = told.stops.iter().map(|stop| stop.stop_id).collect();
    let late = |of: &[PlannedStop]| -> HashSet<StopId> {
        of.iter()
            .filter(|stop| stop.predicted_late)
            .map(|stop| stop.stop_id)
            .collect()
    };
    let (late_now, late_before) = (late(stops), late(&told.stops));
    let pick = |ids: &[StopId], keep: &dyn Fn(&StopId) -> bool| -> Vec<StopId> {
        ids.iter().copied().filter(|id| keep(id)).collect()
    };
    let told_order: Vec<StopId> = told.stops.iter().map(|stop| stop.stop_id).collect();
    PlanChange {
        added: pick(&order, &|id| !was.contains(id)),
        dropped: pick(&told_order, &|id| !now.contains(id)),
        moved: moved(known, &order),
        newly_late: pick(&order, &|id| {
            late_now.contains(id) && !late_before.contains(id)
        }),
        no_longer_late: pick(&order, &|id| {
            late_before.contains(id) && !late_now.contains(id)
        }),
    }
}

/// The fewest stops whose moving turns one order into the other: all but a longest common
/// subsequence, which for orders of the same things is a longest ascending one.
fn moved(known: &[StopId], order: &[StopId]) -> Vec<StopId> {
    let shared: Vec<(StopId, usize)> = order
        .iter()
        .filter_map(|id| Some((*id, known.iter().position(|k| k == id)?)))
        .collect();
    // Per stop: length of the longest run that ends there, and the stop before it in that run.
    let mut runs: Vec<(usize, Option<usize>)> = Vec::with_capacity(shared.len());
    for (index, (_, place)) in shared.iter().enumerate() {
        let best = shared
            .iter()
            .zip(&runs)
            .enumerate()
            .take(index)
            .filter(|(_, ((_, earlier), _))| earlier < place)
            .max_by_key(|(at, (_, (length, _)))| (*length, core::cmp::Reverse(*at)));
        runs.push(match best {
            Some((at, (_, (length, _)))) => (length + 1, Some(at)),
            None => (1, None),
        });
    }
    let mut stays = vec![false; shared.len()];
    let mut at = (0..runs.len())
        .rev()
        .max_by_key(|i| runs.get(*i).map(|r| r.0));
    while let Some(index) = at {
        if let Some(slot) = stays.get_mut(index) {
            *slot = true;
        }
        at = runs.get(index).and_then(|(_, before)| *before);
    }
    let pairs = shared.iter().zip(&stays);
    pairs
        .filter(|(_, stays)| !**stays)
        .map(|((id, _), _)| *id)
        .collect()
}

/// Great-circle length of an order, from where it starts if that is known.
fn length_m(tour: &Tour, order: &[usize]) -> f64 {
    let doors = order.iter().filter_map(|&i| tour.open.get(i));
    let places: Vec<LatLng> = tour
        .from
        .into_iter()
        .chain(doors.map(|stop| stop.row.place))
        .collect();
    places
        .iter()
        .zip(places.iter().skip(1))
        .map(|(a, b)| geofence::distance_m(*a, *b))
        .sum()
}

/// See [`crate::Courier::why`].
pub(super) fn why(conn: &Snapshot, plan: &PlanView, stop: StopId) -> Result<StopWhy> {
    let mut previous = None;
    for (index, planned) in plan.stops.iter().enumerate() {
        if planned.stop_id != stop {
            previous = Some(planned.stop_id);
            continue;
        }
        let here = stops::stop(conn, stop)?.place;
        let before = match previous {
            Some(id) => Some(stops::stop(conn, id)?.place),
            None => plan.from,
        };
        return Ok(StopWhy {
            planned: *planned,
            position: index + 1,
            of: plan.stops.len(),
            previous,
            leg_m: before.map(|from| geofence::distance_m(from, here)),
        });
    }
    Err(Error::NotFound { what: "stop" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn ids(numbers: &[u128]) -> Vec<StopId> {
        numbers
            .iter()
            .map(|n| StopId(Uuid::from_u128(*n)))
            .collect()
    }

    #[test]
    fn the_fewest_stops_are_said_to_have_moved() {
        let known = ids(&[1, 2, 3, 4, 5, 6]);
        assert_eq!(moved(&known, &known), []);
        assert_eq!(moved(&known, &ids(&[1, 5, 2, 3, 4, 6])), ids(&[5]));
        assert_eq!(moved(&known, &ids(&[2, 3, 9, 4, 1])), ids(&[1]), "9 is new");
        assert_eq!(moved(&known, &ids(&[6, 5, 4, 3, 2, 1])).len(), 5);
        assert_eq!(moved(&[], &known), []);
    }
}
