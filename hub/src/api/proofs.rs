//! Resumable upload of proofs: tus 1.0 with creation, creation-with-upload, checksum, expiration and
//! termination. An upload's URL is the content hash, so resuming needs no memory of a URL.
//!
//! The request signature covers the digest of the body, but a body that is cut has no digest. Its bytes
//! are kept all the same, because nothing rests on them: only when all bytes hash to the name under
//! which a signed request began the upload (and which a signed entry binds) is the proof placed and
//! receipted. Wrong bytes can cost this one upload a restart and nothing else.

mod headers;
mod receive;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use satchel_protocol::api::{ErrorCode, PATH_PROOFS, TUS_VERSION};
use satchel_protocol::ids::Hash32;
use satchel_protocol::limits;
use satchel_protocol::taxonomy::ProofKind;

use crate::api::auth::{SignedHead, not_revoked};
use crate::api::error::ApiError;
use crate::api::log::receipt_body;
use crate::api::schema::{BinarySchema, ErrorSchema};
use crate::hub::Hub;
use crate::receipts;
use crate::store::proofs::{self, MAX_UNBOUND_BYTES, UNBOUND_TTL_MS, UploadRow};
use headers::{
    OFFSET_STREAM, UPLOAD_LENGTH, UPLOAD_OFFSET, check_version, content_type, describe, expires,
    metadata, number, parse_hash, tus, upload_length, whole_number,
};
use receive::{Progress, Upload, pass_over};

const EXTENSIONS: &str = "creation,creation-with-upload,checksum,expiration,termination";

/// A day's photos of one phone, begun and not finished, with room to spare.
const MAX_OPEN_UPLOADS: i64 = 500;

/// What a tus client may do here.
#[utoipa::path(
    options, path = "/v1/proofs", tag = "proofs",
    responses((status = 204, description = "Tus-Version, Tus-Extension, Tus-Max-Size"))
)]
pub(crate) async fn options() -> Response {
    let mut answer = StatusCode::NO_CONTENT.into_response();
    let headers = answer.headers_mut();
    headers.insert("tus-version", HeaderValue::from_static(TUS_VERSION));
    headers.insert("tus-extension", HeaderValue::from_static(EXTENSIONS));
    headers.insert("tus-checksum-algorithm", HeaderValue::from_static("sha256"));
    headers.insert("tus-max-size", number(limits::MAX_PROOF_BYTES));
    tus(answer)
}

/// Begin an upload, with its first bytes if they are at hand.
#[utoipa::path(
    post, path = "/v1/proofs", tag = "proofs",
    params(
        ("Tus-Resumable" = String, Header, description = "1.0.0", pattern = "^1\\.0\\.0$"),
        ("Upload-Length" = u64, Header, description = "Whole length in bytes", minimum = 1, maximum = 16_777_216),
        ("Upload-Metadata" = String, Header, description = "`sha256 <base64>,kind <base64>`",
         pattern = "^sha256 [A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=,kind (cGhvdG8=|c2lnbmF0dXJl|Y29kZQ==)$"),
    ),
    request_body(content_type = "application/offset+octet-stream", content = BinarySchema),
    responses(
        (status = 201, description = "Begun, or held whole already; then the body is a signed receipt"),
        (status = 400, description = "Not the format", body = ErrorSchema),
        (status = 401, description = "Not signed by a known device, or its clock is off", body = ErrorSchema),
        (status = 403, description = "The device is revoked", body = ErrorSchema),
        (status = 413, description = "Over the limit", body = ErrorSchema),
        (status = 423, description = "The log is set aside until a person has looked", body = ErrorSchema),
        (status = 429, description = "Too many uploads are open, or too many bytes are here that no entry binds", body = ErrorSchema),
        (status = 460, description = "All bytes came and are others than promised; begin again", body = ErrorSchema),
    ),
    security(("device_signature" = []))
)]
pub(crate) async fn create(
    State(hub): State<Hub>,
    head: SignedHead,
    request: Request,
) -> Result<Response, ApiError> {
    head.may_write()?;
    let (parts, body) = request.into_parts();
    check_version(&parts.headers)?;
    let (hash, kind) = metadata(&parts.headers)?;
    let length_bytes = upload_length(&parts.headers)?;
    if let Some(size) = adopt(&hub, &hash, kind).await? {
        pass_over(body).await;
        return created(
            &hub,
            &head,
            hash,
            Progress::Whole { size_bytes: size },
            None,
        )
        .await;
    }
    let now_ms = hub.now_ms();
    let row = UploadRow {
        kind,
        length_bytes,
        expires_at_ms: now_ms.saturating_add(UNBOUND_TTL_MS),
    };
    let upload = Upload {
        hub: &hub,
        device: head.device.id,
        hash,
        row,
        sender: head.sender.clone(),
    };
    begin(&upload).await?;
    let with_bytes = content_type(&parts.headers) == OFFSET_STREAM;
    let progress = if with_bytes {
        // These bytes start at 0, whatever an earlier try has left.
        upload
            .append(&parts.headers, &head.content_digest, body, 0)
            .await?
    } else {
        Progress::Partial {
            offset: upload.offset().await,
        }
    };
    created(&hub, &head, hash, progress, Some(row.expires_at_ms)).await
}

