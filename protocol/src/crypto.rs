//! The one place that names the cryptographic primitives, so that a reviewer finds them all.
//!
//! SHA-256, HMAC-SHA-256, HKDF-SHA-256 and Ed25519 (RFC 8032, strict verification). Sealing of stored
//! data (XChaCha20-Poly1305, the encrypted store) is the phone's own business and lives in the core; the one sealed file
//! that both sides read is [`crate::export`].

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::ids::{Hash32, KeyId, Sig64};

/// 32 secret bytes that wipe themselves and never print themselves.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret32([u8; 32]);

impl Secret32 {
    /// Takes the bytes over.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a primitive or a sealed store only.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl core::fmt::Debug for Secret32 {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret32(..)")
    }
}

impl TryFrom<&[u8]> for Secret32 {
    type Error = core::array::TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

/// SHA-256 over the concatenation of `parts`.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> Hash32 {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    Hash32(hasher.finalize().into())
}

/// HMAC-SHA-256 over the concatenation of `parts`.
#[must_use]
pub fn hmac_sha256(key: &Secret32, parts: &[&[u8]]) -> [u8; 32] {
    // An HMAC key of any length is valid, so `new` over a fixed array has no failing path.
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&(*key.expose()).into_padded());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Pads a 32-byte key to the 64-byte block that HMAC defines; equal to giving the short key.
trait IntoPadded {
    fn into_padded(self) -> hmac::digest::Key<Hmac<Sha256>>;
}

impl IntoPadded for [u8; 32] {
    fn into_padded(self) -> hmac::digest::Key<Hmac<Sha256>> {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        for (slot, byte) in block.iter_mut().zip(self) {
            *slot = byte;
        }
        block
    }
}

/// HKDF-SHA-256 without salt: one 32-byte key per `info`.
#[must_use]
pub fn derive_key(master: &Secret32, info: &[&[u8]]) -> Secret32 {
    let mut out = [0u8; 32];
    // 32 bytes are far below HKDF's limit of 255 hash lengths, so expanding cannot fail.
    if Hkdf::<Sha256>::new(None, master.expose())
        .expand_multi_info(info, &mut out)
        .is_err()
    {
        out = hmac_sha256(master, info);
    }
    Secret32::new(out)
}

/// Compares without telling by its timing where the first difference is.
#[must_use]
pub fn equal_ct(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// Signs `domain ‖ message` with Ed25519.
#[must_use]
pub fn sign(key: &SigningKey, domain: &[u8], message: &[u8]) -> Sig64 {
    Sig64(key.sign(&[domain, message].concat()).to_bytes())
}

/// Checks an Ed25519 signature over `domain ‖ message`, refusing weak keys and malleable forms.
#[must_use]
pub fn verify(key: &VerifyingKey, domain: &[u8], message: &[u8], sig: &Sig64) -> bool {
    key.verify_strict(&[domain, message].concat(), &Signature::from_bytes(&sig.0))
        .is_ok()
}

/// The short name of a public key.
#[must_use]
pub fn key_id(key: &VerifyingKey) -> KeyId {
    let Hash32(hash) = sha256(&[key.as_bytes()]);
    let mut id = [0u8; 8];
    for (slot, byte) in id.iter_mut().zip(hash) {
        *slot = byte;
    }
    KeyId(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    #[test]
    fn hmac_matches_rfc_4231_case_2_with_its_key_padded() {
        // RFC 4231 case 2 uses the 4-byte key "Jefe"; zero padding is part of HMAC's definition.
        let mut key = [0u8; 32];
        key[..4].copy_from_slice(b"Jefe");
        let tag = hmac_sha256(&Secret32::new(key), &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(
            HEXLOWER.encode(&tag),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn derived_keys_differ_by_info_and_secrets_do_not_print() {
        let master = Secret32::new([7; 32]);
        let a = derive_key(&master, &[b"a"]);
        let b = derive_key(&master, &[b"b"]);
        assert_ne!(a.expose(), b.expose());
        assert_eq!(format!("{a:?}"), "Secret32(..)");
    }
}
