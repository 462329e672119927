//! The feed: what the hub tells a phone, in one cursor-ordered stream.
//!
//! Items are JSON so that any back office can read them. A phone keeps the raw `data` of kinds it does
//! not know and applies it after an update; fields it does not know are kept with the item.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::doorstep::{ConsentRecord, ConsentWithdrawnBody};
use crate::erase::ParcelErasedItem;
use crate::ids::{Handle, Hash32, ParcelId, RouteId, StopId};
use crate::taxonomy::{HandlingTag, PromiseClass};

mod operator;
mod traffic;

pub use operator::{
    CourierItem, DoubtItem, OtherRoundItem, ParcelEventItem, PhotosItem, PointsGiven, PriceItem,
    RadiiItem, RegimeItem, ReportAnswerItem, StarGoalItem, StarRulesItem, TariffItem, TrainingItem,
};

pub use traffic::{FreeFlow, TrafficItem, TrafficZone};

/// `kind` of a [`ConsentRecord`].
pub const CONSENT: &str = "consent";
/// `kind` of a [`ConsentWithdrawnBody`].
pub const CONSENT_WITHDRAWN: &str = "consent_withdrawn";
/// `kind` of a rule set.
pub const RULE_SET: &str = "rule_set";

/// One page of the feed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeedPage {
    /// In order of `seq`.
    pub items: Vec<FeedItem>,
    /// Where the next page starts; opaque to the phone.
    pub cursor: String,
    /// Whether there is more right now.
    pub more: bool,
    /// The hub's clock when it answered, Unix milliseconds.
    pub server_time_ms: i64,
    /// The page is part of a snapshot: everything that holds, not what changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotPart>,
    /// The hub's orders to this phone, each a [`crate::orders::SignedOrder`] in hex.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<String>,
}

/// Which part of a snapshot a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotPart {
    /// It begins here: the phone's place in the feed was none, or one of another history of this hub.
    pub first: bool,
    /// It ends here: what it did not name, this hub does not know of.
    pub last: bool,
}

/// One item as sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeedItem {
    /// Position in the courier's feed.
    pub seq: i64,
    /// What `data` is.
    pub kind: String,
    /// The content, by `kind`.
    pub data: Value,
}

/// An item this build understands, or not.
#[derive(Debug, Clone, PartialEq)]
pub enum FeedContent {
    /// A round given to this courier.
    Route(RouteItem),
    /// A stop of a round, new or changed.
    Stop(Box<StopItem>),
    /// A stop taken off the round.
    StopRemoved(StopRemovedItem),
    /// A customer rated a delivery of this courier.
    Rating(RatingItem),
    /// A consent to handoffs of parcels of this courier.
    Consent(Box<ConsentRecord>),
    /// A consent no longer holds.
    ConsentWithdrawn(ConsentWithdrawnBody),
    /// Something happened to a parcel elsewhere: at the hub or on another phone.
    ParcelEvent(ParcelEventItem),
    /// What handoffs ask for; the document as it was sent.
    RuleSet(Value),
    /// An abnormal day was declared, or ended.
    Regime(RegimeItem),
    /// What the operator decided about this courier and this phone.
    Courier(Box<CourierItem>),
    /// Waybill numbers of other rounds, so that a missort is told at the vehicle (A204).
    OtherRound(OtherRoundItem),
    /// The hub's answer to an abnormal report (A044).
    ReportAnswer(ReportAnswerItem),
    /// What the hub wonders about in this courier's log.
    Doubt(Box<DoubtItem>),
    /// Speeds by zone and time of day (A012).
    Traffic(Box<TrafficItem>),
    /// The hub asks for a full photo now, whatever the network costs.
    ProofWanted(ProofWantedItem),
    /// What is known of a delivery is to be forgotten (PIPL 47).
    ParcelErased(ParcelErasedItem),
    /// A kind made after this build; kept as it is.
    Unknown,
}

/// The item's kind is known but its content does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("feed item {seq} of kind {kind} does not fit its kind")]
pub struct BadFeedItem {
    /// Which item.
    pub seq: i64,
    /// Its kind.
    pub kind: String,
}

