//! The abnormal report: one tap and a reason, at any time and without a network, with the remedies at
//! once (A042–A049). Photos are staged like those of an attempt; a missing one is owed, not asked for.

use satchel_protocol::doorstep::ReportBody;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::{AttemptId, ParcelId, StopId};
use satchel_protocol::limits::MAX_TEXT_CHARS;
use satchel_protocol::taxonomy::{HandoffKind, ProofKind, Reason};

use super::{Courier, Keys, door};
use crate::clock::random;
use crate::error::{Error, Refusal, Result};
use crate::evidence::log::Fact;
use crate::limits;
use crate::model::day::{ReportAnswer, ReportDraft, ReportInput, ReportView};
use crate::rules::coded::Text;
use crate::rules::geofence;
use crate::rules::remedy::{self, Remedy, RemedyCase, Report, ReportFault, TakenReport};
use crate::store::attempts::{self, AttemptKind, AttemptRow};
use crate::store::db::{Snapshot, Tx};
use crate::store::reports::{self, ReportRow, Stage};
use crate::store::stops::ParcelRow;
use crate::store::{proofs, stops, told};

impl Courier {
    /// Opens a report at a stop to take photos for it. One that was left open when the app was killed
    /// is taken up again. A report without photos needs no draft.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown stop.
    pub fn begin_report(&self, stop: StopId) -> Result<ReportDraft> {
        self.at_work()?;
        let now_ms = self.env.clock.wall_ms();
        let draft = AttemptId::from_parts(now_ms, random(&*self.env.entropy)?);
        let row = AttemptRow {
            stop_id: stop,
            // A report hands nothing over; the column is the attempt's.
            handoff: HandoffKind::Recipient,
            data_key: random(&*self.env.entropy)?,
            opened_at_ms: now_ms,
            completed_at_ms: None,
            kind: AttemptKind::Report,
            opened_at_seq: 0,
        };
        self.db.write(|tx| {
            stops::stop(tx, stop)?;
            let since_ms = now_ms - limits::DRAFT_RESUMABLE_MS;
            if let Some(open) = reports::open_at_stop(tx, stop, since_ms)? {
                let photos = proofs::photos_of(tx, open)?;
                return Ok(ReportDraft {
                    draft: open,
                    photos,
                });
            }
            attempts::insert(tx, draft, &row)?;
            reports::open(tx, draft)?;
            Ok(ReportDraft {
                draft,
                photos: Vec::new(),
            })
        })
    }

    /// Records a report. The hub's hour begins when it happened, not when the phone finds a network
    /// (A044).
    ///
    /// # Errors
    /// [`Refusal::WordsMissing`] for a reason that says nothing, [`Refusal::ParcelNotAtStop`],
    /// [`Error::AlreadyCompleted`] when the draft was reported before (the first version stands),
    /// [`Error::NotFound`] and [`Error::InvalidInput`] for what is unknown or out of range.
    pub fn report(&self, input: &ReportInput) -> Result<ReportView> {
        let keys = self.at_work()?;
        let now_ms = self.env.clock.wall_ms();
        let fresh = AttemptId::from_parts(now_ms, random(&*self.env.entropy)?);
        self.db
            .write(|tx| self.record_report(tx, &keys, input, fresh, now_ms))
    }

    /// The reports of this phone with the hub's answers, newest first.
    ///
    /// # Errors
    /// Only those of the store.
    pub fn reports(&self) -> Result<Vec<ReportView>> {
        let now_ms = self.env.clock.wall_ms();
        self.db.read(|conn| {
            reports::recorded(conn, limits::MAX_REPORTS_LISTED)?
                .into_iter()
                .map(|row| view(conn, row, now_ms))
                .collect()
        })
    }

