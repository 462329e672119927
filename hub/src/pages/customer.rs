//! The customer's rating page.
//!
//! On forged posts from other sites: a foreign page does not know the token, and whoever knows it may
//! rate from wherever. What a foreign page could borrow is the session that makes a rating count: its
//! cookie is `SameSite=Lax` and so not sent along, and a post that says it came from another site is
//! refused as a second line. `Origin` may be `null`, because these pages send no referrer.

use askama::Template;
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use satchel_protocol::limits;
use satchel_protocol::token::base32;
use serde::Deserialize;

use crate::error::HubError;
use crate::hub::Hub;
use crate::i18n::{Care, Lang, Texts};
use crate::mask;
use crate::pages::form::heard;
use crate::pages::session::is_tls;
use crate::pages::{Style, fault, lang_of, notice, page, private, view};
use crate::rating::submit::{self, Submission, Submitted};
use crate::rating::{self, Answers, OpenRating, TAGS};
use crate::shares::{self, GRANT_TTL_MS, Link, Session};
use crate::visitor::{BROWSER_COOKIE, Deed, SESSION_COOKIE, Visitor};

/// Every answer that opens nothing takes this long, whatever the reason: looking up what exists takes
/// some microseconds longer than what does not, and nobody shall be able to measure it.
const DEAD_AFTER: std::time::Duration = std::time::Duration::from_millis(12);

/// What stands behind the path.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct PageQuery {
    pub(super) lang: Option<String>,
}

/// The form as browsers send it; every field may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RatingForm {
    stars: String,
    timeliness: String,
    attitude: String,
    information: String,
    tag_polite: String,
    tag_proactive: String,
    tag_patient: String,
    tag_inspection_offered: String,
    tag_to_address: String,
    comment: String,
    code: String,
}

/// A group of five radio buttons.
struct StarRow {
    name: &'static str,
    label: &'static str,
    required: bool,
    chosen: u8,
    stars: [(u8, &'static str); 5],
}

struct Tag {
    code: &'static str,
    label: &'static str,
    on: bool,
}

#[derive(Template)]
#[template(path = "rating.html")]
struct RatingPage<'a> {
    t: &'a Texts,
    c: &'a Care,
    lang: Lang,
    css: &'static str,
    waybill_tail: String,
    courier: String,
    promise: String,
    promised_by: String,
    overall: StarRow,
    items: [StarRow; 3],
    tags: [Tag; 5],
    comment: &'a str,
    max_chars: usize,
    problem: Option<&'static str>,
    holds_share: bool,
    said: bool,
}

#[derive(Template)]
#[template(path = "help.html")]
struct HelpPage<'a> {
    t: &'a Texts,
    c: &'a Care,
    lang: Lang,
    css: &'static str,
    contact: Option<&'a str>,
}

/// `GET /{token}`: the form, or the one page for everything that cannot be rated.
pub(crate) async fn show(
    State(hub): State<Hub>,
    Path(token): Path<String>,
    Query(query): Query<PageQuery>,
    visitor: Visitor,
    headers: HeaderMap,
) -> Response {
    let patience = tokio::time::sleep(DEAD_AFTER);
    let lang = lang_of(query.lang.as_deref(), &headers);
    let opened = match rating::open(&hub, &token, visitor.session).await {
        Ok(Some(opened)) => opened,
        Ok(None) => return dead(&hub, lang, &visitor, patience).await,
        Err(error) => return fault(lang, &error),
    };
    if let Err(error) = submit::witness(&hub, &opened).await {
        return fault(lang, &error);
    }
    let given = RatingForm {
        stars: opened.said.map_or(String::new(), |s| s.stars.to_string()),
        ..RatingForm::default()
    };
    let mut answer = form(&hub, lang, &opened, &given, None);
    if visitor.browser.is_none() {
        match hub.draw::<10>() {
            Ok(fresh) => set_cookie(&hub, &mut answer, BROWSER_COOKIE, &base32(&fresh)),
            Err(error) => return fault(lang, &error),
        }
    }
    answer
}