impl FeedItem {
    /// Reads `data` by `kind`.
    ///
    /// # Errors
    /// [`BadFeedItem`] for a known kind with unfit content; an unknown kind is not an error.
    pub fn content(&self) -> Result<FeedContent, BadFeedItem> {
        let bad = |_| BadFeedItem {
            seq: self.seq,
            kind: self.kind.clone(),
        };
        Ok(match self.kind.as_str() {
            RouteItem::KIND => FeedContent::Route(RouteItem::deserialize(&self.data).map_err(bad)?),
            StopItem::KIND => {
                FeedContent::Stop(Box::new(StopItem::deserialize(&self.data).map_err(bad)?))
            }
            StopRemovedItem::KIND => {
                FeedContent::StopRemoved(StopRemovedItem::deserialize(&self.data).map_err(bad)?)
            }
            RatingItem::KIND => {
                FeedContent::Rating(RatingItem::deserialize(&self.data).map_err(bad)?)
            }
            CONSENT => FeedContent::Consent(Box::new(
                ConsentRecord::deserialize(&self.data).map_err(bad)?,
            )),
            CONSENT_WITHDRAWN => FeedContent::ConsentWithdrawn(
                ConsentWithdrawnBody::deserialize(&self.data).map_err(bad)?,
            ),
            ParcelEventItem::KIND => {
                FeedContent::ParcelEvent(ParcelEventItem::deserialize(&self.data).map_err(bad)?)
            }
            RULE_SET => FeedContent::RuleSet(self.data.clone()),
            RegimeItem::KIND => {
                FeedContent::Regime(RegimeItem::deserialize(&self.data).map_err(bad)?)
            }
            CourierItem::KIND => {
                FeedContent::Courier(Box::new(CourierItem::deserialize(&self.data).map_err(bad)?))
            }
            OtherRoundItem::KIND => {
                FeedContent::OtherRound(OtherRoundItem::deserialize(&self.data).map_err(bad)?)
            }
            ReportAnswerItem::KIND => {
                FeedContent::ReportAnswer(ReportAnswerItem::deserialize(&self.data).map_err(bad)?)
            }
            DoubtItem::KIND => {
                FeedContent::Doubt(Box::new(DoubtItem::deserialize(&self.data).map_err(bad)?))
            }
            TrafficItem::KIND => {
                FeedContent::Traffic(Box::new(TrafficItem::deserialize(&self.data).map_err(bad)?))
            }
            ProofWantedItem::KIND => {
                FeedContent::ProofWanted(ProofWantedItem::deserialize(&self.data).map_err(bad)?)
            }
            ParcelErasedItem::KIND => {
                FeedContent::ParcelErased(ParcelErasedItem::deserialize(&self.data).map_err(bad)?)
            }
            _ => FeedContent::Unknown,
        })
    }
}

/// A WGS-84 position in degrees (RFC 7946 datum; GCJ-02 is never stored as WGS-84, C4).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LatLng {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lng: f64,
}

/// A round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouteItem {
    /// The round.
    pub route_id: RouteId,
    /// What people call it.
    pub name: String,
    /// The day it is driven, `YYYY-MM-DD` in local time.
    pub service_date: String,
    /// Where it starts.
    pub depot: Option<LatLng>,
    /// How many stops the dispatcher gave.
    pub stop_count: u32,
}

/// A door to visit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StopItem {
    /// The stop.
    pub stop_id: StopId,
    /// Its round.
    pub route_id: RouteId,
    /// Place in the order the dispatcher gave, from 1.
    pub position: u32,
    /// Where the door is.
    pub place: LatLng,
    /// Street address, unmasked; the phone masks it by default (A038).
    pub address: String,
    /// Who is to receive.
    pub recipient: Recipient,
    /// Earliest time wished, Unix milliseconds.
    pub window_start_ms: Option<i64>,
    /// Latest time wished, Unix milliseconds.
    pub window_end_ms: Option<i64>,
    /// What is delivered there.
    pub parcels: Vec<ParcelItem>,
}

/// The person at the door. Personal data: encrypted at rest, masked on screens (A038).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Full name.
    pub name: String,
    /// Phone number.
    pub phone: String,
}

/// A parcel of a stop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParcelItem {
    /// The parcel.
    pub parcel_id: ParcelId,
    /// The carrier's waybill number.
    pub waybill: String,
    /// The delivery's public handle for the rating token.
    pub handle: Handle,
    /// The key with which this device may mint the token; hex, 32 bytes.
    pub rating_key: Hash32,
    /// What was promised (A001–A010).
    pub promise_class: PromiseClass,
    /// When the promise runs out, Unix milliseconds.
    pub promised_by_ms: i64,
    /// When the parcel was accepted, Unix milliseconds.
    pub accepted_at_ms: i64,
    /// Fresh, fragile and so on (A041).
    #[serde(default)]
    pub tags: Vec<HandlingTag>,
    /// "Door delivery" is noted on the waybill: no station, no locker (Zhejiang Art 31).
    #[serde(default)]
    pub door_required: bool,
    /// What the customer has agreed to beforehand (A023, A033).
    #[serde(default)]
    pub consents: Vec<ConsentRecord>,
    /// The customer's service tier, as the rule set names it.
    #[serde(default)]
    pub tier: Option<String>,
    /// May be handed only to a person of this age (A040).
    #[serde(default)]
    pub min_age_years: Option<u8>,
    /// The end of a window the customer chose himself; moves the promise out, never in.
    #[serde(default)]
    pub customer_window_end_ms: Option<i64>,
    /// Limits of a temperature-controlled parcel, hundredths of a degree Celsius (A039).
    #[serde(default)]
    pub temperature: Option<TemperatureLimits>,
    /// How the recipient's code is to be judged, if there is one.
    #[serde(default)]
    pub code: Option<CodeItem>,
    /// It is to be collected from a sender here (A198, A210).
    #[serde(default)]
    pub pickup: Option<PickupItem>,
}

/// Limits of a temperature-controlled parcel, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemperatureLimits {
    /// Coldest, hundredths of a degree Celsius.
    pub min_centi_c: i32,
    /// Warmest, hundredths of a degree Celsius.
    pub max_centi_c: i32,
}

