//! The file that carries unsent work out of a phone: the last way when it is to be wiped or given back.
//!
//! ```text
//! "SLX1" ‖ device(16) ‖ hub key id(8) ‖ one-time public key(32) ‖ { length(4, big endian) ‖ sealed frame }*
//! ```
//!
//! Only the hub can read it: the frames are sealed (XChaCha20-Poly1305) under a key agreed between a one-time
//! key of this file and the hub's own (X25519 over the same curve as its signatures). A frame is bound to the
//! header and to its place; the last one says how many there were, so a cut file is known to be cut, and what
//! is whole of it counts all the same. What is inside is signed by the device as ever.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use ed25519_dalek::{SigningKey, VerifyingKey};
use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::codec::{self, FormatError};
use crate::crypto::{self, Secret32};
use crate::ids::{DeviceId, Hash32, KeyId};
use crate::limits;
use crate::taxonomy::ProofKind;

const MAGIC: &[u8; 4] = b"SLX1";
const KEY_INFO: &[u8] = b"satchel-export/1";
/// Bytes of a file before its first frame.
pub const HEADER_BYTES: usize = 60;
/// Largest frame: a proof with its hash and kind.
#[allow(clippy::cast_possible_truncation)]
pub const MAX_FRAME_BYTES: usize = limits::MAX_PROOF_BYTES as usize + 1_024;

/// What a frame holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// An upload batch, as its own format has it.
    Batch(Vec<u8>),
    /// A proof whole.
    Proof {
        /// SHA-256 of its bytes.
        hash: Hash32,
        /// What it is.
        kind: ProofKind,
        /// The plain bytes.
        bytes: Vec<u8>,
    },
    /// Nothing follows; so many frames came before.
    End {
        /// Their number.
        frames: u64,
    },
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct FrameBody {
    #[n(0)]
    what: u8,
    #[n(1)]
    hash: Option<Hash32>,
    #[n(2)]
    kind: Option<ProofKind>,
    #[cbor(n(3), with = "minicbor::bytes")]
    bytes: Vec<u8>,
    #[n(4)]
    frames: Option<u64>,
}

/// Why a file or a part of it is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// Not the format.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// Made for another hub.
    #[error("the file was made for another hub")]
    OtherHub,
    /// Cut, changed or out of its place.
    #[error("a part of the file was changed")]
    Changed,
}

/// Seals frames on the phone.
pub struct Sealer {
    sealing: Sealing,
}

/// Opens frames at the hub.
pub struct Opener {
    sealing: Sealing,
    /// Whose work it is, as the file says; its entries prove it.
    pub device: DeviceId,
}

/// What both sides share.
struct Sealing {
    cipher: XChaCha20Poly1305,
    header: Vec<u8>,
    place: u64,
}

impl Sealing {
    fn new(header: Vec<u8>, mine: &SigningKey, theirs: &VerifyingKey) -> Result<Self, ExportError> {
        let shared = theirs.to_montgomery().mul_clamped(mine.to_scalar_bytes());
        // A point of small order would make a key that everybody knows.
        if crypto::equal_ct(shared.as_bytes(), &[0; 32]) {
            return Err(ExportError::OtherHub);
        }
        let key = crypto::derive_key(&Secret32::new(shared.to_bytes()), &[KEY_INFO, &header]);
        Ok(Self {
            cipher: XChaCha20Poly1305::new(&Key::from(*key.expose())),
            header,
            place: 0,
        })
    }

    /// The place of a frame is its nonce: the key belongs to this file alone.
    fn next_nonce(&mut self) -> XNonce {
        let mut nonce = [0; 24];
        if let Some((_, counter)) = nonce.split_last_chunk_mut::<8>() {
            *counter = self.place.to_be_bytes();
        }
        self.place += 1;
        XNonce::from(nonce)
    }
}

impl Sealer {
    /// Begins a file for `hub`. `one_time` are 32 random bytes that are used for nothing else. Gives the
    /// file's first bytes.
    ///
    /// # Errors
    /// [`ExportError::OtherHub`] for a hub key that is none.
    pub fn begin(
        device: DeviceId,
        hub: &VerifyingKey,
        one_time: &Secret32,
    ) -> Result<(Self, Vec<u8>), ExportError> {
        let one_time = SigningKey::from_bytes(one_time.expose());
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(device.as_bytes());
        header.extend_from_slice(&crypto::key_id(hub).0);
        header.extend_from_slice(one_time.verifying_key().as_bytes());
        let sealing = Sealing::new(header.clone(), &one_time, hub)?;
        Ok((Self { sealing }, header))
    }

    /// The next bytes of the file.
    ///
    /// # Errors
    /// [`FormatError::TooLarge`] for a frame beyond [`MAX_FRAME_BYTES`].
    pub fn frame(&mut self, frame: Frame) -> Result<Vec<u8>, ExportError> {
        let body = match frame {
            Frame::Batch(bytes) => FrameBody {
                what: 1,
                hash: None,
                kind: None,
                bytes,
                frames: None,
            },
            Frame::Proof { hash, kind, bytes } => FrameBody {
                what: 2,
                hash: Some(hash),
                kind: Some(kind),
                bytes,
                frames: None,
            },
            Frame::End { frames } => FrameBody {
                what: 3,
                hash: None,
                kind: None,
                bytes: Vec::new(),
                frames: Some(frames),
            },
        };
        let plain = codec::encode(&body);
        if plain.len() > MAX_FRAME_BYTES {
            return Err(too_large(plain.len()).into());
        }
        let nonce = self.sealing.next_nonce();
        let payload = Payload {
            msg: &plain,
            aad: &self.sealing.header,
        };
        let sealed = self.sealing.cipher.encrypt(&nonce, payload);
        let sealed = sealed.map_err(|_| ExportError::Changed)?;
        let mut out = u32::try_from(sealed.len())
            .map_err(|_| too_large(sealed.len()))?
            .to_be_bytes()
            .to_vec();
        out.extend_from_slice(&sealed);
        Ok(out)
    }
}

