//! The page's calls, each one or two calls of the core.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path as UrlPath, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use satchel_core::Courier;
use satchel_core::proof::photo::PhotoSource;
use satchel_core::protocol::ids::{AttemptId, Hash32, ParcelId, StopId};
use satchel_core::protocol::taxonomy::{HandoffKind, PhotoOrigin};
use satchel_core::rating::qr::QrMatrix;
use satchel_core::sync::task::Network;
use serde::Deserialize;
use serde_json::{Value, json};

use super::finish::{Finish, FinishSignature};
use super::words::Refused;
use super::{Screen, day, doorstep, files, plan, view};

/// The core takes up to 64 MiB; the page's server lets a little more through so that the core refuses.
const MAX_UPLOAD_BYTES: usize = 65 * 1024 * 1024;
/// Size of a module in the QR picture; the page scales it without blurring.
const QR_MODULE_PX: u32 = 8;
/// Natural size of a signature's picture; the page scales it.
const INK_WIDTH_PX: u32 = 480;
const INK_HEIGHT_PX: u32 = 240;

pub(super) type Answer = Result<Json<Value>, Refused>;

pub(super) fn router(screen: Screen) -> Router {
    Router::new()
        .route("/", get(files::index))
        .route("/phone.css", get(files::css))
        .route("/{script}", get(files::script))
        .route("/api/state", get(state))
        .route("/api/codes", get(codes))
        .route("/api/airplane", post(airplane))
        .route("/api/sync", post(sync))
        .route("/api/plan", post(plan::plan))
        .route("/api/replan", post(plan::replan))
        .route("/api/stops/{id}/why", get(plan::why))
        .route("/api/stops/{id}/reveal", post(reveal))
        .route("/api/stops/{id}/handoffs", get(handoffs))
        .route("/api/stops/{id}/begin", post(begin))
        .route("/api/attempts/{id}/photos", post(photo))
        .route("/api/attempts/{id}/photos/{hash}", get(stored_photo))
        .route("/api/attempts/{id}/thumbs/{hash}", get(thumbnail))
        .route("/api/attempts/{id}/signature", post(check_signature))
        .route("/api/attempts/{id}/complete", post(complete))
        .route("/api/parcels/{id}/rating", get(rating))
        .route("/api/parcels/{id}/qr.svg", get(qr))
        .merge(doorstep::router())
        .merge(day::router())
        .layer(DefaultBodyLimit::max(MAX_UPLOAD_BYTES))
        .with_state(screen)
}

/// The core blocks while it writes; it must not do so on the server's own threads.
pub(super) async fn with_core<T: Send + 'static>(
    screen: &Screen,
    work: impl FnOnce(&Courier) -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    let courier = std::sync::Arc::clone(&screen.courier);
    tokio::task::spawn_blocking(move || work(&courier))
        .await
        .map_err(|_| Refused::failed())?
}

pub(super) fn parse<T: std::str::FromStr>(text: &str) -> Result<T, Refused> {
    text.parse().map_err(|_| Refused::malformed())
}

async fn state(State(screen): State<Screen>) -> Answer {
    let online = screen.host.network() != Network::Offline;
    with_core(&screen, move |core| {
        let stops = core.stops()?;
        let status = core.sync_status()?;
        Ok(Json(view::state(
            &core.enrolment()?,
            online,
            &status,
            &stops,
            core.current_plan()?.as_ref(),
        )))
    })
    .await
}

async fn codes() -> Json<Value> {
    Json(view::codes())
}

#[derive(Deserialize)]
struct Airplane {
    on: bool,
}

async fn airplane(State(screen): State<Screen>, Json(input): Json<Airplane>) -> Answer {
    let network = if input.on {
        Network::Offline
    } else {
        // The network is back: what waits for it need not wait longer.
        screen.courier.request_sync();
        screen.online
    };
    screen.host.set_network(network);
    Ok(Json(json!({ "online": !input.on })))
}

async fn sync(State(screen): State<Screen>) -> Answer {
    screen.courier.request_sync();
    screen.host.wake();
    Ok(Json(json!({})))
}

async fn reveal(State(screen): State<Screen>, UrlPath(id): UrlPath<String>) -> Answer {
    let stop: StopId = parse(&id)?;
    with_core(&screen, move |core| {
        let contact = core.reveal(stop)?;
        Ok(Json(json!({
            "name": contact.name,
            "phone": contact.phone,
            "address": contact.address,
        })))
    })
    .await
}

async fn handoffs(State(screen): State<Screen>, UrlPath(id): UrlPath<String>) -> Answer {
    let stop: StopId = parse(&id)?;
    with_core(&screen, move |core| {
        let options: Vec<Value> = core
            .handoffs(stop)?
            .into_iter()
            .map(view::handoff)
            .collect();
        Ok(Json(json!({ "handoffs": options })))
    })
    .await
}

#[derive(Deserialize)]
struct Begin {
    handoff: String,
}

