//! The projection: what the log means, in tables one can ask. Derived from entries alone.
//!
//! Replaying all entries in the order of their arrival gives the same rows (`satchel-hub rebuild`).
//! An entry that cannot be read is never in the way: it is held, receipted and marked.

mod attempt;
mod body;
mod day;
mod door;

use std::collections::{BTreeSet, HashMap};

use satchel_protocol::attempt::ProofRef;
use satchel_protocol::entry::Header;
use satchel_protocol::ids::{AttemptId, DeviceId, Handle, Hash32, ParcelId};
use satchel_protocol::wedge::ReplacementBody;
use sqlx::Row;

use crate::consents;
use crate::db::{RowExt, Tx};
use crate::doorstep;
use crate::error::HubError;
use crate::hub::Hub;
use crate::store::bulk::{self, Rows};
use crate::store::entries::{self, AlarmKind, CheckedEntry};
use crate::store::events::{self, NewEvents};
use crate::store::wedged;
use body::Body;

/// Entries replayed per query while rebuilding; bounds memory, not the result.
const REBUILD_PAGE: i64 = 500;

/// Every table that is derived from entries. Rows that the hub itself made stay.
const CLEAR: &[&str] = &[
    "DELETE FROM entry_state",
    "DELETE FROM attempt",
    "DELETE FROM attempt_proof",
    // What became of an erased delivery is no longer in any body; these rows are the only copy.
    "DELETE FROM parcel_state WHERE parcel_id NOT IN (SELECT parcel_id FROM erasure)",
    "DELETE FROM parcel_event WHERE recorder = x'' \
       OR parcel_id NOT IN (SELECT parcel_id FROM erasure)",
    "DELETE FROM parcel_fold",
    "DELETE FROM consent WHERE recorder <> x''",
    "DELETE FROM consent_parcel WHERE recorder <> x''",
    "DELETE FROM consent_withdrawal WHERE recorder <> x''",
    "DELETE FROM correction",
    "DELETE FROM call_attempt",
    "DELETE FROM report",
    "DELETE FROM report_parcel",
    "DELETE FROM load_scan",
    "DELETE FROM pickup",
    "DELETE FROM temperature",
    "DELETE FROM code_entry",
    "DELETE FROM duty",
    "DELETE FROM reminder",
    "DELETE FROM ruleset_refused",
    "DELETE FROM parcel_step",
    "DELETE FROM proof_lost",
];

/// The entry as it is to be read: what a replacement says again counts as said by it, under the hash that the
/// open position has. Any other entry, and a replacement that was not taken as one, is read as it is.
async fn said(tx: &mut Tx, new: &CheckedEntry) -> Result<CheckedEntry, HubError> {
    let mut said = new.clone();
    let replaces = new.header.kind == ReplacementBody::KIND
        && wedged::is_replacement(tx, new.header.device, new.header.seq).await?;
    let body = new.entry.body.as_deref().filter(|_| replaces);
    if let Some(again) = body.and_then(|b| ReplacementBody::decode(b).ok()) {
        said.header.kind = again.kind;
        said.hash = again.of_hash;
        said.entry.body = Some(again.body);
    }
    Ok(said)
}

/// An entry as it is to be read, with what it says.
pub(crate) struct Told {
    pub(crate) entry: CheckedEntry,
    body: Body,
    received_at_ms: i64,
}

/// Reads an entry as it is to be read; see [`said`].
pub(crate) async fn read(
    tx: &mut Tx,
    new: &CheckedEntry,
    received_at_ms: i64,
) -> Result<Told, HubError> {
    let entry = said(tx, new).await?;
    let body = Body::of(&entry);
    Ok(Told {
        entry,
        body,
        received_at_ms,
    })
}

/// The small copies of photos that the body of an entry names.
pub(crate) fn small_copies(entry: &CheckedEntry) -> Vec<Hash32> {
    let body = Body::of(entry);
    let facts = body
        .proofs()
        .iter()
        .filter_map(|proof| proof.photo.as_ref());
    facts
        .filter_map(|f| f.thumb)
        .map(|thumb| thumb.hash)
        .collect()
}

