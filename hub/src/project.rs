//! The projection: what the log means, in tables one can ask. Derived from entries alone.
//!
//! Replaying all entries in the order of their arrival gives the same rows (`satchel-hub rebuild`).
//! An entry that cannot be read is never in the way: it is held, receipted and marked.

use satchel_protocol::attempt::AttemptBody;
use satchel_protocol::entry::{EntryKind, Header, SignedEntry};
use satchel_protocol::ids::{Hash32, Salt, Sig64};
use sqlx::Row;

use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::hub::Hub;
use crate::store::entries::{self, AlarmKind, CheckedEntry};

/// Entries replayed per query while rebuilding; bounds memory, not the result.
const REBUILD_PAGE: i64 = 500;

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Enrolled,
    Attempt,
    /// A kind made after this build; projected by a newer one.
    UnknownKind,
    /// The kind is known, the body is not readable by this build.
    Unreadable,
    /// Body and salt were erased.
    Erased,
}

impl State {
    fn code(self) -> &'static str {
        match self {
            Self::Enrolled => "enrolled",
            Self::Attempt => "attempt",
            Self::UnknownKind => "unknown_kind",
            Self::Unreadable => "unreadable",
            Self::Erased => "erased",
        }
    }
}

/// The attempt in an entry, if it is a readable one.
fn attempt_of(new: &CheckedEntry) -> Option<AttemptBody> {
    if new.header.kind != EntryKind::ATTEMPT {
        return None;
    }
    new.entry
        .body
        .as_deref()
        .and_then(|body| AttemptBody::decode(body).ok())
}

/// Writes what one entry means.
pub(crate) async fn apply(
    tx: &mut Tx,
    new: &CheckedEntry,
    received_at_ms: i64,
) -> Result<(), HubError> {
    let attempt = attempt_of(new);
    let state = match (new.header.kind, &new.entry.body, &attempt) {
        (_, None, _) => State::Erased,
        (EntryKind::ENROLLED, ..) => State::Enrolled,
        (EntryKind::ATTEMPT, _, Some(_)) => State::Attempt,
        (EntryKind::ATTEMPT, _, None) => State::Unreadable,
        _ => State::UnknownKind,
    };
    sqlx::query("INSERT INTO entry_state (device_id, seq, state) VALUES (?, ?, ?)")
        .bind(&new.header.device.as_bytes()[..])
        .bind(new.header.seq)
        .bind(state.code())
        .execute(&mut **tx)
        .await?;
    if let Some(attempt) = attempt {
        insert_attempt(tx, &new.header, &attempt, received_at_ms).await?;
        insert_proofs(tx, &new.header, &attempt).await?;
        update_parcel(tx, &new.header, &attempt).await?;
    }
    Ok(())
}

