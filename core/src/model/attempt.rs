//! What the host hands in at the door, and what it gets back.

use satchel_protocol::attempt::{Disclaimer, Fix, IdentityCheck, ProofRef};
use satchel_protocol::ids::{AttemptId, Hash32, ParcelId};
use satchel_protocol::taxonomy::{
    Action, HandoffKind, InspectionResult, PhotoOrigin, Reason, Relation,
};

use crate::error::Refusal;
use crate::proof::ink::{InkDoubt, InkPoint, KeepDynamics};
use crate::proof::photo::PhotoWarning;
use crate::rules::requirements::Requirement;

/// A handoff that was opened at the door.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Names the visit in every later call.
    pub attempt_id: AttemptId,
    /// What this handoff needs before it can be completed.
    pub requirements: Vec<Requirement>,
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
    /// What it needs.
    pub requirements: Vec<Requirement>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParcelResult {
    /// The parcel.
    pub parcel_id: ParcelId,
    /// What came of it.
    pub outcome: ParcelOutcome,
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
    /// Answer to the inspection prompt.
    pub inspection: Option<InspectionResult>,
    /// The drawn signature.
    pub signature: Option<SignatureInput>,
    /// Where the phone was; `distance_m` is computed by the core.
    pub fix: Option<Fix>,
    /// The courier's note.
    pub note: Option<String>,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedParcel {
    /// The parcel.
    pub parcel_id: ParcelId,
    /// Position of its entry in this phone's log.
    pub seq: i64,
    /// The entry's hash, which the hub's receipt will name.
    pub entry_hash: Hash32,
    /// The rating code, for a delivered parcel.
    pub rating: Option<RatingCode>,
}

/// A completed attempt: on disk, flushed, before this value exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The attempt.
    pub attempt_id: AttemptId,
    /// Its parcels.
    pub parcels: Vec<RecordedParcel>,
}
