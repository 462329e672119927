//! Completion: judged against the rules, then written with its proofs and one signed entry per parcel in
//! one transaction, and flushed before the call returns.

use satchel_protocol::attempt::{AttemptBody, ProofRef, SignatureFacts};
use satchel_protocol::crypto;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::{AttemptId, StopId};
use satchel_protocol::taxonomy::{Action, HandoffKind, Outcome, ProofKind, Reason};
use satchel_protocol::transitions::EventKind;

use super::gate;
use super::input::{self, Located};
use super::judge::{self, Seen};
use super::trimmed;
use crate::courier::{Courier, Keys};
use crate::error::{Error, Refusal, Result};
use crate::evidence::log::Fact;
use crate::model::attempt::{
    Completion, ParcelOutcome, ParcelResult, Recorded, RecordedParcel, VisitWarning,
};
use crate::rating;
use crate::rules::position::Radii;
use crate::store::attempts::{self, AttemptKind, AttemptRow};
use crate::store::db::{Snapshot, Tx};
use crate::store::entries::Beside;
use crate::store::stops::ParcelRow;
use crate::store::{proofs, stops, told};

/// One visit as it is being written.
pub(super) struct Visit<'a> {
    pub(super) attempt: AttemptId,
    pub(super) stop: StopId,
    pub(super) input: &'a Completion,
    pub(super) proofs: Vec<ProofRef>,
    pub(super) ink: Option<&'a [u8]>,
    /// When it was opened; `None` if it has a row of its own that says so.
    pub(super) opened_at_ms: Option<i64>,
    pub(super) signature: Option<SignatureFacts>,
    pub(super) located: Located,
    pub(super) now_ms: i64,
    pub(super) utc_offset_min: i16,
}

/// What came of one parcel, in the words of entry and table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    pub(super) handoff: HandoffKind,
    pub(super) outcome: Outcome,
    pub(super) failure: Option<(Reason, Action)>,
    pub(super) event: EventKind,
}

impl Ending {
    /// The handoff of one parcel may differ from its neighbours': one keeps half, the other all.
    pub(super) const fn of(handoff: HandoffKind, outcome: ParcelOutcome) -> Self {
        let handed_over = match outcome {
            ParcelOutcome::Failed { reason, action } => {
                return Self {
                    handoff,
                    outcome: Outcome::Failed,
                    failure: Some((reason, action)),
                    event: EventKind::Failed { reason, action },
                };
            }
            ParcelOutcome::PartlyDelivered => HandoffKind::Partial,
            ParcelOutcome::Delivered => handoff,
        };
        let (outcome, event) = match handed_over {
            HandoffKind::Partial => (Outcome::PartiallyDelivered, EventKind::PartlyDelivered),
            HandoffKind::ReturnToSender => (Outcome::Returned, EventKind::ReturnedToSender),
            handoff => (Outcome::Delivered, EventKind::Delivered { handoff }),
        };
        Self {
            handoff: handed_over,
            outcome,
            failure: None,
            event,
        }
    }
}

