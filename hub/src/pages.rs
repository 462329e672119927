//! Pages for people: the customer's rating page and the board. Server-rendered, without JavaScript.

pub(crate) mod board;
pub(crate) mod cases;
pub(crate) mod customer;
pub(crate) mod form;
pub(crate) mod pictures;
pub(crate) mod session;
pub(crate) mod thanks;
pub(crate) mod track;
mod view;

use std::sync::LazyLock;

use askama::Template;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use data_encoding::BASE64;
use satchel_protocol::api::ErrorCode;
use satchel_protocol::crypto;

use crate::api::error::ApiError;
use crate::error::HubError;
use crate::hub::Hub;
use crate::i18n::{Care, Lang, Texts};

const CUSTOMER_CSS: &str = include_str!("../templates/customer.css");
const BOARD_CSS: &str = include_str!("../templates/board.css");

/// All pages. Fixed paths are more specific than `/{token}` and win.
pub(crate) fn router(_hub: &Hub) -> Router<Hub> {
    Router::new()
        .merge(with_pictures())
        // Whoever types only the name on the label looks for a parcel.
        .route("/", get(|| async { Redirect::to("/track") }))
        .route("/thanks", get(thanks::bare))
        .route("/help", get(customer::help))
        .route("/suggest", get(cases::suggest_form).post(cases::suggest))
        .route("/track", get(track::login).post(track::find))
        .route("/p/{link}", get(track::proof))
        .route("/{token}", get(customer::show).post(customer::submit))
        .route("/board/cases", get(board::cases))
        .route("/board/cases/{id}", post(board::work))
        .route("/board/ratings/{id}", post(board::judge))
        .route("/board/care/{hash}", get(pictures::care))
        .route("/board", get(board::parcels))
        .route("/board/ratings", get(board::ratings))
        .route("/board/alarms", get(board::alarms))
        .route("/board/doubts", get(board::doubts))
        .route("/board/doubts/{id}", post(board::judge_doubt))
        .route("/board/reports", get(board::reports))
        .route("/board/reports/{id}", post(board::answer))
        .route("/board/parcels/{id}", get(board::parcel).post(board::step))
        .route("/board/thumbs/{hash}", get(pictures::thumb))
        .route("/board/proofs/{hash}", get(pictures::full))
        .route("/board/proofs/{hash}/want", post(board::want))
        .route("/board/login/{token}", get(session::login))
        .route("/board/logout", post(session::logout))
}

/// Pages whose forms may carry pictures, with room for them.
fn with_pictures() -> Router<Hub> {
    Router::new()
        .route("/thanks/{link}", get(thanks::show).post(thanks::complain))
        .route("/c/{link}", get(cases::show).post(cases::add))
        .route("/t/{link}", get(track::show).post(track::act))
        .layer(DefaultBodyLimit::max(form::MAX_BYTES))
}

/// Where nothing is: a page for people, a typed answer for phones.
pub(crate) async fn nothing_here(uri: Uri, headers: HeaderMap) -> Response {
    if uri.path().starts_with("/v1/") {
        return ApiError::new(ErrorCode::NotFound).into_response();
    }
    let lang = lang_of(None, &headers);
    let t = lang.texts();
    notice(StatusCode::NOT_FOUND, lang, t.dead_title, t.dead_body)
}

/// The language of one request.
pub(crate) fn lang_of(wish: Option<&str>, headers: &HeaderMap) -> Lang {
    Lang::pick(
        wish,
        headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|v| v.to_str().ok()),
    )
}

/// Which style a page carries inline: one request shows the whole page, and its hash in the policy
/// lets in this style and no other.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    Customer,
    Board,
}

impl Style {
    const fn css(self) -> &'static str {
        match self {
            Self::Customer => CUSTOMER_CSS,
            Self::Board => BOARD_CSS,
        }
    }

    /// Worked out once: pages are made thousands of times a second.
    fn policy(self) -> Option<HeaderValue> {
        static CUSTOMER: LazyLock<Option<HeaderValue>> =
            LazyLock::new(|| HeaderValue::from_str(&Style::Customer.policy_text()).ok());
        static BOARD: LazyLock<Option<HeaderValue>> =
            LazyLock::new(|| HeaderValue::from_str(&Style::Board.policy_text()).ok());
        match self {
            Self::Customer => CUSTOMER.clone(),
            Self::Board => BOARD.clone(),
        }
    }

    fn policy_text(self) -> String {
        let hash = BASE64.encode(&crypto::sha256(&[self.css().as_bytes()]).0);
        let images = match self {
            Self::Customer => "",
            Self::Board => " img-src 'self';",
        };
        format!(
            "default-src 'none'; style-src 'sha256-{hash}';{images} form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'"
        )
    }
}

/// Renders a page with the headers that every page has.
pub(crate) fn page(status: StatusCode, style: Style, template: &impl Template) -> Response {
    let html = match template.render() {
        Ok(html) => html,
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    let mut answer = (status, Html(html)).into_response();
    let headers = answer.headers_mut();
    if let Some(policy) = style.policy() {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    private(headers);
    answer
}

/// Nothing of these pages is cached, framed, indexed or told to the next site.
pub(crate) fn private(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(
        "x-robots-tag",
        HeaderValue::from_static("noindex, nofollow"),
    );
}

/// A page that only says one thing.
#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    t: &'a Texts,
    lang: Lang,
    css: &'static str,
    title: &'a str,
    body: &'a str,
}

/// One short message, in the style of the customer's pages.
pub(crate) fn notice(status: StatusCode, lang: Lang, title: &str, body: &str) -> Response {
    let template = NoticePage {
        t: lang.texts(),
        lang,
        css: Style::Customer.css(),
        title,
        body,
    };
    page(status, Style::Customer, &template)
}

#[derive(Template)]
#[template(path = "down.html")]
struct DownPage {
    zh: &'static Care,
    en: &'static Care,
    lang: Lang,
    css: &'static str,
}

/// What a proxy in front shows while no hub answers: both languages in one page, since nobody is there
/// to choose. A token's time begins when the hub first sees it, so a scan into silence costs none of it.
#[must_use]
pub fn down_page() -> String {
    let page = DownPage {
        zh: Lang::Zh.care(),
        en: Lang::En.care(),
        lang: Lang::Zh,
        css: Style::Customer.css(),
    };
    page.render().unwrap_or_default()
}

/// Turns a failure into a page; the reason goes to the log.
pub(crate) fn fault(lang: Lang, error: &HubError) -> Response {
    tracing::error!(%error, "page failed");
    let t = lang.texts();
    notice(
        StatusCode::INTERNAL_SERVER_ERROR,
        lang,
        t.fault_title,
        t.fault_body,
    )
}