/// How a recipient's code is judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "judge", rename_all = "snake_case")]
pub enum CodeItem {
    /// A long code: the phone compares a salted digest without a network.
    Phone {
        /// Its number of characters.
        chars: u32,
        /// Salt, hex, 32 bytes.
        salt: Hash32,
        /// Salted digest, hex, 32 bytes.
        digest: Hash32,
        /// Until when, Unix milliseconds.
        #[serde(default)]
        expires_at_ms: Option<i64>,
    },
    /// A short code: typed digits go sealed into the entry and the hub judges.
    Hub {
        /// Number of digits, 4 to 8.
        digits: u8,
    },
}

/// A parcel to be collected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PickupItem {
    /// End of the agreed window, Unix milliseconds (A164).
    pub window_end_ms: i64,
    /// The stop it is to be delivered to on this same round, if on this one (A210).
    #[serde(default)]
    pub deliver_to: Option<StopId>,
}

/// A stop that is no longer this courier's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopRemovedItem {
    /// The stop.
    pub stop_id: StopId,
}

/// A proof that somebody at the hub needs now, as in a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofWantedItem {
    /// SHA-256 of its bytes, hex.
    pub hash: Hash32,
}

/// A rating as the courier sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatingItem {
    /// The parcel that was rated.
    pub parcel_id: ParcelId,
    /// 1 to 5.
    pub stars: u8,
    /// Timeliness, 1 to 5 (A070).
    pub timeliness: Option<u8>,
    /// Attitude, 1 to 5 (A070).
    pub attitude: Option<u8>,
    /// Information given, 1 to 5 (A070).
    pub information: Option<u8>,
    /// Tags chosen (A152), as codes.
    #[serde(default)]
    pub tags: Vec<String>,
    /// What the customer wrote.
    pub comment: Option<String>,
    /// When, the hub's clock.
    pub rated_at_ms: i64,
    /// Whether the attempt had reached the hub when the item was made.
    pub bound: bool,
    /// What the rating counts for, as a code of [`RatingClass`](crate::taxonomy::RatingClass); text, so
    /// that a class of a newer hub does not cost the whole item.
    #[serde(default = "present")]
    pub class: String,
    /// Why it was set aside, as codes of [`RatingFlag`](crate::taxonomy::RatingFlag). Shown to the courier.
    #[serde(default)]
    pub flags: Vec<String>,
    /// Why people at the hub hid it, if they did; it is never deleted (B4-21).
    #[serde(default)]
    pub hidden: Option<String>,
    /// How the courier's appeal against it stands, if he made one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appeal: Option<AppealItem>,
}

/// A courier's appeal as the hub has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppealItem {
    /// Number of its case.
    pub case: String,
    /// What the people at the hub answered last.
    pub answer: Option<String>,
}

fn present() -> String {
    crate::taxonomy::RatingClass::Present.code().to_owned()
}

impl ParcelItem {
    /// A parcel with nothing special about it.
    #[must_use]
    pub fn bare(
        parcel_id: ParcelId,
        waybill: String,
        handle: Handle,
        promise_class: PromiseClass,
        accepted_at_ms: i64,
        promised_by_ms: i64,
    ) -> Self {
        Self {
            parcel_id,
            waybill,
            handle,
            rating_key: Hash32::ZERO,
            promise_class,
            promised_by_ms,
            accepted_at_ms,
            tags: Vec::new(),
            door_required: false,
            consents: Vec::new(),
            tier: None,
            min_age_years: None,
            customer_window_end_ms: None,
            temperature: None,
            code: None,
            pickup: None,
        }
    }
}

impl RouteItem {
    /// Its `kind`.
    pub const KIND: &'static str = "route";
}
impl StopItem {
    /// Its `kind`.
    pub const KIND: &'static str = "stop";
}
impl StopRemovedItem {
    /// Its `kind`.
    pub const KIND: &'static str = "stop_removed";
}
impl ProofWantedItem {
    /// Its `kind`.
    pub const KIND: &'static str = "proof_wanted";
}
impl RatingItem {
    /// Its `kind`.
    pub const KIND: &'static str = "rating";
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn unknown_kinds_are_kept_and_unfit_known_kinds_are_named() {
        let unknown = FeedItem {
            seq: 1,
            kind: "weather".into(),
            data: json!({"rain": true}),
        };
        assert_eq!(unknown.content(), Ok(FeedContent::Unknown));
        let unfit = FeedItem {
            seq: 2,
            kind: "stop".into(),
            data: json!({"stop_id": 5}),
        };
        assert_eq!(
            unfit.content(),
            Err(BadFeedItem {
                seq: 2,
                kind: "stop".into()
            })
        );
    }

    #[test]
    fn new_fields_of_a_newer_hub_do_not_disturb() {
        let item = FeedItem {
            seq: 3,
            kind: "stop_removed".into(),
            data: json!({"stop_id": "00000000-0000-0000-0000-000000000001", "why": "moved"}),
        };
        assert!(matches!(item.content(), Ok(FeedContent::StopRemoved(_))));
    }
}
