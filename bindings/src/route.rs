//! Rounds, stops and parcels as an app shows them: masked unless it asks (A038).

use satchel_core::model::status;
use satchel_core::model::stop::{self as core, RouteView, StopView};
use satchel_core::rules::wording::Wording as _;

use crate::codes::{HandlingTag, HandoffKind, Outcome, PromiseClass, StopState, SyncState};
use crate::convert::count;
use crate::doorstep::{Word, state_word};

/// The largest page of stops. A call through JNA costs about 1.3 µs per record, so that a page stays
/// well under one frame; a real round has at most 120 stops.
pub(crate) const MAX_PAGE_STOPS: u32 = 500;

/// Most past rounds in one call.
pub(crate) const MAX_PAGE_ROUTES: u32 = 100;

/// The most stops that one [`Changes`] names; beyond it reading everything again is cheaper.
pub(crate) const MAX_CHANGED_STOPS: usize = 500;

/// A round on this phone.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Route {
    /// Its id.
    pub route_id: String,
    /// What people call it.
    pub name: String,
    /// `YYYY-MM-DD`, local.
    pub service_date: String,
    /// Stops that still have an open parcel.
    pub open_stops: u32,
    /// All stops.
    pub total_stops: u32,
}

/// One page of the list of stops.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct StopPage {
    /// The stops, in the order of the rounds.
    pub stops: Vec<Stop>,
    /// How many stops there are on all pages.
    pub total: u32,
    /// Give it to the next call; `null` at the end.
    pub next_offset: Option<u32>,
}

/// A door to visit. Personal data is masked; `Satchel.reveal` unmasks one stop and logs that.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Stop {
    /// Its id.
    pub stop_id: String,
    /// Its round.
    pub route_id: String,
    /// Place in the order, from 1.
    pub position: u32,
    /// Degrees north of the door, WGS-84.
    pub lat: f64,
    /// Degrees east of the door, WGS-84.
    pub lng: f64,
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
    /// The first promise to run out among open parcels, Unix milliseconds.
    pub promised_by_ms: Option<i64>,
    /// Whether anything is left to do here.
    pub state: StopState,
    /// How far what was recorded here has got; from signed receipts alone (B4-6).
    pub sync: SyncState,
    /// Its day is over, nothing is left to do here and the hub has everything: `stops` has it no more, only
    /// `stopsOf` its round, until something about it changes.
    pub past: bool,
    /// What is delivered here.
    pub parcels: Vec<Parcel>,
}

/// A parcel.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Parcel {
    /// Its id.
    pub parcel_id: String,
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
    /// Where it is in its life.
    pub state: Word,
    /// What a person should see: both sides of a contradiction are kept (B4-16).
    pub flags: Vec<Word>,
    /// What came of the last attempt.
    pub outcome: Option<Outcome>,
    /// How many attempts were recorded.
    pub attempts: u32,
    /// The customer's rating, if it has come back.
    pub rating: Option<Rating>,
}

/// A customer's rating as the courier sees it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Rating {
    /// 1 to 5.
    pub stars: u8,
    /// Timeliness, 1 to 5, if it was given.
    pub timeliness: Option<u8>,
    /// Attitude, 1 to 5, if it was given.
    pub attitude: Option<u8>,
    /// Information given, 1 to 5, if it was given.
    pub information: Option<u8>,
    /// Tag codes that explain it.
    pub tags: Vec<String>,
    /// The customer's words.
    pub comment: Option<String>,
    /// When, by the hub's clock, Unix milliseconds.
    pub rated_at_ms: i64,
    /// What it counts for: verified, scanned only or set aside; `None` for a class of a newer hub.
    pub standing: Option<Word>,
    /// Why it was set aside.
    pub flags: Vec<Word>,
    /// Why people at the hub hid its words.
    pub hidden: Option<String>,
    /// What this courier said against it.
    pub appeal: Option<Appeal>,
}

/// A courier's word against a rating.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Appeal {
    /// What he said.
    pub words: String,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// Number of the hub's case about it, once the hub has told.
    pub case_number: Option<String>,
    /// What the people at the hub answered last.
    pub answer: Option<String>,
}

