//! The rows of one attempt: what it says, its proofs, and what its parcel shows.

use chrono::NaiveDateTime;
use satchel_protocol::attempt::{AttemptBody, CodeResult, PhotoFacts, ProofRef};
use satchel_protocol::entry::Header;
use serde_json::json;

use crate::db::Tx;
use crate::error::HubError;

pub(super) async fn insert(
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
    insert_rest(tx, header, a).await
}

/// What attempts say since the rules of the doorstep are checked on the phone.
async fn insert_rest(tx: &mut Tx, header: &Header, a: &AttemptBody) -> Result<(), HubError> {
    let skips: Vec<_> = a.skips.iter().map(|s| (&s.item, &s.reason)).collect();
    let items: Vec<_> = a
        .items
        .iter()
        .map(|i| (&i.label, i.of, i.accepted))
        .collect();
    let left_at = a
        .left_at
        .as_ref()
        .map(|l| json!({"place": l.place, "slot": l.slot, "receipt": l.receipt}).to_string());
    let raw = a.fix.and_then(|f| f.raw);
    sqlx::query(
        "UPDATE attempt SET skips = ?, items = ?, left_at = ?, age_checked = ?, \
           visibly_damaged = ?, scanned = ?, code = ?, min_centi_c = ?, max_centi_c = ?, \
           warnings = ?, fix_datum = ?, fix_raw_lat = ?, fix_raw_lng = ?, fix_zone = ? \
         WHERE device_id = ? AND seq = ?",
    )
    .bind((!skips.is_empty()).then(|| json!(skips).to_string()))
    .bind((!items.is_empty()).then(|| json!(items).to_string()))
    .bind(left_at)
    .bind(a.age_checked)
    .bind(a.visibly_damaged)
    .bind(a.scanned)
    .bind(a.code.map(|c| match c {
        CodeResult::Verified => "VERIFIED",
        CodeResult::AwaitsHub => "AWAITS_HUB",
    }))
    .bind(a.temperature_centi_c.map(|t| t.0))
    .bind(a.temperature_centi_c.map(|t| t.1))
    .bind((!a.warnings.is_empty()).then(|| json!(a.warnings).to_string()))
    .bind(a.fix.and_then(|f| f.datum).map(|d| d.code()))
    .bind(raw.map(|r| r.0))
    .bind(raw.map(|r| r.1))
    .bind(a.fix.and_then(|f| f.zone).map(|z| z.code()))
    .bind(&header.device.as_bytes()[..])
    .bind(header.seq)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The proofs an entry names, and whether its signed header binds each.
pub(super) async fn insert_proofs(
    tx: &mut Tx,
    header: &Header,
    proofs: &[ProofRef],
) -> Result<(), HubError> {
    for (ordinal, proof) in (0_i64..).zip(proofs) {
        let facts = proof.photo.as_ref();
        let thumb = facts.and_then(|facts| facts.thumb);
        sqlx::query(
            "INSERT INTO attempt_proof \
               (device_id, seq, ordinal, hash, kind, size_bytes, origin, captured_at_ms, bound, \
                thumb_hash, source_hash, taken_at_ms) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
        .bind(thumb.map(|thumb| thumb.hash.0.to_vec()))
        .bind(
            facts
                .and_then(|f| f.source_hash)
                .map(|hash| hash.0.to_vec()),
        )
        .bind(facts.and_then(|f| taken_at_ms(f, header.utc_offset_min)))
        .execute(&mut **tx)
        .await?;
        if let Some(thumb) = thumb {
            // Named by the signed body, so it is kept like any proof.
            sqlx::query("UPDATE blob SET expires_at_ms = NULL WHERE hash = ?")
                .bind(&thumb.hash.0[..])
                .execute(&mut **tx)
                .await?;
        }
    }
    Ok(())
}

/// When the camera says it took a photo, Unix milliseconds; in the phone's time zone where it names none.
fn taken_at_ms(facts: &PhotoFacts, utc_offset_min: i16) -> Option<i64> {
    let local = NaiveDateTime::parse_from_str(facts.taken_local.as_deref()?, "%Y-%m-%dT%H:%M:%S");
    let offset_min = i64::from(facts.utc_offset_min.unwrap_or(utc_offset_min));
    Some(local.ok()?.and_utc().timestamp_millis() - offset_min * 60_000)
}

/// The parcel shows its latest attempt by the time it happened, whatever came first over the network;
/// all attempts stay visible (B4-16). Ties go to the higher device and seq, so that order of arrival
/// never matters.
pub(super) async fn update_parcel(
    tx: &mut Tx,
    header: &Header,
    a: &AttemptBody,
) -> Result<(), HubError> {
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
