//! A courier's answer to what the hub wonders about, as an entry of his phone's log: nobody is judged unheard.

use minicbor::{Decode, Encode};

use crate::codec::{self, FormatError};
use crate::entry::EntryKind;
use crate::ids::DoubtId;
use crate::limits;

/// What the courier says to one doubt.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DoubtAnswerBody {
    /// Which doubt, as the feed named it.
    #[n(0)]
    pub doubt: DoubtId,
    /// In the courier's words; at most [`limits::MAX_TEXT_CHARS`] characters.
    #[n(1)]
    pub words: String,
}

impl DoubtAnswerBody {
    /// The kind of entry that carries it.
    pub const KIND: EntryKind = EntryKind(0x28);

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
        let body: Self = codec::decode("doubt answer", bytes, limits::MAX_BODY_BYTES)?;
        codec::bounded_words("doubt answer", &body.words)?;
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_comes_back_and_an_endless_one_is_refused() {
        let mut answer = DoubtAnswerBody {
            doubt: DoubtId(uuid::Uuid::from_u128(7)),
            words: "手机没电,到车上才补拍".into(),
        };
        let read = DoubtAnswerBody::decode(&answer.encode());
        assert_eq!(read.as_ref(), Ok(&answer));
        answer.words = "长".repeat(limits::MAX_TEXT_CHARS + 1);
        assert!(DoubtAnswerBody::decode(&answer.encode()).is_err());
        assert!(DoubtAnswerBody::decode(b"\xa0").is_err());
    }
}
