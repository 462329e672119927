//! The HTTP surface: what phones, customers' browsers and the people at the board talk to.

pub(crate) mod auth;
pub(crate) mod chunks;
pub(crate) mod enrol;
pub(crate) mod error;
pub(crate) mod escrow;
pub(crate) mod feed;
pub(crate) mod log;
pub(crate) mod ops;
pub(crate) mod patience;
pub(crate) mod proofs;
pub(crate) mod room;
pub(crate) mod schema;
pub(crate) mod unread;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use tower_http::compression::CompressionLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::hub::Hub;
use crate::pages::form::WORDS_BYTES;
use schema::SignatureScheme;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Satchel hub",
        description = "What a courier's phone and the hub say to each other. Every request but \
            enrolment is signed by the device (RFC 9421, fixed profile); every durable upload is \
            answered by a signed receipt."
    ),
    modifiers(&SignatureScheme)
)]
struct ApiDoc;

/// All routes of a hub.
pub(crate) fn router(hub: &Hub) -> Router {
    let (api, document) = device_api().split_for_parts();
    // A feed page shrinks to a tenth for a phone that asks for it; pictures are left as they are.
    let api = api.layer(CompressionLayer::new());
    api.merge(ops::router(document))
        .merge(crate::tlog::serve::router())
        .merge(crate::pages::router(hub))
        .fallback(crate::pages::nothing_here)
        // Batches and proofs are read by their own handlers under their own limits.
        .layer(DefaultBodyLimit::max(WORDS_BYTES))
        .layer(axum::middleware::from_fn_with_state(
            hub.clone(),
            ops::observe,
        ))
        .layer(axum::middleware::from_fn_with_state(
            hub.clone(),
            unread::read_past,
        ))
        .with_state(hub.clone())
}

/// The OpenAPI document, made from the same routes that are served.
#[must_use]
pub fn openapi_json() -> String {
    let document = device_api().into_openapi();
    document.to_pretty_json().unwrap_or_default()
}

/// Each route is registered together with its description, so neither can be without the other.
fn device_api() -> OpenApiRouter<Hub> {
    OpenApiRouter::with_openapi(ApiDoc::openapi())
        .routes(routes!(enrol::enrol))
        .routes(routes!(log::upload, log::held))
        .routes(routes!(feed::page))
        .routes(routes!(escrow::keep))
        .routes(routes!(proofs::options, proofs::create))
        .routes(routes!(proofs::offset, proofs::append, proofs::terminate))
        .routes(routes!(proofs::receipt))
}
