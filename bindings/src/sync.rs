//! Tasks for the host's HTTP, their outcomes, and the honest state of the queue.

use satchel_core::model::status;
use satchel_core::rules::lease::Lock;
use satchel_core::sync::task::{self, Task};

use crate::codes::{Blocking, TaskPurpose, WaitReason};
use crate::convert::count;

/// Whether this phone belongs to a hub.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Enrolment {
    /// No invite was given yet.
    Absent,
    /// An invite was given; the hub has not answered.
    Pending,
    /// This phone is a device of a hub.
    Enrolled {
        /// Its id at the hub.
        device_id: String,
        /// The courier's display name.
        courier_name: String,
    },
    /// The hub refused the invite; a new one is needed.
    Refused,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum SyncTask {
    /// Send this request and give its outcome to `completeTask`.
    Http {
        /// The request.
        task: HttpTask,
    },
    /// Nothing now; ask again later.
    Wait {
        /// Not before this time, Unix milliseconds; `null`: when something changes.
        until_ms: Option<i64>,
        /// Why.
        reason: WaitReason,
    },
    /// Everything that may be sent now is, and everything is read; the loop may end. Photos that wait for a network
    /// that costs nothing stand in `SyncStatus`.
    Done,
}

/// One request, to be sent exactly as it is: it is signed, every header counts.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HttpTask {
    /// Give it back with the outcome.
    pub id: String,
    /// For a progress display.
    pub purpose: TaskPurpose,
    /// `GET`, `HEAD`, `POST` or `PATCH`.
    pub method: String,
    /// Absolute URL.
    pub url: String,
    /// Headers to send. Add only what the HTTP stack must.
    pub headers: Vec<HttpHeader>,
    /// Body; empty for none.
    pub body: Vec<u8>,
    /// Stop reading the answer after this many bytes and report what was read.
    pub max_answer_bytes: u32,
    /// How far the proof is that this request brings on; absent for all other requests. With what the app's own HTTP
    /// stack says of the body on its way this is a progress bar.
    #[uniffi(default = None)]
    pub upload: Option<UploadPart>,
}

/// A part of a proof on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct UploadPart {
    /// Bytes of the proof that the hub has before this request; the body goes on from there.
    pub from_bytes: u64,
    /// Bytes of the whole proof.
    pub size_bytes: u64,
}

/// One HTTP header.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HttpHeader {
    /// Name; case does not matter.
    pub name: String,
    /// Value.
    pub value: String,
}

/// What the key in the phone's hardware has to do. The library never sees its private half.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum KeyTask {
    /// The hub takes no phone without a hardware key: make a P-256 signing key in the Android Keystore or the
    /// Secure Enclave and give its public half to `offerHardwareKey`.
    Offer,
    /// Sign these bytes with it (`SHA256withECDSA`, `ecdsaSignatureMessageX962SHA256`) and give the signature
    /// to `completeKeyTask`.
    Sign {
        /// Give it back with the signature.
        id: String,
        /// The key of a log that follows another one; otherwise the first one.
        rotation: bool,
        /// What to sign, exactly; hashing them is part of signing.
        bytes: Vec<u8>,
    },
    /// The hub ordered this phone to be wiped: destroy the key in the keystore that seals the store's key, then
    /// call `completeKeyTask` with an empty signature. The files go then, and this object is closed. If the app
    /// is killed in between, `removeStore` finishes it.
    DestroyKey {
        /// Give it back.
        id: String,
        /// Entries that never reached the hub and are lost with the store.
        unsent_entries: u64,
        /// Proofs that never did.
        unsent_proofs: u64,
    },
}

/// Where a hub is, and how it is known there.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HubAddress {
    /// Its public address, as in every task.
    pub url: String,
    /// SHA-256 of the keys (`SubjectPublicKeyInfo`) it proves itself with in TLS, 32 bytes each. Empty: whatever the
    /// system trusts.
    pub spki_sha256: Vec<Vec<u8>>,
}

/// Why personal data is closed on this phone and no new work begins. What is recorded is kept and still syncs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum LockReason {
    /// The phone was without its hub for longer than the hub allows: go online.
    LeaseLapsed,
    /// The wall clock is behind what it was before the phone was restarted: go online.
    ClockWentBack,
    /// The hub ordered this phone to be wiped: do what `keyTask` says.
    WipeOrdered,
    /// The hub lets only newer releases begin work: update the app. What is recorded is still sent.
    Outdated,
}

impl From<Lock> for LockReason {
    fn from(lock: Lock) -> Self {
        match lock {
            Lock::LeaseLapsed => Self::LeaseLapsed,
            Lock::ClockWentBack => Self::ClockWentBack,
            Lock::WipeOrdered => Self::WipeOrdered,
            Lock::Outdated => Self::Outdated,
        }
    }
}

impl From<task::KeyTask> for KeyTask {
    fn from(task: task::KeyTask) -> Self {
        match task {
            task::KeyTask::Offer => Self::Offer,
            task::KeyTask::Sign { id, purpose, bytes } => Self::Sign {
                id,
                rotation: purpose == task::KeyPurpose::Rotation,
                bytes,
            },
            task::KeyTask::DestroyKey {
                id,
                unsent_entries,
                unsent_proofs,
            } => Self::DestroyKey {
                id,
                unsent_entries,
                unsent_proofs,
            },
        }
    }
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum TaskOutcome {
    /// An answer came, whatever it says: a 500 is an answer too.
    Answered {
        /// The answer.
        answer: HttpAnswer,
    },
    /// No whole answer came; the hub may or may not have got the request.
    Failed,
}

/// An HTTP answer as received. Redirects are not followed: a 302 is the answer.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HttpAnswer {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: Vec<HttpHeader>,
    /// The body, up to the task's `maxAnswerBytes`.
    pub body: Vec<u8>,
}

