//! Erasure of one delivery (PIPL 47): the order that goes to phones, and the record that it was carried out.
//!
//! Neither says anything about a person. The entries whose content is gone stay in log and tree with
//! header and signature, so everything that was proven of order and time stays proven; the record names
//! them, so that a gap made on purpose can be told from one that was made in secret.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::codec::{self, FormatError};
use crate::ids::ParcelId;
use crate::limits;

/// A feed item: forget what is known of this delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParcelErasedItem {
    /// The delivery.
    pub parcel_id: ParcelId,
}

impl ParcelErasedItem {
    /// Its `kind`.
    pub const KIND: &'static str = "parcel_erased";
}

/// Body of [`crate::entry::EntryKind::ERASED`]: which entries of this log lost their content.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ErasedBody {
    /// Whose delivery.
    #[n(0)]
    pub parcel: ParcelId,
    /// Their positions, ascending.
    #[n(1)]
    pub entries: Vec<i64>,
    /// The hub asked for it; otherwise somebody at this phone did.
    #[n(2)]
    pub asked_by_hub: bool,
}

impl ErasedBody {
    /// The bytes to commit to.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads a body; keys of a newer version are skipped.
    ///
    /// # Errors
    /// [`FormatError`] when it is not one.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        codec::decode("erasure body", bytes, limits::MAX_BODY_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_an_erasure_comes_back() {
        let body = ErasedBody {
            parcel: ParcelId(uuid::Uuid::from_u128(7)),
            entries: vec![2, 9],
            asked_by_hub: true,
        };
        assert_eq!(ErasedBody::decode(&body.encode()), Ok(body));
        assert!(ErasedBody::decode(b"\x80").is_err());
    }
}