/// How much of this proof has come?
#[utoipa::path(
    head, path = "/v1/proofs/{hash}", tag = "proofs",
    params(("hash" = String, Path, description = "SHA-256 of the proof, hex", pattern = "^[0-9a-f]{64}$"), ("Tus-Resumable" = String, Header, description = "1.0.0", pattern = "^1\\.0\\.0$")),
    responses(
        (status = 200, description = "Upload-Offset and Upload-Length"),
        (status = 400, description = "Not the format"),
        (status = 401, description = "Not signed by a known device, or its clock is off"),
        (status = 403, description = "The device is revoked"),
        (status = 404, description = "Not begun, or expired"),
    ),
    security(("device_signature" = []))
)]
pub(crate) async fn offset(
    State(hub): State<Hub>,
    head: SignedHead,
    Path(hash): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    not_revoked(&head.device)?;
    check_version(&headers)?;
    let hash = parse_hash(&hash)?;
    let mut answer = StatusCode::OK.into_response();
    if let Some(size) = proofs::size(hub.db().read(), &hash).await? {
        answer.headers_mut().insert(UPLOAD_OFFSET, number(size));
        answer.headers_mut().insert(UPLOAD_LENGTH, number(size));
    } else {
        let upload = find(&hub, &head, hash).await?;
        answer
            .headers_mut()
            .insert(UPLOAD_OFFSET, number(upload.offset().await));
        answer
            .headers_mut()
            .insert(UPLOAD_LENGTH, number(upload.row.length_bytes));
        expires(&mut answer, upload.row.expires_at_ms);
    }
    answer
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(tus(answer))
}

