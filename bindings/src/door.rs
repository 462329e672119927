//! What the app hands in at the door, and what it gets back.

use satchel_core::model::attempt::{self as core, SignatureInput};
use satchel_core::protocol::attempt::IdentityCheck;
use satchel_core::rules::position::RawFix;
use satchel_core::rules::ruleset;

use crate::codes::{
    Action, HandoffKind, IdentityMethod, InspectionResult, PhotoOrigin, PhotoWarning, Reason,
    Relation, RequirementItem, RequirementLevel,
};
use crate::convert::id;
use crate::error::{RefusalRule, SatchelError};
use crate::ink::Signature;
use crate::rating::RatingCode;
use crate::text;

/// A handoff that was opened at the door.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AttemptDraft {
    /// Names the visit in every later call.
    pub attempt_id: String,
    /// What this handoff needs before it can be completed, in the order of work.
    pub requirements: Vec<Requirement>,
    /// Photos it already has, taken before the app was killed or the courier went back.
    pub photos: Vec<StagedPhoto>,
}

/// A photo that is stored and waits for its attempt.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct StagedPhoto {
    /// SHA-256 of the stored picture, hex; `photo_jpeg` gives the picture.
    pub hash: String,
    /// Size as stored.
    pub size_bytes: u64,
    /// Where it came from.
    pub origin: Option<PhotoOrigin>,
    /// When it was taken, the phone's clock, Unix milliseconds.
    pub captured_at_ms: i64,
}

/// One line of the checklist, ready to show.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Requirement {
    /// What.
    pub item: RequirementItem,
    /// How strongly.
    pub level: RequirementLevel,
    /// How many; above 1 only for photos.
    pub count: u32,
    /// What the courier reads, in Chinese.
    pub text_zh: String,
    /// What the courier reads, in English.
    pub text_en: String,
    /// The rule it comes from.
    pub source: String,
}

/// One kind of handoff at a stop: what it needs, or why it is locked.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HandoffOption {
    /// The handoff.
    pub handoff: HandoffKind,
    /// Why it cannot be started here now; `null`: it can.
    pub locked: Option<HandoffLock>,
    /// What it needs, in the order of work.
    pub requirements: Vec<Requirement>,
}

/// Why something cannot be started, ready to show.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HandoffLock {
    /// Which rule.
    pub rule: RefusalRule,
    /// What to show, in Chinese.
    pub text_zh: String,
    /// What to show, in English.
    pub text_en: String,
}

/// A photo that is safely stored and waits for its attempt.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Photo {
    /// SHA-256 of the stored picture, hex.
    pub hash: String,
    /// Width as stored, upright.
    pub width_px: u32,
    /// Height as stored, upright.
    pub height_px: u32,
    /// Size as stored.
    pub size_bytes: u64,
    /// What the courier may want to look at; never blocks (B4-18).
    pub warnings: Vec<PhotoWarning>,
    /// Where it came from (B4-20).
    pub origin: PhotoOrigin,
}

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
    /// Degrees north, WGS-84.
    pub lat: f64,
    /// Degrees east, WGS-84.
    pub lng: f64,
    /// Radius of 68 % confidence.
    pub accuracy_m: f32,
    /// Age of the fix at completion.
    pub age_ms: i64,
    /// The provider said that it was a mock location.
    pub mock: bool,
}

/// What came of one parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum ParcelOutcome {
    /// Handed over.
    Delivered,
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

/// One parcel of a completed attempt.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RecordedParcel {
    /// The parcel.
    pub parcel_id: String,
    /// Position of its entry in this phone's log.
    pub seq: i64,
    /// The entry's hash, hex, which the hub's receipt will name.
    pub entry_hash: String,
    /// The rating code, for a delivered parcel.
    pub rating: Option<RatingCode>,
}

/// A completed attempt: on disk, flushed, before this value exists.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Recorded {
    /// The attempt.
    pub attempt_id: String,
    /// Its parcels.
    pub parcels: Vec<RecordedParcel>,
}

impl From<core::Draft> for AttemptDraft {
    fn from(draft: core::Draft) -> Self {
        Self {
            attempt_id: draft.attempt_id.to_string(),
            requirements: draft
                .requirements
                .into_iter()
                .map(Requirement::from)
                .collect(),
            photos: draft
                .photos
                .into_iter()
                .map(|photo| StagedPhoto {
                    hash: photo.hash.to_string(),
                    size_bytes: photo.size_bytes,
                    origin: photo.origin,
                    captured_at_ms: photo.captured_at_ms,
                })
                .collect(),
        }
    }
}

impl From<core::HandoffOption> for HandoffOption {
    fn from(option: core::HandoffOption) -> Self {
        Self {
            handoff: option.handoff,
            locked: option.locked.map(|refusal| {
                let (text_zh, text_en) = text::refusal(&refusal);
                HandoffLock {
                    rule: RefusalRule::of(&refusal),
                    text_zh,
                    text_en,
                }
            }),
            requirements: option
                .requirements
                .into_iter()
                .map(Requirement::from)
                .collect(),
        }
    }
}

impl From<ruleset::Line> for Requirement {
    fn from(line: ruleset::Line) -> Self {
        Self {
            item: line.item,
            level: line.level,
            count: line.count,
            source: line.source.to_string(),
            text_zh: line.text.zh,
            text_en: line.text.en,
        }
    }
}

impl From<core::PhotoView> for Photo {
    fn from(photo: core::PhotoView) -> Self {
        Self {
            hash: photo.hash.to_string(),
            width_px: photo.width_px,
            height_px: photo.height_px,
            size_bytes: photo.size_bytes,
            warnings: photo.warnings,
            origin: photo.origin,
        }
    }
}

impl From<core::Recorded> for Recorded {
    fn from(recorded: core::Recorded) -> Self {
        Self {
            attempt_id: recorded.attempt_id.to_string(),
            parcels: recorded
                .parcels
                .into_iter()
                .map(|parcel| RecordedParcel {
                    parcel_id: parcel.parcel_id.to_string(),
                    seq: parcel.seq,
                    entry_hash: parcel.entry_hash.to_string(),
                    rating: parcel.rating.map(RatingCode::from),
                })
                .collect(),
        }
    }
}

impl TryFrom<ParcelResult> for core::ParcelResult {
    type Error = SatchelError;

    fn try_from(result: ParcelResult) -> Result<Self, SatchelError> {
        let outcome = match result.outcome {
            ParcelOutcome::Delivered => core::ParcelOutcome::Delivered,
            ParcelOutcome::Failed { reason, action } => {
                core::ParcelOutcome::Failed { reason, action }
            }
        };
        Ok(Self {
            scan: result.scan,
            ..Self::new(id(&result.parcel_id, "parcel_id")?, outcome)
        })
    }
}

impl TryFrom<Completion> for core::Completion {
    type Error = SatchelError;

    fn try_from(completion: Completion) -> Result<Self, SatchelError> {
        let parcels = completion
            .parcels
            .into_iter()
            .map(TryInto::try_into)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            signer_name: completion.signer_name,
            relation: completion.relation,
            identity: completion.identity.map(|check| IdentityCheck {
                method: check.method,
                matched: check.matched,
            }),
            inspection: completion.inspection,
            signature: completion.signature.map(SignatureInput::from),
            fix: completion
                .position
                .map(|p| RawFix::wgs84(p.lat, p.lng, p.accuracy_m, p.age_ms, p.mock)),
            note: completion.note,
            ..Self::new(completion.handoff, parcels)
        })
    }
}
