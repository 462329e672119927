//! The sync loop's two calls. The host does the HTTP; everything it needs to know is in the task.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use satchel_protocol::api::{ErrorCode, STATUS_CHECKSUM_MISMATCH};
use satchel_protocol::attempt::EnrolledBody;
use satchel_protocol::crypto;
use satchel_protocol::entry::EntryKind;

use super::{Courier, Keys};
use crate::clock::random;
use crate::error::{Error, Result};
use crate::evidence::log::Fact;
use crate::model::status::{Blocking, SyncStatus};
use crate::store::phone::Stage;
use crate::store::proofs::ProofRow;
use crate::store::{attempts, entries, phone, proofs};
use crate::sync::answers::{self, Useless};
use crate::sync::engine::{InFlight, Job, Lane, Step};
use crate::sync::requests::{self, Draft};
use crate::sync::task::{HttpTask, Network, Task, TaskOutcome, WaitReason};

/// An answer as the host gave it.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    fn offset(&self) -> Option<u64> {
        answers::header(&self.headers, "upload-offset")?
            .parse()
            .ok()
    }
}

impl Courier {
    /// What the host should do next. Call it in a loop until it says [`Task::Done`] or
    /// [`Task::Wait`]; several threads may share the loop.
    ///
    /// # Errors
    /// Only those of the store and of missing randomness; the network's troubles are never errors.
    pub fn next_task(&self, network: Network) -> Result<Task> {
        let now_ms = self.boot_ms();
        self.engine().expire(now_ms);
        let Some(keys) = self.keys().clone() else {
            return Ok(Task::Done);
        };
        if network == Network::Offline {
            return Ok(Task::Wait {
                until_ms: None,
                why: WaitReason::Offline,
            });
        }
        for lane in Lane::ALL {
            if !self.engine().lane_free(lane, now_ms) {
                continue;
            }
            if let Some((job, draft)) = self.pick(lane, &keys, now_ms)? {
                return self.issue(&keys, job, draft, now_ms).map(Task::Http);
            }
        }
        let engine = self.engine();
        Ok(
            match (engine.next_retry_ms(now_ms), engine.any_in_flight()) {
                (_, true) => Task::Wait {
                    until_ms: None,
                    why: WaitReason::InFlight,
                },
                (Some(at), false) => Task::Wait {
                    until_ms: Some(self.env.clock.wall_ms() + (at - now_ms)),
                    why: WaitReason::Retry,
                },
                (None, false) => Task::Done,
            },
        )
    }

    /// Takes what came of a task. An id that is unknown or completed before is harmless.
    ///
    /// # Errors
    /// Only those of the store; then the answer was not applied and will be asked for again.
    pub fn complete_task(&self, id: &str, outcome: TaskOutcome) -> Result<()> {
        let Some(flight) = self.engine().take(id) else {
            return Ok(());
        };
        let Some(keys) = self.keys().clone() else {
            return Ok(());
        };
        let answer = match outcome {
            TaskOutcome::Failed => return self.failed(&flight.job, Blocking::Network, None),
            TaskOutcome::Response {
                status,
                headers,
                body,
            } => Answer {
                status,
                headers,
                body,
            },
        };
        let applied = self.apply(&keys, &flight, &answer);
        if applied.is_err() {
            // The store refused (a full disk): the outcome counts as unknown and is asked for again.
            self.failed(&flight.job, Blocking::BadAnswer, None)?;
        }
        applied
    }

    /// The network is back or the courier asked: retry what waits, and read the feed.
    pub fn request_sync(&self) {
        self.engine().retry_now();
    }

    /// The honest state of the queue.
    ///
    /// # Errors
    /// Only those of the store.
    pub fn sync_status(&self) -> Result<SyncStatus> {
        let now_ms = self.boot_ms();
        let (next_retry_ms, blocking) = {
            let engine = self.engine();
            (engine.next_retry_ms(now_ms), engine.blocking())
        };
        let wall_ms = self.env.clock.wall_ms();
        self.db.read(|conn| {
            let (unsent_entries, oldest_unsent_ms) = entries::unsent_count(conn)?;
            let (unsent_proofs, unsent_bytes) = proofs::unsent(conn)?;
            let facts = phone::sync_facts(conn)?;
            Ok(SyncStatus {
                unsent_entries,
                unsent_proofs,
                unsent_bytes,
                oldest_unsent_ms,
                last_contact_ms: facts.last_contact_ms,
                next_retry_ms: next_retry_ms.map(|at| wall_ms + (at - now_ms)),
                blocking,
                receipt_alarms: facts.receipt_alarms,
            })
        })
    }

    fn boot_ms(&self) -> i64 {
        self.env.clock.boottime_ns() / 1_000_000
    }

