//! What happened to a parcel, and how the record of it is put right.

use satchel_protocol::attempt::ProofRef;
use satchel_protocol::ids::{AttemptId, Hash32, ParcelId};
use satchel_protocol::transitions::{Correction, Event, EventId, Verdict};

use super::attempt::RatingCode;

/// An earlier event was not as recorded (B4-4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectionInput {
    /// Whose event.
    pub parcel: ParcelId,
    /// Which event; none: the parcel's last step.
    pub of: Option<EventId>,
    /// What was wrong.
    pub correction: Correction,
    /// Why, in the courier's words; an undo needs none.
    pub words: Option<String>,
    /// The draft that holds proofs which came late, from [`crate::Courier::begin_correction`].
    pub draft: Option<AttemptId>,
}

/// A correction that is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrected {
    /// Its own event.
    pub event: EventId,
    /// Hash of its entry.
    pub entry_hash: Hash32,
    /// The event of the parcel that was meant, recorded beside it, for
    /// [`Correction::WrongParcel`].
    pub meant: Option<MeantParcel>,
}

/// What was recorded for the parcel that had been meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeantParcel {
    /// The parcel.
    pub parcel_id: ParcelId,
    /// Its event.
    pub event: EventId,
    /// The rating code, if it is delivered by it.
    pub rating: Option<RatingCode>,
}

/// One line of a parcel's history: nothing is left out, and what does not count says why.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryLine {
    /// What, who and when.
    pub event: Event,
    /// What it did; the folded state follows from these alone.
    pub verdict: Verdict,
    /// Recorded on this phone.
    pub here: bool,
    /// The courier's words, where the entry is on this phone.
    pub words: Option<String>,
    /// Its proofs, where the entry is on this phone.
    pub proofs: Vec<ProofRef>,
    /// The proofs came after the event they are for.
    pub late: bool,
}
