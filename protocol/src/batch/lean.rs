//! The lean form of a batch: what follows from other bytes of it is not sent.
//!
//! An entry's header names the hash of the entry before, the commitment to its body and the hashes of its
//! proofs; all three can be computed by whoever has the batch. Where such a hash stands in the bytes it is cut
//! out and put back by the reader, so that what arrives is the same to the last bit, whatever it is: nothing
//! here understands an entry. Signatures and salts, which do not compress, go beside the compressed part.

use minicbor::{Decode, Encode};

use super::{Batch, InlineBlob, too_large};
use crate::codec::{self, FormatError};
use crate::crypto;
use crate::entry::{self, SignedEntry};
use crate::ids::{Hash32, Salt, Sig64};
use crate::limits;
use crate::taxonomy::ProofKind;

pub(super) const MAGIC: &[u8; 4] = b"SLB2";
/// Higher than the plain form's: a batch is some ten kilobytes of small fields, and the line costs more than
/// the milliseconds.
const ZSTD_LEVEL: i32 = 9;
/// What typical entries look like, so that a batch of one compresses like one of a hundred. Both sides have
/// it; it never changes: a better one gets another number.
static DICTIONARY: &[u8] = include_bytes!("dictionary1.bin");
const DICTIONARY_NO: u8 = 1;

const HASH_BYTES: usize = 32;
/// Which hash a cut stands for; blobs follow.
const PREV: u32 = 0;
const COMMITMENT: u32 = 1;
const FIRST_BLOB: u32 = 2;

#[derive(Encode, Decode)]
#[cbor(array)]
struct Meta {
    #[n(0)]
    entries: Vec<Lean>,
    #[n(1)]
    blobs: Vec<BlobMeta>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct Lean {
    #[cbor(n(0), with = "minicbor::bytes")]
    header: Vec<u8>,
    /// Pairs of where a hash belongs in the whole header and which one it is.
    #[n(1)]
    header_cuts: Vec<u32>,
    #[n(2)]
    has_salt: bool,
    #[cbor(n(3), with = "minicbor::bytes")]
    body: Option<Vec<u8>>,
    #[n(4)]
    body_cuts: Vec<u32>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct BlobMeta {
    #[n(0)]
    kind: ProofKind,
    #[n(1)]
    len: u32,
}

/// With which two bytes the hashes of blobs begin: asked for at each byte of a batch, so a bit for each pair.
struct Starts(Vec<u64>);

impl Starts {
    fn of(hashes: &[Hash32]) -> Self {
        let mut bits = vec![0; (1 << 16) / 64];
        for hash in hashes {
            let (word, bit) = Self::place(hash.0[0], hash.0[1]);
            if let Some(word) = bits.get_mut(word) {
                *word |= bit;
            }
        }
        Self(bits)
    }

    fn place(first: u8, second: u8) -> (usize, u64) {
        let pair = u16::from_be_bytes([first, second]);
        (usize::from(pair / 64), 1 << (pair % 64))
    }

    fn may_be(&self, window: &[u8]) -> bool {
        let [first, second, ..] = window else {
            return false;
        };
        let (word, bit) = Self::place(*first, *second);
        self.0.get(word).is_some_and(|held| held & bit != 0)
    }
}

/// The blobs of a batch by hash, and how many of them entries have named so far: most entries name the next.
struct Blobs<'a> {
    hashes: &'a [Hash32],
    next: u32,
}

impl Blobs<'_> {
    /// The number of a blob as it stands in a cut: how far it is behind the next one expected, cyclically.
    fn number_of(&mut self, window: &[u8]) -> Option<u32> {
        let count = u32::try_from(self.hashes.len()).ok()?;
        for ahead in 0..count {
            let index = (self.next + ahead) % count;
            if self.hashes.get(index as usize)?.0 == *window {
                self.next = (index + 1) % count;
                return Some(FIRST_BLOB + ahead);
            }
        }
        None
    }

    fn hash_of(&mut self, number: u32) -> Option<Hash32> {
        let count = u32::try_from(self.hashes.len()).ok()?;
        let ahead = number.checked_sub(FIRST_BLOB).filter(|n| *n < count)?;
        let index = (self.next + ahead) % count;
        self.next = (index + 1) % count;
        self.hashes.get(index as usize).copied()
    }
}

