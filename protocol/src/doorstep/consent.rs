//! A consent as it is stored, signed and sent: who agreed, to what, how, shown by what, until when.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::body;
use crate::ids::{Hash32, ParcelId, StopId};
use crate::taxonomy::{CallResult, ConsentChannel, ConsentOrigin, Giver, HandoffKind};

/// A consent to a handoff other than into the recipient's own hands (A033, Art 28(3)). The body of
/// [`crate::entry::EntryKind::CONSENT`] and the content of a feed item alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct ConsentRecord {
    /// Names the consent in entries.
    #[n(0)]
    pub consent_id: String,
    /// Who agreed.
    #[n(1)]
    pub giver: Giver,
    /// Where the record was made.
    #[n(2)]
    pub origin: ConsentOrigin,
    /// What was agreed to, each handoff named (Art 35).
    #[n(3)]
    pub scope: Vec<HandoffKind>,
    /// For which parcels; empty only for a standing preference, which is for all of its recipient's.
    #[n(4)]
    #[serde(default)]
    pub parcels: Vec<ParcelId>,
    /// The person named, for a named proxy (Art 28(1)).
    #[n(5)]
    #[serde(default)]
    pub named_person: Option<String>,
    /// The place agreed on: which locker, which station.
    #[n(6)]
    #[serde(default)]
    pub place: Option<String>,
    /// Shown by what; names the channel too.
    #[n(7)]
    pub evidence: ConsentEvidence,
    /// When, Unix milliseconds.
    #[n(8)]
    pub given_at_ms: i64,
    /// Until when, exclusive, if not for the parcel's whole way.
    #[n(9)]
    #[serde(default)]
    pub expires_at_ms: Option<i64>,
    /// When it was withdrawn, if it was.
    #[n(10)]
    #[serde(default)]
    pub withdrawn_at_ms: Option<i64>,
}

/// What shows that a consent was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ConsentEvidence {
    /// The hub's record of the click on the page.
    #[n(0)]
    Page {
        /// The hub's name of it.
        #[n(0)]
        reference: String,
    },
    /// A call that was answered.
    #[n(1)]
    Call {
        /// Record of the phone or of the operator's call system.
        #[n(0)]
        call_id: String,
        /// Who was called, masked.
        #[n(1)]
        number: String,
        /// How it ended.
        #[n(2)]
        result: CallResult,
        /// Length.
        #[n(3)]
        duration_s: u32,
    },
    /// A text message from the recipient.
    #[n(2)]
    Message {
        /// SHA-256 of its words; the words stay where they are.
        #[n(0)]
        text_hash: Hash32,
        /// From whom, masked.
        #[n(1)]
        number: String,
    },
    /// A signature drawn by the giver.
    #[n(3)]
    Signature {
        /// SHA-256 of the stored ink.
        #[n(0)]
        ink: Hash32,
    },
    /// The recipient's code.
    #[n(4)]
    Code {
        /// Whether the phone could verify it.
        #[n(0)]
        verified: bool,
    },
    /// The hub's record of a standing preference.
    #[n(5)]
    Preference {
        /// The hub's name of it.
        #[n(0)]
        reference: String,
    },
}

impl ConsentEvidence {
    /// The channel this evidence belongs to.
    #[must_use]
    pub const fn channel(&self) -> ConsentChannel {
        match self {
            Self::Page { .. } => ConsentChannel::PageClick,
            Self::Call { .. } => ConsentChannel::Call,
            Self::Message { .. } => ConsentChannel::Sms,
            Self::Signature { .. } => ConsentChannel::Signature,
            Self::Code { .. } => ConsentChannel::Code,
            Self::Preference { .. } => ConsentChannel::Standing,
        }
    }
}

/// Body of [`crate::entry::EntryKind::CONSENT_WITHDRAWN`]; also the content of that feed item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct ConsentWithdrawnBody {
    /// Which consent.
    #[n(0)]
    pub consent_id: String,
    /// When, Unix milliseconds; what was handed over before it stays.
    #[n(1)]
    pub withdrawn_at_ms: i64,
    /// Where the courier was told, if at a door.
    #[n(2)]
    #[serde(default)]
    pub stop: Option<StopId>,
}

body!(ConsentRecord, "consent body");
body!(ConsentWithdrawnBody, "consent withdrawal body");
