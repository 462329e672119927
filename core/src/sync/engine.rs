//! Which request is next: lanes, retries, and what is in flight.
//!
//! Lanes keep a photo from ever holding up a record (B4-2): enrolment, the log, the feed and proofs
//! each have their own queue and their own retry clock. Inside the proof lane each proof has its own
//! clock too, so that one the hub will not take does not hold up the rest. All state here may be lost
//! at any time.

mod asking;
mod backoff;
mod circuit;
mod feed;
mod forms;
mod job;
mod uploads;

use std::collections::{HashMap, HashSet};

use super::pace::Pace;
use crate::limits;
use crate::model::status::Blocking;
use backoff::Backoff;
use circuit::Circuit;
use feed::CatchingUp;
use satchel_protocol::batch::Form;
use satchel_protocol::ids::Hash32;

pub(crate) use job::{Ask, Job, Lane, Step};
pub(crate) use uploads::Due;
use uploads::{Folder, Upload};

#[derive(Debug, Clone)]
pub(crate) struct InFlight {
    pub(crate) job: Job,
    /// Nonce of the request's signature, which a signed hub time must name.
    pub(crate) nonce: String,
    pub(crate) issued_ms: i64,
    /// How often the hub had turned out to be set back by then.
    pub(crate) set_backs: u64,
    /// Its answer is being applied; until that is done its lane sends nothing else.
    answered: bool,
}

/// How much more of a proof goes into a request than of the log: less hangs on it, and each costs a round trip.
const PART_BATCHES: usize = 4;

/// The volatile half of sync. Its clock is the boot-time clock in milliseconds.
#[derive(Debug)]
pub(crate) struct Engine {
    next_id: u64,
    in_flight: HashMap<String, InFlight>,
    /// Lanes for which a thread is choosing a request right now.
    claimed: HashSet<Lane>,
    backoff: HashMap<Lane, Backoff>,
    circuit: Circuit,
    uploads: HashMap<i64, Upload>,
    folder: Folder,
    ask: Ask,
    /// How often something said that everything is to be looked at.
    looks: u32,
    /// And since a look last came to its end.
    looks_without_end: u32,
    pub(crate) pace: Pace,
    /// The same of the proofs' lane.
    pub(crate) proof_pace: Pace,
    /// How batches are written: what the hub was last heard to take.
    form: Form,
    /// The leanest that it has not refused in spite of that.
    leanest: Form,
    /// Batches in a row that somebody refused in words that are not the hub's, while it answered questions.
    batches_refused: u32,
    feed_wanted: bool,
    last_feed_ms: Option<i64>,
    catching_up: CatchingUp,
    polls_rest_ms: i64,
    /// Requests for news in a row that did not have to wait.
    quick_polls: u32,
    /// Not before then may somebody pass a wait that was asked for.
    pass_again_ms: i64,
    /// From when on what was too large for a network is forgotten once more when another one may be there.
    try_larger_ms: i64,
    /// Clock corrections in a row without a good answer between them.
    skew_corrections: u32,
    /// Refused signatures in a row, while there are two keys it could be.
    refused_signatures: u32,
    /// The hub enrols only phones with a hardware key.
    needs_hardware: bool,
    /// Proofs receipted since the hub was last asked what it holds: the answer may be older than they are.
    arrived: HashSet<Hash32>,
    /// A lane is held because the hub knew no key of this phone.
    refused_for_key: bool,
    /// How often the hub turned out to be set back. What was sent before that may be answered by the hub that is gone.
    set_backs: u64,
    /// The server gives uploads names of its own.
    names_uploads: bool,
    /// The hub takes uploads that are signed leaner.
    lean: bool,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            next_id: 0,
            in_flight: HashMap::new(),
            claimed: HashSet::new(),
            backoff: HashMap::new(),
            circuit: Circuit::default(),
            uploads: HashMap::new(),
            folder: Folder::default(),
            // A fresh process does not know what an earlier one had in flight, nor whether the hub still
            // has what it had.
            ask: Ask::Recheck,
            looks: 0,
            looks_without_end: 0,
            pace: Pace::default(),
            proof_pace: Pace::default(),
            form: Form::default(),
            leanest: Form::Lean,
            batches_refused: 0,
            feed_wanted: true,
            last_feed_ms: None,
            catching_up: CatchingUp::default(),
            polls_rest_ms: 0,
            quick_polls: 0,
            pass_again_ms: i64::MIN,
            try_larger_ms: i64::MIN,
            skew_corrections: 0,
            refused_signatures: 0,
            needs_hardware: false,
            arrived: HashSet::new(),
            set_backs: 0,
            refused_for_key: false,
            names_uploads: false,
            lean: false,
        }
    }
}

