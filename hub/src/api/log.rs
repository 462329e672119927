//! The upload of the evidence log, and the question what of it is held.

// The OpenAPI macro writes out paths that are in scope.
#![allow(unused_qualifications)]

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use satchel_protocol::FormatError;
use satchel_protocol::api::ErrorCode;
use satchel_protocol::batch::{Batch, FORMS, FORMS_HEADER, JSON_MEDIA_TYPE, RECEIPT_MEDIA_TYPE};
use satchel_protocol::http_sig::{PROFILES, PROFILES_HEADER};
use satchel_protocol::receipt::SignedReceipt;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::auth::{Signed, SignedHead, may_write, not_revoked};
use crate::api::error::ApiError;
use crate::api::schema::{BinarySchema, ErrorSchema};
use crate::hub::Hub;
use crate::ingest;
use crate::receipts;

/// A receipt as an answer.
pub(crate) fn receipt_body(receipt: &SignedReceipt) -> Response {
    let fields = [
        (header::CONTENT_TYPE, RECEIPT_MEDIA_TYPE),
        (HeaderName::from_static(FORMS_HEADER), FORMS),
        (HeaderName::from_static(PROFILES_HEADER), PROFILES),
    ];
    (fields, receipt.encode()).into_response()
}

/// Upload entries in order, with small proofs beside them.
#[utoipa::path(
    post, path = "/v1/log", tag = "log",
    params(Known),
    request_body(
        content_type = "application/vnd.satchel.batch", content = BinarySchema,
        description = "SLB1 or SLB2 frame: zstd-compressed CBOR entries, then the raw bytes of small proofs. \
            With `application/json` the same as base64 in JSON. Answers name the forms a hub takes in `satchel-batch`"
    ),
    responses(
        (status = 200, description = "All entries are held; a signed receipt names them",
         content_type = "application/vnd.satchel.receipt", body = BinarySchema),
        (status = 400, description = "Not the format", body = ErrorSchema),
        (status = 401, description = "Not signed by a known device, or its clock is off", body = ErrorSchema),
        (status = 403, description = "The device is revoked", body = ErrorSchema),
        (status = 409, description = "`log_gap` with `expected_seq`, or `log_fork`", body = ErrorSchema),
        (status = 413, description = "Over a limit", body = ErrorSchema),
        (status = 422, description = "An entry does not verify; the log is set aside", body = ErrorSchema),
        (status = 423, description = "The log is set aside until a person has looked", body = ErrorSchema),
        (status = 429, description = "Too many come at once", body = ErrorSchema),
    ),
    security(("device_signature" = []))
)]
pub(crate) async fn upload(
    State(hub): State<Hub>,
    known: Result<Query<Known>, QueryRejection>,
    headers: HeaderMap,
    request: Signed,
) -> Result<Response, ApiError> {
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.starts_with(JSON_MEDIA_TYPE));
    let answer = upload_batch(&hub, &request, is_json, leaves(known?.0.tree)).await;
    if answer.is_err() {
        hub.metrics().refused_batches.add(1);
    }
    answer
}

async fn upload_batch(
    hub: &Hub,
    request: &Signed,
    is_json: bool,
    known: u64,
) -> Result<Response, ApiError> {
    may_write(&request.device)?;
    let read = match is_json {
        true => Batch::decode_json(&request.body),
        false => Batch::decode(&request.body),
    };
    let batch = read.map_err(|error| {
        let code = match error {
            FormatError::TooLarge { .. } => ErrorCode::TooLarge,
            _ => ErrorCode::Malformed,
        };
        ApiError::new(code).detail(error.to_string())
    })?;
    let receipt = ingest::ingest(hub, &request.device, batch, known).await?;
    Ok(receipt_body(&receipt))
}

/// What the phone has seen of the hub's transparency log.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Known {
    /// Leaves of the last checkpoint it believed; the answer proves that the log grew out of that.
    #[serde(default)]
    tree: i64,
}

/// A phone that names no number of leaves has seen none.
fn leaves(tree: i64) -> u64 {
    u64::try_from(tree).unwrap_or(0)
}

/// Where the question starts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct After {
    /// The last position the phone has a receipt for.
    #[serde(default)]
    #[param(required = false)]
    after: i64,
    /// Leaves of the last checkpoint the phone believed.
    #[serde(default)]
    tree: i64,
}

/// What does the hub hold of my log behind this position?
///
/// Asked after a lost answer: the receipt is the same as the one that got lost.
#[utoipa::path(
    get, path = "/v1/log", tag = "log",
    params(After),
    responses(
        (status = 200, description = "A signed receipt of at most 1,000 entries",
         content_type = "application/vnd.satchel.receipt", body = BinarySchema),
        (status = 400, description = "Not a position", body = ErrorSchema),
        (status = 401, description = "Not signed by a known device, or its clock is off", body = ErrorSchema),
        (status = 403, description = "The device is revoked", body = ErrorSchema),
    ),
    security(("device_signature" = []))
)]
pub(crate) async fn held(
    State(hub): State<Hub>,
    head: SignedHead,
    after: Result<Query<After>, QueryRejection>,
) -> Result<Response, ApiError> {
    not_revoked(&head.device)?;
    let Query(after) = after?;
    let receipt =
        receipts::held_after(&hub, head.device.id, after.after, leaves(after.tree)).await?;
    Ok(receipt_body(&receipt))
}
