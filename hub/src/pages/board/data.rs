//! What the board's lists show, read in a few queries a page.

use std::collections::HashMap;

use satchel_protocol::ids::{AttemptId, Hash32, ParcelId};
use satchel_protocol::lost::LossCause;
use satchel_protocol::mask;
use satchel_protocol::transitions::ParcelState;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::PAGE_ROWS;
use crate::db::RowExt;
use crate::error::HubError;
use crate::hub::Hub;
use crate::i18n::Lang;
use crate::pages::view;
use crate::rating::LOW_STARS;

/// A delivery shown to a customer and not reported for this long is an alarm (security notes §5.3).
const UNREPORTED_AFTER_MS: i64 = 24 * 3_600 * 1_000;

/// The figures on top.
#[derive(Debug, Clone)]
pub(super) struct Counts {
    pub(super) parcels: i64,
    pub(super) done: i64,
    pub(super) failed: i64,
    pub(super) open: i64,
    pub(super) proofs_held: i64,
    pub(super) proofs_expected: i64,
    pub(super) ratings: i64,
    pub(super) mean: String,
    pub(super) low: i64,
    pub(super) alarms: i64,
}

/// A proof in a list.
#[derive(Debug, Clone)]
pub(super) struct ProofCell {
    pub(super) hash: Hash32,
    pub(super) label: String,
    pub(super) held: bool,
    /// The phones that have it were asked for it, whatever their line costs.
    pub(super) wanted: bool,
    /// What its phone says of why it cannot bring it any more; empty where it can.
    pub(super) lost: &'static str,
    pub(super) bound: bool,
    /// A code has no picture.
    pub(super) picture: bool,
    /// The small copy is here, whatever the proof itself is.
    pub(super) small: bool,
    /// The visit that names it, as the addresses of its pictures ask for; empty for what is no visit.
    pub(super) of_visit: String,
}

/// One parcel in the list.
#[derive(Debug, Clone)]
pub(super) struct ParcelLine {
    pub(super) id: ParcelId,
    pub(super) waybill: String,
    pub(super) recipient: String,
    pub(super) phone: String,
    pub(super) address: String,
    pub(super) round: String,
    pub(super) courier: String,
    pub(super) state: String,
    /// Style of the state: `ok`, `bad` or `open`.
    pub(super) tone: &'static str,
    pub(super) occurred: String,
    pub(super) gap: String,
    pub(super) late: bool,
    pub(super) promised_by_ms: i64,
    pub(super) proofs: Vec<ProofCell>,
    pub(super) stars: Option<String>,
}