impl Engine {
    /// One that begins with batches of this size.
    pub(crate) fn at(pace: Pace) -> Self {
        Self {
            pace,
            ..Self::default()
        }
    }

    /// Forgets tasks the host never completed; their lanes ask before sending again.
    pub(crate) fn expire(&mut self, now_ms: i64) {
        let lost: Vec<String> = self
            .in_flight
            .iter()
            .filter(|(_, f)| !f.answered && now_ms - f.issued_ms > limits::TASK_LOST_AFTER_MS)
            .map(|(id, _)| id.clone())
            .collect();
        for id in lost {
            if let Some(flight) = self.in_flight.remove(&id) {
                self.unknown_outcome(&flight.job);
                self.lost(&flight.job, Blocking::Network);
            }
        }
    }

    /// Takes a lane for the caller alone if a request of it may go out now. It ends with
    /// [`Engine::issue`] or [`Engine::release`].
    pub(crate) fn claim(&mut self, lane: Lane, now_ms: i64) -> bool {
        let free = !self.in_flight.values().any(|f| f.job.lane() == lane)
            && self.waits_until_ms(lane) <= now_ms
            && (self.goes_alone(lane) || !self.others_at_work(lane));
        free && self.claimed.insert(lane)
    }

    fn waits_until_ms(&self, lane: Lane) -> i64 {
        self.backoff
            .get(&lane)
            .map_or(0, |b| b.not_before_ms.max(self.circuit.not_before_ms()))
    }

    /// Whether a lane need not care for what others are doing. While the hub is away, one request at a time sees
    /// whether it is back. A lane that did not fail itself does not wait for that: what fails may be theirs alone, and a
    /// photo never holds up a record (B4-2).
    fn goes_alone(&self, lane: Lane) -> bool {
        !self.hub_is_away() || !self.backoff.contains_key(&lane)
    }

    /// Whether a request of another lane is on its way, or is being chosen, that this one waits for while the hub is
    /// away. A part of a photo may take a minute, and a record does not wait for it (B4-2).
    fn others_at_work(&self, lane: Lane) -> bool {
        let counts = |other: Lane| lane != Lane::Log || other != Lane::Proof;
        self.lanes_at_work().any(counts)
    }

    pub(crate) fn hub_is_away(&self) -> bool {
        self.circuit.is_open()
    }

    /// No hub answered the last request of this lane, whose failure is counted already. A photo that fails does not put
    /// off when the log asks.
    pub(crate) fn hub_missed(&mut self, lane: Lane) {
        let Some(own) = self.backoff.get(&lane) else {
            return;
        };
        let log = self.backoff.get(&Lane::Log).filter(|_| lane == Lane::Proof);
        let again_ms = match log {
            Some(log) => own.not_before_ms.min(log.not_before_ms),
            None => own.not_before_ms,
        };
        self.circuit.missed(again_ms);
    }

    /// The hub is there, whatever it says.
    pub(crate) fn hub_met(&mut self) {
        self.circuit.met();
    }

    /// Gives a claimed lane back unused.
    pub(crate) fn release(&mut self, lane: Lane) {
        self.claimed.remove(&lane);
    }

