//! Everything an app gives to complete an attempt.

use satchel_core::model::attempt::{self as core, SignatureInput};
use satchel_core::protocol::attempt::{self as protocol, IdentityCheck};
use satchel_core::rules::position::RawFix;
use satchel_core::rules::ruleset;

use crate::codes::{
    Action, Datum, HandoffKind, IdentityMethod, InspectionResult, Reason, Relation,
    RequirementItem, SkipReason,
};
use crate::convert::id;
use crate::error::SatchelError;
use crate::ink::Signature;

/// How the recipient was checked and what came of it (A028).
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct RecipientCheck {
    /// By what.
    pub method: IdentityMethod,
    /// Whether it matched.
    pub matched: bool,
}

/// Where the phone was, as its provider said; the distance to the door is computed inside.
#[derive(Debug, Clone, Copy, PartialEq, uniffi::Record)]
pub struct Position {
    /// Degrees north, in `datum`.
    pub lat: f64,
    /// Degrees east, in `datum`.
    pub lng: f64,
    /// Radius of 68 % confidence.
    pub accuracy_m: f32,
    /// Age of the fix at completion.
    pub age_ms: i64,
    /// The provider said that it was a mock location.
    pub mock: bool,
    /// What the numbers mean; `null`: WGS-84. GCJ-02 and BD-09 are converted and kept beside (C4).
    #[uniffi(default = None)]
    pub datum: Option<Datum>,
}

/// What came of one parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum ParcelOutcome {
    /// Handed over, by the completion's handoff.
    Delivered,
    /// Part of it was accepted, whatever happens to its neighbours at the door (C7).
    PartlyDelivered,
    /// Not handed over.
    Failed {
        /// Why.
        reason: Reason,
        /// What happens next; must be legal for the reason (A043).
        action: Action,
    },
}

/// One parcel of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ParcelResult {
    /// The parcel.
    pub parcel_id: String,
    /// What came of it.
    pub outcome: ParcelOutcome,
    /// What the scanner or keyboard gave for it (B4-7).
    #[uniffi(default = None)]
    pub scan: Option<String>,
    /// Items accepted out of items inside, for a partial delivery (C7).
    #[uniffi(default = [])]
    pub items: Vec<ItemCount>,
    /// It looked damaged before it was opened (Art 27).
    #[uniffi(default = false)]
    pub visibly_damaged: bool,
}

/// One line of a partial delivery.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ItemCount {
    /// What it is, as on the delivery note.
    pub label: String,
    /// How many were in the parcel.
    pub of: u32,
    /// How many the customer kept.
    pub accepted: u32,
}

/// Where a parcel waits for its recipient (C7).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LeftAt {
    /// Number or name of the locker or station.
    #[uniffi(default = None)]
    pub place: Option<String>,
    /// Code of the slot.
    #[uniffi(default = None)]
    pub slot: Option<String>,
    /// What the station gave as a receipt.
    #[uniffi(default = None)]
    pub receipt: Option<String>,
}

/// An item of the checklist that was left out; counts only where the rules let one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Skip {
    /// Which item.
    pub item: RequirementItem,
    /// Why.
    pub reason: SkipReason,
}

/// Everything the app gives to complete an attempt. Photos were given before, by `addPhoto`.
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct Completion {
    /// The handoff as it happened.
    pub handoff: HandoffKind,
    /// Outcome per parcel; 1 to 200.
    pub parcels: Vec<ParcelResult>,
    /// Who took it, as told at the door; at most 80 characters.
    #[uniffi(default = None)]
    pub signer_name: Option<String>,
    /// Who that is to the recipient.
    #[uniffi(default = None)]
    pub relation: Option<Relation>,
    /// Result of the recipient check.
    #[uniffi(default = None)]
    pub identity: Option<RecipientCheck>,
    /// Answer to the inspection prompt.
    #[uniffi(default = None)]
    pub inspection: Option<InspectionResult>,
    /// Result of an age check; the document is never handed in (A040).
    #[uniffi(default = None)]
    pub age_checked: Option<bool>,
    /// Locker or station, slot, and the station's receipt (C7).
    #[uniffi(default = None)]
    pub left_at: Option<LeftAt>,
    /// What was left out, and why.
    #[uniffi(default = [])]
    pub skips: Vec<Skip>,
    /// The drawn signature.
    #[uniffi(default = None)]
    pub signature: Option<Signature>,
    /// Where the phone was.
    #[uniffi(default = None)]
    pub position: Option<Position>,
    /// The courier's note; at most 2,000 characters.
    #[uniffi(default = None)]
    pub note: Option<String>,
}

impl TryFrom<ParcelResult> for core::ParcelResult {
    type Error = SatchelError;

    fn try_from(result: ParcelResult) -> Result<Self, SatchelError> {
        Ok(Self {
            parcel_id: id(&result.parcel_id, "parcel_id")?,
            outcome: match result.outcome {
                ParcelOutcome::Delivered => core::ParcelOutcome::Delivered,
                ParcelOutcome::PartlyDelivered => core::ParcelOutcome::PartlyDelivered,
                ParcelOutcome::Failed { reason, action } => {
                    core::ParcelOutcome::Failed { reason, action }
                }
            },
            scan: result.scan,
            items: result
                .items
                .into_iter()
                .map(|item| protocol::ItemCount {
                    label: item.label,
                    of: item.of,
                    accepted: item.accepted,
                })
                .collect(),
            visibly_damaged: result.visibly_damaged,
        })
    }
}

impl From<Position> for RawFix {
    fn from(p: Position) -> Self {
        Self {
            datum: p.datum.unwrap_or(Datum::Wgs84),
            ..Self::wgs84(p.lat, p.lng, p.accuracy_m, p.age_ms, p.mock)
        }
    }
}

impl TryFrom<Completion> for core::Completion {
    type Error = SatchelError;

    fn try_from(completion: Completion) -> Result<Self, SatchelError> {
        Ok(Self {
            handoff: completion.handoff,
            parcels: completion
                .parcels
                .into_iter()
                .map(TryInto::try_into)
                .collect::<Result<_, _>>()?,
            signer_name: completion.signer_name,
            relation: completion.relation,
            identity: completion.identity.map(|check| IdentityCheck {
                method: check.method,
                matched: check.matched,
            }),
            age_checked: completion.age_checked,
            inspection: completion.inspection,
            signature: completion.signature.map(SignatureInput::from),
            left_at: completion.left_at.map(|left| protocol::LeftAt {
                place: left.place,
                slot: left.slot,
                receipt: left.receipt,
            }),
            skips: completion
                .skips
                .into_iter()
                .map(|skip| ruleset::Skip {
                    item: skip.item,
                    reason: skip.reason,
                })
                .collect(),
            fix: completion.position.map(RawFix::from),
            note: completion.note,
        })
    }
}
