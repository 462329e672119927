//! After the rating: what happens next, the case of a customer who is not content, and his complaint.

use askama::Template;
use axum::extract::{Multipart, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use satchel_protocol::ids::ParcelId;
use satchel_protocol::limits;
use satchel_protocol::taxonomy::CareReason;
use serde::Deserialize;
use sqlx::Row;

use crate::care::{self, CaseKind, Opening};
use crate::db::RowExt;
use crate::error::HubError;
use crate::hub::Hub;
use crate::i18n::{Care, Lang, Texts};
use crate::pages::cases::{PromiseLine, promise_lines, refused};
use crate::pages::customer::{from_another_site, see_other};
use crate::pages::form::{self, Given};
use crate::pages::{Style, fault, lang_of, notice, page};
use crate::rating::LOW_STARS;
use crate::shares::{self, GRANT_TTL_MS, Link};
use crate::visitor::{Deed, Visitor};

#[derive(Debug, Default, Deserialize)]
pub(crate) struct ThanksQuery {
    lang: Option<String>,
    complain: Option<String>,
}

struct DoneView {
    verified: bool,
    complain: bool,
    case: Option<CaseView>,
    reasons: Vec<(&'static str, &'static str, bool)>,
    words: String,
}

struct CaseView {
    number: String,
    path: String,
    promises: Vec<PromiseLine>,
}

#[derive(Template)]
#[template(path = "thanks.html")]
struct ThanksPage<'a> {
    t: &'a Texts,
    c: &'a Care,
    lang: Lang,
    css: &'static str,
    done: Option<DoneView>,
    contact: Option<&'a str>,
    max_chars: usize,
    problem: Option<&'static str>,
}

/// A rating as its giver may see it again.
struct Rated {
    rating_id: i64,
    parcel: ParcelId,
    verified: bool,
    stars: i64,
    comment: String,
    reason: Option<CareReason>,
}

async fn rated(hub: &Hub, link: &str) -> Result<Option<Rated>, HubError> {
    let Some(id) = shares::unseal(hub, Link::Rated, link) else {
        return Ok(None);
    };
    let row = sqlx::query("SELECT * FROM rating_said WHERE rating_id = ? AND rated_at_ms >= ?")
        .bind(i64::from_be_bytes(id))
        .bind(hub.now_ms().saturating_sub(GRANT_TTL_MS))
        .fetch_optional(hub.db().read())
        .await?;
    let Some(row) = row else { return Ok(None) };
    let comment: Option<String> = row.try_get("comment")?;
    let answers = crate::rating::Answers {
        stars: row.try_get("stars")?,
        timeliness: row.try_get("timeliness")?,
        attitude: row.try_get("attitude")?,
        information: row.try_get("information")?,
        tags: Vec::new(),
        comment: None,
        code: None,
        lang: "",
    };
    Ok(Some(Rated {
        rating_id: row.try_get("rating_id")?,
        parcel: row.parcel("parcel_id")?,
        verified: row.try_get::<&str, _>("class")? == "verified",
        stars: i64::from(answers.stars),
        comment: comment.unwrap_or_default(),
        reason: Some(care::likely_reason(&answers)),
    }))
}

/// `GET /thanks`: says nothing about any delivery, so anybody may see it.
pub(crate) async fn bare(
    State(hub): State<Hub>,
    Query(query): Query<ThanksQuery>,
    headers: HeaderMap,
) -> Response {
    let lang = lang_of(query.lang.as_deref(), &headers);
    render(&hub, lang, None, None)
}

/// `GET /thanks/{link}`: only who rated has the link.
pub(crate) async fn show(
    State(hub): State<Hub>,
    Path(link): Path<String>,
    Query(query): Query<ThanksQuery>,
    headers: HeaderMap,
) -> Response {
    let lang = lang_of(query.lang.as_deref(), &headers);
    match rated(&hub, &link).await {
        Ok(Some(rated)) => {
            let complain = query.complain.is_some();
            match view(&hub, lang, &rated, complain).await {
                Ok(done) => render(&hub, lang, Some(done), None),
                Err(error) => fault(lang, &error),
            }
        }
        Ok(None) => unknown(lang),
        Err(error) => fault(lang, &error),
    }
}

