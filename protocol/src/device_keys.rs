//! A device's keys: the Ed25519 key that signs its log, the P-256 key in its hardware that vouches for it, and
//! how one log key follows another.
//!
//! Hardware is too slow, and on one of the two platforms unable, to sign every entry, so the log key is software.
//! What a thief can copy must not be all there is: a [`KeyStatement`] says which log key a device uses, the new key
//! signs it to show that it is held, and the hardware key signs it to show in which phone. At enrolment it names
//! the one-time code; when keys change it names the key before, and is the content of an entry that this key
//! signed. [`KeyChain`] then says which key counts at which place of a log (security notes §3.4).

use ed25519_dalek::{SigningKey, VerifyingKey};
use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::codec::{self, FormatError};
use crate::crypto;
use crate::enrol::Certificate;
use crate::entry::{EntryError, EntryKind, Header, SignedEntry};
use crate::ids::{DeviceId, Hash32, P256Key, Sig64};

const STATEMENT_DOMAIN: &[u8] = b"satchel-device-key/1\0";
const CODE_DOMAIN: &[u8] = b"satchel-device-key-code/1\0";
const MAX_STATEMENT_BYTES: usize = 512;
/// More changes of one device's key than this are not followed: a change a month for five years.
pub const MAX_ROTATIONS: usize = 64;

/// What a statement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Purpose {
    /// The device's first key.
    #[n(1)]
    Enrolment,
    /// A key that follows another.
    #[n(2)]
    Rotation,
}

/// Which key a device signs its log with.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct KeyStatement {
    /// 1.
    #[n(0)]
    pub version: u8,
    /// At enrolment, or later.
    #[n(1)]
    pub purpose: Purpose,
    /// The device.
    #[n(2)]
    pub device: DeviceId,
    /// Its Ed25519 public key.
    #[n(3)]
    pub log_key: Hash32,
    /// What it follows from: a hash of the one-time code, or the log key before.
    #[n(4)]
    pub follows: Hash32,
    /// The P-256 key in the device's hardware, where it has one.
    #[n(5)]
    pub hardware_key: Option<P256Key>,
}

/// A statement with its signatures over the exact bytes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SignedStatement {
    /// The encoded [`KeyStatement`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    /// By the log key it names: whoever asks for it holds it.
    #[n(1)]
    pub log_sig: Sig64,
    /// By the hardware key it names.
    #[n(2)]
    pub hardware_sig: Option<Sig64>,
}

/// Why a statement or a change of keys does not count.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not the format.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The entry that should carry it does not verify under the key before.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// A signature is missing or does not verify.
    #[error("a key statement is not signed by the keys it names")]
    BadSignature,
    /// True, and about something else: another device, another code, another key before.
    #[error("a key statement is about something else")]
    OutOfPlace,
    /// The hardware key is not the one the device enrolled with.
    #[error("a key statement names another hardware key than the device has")]
    OtherHardware,
    /// The keys of this device changed oftener than anybody changes keys.
    #[error("too many changes of keys")]
    TooMany,
}

/// The name of a one-time code inside a statement, which may be shown to anybody.
#[must_use]
pub fn code_name(code: &str) -> Hash32 {
    crypto::sha256(&[CODE_DOMAIN, code.as_bytes()])
}

impl KeyStatement {
    /// The bytes that both keys sign.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// What the hardware key is asked to sign.
    #[must_use]
    pub fn to_be_signed(&self) -> Vec<u8> {
        [STATEMENT_DOMAIN, &self.encode()].concat()
    }

    /// Signs with the log key that the statement names. `hardware_sig` is over [`Self::to_be_signed`].
    #[must_use]
    pub fn sign(&self, log_key: &SigningKey, hardware_sig: Option<Sig64>) -> SignedStatement {
        let bytes = self.encode();
        let log_sig = crypto::sign(log_key, STATEMENT_DOMAIN, &bytes);
        SignedStatement {
            bytes,
            log_sig,
            hardware_sig,
        }
    }

    /// Whether this is the hardware key's signature over the statement.
    #[must_use]
    pub fn is_signed_by_hardware(&self, sig: &Sig64) -> bool {
        self.hardware_key
            .is_some_and(|key| crypto::p256_verify(&key, STATEMENT_DOMAIN, &self.encode(), sig))
    }
}

