//! Which device is asking: the signature check in front of every device route.
//!
//! Order matters. The signature over the headers is checked before a byte of the body is read, so a
//! stranger cannot make the hub buffer or hash for him; the clock is judged only after the signature,
//! so only a genuine device is told the time; the nonce is taken last, so a refused request costs none.

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use ed25519_dalek::VerifyingKey;
use satchel_protocol::api::{ErrorCode, PATH_PROOFS};
use satchel_protocol::http_sig::{self, ParsedSignature, RequestParts, SigError};
use satchel_protocol::ids::DeviceId;
use satchel_protocol::limits;
use satchel_protocol::signed_time::SignedTime;

use crate::api::chunks;
use crate::api::error::ApiError;
use crate::api::room::{SILENT_IN_TIME, Taken, in_time};
use crate::api::unread::Sender;
use crate::error::HubError;
use crate::hub::Hub;
use crate::rating::review;
use crate::store::couriers::{self, DeviceRow};
use crate::store::device_keys;
use crate::visitor;

/// The device whose signature covers the head of the request. The body is not vouched for yet.
#[derive(Debug)]
pub(crate) struct SignedHead {
    pub(crate) device: DeviceRow,
    /// What the signature says the body hashes to.
    pub(crate) content_digest: String,
    pub(crate) sender: Sender,
}

/// A request whose head and whole body are the device's.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) device: DeviceRow,
    pub(crate) body: Bytes,
    /// Held until the request is answered.
    _room: Taken,
}

impl FromRequestParts<Hub> for SignedHead {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, ApiError> {
        let refused = check(parts, hub).await;
        if refused.is_err() {
            hub.metrics().refused_signatures.add(1);
        }
        refused
    }
}

impl FromRequest<Hub> for Signed {
    type Rejection = ApiError;

    async fn from_request(request: Request, hub: &Hub) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let head = SignedHead::from_request_parts(&mut parts, hub).await?;
        let announced: Option<usize> = header(&parts.headers, "content-length").parse().ok();
        if announced.is_some_and(|n| n > limits::MAX_BATCH_BYTES) {
            return Err(ApiError::new(ErrorCode::TooLarge));
        }
        // Whoever may do nothing here takes no room for it.
        not_revoked(&head.device)?;
        let room_bytes = body.size_hint().exact();
        let room_bytes = room_bytes.and_then(|n| usize::try_from(n).ok());
        let room_bytes = room_bytes.unwrap_or(limits::MAX_BATCH_BYTES);
        let room = hub.room().take(head.device.id, room_bytes).await;
        if room.is_err() {
            hub.metrics().put_off.add(1);
        }
        let room = room?;
        let body = in_time(head.whole_body(body, limits::MAX_BATCH_BYTES)).await??;
        Ok(Self {
            device: head.device,
            body,
            _room: room,
        })
    }
}

impl SignedHead {
    /// Reads the body and checks that it is the signed one. Other bytes under a good signature were
    /// damaged on the way: the phone may simply send again.
    async fn whole_body(&self, body: Body, limit: usize) -> Result<Bytes, ApiError> {
        let bytes = chunks::whole(body, limit, SILENT_IN_TIME)
            .await
            .map_err(|_| {
                ApiError::new(ErrorCode::Malformed).detail("body cut off or over the limit")
            })?;
        if http_sig::content_digest(&bytes) != self.content_digest {
            return Err(ApiError::new(ErrorCode::Malformed).detail("content digest"));
        }
        Ok(bytes)
    }

    /// Refuses a device that may only read.
    pub(crate) fn may_write(&self) -> Result<(), ApiError> {
        may_write(&self.device)
    }
}

/// Refuses a revoked device, and one whose log is set aside.
pub(crate) fn may_write(device: &DeviceRow) -> Result<(), ApiError> {
    not_revoked(device)?;
    if device.quarantined {
        return Err(ApiError::new(ErrorCode::Quarantined));
    }
    Ok(())
}

/// Refuses a revoked device.
pub(crate) fn not_revoked(device: &DeviceRow) -> Result<(), ApiError> {
    if device.revoked_at_seq.is_some() {
        return Err(ApiError::new(ErrorCode::RevokedDevice));
    }
    Ok(())
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default()
}

