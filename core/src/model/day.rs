//! What a courier records beside the attempt itself, as the host hands it in and sees it again.

use satchel_protocol::attempt::{Fix, ProofRef};
use satchel_protocol::feed::LatLng;
use satchel_protocol::ids::{AttemptId, ParcelId, StopId};
use satchel_protocol::taxonomy::{Action, CallResult, Reason};

use crate::rules::coded::Text;
use crate::rules::codes::Scan;
use crate::rules::coldchain::ColdReport;
use crate::rules::duty::Duty;
use crate::rules::load::ScanResult;
use crate::rules::pickup::Pickup;
use crate::rules::remedy::{Remedy, WarningKind};

/// One try to reach the customer (A036).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallInput {
    /// Where the parcel goes.
    pub stop: StopId,
    /// Who was called. Masked before it is stored, unless it is masked already (A038).
    pub number: String,
    /// Through a virtual number, so that neither side saw the other's.
    pub virtual_number: bool,
    /// How it ended.
    pub result: CallResult,
    /// Length of the conversation.
    pub duration_s: u32,
    /// Record of the phone or of the operator's call system. The same one twice is one call.
    pub call_id: Option<String>,
}

/// A call as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallView {
    /// Position of its entry in this phone's log.
    pub seq: i64,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// Masked number.
    pub number: String,
    /// Through a virtual number.
    pub virtual_number: bool,
    /// How it ended.
    pub result: CallResult,
    /// Length of the conversation.
    pub duration_s: u32,
    /// Record of the phone or of the operator's call system.
    pub call_id: Option<String>,
    /// Until when it counts as contact for a visit, Unix milliseconds.
    pub counts_until_ms: i64,
}

/// A report that was opened to take photos for it. [`crate::Courier::add_photo`] takes its id.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportDraft {
    /// Names it, for photos and in [`ReportInput::draft`].
    pub draft: AttemptId,
    /// Photos it already has.
    pub photos: Vec<ProofRef>,
}

/// Something is wrong (A042). One tap and a reason are enough.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportInput {
    /// The draft that holds its photos, if it has any.
    pub draft: Option<AttemptId>,
    /// Where, if at a stop.
    pub stop: Option<StopId>,
    /// Which parcels; none for the courier's own trouble.
    pub parcels: Vec<ParcelId>,
    /// Why.
    pub reason: Reason,
    /// The courier's words.
    pub words: Option<String>,
    /// Where the phone was.
    pub fix: Option<Fix>,
}

/// A report as recorded, with what the hub said to it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportView {
    /// Its name, in answers too.
    pub report_id: String,
    /// Position of its entry in this phone's log.
    pub seq: i64,
    /// When it happened, Unix milliseconds.
    pub occurred_at_ms: i64,
    /// Where.
    pub stop: Option<StopId>,
    /// Which parcels.
    pub parcels: Vec<ParcelId>,
    /// Why.
    pub reason: Reason,
    /// The courier's words.
    pub words: Option<String>,
    /// Photos with it.
    pub photos: u32,
    /// A photo is still owed (A042).
    pub owes_photo: bool,
    /// Until when the hub is to answer: one hour from when it happened (A044).
    pub answer_due_ms: i64,
    /// The early warning it raises (A049).
    pub warning: Option<WarningKind>,
    /// What can be done now, best first (A043).
    pub remedies: Vec<Remedy>,
    /// What the courier reads about the answer.
    pub text: Text,
    /// The hub's answer, once it is here.
    pub answer: Option<ReportAnswer>,
}

/// The hub's answer to a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportAnswer {
    /// What is to be done.
    pub action: Option<Action>,
    /// In the dispatcher's words.
    pub words: Option<String>,
    /// When, the hub's clock, Unix milliseconds.
    pub answered_at_ms: i64,
}

/// The shift.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DutyView {
    /// Off, or on since when.
    pub duty: Duty,
    /// Until when the training holds; nothing when the hub has none on record (A174).
    pub training_valid_until_ms: Option<i64>,
    /// The last position kept, and when. Nothing off duty.
    pub last_fix: Option<(LatLng, i64)>,
}

/// What a scan at the vehicle meant, with the count beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadScanResult {
    /// What was read.
    pub scan: Scan,
    /// What it means for this round.
    pub result: ScanResult,
    /// The same scan came before and nothing has changed since; nothing was recorded.
    pub repeated: bool,
    /// Position of its entry in this phone's log, if one was written.
    pub seq: Option<i64>,
    /// Parcels on the vehicle now.
    pub loaded: u32,
    /// Parcels that belong on it.
    pub expected: u32,
}

/// A parcel at its sender's (A198).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PickupInput {
    /// The parcel.
    pub parcel: ParcelId,
    /// What was checked, asked and labelled.
    pub pickup: Pickup,
    /// The draft of [`crate::Courier::begin_report`] that holds photos, if there are any (A199).
    pub draft: Option<AttemptId>,
    /// When the courier arrived, Unix milliseconds (A164).
    pub arrived_at_ms: i64,
}

/// Readings that were taken.
#[derive(Debug, Clone, PartialEq)]
pub struct ColdTaken {
    /// How many were new.
    pub new_samples: u32,
    /// What all readings show.
    pub report: ColdReport,
    /// The abnormal report that the first excursion opened (A039).
    pub exception: Option<ReportView>,
}
