//! The planned order of the remaining stops: plan, plan again after an event, and say why.

use satchel_core::model::plan as core;
use satchel_core::protocol::feed::LatLng;
use satchel_core::protocol::ids::StopId;

use crate::convert::{count, id};
use crate::error::SatchelError;

pub use satchel_core::model::plan::PlanReason;

/// The main reason for a stop's place in the order. `codeLists()` has the words.
#[uniffi::remote(Enum)]
pub enum PlanReason {
    /// One of the next stops, which the courier asked not to change.
    Frozen,
    /// The courier wants it first.
    First,
    /// The courier wants it last.
    Last,
    /// The courier pinned it to its place.
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
    /// How long the door takes this courier, learned from his own visits.
    pub service_ms: i64,
    /// Time that service is expected to start too late.
    pub lateness_ms: i64,
    /// Delay from here on that makes no stop later than it is; none when nothing ahead has a deadline.
    pub slack_ms: Option<i64>,
    /// It will probably be late: tell the customer now.
    pub predicted_late: bool,
    /// Why it is where it is.
    pub why: PlanReason,
}

/// What is different from the plan the courier knew.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PlanChange {
    /// Not in the plan before.
    pub added_stop_ids: Vec<String>,
    /// No longer in the plan.
    pub dropped_stop_ids: Vec<String>,
    /// The fewest stops whose moving makes the new order out of the old one.
    pub moved_stop_ids: Vec<String>,
    /// Now expected to be late, and not before.
    pub newly_late_stop_ids: Vec<String>,
    /// No longer expected to be late.
    pub no_longer_late_stop_ids: Vec<String>,
}

/// The plan of the remaining stops; the stop list follows it.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct RoutePlan {
    /// When it was made, Unix milliseconds.
    pub made_at_ms: i64,
    /// Where it starts, if that is known.
    pub start: Option<Place>,
    /// When the courier leaves there, Unix milliseconds.
    pub departure_ms: i64,
    /// In the order to drive.
    pub stops: Vec<PlannedStop>,
    /// Open stops that are not in it: not to be tried again on this tour, or set aside.
    pub left_out_stop_ids: Vec<String>,
    /// When the last stop is done, Unix milliseconds.
    pub completion_ms: i64,
    /// The same for the order as it was.
    pub completion_before_ms: i64,
    /// Weighted seconds of lateness.
    pub lateness: i64,
    /// The same for the order as it was.
    pub lateness_before: i64,
    /// Great-circle length of the order, metres.
    pub distance_m: f64,
    /// The same for the order as it was.
    pub distance_before_m: f64,
    /// The order as it was, with what is new where it cost least.
    pub before_stop_ids: Vec<String>,
    /// Next-stop pairs of the plan the courier knew that are kept.
    pub pairs_kept: u32,
    /// Next-stop pairs that plan had; 0 for a first plan.
    pub pairs_known: u32,
    /// What is different from the plan the courier knew.
    pub change: PlanChange,
}

/// One stop of the plan with what explains its place.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct StopWhy {
    /// Times and the reason.
    pub planned: PlannedStop,
    /// The reason in Chinese.
    pub text_zh: String,
    /// The reason in English.
    pub text_en: String,
    /// Place in the order, from 1.
    pub position: u32,
    /// How many stops the plan has.
    pub of: u32,
    /// The stop before it; none for the next one.
    pub previous_stop_id: Option<String>,
    /// Great-circle distance from there, or from where the plan starts, metres.
    pub leg_m: Option<f64>,
}

/// What happened since the plan was made. The stops themselves are read from the store.
#[derive(Debug, Clone, PartialEq, uniffi::Enum)]
pub enum PlanEvent {
    /// Everything at the stop is done; the courier stands there.
    Done {
        /// The stop.
        stop_id: String,
    },
    /// An attempt at the stop failed; the courier stands there.
    Failed {
        /// The stop.
        stop_id: String,
    },
    /// A stop came in, or one that was set aside is to be visited after all.
    Added {
        /// The stop.
        stop_id: String,
    },
    /// A stop is not to be visited.
    Cancelled {
        /// The stop.
        stop_id: String,
    },
    /// A stop is elsewhere, or its window changed.
    Moved {
        /// The stop.
        stop_id: String,
    },
    /// The courier is not where the plan has him.
    OffPlan {
        /// Where he is.
        place: Place,
    },
    /// Time was lost, or will be, from now on.
    Delayed {
        /// How much.
        by_ms: i64,
    },
    /// The hub pushed new speeds.
    Traffic,
}