/// One rating in the list.
#[derive(Debug, Clone)]
pub(super) struct RatingLine {
    pub(super) parcel: ParcelId,
    pub(super) waybill: String,
    pub(super) courier: String,
    pub(super) when: String,
    pub(super) stars: String,
    pub(super) items: Vec<(&'static str, i64)>,
    pub(super) tags: Vec<&'static str>,
    pub(super) comment: String,
    pub(super) bound: bool,
    pub(super) low: bool,
    pub(super) rating_id: i64,
    /// What it counts for, and why it was set aside.
    pub(super) class: &'static str,
    pub(super) flags: Vec<String>,
    /// Why its words were hidden from the courier; an auditor still reads them here.
    pub(super) hidden: Option<String>,
    pub(super) appeal: Option<String>,
}

/// Something a person has to look at.
#[derive(Debug, Clone)]
pub(super) struct AlarmLine {
    pub(super) what: &'static str,
    pub(super) device: String,
    pub(super) seq: Option<i64>,
    pub(super) parcel: Option<ParcelId>,
    pub(super) when: String,
}

pub(super) async fn counts(hub: &Hub) -> Result<Counts, HubError> {
    let row = sqlx::query(
        "SELECT (SELECT count(*) FROM parcel) AS parcels, \
           (SELECT count(*) FROM parcel_state WHERE outcome IN ('delivered', 'partially_delivered')) AS done, \
           (SELECT count(*) FROM parcel_state WHERE outcome NOT IN ('delivered', 'partially_delivered')) AS failed, \
           (SELECT count(*) FROM parcel p WHERE NOT EXISTS \
              (SELECT 1 FROM parcel_state s WHERE s.parcel_id = p.parcel_id)) AS open, \
           (SELECT count(DISTINCT hash) FROM entry_blob) AS expected, \
           (SELECT count(DISTINCT hash) FROM entry_blob JOIN blob USING (hash)) AS held, \
           (SELECT count(*) FROM rating) AS ratings, \
           (SELECT avg(stars) FROM rating WHERE class <> 'flagged') AS mean, \
           (SELECT count(*) FROM rating WHERE stars <= ?) AS low, \
           (SELECT count(*) FROM alarm WHERE cleared_at_ms IS NULL) AS alarms",
    )
    .bind(LOW_STARS)
    .fetch_one(hub.db().read())
    .await?;
    let mean: Option<f64> = row.try_get("mean")?;
    let unreported = unreported(hub).await?.len();
    Ok(Counts {
        parcels: row.try_get("parcels")?,
        done: row.try_get("done")?,
        failed: row.try_get("failed")?,
        open: row.try_get("open")?,
        proofs_held: row.try_get("held")?,
        proofs_expected: row.try_get("expected")?,
        ratings: row.try_get("ratings")?,
        mean: mean.map_or_else(|| "–".to_owned(), |m| format!("{m:.2}")),
        low: row.try_get("low")?,
        alarms: row.try_get::<i64, _>("alarms")? + i64::try_from(unreported).unwrap_or(i64::MAX),
    })
}

const PARCEL_LINE: &str = "SELECT p.parcel_id, p.waybill, p.promised_by_ms, s.recipient_name, \
    s.recipient_phone, s.address, r.name AS round, c.name AS courier, st.outcome, a.reason, f.state AS fold, \
    a.occurred_at_ms, a.received_at_ms, g.stars \
    FROM parcel p JOIN stop s USING (stop_id) JOIN route r USING (route_id) \
    LEFT JOIN courier c ON c.courier_id = r.courier_id \
    LEFT JOIN parcel_state st ON st.parcel_id = p.parcel_id \
    LEFT JOIN parcel_fold f ON f.parcel_id = p.parcel_id \
    LEFT JOIN attempt a ON a.device_id = st.device_id AND a.seq = st.seq \
    LEFT JOIN rating g ON g.parcel_id = p.parcel_id ";

/// One page of parcels, those with news first.
pub(super) async fn parcels(hub: &Hub, lang: Lang, skip: i64) -> Result<Vec<ParcelLine>, HubError> {
    let mut query = sqlx::QueryBuilder::new(PARCEL_LINE);
    query.push("ORDER BY a.occurred_at_ms DESC NULLS LAST, r.name, s.position, p.waybill LIMIT ");
    query.push_bind(PAGE_ROWS).push(" OFFSET ").push_bind(skip);
    let rows = query.build().fetch_all(hub.db().read()).await?;
    let mut proofs = page_proofs(hub, lang, skip).await?;
    rows.iter()
        .map(|row| {
            let mut line = parcel_line(hub, lang, row)?;
            line.proofs = proofs.remove(&line.id).unwrap_or_default();
            Ok(line)
        })
        .collect()
}

/// One parcel, without its proofs.
pub(super) async fn parcel(
    hub: &Hub,
    lang: Lang,
    id: ParcelId,
) -> Result<Option<ParcelLine>, HubError> {
    let mut query = sqlx::QueryBuilder::new(PARCEL_LINE);
    query
        .push("WHERE p.parcel_id = ")
        .push_bind(id.as_bytes().to_vec());
    let row = query.build().fetch_optional(hub.db().read()).await?;
    row.map(|row| parcel_line(hub, lang, &row)).transpose()
}

fn parcel_line(hub: &Hub, lang: Lang, row: &SqliteRow) -> Result<ParcelLine, HubError> {
    let offset = hub.config().utc_offset_min;
    let outcome: Option<&str> = row.try_get("outcome")?;
    let reason: Option<&str> = row.try_get("reason")?;
    let occurred: Option<i64> = row.try_get("occurred_at_ms")?;
    let received: Option<i64> = row.try_get("received_at_ms")?;
    let promised_by_ms: i64 = row.try_get("promised_by_ms")?;
    let stars: Option<i64> = row.try_get("stars")?;
    let (state, tone) = match outcome {
        None => (lang.texts().state_open.to_owned(), "open"),
        Some(code @ ("delivered" | "partially_delivered")) => (view::outcome(code, lang), "ok"),
        Some(code) => {
            let why = reason.map_or_else(String::new, |r| format!(" · {}", view::reason(r, lang)));
            (format!("{}{why}", view::outcome(code, lang)), "bad")
        }
    };
    // Where it is by everything that is known says more than how the last visit ended.
    let fold: Option<&str> = row.try_get("fold")?;
    let (state, tone) = match fold.and_then(|code| ParcelState::from_code(code).ok()) {
        None => (state, tone),
        Some(at) => {
            let why = match reason {
                Some(r) if tone == "bad" => format!(" · {}", view::reason(r, lang)),
                _ => String::new(),
            };
            let tone = if at.is_final() {
                "ok"
            } else if tone == "bad" || at == ParcelState::Cancelled {
                "bad"
            } else {
                "open"
            };
            (
                format!("{}{why}", view::parcel_state(at.code(), lang)),
                tone,
            )
        }
    };
    Ok(ParcelLine {
        id: row.parcel("parcel_id")?,
        waybill: row.try_get("waybill")?,
        recipient: mask::name(row.try_get("recipient_name")?),
        phone: mask::phone(row.try_get("recipient_phone")?),
        address: mask::address(row.try_get("address")?),
        round: row.try_get("round")?,
        courier: row
            .try_get::<Option<String>, _>("courier")?
            .unwrap_or_default(),
        state,
        tone,
        occurred: occurred.map_or_else(String::new, |t| view::time(t, offset)),
        gap: occurred
            .zip(received)
            .map_or_else(String::new, |(o, r)| view::span(r - o, lang)),
        late: occurred.is_some_and(|t| t > promised_by_ms),
        promised_by_ms,
        proofs: Vec::new(),
        stars: stars.map(view::stars),
    })
}

/// The proofs of the latest attempts of the same page, in one query.
async fn page_proofs(
    hub: &Hub,
    lang: Lang,
    skip: i64,
) -> Result<HashMap<ParcelId, Vec<ProofCell>>, HubError> {
    let rows = sqlx::query(
        "SELECT page.parcel_id, page.attempt_id, ap.hash, ap.kind, ap.bound, b.hash IS NOT NULL AS held, \
           EXISTS (SELECT 1 FROM proof_wanted w WHERE w.hash = ap.hash) AS wanted, \
           (SELECT cause FROM proof_lost l WHERE l.device_id = ap.device_id AND l.hash = ap.hash) AS lost_cause, \
           EXISTS (SELECT 1 FROM blob t WHERE t.hash = ap.thumb_hash) AS small \
         FROM (SELECT p.parcel_id, st.device_id, st.seq, a.attempt_id FROM parcel p \
                 JOIN stop s USING (stop_id) JOIN route r USING (route_id) \
                 LEFT JOIN parcel_state st ON st.parcel_id = p.parcel_id \
                 LEFT JOIN attempt a ON a.device_id = st.device_id AND a.seq = st.seq \
               ORDER BY a.occurred_at_ms DESC NULLS LAST, r.name, s.position, p.waybill \
               LIMIT ? OFFSET ?) AS page \
         JOIN attempt_proof ap ON ap.device_id = page.device_id AND ap.seq = page.seq \
         LEFT JOIN blob b ON b.hash = ap.hash ORDER BY ap.ordinal",
    )
    .bind(PAGE_ROWS)
    .bind(skip)
    .fetch_all(hub.db().read())
    .await?;
    let mut proofs: HashMap<ParcelId, Vec<ProofCell>> = HashMap::new();
    for row in &rows {
        proofs
            .entry(row.parcel("parcel_id")?)
            .or_default()
            .push(proof_cell(row, lang)?);
    }
    Ok(proofs)
}

pub(super) fn proof_cell(row: &SqliteRow, lang: Lang) -> Result<ProofCell, HubError> {
    let kind: &str = row.try_get("kind")?;
    let visit: Option<Vec<u8>> = row.try_get("attempt_id")?;
    let visit = visit.and_then(|bytes| uuid::Uuid::from_slice(&bytes).ok().map(AttemptId));
    Ok(ProofCell {
        hash: row.hash("hash")?,
        label: view::proof_kind(kind, lang),
        held: row.try_get("held")?,
        wanted: row.try_get("wanted")?,
        lost: lost_word(row.try_get("lost_cause")?, lang),
        bound: row.try_get("bound")?,
        picture: kind != "code",
        small: row.try_get("small")?,
        of_visit: visit.map_or_else(String::new, |visit| format!("?visit={visit}")),
    })
}

/// How it is shown that a phone cannot bring a proof; empty where it did not say so.
fn lost_word(cause: Option<u8>, lang: Lang) -> &'static str {
    let t = lang.texts();
    match cause.map(LossCause) {
        None => "",
        Some(LossCause::GONE_AFTER_RECEIPT) => t.proof_gave_way,
        Some(_) => t.proof_lost,
    }
}

