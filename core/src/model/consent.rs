//! Consents: what is handed in at the door, and what is known.

use satchel_protocol::ids::{ParcelId, StopId};
use satchel_protocol::taxonomy::{ConsentChannel, ConsentOrigin, Giver, HandoffKind};

use super::attempt::SignatureInput;
use crate::rules::consent::Standing;

/// A consent that is given on the spot (A033).
#[derive(Debug, Clone, PartialEq)]
pub struct ConsentInput {
    /// Where.
    pub stop: StopId,
    /// For which parcels; empty: every parcel of the stop that is still under way.
    pub parcels: Vec<ParcelId>,
    /// To what, each handoff named (Art 35).
    pub scope: Vec<HandoffKind>,
    /// Who agreed.
    pub giver: Giver,
    /// The person named, for a named proxy (Art 28(1)).
    pub named_person: Option<String>,
    /// The place agreed on.
    pub place: Option<String>,
    /// What shows it.
    pub evidence: EvidenceInput,
    /// Until when, exclusive; none: for the parcels' whole way.
    pub expires_at_ms: Option<i64>,
}

/// What shows a consent that is given on the spot.
#[derive(Clone, PartialEq)]
pub enum EvidenceInput {
    /// A call of this phone's log, by the position of its entry. It must have been answered.
    Call {
        /// Position in the log.
        seq: i64,
    },
    /// A text message of the recipient. Its words are hashed and not kept.
    Message {
        /// The words.
        text: String,
        /// From which number; masked before it is stored.
        number: String,
    },
    /// A signature drawn by the giver; stored as a proof.
    Signature(SignatureInput),
    /// The recipient's code, verified on this phone before for each of the parcels.
    Code,
}

/// Neither words nor ink may reach a log line.
impl core::fmt::Debug for EvidenceInput {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Call { .. } => "Call",
            Self::Message { .. } => "Message",
            Self::Signature(_) => "Signature",
            Self::Code => "Code",
        })
    }
}

/// A consent as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentView {
    /// Names it.
    pub consent_id: String,
    /// Who agreed.
    pub giver: Giver,
    /// Where the record was made.
    pub origin: ConsentOrigin,
    /// How it came.
    pub channel: ConsentChannel,
    /// To what.
    pub scope: Vec<HandoffKind>,
    /// Which parcels of the stop it is for.
    pub parcels: Vec<ParcelId>,
    /// The person named.
    pub named_person: Option<String>,
    /// The place agreed on.
    pub place: Option<String>,
    /// When.
    pub given_at_ms: i64,
    /// Until when, exclusive.
    pub expires_at_ms: Option<i64>,
    /// When it was withdrawn.
    pub withdrawn_at_ms: Option<i64>,
    /// Whether it carries now.
    pub standing: Standing,
}
