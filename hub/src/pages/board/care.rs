//! Cases on the board, and what people do about them and about ratings.

use askama::Template;
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use satchel_protocol::ids::ParcelId;
use serde::Deserialize;

use super::{BoardQuery, Frame, PAGE_ROWS, Paging, frame, show};
use crate::care::{self, Case, CaseKind, WORK};
use crate::error::HubError;
use crate::hub::Hub;
use crate::i18n::{Care, Lang};
use crate::pages::cases::{
    PromiseLine, event_words, kind_words, level_words, promise_lines, reason_words,
};
use crate::pages::customer::{from_another_site, see_other};
use crate::pages::session::BoardUser;
use crate::pages::{fault, notice, view};
use crate::rating::review;

const MAX_WORDS_CHARS: usize = 1_000;

/// What a person does about a rating.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct JudgeForm {
    #[serde(rename = "do")]
    what: String,
    why: String,
}

/// What a person writes into a case.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct WorkForm {
    kind: String,
    words: String,
}

struct CaseLine {
    case_id: i64,
    number: String,
    kind: &'static str,
    reason: Option<&'static str>,
    level: &'static str,
    contact: String,
    parcel: Option<ParcelId>,
    promises: Vec<PromiseLine>,
    /// Time, what, words, hash of a picture.
    events: Vec<(String, &'static str, String, Option<String>)>,
    closed: bool,
}

#[derive(Template)]
#[template(path = "board_cases.html")]
struct CasesPage {
    f: Frame,
    c: &'static Care,
    rows: Vec<CaseLine>,
    work: Vec<(&'static str, &'static str)>,
    paging: Paging,
}

/// `GET /board/cases`, newest first.
pub(crate) async fn cases(
    State(hub): State<Hub>,
    user: BoardUser,
    Query(query): Query<BoardQuery>,
) -> Response {
    let made = async {
        let f = frame(&hub, user, "/board/cases").await?;
        let count = sqlx::query_scalar("SELECT count(*) FROM care_case")
            .fetch_one(hub.db().read())
            .await?;
        let paging = Paging::new(query.page, count);
        let c = user.lang.care();
        let rows = care::cases(&hub, PAGE_ROWS, paging.skip()).await?;
        Ok(CasesPage {
            f,
            c,
            rows: rows.iter().map(|r| line(&hub, user.lang, r)).collect(),
            work: WORK.into_iter().map(|w| (w, event_words(c, w))).collect(),
            paging,
        })
    };
    show(user.lang, &query, made.await)
}

fn line(hub: &Hub, lang: Lang, case: &Case) -> CaseLine {
    let c = lang.care();
    let event = |e: &care::Event| {
        let picture = (e.kind == "evidence").then(|| e.words.clone());
        let words = match e.kind.as_str() {
            "evidence" => String::new(),
            "opened" => case.words.clone(),
            _ => e.words.clone(),
        };
        let when = view::minute(e.at_ms, hub.config().utc_offset_min);
        (when, event_words(c, &e.kind), words, picture)
    };
    CaseLine {
        case_id: case.case_id,
        number: case.number.clone(),
        kind: kind_words(c, case.kind),
        reason: case.reason.map(|r| reason_words(lang, r)),
        level: level_words(c, case.level),
        contact: case.contact.clone(),
        parcel: case.parcel,
        promises: promise_lines(hub, lang, case),
        events: case.events.iter().map(event).collect(),
        closed: case.is_closed(),
    }
}

/// `POST /board/cases/{id}`: the customer sees this on the timeline at once; the answer to an appeal
/// goes to the courier's phone.
pub(crate) async fn work(
    State(hub): State<Hub>,
    user: BoardUser,
    Path(id): Path<i64>,
    headers: HeaderMap,
    Form(form): Form<WorkForm>,
) -> Response {
    let words = form.words.trim();
    let fits = (1..=MAX_WORDS_CHARS).contains(&words.chars().count());
    if from_another_site(&hub, &headers) || !WORK.contains(&form.kind.as_str()) || !fits {
        return unfit(user.lang);
    }
    let done = async {
        match care::case(&hub, id).await? {
            Some(case) if !case.is_closed() => {
                let mut tx = hub.db().write().await?;
                care::add_event(&hub, &mut tx, id, &form.kind, words).await?;
                if let (Some(CaseKind::Appeal), Some(rating)) = (case.kind, case.rating_id) {
                    review::tell(&mut tx, rating).await?;
                }
                tx.commit().await?;
                Ok(true)
            }
            _ => Ok(false),
        }
    };
    match done.await {
        Ok(true) => see_other("/board/cases"),
        Ok(false) => unfit(user.lang),
        Err::<_, HubError>(error) => fault(user.lang, &error),
    }
}

/// `POST /board/ratings/{id}`: lift a flag, hide words or show them again, with a reason.
pub(crate) async fn judge(
    State(hub): State<Hub>,
    user: BoardUser,
    Path(id): Path<i64>,
    headers: HeaderMap,
    Form(form): Form<JudgeForm>,
) -> Response {
    if from_another_site(&hub, &headers) {
        return unfit(user.lang);
    }
    let done = match form.what.as_str() {
        "hide" => hub.hide_rating(id, &form.why).await,
        "show" => hub.show_rating(id, &form.why).await,
        "lift" => hub.lift_flags(id, &form.why).await,
        _ => return unfit(user.lang),
    };
    match done {
        Ok(()) => see_other("/board/ratings"),
        Err(HubError::NoReason | HubError::UnknownRating(_)) => unfit(user.lang),
        Err(error) => fault(user.lang, &error),
    }
}

pub(super) fn unfit(lang: Lang) -> Response {
    let t = lang.texts();
    notice(
        StatusCode::UNPROCESSABLE_ENTITY,
        lang,
        t.fault_title,
        t.rating_why,
    )
}