    /// Registers a request and names it. `session` tells this process from an earlier one.
    pub(crate) fn issue(&mut self, session: &str, job: Job, nonce: String, now_ms: i64) -> String {
        self.next_id += 1;
        let id = format!("{session}-{}", self.next_id);
        self.claimed.remove(&job.lane());
        if matches!(job, Job::AskLog { .. }) {
            self.arrived.clear();
        }
        self.in_flight.insert(
            id.clone(),
            InFlight {
                job,
                nonce,
                issued_ms: now_ms,
                set_backs: self.set_backs,
                answered: false,
            },
        );
        id
    }

    /// Takes the answer of a request; `None` for an id that is unknown or already answered. The
    /// request keeps its lane until [`Engine::finish`]: what the answer changes must be stored before
    /// another thread chooses what to send.
    pub(crate) fn answer(&mut self, id: &str) -> Option<InFlight> {
        let flight = self.in_flight.get_mut(id).filter(|f| !f.answered)?;
        flight.answered = true;
        Some(flight.clone())
    }

    /// The answer is applied.
    pub(crate) fn finish(&mut self, id: &str) {
        self.in_flight.remove(id);
    }

    /// A message from outside says there is news: read it, unless the hub asked to be left alone or only a person
    /// can lift what holds the lane.
    pub(crate) fn feed_hint(&mut self) {
        if let Some(backoff) = self.backoff.get_mut(&Lane::Feed) {
            backoff.hurry();
        }
        self.probe_when_told();
        self.want_feed();
    }

    /// No request for news before then: a hub that does not know how to wait is not asked in a circle.
    pub(crate) fn rest_polls(&mut self, until_ms: i64) {
        self.polls_rest_ms = until_ms;
    }

    /// A request for news was answered, `at_once` or after it had waited. `false`: too many at once in a row.
    pub(crate) fn polled(&mut self, at_once: bool) -> bool {
        self.quick_polls = match at_once {
            true => self.quick_polls.saturating_add(1),
            false => 0,
        };
        self.quick_polls <= limits::MAX_QUICK_POLLS
    }

    /// Whether a request for news has to wait, and until when.
    pub(crate) fn polls_rest(&self, now_ms: i64) -> Option<i64> {
        (self.polls_rest_ms > now_ms).then_some(self.polls_rest_ms)
    }

    /// When a lane that is not free now is to be asked for again.
    pub(crate) fn lane_free_ms(&self, lane: Lane, now_ms: i64) -> i64 {
        self.waits_until_ms(lane)
            .max(now_ms + limits::RETRY_FIRST_MS)
    }

    /// When the oldest request in flight counts as lost, if one is in flight.
    pub(crate) fn next_expiry_ms(&self) -> Option<i64> {
        self.in_flight
            .values()
            .map(|f| f.issued_ms + limits::TASK_LOST_AFTER_MS + 1)
            .min()
    }

    /// Whether another thread holds a request or is choosing one. One that waits for news holds up nothing.
    pub(crate) fn busy(&self) -> bool {
        self.lanes_at_work().next().is_some()
    }

    /// Lanes with a request on its way or being chosen.
    fn lanes_at_work(&self) -> impl Iterator<Item = Lane> {
        let works = |f: &&InFlight| f.job != Job::PollFeed;
        let in_flight = self.in_flight.values().filter(works);
        in_flight
            .map(|f| f.job.lane())
            .chain(self.claimed.iter().copied())
    }

    /// The last entry being sent right now.
    pub(crate) fn sending_up_to(&self) -> Option<i64> {
        self.in_flight.values().find_map(|f| match f.job {
            Job::PushLog { up_to, .. } => Some(up_to),
            _ => None,
        })
    }

    /// The answer was what was hoped for.
    pub(crate) fn succeeded(&mut self, lane: Lane) {
        self.backoff.remove(&lane);
        self.hub_met();
        self.key_is_known();
        self.skew_corrections = 0;
        // An odd number means that the other key is the right one; that stays so.
        self.refused_signatures %= 2;
    }