/// Where the tour ends.
#[derive(Debug, Clone, Copy, PartialEq, uniffi::Enum)]
pub enum RouteEnd {
    /// At the last door.
    Free,
    /// Back at the depot of the round.
    Depot,
    /// At a place.
    At {
        /// Where.
        place: Place,
    },
}

/// A pause of the courier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct PlannedBreak {
    /// When it begins, Unix milliseconds.
    pub at_ms: i64,
    /// How long it lasts.
    pub span_ms: i64,
}

/// The first stop comes before the second: a pickup and its delivery.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct StopPair {
    /// Visited before.
    pub first_stop_id: String,
    /// Visited after.
    pub then_stop_id: String,
}

/// What the courier wishes of every plan until he takes it back.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct PlanWishes {
    /// The next stops of the known order that no re-plan may change.
    #[uniffi(default = 0)]
    pub frozen: u8,
    /// To be visited first, after the frozen ones.
    #[uniffi(default = None)]
    pub first_stop_id: Option<String>,
    /// To be visited last.
    #[uniffi(default = None)]
    pub last_stop_id: Option<String>,
    /// Keep their place in the order he sees.
    #[uniffi(default = [])]
    pub pinned_stop_ids: Vec<String>,
    /// Pickups before their deliveries.
    #[uniffi(default = [])]
    pub before: Vec<StopPair>,
    /// Not to be visited until brought back.
    #[uniffi(default = [])]
    pub set_aside_stop_ids: Vec<String>,
    /// Pauses, ascending and apart.
    #[uniffi(default = [])]
    pub breaks: Vec<PlannedBreak>,
    /// When the shift ends, Unix milliseconds.
    #[uniffi(default = None)]
    pub shift_end_ms: Option<i64>,
    /// Where the tour ends; none for the last door.
    #[uniffi(default = None)]
    pub end: Option<RouteEnd>,
    /// Seconds of detour that staying within an estate is worth; 0 to ignore estates.
    #[uniffi(default = 0)]
    pub zone_change_s: u16,
    /// A reported delay: nothing is planned before, Unix milliseconds.
    #[uniffi(default = None)]
    pub busy_until_ms: Option<i64>,
}

impl From<Place> for LatLng {
    fn from(place: Place) -> Self {
        Self {
            lat: place.lat,
            lng: place.lng,
        }
    }
}

impl From<LatLng> for Place {
    fn from(place: LatLng) -> Self {
        Self {
            lat: place.lat,
            lng: place.lng,
        }
    }
}

fn ids(stops: &[StopId]) -> Vec<String> {
    stops.iter().map(ToString::to_string).collect()
}

fn stop(text: &str) -> Result<StopId, SatchelError> {
    id(text, "stop_id")
}

fn stops(texts: &[String]) -> Result<Vec<StopId>, SatchelError> {
    texts.iter().map(|text| stop(text)).collect()
}

impl From<core::PlannedStop> for PlannedStop {
    fn from(stop: core::PlannedStop) -> Self {
        Self {
            stop_id: stop.stop_id.to_string(),
            arrival_ms: stop.arrival_ms,
            eta_from_ms: stop.eta_from_ms,
            eta_to_ms: stop.eta_to_ms,
            wait_ms: stop.wait_ms,
            service_ms: stop.service_ms,
            lateness_ms: stop.lateness_ms,
            slack_ms: stop.slack_ms,
            predicted_late: stop.predicted_late,
            why: stop.why,
        }
    }
}

impl From<core::PlanView> for RoutePlan {
    fn from(plan: core::PlanView) -> Self {
        let change = &plan.change;
        Self {
            made_at_ms: plan.made_at_ms,
            start: plan.from.map(Place::from),
            departure_ms: plan.departure_ms,
            left_out_stop_ids: ids(&plan.left_out),
            completion_ms: plan.completion_ms,
            completion_before_ms: plan.completion_before_ms,
            lateness: plan.lateness,
            lateness_before: plan.lateness_before,
            distance_m: plan.distance_m,
            distance_before_m: plan.distance_before_m,
            before_stop_ids: ids(&plan.before),
            pairs_kept: count(plan.pairs_kept),
            pairs_known: count(plan.pairs_known),
            change: PlanChange {
                added_stop_ids: ids(&change.added),
                dropped_stop_ids: ids(&change.dropped),
                moved_stop_ids: ids(&change.moved),
                newly_late_stop_ids: ids(&change.newly_late),
                no_longer_late_stop_ids: ids(&change.no_longer_late),
            },
            stops: plan.stops.into_iter().map(PlannedStop::from).collect(),
        }
    }
}

