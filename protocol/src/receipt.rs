//! Receipts: the only thing that turns a stop to "synced" (B4-6).
//!
//! A receipt names, by hash, what the hub holds durably of one device. The phone checks the signature
//! with the hub key it got at enrolment and changes nothing for a receipt that is not its own.

use ed25519_dalek::{SigningKey, VerifyingKey};
use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::codec::{self, FormatError};
use crate::crypto;
use crate::ids::{DeviceId, Hash32, KeyId, Sig64};
use crate::limits;
use crate::tlog::TreeAnswer;
use crate::wedge::Wedged;

const ANCHOR_DOMAIN: &[u8] = b"satchel-anchor/1\0";
const SIGN_DOMAIN: &[u8] = b"satchel-receipt/1\0";

/// One entry named by a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ReceiptEntry {
    /// Position in the device's log.
    #[n(0)]
    pub seq: i64,
    /// The entry's hash.
    #[n(1)]
    pub hash: Hash32,
}

/// What the hub says it holds.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Receipt {
    /// 1.
    #[n(0)]
    pub version: u8,
    /// Whose log.
    #[n(1)]
    pub device: DeviceId,
    /// Which hub key signed.
    #[n(2)]
    pub hub_key: KeyId,
    /// When the hub answered, its own clock, Unix milliseconds.
    #[n(3)]
    pub received_at_ms: i64,
    /// Entries held.
    #[n(4)]
    pub entries: Vec<ReceiptEntry>,
    /// Proofs held complete, by plain hash.
    #[n(5)]
    pub blobs: Vec<Hash32>,
    /// The last position of this device's log that the hub has, 0 for none.
    #[n(6)]
    pub head_seq: i64,
    /// Positions up to `head_seq` that stand open: all of this device, not only of this batch. `None`: none,
    /// or a hub that knows nothing of it.
    #[n(7)]
    pub wedged: Option<Vec<Wedged>>,
}

/// A receipt as sent: exact bytes and the hub's signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SignedReceipt {
    /// The encoded [`Receipt`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    /// Ed25519 by the hub.
    #[n(1)]
    pub sig: Sig64,
    /// The hub's transparency log as this phone is to see it; beside receipts of entries.
    #[n(2)]
    pub tree: Option<TreeAnswer>,
}

/// Why a receipt changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// Not the format.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// Not signed by the hub this phone enrolled at.
    #[error("receipt is not signed by this hub")]
    BadSignature,
    /// A true receipt of another phone.
    #[error("receipt names another device")]
    OtherDevice,
}

impl Receipt {
    /// Signs the receipt.
    #[must_use]
    pub fn sign(&self, hub: &SigningKey) -> SignedReceipt {
        let bytes = codec::encode(self);
        let sig = crypto::sign(hub, SIGN_DOMAIN, &bytes);
        SignedReceipt {
            bytes,
            sig,
            tree: None,
        }
    }
}

impl SignedReceipt {
    /// The bytes of an answer.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// [`FormatError`] for anything else: an HTML page, half a body, nothing.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        codec::decode("receipt", bytes, limits::MAX_ANSWER_BYTES)
    }

    /// What entries written after this receipt name: nobody could know it before the hub had signed, so
    /// they are not older than its time (security notes §3.7).
    #[must_use]
    pub fn anchor(&self) -> Hash32 {
        crypto::sha256(&[ANCHOR_DOMAIN, &self.bytes, &self.sig.0])
    }

    /// Checks that `hub` signed it for `device`.
    ///
    /// # Errors
    /// [`ReceiptError`]; the caller must then change no state.
    pub fn verify(&self, hub: &VerifyingKey, device: DeviceId) -> Result<Receipt, ReceiptError> {
        if !crypto::verify(hub, SIGN_DOMAIN, &self.bytes, &self.sig) {
            return Err(ReceiptError::BadSignature);
        }
        let receipt: Receipt = codec::decode("receipt", &self.bytes, limits::MAX_ANSWER_BYTES)?;
        if receipt.version != 1 {
            return Err(FormatError::UnknownVersion {
                what: "receipt",
                version: u32::from(receipt.version),
            }
            .into());
        }
        if receipt.device != device {
            return Err(ReceiptError::OtherDevice);
        }
        Ok(receipt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_counts_only_from_this_hub_and_for_this_device() {
        let hub = SigningKey::from_bytes(&[1; 32]);
        let other = SigningKey::from_bytes(&[2; 32]);
        let mine = DeviceId(uuid::Uuid::from_u128(1));
        let theirs = DeviceId(uuid::Uuid::from_u128(2));
        let receipt = Receipt {
            version: 1,
            device: mine,
            hub_key: crypto::key_id(&hub.verifying_key()),
            received_at_ms: 5,
            entries: vec![ReceiptEntry {
                seq: 1,
                hash: Hash32([1; 32]),
            }],
            blobs: vec![],
            head_seq: 1,
            wedged: None,
        };
        let signed = SignedReceipt::decode(&receipt.sign(&hub).encode()).unwrap();
        assert_eq!(
            signed.verify(&hub.verifying_key(), mine),
            Ok(receipt.clone())
        );
        assert_eq!(
            signed.verify(&hub.verifying_key(), theirs),
            Err(ReceiptError::OtherDevice)
        );
        assert_eq!(
            receipt.sign(&other).verify(&hub.verifying_key(), mine),
            Err(ReceiptError::BadSignature)
        );
        assert!(SignedReceipt::decode(b"<html>captive portal</html>").is_err());
    }

    #[test]
    fn the_fullest_batch_has_a_receipt_that_a_phone_still_reads() {
        let hub = SigningKey::from_bytes(&[1; 32]);
        let device = DeviceId(uuid::Uuid::from_u128(1));
        let hash = |n: i64| crypto::sha256(&[&n.to_le_bytes()]);
        let entries: Vec<ReceiptEntry> = (0..i64::try_from(limits::MAX_BATCH_ENTRIES).unwrap())
            .map(|n| ReceiptEntry {
                seq: i64::MAX - n,
                hash: hash(n),
            })
            .collect();
        let blobs = limits::MAX_BATCH_ENTRIES * limits::MAX_BLOBS_PER_ENTRY;
        let wedged = |n| Wedged {
            seq: i64::MAX - n,
            reason: crate::wedge::WedgeReason::BAD_SIGNATURE,
            replaced_by: Some(i64::MAX),
        };
        let full = Receipt {
            version: 1,
            device,
            hub_key: crypto::key_id(&hub.verifying_key()),
            received_at_ms: i64::MAX,
            entries,
            blobs: (0..i64::try_from(blobs).unwrap()).map(hash).collect(),
            head_seq: i64::MAX,
            wedged: Some((0..limits::MAX_WEDGED as i64).map(wedged).collect()),
        };
        let mut signed = full.sign(&hub);
        // Beside it the hub shows its tree, with the signatures of all its witnesses.
        signed.tree = Some(TreeAnswer {
            checkpoint: "c".repeat(crate::tlog::MAX_NOTE_BYTES),
            consistency: (0..64).map(hash).collect(),
            head_index: u64::MAX,
            inclusion: (0..64).map(hash).collect(),
        });
        assert!(signed.encode().len() <= limits::MAX_ANSWER_BYTES);
        signed = SignedReceipt::decode(&signed.encode()).unwrap();
        assert_eq!(signed.verify(&hub.verifying_key(), device), Ok(full));
    }
}
