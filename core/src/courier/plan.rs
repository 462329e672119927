//! The order of the remaining stops, planned on the phone from where the courier stands (A011–A017).
//!
//! One call serves the first plan and every later one: what happened since (done, failed, added,
//! cancelled) shows in which stops are open, and the order the courier knows is the one to beat, so a
//! plan never jumps without a gain. The plan is stored; lists then come in its order.

use satchel_protocol::feed::LatLng;
use satchel_protocol::taxonomy::{HandlingTag, PromiseClass};

use super::Courier;
use crate::error::{Error, Result};
use crate::model::plan::{PlanView, PlannedStop};
use crate::route::{
    self, Budget, Draft, Learned, Problem, SpeedModel, Start, Stop, Travel, Uncertainty,
};
use crate::rules::geofence;
use crate::store::db::Snapshot;
use crate::store::stops::{ParcelRow, StopRow};
use crate::store::{attempts, stops};

/// Candidate moves per plan: some tens of milliseconds on a phone, and the same plan on every phone.
const EVALUATIONS: u64 = 400_000;
/// Seconds that a changed next stop must gain: couriers distrust a plan that jumps.
const CHANGE_S: u16 = 30;
/// A door without history, and what another parcel there adds.
const SERVICE_PRIOR: Learned = Learned {
    ticks: 120,
    spread: 60,
};
const PER_PARCEL_S: i64 = 20;
/// No history makes a door shorter or longer than this.
const SERVICE_BOUNDS_S: (i64, i64) = (20, 900);
/// Gaps between two completions that are longer are breaks, not service.
const MAX_GAP_S: i64 = 3_600;
/// How uncertain a leg is, in thousandths of its length.
const TRAVEL_SPREAD: i64 = 250;

/// A stop that is still to be visited.
struct OpenStop {
    row: StopRow,
    parcels: Vec<ParcelRow>,
}

impl Courier {
    /// Plans the remaining stops from `from` (or from the first of them) and stores the order.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a position that is none; those of the store.
    pub fn plan(&self, from: Option<LatLng>) -> Result<PlanView> {
        if from.is_some_and(|p| !geofence::is_position(p.lat, p.lng)) {
            return Err(Error::InvalidInput { what: "position" });
        }
        let now_ms = self.env.clock.wall_ms();
        let (open, history, planned) = self.db.read(|conn| {
            let (open, planned) = open_stops(conn)?;
            Ok((open, attempts::completions(conn)?, planned))
        })?;
        let model = SpeedModel::default();
        let service = learn(&history, &model);
        let start = Start {
            place: from.or(open.first().map(|s| s.row.place)).map(geo),
            ..Start::default()
        };
        let places: Vec<Stop> = open.iter().map(|s| to_stop(s, now_ms, service)).collect();
        let mut draft = Draft::new(start, places, Travel::Estimated(model));
        let known: Vec<usize> = (0..open.len()).collect();
        // Before the first plan there is no order the courier knows, only the one of the list.
        if planned {
            draft.known = Some((known.clone(), CHANGE_S));
        }
        let problem = Problem::new(draft).map_err(|_| Error::InvalidInput { what: "route" })?;
        let before = route::timetable_of(&problem, &known)
            .map_err(|_| Error::InvalidInput { what: "route" })?;
        let budget = Budget::count(EVALUATIONS);
        let mut plan = route::solve(&problem, Some(&known), &budget, 0)
            .map_err(|_| Error::InvalidInput { what: "route" })?;
        if !planned {
            // Nothing to be faithful to: a fresh search may find what the dispatcher's order hides.
            let fresh = route::solve(&problem, None, &budget, 0)
                .map_err(|_| Error::InvalidInput { what: "route" })?;
            if (fresh.lateness, fresh.completion) < (plan.lateness, plan.completion) {
                plan = fresh;
            }
        }
        let ids: Vec<_> = plan
            .order
            .iter()
            .filter_map(|&index| open.get(index))
            .map(|stop| stop.row.stop_id)
            .collect();
        self.db.write(|tx| stops::set_order(tx, &ids))?;
        Ok(view(&open, from, now_ms, &before, &plan, service))
    }
}

/// Stops with an open parcel in the order the lists show, and whether that order was planned.
fn open_stops(conn: &Snapshot) -> Result<(Vec<OpenStop>, bool)> {
    let mut open = Vec::new();
    let mut planned = false;
    for row in stops::stops(conn)? {
        if row.removed {
            continue;
        }
        let parcels: Vec<ParcelRow> = stops::parcels(conn, Some(row.stop_id))?
            .into_iter()
            .filter(super::handoff::is_open)
            .collect();
        if !parcels.is_empty() {
            planned |= row.planned;
            open.push(OpenStop { row, parcels });
        }
    }
    Ok((open, planned))
}

