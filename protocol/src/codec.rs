//! The one CBOR profile of the project: definite lengths, shortest integers, integer keys.
//!
//! What was signed is kept and sent as the exact bytes; nothing is ever re-encoded for a signature
//! check. Decoding therefore refuses a header that is not in this profile, so that two different byte
//! strings can never mean the same entry.

use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::limits;

/// Bytes that do not have the promised form.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FormatError {
    /// Not CBOR, or not the expected fields.
    #[error("malformed {what}")]
    Malformed {
        /// The format that was being read.
        what: &'static str,
    },
    /// Valid, but not the one canonical encoding.
    #[error("{what} is not canonically encoded")]
    NotCanonical {
        /// The format that was being read.
        what: &'static str,
    },
    /// Larger than the limit for this format.
    #[error("{what} has {size} bytes or items, more than {limit}")]
    TooLarge {
        /// The format that was being read.
        what: &'static str,
        /// What it had.
        size: usize,
        /// What is allowed.
        limit: usize,
    },
    /// A version this build does not know; a newer peer made it.
    #[error("{what} has unknown version {version}")]
    UnknownVersion {
        /// The format that was being read.
        what: &'static str,
        /// The version found.
        version: u32,
    },
}

/// Encodes into fresh bytes.
pub(crate) fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing into memory cannot fail, and no `Encode` of this crate refuses a value.
    let written = minicbor::encode(value, &mut out);
    debug_assert!(written.is_ok());
    out
}

/// Decodes the whole of `bytes`; trailing bytes are an error.
pub(crate) fn decode<'b, T: Decode<'b, ()>>(
    what: &'static str,
    bytes: &'b [u8],
    limit: usize,
) -> Result<T, FormatError> {
    if bytes.len() > limit {
        return Err(FormatError::TooLarge {
            what,
            size: bytes.len(),
            limit,
        });
    }
    let mut decoder = minicbor::Decoder::new(bytes);
    let value = decoder
        .decode()
        .map_err(|_| FormatError::Malformed { what })?;
    if decoder.position() != bytes.len() {
        return Err(FormatError::Malformed { what });
    }
    Ok(value)
}

/// Refuses words beyond [`limits::MAX_TEXT_CHARS`] characters.
pub(crate) fn bounded_words(what: &'static str, words: &str) -> Result<(), FormatError> {
    let size = words.chars().count();
    if size <= limits::MAX_TEXT_CHARS {
        return Ok(());
    }
    Err(FormatError::TooLarge {
        what,
        size,
        limit: limits::MAX_TEXT_CHARS,
    })
}

/// Decodes and insists that re-encoding gives the same bytes.
pub(crate) fn decode_canonical<'b, T>(
    what: &'static str,
    bytes: &'b [u8],
    limit: usize,
) -> Result<T, FormatError>
where
    T: Decode<'b, ()> + Encode<()>,
{
    let value: T = decode(what, bytes, limit)?;
    if encode(&value) != bytes {
        return Err(FormatError::NotCanonical { what });
    }
    Ok(value)
}