impl Courier {
    /// Completes an attempt: checks it against the rules, then writes the attempt, its proofs and one
    /// signed entry per parcel in one transaction, and returns after the flush.
    ///
    /// # Errors
    /// [`Refusal`] with everything that is missing; [`Error::AlreadyCompleted`] the second time (the
    /// first version stands); typed errors for values out of range. On any error nothing is written, and
    /// the draft with its photos stays.
    pub fn complete_attempt(&self, attempt: AttemptId, input: &Completion) -> Result<Recorded> {
        let keys = self.enrolled()?;
        let row = self.open_attempt_of(attempt, AttemptKind::Visit)?;
        input::check_values(input)?;
        let taken = match &input.signature {
            None => None,
            Some(s) => Some(self.take_signature(attempt, s)?),
        };
        let ink = taken.as_ref().map(|taken| &taken.bytes);
        let recorded = self.write_at_door(|tx| {
            let standing = attempts::standing(tx, attempt, row.opened_at_seq)?;
            if standing.is_completed {
                return Err(Error::AlreadyCompleted);
            }
            // Only a visit with photos has a row.
            let with_photos = standing.has_row;
            let parcels = chosen_parcels(tx, row.stop_id, &input.parcels)?;
            let now_ms = self.log_time_ms(tx, &keys, parcels.iter().map(|(parcel, _)| parcel))?;
            let mut proofs = Vec::new();
            if with_photos {
                let completed = AttemptRow {
                    handoff: input.handoff,
                    completed_at_ms: Some(now_ms),
                    ..row.clone()
                };
                attempts::insert(tx, attempt, &completed)?;
                proofs = proofs::photos_of(tx, attempt)?;
            }
            let signature = ink.as_ref().map(|ink| ProofRef {
                hash: crypto::sha256(&[ink.as_slice()]),
                kind: ProofKind::Signature,
                size_bytes: ink.len() as u64,
                origin: None,
                captured_at_ms: now_ms,
                photo: None,
            });
            proofs.extend(signature);
            let door = stops::stop(tx, row.stop_id)?.place;
            let visit = Visit {
                attempt,
                stop: row.stop_id,
                input,
                proofs,
                ink: ink.map(Vec::as_slice),
                opened_at_ms: (!with_photos).then_some(row.opened_at_ms),
                signature: taken.as_ref().map(|taken| taken.facts.clone()),
                located: input::locate(input.fix, door, radii(tx)?)?,
                now_ms,
                utc_offset_min: self.env.clock.utc_offset_min(),
            };
            let recorded = self.record_parcels(tx, &keys, &visit, &parcels)?;
            // Parcels handed over together share their proofs; the first entry brings them along.
            if let (true, Some(first)) = (with_photos, recorded.parcels.first()) {
                proofs::bind(tx, attempt, first.seq)?;
            }
            Ok(recorded)
        })?;
        self.drafts().remove(&attempt);
        if let Some(taken) = &taken {
            self.remember_signature(attempt, taken);
        }
        Ok(recorded)
    }

    fn record_parcels(
        &self,
        tx: &Tx<'_>,
        keys: &Keys,
        visit: &Visit<'_>,
        parcels: &[(ParcelRow, &ParcelResult)],
    ) -> Result<Recorded> {
        let rules = self.rules();
        let calls = judge::calls(tx, visit, parcels)?;
        let mut out = Vec::with_capacity(parcels.len());
        for (parcel, result) in parcels {
            let ending = Ending::of(visit.input.handoff, result.outcome);
            let seen = Seen {
                parcel,
                result,
                ending,
                parcels_at_door: parcels.len(),
                scanned: input::check_scan(parcel, result.scan.as_deref())?,
            };
            let verdict = match ending.failure {
                None => judge::handed_over(tx, &rules, visit, &seen)?,
                Some(failure) => judge::failed(tx, visit, &seen, failure, &calls)?,
            };
            let warnings = warnings(visit, parcel, ending)?;
            let body = AttemptBody {
                skips: verdict.skips,
                consent: verdict.consent,
                code: verdict.code,
                temperature_centi_c: verdict.temperature_centi_c,
                warnings: warnings.iter().map(|w| w.code().to_owned()).collect(),
                rules_version: rules.version(),
                ..body(visit, &seen)
            };
            let fact = Fact {
                kind: EntryKind::ATTEMPT,
                handle: Some(parcel.handle),
                blobs: visit.proofs.iter().map(|p| p.hash).collect(),
                body: body.encode(),
                stop: Some(parcel.stop_id),
                occurred_at_ms: visit.now_ms,
            };
            // What belongs to the whole visit lies beside its first entry.
            let beside = if out.is_empty() {
                Beside {
                    attempt: Some(visit.attempt),
                    opened_at_ms: visit.opened_at_ms,
                    ink: visit.ink,
                }
            } else {
                Beside::default()
            };
            let head = self.record_step_beside(tx, keys, parcel, ending.event, (fact, beside))?;
            let rating = match ending.outcome {
                Outcome::Delivered => Some(rating::code(&keys.hub_url, parcel, &head.hash)),
                _ => None,
            };
            out.push(RecordedParcel {
                parcel_id: parcel.parcel_id,
                seq: head.seq,
                entry_hash: head.hash,
                rating,
                warnings,
            });
        }
        Ok(Recorded {
            attempt_id: visit.attempt,
            parcels: out,
        })
    }
}

