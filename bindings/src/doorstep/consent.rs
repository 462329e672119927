//! A consent taken at the door, and those that are known.

use satchel_core::model::consent as core;
use satchel_core::rules::consent::Standing;

use crate::codes::{ConsentChannel, ConsentGiver, ConsentStanding, HandoffKind};
use crate::convert::id;
use crate::error::SatchelError;
use crate::ink::Signature;

/// A consent that is given on the spot (A033, Art 28(3)).
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct ConsentRequest {
    /// Where.
    pub stop_id: String,
    /// To what, each handoff named.
    pub handoffs: Vec<HandoffKind>,
    /// What shows it.
    pub evidence: ConsentEvidence,
    /// For which parcels; empty: every parcel of the stop that is still under way.
    #[uniffi(default = [])]
    pub parcel_ids: Vec<String>,
    /// Who agreed: the recipient, or for a return the sender.
    #[uniffi(default = None)]
    pub giver: Option<ConsentGiver>,
    /// The person named, for a named proxy.
    #[uniffi(default = None)]
    pub named_person: Option<String>,
    /// The place agreed on: which locker, which station.
    #[uniffi(default = None)]
    pub place: Option<String>,
    /// Until when, Unix milliseconds; `null`: for the parcels' whole way.
    #[uniffi(default = None)]
    pub expires_at_ms: Option<i64>,
}

/// What shows a consent that is given on the spot.
#[derive(Clone, PartialEq, uniffi::Enum)]
pub enum ConsentEvidence {
    /// A call that `logCall` recorded, by its position in the log. It must have been answered.
    Call {
        /// Position in the log.
        seq: i64,
    },
    /// A text message of the recipient. Its words are hashed and not kept.
    Message {
        /// The words.
        words: String,
        /// From which number; masked before it is stored.
        number: String,
    },
    /// A signature drawn by the giver; stored as a proof.
    Drawn {
        /// The drawing.
        signature: Signature,
    },
    /// The recipient's code, which this phone verified before.
    Code,
}

/// A consent as it is known.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Consent {
    /// Names it.
    pub consent_id: String,
    /// To what.
    pub handoffs: Vec<HandoffKind>,
    /// Which parcels of the stop it is for.
    pub parcel_ids: Vec<String>,
    /// How it came.
    pub channel: ConsentChannel,
    /// Who agreed.
    pub giver: ConsentGiver,
    /// The person named.
    pub named_person: Option<String>,
    /// The place agreed on.
    pub place: Option<String>,
    /// When, Unix milliseconds.
    pub given_at_ms: i64,
    /// Until when, Unix milliseconds.
    pub expires_at_ms: Option<i64>,
    /// Whether it carries now.
    pub standing: ConsentStanding,
}

impl From<core::ConsentView> for Consent {
    fn from(view: core::ConsentView) -> Self {
        Self {
            consent_id: view.consent_id,
            handoffs: view.scope,
            parcel_ids: view.parcels.iter().map(ToString::to_string).collect(),
            channel: view.channel,
            giver: view.giver,
            named_person: view.named_person,
            place: view.place,
            given_at_ms: view.given_at_ms,
            expires_at_ms: view.expires_at_ms,
            standing: match view.standing {
                Standing::Valid => ConsentStanding::Valid,
                Standing::NotYetGiven => ConsentStanding::NotYetGiven,
                Standing::Expired => ConsentStanding::Expired,
                Standing::Withdrawn => ConsentStanding::Withdrawn,
            },
        }
    }
}

impl TryFrom<ConsentRequest> for core::ConsentInput {
    type Error = SatchelError;

    fn try_from(request: ConsentRequest) -> Result<Self, SatchelError> {
        Ok(Self {
            stop: id(&request.stop_id, "stop_id")?,
            parcels: request
                .parcel_ids
                .iter()
                .map(|parcel| id(parcel, "parcel_id"))
                .collect::<Result<_, _>>()?,
            scope: request.handoffs,
            giver: request.giver.unwrap_or(ConsentGiver::Recipient),
            named_person: request.named_person,
            place: request.place,
            evidence: match request.evidence {
                ConsentEvidence::Call { seq } => core::EvidenceInput::Call { seq },
                ConsentEvidence::Message { words, number } => core::EvidenceInput::Message {
                    text: words,
                    number,
                },
                ConsentEvidence::Drawn { signature } => {
                    core::EvidenceInput::Signature(signature.into())
                }
                ConsentEvidence::Code => core::EvidenceInput::Code,
            },
            expires_at_ms: request.expires_at_ms,
        })
    }
}
