//! The customer's pages: rate, thanks, complaint.
//!
//! On forged posts from other sites: there is no cookie and no login here, so a foreign page has no
//! authority to borrow; who knows the token may rate, from wherever. Browsers still say where a form
//! came from, and a post that says it came from another site is refused as a second line. `Origin` may
//! be `null`, because these pages send no referrer.

use askama::Template;
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use satchel_protocol::limits;
use serde::Deserialize;

use crate::hub::Hub;
use crate::i18n::{Lang, Texts};
use crate::mask;
use crate::pages::{Style, fault, lang_of, notice, page, private, view};
use crate::rating::{self, Answers, LOW_STARS, OpenRating, TAGS};

/// What stands behind the path.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct PageQuery {
    lang: Option<String>,
    low: Option<String>,
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
}

#[derive(Template)]
#[template(path = "thanks.html")]
struct ThanksPage<'a> {
    t: &'a Texts,
    lang: Lang,
    css: &'static str,
    low: bool,
    contact: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "help.html")]
struct HelpPage<'a> {
    t: &'a Texts,
    lang: Lang,
    css: &'static str,
    contact: Option<&'a str>,
}

/// `GET /{token}`: the form, or the one page for everything that cannot be rated.
pub(crate) async fn show(
    State(hub): State<Hub>,
    Path(token): Path<String>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Response {
    let lang = lang_of(query.lang.as_deref(), &headers);
    let opened = match rating::open(&hub, &token).await {
        Ok(Some(opened)) => opened,
        Ok(None) => return dead(lang),
        Err(error) => return fault(lang, &error),
    };
    if let Err(error) = rating::witness(&hub, &opened).await {
        return fault(lang, &error);
    }
    form(&hub, lang, &opened, &RatingForm::default(), None)
}

/// `POST /{token}`: takes the rating and sends the browser to the thanks.
pub(crate) async fn submit(
    State(hub): State<Hub>,
    Path(token): Path<String>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
    form_body: Result<Form<RatingForm>, axum::extract::rejection::FormRejection>,
) -> Response {
    let lang = lang_of(query.lang.as_deref(), &headers);
    if from_another_site(&hub, &headers) {
        return dead(lang);
    }
    let opened = match rating::open(&hub, &token).await {
        Ok(Some(opened)) => opened,
        Ok(None) => return dead(lang),
        Err(error) => return fault(lang, &error),
    };
    let given = form_body.map(|Form(f)| f).unwrap_or_default();
    let answers = match given.answers(lang) {
        Ok(answers) => answers,
        Err(problem) => {
            return form(&hub, lang, &opened, &given, Some(problem));
        }
    };
    match rating::submit(&hub, &opened, &answers).await {
        Ok(true) => thank(lang, i64::from(answers.stars) <= LOW_STARS),
        Ok(false) => dead(lang),
        Err(error) => fault(lang, &error),
    }
}

/// `GET /thanks`: says nothing about any delivery, so anybody may see it.
pub(crate) async fn thanks(
    State(hub): State<Hub>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Response {
    let lang = lang_of(query.lang.as_deref(), &headers);
    let contact = hub.config().complaint_contact.as_deref();
    let css = Style::Customer.css();
    let template = ThanksPage {
        t: lang.texts(),
        lang,
        css,
        low: query.low.is_some(),
        contact,
    };
    page(StatusCode::OK, Style::Customer, &template)
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
        lang,
        css: Style::Customer.css(),
        contact,
    };
    page(StatusCode::OK, Style::Customer, &template)
}

/// The same page, status and headers for unknown, forged, expired and used tokens.
fn dead(lang: Lang) -> Response {
    let t = lang.texts();
    notice(StatusCode::NOT_FOUND, lang, t.dead_title, t.dead_body)
}

fn thank(lang: Lang, low: bool) -> Response {
    let low = if low { "&low=1" } else { "" };
    let mut answer = StatusCode::SEE_OTHER.into_response();
    let to = format!("/thanks?lang={}{low}", lang.tag());
    if let Ok(to) = HeaderValue::from_str(&to) {
        answer.headers_mut().insert(header::LOCATION, to);
    }
    private(answer.headers_mut());
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
        lang,
        css: Style::Customer.css(),
        waybill_tail: mask::waybill_tail(&opened.waybill),
        courier: mask::courier(&opened.courier_name, lang == Lang::Zh),
        promise: view::promise_class(&opened.promise_class, lang),
        promised_by: view::time(opened.promised_by_ms, utc_offset_min),
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
