//! The rating token: 37 bytes in a QR, made on the phone without a network (A026, A069).
//!
//! `version ‖ handle ‖ head ‖ tag` (security notes §5.3). The handle means nothing outside the hub; the
//! head is the first half of the phone's log head just after the delivery, so a customer's scan
//! witnesses the log from outside; the tag is keyed per delivery and device, so a stolen phone can
//! mint tokens for its own open deliveries only. Upper-case Crockford base32 keeps the URL in the QR's
//! alphanumeric mode (33×33 modules).

use data_encoding::{Encoding, Specification};
use std::sync::LazyLock;
use thiserror::Error;

use crate::crypto::{self, Secret32};
use crate::ids::{DeviceId, Handle, Hash32, ParcelId};

/// Version byte of this format.
pub const TOKEN_VERSION: u8 = 1;
/// Length of a token in bytes.
pub const TOKEN_BYTES: usize = 37;
/// Length of a token in a URL.
pub const TOKEN_CHARS: usize = 60;

const TAG_DOMAIN: &[u8] = b"courier-rate/1";
const KEY_DOMAIN: &[u8] = b"courier-rate-key/1";
const MAC_BYTES: usize = 12;
const HEAD_BYTES: usize = 16;

/// Crockford's base32: no I, L, O or U to misread, one case. Non-zero padding bits are refused.
static CROCKFORD: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
    // What a person types for a misread character, and lower case from a URL bar.
    spec.translate.from.push_str("abcdefghjkmnpqrstvwxyzOoIiLl");
    spec.translate.to.push_str("ABCDEFGHJKMNPQRSTVWXYZ001111");
    spec.encoding().unwrap_or(data_encoding::BASE32_NOPAD)
});

/// Writes bytes as upper-case Crockford base32.
#[must_use]
pub fn base32(bytes: &[u8]) -> String {
    CROCKFORD.encode(bytes)
}

/// Reads Crockford base32 in either case.
#[must_use]
pub fn from_base32(text: &str) -> Option<Vec<u8>> {
    CROCKFORD.decode(text.as_bytes()).ok()
}

/// A text that cannot be a token. One variant on purpose: the page says the same to all (§5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a rating token")]
pub struct NotAToken;

/// What the QR holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatingToken {
    /// Which delivery, for the hub's eyes only.
    pub handle: Handle,
    /// First 128 bits of the phone's log head after the delivery.
    pub head: [u8; HEAD_BYTES],
    tag: [u8; MAC_BYTES],
}

/// The key with which one device may mint tokens for one delivery.
#[must_use]
pub fn rating_key(master: &Secret32, parcel: ParcelId, device: DeviceId) -> Secret32 {
    crypto::derive_key(master, &[KEY_DOMAIN, parcel.as_bytes(), device.as_bytes()])
}

/// First 128 bits of an entry hash.
#[must_use]
pub fn token_head(hash: &Hash32) -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    for (slot, byte) in head.iter_mut().zip(hash.0) {
        *slot = byte;
    }
    head
}

impl RatingToken {
    /// Mints a token for the entry with hash `head`.
    #[must_use]
    pub fn mint(key: &Secret32, handle: Handle, head: &Hash32) -> Self {
        let head = token_head(head);
        Self {
            handle,
            head,
            tag: tag(key, handle, &head),
        }
    }

    /// Whether `key` made this token. Constant time.
    #[must_use]
    pub fn verify(&self, key: &Secret32) -> bool {
        crypto::equal_ct(&self.tag, &tag(key, self.handle, &self.head))
    }

