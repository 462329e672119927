//! Calls to the customer and abnormal reports.

use satchel_core::model::day as core;
use satchel_core::rules::remedy;

use super::{Word, word};
use crate::codes::{Action, CallResult, Reason};
use crate::convert::id;
use crate::error::SatchelError;

/// One try to reach the customer (A036). The number is masked before it is stored.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct CallRequest {
    /// Where the parcel goes.
    pub stop_id: String,
    /// Who was called.
    pub number: String,
    /// How it ended.
    pub result: CallResult,
    /// Length of the conversation.
    #[uniffi(default = 0)]
    pub duration_s: u32,
    /// Through a virtual number, so that neither side saw the other's.
    #[uniffi(default = false)]
    pub virtual_number: bool,
    /// Record of the phone or of the operator's call system. The same one twice is one call.
    #[uniffi(default = None)]
    pub call_id: Option<String>,
}

/// A call as recorded.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Call {
    /// Position of its entry in this phone's log; a consent names it.
    pub seq: i64,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// Masked number.
    pub number: String,
    /// How it ended.
    pub result: CallResult,
    /// Length of the conversation.
    pub duration_s: u32,
    /// Until when it counts as contact for a visit, Unix milliseconds.
    pub counts_until_ms: i64,
}

/// Something is wrong (A042): a reason is enough, at any time and without a network.
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct ReportRequest {
    /// Why.
    pub reason: Reason,
    /// Where, if at a stop.
    #[uniffi(default = None)]
    pub stop_id: Option<String>,
    /// Which parcels; none for the courier's own trouble.
    #[uniffi(default = [])]
    pub parcel_ids: Vec<String>,
    /// The courier's words.
    #[uniffi(default = None)]
    pub words: Option<String>,
    /// What `beginReport` gave, if photos were taken.
    #[uniffi(default = None)]
    pub draft_id: Option<String>,
}

/// A report as recorded, with what the hub said to it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Report {
    /// Its name.
    pub report_id: String,
    /// When it happened, Unix milliseconds.
    pub occurred_at_ms: i64,
    /// Why.
    pub reason: Reason,
    /// A photo is still owed (A042).
    pub owes_photo: bool,
    /// Until when the hub is to answer: one hour from when it happened (A044).
    pub answer_due_ms: i64,
    /// What to show about the answer.
    pub text: Word,
    /// What can be offered to the customer, what can be done now first (A043).
    pub remedies: Vec<Remedy>,
    /// The hub's answer, in the dispatcher's words, once it is here.
    pub answer: Option<String>,
    /// What the hub wants done.
    pub answer_action: Option<Action>,
}

/// Something that can be done about it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Remedy {
    /// What.
    pub action: Action,
    /// What is still missing; empty when it can be done now.
    pub needs: Vec<Word>,
    /// Whether the customer can choose it on the page.
    pub customer_may_choose: bool,
}

impl TryFrom<CallRequest> for core::CallInput {
    type Error = SatchelError;

    fn try_from(call: CallRequest) -> Result<Self, SatchelError> {
        Ok(Self {
            stop: id(&call.stop_id, "stop_id")?,
            number: call.number,
            virtual_number: call.virtual_number,
            result: call.result,
            duration_s: call.duration_s,
            call_id: call.call_id,
        })
    }
}

impl From<core::CallView> for Call {
    fn from(call: core::CallView) -> Self {
        Self {
            seq: call.seq,
            at_ms: call.at_ms,
            number: call.number,
            result: call.result,
            duration_s: call.duration_s,
            counts_until_ms: call.counts_until_ms,
        }
    }
}

impl TryFrom<ReportRequest> for core::ReportInput {
    type Error = SatchelError;

    fn try_from(report: ReportRequest) -> Result<Self, SatchelError> {
        Ok(Self {
            draft: report
                .draft_id
                .map(|draft| id(&draft, "draft_id"))
                .transpose()?,
            stop: report
                .stop_id
                .map(|stop| id(&stop, "stop_id"))
                .transpose()?,
            parcels: report
                .parcel_ids
                .iter()
                .map(|parcel| id(parcel, "parcel_id"))
                .collect::<Result<_, _>>()?,
            reason: report.reason,
            words: report.words,
            fix: None,
        })
    }
}

impl From<remedy::Remedy> for Remedy {
    fn from(remedy: remedy::Remedy) -> Self {
        Self {
            action: remedy.action,
            needs: remedy.needs.into_iter().map(|need| word!(need)).collect(),
            customer_may_choose: remedy.customer_may_choose,
        }
    }
}

impl From<core::ReportView> for Report {
    fn from(report: core::ReportView) -> Self {
        Self {
            report_id: report.report_id,
            occurred_at_ms: report.occurred_at_ms,
            reason: report.reason,
            owes_photo: report.owes_photo,
            answer_due_ms: report.answer_due_ms,
            text: Word::sentence(report.text),
            remedies: report.remedies.into_iter().map(Remedy::from).collect(),
            answer_action: report.answer.as_ref().and_then(|answer| answer.action),
            answer: report.answer.and_then(|answer| answer.words),
        }
    }
}