/// Ratings, newest first; of one parcel or of all.
pub(super) async fn ratings(
    hub: &Hub,
    lang: Lang,
    parcel: Option<ParcelId>,
    skip: i64,
) -> Result<Vec<RatingLine>, HubError> {
    let rows = sqlx::query(
        "SELECT g.*, p.waybill, c.name AS courier, \
           (SELECT x.words FROM rating_appeal x WHERE x.parcel_id = g.parcel_id \
              ORDER BY x.received_at_ms DESC LIMIT 1) AS appeal FROM rating g \
         JOIN parcel p USING (parcel_id) JOIN courier c ON c.courier_id = g.courier_id \
         WHERE ?1 IS NULL OR g.parcel_id = ?1 ORDER BY g.rating_id DESC LIMIT ?2 OFFSET ?3",
    )
    .bind(parcel.map(|p| p.as_bytes().to_vec()))
    .bind(PAGE_ROWS)
    .bind(skip)
    .fetch_all(hub.db().read())
    .await?;
    rows.iter().map(|row| rating_line(hub, lang, row)).collect()
}

fn rating_line(hub: &Hub, lang: Lang, row: &SqliteRow) -> Result<RatingLine, HubError> {
    let t = lang.texts();
    let stars: i64 = row.try_get("stars")?;
    let mut items = Vec::new();
    for (column, label) in [
        ("timeliness", t.rate_timeliness),
        ("attitude", t.rate_attitude),
        ("information", t.rate_information),
    ] {
        if let Some(n) = row.try_get::<Option<i64>, _>(column)? {
            items.push((label, n));
        }
    }
    let codes: Vec<String> =
        serde_json::from_str(row.try_get("tags")?).map_err(|_| HubError::DamagedRow {
            what: "rating tags",
        })?;
    let tags = codes
        .iter()
        .filter_map(|code| match code.as_str() {
            "polite" => Some(t.tag_polite),
            "proactive" => Some(t.tag_proactive),
            "patient" => Some(t.tag_patient),
            "inspection_offered" => Some(t.tag_inspection_offered),
            "to_address" => Some(t.tag_to_address),
            _ => None,
        })
        .collect();
    Ok(RatingLine {
        parcel: row.parcel("parcel_id")?,
        waybill: row.try_get("waybill")?,
        courier: row.try_get("courier")?,
        when: view::time(row.try_get("rated_at_ms")?, hub.config().utc_offset_min),
        stars: view::stars(stars),
        items,
        tags,
        comment: row
            .try_get::<Option<String>, _>("comment")?
            .unwrap_or_default(),
        bound: row.try_get::<Option<i64>, _>("bound_seq")?.is_some(),
        low: stars <= LOW_STARS,
        rating_id: row.try_get("rating_id")?,
        class: match row.try_get("class")? {
            "verified" => t.rating_class_verified,
            "flagged" => t.rating_class_flagged,
            _ => t.rating_class_present,
        },
        flags: flags(row.try_get("flags")?, lang)?,
        hidden: row.try_get("hidden_why")?,
        appeal: row.try_get("appeal")?,
    })
}

