//! The recipient's short code at the hub: kept as a digest under the hub's own key.
//!
//! Four digits have ten thousand values, so a plain digest of one is the code itself. Under a key that
//! is in no table, a copy of the database opens no parcel.

use satchel_protocol::crypto;
use satchel_protocol::ids::ParcelId;

use crate::hub::Hub;

const SHORT_DOMAIN: &[u8] = b"satchel-short-code/1\0";

/// What is stored of a short code, bound to its parcel so that it opens no other one.
pub(crate) fn short_digest(hub: &Hub, parcel: ParcelId, code: &str) -> [u8; 32] {
    let parts = [SHORT_DOMAIN, &parcel.as_bytes()[..], code.trim().as_bytes()];
    crypto::hmac_sha256(&hub.keys().rating_master, &parts)
}
