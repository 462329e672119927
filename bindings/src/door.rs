//! What the app hands in at the door, and what it gets back.

use satchel_core::model::attempt as core;
use satchel_core::rules::ruleset;

use crate::codes::{
    ConsentChannel, HandoffKind, PhotoOrigin, PhotoWarning, RequirementItem, RequirementLevel,
};
use crate::doorstep::Word;
use crate::error::RefusalRule;
use crate::rating::RatingCode;
use crate::text;

/// A handoff that was opened at the door.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AttemptDraft {
    /// Names the visit in every later call.
    pub attempt_id: String,
    /// What this handoff needs before it can be completed, in the order of work.
    pub requirements: Vec<Requirement>,
    /// What to think about before knocking, such as the hour; never blocks (C3).
    pub warnings: Vec<Word>,
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
    /// Ways in which a consent to it could be had now, the easiest at the door first; empty when none
    /// is needed or none would help.
    pub channels: Vec<ConsentChannel>,
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
    /// What was passed over and is recorded with it.
    pub warnings: Vec<Word>,
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
            warnings: draft.warnings.into_iter().map(warning).collect(),
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
            channels: option.channels.to_vec(),
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
                    warnings: parcel.warnings.into_iter().map(warning).collect(),
                })
                .collect(),
        }
    }
}

fn warning(warning: core::VisitWarning) -> Word {
    let text = warning.text();
    Word::listed(warning.code(), &text.zh, &text.en)
}
