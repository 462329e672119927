//! The upload batch: entries in order, small proofs beside them, compressed where it pays.
//!
//! Metadata (the entries) is one zstd frame; signatures ride behind it as raw bytes, because drawn
//! ink and salts do not compress and base64 would add a third (sync notes §4.7). The frame states its
//! sizes first, and both sizes are checked before anything is allocated.
//!
//! There are three forms of the same content. A hub takes all three and says so in its answers; a phone
//! sends the leanest that it knows its hub to take.

mod json;
mod lean;

use minicbor::{Decode, Encode};

use crate::codec::{self, FormatError};
use crate::crypto;
use crate::entry::SignedEntry;
use crate::ids::Hash32;
use crate::limits;
use crate::taxonomy::ProofKind;

/// Media type of an upload batch.
pub const BATCH_MEDIA_TYPE: &str = "application/vnd.satchel.batch";
/// Media type of the plain form: JSON, for who has neither CBOR nor zstd at hand.
pub const JSON_MEDIA_TYPE: &str = "application/json";
/// Header of an answer that says which forms a hub takes.
pub const FORMS_HEADER: &str = "satchel-batch";
/// What a hub of this build says in it.
pub const FORMS: &str = "2, 1, json";

/// How a batch is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Form {
    /// JSON, uncompressed.
    Json,
    /// Compressed metadata, raw proofs.
    #[default]
    Packed,
    /// What follows from other bytes left out, a shipped dictionary.
    Lean,
}

impl Form {
    /// The leanest form that a hub's answer names; the one every hub takes if it names none.
    #[must_use]
    pub fn best_of(named: &str) -> Self {
        match named.split(',').any(|form| form.trim() == "2") {
            true => Self::Lean,
            false => Self::Packed,
        }
    }

    /// What to try when this one was not understood.
    #[must_use]
    pub const fn simpler(self) -> Self {
        match self {
            Self::Lean => Self::Packed,
            Self::Packed | Self::Json => Self::Json,
        }
    }

