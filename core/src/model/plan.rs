//! A planned order with its honest times.

use satchel_protocol::ids::StopId;

pub use crate::route::Why;

/// The plan of the remaining stops.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanView {
    /// In the order to drive.
    pub stops: Vec<PlannedStop>,
    /// When the last stop is done, wall clock, Unix milliseconds.
    pub completion_ms: i64,
    /// The same for the order as it was.
    pub completion_before_ms: i64,
    /// Weighted seconds of lateness at the start of service.
    pub lateness: i64,
    /// The same for the order as it was.
    pub lateness_before: i64,
    /// Great-circle length of the order, metres.
    pub distance_m: f64,
    /// The same for the order as it was.
    pub distance_before_m: f64,
    /// Next-stop pairs of the plan the courier knew that are kept.
    pub pairs_kept: usize,
    /// Next-stop pairs that plan had; 0 for a first plan.
    pub pairs_known: usize,
}

/// One stop of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedStop {
    /// The stop.
    pub stop_id: StopId,
    /// Expected arrival, wall clock, Unix milliseconds.
    pub arrival_ms: i64,
    /// Not earlier, nine times in ten.
    pub eta_from_ms: i64,
    /// Not later, nine times in ten.
    pub eta_to_ms: i64,
    /// Time until its window opens.
    pub wait_ms: i64,
    /// Time that service is expected to start too late.
    pub lateness_ms: i64,
    /// It will probably be late: tell the customer now (A049).
    pub predicted_late: bool,
    /// Why it is where it is.
    pub why: Why,
}
