//! Abnormal reports on the board, what is due first on top, and the answers to them; steps of the hub.

use askama::Template;
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use satchel_protocol::ids::ParcelId;
use satchel_protocol::taxonomy::{Action, Reason};
use serde::Deserialize;
use sqlx::Row;

use super::story::left;
use super::{BoardQuery, Frame, PAGE_ROWS, Paging, frame, show};
use crate::doorstep::{HubStep, ParcelRef};
use crate::error::HubError;
use crate::hub::Hub;
use crate::i18n::Lang;
use crate::pages::customer::{from_another_site, see_other};
use crate::pages::session::BoardUser;
use crate::pages::{fault, notice, view};

/// What a person answers to a report.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AnswerForm {
    action: String,
    words: String,
}

/// What a person does to a parcel.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StepForm {
    step: String,
    words: String,
}

struct ReportLine {
    id: String,
    reason: String,
    words: String,
    courier: String,
    when: String,
    due: String,
    /// Style of the due time: `ok`, `bad` or `open`.
    tone: &'static str,
    owes_photo: bool,
    parcels: Vec<ParcelId>,
    /// What was answered.
    answer: Option<String>,
    /// Code and words of what may be answered (A043).
    actions: Vec<(&'static str, &'static str)>,
}

#[derive(Template)]
#[template(path = "board_reports.html")]
struct ReportsPage {
    f: Frame,
    rows: Vec<ReportLine>,
    paging: Paging,
}

/// `GET /board/reports`, unanswered ones first, by when they are due (A044).
pub(crate) async fn reports(
    State(hub): State<Hub>,
    user: BoardUser,
    Query(query): Query<BoardQuery>,
) -> Response {
    let made = async {
        let f = frame(&hub, user, "/board/reports").await?;
        let count = sqlx::query_scalar("SELECT count(*) FROM report")
            .fetch_one(hub.db().read())
            .await?;
        let paging = Paging::new(query.page, count);
        let rows = lines(&hub, user.lang, paging.skip()).await?;
        Ok(ReportsPage { f, rows, paging })
    };
    show(user.lang, &query, made.await)
}

async fn lines(hub: &Hub, lang: Lang, skip: i64) -> Result<Vec<ReportLine>, HubError> {
    let rows = sqlx::query(
        "SELECT r.*, c.name, a.action, a.words AS answer, a.answered_at_ms, \
           (SELECT group_concat(hex(parcel_id), ',') FROM report_parcel p \
             WHERE p.device_id = r.device_id AND p.seq = r.seq) AS parcels \
         FROM report r JOIN device d USING (device_id) JOIN courier c USING (courier_id) \
         LEFT JOIN report_answer a USING (device_id, report_id) \
         ORDER BY a.answered_at_ms IS NOT NULL, r.answer_due_ms, r.device_id, r.seq \
         LIMIT ? OFFSET ?",
    )
    .bind(PAGE_ROWS)
    .bind(skip)
    .fetch_all(hub.db().read())
    .await?;
    rows.iter().map(|row| line(hub, lang, row)).collect()
}

fn line(hub: &Hub, lang: Lang, row: &sqlx::sqlite::SqliteRow) -> Result<ReportLine, HubError> {
    let t = lang.texts();
    let text = |column: &'static str| -> Result<String, HubError> {
        Ok(row
            .try_get::<Option<String>, _>(column)?
            .unwrap_or_default())
    };
    let reason: &str = row.try_get("reason")?;
    let due_ms: i64 = row.try_get("answer_due_ms")?;
    let answered: Option<i64> = row.try_get("answered_at_ms")?;
    let (due, tone) = match answered {
        Some(at_ms) => {
            let took = at_ms.saturating_sub(row.try_get("occurred_at_ms")?);
            let words = format!("{} {}", t.report_answered, view::span(took, lang));
            (words, if at_ms <= due_ms { "ok" } else { "bad" })
        }
        None => {
            let rest_ms = due_ms.saturating_sub(hub.now_ms());
            (
                left(rest_ms, lang),
                if rest_ms < 0 { "bad" } else { "open" },
            )
        }
    };
    let answer = match answered {
        None => None,
        Some(_) => {
            let action = text("action")?;
            let action = if action.is_empty() {
                action
            } else {
                view::action(&action, lang)
            };
            Some(format!("{action} {}", text("answer")?).trim().to_owned())
        }
    };
    let known = Reason::from_code(reason).ok();
    let allowed = Action::ALL
        .iter()
        .filter(|action| known.is_some_and(|reason| reason.allows(**action)));
    Ok(ReportLine {
        id: row.try_get("report_id")?,
        reason: view::reason(reason, lang),
        words: text("words")?,
        courier: row.try_get("name")?,
        when: view::time(row.try_get("occurred_at_ms")?, hub.config().utc_offset_min),
        due,
        tone,
        owes_photo: row.try_get("owes_photo")?,
        parcels: text("parcels")?
            .split(',')
            .filter_map(|hex| hex.parse().ok())
            .collect(),
        answer,
        actions: allowed
            .map(|a| (a.code(), if lang == Lang::Zh { a.zh() } else { a.en() }))
            .collect(),
    })
}

/// `POST /board/reports/{id}`.
pub(crate) async fn answer(
    State(hub): State<Hub>,
    user: BoardUser,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(form): Form<AnswerForm>,
) -> Response {
    let action = match form.action.as_str() {
        "" => Ok(None),
        code => Action::from_code(code).map(Some),
    };
    let Ok(action) = action else {
        return unfit(user.lang);
    };
    if from_another_site(&hub, &headers) {
        return unfit(user.lang);
    }
    match hub.answer_report(&id, action, Some(&form.words)).await {
        Ok(()) => see_other("/board/reports"),
        Err(HubError::Answer(_) | HubError::TooManyWords) => unfit(user.lang),
        Err(error) => fault(user.lang, &error),
    }
}

/// `POST /board/parcels/{id}`: a step of the hub.
pub(crate) async fn step(
    State(hub): State<Hub>,
    user: BoardUser,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(form): Form<StepForm>,
) -> Response {
    let (Ok(step), Ok(parcel)) = (form.step.parse::<HubStep>(), id.parse::<ParcelId>()) else {
        return unfit(user.lang);
    };
    if from_another_site(&hub, &headers) {
        return unfit(user.lang);
    }
    let parcel_ref = ParcelRef::Id(parcel);
    match hub.take_step(&parcel_ref, step, Some(&form.words)).await {
        Ok(_) => see_other(&format!("/board/parcels/{parcel}")),
        Err(HubError::Step(_) | HubError::UnknownParcel | HubError::TooManyWords) => {
            unfit(user.lang)
        }
        Err(error) => fault(user.lang, &error),
    }
}

fn unfit(lang: Lang) -> Response {
    let t = lang.texts();
    notice(
        StatusCode::UNPROCESSABLE_ENTITY,
        lang,
        t.fault_title,
        t.step_unfit,
    )
}
