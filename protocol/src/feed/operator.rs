//! What the operator tells a phone beside the round: parcel events from elsewhere, abnormal days, and
//! what was decided about the courier.

use serde::{Deserialize, Serialize};

use crate::ids::{DoubtId, ParcelId, RouteId};
use crate::taxonomy::Regime;
use crate::transitions::Event;

/// Something that happened to a parcel at the hub (cancelled, collected at the station, asked for at the
/// door) or on another phone. It joins what this phone knows; nothing recorded here is overwritten
/// (B4-16).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParcelEventItem {
    /// Which parcel.
    pub parcel_id: ParcelId,
    /// What and when; its id is the recorder's own.
    pub event: Event,
}

/// An abnormal day (A018).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegimeItem {
    /// Names it, so that a later item can end it.
    pub regime_id: String,
    /// What it is.
    pub regime: Regime,
    /// From when, Unix milliseconds.
    pub from_ms: i64,
    /// Until when, exclusive; equal to `from_ms` takes it back.
    pub until_ms: i64,
    /// Whether it excuses promises.
    pub excuses: bool,
}

/// What the operator decided about a courier. Each part is sent whole; a part that is left out stays as
/// it is on the phone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CourierItem {
    /// The training gate (A174).
    #[serde(default)]
    pub training: Option<TrainingItem>,
    /// What pieces are worth (A147).
    #[serde(default)]
    pub tariff: Option<TariffItem>,
    /// The star table (A146).
    #[serde(default)]
    pub stars: Option<StarRulesItem>,
    /// The courier's star by the operator's books.
    #[serde(default)]
    pub star_level: Option<u8>,
    /// What points are worth (A144), and points given by hand.
    #[serde(default)]
    pub points: Option<PointsGiven>,
    /// Radii around a door.
    #[serde(default)]
    pub radii: Option<RadiiItem>,
    /// How large and how good photos are made.
    #[serde(default)]
    pub photos: Option<PhotosItem>,
    /// Whether full photos may go up where that costs the courier money. Entries, signatures and small copies
    /// always do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photos_on_metered: Option<bool>,
}

/// The courier's training (A174, A175).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingItem {
    /// When it was passed, Unix milliseconds.
    pub passed_at_ms: i64,
    /// Until when it holds, exclusive.
    pub valid_until_ms: i64,
}

/// The price list (A147).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TariffItem {
    /// ISO 4217 code.
    pub currency: String,
    /// Unit prices.
    pub prices: Vec<PriceItem>,
}

/// One unit price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceItem {
    /// `DELIVERY`, `PICKUP` or `RETURN`.
    pub piece: String,
    /// For this star.
    pub star: u8,
    /// Minor units (fen, cent).
    pub unit_minor: i64,
}

/// The star table (A146).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StarRulesItem {
    /// Goals.
    pub goals: Vec<StarGoalItem>,
    /// Weight that is needed for the second star, the third and so on.
    pub steps: Vec<u32>,
}

/// One goal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StarGoalItem {
    /// Code of the figure.
    pub kpi: String,
    /// At least the goal, else at most.
    pub at_least: bool,
    /// In the unit of the figure: ten-thousandths, or hundredths of a parcel a day.
    pub goal: u64,
    /// Weight it carries.
    pub weight: u32,
}

/// Values of the point rules (A144).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointsGiven {
    /// For a good rating.
    pub good_rating: i64,
    /// For a promise kept.
    pub on_time: i64,
    /// For a delivery without damage.
    pub no_damage: i64,
    /// Balance carried over from before this phone knew.
    #[serde(default)]
    pub carried_over: i64,
}

/// Radii around a door (A031).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RadiiItem {
    /// At the door.
    pub inside_m: f64,
    /// In the compound.
    pub extended_m: f64,
}

/// How large and how good photos are made. It takes the place of what the phone had; an app may choose
/// otherwise afterwards, as on a metered link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotosItem {
    /// Longer side in pixels, 640 to 4096.
    pub long_side_px: u32,
    /// Size to stay under, 20 KB to 4 MB.
    pub budget_bytes: u32,
    /// Lowest quality on libjpeg's scale, from 1.
    pub quality_min: u8,
    /// Highest quality, to 95.
    pub quality_max: u8,
}

impl PhotosItem {
    /// A label held half a metre away stays readable; 5 s of upload on a poor link of 0.5 Mbit/s.
    pub const STANDARD: Self = Self {
        long_side_px: 1_600,
        budget_bytes: 300_000,
        quality_min: 55,
        quality_max: 82,
    };

    /// For a metered or poor link: a label still reads, at a third of the bytes.
    pub const LOW_DATA: Self = Self {
        long_side_px: 1_200,
        budget_bytes: 100_000,
        quality_min: 50,
        quality_max: 72,
    };

    /// Whether a usable photo can come of it.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        (640..=4_096).contains(&self.long_side_px)
            && (20_000..=4_000_000).contains(&self.budget_bytes)
            && (1..=95).contains(&self.quality_min)
            && (self.quality_min..=95).contains(&self.quality_max)
    }
}

/// Waybill numbers of another round of the day; each item replaces that round's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherRoundItem {
    /// The round.
    pub route_id: RouteId,
    /// What people call it.
    pub name: String,
    /// Its day, `YYYY-MM-DD`, local; it ends with it.
    pub service_date: String,
    /// Its numbers.
    pub waybills: Vec<String>,
}

/// The hub's answer to an abnormal report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportAnswerItem {
    /// Which report.
    pub report_id: String,
    /// What is to be done: an action's code, or nothing.
    #[serde(default)]
    pub action: Option<crate::taxonomy::Action>,
    /// In the dispatcher's words.
    #[serde(default)]
    pub words: Option<String>,
    /// When, the hub's clock, Unix milliseconds.
    pub answered_at_ms: i64,
}

/// What the hub wonders about in this courier's log, and what came of it. Shown to the courier, who may answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DoubtItem {
    /// Names it in an answer.
    pub doubt_id: DoubtId,
    /// A code of [`DoubtKind`](crate::taxonomy::DoubtKind); text, so that a phone takes what a newer hub finds.
    pub doubt: String,
    /// Which parcel's attempt.
    pub parcel_id: ParcelId,
    /// When the attempt happened, Unix milliseconds.
    pub occurred_at_ms: i64,
    /// When the other thing happened that it is compared with: the other attempt, the photo.
    #[serde(default)]
    pub other_at_ms: Option<i64>,
    /// How far apart the two positions are, metres.
    #[serde(default)]
    pub apart_m: Option<i64>,
    /// When the hub wondered, its own clock.
    pub raised_at_ms: i64,
    /// The courier's answer as the hub has it.
    #[serde(default)]
    pub answer: Option<String>,
    /// A code of [`DoubtVerdict`](crate::taxonomy::DoubtVerdict), once a person has judged.
    #[serde(default)]
    pub verdict: Option<String>,
    /// That person's reason.
    #[serde(default)]
    pub why: Option<String>,
}

macro_rules! kind {
    ($name:ident, $kind:literal) => {
        impl $name {
            /// Its `kind`.
            pub const KIND: &'static str = $kind;
        }
    };
}

kind!(ParcelEventItem, "parcel_event");
kind!(RegimeItem, "regime");
kind!(CourierItem, "courier");
kind!(OtherRoundItem, "other_round");
kind!(ReportAnswerItem, "report_answer");
kind!(DoubtItem, "doubt");
