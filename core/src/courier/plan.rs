//! The order of the remaining stops, planned on the phone from where the courier stands (A011–A017).
//!
//! The first plan may change everything; every later one starts from the order the courier knows and
//! has to beat it, so a plan never jumps without a gain and is never later than the kept one. Plan and
//! wishes are stored: a killed app shows the same order, times and reasons.

mod draft;
mod history;
mod retry;
mod traffic;
mod view;

use satchel_protocol::feed::LatLng;
use satchel_protocol::ids::StopId;

use super::{Courier, reminders};
use crate::error::{Error, Result};
use crate::model::plan::{OrderFigures, PlanEvent, PlanView, PlanWishes, StopWhy};
use crate::route::{self, Budget, Guard, Patient, Problem};
use crate::rules::geofence;
use crate::store::{planning, stops};
use draft::Tour;

/// Candidate moves of a first plan per stop, and the most: some tens of milliseconds on a phone, and the
/// same plan on every phone.
const FIRST_EVALUATIONS: (u64, u64) = (6_000, 400_000);
/// Of a re-plan, which starts from a good order.
const AGAIN_EVALUATIONS: (u64, u64) = (2_500, 150_000);
/// A phone too slow for that many in this time plans with what it has found.
const PATIENCE_NS: i64 = 1_500_000_000;
/// A plan that is worth a wait looks at this many times as many, and has this many times the patience.
const THOROUGH: u32 = 20;
/// A delay that is longer is a typing error.
const MAX_DELAY_MS: i64 = 24 * 3_600_000;

impl Courier {
    /// Plans the remaining stops from `from` and stores the plan; lists then come in its order. Without
    /// a place it starts at the door where this phone last recorded something, else at the depot.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a position that is none, [`Error::Route`] for wishes that contradict
    /// each other; those of the store.
    pub fn plan(&self, from: Option<LatLng>) -> Result<PlanView> {
        check_place(from)?;
        let wishes = self.plan_wishes()?;
        self.make(wishes, from, None, (1, &Patient))
    }

    /// [`Courier::plan`] with time to spare, as before leaving the depot: it searches twenty times as
    /// long, `guard` is told of each better plan and may end the search early, which keeps the best so
    /// far. Left alone, equal input gives an equal plan.
    ///
    /// # Errors
    /// As [`Courier::plan`].
    pub fn plan_thoroughly(&self, from: Option<LatLng>, guard: &dyn Guard) -> Result<PlanView> {
        check_place(from)?;
        let wishes = self.plan_wishes()?;
        self.make(wishes, from, None, (THOROUGH, guard))
    }

    /// Plans again after something happened, starting from the order the courier knows. The new plan is
    /// never later than that order (with what is new inserted where it costs least) and says how many
    /// next-stop pairs it kept and what it changed.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] when the store does not show what the event says (a stop reported done
    /// that has open parcels, a failed one nobody tried) or for a place or delay out of range,
    /// [`Error::NotFound`] for a stop this phone never had; else as [`Courier::plan`].
    pub fn replan(&self, event: PlanEvent) -> Result<PlanView> {
        let mut wishes = self.plan_wishes()?;
        let mut from = None;
        let mut moved = None;
        let now_ms = self.env.clock.wall_ms();
        match event {
            PlanEvent::Done { stop } | PlanEvent::Failed { stop } => {
                let must_be_open = matches!(event, PlanEvent::Failed { .. });
                let (place, seen) = self.db.read(|conn| {
                    let open = draft::open_parcels(conn, stop)?;
                    let tried = open.iter().any(|parcel| parcel.attempts > 0);
                    let agrees = if must_be_open { tried } else { open.is_empty() };
                    Ok((stops::stop(conn, stop)?.place, agrees))
                })?;
                if !seen {
                    return Err(Error::InvalidInput { what: "event" });
                }
                from = Some(place);
            }
            PlanEvent::Added { stop } => {
                self.must_be_open(stop)?;
                wishes.set_aside.retain(|id| *id != stop);
            }
            PlanEvent::Cancelled { stop } => {
                self.db.read(|conn| stops::stop(conn, stop))?;
                if !wishes.set_aside.contains(&stop) {
                    wishes.set_aside.push(stop);
                }
            }
            PlanEvent::Moved { stop } => {
                self.must_be_open(stop)?;
                moved = Some(stop);
            }
            PlanEvent::OffPlan { place } => {
                check_place(Some(place))?;
                from = Some(place);
            }
            PlanEvent::Delayed { by_ms } => {
                if !(0..=MAX_DELAY_MS).contains(&by_ms) {
                    return Err(Error::InvalidInput { what: "delay" });
                }
                wishes.busy_until_ms = Some(now_ms.saturating_add(by_ms));
            }
            PlanEvent::Traffic => {}
        }
        self.make(wishes, from, moved, (1, &Patient))
    }

