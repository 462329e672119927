//! Enrolment: a one-time code and proof of a key make a phone a device.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use satchel_protocol::api::ErrorCode;
use satchel_protocol::crypto;
use satchel_protocol::enrol::{Certificate, EnrolRequest, EnrolResponse, SignedCertificate};
use satchel_protocol::ids::Hash32;
use satchel_protocol::token;

use crate::api::error::ApiError;
use crate::api::schema::{EnrolRequestSchema, EnrolResponseSchema, ErrorSchema};
use crate::hub::Hub;
use crate::store::couriers::{self, InviteRow, NewDevice};

const CODE_DOMAIN: &[u8] = b"satchel-invite-code/1\0";
const MAX_LABEL_CHARS: usize = 100;

/// How a code is stored. 128 random bits need no slow hash.
pub(crate) fn code_hash(code: &[u8]) -> Hash32 {
    crypto::sha256(&[CODE_DOMAIN, code])
}

/// Make this phone a device of the hub, once per code.
#[utoipa::path(
    post, path = "/v1/enrol", tag = "enrolment",
    request_body = EnrolRequestSchema,
    responses(
        (status = 200, description = "Enrolled", body = EnrolResponseSchema),
        (status = 400, description = "Not the format", body = ErrorSchema),
        (status = 401, description = "The key is not proved", body = ErrorSchema),
        (status = 403, description = "Code unknown, used or expired; or a hardware key is required", body = ErrorSchema),
        (status = 413, description = "No enrolment is so long", body = ErrorSchema),
        (status = 429, description = "Too many come at once, or it did not come in time", body = ErrorSchema),
    )
)]
pub(crate) async fn enrol(
    State(hub): State<Hub>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<EnrolResponse>, ApiError> {
    let body = body?;
    let request: EnrolRequest =
        serde_json::from_slice(&body).map_err(|_| ApiError::new(ErrorCode::Malformed))?;
    let label = request.label.trim();
    if label.is_empty()
        || label.chars().count() > MAX_LABEL_CHARS
        || label.contains(char::is_control)
    {
        return Err(ApiError::new(ErrorCode::Malformed).detail("label"));
    }
    let proven = request
        .proven_keys()
        .ok_or_else(|| ApiError::new(ErrorCode::BadSignature))?;
    if hub.config().require_hardware_key && proven.hardware.is_none() {
        return Err(ApiError::new(ErrorCode::HardwareKeyRequired));
    }
    let bad_code = || ApiError::new(ErrorCode::BadCode);
    let code = token::from_base32(&request.code).ok_or_else(bad_code)?;
    let code_hash = code_hash(&code);
    let now_ms = hub.now_ms();
    let mut tx = hub.db().write().await?;
    let invite = couriers::invite(&mut tx, &code_hash)
        .await?
        .ok_or_else(bad_code)?;

    // The answer of an earlier try may have been lost on the way: the same phone, which proves the
    // same key, gets the same answer again; everybody else finds the code used.
    if invite.used_by == Some(request.device_id) {
        let known = couriers::device_in(&mut tx, request.device_id).await?;
        let same = known
            .filter(|d| d.log_key == request.log_key)
            .ok_or_else(bad_code)?;
        return Ok(answer(&request, invite, &same.certificate, now_ms));
    }
    if invite.used_by.is_some() || invite.expires_at_ms < now_ms {
        return Err(bad_code());
    }
    let (hardware_key, statement) = proven.hardware.unzip();
    let certificate = Certificate {
        version: 1,
        device: request.device_id,
        log_key: request.log_key,
        courier: invite.courier,
        issued_at_ms: now_ms,
        hardware_key,
    };
    let certificate = SignedCertificate {
        statement,
        ..certificate.sign(&hub.keys().signing)
    }
    .encode();
    let device = NewDevice {
        id: request.device_id,
        courier: invite.courier,
        log_key: request.log_key,
        label,
        certificate: &certificate,
        code_hash,
    };
    if !couriers::enrol(&mut tx, &device, now_ms).await? {
        return Err(bad_code());
    }
    tx.commit().await?;
    hub.metrics().enrolments.add(1);
    tracing::info!(device = %request.device_id, courier = %invite.courier, "device enrolled");
    Ok(answer(&request, invite, &certificate, now_ms))
}

fn answer(
    request: &EnrolRequest,
    invite: InviteRow,
    certificate: &[u8],
    now_ms: i64,
) -> Json<EnrolResponse> {
    Json(EnrolResponse {
        device_id: request.device_id,
        courier_id: invite.courier,
        courier_name: invite.courier_name,
        hub_time_ms: now_ms,
        certificate: data_encoding::HEXLOWER.encode(certificate),
    })
}