async fn view(hub: &Hub, lang: Lang, rated: &Rated, complain: bool) -> Result<DoneView, HubError> {
    let low = rated.stars <= LOW_STARS;
    let case = if low {
        newest_case(hub, lang, rated.parcel).await?
    } else {
        None
    };
    Ok(DoneView {
        verified: rated.verified,
        complain: complain || low,
        case,
        reasons: form::reasons(lang, rated.reason),
        words: rated.comment.clone(),
    })
}

async fn newest_case(
    hub: &Hub,
    lang: Lang,
    parcel: ParcelId,
) -> Result<Option<CaseView>, HubError> {
    let Some(opened) = care::of_parcel(hub, parcel).await?.into_iter().next() else {
        return Ok(None);
    };
    let Some(case) = care::case(hub, opened.case_id).await? else {
        return Ok(None);
    };
    Ok(Some(CaseView {
        path: opened.path(hub),
        number: opened.number,
        promises: promise_lines(hub, lang, &case),
    }))
}

/// `POST /thanks/{link}`: the complaint.
pub(crate) async fn complain(
    State(hub): State<Hub>,
    Path(link): Path<String>,
    Query(query): Query<ThanksQuery>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Response {
    let lang = lang_of(query.lang.as_deref(), &headers);
    let rated = match rated(&hub, &link).await {
        Ok(Some(rated)) if !from_another_site(&hub, &headers) => rated,
        Ok(_) => return unknown(lang),
        Err(error) => return fault(lang, &error),
    };
    if !hub.limits().allow(visitor.net, Deed::Write, hub.now_ms()) {
        return crate::pages::customer::too_often(lang);
    }
    let c = lang.care();
    let given = match body {
        Ok(body) => form::read(&hub, &visitor, &headers, body).await,
        Err(_) => Err(form::Refused::Malformed),
    };
    let problem = match given {
        Ok(given) => match (given.reason(), given.words(limits::MAX_TEXT_CHARS)) {
            (Some(reason), Some(words)) => {
                return match take(&hub, lang, &rated, reason, words, &given).await {
                    Ok(path) => see_other(&format!("{path}?lang={}", lang.tag())),
                    Err(error) => fault(lang, &error),
                };
            }
            (None, _) => c.need_choice,
            (_, None) => c.need_words,
        },
        Err(why) => match form::problem(c, why) {
            Ok(problem) => problem,
            Err(why) => return refused(lang, why),
        },
    };
    match view(&hub, lang, &rated, true).await {
        Ok(done) => render(&hub, lang, Some(done), Some(problem)),
        Err(error) => fault(lang, &error),
    }
}

async fn take(
    hub: &Hub,
    lang: Lang,
    rated: &Rated,
    reason: CareReason,
    words: String,
    given: &Given,
) -> Result<String, HubError> {
    let (channel, contact) = given.channel();
    let opening = Opening {
        kind: CaseKind::Complaint,
        parcel: Some(rated.parcel),
        rating_id: Some(rated.rating_id),
        reason: Some(reason),
        words,
        channel,
        contact,
        lang: lang.tag(),
    };
    let pictures = given.keep_pictures(hub).await?;
    let mut tx = hub.db().write().await?;
    let opened = care::complain(hub, &mut tx, &opening).await?;
    care::add_files(hub, &mut tx, opened.case_id, &pictures).await?;
    tx.commit().await?;
    Ok(opened.path(hub))
}

fn unknown(lang: Lang) -> Response {
    let t = lang.texts();
    notice(StatusCode::NOT_FOUND, lang, t.dead_title, t.dead_body)
}

fn render(
    hub: &Hub,
    lang: Lang,
    done: Option<DoneView>,
    problem: Option<&'static str>,
) -> Response {
    let status = match problem {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let template = ThanksPage {
        t: lang.texts(),
        c: lang.care(),
        lang,
        css: Style::Customer.css(),
        done,
        contact: hub.config().complaint_contact.as_deref(),
        max_chars: limits::MAX_TEXT_CHARS,
        problem,
    };
    page(status, Style::Customer, &template)
}