async fn check(parts: &Parts, hub: &Hub) -> Result<SignedHead, ApiError> {
    let parsed = http_sig::parse(
        header(&parts.headers, "signature-input"),
        header(&parts.headers, "signature"),
    )
    .map_err(refusal)?;
    if parsed.is_lean() && !parts.uri.path().starts_with(PATH_PROOFS) {
        return Err(refusal(SigError::UnsupportedProfile));
    }
    let id: DeviceId = parsed
        .key_id
        .parse()
        .map_err(|_| ApiError::new(ErrorCode::UnknownDevice))?;
    let device = couriers::device(hub.db().read(), id)
        .await?
        .ok_or_else(|| ApiError::new(ErrorCode::UnknownDevice))?;
    let key = VerifyingKey::from_bytes(&device.log_key.0)
        .map_err(|_| HubError::DamagedRow { what: "device key" })?;
    // Of a request without a body nothing is vouched for but that it has none.
    let content_digest = match parsed.has_body() {
        true => header(&parts.headers, "content-digest").to_owned(),
        false => http_sig::content_digest(&[]),
    };
    let mut under_new = true;
    if let Err(refused) = verify(parts, hub, (&parsed, id), &key, &content_digest) {
        // A phone that changed its key signs with the one before until it hears that the change has come.
        let before =
            device_keys::before(&device).filter(|_| refused.code == ErrorCode::BadSignature);
        let before = before.ok_or(refused)?;
        verify(parts, hub, (&parsed, id), &before, &content_digest)?;
        under_new = false;
    }

    let expires_at_ms = parsed.created_s.saturating_add(http_sig::NONCE_MEMORY_S) * 1_000;
    let mut tx = hub.db().write().await?;
    let fresh = couriers::use_nonce(&mut tx, id, &parsed.nonce, expires_at_ms).await?;
    if under_new && device.key_before.is_some() {
        device_keys::give_up_before(&mut tx, id).await?;
    }
    if let Some(net) = visitor::net_of(hub, parts) {
        review::note_device_net(&mut tx, id, net, hub.now_ms()).await?;
    }
    tx.commit().await?;
    if !fresh {
        return Err(ApiError::new(ErrorCode::Replayed));
    }
    Ok(SignedHead {
        device,
        content_digest,
        sender: Sender::of(parts),
    })
}

fn verify(
    parts: &Parts,
    hub: &Hub,
    (parsed, id): (&ParsedSignature, DeviceId),
    key: &VerifyingKey,
    content_digest: &str,
) -> Result<(), ApiError> {
    // Scheme and host come from the configuration: a proxy may have rewritten what stands here.
    let path = parts.uri.path_and_query().map_or("/", |p| p.as_str());
    let target_uri = format!("{}{path}", hub.public_url());
    let signed = RequestParts {
        method: parts.method.as_str(),
        target_uri: &target_uri,
        body: &[],
        idempotency_key: header(&parts.headers, "idempotency-key"),
    };
    let now_ms = hub.now_ms();
    let now_s = now_ms.div_euclid(1_000);
    let judged = http_sig::verify_head(
        &signed,
        content_digest,
        parsed,
        key,
        now_s,
        http_sig::MAX_SKEW_S,
    );
    if matches!(
        judged,
        Ok(()) | Err(SigError::ClockSkew | SigError::Expired)
    ) {
        // Its time is judged last: the signature held.
        Sender::of(parts).signed_as(id);
    }
    judged.map_err(|error| match error {
        // Late or wrong, the remedy is the same: take the hub's time and sign again.
        SigError::ClockSkew | SigError::Expired => {
            let nonce = data_encoding::BASE64URL_NOPAD.encode(&parsed.nonce);
            ApiError::clock_skew(SignedTime::sign(&hub.keys().signing, now_ms, &nonce))
        }
        other => refusal(other),
    })
}

fn refusal(error: SigError) -> ApiError {
    let code = match error {
        SigError::Missing | SigError::Malformed | SigError::UnsupportedProfile => {
            ErrorCode::Unsigned
        }
        _ => ErrorCode::BadSignature,
    };
    ApiError::new(code).detail(error.to_string())
}
