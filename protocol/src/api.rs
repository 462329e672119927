//! Paths, headers and error codes of the hub's device API, named once for both sides.

use serde::{Deserialize, Serialize};

use crate::signed_time::SignedTime;

/// `POST` an [`crate::enrol::EnrolRequest`].
pub const PATH_ENROL: &str = "/v1/enrol";
/// `POST` a batch; `GET ?after=SEQ` asks what the hub holds.
pub const PATH_LOG: &str = "/v1/log";
/// `GET ?cursor=C&limit=N` a feed page.
pub const PATH_FEED: &str = "/v1/feed";
/// `PUT` a sealed store key ([`crate::escrow::Escrow`]).
pub const PATH_ESCROW: &str = "/v1/escrow";
/// tus 1.0 endpoint; an upload's URL is this path, a slash and the content hash in hex.
pub const PATH_PROOFS: &str = "/v1/proofs";
/// Behind an upload's URL: its receipt.
pub const PATH_RECEIPT_SUFFIX: &str = "/receipt";
/// Version of the upload protocol.
pub const TUS_VERSION: &str = "1.0.0";
/// tus status for bytes that do not have the promised checksum.
pub const STATUS_CHECKSUM_MISMATCH: u16 = 460;

/// Header with the [`ErrorBody`] of a 401: the answer to a `HEAD` has no body to say it in.
pub const ERROR_HEADER: &str = "satchel-error";

/// What a hub's error answer says: `{"error": code, …}`. Never personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// Why.
    pub error: ErrorCode,
    /// One more clause for a person reading a log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// With [`ErrorCode::ClockSkew`]: the hub's time for this request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<SignedTime>,
    /// With [`ErrorCode::LogGap`]: the entry the hub expects next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_seq: Option<i64>,
}

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// No or malformed signature headers.
    Unsigned,
    /// The signature is not the device's.
    BadSignature,
    /// `created` is too far from the hub's clock; `time` says what it is.
    ClockSkew,
    /// The same signed request came twice.
    Replayed,
    /// The hub does not know this device.
    UnknownDevice,
    /// This device may no longer write.
    RevokedDevice,
    /// The one-time code is unknown, used or expired; the three are not told apart.
    BadCode,
    /// This hub takes only phones whose log key is certified by a key in hardware. The code is not used up.
    HardwareKeyRequired,
    /// Not the format.
    Malformed,
    /// Over a named limit.
    TooLarge,
    /// Entries are missing before this batch.
    LogGap,
    /// Another entry with this device and seq is already held: evidence of a fork.
    LogFork,
    /// The log of this device is set aside until a person has looked at it.
    Quarantined,
    /// An entry of the batch does not verify.
    BadEntry,
    /// Nothing here under this name.
    NotFound,
    /// The upload's offset is another one.
    OffsetMismatch,
    /// The bytes do not have the promised hash.
    HashMismatch,
    /// Too many requests; see `Retry-After`.
    RateLimited,
    /// The hub's own fault; try again.
    Internal,
    /// A code made after this build.
    #[serde(other)]
    Other,
}
