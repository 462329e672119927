//! The customer's consent, and whether a handoff may rest on it (Art 28(3), A022, A023, A032, A033).
//!
//! Consent is a record: who agreed, when, how, to what, shown by what, until when. A tick in an app is
//! none. The gate asks at the moment of the handoff, not when the courier set out: a consent that ran
//! out or was withdrawn on the way there no longer carries. And a consent says only what it says: the
//! neighbour's own signature is not the recipient's agreement to the neighbour.

use satchel_protocol::ids::{Hash32, ParcelId};
use satchel_protocol::taxonomy::{ConsentChannel, HandoffKind};
use thiserror::Error;

use super::contact::{CallResult, MaskedPhone};

mod gate;
mod record;

pub use gate::{Basis, ConsentRefusal, GateCase, channels, gate};

/// A call shorter than this cannot have explained where the parcel will be left.
pub const MIN_CONSENT_CALL_S: u32 = 5;

/// A standing preference is asked for again after a year: no consent is for ever (Art 35).
pub const MAX_STANDING_MS: i64 = 366 * 24 * 60 * 60 * 1_000;

pub use satchel_protocol::taxonomy::Giver;

pub use satchel_protocol::taxonomy::ConsentOrigin;

/// What shows that the consent was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsentEvidence {
    /// The hub's record of the page click.
    PageRecord {
        /// The hub's name of it.
        reference: String,
    },
    /// A call that was answered.
    Call {
        /// Record of the phone or the operator's call system.
        call_id: String,
        /// Who was called, masked.
        number: MaskedPhone,
        /// How it ended.
        result: CallResult,
        /// Length.
        duration_s: u32,
    },
    /// A text message from the recipient.
    Message {
        /// SHA-256 of its words; the words stay where they are.
        text_hash: Hash32,
        /// From whom, masked.
        number: MaskedPhone,
    },
    /// A signature drawn by the giver.
    Signature {
        /// SHA-256 of the stored ink.
        ink: Hash32,
    },
    /// The recipient's code.
    Code {
        /// Whether this phone could verify it. A short code is judged by the hub later and is
        /// therefore no consent yet.
        verified: bool,
    },
    /// The hub's record of a preference.
    Preference {
        /// The hub's name of it.
        reference: String,
    },
}

impl ConsentEvidence {
    /// The channel this evidence belongs to.
    #[must_use]
    pub const fn channel(&self) -> ConsentChannel {
        match self {
            Self::PageRecord { .. } => ConsentChannel::PageClick,
            Self::Call { .. } => ConsentChannel::Call,
            Self::Message { .. } => ConsentChannel::Sms,
            Self::Signature { .. } => ConsentChannel::Signature,
            Self::Code { .. } => ConsentChannel::Code,
            Self::Preference { .. } => ConsentChannel::Standing,
        }
    }
}

/// What was agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The handoffs, each one named: a blanket consent is none (Art 35).
    pub handoffs: Vec<HandoffKind>,
    /// The parcels; none only for a standing preference, which is for all of this recipient's.
    pub parcels: Vec<ParcelId>,
    /// The person named, for a named proxy (Art 28(1)).
    pub named_person: Option<String>,
    /// The place agreed on: which locker, which station, behind which flower pot.
    pub place: Option<String>,
}

/// A consent as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Names it in entries.
    pub id: String,
    /// Who agreed.
    pub giver: Giver,
    /// When, Unix milliseconds.
    pub given_at_ms: i64,
    /// Where the record was made.
    pub origin: ConsentOrigin,
    /// To what.
    pub scope: Scope,
    /// Shown by what; names the channel too.
    pub evidence: ConsentEvidence,
    /// Until when, exclusive; a consent for single parcels may do without.
    pub expires_at_ms: Option<i64>,
    /// When it was withdrawn, if it was.
    pub withdrawn_at_ms: Option<i64>,
}

