//! Enrolment: how a phone becomes a device of a hub, once, with a code a person shows it.
//!
//! The invite carries the hub's address and public key besides the one-time code, so from the first
//! request on the phone knows whom it talks to; the phone proves that it holds the key it registers.

use ed25519_dalek::{SigningKey, VerifyingKey};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::codec::{self, FormatError};
use crate::crypto;
use crate::ids::{CourierId, DeviceId, Hash32, Sig64};
use crate::token::{base32, from_base32};

const INVITE_PREFIX: &str = "SATCHEL:";
const MAX_INVITE_BYTES: usize = 512;
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
            && VerifyingKey::from_bytes(&invite.hub_key).is_ok();
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
    /// Proof that the phone holds the private half of `log_key`.
    pub sig: Sig64,
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
            sig: Sig64([0; 64]),
        };
        request.sig = crypto::sign(key, REQUEST_DOMAIN, &request.message());
        request
    }

    /// The key, if the request proves possession of it.
    #[must_use]
    pub fn verified_key(&self) -> Option<VerifyingKey> {
        let key = VerifyingKey::from_bytes(&self.log_key.0).ok()?;
        crypto::verify(&key, REQUEST_DOMAIN, &self.message(), &self.sig).then_some(key)
    }

    fn message(&self) -> Vec<u8> {
        [
            self.code.as_bytes(),
            b"\0",
            self.device_id.as_bytes(),
            &self.log_key.0,
            self.label.as_bytes(),
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
}

impl Certificate {
    /// Signs the certificate.
    #[must_use]
    pub fn sign(&self, hub: &SigningKey) -> SignedCertificate {
        let bytes = codec::encode(self);
        let sig = crypto::sign(hub, CERTIFICATE_DOMAIN, &bytes);
        SignedCertificate { bytes, sig }
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn invite() -> Invite {
        Invite {
            version: 1,
            hub_url: "http://127.0.0.1:8080".into(),
            code: [7; 16],
            hub_key: SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes(),
        }
    }

    #[test]
    fn an_invite_survives_a_scanner_and_rubbish_is_refused() {
        let text = invite().to_text();
        assert_eq!(Invite::parse(&text), Ok(invite()));
        assert_eq!(
            Invite::parse(&format!(" {} \n", text.to_lowercase())),
            Ok(invite())
        );
        for bad in [
            "",
            "SATCHEL:",
            "SATCHEL:ZZZZ",
            "https://example.com",
            &text[..text.len() - 1],
        ] {
            assert_eq!(Invite::parse(bad), Err(NotAnInvite), "{bad}");
        }
    }

    #[test]
    fn a_request_proves_its_key_and_binds_code_and_device() {
        let key = SigningKey::from_bytes(&[2; 32]);
        let request = EnrolRequest::signed(&[7; 16], DeviceId(Uuid::from_u128(1)), "phone", &key);
        assert_eq!(request.verified_key(), Some(key.verifying_key()));
        let stolen = EnrolRequest {
            device_id: DeviceId(Uuid::from_u128(2)),
            ..request.clone()
        };
        assert_eq!(stolen.verified_key(), None);
        let other_code = EnrolRequest {
            code: base32(&[8; 16]),
            ..request
        };
        assert_eq!(other_code.verified_key(), None);
    }

    #[test]
    fn a_certificate_counts_only_from_its_hub() {
        let hub = SigningKey::from_bytes(&[1; 32]);
        let certificate = Certificate {
            version: 1,
            device: DeviceId(Uuid::from_u128(1)),
            log_key: Hash32([3; 32]),
            courier: CourierId(Uuid::from_u128(4)),
            issued_at_ms: 5,
        };
        let bytes = certificate.sign(&hub).encode();
        assert_eq!(
            SignedCertificate::verify(&bytes, &hub.verifying_key()),
            Ok(certificate)
        );
        let other = SigningKey::from_bytes(&[9; 32]);
        assert!(SignedCertificate::verify(&bytes, &other.verifying_key()).is_err());
    }
}