    /// A good answer on the way to the goal: go on at once, but what failed before still counts, so
    /// that a hub which only ever answers questions is not asked every two seconds.
    pub(crate) fn progressed(&mut self, lane: Lane) {
        if let Some(backoff) = self.backoff.get_mut(&lane) {
            backoff.not_before_ms = 0;
        }
        self.hub_met();
        self.key_is_known();
        self.skew_corrections = 0;
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
        self.lost(job, blocking);
        if matches!(job, Job::AskLog { .. }) {
            self.questions_fail_too();
        }
        let lane = job.lane();
        let before = self.backoff.get(&lane);
        let backoff = Backoff::after(before, blocking, now_ms, retry_after_ms, jitter);
        self.backoff.insert(lane, backoff);
        if let (Job::Proof { id, .. }, true) = (job, blocking != Blocking::Network) {
            // The hub answered, but will not have this one: others go before it next time.
            self.upload_refused(*id, blocking, now_ms, jitter);
        }
    }

    /// Somebody would not have as much as this in one request.
    pub(crate) fn too_large(&mut self, job: &Job) {
        match job {
            Job::PushLog { size_bytes, .. } => self.pace.too_large(*size_bytes),
            Job::Proof { sent_bytes, .. } if *sent_bytes > 0 => {
                self.proof_pace.too_large(sent_bytes / PART_BATCHES);
            }
            _ => {}
        }
    }

    /// What was sent did not get through: less at a time.
    fn lost(&mut self, job: &Job, blocking: Blocking) {
        match job {
            Job::PushLog { .. } if blocking != Blocking::Refused => self.pace.lost(),
            // A proxy's "too large" or "too slow" asks for smaller parts as well.
            Job::Proof { sent_bytes, .. } if *sent_bytes > 0 && blocking != Blocking::Refused => {
                self.proof_pace.lost();
            }
            _ => {}
        }
    }

    /// A question without a body was answered after `took_ms`.
    pub(crate) fn question_answered(&mut self, took_ms: i64) {
        self.pace.answered(took_ms);
        self.proof_pace.answered(took_ms);
    }

    /// Most bytes of a proof in one request: what takes some twelve seconds on this line. Longer, and an entry
    /// recorded meanwhile would wait for it, and a host's patience might end before it does.
    pub(crate) fn part_bytes(&self) -> usize {
        self.proof_pace.batch_bytes().saturating_mul(PART_BATCHES)
    }

    /// A clock correction was applied; three in a row mean it does not help.
    pub(crate) fn skew_corrected(&mut self) -> bool {
        self.skew_corrections += 1;
        self.skew_corrections <= 3
    }

    /// The hub does not take the signature, and there is another key it may know. `false`: both were tried.
    pub(crate) fn doubt_key(&mut self) -> bool {
        self.refused_signatures += 1;
        self.refused_signatures < 3
    }

    /// The hub does not take the signature, and there is no other key to try.
    pub(crate) fn key_refused(&mut self) {
        self.refused_for_key = true;
    }

    /// Whether requests are to be signed with the other of the two keys.
    pub(crate) fn key_doubted(&self) -> bool {
        self.refused_signatures % 2 == 1
    }

    /// Which key the hub knows has been settled.
    pub(crate) fn trust_key(&mut self) {
        self.refused_signatures = 0;
    }

    /// The hub takes a signature: lanes that are held because it took none are free again.
    fn key_is_known(&mut self) {
        if std::mem::take(&mut self.refused_for_key) {
            self.backoff
                .retain(|_, backoff| backoff.blocking != Blocking::Refused);
        }
    }

    pub(crate) fn set_needs_hardware(&mut self) {
        self.needs_hardware = true;
    }

    pub(crate) fn needs_hardware(&self) -> bool {
        self.needs_hardware
    }

    /// Nobody knows what came of this request: its lane asks before it sends again.
    pub(crate) fn unknown_outcome(&mut self, job: &Job) {
        match job {
            Job::PushLog { .. } | Job::AskLog { .. } => self.ask = self.ask.max(Ask::Unknown),
            Job::Proof { id, .. } => self.set_step(*id, Step::AskOffset),
            Job::Enrol { .. } | Job::PullFeed | Job::PollFeed | Job::Escrow { .. } => {}
        }
    }

