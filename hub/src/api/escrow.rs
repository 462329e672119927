//! The sealed key of a phone's store: taken in, and given to no request.

// The OpenAPI macro writes out paths that are in scope.
#![allow(unused_qualifications)]

use axum::extract::State;
use axum::http::StatusCode;
use satchel_protocol::api::ErrorCode;
use satchel_protocol::escrow::{Escrow, MAX_FILE_BYTES};

use crate::api::auth::{Signed, not_revoked};
use crate::api::error::ApiError;
use crate::api::schema::{BinarySchema, ErrorSchema};
use crate::hub::Hub;

/// Keep the key of this phone's store, sealed to the operator's recovery key.
///
/// Only the holder of the recovery key's private half, which is not here, can open it.
#[utoipa::path(
    put, path = "/v1/escrow", tag = "enrolment",
    request_body(
        content_type = "application/vnd.satchel.escrow", content = BinarySchema,
        description = "CBOR: version, device, check of the key, recovery key, HPKE encapsulation, sealed key"
    ),
    responses(
        (status = 204, description = "Kept"),
        (status = 400, description = "Not the format, or another device's", body = ErrorSchema),
        (status = 401, description = "Not signed by a known device, or its clock is off", body = ErrorSchema),
        (status = 403, description = "The device is revoked", body = ErrorSchema),
        (status = 413, description = "Over a limit", body = ErrorSchema),
        (status = 429, description = "Too many come at once", body = ErrorSchema),
    ),
    security(("device_signature" = []))
)]
pub(crate) async fn keep(State(hub): State<Hub>, request: Signed) -> Result<StatusCode, ApiError> {
    not_revoked(&request.device)?;
    if request.body.len() > MAX_FILE_BYTES {
        return Err(ApiError::new(ErrorCode::TooLarge));
    }
    let malformed = || ApiError::new(ErrorCode::Malformed).detail("sealed key");
    let escrow = Escrow::decode(&request.body).map_err(|_| malformed())?;
    if escrow.device != request.device.id {
        return Err(malformed());
    }
    hub.keep_escrow(&escrow).await?;
    Ok(StatusCode::NO_CONTENT)
}
