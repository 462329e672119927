//! Calls, reminders and abnormal reports.

use minicbor::{Decode, Encode};

use super::body;
use crate::attempt::{Fix, ProofRef};
use crate::ids::{ParcelId, StopId};
use crate::taxonomy::{CallResult, Reason};

/// Body of [`crate::entry::EntryKind::CALL`]: one try to reach the customer (A036, A045).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CallBody {
    /// Where the parcel goes.
    #[n(0)]
    pub stop: StopId,
    /// Who was called, masked (A038).
    #[n(1)]
    pub number: String,
    /// Through a virtual number, so that neither side saw the other's.
    #[n(2)]
    pub virtual_number: bool,
    /// How it ended.
    #[n(3)]
    pub result: CallResult,
    /// Length of the conversation.
    #[n(4)]
    pub duration_s: u32,
    /// Record of the phone or of the operator's call system.
    #[n(5)]
    pub call_id: Option<String>,
}

/// Body of [`crate::entry::EntryKind::REMINDER_DUE`]: the customer is to be told now (A021). Once per
/// attempt of a parcel, whatever the ETA does afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReminderBody {
    /// Where.
    #[n(0)]
    pub stop: StopId,
    /// Which parcel.
    #[n(1)]
    pub parcel: ParcelId,
    /// Which attempt, from 1.
    #[n(2)]
    pub attempt_no: u16,
    /// Expected arrival, Unix milliseconds.
    #[n(3)]
    pub eta_ms: i64,
}

/// Body of [`crate::entry::EntryKind::REPORT`]: something is wrong (A042–A051). The hub has one hour
/// from when it happened to answer (A044).
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct ReportBody {
    /// Names the report in answers.
    #[n(0)]
    pub report_id: String,
    /// Where, if at a stop.
    #[n(1)]
    pub stop: Option<StopId>,
    /// Which parcels; none for the courier's own trouble.
    #[n(2)]
    pub parcels: Vec<ParcelId>,
    /// Why.
    #[n(3)]
    pub reason: Reason,
    /// The courier's words.
    #[n(4)]
    pub words: Option<String>,
    /// Photos with it.
    #[n(5)]
    pub proofs: Vec<ProofRef>,
    /// A photo is still owed (A042).
    #[n(6)]
    pub owes_photo: bool,
    /// Until when the hub is to answer, Unix milliseconds.
    #[n(7)]
    pub answer_due_ms: i64,
    /// Where the phone was.
    #[n(8)]
    pub fix: Option<Fix>,
}

body!(CallBody, "call body");
body!(ReminderBody, "reminder body");
body!(ReportBody, "report body");