/// Why a record cannot be stored as a consent at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConsentFault {
    /// No id, or one that is too long.
    #[error("the consent has no usable id")]
    Id,
    /// No handoff is named, or one that needs no consent.
    #[error("the consent names no handoff that needs one")]
    EmptyScope,
    /// Neither parcels nor a standing preference.
    #[error("the consent is for no parcel")]
    NoParcel,
    /// A named proxy without a name.
    #[error("the consent to a named proxy names nobody")]
    NobodyNamed,
    /// A standing preference without an end, or one that is too far away.
    #[error("a standing preference must end within a year")]
    EndlessPreference,
    /// It ends before it begins.
    #[error("the consent ends before it begins")]
    EndsBeforeItBegins,
    /// The evidence cannot have been made where the record says.
    #[error("the evidence does not fit where the consent was taken")]
    EvidenceElsewhere,
    /// A reference or call record is missing.
    #[error("the evidence is empty")]
    EmptyEvidence,
    /// The call was not answered or too short to agree on anything.
    #[error("the call cannot have brought a consent")]
    NoConversation,
}

/// Whether a consent carries at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Valid,
    /// It was given later than this instant.
    NotYetGiven,
    /// Its time is over.
    Expired,
    /// It was withdrawn.
    Withdrawn,
}

impl Consent {
    /// The channel it came by.
    #[must_use]
    pub const fn channel(&self) -> ConsentChannel {
        self.evidence.channel()
    }

    /// Whether the record has everything a consent must have.
    ///
    /// # Errors
    /// The first [`ConsentFault`].
    pub fn check(&self) -> Result<(), ConsentFault> {
        if self.id.is_empty() || self.id.len() > 64 {
            return Err(ConsentFault::Id);
        }
        let handoffs = &self.scope.handoffs;
        if handoffs.is_empty() || !handoffs.iter().all(|h| h.consent().needs_record()) {
            return Err(ConsentFault::EmptyScope);
        }
        let standing = self.origin == ConsentOrigin::StandingPreference;
        if !standing && self.scope.parcels.is_empty() {
            return Err(ConsentFault::NoParcel);
        }
        if handoffs.contains(&HandoffKind::NamedProxy) && blank(self.scope.named_person.as_deref())
        {
            return Err(ConsentFault::NobodyNamed);
        }
        match self.expires_at_ms {
            Some(end) if end <= self.given_at_ms => return Err(ConsentFault::EndsBeforeItBegins),
            Some(end) if standing && end.saturating_sub(self.given_at_ms) > MAX_STANDING_MS => {
                return Err(ConsentFault::EndlessPreference);
            }
            None if standing => return Err(ConsentFault::EndlessPreference),
            _ => {}
        }
        self.check_evidence()
    }

    fn check_evidence(&self) -> Result<(), ConsentFault> {
        use ConsentEvidence as E;
        use ConsentOrigin as O;
        let fits = matches!(
            (&self.evidence, self.origin),
            (
                E::PageRecord { .. } | E::Message { .. } | E::Call { .. },
                O::HubPage
            ) | (
                E::Call { .. } | E::Message { .. } | E::Signature { .. } | E::Code { .. },
                O::OnTheSpot
            ) | (E::Preference { .. }, O::StandingPreference)
        );
        if !fits {
            return Err(ConsentFault::EvidenceElsewhere);
        }
        match &self.evidence {
            E::PageRecord { reference } | E::Preference { reference } if blank(Some(reference)) => {
                Err(ConsentFault::EmptyEvidence)
            }
            E::Call { call_id, .. } if blank(Some(call_id)) => Err(ConsentFault::EmptyEvidence),
            E::Call {
                result, duration_s, ..
            } if *result != CallResult::Answered || *duration_s < MIN_CONSENT_CALL_S => {
                Err(ConsentFault::NoConversation)
            }
            _ => Ok(()),
        }
    }

    /// Whether it carries at this instant.
    #[must_use]
    pub fn standing(&self, at_ms: i64) -> Standing {
        if at_ms < self.given_at_ms {
            Standing::NotYetGiven
        } else if self.withdrawn_at_ms.is_some_and(|w| at_ms >= w) {
            Standing::Withdrawn
        } else if self.expires_at_ms.is_some_and(|e| at_ms >= e) {
            Standing::Expired
        } else {
            Standing::Valid
        }
    }

    /// Takes a withdrawal over; the earliest one counts, and what was handed over before it stays.
    pub fn withdraw(&mut self, at_ms: i64) {
        self.withdrawn_at_ms = Some(self.withdrawn_at_ms.map_or(at_ms, |w| w.min(at_ms)));
    }
}

fn blank(text: Option<&str>) -> bool {
    text.is_none_or(|t| t.trim().is_empty())
}

#[cfg(test)]
mod tests;
