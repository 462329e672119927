//! The page's own files, compiled in: no build step, nothing from elsewhere.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

const HTML: &str = include_str!("../../assets/phone/index.html");
const CSS: &str = include_str!("../../assets/phone/phone.css");

/// A script and its name in the page's folder.
macro_rules! scripts {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../assets/phone/", $name)))),+]
    };
}

const SCRIPTS: &[(&str, &str)] = scripts!(
    "main.js",
    "route.js",
    "handoff.js",
    "controls.js",
    "consent.js",
    "history.js",
    "report.js",
    "day.js",
    "dom.js",
    "map.js",
    "pad.js",
    "text.js",
);

/// Nothing may come from another origin.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) async fn index() -> Response {
    with_type("text/html; charset=utf-8", HTML)
}

pub(super) async fn css() -> Response {
    with_type("text/css; charset=utf-8", CSS)
}

/// One of the page's scripts.
pub(super) async fn script(Path(name): Path<String>) -> Response {
    match SCRIPTS.iter().find(|(known, _)| *known == name) {
        Some((_, body)) => with_type("text/javascript; charset=utf-8", body),
        None => StatusCode::NOT_FOUND.into_response(),
    }
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