    /// The plan as it was made, less what is no longer open; `None` before the first.
    ///
    /// # Errors
    /// Only those of the store.
    pub fn current_plan(&self) -> Result<Option<PlanView>> {
        self.db.read(|conn| {
            let Some(mut plan) = planning::get::<PlanView>(conn)? else {
                return Ok(None);
            };
            let open = draft::open_stop_ids(conn)?;
            plan.stops.retain(|stop| open.contains(&stop.stop_id));
            plan.left_out.retain(|id| open.contains(id));
            Ok(Some(plan))
        })
    }

    /// Why a stop is where it is in the current plan, with its times.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a stop that is not in the plan.
    pub fn why(&self, stop: StopId) -> Result<StopWhy> {
        let plan = self
            .current_plan()?
            .ok_or(Error::NotFound { what: "plan" })?;
        self.db.read(|conn| view::why(conn, &plan, stop))
    }

    /// What an order of all stops of the plan would come to, from `from` or where a plan would start:
    /// for a courier who has one in mind, and to measure how good a driven one was (A015, A016). Nothing
    /// is stored.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] when it is not an order of the stops that a plan made now would have.
    pub fn try_order(&self, from: Option<LatLng>, order: &[StopId]) -> Result<OrderFigures> {
        check_place(from)?;
        let now_ms = self.env.clock.wall_ms();
        let tour = self.db.read(|conn| {
            let wishes = planning::get(conn)?.unwrap_or_default();
            let told = planning::get::<PlanView>(conn)?;
            Tour::read(conn, &wishes, from, None, told.as_ref(), now_ms)
        })?;
        let not_all = || Error::InvalidInput { what: "order" };
        let indexes: Vec<usize> = order
            .iter()
            .map(|id| tour.index(*id).ok_or_else(not_all))
            .collect::<Result<_>>()?;
        let problem = Problem::new(tour.draft(now_ms)?)?;
        let plan = route::timetable_of(&problem, &indexes).map_err(|_| not_all())?;
        Ok(view::figures(&tour, &plan, now_ms))
    }

    /// What the courier wishes of every plan.
    ///
    /// # Errors
    /// Only those of the store.
    pub fn plan_wishes(&self) -> Result<PlanWishes> {
        self.db
            .read(|conn| Ok(planning::get(conn)?.unwrap_or_default()))
    }

    /// Replaces the wishes, for the next plan on. Nothing is stored when they cannot be kept.
    ///
    /// # Errors
    /// [`Error::Route`] when they contradict each other, [`Error::InvalidInput`] for a place that is none.
    pub fn set_plan_wishes(&self, wishes: &PlanWishes) -> Result<()> {
        if let crate::model::plan::RouteEnd::Place(place) = wishes.end {
            check_place(Some(place))?;
        }
        let now_ms = self.env.clock.wall_ms();
        self.db.write(|tx| {
            let tour = Tour::read(tx, wishes, None, None, None, now_ms)?;
            Problem::new(tour.draft(now_ms)?)?;
            planning::put(tx, wishes, now_ms)
        })
    }

    fn must_be_open(&self, stop: StopId) -> Result<()> {
        let open = self.db.read(|conn| {
            stops::stop(conn, stop)?;
            draft::open_parcels(conn, stop)
        })?;
        if open.is_empty() {
            return Err(Error::InvalidInput { what: "event" });
        }
        Ok(())
    }