impl SignedStatement {
    /// The bytes to store or send.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads a statement; nothing of it is checked yet.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        codec::decode("key statement", bytes, MAX_STATEMENT_BYTES)
    }

    /// Checks both signatures and gives what is said.
    ///
    /// # Errors
    /// [`KeyError::BadSignature`] also where one of hardware key and its signature is there without the other.
    pub fn verify(&self) -> Result<KeyStatement, KeyError> {
        let said: KeyStatement =
            codec::decode_canonical("key statement", &self.bytes, MAX_STATEMENT_BYTES)?;
        if said.version != 1 {
            return Err(FormatError::UnknownVersion {
                what: "key statement",
                version: u32::from(said.version),
            }
            .into());
        }
        let by_log = VerifyingKey::from_bytes(&said.log_key.0)
            .is_ok_and(|key| crypto::verify(&key, STATEMENT_DOMAIN, &self.bytes, &self.log_sig));
        let by_hardware = match (&said.hardware_key, &self.hardware_sig) {
            (None, None) => true,
            (Some(_), Some(sig)) => said.is_signed_by_hardware(sig),
            _ => false,
        };
        match by_log && by_hardware {
            true => Ok(said),
            false => Err(KeyError::BadSignature),
        }
    }
}

/// Which key signs which part of one device's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyChain {
    device: DeviceId,
    hardware: Option<P256Key>,
    /// From which place on, and the key; never empty.
    keys: Vec<(i64, VerifyingKey)>,
}

impl KeyChain {
    /// The chain as it begins: with the key that the hub vouched for. `None` for a certificate whose key is none.
    #[must_use]
    pub fn of(certificate: &Certificate) -> Option<Self> {
        let key = VerifyingKey::from_bytes(&certificate.log_key.0).ok()?;
        Some(Self {
            device: certificate.device,
            hardware: certificate.hardware_key,
            keys: vec![(1, key)],
        })
    }

    /// Whose keys they are.
    #[must_use]
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// The key in the device's hardware, if it enrolled with one.
    #[must_use]
    pub fn hardware(&self) -> Option<P256Key> {
        self.hardware
    }

    /// How often the key changed.
    #[must_use]
    pub fn rotations(&self) -> usize {
        self.keys.len().saturating_sub(1)
    }

    /// The key that an entry at `seq` has to be signed with.
    #[must_use]
    pub fn key_at(&self, seq: i64) -> Option<&VerifyingKey> {
        let (_, key) = self.keys.iter().rev().find(|(from, _)| *from <= seq)?;
        Some(key)
    }

    /// Checks an entry under the key that counts at its place.
    ///
    /// # Errors
    /// As [`SignedEntry::verify`].
    pub fn verify(&self, entry: &SignedEntry) -> Result<Header, EntryError> {
        let header = Header::decode(&entry.header)?;
        let key = self.key_at(header.seq).ok_or(EntryError::BadSignature)?;
        entry.verify(key)
    }

    /// Whether an entry is a change of keys that this chain has already followed.
    #[must_use]
    pub fn knows(&self, header: &Header) -> bool {
        header.kind == EntryKind::KEY_ROTATED
            && self
                .keys
                .iter()
                .skip(1)
                .any(|(from, _)| *from == header.seq + 1)
    }

    /// Follows a change of keys. The entry must be signed by the key before, name it, and carry the signatures of
    /// the new key and of the hardware key the device enrolled with. Changes come in their order.
    ///
    /// # Errors
    /// [`KeyError`]; the chain is then as it was.
    pub fn rotate(&mut self, entry: &SignedEntry) -> Result<(), KeyError> {
        let header = self.verify(entry)?;
        let body = entry.body.as_deref().ok_or(KeyError::OutOfPlace)?;
        let said = SignedStatement::decode(body)?.verify()?;
        let (from, before) = self.keys.last().ok_or(KeyError::OutOfPlace)?;
        let in_place = header.kind == EntryKind::KEY_ROTATED
            && header.device == self.device
            && header.seq >= *from
            && said.purpose == Purpose::Rotation
            && said.device == self.device
            && said.follows.0 == before.to_bytes()
            && !self
                .keys
                .iter()
                .any(|(_, k)| k.to_bytes() == said.log_key.0);
        if !in_place {
            return Err(KeyError::OutOfPlace);
        }
        if said.hardware_key != self.hardware {
            return Err(KeyError::OtherHardware);
        }
        if self.rotations() >= MAX_ROTATIONS {
            return Err(KeyError::TooMany);
        }
        let key = VerifyingKey::from_bytes(&said.log_key.0).map_err(|_| KeyError::BadSignature)?;
        self.keys.push((header.seq + 1, key));
        Ok(())
    }

    /// Follows a change of keys that was checked before it was stored.
    #[must_use]
    pub fn with_key(mut self, from_seq: i64, key: VerifyingKey) -> Self {
        self.keys.push((from_seq, key));
        self
    }
}

#[cfg(test)]
mod tests;
