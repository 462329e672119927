//! Whether a handoff that happened was allowed to: the same articles the phone asks, read afterwards.

use satchel_protocol::doorstep::{ConsentEvidence, ConsentRecord};
use satchel_protocol::ids::ParcelId;
use satchel_protocol::taxonomy::{CallResult, ConsentChannel, ConsentRule, Giver, HandoffKind};

/// A handoff as a phone recorded it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HandoffCase<'a> {
    pub(crate) handoff: HandoffKind,
    pub(crate) parcel: ParcelId,
    /// "Door delivery" is on the waybill.
    pub(crate) door_required: bool,
    /// Only for people of some age.
    pub(crate) age_limited: bool,
    pub(crate) signer_name: Option<&'a str>,
    pub(crate) at_ms: i64,
}

/// Why a phone should have refused it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No station and no locker for a parcel with door delivery (Zhejiang Art 31).
    DoorRequired,
    /// Left where nobody could be checked (A040).
    NobodyToCheck,
    /// No consent that carried at that time (Art 28(3), A034).
    NoConsent,
}

/// What is wrong with a handoff, if anything.
pub(crate) fn refusal<'r>(
    case: &HandoffCase<'_>,
    consents: impl IntoIterator<Item = &'r ConsentRecord>,
) -> Option<Refusal> {
    let handoff = case.handoff;
    if case.door_required && matches!(handoff, HandoffKind::Station | HandoffKind::Locker) {
        return Some(Refusal::DoorRequired);
    }
    if case.age_limited && matches!(handoff, HandoffKind::LeaveAtDoor | HandoffKind::Locker) {
        return Some(Refusal::NobodyToCheck);
    }
    if !handoff.consent().needs_record() || consents.into_iter().any(|c| carries(c, case)) {
        return None;
    }
    Some(Refusal::NoConsent)
}

fn carries(consent: &ConsentRecord, case: &HandoffCase<'_>) -> bool {
    let giver = if case.handoff.consent() == ConsentRule::SenderInstruction {
        Giver::Sender
    } else {
        Giver::Recipient
    };
    let named = consent.named_person.as_deref().map(str::trim);
    let somebody_else = case.handoff == HandoffKind::NamedProxy
        && case
            .signer_name
            .is_some_and(|signer| named.is_some_and(|named| named != signer.trim()));
    consent.parcels.contains(&case.parcel)
        && consent.scope.contains(&case.handoff)
        && consent.giver == giver
        && suffices(&consent.evidence, case.handoff)
        && holds_at(consent, case.at_ms)
        && !somebody_else
}

fn holds_at(consent: &ConsentRecord, at_ms: i64) -> bool {
    at_ms >= consent.given_at_ms
        && consent.withdrawn_at_ms.is_none_or(|end| at_ms < end)
        && consent.expires_at_ms.is_none_or(|end| at_ms < end)
}

/// A proxy's own signature is not the recipient's word, nor is a code nobody verified or a call nobody
/// answered.
fn suffices(evidence: &ConsentEvidence, handoff: HandoffKind) -> bool {
    let by_signature = matches!(
        handoff.consent(),
        ConsentRule::AlwaysRequired | ConsentRule::AgreedMethod
    );
    match evidence {
        ConsentEvidence::Code { verified } => *verified,
        ConsentEvidence::Call { result, .. } => *result == CallResult::Answered,
        other => other.channel() != ConsentChannel::Signature || by_signature,
    }
}
