//! Answers of the page's API, and refusals with their words from the library.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use satchel_ffi::SatchelError;
use serde::Serialize;
use serde_json::json;

/// Why a call was refused, for a person.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    code: &'static str,
    zh: String,
    en: String,
    missing: Vec<Word>,
}

/// A code with its words.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Word {
    pub(super) code: &'static str,
    pub(super) zh: &'static str,
    pub(super) en: &'static str,
}

/// Words of any code list of the trade.
macro_rules! word {
    ($value:expr) => {{
        let value = $value;
        $crate::screen::words::Word {
            code: value.code(),
            zh: value.zh(),
            en: value.en(),
        }
    }};
}
pub(super) use word;

impl Refused {
    /// The page sent something that is not of its form.
    pub(super) fn malformed() -> Self {
        Self::plain(
            StatusCode::BAD_REQUEST,
            "INVALID_INPUT",
            "请求有误。",
            "The request is not valid.",
        )
    }

    /// The demo itself failed; the courier may simply try again.
    pub(super) fn failed() -> Self {
        Self::plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            "FAILED",
            "操作未成功,请重试。",
            "That did not work. Try again.",
        )
    }

    fn plain(status: StatusCode, code: &'static str, zh: &str, en: &str) -> Self {
        Self {
            status,
            code,
            zh: zh.to_owned(),
            en: en.to_owned(),
            missing: Vec::new(),
        }
    }
}

impl From<satchel_core::Error> for Refused {
    fn from(error: satchel_core::Error) -> Self {
        SatchelError::from(error).into()
    }
}

impl From<SatchelError> for Refused {
    fn from(error: SatchelError) -> Self {
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        match error {
            SatchelError::Refused {
                missing,
                text_zh,
                text_en,
                ..
            } => Self {
                status: unprocessable,
                code: "REFUSED",
                zh: text_zh,
                en: text_en,
                missing: missing.into_iter().map(|item| word!(item)).collect(),
            },
            SatchelError::PhotoRejected {
                text_zh, text_en, ..
            } => Self::plain(unprocessable, "PHOTO_REJECTED", &text_zh, &text_en),
            SatchelError::SignatureRejected {
                text_zh, text_en, ..
            } => Self::plain(unprocessable, "SIGNATURE_REJECTED", &text_zh, &text_en),
            SatchelError::NotFound { .. } => Self::plain(
                StatusCode::NOT_FOUND,
                "NOT_FOUND",
                "找不到该项目。",
                "There is no such thing on this phone.",
            ),
            SatchelError::AlreadyDone { .. } => Self::plain(
                StatusCode::CONFLICT,
                "ALREADY_DONE",
                "此前已完成,以首次记录为准。",
                "Already done; the first record stands.",
            ),
            SatchelError::InvalidInput { .. } => Self::malformed(),
            SatchelError::StorageFull => Self::plain(
                StatusCode::INSUFFICIENT_STORAGE,
                "STORAGE_FULL",
                "手机存储已满,请清理后重试。",
                "The phone's storage is full. Free some space and try again.",
            ),
            _ => Self::failed(),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = json!({
            "error": self.code,
            "zh": self.zh,
            "en": self.en,
            "missing": self.missing,
        });
        (self.status, Json(body)).into_response()
    }
}