impl Opener {
    /// Reads the first [`HEADER_BYTES`] of a file with the hub's own key.
    ///
    /// # Errors
    /// [`ExportError`] for another format or another hub's file.
    pub fn begin(header: &[u8], hub: &SigningKey) -> Result<Self, ExportError> {
        let malformed = || FormatError::Malformed {
            what: "export file",
        };
        let rest = header.strip_prefix(MAGIC).ok_or_else(malformed)?;
        let (device, rest) = rest.split_first_chunk::<16>().ok_or_else(malformed)?;
        let (key_id, rest) = rest.split_first_chunk::<8>().ok_or_else(malformed)?;
        let one_time: &[u8; 32] = rest.try_into().map_err(|_| malformed())?;
        if crypto::key_id(&hub.verifying_key()) != KeyId(*key_id) {
            return Err(ExportError::OtherHub);
        }
        let one_time = VerifyingKey::from_bytes(one_time).map_err(|_| malformed())?;
        Ok(Self {
            sealing: Sealing::new(header.to_vec(), hub, &one_time)?,
            device: DeviceId(uuid::Uuid::from_bytes(*device)),
        })
    }

    /// Opens the next frame, without its length.
    ///
    /// # Errors
    /// [`ExportError::Changed`] when it is not exactly what was sealed at this place.
    pub fn frame(&mut self, sealed: &[u8]) -> Result<Frame, ExportError> {
        let nonce = self.sealing.next_nonce();
        let payload = Payload {
            msg: sealed,
            aad: &self.sealing.header,
        };
        let plain = self.sealing.cipher.decrypt(&nonce, payload);
        let plain = plain.map_err(|_| ExportError::Changed)?;
        let body: FrameBody = codec::decode("export frame", &plain, MAX_FRAME_BYTES)?;
        let malformed = FormatError::Malformed {
            what: "export frame",
        };
        match (body.what, body.hash, body.kind, body.frames) {
            (1, _, _, _) => Ok(Frame::Batch(body.bytes)),
            (2, Some(hash), Some(kind), _) => {
                if crypto::sha256(&[&body.bytes]) != hash {
                    return Err(malformed.into());
                }
                Ok(Frame::Proof {
                    hash,
                    kind,
                    bytes: body.bytes,
                })
            }
            (3, _, _, Some(frames)) => Ok(Frame::End { frames }),
            _ => Err(malformed.into()),
        }
    }
}

fn too_large(size: usize) -> FormatError {
    FormatError::TooLarge {
        what: "export frame",
        size,
        limit: MAX_FRAME_BYTES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: DeviceId = DeviceId(uuid::Uuid::from_u128(7));

    fn hub(n: u8) -> SigningKey {
        SigningKey::from_bytes(&[n; 32])
    }

    fn file(frames: &[Frame]) -> (Vec<u8>, Vec<Vec<u8>>) {
        let key = Secret32::new([3; 32]);
        let (mut sealer, header) = Sealer::begin(DEVICE, &hub(1).verifying_key(), &key).unwrap();
        let frames = frames.iter().map(|f| sealer.frame(f.clone()).unwrap());
        (header, frames.collect())
    }

    #[test]
    fn only_the_hub_it_is_for_reads_it_and_each_frame_in_its_place() {
        let frames = [
            Frame::Batch(b"batch".to_vec()),
            Frame::Proof {
                hash: crypto::sha256(&[b"photo"]),
                kind: ProofKind::Photo,
                bytes: b"photo".to_vec(),
            },
            Frame::End { frames: 2 },
        ];
        let (header, sealed) = file(&frames);
        assert_eq!(header.len(), HEADER_BYTES);
        let mut opener = Opener::begin(&header, &hub(1)).unwrap();
        assert_eq!(opener.device, DEVICE);
        for (sealed, frame) in sealed.iter().zip(&frames) {
            assert_eq!(opener.frame(&sealed[4..]).as_ref(), Ok(frame));
            assert!(!sealed.windows(5).any(|w| w == b"photo"));
        }
        let other = Opener::begin(&header, &hub(2)).map(|_| ());
        assert_eq!(other, Err(ExportError::OtherHub));
        let mut swapped = Opener::begin(&header, &hub(1)).unwrap();
        assert_eq!(swapped.frame(&sealed[1][4..]), Err(ExportError::Changed));
        for cut in 0..HEADER_BYTES {
            assert!(Opener::begin(&header[..cut], &hub(1)).is_err(), "{cut}");
        }
        let mut renamed = header.clone();
        renamed[5] ^= 1;
        let mut opener = Opener::begin(&renamed, &hub(1)).unwrap();
        assert_eq!(opener.frame(&sealed[0][4..]), Err(ExportError::Changed));
    }
}
