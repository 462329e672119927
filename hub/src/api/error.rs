//! What a phone is told when the hub says no: a status, a code, never personal data.

use axum::Json;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use satchel_protocol::api::{ERROR_HEADER, ErrorBody, ErrorCode, STATUS_CHECKSUM_MISMATCH};
use satchel_protocol::signed_time::SignedTime;

use crate::api::unread::NotHeard;
use crate::error::HubError;

/// After so many seconds an upload may have ended and made room.
const RETRY_AFTER_S: u32 = 300;
/// After so many a body that was on its way has given its room back.
const COME_AGAIN_S: u32 = 30;

/// When to come again to a hub whose disk is full: somebody has to see to it.
const FULL_COME_AGAIN_S: u32 = 120;

/// A refusal.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub(crate) code: ErrorCode,
    detail: Option<String>,
    time: Option<Box<SignedTime>>,
    expected_seq: Option<i64>,
    come_again_s: Option<u32>,
}

impl ApiError {
    pub(crate) fn new(code: ErrorCode) -> Self {
        Self {
            code,
            detail: None,
            time: None,
            expected_seq: None,
            come_again_s: None,
        }
    }

    /// Adds a clause for whoever reads the phone's log. Fixed texts and numbers only.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// When to try again, other than usual.
    pub(crate) fn come_again_s(mut self, seconds: u32) -> Self {
        self.come_again_s = Some(seconds);
        self
    }

    /// There is no room for a body now, or it did not come in time.
    pub(crate) fn not_through() -> Self {
        Self::new(ErrorCode::RateLimited)
            .detail("too many come at once")
            .come_again_s(COME_AGAIN_S)
    }

    pub(crate) fn clock_skew(time: SignedTime) -> Self {
        Self {
            time: Some(Box::new(time)),
            ..Self::new(ErrorCode::ClockSkew)
        }
    }

    pub(crate) fn gap(expected_seq: i64) -> Self {
        Self {
            expected_seq: Some(expected_seq),
            ..Self::new(ErrorCode::LogGap)
        }
    }

    fn status(&self) -> StatusCode {
        match self.code {
            ErrorCode::Unsigned
            | ErrorCode::BadSignature
            | ErrorCode::ClockSkew
            | ErrorCode::Replayed
            | ErrorCode::UnknownDevice => StatusCode::UNAUTHORIZED,
            ErrorCode::RevokedDevice | ErrorCode::BadCode | ErrorCode::HardwareKeyRequired => {
                StatusCode::FORBIDDEN
            }
            ErrorCode::Malformed => StatusCode::BAD_REQUEST,
            ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorCode::LogGap | ErrorCode::LogFork | ErrorCode::OffsetMismatch => {
                StatusCode::CONFLICT
            }
            ErrorCode::Quarantined => StatusCode::LOCKED,
            ErrorCode::BadEntry => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorCode::NotFound => StatusCode::NOT_FOUND,
            ErrorCode::HashMismatch => StatusCode::from_u16(STATUS_CHECKSUM_MISMATCH)
                .unwrap_or(StatusCode::UNPROCESSABLE_ENTITY),
            ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            _ if self.come_again_s.is_some() => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<HubError> for ApiError {
    fn from(error: HubError) -> Self {
        tracing::error!(%error, "request failed");
        match error.is_of_room() {
            true => Self::new(ErrorCode::Internal).come_again_s(FULL_COME_AGAIN_S),
            false => Self::new(ErrorCode::Internal),
        }
    }
}

impl From<QueryRejection> for ApiError {
    fn from(_: QueryRejection) -> Self {
        Self::new(ErrorCode::Malformed).detail("query")
    }
}

/// The body of somebody who is no device yet.
impl From<BytesRejection> for ApiError {
    fn from(error: BytesRejection) -> Self {
        match error.status() {
            _ if NotHeard::is_behind(&error) => Self::not_through(),
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(ErrorCode::TooLarge),
            _ => Self::new(ErrorCode::Malformed).detail("body cut off"),
        }
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        HubError::from(error).into()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = ErrorBody {
            error: self.code,
            detail: self.detail,
            time: self.time.map(|time| *time),
            expected_seq: self.expected_seq,
        };
        let limited = body.error == ErrorCode::RateLimited || self.come_again_s.is_some();
        // The answer to a HEAD has no body, and a phone whose clock is off could never be told the time by one.
        let said = (status == StatusCode::UNAUTHORIZED).then(|| serde_json::to_string(&body));
        let mut answer = (status, Json(body)).into_response();
        if let Some(value) = said.and_then(|json| HeaderValue::from_str(&json.ok()?).ok()) {
            answer.headers_mut().insert(ERROR_HEADER, value);
        }
        if limited {
            let seconds = self.come_again_s.unwrap_or(RETRY_AFTER_S);
            answer
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}
