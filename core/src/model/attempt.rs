//! What the host hands in at the door, and what it gets back.

use satchel_protocol::attempt::{Disclaimer, IdentityCheck, ItemCount, LeftAt, ProofRef};
use satchel_protocol::ids::{AttemptId, Hash32, ParcelId};
use satchel_protocol::taxonomy::{
    Action, ConsentChannel, HandoffKind, InspectionResult, PhotoOrigin, Reason, Relation,
};

use crate::error::Refusal;
use crate::proof::ink::{InkDoubt, InkPoint, KeepDynamics};
use crate::proof::photo::PhotoWarning;
use crate::rules::coded::Text;
use crate::rules::contact::DoorWarning;
use crate::rules::position::{PositionWarning, RawFix};
use crate::rules::ruleset::{Line, Skip};

/// A handoff that was opened at the door.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Names the visit in every later call.
    pub attempt_id: AttemptId,
    /// What this handoff needs before it can be completed, for all parcels that may be handed over
    /// this way.
    pub requirements: Vec<Line>,
    /// Version of the rules it was asked of.
    pub rules_version: u32,
    /// What to think about before knocking; never blocks (C3).
    pub warnings: Vec<VisitWarning>,
    /// Photos it already has, taken before the app was killed or the courier went back.
    pub photos: Vec<ProofRef>,
}

/// One kind of handoff at a stop: what it needs, or why it is locked.
#[derive(Debug, Clone, PartialEq)]
pub struct HandoffOption {
    /// The handoff.
    pub handoff: HandoffKind,
    /// Why it cannot be started here now.
    pub locked: Option<Refusal>,
    /// Ways in which a consent to it could be had now, the easiest at the door first; empty when it
    /// needs none, or none would open it.
    pub channels: &'static [ConsentChannel],
    /// What it needs.
    pub requirements: Vec<Line>,
}

/// A photo that is safely stored and waits for its attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotoView {
    /// SHA-256 of the stored picture.
    pub hash: Hash32,
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

/// The drawn signature as the host's pad gives it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SignatureInput {
    /// Strokes of points in canvas units.
    pub strokes: Vec<Vec<InkPoint>>,
    /// Width of the canvas.
    pub canvas_width: f32,
    /// Height of the canvas.
    pub canvas_height: f32,
    /// The text above the pad as the signer saw it.
    pub disclaimer: Option<Disclaimer>,
    /// The host showed what [`crate::Courier::check_signature`] doubted, and the signer signed like this
    /// again. Recorded with the doubts.
    pub asked_again: bool,
    /// Whether speed and pressure are kept; by default they are not (PIPL 28).
    pub keep_dynamics: KeepDynamics,
}

/// What a signature will look like and what to ask about before it is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureCheck {
    /// What looks unlike a signature. Never a reason to refuse: ask once more, then take it.
    pub doubts: Vec<InkDoubt>,
    /// Exactly what the hub will show.
    pub svg: String,
}

/// What came of one parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParcelResult {
    /// The parcel.
    pub parcel_id: ParcelId,
    /// What came of it.
    pub outcome: ParcelOutcome,
    /// What the scanner or keyboard gave for it (B4-7).
    pub scan: Option<String>,
    /// Items accepted out of items inside, for a partial delivery (C7).
    pub items: Vec<ItemCount>,
    /// It looked damaged before it was opened (Art 27).
    pub visibly_damaged: bool,
}

impl ParcelResult {
    /// A result without anything special.
    #[must_use]
    pub const fn new(parcel_id: ParcelId, outcome: ParcelOutcome) -> Self {
        Self {
            parcel_id,
            outcome,
            scan: None,
            items: Vec::new(),
            visibly_damaged: false,
        }
    }
}

/// Everything the host gives to complete an attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The handoff as it happened.
    pub handoff: HandoffKind,
    /// Outcome per parcel; at least one.
    pub parcels: Vec<ParcelResult>,
    /// Who took it, as told at the door.
    pub signer_name: Option<String>,
    /// Who that is to the recipient.
    pub relation: Option<Relation>,
    /// Result of the recipient check.
    pub identity: Option<IdentityCheck>,
    /// Result of an age check; the document is never handed in (A040).
    pub age_checked: Option<bool>,
    /// Answer to the inspection prompt.
    pub inspection: Option<InspectionResult>,
    /// The drawn signature.
    pub signature: Option<SignatureInput>,
    /// Locker or station, slot, and the station's receipt (C7).
    pub left_at: Option<LeftAt>,
    /// What was skipped, and why; counts only where the rules let one skip.
    pub skips: Vec<Skip>,
    /// Where the phone was, with the datum its provider speaks.
    pub fix: Option<RawFix>,
    /// The courier's note.
    pub note: Option<String>,
}

impl Completion {
    /// The barest completion; give the rest with struct update syntax.
    #[must_use]
    pub const fn new(handoff: HandoffKind, parcels: Vec<ParcelResult>) -> Self {
        Self {
            handoff,
            parcels,
            signer_name: None,
            relation: None,
            identity: None,
            age_checked: None,
            inspection: None,
            signature: None,
            left_at: None,
            skips: Vec::new(),
            fix: None,
            note: None,
        }
    }
}

/// Something to think about; recorded with the attempt when it was passed over, never blocking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum VisitWarning {
    /// About the hour, the time since the last visit, or giving up early (C3).
    Door(DoorWarning),
    /// About where the phone was (B4-22).
    Position(PositionWarning),
}

impl VisitWarning {
    /// Stable code, kept in the entry.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Door(DoorWarning::QuietHours { .. }) => "QUIET_HOURS",
            Self::Door(DoorWarning::TooSoon { .. }) => "TOO_SOON",
            Self::Door(DoorWarning::GivenUpEarly { .. }) => "GIVEN_UP_EARLY",
            Self::Position(PositionWarning::NoFix) => "NO_FIX",
            Self::Position(PositionWarning::Mock) => "MOCK_POSITION",
            Self::Position(PositionWarning::Stale { .. }) => "STALE_POSITION",
            Self::Position(PositionWarning::Inaccurate { .. }) => "INACCURATE_POSITION",
            Self::Position(PositionWarning::NotAtTheDoor { .. }) => "NOT_AT_THE_DOOR",
        }
    }

    /// What the courier reads.
    #[must_use]
    pub fn text(self) -> Text {
        match self {
            Self::Door(warning) => warning.text(),
            Self::Position(warning) => warning.text(),
        }
    }
}

/// The rating code of a delivered parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RatingCode {
    /// The parcel.
    pub parcel_id: ParcelId,
    /// What the QR holds: the hub's rating page with the token, upper case.
    pub url: String,
}

/// One parcel of a completed attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedParcel {
    /// The parcel.
    pub parcel_id: ParcelId,
    /// Position of its entry in this phone's log.
    pub seq: i64,
    /// The entry's hash, which the hub's receipt will name.
    pub entry_hash: Hash32,
    /// The rating code, for a delivered parcel.
    pub rating: Option<RatingCode>,
    /// What was passed over and is recorded with it.
    pub warnings: Vec<VisitWarning>,
}

/// A completed attempt: on disk, flushed, before this value exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The attempt.
    pub attempt_id: AttemptId,
    /// Its parcels.
    pub parcels: Vec<RecordedParcel>,
}
