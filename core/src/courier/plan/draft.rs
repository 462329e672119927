//! From what the store knows to the problem that is solved.

use std::collections::HashSet;

use satchel_protocol::feed::{LatLng, TrafficItem};
use satchel_protocol::ids::StopId;
use satchel_protocol::taxonomy::{HandlingTag, PromiseClass};

use super::history::Doors;
use super::retry::{Again, again};
use super::traffic;
use crate::error::Result;
use crate::model::plan::{PlanView, PlanWishes, RouteEnd};
use crate::route::limits::MAX_TIME;
use crate::route::{
    self, Break, Direction, Draft, End, Learned, Pin, SpeedModel, Start, Stop, Travel,
};
use crate::store::attempts::Visited;
use crate::store::db::Snapshot;
use crate::store::stops::{ParcelRow, StopRow};
use crate::store::{attempts, planning, stops};

/// Seconds that a changed next stop must gain: couriers distrust a plan that jumps.
const CHANGE_S: u16 = 30;
/// What each further parcel at a door adds.
const PER_PARCEL_S: i64 = 20;
/// What a second out after the end of the shift counts, against one of an ordinary late stop.
const SHIFT_WEIGHT: u16 = 1;
/// He is not far from the door of his last record for this long; later the depot is a better guess.
const STILL_THERE_MS: i64 = 3 * 3_600_000;
/// Doors this near the first one seen belong to one estate.
const ESTATE_M: f64 = 150.0;

/// A stop that is to be visited.
pub(super) struct OpenStop {
    pub(super) row: StopRow,
    parcels: Vec<ParcelRow>,
    not_before_ms: Option<i64>,
    pub(super) service: Learned,
    zone: u16,
}

/// Everything a plan is made from.
pub(super) struct Tour {
    /// In the order of the list: planned ones first.
    pub(super) open: Vec<OpenStop>,
    /// Indexes of the stops that are in the known order, in that order.
    pub(super) known: Vec<usize>,
    /// Open stops that are not to be visited now.
    pub(super) left_out: Vec<StopId>,
    /// Where it starts.
    pub(super) from: Option<LatLng>,
    /// How a door takes this courier in general.
    pub(super) general: Learned,
    wishes: PlanWishes,
    /// Pickups and their deliveries, as the feed brought them.
    pickups: Vec<(StopId, StopId)>,
    depot: Option<LatLng>,
    traffic: Option<TrafficItem>,
    model: SpeedModel,
}

/// Where the courier was last known to be: at the door of his last record, or where he said a later plan
/// should start.
fn last_place(visit: Option<&Visited>, told: Option<&PlanView>, now_ms: i64) -> Option<LatLng> {
    let recorded = visit.map(|visit| (visit.completed_at_ms, visit.place));
    let said = told.and_then(|plan| Some((plan.made_at_ms, plan.from?)));
    let latest = match (recorded, said) {
        (Some(recorded), Some(said)) if said.0 < recorded.0 => Some(recorded),
        (recorded, said) => said.or(recorded),
    };
    latest
        .filter(|(at_ms, _)| now_ms.saturating_sub(*at_ms) <= STILL_THERE_MS)
        .map(|(_, place)| place)
}

/// Open parcels of a stop; none when it was taken off the round.
pub(super) fn open_parcels(conn: &Snapshot, stop: StopId) -> Result<Vec<ParcelRow>> {
    if stops::stop(conn, stop)?.removed {
        return Ok(Vec::new());
    }
    let parcels = stops::parcels(conn, Some(stop))?;
    Ok(parcels.into_iter().filter(ParcelRow::wants_visit).collect())
}

/// Stops with an open parcel.
pub(super) fn open_stop_ids(conn: &Snapshot) -> Result<HashSet<StopId>> {
    let removed: HashSet<StopId> = stops::stops(conn)?
        .into_iter()
        .filter(|row| row.removed)
        .map(|row| row.stop_id)
        .collect();
    let parcels = stops::parcels(conn, None)?;
    Ok(parcels
        .into_iter()
        .filter(|p| p.wants_visit() && !removed.contains(&p.stop_id))
        .map(|p| p.stop_id)
        .collect())
}

