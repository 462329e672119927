//! Routes, stops and parcels as shown to a courier: masked unless he asks (A038, GB/T 41833).

use satchel_protocol::feed::{LatLng, PickupItem};
use satchel_protocol::ids::{ParcelId, RouteId, StopId};
use satchel_protocol::taxonomy::{
    HandlingTag, HandoffKind, Outcome, PromiseClass, RatingClass, RatingFlag,
};
use satchel_protocol::transitions::{Flag, ParcelState};

/// A round on this phone.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteView {
    /// The round.
    pub route_id: RouteId,
    /// What people call it.
    pub name: String,
    /// `YYYY-MM-DD`, local.
    pub service_date: String,
    /// Stops that still have an open parcel.
    pub open_stops: u32,
    /// All stops.
    pub total_stops: u32,
}

/// A stop as listed. Personal data is masked; [`crate::Courier::reveal`] unmasks one stop and logs it.
#[derive(Debug, Clone, PartialEq)]
pub struct StopView {
    /// The stop.
    pub stop_id: StopId,
    /// Its round.
    pub route_id: RouteId,
    /// Place in the order, from 1.
    pub position: u32,
    /// Where the door is, WGS-84.
    pub place: LatLng,
    /// Masked address: unit and room hidden.
    pub address: String,
    /// Masked name.
    pub recipient_name: String,
    /// Masked phone number.
    pub recipient_phone: String,
    /// Earliest time wished, Unix milliseconds.
    pub window_start_ms: Option<i64>,
    /// Latest time wished, Unix milliseconds.
    pub window_end_ms: Option<i64>,
    /// The first promise to run out among open parcels, Unix milliseconds (A16).
    pub promised_by_ms: Option<i64>,
    /// Whether anything is left to do here.
    pub state: StopState,
    /// How far what was recorded here has got; from signed receipts alone (B4-6).
    pub sync: SyncState,
    /// Its day is over, nothing is left to do here and the hub has everything: it is in no list of stops any
    /// more, only in that of its round ([`crate::Courier::stops_of`]), until something about it changes.
    pub past: bool,
    /// What is delivered here.
    pub parcels: Vec<ParcelView>,
}

/// A parcel as listed.
#[derive(Debug, Clone, PartialEq)]
pub struct ParcelView {
    /// The parcel.
    pub parcel_id: ParcelId,
    /// The carrier's number.
    pub waybill: String,
    /// What was promised.
    pub promise_class: PromiseClass,
    /// When the promise runs out, Unix milliseconds.
    pub promised_by_ms: i64,
    /// Fresh, fragile and so on.
    pub tags: Vec<HandlingTag>,
    /// Handoffs the customer has agreed to, valid now.
    pub consents: Vec<HandoffKind>,
    /// "Door delivery" is noted on the waybill.
    pub door_required: bool,
    /// Where the parcel is in its life; the fold of everything that is known of it.
    pub state: ParcelState,
    /// What a person should see: both sides of a contradiction are kept (B4-16).
    pub flags: Vec<Flag>,
    /// It is to be collected from a sender here (A198).
    pub pickup: Option<PickupItem>,
    /// May be handed only to a person of this age (A040).
    pub min_age_years: Option<u8>,
    /// What came of the last attempt.
    pub outcome: Option<Outcome>,
    /// How many attempts count.
    pub attempts: u32,
    /// The customer's rating, if it has come back.
    pub rating: Option<RatingView>,
}

/// A rating as the courier sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RatingView {
    /// 1 to 5.
    pub stars: u8,
    /// Timeliness, attitude and information, 1 to 5 each, where they were given (A070).
    pub items: [Option<u8>; 3],
    /// Tag codes that explain it.
    pub tags: Vec<String>,
    /// The customer's words.
    pub comment: Option<String>,
    /// When, the hub's clock, Unix milliseconds.
    pub rated_at_ms: i64,
    /// What it counts for; `None` for a class of a newer hub.
    pub class: Option<RatingClass>,
    /// Why it was set aside; reasons of a newer hub are left out.
    pub flags: Vec<RatingFlag>,
    /// Why people at the hub hid its words.
    pub hidden: Option<String>,
    /// What this courier said against it.
    pub appeal: Option<AppealView>,
}

/// A courier's word against a rating, as it stands in this phone's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppealView {
    /// What he said.
    pub words: String,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// Number of the hub's case about it, once the hub has told.
    pub case: Option<String>,
    /// What the people at the hub answered last.
    pub answer: Option<String>,
}

/// The unmasked person and door of one stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Full name.
    pub name: String,
    /// Phone number.
    pub phone: String,
    /// Full address.
    pub address: String,
}

/// Whether a stop needs another visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopState {
    /// A parcel is still to be delivered and none was tried in this visit.
    Open,
    /// Nothing is left to do here: every parcel is handed over, waits in a locker or station, is back at
    /// the depot or was cancelled.
    Done,
    /// The last attempt failed; the parcel needs its next action.
    Failed,
    /// The hub took the stop off this phone's round.
    Removed,
}

/// How far a stop's records have got. Nothing counts before the hub's signed receipt names it (B4-6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SyncState {
    /// Nothing recorded here yet.
    Nothing,
    /// Safe on this phone only.
    Local,
    /// Being sent.
    Sending,
    /// The hub has the record; a photo or signature is still missing there.
    Received,
    /// The hub has the record and every proof that can still be brought. Of at least one neither this phone nor, as far as
    /// it knows, the hub has the bytes any more.
    ProofLost,
    /// The hub has the record and every proof: "synced".
    ProofComplete,
}
