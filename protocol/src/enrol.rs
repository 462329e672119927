//! Enrolment: how a phone becomes a device of a hub, once, with a code a person shows it.
//!
//! The invite carries the hub's address and public key besides the one-time code, so from the first
//! request on the phone knows whom it talks to; the phone proves that it holds the key it registers.

use data_encoding::HEXLOWER;
use ed25519_dalek::{SigningKey, VerifyingKey};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::codec::{self, FormatError};
use crate::crypto;
use crate::device_keys::{self, KeyStatement, Purpose, SignedStatement};
use crate::ids::{CourierId, DeviceId, Hash32, P256Key, Sig64};
use crate::token::{base32, from_base32};

const INVITE_PREFIX: &str = "SATCHEL:";
const MAX_INVITE_BYTES: usize = 512;
/// More keys than an address has at one time.
pub const MAX_PINS: usize = 4;
const MAX_CERTIFICATE_BYTES: usize = 1_024;
const REQUEST_DOMAIN: &[u8] = b"satchel-enrol/1\0";
const CERTIFICATE_DOMAIN: &[u8] = b"satchel-certificate/1\0";

/// What the dispatcher shows the courier as text or QR. Secret until used; valid once.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Invite {
    /// 1.
    #[n(0)]
    pub version: u8,
    /// The hub's public address, no trailing slash.
    #[n(1)]
    pub hub_url: String,
    /// The one-time code.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub code: [u8; 16],
    /// The hub's Ed25519 public key.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub hub_key: [u8; 32],
    /// SHA-256 of the keys (`SubjectPublicKeyInfo`) that the address proves itself with in TLS, one of them in use
    /// and the others to come; `None`: any key that the phone's system trusts.
    #[n(4)]
    pub pins: Option<Vec<Hash32>>,
}

/// A text that is not an invite of this format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a valid invite")]
pub struct NotAnInvite;

impl Invite {
    /// The text for the QR: upper case, so it stays in alphanumeric mode.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{INVITE_PREFIX}{}", base32(&codec::encode(self)))
    }

    /// Reads a scanned or typed invite.
    ///
    /// # Errors
    /// [`NotAnInvite`] for any other text.
    pub fn parse(text: &str) -> Result<Self, NotAnInvite> {
        let text = text.trim().to_ascii_uppercase();
        let body = text.strip_prefix(INVITE_PREFIX).ok_or(NotAnInvite)?;
        if body.len() > MAX_INVITE_BYTES * 2 {
            return Err(NotAnInvite);
        }
        let bytes = from_base32(body).ok_or(NotAnInvite)?;
        let invite: Self =
            codec::decode("invite", &bytes, MAX_INVITE_BYTES).map_err(|_| NotAnInvite)?;
        let known = invite.version == 1
            && (invite.hub_url.starts_with("https://") || invite.hub_url.starts_with("http://"))
            && VerifyingKey::from_bytes(&invite.hub_key).is_ok()
            && invite
                .pins
                .as_ref()
                .is_none_or(|p| (1..=MAX_PINS).contains(&p.len()));
        known.then_some(invite).ok_or(NotAnInvite)
    }
}

/// What the phone sends, as JSON, to `POST /v1/enrol`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// The one-time code in Crockford base32.
    pub code: String,
    /// Made by the phone.
    pub device_id: DeviceId,
    /// The phone's Ed25519 public key, hex.
    pub log_key: Hash32,
    /// What the courier calls this phone.
    pub label: String,
    /// A [`SignedStatement`] in hex, from a phone whose hardware vouches for `log_key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// Proof that the phone holds the private half of `log_key`.
    pub sig: Sig64,
}

/// What an [`EnrolRequest`] proves of the phone's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenKeys {
    /// The key of its log.
    pub log_key: VerifyingKey,
    /// The hardware key that vouches for it, and its statement.
    pub hardware: Option<(P256Key, SignedStatement)>,
}

/// What a phone's hardware is to sign for an enrolment.
#[must_use]
pub fn statement_at_enrolment(
    code: &[u8; 16],
    device: DeviceId,
    log_key: &VerifyingKey,
    hardware_key: P256Key,
) -> KeyStatement {
    KeyStatement {
        version: 1,
        purpose: Purpose::Enrolment,
        device,
        log_key: Hash32(log_key.to_bytes()),
        follows: device_keys::code_name(&base32(code)),
        hardware_key: Some(hardware_key),
    }
}

impl EnrolRequest {
    /// Builds the request and signs it with the key being registered.
    #[must_use]
    pub fn signed(code: &[u8; 16], device_id: DeviceId, label: &str, key: &SigningKey) -> Self {
        let mut request = Self {
            code: base32(code),
            device_id,
            log_key: Hash32(key.verifying_key().to_bytes()),
            label: label.to_owned(),
            statement: None,
            sig: Sig64([0; 64]),
        };
        request.sig = crypto::sign(key, REQUEST_DOMAIN, &request.message());
        request
    }

    /// Adds what the phone's hardware says of the key, and signs anew: nobody can take it off on the way.
    #[must_use]
    pub fn with_statement(mut self, statement: &SignedStatement, key: &SigningKey) -> Self {
        self.statement = Some(HEXLOWER.encode(&statement.encode()));
        self.sig = crypto::sign(key, REQUEST_DOMAIN, &self.message());
        self
    }

