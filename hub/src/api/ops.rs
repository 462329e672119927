//! What whoever runs the hub needs: is it alive, is it ready, what did it count, what did it answer.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

use crate::hub::Hub;

/// Health, readiness, metrics and the API's description.
pub(crate) fn router(document: utoipa::openapi::OpenApi) -> Router<Hub> {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(move || async move { Json(document) }))
}

/// Ready means: a write ends well. A full disk or a lost mount is seen here first.
async fn ready(State(hub): State<Hub>) -> Response {
    match hub.is_ready().await {
        true => "ready\n".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "nothing can be written\n").into_response(),
    }
}

async fn metrics(State(hub): State<Hub>) -> Response {
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
        hub.metrics().render(),
    )
        .into_response()
}

/// The access log. A rating link or a login link is a secret, so only the kind of path is written.
pub(crate) async fn observe(State(hub): State<Hub>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = loggable(request.uri().path());
    let answer = next.run(request).await;
    let status = answer.status().as_u16();
    if status == 500 {
        hub.metrics().faults.add(1);
    }
    tracing::info!(target: "satchel_hub::access", %method, path, status);
    answer
}

fn loggable(path: &str) -> &'static str {
    let first = path
        .trim_start_matches('/')
        .split('/')
        .next()
        .unwrap_or_default();
    match (first, path) {
        ("v1", p) if p.starts_with("/v1/proofs") => "/v1/proofs",
        ("v1", "/v1/log") => "/v1/log",
        ("v1", "/v1/feed") => "/v1/feed",
        ("v1", "/v1/enrol") => "/v1/enrol",
        ("board", p) if p.starts_with("/board/login") => "/board/login",
        ("board", _) => "/board",
        ("healthz" | "readyz" | "metrics" | "openapi.json", _) => "/ops",
        ("log", _) => "/log",
        ("thanks" | "help", _) => "/customer",
        _ => "/{token}",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_token_reaches_the_access_log() {
        assert_eq!(loggable("/04123456789ABCDEFGHJKMNPQRSTVWXYZ"), "/{token}");
        assert_eq!(loggable("/board/login/SECRET"), "/board/login");
        assert_eq!(loggable("/v1/proofs/abc/receipt"), "/v1/proofs");
        assert_eq!(loggable("/v1/log"), "/v1/log");
    }
}