/// The unmasked person and door of one stop.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct Contact {
    /// Full name.
    pub name: String,
    /// Phone number.
    pub phone: String,
    /// Full address.
    pub address: String,
}

/// Personal data must not reach a log.
impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contact").finish_non_exhaustive()
    }
}

/// What changed since a version.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Changes {
    /// Ask from here next time.
    pub version: i64,
    /// Stops to read again, at most 500.
    pub stop_ids: Vec<String>,
    /// More than that changed: read the whole list again; `stop_ids` is empty then.
    pub reread_all: bool,
}

impl From<RouteView> for Route {
    fn from(view: RouteView) -> Self {
        Self {
            route_id: view.route_id.to_string(),
            name: view.name,
            service_date: view.service_date,
            open_stops: view.open_stops,
            total_stops: view.total_stops,
        }
    }
}

impl From<StopView> for Stop {
    fn from(view: StopView) -> Self {
        Self {
            stop_id: view.stop_id.to_string(),
            route_id: view.route_id.to_string(),
            position: view.position,
            lat: view.place.lat,
            lng: view.place.lng,
            address: view.address,
            recipient_name: view.recipient_name,
            recipient_phone: view.recipient_phone,
            window_start_ms: view.window_start_ms,
            window_end_ms: view.window_end_ms,
            promised_by_ms: view.promised_by_ms,
            state: view.state,
            sync: view.sync,
            past: view.past,
            parcels: view.parcels.into_iter().map(Parcel::from).collect(),
        }
    }
}

impl From<core::ParcelView> for Parcel {
    fn from(view: core::ParcelView) -> Self {
        Self {
            parcel_id: view.parcel_id.to_string(),
            waybill: view.waybill,
            promise_class: view.promise_class,
            promised_by_ms: view.promised_by_ms,
            tags: view.tags,
            consents: view.consents,
            door_required: view.door_required,
            state: state_word(view.state),
            flags: view
                .flags
                .iter()
                .map(|flag| Word::sentence(flag.text()))
                .collect(),
            outcome: view.outcome,
            attempts: view.attempts,
            rating: view.rating.map(Rating::from),
        }
    }
}

impl From<core::RatingView> for Rating {
    fn from(view: core::RatingView) -> Self {
        let [timeliness, attitude, information] = view.items;
        Self {
            stars: view.stars,
            timeliness,
            attitude,
            information,
            tags: view.tags,
            comment: view.comment,
            rated_at_ms: view.rated_at_ms,
            standing: view.class.map(|c| Word::listed(c.code(), c.zh(), c.en())),
            flags: view
                .flags
                .iter()
                .map(|f| Word::listed(f.code(), f.zh(), f.en()))
                .collect(),
            hidden: view.hidden,
            appeal: view.appeal.map(Appeal::from),
        }
    }
}

impl From<core::AppealView> for Appeal {
    fn from(view: core::AppealView) -> Self {
        Self {
            words: view.words,
            at_ms: view.at_ms,
            case_number: view.case,
            answer: view.answer,
        }
    }
}

impl From<core::Contact> for Contact {
    fn from(contact: core::Contact) -> Self {
        Self {
            name: contact.name,
            phone: contact.phone,
            address: contact.address,
        }
    }
}

impl From<status::Changes> for Changes {
    fn from(changes: status::Changes) -> Self {
        let reread_all = changes.stops.len() > MAX_CHANGED_STOPS;
        let stop_ids = if reread_all {
            Vec::new()
        } else {
            changes.stops.iter().map(ToString::to_string).collect()
        };
        Self {
            version: changes.version,
            stop_ids,
            reread_all,
        }
    }
}

/// Cuts one page out of the stops.
pub(crate) fn page(stops: Vec<StopView>, offset: u32, limit: u32) -> StopPage {
    let total = count(stops.len());
    let end = offset.saturating_add(limit);
    StopPage {
        stops: stops
            .into_iter()
            .skip(offset as usize)
            .take(limit as usize)
            .map(Stop::from)
            .collect(),
        total,
        next_offset: (end < total).then_some(end),
    }
}