/// Send the next bytes.
#[utoipa::path(
    patch, path = "/v1/proofs/{hash}", tag = "proofs",
    params(
        ("hash" = String, Path, description = "SHA-256 of the proof, hex", pattern = "^[0-9a-f]{64}$"),
        ("Tus-Resumable" = String, Header, description = "1.0.0", pattern = "^1\\.0\\.0$"),
        ("Upload-Offset" = u64, Header, description = "Where these bytes belong"),
        ("Upload-Checksum" = Option<String>, Header, description = "`sha256 <base64>` of this body",
         pattern = "^sha256 [A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$"),
    ),
    request_body(content_type = "application/offset+octet-stream", content = BinarySchema),
    responses(
        (status = 200, description = "All bytes are held; the body is a signed receipt",
         content_type = "application/vnd.satchel.receipt", body = BinarySchema),
        (status = 204, description = "More is wanted; see Upload-Offset"),
        (status = 400, description = "Not the format", body = ErrorSchema),
        (status = 401, description = "Not signed by a known device, or its clock is off", body = ErrorSchema),
        (status = 403, description = "The device is revoked", body = ErrorSchema),
        (status = 404, description = "Not begun, or expired", body = ErrorSchema),
        (status = 409, description = "The offset is another one", body = ErrorSchema),
        (status = 413, description = "More bytes than announced", body = ErrorSchema),
        (status = 415, description = "Not application/offset+octet-stream"),
        (status = 423, description = "The log is set aside until a person has looked", body = ErrorSchema),
        (status = 460, description = "All bytes came and are others than promised; begin again", body = ErrorSchema),
    ),
    security(("device_signature" = []))
)]
pub(crate) async fn append(
    State(hub): State<Hub>,
    head: SignedHead,
    Path(hash): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    head.may_write()?;
    check_version(&headers)?;
    let hash = parse_hash(&hash)?;
    if content_type(&headers) != OFFSET_STREAM {
        return Ok(tus(StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response()));
    }
    let start = whole_number(&headers, &UPLOAD_OFFSET)?;
    let (progress, expires_at_ms) = match proofs::size(hub.db().read(), &hash).await? {
        Some(size_bytes) if start == size_bytes => (Progress::Whole { size_bytes }, None),
        Some(_) => return Err(ApiError::new(ErrorCode::OffsetMismatch)),
        None => {
            let upload = find(&hub, &head, hash).await?;
            let progress = upload
                .append(&headers, &head.content_digest, body, start)
                .await?;
            (progress, Some(upload.row.expires_at_ms))
        }
    };
    let mut answer = match progress {
        Progress::Whole { .. } => {
            receipt_body(&receipts::for_proof(&hub, head.device.id, hash).await?)
        }
        Progress::Partial { .. } => StatusCode::NO_CONTENT.into_response(),
    };
    describe(&mut answer, progress, expires_at_ms);
    Ok(tus(answer))
}

/// Give an unfinished upload up.
#[utoipa::path(
    delete, path = "/v1/proofs/{hash}", tag = "proofs",
    params(("hash" = String, Path, description = "SHA-256 of the proof, hex", pattern = "^[0-9a-f]{64}$"), ("Tus-Resumable" = String, Header, description = "1.0.0", pattern = "^1\\.0\\.0$")),
    responses(
        (status = 204, description = "Forgotten"),
        (status = 400, description = "Not the format", body = ErrorSchema),
        (status = 401, description = "Not signed by a known device, or its clock is off", body = ErrorSchema),
        (status = 403, description = "The device is revoked", body = ErrorSchema),
        (status = 404, description = "Not begun, expired, or held whole: evidence is not deleted", body = ErrorSchema),
    ),
    security(("device_signature" = []))
)]
pub(crate) async fn terminate(
    State(hub): State<Hub>,
    head: SignedHead,
    Path(hash): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    not_revoked(&head.device)?;
    check_version(&headers)?;
    let upload = find(&hub, &head, parse_hash(&hash)?).await?;
    upload.give_up().await?;
    Ok(tus(StatusCode::NO_CONTENT.into_response()))
}

/// The receipt of a proof that is held whole.
#[utoipa::path(
    get, path = "/v1/proofs/{hash}/receipt", tag = "proofs",
    params(("hash" = String, Path, description = "SHA-256 of the proof, hex", pattern = "^[0-9a-f]{64}$")),
    responses(
        (status = 200, description = "A signed receipt that names the proof",
         content_type = "application/vnd.satchel.receipt", body = BinarySchema),
        (status = 401, description = "Not signed by a known device, or its clock is off", body = ErrorSchema),
        (status = 403, description = "The device is revoked", body = ErrorSchema),
        (status = 404, description = "Not held whole", body = ErrorSchema),
    ),
    security(("device_signature" = []))
)]
pub(crate) async fn receipt(
    State(hub): State<Hub>,
    head: SignedHead,
    Path(hash): Path<String>,
) -> Result<Response, ApiError> {
    not_revoked(&head.device)?;
    let hash = parse_hash(&hash)?;
    if proofs::size(hub.db().read(), &hash).await?.is_none() {
        return Err(ApiError::new(ErrorCode::NotFound));
    }
    Ok(receipt_body(
        &receipts::for_proof(&hub, head.device.id, hash).await?,
    ))
}

