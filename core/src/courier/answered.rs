//! What an answer of the hub changes on this phone. Everything believed is signed by the hub or asked
//! for by this very request; the rest is a reason to try again.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use satchel_protocol::api::{ERROR_HEADER, ErrorBody, ErrorCode, STATUS_CHECKSUM_MISMATCH};
use satchel_protocol::attempt::EnrolledBody;
use satchel_protocol::batch::{FORMS_HEADER, Form};
use satchel_protocol::crypto;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::erase::ParcelErasedItem;
use satchel_protocol::feed::{ProofWantedItem, RULE_SET};
use satchel_protocol::http_sig::{PROFILES, PROFILES_HEADER};
use satchel_protocol::ids::{DeviceId, Hash32, StopId};
use satchel_protocol::receipt::{Receipt, SignedReceipt};

use super::{Courier, Keys};
use crate::error::Result;
use crate::evidence::log::Fact;
use crate::evidence::watch::{self, Doubt};
use crate::limits;
use crate::model::status::Blocking;
use crate::store::db::Tx;
use crate::store::{phone, places, policy};
use crate::sync::answers::{self, Useless};
use crate::sync::engine::{Ask, InFlight, Job, Lane, Step};
use crate::sync::requests;

/// An answer as the host gave it.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
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

    /// Which forms of batches the hub says it takes.
    fn forms(&self) -> Option<&str> {
        answers::header(&self.headers, FORMS_HEADER)
    }

    /// Whether the hub says that uploads may be signed leaner.
    fn takes_lean(&self) -> bool {
        answers::header(&self.headers, PROFILES_HEADER) == Some(PROFILES)
    }

    /// What a refusal says; that of a `HEAD` says it in a header.
    fn error(&self) -> Option<ErrorBody> {
        answers::error_body(&self.body).or_else(|| {
            let said = answers::header(&self.headers, ERROR_HEADER)?;
            answers::error_body(said.as_bytes())
        })
    }

    fn retry_after_ms(&self, now_ms: i64) -> Option<i64> {
        answers::retry_after_ms(&self.headers, self.is_hubs_refusal(), now_ms)
    }

    /// Whether a refusal is in the hub's own words; that proves nothing.
    pub(super) fn is_hubs_refusal(&self) -> bool {
        self.error().is_some_and(|e| e.error != ErrorCode::Other)
    }

    /// Whether somebody who may not be the hub will not have what was sent, as it was written.
    fn refuses_the_form(&self) -> bool {
        matches!(self.status, 400 | 403 | 406 | 415 | 422) && !self.is_hubs_refusal()
    }

    /// Whether somebody would not have as much at a time.
    fn is_too_large(&self) -> bool {
        self.status == 413 || self.error().is_some_and(|e| e.error == ErrorCode::TooLarge)
    }

    /// Whether it is the answer of a hub that cannot answer, or of a proxy that does not reach it.
    pub(super) fn is_hub_down(&self) -> bool {
        self.status >= 500
    }
}

/// What an answer that was no failure means for the lane.
enum Got {
    /// What was asked for.
    Goal,
    /// A step on the way; failures before it still count.
    Step,
}

/// Whether the hub could not read the batch itself; bytes that were damaged on the way are another matter.
fn is_about_the_batch(error: &ErrorBody) -> bool {
    error.detail.as_deref().is_some_and(|d| d.contains("batch"))
}

/// Whether a feed page that was taken has anything in it.
fn brought_news(answer: &Answer) -> bool {
    answers::feed_page(&answer.headers, &answer.body)
        .is_ok_and(|page| page.more || !page.items.is_empty())
}

/// Behind which entry to look at everything anew: from the start, or behind what this answer named from there.
fn everything(receipt: &Receipt) -> Option<i64> {
    let from_the_start = receipt.entries.first().is_some_and(|e| e.seq == 1);
    let last = receipt.entries.last().filter(|_| from_the_start);
    let after = last.map_or(0, |e| e.seq);
    (after < receipt.head_seq).then_some(after)
}

