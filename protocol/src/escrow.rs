//! The key of a phone's store, sealed to the operator's recovery key: the second way to unsynced evidence when a
//! phone's keystore has forgotten the first (security notes §3.4, docs/adr/0053).
//!
//! Sealed by HPKE (RFC 9180, base mode: X25519, HKDF-SHA-256, ChaCha20-Poly1305). The blob lies beside the store and
//! at the hub. It names the device and a check of the key, and both are bound into the seal: another phone's blob, or
//! one for an earlier key, is told apart before anything is tried on a store.

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::codec::{self, FormatError};
use crate::crypto::{self, Secret32};
use crate::ids::{DeviceId, Hash32};
use crate::token::{base32, from_base32};

const INFO: &[u8] = b"satchel-escrow/1";
const KEY_CHECK_DOMAIN: &[u8] = b"satchel-key-check/1";
const RECOVERY_PREFIX: &str = "SATCHEL-RECOVERY-KEY:";
/// What a request with a sealed key says it is.
pub const ESCROW_MEDIA_TYPE: &str = "application/vnd.satchel.escrow";
/// Largest file of sealed keys.
pub const MAX_FILE_BYTES: usize = 4_096;
/// More sealed keys than a phone ever has at once: the one in use and the one that follows it.
pub const MAX_KEYS: usize = 8;

/// Says which key it is without giving it away: a MAC of a constant under the key.
#[must_use]
pub fn key_check(key: &Secret32) -> Hash32 {
    Hash32(crypto::hmac_sha256(key, &[KEY_CHECK_DOMAIN]))
}

/// The private half of a recovery key. It belongs on no disk of the hub's.
pub struct RecoveryKey {
    seed: Secret32,
    private: <X25519HkdfSha256 as Kem>::PrivateKey,
    public: Hash32,
}

impl RecoveryKey {
    /// The key that 32 random bytes make.
    #[must_use]
    pub fn new(seed: Secret32) -> Self {
        let (private, public) = X25519HkdfSha256::derive_keypair(seed.expose());
        let mut bytes = [0; 32];
        for (slot, byte) in bytes.iter_mut().zip(public.to_bytes()) {
            *slot = byte;
        }
        Self {
            seed,
            private,
            public: Hash32(bytes),
        }
    }

    /// The half that phones are told.
    #[must_use]
    pub fn public(&self) -> Hash32 {
        self.public
    }

    /// The private half as a line of text, to be kept offline.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{RECOVERY_PREFIX}{}", base32(self.seed.expose()))
    }

    /// Reads [`Self::to_text`].
    ///
    /// # Errors
    /// [`EscrowError::NotARecoveryKey`] for any other text.
    pub fn parse(text: &str) -> Result<Self, EscrowError> {
        let text = text.trim().to_ascii_uppercase();
        let seed = text.strip_prefix(RECOVERY_PREFIX).and_then(from_base32);
        let seed = seed.ok_or(EscrowError::NotARecoveryKey)?;
        let seed = Secret32::try_from(seed.as_slice());
        Ok(Self::new(seed.map_err(|_| EscrowError::NotARecoveryKey)?))
    }
}

/// Why a sealed key cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EscrowError {
    /// Not the format.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// A text that is no recovery key.
    #[error("not a recovery key")]
    NotARecoveryKey,
    /// Sealed to another recovery key.
    #[error("the store's key was sealed to another recovery key")]
    OtherRecoveryKey,
    /// The seal does not fit what the blob says of itself.
    #[error("the sealed key was changed")]
    Changed,
}

/// The key of one store, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Escrow {
    /// 1.
    #[n(0)]
    pub version: u8,
    /// Whose store.
    #[n(1)]
    pub device: DeviceId,
    /// [`key_check`] of the key inside.
    #[n(2)]
    pub key_check: Hash32,
    /// The public half of the recovery key it is sealed to.
    #[n(3)]
    pub recovery: Hash32,
    #[cbor(n(4), with = "minicbor::bytes")]
    encapsulated: Vec<u8>,
    #[cbor(n(5), with = "minicbor::bytes")]
    sealed: Vec<u8>,
}

impl Escrow {
    /// Seals the key of a store. `one_time` are 32 random bytes that are used for nothing else.
    ///
    /// # Errors
    /// [`EscrowError::NotARecoveryKey`] for a public key that is none.
    pub fn seal(
        device: DeviceId,
        key: &Secret32,
        recovery: Hash32,
        one_time: Secret32,
    ) -> Result<Self, EscrowError> {
        let unfit = |_| EscrowError::NotARecoveryKey;
        let public = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&recovery.0);
        let check = key_check(key);
        let (encapsulated, sealed) =
            hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
                &OpModeS::Base,
                &public.map_err(unfit)?,
                INFO,
                key.expose(),
                &bound(device, check, recovery),
                &mut OneTime { one_time, used: 0 },
            )
            .map_err(unfit)?;
        Ok(Self {
            version: 1,
            device,
            key_check: check,
            recovery,
            encapsulated: encapsulated.to_bytes().to_vec(),
            sealed,
        })
    }

    /// Opens it with the recovery key's private half.
    ///
    /// # Errors
    /// [`EscrowError::OtherRecoveryKey`]; [`EscrowError::Changed`] when anything of it is not as it was sealed.
    pub fn open(&self, recovery: &RecoveryKey) -> Result<Secret32, EscrowError> {
        if self.recovery != recovery.public {
            return Err(EscrowError::OtherRecoveryKey);
        }
        let changed = |_| EscrowError::Changed;
        let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&self.encapsulated)
            .map_err(changed)?;
        let plain = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &recovery.private,
            &encapsulated,
            INFO,
            &self.sealed,
            &bound(self.device, self.key_check, self.recovery),
        );
        let plain = zeroize::Zeroizing::new(plain.map_err(changed)?);
        let key = Secret32::try_from(plain.as_slice()).map_err(|_| EscrowError::Changed)?;
        match key_check(&key) == self.key_check {
            true => Ok(key),
            false => Err(EscrowError::Changed),
        }
    }

    /// The bytes to store or send.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let escrow: Self = codec::decode("sealed key", bytes, MAX_FILE_BYTES)?;
        match escrow.version {
            1 => Ok(escrow),
            version => Err(FormatError::UnknownVersion {
                what: "sealed key",
                version: u32::from(version),
            }),
        }
    }
}

