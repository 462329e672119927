//! Doubts on the board: what the hub wonders about, the courier's answer, and a person's verdict with its reason.

use askama::Template;
use axum::extract::{Form, Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use satchel_protocol::ids::{DoubtId, ParcelId};
use satchel_protocol::taxonomy::{DoubtKind, DoubtVerdict};
use serde::Deserialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::care::unfit;
use super::{BoardQuery, Frame, PAGE_ROWS, Paging, frame, show};
use crate::db::RowExt;
use crate::error::HubError;
use crate::hub::Hub;
use crate::i18n::Lang;
use crate::mask::waybill_tail;
use crate::pages::customer::{from_another_site, see_other};
use crate::pages::session::BoardUser;
use crate::pages::{fault, view};

/// A verdict and why.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct VerdictForm {
    verdict: String,
    why: String,
}

struct DoubtLine {
    id: DoubtId,
    kind: &'static str,
    courier: String,
    parcel: ParcelId,
    waybill: String,
    when: String,
    /// When the other thing was, and how far away.
    other: String,
    answer: Option<String>,
    /// Verdict and reason.
    verdict: Option<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "board_doubts.html")]
struct DoubtsPage {
    f: Frame,
    rows: Vec<DoubtLine>,
    verdicts: Vec<(&'static str, &'static str)>,
    paging: Paging,
}

const ROWS: &str = "\
    SELECT d.*, c.name AS courier, coalesce(p.waybill, '') AS waybill \
    FROM doubt d JOIN courier c USING (courier_id) LEFT JOIN parcel p USING (parcel_id) \
    ORDER BY d.verdict IS NOT NULL, d.raised_at_ms DESC, d.doubt_id LIMIT ? OFFSET ?";

/// `GET /board/doubts`, those without a verdict first.
pub(crate) async fn doubts(
    State(hub): State<Hub>,
    user: BoardUser,
    Query(query): Query<BoardQuery>,
) -> Response {
    let made = async {
        let f = frame(&hub, user, "/board/doubts").await?;
        let count = sqlx::query_scalar("SELECT count(*) FROM doubt")
            .fetch_one(hub.db().read())
            .await?;
        let paging = Paging::new(query.page, count);
        let rows = sqlx::query(ROWS)
            .bind(PAGE_ROWS)
            .bind(paging.skip())
            .fetch_all(hub.db().read())
            .await?;
        let line = |row: &SqliteRow| line(&hub, user.lang, row);
        Ok(DoubtsPage {
            f,
            rows: rows.iter().map(line).collect::<Result<_, HubError>>()?,
            verdicts: DoubtVerdict::ALL
                .iter()
                .map(|v| (v.code(), words(user.lang, v.zh(), v.en())))
                .collect(),
            paging,
        })
    };
    show(user.lang, &query, made.await)
}

fn words(lang: Lang, zh: &'static str, en: &'static str) -> &'static str {
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

fn line(hub: &Hub, lang: Lang, row: &SqliteRow) -> Result<DoubtLine, HubError> {
    let offset_min = hub.config().utc_offset_min;
    let kind = DoubtKind::from_code(row.try_get("kind")?);
    let other_at_ms: Option<i64> = row.try_get("other_at_ms")?;
    let apart_m: Option<i64> = row.try_get("apart_m")?;
    let parts = [
        other_at_ms.map(|ms| view::minute(ms, offset_min)),
        apart_m.map(|m| format!("{}.{} km", m / 1_000, m % 1_000 / 100)),
    ];
    let verdict: Option<&str> = row.try_get("verdict")?;
    let verdict = verdict.and_then(|code| DoubtVerdict::from_code(code).ok());
    let why: Option<String> = row.try_get("why")?;
    Ok(DoubtLine {
        id: DoubtId(row.uuid("doubt_id")?),
        kind: kind.map_or("?", |k| words(lang, k.zh(), k.en())),
        courier: row.try_get("courier")?,
        parcel: row.parcel("parcel_id")?,
        waybill: waybill_tail(row.try_get("waybill")?),
        when: view::minute(row.try_get("occurred_at_ms")?, offset_min),
        other: parts.into_iter().flatten().collect::<Vec<_>>().join(" · "),
        answer: row.try_get("answer")?,
        verdict: verdict.map(|v| (words(lang, v.zh(), v.en()), why.unwrap_or_default())),
    })
}

/// `POST /board/doubts/{id}`: a verdict with its reason; the courier's phone is told both.
pub(crate) async fn judge(
    State(hub): State<Hub>,
    user: BoardUser,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(form): Form<VerdictForm>,
) -> Response {
    let id = id.parse::<DoubtId>();
    let (Ok(id), Ok(verdict)) = (id, DoubtVerdict::from_code(&form.verdict)) else {
        return unfit(user.lang);
    };
    if from_another_site(&hub, &headers) {
        return unfit(user.lang);
    }
    match hub.judge_doubt(id, verdict, &form.why).await {
        Ok(()) => see_other("/board/doubts"),
        Err(HubError::NoReason | HubError::UnknownDoubt) => unfit(user.lang),
        Err(error) => fault(user.lang, &error),
    }
}
