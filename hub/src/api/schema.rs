//! The JSON shapes of the API for its description.
//!
//! The types themselves live in the protocol crate, which knows no web framework. These mirrors exist
//! only to be described; a test holds each against the real type's fields.

use serde_json::Value;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, ToSchema};

/// Adds the request signature as a security scheme.
pub(crate) struct SignatureScheme;

impl Modify for SignatureScheme {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
            "Signature",
            "RFC 9421, one fixed profile: Ed25519 by the device's key over @method, @target-uri, \
             content-digest and idempotency-key; created, expires (+60 s), nonce (96 bit), keyid = \
             device id, tag = \"courier\". Uploads may be signed leaner: over @method and @target-uri, and \
             content-digest if there is a body; created, nonce and keyid.",
        )));
        openapi
            .components
            .get_or_insert_with(Default::default)
            .add_security_scheme("device_signature", scheme);
    }
}

/// Bytes as they are, in a format that JSON does not describe.
#[derive(ToSchema)]
#[schema(as = Binary, value_type = String, format = Binary)]
#[allow(dead_code)] // Described, never built.
pub(crate) struct BinarySchema(Vec<u8>);

/// What a phone sends to become a device.
#[derive(ToSchema)]
#[schema(as = EnrolRequest)]
#[allow(dead_code)] // Described, never built.
pub(crate) struct EnrolRequestSchema {
    /// The one-time code of the invite, Crockford base32.
    #[schema(pattern = "^[0-9A-HJKMNP-TV-Z]{26}$")]
    code: String,
    /// A UUID the phone made.
    #[schema(format = Uuid)]
    device_id: String,
    /// Its Ed25519 public key, hex.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    log_key: String,
    /// What the courier calls the phone.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = "^[^\\s\\x00-\\x1f\\x7f-\\x9f]([^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f])?$"
    )]
    label: String,
    /// CBOR: what a key in the phone's hardware says of `log_key`, signed by both, hex.
    #[schema(pattern = "^([0-9a-f]{2}){1,512}$", required = false)]
    statement: Option<String>,
    /// Ed25519 by `log_key` over the request, hex.
    #[schema(pattern = "^[0-9a-f]{128}$")]
    sig: String,
}

/// What the phone becomes.
#[derive(ToSchema)]
#[schema(as = EnrolResponse)]
#[allow(dead_code)] // Described, never built.
pub(crate) struct EnrolResponseSchema {
    #[schema(format = Uuid)]
    device_id: String,
    #[schema(format = Uuid)]
    courier_id: String,
    courier_name: String,
    /// Unix milliseconds.
    hub_time_ms: i64,
    /// CBOR, signed by the hub, hex.
    certificate: String,
}

/// One page of the feed.
#[derive(ToSchema)]
#[schema(as = FeedPage)]
#[allow(dead_code)] // Described, never built.
pub(crate) struct FeedPageSchema {
    items: Vec<FeedItemSchema>,
    /// Where the next page starts; opaque.
    cursor: String,
    /// Whether there is more right now.
    more: bool,
    /// Unix milliseconds.
    server_time_ms: i64,
    /// With a page of a snapshot: whether it is its first and its last.
    snapshot: Option<SnapshotPartSchema>,
    /// Orders to this phone: CBOR, signed by the hub, hex. Left out where there are none.
    #[schema(required = false)]
    orders: Vec<String>,
}

/// Which part of a snapshot a page is.
#[derive(ToSchema)]
#[schema(as = SnapshotPart)]
#[allow(dead_code)] // Described, never built.
pub(crate) struct SnapshotPartSchema {
    first: bool,
    last: bool,
}

/// One item of the feed.
#[derive(ToSchema)]
#[schema(as = FeedItem)]
#[allow(dead_code)] // Described, never built.
pub(crate) struct FeedItemSchema {
    seq: i64,
    /// `route`, `stop`, `stop_removed`, `rating`, `consent`, `consent_withdrawn`, `parcel_event`,
    /// `rule_set`, `regime`, `courier`, `other_round`, `report_answer`, `traffic`, `proof_wanted`, or a kind of a newer hub.
    kind: String,
    /// By kind.
    #[schema(value_type = Object)]
    data: Value,
}

/// Why a request was refused.
#[derive(ToSchema)]
#[schema(as = Error)]
#[allow(dead_code)] // Described, never built.
pub(crate) struct ErrorSchema {
    /// `unsigned`, `bad_signature`, `clock_skew`, `replayed`, `unknown_device`, `revoked_device`,
    /// `bad_code`, `malformed`, `too_large`, `log_gap`, `log_fork`, `quarantined`, `bad_entry`,
    /// `not_found`, `offset_mismatch`, `hash_mismatch`, `rate_limited` or `internal`.
    error: String,
    detail: Option<String>,
    /// With `clock_skew`.
    time: Option<SignedTimeSchema>,
    /// With `log_gap`.
    expected_seq: Option<i64>,
}

/// The hub's time, signed over the nonce of the refused request.
#[derive(ToSchema)]
#[schema(as = SignedTime)]
#[allow(dead_code)] // Described, never built.
pub(crate) struct SignedTimeSchema {
    hub_time_ms: i64,
    nonce: String,
    sig: String,
}
