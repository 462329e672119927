//! What is said between the demo and its children: one JSON object a line, each way.

use satchel_core::protocol::feed::LatLng;
use satchel_core::protocol::ids::{AttemptId, DeviceId, Hash32, ParcelId, RouteId, StopId};
use satchel_core::protocol::taxonomy::{
    Action, HandlingTag, HandoffKind, Outcome, ProofKind, Reason,
};
use serde::{Deserialize, Serialize};

use crate::clock;

/// What a virtual phone is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "cmd", rename_all = "snake_case")]
pub enum PhoneCommand {
    /// Take this invite; the next sync enrols.
    Enrol {
        /// The invite's text.
        invite: String,
    },
    /// List the route.
    Stops,
    /// Plan these stops and say what the plan and the driven order come to.
    Plan {
        /// All stops of a round, in the order they were driven.
        driven: Vec<StopId>,
        /// Where the round starts.
        from: Option<LatLng>,
        /// When.
        depart_ms: i64,
    },
    /// Do one visit at a door.
    Deliver {
        /// Where.
        stop: StopId,
        /// When, in a played day; a live phone uses its own clock.
        at_ms: Option<i64>,
        /// What comes of it.
        visit: Visit,
    },
    /// Talk to the hub until nothing is left or a limit is met (played day).
    Sync {
        /// When; from here the phone's clock flows.
        at_ms: Option<i64>,
        /// What the network is like.
        link: Link,
    },
    /// The network comes or goes (live demo: the phone syncs by itself).
    SetNetwork {
        /// Whether there is one.
        on: bool,
    },
    /// Say what the phone shows.
    Status,
    /// End in order.
    Shutdown,
}

/// The network of one sync in a played day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// It goes away while one more request than this is in the air.
    pub max_requests: Option<u32>,
    /// What it adds to every request.
    pub latency_ms: u32,
    /// The phone gives up after this many requests in a row without an answer.
    pub give_up_after: u32,
}

impl Link {
    /// The depot's own network.
    pub const GOOD: Self = Self {
        max_requests: None,
        latency_ms: 0,
        give_up_after: 3,
    };
}

/// One visit at a door, as the day has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Visit {
    /// Names the visit's ink and photo; the same name gives the same proofs.
    pub name: String,
    /// The parcels it is about.
    pub parcels: Vec<ParcelId>,
    /// What comes of it.
    pub result: VisitResult,
}

/// What comes of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum VisitResult {
    /// Handed over.
    Delivered {
        /// How.
        handoff: HandoffKind,
    },
    /// Not handed over.
    Failed {
        /// Why.
        reason: Reason,
        /// What happens next.
        action: Action,
    },
}

/// What a virtual phone says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum PhoneAnswer {
    /// A request went out; more follow before the answer to `Sync`.
    Exchange {
        /// Whether a good answer came.
        ok: bool,
        /// Whether any answer came.
        answered: bool,
        /// Whether it carried a proof.
        proof: bool,
        /// Bytes of its body.
        sent_bytes: u64,
    },
    /// Done, nothing to tell.
    Ok,
    /// The route.
    Stops {
        /// In order of the route.
        stops: Vec<RouteStop>,
    },
    /// A round was planned.
    Orders {
        /// What came of it.
        orders: RoundOrders,
    },
    /// The visit is on disk: from here on it must never be lost.
    Ack {
        /// What was acknowledged.
        ack: Ack,
    },
    /// The sync ended.
    Synced {
        /// Requests sent.
        requests: u32,
        /// Requests without a whole answer.
        failed: u32,
        /// Whether the core said that nothing is left.
        done: bool,
    },
    /// What the phone shows.
    Status {
        /// The screen.
        status: PhoneStatus,
    },
    /// The command failed.
    Error {
        /// The core's words; they hold no personal data.
        message: String,
    },
}

