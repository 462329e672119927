//! One parcel's attempts with everything its evidence says.

use satchel_protocol::ids::{Hash32, ParcelId};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::data::{ProofCell, proof_cell};
use crate::db::RowExt;
use crate::error::HubError;
use crate::hub::Hub;
use crate::i18n::Lang;
use crate::pages::view;

/// One attempt of a parcel.
#[derive(Debug)]
pub(super) struct AttemptDetail {
    pub(super) attempt_no: i64,
    pub(super) outcome: String,
    pub(super) tone: &'static str,
    /// Label and value, for what the attempt says; empty fields are left out.
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) hash: Hash32,
    pub(super) seq: i64,
    pub(super) device: String,
    pub(super) occurred: String,
    pub(super) received: String,
    pub(super) gap: String,
    pub(super) mock: bool,
    pub(super) proofs: Vec<ProofCell>,
}

/// All attempts, the latest first, whichever device they came from (B4-16).
pub(super) async fn attempts(
    hub: &Hub,
    lang: Lang,
    parcel: ParcelId,
) -> Result<Vec<AttemptDetail>, HubError> {
    let rows = sqlx::query(
        "SELECT a.*, e.hash, d.label, c.name FROM attempt a \
         JOIN entry e ON e.device_id = a.device_id AND e.seq = a.seq \
         JOIN device d ON d.device_id = a.device_id JOIN courier c USING (courier_id) \
         WHERE a.parcel_id = ? ORDER BY a.occurred_at_ms DESC, a.device_id, a.seq DESC",
    )
    .bind(&parcel.as_bytes()[..])
    .fetch_all(hub.db().read())
    .await?;
    let mut attempts = Vec::with_capacity(rows.len());
    for row in &rows {
        attempts.push(attempt(hub, lang, row).await?);
    }
    Ok(attempts)
}

async fn attempt(hub: &Hub, lang: Lang, row: &SqliteRow) -> Result<AttemptDetail, HubError> {
    let outcome: &str = row.try_get("outcome")?;
    let occurred_at_ms: i64 = row.try_get("occurred_at_ms")?;
    let received_at_ms: i64 = row.try_get("received_at_ms")?;
    // The door's own local time, as the phone signed it.
    let offset: i32 = row.try_get("utc_offset_min")?;
    let delivered = matches!(outcome, "delivered" | "partially_delivered");
    let name: &str = row.try_get("name")?;
    let label: &str = row.try_get("label")?;
    Ok(AttemptDetail {
        attempt_no: row.try_get("attempt_no")?,
        outcome: view::outcome(outcome, lang),
        tone: if delivered { "ok" } else { "bad" },
        facts: facts(lang, row)?,
        hash: row.hash("hash")?,
        seq: row.try_get("seq")?,
        device: format!("{name} · {label}"),
        occurred: format!(
            "{} {}",
            view::time(occurred_at_ms, offset),
            view::zone(offset)
        ),
        received: view::time(received_at_ms, offset),
        gap: view::span(received_at_ms - occurred_at_ms, lang),
        mock: row.try_get::<Option<bool>, _>("fix_mock")?.unwrap_or(false),
        proofs: proofs(hub, lang, row).await?,
    })
}

fn facts(lang: Lang, row: &SqliteRow) -> Result<Vec<(&'static str, String)>, HubError> {
    type Label = fn(&str, Lang) -> String;
    let t = lang.texts();
    let coded: [(&str, &'static str, Label); 5] = [
        ("handoff", t.detail_handoff, view::handoff),
        ("reason", t.detail_reason, view::reason),
        ("action", t.detail_action, view::action),
        ("relation", t.detail_relation, view::relation),
        ("inspection", t.detail_inspection, view::inspection),
    ];
    let mut facts = Vec::new();
    for (column, label, say) in coded {
        if let Some(code) = row.try_get::<Option<&str>, _>(column)? {
            facts.push((label, say(code, lang)));
        }
    }
    if let Some(method) = row.try_get::<Option<&str>, _>("identity_method")? {
        let matched = row
            .try_get::<Option<bool>, _>("identity_matched")?
            .unwrap_or(false);
        let result = if matched {
            t.detail_matched
        } else {
            t.detail_not_matched
        };
        facts.push((
            t.detail_identity,
            format!("{}: {result}", view::identity(method, lang)),
        ));
    }
    if let Some(m) = row.try_get::<Option<f64>, _>("distance_m")? {
        facts.push((t.detail_distance, format!("{m:.0} m")));
    }
    Ok(facts)
}

async fn proofs(hub: &Hub, lang: Lang, row: &SqliteRow) -> Result<Vec<ProofCell>, HubError> {
    let device = row.device("device_id")?;
    let seq: i64 = row.try_get("seq")?;
    let rows = sqlx::query(
        "SELECT a.attempt_id, ap.hash, ap.kind, ap.bound, b.hash IS NOT NULL AS held, \
           EXISTS (SELECT 1 FROM proof_wanted w WHERE w.hash = ap.hash) AS wanted, \
           (SELECT cause FROM proof_lost l WHERE l.device_id = ap.device_id AND l.hash = ap.hash) AS lost_cause, \
           EXISTS (SELECT 1 FROM blob t WHERE t.hash = ap.thumb_hash) AS small \
         FROM attempt_proof ap LEFT JOIN blob b ON b.hash = ap.hash \
         LEFT JOIN attempt a ON a.device_id = ap.device_id AND a.seq = ap.seq \
         WHERE ap.device_id = ? AND ap.seq = ? ORDER BY ap.ordinal",
    )
    .bind(&device.as_bytes()[..])
    .bind(seq)
    .fetch_all(hub.db().read())
    .await?;
    rows.iter().map(|row| proof_cell(row, lang)).collect()
}
