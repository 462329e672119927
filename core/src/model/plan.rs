//! The plan of the remaining stops as the host sees it: the order with its honest times, the reason for
//! each place in it, what a re-plan changed, and what the courier wishes of it.

use satchel_protocol::feed::LatLng;
use satchel_protocol::ids::StopId;
use serde::{Deserialize, Serialize};

/// The plan of the remaining stops. It is stored: a killed app shows the same one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanView {
    /// When it was made, wall clock, Unix milliseconds.
    pub made_at_ms: i64,
    /// Where it starts, if that is known.
    pub from: Option<LatLng>,
    /// When the courier leaves there; later than `made_at_ms` after a reported delay.
    pub departure_ms: i64,
    /// In the order to drive.
    pub stops: Vec<PlannedStop>,
    /// Open stops that are not in it: tried in vain and not to be tried again on this tour, or set aside.
    pub left_out: Vec<StopId>,
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
    /// The order as it was, with what is new where it cost least: what this plan had to beat.
    pub before: Vec<StopId>,
    /// Next-stop pairs of the plan the courier knew that are kept.
    pub pairs_kept: usize,
    /// Next-stop pairs that plan had; 0 for a first plan.
    pub pairs_known: usize,
    /// What is different from the plan the courier knew.
    pub change: PlanChange,
}

/// What a re-plan changed, in stops: what a courier wants to be told, not a new list to compare by eye.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanChange {
    /// Not in the plan before.
    pub added: Vec<StopId>,
    /// No longer in the plan.
    pub dropped: Vec<StopId>,
    /// The fewest stops whose moving makes the new order out of the old one.
    pub moved: Vec<StopId>,
    /// Now expected to be late, and not before (A049).
    pub newly_late: Vec<StopId>,
    /// No longer expected to be late.
    pub no_longer_late: Vec<StopId>,
}

/// What an order comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderFigures {
    /// Weighted seconds of lateness at the start of service.
    pub lateness: i64,
    /// When the last stop is done, wall clock, Unix milliseconds.
    pub completion_ms: i64,
    /// Great-circle length from where it starts, metres.
    pub distance_m: f64,
}

/// One stop of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    /// How long the door takes this courier, learned from his own visits.
    pub service_ms: i64,
    /// Time that service is expected to start too late.
    pub lateness_ms: i64,
    /// Delay from here on that makes no stop later than it is; `None` when nothing ahead has a deadline.
    pub slack_ms: Option<i64>,
    /// It will probably be late: tell the customer now (A049).
    pub predicted_late: bool,
    /// Why it is where it is.
    pub why: PlanReason,
}

/// One stop of the plan with what explains its place.
#[derive(Debug, Clone, PartialEq)]
pub struct StopWhy {
    /// Times and the reason.
    pub planned: PlannedStop,
    /// Place in the order, from 1.
    pub position: usize,
    /// How many stops the plan has.
    pub of: usize,
    /// The stop before it; `None` for the next one.
    pub previous: Option<StopId>,
    /// Great-circle distance from there, or from where the plan starts, metres.
    pub leg_m: Option<f64>,
}

/// Declares the reasons with their code and words: one table, so that none is without.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $zh:literal, $en:literal;)+) => {
        /// The main reason for a stop's place in the order.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum PlanReason { $($(#[$doc])* $name,)+ }

        impl PlanReason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Name of the reason in data.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// In Chinese.
            #[must_use]
            pub const fn zh(self) -> &'static str {
                match self { $(Self::$name => $zh,)+ }
            }

            /// In English.
            #[must_use]
            pub const fn en(self) -> &'static str {
                match self { $(Self::$name => $en,)+ }
            }
        }
    };
}

reasons! {
    /// One of the next stops, which the courier asked not to change.
    Frozen = "frozen", "近期站点,顺序已锁定", "One of the next stops, kept as they are";
    /// The courier wants it first.
    First = "first", "您要求最先派送", "You asked for it first";
    /// The courier wants it last.
    Last = "last", "您要求最后派送", "You asked for it last";
    /// The courier pinned it to its place.
    Pinned = "pinned", "您已固定此位置", "You pinned it here";
    /// Must follow its pickup, or precede its delivery.
    Precedence = "precedence", "须先取后送", "Collected before it is delivered";
    /// Its window is kept, and would not be much later.
    Window = "window", "赶上约定时段", "Keeps its promised time";
    /// It is late whatever is done; its weight decides how late.
    Priority = "priority", "已难准时,按优先级安排", "Cannot be on time; placed by its priority";
    /// Nothing but the way speaks for it.
    OnTheWay = "on_the_way", "顺路", "On the way";
}

/// What the courier wishes of every plan until he takes it back (A014). Stops that are no longer open
/// are skipped.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlanWishes {
    /// The next stops of the known order that no re-plan may change.
    pub frozen: u8,
    /// To be visited first, after the frozen ones.
    pub first: Option<StopId>,
    /// To be visited last.
    pub last: Option<StopId>,
    /// Keep their place in the order he sees.
    pub pinned: Vec<StopId>,
    /// Pairs of which the first comes before the second: a pickup and its delivery.
    pub before: Vec<(StopId, StopId)>,
    /// Not to be visited until brought back.
    pub set_aside: Vec<StopId>,
    /// Pauses, ascending and apart.
    pub breaks: Vec<PlannedBreak>,
    /// When the shift ends, Unix milliseconds; being out later counts as lateness.
    pub shift_end_ms: Option<i64>,
    /// Where the tour ends.
    pub end: RouteEnd,
    /// Seconds of detour that staying within an estate is worth; 0 to ignore estates.
    pub zone_change_s: u16,
    /// A reported delay: nothing is planned before, Unix milliseconds.
    pub busy_until_ms: Option<i64>,
}

/// A pause of the courier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedBreak {
    /// When it begins, Unix milliseconds.
    pub at_ms: i64,
    /// How long it lasts.
    pub span_ms: i64,
}

/// Where the tour ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteEnd {
    /// At the last door.
    #[default]
    Free,
    /// Back at the depot of the round, as far as the feed tells where that is.
    Depot,
    /// At a place.
    Place(LatLng),
}

/// What happened since the plan was made. What is open and where it lies is read from the store; the
/// event says what cannot be seen there, and where the courier stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PlanEvent {
    /// Everything at the stop is done; he stands there.
    Done {
        /// The stop.
        stop: StopId,
    },
    /// An attempt at the stop failed; he stands there.
    Failed {
        /// The stop.
        stop: StopId,
    },
    /// A stop came in, or one that was set aside is to be visited after all.
    Added {
        /// The stop.
        stop: StopId,
    },
    /// A stop is not to be visited.
    Cancelled {
        /// The stop.
        stop: StopId,
    },
    /// A stop is elsewhere, or its window changed.
    Moved {
        /// The stop.
        stop: StopId,
    },
    /// He is not where the plan has him.
    OffPlan {
        /// Where he is.
        place: LatLng,
    },
    /// Time was lost, or will be, from now on.
    Delayed {
        /// How much.
        by_ms: i64,
    },
    /// The hub pushed new speeds.
    Traffic,
}