/// A stop as the phone lists it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouteStop {
    /// The stop.
    pub stop: StopId,
    /// Its round.
    pub round: RouteId,
    /// What is delivered there.
    pub parcels: Vec<RouteParcel>,
}

/// A round by its two orders, both measured by the phone that planned it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RoundOrders {
    /// Great-circle length of the planned order, metres.
    pub planned_m: f64,
    /// Of the driven one.
    pub driven_m: f64,
    /// Weighted seconds of lateness of the planned order.
    pub planned_late_s: i64,
    /// Of the driven one.
    pub driven_late_s: i64,
    /// From departure to the last door done, planned.
    pub planned_ms: i64,
    /// In the driven order.
    pub driven_ms: i64,
}

/// A parcel as the phone lists it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouteParcel {
    /// The parcel.
    pub parcel: ParcelId,
    /// Its waybill, by which the day's file is found again.
    pub waybill: String,
    /// Handling tags.
    pub tags: Vec<HandlingTag>,
    /// Handoffs agreed to.
    pub consents: Vec<HandoffKind>,
    /// Door delivery is noted.
    pub door_required: bool,
}

/// What `complete_attempt` returned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ack {
    /// The visit.
    pub attempt: AttemptId,
    /// Where.
    pub stop: StopId,
    /// When, by the phone.
    pub at_ms: i64,
    /// One entry a parcel.
    pub parcels: Vec<AckParcel>,
    /// The proofs of all of them.
    pub proofs: Vec<AckProof>,
}

/// One acknowledged entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AckParcel {
    /// The parcel.
    pub parcel: ParcelId,
    /// What came of it.
    pub outcome: Outcome,
    /// Place in the phone's log.
    pub seq: i64,
    /// The entry's hash.
    pub entry: Hash32,
    /// The rating page, for a delivered parcel.
    pub rating_url: Option<String>,
}

/// One acknowledged proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AckProof {
    /// SHA-256 of its bytes.
    pub hash: Hash32,
    /// What it is.
    pub kind: ProofKind,
}

/// What a phone shows at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhoneStatus {
    /// Its id at the hub, once enrolled.
    pub device: Option<DeviceId>,
    /// Its clock.
    pub now_ms: i64,
    /// Every stop.
    pub stops: Vec<StopStatus>,
    /// Ratings that have come back.
    pub ratings: Vec<RatingSeen>,
    /// Entries without a receipt.
    pub unsent_entries: u64,
    /// Proofs without a receipt.
    pub unsent_proofs: u64,
    /// Receipts that were not to be believed.
    pub receipt_alarms: u64,
    /// The last time the hub answered with something true.
    pub last_contact_ms: Option<i64>,
    /// Whether there is a network.
    pub online: bool,
}

/// A stop at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopStatus {
    /// The stop.
    pub stop: StopId,
    /// Whether an attempt is still to be made.
    pub open: bool,
    /// Visits recorded here.
    pub attempts: u32,
    /// How far its records have got.
    pub sync: SyncWord,
}

/// [`satchel_core::model::stop::SyncState`] on this wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncWord {
    /// Nothing recorded.
    Nothing,
    /// On the phone only.
    Local,
    /// Being sent.
    Sending,
    /// The record is at the hub, a proof is missing.
    Received,
    /// The record is at the hub; a proof is nowhere any more.
    Lost,
    /// Everything is at the hub: "synced".
    Synced,
}

/// A rating as the courier reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatingSeen {
    /// The parcel.
    pub parcel: ParcelId,
    /// 1 to 5.
    pub stars: u8,
    /// The customer's words.
    pub comment: Option<String>,
}

/// A clock as it is given on a child's command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ClockChoice {
    /// The machine's.
    Real,
    /// Set by commands.
    Played,
}

impl ClockChoice {
    /// The time such a clock starts at.
    #[must_use]
    pub fn start_ms(self, played_from_ms: i64) -> i64 {
        match self {
            Self::Real => clock::wall_ms(),
            Self::Played => played_from_ms,
        }
    }
}