    /// The media type it is sent as.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => JSON_MEDIA_TYPE,
            Self::Packed | Self::Lean => BATCH_MEDIA_TYPE,
        }
    }
}

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
        let blobs: usize = self.blobs.iter().map(|blob| blob.bytes.len()).sum();
        let mut out = Vec::with_capacity(8 + packed.len() + blobs);
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

    /// [`Batch::encode`] in another form.
    ///
    /// # Errors
    /// As [`Batch::encode`].
    pub fn encode_as(&self, form: Form) -> Result<Vec<u8>, FormatError> {
        match form {
            Form::Json => json::encode(self),
            Form::Packed => self.encode(),
            Form::Lean => lean::encode(self),
        }
    }

    /// What is compressed of the lean form: what its dictionary is made of.
    #[must_use]
    pub fn lean_metadata(&self) -> Vec<u8> {
        lean::metadata(self)
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// [`FormatError`]; memory stays within the limits whatever the bytes are.
    pub fn decode_json(bytes: &[u8]) -> Result<Self, FormatError> {
        json::decode(bytes)
    }

    /// Reads a request body of either binary form. Hashes of inline blobs are checked here, signatures are
    /// not.
    ///
    /// # Errors
    /// [`FormatError`]; memory stays within the limits whatever the bytes are.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let malformed = FormatError::Malformed { what: "batch" };
        if bytes.len() > limits::MAX_BATCH_BYTES {
            return Err(too_large("batch", bytes.len(), limits::MAX_BATCH_BYTES));
        }
        if let Some(rest) = bytes.strip_prefix(lean::MAGIC) {
            return lean::decode(rest);
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

    /// A log as a phone makes it: chained, committed, each entry with ink of its own, and one that went bad.
    fn chained(n: u8) -> Batch {
        let key = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);
        let (mut batch, mut prev) = (Batch::default(), Hash32::ZERO);
        for i in 0..n {
            let ink: Vec<u8> = (0..90).map(|b| b ^ i).collect();
            let hash = crypto::sha256(&[&ink]);
            let header = crate::entry::Header {
                version: 1,
                alg: 1,
                device: crate::ids::DeviceId(uuid::Uuid::from_u128(7)),
                seq: i64::from(i) + 1,
                prev,
                kind: crate::entry::EntryKind::ATTEMPT,
                occurred_at_ms: 1_795_219_100_000 + i64::from(i),
                boot_id: crate::ids::BootId([3; 16]),
                boottime_ns: 5,
                utc_offset_min: 480,
                anchor: None,
                handle: None,
                commitment: Hash32::ZERO,
                blobs: vec![hash],
            };
            let body = [b"names ".as_slice(), &hash.0, b" and more"].concat();
            let entry = SignedEntry::seal(header, crate::ids::Salt([i; 32]), body, &key);
            prev = entry.hash();
            batch.entries.push(entry);
            batch.blobs.push(InlineBlob {
                hash,
                kind: ProofKind::Signature,
                bytes: ink,
            });
        }
        if let Some(bad) = batch.entries.last_mut() {
            bad.header.truncate(30);
            bad.salt = None;
        }
        batch
    }

    #[test]
    fn every_form_brings_the_same_bytes_and_no_cut_of_one_is_taken() {
        for batch in [Batch::default(), batch(3), chained(1), chained(9)] {
            for form in [Form::Json, Form::Packed, Form::Lean] {
                let read = |bytes: &[u8]| match form {
                    Form::Json => Batch::decode_json(bytes),
                    Form::Packed | Form::Lean => Batch::decode(bytes),
                };
                let bytes = batch.encode_as(form).unwrap();
                assert_eq!(read(&bytes).as_ref(), Ok(&batch), "{form:?}");
                for len in 0..bytes.len() {
                    assert!(read(&bytes[..len]).is_err(), "{form:?} cut at {len}");
                }
            }
        }
    }

    #[test]
    fn what_follows_from_other_bytes_is_not_sent() {
        let batch = chained(40);
        let packed = batch.encode_as(Form::Packed).unwrap().len();
        let lean = batch.encode_as(Form::Lean).unwrap().len();
        // Three hashes an entry: the one before, the commitment, the ink's.
        assert!(lean + 40 * 75 < packed, "{lean} {packed}");
        assert_eq!(Form::best_of("2, 1, json"), Form::Lean);
        assert_eq!(Form::best_of(""), Form::Packed);
        assert_eq!(Form::best_of("12, 1"), Form::Packed);
    }

    #[test]
    fn json_is_what_a_script_can_write() {
        let text = r#"{"entries": [{"header": "AQI=", "sig": "SIG", "salt": null, "body": null,
            "note": "unknown fields are skipped"}], "blobs": []}"#;
        let text = text.replace("SIG", &data_encoding::BASE64.encode(&[1; 64]));
        let batch = Batch::decode_json(text.as_bytes()).unwrap();
        assert_eq!(batch.entries[0].header, [1, 2]);
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"entries": [{"header": "!"}], "blobs": []}"#,
        ] {
            assert!(Batch::decode_json(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn rubbish_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Batch::decode(&bytes);
            let _ = Batch::decode_json(&bytes);
            for magic in [MAGIC, lean::MAGIC] {
                let mut framed = magic.to_vec();
                framed.extend_from_slice(&bytes);
                prop_assert!(Batch::decode(&framed).is_err());
            }
        }

        /// Not every bit of compressed bytes means something. What counts: nothing that was not signed gets through.
        #[test]
        fn a_lean_batch_that_was_changed_brings_nothing_that_was_not_signed(
            at in 0usize..2_000,
            bit in 0u8..8,
        ) {
            let batch = chained(3);
            let key = ed25519_dalek::SigningKey::from_bytes(&[1; 32]).verifying_key();
            let mut bytes = batch.encode_as(Form::Lean).unwrap();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            for entry in Batch::decode(&bytes).map(|b| b.entries).unwrap_or_default() {
                prop_assert!(batch.entries.contains(&entry) || entry.verify(&key).is_err());
            }
        }
    }
}