/// The keys that one store has or is about to have, sealed, as they lie in a file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array)]
pub struct EscrowFile {
    /// The newest last.
    #[n(0)]
    pub keys: Vec<Escrow>,
}

impl EscrowFile {
    /// The file's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`FormatError`], also for more than [`MAX_KEYS`].
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let file: Self = codec::decode("sealed keys", bytes, MAX_FILE_BYTES)?;
        match file.keys.len() {
            0..=MAX_KEYS => Ok(file),
            size => Err(FormatError::TooLarge {
                what: "sealed keys",
                size,
                limit: MAX_KEYS,
            }),
        }
    }
}

/// What a seal is bound to.
fn bound(device: DeviceId, check: Hash32, recovery: Hash32) -> Vec<u8> {
    [&device.as_bytes()[..], &check.0, &recovery.0].concat()
}

/// Randomness that was drawn outside: this crate draws none. Whatever is asked for follows from it, and no two
/// questions get the same answer.
struct OneTime {
    one_time: Secret32,
    used: u64,
}

impl OneTime {
    fn word<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        let Ok(()) = self.try_fill_bytes(&mut out);
        out
    }
}

impl TryRng for OneTime {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(u32::from_le_bytes(self.word()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(u64::from_le_bytes(self.word()))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        for part in out.chunks_mut(32) {
            let drawn = crypto::derive_key(&self.one_time, &[INFO, &self.used.to_be_bytes()]);
            self.used += 1;
            for (slot, byte) in part.iter_mut().zip(drawn.expose()) {
                *slot = *byte;
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for OneTime {}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn sealed(recovery: &RecoveryKey) -> Escrow {
        let device = DeviceId(Uuid::from_u128(1));
        let (key, one_time) = (Secret32::new([4; 32]), Secret32::new([5; 32]));
        Escrow::seal(device, &key, recovery.public(), one_time).unwrap()
    }

    #[test]
    fn a_sealed_key_opens_for_its_recovery_key_alone_and_only_as_it_was() {
        let recovery = RecoveryKey::new(Secret32::new([1; 32]));
        let escrow = sealed(&recovery);
        assert_eq!(escrow.open(&recovery).unwrap().expose(), &[4; 32]);
        let other = RecoveryKey::new(Secret32::new([2; 32]));
        let refused = escrow.open(&other).map(|_| ()).unwrap_err();
        assert_eq!(refused, EscrowError::OtherRecoveryKey);
        let other_device = Escrow {
            device: DeviceId(Uuid::from_u128(2)),
            ..escrow.clone()
        };
        let refused = other_device.open(&recovery).map(|_| ()).unwrap_err();
        assert_eq!(refused, EscrowError::Changed);

        let bytes = escrow.encode();
        assert_eq!(Escrow::decode(&bytes).unwrap(), escrow);
        assert!(!bytes.windows(4).any(|w| w == [4; 4]), "the key is inside");
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let opened = Escrow::decode(&bad)
                .map_err(EscrowError::from)
                .and_then(|e| e.open(&recovery));
            assert!(opened.is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_recovery_key_is_a_line_of_text_and_its_public_half_follows_from_it() {
        let key = RecoveryKey::new(Secret32::new([9; 32]));
        let read = RecoveryKey::parse(&format!(" {}\n", key.to_text())).unwrap();
        assert_eq!(read.public(), key.public());
        for bad in ["", "SATCHEL-RECOVERY-KEY:", "SATCHEL-RECOVERY-KEY:00", "00"] {
            assert!(RecoveryKey::parse(bad).is_err(), "{bad}");
        }
        // A public key that gives everybody the same secret is none.
        let device = DeviceId(Uuid::from_u128(1));
        let (store, one_time) = (Secret32::new([4; 32]), Secret32::new([5; 32]));
        let refused = Escrow::seal(device, &store, Hash32([0; 32]), one_time);
        assert_eq!(refused, Err(EscrowError::NotARecoveryKey));
    }

    #[test]
    fn two_seals_of_one_key_have_nothing_in_common() {
        let recovery = RecoveryKey::new(Secret32::new([1; 32]));
        let again = Escrow::seal(
            sealed(&recovery).device,
            &Secret32::new([4; 32]),
            recovery.public(),
            Secret32::new([6; 32]),
        );
        let (one, two) = (sealed(&recovery), again.unwrap());
        assert_ne!(one.encapsulated, two.encapsulated);
        assert_ne!(one.sealed, two.sealed);
        let file = EscrowFile {
            keys: vec![one, two],
        };
        assert_eq!(EscrowFile::decode(&file.encode()).unwrap(), file);
        assert!(EscrowFile::decode(b"\x81").is_err());
    }
}
