//! A proof that can no longer be brought: what its phone says of it, so that nobody waits for it.
//!
//! A phone keeps the bytes of a proof until the hub has receipted them. When they are gone all the same (the file was
//! damaged, or a receipted photo gave way and the hub was set back to a day before it), an entry of the same log says so,
//! once for each proof that an entry binds. It takes nothing back: the binding stays, and a hub that has the bytes after
//! all has them.

use minicbor::{Decode, Encode};

use crate::codec::{self, FormatError};
use crate::entry::EntryKind;
use crate::ids::Hash32;
use crate::limits;

/// What became of the bytes. Stored as a number so that an old hub keeps what it cannot name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct LossCause(#[n(0)] pub u8);

impl LossCause {
    /// There is no file any more.
    pub const MISSING: Self = Self(1);
    /// There is one, and it is not what was stored.
    pub const DAMAGED: Self = Self(2);
    /// There is no file any more, or not what was stored, and the hub had signed for it: that is when a phone makes room.
    pub const GONE_AFTER_RECEIPT: Self = Self(3);
}

/// Body of a [`ProofLostBody::KIND`] entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ProofLostBody {
    /// The proof, as the entry names it that binds it.
    #[n(0)]
    pub hash: Hash32,
    /// Position of that entry in this log.
    #[n(1)]
    pub of_seq: i64,
    /// What became of it.
    #[n(2)]
    pub cause: LossCause,
}

impl ProofLostBody {
    /// Its kind of entry.
    pub const KIND: EntryKind = EntryKind(0x31);

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
        codec::decode("proof lost body", bytes, limits::MAX_BODY_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_phone_says_of_a_lost_proof_comes_back() {
        for cause in [
            LossCause::MISSING,
            LossCause::DAMAGED,
            LossCause::GONE_AFTER_RECEIPT,
            LossCause(77),
        ] {
            let body = ProofLostBody {
                hash: Hash32([7; 32]),
                of_seq: 12,
                cause,
            };
            assert_eq!(ProofLostBody::decode(&body.encode()), Ok(body));
        }
        assert!(ProofLostBody::decode(b"\x80").is_err());
    }
}
