//! The headers of tus, read and written.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use satchel_protocol::api::{ErrorCode, TUS_VERSION};
use satchel_protocol::ids::Hash32;
use satchel_protocol::limits;
use satchel_protocol::taxonomy::ProofKind;

use super::receive::Progress;
use crate::api::error::ApiError;

pub(super) const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
pub(super) const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
pub(super) const OFFSET_STREAM: &str = "application/offset+octet-stream";

pub(super) fn describe(answer: &mut Response, progress: Progress, expires_at_ms: Option<i64>) {
    let offset = match progress {
        Progress::Whole { size_bytes } => size_bytes,
        Progress::Partial { offset } => offset,
    };
    answer.headers_mut().insert(UPLOAD_OFFSET, number(offset));
    if let (Progress::Partial { .. }, Some(at)) = (progress, expires_at_ms) {
        expires(answer, at);
    }
}

pub(super) fn expires(answer: &mut Response, at_ms: i64) {
    let text = chrono::DateTime::from_timestamp_millis(at_ms)
        .map(|t| t.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    if let Some(value) = text.and_then(|t| HeaderValue::from_str(&t).ok()) {
        answer.headers_mut().insert(UPLOAD_EXPIRES, value);
    }
}

pub(super) fn tus(mut answer: Response) -> Response {
    answer
        .headers_mut()
        .insert(TUS_RESUMABLE, HeaderValue::from_static(TUS_VERSION));
    answer
}

pub(super) fn number(n: u64) -> HeaderValue {
    HeaderValue::from(n)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers
        .get(name)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default()
}

pub(super) fn content_type(headers: &HeaderMap) -> &str {
    text(headers, &header::CONTENT_TYPE)
}

pub(super) fn check_version(headers: &HeaderMap) -> Result<(), ApiError> {
    if text(headers, &TUS_RESUMABLE) == TUS_VERSION {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::Malformed).detail("Tus-Resumable must be 1.0.0"))
}

pub(super) fn whole_number(headers: &HeaderMap, name: &HeaderName) -> Result<u64, ApiError> {
    let value = text(headers, name);
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    digits
        .then(|| value.parse().ok())
        .flatten()
        .ok_or_else(|| ApiError::new(ErrorCode::Malformed).detail(name.as_str()))
}

pub(super) fn upload_length(headers: &HeaderMap) -> Result<u64, ApiError> {
    match whole_number(headers, &UPLOAD_LENGTH)? {
        0 => Err(ApiError::new(ErrorCode::Malformed).detail("an empty proof")),
        n if n > limits::MAX_PROOF_BYTES => Err(ApiError::new(ErrorCode::TooLarge)),
        n => Ok(n),
    }
}

pub(super) fn parse_hash(hex: &str) -> Result<Hash32, ApiError> {
    hex.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))
}

/// `sha256` (32 raw bytes or their hex text, in base64) and `kind` of the metadata header.
pub(super) fn metadata(headers: &HeaderMap) -> Result<(Hash32, ProofKind), ApiError> {
    let value = text(headers, &UPLOAD_METADATA);
    let bad = || ApiError::new(ErrorCode::Malformed).detail("Upload-Metadata");
    let field = |name: &str| {
        let pair = value
            .split(',')
            .map(str::trim)
            .find_map(|p| p.strip_prefix(name));
        let encoded = pair.and_then(|p| p.strip_prefix(' ')).ok_or_else(bad)?;
        data_encoding::BASE64
            .decode(encoded.as_bytes())
            .map_err(|_| bad())
    };
    let raw = field("sha256")?;
    let hash = Hash32::try_from(raw.as_slice())
        .ok()
        .or_else(|| {
            std::str::from_utf8(&raw)
                .ok()
                .and_then(|hex| hex.parse().ok())
        })
        .ok_or_else(bad)?;
    let kind = String::from_utf8(field("kind")?).map_err(|_| bad())?;
    Ok((hash, ProofKind::from_code(&kind).map_err(|_| bad())?))
}
