//! Proofs as pictures for the board: small ones made once and kept, full ones as they were received.
//!
//! A proof is whatever a phone sent. It is shown only as what it decodes to: ink drawn by the protocol's
//! own renderer, or one of three image formats, never as a document that could run something.

use std::io::Cursor;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use image::{ImageFormat, ImageReader, Limits};
use satchel_protocol::ids::{AttemptId, Hash32};
use satchel_protocol::ink;
use satchel_protocol::taxonomy::ProofKind;
use serde::Deserialize;
use sqlx::Row;

use crate::db::RowExt as _;
use crate::error::HubError;
use crate::files;
use crate::hub::Hub;
use crate::pages::session::BoardUser;

const THUMB_PX: u32 = 160;
const INK_WIDTH_PX: u32 = 480;
/// No phone takes a larger picture; a decoder must not be talked into more.
const MAX_SIDE_PX: u32 = 12_000;
const MAX_DECODE_BYTES: u64 = 256 * 1_024 * 1_024;
const SVG: &str = "image/svg+xml";

/// What a picture is asked for as.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    /// The visit whose proof it is to be. Ink that was drawn at another one is not shown for it (B4-1).
    visit: Option<String>,
}

/// `GET /board/thumbs/{hash}`.
pub(crate) async fn thumb(
    State(hub): State<Hub>,
    _user: BoardUser,
    Path(hash): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    answer(small(&hub, &hash, asked.visit.as_deref()).await)
}

/// `GET /board/proofs/{hash}`.
pub(crate) async fn full(
    State(hub): State<Hub>,
    _user: BoardUser,
    Path(hash): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    answer(large(&hub, &hash, asked.visit.as_deref()).await)
}

/// `GET /board/care/{hash}`: a customer's picture, which this hub wrote itself.
pub(crate) async fn care(
    State(hub): State<Hub>,
    _user: BoardUser,
    Path(hash): Path<String>,
) -> Response {
    answer(of_case(&hub, &hash).await)
}

async fn of_case(hub: &Hub, hash: &str) -> Result<Picture, HubError> {
    let Ok(hash) = hash.parse::<Hash32>() else {
        return Ok(None);
    };
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM care_file WHERE hash = ?)")
        .bind(&hash.0[..])
        .fetch_one(hub.db().read())
        .await?;
    if !known {
        return Ok(None);
    }
    let bytes = hub.proof_bytes(&hash).await?;
    Ok(mime_of(&bytes).map(|mime| (mime, bytes)))
}