    /// The keys, if the request proves that the phone holds them. A statement that does not hold is not left
    /// out: the request is then refused as a whole.
    #[must_use]
    pub fn proven_keys(&self) -> Option<ProvenKeys> {
        let log_key = VerifyingKey::from_bytes(&self.log_key.0).ok()?;
        if !crypto::verify(&log_key, REQUEST_DOMAIN, &self.message(), &self.sig) {
            return None;
        }
        let hardware = match &self.statement {
            None => None,
            Some(hex) => {
                let bytes = HEXLOWER.decode(hex.as_bytes()).ok()?;
                let signed = SignedStatement::decode(&bytes).ok()?;
                let said = signed.verify().ok()?;
                let mine = said.purpose == Purpose::Enrolment
                    && said.device == self.device_id
                    && said.log_key == self.log_key
                    && said.follows == device_keys::code_name(&self.code);
                Some((said.hardware_key.filter(|_| mine)?, signed))
            }
        };
        Some(ProvenKeys { log_key, hardware })
    }

    fn message(&self) -> Vec<u8> {
        [
            self.code.as_bytes(),
            b"\0",
            self.device_id.as_bytes(),
            &self.log_key.0,
            self.label.as_bytes(),
            // A label has no control characters, so this cannot be read as part of one.
            self.statement.as_ref().map_or(b"", |_| b"\0"),
            self.statement.as_deref().unwrap_or_default().as_bytes(),
        ]
        .concat()
    }
}

/// The hub's answer, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolResponse {
    /// As asked.
    pub device_id: DeviceId,
    /// Whose phone it is now.
    pub courier_id: CourierId,
    /// The courier's display name.
    pub courier_name: String,
    /// The hub's clock, Unix milliseconds.
    pub hub_time_ms: i64,
    /// A [`SignedCertificate`] in hex.
    pub certificate: String,
}

/// What the hub vouches for: this key is this device of this courier.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Certificate {
    /// 1.
    #[n(0)]
    pub version: u8,
    /// The device.
    #[n(1)]
    pub device: DeviceId,
    /// Its Ed25519 public key.
    #[n(2)]
    pub log_key: Hash32,
    /// Its courier.
    #[n(3)]
    pub courier: CourierId,
    /// The hub's clock at issue.
    #[n(4)]
    pub issued_at_ms: i64,
    /// The key in its hardware that vouches for `log_key`, where it enrolled with one.
    #[n(5)]
    pub hardware_key: Option<P256Key>,
}

/// A certificate as stored: exact bytes and the hub's signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SignedCertificate {
    /// The encoded [`Certificate`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    /// Ed25519 by the hub.
    #[n(1)]
    pub sig: Sig64,
    /// What the phone's hardware said of the log key: it proves itself, so the hub need not sign it.
    #[n(2)]
    pub statement: Option<SignedStatement>,
}

/// What vouches for a device's log key besides the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VouchedBy {
    /// Nothing: the key is software alone.
    Nobody,
    /// A P-256 key that the phone keeps in its hardware, as far as the phone can be believed.
    Hardware(P256Key),
}

impl Certificate {
    /// Signs the certificate.
    #[must_use]
    pub fn sign(&self, hub: &SigningKey) -> SignedCertificate {
        let bytes = codec::encode(self);
        let sig = crypto::sign(hub, CERTIFICATE_DOMAIN, &bytes);
        SignedCertificate {
            bytes,
            sig,
            statement: None,
        }
    }
}

impl SignedCertificate {
    /// The bytes to store or show.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads and checks a certificate of `hub`.
    ///
    /// # Errors
    /// [`FormatError`] when it is malformed or not this hub's.
    pub fn verify(bytes: &[u8], hub: &VerifyingKey) -> Result<Certificate, FormatError> {
        let signed: Self = codec::decode("certificate", bytes, MAX_CERTIFICATE_BYTES)?;
        if !crypto::verify(hub, CERTIFICATE_DOMAIN, &signed.bytes, &signed.sig) {
            return Err(FormatError::Malformed {
                what: "certificate signature",
            });
        }
        codec::decode("certificate", &signed.bytes, MAX_CERTIFICATE_BYTES)
    }

    /// [`SignedCertificate::verify`], and whether a hardware key vouches for the log key.
    ///
    /// # Errors
    /// [`FormatError`] also for a hardware key that the certificate names and whose statement is not beside it,
    /// does not verify or is about another key.
    pub fn verify_keys(
        bytes: &[u8],
        hub: &VerifyingKey,
    ) -> Result<(Certificate, VouchedBy), FormatError> {
        let certificate = Self::verify(bytes, hub)?;
        let Some(hardware) = certificate.hardware_key else {
            return Ok((certificate, VouchedBy::Nobody));
        };
        let malformed = FormatError::Malformed {
            what: "key statement",
        };
        let signed: Self = codec::decode("certificate", bytes, MAX_CERTIFICATE_BYTES)?;
        let statement = signed.statement.ok_or(malformed.clone())?;
        let said = statement.verify().map_err(|_| malformed.clone())?;
        let fits = said.purpose == Purpose::Enrolment
            && said.device == certificate.device
            && said.log_key == certificate.log_key
            && said.hardware_key == Some(hardware);
        match fits {
            true => Ok((certificate, VouchedBy::Hardware(hardware))),
            false => Err(malformed),
        }
    }
}

#[cfg(test)]
mod tests;