/// Writes what entries mean, in their order. Gives the parcels whose stories they change; those are to be folded
/// anew.
pub(crate) async fn apply(
    tx: &mut Tx,
    hub: &Hub,
    told: &[Told],
) -> Result<BTreeSet<ParcelId>, HubError> {
    let mut states = Rows::new("INSERT INTO entry_state (device_id, seq, state)", "");
    let mut attempts = attempt::Attempts::new();
    let mut events = NewEvents::new();
    let mut touched = BTreeSet::new();
    for Told {
        entry,
        body,
        received_at_ms,
    } in told
    {
        let header = &entry.header;
        let device = header.device.as_bytes()[..].into();
        states.push([device, header.seq.into(), body.state().into()]);
        match body {
            Body::Attempt(a) => attempts.add(header, a, *received_at_ms),
            other => write(tx, hub, header, other, *received_at_ms).await?,
        }
        attempts.add_proofs(header, body.proofs());
        touched.extend(body.parcels());
        if let Body::Withdrawn(withdrawn) = body {
            let held = crate::store::consents::by_id(tx, &withdrawn.consent_id).await?;
            touched.extend(held.into_iter().flat_map(|row| row.record.parcels));
        }
        if let Some((parcel, kind)) = body.event() {
            events.add(header, parcel, &kind)?;
        }
    }
    states.put(tx).await?;
    attempts.put(tx).await?;
    events.put(tx).await?;
    Ok(touched)
}

async fn write(
    tx: &mut Tx,
    hub: &Hub,
    header: &Header,
    body: &Body,
    received_at_ms: i64,
) -> Result<(), HubError> {
    match body {
        Body::Consent(b) => door::consent(tx, header, b).await?,
        Body::Withdrawn(b) => door::withdrawn(tx, header, b).await?,
        Body::Correction(b) => door::correction(tx, header, b).await?,
        Body::Call(b) => door::call(tx, header, b).await?,
        Body::Report(b) => door::report(tx, header, b, received_at_ms).await?,
        Body::CodeEntry(b) => door::code_entry(tx, hub, header, b).await?,
        Body::LoadScan(b) => day::load_scan(tx, header, b).await?,
        Body::Pickup(b) => day::pickup(tx, header, b).await?,
        Body::Temperature(b) => day::temperature(tx, header, b).await?,
        Body::Duty(b) => day::duty(tx, header, b).await?,
        Body::Reminder(b) => day::reminder(tx, header, b).await?,
        Body::RuleSetRefused(b) => day::ruleset_refused(tx, header, b).await?,
        Body::Step(b) => day::parcel_step(tx, header, b).await?,
        Body::ProofLost(b) => door::proof_lost(tx, header, b).await?,
        // Attempts are written together.
        Body::Attempt(_)
        | Body::Enrolled
        | Body::Revealed
        | Body::UnknownKind
        | Body::Unreadable
        | Body::Erased => {}
    }
    Ok(())
}

/// Passes consents on that were given or taken back at a door: the parcel may change hands, and another
/// phone of the same courier has to know as well.
pub(crate) async fn pass_on(tx: &mut Tx, told: &[Told]) -> Result<(), HubError> {
    for told in told {
        match &told.body {
            Body::Consent(record) => consents::tell(tx, record).await?,
            Body::Withdrawn(withdrawn) => consents::tell_withdrawn(tx, withdrawn).await?,
            _ => {}
        }
    }
    Ok(())
}

