//! From the record on the wire to the value the gate reads, and nothing more.

use satchel_protocol::doorstep::{ConsentEvidence as Wire, ConsentRecord};

use super::{Consent, ConsentEvidence, Scope};
use crate::rules::contact::MaskedPhone;

impl From<&ConsentRecord> for Consent {
    /// A number that came unmasked is masked on the way.
    fn from(record: &ConsentRecord) -> Self {
        Self {
            id: record.consent_id.clone(),
            giver: record.giver,
            given_at_ms: record.given_at_ms,
            origin: record.origin,
            scope: Scope {
                handoffs: record.scope.clone(),
                parcels: record.parcels.clone(),
                named_person: record.named_person.clone(),
                place: record.place.clone(),
            },
            evidence: evidence(&record.evidence),
            expires_at_ms: record.expires_at_ms,
            withdrawn_at_ms: record.withdrawn_at_ms,
        }
    }
}

fn evidence(wire: &Wire) -> ConsentEvidence {
    match wire {
        Wire::Page { reference } => ConsentEvidence::PageRecord {
            reference: reference.clone(),
        },
        Wire::Call {
            call_id,
            number,
            result,
            duration_s,
        } => ConsentEvidence::Call {
            call_id: call_id.clone(),
            number: masked(number),
            result: *result,
            duration_s: *duration_s,
        },
        Wire::Message { text_hash, number } => ConsentEvidence::Message {
            text_hash: *text_hash,
            number: masked(number),
        },
        Wire::Signature { ink } => ConsentEvidence::Signature { ink: *ink },
        Wire::Code { verified } => ConsentEvidence::Code {
            verified: *verified,
        },
        Wire::Preference { reference } => ConsentEvidence::Preference {
            reference: reference.clone(),
        },
    }
}

fn masked(number: &str) -> MaskedPhone {
    MaskedPhone::from_masked(number).unwrap_or_else(|_| MaskedPhone::mask(number))
}