fn flags(json: &str, lang: Lang) -> Result<Vec<String>, HubError> {
    let codes: Vec<String> = serde_json::from_str(json).map_err(|_| HubError::DamagedRow {
        what: "rating flags",
    })?;
    Ok(codes.iter().map(|c| view::rating_flag(c, lang)).collect())
}

/// Open alarms, newest first, with deliveries shown to a customer and not reported since.
pub(super) async fn alarms(hub: &Hub, lang: Lang) -> Result<Vec<AlarmLine>, HubError> {
    let t = lang.texts();
    let offset = hub.config().utc_offset_min;
    let rows = sqlx::query(
        "SELECT al.kind, al.seq, al.parcel_id, al.raised_at_ms, d.label, c.name FROM alarm al \
         LEFT JOIN device d USING (device_id) LEFT JOIN courier c USING (courier_id) \
         WHERE al.cleared_at_ms IS NULL ORDER BY al.alarm_id DESC LIMIT ?",
    )
    .bind(PAGE_ROWS)
    .fetch_all(hub.db().read())
    .await?;
    let mut lines = Vec::new();
    for row in &rows {
        let parcel: Option<&[u8]> = row.try_get("parcel_id")?;
        lines.push(AlarmLine {
            what: alarm_words(row.try_get("kind")?, lang),
            device: device_name(row)?,
            seq: row.try_get("seq")?,
            parcel: if parcel.is_some() {
                Some(row.parcel("parcel_id")?)
            } else {
                None
            },
            when: view::time(row.try_get("raised_at_ms")?, offset),
        });
    }
    for row in &unreported(hub).await? {
        lines.push(AlarmLine {
            what: t.alarm_unreported,
            device: device_name(row)?,
            seq: None,
            parcel: Some(row.parcel("parcel_id")?),
            when: view::time(row.try_get("first_seen_at_ms")?, offset),
        });
    }
    Ok(lines)
}