async fn insert_attempt(
    tx: &mut Tx,
    header: &Header,
    a: &AttemptBody,
    received_at_ms: i64,
) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO attempt (device_id, seq, attempt_id, parcel_id, stop_id, attempt_no, outcome, \
           handoff, reason, action, signer_name, relation, identity_method, identity_matched, \
           inspection, consent_id, lat, lng, accuracy_m, fix_mock, distance_m, note, rules_version, \
           occurred_at_ms, utc_offset_min, received_at_ms) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&header.device.as_bytes()[..])
    .bind(header.seq)
    .bind(&a.attempt.as_bytes()[..])
    .bind(&a.parcel.as_bytes()[..])
    .bind(&a.stop.as_bytes()[..])
    .bind(i64::from(a.attempt_no))
    .bind(a.outcome.code())
    .bind(a.handoff.code())
    .bind(a.reason.map(|r| r.code()))
    .bind(a.action.map(|r| r.code()))
    .bind(&a.signer_name)
    .bind(a.relation.map(|r| r.code()))
    .bind(a.identity.map(|i| i.method.code()))
    .bind(a.identity.map(|i| i.matched))
    .bind(a.inspection.map(|i| i.code()))
    .bind(&a.consent)
    .bind(a.fix.map(|f| f.lat))
    .bind(a.fix.map(|f| f.lng))
    .bind(a.fix.map(|f| f64::from(f.accuracy_m)))
    .bind(a.fix.map(|f| f.mock))
    .bind(a.fix.and_then(|f| f.distance_m).map(f64::from))
    .bind(&a.note)
    .bind(i64::from(a.rules_version))
    .bind(header.occurred_at_ms)
    .bind(i64::from(header.utc_offset_min))
    .bind(received_at_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn insert_proofs(tx: &mut Tx, header: &Header, a: &AttemptBody) -> Result<(), HubError> {
    for (ordinal, proof) in (0_i64..).zip(&a.proofs) {
        sqlx::query(
            "INSERT INTO attempt_proof \
               (device_id, seq, ordinal, hash, kind, size_bytes, origin, captured_at_ms, bound) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&header.device.as_bytes()[..])
        .bind(header.seq)
        .bind(ordinal)
        .bind(&proof.hash.0[..])
        .bind(proof.kind.code())
        .bind(i64::try_from(proof.size_bytes).unwrap_or(i64::MAX))
        .bind(proof.origin.map(|o| o.code()))
        .bind(proof.captured_at_ms)
        .bind(header.blobs.contains(&proof.hash))
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// The parcel shows its latest attempt by the time it happened, whatever came first over the network;
/// all attempts stay visible (B4-16). Ties go to the higher device and seq, so that order of arrival
/// never matters.
async fn update_parcel(tx: &mut Tx, header: &Header, a: &AttemptBody) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO parcel_state (parcel_id, outcome, device_id, seq, occurred_at_ms, attempts) \
         VALUES (?1, ?2, ?3, ?4, ?5, 1) \
         ON CONFLICT (parcel_id) DO UPDATE SET attempts = attempts + 1",
    )
    .bind(&a.parcel.as_bytes()[..])
    .bind(a.outcome.code())
    .bind(&header.device.as_bytes()[..])
    .bind(header.seq)
    .bind(header.occurred_at_ms)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "UPDATE parcel_state SET outcome = ?2, device_id = ?3, seq = ?4, occurred_at_ms = ?5 \
         WHERE parcel_id = ?1 AND (occurred_at_ms, device_id, seq) < (?5, ?3, ?4)",
    )
    .bind(&a.parcel.as_bytes()[..])
    .bind(a.outcome.code())
    .bind(&header.device.as_bytes()[..])
    .bind(header.seq)
    .bind(header.occurred_at_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Tells the board of a signed attempt that does not fit what the hub gave out. It stays in the log:
/// what a device signed is evidence, fitting or not.
pub(crate) async fn raise_alarms(
    tx: &mut Tx,
    new: &CheckedEntry,
    now_ms: i64,
) -> Result<(), HubError> {
    let Some(attempt) = attempt_of(new) else {
        return Ok(());
    };
    let (device, seq) = (new.header.device, Some(new.header.seq));
    if attempt
        .proofs
        .iter()
        .any(|p| !new.header.blobs.contains(&p.hash))
    {
        entries::alarm(
            tx,
            AlarmKind::UnboundProof,
            device,
            seq,
            Some(attempt.parcel),
            now_ms,
        )
        .await?;
    }
    let row = sqlx::query(
        "SELECT p.handle FROM parcel p JOIN assignment a USING (parcel_id) \
         WHERE p.parcel_id = ? AND a.device_id = ?",
    )
    .bind(&attempt.parcel.as_bytes()[..])
    .bind(&device.as_bytes()[..])
    .fetch_optional(&mut **tx)
    .await?;
    let handle = row.map(|r| r.handle("handle")).transpose()?;
    let fits = handle.is_some_and(|known| new.header.handle.is_none_or(|signed| signed == known));
    if !fits {
        entries::alarm(
            tx,
            AlarmKind::ForeignParcel,
            device,
            seq,
            Some(attempt.parcel),
            now_ms,
        )
        .await?;
    }
    Ok(())
}

impl Hub {
    /// Empties the projections and derives them again from the log, in one transaction. Gives the
    /// number of entries replayed.
    ///
    /// # Errors
    /// [`HubError`]; the projections are then as they were.
    pub async fn rebuild(&self) -> Result<u64, HubError> {
        let mut tx = self.db().write().await?;
        for clear in [
            "DELETE FROM entry_state",
            "DELETE FROM attempt",
            "DELETE FROM attempt_proof",
            "DELETE FROM parcel_state",
        ] {
            sqlx::query(clear).execute(&mut *tx).await?;
        }
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
            for row in &rows {
                last = row.try_get("leaf")?;
                apply(&mut tx, &stored_entry(row)?, row.try_get("received_at_ms")?).await?;
                count += 1;
            }
        }
        tx.commit().await?;
        Ok(count)
    }
}

/// An entry as it was accepted.
fn stored_entry(row: &sqlx::sqlite::SqliteRow) -> Result<CheckedEntry, HubError> {
    let damaged = |_| HubError::DamagedRow { what: "entry" };
    let header: Vec<u8> = row.try_get("header")?;
    let sig: &[u8] = row.try_get("sig")?;
    let salt: Option<&[u8]> = row.try_get("salt")?;
    let hash: Hash32 = row.hash("hash")?;
    let decoded = Header::decode(&header).map_err(|_| HubError::DamagedRow {
        what: "entry header",
    })?;
    let entry = SignedEntry {
        header,
        sig: Sig64::try_from(sig).map_err(damaged)?,
        salt: salt.map(Salt::try_from).transpose().map_err(damaged)?,
        body: row.try_get("body")?,
    };
    Ok(CheckedEntry {
        header: decoded,
        hash,
        entry,
    })
}
