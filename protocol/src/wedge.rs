//! One bad entry stands aside and never in the way (B4-2, B4-13).
//!
//! A log is a chain, and the chain does not depend on what an entry says: the next entry names the hash of
//! the one before it under its own signature. So the hub can leave one position open, take everything behind
//! it, and still hold the phone to exactly one history: whatever is sent for that position later has to have
//! the hash that was named. The hub says in every receipt which positions stand open and why; an entry that
//! is wedged is never receipted.

use minicbor::{Decode, Encode};

use crate::codec::{self, FormatError};
use crate::entry::{EntryError, EntryKind};
use crate::ids::Hash32;
use crate::limits;

/// Why an entry is not accepted. Stored as a number so that an old phone shows what it cannot name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct WedgeReason(#[n(0)] pub u8);

impl WedgeReason {
    /// The header cannot be read.
    pub const MALFORMED: Self = Self(1);
    /// The hub is older than the phone; it looks again after its update.
    pub const UNKNOWN_VERSION: Self = Self(2);
    /// The signature is not this device's.
    pub const BAD_SIGNATURE: Self = Self(3);
    /// The header names another device.
    pub const OTHER_DEVICE: Self = Self(4);
    /// The body is not the one that was committed to.
    pub const COMMITMENT_MISMATCH: Self = Self(5);
    /// Salt without body or body without salt.
    pub const HALF_ERASED: Self = Self(6);
    /// Larger than entries may be.
    pub const TOO_LARGE: Self = Self(7);
    /// It is sound, and not the one that the next entry names.
    pub const NOT_THE_NAMED_ONE: Self = Self(8);

    /// What an entry that does not verify is open for; hub and phone say the same.
    #[must_use]
    pub const fn of(error: &EntryError) -> Self {
        match error {
            EntryError::Format(FormatError::UnknownVersion { .. }) => Self::UNKNOWN_VERSION,
            EntryError::Format(FormatError::TooLarge { .. }) => Self::TOO_LARGE,
            EntryError::BadSignature => Self::BAD_SIGNATURE,
            EntryError::CommitmentMismatch => Self::COMMITMENT_MISMATCH,
            EntryError::HalfErased => Self::HALF_ERASED,
            EntryError::Format(_) => Self::MALFORMED,
        }
    }

    /// For logs, boards and tables.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::MALFORMED => "malformed",
            Self::UNKNOWN_VERSION => "unknown_version",
            Self::BAD_SIGNATURE => "bad_signature",
            Self::OTHER_DEVICE => "other_device",
            Self::COMMITMENT_MISMATCH => "commitment_mismatch",
            Self::HALF_ERASED => "half_erased",
            Self::TOO_LARGE => "too_large",
            Self::NOT_THE_NAMED_ONE => "not_the_named_one",
            _ => "other",
        }
    }
}

/// A position that stands open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Wedged {
    /// Position in the device's log.
    #[n(0)]
    pub seq: i64,
    /// Why what was sent for it is not accepted.
    #[n(1)]
    pub reason: WedgeReason,
    /// The later entry that says it again, if the phone wrote one.
    #[n(2)]
    pub replaced_by: Option<i64>,
}

/// What an entry says again that stands open: its content, under the signature of today.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReplacementBody {
    /// The open position.
    #[n(0)]
    pub of_seq: i64,
    /// The hash under which the phone's log knows it, and which the next entry names.
    #[n(1)]
    pub of_hash: Hash32,
    /// What kind of entry it was.
    #[n(2)]
    pub kind: EntryKind,
    /// Its body.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub body: Vec<u8>,
}

impl ReplacementBody {
    /// The kind of entry that carries it.
    pub const KIND: EntryKind = EntryKind(0x30);

    /// The bytes to commit to.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads a body; keys of a newer version are skipped.
    ///
    /// # Errors
    /// [`FormatError`] when it is not one. A replacement replaces no replacement: that could be nested
    /// without end.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let body: Self = codec::decode("replacement body", bytes, limits::MAX_BODY_BYTES)?;
        if body.kind == Self::KIND || body.of_seq < 1 {
            return Err(FormatError::Malformed {
                what: "replacement body",
            });
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_comes_back_and_one_of_a_replacement_is_refused() {
        let mut body = ReplacementBody {
            of_seq: 4,
            of_hash: crypto_hash(),
            kind: EntryKind::ATTEMPT,
            body: b"said".to_vec(),
        };
        assert_eq!(ReplacementBody::decode(&body.encode()).as_ref(), Ok(&body));
        body.kind = ReplacementBody::KIND;
        assert!(ReplacementBody::decode(&body.encode()).is_err());
        (body.kind, body.of_seq) = (EntryKind::ATTEMPT, 0);
        assert!(ReplacementBody::decode(&body.encode()).is_err());
    }

    fn crypto_hash() -> Hash32 {
        crate::crypto::sha256(&[b"entry"])
    }
}