/// Cuts out what `number` knows. Gives the rest and where which was.
fn cut(bytes: &[u8], mut number: impl FnMut(&[u8]) -> Option<u32>) -> (Vec<u8>, Vec<u32>) {
    let (mut rest, mut cuts) = (Vec::with_capacity(bytes.len()), Vec::new());
    // Everything before `kept` is in `rest` or cut.
    let (mut kept, mut at) = (0, 0);
    while let Some(window) = bytes.get(at..at + HASH_BYTES) {
        match (number(window), u32::try_from(at)) {
            (Some(which), Ok(place)) => {
                rest.extend_from_slice(bytes.get(kept..at).unwrap_or_default());
                cuts.extend([place, which]);
                at += HASH_BYTES;
                kept = at;
            }
            _ => at += 1,
        }
    }
    rest.extend_from_slice(bytes.get(kept..).unwrap_or_default());
    (rest, cuts)
}

/// Puts back what was cut.
fn mend(
    rest: &[u8],
    cuts: &[u32],
    limit: usize,
    mut hash: impl FnMut(u32) -> Option<Hash32>,
) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(rest.len() + cuts.len() * HASH_BYTES / 2);
    let mut rest = rest.iter().copied();
    for pair in cuts.chunks(2) {
        let [place, which] = pair else { return None };
        let place = *place as usize;
        if place < out.len() || place > limit {
            return None;
        }
        let missing = place - out.len();
        out.extend(rest.by_ref().take(missing));
        if out.len() != place {
            return None;
        }
        out.extend(hash(*which)?.0);
    }
    out.extend(rest);
    (out.len() <= limit).then_some(out)
}

pub(super) fn encode(batch: &Batch) -> Result<Vec<u8>, FormatError> {
    let meta = metadata(batch);
    if meta.len() > limits::MAX_BATCH_META_BYTES {
        return Err(too_large(
            "batch metadata",
            meta.len(),
            limits::MAX_BATCH_META_BYTES,
        ));
    }
    frame(batch, &meta)
}

/// What is compressed of a batch.
pub(super) fn metadata(batch: &Batch) -> Vec<u8> {
    let hashes: Vec<Hash32> = batch.blobs.iter().map(|b| b.hash).collect();
    let starts = Starts::of(&hashes);
    let mut blobs = Blobs {
        hashes: &hashes,
        next: 0,
    };
    let mut prev: Option<Hash32> = None;
    let mut entries = Vec::with_capacity(batch.entries.len());
    for sent in &batch.entries {
        let may_be = |w: &[u8]| starts.may_be(w);
        let (body, body_cuts) = match &sent.body {
            Some(body) => {
                let (rest, cuts) = cut(body, |w| may_be(w).then(|| blobs.number_of(w)).flatten());
                (Some(rest), cuts)
            }
            None => (None, Vec::new()),
        };
        let commitment = commitment_of(sent);
        let (header, header_cuts) = cut(&sent.header, |w| {
            if prev.is_some_and(|p| p.0 == *w) {
                return Some(PREV);
            }
            if commitment.is_some_and(|c| c.0 == *w) {
                return Some(COMMITMENT);
            }
            may_be(w).then(|| blobs.number_of(w)).flatten()
        });
        entries.push(Lean {
            header,
            header_cuts,
            has_salt: sent.salt.is_some(),
            body,
            body_cuts,
        });
        prev = Some(sent.hash());
    }
    codec::encode(&Meta {
        entries,
        blobs: batch
            .blobs
            .iter()
            .map(|b| BlobMeta {
                kind: b.kind,
                len: u32::try_from(b.bytes.len()).unwrap_or(u32::MAX),
            })
            .collect(),
    })
}

fn frame(batch: &Batch, meta: &[u8]) -> Result<Vec<u8>, FormatError> {
    let packed = zstd::bulk::Compressor::with_dictionary(ZSTD_LEVEL, DICTIONARY)
        .and_then(|mut c| c.compress(meta))
        .map_err(|_| malformed())?;
    let blobs: usize = batch.blobs.iter().map(|blob| blob.bytes.len()).sum();
    let beside = batch.entries.len() * (size_of::<Sig64>() + size_of::<Salt>());
    let mut out = Vec::with_capacity(9 + packed.len() + beside + blobs);
    out.extend_from_slice(MAGIC);
    out.push(DICTIONARY_NO);
    let len = u32::try_from(packed.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&packed);
    for entry in &batch.entries {
        out.extend_from_slice(&entry.sig.0);
    }
    for salt in batch.entries.iter().filter_map(|e| e.salt) {
        out.extend_from_slice(&salt.0);
    }
    for blob in &batch.blobs {
        out.extend_from_slice(&blob.bytes);
    }
    if out.len() > limits::MAX_BATCH_BYTES {
        return Err(too_large("batch", out.len(), limits::MAX_BATCH_BYTES));
    }
    Ok(out)
}