    /// The 37 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; TOKEN_BYTES] {
        let parts = [&[TOKEN_VERSION][..], &self.handle.0, &self.head, &self.tag];
        let mut out = [0; TOKEN_BYTES];
        for (slot, byte) in out.iter_mut().zip(parts.into_iter().flatten()) {
            *slot = *byte;
        }
        out
    }

    /// The 60 characters of the URL path.
    #[must_use]
    pub fn to_text(&self) -> String {
        base32(&self.to_bytes())
    }

    /// Reads a URL path segment.
    ///
    /// # Errors
    /// [`NotAToken`] for any other text.
    pub fn parse(text: &str) -> Result<Self, NotAToken> {
        if text.len() != TOKEN_CHARS {
            return Err(NotAToken);
        }
        let bytes = from_base32(text).ok_or(NotAToken)?;
        let (version, rest) = bytes.split_first().ok_or(NotAToken)?;
        let (handle, rest) = rest.split_first_chunk().ok_or(NotAToken)?;
        let (head, rest) = rest.split_first_chunk().ok_or(NotAToken)?;
        let tag = rest.try_into().map_err(|_| NotAToken)?;
        if *version != TOKEN_VERSION {
            return Err(NotAToken);
        }
        Ok(Self {
            handle: Handle(*handle),
            head: *head,
            tag,
        })
    }
}

fn tag(key: &Secret32, handle: Handle, head: &[u8; HEAD_BYTES]) -> [u8; MAC_BYTES] {
    let mac = crypto::hmac_sha256(key, &[TAG_DOMAIN, &[TOKEN_VERSION], &handle.0, head]);
    let mut out = [0; MAC_BYTES];
    for (slot, byte) in out.iter_mut().zip(mac) {
        *slot = byte;
    }
    out
}

/// The URL in the QR. Scheme and host in upper case are the same URL (RFC 3986 §3.1, §3.2.2) and
/// keep the whole text in the QR's alphanumeric mode. `base` is the hub's public address.
#[must_use]
pub fn rating_url(base: &str, token: &RatingToken) -> String {
    format!(
        "{}/{}",
        base.trim_end_matches('/').to_ascii_uppercase(),
        token.to_text()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> Secret32 {
        Secret32::new([4; 32])
    }

    #[test]
    fn a_token_survives_the_url_in_either_case_and_fits_the_small_qr() {
        let token = RatingToken::mint(&key(), Handle([1; 8]), &Hash32([2; 32]));
        let url = rating_url("https://r.example.com/", &token);
        assert_eq!(url.len(), 82);
        assert!(url.starts_with("HTTPS://R.EXAMPLE.COM/"));
        let text = url.rsplit('/').next().unwrap();
        assert_eq!(RatingToken::parse(text), Ok(token));
        assert_eq!(RatingToken::parse(&text.to_lowercase()), Ok(token));
        assert!(token.verify(&key()));
        assert!(!token.verify(&Secret32::new([5; 32])));
    }

    #[test]
    fn keys_are_bound_to_one_parcel_and_one_device() {
        let parcel = ParcelId(uuid::Uuid::from_u128(1));
        let device = DeviceId(uuid::Uuid::from_u128(2));
        let k = rating_key(&key(), parcel, device);
        assert_ne!(
            k.expose(),
            rating_key(&key(), ParcelId(device.0), device).expose()
        );
        assert_ne!(
            k.expose(),
            rating_key(&key(), parcel, DeviceId(parcel.0)).expose()
        );
    }

    #[test]
    fn every_one_bit_change_is_another_or_no_token_and_never_verifies() {
        let token = RatingToken::mint(&key(), Handle([1; 8]), &Hash32([2; 32]));
        for bit in 0..TOKEN_BYTES * 8 {
            let mut bytes = token.to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(bad) = RatingToken::parse(&base32(&bytes)) {
                assert!(!bad.verify(&key()), "bit {bit}");
            }
        }
    }

    proptest! {
        #[test]
        fn only_the_one_spelling_of_padding_is_read(text in "[0-9A-Z]{60}") {
            if let Ok(token) = RatingToken::parse(&text) {
                let written = token.to_text();
                prop_assert_eq!(RatingToken::parse(&written), Ok(token));
            }
        }

        #[test]
        fn rubbish_never_panics(text in "\\PC{0,80}") {
            let _ = RatingToken::parse(&text);
        }
    }
}