    /// What can be done for parcels of a stop for a reason, before anything is reported (A043). Without
    /// parcels it is asked for every parcel of the stop.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown stop, [`Refusal::ParcelNotAtStop`].
    pub fn remedies(
        &self,
        stop: StopId,
        parcels: &[ParcelId],
        reason: Reason,
    ) -> Result<Vec<Remedy>> {
        let now_ms = self.env.clock.wall_ms();
        self.db.read(|conn| {
            stops::stop(conn, stop)?;
            let mut chosen = stops::parcels(conn, Some(stop))?;
            if !parcels.is_empty() {
                let there = |id: &ParcelId| chosen.iter().any(|p| p.parcel_id == *id);
                if !parcels.iter().all(there) {
                    return Err(Refusal::ParcelNotAtStop.into());
                }
                chosen.retain(|p| parcels.contains(&p.parcel_id));
            }
            remedies(conn, &chosen, reason, 0, false, now_ms)
        })
    }

    /// Writes a report in the caller's transaction; `fresh` names it if it has no draft.
    pub(super) fn record_report(
        &self,
        tx: &Tx<'_>,
        keys: &Keys,
        input: &ReportInput,
        fresh: AttemptId,
        now_ms: i64,
    ) -> Result<ReportView> {
        let (id, photos) = match input.draft {
            None => (fresh, Vec::new()),
            Some(draft) => (draft, self.close_draft(tx, draft, input.stop, now_ms)?),
        };
        chosen(tx, input)?;
        let words = words(input)?;
        let taken = take(input.reason, photos.len(), words.as_deref(), now_ms)?;
        let fix = match (input.fix, input.stop) {
            (None, _) => None,
            (Some(fix), None) => Some(super::shift::in_wgs84(fix)?),
            (Some(fix), Some(stop)) => Some(geofence::with_distance(
                super::shift::in_wgs84(fix)?,
                stops::stop(tx, stop)?.place,
            )),
        };
        let body = ReportBody {
            report_id: id.to_string(),
            stop: input.stop,
            parcels: input.parcels.clone(),
            reason: input.reason,
            words,
            proofs: photos,
            owes_photo: taken.owes_photo,
            answer_due_ms: taken.answer_due_ms,
            fix,
        };
        let fact = Fact {
            kind: EntryKind::REPORT,
            handle: None,
            blobs: body.proofs.iter().map(|p| p.hash).collect(),
            body: body.encode(),
            stop: input.stop,
            occurred_at_ms: now_ms,
        };
        let about: Vec<&[u8; 16]> = input.parcels.iter().map(ParcelId::as_bytes).collect();
        let head = self.pen(keys).append_about(tx, fact, &about)?;
        proofs::bind(tx, id, head.seq)?;
        reports::record(tx, id, head.seq)?;
        if let Some(stop) = input.stop {
            stops::touch(tx, stop)?;
        }
        let row = ReportRow {
            seq: head.seq,
            occurred_at_ms: now_ms,
            body,
        };
        view(tx, row, now_ms)
    }

    /// Closes the draft that holds the photos of a report or a pickup and gives them.
    pub(super) fn close_draft(
        &self,
        tx: &Tx<'_>,
        draft: AttemptId,
        stop: Option<StopId>,
        now_ms: i64,
    ) -> Result<Vec<satchel_protocol::attempt::ProofRef>> {
        match reports::stage(tx, draft)? {
            Stage::None => return Err(Error::NotFound { what: "report" }),
            Stage::Recorded => return Err(Error::AlreadyCompleted),
            Stage::Draft => {}
        }
        let row = attempts::get(tx, draft)?.ok_or(Error::NotFound { what: "report" })?;
        if stop != Some(row.stop_id) {
            return Err(Error::InvalidInput {
                what: "stop of the report",
            });
        }
        let closed = AttemptRow {
            completed_at_ms: Some(now_ms),
            ..row
        };
        attempts::insert(tx, draft, &closed)?;
        proofs::photos_of(tx, draft)
    }
}