    fn pick(&self, lane: Lane, keys: &Keys, now_ms: i64) -> Result<Option<(Job, Draft)>> {
        match (lane, keys.stage) {
            (Lane::Enrol, Stage::Pending) => Ok(Some((Job::Enrol, requests::enrol(keys)?))),
            (Lane::Log, Stage::Enrolled) => {
                let ask = self.engine().ask_log();
                self.db.read(|conn| {
                    if entries::unsent(conn, 1)?.is_empty() {
                        return Ok(None);
                    }
                    if ask {
                        let after = entries::received_head(conn)?;
                        return Ok(Some((Job::AskLog, requests::ask_log(keys, after))));
                    }
                    Ok(requests::push_log(conn, keys)?.map(|draft| (Job::PushLog, draft)))
                })
            }
            (Lane::Feed, Stage::Enrolled) if self.engine().feed_due(now_ms) => {
                let cursor = self.db.read(phone::feed_cursor)?;
                Ok(Some((
                    Job::PullFeed,
                    requests::pull_feed(keys, cursor.as_deref()),
                )))
            }
            (Lane::Proof, Stage::Enrolled) => self.pick_proof(keys),
            _ => Ok(None),
        }
    }

    /// The next proof this phone can read. One that it cannot is set aside and stays visible as unsent.
    fn pick_proof(&self, keys: &Keys) -> Result<Option<(Job, Draft)>> {
        let rows = self.db.read(|conn| proofs::to_upload(conn, 64))?;
        for row in rows {
            if self.engine().is_parked(row.id) {
                continue;
            }
            let step = self.engine().step(row.id, row.started);
            let bytes = match step {
                Step::Create | Step::Resume { .. } => match self.proof_bytes(&row) {
                    Ok(bytes) => bytes,
                    Err(_) => {
                        tracing::error!(proof = %row.proof.hash, "a stored proof cannot be read");
                        self.engine().park(row.id);
                        continue;
                    }
                },
                Step::AskOffset | Step::AskReceipt => Vec::new(),
            };
            self.db.write(|tx| proofs::set_started(tx, row.id))?;
            let draft = requests::upload(keys, &row, step, &bytes);
            let job = Job::Proof {
                id: row.id,
                step,
                size_bytes: row.proof.size_bytes,
            };
            return Ok(Some((job, draft)));
        }
        Ok(None)
    }

    fn proof_bytes(&self, row: &ProofRow) -> Result<Vec<u8>> {
        if let Some(bytes) = &row.inline_bytes {
            return Ok(bytes.clone());
        }
        let attempt = self
            .db
            .read(|conn| attempts::get(conn, row.attempt))?
            .ok_or(Error::NotFound { what: "attempt" })?;
        Ok(self.blobs.get(&attempt.data_key, &row.proof.hash.0)?)
    }

    fn issue(&self, keys: &Keys, job: Job, mut draft: Draft, now_ms: i64) -> Result<HttpTask> {
        let nonce: [u8; 12] = random(&*self.env.entropy)?;
        if keys.stage == Stage::Enrolled {
            let offset_ms = self.db.read(phone::sync_facts)?.hub_offset_ms;
            let hub_ms = self.env.clock.wall_ms().saturating_add(offset_ms);
            draft.sign(keys, hub_ms.div_euclid(1_000), &nonce)?;
        }
        let session = HEXLOWER.encode(&random::<4>(&*self.env.entropy)?);
        let nonce = BASE64URL_NOPAD.encode(&nonce);
        let id = self.engine().issue(&session, job, nonce, now_ms);
        Ok(HttpTask {
            id,
            purpose: draft.purpose,
            method: draft.method,
            url: draft.url,
            headers: draft.headers,
            body: draft.body,
            max_answer_bytes: draft.max_answer_bytes,
        })
    }

    fn failed(&self, job: &Job, blocking: Blocking, retry_after_ms: Option<i64>) -> Result<()> {
        let [jitter] = random(&*self.env.entropy)?;
        let now_ms = self.boot_ms();
        self.engine()
            .failed(job, blocking, now_ms, retry_after_ms, jitter);
        Ok(())
    }

    fn apply(&self, keys: &Keys, flight: &InFlight, answer: &Answer) -> Result<()> {
        if let Some(done) = self.apply_refusal(keys, flight, answer)? {
            return Ok(done);
        }
        let result = match &flight.job {
            Job::Enrol => self.apply_enrolled(keys, answer)?,
            Job::AskLog | Job::PushLog => self.apply_log(keys, answer)?,
            Job::PullFeed => self.apply_feed(answer)?,
            Job::Proof {
                id,
                step,
                size_bytes,
            } => self.apply_upload(keys, answer, *id, *step, *size_bytes)?,
        };
        match result {
            Ok(()) => {
                self.engine().succeeded(flight.job.lane());
                let wall_ms = self.env.clock.wall_ms();
                self.db.write(|tx| phone::set_contact(tx, wall_ms))
            }
            Err(useless) => {
                if useless == Useless::ForgedReceipt {
                    tracing::warn!("a receipt does not verify");
                    self.db.write(|tx| phone::count_receipt_alarm(tx))?;
                }
                let retry = answers::retry_after_ms(&answer.headers);
                self.failed(&flight.job, Blocking::BadAnswer, retry)
            }
        }
    }

