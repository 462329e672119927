//! Which request is next: lanes, retries, and what is in flight.
//!
//! Lanes keep a photo from ever holding up a record (B4-2): enrolment, the log, the feed and proofs
//! each have their own queue and their own retry clock. All state here may be lost at any time.

use std::collections::{HashMap, HashSet};

use crate::limits;
use crate::model::status::Blocking;

/// Requests of one lane are sent one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    Enrol,
    Log,
    Feed,
    Proof,
}

impl Lane {
    /// In the order of their worth.
    pub(crate) const ALL: [Self; 4] = [Self::Enrol, Self::Log, Self::Feed, Self::Proof];
}

/// What a request in flight was for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Job {
    Enrol,
    AskLog,
    PushLog,
    PullFeed,
    Proof {
        id: i64,
        step: Step,
        size_bytes: u64,
    },
}

impl Job {
    pub(crate) fn lane(&self) -> Lane {
        match self {
            Self::Enrol => Lane::Enrol,
            Self::AskLog | Self::PushLog => Lane::Log,
            Self::PullFeed => Lane::Feed,
            Self::Proof { .. } => Lane::Proof,
        }
    }
}

/// Where an upload stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing was sent: create it with its bytes in one request.
    Create,
    /// Something may have been sent: ask for the offset.
    AskOffset,
    /// Send the rest.
    Resume { offset: u64 },
    /// All bytes are there: ask for the receipt.
    AskReceipt,
}

#[derive(Debug, Clone)]
pub(crate) struct InFlight {
    pub(crate) job: Job,
    /// Nonce of the request's signature, which a signed hub time must name.
    pub(crate) nonce: String,
    issued_ms: i64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Backoff {
    failures: u32,
    not_before_ms: i64,
}

/// The volatile half of sync. Its clock is the boot-time clock in milliseconds.
#[derive(Debug)]
pub(crate) struct Engine {
    next_id: u64,
    in_flight: HashMap<String, InFlight>,
    backoff: HashMap<Lane, Backoff>,
    steps: HashMap<i64, Step>,
    parked: HashSet<i64>,
    ask_log: bool,
    feed_wanted: bool,
    last_feed_ms: Option<i64>,
    blocking: Option<Blocking>,
    /// Clock corrections in a row without a good answer between them.
    skew_corrections: u32,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            next_id: 0,
            in_flight: HashMap::new(),
            backoff: HashMap::new(),
            steps: HashMap::new(),
            parked: HashSet::new(),
            // A fresh process does not know what an earlier one had in flight.
            ask_log: true,
            feed_wanted: true,
            last_feed_ms: None,
            blocking: None,
            skew_corrections: 0,
        }
    }
}

impl Engine {
    /// Forgets tasks the host never completed; their lanes ask before sending again.
    pub(crate) fn expire(&mut self, now_ms: i64) {
        let lost: Vec<String> = self
            .in_flight
            .iter()
            .filter(|(_, f)| now_ms - f.issued_ms > limits::TASK_LOST_AFTER_MS)
            .map(|(id, _)| id.clone())
            .collect();
        for id in lost {
            if let Some(flight) = self.in_flight.remove(&id) {
                self.unknown_outcome(&flight.job);
            }
        }
    }

    /// Whether a request of this lane may go out now.
    pub(crate) fn lane_free(&self, lane: Lane, now_ms: i64) -> bool {
        !self.in_flight.values().any(|f| f.job.lane() == lane)
            && self
                .backoff
                .get(&lane)
                .is_none_or(|b| b.not_before_ms <= now_ms)
    }

    /// Registers a request and names it. `session` tells this process from an earlier one.
    pub(crate) fn issue(&mut self, session: &str, job: Job, nonce: String, now_ms: i64) -> String {
        self.next_id += 1;
        let id = format!("{session}-{}", self.next_id);
        self.in_flight.insert(
            id.clone(),
            InFlight {
                job,
                nonce,
                issued_ms: now_ms,
            },
        );
        id
    }

    /// Takes a request out of flight; `None` for an id that is unknown or already completed.
    pub(crate) fn take(&mut self, id: &str) -> Option<InFlight> {
        self.in_flight.remove(id)
    }

