//! Checkpoints (C2SP `tlog-checkpoint`): the hub's signed word about its tree, and the witnesses' beside
//! it (`tlog-cosignature`, Ed25519).

use data_encoding::BASE64;
use ed25519_dalek::{SigningKey, VerifyingKey};

use super::note::{Note, NoteError, NoteSignature, SigType, Vkey};
use crate::crypto;
use crate::ids::{Hash32, Sig64};

/// What a tree looked like at some size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: its address without the scheme.
    pub origin: String,
    /// Leaves.
    pub size: u64,
    /// Root over them.
    pub root: Hash32,
}

/// A hub's log by the hub's public address and the log's number. The number rises only when an operator
/// had to begin the log anew, after a restore from a backup.
#[must_use]
pub fn log_origin(public_url: &str, log_no: u32) -> String {
    let authority = public_url.split_once("://").map_or(public_url, |(_, a)| a);
    format!("{}/log/{log_no}", authority.trim_end_matches('/'))
}

/// The key that checkpoints of this log are checked with.
#[must_use]
pub fn log_vkey(origin: &str, hub: &VerifyingKey) -> Vkey {
    Vkey {
        name: origin.to_owned(),
        sig_type: SigType::Ed25519,
        key: *hub,
    }
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            BASE64.encode(&self.root.0)
        )
    }

    /// Signs it as this log.
    #[must_use]
    pub fn sign(&self, hub: &SigningKey) -> Note {
        Note::sign(self.text(), &self.origin, hub)
    }

    /// Reads the text of a checkpoint; lines behind the third are extensions and left alone.
    ///
    /// # Errors
    /// [`NoteError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let malformed = NoteError::Malformed("checkpoint");
        let mut lines = text.strip_suffix('\n').ok_or(malformed)?.split('\n');
        let mut next = || lines.next().filter(|l| !l.is_empty()).ok_or(malformed);
        let (origin, size, root) = (next()?, next()?, next()?);
        let number: u64 = size.parse().map_err(|_| malformed)?;
        if number.to_string() != size || lines.any(str::is_empty) {
            return Err(malformed);
        }
        let root = BASE64.decode(root.as_bytes()).map_err(|_| malformed)?;
        Ok(Self {
            origin: origin.to_owned(),
            size: number,
            root: Hash32::try_from(root.as_slice()).map_err(|_| malformed)?,
        })
    }

    /// Reads a note and believes it only if `log` signed it about itself.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn open(note: &Note, log: &Vkey) -> Result<Self, NoteError> {
        note.verify(log)?;
        let checkpoint = Self::parse(&note.text)?;
        if checkpoint.origin != log.name {
            return Err(NoteError::OtherLog);
        }
        Ok(checkpoint)
    }
}

/// A witness's line under a checkpoint: at `time_s`, this was the largest tree it had seen of this log.
#[must_use]
pub fn cosign(note: &Note, name: &str, key: &SigningKey, time_s: u64) -> NoteSignature {
    let vkey = Vkey {
        name: name.to_owned(),
        sig_type: SigType::Cosignature,
        key: key.verifying_key(),
    };
    let sig = crypto::sign(key, b"", &cosigned_message(&note.text, time_s));
    NoteSignature {
        name: name.to_owned(),
        id: vkey.id(),
        bytes: [&time_s.to_be_bytes()[..], &sig.0].concat(),
    }
}

/// When `witness` cosigned this note, Unix seconds.
///
/// # Errors
/// [`NoteError::NotSigned`] or [`NoteError::BadSignature`].
pub fn cosigned_at(note: &Note, witness: &Vkey) -> Result<u64, NoteError> {
    let bytes = note.signature_of(witness).ok_or(NoteError::NotSigned)?;
    let (time, sig) = bytes
        .split_first_chunk::<8>()
        .ok_or(NoteError::BadSignature)?;
    let time_s = u64::from_be_bytes(*time);
    let good = witness.sig_type == SigType::Cosignature
        && Sig64::try_from(sig).is_ok_and(|sig| {
            crypto::verify(
                &witness.key,
                b"",
                &cosigned_message(&note.text, time_s),
                &sig,
            )
        });
    good.then_some(time_s).ok_or(NoteError::BadSignature)
}

fn cosigned_message(text: &str, time_s: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {time_s}\n{text}").into_bytes()
}
