//! The upload batch: entries in order, small proofs beside them, compressed where it pays.
//!
//! Metadata (the entries) is one zstd frame; signatures ride behind it as raw bytes, because drawn
//! ink and salts do not compress and base64 would add a third (sync notes §4.7). The frame states its
//! sizes first, and both sizes are checked before anything is allocated.

use minicbor::{Decode, Encode};

use crate::codec::{self, FormatError};
use crate::crypto;
use crate::entry::SignedEntry;
use crate::ids::Hash32;
use crate::limits;
use crate::taxonomy::ProofKind;

/// Media type of an upload batch.
pub const BATCH_MEDIA_TYPE: &str = "application/vnd.satchel.batch";
/// Media type of a signed receipt.
pub const RECEIPT_MEDIA_TYPE: &str = "application/vnd.satchel.receipt";

const MAGIC: &[u8; 4] = b"SLB1";
/// Metadata is small; a higher level costs a phone's battery for a few bytes.
const ZSTD_LEVEL: i32 = 3;

/// A small proof that rides with the entries that bind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InlineBlob {
    /// SHA-256 of `bytes`.
    pub hash: Hash32,
    /// What it is.
    pub kind: ProofKind,
    /// The plain bytes.
    pub bytes: Vec<u8>,
}

/// Entries and small proofs of one upload.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// In order of `seq`.
    pub entries: Vec<SignedEntry>,
    /// Bound by entries of this batch or of an earlier one.
    pub blobs: Vec<InlineBlob>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Meta {
    #[n(0)]
    entries: Vec<SignedEntry>,
    #[n(1)]
    blobs: Vec<BlobMeta>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct BlobMeta {
    #[n(0)]
    hash: Hash32,
    #[n(1)]
    kind: ProofKind,
    #[n(2)]
    len: u32,
}

impl Batch {
    /// The bytes of the request body.
    ///
    /// # Errors
    /// [`FormatError::TooLarge`] when the caller put more into it than a hub accepts.
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        let meta = codec::encode(&Meta {
            entries: self.entries.clone(),
            blobs: self
                .blobs
                .iter()
                .map(|b| BlobMeta {
                    hash: b.hash,
                    kind: b.kind,
                    len: u32::try_from(b.bytes.len()).unwrap_or(u32::MAX),
                })
                .collect(),
        });
        if meta.len() > limits::MAX_BATCH_META_BYTES {
            return Err(too_large(
                "batch metadata",
                meta.len(),
                limits::MAX_BATCH_META_BYTES,
            ));
        }
        let packed =
            zstd::bulk::compress(&meta, ZSTD_LEVEL).map_err(|_| FormatError::Malformed {
                what: "batch metadata",
            })?;
        let mut out = Vec::with_capacity(packed.len() + 8);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(
            &u32::try_from(packed.len())
                .unwrap_or(u32::MAX)
                .to_le_bytes(),
        );
        out.extend_from_slice(&packed);
        for blob in &self.blobs {
            out.extend_from_slice(&blob.bytes);
        }
        if out.len() > limits::MAX_BATCH_BYTES {
            return Err(too_large("batch", out.len(), limits::MAX_BATCH_BYTES));
        }
        Ok(out)
    }

    /// Reads a request body. Hashes of inline blobs are checked here, signatures are not.
    ///
    /// # Errors
    /// [`FormatError`]; memory stays within the limits whatever the bytes are.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let malformed = FormatError::Malformed { what: "batch" };
        if bytes.len() > limits::MAX_BATCH_BYTES {
            return Err(too_large("batch", bytes.len(), limits::MAX_BATCH_BYTES));
        }
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| malformed.clone())?;
        let (len, rest) = rest
            .split_first_chunk::<4>()
            .ok_or_else(|| malformed.clone())?;
        let len = u32::from_le_bytes(*len) as usize;
        let (packed, mut raw) = rest
            .split_at_checked(len)
            .ok_or_else(|| malformed.clone())?;
        let meta = zstd::bulk::decompress(packed, limits::MAX_BATCH_META_BYTES).map_err(|_| {
            FormatError::Malformed {
                what: "batch metadata",
            }
        })?;
        let meta: Meta = codec::decode("batch metadata", &meta, limits::MAX_BATCH_META_BYTES)?;
        if meta.entries.len() > limits::MAX_BATCH_ENTRIES {
            return Err(too_large(
                "batch",
                meta.entries.len(),
                limits::MAX_BATCH_ENTRIES,
            ));
        }
        let mut blobs = Vec::new();
        for blob in &meta.blobs {
            let len = blob.len as usize;
            if len > limits::MAX_INLINE_BLOB_BYTES {
                return Err(too_large(
                    "inline proof",
                    len,
                    limits::MAX_INLINE_BLOB_BYTES,
                ));
            }
            let (bytes, rest) = raw.split_at_checked(len).ok_or_else(|| malformed.clone())?;
            raw = rest;
            if crypto::sha256(&[bytes]) != blob.hash {
                return Err(FormatError::Malformed {
                    what: "inline proof hash",
                });
            }
            blobs.push(InlineBlob {
                hash: blob.hash,
                kind: blob.kind,
                bytes: bytes.to_vec(),
            });
        }
        if !raw.is_empty() {
            return Err(malformed);
        }
        Ok(Self {
            entries: meta.entries,
            blobs,
        })
    }
}

fn too_large(what: &'static str, size: usize, limit: usize) -> FormatError {
    FormatError::TooLarge { what, size, limit }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Sig64;
    use proptest::prelude::*;

    fn batch(n: usize) -> Batch {
        Batch {
            entries: (0..n)
                .map(|i| SignedEntry {
                    header: vec![u8::try_from(i).unwrap(); 200],
                    sig: Sig64([1; 64]),
                    salt: None,
                    body: None,
                })
                .collect(),
            blobs: vec![InlineBlob {
                hash: crypto::sha256(&[b"ink"]),
                kind: ProofKind::Signature,
                bytes: b"ink".to_vec(),
            }],
        }
    }

    #[test]
    fn a_batch_comes_back_as_it_was_and_every_cut_of_it_is_refused() {
        let bytes = batch(3).encode().unwrap();
        assert_eq!(Batch::decode(&bytes).unwrap(), batch(3));
        for len in 0..bytes.len() {
            assert!(Batch::decode(&bytes[..len]).is_err(), "cut at {len}");
        }
    }

    #[test]
    fn a_small_frame_that_would_unpack_to_gigabytes_is_refused() {
        let bomb = zstd::bulk::compress(&vec![0u8; 64 * 1024 * 1024], 19).unwrap();
        let mut frame = MAGIC.to_vec();
        frame.extend_from_slice(&u32::try_from(bomb.len()).unwrap().to_le_bytes());
        frame.extend_from_slice(&bomb);
        assert!(frame.len() < 100_000);
        assert!(Batch::decode(&frame).is_err());
    }

    proptest! {
        #[test]
        fn rubbish_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Batch::decode(&bytes);
            let mut framed = MAGIC.to_vec();
            framed.extend_from_slice(&bytes);
            prop_assert!(Batch::decode(&framed).is_err());
        }
    }
}