/// Size of a proof that is held, also when the hub stopped between placing and recording it.
async fn adopt(hub: &Hub, hash: &Hash32, kind: ProofKind) -> Result<Option<u64>, ApiError> {
    if let Some(size) = proofs::size(hub.db().read(), hash).await? {
        return Ok(Some(size));
    }
    let _gate = hub.blobs().gate.read().await;
    if !hub.blobs().holds(hash).await {
        return Ok(None);
    }
    let size = std::fs::metadata(hub.blobs().path(hash)).map_or(0, |m| m.len());
    let mut tx = hub.db().write().await?;
    proofs::add(&mut tx, hash, (kind, size), None, hub.now_ms()).await?;
    tx.commit().await?;
    Ok(Some(size))
}

/// Puts an upload on record, if the device may leave so much more here that no entry binds. Both in one transaction:
/// of several that come at once each counts.
async fn begin(upload: &Upload<'_>) -> Result<(), ApiError> {
    let (hub, device, hash) = (upload.hub, upload.device, &upload.hash);
    let length_bytes = upload.row.length_bytes;
    let refused = |why, begun: Option<UploadRow>| {
        if begun.is_none() {
            hub.uploads().forget(device, *hash);
        }
        Err(ApiError::new(ErrorCode::RateLimited).detail(why))
    };
    // Whoever was still sending under an earlier word of its length is overtaken.
    let turn = hub.uploads().take(device, *hash).await;
    let _held = turn.hold().await.ok_or_else(|| upload.overtaken())?;
    let mut tx = hub.db().write().await?;
    let begun = proofs::upload(&mut *tx, device, hash).await?;
    let is_other = begun.is_some_and(|row| row.length_bytes != length_bytes);
    let there = proofs::unbound(&mut *tx, device, hash).await?;
    if there.open_uploads >= MAX_OPEN_UPLOADS {
        return refused("too many open uploads", begun);
    }
    let more_bytes = i64::try_from(length_bytes).unwrap_or(i64::MAX);
    let too_much = there.bytes.saturating_add(more_bytes) > MAX_UNBOUND_BYTES;
    // What an entry here binds is evidence, whatever else lies about.
    if too_much && !proofs::is_bound(&mut *tx, hash).await? {
        return refused("too many bytes that no entry binds", begun);
    }
    proofs::begin_upload(&mut tx, device, hash, &upload.row, hub.now_ms()).await?;
    tx.commit().await?;
    if is_other {
        // What came of it was taken and counted as part of another length: it begins anew.
        hub.blobs().discard(device, hash)?;
    }
    Ok(())
}

/// The unfinished upload of this device, if it has not expired.
async fn find<'a>(hub: &'a Hub, head: &SignedHead, hash: Hash32) -> Result<Upload<'a>, ApiError> {
    let row = receive::begun(hub, head.device.id, &hash).await?;
    Ok(Upload {
        hub,
        device: head.device.id,
        hash,
        row,
        sender: head.sender.clone(),
    })
}

async fn created(
    hub: &Hub,
    head: &SignedHead,
    hash: Hash32,
    progress: Progress,
    expires_at_ms: Option<i64>,
) -> Result<Response, ApiError> {
    let mut answer = match progress {
        Progress::Whole { .. } => {
            receipt_body(&receipts::for_proof(hub, head.device.id, hash).await?)
        }
        Progress::Partial { .. } => Body::empty().into_response(),
    };
    *answer.status_mut() = StatusCode::CREATED;
    if let Ok(location) = HeaderValue::from_str(&format!("{PATH_PROOFS}/{hash}")) {
        answer.headers_mut().insert(header::LOCATION, location);
    }
    describe(&mut answer, progress, expires_at_ms);
    Ok(tus(answer))
}