impl From<core::StopWhy> for StopWhy {
    fn from(why: core::StopWhy) -> Self {
        Self {
            text_zh: why.planned.why.zh().to_owned(),
            text_en: why.planned.why.en().to_owned(),
            planned: why.planned.into(),
            position: count(why.position),
            of: count(why.of),
            previous_stop_id: why.previous.map(|id| id.to_string()),
            leg_m: why.leg_m,
        }
    }
}

impl TryFrom<PlanEvent> for core::PlanEvent {
    type Error = SatchelError;

    fn try_from(event: PlanEvent) -> Result<Self, SatchelError> {
        Ok(match event {
            PlanEvent::Done { stop_id } => Self::Done {
                stop: stop(&stop_id)?,
            },
            PlanEvent::Failed { stop_id } => Self::Failed {
                stop: stop(&stop_id)?,
            },
            PlanEvent::Added { stop_id } => Self::Added {
                stop: stop(&stop_id)?,
            },
            PlanEvent::Cancelled { stop_id } => Self::Cancelled {
                stop: stop(&stop_id)?,
            },
            PlanEvent::Moved { stop_id } => Self::Moved {
                stop: stop(&stop_id)?,
            },
            PlanEvent::OffPlan { place } => Self::OffPlan {
                place: place.into(),
            },
            PlanEvent::Delayed { by_ms } => Self::Delayed { by_ms },
            PlanEvent::Traffic => Self::Traffic,
        })
    }
}

impl TryFrom<PlanWishes> for core::PlanWishes {
    type Error = SatchelError;

    fn try_from(wishes: PlanWishes) -> Result<Self, SatchelError> {
        let one = |text: &Option<String>| text.as_deref().map(stop).transpose();
        Ok(Self {
            frozen: wishes.frozen,
            first: one(&wishes.first_stop_id)?,
            last: one(&wishes.last_stop_id)?,
            pinned: stops(&wishes.pinned_stop_ids)?,
            before: wishes
                .before
                .iter()
                .map(|pair| Ok((stop(&pair.first_stop_id)?, stop(&pair.then_stop_id)?)))
                .collect::<Result<_, SatchelError>>()?,
            set_aside: stops(&wishes.set_aside_stop_ids)?,
            breaks: wishes
                .breaks
                .iter()
                .map(|pause| core::PlannedBreak {
                    at_ms: pause.at_ms,
                    span_ms: pause.span_ms,
                })
                .collect(),
            shift_end_ms: wishes.shift_end_ms,
            end: match wishes.end {
                None | Some(RouteEnd::Free) => core::RouteEnd::Free,
                Some(RouteEnd::Depot) => core::RouteEnd::Depot,
                Some(RouteEnd::At { place }) => core::RouteEnd::Place(place.into()),
            },
            zone_change_s: wishes.zone_change_s,
            busy_until_ms: wishes.busy_until_ms,
        })
    }
}

impl From<core::PlanWishes> for PlanWishes {
    fn from(wishes: core::PlanWishes) -> Self {
        Self {
            frozen: wishes.frozen,
            first_stop_id: wishes.first.map(|id| id.to_string()),
            last_stop_id: wishes.last.map(|id| id.to_string()),
            pinned_stop_ids: ids(&wishes.pinned),
            before: wishes
                .before
                .iter()
                .map(|(first, then)| StopPair {
                    first_stop_id: first.to_string(),
                    then_stop_id: then.to_string(),
                })
                .collect(),
            set_aside_stop_ids: ids(&wishes.set_aside),
            breaks: wishes
                .breaks
                .iter()
                .map(|pause| PlannedBreak {
                    at_ms: pause.at_ms,
                    span_ms: pause.span_ms,
                })
                .collect(),
            shift_end_ms: wishes.shift_end_ms,
            end: match wishes.end {
                core::RouteEnd::Free => None,
                core::RouteEnd::Depot => Some(RouteEnd::Depot),
                core::RouteEnd::Place(place) => Some(RouteEnd::At {
                    place: place.into(),
                }),
            },
            zone_change_s: wishes.zone_change_s,
            busy_until_ms: wishes.busy_until_ms,
        }
    }
}
