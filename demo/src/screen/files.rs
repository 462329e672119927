//! The page's own files, compiled in: no build step, nothing from elsewhere.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

const HTML: &str = include_str!("../../assets/phone/index.html");
const CSS: &str = include_str!("../../assets/phone/phone.css");
const MAIN: &str = include_str!("../../assets/phone/main.js");
const ROUTE: &str = include_str!("../../assets/phone/route.js");
const HANDOFF: &str = include_str!("../../assets/phone/handoff.js");
const DOM: &str = include_str!("../../assets/phone/dom.js");
const MAP: &str = include_str!("../../assets/phone/map.js");
const PAD: &str = include_str!("../../assets/phone/pad.js");
const TEXT: &str = include_str!("../../assets/phone/text.js");

/// Nothing may come from another origin.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) async fn index() -> Response {
    with_type("text/html; charset=utf-8", HTML)
}

pub(super) async fn css() -> Response {
    with_type("text/css; charset=utf-8", CSS)
}

pub(super) async fn main_js() -> Response {
    script(MAIN)
}

pub(super) async fn route_js() -> Response {
    script(ROUTE)
}

pub(super) async fn handoff_js() -> Response {
    script(HANDOFF)
}

pub(super) async fn dom_js() -> Response {
    script(DOM)
}

pub(super) async fn map_js() -> Response {
    script(MAP)
}

pub(super) async fn pad_js() -> Response {
    script(PAD)
}

pub(super) async fn text_js() -> Response {
    script(TEXT)
}

fn script(body: &'static str) -> Response {
    with_type("text/javascript; charset=utf-8", body)
}

fn with_type(kind: &'static str, body: &'static str) -> Response {
    (
        [
            (CONTENT_TYPE, kind),
            (CACHE_CONTROL, "no-store"),
            (CONTENT_SECURITY_POLICY, POLICY),
        ],
        body,
    )
        .into_response()
}
