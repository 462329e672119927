//! What a row becomes: a delivery with its position, promise and consents.

use std::fmt;

use satchel_protocol::feed::{LatLng, TemperatureLimits};
use satchel_protocol::taxonomy::{HandlingTag, HandoffKind, PromiseClass};
use serde::{Deserialize, Serialize};

/// A field of a delivery that a mapping can fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The number on the parcel; also how a second import knows the parcel again.
    #[serde(alias = "external_id")]
    Waybill,
    /// Latitude of the door.
    Lat,
    /// Longitude of the door.
    Lng,
    /// The address as the courier reads it.
    Address,
    /// Who receives.
    RecipientName,
    /// How to reach them.
    RecipientPhone,
    /// When the parcel was accepted: the promise counts from here (A001, A002).
    AcceptedAt,
    /// Not before.
    WindowStart,
    /// Not after.
    WindowEnd,
    /// Which published standard holds (A001–A010).
    PromiseClass,
    /// Handling tags (A041).
    Tags,
    /// The customer insists on the door.
    DoorRequired,
    /// Handoffs the customer has already agreed to (Art 28(3)).
    Consents,
    /// Latitude of the depot that accepted the parcel.
    DepotLat,
    /// Longitude of that depot.
    DepotLng,
    /// When it was really delivered, in a record of a past day.
    DrivenAt,
    /// The round or courier the file itself assigns.
    Round,
    /// The customer's service tier, as the rule set names it.
    Tier,
    /// Only for people of this age (A040).
    MinAge,
    /// Coldest it may get, degrees Celsius (A039).
    TempMinC,
    /// Warmest it may get, degrees Celsius (A039).
    TempMaxC,
    /// The recipient's code: 4 to 8 digits for the hub to judge, or 16 characters for the phone.
    Code,
    /// It is to be collected from a sender here, by this time (A164, A198).
    PickupUntil,
    /// What is in the parcel, as the waybill names it (Art 25).
    Goods,
    /// How many pieces (Art 25).
    Pieces,
    /// Weight, kilograms (Art 25).
    WeightKg,
    /// What carrying it costs, yuan (Art 25).
    FeeCny,
}

impl Field {
    /// All of them.
    pub(super) const ALL: [Self; 27] = [
        Self::Waybill,
        Self::Lat,
        Self::Lng,
        Self::Address,
        Self::RecipientName,
        Self::RecipientPhone,
        Self::AcceptedAt,
        Self::WindowStart,
        Self::WindowEnd,
        Self::PromiseClass,
        Self::Tags,
        Self::DoorRequired,
        Self::Consents,
        Self::DepotLat,
        Self::DepotLng,
        Self::DrivenAt,
        Self::Round,
        Self::Tier,
        Self::MinAge,
        Self::TempMinC,
        Self::TempMaxC,
        Self::Code,
        Self::PickupUntil,
        Self::Goods,
        Self::Pieces,
        Self::WeightKg,
        Self::FeeCny,
    ];

