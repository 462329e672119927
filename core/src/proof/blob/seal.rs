//! The sealed form: XChaCha20-Poly1305 in the STREAM construction.
//!
//! ```text
//! "SATB" ‖ version(1) ‖ algorithm(1) ‖ chunk size as a power of two(1) ‖ 0 ‖ nonce(19) ‖ chunks…
//! ```
//!
//! Chunks of 64 KiB let a later release read and send without holding a blob whole. STREAM binds
//! each chunk to its place and marks the last one, so chunks cannot be swapped, dropped or cut.
//! Header and plain hash are authenticated with every chunk: a sealed file cannot pose as another.

use aead_stream::{DecryptorBE32, EncryptorBE32, Nonce, StreamBE32};
use chacha20poly1305::aead::Payload;
use chacha20poly1305::{Key, XChaCha20Poly1305};
use sha2::{Digest as _, Sha256};

use super::{BlobError, Entropy};

const FIXED: [u8; 8] = [
    b'S',
    b'A',
    b'T',
    b'B',
    VERSION,
    XCHACHA20_POLY1305_STREAM,
    CHUNK_LOG2,
    0,
];
const VERSION: u8 = 1;
const XCHACHA20_POLY1305_STREAM: u8 = 1;
const CHUNK_LOG2: u8 = 16;

const CHUNK_BYTES: usize = 1 << CHUNK_LOG2;
const TAG_BYTES: usize = 16;
/// 24 bytes of XChaCha nonce less 5 for counter and end mark. Random: 152 bits do not collide.
const NONCE_BYTES: usize = 19;
const HEADER_BYTES: usize = FIXED.len() + NONCE_BYTES;

type StreamNonce = Nonce<XChaCha20Poly1305, StreamBE32<XChaCha20Poly1305>>;

/// How long `plain_bytes` become when sealed.
pub(super) fn sealed_bytes(plain_bytes: u64) -> u64 {
    let chunks = plain_bytes.div_ceil(CHUNK_BYTES as u64).max(1);
    HEADER_BYTES as u64 + plain_bytes + chunks * TAG_BYTES as u64
}

/// Seals bytes whose hash is `sha256`.
pub(super) fn seal(
    key: &[u8; 32],
    sha256: &[u8; 32],
    entropy: Entropy<'_>,
    plain: &[u8],
) -> Result<Vec<u8>, BlobError> {
    let mut nonce = [0u8; NONCE_BYTES];
    entropy(&mut nonce);
    let bound = bound_data(&nonce, sha256);
    let capacity = usize::try_from(sealed_bytes(plain.len() as u64)).unwrap_or(0);
    let mut out = Vec::with_capacity(capacity);
    out.extend_from_slice(&FIXED);
    out.extend_from_slice(&nonce);

    let mut stream =
        EncryptorBE32::<XChaCha20Poly1305>::new(&Key::from(*key), &StreamNonce::from(nonce));
    let (full, last) = split_last(plain, CHUNK_BYTES);
    // Sealing fails only beyond 2^32 chunks, which the size limit rules out.
    let too_large = |_| BlobError::TooLarge {
        bytes: plain.len() as u64,
    };
    for chunk in full.chunks(CHUNK_BYTES) {
        let sealed = stream
            .encrypt_next(Payload {
                msg: chunk,
                aad: &bound,
            })
            .map_err(too_large)?;
        out.extend_from_slice(&sealed);
    }
    let sealed = stream
        .encrypt_last(Payload {
            msg: last,
            aad: &bound,
        })
        .map_err(too_large)?;
    out.extend_from_slice(&sealed);
    Ok(out)
}

/// Opens what [`seal`] made for this key and hash.
pub(super) fn open(key: &[u8; 32], sha256: &[u8; 32], sealed: &[u8]) -> Result<Vec<u8>, BlobError> {
    let damaged = |_| BlobError::Damaged;
    let (header, body) = sealed
        .split_at_checked(HEADER_BYTES)
        .ok_or(BlobError::Damaged)?;
    let (fixed, nonce) = header
        .split_at_checked(FIXED.len())
        .ok_or(BlobError::Damaged)?;
    if fixed != FIXED {
        return Err(BlobError::Damaged);
    }
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| BlobError::Damaged)?;
    let bound = bound_data(&nonce, sha256);

    let mut stream =
        DecryptorBE32::<XChaCha20Poly1305>::new(&Key::from(*key), &StreamNonce::from(nonce));
    let (full, last) = split_last(body, CHUNK_BYTES + TAG_BYTES);
    let mut plain = Vec::with_capacity(body.len());
    for chunk in full.chunks(CHUNK_BYTES + TAG_BYTES) {
        let opened = stream
            .decrypt_next(Payload {
                msg: chunk,
                aad: &bound,
            })
            .map_err(damaged)?;
        plain.extend_from_slice(&opened);
    }
    let opened = stream
        .decrypt_last(Payload {
            msg: last,
            aad: &bound,
        })
        .map_err(damaged)?;
    plain.extend_from_slice(&opened);
    // The tags already bind the hash; this holds even against someone who has the key.
    if Sha256::digest(&plain).as_slice() != sha256 {
        return Err(BlobError::Damaged);
    }
    Ok(plain)
}

/// Splits off the last chunk, which may be empty only if everything is.
fn split_last(bytes: &[u8], chunk_bytes: usize) -> (&[u8], &[u8]) {
    let full = bytes.len().saturating_sub(1) / chunk_bytes * chunk_bytes;
    bytes.split_at_checked(full).unwrap_or((&[], bytes))
}

fn bound_data(nonce: &[u8; NONCE_BYTES], sha256: &[u8; 32]) -> Vec<u8> {
    [&FIXED[..], nonce, sha256].concat()
}
