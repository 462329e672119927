//! What can happen to a parcel and to an attempt, as two tables a person can read.
//!
//! The log holds everything that was ever recorded; what an app shows is the fold of it. The tables say
//! which step may follow which state, corrections are steps of their own, and [`fold`] turns any pile of
//! events, in whatever order they arrived, into the same one state. An event that the tables do not
//! allow (a hub's cancellation of a parcel that was delivered offline, a second delivery by another
//! phone) is kept, has no effect and is flagged: nothing is lost and nobody has to guess (B4-4, B4-16).

mod check;
mod diagram;
mod fold;
mod table;

pub use check::{check_correction, check_step};
pub use diagram::{attempt_diagram, parcel_diagram};
pub use fold::{Effect, Flag, Folded, UndoWindow, Verdict, WhyNot, fold};
pub use table::{
    ATTEMPT_TABLE, AttemptState, AttemptStep, PARCEL_TABLE, ParcelState, Step, attempt_next,
    parcel_next, step_after_failure,
};

use core::fmt;
use core::str::FromStr;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::ids::{DeviceId, ParcelId};
use crate::taxonomy::{Action, HandoffKind, Reason};

/// Who recorded an event.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The hub, through the feed.
    #[n(0)]
    Hub,
    /// A phone's log.
    #[n(1)]
    Phone(#[n(0)] DeviceId),
}

/// Names an event for good: its recorder and its place in that recorder's log or feed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[cbor(array)]
pub struct EventId {
    /// Who recorded it.
    #[n(0)]
    pub origin: Origin,
    /// Position in that recorder's sequence.
    #[n(1)]
    pub seq: i64,
}

/// A text that names no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not the name of an event")]
pub struct NotAnEventId;

/// As a host hands it back: `hub:7`, or the phone's id and its place there.
impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin {
            Origin::Hub => write!(f, "hub:{}", self.seq),
            Origin::Phone(device) => write!(f, "{device}:{}", self.seq),
        }
    }
}

impl FromStr for EventId {
    type Err = NotAnEventId;

    fn from_str(text: &str) -> Result<Self, NotAnEventId> {
        let (origin, seq) = text.rsplit_once(':').ok_or(NotAnEventId)?;
        Ok(Self {
            origin: if origin == "hub" {
                Origin::Hub
            } else {
                Origin::Phone(origin.parse().map_err(|_| NotAnEventId)?)
            },
            seq: seq.parse().map_err(|_| NotAnEventId)?,
        })
    }
}

/// One thing that happened to one parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(array)]
pub struct Event {
    /// Its name.
    #[n(0)]
    pub id: EventId,
    /// When it happened, the recorder's clock, Unix milliseconds.
    #[n(1)]
    pub at_ms: i64,
    /// What happened.
    #[n(2)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Collected from the sender (collect-before-deliver, A210).
    #[n(0)]
    Collected,
    /// Scanned onto the vehicle (A204).
    #[n(1)]
    Loaded,
    /// Handed over whole.
    #[n(2)]
    Delivered {
        /// Into whose hands or which place.
        #[n(0)]
        handoff: HandoffKind,
    },
    /// Part of the contents accepted.
    #[n(3)]
    PartlyDelivered,
    /// Not handed over.
    #[n(4)]
    Failed {
        /// Why.
        #[n(0)]
        reason: Reason,
        /// What follows; must be legal for the reason (A043).
        #[n(1)]
        action: Action,
    },
    /// A new time was agreed without a visit; the next attempt of the same parcel (B4-5).
    #[n(5)]
    Rescheduled,
    /// Cancelled while on the road.
    #[n(6)]
    Cancelled,
    /// Given back at the depot.
    #[n(7)]
    HandedBack,
    /// Given back to the sender.
    #[n(8)]
    ReturnedToSender,
    /// Taken out of the locker or station by the recipient.
    #[n(9)]
    CollectedByRecipient,
    /// The recipient wants it at the door after all (Zhejiang Art 31).
    #[n(10)]
    RedeliveryDemanded,
    /// An earlier event was not as recorded.
    #[n(11)]
    Corrected {
        /// Which event.
        #[n(0)]
        of: EventId,
        /// What was wrong.
        #[n(1)]
        correction: Correction,
    },
}

/// A correction is an event of its own (EPCIS errorDeclaration); the corrected one stays in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum Correction {
    /// It did not happen: a slip of the finger, within the undo window.
    #[n(0)]
    Undo,
    /// It happened, but the parcel is open again: handed back over the counter, wrong door.
    #[n(1)]
    Reopen,
    /// A proof that was taken or found later; marked as late.
    #[n(2)]
    LateProof,
    /// It happened to another parcel, whose own event is recorded beside this.
    #[n(3)]
    WrongParcel {
        /// The parcel that was meant.
        #[n(0)]
        meant: ParcelId,
    },
    /// It failed for another reason.
    #[n(4)]
    WrongReason {
        /// The true reason.
        #[n(0)]
        reason: Reason,
        /// The step that follows it.
        #[n(1)]
        action: Action,
    },
}

impl Correction {
    /// Whether the courier must say why in words. An undo explains itself; everything later does not.
    #[must_use]
    pub const fn requires_words(self) -> bool {
        !matches!(self, Self::Undo)
    }
}

impl EventKind {
    /// A stable code for lists: a failure's reason, a correction's kind, else the step.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Failed { reason, .. } => reason.code(),
            Self::Corrected { correction, .. } => match correction {
                Correction::Undo => "UNDO",
                Correction::Reopen => "REOPEN",
                Correction::LateProof => "LATE_PROOF",
                Correction::WrongParcel { .. } => "WRONG_PARCEL",
                Correction::WrongReason { .. } => "WRONG_REASON",
            },
            other => other.step().map_or("", Step::code),
        }
    }

    /// The step of the table this is, if it is not a correction of another event.
    #[must_use]
    pub fn step(self) -> Option<Step> {
        Some(match self {
            Self::Collected => Step::Collected,
            Self::Loaded => Step::Loaded,
            Self::Delivered { handoff } => match handoff {
                HandoffKind::Locker | HandoffKind::Station => Step::LeftAtPoint,
                HandoffKind::Partial => Step::PartlyDelivered,
                HandoffKind::ReturnToSender => Step::ReturnedToSender,
                _ => Step::Delivered,
            },
            Self::PartlyDelivered => Step::PartlyDelivered,
            Self::Failed { reason, action } => step_after_failure(reason, action),
            Self::Rescheduled => Step::Rescheduled,
            Self::Cancelled => Step::Cancelled,
            Self::HandedBack => Step::HandedBack,
            Self::ReturnedToSender => Step::ReturnedToSender,
            Self::CollectedByRecipient => Step::CollectedByRecipient,
            Self::RedeliveryDemanded => Step::RedeliveryDemanded,
            Self::Corrected {
                correction: Correction::Reopen,
                ..
            } => Step::Reopened,
            Self::Corrected { .. } => return None,
        })
    }
}

#[cfg(test)]
mod tests;
