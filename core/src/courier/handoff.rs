//! The door: open a handoff, complete it; photos are added in `photos`. Nothing is final before
//! `complete_attempt`, and when that returns everything is on disk (B4-2, B4-3).

use satchel_protocol::attempt::{AttemptBody, Fix, ProofRef, SignatureFacts};
use satchel_protocol::crypto;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::{AttemptId, StopId};
use satchel_protocol::limits::MAX_TEXT_CHARS;
use satchel_protocol::taxonomy::{HandoffKind, Outcome, ProofKind};
use satchel_protocol::transitions::EventKind;

use super::{Courier, Keys};
use crate::clock::random;
use crate::error::{Error, Refusal, Result};
use crate::evidence::log::Fact;
use crate::limits;
use crate::model::attempt::{
    Completion, Draft, HandoffOption, ParcelOutcome, ParcelResult, Recorded, RecordedParcel,
};
use crate::rating;
use crate::rules::geofence;
use crate::rules::requirements::{self, Facts, Given, RULES_VERSION};
use crate::store::attempts::AttemptRow;
use crate::store::db::{Snapshot, Tx};
use crate::store::stops::ParcelRow;
use crate::store::{attempts, proofs, stops};

impl Courier {
    /// Opens a handoff at a stop and says what it needs. An attempt with photos that was left open
    /// when the app was killed is taken up again.
    ///
    /// # Errors
    /// [`Refusal`] when this handoff is not allowed here (no consent, door required), so that the
    /// courier learns it before he walks to the locker; [`Error::NotFound`] for an unknown stop.
    pub fn begin_attempt(&self, stop: StopId, handoff: HandoffKind) -> Result<Draft> {
        self.enrolled()?;
        let now_ms = self.env.clock.wall_ms();
        let (facts, open, photos) = self.db.read_short(|conn| {
            let open = open_parcels(conn, stop)?;
            let parcels = allowed_parcels(conn, &open, handoff, now_ms)?;
            let facts = facts(conn, handoff, &parcels, now_ms)?;
            let open = attempts::open_at_stop(conn, stop, now_ms - limits::DRAFT_RESUMABLE_MS)?;
            let photos = match open {
                Some(id) => proofs::photos_of(conn, id)?,
                None => Vec::new(),
            };
            Ok((facts, open, photos))
        })?;
        let attempt_id = match open {
            Some(id) => id,
            None => {
                let entropy = &*self.env.entropy;
                let id = AttemptId::from_parts(now_ms, random(entropy)?);
                let row = AttemptRow {
                    stop_id: stop,
                    handoff,
                    data_key: random(entropy)?,
                    opened_at_ms: now_ms,
                    completed_at_ms: None,
                };
                self.remember_draft(id, row);
                id
            }
        };
        Ok(Draft {
            attempt_id,
            requirements: requirements::requirements(&facts),
            photos,
        })
    }

    /// Every kind of handoff at this stop with what it needs, or why it is locked (A022, A032). Reads
    /// only; a screen shows the locked ones with their reason instead of hiding them.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown stop, [`Refusal::ParcelClosed`] when nothing is open here.
    pub fn handoffs(&self, stop: StopId) -> Result<Vec<HandoffOption>> {
        let now_ms = self.env.clock.wall_ms();
        self.db.read(|conn| {
            let open = open_parcels(conn, stop)?;
            HandoffKind::ALL
                .iter()
                .map(|&handoff| {
                    let (parcels, locked) = match allowed_parcels(conn, &open, handoff, now_ms) {
                        Ok(allowed) => (allowed, None),
                        Err(Error::Refused(refusal)) => (open.clone(), Some(refusal)),
                        Err(other) => return Err(other),
                    };
                    let facts = facts(conn, handoff, &parcels, now_ms)?;
                    Ok(HandoffOption {
                        handoff,
                        locked,
                        requirements: requirements::requirements(&facts),
                    })
                })
                .collect()
        })
    }