impl Tour {
    /// Reads the remaining stops. `moved` is a stop whose place in the known order says nothing any more,
    /// `told` the plan the courier has seen.
    pub(super) fn read(
        conn: &Snapshot,
        wishes: &PlanWishes,
        from: Option<LatLng>,
        moved: Option<StopId>,
        told: Option<&PlanView>,
        now_ms: i64,
    ) -> Result<Self> {
        let item: Option<TrafficItem> = planning::get(conn)?;
        let model = traffic::model(item.as_ref());
        let history = attempts::visits(conn)?;
        let doors = Doors::learn(&history, &model);
        let rows = stops::stops(conn)?;
        let estates = Estates::of(&rows, wishes.zone_change_s > 0);
        let (mut open, mut known, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            let parcels = open_parcels(conn, row.stop_id)?;
            if parcels.is_empty() {
                continue;
            }
            let not_before_ms = match again(conn, &parcels)? {
                Again::NotThisTour => {
                    left_out.push(row.stop_id);
                    continue;
                }
                Again::NotBefore(at_ms) => Some(at_ms).filter(|at| *at > now_ms),
                Again::Now => None,
            };
            if wishes.set_aside.contains(&row.stop_id) {
                left_out.push(row.stop_id);
                continue;
            }
            if row.planned && moved != Some(row.stop_id) {
                known.push(open.len());
            }
            open.push(OpenStop {
                service: doors.at(row.place),
                zone: estates.zone(row.place),
                row,
                parcels,
                not_before_ms,
            });
        }
        let route = open.first().map(|stop| stop.row.route_id);
        let depot = route
            .map(|id| stops::depot(conn, id))
            .transpose()?
            .flatten();
        let from = from
            .or_else(|| last_place(history.last(), told, now_ms))
            .or(depot)
            .or_else(|| open.first().map(|stop| stop.row.place));
        Ok(Self {
            open,
            known,
            left_out,
            from,
            general: doors.general(),
            wishes: wishes.clone(),
            pickups: stops::pickups(conn)?,
            depot,
            traffic: item,
            model,
        })
    }

    /// Whether there is an order the courier knows.
    pub(super) fn is_planned(&self) -> bool {
        !self.known.is_empty()
    }

    /// The index of an open stop.
    pub(super) fn index(&self, stop: StopId) -> Option<usize> {
        self.open.iter().position(|open| open.row.stop_id == stop)
    }

    /// The problem in seconds from now.
    pub(super) fn draft(&self, now_ms: i64) -> Result<Draft> {
        let from_now = |at_ms: i64| seconds(at_ms, now_ms);
        let departure = self.wishes.busy_until_ms.map_or(0, from_now).max(0);
        let start = Start {
            earliest: departure,
            latest: departure,
            place: self.from.map(geo),
        };
        let stops = self.open.iter().map(|s| s.to_stop(now_ms)).collect();
        let mut draft = Draft::new(start, stops, Travel::Estimated(self.model.clone()));
        let end = match self.wishes.end {
            RouteEnd::Free => None,
            RouteEnd::Depot => self.depot,
            RouteEnd::Place(place) => Some(place),
        };
        draft.end = end.map_or(End::Free, |place| End::Place(Some(geo(place))));
        draft.zone_change = self.wishes.zone_change_s;
        draft.shift_end = self
            .wishes
            .shift_end_ms
            .map(|at_ms| (from_now(at_ms), SHIFT_WEIGHT));
        draft.breaks = self.breaks(now_ms);
        // Before the first plan there is no order the courier knows, only the one of the list.
        if self.is_planned() {
            draft.known = Some((self.known.clone(), CHANGE_S));
        }
        draft.before = self.precedence();
        self.pin(&mut draft);
        if let Some(item) = &self.traffic
            && let Some(from) = self.from
        {
            let stops = self.open.iter().map(|stop| stop.row.place);
            let places: Vec<LatLng> = core::iter::once(from).chain(stops).chain(end).collect();
            draft.traffic = Some(traffic::table(item, &places, now_ms));
        }
        Ok(draft)
    }

    /// What the courier wishes, and pickups before their deliveries as far as that leaves an order: two
    /// doors that exchange parcels need two visits, and must not make the whole day unplannable.
    fn precedence(&self) -> Vec<(usize, usize)> {
        let both = |(a, b): &(StopId, StopId)| self.index(*a).zip(self.index(*b));
        let mut pairs: Vec<(usize, usize)> = self.wishes.before.iter().filter_map(both).collect();
        for (pickup, delivery) in self.pickups.iter().filter_map(both) {
            if pickup != delivery && !leads_to(&pairs, delivery, pickup) {
                pairs.push((pickup, delivery));
            }
        }
        pairs
    }

    /// Breaks that are not over; one that has begun goes on from now.
    fn breaks(&self, now_ms: i64) -> Vec<Break> {
        let ahead = self.wishes.breaks.iter().filter_map(|pause| {
            let end_ms = pause.at_ms.saturating_add(pause.span_ms);
            let at_ms = pause.at_ms.max(now_ms);
            (end_ms > now_ms).then(|| Break {
                at: seconds(at_ms, now_ms),
                span: seconds(end_ms, at_ms),
            })
        });
        ahead.collect()
    }

