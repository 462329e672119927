//! What an entry says, read by its kind; and what it does to a parcel.

use satchel_protocol::FormatError;
use satchel_protocol::attempt::{AttemptBody, ProofRef};
use satchel_protocol::doorstep::{
    CallBody, CodeEntryBody, ConsentRecord, ConsentWithdrawnBody, CorrectionBody, DutyBody,
    LoadScanBody, ParcelStepBody, PickupBody, ReminderBody, ReportBody, RuleSetRefusedBody,
    TemperatureBody,
};
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::ParcelId;
use satchel_protocol::lost::ProofLostBody;
use satchel_protocol::taxonomy::Outcome;
use satchel_protocol::transitions::EventKind;

use crate::store::entries::CheckedEntry;

/// An entry's body.
pub(super) enum Body {
    Enrolled,
    Revealed,
    Attempt(Box<AttemptBody>),
    Consent(ConsentRecord),
    Withdrawn(ConsentWithdrawnBody),
    Correction(CorrectionBody),
    Call(CallBody),
    Report(ReportBody),
    LoadScan(LoadScanBody),
    Pickup(PickupBody),
    Temperature(TemperatureBody),
    CodeEntry(CodeEntryBody),
    Duty(DutyBody),
    Reminder(ReminderBody),
    RuleSetRefused(RuleSetRefusedBody),
    Step(ParcelStepBody),
    ProofLost(ProofLostBody),
    /// A kind made after this build; projected by a newer one.
    UnknownKind,
    /// The kind is known, the body is not readable by this build.
    Unreadable,
    /// Body and salt were erased.
    Erased,
}

impl Body {
    pub(super) fn of(new: &CheckedEntry) -> Self {
        let Some(bytes) = new.entry.body.as_deref() else {
            return Self::Erased;
        };
        Self::read(new.header.kind, bytes).unwrap_or(Self::Unreadable)
    }

    fn read(kind: EntryKind, bytes: &[u8]) -> Result<Self, FormatError> {
        Ok(match kind {
            EntryKind::ENROLLED => Self::Enrolled,
            EntryKind::REVEALED => Self::Revealed,
            EntryKind::ATTEMPT => Self::Attempt(Box::new(AttemptBody::decode(bytes)?)),
            EntryKind::CONSENT => Self::Consent(ConsentRecord::decode(bytes)?),
            EntryKind::CONSENT_WITHDRAWN => Self::Withdrawn(ConsentWithdrawnBody::decode(bytes)?),
            EntryKind::CORRECTION => Self::Correction(CorrectionBody::decode(bytes)?),
            EntryKind::CALL => Self::Call(CallBody::decode(bytes)?),
            EntryKind::REPORT => Self::Report(ReportBody::decode(bytes)?),
            EntryKind::LOAD_SCAN => Self::LoadScan(LoadScanBody::decode(bytes)?),
            EntryKind::PICKUP => Self::Pickup(PickupBody::decode(bytes)?),
            EntryKind::TEMPERATURE => Self::Temperature(TemperatureBody::decode(bytes)?),
            EntryKind::CODE_ENTRY => Self::CodeEntry(CodeEntryBody::decode(bytes)?),
            EntryKind::DUTY => Self::Duty(DutyBody::decode(bytes)?),
            EntryKind::REMINDER_DUE => Self::Reminder(ReminderBody::decode(bytes)?),
            EntryKind::RULESET_REFUSED => Self::RuleSetRefused(RuleSetRefusedBody::decode(bytes)?),
            EntryKind::PARCEL_STEP => Self::Step(ParcelStepBody::decode(bytes)?),
            ProofLostBody::KIND => Self::ProofLost(ProofLostBody::decode(bytes)?),
            _ => Self::UnknownKind,
        })
    }

    /// As stored in `entry_state`.
    pub(super) fn state(&self) -> &'static str {
        match self {
            Self::Enrolled => "enrolled",
            Self::Revealed => "revealed",
            Self::Attempt(_) => "attempt",
            Self::Consent(_) => "consent",
            Self::Withdrawn(_) => "consent_withdrawn",
            Self::Correction(_) => "correction",
            Self::Call(_) => "call",
            Self::Report(_) => "report",
            Self::LoadScan(_) => "load_scan",
            Self::Pickup(_) => "pickup",
            Self::Temperature(_) => "temperature",
            Self::CodeEntry(_) => "code_entry",
            Self::Duty(_) => "duty",
            Self::Reminder(_) => "reminder",
            Self::RuleSetRefused(_) => "ruleset_refused",
            Self::Step(_) => "parcel_step",
            Self::ProofLost(_) => "proof_lost",
            Self::UnknownKind => "unknown_kind",
            Self::Unreadable => "unreadable",
            Self::Erased => "erased",
        }
    }

    pub(super) fn proofs(&self) -> &[ProofRef] {
        match self {
            Self::Attempt(b) => &b.proofs,
            Self::Correction(b) => &b.proofs,
            Self::Report(b) => &b.proofs,
            Self::Pickup(b) => &b.proofs,
            _ => &[],
        }
    }

    pub(super) fn attempted(&self) -> Option<ParcelId> {
        match self {
            Self::Attempt(b) => Some(b.parcel),
            _ => None,
        }
    }

    /// The parcels whose state or alarms may be other ones now.
    pub(super) fn parcels(&self) -> Vec<ParcelId> {
        match self {
            Self::Attempt(b) => vec![b.parcel],
            Self::Consent(b) => b.parcels.clone(),
            Self::Correction(b) => vec![b.parcel],
            Self::CodeEntry(b) => vec![b.parcel],
            Self::Pickup(b) => vec![b.parcel],
            Self::Step(b) => vec![b.parcel],
            Self::LoadScan(b) => b.parcel.into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// What it does to a parcel. A failure that does not say why and what follows does nothing: there
    /// is no such step, and the attempt itself is kept and shown.
    pub(super) fn event(&self) -> Option<(ParcelId, EventKind)> {
        match self {
            Self::Attempt(b) => {
                let kind = match b.outcome {
                    Outcome::Delivered => EventKind::Delivered { handoff: b.handoff },
                    Outcome::PartiallyDelivered => EventKind::PartlyDelivered,
                    Outcome::Returned => EventKind::ReturnedToSender,
                    Outcome::Failed => {
                        let (reason, action) = b.reason.zip(b.action)?;
                        EventKind::Failed { reason, action }
                    }
                };
                Some((b.parcel, kind))
            }
            Self::Correction(b) => Some((
                b.parcel,
                EventKind::Corrected {
                    of: b.of,
                    correction: b.correction,
                },
            )),
            Self::LoadScan(b) if !b.off => b.parcel.map(|p| (p, EventKind::Loaded)),
            Self::Pickup(b) if b.refused.is_none() => Some((b.parcel, EventKind::Collected)),
            Self::Step(b) => Some((b.parcel, b.event)),
            _ => None,
        }
    }
}