fn commitment_of(entry: &SignedEntry) -> Option<Hash32> {
    let (salt, body) = (entry.salt.as_ref()?, entry.body.as_deref()?);
    Some(entry::commitment(salt, body))
}

/// Reads what follows the magic.
pub(super) fn decode(rest: &[u8]) -> Result<Batch, FormatError> {
    let (dictionary, rest) = rest.split_first().ok_or_else(malformed)?;
    if *dictionary != DICTIONARY_NO {
        return Err(FormatError::UnknownVersion {
            what: "batch dictionary",
            version: u32::from(*dictionary),
        });
    }
    let (len, rest) = rest.split_first_chunk::<4>().ok_or_else(malformed)?;
    let (packed, mut raw) = rest
        .split_at_checked(u32::from_le_bytes(*len) as usize)
        .ok_or_else(malformed)?;
    let meta = zstd::bulk::Decompressor::with_dictionary(DICTIONARY)
        .and_then(|mut d| d.decompress(packed, limits::MAX_BATCH_META_BYTES))
        .map_err(|_| malformed())?;
    let meta: Meta = codec::decode("batch metadata", &meta, limits::MAX_BATCH_META_BYTES)?;
    if meta.entries.len() > limits::MAX_BATCH_ENTRIES {
        return Err(too_large(
            "batch",
            meta.entries.len(),
            limits::MAX_BATCH_ENTRIES,
        ));
    }
    let mut sigs = Vec::with_capacity(meta.entries.len());
    for _ in &meta.entries {
        sigs.push(Sig64(*take::<64>(&mut raw)?));
    }
    let mut salts = Vec::with_capacity(meta.entries.len());
    for entry in &meta.entries {
        salts.push(match entry.has_salt {
            true => Some(Salt(*take(&mut raw)?)),
            false => None,
        });
    }
    let blobs = read_blobs(&meta.blobs, raw)?;
    let hashes: Vec<Hash32> = blobs.iter().map(|b| b.hash).collect();
    let entries = restore(meta.entries, (sigs, salts), &hashes)?;
    Ok(Batch { entries, blobs })
}

fn take<'a, const N: usize>(raw: &mut &'a [u8]) -> Result<&'a [u8; N], FormatError> {
    let (bytes, rest) = raw.split_first_chunk::<N>().ok_or_else(malformed)?;
    *raw = rest;
    Ok(bytes)
}

fn read_blobs(metas: &[BlobMeta], mut raw: &[u8]) -> Result<Vec<InlineBlob>, FormatError> {
    let mut blobs = Vec::new();
    for meta in metas {
        let len = meta.len as usize;
        if len > limits::MAX_INLINE_BLOB_BYTES {
            return Err(too_large(
                "inline proof",
                len,
                limits::MAX_INLINE_BLOB_BYTES,
            ));
        }
        let (bytes, rest) = raw.split_at_checked(len).ok_or_else(malformed)?;
        raw = rest;
        blobs.push(InlineBlob {
            hash: crypto::sha256(&[bytes]),
            kind: meta.kind,
            bytes: bytes.to_vec(),
        });
    }
    match raw.is_empty() {
        true => Ok(blobs),
        false => Err(malformed()),
    }
}

fn restore(
    entries: Vec<Lean>,
    (sigs, salts): (Vec<Sig64>, Vec<Option<Salt>>),
    hashes: &[Hash32],
) -> Result<Vec<SignedEntry>, FormatError> {
    let mut blobs = Blobs { hashes, next: 0 };
    let mut prev: Option<Hash32> = None;
    let mut out: Vec<SignedEntry> = Vec::with_capacity(entries.len());
    for ((lean, sig), salt) in entries.into_iter().zip(sigs).zip(salts) {
        let body = match &lean.body {
            Some(rest) => Some(
                // A body that is too large is an entry's own fault and is told as that.
                mend(rest, &lean.body_cuts, limits::MAX_BATCH_META_BYTES, |n| {
                    blobs.hash_of(n)
                })
                .ok_or_else(malformed)?,
            ),
            None => None,
        };
        let mut entry = SignedEntry {
            header: Vec::new(),
            sig,
            salt,
            body,
        };
        let commitment = commitment_of(&entry);
        entry.header = mend(
            &lean.header,
            &lean.header_cuts,
            limits::MAX_BATCH_META_BYTES,
            |n| match n {
                PREV => prev,
                COMMITMENT => commitment,
                n => blobs.hash_of(n),
            },
        )
        .ok_or_else(malformed)?;
        prev = Some(entry.hash());
        out.push(entry);
    }
    Ok(out)
}

fn malformed() -> FormatError {
    FormatError::Malformed { what: "batch" }
}