fn body(visit: &Visit<'_>, seen: &Seen<'_>) -> AttemptBody {
    let input = visit.input;
    let parcel = seen.parcel;
    AttemptBody {
        attempt_no: u16::try_from(parcel.attempts + 1).unwrap_or(u16::MAX),
        reason: seen.ending.failure.map(|(reason, _)| reason),
        action: seen.ending.failure.map(|(_, action)| action),
        signer_name: trimmed(input.signer_name.as_deref()),
        relation: input.relation,
        identity: input.identity,
        inspection: input.inspection,
        proofs: visit.proofs.clone(),
        fix: visit.located.fix,
        note: trimmed(input.note.as_deref()),
        items: seen.result.items.clone(),
        left_at: input::left_at(input.left_at.as_ref()),
        age_checked: input.age_checked,
        visibly_damaged: seen.result.visibly_damaged,
        scanned: seen.scanned,
        signature: visit.signature.clone(),
        ..AttemptBody::bare(
            visit.attempt,
            parcel.parcel_id,
            parcel.stop_id,
            seen.ending.outcome,
            seen.ending.handoff,
        )
    }
}

/// What was passed over; kept with the entry, so that it can be asked about later.
fn warnings(visit: &Visit<'_>, parcel: &ParcelRow, ending: Ending) -> Result<Vec<VisitWarning>> {
    use crate::rules::contact::giving_up_warning;
    let one = core::slice::from_ref(parcel);
    let hours = gate::hours(one, visit.now_ms, visit.utc_offset_min)?;
    let attempts = u16::try_from(parcel.attempts + 1).unwrap_or(u16::MAX);
    let early = ending
        .failure
        .and_then(|(reason, action)| giving_up_warning(reason, action, attempts));
    let place = visit.located.note.warnings.iter().copied();
    Ok(hours
        .into_iter()
        .chain(early)
        .map(VisitWarning::Door)
        .chain(place.map(VisitWarning::Position))
        .collect())
}

/// The parcels of a completion with what came of each.
fn chosen_parcels<'a>(
    conn: &Snapshot,
    stop: StopId,
    results: &'a [ParcelResult],
) -> Result<Vec<(ParcelRow, &'a ParcelResult)>> {
    let at_stop = stops::parcels(conn, Some(stop))?;
    let mut out: Vec<(ParcelRow, &ParcelResult)> = Vec::with_capacity(results.len());
    for result in results {
        let parcel = at_stop
            .iter()
            .find(|p| p.parcel_id == result.parcel_id)
            .ok_or(Refusal::ParcelNotAtStop)?;
        if parcel.state.is_final() {
            return Err(Refusal::ParcelClosed.into());
        }
        if out.iter().any(|(p, _)| p.parcel_id == parcel.parcel_id) {
            return Err(Error::InvalidInput {
                what: "parcel list: a parcel is named twice",
            });
        }
        out.push((parcel.clone(), result));
    }
    Ok(out)
}

/// The operator's radii around a door, or the default where he sent none that mean something (A031).
fn radii(conn: &Snapshot) -> Result<Radii> {
    let sent = told::courier(conn)?.radii;
    Ok(sent
        .and_then(|radii| Radii::new(radii.inside_m, radii.extended_m))
        .unwrap_or_default())
}
