//! Corrections: each a new entry that names the earlier one and says who, when and why. The earlier one
//! stays in the log for good (B4-4).

use satchel_protocol::attempt::AttemptBody;
use satchel_protocol::doorstep::CorrectionBody;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::{AttemptId, ParcelId};
use satchel_protocol::taxonomy::HandoffKind;
use satchel_protocol::transitions::{
    Correction, Event, EventId, EventKind, Origin, UndoWindow, check_correction,
};

use super::gate::{self, Asked};
use super::{input, refuse_completed, trimmed};
use crate::courier::{Courier, Keys};
use crate::error::{Error, Refusal, Result};
use crate::evidence::log::Fact;
use crate::model::history::{Corrected, CorrectionInput, MeantParcel};
use crate::rating;
use crate::rules::consent::Basis;
use crate::store::attempts::{self, AttemptKind, AttemptRow};
use crate::store::db::{Snapshot, Tx};
use crate::store::entries;
use crate::store::stops::ParcelRow;
use crate::store::{proofs, stops};

/// A correction that was found to hold.
#[derive(Clone, Copy)]
struct Ruling<'a> {
    given: &'a CorrectionInput,
    parcel: &'a ParcelRow,
    /// The parcel that a mistaken attempt belongs to.
    meant: Option<&'a ParcelRow>,
    of: EventId,
    now_ms: i64,
}

impl Courier {
    /// Opens a holder for proofs that came late; fill it with `add_photo` and name it in the correction.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown parcel.
    pub fn begin_correction(&self, parcel: ParcelId) -> Result<AttemptId> {
        self.at_work()?;
        let stop = self
            .db
            .read_short(|conn| Ok(stops::parcel(conn, parcel)?.stop_id))?;
        let (id, row) = self.new_attempt(stop, HandoffKind::Recipient, AttemptKind::Correction)?;
        self.remember_draft(id, row);
        Ok(id)
    }

    /// Puts the record right: undo within its window, open again, late proof, wrong parcel, wrong
    /// reason. What the app shows afterwards is the folded state; the log holds everything.
    ///
    /// # Errors
    /// [`Refusal::NotNow`] with the reason why this correction does not hold; nothing is written then.
    pub fn correct(&self, given: &CorrectionInput) -> Result<Corrected> {
        let keys = self.at_work()?;
        input::check_words(given.words.as_deref())?;
        let draft = match given.draft {
            Some(id) => Some((id, self.open_attempt_of(id, AttemptKind::Correction)?)),
            None => None,
        };
        let corrected = self.db.write(|tx| {
            let parcel = stops::parcel(tx, given.parcel)?;
            let meant = match given.correction {
                Correction::WrongParcel { meant } => Some(stops::parcel(tx, meant)?),
                _ => None,
            };
            let now_ms = self.log_time_ms(tx, &keys, [&parcel].into_iter().chain(&meant))?;
            let of = target(&parcel, given.of)?;
            let words = trimmed(given.words.as_deref());
            check_correction(
                parcel.start(),
                &parcel.events()?,
                UndoWindow::default(),
                (of, given.correction),
                words.as_deref().unwrap_or_default(),
                now_ms,
            )
            .map_err(Refusal::NotNow)?;
            let ruling = Ruling {
                given,
                parcel: &parcel,
                meant: meant.as_ref(),
                of,
                now_ms,
            };
            self.write_correction(tx, &keys, &ruling, draft.as_ref())
        })?;
        if let Some(id) = given.draft {
            self.drafts().remove(&id);
        }
        Ok(corrected)
    }