type Picture = Option<(&'static str, Vec<u8>)>;

fn answer(picture: Result<Picture, HubError>) -> Response {
    match picture {
        Ok(Some((mime, bytes))) => {
            let mut answer = bytes.into_response();
            let headers = answer.headers_mut();
            for (name, value) in [
                (header::CONTENT_TYPE, mime),
                (
                    header::CONTENT_SECURITY_POLICY,
                    "default-src 'none'; sandbox",
                ),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                // By content hash, so it never changes; private, so no proxy keeps it.
                (header::CACHE_CONTROL, "private, max-age=3600, immutable"),
                (header::REFERRER_POLICY, "no-referrer"),
                (
                    HeaderName::from_static("cross-origin-resource-policy"),
                    "same-origin",
                ),
            ] {
                headers.insert(name, HeaderValue::from_static(value));
            }
            answer
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(%error, "picture failed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A held proof and its kind.
async fn held(hub: &Hub, hash: &str) -> Result<Option<(Hash32, ProofKind)>, HubError> {
    let Ok(hash) = hash.parse::<Hash32>() else {
        return Ok(None);
    };
    let row = sqlx::query("SELECT kind FROM blob WHERE hash = ?")
        .bind(&hash.0[..])
        .fetch_optional(hub.db().read())
        .await?;
    let Some(row) = row else { return Ok(None) };
    let kind: &str = row.try_get("kind")?;
    Ok(ProofKind::from_code(kind).ok().map(|kind| (hash, kind)))
}

async fn small(hub: &Hub, hash: &str, visit: Option<&str>) -> Result<Picture, HubError> {
    let Some((hash, kind)) = held(hub, hash).await? else {
        return standing_in(hub, hash).await;
    };
    match kind {
        ProofKind::Signature => draw(hub, &hash, visit).await,
        ProofKind::Photo => photo_thumb(hub, hash).await,
        ProofKind::Code => Ok(None),
    }
}

/// The small copy that came with the entry of a photo that is still on its way. Once the photo is here it
/// speaks for itself.
async fn standing_in(hub: &Hub, hash: &str) -> Result<Picture, HubError> {
    let Ok(photo) = hash.parse::<Hash32>() else {
        return Ok(None);
    };
    let row = sqlx::query(
        "SELECT ap.thumb_hash FROM attempt_proof ap JOIN blob b ON b.hash = ap.thumb_hash \
         WHERE ap.hash = ? AND ap.bound LIMIT 1",
    )
    .bind(&photo.0[..])
    .fetch_optional(hub.db().read())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let bytes = hub.proof_bytes(&row.hash("thumb_hash")?).await?;
    let jpeg = tokio::task::spawn_blocking(move || shrink(&bytes)).await?;
    Ok(jpeg.map(|jpeg| ("image/jpeg", jpeg)))
}

async fn large(hub: &Hub, hash: &str, visit: Option<&str>) -> Result<Picture, HubError> {
    let Some((hash, kind)) = held(hub, hash).await? else {
        return Ok(None);
    };
    match kind {
        ProofKind::Signature => draw(hub, &hash, visit).await,
        ProofKind::Photo => {
            let bytes = hub.proof_bytes(&hash).await?;
            Ok(mime_of(&bytes).map(|mime| (mime, bytes)))
        }
        ProofKind::Code => Ok(None),
    }
}

/// Ink as a picture, for the visit it was drawn at and for no other.
async fn draw(hub: &Hub, hash: &Hash32, visit: Option<&str>) -> Result<Picture, HubError> {
    let bytes = hub.proof_bytes(hash).await?;
    let read = match visit.map(str::parse::<AttemptId>) {
        // Bound ink is somebody's signature for one visit; without the visit it is nobody's (B4-1).
        None => match ink::Signature::decode(&bytes) {
            Ok(bound) if bound.attempt().is_some() => return Ok(None),
            read => read,
        },
        Some(Ok(visit)) => ink::Signature::decode_for(&bytes, visit),
        Some(Err(_)) => return Ok(None),
    };
    let Ok(signature) = read else {
        return Ok(None);
    };
    let (w, h) = signature.canvas_units();
    let height_px = (INK_WIDTH_PX * u32::from(h) / u32::from(w).max(1)).max(1);
    Ok(Some((
        SVG,
        signature.to_svg(INK_WIDTH_PX, height_px).into_bytes(),
    )))
}

fn mime_of(bytes: &[u8]) -> Option<&'static str> {
    match image::guess_format(bytes).ok()? {
        ImageFormat::Jpeg => Some("image/jpeg"),
        ImageFormat::Png => Some("image/png"),
        ImageFormat::WebP => Some("image/webp"),
        _ => None,
    }
}

async fn photo_thumb(hub: &Hub, hash: Hash32) -> Result<Picture, HubError> {
    let kept = hub.blobs().thumb(&hash);
    if let Ok(bytes) = tokio::fs::read(&kept).await {
        return Ok(Some(("image/jpeg", bytes)));
    }
    let bytes = hub.proof_bytes(&hash).await?;
    let made = tokio::task::spawn_blocking(move || {
        let Some(jpeg) = shrink(&bytes) else {
            return Ok(None);
        };
        // A thumbnail can be made again, so nothing depends on this write but its being whole.
        files::write_then_rename(&kept.with_extension("new"), &kept, &jpeg)?;
        Ok::<_, HubError>(Some(jpeg))
    })
    .await??;
    Ok(made.map(|jpeg| ("image/jpeg", jpeg)))
}

/// A small JPEG of a photo, or nothing if it is not one.
fn shrink(bytes: &[u8]) -> Option<Vec<u8>> {
    mime_of(bytes)?;
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .ok()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE_PX);
    limits.max_image_height = Some(MAX_SIDE_PX);
    limits.max_alloc = Some(MAX_DECODE_BYTES);
    reader.limits(limits);
    let small = reader
        .decode()
        .ok()?
        .thumbnail(THUMB_PX, THUMB_PX)
        .to_rgb8();
    let mut out = Vec::new();
    small
        .write_to(&mut Cursor::new(&mut out), ImageFormat::Jpeg)
        .ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_become_pictures() {
        let big = image::RgbImage::from_pixel(640, 320, image::Rgb([10, 20, 30]));
        let mut png = Vec::new();
        big.write_to(&mut Cursor::new(&mut png), ImageFormat::Png)
            .unwrap();
        let small = image::load_from_memory(&shrink(&png).unwrap()).unwrap();
        assert_eq!((small.width(), small.height()), (160, 80));
        assert!(shrink(b"<svg onload=alert(1)>").is_none());
        assert_eq!(mime_of(b"<html>"), None);
    }
}