    fn make(
        &self,
        wishes: PlanWishes,
        from: Option<LatLng>,
        moved: Option<StopId>,
        (times, guard): (u32, &dyn Guard),
    ) -> Result<PlanView> {
        let now_ms = self.env.clock.wall_ms();
        let (tour, told) = self.db.read(|conn| {
            let told = planning::get::<PlanView>(conn)?;
            let tour = Tour::read(conn, &wishes, from, moved, told.as_ref(), now_ms)?;
            Ok((tour, told))
        })?;
        let problem = Problem::new(tour.draft(now_ms)?)?;
        let guard = Deadline {
            guard,
            clock: &*self.env.clock,
            began_ns: self.env.clock.boottime_ns(),
            patience_ns: i64::from(times) * PATIENCE_NS,
        };
        let (before, plan) = solve(&tour, &problem, u64::from(times), &guard)?;
        let view = view::plan(&tour, &problem, &before, &plan, told.as_ref(), now_ms);
        let order: Vec<StopId> = view.stops.iter().map(|stop| stop.stop_id).collect();
        self.db.write(|tx| {
            stops::set_order(tx, &order)?;
            planning::put(tx, &wishes, now_ms)?;
            planning::put(tx, &view, now_ms)
        })?;
        self.remind(&reminders::etas(&view))?;
        Ok(view)
    }
}

/// A handful of stops needs no more than its battery's worth of search.
fn effort((per_stop, most): (u64, u64), stops: usize) -> u64 {
    u64::try_from(stops).map_or(most, |stops| (stops * per_stop).min(most))
}

/// The plan to beat, and the one found.
fn solve(
    tour: &Tour,
    problem: &Problem,
    times: u64,
    guard: &dyn Guard,
) -> Result<(route::Plan, route::Plan)> {
    if tour.is_planned() {
        let before = route::kept_plan(problem, &tour.known)?;
        let budget = Budget {
            evaluations: times * effort(AGAIN_EVALUATIONS, tour.open.len()),
            guard,
        };
        let plan = route::solve(problem, Some(&tour.known), &budget, 0)?;
        return Ok((before, plan));
    }
    let listed: Vec<usize> = (0..tour.open.len()).collect();
    let before = route::timetable_of(problem, &listed)?;
    let half = |first| Half { guard, first };
    let (first, second) = (half(true), half(false));
    let within = |guard| Budget {
        evaluations: times * effort(FIRST_EVALUATIONS, tour.open.len()),
        guard,
    };
    let warm = route::solve(problem, Some(&listed), &within(&first), 0)?;
    // Nothing to be faithful to: a fresh search may find what the dispatcher's order hides.
    let fresh = route::solve(problem, None, &within(&second), 0)?;
    let better = (fresh.lateness, fresh.completion) < (warm.lateness, warm.completion);
    Ok((before, if better { fresh } else { warm }))
}

fn check_place(place: Option<LatLng>) -> Result<()> {
    if place.is_some_and(|p| !geofence::is_position(p.lat, p.lng)) {
        return Err(Error::InvalidInput { what: "position" });
    }
    Ok(())
}

/// One of two searches after each other: who watches sees one.
struct Half<'a> {
    guard: &'a dyn Guard,
    first: bool,
}

impl Guard for Half<'_> {
    fn spent(&self, counted: u32) -> u32 {
        self.guard
            .spent(counted / 2 + if self.first { 0 } else { 500 })
    }

    fn improved(&self, lateness: i64) {
        self.guard.improved(lateness);
    }
}

/// Ends a search on a phone that is too slow for it. Below the deadline it answers 0 and not the time
/// spent, so that every phone fast enough finds the same plan.
struct Deadline<'a> {
    guard: &'a dyn Guard,
    clock: &'a dyn crate::clock::Clock,
    began_ns: i64,
    patience_ns: i64,
}

impl Guard for Deadline<'_> {
    fn spent(&self, counted: u32) -> u32 {
        if self.clock.boottime_ns().saturating_sub(self.began_ns) > self.patience_ns {
            return 1_000;
        }
        self.guard.spent(counted)
    }

    fn improved(&self, lateness: i64) {
        self.guard.improved(lateness);
    }
}
