//! Everything known of a parcel beside its attempts, in the order in which it happened.

use satchel_protocol::doorstep::ConsentRecord;
use satchel_protocol::ids::ParcelId;
use satchel_protocol::transitions::{Correction, EventKind};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::HubError;
use crate::hub::Hub;
use crate::i18n::Lang;
use crate::pages::view;
use crate::store::consents;

/// One line of the story.
#[derive(Debug)]
pub(super) struct StoryLine {
    at_ms: i64,
    pub(super) when: String,
    pub(super) what: &'static str,
    pub(super) words: String,
    /// Style of the words: `ok`, `bad` or `open`.
    pub(super) tone: &'static str,
}

/// Rows of all kinds in one query: time, kind, a code, words, a number, and whether it is good.
const STORY: &str = "\
    SELECT c.occurred_at_ms AS at_ms, 'correction' AS kind, c.correction AS code, c.words AS words, \
      NULL AS number, NULL AS good FROM correction c WHERE c.parcel_id = ?1 \
    UNION ALL SELECT occurred_at_ms, 'call', result, number, duration_s, result = 'ANSWERED' \
      FROM call_attempt WHERE stop_id = (SELECT stop_id FROM parcel WHERE parcel_id = ?1) \
    UNION ALL SELECT r.occurred_at_ms, 'report', r.reason, r.words, r.answer_due_ms, \
      (SELECT a.answered_at_ms <= r.answer_due_ms FROM report_answer a \
        WHERE a.device_id = r.device_id AND a.report_id = r.report_id) \
      FROM report r JOIN report_parcel USING (device_id, seq) WHERE parcel_id = ?1 \
    UNION ALL SELECT a.answered_at_ms, 'answer', a.action, a.words, NULL, NULL FROM report_answer a \
      JOIN report r USING (device_id, report_id) JOIN report_parcel p USING (device_id, seq) \
      WHERE p.parcel_id = ?1 \
    UNION ALL SELECT t.at_ms, 'temperature', NULL, NULL, t.centi_c, \
      t.centi_c BETWEEN json_extract(p.temperature, '$.min_centi_c') \
        AND json_extract(p.temperature, '$.max_centi_c') \
      FROM temperature t LEFT JOIN parcel p USING (parcel_id) WHERE t.parcel_id = ?1 \
    UNION ALL SELECT occurred_at_ms, 'code', CASE judged_by_hub WHEN 1 THEN 'hub' ELSE 'phone' END, \
      NULL, NULL, matched FROM code_entry WHERE parcel_id = ?1 \
    UNION ALL SELECT at_ms, 'step', event, words, NULL, NULL FROM hub_event WHERE parcel_id = ?1 \
    UNION ALL SELECT occurred_at_ms, 'step', event, words, NULL, NULL FROM parcel_step \
      WHERE parcel_id = ?1 \
    UNION ALL SELECT occurred_at_ms, 'pickup', refused, NULL, NULL, refused IS NULL FROM pickup \
      WHERE parcel_id = ?1 \
    UNION ALL SELECT occurred_at_ms, 'load', result, NULL, NULL, NULL FROM load_scan \
      WHERE parcel_id = ?1 \
    UNION ALL SELECT occurred_at_ms, 'reminder', NULL, NULL, eta_ms, NULL FROM reminder \
      WHERE parcel_id = ?1";

/// The story of a parcel, the latest first.
pub(super) async fn story(
    hub: &Hub,
    lang: Lang,
    parcel: ParcelId,
) -> Result<Vec<StoryLine>, HubError> {
    let rows = sqlx::query(STORY)
        .bind(&parcel.as_bytes()[..])
        .fetch_all(hub.db().read())
        .await?;
    let mut lines = Vec::with_capacity(rows.len());
    for row in &rows {
        lines.push(line(hub, lang, row)?);
    }
    for row in consents::of_parcel(hub.db().read(), parcel).await? {
        lines.push(consent(hub, lang, &row.record));
    }
    lines.sort_by(|a, b| b.at_ms.cmp(&a.at_ms).then(a.what.cmp(b.what)));
    Ok(lines)
}