    /// Completes an attempt: checks it against the rules, then writes the attempt, its proofs and one
    /// signed entry per parcel in one transaction, and returns after the flush.
    ///
    /// # Errors
    /// [`Refusal`] with everything that is missing; [`Error::AlreadyCompleted`] the second time (the
    /// first version stands); typed errors for values out of range. On any error nothing is written.
    pub fn complete_attempt(&self, attempt: AttemptId, input: &Completion) -> Result<Recorded> {
        let keys = self.enrolled()?;
        let row = self.open_attempt(attempt)?;
        check_values(input)?;
        let taken = match &input.signature {
            None => None,
            Some(s) => Some(self.take_signature(attempt, s)?),
        };
        let ink = taken.as_ref().map(|taken| &taken.bytes);
        let now_ms = self.env.clock.wall_ms();
        let recorded = self.db.write(|tx| {
            refuse_completed(tx, attempt)?;
            let parcels = chosen_parcels(tx, row.stop_id, &input.parcels)?;
            let completed = AttemptRow {
                handoff: input.handoff,
                completed_at_ms: Some(now_ms),
                ..row.clone()
            };
            attempts::insert(tx, attempt, &completed)?;
            let signature = ink.as_ref().map(|ink| ProofRef {
                hash: crypto::sha256(&[ink.as_slice()]),
                kind: ProofKind::Signature,
                size_bytes: ink.len() as u64,
                origin: None,
                captured_at_ms: now_ms,
                photo: None,
            });
            let mut proofs = proofs::photos_of(tx, attempt)?;
            proofs.extend(signature.clone());
            let visit = Visit {
                attempt,
                row: &completed,
                input,
                proofs,
                signature: taken.as_ref().map(|taken| taken.facts.clone()),
                now_ms,
            };
            let recorded = self.record_parcels(tx, &keys, &visit, &parcels)?;
            // Parcels handed over together share their proofs; the first entry brings them along.
            if let Some(first) = recorded.parcels.first() {
                proofs::bind(tx, attempt, first.seq)?;
                if let (Some(proof), Some(ink)) = (&signature, ink) {
                    proofs::insert_bound(tx, attempt, proof, ink, first.seq)?;
                }
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
        parcels: &[(ParcelRow, ParcelOutcome)],
    ) -> Result<Recorded> {
        let stop = stops::stop(tx, visit.row.stop_id)?;
        let given = visit.given();
        let mut out = Vec::with_capacity(parcels.len());
        for (parcel, outcome) in parcels {
            let facts = facts(
                tx,
                visit.input.handoff,
                core::slice::from_ref(parcel),
                visit.now_ms,
            )?;
            let (result, reason, action) = match *outcome {
                ParcelOutcome::Delivered => {
                    requirements::check_delivered(&facts, &given)?;
                    (Outcome::Delivered, None, None)
                }
                ParcelOutcome::Failed { reason, action } => {
                    requirements::check_failed(&facts, &given, reason, action)?;
                    (Outcome::Failed, Some(reason), Some(action))
                }
            };
            let consent = stops::valid_consents(tx, parcel.parcel_id, visit.now_ms)?
                .into_iter()
                .find(|(handoff, _)| *handoff == visit.input.handoff)
                .map(|(_, id)| id);
            let body = AttemptBody {
                attempt_no: u16::try_from(parcel.attempts + 1).unwrap_or(u16::MAX),
                reason,
                action,
                signer_name: trimmed(visit.input.signer_name.as_deref()),
                relation: visit.input.relation,
                identity: visit.input.identity,
                inspection: visit.input.inspection,
                consent,
                proofs: visit.proofs.clone(),
                fix: visit
                    .input
                    .fix
                    .map(|fix| geofence::with_distance(fix, stop.place)),
                note: trimmed(visit.input.note.as_deref()),
                rules_version: RULES_VERSION,
                signature: visit.signature.clone(),
                ..AttemptBody::bare(
                    visit.attempt,
                    parcel.parcel_id,
                    parcel.stop_id,
                    result,
                    visit.input.handoff,
                )
            };
            let fact = Fact {
                kind: EntryKind::ATTEMPT,
                handle: Some(parcel.handle),
                blobs: visit.proofs.iter().map(|p| p.hash).collect(),
                body: body.encode(),
                stop: Some(parcel.stop_id),
                occurred_at_ms: visit.now_ms,
            };
            let kind = match *outcome {
                ParcelOutcome::Delivered => EventKind::Delivered {
                    handoff: visit.input.handoff,
                },
                ParcelOutcome::Failed { reason, action } => EventKind::Failed { reason, action },
            };
            let head = self.record_step(tx, keys, parcel, kind, fact)?;
            let after = ParcelRow {
                outcome: Some(result),
                ..parcel.clone()
            };
            out.push(RecordedParcel {
                parcel_id: parcel.parcel_id,
                seq: head.seq,
                entry_hash: head.hash,
                rating: match result {
                    Outcome::Delivered => Some(rating::code(&keys.hub_url, &after, &head.hash)?),
                    _ => None,
                },
            });
        }
        Ok(Recorded {
            attempt_id: visit.attempt,
            parcels: out,
        })
    }

    /// Randomness drawn beforehand, so that sealing never goes on with a missing nonce.
    pub(super) fn drawn(&self) -> Result<impl FnMut(&mut [u8]) + use<>> {
        let mut pool = random::<128>(&*self.env.entropy)?.into_iter();
        Ok(move |buf: &mut [u8]| {
            for (slot, byte) in buf.iter_mut().zip(&mut pool) {
                *slot = byte;
            }
        })
    }

    pub(super) fn open_attempt(&self, id: AttemptId) -> Result<AttemptRow> {
        if let Some(row) = self.drafts().get(&id) {
            return Ok(row.clone());
        }
        match self.db.read_short(|conn| attempts::get(conn, id))? {
            Some(row) if row.completed_at_ms.is_some() => Err(Error::AlreadyCompleted),
            Some(row) => Ok(row),
            None => Err(Error::NotFound { what: "attempt" }),
        }
    }

    /// A draft without photos is worth nothing yet, so it costs no write; the oldest makes room.
    fn remember_draft(&self, id: AttemptId, row: AttemptRow) {
        let mut drafts = self.drafts();
        if drafts.len() >= limits::MAX_OPEN_DRAFTS {
            let oldest = drafts
                .iter()
                .min_by_key(|(_, row)| row.opened_at_ms)
                .map(|(id, _)| *id);
            if let Some(oldest) = oldest {
                drafts.remove(&oldest);
            }
        }
        drafts.insert(id, row);
    }
}

/// One visit as it is being written.
struct Visit<'a> {
    attempt: AttemptId,
    row: &'a AttemptRow,
    input: &'a Completion,
    proofs: Vec<ProofRef>,
    signature: Option<SignatureFacts>,
    now_ms: i64,
}

impl Visit<'_> {
    fn given(&self) -> Given {
        Given {
            identity: self.input.identity.is_some_and(|check| check.matched),
            inspection: self.input.inspection.is_some(),
            signature: self.proofs.iter().any(|p| p.kind == ProofKind::Signature),
            photos: self
                .proofs
                .iter()
                .filter(|p| p.kind == ProofKind::Photo)
                .count(),
            signer_name: trimmed(self.input.signer_name.as_deref()).is_some(),
            relation: self.input.relation.is_some(),
            note: trimmed(self.input.note.as_deref()).is_some(),
        }
    }
}

pub(super) fn refuse_completed(conn: &Snapshot, attempt: AttemptId) -> Result<()> {
    match attempts::get(conn, attempt)? {
        Some(row) if row.completed_at_ms.is_some() => Err(Error::AlreadyCompleted),
        _ => Ok(()),
    }
}

fn check_values(input: &Completion) -> Result<()> {
    let too_long = |text: &Option<String>, limit: usize| {
        text.as_ref().is_some_and(|t| t.chars().count() > limit)
    };
    let invalid = |what| Err(Error::InvalidInput { what });
    if input.parcels.is_empty() || input.parcels.len() > limits::MAX_PARCELS_PER_ATTEMPT {
        return invalid("number of parcels");
    }
    if too_long(&input.signer_name, limits::MAX_NAME_CHARS) {
        return invalid("signer name");
    }
    if too_long(&input.note, MAX_TEXT_CHARS) {
        return invalid("note");
    }
    let is_bad = |fix: &Fix| {
        !geofence::is_position(fix.lat, fix.lng)
            || !fix.accuracy_m.is_finite()
            || fix.accuracy_m < 0.0
    };
    if input.fix.as_ref().is_some_and(is_bad) {
        return invalid("position");
    }
    Ok(())
}

/// Parcels of a stop that still have no final outcome.
fn open_parcels(conn: &Snapshot, stop: StopId) -> Result<Vec<ParcelRow>> {
    let row = stops::stop(conn, stop)?;
    let open: Vec<ParcelRow> = stops::parcels(conn, Some(stop))?
        .into_iter()
        .filter(is_open)
        .collect();
    if row.removed || open.is_empty() {
        return Err(Refusal::ParcelClosed.into());
    }
    Ok(open)
}

/// The open parcels of a stop that may be handed over this way now. One parcel without consent does not
/// keep its neighbours from the locker; completion judges each parcel by itself.
fn allowed_parcels(
    conn: &Snapshot,
    open: &[ParcelRow],
    handoff: HandoffKind,
    now_ms: i64,
) -> Result<Vec<ParcelRow>> {
    let mut allowed = Vec::with_capacity(open.len());
    let mut refusal = Refusal::ParcelClosed;
    for parcel in open {
        match requirements::gate(&facts(
            conn,
            handoff,
            core::slice::from_ref(parcel),
            now_ms,
        )?) {
            Ok(()) => allowed.push(parcel.clone()),
            Err(why) => refusal = why,
        }
    }
    if allowed.is_empty() {
        return Err(refusal.into());
    }
    Ok(allowed)
}

fn is_open(parcel: &ParcelRow) -> bool {
    parcel.state.is_deliverable()
}

fn chosen_parcels(
    conn: &Snapshot,
    stop: StopId,
    results: &[ParcelResult],
) -> Result<Vec<(ParcelRow, ParcelOutcome)>> {
    let at_stop = stops::parcels(conn, Some(stop))?;
    let mut out: Vec<(ParcelRow, ParcelOutcome)> = Vec::with_capacity(results.len());
    for result in results {
        let parcel = at_stop
            .iter()
            .find(|p| p.parcel_id == result.parcel_id)
            .ok_or(Refusal::ParcelNotAtStop)?;
        if !is_open(parcel) {
            return Err(Refusal::ParcelClosed.into());
        }
        if out.iter().any(|(p, _)| p.parcel_id == parcel.parcel_id) {
            return Err(Error::InvalidInput {
                what: "parcel list: a parcel is named twice",
            });
        }
        out.push((parcel.clone(), result.outcome));
    }
    Ok(out)
}

fn facts(
    conn: &Snapshot,
    handoff: HandoffKind,
    parcels: &[ParcelRow],
    now_ms: i64,
) -> Result<Facts> {
    let mut common: Option<Vec<HandoffKind>> = None;
    for parcel in parcels {
        let valid: Vec<HandoffKind> = stops::valid_consents(conn, parcel.parcel_id, now_ms)?
            .into_iter()
            .map(|(handoff, _)| handoff)
            .collect();
        common = Some(match common {
            None => valid,
            Some(before) => before.into_iter().filter(|h| valid.contains(h)).collect(),
        });
    }
    Ok(Facts {
        handoff,
        tags: parcels
            .iter()
            .flat_map(|p| p.tags.iter().copied())
            .collect(),
        consents: common.unwrap_or_default(),
        door_required: parcels.iter().any(|p| p.door_required),
    })
}

fn trimmed(text: Option<&str>) -> Option<String> {
    text.map(str::trim)
        .filter(|t| !t.is_empty())
        .map(str::to_owned)
}
