//! The sync loop's two calls. The host does the HTTP; everything it needs to know is in the task.

use std::sync::atomic::Ordering;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};

use satchel_protocol::batch::Form;
use satchel_protocol::crypto;

use super::answered::Answer;
use super::{Courier, Keys};
use crate::clock::random;
use crate::error::{Error, Result};
use crate::limits;
use crate::model::status::{Blocking, SyncStatus};
use crate::store::phone::Stage;
use crate::store::{entries, lost, phone, proofs, stops, watch, wedged};
use crate::sync::engine::{Ask, Job, Lane};
use crate::sync::requests::{self, Draft};
use crate::sync::task::{HttpTask, Network, Task, TaskOutcome, WaitReason};

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
        if self.wipe_ordered() {
            return Ok(Task::Done);
        }
        self.renew_log_key();
        if network == Network::Offline {
            return Ok(Task::Wait {
                until_ms: None,
                why: WaitReason::Offline,
            });
        }
        for lane in Lane::ALL {
            if !self.engine().claim(lane, now_ms) {
                continue;
            }
            let mut claim = Claim {
                courier: self,
                lane: Some(lane),
            };
            if let Some((job, draft)) = self.pick(lane, &keys, (network, now_ms))? {
                let task = self.issue(&keys, job, draft, now_ms)?;
                claim.lane = None;
                return Ok(Task::Http(task));
            }
        }
        if self.noted.swap(false, Ordering::Relaxed) {
            // It goes to the hub like everything else.
            return self.next_task(network);
        }
        self.settle_past(false);
        if let Err(error) = self.db.shorten_log() {
            tracing::debug!(%error, "the store's log stays long");
        }
        let engine = self.engine();
        let retry_ms = engine.next_retry_ms(now_ms);
        let wall = |at_ms: i64| self.env.clock.wall_ms() + (at_ms - now_ms);
        Ok(match (retry_ms, engine.busy()) {
            (_, true) => Task::Wait {
                until_ms: engine
                    .next_expiry_ms()
                    .into_iter()
                    .chain(retry_ms)
                    .min()
                    .map(wall),
                why: WaitReason::InFlight,
            },
            (Some(at_ms), false) => Task::Wait {
                until_ms: Some(wall(at_ms)),
                why: WaitReason::Retry,
            },
            (None, false) if keys.waits_for_hardware() => Task::Wait {
                until_ms: None,
                why: WaitReason::InFlight,
            },
            (None, false) => Task::Done,
        })
    }

    /// Takes what came of a task. An id that is unknown or completed before is harmless.
    ///
    /// # Errors
    /// Only those of the store; then the answer was not applied and will be asked for again.
    pub fn complete_task(&self, id: &str, outcome: TaskOutcome) -> Result<()> {
        let Some(flight) = self.engine().answer(id) else {
            return Ok(());
        };
        let _lane = Answering { courier: self, id };
        let Some(keys) = self.keys().clone() else {
            return Ok(());
        };
        let answer = match outcome {
            TaskOutcome::Failed => {
                self.failed(&flight.job, Blocking::Network, None)?;
                self.engine().hub_missed(flight.job.lane());
                return Ok(());
            }
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
        match &applied {
            Ok(()) => {}
            // The outcome counts as unknown and is asked for again, at once after a resume and with
            // patience when the store refused (a full disk).
            Err(Error::Paused | Error::Closed) => self.engine().unknown_outcome(&flight.job),
            Err(_) => self.failed(&flight.job, Blocking::BadAnswer, None)?,
        }
        if answer.is_hub_down() {
            self.engine().hub_missed(flight.job.lane());
        } else if answer.is_hubs_refusal() {
            self.engine().hub_met();
        }
        applied
    }

    /// The network is back or the courier asked: retry what waits, and read the feed. Where the hub asked to be left
    /// alone for a while, that is passed once in [`limits::TOLD_WAIT_PASSED_EVERY_MS`], however often this is called.
    pub fn request_sync(&self) {
        self.look_again();
        let now_ms = self.boot_ms();
        self.engine().retry_now(now_ms);
    }

    /// Whether photos may go up where that costs the courier money. Without it they wait for a network that
    /// costs nothing, unless the hub asks for one; entries, signatures and thumbnails never wait.
    ///
    /// # Errors
    /// Only those of the store.
    pub fn set_photos_on_metered(&self, on: bool) -> Result<()> {
        self.db.write(|tx| phone::set_photos_on_metered(tx, on))
    }

    /// Whether photos may go up where that costs money.
    ///
    /// # Errors
    /// Only those of the store.
    pub fn photos_on_metered(&self) -> Result<bool> {
        self.db.read(phone::photos_on_metered)
    }

    /// A push message says that there is news: the next task reads the feed. What the message says besides
    /// is not believed.
    pub fn feed_hint(&self) {
        self.engine().feed_hint();
    }

    /// A request that the hub answers when there is news, for an app that is in front: send it from a thread
    /// of its own beside the loop of [`Courier::next_task`], which it does not hold up. The hub answers
    /// after half a minute at the latest.
    ///
    /// # Errors
    /// As [`Courier::next_task`].
    pub fn poll_task(&self, network: Network) -> Result<Task> {
        let now_ms = self.boot_ms();
        self.engine().expire(now_ms);
        let keys = self.keys().clone().filter(|k| k.stage == Stage::Enrolled);
        let Some(keys) = keys else {
            return Ok(Task::Done);
        };
        if self.wipe_ordered() {
            return Ok(Task::Done);
        }
        let wait = |until_ms, why| Task::Wait { until_ms, why };
        if network == Network::Offline {
            return Ok(wait(None, WaitReason::Offline));
        }
        let rest_ms = self.engine().polls_rest(now_ms);
        if rest_ms.is_some() || !self.engine().claim(Lane::Feed, now_ms) {
            let free_ms = || self.engine().lane_free_ms(Lane::Feed, now_ms);
            let at_ms = rest_ms.unwrap_or_else(free_ms);
            let wall_ms = self.env.clock.wall_ms() + (at_ms - now_ms);
            return Ok(wait(Some(wall_ms), WaitReason::InFlight));
        }
        let mut claim = Claim {
            courier: self,
            lane: Some(Lane::Feed),
        };
        let cursor = self.db.read(phone::feed_cursor)?;
        let (cursor, policy_at_ms) = (cursor.as_deref(), self.policy_at_ms());
        // What sees whether the hub is back is to be answered at once: the others wait for it.
        let (job, draft) = match self.engine().hub_is_away() {
            true => (
                Job::PullFeed,
                requests::pull_feed(&keys, cursor, policy_at_ms),
            ),
            false => (
                Job::PollFeed,
                requests::poll_feed(&keys, cursor, policy_at_ms),
            ),
        };
        let task = self.issue(&keys, job, draft, now_ms)?;
        claim.lane = None;
        Ok(Task::Http(task))
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
            let log = entries::waiting(conn)?;
            let proofs = proofs::unsent(conn)?;
            let facts = phone::sync_facts(conn)?;
            let (held_back_proofs, held_back_bytes) = match phone::photos_on_metered(conn)? {
                true => (0, 0),
                false => proofs::held_back(conn)?,
            };
            Ok(SyncStatus {
                lost_proofs: lost::count(conn)?,
                held_back_proofs,
                held_back_bytes,
                stops_unknown_to_hub: stops::unknown_to_hub(conn)?,
                unsent_entries: log.count,
                unsent_proofs: proofs.count,
                unsent_bytes: log.bytes + proofs.bytes,
                oldest_unsent_ms: [log.oldest_ms, proofs.oldest_ms]
                    .into_iter()
                    .flatten()
                    .min(),
                last_contact_ms: facts.last_contact_ms,
                next_retry_ms: next_retry_ms.map(|at| wall_ms + (at - now_ms)),
                blocking,
                wedged_entries: wedged::count(conn)?,
                receipt_alarms: facts.receipt_alarms,
                hub_contradictions: watch::faults(conn)?,
            })
        })
    }

    pub(super) fn boot_ms(&self) -> i64 {
        self.env.clock.boottime_ns() / 1_000_000
    }

    fn pick(
        &self,
        lane: Lane,
        keys: &Keys,
        (network, now_ms): (Network, i64),
    ) -> Result<Option<(Job, Draft)>> {
        match (lane, keys.stage) {
            // It waits for the hardware's signature.
            (Lane::Enrol, Stage::Pending) if keys.waits_for_hardware() => Ok(None),
            (Lane::Enrol, Stage::Pending) => {
                let job = Job::Enrol {
                    device: keys.device,
                };
                Ok(Some((job, requests::enrol(keys)?)))
            }
            (Lane::Log, Stage::Enrolled) => {
                let (ask, batch_bytes, form) = {
                    let engine = self.engine();
                    (engine.ask(), engine.pace.batch_bytes(), engine.form())
                };
                if ask == Ask::No {
                    return self.pick_batch(keys, batch_bytes, form);
                }
                self.db.read(|conn| {
                    if entries::head(conn)?.seq == 0 {
                        return Ok(None);
                    }
                    let received = entries::received_head(conn)?;
                    let after = match ask {
                        Ask::All { after, .. } => after,
                        Ask::Recheck => (received - limits::RECHECK_ENTRIES).max(0),
                        Ask::Unknown | Ask::No => received,
                    };
                    let job = Job::AskLog { asked: ask };
                    Ok(Some((job, requests::ask_log(conn, keys, after)?)))
                })
            }
            (Lane::Feed, Stage::Enrolled) if self.engine().feed_due(now_ms) => {
                let cursor = self.db.read(phone::feed_cursor)?;
                Ok(Some((
                    Job::PullFeed,
                    requests::pull_feed(keys, cursor.as_deref(), self.policy_at_ms()),
                )))
            }
            (Lane::Escrow, Stage::Enrolled) => Ok(self.escrow_unsent().map(|blob| {
                let hash = crypto::sha256(&[&blob]);
                (Job::Escrow { hash }, requests::escrow(keys, blob))
            })),
            (Lane::Proof, Stage::Enrolled) => self.pick_proof(keys, network, now_ms),
            _ => Ok(None),
        }
    }

    fn pick_batch(
        &self,
        keys: &Keys,
        batch_bytes: usize,
        form: Form,
    ) -> Result<Option<(Job, Draft)>> {
        let push = self
            .db
            .read(|conn| requests::push_log(conn, keys, (batch_bytes, form)))?;
        let Some(push) = push else {
            return Ok(None);
        };
        let noted = self.engine().pace.begins(push.size_bytes);
        if let Some(next) = noted {
            self.note_pace(Some(next));
        }
        let job = Job::PushLog {
            up_to: push.up_to,
            size_bytes: push.size_bytes,
            form,
        };
        Ok(Some((job, push.draft)))
    }

    /// Notes how large the first batch of the next process may be. A store that has no room for that does not keep a
    /// record from going up.
    pub(super) fn note_pace(&self, first_batch_bytes: Option<usize>) {
        let noted = self
            .db
            .write(|tx| phone::set_first_batch_bytes(tx, first_batch_bytes));
        if let Err(error) = noted {
            tracing::debug!(%error, "the pace of the line is not noted");
        }
    }

    fn issue(&self, keys: &Keys, job: Job, mut draft: Draft, now_ms: i64) -> Result<HttpTask> {
        let nonce: [u8; 12] = random(&*self.env.entropy)?;
        if keys.stage == Stage::Enrolled {
            let offset_ms = self.db.read(phone::sync_facts)?.hub_offset_ms;
            let hub_ms = self.env.clock.wall_ms().saturating_add(offset_ms);
            // A clock before 1970 is told its time by the hub like any other wrong clock.
            let key = keys.request_key(self.engine().key_doubted());
            let created_s = hub_ms.div_euclid(1_000).max(0);
            draft.sign((keys.device, key), created_s, &nonce)?;
        }
        let session = HEXLOWER.encode(&random::<4>(&*self.env.entropy)?);
        let nonce = BASE64URL_NOPAD.encode(&nonce);
        let id = self.engine().issue(&session, job, nonce, now_ms);
        Ok(HttpTask {
            id,
            purpose: draft.purpose,
            upload: draft.upload,
            method: draft.method,
            url: draft.url,
            headers: draft.headers,
            body: draft.body,
            max_answer_bytes: draft.max_answer_bytes,
        })
    }

    pub(super) fn failed(
        &self,
        job: &Job,
        blocking: Blocking,
        retry_after_ms: Option<i64>,
    ) -> Result<()> {
        let [jitter] = random(&*self.env.entropy)?;
        let now_ms = self.boot_ms();
        self.engine()
            .failed(job, blocking, now_ms, retry_after_ms, jitter);
        Ok(())
    }
}

/// A lane taken by one thread; given back when the thread finds nothing to send or fails.
struct Claim<'a> {
    courier: &'a Courier,
    lane: Option<Lane>,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if let Some(lane) = self.lane {
            self.courier.engine().release(lane);
        }
    }
}

/// An answer being applied; its lane is free again when that is done, however it ends.
struct Answering<'a> {
    courier: &'a Courier,
    id: &'a str,
}

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.courier.engine().finish(self.id);
    }
}