fn line(hub: &Hub, lang: Lang, row: &SqliteRow) -> Result<StoryLine, HubError> {
    let t = lang.texts();
    let offset = hub.config().utc_offset_min;
    let at_ms: i64 = row.try_get("at_ms")?;
    let code = row.try_get::<Option<&str>, _>("code")?.unwrap_or_default();
    let words = row.try_get::<Option<&str>, _>("words")?.unwrap_or_default();
    let number = row.try_get::<Option<i64>, _>("number")?;
    let good = row.try_get::<Option<bool>, _>("good")?;
    let n = number.unwrap_or_default();
    let (what, said) = match row.try_get("kind")? {
        "correction" => (t.story_correction, correction(code, lang)),
        "call" => (
            t.story_call,
            format!("{} {n} s", view::call_result(code, lang)),
        ),
        "report" => {
            let due = match good {
                Some(_) => t.report_answered.to_owned(),
                None => left(n - hub.now_ms(), lang),
            };
            (
                t.story_report,
                format!("{} · {due}", view::reason(code, lang)),
            )
        }
        "answer" => (t.story_answer, view::action(code, lang)),
        "temperature" => (t.story_temperature, degrees(n)),
        "code" => {
            let result = match good {
                Some(true) => t.detail_matched,
                Some(false) => t.detail_not_matched,
                None => t.code_unjudged,
            };
            let judge = if code == "hub" {
                t.code_by_hub
            } else {
                t.code_by_phone
            };
            (t.story_code, format!("{result} ({judge})"))
        }
        "pickup" if code.is_empty() => (t.story_pickup, String::new()),
        "pickup" => (t.story_pickup, view::reason(code, lang)),
        "load" => (t.story_load, code.to_owned()),
        "reminder" => (t.story_reminder, view::time(n, offset)),
        _ => (t.story_step, step(code, lang)),
    };
    let words = [said.as_str(), words].join(" ");
    Ok(StoryLine {
        at_ms,
        when: view::time(at_ms, offset),
        what,
        words: words.trim().to_owned(),
        tone: match good {
            Some(true) => "ok",
            Some(false) => "bad",
            None => "open",
        },
    })
}

/// Hundredths of a degree as degrees.
fn degrees(centi_c: i64) -> String {
    let sign = if centi_c < 0 { "−" } else { "" };
    let abs = centi_c.unsigned_abs();
    format!("{sign}{}.{:02} °C", abs / 100, abs % 100)
}

/// Time left until something is due, or by how much it is late.
pub(super) fn left(ms: i64, lang: Lang) -> String {
    let t = lang.texts();
    if ms < 0 {
        format!("{} {}", t.report_late, view::span(-ms, lang))
    } else {
        format!("{} {}", t.report_left, view::span(ms, lang))
    }
}

fn step(json: &str, lang: Lang) -> String {
    let kind = serde_json::from_str::<EventKind>(json).ok();
    let step = kind.and_then(EventKind::step);
    step.map_or_else(|| json.to_owned(), |s| view::step(s.code(), lang))
}

fn correction(json: &str, lang: Lang) -> String {
    let t = lang.texts();
    match serde_json::from_str(json) {
        Ok(Correction::Undo) => t.correction_undo.to_owned(),
        Ok(Correction::Reopen) => t.correction_reopen.to_owned(),
        Ok(Correction::LateProof) => t.correction_late_proof.to_owned(),
        Ok(Correction::WrongParcel { .. }) => t.correction_wrong_parcel.to_owned(),
        Ok(Correction::WrongReason { reason, action }) => format!(
            "{}: {}, {}",
            t.correction_wrong_reason,
            view::reason(reason.code(), lang),
            view::action(action.code(), lang)
        ),
        Err(_) => json.to_owned(),
    }
}

fn consent(hub: &Hub, lang: Lang, record: &ConsentRecord) -> StoryLine {
    let t = lang.texts();
    let offset = hub.config().utc_offset_min;
    let scope: Vec<_> = record
        .scope
        .iter()
        .map(|kind| view::handoff(kind.code(), lang))
        .collect();
    let mut words = format!(
        "{} · {}",
        scope.join(", "),
        view::consent_channel(record.evidence.channel().code(), lang)
    );
    if let Some(end) = record.withdrawn_at_ms {
        words.push_str(&format!(
            " · {} {}",
            t.consent_withdrawn,
            view::time(end, offset)
        ));
    }
    StoryLine {
        at_ms: record.given_at_ms,
        when: view::time(record.given_at_ms, offset),
        what: t.story_consent,
        words,
        tone: if record.withdrawn_at_ms.is_some() {
            "bad"
        } else {
            "ok"
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_and_due_times_read_well() {
        assert_eq!(degrees(412), "4.12 °C");
        assert_eq!(degrees(-50), "−0.50 °C");
        assert_eq!(left(600_000, Lang::En), "left 10 min");
        assert_eq!(left(-90_000, Lang::Zh), "已超时 90 秒");
    }
}