/// The honest state of the queue (B4-13, B4-14): every figure comes from the store.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SyncStatus {
    /// Entries without a receipt.
    pub unsent_entries: u64,
    /// Proofs without a receipt.
    pub unsent_proofs: u64,
    /// Bytes of those entries and proofs, as they are stored: what goes over the line is less, as far as it compresses.
    pub unsent_bytes: u64,
    /// Photos whose bytes this phone has no longer and for which it has no receipt. They wait for nothing and are not among
    /// the unsent ones; they come back when a file turns up again or the hub says that it has them.
    pub lost_proofs: u64,
    /// Of the unsent proofs, photos that wait for a network that costs nothing; see `setPhotosOnMetered`.
    pub held_back_proofs: u64,
    /// Bytes of those.
    pub held_back_bytes: u64,
    /// Stops here that the hub did not name when it last told everything: it was set back to a backup.
    /// They stay, and may be served.
    pub stops_unknown_to_hub: u64,
    /// When the oldest of what waits happened, entry or photo, Unix milliseconds.
    pub oldest_unsent_ms: Option<i64>,
    /// The last time the hub answered with something true, Unix milliseconds.
    pub last_contact_ms: Option<i64>,
    /// When the next retry is due, Unix milliseconds.
    pub next_retry_ms: Option<i64>,
    /// What holds the queue, if anything does.
    pub blocking: Option<Blocking>,
    /// Entries that the hub did not accept. They hold up nothing; see `wedgedEntries`.
    pub wedged_entries: u64,
    /// Receipts that were forged, for another device or for unknown hashes.
    pub receipt_alarms: u64,
    /// Answers of the hub that contradict what it showed before; what proves it is kept.
    pub hub_contradictions: u64,
}

/// What went into an export file.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ExportReport {
    /// Entries without a receipt.
    pub entries: u64,
    /// Proofs without a receipt, besides the signatures and thumbnails that ride with their entries.
    pub proofs: u64,
    /// Size of the file.
    pub bytes: u64,
    /// Places of this phone's log that went bad and could not be repaired, for want of space or because the row itself is
    /// damaged. What they say is only on this phone; everything else is in the file.
    pub left_open: Vec<i64>,
    /// Proofs without a receipt whose bytes could not be read: they are not in the file.
    pub left_out_proofs: u64,
}

impl From<status::ExportReport> for ExportReport {
    fn from(report: status::ExportReport) -> Self {
        Self {
            entries: report.entries,
            proofs: report.proofs,
            bytes: report.bytes,
            left_open: report.left_open,
            left_out_proofs: report.left_out_proofs,
        }
    }
}

impl From<status::Enrolment> for Enrolment {
    fn from(enrolment: status::Enrolment) -> Self {
        match enrolment {
            status::Enrolment::None => Self::Absent,
            status::Enrolment::Pending => Self::Pending,
            status::Enrolment::Enrolled {
                device_id,
                courier_name,
            } => Self::Enrolled {
                device_id: device_id.to_string(),
                courier_name,
            },
            status::Enrolment::Refused => Self::Refused,
        }
    }
}

impl From<Task> for SyncTask {
    fn from(task: Task) -> Self {
        match task {
            Task::Http(task) => Self::Http { task: task.into() },
            Task::Wait { until_ms, why } => Self::Wait {
                until_ms,
                reason: why,
            },
            Task::Done => Self::Done,
        }
    }
}

impl From<task::HttpTask> for HttpTask {
    fn from(task: task::HttpTask) -> Self {
        Self {
            id: task.id,
            purpose: task.purpose,
            upload: task.upload.map(|part| UploadPart {
                from_bytes: part.from_bytes,
                size_bytes: part.size_bytes,
            }),
            method: task.method.to_owned(),
            url: task.url,
            headers: task
                .headers
                .into_iter()
                .map(|(name, value)| HttpHeader { name, value })
                .collect(),
            body: task.body,
            max_answer_bytes: count(task.max_answer_bytes),
        }
    }
}

impl From<TaskOutcome> for task::TaskOutcome {
    fn from(outcome: TaskOutcome) -> Self {
        match outcome {
            TaskOutcome::Answered { answer } => Self::Response {
                status: answer.status,
                headers: answer
                    .headers
                    .into_iter()
                    .map(|header| (header.name, header.value))
                    .collect(),
                body: answer.body,
            },
            TaskOutcome::Failed => Self::Failed,
        }
    }
}

impl From<status::SyncStatus> for SyncStatus {
    fn from(status: status::SyncStatus) -> Self {
        Self {
            unsent_entries: status.unsent_entries,
            unsent_proofs: status.unsent_proofs,
            unsent_bytes: status.unsent_bytes,
            lost_proofs: status.lost_proofs,
            held_back_proofs: status.held_back_proofs,
            held_back_bytes: status.held_back_bytes,
            stops_unknown_to_hub: status.stops_unknown_to_hub,
            oldest_unsent_ms: status.oldest_unsent_ms,
            last_contact_ms: status.last_contact_ms,
            next_retry_ms: status.next_retry_ms,
            blocking: status.blocking,
            wedged_entries: status.wedged_entries,
            receipt_alarms: status.receipt_alarms,
            hub_contradictions: status.hub_contradictions,
        }
    }
}
