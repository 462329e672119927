//! Consents on the spot: taken with what shows them, withdrawn, and listed (A023, A033, Art 28(3)).

use satchel_protocol::crypto;
use satchel_protocol::doorstep::{ConsentEvidence, ConsentRecord, ConsentWithdrawnBody};
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::{Hash32, ParcelId, StopId};
use satchel_protocol::limits::MAX_TEXT_CHARS;
use satchel_protocol::taxonomy::{ConsentOrigin, HandoffKind};

use super::input::too_long;
use super::trimmed;
use crate::courier::{Courier, Keys};
use crate::error::{Error, Refusal, Result};
use crate::evidence::log::Fact;
use crate::limits;
use crate::model::consent::{ConsentInput, ConsentView, EvidenceInput};
use crate::rules::consent::Consent;
use crate::rules::contact::MaskedPhone;
use crate::store::attempts::AttemptKind;
use crate::store::consents::{self, Source};
use crate::store::db::{Snapshot, Tx};
use crate::store::entries::Beside;
use crate::store::stops::ParcelRow;
use crate::store::{calls, stops};

/// What shows a consent, and since when it holds.
struct Shown {
    evidence: ConsentEvidence,
    given_at_ms: i64,
}

impl Courier {
    /// Records a consent that was given on the spot: by a call of this phone's log, a message, a
    /// signature or the recipient's code. It opens the handoffs it names at once, offline.
    ///
    /// # Errors
    /// [`Refusal::NoConsent`] for what is none (a call nobody answered, no handoff that needs one, a named
    /// proxy without a name), [`Refusal::ConsentChannelInsufficient`] for a way that shows nothing of the
    /// recipient's will for one of the handoffs, [`Error::NotFound`] for an unknown stop, parcel or call.
    pub fn record_consent(&self, input: &ConsentInput) -> Result<ConsentView> {
        let keys = self.at_work()?;
        check_values(input)?;
        let now_ms = self.env.clock.wall_ms();
        let (id, _) = self.new_attempt(input.stop, HandoffKind::Recipient, AttemptKind::Consent)?;
        // The ink names the consent it is for, so that it can serve no other (B4-1).
        let ink = match &input.evidence {
            EvidenceInput::Signature(s) => Some(self.take_signature(id, s)?.bytes),
            _ => None,
        };
        self.db.write(|tx| {
            let parcels = named_parcels(tx, input)?;
            let shown = shown(tx, input, &parcels, ink.as_deref(), now_ms)?;
            let record = ConsentRecord {
                consent_id: format!("door-{id}"),
                giver: input.giver,
                origin: ConsentOrigin::OnTheSpot,
                scope: input.scope.clone(),
                parcels: parcels.iter().map(|p| p.parcel_id).collect(),
                named_person: trimmed(input.named_person.as_deref()),
                place: trimmed(input.place.as_deref()),
                evidence: shown.evidence,
                given_at_ms: shown.given_at_ms,
                expires_at_ms: input.expires_at_ms,
                withdrawn_at_ms: None,
            };
            check(&record)?;
            let beside = Beside {
                attempt: ink.as_ref().map(|_| id),
                opened_at_ms: None,
                ink: ink.as_deref(),
            };
            self.append_consent(tx, &keys, &record, &parcels, (now_ms, beside))?;
            consents::put(tx, &record, Source::Phone)?;
            stops::touch(tx, input.stop)?;
            Ok(view(&record, &parcels, now_ms))
        })
    }