    /// The next retry, if anything waits for one.
    pub(crate) fn next_retry_ms(&self, now_ms: i64) -> Option<i64> {
        let lanes = self.backoff.keys().map(|lane| self.waits_until_ms(*lane));
        // Its own wait ends in vain while its lane waits.
        let lane_ms = self.waits_until_ms(Lane::Proof);
        let uploads = self.uploads.values().map(|u| u.not_before_ms);
        let waiting = uploads.chain([self.folder.not_before_ms]);
        let waiting = waiting.filter(|at| *at > now_ms);
        let uploads = waiting.map(|at| at.max(lane_ms));
        lanes.chain(uploads).filter(|at| *at > now_ms).min()
    }

    /// What holds the queue: the gravest of what holds a lane.
    pub(crate) fn blocking(&self) -> Option<Blocking> {
        let gravity = |b: Blocking| match b {
            Blocking::Network => 0,
            Blocking::BadAnswer => 1,
            Blocking::Refused => 2,
            Blocking::HubContradicts => 3,
        };
        self.backoff
            .values()
            .map(|b| b.blocking)
            .max_by_key(|b| gravity(*b))
    }

    /// What was chosen here need not be waited for any longer; what the hub asked for, and what only a person can
    /// lift, is.
    pub(crate) fn hurry(&mut self) {
        self.backoff.values_mut().for_each(Backoff::hurry);
        for upload in self.uploads.values_mut() {
            upload.not_before_ms = 0;
        }
        self.folder.not_before_ms = 0;
        self.probe_when_told();
        self.want_feed();
    }

    /// Whether the hub is back may be seen as soon as one lane may go: the others keep what they were told.
    fn probe_when_told(&mut self) {
        let may_go = self.backoff.values().filter(|b| !b.blocking.needs_person());
        if let Some(first_ms) = may_go.map(|b| b.told_until_ms).min() {
            self.circuit.probe_at(first_ms);
        }
    }

    /// The network came back or the courier pulled to refresh. Whoever asked to be left alone may have been a proxy
    /// of the network before, so this passes also such a wait, but only now and then.
    pub(crate) fn retry_now(&mut self, now_ms: i64) {
        let told = self.backoff.values().any(|b| b.is_told(now_ms));
        if told && now_ms >= self.pass_again_ms {
            self.pass_again_ms = now_ms + limits::TOLD_WAIT_PASSED_EVERY_MS;
            self.backoff.values_mut().for_each(Backoff::pass);
        }
        if now_ms >= self.try_larger_ms {
            let was_bounded = [&mut self.pace, &mut self.proof_pace].map(Pace::forget_too_large);
            if was_bounded.contains(&true) {
                self.try_larger_ms = now_ms + limits::TOLD_WAIT_PASSED_EVERY_MS;
            }
        }
        self.hurry();
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

    /// The feed was read to its end.
    pub(crate) fn feed_read(&mut self, now_ms: i64) {
        self.feed_wanted = false;
        self.last_feed_ms = Some(now_ms);
        self.catching_up = CatchingUp::default();
    }

    /// A page led from one place of the feed to the next, and there is more. `false`: this goes round or leads
    /// nowhere, and is to be followed with patience.
    pub(crate) fn feed_goes_on(&mut self, from: Option<&str>, to: &str, is_empty: bool) -> bool {
        self.feed_wanted = true;
        let goes_on = self.catching_up.goes_on(from, to, is_empty);
        if !goes_on {
            self.catching_up = CatchingUp::default();
        }
        goes_on
    }

    /// The server gave an upload a name of its own: the next ones are created before their bytes are sent.
    pub(crate) fn uploads_are_named(&mut self) {
        self.names_uploads = true;
    }

    /// What the hub was last heard to take, or did not take in spite of that.
    pub(crate) fn set_signs_lean(&mut self, lean: bool) {
        self.lean = lean;
    }

    pub(crate) fn signs_lean(&self) -> bool {
        self.lean
    }

    pub(crate) fn creates_alone(&self) -> bool {
        self.names_uploads
    }

    pub(crate) fn arrived(&self) -> HashSet<Hash32> {
        self.arrived.clone()
    }
}

#[cfg(test)]
mod tests;
