//! The planned order of the remaining stops.

use satchel_core::model::plan as core;

pub use satchel_core::model::plan::Why as PlanReason;

/// The main reason for a stop's place in the order.
#[uniffi::remote(Enum)]
pub enum PlanReason {
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

/// A place, WGS-84 degrees.
#[derive(Debug, Clone, Copy, PartialEq, uniffi::Record)]
pub struct Place {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lng: f64,
}

/// One stop of a plan.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PlannedStop {
    /// The stop.
    pub stop_id: String,
    /// Expected arrival, Unix milliseconds.
    pub arrival_ms: i64,
    /// Not earlier, nine times in ten.
    pub eta_from_ms: i64,
    /// Not later, nine times in ten.
    pub eta_to_ms: i64,
    /// Time until its window opens.
    pub wait_ms: i64,
    /// Time that service is expected to start too late.
    pub lateness_ms: i64,
    /// It will probably be late: tell the customer now.
    pub predicted_late: bool,
    /// Why it is where it is.
    pub why: PlanReason,
}

/// The plan of the remaining stops; the stop list follows it.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct RoutePlan {
    /// In the order to drive.
    pub stops: Vec<PlannedStop>,
    /// When the last stop is done, Unix milliseconds.
    pub completion_ms: i64,
    /// The same for the order as it was.
    pub completion_before_ms: i64,
    /// Great-circle length of the order, metres.
    pub distance_m: f64,
    /// The same for the order as it was.
    pub distance_before_m: f64,
    /// Next-stop pairs of the plan the courier knew that are kept.
    pub pairs_kept: u32,
    /// Next-stop pairs that plan had; 0 for a first plan.
    pub pairs_known: u32,
}

impl From<core::PlannedStop> for PlannedStop {
    fn from(stop: core::PlannedStop) -> Self {
        Self {
            stop_id: stop.stop_id.to_string(),
            arrival_ms: stop.arrival_ms,
            eta_from_ms: stop.eta_from_ms,
            eta_to_ms: stop.eta_to_ms,
            wait_ms: stop.wait_ms,
            lateness_ms: stop.lateness_ms,
            predicted_late: stop.predicted_late,
            why: stop.why,
        }
    }
}

impl From<core::PlanView> for RoutePlan {
    fn from(plan: core::PlanView) -> Self {
        Self {
            stops: plan.stops.into_iter().map(PlannedStop::from).collect(),
            completion_ms: plan.completion_ms,
            completion_before_ms: plan.completion_before_ms,
            distance_m: plan.distance_m,
            distance_before_m: plan.distance_before_m,
            pairs_kept: u32::try_from(plan.pairs_kept).unwrap_or(u32::MAX),
            pairs_known: u32::try_from(plan.pairs_known).unwrap_or(u32::MAX),
        }
    }
}