    fn append_consent(
        &self,
        tx: &Tx<'_>,
        keys: &Keys,
        record: &ConsentRecord,
        parcels: &[ParcelRow],
        (now_ms, beside): (i64, Beside<'_>),
    ) -> Result<()> {
        let handle = match parcels {
            [one] => Some(one.handle),
            _ => None,
        };
        let stop = parcels.first().map(|p| p.stop_id);
        let blobs = match record.evidence {
            ConsentEvidence::Signature { ink } => vec![ink],
            _ => vec![],
        };
        let fact = Fact {
            kind: EntryKind::CONSENT,
            handle,
            blobs,
            body: record.encode(),
            stop,
            occurred_at_ms: now_ms,
        };
        self.pen(keys).append_beside(tx, fact, beside).map(|_| ())
    }

    /// Records that a consent was withdrawn, as the courier was told at a door. What was handed over
    /// before stays; nothing more can rest on it from now on.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a consent this phone does not know.
    pub fn withdraw_consent(&self, consent_id: &str, stop: Option<StopId>) -> Result<()> {
        let keys = self.at_work()?;
        self.db.write(|tx| {
            // Not before what was handed over on it, by this log's times.
            let now_ms = self.log_time_ms(tx, &keys, [])?;
            let known =
                consents::get(tx, consent_id)?.ok_or(Error::NotFound { what: "consent" })?;
            if known.withdrawn_at_ms.is_some_and(|at| at <= now_ms) {
                return Ok(());
            }
            let body = ConsentWithdrawnBody {
                consent_id: known.consent_id,
                withdrawn_at_ms: now_ms,
                stop,
            };
            let fact = Fact {
                kind: EntryKind::CONSENT_WITHDRAWN,
                handle: None,
                blobs: vec![],
                body: body.encode(),
                stop,
                occurred_at_ms: now_ms,
            };
            self.pen(&keys).append(tx, fact)?;
            consents::withdraw(tx, consent_id, now_ms)?;
            for stop in consents::stops_of(tx, consent_id)? {
                stops::touch(tx, stop)?;
            }
            Ok(())
        })
    }

    /// Every consent that is known for a stop, also those that no longer carry.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown stop.
    pub fn consents(&self, stop: StopId) -> Result<Vec<ConsentView>> {
        let now_ms = self.env.clock.wall_ms();
        self.db.read(|conn| {
            stops::stop(conn, stop)?;
            let mut views: Vec<ConsentView> = Vec::new();
            for parcel in stops::parcels(conn, Some(stop))? {
                for record in consents::of_parcel(conn, parcel.parcel_id)? {
                    match views.iter_mut().find(|v| v.consent_id == record.consent_id) {
                        Some(known) => known.parcels.push(parcel.parcel_id),
                        None => {
                            let one = core::slice::from_ref(&parcel);
                            views.push(view(&record, one, now_ms));
                        }
                    }
                }
            }
            Ok(views)
        })
    }
}

fn check_values(input: &ConsentInput) -> Result<()> {
    let invalid = |what| Err(Error::InvalidInput { what });
    if input.parcels.len() > limits::MAX_PARCELS_PER_ATTEMPT {
        return invalid("number of parcels");
    }
    if input.scope.len() > HandoffKind::ALL.len() {
        return invalid("scope of the consent");
    }
    let texts = [&input.named_person, &input.place];
    if texts
        .iter()
        .any(|t| too_long(t.as_deref(), limits::MAX_NAME_CHARS))
    {
        return invalid("name or place");
    }
    if let EvidenceInput::Message { text, number } = &input.evidence {
        let empty = text.trim().is_empty() || !number.chars().any(|c| c.is_ascii_digit());
        if empty
            || too_long(Some(text), MAX_TEXT_CHARS)
            || too_long(Some(number), limits::MAX_NAME_CHARS)
        {
            return invalid("message");
        }
    }
    Ok(())
}

/// A consent that could never open what it names is refused now and not at the locker.
fn check(record: &ConsentRecord) -> Result<()> {
    let consent = Consent::from(record);
    consent.check().map_err(Refusal::from)?;
    let channel = consent.channel();
    let suffices = |h: &HandoffKind| crate::rules::consent::channels(*h).contains(&channel);
    if record.scope.iter().all(suffices) {
        Ok(())
    } else {
        Err(Refusal::ConsentChannelInsufficient.into())
    }
}

fn named_parcels(conn: &Snapshot, input: &ConsentInput) -> Result<Vec<ParcelRow>> {
    stops::stop(conn, input.stop)?;
    let at_stop = stops::parcels(conn, Some(input.stop))?;
    let is_here = |id: &ParcelId| at_stop.iter().any(|p| p.parcel_id == *id);
    if !input.parcels.iter().all(is_here) {
        return Err(Refusal::ParcelNotAtStop.into());
    }
    Ok(at_stop
        .into_iter()
        .filter(|p| {
            if input.parcels.is_empty() {
                !p.state.is_final()
            } else {
                input.parcels.contains(&p.parcel_id)
            }
        })
        .collect())
}

fn shown(
    conn: &Snapshot,
    input: &ConsentInput,
    parcels: &[ParcelRow],
    ink: Option<&[u8]>,
    now_ms: i64,
) -> Result<Shown> {
    let now = |evidence| Shown {
        evidence,
        given_at_ms: now_ms,
    };
    Ok(match &input.evidence {
        EvidenceInput::Call { seq } => {
            let call = calls::recorded(conn, input.stop)?
                .into_iter()
                .find(|c| c.seq == *seq)
                .ok_or(Error::NotFound { what: "call" })?;
            Shown {
                given_at_ms: call.at_ms,
                evidence: ConsentEvidence::Call {
                    call_id: call.body.call_id.unwrap_or_else(|| format!("entry-{seq}")),
                    number: call.body.number,
                    result: call.body.result,
                    duration_s: call.body.duration_s,
                },
            }
        }
        EvidenceInput::Message { text, number } => now(ConsentEvidence::Message {
            text_hash: crypto::sha256(&[text.trim().as_bytes()]),
            number: MaskedPhone::mask(number).as_str().to_owned(),
        }),
        EvidenceInput::Signature(_) => now(ConsentEvidence::Signature {
            ink: ink.map_or(Hash32::ZERO, |ink| crypto::sha256(&[ink])),
        }),
        EvidenceInput::Code => {
            for parcel in parcels {
                if super::facts::code_result(conn, parcel)? != Some(super::facts::VERIFIED) {
                    return Err(Refusal::ConsentChannelInsufficient.into());
                }
            }
            now(ConsentEvidence::Code { verified: true })
        }
    })
}

fn view(record: &ConsentRecord, parcels: &[ParcelRow], now_ms: i64) -> ConsentView {
    let consent = Consent::from(record);
    ConsentView {
        consent_id: record.consent_id.clone(),
        giver: record.giver,
        origin: record.origin,
        channel: consent.channel(),
        scope: record.scope.clone(),
        parcels: parcels.iter().map(|p| p.parcel_id).collect(),
        named_person: record.named_person.clone(),
        place: record.place.clone(),
        given_at_ms: record.given_at_ms,
        expires_at_ms: record.expires_at_ms,
        withdrawn_at_ms: record.withdrawn_at_ms,
        standing: consent.standing(now_ms),
    }
}
