//! The timeline of a case by its private link, and the suggestion box.

use askama::Template;
use axum::extract::{Multipart, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use satchel_protocol::limits;
use satchel_protocol::taxonomy::CareReason;

use crate::care::{self, Case, CaseKind, Opening, Promise};
use crate::error::HubError;
use crate::hub::Hub;
use crate::i18n::{Care, Lang, Texts};
use crate::pages::customer::{PageQuery, from_another_site, not_through, see_other, too_often};
use crate::pages::form::{self, Refused};
use crate::pages::{Style, fault, lang_of, notice, page, view};
use crate::shares::{self, Link};
use crate::visitor::{Deed, Visitor};

/// A promise as people read it.
pub(super) struct PromiseLine {
    pub(super) what: &'static str,
    pub(super) due: String,
    pub(super) kept: bool,
    pub(super) late: bool,
}

struct EventLine {
    when: String,
    what: String,
    words: String,
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage<'a> {
    t: &'a Texts,
    c: &'a Care,
    lang: Lang,
    css: &'static str,
    number: &'a str,
    kind: &'static str,
    reason: Option<&'static str>,
    level: &'static str,
    promises: Vec<PromiseLine>,
    events: Vec<EventLine>,
    closed: bool,
    max_chars: usize,
    problem: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "suggest.html")]
struct SuggestPage<'a> {
    t: &'a Texts,
    c: &'a Care,
    lang: Lang,
    css: &'static str,
    words: &'a str,
    max_chars: usize,
    problem: Option<&'static str>,
}

/// The promises of a case with their ends.
pub(super) fn promise_lines(hub: &Hub, lang: Lang, case: &Case) -> Vec<PromiseLine> {
    let c = lang.care();
    case.promises()
        .into_iter()
        .map(|(promise, due_ms, kept_ms)| PromiseLine {
            what: match promise {
                Promise::Contact => c.promise_contact,
                Promise::Solution => c.promise_solution,
                Promise::Respond => c.promise_respond,
                Promise::Progress => c.promise_progress,
                Promise::Close => c.promise_close,
                Promise::Answer => c.promise_answer,
            },
            due: view::minute(due_ms, hub.config().utc_offset_min),
            kept: kept_ms.is_some_and(|t| t <= due_ms),
            late: kept_ms.unwrap_or_else(|| hub.now_ms()) > due_ms,
        })
        .collect()
}

/// Why somebody complains, in words.
pub(super) fn reason_words(lang: Lang, reason: CareReason) -> &'static str {
    match lang {
        Lang::Zh => reason.zh(),
        Lang::En => reason.en(),
    }
}