/// Where to ask on when everything behind `after` was asked for and there is more. The place always moves, so
/// a hub that names the same again is not asked without end.
fn page_behind(receipt: &Receipt, after: i64) -> Option<i64> {
    let last = receipt.entries.last()?.seq;
    (after < last && last < receipt.head_seq).then_some(last)
}

/// An upload whose answer came.
struct Upload {
    id: i64,
    hash: Hash32,
    step: Step,
    size_bytes: u64,
}

impl Courier {
    pub(super) fn apply(&self, keys: &Keys, flight: &InFlight, answer: &Answer) -> Result<()> {
        if answer.status == 401 && flight.job.lane() == Lane::Proof {
            // An older hub may be in the place of the one that took lean signatures.
            self.engine().set_signs_lean(false);
        }
        if let Job::PushLog { form, .. } = flight.job
            && answer.refuses_the_form()
        {
            self.engine().batch_refused(form);
        }
        if answer.is_too_large() {
            self.engine().too_large(&flight.job);
        }
        if let Some(error) = answer.error()
            && !answer.ok()
            && self.apply_refusal(keys, flight, answer, &error)?
        {
            return Ok(());
        }
        if let (true, Some(forms)) = (answer.ok(), answer.forms()) {
            self.engine().set_form(Form::best_of(forms));
        }
        let lane = flight.job.lane();
        if answer.ok() && matches!(flight.job, Job::AskLog { .. } | Job::PullFeed) {
            let took_ms = self.boot_ms() - flight.issued_ms;
            self.engine().question_answered(took_ms);
        }
        if answer.ok() && lane == Lane::Log {
            self.engine().set_signs_lean(answer.takes_lean());
        }
        let result = match flight.job {
            Job::Enrol { device } => self.apply_enrolled(keys, device, answer)?,
            Job::AskLog { asked } => {
                let got = self.apply_held(keys, answer, asked)?;
                self.settle_keys(keys)?;
                self.note_key_age()?;
                got
            }
            Job::PushLog {
                size_bytes, up_to, ..
            } => {
                let got = self.apply_pushed(keys, answer, up_to)?;
                self.settle_keys(keys)?;
                self.note_key_age()?;
                if got.is_ok() {
                    let took_ms = self.boot_ms() - flight.issued_ms;
                    let learnt = {
                        let mut engine = self.engine();
                        engine.batch_taken();
                        engine.pace.arrived(size_bytes, took_ms);
                        engine.pace.learnt()
                    };
                    if let Some(first_batch_bytes) = learnt {
                        self.note_pace(first_batch_bytes);
                    }
                }
                got
            }
            Job::PullFeed => self.apply_feed(keys, answer)?,
            Job::Escrow { hash } => match answer.ok() {
                true => {
                    self.escrow_sent(&hash)?;
                    Ok(Got::Goal)
                }
                false => Err(Useless::BadAnswer),
            },
            Job::PollFeed => {
                let got = self.apply_feed(keys, answer)?;
                let now_ms = self.boot_ms();
                let at_once = now_ms - flight.issued_ms < limits::POLL_LEAST_MS;
                let in_bounds = self.engine().polled(at_once);
                if at_once && got.is_ok() && !(in_bounds && brought_news(answer)) {
                    self.engine().rest_polls(now_ms + limits::POLL_REST_MS);
                }
                got
            }
            Job::Proof {
                id,
                hash,
                step,
                size_bytes,
                sent_bytes,
            } => {
                let upload = Upload {
                    id,
                    hash,
                    step,
                    size_bytes,
                };
                let got = self.apply_upload(keys, (flight, answer), &upload)?;
                if got.is_ok() && sent_bytes > 0 {
                    let took_ms = self.boot_ms() - flight.issued_ms;
                    self.engine().proof_pace.arrived(sent_bytes, took_ms);
                }
                got
            }
        };
        match result {
            Ok(Got::Goal) => self.engine().succeeded(lane),
            Ok(Got::Step) => self.engine().progressed(lane),
            Err(useless) => {
                if useless == Useless::ForgedReceipt {
                    tracing::warn!("a receipt does not verify");
                    self.db.write(|tx| phone::count_receipt_alarm(tx))?;
                }
                let blocking = match useless {
                    Useless::Contradiction => Blocking::HubContradicts,
                    Useless::BadAnswer | Useless::ForgedReceipt | Useless::EndlessFeed => {
                        Blocking::BadAnswer
                    }
                };
                let told_ms = answer.retry_after_ms(self.env.clock.wall_ms());
                self.failed(&flight.job, blocking, told_ms)?;
            }
        }
        // A receipt may be what an erasure waited for.
        self.try_erasures();
        Ok(())
    }