/// The parcels a report names; each known, named once, and at its stop.
fn chosen(conn: &Snapshot, input: &ReportInput) -> Result<()> {
    if input.parcels.len() > limits::MAX_PARCELS_PER_ATTEMPT {
        return Err(Error::InvalidInput {
            what: "number of parcels",
        });
    }
    if let Some(stop) = input.stop {
        stops::stop(conn, stop)?;
    }
    for (at, id) in input.parcels.iter().enumerate() {
        if input.parcels.iter().take(at).any(|before| before == id) {
            return Err(Error::InvalidInput {
                what: "parcel list: a parcel is named twice",
            });
        }
        let parcel = stops::parcel(conn, *id)?;
        if input.stop.is_some_and(|stop| stop != parcel.stop_id) {
            return Err(Refusal::ParcelNotAtStop.into());
        }
    }
    Ok(())
}

fn words(input: &ReportInput) -> Result<Option<String>> {
    let words = input.words.as_deref().map(str::trim);
    let words = words.filter(|text| !text.is_empty()).map(str::to_owned);
    if words
        .as_ref()
        .is_some_and(|text| text.chars().count() > MAX_TEXT_CHARS)
    {
        return Err(Error::InvalidInput { what: "words" });
    }
    Ok(words)
}

fn take(reason: Reason, photos: usize, words: Option<&str>, at_ms: i64) -> Result<TakenReport> {
    let report = Report {
        reason,
        occurred_at_ms: at_ms,
        photos: u32::try_from(photos).unwrap_or(u32::MAX),
        words_chars: words.map_or(0, |text| text.chars().count()),
    };
    remedy::take_report(&report)
        .map_err(|ReportFault::WordsMissing| Refusal::WordsMissing { reason }.into())
}

/// Remedies that fit every one of the parcels.
fn remedies(
    conn: &Snapshot,
    parcels: &[ParcelRow],
    reason: Reason,
    photos: u32,
    has_words: bool,
    now_ms: i64,
) -> Result<Vec<Remedy>> {
    let mut common: Option<Vec<HandoffKind>> = None;
    for parcel in parcels {
        let valid = door::consented(conn, parcel, now_ms)?;
        common = Some(match common {
            None => valid,
            Some(before) => before.into_iter().filter(|h| valid.contains(h)).collect(),
        });
    }
    Ok(remedy::remedies(&RemedyCase {
        reason,
        consents: common.unwrap_or_default(),
        door_required: parcels.iter().any(|p| p.door_required),
        age_limited: parcels.iter().any(|p| p.min_age_years.is_some()),
        photos,
        has_words,
    }))
}

fn view(conn: &Snapshot, row: ReportRow, now_ms: i64) -> Result<ReportView> {
    let body = row.body;
    let mut parcels = Vec::with_capacity(body.parcels.len());
    for id in &body.parcels {
        match stops::parcel(conn, *id) {
            Ok(parcel) => parcels.push(parcel),
            // It has left the round since.
            Err(Error::NotFound { .. }) => {}
            Err(other) => return Err(other),
        }
    }
    let photos = body.proofs.iter().filter(|p| p.kind == ProofKind::Photo);
    let photos = u32::try_from(photos.count()).unwrap_or(u32::MAX);
    let answer = told::report_answer(conn, &body.report_id)?.map(|item| ReportAnswer {
        action: item.action,
        words: item.words,
        answered_at_ms: item.answered_at_ms,
    });
    let text = match &answer {
        None => remedy::answer_text(body.answer_due_ms, now_ms),
        Some(_) => Text::new("客服已答复", "The answer is here"),
    };
    Ok(ReportView {
        remedies: remedies(
            conn,
            &parcels,
            body.reason,
            photos,
            body.words.is_some(),
            now_ms,
        )?,
        report_id: body.report_id,
        seq: row.seq,
        occurred_at_ms: row.occurred_at_ms,
        stop: body.stop,
        parcels: body.parcels,
        reason: body.reason,
        words: body.words,
        photos,
        owes_photo: body.owes_photo,
        answer_due_ms: body.answer_due_ms,
        warning: remedy::warning_kind(body.reason),
        text,
        answer,
    })
}