/// How long a door takes this courier, from the gaps between completions less the way between them.
fn learn(history: &[(i64, LatLng)], model: &SpeedModel) -> Learned {
    let gaps: Vec<i64> = history
        .iter()
        .zip(history.iter().skip(1))
        .map(|((at, here), (next_at, there))| {
            (next_at - at) / 1_000 - model.ticks(geo(*here).distance_m(&geo(*there)))
        })
        .filter(|gap| (0..MAX_GAP_S).contains(gap))
        .collect();
    route::learn_service(&gaps, SERVICE_PRIOR, SERVICE_BOUNDS_S)
}

fn to_stop(stop: &OpenStop, now_ms: i64, service: Learned) -> Stop {
    let from_now = |at_ms: i64| at_ms.saturating_sub(now_ms).div_euclid(1_000);
    let bound = |s: i64| s.clamp(-route::limits::MAX_TIME / 2, route::limits::MAX_TIME / 2);
    let promised_ms = stop.parcels.iter().map(|p| p.promised_by_ms).min();
    let close_ms = match (stop.row.window_end_ms, promised_ms) {
        (Some(window), Some(promise)) => Some(window.min(promise)),
        (window, promise) => window.or(promise),
    };
    let close = close_ms.map_or(Stop::default().close, |at| bound(from_now(at)));
    let open = stop
        .row
        .window_start_ms
        .map_or(Stop::default().open, |at| bound(from_now(at)).min(close));
    let more = i64::try_from(stop.parcels.len().saturating_sub(1)).unwrap_or(0);
    Stop {
        open,
        close,
        service: service.ticks + more * PER_PARCEL_S,
        weight: stop.parcels.iter().map(weight).max().unwrap_or(1),
        place: Some(geo(stop.row.place)),
        ..Stop::default()
    }
}

/// What a second of lateness counts (A013): what spoils or was promised within minutes comes first.
fn weight(parcel: &ParcelRow) -> u16 {
    let perishable = parcel.tags.iter().any(|tag| {
        matches!(
            tag,
            HandlingTag::Fresh | HandlingTag::Medicine | HandlingTag::ColdChain
        )
    });
    let promise = match parcel.promise_class {
        PromiseClass::Express30m => 4,
        PromiseClass::SameCity | PromiseClass::HalfDay => 2,
        _ => 1,
    };
    promise * if perishable { 3 } else { 1 }
}

fn view(
    open: &[OpenStop],
    from: Option<LatLng>,
    now_ms: i64,
    before: &route::Plan,
    plan: &route::Plan,
    service: Learned,
) -> PlanView {
    let at = |ticks: i64| now_ms.saturating_add(ticks.saturating_mul(1_000));
    let uncertainty = Uncertainty {
        travel: TRAVEL_SPREAD,
        service: service.spread,
    };
    let window = |index: usize| {
        open.get(index)
            .map(|stop| to_stop(stop, now_ms, service))
            .map_or((0, 0), |stop| (stop.open, stop.close))
    };
    let windows = route::etas(plan, window, uncertainty);
    let stops = plan
        .visits
        .iter()
        .zip(windows)
        .filter_map(|(visit, eta)| {
            Some(PlannedStop {
                stop_id: open.get(visit.stop)?.row.stop_id,
                arrival_ms: at(visit.arrival),
                eta_from_ms: at(eta.from),
                eta_to_ms: at(eta.to),
                wait_ms: visit.wait * 1_000,
                lateness_ms: visit.lateness * 1_000,
                predicted_late: eta.late,
                why: visit.why,
            })
        })
        .collect();
    PlanView {
        stops,
        completion_ms: at(plan.completion),
        completion_before_ms: at(before.completion),
        lateness: plan.lateness,
        lateness_before: before.lateness,
        distance_m: length_m(open, from, &plan.order),
        distance_before_m: length_m(open, from, &before.order),
        pairs_kept: plan.kept.0,
        pairs_known: plan.kept.1,
    }
}

/// Great-circle length of an order, from `from` if it is known.
fn length_m(open: &[OpenStop], from: Option<LatLng>, order: &[usize]) -> f64 {
    let places: Vec<LatLng> = from
        .into_iter()
        .chain(
            order
                .iter()
                .filter_map(|&i| open.get(i))
                .map(|s| s.row.place),
        )
        .collect();
    places
        .iter()
        .zip(places.iter().skip(1))
        .map(|(a, b)| geofence::distance_m(*a, *b))
        .sum()
}

fn geo(place: LatLng) -> route::LatLng {
    route::LatLng {
        lat: place.lat,
        lng: place.lng,
    }
}
