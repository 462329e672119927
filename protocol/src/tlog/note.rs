//! Signed notes (C2SP `signed-note`): a text with signature lines that anybody can add to.
//!
//! Checkpoints of the hub's tree are notes, so that a witness can cosign them and tools such as
//! `golang.org/x/mod/sumdb/note` can read them. A note's text has no control characters but the newline,
//! which also keeps it apart from everything else the hub's key signs: all of that begins with a domain
//! that ends in a zero byte.

use core::fmt;
use core::str::FromStr;

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{SigningKey, VerifyingKey};
use thiserror::Error;

use super::tree::ProofError;
use crate::crypto;
use crate::ids::Sig64;

/// Longest note that is read: a checkpoint with sixteen signatures is about 2 KB.
pub const MAX_NOTE_BYTES: usize = 16 * 1_024;
const MAX_SIGNATURES: usize = 32;

/// What kind of signature a key makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigType {
    /// Ed25519 over the note's text.
    Ed25519,
    /// Ed25519 with a time, by a witness (`cosignature/v1`).
    Cosignature,
}

impl SigType {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0x01 => Some(Self::Ed25519),
            0x04 => Some(Self::Cosignature),
            _ => None,
        }
    }
}

/// Why a text is not a note, or its signature does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NoteError {
    /// Not a note, a checkpoint or a key in the published form.
    #[error("malformed {0}")]
    Malformed(&'static str),
    /// No signature of the key that was asked for.
    #[error("the note is not signed by this key")]
    NotSigned,
    /// A signature under this key's name that does not verify.
    #[error("the note's signature does not verify")]
    BadSignature,
    /// Signed, but by another log than expected.
    #[error("the checkpoint is another log's")]
    OtherLog,
    /// The hashes do not lead to the signed root.
    #[error(transparent)]
    NotIncluded(#[from] ProofError),
}

/// A named public key, as text `name+hash+key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vkey {
    /// Whose key: for a log its origin.
    pub name: String,
    /// What it signs.
    pub sig_type: SigType,
    /// The public key.
    pub key: VerifyingKey,
}

impl Vkey {
    /// The short id that signature lines carry.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let hash = crypto::sha256(&[
            self.name.as_bytes(),
            b"\n",
            &[self.sig_type.byte()],
            self.key.as_bytes(),
        ]);
        let [a, b, c, d, ..] = hash.0;
        [a, b, c, d]
    }
}

impl fmt::Display for Vkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.sig_type.byte()];
        key.extend_from_slice(self.key.as_bytes());
        write!(
            f,
            "{}+{}+{}",
            self.name,
            HEXLOWER.encode(&self.id()),
            BASE64.encode(&key)
        )
    }
}

impl FromStr for Vkey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let malformed = NoteError::Malformed("verifier key");
        let (name, rest) = text.trim().split_once('+').ok_or(malformed)?;
        let (id, key) = rest.split_once('+').ok_or(malformed)?;
        let key = BASE64.decode(key.as_bytes()).map_err(|_| malformed)?;
        let (sig_type, key) = key.split_first().ok_or(malformed)?;
        let vkey = Self {
            name: name.to_owned(),
            sig_type: SigType::from_byte(*sig_type).ok_or(malformed)?,
            key: VerifyingKey::try_from(key).map_err(|_| malformed)?,
        };
        let fits = is_name(&vkey.name) && HEXLOWER.encode(&vkey.id()) == id;
        fits.then_some(vkey).ok_or(malformed)
    }
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Whose.
    pub name: String,
    /// Which key of that name.
    pub id: [u8; 4],
    /// The signature's own bytes.
    pub bytes: Vec<u8>,
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.id[..], &self.bytes].concat();
        writeln!(f, "— {} {}", self.name, BASE64.encode(&bytes))
    }
}

impl FromStr for NoteSignature {
    type Err = NoteError;

    /// Reads one line, with or without its newline.
    fn from_str(line: &str) -> Result<Self, NoteError> {
        let malformed = NoteError::Malformed("signature line");
        let line = line.strip_suffix('\n').unwrap_or(line);
        let (name, bytes) = line
            .strip_prefix("— ")
            .and_then(|l| l.split_once(' '))
            .ok_or(malformed)?;
        let bytes = BASE64.decode(bytes.as_bytes()).map_err(|_| malformed)?;
        let (id, bytes) = bytes.split_first_chunk::<4>().ok_or(malformed)?;
        if !is_name(name) || bytes.is_empty() {
            return Err(malformed);
        }
        Ok(Self {
            name: name.to_owned(),
            id: *id,
            bytes: bytes.to_vec(),
        })
    }
}

/// A text and who signed it. Nothing of it is to be believed before [`Note::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Ends in a newline.
    pub text: String,
    /// In the order of their lines.
    pub signatures: Vec<NoteSignature>,
}

impl Note {
    /// Signs `text` with a log's key.
    #[must_use]
    pub fn sign(text: String, name: &str, key: &SigningKey) -> Self {
        let vkey = Vkey {
            name: name.to_owned(),
            sig_type: SigType::Ed25519,
            key: key.verifying_key(),
        };
        let signature = NoteSignature {
            name: name.to_owned(),
            id: vkey.id(),
            bytes: crypto::sign(key, b"", text.as_bytes()).0.to_vec(),
        };
        Self {
            text,
            signatures: vec![signature],
        }
    }

    /// Reads a note.
    ///
    /// # Errors
    /// [`NoteError::Malformed`].
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        let malformed = NoteError::Malformed("note");
        if note.len() > MAX_NOTE_BYTES || note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(malformed);
        }
        // The last empty line parts text and signatures.
        let cut = note.rfind("\n\n").ok_or(malformed)?;
        let (text, lines) = note.split_at_checked(cut + 1).ok_or(malformed)?;
        let lines = lines.strip_prefix('\n').ok_or(malformed)?;
        if !lines.ends_with('\n') {
            return Err(malformed);
        }
        let signatures = lines
            .split_terminator('\n')
            .map(str::parse)
            .collect::<Result<Vec<NoteSignature>, _>>()?;
        if signatures.is_empty() || signatures.len() > MAX_SIGNATURES {
            return Err(malformed);
        }
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }

    /// Checks that `key` signed this text. Lines of other keys are passed over.
    ///
    /// # Errors
    /// [`NoteError::NotSigned`] or [`NoteError::BadSignature`].
    pub fn verify(&self, key: &Vkey) -> Result<(), NoteError> {
        let bytes = self.signature_of(key).ok_or(NoteError::NotSigned)?;
        let good = key.sig_type == SigType::Ed25519
            && Sig64::try_from(bytes)
                .is_ok_and(|sig| crypto::verify(&key.key, b"", self.text.as_bytes(), &sig));
        good.then_some(()).ok_or(NoteError::BadSignature)
    }

    /// The bytes signed under this key's name and id.
    pub(super) fn signature_of(&self, key: &Vkey) -> Option<&[u8]> {
        let id = key.id();
        self.signatures
            .iter()
            .find(|s| s.name == key.name && s.id == id)
            .map(|s| s.bytes.as_slice())
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|s| s.fmt(f))
    }
}

/// Names have no spaces and no plus sign.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
}