fn alarm_words(kind: &str, lang: Lang) -> &'static str {
    let t = lang.texts();
    match kind {
        "log_fork" => t.alarm_log_fork,
        "bad_entry" => t.alarm_bad_entry,
        "foreign_parcel" => t.alarm_foreign_parcel,
        "wrong_ink" => t.alarm_wrong_ink,
        "no_consent" => t.alarm_no_consent,
        "door_required" => t.alarm_door_required,
        "nobody_to_check" => t.alarm_nobody_to_check,
        "second_handover" => t.alarm_second_handover,
        "cancelled_after_handover" => t.alarm_cancelled_after,
        "handed_over_despite_cancel" => t.alarm_despite_cancel,
        "clock_moved_back" => t.alarm_clock_moved_back,
        "code_wrong" => t.alarm_code_wrong,
        "ruleset_refused" => t.alarm_ruleset_refused,
        "log_shorter" => t.alarm_log_shorter,
        "time_outside" => t.alarm_time_outside,
        "no_outcome" => t.alarm_no_outcome,
        _ => t.alarm_unbound_proof,
    }
}

/// The open alarms of one parcel, as words.
pub(super) async fn parcel_alarms(
    hub: &Hub,
    lang: Lang,
    parcel: ParcelId,
) -> Result<Vec<&'static str>, HubError> {
    let kinds: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT kind FROM alarm WHERE parcel_id = ? AND cleared_at_ms IS NULL ORDER BY kind",
    )
    .bind(&parcel.as_bytes()[..])
    .fetch_all(hub.db().read())
    .await?;
    Ok(kinds.iter().map(|kind| alarm_words(kind, lang)).collect())
}

fn device_name(row: &SqliteRow) -> Result<String, HubError> {
    let name: Option<&str> = row.try_get("name")?;
    let label: Option<&str> = row.try_get("label")?;
    Ok(format!(
        "{} · {}",
        name.unwrap_or("–"),
        label.unwrap_or("–")
    ))
}

/// Heads that customers showed and no entry has matched in time.
async fn unreported(hub: &Hub) -> Result<Vec<SqliteRow>, HubError> {
    Ok(sqlx::query(
        "SELECT w.parcel_id, w.first_seen_at_ms, d.label, c.name FROM witness w \
         JOIN device d USING (device_id) JOIN courier c USING (courier_id) \
         WHERE w.first_seen_at_ms < ? AND NOT EXISTS \
           (SELECT 1 FROM entry e WHERE e.device_id = w.device_id \
              AND e.hash BETWEEN CAST(w.head || zeroblob(16) AS BLOB) \
              AND CAST(w.head || x'ffffffffffffffffffffffffffffffff' AS BLOB)) LIMIT ?",
    )
    .bind(hub.now_ms().saturating_sub(UNREPORTED_AFTER_MS))
    .bind(PAGE_ROWS)
    .fetch_all(hub.db().read())
    .await?)
}
