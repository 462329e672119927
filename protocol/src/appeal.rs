//! A courier's appeal against a rating, as an entry of his phone's log.
//!
//! It travels like any other entry, so it can be written offline and cannot be lost; the hub files it
//! beside the rating. Words are personal and sit in the body, behind the commitment.

use minicbor::{Decode, Encode};

use crate::codec::{self, FormatError};
use crate::entry::EntryKind;
use crate::ids::ParcelId;
use crate::limits;

/// What the courier says against the rating of one parcel.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AppealBody {
    /// Whose rating.
    #[n(0)]
    pub parcel: ParcelId,
    /// When the rating was given, the hub's clock, as the feed said it: names the revision meant.
    #[n(1)]
    pub rated_at_ms: i64,
    /// Why it is wrong, in the courier's words; at most [`limits::MAX_TEXT_CHARS`] characters.
    #[n(2)]
    pub words: String,
}

impl AppealBody {
    /// The kind of entry that carries it.
    pub const KIND: EntryKind = EntryKind(0x20);

    /// The bytes to commit to.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads a body; keys of a newer version are skipped.
    ///
    /// # Errors
    /// [`FormatError`] when it is not one, or its words are too many.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let body: Self = codec::decode("appeal body", bytes, limits::MAX_BODY_BYTES)?;
        codec::bounded_words("appeal", &body.words)?;
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_appeal_comes_back_and_an_endless_one_is_refused() {
        let mut appeal = AppealBody {
            parcel: ParcelId(uuid::Uuid::from_u128(7)),
            rated_at_ms: 1_786_680_000_000,
            words: "门卫当时在场".into(),
        };
        assert_eq!(AppealBody::decode(&appeal.encode()).as_ref(), Ok(&appeal));
        appeal.words = "长".repeat(limits::MAX_TEXT_CHARS + 1);
        assert!(AppealBody::decode(&appeal.encode()).is_err());
        assert!(AppealBody::decode(b"\xa0").is_err());
    }
}