    /// Handles what the hub says in its error bodies. `Some` when the answer is dealt with.
    fn apply_refusal(&self, keys: &Keys, flight: &InFlight, answer: &Answer) -> Result<Option<()>> {
        if answer.ok() {
            return Ok(None);
        }
        let Some(error) = answers::error_body(&answer.body) else {
            return Ok(None);
        };
        let time = error
            .time
            .as_ref()
            .and_then(|t| t.verify(&keys.hub_key, &flight.nonce));
        if let (ErrorCode::ClockSkew, Some(hub_ms)) = (error.error, time) {
            let offset_ms = hub_ms.saturating_sub(self.env.clock.wall_ms());
            self.db.write(|tx| phone::set_hub_offset(tx, offset_ms))?;
            if self.engine().skew_corrected() {
                return Ok(Some(()));
            }
            return self
                .failed(&flight.job, Blocking::BadAnswer, None)
                .map(Some);
        }
        match (&flight.job, error.error, error.expected_seq) {
            (Job::Enrol, ErrorCode::BadCode, _) => {
                self.db.write(|tx| phone::save_refused(tx))?;
                self.load()?;
                Ok(Some(()))
            }
            (Job::PushLog, ErrorCode::LogGap, Some(expected)) => {
                // The hub has less than its receipts said, for example after a restore from a backup.
                // Then those entries are not there, and must not be shown as if they were.
                self.db.write(|tx| entries::unmark_from(tx, expected))?;
                self.engine().set_ask_log(true);
                self.failed(&flight.job, Blocking::BadAnswer, None)
                    .map(Some)
            }
            (_, code, _) if answers::needs_person(code) => {
                tracing::warn!(?code, "the hub refuses this phone");
                self.failed(&flight.job, Blocking::Refused, None).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn apply_enrolled(&self, keys: &Keys, answer: &Answer) -> Result<Result<(), Useless>> {
        if !answer.ok() {
            return Ok(Err(Useless::BadAnswer));
        }
        let enrolled = match answers::enrolled(&answer.body, keys) {
            Ok(enrolled) => enrolled,
            Err(useless) => return Ok(Err(useless)),
        };
        let fact = Fact {
            kind: EntryKind::ENROLLED,
            handle: None,
            blobs: vec![],
            body: EnrolledBody {
                device: keys.device,
                courier: enrolled.courier,
                certificate: crypto::sha256(&[&enrolled.certificate]),
            }
            .encode(),
            stop: None,
            occurred_at_ms: self.env.clock.wall_ms(),
        };
        self.db.write(|tx| {
            let name = &enrolled.courier_name;
            phone::save_enrolled(tx, enrolled.courier, name, &enrolled.certificate)?;
            self.pen(keys).append(tx, fact).map(|_| ())
        })?;
        self.load()?;
        // A phone that has just enrolled has sent nothing yet.
        self.engine().set_ask_log(false);
        Ok(Ok(()))
    }

    fn apply_log(&self, keys: &Keys, answer: &Answer) -> Result<Result<(), Useless>> {
        if !answer.ok() {
            return Ok(Err(Useless::BadAnswer));
        }
        let receipt = match answers::receipt(&answer.body, keys) {
            Ok(receipt) => receipt,
            Err(useless) => return Ok(Err(useless)),
        };
        self.db.write(|tx| answers::apply_receipt(tx, &receipt))?;
        self.engine().set_ask_log(false);
        Ok(Ok(()))
    }

    fn apply_feed(&self, answer: &Answer) -> Result<Result<(), Useless>> {
        if !answer.ok() {
            return Ok(Err(Useless::BadAnswer));
        }
        let page = match answers::feed_page(&answer.body) {
            Ok(page) => page,
            Err(useless) => return Ok(Err(useless)),
        };
        self.db.write(|tx| answers::apply_feed(tx, &page))?;
        let now_ms = self.boot_ms();
        self.engine().feed_read(now_ms, page.more);
        Ok(Ok(()))
    }

    fn apply_upload(
        &self,
        keys: &Keys,
        answer: &Answer,
        id: i64,
        step: Step,
        size_bytes: u64,
    ) -> Result<Result<(), Useless>> {
        let next = |step| {
            self.engine().set_step(id, step);
            Ok(Ok(()))
        };
        if answer.status == 404 && matches!(step, Step::AskOffset | Step::AskReceipt) {
            return next(Step::Create);
        }
        if answer.status == 409 {
            return next(Step::AskOffset);
        }
        if answer.status == STATUS_CHECKSUM_MISMATCH {
            // The hub has thrown the bytes away; pause before sending them all again.
            self.engine().set_step(id, Step::Create);
            return Ok(Err(Useless::BadAnswer));
        }
        if !answer.ok() {
            return Ok(Err(Useless::BadAnswer));
        }
        if !answer.body.is_empty() && step != Step::AskOffset {
            let receipt = match answers::receipt(&answer.body, keys) {
                Ok(receipt) => receipt,
                Err(useless) => return Ok(Err(useless)),
            };
            self.db.write(|tx| answers::apply_receipt(tx, &receipt))?;
            self.engine().forget_step(id);
            return Ok(Ok(()));
        }
        match answer.offset() {
            Some(offset) if offset >= size_bytes => next(Step::AskReceipt),
            Some(offset) => next(Step::Resume { offset }),
            None => Ok(Err(Useless::BadAnswer)),
        }
    }
}
