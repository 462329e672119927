//! Whether a handoff may rest on the consents that are stored, at one instant.

use satchel_protocol::ids::ParcelId;
use satchel_protocol::taxonomy::{ConsentChannel, ConsentRule, HandoffKind};
use thiserror::Error;

use super::{Consent, ConsentEvidence, ConsentOrigin, Giver, Standing};

/// Why a handoff is locked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConsentRefusal {
    /// "Door delivery" is on the waybill; no consent lifts that (Zhejiang Art 31).
    #[error("the parcel must be delivered to the door")]
    DoorRequired,
    /// Goods with an age limit need a person who can be checked.
    #[error("goods with an age limit cannot be left unattended")]
    NobodyToCheck,
    /// There is no consent to this handoff.
    #[error("handoff {} needs the customer's consent", .handoff.code())]
    Missing {
        /// The handoff.
        handoff: HandoffKind,
        /// Channels by which one could be had now.
        channels: &'static [ConsentChannel],
    },
    /// There was one and it no longer carries.
    #[error("consent {id} is no longer valid")]
    NoLongerValid {
        /// Which.
        id: String,
        /// Why.
        standing: Standing,
    },
    /// The wrong person agreed.
    #[error("consent {id} was not given by the right person")]
    WrongGiver {
        /// Which.
        id: String,
    },
    /// This channel does not suffice for this handoff.
    #[error("consent {id} came by a channel that does not suffice here")]
    ChannelInsufficient {
        /// Which.
        id: String,
    },
    /// The person at the door is not the one who was named.
    #[error("consent {id} names somebody else")]
    SomebodyElse {
        /// Which.
        id: String,
    },
}

/// What the gate needs to know.
#[derive(Debug, Clone, Copy)]
pub struct GateCase<'a> {
    /// The handoff asked for.
    pub handoff: HandoffKind,
    /// The parcel.
    pub parcel: ParcelId,
    /// "Door delivery" is noted on its waybill.
    pub door_required: bool,
    /// It may be handed only to people of some age.
    pub age_limited: bool,
    /// Who takes it, as told at the door; compared with the person named.
    pub signer_name: Option<&'a str>,
    /// Every consent known for this parcel or its recipient.
    pub consents: &'a [Consent],
}

/// On what a handoff rests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basis {
    /// It needs no further consent.
    NotNeeded,
    /// This stored consent.
    Consent {
        /// Its id, for the entry.
        id: String,
    },
}

/// The channels that suffice for a handoff, the easiest at the door first.
///
/// Where somebody else takes the parcel, a signature drawn there is that person's and shows nothing of
/// the recipient's will, so it does not count; for a place, the recipient may be standing there and sign.
#[must_use]
pub const fn channels(handoff: HandoffKind) -> &'static [ConsentChannel] {
    use ConsentChannel as C;
    match handoff.consent() {
        ConsentRule::NotNeeded | ConsentRule::RecipientPresent => &[],
        ConsentRule::SenderInstruction => &[C::Call, C::Sms, C::PageClick],
        ConsentRule::AlwaysRequired | ConsentRule::AgreedMethod => &[
            C::Call,
            C::Sms,
            C::Code,
            C::Signature,
            C::PageClick,
            C::Standing,
        ],
        ConsentRule::NamedByRecipient | ConsentRule::Required => {
            &[C::Call, C::Sms, C::Code, C::PageClick, C::Standing]
        }
    }
}

impl Consent {
    fn is_about(&self, case: &GateCase<'_>) -> bool {
        let for_parcel = self.scope.parcels.contains(&case.parcel)
            || (self.origin == ConsentOrigin::StandingPreference && self.scope.parcels.is_empty());
        for_parcel && self.scope.handoffs.contains(&case.handoff)
    }

    /// Why this consent does not open the handoff, if it does not.
    fn refusal(&self, case: &GateCase<'_>, at_ms: i64) -> Option<ConsentRefusal> {
        let id = || self.id.clone();
        let giver = if case.handoff.consent() == ConsentRule::SenderInstruction {
            Giver::Sender
        } else {
            Giver::Recipient
        };
        if self.giver != giver {
            return Some(ConsentRefusal::WrongGiver { id: id() });
        }
        let unverified = matches!(self.evidence, ConsentEvidence::Code { verified: false });
        if unverified || !channels(case.handoff).contains(&self.channel()) || self.check().is_err()
        {
            return Some(ConsentRefusal::ChannelInsufficient { id: id() });
        }
        match self.standing(at_ms) {
            Standing::Valid => {}
            standing => return Some(ConsentRefusal::NoLongerValid { id: id(), standing }),
        }
        if case.handoff == HandoffKind::NamedProxy
            && let (Some(named), Some(signer)) = (&self.scope.named_person, case.signer_name)
            && named.trim() != signer.trim()
        {
            return Some(ConsentRefusal::SomebodyElse { id: id() });
        }
        None
    }
}

/// Whether this handoff may be started, or completed, at this instant; asked at both.
///
/// # Errors
/// [`ConsentRefusal`]: the nearest miss, so that the courier knows what to ask the customer for.
pub fn gate(case: &GateCase<'_>, at_ms: i64) -> Result<Basis, ConsentRefusal> {
    let handoff = case.handoff;
    if case.door_required && matches!(handoff, HandoffKind::Station | HandoffKind::Locker) {
        return Err(ConsentRefusal::DoorRequired);
    }
    if case.age_limited && matches!(handoff, HandoffKind::LeaveAtDoor | HandoffKind::Locker) {
        return Err(ConsentRefusal::NobodyToCheck);
    }
    if !handoff.consent().needs_record() {
        return Ok(Basis::NotNeeded);
    }
    let mut nearest = None;
    for consent in case.consents.iter().filter(|c| c.is_about(case)) {
        match consent.refusal(case, at_ms) {
            None => {
                return Ok(Basis::Consent {
                    id: consent.id.clone(),
                });
            }
            Some(refusal) => nearest = nearest.or(Some(refusal)),
        }
    }
    Err(nearest.unwrap_or(ConsentRefusal::Missing {
        handoff,
        channels: channels(handoff),
    }))
}