/// How urgent a case is, in words.
pub(super) fn level_words(c: &'static Care, level: i64) -> &'static str {
    match level {
        1 => c.case_level_1,
        2 => c.case_level_2,
        _ => c.case_level_0,
    }
}

/// What a case is about, in words.
pub(super) fn kind_words(c: &'static Care, kind: Option<CaseKind>) -> &'static str {
    match kind {
        Some(CaseKind::LowRating) => c.kind_low_rating,
        Some(CaseKind::Claim) => c.kind_claim,
        Some(CaseKind::Suggestion) => c.kind_suggestion,
        Some(CaseKind::Erasure) => c.kind_erasure,
        Some(CaseKind::Redelivery) => c.kind_redelivery,
        Some(CaseKind::AnotherDay) => c.kind_another_day,
        Some(CaseKind::Address) => c.kind_address,
        Some(CaseKind::Station) => c.kind_station,
        Some(CaseKind::Appeal) => c.kind_appeal,
        Some(CaseKind::Complaint) | None => c.kind_complaint,
    }
}

/// One event, in words; evidence is named, not shown, because the link may be passed on.
pub(super) fn event_words(c: &'static Care, kind: &str) -> &'static str {
    match kind {
        "opened" => c.event_opened,
        "complained" => c.event_complained,
        "evidence" => c.event_evidence,
        "message" => c.event_message,
        "contacted" => c.event_contacted,
        "progress" => c.event_progress,
        "solution" => c.event_solution,
        _ => c.event_closed,
    }
}

async fn find(hub: &Hub, link: &str) -> Result<Option<Case>, HubError> {
    match shares::unseal(hub, Link::Case, link) {
        Some(id) => care::case(hub, i64::from_be_bytes(id)).await,
        None => Ok(None),
    }
}

/// `GET /c/{link}`.
pub(crate) async fn show(
    State(hub): State<Hub>,
    Path(link): Path<String>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Response {
    let lang = lang_of(query.lang.as_deref(), &headers);
    match find(&hub, &link).await {
        Ok(Some(case)) => render(&hub, lang, &case, None),
        Ok(None) => unknown(lang),
        Err(error) => fault(lang, &error),
    }
}

/// `POST /c/{link}`: words and pictures from the customer.
pub(crate) async fn add(
    State(hub): State<Hub>,
    Path(link): Path<String>,
    Query(query): Query<PageQuery>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Response {
    let lang = lang_of(query.lang.as_deref(), &headers);
    let case = match find(&hub, &link).await {
        Ok(Some(case)) if !case.is_closed() && !from_another_site(&hub, &headers) => case,
        Ok(_) => return unknown(lang),
        Err(error) => return fault(lang, &error),
    };
    if !hub.limits().allow(visitor.net, Deed::Write, hub.now_ms()) {
        return too_often(lang);
    }
    let c = lang.care();
    let given = match body {
        Ok(body) => form::read(&hub, &visitor, &headers, body).await,
        Err(_) => Err(Refused::Malformed),
    };
    let problem = match given {
        Ok(given) => match given.words(limits::MAX_TEXT_CHARS) {
            Some(words) => {
                let done = async {
                    let pictures = given.keep_pictures(&hub).await?;
                    let mut tx = hub.db().write().await?;
                    care::add_event(&hub, &mut tx, case.case_id, "message", &words).await?;
                    care::add_files(&hub, &mut tx, case.case_id, &pictures).await?;
                    tx.commit().await?;
                    Ok::<_, HubError>(())
                };
                return match done.await {
                    Ok(()) => see_other(&format!("/c/{link}?lang={}", lang.tag())),
                    Err(error) => fault(lang, &error),
                };
            }
            None => c.need_words,
        },
        Err(why) => match form::problem(c, why) {
            Ok(problem) => problem,
            Err(why) => return refused(lang, why),
        },
    };
    render(&hub, lang, &case, Some(problem))
}

/// `GET /suggest`.
pub(crate) async fn suggest_form(Query(query): Query<PageQuery>, headers: HeaderMap) -> Response {
    let lang = lang_of(query.lang.as_deref(), &headers);
    suggest_page(lang, "", None)
}

/// `POST /suggest`: a suggestion is a case without a parcel, answered like any other.
pub(crate) async fn suggest(
    State(hub): State<Hub>,
    Query(query): Query<PageQuery>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Response {
    let lang = lang_of(query.lang.as_deref(), &headers);
    if from_another_site(&hub, &headers) {
        return unknown(lang);
    }
    if !hub.limits().allow(visitor.net, Deed::Write, hub.now_ms()) {
        return too_often(lang);
    }
    let c = lang.care();
    let given = match body {
        Ok(body) => form::read_words(body).await,
        Err(_) => return suggest_page(lang, "", Some(c.need_words)),
    };
    let given = match given {
        Ok(given) => given,
        Err(why) => {
            return match form::problem(c, why) {
                Ok(problem) => suggest_page(lang, "", Some(problem)),
                Err(why) => refused(lang, why),
            };
        }
    };
    let Some(words) = given.words(limits::MAX_TEXT_CHARS) else {
        return suggest_page(lang, given.get("words"), Some(c.need_words));
    };
    let (channel, contact) = given.channel();
    let opening = Opening {
        kind: CaseKind::Suggestion,
        parcel: None,
        rating_id: None,
        reason: None,
        words,
        channel,
        contact,
        lang: lang.tag(),
    };
    let opened = async {
        let mut tx = hub.db().write().await?;
        let opened = care::open(&hub, &mut tx, &opening).await?;
        tx.commit().await?;
        Ok::<_, HubError>(opened)
    };
    match opened.await {
        Ok(opened) => see_other(&format!("{}?lang={}", opened.path(&hub), lang.tag())),
        Err(error) => fault(lang, &error),
    }
}

fn suggest_page(lang: Lang, words: &str, problem: Option<&'static str>) -> Response {
    let template = SuggestPage {
        t: lang.texts(),
        c: lang.care(),
        lang,
        css: Style::Customer.css(),
        words,
        max_chars: limits::MAX_TEXT_CHARS,
        problem,
    };
    page(status(problem), Style::Customer, &template)
}

/// The answer to a form that cannot be shown again.
pub(super) fn refused(lang: Lang, why: Refused) -> Response {
    match why {
        Refused::Failed(error) => fault(lang, &error),
        Refused::TooOften => too_often(lang),
        Refused::NotThrough => not_through(lang),
        Refused::Malformed | Refused::Picture => unknown(lang),
    }
}

fn unknown(lang: Lang) -> Response {
    let t = lang.texts();
    notice(StatusCode::NOT_FOUND, lang, t.dead_title, t.dead_body)
}

fn status(problem: Option<&'static str>) -> StatusCode {
    match problem {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    }
}

fn render(hub: &Hub, lang: Lang, case: &Case, problem: Option<&'static str>) -> Response {
    let c = lang.care();
    let offset = hub.config().utc_offset_min;
    let events = case.events.iter().map(|e| EventLine {
        when: view::minute(e.at_ms, offset),
        what: event_words(c, &e.kind).to_owned(),
        words: match e.kind.as_str() {
            "evidence" => String::new(),
            "opened" => case.words.clone(),
            _ => e.words.clone(),
        },
    });
    let template = CasePage {
        t: lang.texts(),
        c,
        lang,
        css: Style::Customer.css(),
        number: &case.number,
        kind: kind_words(c, case.kind),
        reason: case.reason.map(|r| reason_words(lang, r)),
        level: level_words(c, case.level),
        promises: promise_lines(hub, lang, case),
        events: events.collect(),
        closed: case.is_closed(),
        max_chars: limits::MAX_TEXT_CHARS,
        problem,
    };
    page(status(problem), Style::Customer, &template)
}
