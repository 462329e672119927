//! The customer's page of one parcel, before and after: what is known, what can be chosen, what can be
//! asked for. Opened by the private link of the hub's message, or by waybill and six-digit code.

mod view_model;

use std::collections::HashMap;

use askama::Template;
use axum::body::Body;
use axum::extract::{Form, FromRequest, Multipart, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use satchel_protocol::ids::Handle;
use satchel_protocol::limits;
use satchel_protocol::taxonomy::HandoffKind;
use satchel_protocol::token::base32;
use serde::Deserialize;

use crate::api::chunks::{self, CutOff};
use crate::care::{self, CaseKind, Opening};
use crate::choices::{self, Wished};
use crate::db::RowExt;
use crate::doorstep;
use crate::error::HubError;
use crate::hub::Hub;
use crate::i18n::{Care, Lang, Texts};
use crate::pages::cases::refused;
use crate::pages::customer::{
    dead, from_another_site, not_through, see_other, set_cookie, too_often,
};
use crate::pages::form::{self, Given, Refused};
use crate::pages::{Style, fault, lang_of, page};
use crate::shares::{self, CodeCheck, Link, Session};
use crate::tracking::{self, Tracked};
use crate::visitor::{Deed, SESSION_COOKIE, Visitor};
use view_model::{ParcelView, ProofView};

const PATIENCE: std::time::Duration = std::time::Duration::from_millis(12);
const MAX_WHOM_CHARS: usize = 100;
const MAX_ADDRESS_CHARS: usize = 300;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct TrackQuery {
    lang: Option<String>,
    noted: Option<String>,
}

#[derive(Template)]
#[template(path = "track.html")]
struct TrackPage<'a> {
    t: &'a Texts,
    c: &'a Care,
    lang: Lang,
    css: &'static str,
    p: ParcelView,
    key: String,
    reasons: Vec<(&'static str, &'static str, bool)>,
    max_chars: usize,
    noted: bool,
    claim: bool,
    problem: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "track_login.html")]
struct LoginPage<'a> {
    t: &'a Texts,
    c: &'a Care,
    lang: Lang,
    css: &'static str,
    waybill: &'a str,
    problem: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "proof.html")]
struct ProofPage<'a> {
    t: &'a Texts,
    c: &'a Care,
    lang: Lang,
    css: &'static str,
    waybill_tail: String,
    recipient: String,
    address: String,
    attempts: Vec<ProofView>,
}

async fn open(hub: &Hub, link: &str) -> Result<Option<(Handle, Tracked)>, HubError> {
    let Some(handle) = shares::unseal(hub, Link::Track, link).map(Handle) else {
        return Ok(None);
    };
    Ok(tracking::by_handle(hub, handle)
        .await?
        .map(|tracked| (handle, tracked)))
}

/// `GET /t/{link}`: shows the parcel and remembers this browser as the recipient's.
pub(crate) async fn show(
    State(hub): State<Hub>,
    Path(link): Path<String>,
    Query(query): Query<TrackQuery>,
    visitor: Visitor,
    headers: HeaderMap,
) -> Response {
    let patience = tokio::time::sleep(PATIENCE);
    let lang = lang_of(query.lang.as_deref(), &headers);
    let (handle, tracked) = match open(&hub, &link).await {
        Ok(Some(found)) => found,
        Ok(None) => return dead(&hub, lang, &visitor, patience).await,
        Err(error) => return fault(lang, &error),
    };
    let made = async {
        let fresh = remember(&hub, &visitor, &tracked).await?;
        let page = render(&hub, lang, handle, &tracked, query.noted.is_some(), None).await?;
        Ok::<_, HubError>((fresh, page))
    };
    match made.await {
        Ok((fresh, mut answer)) => {
            if let Some(fresh) = fresh {
                set_cookie(&hub, &mut answer, SESSION_COOKIE, &fresh);
            }
            answer
        }
        Err(error) => fault(lang, &error),
    }
}

