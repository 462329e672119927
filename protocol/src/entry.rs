//! The evidence entry: what a phone signs, chains and can never change.
//!
//! An entry is a header and a body. The header carries order, time and bindings; it is hashed, chained
//! and signed. The body carries what may be personal and sits behind a salted commitment, so that it
//! can be erased later (PIPL 47) while chain and signatures still verify. The hash of a header is the
//! leaf hash of RFC 9162, so the hub's transparency log commits to exactly what the phone signed.

use ed25519_dalek::{SigningKey, VerifyingKey};
use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::codec::{self, FormatError};
use crate::crypto;
use crate::ids::{BootId, DeviceId, Handle, Hash32, Salt, Sig64};
use crate::limits;

/// Version of the header format.
pub const ENTRY_VERSION: u8 = 1;
/// Algorithm set 1: Ed25519 signatures, SHA-256 hashes and commitments.
pub const ALG_ED25519_SHA256: u8 = 1;

const LEAF_PREFIX: &[u8] = &[0x00];
const SIGN_DOMAIN: &[u8] = b"satchel-entry/1\0";

/// What an entry records. Stored as a number so that an old peer keeps what it does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct EntryKind(#[n(0)] pub u16);

impl EntryKind {
    /// The first entry of a device's log: who enrolled it, at which hub.
    pub const ENROLLED: Self = Self(1);
    /// The outcome of one visit for one parcel.
    pub const ATTEMPT: Self = Self(2);
    /// Personal data of a stop was unmasked on the phone (A038).
    pub const REVEALED: Self = Self(3);
    /// A customer's consent taken at the door (A033).
    pub const CONSENT: Self = Self(4);
    /// A consent was withdrawn, as told to the courier.
    pub const CONSENT_WITHDRAWN: Self = Self(5);
    /// An earlier event was not as recorded (B4-4).
    pub const CORRECTION: Self = Self(6);
    /// A try to reach the customer (A036).
    pub const CALL: Self = Self(7);
    /// An abnormal report (A042).
    pub const REPORT: Self = Self(8);
    /// A scan at the vehicle (A204).
    pub const LOAD_SCAN: Self = Self(9);
    /// A parcel collected from a sender, or refused (A198).
    pub const PICKUP: Self = Self(10);
    /// Temperature readings (A039).
    pub const TEMPERATURE: Self = Self(11);
    /// A try of the recipient's code.
    pub const CODE_ENTRY: Self = Self(12);
    /// A shift started or ended.
    pub const DUTY: Self = Self(13);
    /// The customer is to be reminded now (A021).
    pub const REMINDER_DUE: Self = Self(14);
    /// The phone refused a rule set and kept its own.
    pub const RULESET_REFUSED: Self = Self(15);
    /// The hub's transparency log began anew; both checkpoints.
    pub const HUB_LOG_RESTARTED: Self = Self(17);
    /// The content of entries about one delivery was erased (PIPL 47).
    pub const ERASED: Self = Self(18);
    /// From the next entry on another key signs this log ([`crate::device_keys`]).
    pub const KEY_ROTATED: Self = Self(19);
    /// In the hub's own journal: a customer rated a delivery.
    pub const RATED: Self = Self(0x4001);
    /// In the hub's own journal: which parcels a phone was given.
    pub const GIVEN_OUT: Self = Self(0x4031);
    /// A step of a parcel without a visit.
    pub const PARCEL_STEP: Self = Self(16);
}