    /// Handles what the hub says in its error bodies. `true` when the answer is dealt with.
    fn apply_refusal(
        &self,
        keys: &Keys,
        flight: &InFlight,
        answer: &Answer,
        error: &ErrorBody,
    ) -> Result<bool> {
        let time = error
            .time
            .as_ref()
            .and_then(|t| t.verify(&keys.hub_key, &flight.nonce));
        if let (ErrorCode::ClockSkew, Some(hub_ms)) = (error.error, time) {
            let offset_ms = hub_ms.saturating_sub(self.env.clock.wall_ms());
            self.db.write(|tx| phone::set_hub_offset(tx, offset_ms))?;
            if !self.engine().skew_corrected() {
                self.failed(&flight.job, Blocking::BadAnswer, None)?;
            }
            return Ok(true);
        }
        match (&flight.job, error.error) {
            (Job::Enrol { device }, ErrorCode::BadCode) => {
                self.db.write(|tx| phone::save_refused(tx, *device))?;
                self.load()?;
                self.engine().succeeded(Lane::Enrol);
                Ok(true)
            }
            (Job::PullFeed | Job::PollFeed, ErrorCode::Malformed) => {
                // Not a place in this hub's feed (any more): read it again from the start. Reading an item
                // twice changes nothing.
                self.db.write(|tx| phone::forget_feed_cursor(tx))?;
                Ok(false)
            }
            (Job::PushLog { form, .. }, ErrorCode::Malformed) if is_about_the_batch(error) => {
                self.engine().form_refused(*form);
                Ok(false)
            }
            (Job::Enrol { .. }, ErrorCode::HardwareKeyRequired) => {
                self.engine().set_needs_hardware();
                self.failed(&flight.job, Blocking::Refused, None)?;
                Ok(true)
            }
            // Not signed by the hub, so nothing more is concluded from it than that the other key may be tried.
            (_, ErrorCode::BadSignature) if keys.before.is_some() && self.engine().doubt_key() => {
                self.engine().unknown_outcome(&flight.job);
                Ok(true)
            }
            (Job::PushLog { .. }, ErrorCode::RateLimited) => {
                // The hub has too much to do; that says nothing of the line.
                let pace = self.engine().pace;
                let told_ms = answer.retry_after_ms(self.env.clock.wall_ms());
                self.failed(&flight.job, Blocking::BadAnswer, told_ms)?;
                self.engine().pace = pace;
                Ok(true)
            }
            (_, code) if answers::needs_person(code) => {
                tracing::warn!(?code, "the hub refuses this phone");
                if code == ErrorCode::BadSignature {
                    self.engine().key_refused();
                }
                let told_ms = answer.retry_after_ms(self.env.clock.wall_ms());
                self.failed(&flight.job, Blocking::Refused, told_ms)?;
                Ok(true)
            }
            // Also a gap in the log: the error body is not signed, so nothing is concluded from it. A
            // failed push makes the phone ask, and the signed answer says how much the hub has.
            _ => Ok(false),
        }
    }