    /// Frozen head, first, last and pinned places. A pin whose place is taken by a stronger wish is
    /// dropped: the wishes were consistent when they were made, and a day must stay plannable.
    fn pin(&self, draft: &mut Draft) {
        draft.frozen = self
            .known
            .iter()
            .copied()
            .take(usize::from(self.wishes.frozen))
            .collect();
        let mut taken: HashSet<usize> = (0..draft.frozen.len()).collect();
        let ends = [
            (self.wishes.first, Pin::First, draft.frozen.len()),
            (
                self.wishes.last,
                Pin::Last,
                self.open.len().saturating_sub(1),
            ),
        ];
        for (stop, pin, place) in ends {
            let index = stop.and_then(|id| self.index(id));
            if let Some(index) = index.filter(|i| !draft.frozen.contains(i))
                && taken.insert(place)
                && let Some(slot) = draft.stops.get_mut(index)
            {
                slot.pin = Some(pin);
            }
        }
        for id in &self.wishes.pinned {
            let Some(index) = self.index(*id).filter(|i| !draft.frozen.contains(i)) else {
                continue;
            };
            let Some(place) = self.known.iter().position(|known| *known == index) else {
                continue;
            };
            if let Some(slot) = draft.stops.get_mut(index)
                && slot.pin.is_none()
                && taken.insert(place)
            {
                slot.pin = Some(Pin::At(place));
            }
        }
    }
}

impl OpenStop {
    pub(super) fn to_stop(&self, now_ms: i64) -> Stop {
        let from_now = |at_ms: i64| seconds(at_ms, now_ms);
        let promised_ms = self.parcels.iter().map(|p| p.promised_by_ms).min();
        let close_ms = match (self.row.window_end_ms, promised_ms) {
            (Some(window), Some(promise)) => Some(window.min(promise)),
            (window, promise) => window.or(promise),
        };
        let close = close_ms.map_or(Stop::default().close, from_now);
        // An inverted window (a promise that runs out before the customer is home) is simply late.
        let open_ms = self.row.window_start_ms.max(self.not_before_ms);
        let open = open_ms.map_or(Stop::default().open, |at| from_now(at).min(close));
        // A retry waits for its time also when the promise is broken by then.
        let open = self.not_before_ms.map_or(open, |at| open.max(from_now(at)));
        let more = i64::try_from(self.parcels.len().saturating_sub(1)).unwrap_or(0);
        Stop {
            open,
            close: close.max(open),
            service: self.service.ticks + more * PER_PARCEL_S,
            weight: self.parcels.iter().map(weight).max().unwrap_or(1),
            zone: self.zone,
            place: Some(geo(self.row.place)),
            ..Stop::default()
        }
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

/// Whether `to` must come after `from`, directly or not.
fn leads_to(pairs: &[(usize, usize)], from: usize, to: usize) -> bool {
    let (mut open, mut seen) = (vec![from], HashSet::new());
    while let Some(at) = open.pop() {
        if at == to {
            return true;
        }
        if seen.insert(at) {
            open.extend(pairs.iter().filter(|(a, _)| *a == at).map(|(_, b)| *b));
        }
    }
    false
}

/// Seconds from now, within what the solver can add up.
pub(super) fn seconds(at_ms: i64, now_ms: i64) -> i64 {
    let bound = MAX_TIME / 4;
    at_ms
        .saturating_sub(now_ms)
        .div_euclid(1_000)
        .clamp(-bound, bound)
}

pub(super) fn geo(place: LatLng) -> route::LatLng {
    route::LatLng {
        lat: place.lat,
        lng: place.lng,
    }
}

/// Doors near each other: what a courier calls an estate, and would not leave and come back to. Seen
/// from all stops of the day, so that finishing a door does not change the others' estates.
struct Estates(Vec<Direction>);

impl Estates {
    fn of(rows: &[StopRow], wanted: bool) -> Self {
        let mut centres: Vec<Direction> = Vec::new();
        let mut rows: Vec<&StopRow> = rows.iter().filter(|_| wanted).collect();
        rows.sort_by_key(|row| row.stop_id);
        for row in rows {
            let door = geo(row.place).direction();
            if nearest(&centres, &door).is_none() {
                centres.push(door);
            }
        }
        Self(centres)
    }

    /// 0 for none.
    fn zone(&self, place: LatLng) -> u16 {
        nearest(&self.0, &geo(place).direction())
            .and_then(|index| u16::try_from(index + 1).ok())
            .unwrap_or(0)
    }
}

/// The first centre in reach.
fn nearest(centres: &[Direction], door: &Direction) -> Option<usize> {
    centres
        .iter()
        .position(|centre| centre.distance_m(door) <= ESTATE_M)
}
