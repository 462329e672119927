//! What happened to a parcel, and putting the record right. A correction is a new entry; the earlier one
//! stays (B4-4).

use satchel_core::model::history as core;
use satchel_core::protocol::ids::{AttemptId, ParcelId};
use satchel_core::rules::transitions::{Correction, ParcelState, Verdict};
use satchel_core::rules::wording::Wording as _;

use super::{Word, word};
use crate::codes::{Action, Reason};
use crate::convert::id;
use crate::error::SatchelError;

/// A parcel's life so far.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ParcelHistory {
    /// Where it is now.
    pub state: Word,
    /// What a person should see: both sides of a contradiction are kept (B4-16).
    pub flags: Vec<Word>,
    /// Everything that is known, in the order in which it counts.
    pub lines: Vec<HistoryLine>,
}

/// One event of a parcel: nothing is left out, and what does not count says so.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HistoryLine {
    /// Names the event for a correction.
    pub event_id: String,
    /// When, the recorder's clock, Unix milliseconds.
    pub at_ms: i64,
    /// What happened.
    pub what: Word,
    /// It counts; otherwise it was taken back or never had an effect.
    pub counts: bool,
    /// It was taken back by a correction.
    pub taken_back: bool,
    /// Recorded on this phone.
    pub here: bool,
    /// The courier's words.
    pub words: Option<String>,
    /// SHA-256 of its photos and signature, hex.
    pub proofs: Vec<String>,
    /// The proofs came after the event they are for.
    pub late: bool,
}

/// What was wrong with an event.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum CorrectionKind {
    /// It did not happen: a slip of the finger, within five minutes.
    Undo,
    /// It happened, and the parcel is open again.
    Reopen,
    /// A proof that was taken or found later.
    LateProof,
    /// It happened to another parcel of the stop.
    WrongParcel {
        /// The parcel that was meant.
        meant_parcel_id: String,
    },
    /// It failed for another reason.
    WrongReason {
        /// The true reason.
        reason: Reason,
        /// What follows it.
        action: Action,
    },
}

/// A correction.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CorrectionRequest {
    /// Whose event.
    pub parcel_id: String,
    /// What was wrong.
    pub kind: CorrectionKind,
    /// Why, in the courier's words; only an undo needs none.
    #[uniffi(default = None)]
    pub words: Option<String>,
    /// Which event; `null`: the parcel's last step.
    #[uniffi(default = None)]
    pub event_id: Option<String>,
    /// What `beginCorrection` gave, if photos were taken for it.
    #[uniffi(default = None)]
    pub draft_id: Option<String>,
}

impl TryFrom<CorrectionRequest> for core::CorrectionInput {
    type Error = SatchelError;

    fn try_from(request: CorrectionRequest) -> Result<Self, SatchelError> {
        Ok(Self {
            parcel: id::<ParcelId>(&request.parcel_id, "parcel_id")?,
            of: request
                .event_id
                .map(|event| id(&event, "event_id"))
                .transpose()?,
            correction: match request.kind {
                CorrectionKind::Undo => Correction::Undo,
                CorrectionKind::Reopen => Correction::Reopen,
                CorrectionKind::LateProof => Correction::LateProof,
                CorrectionKind::WrongParcel { meant_parcel_id } => Correction::WrongParcel {
                    meant: id(&meant_parcel_id, "meant_parcel_id")?,
                },
                CorrectionKind::WrongReason { reason, action } => {
                    Correction::WrongReason { reason, action }
                }
            },
            words: request.words,
            draft: request
                .draft_id
                .map(|draft| id::<AttemptId>(&draft, "draft_id"))
                .transpose()?,
        })
    }
}

impl From<core::HistoryLine> for HistoryLine {
    fn from(line: core::HistoryLine) -> Self {
        let text = line.event.kind.text();
        Self {
            event_id: line.event.id.to_string(),
            at_ms: line.event.at_ms,
            what: Word::listed(line.event.kind.code(), &text.zh, &text.en),
            counts: matches!(line.verdict, Verdict::Moved { .. } | Verdict::Holds),
            taken_back: matches!(line.verdict, Verdict::TakenBack { .. }),
            here: line.here,
            words: line.words,
            proofs: line.proofs.iter().map(|p| p.hash.to_string()).collect(),
            late: line.late,
        }
    }
}

/// The words for a parcel's state.
pub(crate) fn state_word(state: ParcelState) -> Word {
    word!(state)
}