/// The signed part of an entry. Field order is the wire order.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Header {
    /// [`ENTRY_VERSION`].
    #[n(0)]
    pub version: u8,
    /// [`ALG_ED25519_SHA256`].
    #[n(1)]
    pub alg: u8,
    /// Whose log this is.
    #[n(2)]
    pub device: DeviceId,
    /// Position in the device's log, from 1 without gaps.
    #[n(3)]
    pub seq: i64,
    /// Hash of the entry before, or zero for the first.
    #[n(4)]
    pub prev: Hash32,
    /// What the body is.
    #[n(5)]
    pub kind: EntryKind,
    /// The phone's wall clock when it happened, Unix milliseconds.
    #[n(6)]
    pub occurred_at_ms: i64,
    /// Which run of the device `boottime_ns` counts in.
    #[n(7)]
    pub boot_id: BootId,
    /// Nanoseconds since boot, sleep included; cannot be set by hand (A16 clocks, security §3.7).
    #[n(8)]
    pub boottime_ns: i64,
    /// Local offset from UTC at the door, minutes.
    #[n(9)]
    pub utc_offset_min: i16,
    /// The signed hub time this entry is known to come after, if the phone had one.
    #[n(10)]
    pub anchor: Option<Hash32>,
    /// The delivery's public handle, so that evidence can be found after its body is erased.
    #[n(11)]
    pub handle: Option<Handle>,
    /// `SHA-256(salt ‖ body)`.
    #[n(12)]
    pub commitment: Hash32,
    /// Proofs bound to this entry, by the hash of their plain bytes (B4-1).
    #[n(13)]
    pub blobs: Vec<Hash32>,
}

/// An entry as it is stored and sent: exact bytes, never re-encoded.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SignedEntry {
    /// The canonical encoding of a [`Header`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub header: Vec<u8>,
    /// Ed25519 over the domain and `header`.
    #[n(1)]
    pub sig: Sig64,
    /// Salt of the commitment; gone once the body is erased.
    #[n(2)]
    pub salt: Option<Salt>,
    /// The body; gone once erased.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub body: Option<Vec<u8>>,
}

/// Why an entry is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Not the format.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The signature is not this device's.
    #[error("signature does not verify")]
    BadSignature,
    /// The body is not the one that was committed to.
    #[error("body does not match its commitment")]
    CommitmentMismatch,
    /// One of salt and body is there and the other is not.
    #[error("body and salt must come together")]
    HalfErased,
}

/// The hash by which an entry is chained, receipted and put into the hub's tree.
#[must_use]
pub fn header_hash(header: &[u8]) -> Hash32 {
    crypto::sha256(&[LEAF_PREFIX, header])
}

/// The commitment that hides and binds a body.
#[must_use]
pub fn commitment(salt: &Salt, body: &[u8]) -> Hash32 {
    crypto::sha256(&[&salt.0, body])
}

impl Header {
    /// The one canonical encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads a header and refuses any other encoding of the same fields.
    ///
    /// # Errors
    /// [`FormatError`] for anything but canonical bytes of a known version within the limits.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let header: Self =
            codec::decode_canonical("entry header", bytes, limits::MAX_HEADER_BYTES)?;
        if header.version != ENTRY_VERSION || header.alg != ALG_ED25519_SHA256 {
            return Err(FormatError::UnknownVersion {
                what: "entry header",
                version: u32::from(header.version) << 8 | u32::from(header.alg),
            });
        }
        if header.blobs.len() > limits::MAX_BLOBS_PER_ENTRY {
            return Err(FormatError::TooLarge {
                what: "entry blob list",
                size: header.blobs.len(),
                limit: limits::MAX_BLOBS_PER_ENTRY,
            });
        }
        if header.seq < 1 {
            return Err(FormatError::Malformed { what: "entry seq" });
        }
        Ok(header)
    }
}

impl SignedEntry {
    /// Commits to `body`, signs `header` and keeps the exact bytes. `header.commitment` is set here.
    #[must_use]
    pub fn seal(mut header: Header, salt: Salt, body: Vec<u8>, key: &SigningKey) -> Self {
        header.commitment = commitment(&salt, &body);
        let header = header.encode();
        let sig = crypto::sign(key, SIGN_DOMAIN, &header);
        Self {
            header,
            sig,
            salt: Some(salt),
            body: Some(body),
        }
    }

    /// Makes the signature over the same header anew: it is a function of key and header alone.
    pub fn sign_again(&mut self, key: &SigningKey) {
        self.sig = crypto::sign(key, SIGN_DOMAIN, &self.header);
    }