    fn apply_enrolled(
        &self,
        keys: &Keys,
        device: DeviceId,
        answer: &Answer,
    ) -> Result<Result<Got, Useless>> {
        if device != keys.device {
            // Another invite was scanned meanwhile; this answer is nobody's.
            return Ok(Ok(Got::Step));
        }
        if !answer.ok() {
            return Ok(Err(Useless::BadAnswer));
        }
        let enrolled = match answers::enrolled(&answer.body, keys) {
            Ok(enrolled) => enrolled,
            Err(useless) => return Ok(Err(useless)),
        };
        let wall_ms = self.env.clock.wall_ms();
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
            occurred_at_ms: wall_ms,
        };
        self.db.write(|tx| {
            if !phone::save_enrolled(tx, device, &enrolled)? {
                return Ok(());
            }
            phone::set_contact(tx, wall_ms)?;
            self.pen(keys).append(tx, fact).map(|_| ())
        })?;
        // A phone that has just enrolled has sent nothing yet.
        self.engine().set_ask(Ask::No);
        self.load()?;
        Ok(Ok(Got::Goal))
    }

    /// The answer to "what do you hold?": it marks what was received, and where the hub has less than
    /// its receipts once said (it was restored from a backup), it takes that back, so that nothing
    /// reads "synced" that is not there.
    fn apply_held(&self, keys: &Keys, answer: &Answer, asked: Ask) -> Result<Result<Got, Useless>> {
        if !answer.ok() {
            return Ok(Err(Useless::BadAnswer));
        }
        let (signed, receipt) = match answers::receipt(&answer.body, keys) {
            Ok(read) => read,
            Err(useless) => return Ok(Err(useless)),
        };
        let arrived = self.engine().arrived();
        let left = self.believe(keys, &signed, &receipt, |tx| {
            let left = answers::apply_held(tx, &receipt, arrived)?;
            if left.hub_has_less {
                self.engine().hub_was_set_back();
            }
            Ok((left.marked, left))
        })?;
        let (left, doubts) = match left {
            Ok(believed) => believed,
            Err(doubt) => return Ok(Err(doubt.into())),
        };
        let lacks = doubts || left.hub_has_less;
        self.ask_on(&receipt, asked, lacks, left.hub_names_more);
        if lacks && self.engine().looks_in_a_circle() {
            return Ok(Err(Useless::BadAnswer));
        }
        let goes_on = matches!(self.engine().ask(), Ask::All { .. });
        Ok(Ok(match left.unsent || goes_on {
            true => Got::Step,
            false => Got::Goal,
        }))
    }

    /// What is asked next, after an answer to what was `asked`.
    fn ask_on(&self, receipt: &Receipt, asked: Ask, lacks: bool, names_more: bool) {
        let mut engine = self.engine();
        let rest = match names_more {
            true => Ask::Unknown,
            false => Ask::No,
        };
        match engine.ask() {
            // It came up while this was on its way.
            later @ Ask::All { .. } if later != asked => {}
            _ if lacks => match everything(receipt) {
                Some(after) => engine.look_at_everything(after),
                None => engine.set_ask(rest),
            },
            Ask::All { after, look } => {
                let page = page_behind(receipt, after);
                engine.set_ask(page.map_or(rest, |after| Ask::All { after, look }));
            }
            _ => engine.set_ask(rest),
        }
    }

    fn apply_pushed(
        &self,
        keys: &Keys,
        answer: &Answer,
        up_to: i64,
    ) -> Result<Result<Got, Useless>> {
        if !answer.ok() {
            return Ok(Err(Useless::BadAnswer));
        }
        let (signed, receipt) = match answers::receipt(&answer.body, keys) {
            Ok(read) => read,
            Err(useless) => return Ok(Err(useless)),
        };
        let marked = self.believe(keys, &signed, &receipt, |tx| {
            let open = answers::apply_wedged(tx, &receipt, Some(up_to))?;
            answers::apply_receipt(tx, &receipt).map(|marked| (marked, marked + open))
        })?;
        let (marked, doubts) = match marked {
            Ok(believed) => believed,
            Err(doubt) => return Ok(Err(doubt.into())),
        };
        if doubts {
            self.engine().look_at_everything(0);
        }
        if marked == 0 {
            // A true receipt, but not for this batch: sending on at once would never end.
            return Ok(Err(Useless::BadAnswer));
        }
        let mut engine = self.engine();
        if !matches!(engine.ask(), Ask::All { .. }) {
            engine.set_ask(Ask::No);
        }
        drop(engine);
        Ok(Ok(Got::Goal))
    }

    /// Applies what a receipt of entries says, if the hub's tree beside it fits what the hub showed before.
    /// `apply` gives how many entries and proofs were new. Beside what it made: whether the hub's log began
    /// anew, and proofs are doubted that it held before.
    fn believe<T>(
        &self,
        keys: &Keys,
        signed: &SignedReceipt,
        receipt: &Receipt,
        apply: impl FnOnce(&Tx<'_>) -> Result<(usize, T)>,
    ) -> Result<Result<(T, bool), Doubt>> {
        let wall_ms = self.env.clock.wall_ms();
        self.db.write(|tx| {
            let pen = self.pen(keys);
            let anew = match watch::watch(tx, keys, &pen, signed, receipt)? {
                Ok(anew) => anew,
                Err(doubt) => return Ok(Err(doubt)),
            };
            if anew {
                // Before the next writer, which may bring the receipt of an upload.
                self.engine().hub_was_set_back();
            }
            phone::set_contact(tx, wall_ms)?;
            let (marked, applied) = apply(tx)?;
            if marked > 0 {
                watch::keep_word(tx, signed, receipt)?;
            }
            let doubts = anew && answers::doubt_proofs(tx, &receipt.blobs)?;
            Ok(Ok((applied, doubts)))
        })
    }

    fn apply_feed(&self, keys: &Keys, answer: &Answer) -> Result<Result<Got, Useless>> {
        if !answer.ok() {
            return Ok(Err(Useless::BadAnswer));
        }
        let page = match answers::feed_page(&answer.headers, &answer.body) {
            Ok(page) => page,
            Err(useless) => return Ok(Err(useless)),
        };
        let wall_ms = self.env.clock.wall_ms();
        let at_work = self.stops_at_work();
        let (mut ordered, mut doubts) = (false, false);
        let from_the_start = page.snapshot.is_some_and(|part| part.first);
        let (before, another_history) = self.db.write(|tx| {
            let before = phone::feed_cursor(tx)?;
            // Older hubs begin anew each time for a courier for whom they have nothing, and get no further.
            let moved = !page.items.is_empty() || before.as_deref() != Some(&page.cursor);
            let another_history = from_the_start && moved;
            phone::set_contact(tx, wall_ms)?;
            ordered = self.take_orders(tx, keys, &page.orders)?;
            if another_history {
                // A hub that was set back may not have what it was given.
                policy::set_escrow_held(tx, None)?;
                ordered = true;
                doubts = before.is_some() && answers::doubt_proofs(tx, &[])?;
            }
            let rule_sets = answers::apply_feed(tx, &page, &at_work, wall_ms)?;
            for document in &rule_sets {
                self.take_rule_set(tx, keys, document)?;
            }
            Ok((before, another_history))
        })?;
        if ordered {
            self.load_lease()?;
            self.load_policy()?;
        }
        if before.is_some() && another_history {
            // The hub is not what it was: what it holds of this phone's log is asked for as well.
            match doubts {
                true => self.engine().look_at_everything(0),
                false => self.engine().another_history(),
            }
        }
        if page.items.iter().any(|item| item.kind == RULE_SET) {
            self.load_rules()?;
        }
        if page.items.iter().any(|i| i.kind == ParcelErasedItem::KIND) {
            self.erasures_wait.store(true, Ordering::Relaxed);
        }
        if page.items.iter().any(|i| i.kind == ProofWantedItem::KIND) {
            self.look_again();
        }
        if !page.items.is_empty() {
            // A word about an old delivery listed its stop again.
            self.settle_past(true);
        }
        if !page.more {
            let now_ms = self.boot_ms();
            self.engine().feed_read(now_ms);
            return Ok(Ok(Got::Goal));
        }
        let (from, is_empty) = (before.as_deref(), page.items.is_empty());
        let goes_on = self.engine().feed_goes_on(from, &page.cursor, is_empty);
        Ok(goes_on.then_some(Got::Step).ok_or(Useless::EndlessFeed))
    }

    /// Stops at whose door something is begun and not recorded.
    fn stops_at_work(&self) -> HashSet<StopId> {
        self.drafts().values().map(|draft| draft.stop_id).collect()
    }

    fn apply_upload(
        &self,
        keys: &Keys,
        (flight, answer): (&InFlight, &Answer),
        upload: &Upload,
    ) -> Result<Result<Got, Useless>> {
        let next = |step| {
            let gets_on = self.engine().advance(upload.id, step);
            Ok(gets_on.then_some(Got::Step).ok_or(Useless::BadAnswer))
        };
        let asked = matches!(upload.step, Step::AskOffset | Step::AskReceipt);
        if matches!(answer.status, 404 | 410) && asked {
            self.db.write(|tx| places::forget(tx, &upload.hash))?;
            return next(Step::Create);
        }
        if answer.status == 409 && !asked {
            return next(Step::AskOffset);
        }
        // Also when the hub threw the bytes away (460): pause before sending them all again.
        if !answer.ok() || answer.status == STATUS_CHECKSUM_MISMATCH {
            return Ok(Err(Useless::BadAnswer));
        }
        if !answer.body.is_empty() && upload.step != Step::AskOffset {
            let receipt = match answers::receipt(&answer.body, keys) {
                Ok((_, receipt)) => receipt,
                Err(useless) => return Ok(Err(useless)),
            };
            let wall_ms = self.env.clock.wall_ms();
            let counts = self.db.write(|tx| {
                phone::set_contact(tx, wall_ms)?;
                // What the hub had signed for before it was set back, it may not have any more.
                let counts = !self.engine().is_of_before(flight);
                if counts {
                    answers::apply_receipt(tx, &receipt)?;
                }
                Ok(counts)
            })?;
            if !counts {
                return next(Step::AskOffset);
            }
            if !receipt.blobs.contains(&upload.hash) {
                return Ok(Err(Useless::BadAnswer));
            }
            self.engine().uploaded(upload.id, upload.hash);
            self.db.write(|tx| places::forget(tx, &upload.hash))?;
            return Ok(Ok(Got::Goal));
        }
        let created = upload.step == Step::Create && answer.status == 201;
        if created {
            self.note_place(keys, answer, upload)?;
        }
        let offset = answer.offset().or(created.then_some(0));
        match offset {
            Some(offset) if offset >= upload.size_bytes => next(Step::AskReceipt),
            Some(offset) => next(Step::Resume { offset }),
            None => Ok(Err(Useless::BadAnswer)),
        }
    }

    /// Keeps where the server put an upload, if that is not where its content says.
    fn note_place(&self, keys: &Keys, answer: &Answer, upload: &Upload) -> Result<()> {
        let location = answers::header(&answer.headers, "location");
        let place = location.and_then(|at| requests::upload_place(&keys.hub_url, at));
        match place.filter(|at| *at != requests::proof_url(keys, &upload.hash)) {
            Some(at) => {
                self.engine().uploads_are_named();
                self.db.write(|tx| places::set(tx, &upload.hash, &at))
            }
            None => Ok(()),
        }
    }
}