/// Gives this browser the share of the parcel; a browser without a session gets one.
async fn remember(
    hub: &Hub,
    visitor: &Visitor,
    tracked: &Tracked,
) -> Result<Option<String>, HubError> {
    if shares::holds(hub, visitor.session, tracked.parcel).await? {
        return Ok(None);
    }
    let (session, fresh) = match visitor.session {
        Some(session) => (session, None),
        None => {
            let fresh = base32(&hub.draw::<16>()?);
            (Session::of(&fresh), Some(fresh))
        }
    };
    let mut tx = hub.db().write().await?;
    shares::grant(&mut tx, session, tracked.parcel, hub.now_ms()).await?;
    tx.commit().await?;
    Ok(fresh)
}

async fn render(
    hub: &Hub,
    lang: Lang,
    handle: Handle,
    tracked: &Tracked,
    noted: bool,
    problem: Option<&'static str>,
) -> Result<Response, HubError> {
    let template = TrackPage {
        t: lang.texts(),
        c: lang.care(),
        lang,
        css: Style::Customer.css(),
        p: ParcelView::of(hub, lang, handle, tracked).await?,
        key: shares::form_key(hub, handle),
        reasons: form::reasons(lang, None),
        max_chars: limits::MAX_TEXT_CHARS,
        noted,
        claim: problem.is_some() && !tracked.is_open(),
        problem,
    };
    let status = match problem {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    Ok(page(status, Style::Customer, &template))
}

/// Where to go after something was done.
enum Next {
    /// Back to the page, with a word that it was noted.
    Noted,
    /// To the case that was opened.
    To(String),
    /// Back to the form.
    Problem(&'static str),
}

/// `POST /t/{link}`: whatever was asked for.
pub(crate) async fn act(
    State(hub): State<Hub>,
    Path(link): Path<String>,
    Query(query): Query<TrackQuery>,
    visitor: Visitor,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let patience = tokio::time::sleep(PATIENCE);
    let lang = lang_of(query.lang.as_deref(), &headers);
    let (handle, tracked) = match open(&hub, &link).await {
        Ok(Some(found)) if !from_another_site(&hub, &headers) => found,
        Ok(_) => return dead(&hub, lang, &visitor, patience).await,
        Err(error) => return fault(lang, &error),
    };
    if !hub.limits().allow(visitor.net, Deed::Write, hub.now_ms()) {
        return too_often(lang);
    }
    let given = match read(&hub, &visitor, &headers, request).await {
        Ok(given) => given,
        Err(why) => {
            return match form::problem(lang.care(), why) {
                Ok(problem) => render(&hub, lang, handle, &tracked, false, Some(problem))
                    .await
                    .unwrap_or_else(|error| fault(lang, &error)),
                Err(why) => refused(lang, why),
            };
        }
    };
    // The key proves that the post comes from this parcel's own page.
    if given.get("form") != shares::form_key(&hub, handle) {
        return dead(&hub, lang, &visitor, patience).await;
    }
    let tag = lang.tag();
    match carry_out(&hub, lang, &tracked, &given).await {
        Ok(Next::Noted) => see_other(&format!("/t/{link}?lang={tag}&noted=1")),
        Ok(Next::To(path)) => see_other(&format!("{path}?lang={tag}")),
        Ok(Next::Problem(problem)) => render(&hub, lang, handle, &tracked, false, Some(problem))
            .await
            .unwrap_or_else(|error| fault(lang, &error)),
        Err(error) => fault(lang, &error),
    }
}

/// A form with pictures or without.
async fn read(
    hub: &Hub,
    visitor: &Visitor,
    headers: &HeaderMap,
    request: Request,
) -> Result<Given, Refused> {
    let multipart = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.starts_with("multipart/form-data"));
    if multipart {
        let body = Multipart::from_request(request, hub)
            .await
            .map_err(|_| Refused::Malformed)?;
        form::read(hub, visitor, headers, body).await
    } else {
        // The longer form has pictures.
        let (parts, body) = request.into_parts();
        let words = chunks::whole(body, form::WORDS_BYTES, form::SILENT_WITHIN).await;
        let body = Body::from(words.map_err(|CutOff| Refused::Malformed)?);
        let request = Request::from_parts(parts, body);
        let Form(fields) = Form::<HashMap<String, String>>::from_request(request, hub)
            .await
            .map_err(|_| Refused::Malformed)?;
        Ok(Given::plain(fields))
    }
}

async fn carry_out(
    hub: &Hub,
    lang: Lang,
    tracked: &Tracked,
    given: &Given,
) -> Result<Next, HubError> {
    let (c, tag, parcel) = (lang.care(), lang.tag(), tracked.parcel);
    let kind = || HandoffKind::from_code(given.get("handoff")).ok();
    match given.get("do") {
        "handoff" if tracked.is_open() => {
            let Some(kind) = kind() else {
                return Ok(Next::Problem(c.need_choice));
            };
            let whom: String = given
                .get("whom")
                .chars()
                .filter(|ch| !ch.is_control())
                .take(MAX_WHOM_CHARS)
                .collect();
            let taken = choices::handoff(hub, parcel, kind, &whom, tag).await?;
            Ok(if taken {
                Next::Noted
            } else {
                Next::Problem(c.choice_forbidden)
            })
        }
        "wish" => {
            let taken = match kind() {
                Some(kind) => choices::standing(hub, parcel, kind, tag).await?,
                None => false,
            };
            Ok(if taken {
                Next::Noted
            } else {
                Next::Problem(c.need_choice)
            })
        }
        what @ ("time" | "book") => {
            let slot = given.get("slot");
            let Some(wished) = Wished::read(hub, given.get("day"), slot) else {
                return Ok(Next::Problem(c.time_bad));
            };
            let text = wished.text(slot);
            let opened = if what == "time" && tracked.is_open() {
                choices::another_time(hub, parcel, wished, &text, tag).await?
            } else if what == "book" && tracked.is_elsewhere() {
                Some(choices::book(hub, parcel, wished, &text, tag).await?)
            } else {
                return Ok(Next::Problem(c.need_choice));
            };
            Ok(opened.map_or(Next::Noted, |case| Next::To(case.path(hub))))
        }
        "helpful" => {
            helpful(hub, given.get("answer") == "yes").await?;
            Ok(Next::Noted)
        }
        what => ask(hub, lang, tracked, what, given).await,
    }
}

/// Everything that becomes a case.
async fn ask(
    hub: &Hub,
    lang: Lang,
    tracked: &Tracked,
    what: &str,
    given: &Given,
) -> Result<Next, HubError> {
    let c = lang.care();
    let (kind, limit) = match what {
        "claim" => (CaseKind::Claim, limits::MAX_TEXT_CHARS),
        "station" if tracked.is_elsewhere() => (CaseKind::Station, limits::MAX_TEXT_CHARS),
        "address" if tracked.is_open() => (CaseKind::Address, MAX_ADDRESS_CHARS),
        "redeliver" if tracked.is_elsewhere() => (CaseKind::Redelivery, 0),
        "erase" => (CaseKind::Erasure, 0),
        _ => return Ok(Next::Problem(c.need_choice)),
    };
    let words = match (limit, given.words(limit.max(1))) {
        (0, _) => String::new(),
        (_, Some(words)) => words,
        (_, None) => return Ok(Next::Problem(c.need_words)),
    };
    let reason = given.reason();
    if kind == CaseKind::Claim && reason.is_none() {
        return Ok(Next::Problem(c.need_choice));
    }
    let (channel, contact) = given.channel();
    let opening = Opening {
        reason,
        channel,
        contact,
        ..choices::request(kind, tracked.parcel, &words, lang.tag())
    };
    let pictures = given.keep_pictures(hub).await?;
    let mut tx = hub.db().write().await?;
    let opened = care::open(hub, &mut tx, &opening).await?;
    care::add_files(hub, &mut tx, opened.case_id, &pictures).await?;
    if kind == CaseKind::Redelivery {
        doorstep::demand_redelivery(&mut tx, tracked.parcel, hub.now_ms(), None).await?;
    }
    tx.commit().await?;
    Ok(Next::To(opened.path(hub)))
}

/// Counts an answer to "did this page help?" (A060).
async fn helpful(hub: &Hub, yes: bool) -> Result<(), HubError> {
    let day = view_model::day(hub, hub.now_ms());
    let mut tx = hub.db().write().await?;
    sqlx::query(
        "INSERT INTO helpful (day, answer, answers) VALUES (?, ?, 1) \
         ON CONFLICT DO UPDATE SET answers = answers + 1",
    )
    .bind(day)
    .bind(i64::from(yes))
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

/// `GET /track`: the second factor asked for.
pub(crate) async fn login(Query(query): Query<TrackQuery>, headers: HeaderMap) -> Response {
    login_page(lang_of(query.lang.as_deref(), &headers), "", None)
}

/// `POST /track`: waybill and code to the private link. The same answer for an unknown waybill, a wrong
/// code and a dead one.
pub(crate) async fn find(
    State(hub): State<Hub>,
    Query(query): Query<TrackQuery>,
    visitor: Visitor,
    headers: HeaderMap,
    form: Result<Form<HashMap<String, String>>, axum::extract::rejection::FormRejection>,
) -> Response {
    let patience = tokio::time::sleep(PATIENCE);
    let lang = lang_of(query.lang.as_deref(), &headers);
    if from_another_site(&hub, &headers) {
        return dead(&hub, lang, &visitor, patience).await;
    }
    if hub.limits().spent(visitor.net, Deed::Guess, hub.now_ms()) {
        return too_often(lang);
    }
    let Some(given) = form::heard(form).map(Given::plain) else {
        return not_through(lang);
    };
    match by_code(&hub, given.get("waybill"), given.get("code")).await {
        Ok(Some(path)) => see_other(&format!("{path}?lang={}", lang.tag())),
        Ok(None) => {
            hub.limits().allow(visitor.net, Deed::Guess, hub.now_ms());
            let problem = Some(lang.care().track_not_found);
            let answer = login_page(lang, given.get("waybill"), problem);
            patience.await;
            answer
        }
        Err(error) => fault(lang, &error),
    }
}

async fn by_code(hub: &Hub, waybill: &str, code: &str) -> Result<Option<String>, HubError> {
    let mut tx = hub.db().write().await?;
    let row = sqlx::query(
        "SELECT parcel_id, handle FROM parcel WHERE waybill = ? ORDER BY accepted_at_ms DESC LIMIT 1",
    )
    .bind(waybill)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let parcel = row.parcel("parcel_id")?;
    let checked = shares::check_code(hub, &mut tx, parcel, code).await?;
    tx.commit().await?;
    match checked {
        CodeCheck::Right => Ok(Some(shares::track_path(hub, row.handle("handle")?))),
        CodeCheck::Wrong | CodeCheck::Dead => Ok(None),
    }
}

fn login_page(lang: Lang, waybill: &str, problem: Option<&'static str>) -> Response {
    let template = LoginPage {
        t: lang.texts(),
        c: lang.care(),
        lang,
        css: Style::Customer.css(),
        waybill,
        problem,
    };
    let status = match problem {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    page(status, Style::Customer, &template)
}

/// `GET /p/{link}`: the masked proof of delivery, while its link lasts.
pub(crate) async fn proof(
    State(hub): State<Hub>,
    Path(link): Path<String>,
    Query(query): Query<TrackQuery>,
    visitor: Visitor,
    headers: HeaderMap,
) -> Response {
    let patience = tokio::time::sleep(PATIENCE);
    let lang = lang_of(query.lang.as_deref(), &headers);
    let found = match view_model::read_proof_link(&hub, &link) {
        Some(handle) => tracking::by_handle(&hub, handle).await,
        None => Ok(None),
    };
    match found {
        Ok(Some(tracked)) => {
            let template = ProofPage {
                t: lang.texts(),
                c: lang.care(),
                lang,
                css: Style::Customer.css(),
                waybill_tail: crate::mask::waybill_tail(&tracked.waybill),
                recipient: satchel_protocol::mask::name(&tracked.recipient_name),
                address: satchel_protocol::mask::address(&tracked.address),
                attempts: view_model::proofs(&hub, lang, &tracked),
            };
            page(StatusCode::OK, Style::Customer, &template)
        }
        Ok(None) => dead(&hub, lang, &visitor, patience).await,
        Err(error) => fault(lang, &error),
    }
}