/// Remembers a random number in this browser, for as long as a parcel and its complaint take.
pub(super) fn set_cookie(hub: &Hub, answer: &mut Response, name: &str, value: &str) {
    let secure = if is_tls(hub) { "; Secure" } else { "" };
    let cookie = format!(
        "{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}",
        GRANT_TTL_MS / 1_000
    );
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// `POST /{token}`: takes the rating and sends the browser to the thanks.
pub(crate) async fn submit(
    State(hub): State<Hub>,
    Path(token): Path<String>,
    Query(query): Query<PageQuery>,
    visitor: Visitor,
    headers: HeaderMap,
    form_body: Result<Form<RatingForm>, axum::extract::rejection::FormRejection>,
) -> Response {
    let patience = tokio::time::sleep(DEAD_AFTER);
    let lang = lang_of(query.lang.as_deref(), &headers);
    if from_another_site(&hub, &headers) {
        return dead(&hub, lang, &visitor, patience).await;
    }
    let opened = match rating::open(&hub, &token, visitor.session).await {
        Ok(Some(opened)) => opened,
        Ok(None) => return dead(&hub, lang, &visitor, patience).await,
        Err(error) => return fault(lang, &error),
    };
    let Some(given) = heard(form_body) else {
        return not_through(lang);
    };
    let answers = match given.answers(lang) {
        Ok(answers) => answers,
        Err(problem) => return form(&hub, lang, &opened, &given, Some(problem)),
    };
    if !hub.limits().allow(visitor.net, Deed::Write, hub.now_ms()) {
        return too_often(lang);
    }
    match take(&hub, &opened, answers, &visitor).await {
        Ok((
            Submitted::Done {
                rating_id,
                verified,
            },
            fresh,
        )) => {
            let link = shares::seal(&hub, Link::Rated, &rating_id.to_be_bytes());
            let mut answer = see_other(&format!("/thanks/{link}?lang={}", lang.tag()));
            if verified && !opened.holds_share {
                set_cookie(&hub, &mut answer, SESSION_COOKIE, &fresh);
            }
            answer
        }
        Ok((Submitted::WrongCode, _)) => {
            form(&hub, lang, &opened, &given, Some(lang.care().code_wrong))
        }
        Ok((Submitted::DeadCode, _)) => {
            form(&hub, lang, &opened, &given, Some(lang.care().code_dead))
        }
        Ok(_) => dead(&hub, lang, &visitor, patience).await,
        Err(error) => fault(lang, &error),
    }
}

/// Hands the rating in, with a session ready in case the code is right.
async fn take(
    hub: &Hub,
    opened: &OpenRating,
    answers: Answers,
    visitor: &Visitor,
) -> Result<(Submitted, String), HubError> {
    let fresh = base32(&hub.draw::<16>()?);
    let submission = Submission {
        open: opened.clone(),
        answers,
        visitor: visitor.clone(),
        session: Session::of(&fresh),
    };
    Ok((submit::submit(hub, submission).await?, fresh))
}

/// A redirect after a post, so that a reload sends nothing twice.
pub(super) fn see_other(to: &str) -> Response {
    let mut answer = StatusCode::SEE_OTHER.into_response();
    if let Ok(to) = HeaderValue::from_str(to) {
        answer.headers_mut().insert(header::LOCATION, to);
    }
    private(answer.headers_mut());
    answer
}

/// `GET /help`: how to complain, one tap from the rating page (A121).
pub(crate) async fn help(
    State(hub): State<Hub>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Response {
    let lang = lang_of(query.lang.as_deref(), &headers);
    let contact = hub.config().complaint_contact.as_deref();
    let template = HelpPage {
        t: lang.texts(),
        c: lang.care(),
        lang,
        css: Style::Customer.css(),
        contact,
    };
    page(StatusCode::OK, Style::Customer, &template)
}

/// The same page, status, headers and time for unknown, forged, expired and used tokens.
pub(super) async fn dead(
    hub: &Hub,
    lang: Lang,
    visitor: &Visitor,
    patience: tokio::time::Sleep,
) -> Response {
    let t = lang.texts();
    let answer = if hub.limits().allow(visitor.net, Deed::Guess, hub.now_ms()) {
        notice(StatusCode::NOT_FOUND, lang, t.dead_title, t.dead_body)
    } else {
        too_often(lang)
    };
    patience.await;
    answer
}

/// Whoever asks too often hears so, and that nothing is lost by it.
pub(super) fn too_often(lang: Lang) -> Response {
    let c = lang.care();
    let why = (c.too_often_title, c.too_often);
    come_again(lang, StatusCode::TOO_MANY_REQUESTS, why)
}

/// The answer to a form for which there is no room now, or which did not come.
pub(super) fn not_through(lang: Lang) -> Response {
    let c = lang.care();
    let why = (c.not_through_title, c.not_through);
    come_again(lang, StatusCode::SERVICE_UNAVAILABLE, why)
}

fn come_again(
    lang: Lang,
    status: StatusCode,
    (title, body): (&'static str, &'static str),
) -> Response {
    let mut answer = notice(status, lang, title, body);
    answer
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("120"));
    answer
}

fn form(
    hub: &Hub,
    lang: Lang,
    opened: &OpenRating,
    given: &RatingForm,
    problem: Option<&'static str>,
) -> Response {
    let t = lang.texts();
    let utc_offset_min = hub.config().utc_offset_min;
    let status = match problem {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let stars = [
        (1, t.rate_star_1),
        (2, t.rate_star_2),
        (3, t.rate_star_3),
        (4, t.rate_star_4),
        (5, t.rate_star_5),
    ];
    let row = |name, label, value: &str, required| StarRow {
        name,
        label,
        required,
        chosen: star(value).unwrap_or(0),
        stars,
    };
    let template = RatingPage {
        t,
        c: lang.care(),
        lang,
        css: Style::Customer.css(),
        waybill_tail: mask::waybill_tail(&opened.waybill),
        courier: mask::courier(&opened.courier_name, lang == Lang::Zh),
        promise: view::promise_class(&opened.promise_class, lang),
        promised_by: view::minute(opened.promised_by_ms, utc_offset_min),
        overall: row("stars", t.rate_overall, &given.stars, true),
        items: [
            row("timeliness", t.rate_timeliness, &given.timeliness, false),
            row("attitude", t.rate_attitude, &given.attitude, false),
            row("information", t.rate_information, &given.information, false),
        ],
        tags: given.tags(t),
        comment: &given.comment,
        max_chars: limits::MAX_TEXT_CHARS,
        problem,
        holds_share: opened.holds_share,
        said: opened.said.is_some(),
    };
    page(status, Style::Customer, &template)
}

fn star(value: &str) -> Option<u8> {
    value.parse().ok().filter(|n| (1..=5).contains(n))
}

impl RatingForm {
    fn tags(&self, t: &Texts) -> [Tag; 5] {
        let tag = |code, label, value: &str| Tag {
            code,
            label,
            on: !value.is_empty(),
        };
        let [polite, proactive, patient, inspection, address] = TAGS;
        [
            tag(polite, t.tag_polite, &self.tag_polite),
            tag(proactive, t.tag_proactive, &self.tag_proactive),
            tag(patient, t.tag_patient, &self.tag_patient),
            tag(
                inspection,
                t.tag_inspection_offered,
                &self.tag_inspection_offered,
            ),
            tag(address, t.tag_to_address, &self.tag_to_address),
        ]
    }

    /// Exactly the three items and free text beside the stars (A070).
    fn answers(&self, lang: Lang) -> Result<Answers, &'static str> {
        let t = lang.texts();
        let stars = star(&self.stars).ok_or(t.rate_need_stars)?;
        let comment: String = self
            .comment
            .trim()
            .chars()
            .filter(|c| !c.is_control() || *c == '\n')
            .collect();
        if comment.chars().count() > limits::MAX_TEXT_CHARS {
            return Err(t.rate_too_long);
        }
        let chosen = self.tags(t).into_iter().filter(|tag| tag.on);
        Ok(Answers {
            stars,
            timeliness: star(&self.timeliness),
            attitude: star(&self.attitude),
            information: star(&self.information),
            tags: chosen.map(|tag| tag.code.to_owned()).collect(),
            comment: (!comment.is_empty()).then_some(comment),
            code: (!self.code.trim().is_empty()).then(|| self.code.clone()),
            lang: lang.tag(),
        })
    }
}

/// Whether the browser says that the form was sent from elsewhere.
pub(crate) fn from_another_site(hub: &Hub, headers: &HeaderMap) -> bool {
    let value = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    if let Some(site) = value("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    match value("origin") {
        None | Some("null") => false,
        Some(origin) => {
            let host = origin.split("://").nth(1).unwrap_or_default();
            let ours = hub.public_url().split("://").nth(1).unwrap_or_default();
            !host.eq_ignore_ascii_case(ours) && value("host") != Some(host)
        }
    }
}
