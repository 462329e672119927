//! The one place that names the cryptographic primitives, so that a reviewer finds them all.
//!
//! SHA-256, HMAC-SHA-256, HKDF-SHA-256, Ed25519 (RFC 8032, strict verification) and, for the keys that a
//! phone's hardware holds, checks of ECDSA over P-256: the one curve that both platforms offer. Sealing of stored
//! data (XChaCha20-Poly1305, the encrypted store) is the phone's own business and lives in the core; the one sealed file
//! that both sides read is [`crate::export`].

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa;
use p256::ecdsa::signature::Verifier as _;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::ids::{Hash32, KeyId, P256Key, Sig64};

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

/// What stands before the point where a platform gives a P-256 key as `SubjectPublicKeyInfo` (RFC 5480).
const P256_SPKI_PREFIX: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Reads a P-256 public key in the forms that phones give: a point of SEC 1, bare or as
/// `SubjectPublicKeyInfo` in DER. `None` for anything that is not a point of the curve.
#[must_use]
pub fn p256_key(bytes: &[u8]) -> Option<P256Key> {
    let point = bytes.strip_prefix(P256_SPKI_PREFIX).unwrap_or(bytes);
    // Compressed or plain; the third form of SEC 1 does not say which of two points is meant.
    let key = match point.first()? {
        2..=4 => ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?,
        _ => return None,
    };
    P256Key::try_from(key.to_sec1_point(true).as_bytes()).ok()
}

/// Reads an ECDSA signature as phones give it, in DER or as two numbers, and brings it into its one form: of
/// the two values of `s` that verify, the lower.
#[must_use]
pub fn p256_signature(bytes: &[u8]) -> Option<Sig64> {
    let signature = match bytes.len() {
        64 => ecdsa::Signature::from_slice(bytes),
        _ => ecdsa::Signature::from_der(bytes),
    };
    Sig64::try_from(signature.ok()?.normalize_s().to_bytes().as_slice()).ok()
}

/// Checks a P-256 signature (ECDSA with SHA-256) over `domain ‖ message`, refusing its malleable form.
#[must_use]
pub fn p256_verify(key: &P256Key, domain: &[u8], message: &[u8], sig: &Sig64) -> bool {
    let (Ok(key), Ok(signature)) = (
        ecdsa::VerifyingKey::from_sec1_bytes(&key.0),
        ecdsa::Signature::from_slice(&sig.0),
    ) else {
        return false;
    };
    signature.normalize_s() == signature
        && key.verify(&[domain, message].concat(), &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    #[test]
    fn a_hardware_key_is_read_as_platforms_give_it_and_its_signature_has_one_form() {
        let secret = ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
        let public = secret.verifying_key();
        let key = p256_key(public.to_sec1_point(true).as_bytes()).unwrap();
        let bare = public.to_sec1_point(false);
        assert_eq!(p256_key(bare.as_bytes()), Some(key));
        let spki = [P256_SPKI_PREFIX, bare.as_bytes()].concat();
        assert_eq!(p256_key(&spki), Some(key));
        for bad in [
            &[] as &[u8],
            &[5; 33],
            &spki[1..],
            &bare.as_bytes()[..64],
            &[4; 65],
        ] {
            assert_eq!(p256_key(bad), None);
        }
        // Many messages, because about half of all signatures come in the higher form.
        for n in 0..16u8 {
            let made: ecdsa::Signature = secret.sign(&[b"domain".as_slice(), &[n]].concat());
            let sig = p256_signature(made.to_der().as_bytes()).unwrap();
            assert_eq!(p256_signature(&made.to_bytes()), Some(sig));
            assert!(p256_verify(&key, b"domain", &[n], &sig));
            assert!(!p256_verify(&key, b"domain", &[n, 0], &sig));
            let low = ecdsa::Signature::from_slice(&sig.0).unwrap();
            let high = ecdsa::Signature::from_scalars(*low.r(), -*low.s()).unwrap();
            let high = Sig64::try_from(high.to_bytes().as_slice()).unwrap();
            assert!(!p256_verify(&key, b"domain", &[n], &high));
        }
        assert_eq!(p256_signature(&[0; 64]), None);
        assert_eq!(p256_signature(b"\x30\x06"), None);
    }

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