    /// The name a mapping uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.words().0
    }

    /// The name a Chinese-speaking dispatcher reads.
    #[must_use]
    pub fn zh(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Waybill => ("waybill", "运单号"),
            Self::Lat => ("lat", "纬度"),
            Self::Lng => ("lng", "经度"),
            Self::Address => ("address", "地址"),
            Self::RecipientName => ("recipient_name", "收件人"),
            Self::RecipientPhone => ("recipient_phone", "收件电话"),
            Self::AcceptedAt => ("accepted_at", "收件时间"),
            Self::WindowStart => ("window_start", "时段开始"),
            Self::WindowEnd => ("window_end", "时段结束"),
            Self::PromiseClass => ("promise_class", "时效产品"),
            Self::Tags => ("tags", "标签"),
            Self::DoorRequired => ("door_required", "必须上门"),
            Self::Consents => ("consents", "已同意的交付方式"),
            Self::DepotLat => ("depot_lat", "网点纬度"),
            Self::DepotLng => ("depot_lng", "网点经度"),
            Self::DrivenAt => ("driven_at", "实际派送时间"),
            Self::Round => ("round", "班次"),
            Self::Tier => ("tier", "服务等级"),
            Self::MinAge => ("min_age", "最低年龄"),
            Self::TempMinC => ("temp_min_c", "最低温度"),
            Self::TempMaxC => ("temp_max_c", "最高温度"),
            Self::Code => ("code", "取件码"),
            Self::PickupUntil => ("pickup_until", "揽收截止"),
            Self::Goods => ("goods", "内件品名"),
            Self::Pieces => ("pieces", "内件数量"),
            Self::WeightKg => ("weight_kg", "重量(千克)"),
            Self::FeeCny => ("fee_cny", "资费(元)"),
        }
    }

    /// Whether a delivery is nothing without it.
    pub(super) fn is_required(self) -> bool {
        matches!(
            self,
            Self::Waybill
                | Self::Lat
                | Self::Lng
                | Self::Address
                | Self::AcceptedAt
                | Self::PromiseClass
        )
    }
}

/// One parcel to bring to one door.
#[derive(Clone, PartialEq)]
pub struct Delivery {
    /// The row of the file it came from, as [`super::RowError::row`] counts.
    pub row: u64,
    /// The number on the parcel, unique in the file.
    pub waybill: String,
    /// Where the door is; WGS 84 and nothing else (C4).
    pub position: LatLng,
    /// The address as the courier reads it.
    pub address: String,
    /// Who receives.
    pub recipient_name: Option<String>,
    /// How to reach them; may be masked.
    pub recipient_phone: Option<String>,
    /// When the promise began to count.
    pub accepted_at_ms: i64,
    /// The local time zone of the file, which decides the service date.
    pub utc_offset_min: i32,
    /// Not before.
    pub window_start_ms: Option<i64>,
    /// Not after.
    pub window_end_ms: Option<i64>,
    /// Which published standard holds.
    pub promise_class: PromiseClass,
    /// What it needs on its way (A041), sorted.
    pub tags: Vec<HandlingTag>,
    /// The customer insists on the door.
    pub door_required: bool,
    /// Handoffs the customer agreed to beforehand, sorted.
    pub consents: Vec<HandoffKind>,
    /// The depot that accepted it.
    pub depot: Option<LatLng>,
    /// When it was really delivered, in a record of a past day.
    pub driven_at_ms: Option<i64>,
    /// The round or courier the file itself assigns.
    pub round: Option<String>,
    /// The customer's service tier.
    pub tier: Option<String>,
    /// Only for people of this age.
    pub min_age_years: Option<u8>,
    /// Limits of its temperature.
    pub temperature: Option<TemperatureLimits>,
    /// The recipient's code.
    pub code: Option<RecipientCode>,
    /// It is to be collected here, by this time.
    pub pickup_until_ms: Option<i64>,
    /// What its recipient may look up about it.
    pub contents: Contents,
}

/// What a parcel holds, weighs and costs, as far as the file says (Art 25). For the recipient's eyes: no courier's
/// phone is told.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// What is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goods: Option<String>,
    /// How many pieces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pieces: Option<u32>,
    /// Weight, grams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_g: Option<u32>,
    /// Fee, hundredths of a yuan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_fen: Option<u32>,
}

/// The recipient's code as the file gives it. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub enum RecipientCode {
    /// Digits, for the hub to judge: so few that a phone's digest would give them away.
    Short(String),
    /// 80 bits, for the phone to judge without a network.
    Long([u8; 10]),
}

/// What somebody was sent stays out of logs.
impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contents").finish_non_exhaustive()
    }
}

/// Name, phone, address and door stay out of logs.
impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("row", &self.row)
            .field("accepted_at_ms", &self.accepted_at_ms)
            .field("promise_class", &self.promise_class)
            .finish_non_exhaustive()
    }
}
