//! How the uploads of proofs get on, each by itself, and whose turn it is.
//!
//! One that the hub will not have stands behind the others: with its own clock alone it would be the first again as soon
//! as its lane may go, and the others would never get their turn.

use satchel_protocol::ids::Hash32;

use super::backoff::{delay_ms, shared_ms};
use super::{Engine, Lane, Step};
use crate::limits;
use crate::model::status::Blocking;

/// How one upload is getting on.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Upload {
    pub(super) step: Option<Step>,
    /// What the hub was last known to have of it.
    pub(super) offset: u64,
    /// The most that it ever had of it: only beyond that does an upload get on.
    highest: u64,
    /// How often the hub forgot what it had, since this upload last waited.
    begun_anew: u32,
    /// And in all.
    forgotten: u32,
    /// Requests since it last grew: a hub that sends the phone in circles is noticed.
    pub(super) steps_taken: u32,
    /// Answers in a row that were a failure of this one. Those that have none go first, then the one whose last is
    /// the longest ago: what the hub will not have is not the first again as soon as its lane may go.
    pub(super) failures: u32,
    pub(super) failed_at_ms: i64,
    pub(super) not_before_ms: i64,
}

/// What all photos wait for together: the folder they lie in.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Folder {
    failures: u32,
    pub(super) not_before_ms: i64,
}

/// Whose turn it is among proofs that may go, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// In its place by value.
    First,
    /// The hub would not have it, at this time.
    AfterOthers(i64),
}

impl Engine {
    /// Whether this proof may go now: readable, and not waiting for its own retry. And when the hub last would not
    /// have it, if it did not: others are before it then.
    pub(crate) fn upload_due(&self, proof: i64, now_ms: i64) -> Option<Due> {
        // Signatures lie in the store.
        if proof > 0 && self.folder.not_before_ms > now_ms {
            return None;
        }
        let Some(upload) = self.uploads.get(&proof) else {
            return Some(Due::First);
        };
        let is_due = upload.not_before_ms <= now_ms;
        is_due.then_some(match upload.failures {
            0 => Due::First,
            _ => Due::AfterOthers(upload.failed_at_ms),
        })
    }

    pub(crate) fn step(&self, proof: i64, started: bool) -> Step {
        let default = if started {
            Step::AskOffset
        } else {
            Step::Create
        };
        self.uploads
            .get(&proof)
            .and_then(|u| u.step)
            .unwrap_or(default)
    }

    pub(crate) fn set_step(&mut self, proof: i64, step: Step) {
        self.uploads.entry(proof).or_default().step = Some(step);
    }

    /// Goes on to `step`; `false` when this upload has taken so many steps that it leads nowhere.
    pub(crate) fn advance(&mut self, proof: i64, step: Step) -> bool {
        let upload = self.uploads.entry(proof).or_default();
        upload.step = Some(step);
        match step {
            Step::Resume { offset } if offset > upload.offset => {
                upload.steps_taken = 0;
                if offset >= upload.highest.saturating_add(limits::UPLOAD_GOT_ON_BYTES) {
                    // A cut that carried something is how a poor line works, not a failure of it.
                    upload.highest = offset;
                    upload.failures = 0;
                    if let Some(backoff) = self.backoff.get_mut(&Lane::Proof) {
                        backoff.failures = 0;
                    }
                }
                upload.offset = offset;
            }
            _ => {
                if step == Step::Create && upload.offset > 0 {
                    // What was there is gone: it grows from the beginning.
                    upload.offset = 0;
                    upload.begun_anew += 1;
                    upload.forgotten = upload.forgotten.saturating_add(1);
                    if upload.forgotten == 1 {
                        // A hub that was set back; one that goes on forgetting leads nowhere.
                        upload.highest = 0;
                    }
                }
                upload.steps_taken += 1;
            }
        }
        upload.steps_taken <= limits::MAX_UPLOAD_STEPS
            && upload.begun_anew <= limits::MAX_UPLOADS_ANEW
    }

    /// The folder of photos is away: one wait for all of them.
    pub(crate) fn photos_are_away(&mut self, now_ms: i64) {
        self.folder.failures = self.folder.failures.saturating_add(1);
        self.folder.not_before_ms = shared_ms(self.folder.failures + 1, now_ms);
    }

    /// A photo could be read.
    pub(crate) fn photos_are_read(&mut self) {
        self.folder = Folder::default();
    }

    /// This phone cannot read it now.
    pub(crate) fn upload_unreadable(&mut self, proof: i64, now_ms: i64) {
        let upload = self.uploads.entry(proof).or_default();
        upload.failures = upload.failures.saturating_add(1);
        upload.failed_at_ms = now_ms;
        upload.not_before_ms = shared_ms(upload.failures + 1, now_ms);
        upload.steps_taken = 0;
        upload.begun_anew = 0;
    }

    /// The hub answered, but will not have this one.
    pub(crate) fn upload_refused(
        &mut self,
        proof: i64,
        blocking: Blocking,
        now_ms: i64,
        jitter: u8,
    ) {
        let upload = self.uploads.entry(proof).or_default();
        upload.failures = upload.failures.saturating_add(1);
        upload.failed_at_ms = now_ms;
        // What the hub asked for holds the whole lane.
        upload.not_before_ms = now_ms + delay_ms(blocking, upload.failures + 1, jitter);
        upload.steps_taken = 0;
        upload.begun_anew = 0;
    }

    /// An upload has its receipt.
    pub(crate) fn uploaded(&mut self, proof: i64, hash: Hash32) {
        self.uploads.remove(&proof);
        self.arrived.insert(hash);
    }
}