/// Tells the board of signed entries that do not fit what the hub gave out. They stay in the log: what a
/// device signed is evidence, fitting or not. `visit_of` says for which visit ink was drawn.
pub(crate) async fn raise_alarms(
    tx: &mut Tx,
    told: &[Told],
    visit_of: impl Fn(&Hash32) -> Option<AttemptId>,
    now_ms: i64,
) -> Result<(), HubError> {
    let handles = handles(tx, told.iter().filter_map(Told::parcel)).await?;
    for one in told {
        let header = &one.entry.header;
        let (device, seq, parcel) = (header.device, Some(header.seq), one.parcel());
        let bound = |p: &ProofRef| header.blobs.contains(&p.hash);
        if !one.body.proofs().iter().all(bound) {
            entries::alarm(tx, AlarmKind::UnboundProof, device, seq, parcel, now_ms).await?;
        }
        if matches!(one.body, Body::RuleSetRefused(_)) {
            entries::alarm(tx, AlarmKind::RuleSetRefused, device, seq, None, now_ms).await?;
        }
        let fits = |parcel| {
            let known = handles.get(&(parcel, device));
            known.is_some_and(|known| header.handle.is_none_or(|signed| signed == *known))
        };
        if parcel.is_some_and(|parcel| !fits(parcel)) {
            entries::alarm(tx, AlarmKind::ForeignParcel, device, seq, parcel, now_ms).await?;
        }
        // Ink that was drawn for another visit than the one whose entry names it: the mistake of two
        // signatures on one job (B4-1). The pictures refuse to show such ink for that visit.
        if let Body::Attempt(attempt) = &one.body {
            let others = |hash: &Hash32| visit_of(hash).is_some_and(|v| v != attempt.attempt);
            if attempt.proofs.iter().any(|proof| others(&proof.hash)) {
                let parcel = Some(attempt.parcel);
                entries::alarm(tx, AlarmKind::WrongInk, device, seq, parcel, now_ms).await?;
            }
        }
    }
    Ok(())
}

impl Told {
    /// The parcel that it does something to, or tried to.
    fn parcel(&self) -> Option<ParcelId> {
        let event = self.body.event().map(|(parcel, _)| parcel);
        event.or(self.body.attempted())
    }
}

/// The handles under which devices were given these parcels.
async fn handles(
    tx: &mut Tx,
    parcels: impl Iterator<Item = ParcelId>,
) -> Result<HashMap<(ParcelId, DeviceId), Handle>, HubError> {
    let parcels: BTreeSet<ParcelId> = parcels.collect();
    let rows = sqlx::query(
        "SELECT a.parcel_id, a.device_id, p.handle FROM assignment a JOIN parcel p USING (parcel_id) \
         WHERE a.parcel_id IN (SELECT unhex(value) FROM json_each(?))",
    )
    .bind(bulk::parcels(&parcels))
    .fetch_all(&mut **tx)
    .await?;
    rows.iter()
        .map(|row| {
            let to = (row.parcel("parcel_id")?, row.device("device_id")?);
            Ok((to, row.handle("handle")?))
        })
        .collect()
}

impl Hub {
    /// Empties the projections and derives them again from the log, in one transaction. Gives the
    /// number of entries replayed.
    ///
    /// # Errors
    /// [`HubError`]; the projections are then as they were.
    pub async fn rebuild(&self) -> Result<u64, HubError> {
        let mut tx = self.db().write().await?;
        for clear in CLEAR {
            sqlx::query(*clear).execute(&mut *tx).await?;
        }
        events::copy_hub_events(&mut tx).await?;
        let mut touched = events::parcels_with_events(&mut tx).await?;
        let (mut last, mut count) = (0_i64, 0_u64);
        loop {
            let rows = sqlx::query(
                "SELECT leaf, hash, header, sig, salt, body, received_at_ms FROM entry \
                 WHERE leaf > ? ORDER BY leaf LIMIT ?",
            )
            .bind(last)
            .bind(REBUILD_PAGE)
            .fetch_all(&mut *tx)
            .await?;
            if rows.is_empty() {
                break;
            }
            let mut told = Vec::with_capacity(rows.len());
            for row in &rows {
                last = row.try_get("leaf")?;
                let received_at_ms = row.try_get("received_at_ms")?;
                told.push(read(&mut tx, &stored_entry(row)?, received_at_ms).await?);
                count += 1;
            }
            touched.extend(apply(&mut tx, self, &told).await?);
        }
        doorstep::refold_each(&mut tx, &touched).await?;
        tx.commit().await?;
        Ok(count)
    }
}

/// An entry as it was accepted.
fn stored_entry(row: &sqlx::sqlite::SqliteRow) -> Result<CheckedEntry, HubError> {
    let hash: Hash32 = row.hash("hash")?;
    let entry = entries::signed(row, "entry")?;
    let decoded = Header::decode(&entry.header).map_err(|_| HubError::DamagedRow {
        what: "entry header",
    })?;
    Ok(CheckedEntry {
        header: decoded,
        hash,
        entry,
    })
}