async fn begin(
    State(screen): State<Screen>,
    UrlPath(id): UrlPath<String>,
    Json(input): Json<Begin>,
) -> Answer {
    let stop: StopId = parse(&id)?;
    let handoff = HandoffKind::from_code(&input.handoff).map_err(|_| Refused::malformed())?;
    with_core(&screen, move |core| {
        Ok(Json(view::draft(&core.begin_attempt(stop, handoff)?)))
    })
    .await
}

#[derive(Deserialize)]
struct Origin {
    origin: String,
}

async fn photo(
    State(screen): State<Screen>,
    UrlPath(id): UrlPath<String>,
    Query(query): Query<Origin>,
    body: Bytes,
) -> Answer {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let attempt: AttemptId = parse(&id)?;
    let origin = PhotoOrigin::from_code(&query.origin).map_err(|_| Refused::malformed())?;
    // As an app's camera does: a file first, then its path to the core.
    let path = screen
        .inbox
        .join(format!("photo-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    with_core(&screen, move |core| {
        std::fs::write(&path, &body).map_err(|_| Refused::failed())?;
        let taken = core.add_photo(attempt, PhotoSource::Path(Path::new(&path)), origin);
        // The core has its own copy now, or wants none.
        let _ = std::fs::remove_file(&path);
        Ok(Json(view::photo(&taken?)))
    })
    .await
}

async fn stored_photo(
    State(screen): State<Screen>,
    UrlPath((id, hash)): UrlPath<(String, String)>,
) -> Result<Response, Refused> {
    let attempt: AttemptId = parse(&id)?;
    let hash: Hash32 = parse(&hash)?;
    let jpeg = with_core(&screen, move |core| Ok(core.photo_jpeg(attempt, hash)?)).await?;
    Ok(picture(jpeg))
}

async fn thumbnail(
    State(screen): State<Screen>,
    UrlPath((id, hash)): UrlPath<(String, String)>,
) -> Result<Response, Refused> {
    let attempt: AttemptId = parse(&id)?;
    let hash: Hash32 = parse(&hash)?;
    let jpeg = with_core(
        &screen,
        move |core| Ok(core.photo_thumbnail(attempt, hash)?),
    )
    .await?;
    Ok(picture(jpeg))
}

fn picture(jpeg: Vec<u8>) -> Response {
    let headers = [(CONTENT_TYPE, "image/jpeg"), (CACHE_CONTROL, "no-store")];
    (headers, jpeg).into_response()
}

/// What the drawing will look like at the hub, and what to ask about once more.
async fn check_signature(
    State(screen): State<Screen>,
    UrlPath(id): UrlPath<String>,
    Json(drawn): Json<FinishSignature>,
) -> Answer {
    let attempt: AttemptId = parse(&id)?;
    let input = drawn.into_input();
    let check = with_core(&screen, move |core| {
        Ok(core.check_signature(attempt, &input, INK_WIDTH_PX, INK_HEIGHT_PX)?)
    })
    .await?;
    let doubts: Vec<Value> = check
        .doubts
        .iter()
        .map(|d| json!({ "code": d.code(), "zh": d.zh(), "en": d.en() }))
        .collect();
    Ok(Json(json!({ "svg": check.svg, "doubts": doubts })))
}

async fn complete(
    State(screen): State<Screen>,
    UrlPath(id): UrlPath<String>,
    Json(input): Json<Finish>,
) -> Answer {
    let attempt: AttemptId = parse(&id)?;
    let (code, parcels) = (input.code.clone(), input.parcel_ids()?);
    let completion = input.into_completion()?;
    let recorded = with_core(&screen, move |core| {
        // A code is tried first: every try is a record of its own, right or wrong.
        for parcel in code.iter().flat_map(|_| &parcels) {
            core.enter_code(*parcel, code.as_deref().unwrap_or_default())?;
        }
        Ok(core.complete_attempt(attempt, &completion)?)
    })
    .await?;
    screen.host.wake();
    let warnings: Vec<Value> = recorded
        .parcels
        .first()
        .map(|p| p.warnings.iter().map(view::warning).collect())
        .unwrap_or_default();
    let codes: Vec<Value> = recorded
        .parcels
        .iter()
        .filter_map(|p| p.rating.as_ref())
        .map(view::rating)
        .collect();
    Ok(Json(
        json!({ "attempt_id": recorded.attempt_id, "ratings": codes, "warnings": warnings }),
    ))
}

async fn rating(State(screen): State<Screen>, UrlPath(id): UrlPath<String>) -> Answer {
    let parcel: ParcelId = parse(&id)?;
    with_core(&screen, move |core| {
        Ok(Json(view::rating(&core.rating_code(parcel)?)))
    })
    .await
}

async fn qr(
    State(screen): State<Screen>,
    UrlPath(id): UrlPath<String>,
) -> Result<Response, Refused> {
    let parcel: ParcelId = parse(&id)?;
    let svg = with_core(&screen, move |core| {
        let code = core.rating_code(parcel)?;
        let matrix = QrMatrix::from_text(&code.url).map_err(satchel_core::Error::from)?;
        Ok(matrix.to_svg(QR_MODULE_PX))
    })
    .await?;
    let headers = [(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "no-store")];
    Ok((headers, svg).into_response())
}