    pub(crate) fn any_in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }

    pub(crate) fn log_in_flight(&self) -> bool {
        self.in_flight.values().any(|f| f.job == Job::PushLog)
    }

    /// The answer was what was hoped for.
    pub(crate) fn succeeded(&mut self, lane: Lane) {
        self.backoff.remove(&lane);
        self.skew_corrections = 0;
        if self.backoff.is_empty() {
            self.blocking = None;
        }
    }

    /// No answer or a useless one: wait longer each time, with jitter so that ten thousand phones do
    /// not come back in the same second. `jitter` is uniform in 0..=255.
    pub(crate) fn failed(
        &mut self,
        job: &Job,
        blocking: Blocking,
        now_ms: i64,
        retry_after_ms: Option<i64>,
        jitter: u8,
    ) {
        self.unknown_outcome(job);
        self.blocking = Some(blocking);
        let backoff = self.backoff.entry(job.lane()).or_default();
        backoff.failures = backoff.failures.saturating_add(1);
        let base = match blocking {
            Blocking::Refused => limits::RETRY_REFUSED_MS,
            _ => limits::RETRY_FIRST_MS
                .saturating_mul(1 << backoff.failures.saturating_sub(1).min(16))
                .min(limits::RETRY_MAX_MS),
        };
        // Between half and the whole of the base.
        let delay = base / 2 + base / 2 * i64::from(jitter) / 255;
        backoff.not_before_ms = now_ms + delay.max(retry_after_ms.unwrap_or(0));
    }

    /// A clock correction was applied; three in a row mean it does not help.
    pub(crate) fn skew_corrected(&mut self) -> bool {
        self.skew_corrections += 1;
        self.skew_corrections <= 3
    }

    fn unknown_outcome(&mut self, job: &Job) {
        match job {
            Job::PushLog | Job::AskLog => self.ask_log = true,
            Job::Proof { id, .. } => {
                self.steps.insert(*id, Step::AskOffset);
            }
            Job::Enrol | Job::PullFeed => {}
        }
    }

    /// The next retry, if any lane waits for one.
    pub(crate) fn next_retry_ms(&self, now_ms: i64) -> Option<i64> {
        self.backoff
            .values()
            .map(|b| b.not_before_ms)
            .filter(|at| *at > now_ms)
            .min()
    }

    pub(crate) fn blocking(&self) -> Option<Blocking> {
        self.blocking
    }

    /// The network came back or the courier pulled to refresh: retries that wait for a network need
    /// not wait longer.
    pub(crate) fn retry_now(&mut self) {
        if self.blocking != Some(Blocking::Refused) {
            self.backoff.clear();
        }
        self.want_feed();
    }

    pub(crate) fn want_feed(&mut self) {
        self.feed_wanted = true;
    }

    pub(crate) fn feed_due(&self, now_ms: i64) -> bool {
        self.feed_wanted
            || self
                .last_feed_ms
                .is_none_or(|at| now_ms - at >= limits::FEED_POLL_MS)
    }

    pub(crate) fn feed_read(&mut self, now_ms: i64, more: bool) {
        self.feed_wanted = more;
        self.last_feed_ms = Some(now_ms);
    }

    pub(crate) fn ask_log(&self) -> bool {
        self.ask_log
    }

    pub(crate) fn set_ask_log(&mut self, ask: bool) {
        self.ask_log = ask;
    }

    pub(crate) fn step(&self, proof: i64, started: bool) -> Step {
        self.steps.get(&proof).copied().unwrap_or(if started {
            Step::AskOffset
        } else {
            Step::Create
        })
    }

    pub(crate) fn set_step(&mut self, proof: i64, step: Step) {
        self.steps.insert(proof, step);
    }

    pub(crate) fn forget_step(&mut self, proof: i64) {
        self.steps.remove(&proof);
    }

    /// Sets a proof aside that this phone itself cannot read; the others go on.
    pub(crate) fn park(&mut self, proof: i64) {
        self.parked.insert(proof);
    }

    pub(crate) fn is_parked(&self, proof: i64) -> bool {
        self.parked.contains(&proof)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_grow_to_a_bound_and_honour_retry_after() {
        let mut engine = Engine::default();
        let mut delays = Vec::new();
        for _ in 0..20 {
            engine.failed(&Job::PullFeed, Blocking::Network, 0, None, 255);
            delays.push(engine.next_retry_ms(0).unwrap());
        }
        assert_eq!(delays[0], limits::RETRY_FIRST_MS);
        assert!(delays.windows(2).all(|w| w[0] <= w[1]));
        assert_eq!(*delays.last().unwrap(), limits::RETRY_MAX_MS);
        engine.failed(&Job::PullFeed, Blocking::BadAnswer, 0, Some(3_600_000), 0);
        assert_eq!(engine.next_retry_ms(0), Some(3_600_000));
    }

    #[test]
    fn a_failed_photo_does_not_hold_up_the_log() {
        let mut engine = Engine::default();
        let photo = Job::Proof {
            id: 1,
            step: Step::Create,
            size_bytes: 9,
        };
        engine.failed(&photo, Blocking::Network, 0, None, 0);
        assert!(!engine.lane_free(Lane::Proof, 0));
        assert!(engine.lane_free(Lane::Log, 0));
        assert_eq!(engine.step(1, false), Step::AskOffset);
    }

    #[test]
    fn a_task_the_host_lost_is_handed_out_again_after_asking() {
        let mut engine = Engine::default();
        engine.set_ask_log(false);
        let id = engine.issue("s", Job::PushLog, String::new(), 0);
        assert!(!engine.lane_free(Lane::Log, 1));
        engine.expire(limits::TASK_LOST_AFTER_MS + 1);
        assert!(engine.lane_free(Lane::Log, limits::TASK_LOST_AFTER_MS + 1));
        assert!(engine.ask_log());
        assert!(engine.take(&id).is_none());
    }
}