    fn write_correction(
        &self,
        tx: &Tx<'_>,
        keys: &Keys,
        ruling: &Ruling<'_>,
        draft: Option<&(AttemptId, AttemptRow)>,
    ) -> Result<Corrected> {
        let Ruling {
            given,
            parcel,
            of,
            now_ms,
            ..
        } = *ruling;
        let proofs = match draft {
            None => Vec::new(),
            Some((id, row)) => {
                refuse_completed(tx, *id)?;
                if row.stop_id != parcel.stop_id {
                    return Err(Refusal::ParcelNotAtStop.into());
                }
                let done = AttemptRow {
                    completed_at_ms: Some(now_ms),
                    ..row.clone()
                };
                attempts::insert(tx, *id, &done)?;
                proofs::photos_of(tx, *id)?
            }
        };
        if given.correction == Correction::LateProof && proofs.is_empty() {
            return Err(Error::InvalidInput { what: "late proof" });
        }
        let body = CorrectionBody {
            parcel: parcel.parcel_id,
            stop: parcel.stop_id,
            of,
            correction: given.correction,
            words: trimmed(given.words.as_deref()),
            proofs: proofs.clone(),
        };
        let fact = Fact {
            kind: EntryKind::CORRECTION,
            handle: Some(parcel.handle),
            blobs: proofs.iter().map(|p| p.hash).collect(),
            body: body.encode(),
            stop: Some(parcel.stop_id),
            occurred_at_ms: now_ms,
        };
        let kind = EventKind::Corrected {
            of,
            correction: given.correction,
        };
        let head = self.record_step(tx, keys, parcel, kind, fact)?;
        if let Some((id, _)) = draft {
            proofs::bind(tx, *id, head.seq)?;
        }
        let meant = match ruling.meant {
            Some(other) => Some(self.record_meant(tx, keys, ruling, other)?),
            None => None,
        };
        Ok(Corrected {
            event: EventId {
                origin: Origin::Phone(keys.device),
                seq: head.seq,
            },
            entry_hash: head.hash,
            meant,
        })
    }

    /// What happened, happened to another parcel of the stop: its own attempt is recorded now, with the
    /// proofs and facts of the mistaken one. It passes the same gate; a consent for one parcel is none
    /// for another.
    fn record_meant(
        &self,
        tx: &Tx<'_>,
        keys: &Keys,
        ruling: &Ruling<'_>,
        other: &ParcelRow,
    ) -> Result<MeantParcel> {
        let Ruling {
            parcel, of, now_ms, ..
        } = *ruling;
        if other.stop_id != parcel.stop_id || other.parcel_id == parcel.parcel_id {
            return Err(Refusal::ParcelNotAtStop.into());
        }
        let (event, before) = mistaken(tx, Origin::Phone(keys.device), parcel, of)?;
        let asked = Asked {
            handoff: before.handoff,
            signer_name: before.signer_name.as_deref(),
            now_ms,
        };
        let consent = match event.kind {
            EventKind::Failed { .. } => None,
            _ => match gate::basis(tx, other, asked)? {
                Basis::Consent { id } => Some(id),
                Basis::NotNeeded => None,
            },
        };
        let body = AttemptBody {
            parcel: other.parcel_id,
            stop: other.stop_id,
            attempt_no: u16::try_from(other.attempts + 1).unwrap_or(u16::MAX),
            consent,
            scanned: false,
            code: None,
            ..before
        };
        let fact = Fact {
            kind: EntryKind::ATTEMPT,
            handle: Some(other.handle),
            blobs: body.proofs.iter().map(|p| p.hash).collect(),
            body: body.encode(),
            stop: Some(other.stop_id),
            occurred_at_ms: now_ms,
        };
        let head = self.record_step(tx, keys, other, event.kind, fact)?;
        let delivered = matches!(event.kind, EventKind::Delivered { .. });
        Ok(MeantParcel {
            parcel_id: other.parcel_id,
            event: EventId {
                origin: Origin::Phone(keys.device),
                seq: head.seq,
            },
            rating: delivered.then(|| rating::code(&keys.hub_url, other, &head.hash)),
        })
    }
}

/// The event that is meant: the one named, or the last step by a courier's hand.
fn target(parcel: &ParcelRow, of: Option<EventId>) -> Result<EventId> {
    if let Some(of) = of {
        return Ok(of);
    }
    let folded = parcel.folded()?;
    folded.last_step.ok_or(Error::NotFound {
        what: "step to correct",
    })
}

/// The attempt that was recorded on the wrong parcel; only one of this phone can be moved here: its proofs
/// and facts lie in this log, and another log's positions name other entries.
fn mistaken(
    conn: &Snapshot,
    here: Origin,
    parcel: &ParcelRow,
    of: EventId,
) -> Result<(Event, AttemptBody)> {
    let unknown = Error::NotFound {
        what: "attempt to move",
    };
    if of.origin != here {
        return Err(unknown);
    }
    let events = parcel.events()?;
    let event = events.iter().find(|e| e.id == of);
    let body = entries::body_of(conn, of.seq, EntryKind::ATTEMPT)?;
    match (event, body) {
        (Some(event), Some(bytes)) => Ok((*event, AttemptBody::decode(&bytes)?)),
        _ => Err(unknown),
    }
}
