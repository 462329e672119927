//! The log over HTTP, as C2SP `tlog-tiles` wants it: checkpoint, tiles of hashes, bundles of entries.
//!
//! Checkpoint and hashes are for everybody: they say nothing about anybody. The entries' headers tell which
//! phone recorded something when, so their bundles are for people who are logged in at the board.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use satchel_protocol::tlog::{TILE_HASHES, TileId, log_origin, log_vkey};
use sqlx::Row;

use super::{Tree, publish, tile};
use crate::api::error::ApiError;
use crate::hub::Hub;
use crate::pages::session::BoardUser;

/// Nothing but the checkpoint ever changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The public half, and the bundles.
pub(crate) fn router() -> Router<Hub> {
    Router::new()
        .route("/log/{no}/checkpoint", get(checkpoint))
        .route("/log/{no}/key", get(key))
        .route("/log/{no}/tile/entries/{*number}", get(entries))
        .route("/log/{no}/tile/{level}/{*number}", get(hashes))
}

/// The verifier key of a log: what checkpoints are checked with.
async fn key(State(hub): State<Hub>, Path(no): Path<u32>) -> Response {
    let origin = log_origin(hub.public_url(), no);
    format!("{}\n", log_vkey(&origin, &hub.public_key())).into_response()
}

async fn checkpoint(State(hub): State<Hub>, Path(no): Path<u32>) -> Result<Response, ApiError> {
    let mut tx = hub.db().read().begin().await?;
    let current = Tree::open(&mut tx).await?.log_no;
    let latest = publish::latest(&mut tx, no).await?;
    drop(tx);
    let published = match latest {
        Some(published) => published,
        None if no == current => hub.publish_checkpoint().await?,
        None => return Ok(StatusCode::NOT_FOUND.into_response()),
    };
    Ok((
        [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
            (header::CACHE_CONTROL, "public, max-age=5"),
        ],
        published.note,
    )
        .into_response())
}

async fn hashes(
    State(hub): State<Hub>,
    Path((no, level, number)): Path<(u32, u8, String)>,
) -> Result<Response, ApiError> {
    let Some((number, width)) = numbered(&number) else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    let mut tx = hub.db().read().begin().await?;
    let held = tile(&mut tx, no, TileId { level, number }).await?;
    let Some(hashes) = held.as_deref().and_then(|held| held.get(..width)) else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    Ok(bytes(hashes.iter().flat_map(|h| h.0).collect()))
}

async fn entries(
    State(hub): State<Hub>,
    _user: BoardUser,
    Path((no, number)): Path<(u32, String)>,
) -> Result<Response, ApiError> {
    let missing = || StatusCode::NOT_FOUND.into_response();
    let Some((number, width)) = numbered(&number) else {
        return Ok(missing());
    };
    let first = number
        .checked_mul(TILE_HASHES as u64)
        .and_then(|f| i64::try_from(f).ok());
    let Some(first) = first else {
        return Ok(missing());
    };
    let rows = sqlx::query(
        "SELECT coalesce(e.header, j.header) AS header FROM tlog_leaf l \
         LEFT JOIN entry e ON e.hash = l.hash LEFT JOIN journal j ON j.hash = l.hash \
         WHERE l.log_no = ? AND l.idx >= ? ORDER BY l.idx LIMIT ?",
    )
    .bind(no)
    .bind(first)
    .bind(i64::try_from(width).unwrap_or(0))
    .fetch_all(hub.db().read())
    .await?;
    if rows.len() != width {
        return Ok(missing());
    }
    let mut bundle = Vec::new();
    for row in rows {
        let entry: Vec<u8> = row.try_get("header")?;
        bundle.extend_from_slice(&u16::try_from(entry.len()).unwrap_or(0).to_be_bytes());
        bundle.extend_from_slice(&entry);
    }
    Ok(bytes(bundle))
}

/// `x001/234` or `x001/234.p/17`: the number and how many hashes are wanted.
fn numbered(path: &str) -> Option<(u64, usize)> {
    let (number, width) = match path.split_once(".p/") {
        Some((number, width)) => {
            let wanted: usize = width.parse().ok()?;
            let plain = wanted.to_string() == width && (1..TILE_HASHES).contains(&wanted);
            (number, plain.then_some(wanted)?)
        }
        None => (path, TILE_HASHES),
    };
    Some((TileId::parse_number(number)?, width))
}

fn bytes(body: Vec<u8>) -> Response {
    (
        [
            (header::CONTENT_TYPE, "application/octet-stream"),
            (header::CACHE_CONTROL, FOR_EVER),
        ],
        Body::from(body),
    )
        .into_response()
}