    /// Checks form, signature and commitment, and gives the header.
    ///
    /// An erased entry (neither salt nor body) verifies as far as it goes: chain and signature.
    ///
    /// # Errors
    /// [`EntryError`], one variant per way of being wrong.
    pub fn verify(&self, key: &VerifyingKey) -> Result<Header, EntryError> {
        let header = Header::decode(&self.header)?;
        if !crypto::verify(key, SIGN_DOMAIN, &self.header, &self.sig) {
            return Err(EntryError::BadSignature);
        }
        match (&self.salt, &self.body) {
            (Some(_), Some(body)) if body.len() > limits::MAX_BODY_BYTES => {
                Err(FormatError::TooLarge {
                    what: "entry body",
                    size: body.len(),
                    limit: limits::MAX_BODY_BYTES,
                }
                .into())
            }
            (Some(salt), Some(body)) if commitment(salt, body) != header.commitment => {
                Err(EntryError::CommitmentMismatch)
            }
            (Some(_), Some(_)) | (None, None) => Ok(header),
            _ => Err(EntryError::HalfErased),
        }
    }

    /// The entry's hash.
    #[must_use]
    pub fn hash(&self) -> Hash32 {
        header_hash(&self.header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn sample(key: &SigningKey) -> SignedEntry {
        SignedEntry::seal(
            Header {
                version: ENTRY_VERSION,
                alg: ALG_ED25519_SHA256,
                device: DeviceId(uuid::Uuid::from_u128(7)),
                seq: 1,
                prev: Hash32::ZERO,
                kind: EntryKind::ATTEMPT,
                occurred_at_ms: 1_760_000_000_000,
                boot_id: BootId([3; 16]),
                boottime_ns: 42,
                utc_offset_min: 480,
                anchor: None,
                handle: Some(Handle([9; 8])),
                commitment: Hash32::ZERO,
                blobs: vec![Hash32([5; 32])],
            },
            Salt([1; 32]),
            b"body".to_vec(),
            key,
        )
    }

    #[test]
    fn every_one_bit_change_of_header_signature_salt_or_body_is_refused() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let good = sample(&key);
        assert!(good.verify(&key.verifying_key()).is_ok());
        let flips = |len: usize| (0..len * 8).map(|bit| (bit / 8, 1u8 << (bit % 8)));
        for (at, mask) in flips(good.header.len()) {
            let mut bad = good.clone();
            bad.header[at] ^= mask;
            assert!(
                bad.verify(&key.verifying_key()).is_err(),
                "header byte {at} mask {mask}"
            );
        }
        for (at, mask) in flips(64) {
            let mut bad = good.clone();
            bad.sig.0[at] ^= mask;
            assert_eq!(
                bad.verify(&key.verifying_key()),
                Err(EntryError::BadSignature)
            );
        }
        for (at, mask) in flips(4) {
            let mut bad = good.clone();
            bad.body.as_mut().unwrap()[at] ^= mask;
            assert_eq!(
                bad.verify(&key.verifying_key()),
                Err(EntryError::CommitmentMismatch)
            );
        }
    }

    #[test]
    fn an_erased_body_leaves_a_verifiable_entry_but_half_an_erasure_does_not() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let mut entry = sample(&key);
        entry.body = None;
        assert_eq!(
            entry.verify(&key.verifying_key()),
            Err(EntryError::HalfErased)
        );
        entry.salt = None;
        assert!(entry.verify(&key.verifying_key()).is_ok());
    }

    #[test]
    fn a_longer_integer_for_the_same_value_is_not_canonical() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let good = sample(&key).header;
        // Version 1 as 0x18 0x01 means the same number in a longer form.
        let mut long = vec![good[0], 0x18, 0x01];
        long.extend_from_slice(&good[2..]);
        assert_eq!(
            Header::decode(&long),
            Err(FormatError::NotCanonical {
                what: "entry header"
            })
        );
    }
}
