//! The rows of what happens at a door beside the attempt: consents, corrections, calls, reports, codes.

use satchel_protocol::crypto;
use satchel_protocol::doorstep::{
    CallBody, CodeEntryBody, ConsentRecord, ConsentWithdrawnBody, CorrectionBody, ReportBody,
};
use satchel_protocol::entry::Header;
use satchel_protocol::lost::{LossCause, ProofLostBody};
use serde_json::json;

use crate::codes;
use crate::db::Tx;
use crate::error::HubError;
use crate::hub::Hub;
use crate::store::consents;
use crate::store::recorder::Recorder;

/// Time in which the hub is to answer an abnormal report (A044).
const ANSWER_WITHIN_MS: i64 = 60 * 60 * 1_000;

pub(super) async fn consent(
    tx: &mut Tx,
    header: &Header,
    body: &ConsentRecord,
) -> Result<(), HubError> {
    consents::add(tx, Recorder::Device(header.device), header.seq, body).await
}

pub(super) async fn withdrawn(
    tx: &mut Tx,
    header: &Header,
    body: &ConsentWithdrawnBody,
) -> Result<(), HubError> {
    consents::add_withdrawal(tx, Recorder::Device(header.device), header.seq, body).await
}

pub(super) async fn correction(
    tx: &mut Tx,
    header: &Header,
    b: &CorrectionBody,
) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO correction (device_id, seq, parcel_id, stop_id, of_recorder, of_seq, \
           correction, words, occurred_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&header.device.as_bytes()[..])
    .bind(header.seq)
    .bind(&b.parcel.as_bytes()[..])
    .bind(&b.stop.as_bytes()[..])
    .bind(Recorder::from(b.of.origin).as_bytes().to_vec())
    .bind(b.of.seq)
    .bind(json!(b.correction).to_string())
    .bind(&b.words)
    .bind(header.occurred_at_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(super) async fn call(tx: &mut Tx, header: &Header, b: &CallBody) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO call_attempt (device_id, seq, stop_id, number, virtual_number, result, \
           duration_s, call_id, occurred_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&header.device.as_bytes()[..])
    .bind(header.seq)
    .bind(&b.stop.as_bytes()[..])
    .bind(&b.number)
    .bind(b.virtual_number)
    .bind(b.result.code())
    .bind(i64::from(b.duration_s))
    .bind(&b.call_id)
    .bind(header.occurred_at_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The hour runs from when it happened, not from when the phone found a network (A044); the hub counts
/// it itself and does not take the phone's word.
pub(super) async fn report(
    tx: &mut Tx,
    header: &Header,
    b: &ReportBody,
    received_at_ms: i64,
) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO report (device_id, seq, report_id, stop_id, reason, words, owes_photo, \
           answer_due_ms, occurred_at_ms, received_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&header.device.as_bytes()[..])
    .bind(header.seq)
    .bind(&b.report_id)
    .bind(b.stop.map(|s| s.as_bytes().to_vec()))
    .bind(b.reason.code())
    .bind(&b.words)
    .bind(b.owes_photo)
    .bind(header.occurred_at_ms.saturating_add(ANSWER_WITHIN_MS))
    .bind(header.occurred_at_ms)
    .bind(received_at_ms)
    .execute(&mut **tx)
    .await?;
    for parcel in &b.parcels {
        sqlx::query(
            "INSERT INTO report_parcel (parcel_id, device_id, seq) VALUES (?, ?, ?) \
             ON CONFLICT DO NOTHING",
        )
        .bind(&parcel.as_bytes()[..])
        .bind(&header.device.as_bytes()[..])
        .bind(header.seq)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// Sealed digits are judged here and kept nowhere but in the entry.
pub(super) async fn code_entry(
    tx: &mut Tx,
    hub: &Hub,
    header: &Header,
    b: &CodeEntryBody,
) -> Result<(), HubError> {
    let judged_by_hub = b.sealed.is_some();
    let matched = match &b.sealed {
        None => b.matched,
        Some(typed) => {
            let held: Option<Option<Vec<u8>>> =
                sqlx::query_scalar("SELECT code_digest FROM parcel WHERE parcel_id = ?")
                    .bind(&b.parcel.as_bytes()[..])
                    .fetch_optional(&mut **tx)
                    .await?;
            let digest = codes::short_digest(hub, b.parcel, typed);
            held.flatten().map(|held| crypto::equal_ct(&held, &digest))
        }
    };
    sqlx::query(
        "INSERT INTO code_entry (device_id, seq, parcel_id, stop_id, matched, judged_by_hub, \
           occurred_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&header.device.as_bytes()[..])
    .bind(header.seq)
    .bind(&b.parcel.as_bytes()[..])
    .bind(&b.stop.as_bytes()[..])
    .bind(matched)
    .bind(judged_by_hub)
    .bind(header.occurred_at_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What a phone says of its own proofs. The first word stands, unless it says later that the hub had signed for it since.
pub(super) async fn proof_lost(
    tx: &mut Tx,
    header: &Header,
    b: &ProofLostBody,
) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO proof_lost (device_id, hash, cause, lost_at_ms, seq) VALUES (?1, ?2, ?3, ?4, ?6) \
         ON CONFLICT DO UPDATE SET cause = ?3, lost_at_ms = ?4, seq = ?6 WHERE ?3 = ?5",
    )
    .bind(&header.device.as_bytes()[..])
    .bind(&b.hash.0[..])
    .bind(b.cause.0)
    .bind(header.occurred_at_ms)
    .bind(LossCause::GONE_AFTER_RECEIPT.0)
    .bind(header.seq)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
