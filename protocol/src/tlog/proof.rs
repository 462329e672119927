//! `c2sp.org/tlog-proof@v1`: a text that shows, offline, that something is in a log.

use core::fmt;
use core::str::FromStr;

use data_encoding::BASE64;

use super::checkpoint::Checkpoint;
use super::note::{MAX_NOTE_BYTES, Note, NoteError, Vkey};
use super::tree::verify_inclusion;
use crate::ids::Hash32;

const HEADING: &str = "c2sp.org/tlog-proof@v1";
/// A tree of 2^63 leaves needs as many.
const MAX_HASHES: usize = 63;

/// Where an entry lies in a log, the way to the root, and the log's word for that root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// The leaf's place, from 0.
    pub index: u64,
    /// From the leaf's sibling to the root's child.
    pub hashes: Vec<Hash32>,
    /// The signed checkpoint, with cosignatures where there are any.
    pub checkpoint: Note,
}

impl TlogProof {
    /// Checks that `leaf` is in the log, and gives the checkpoint that says so.
    ///
    /// # Errors
    /// [`NoteError`] for a checkpoint that `log` did not sign, or for hashes that lead to another root than
    /// the signed one.
    pub fn verify(&self, leaf: Hash32, log: &Vkey) -> Result<Checkpoint, NoteError> {
        let checkpoint = Checkpoint::open(&self.checkpoint, log)?;
        verify_inclusion(
            leaf,
            self.index,
            checkpoint.size,
            &self.hashes,
            checkpoint.root,
        )?;
        Ok(checkpoint)
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADING}\nindex {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", BASE64.encode(&hash.0))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for TlogProof {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let malformed = NoteError::Malformed("log proof");
        if text.len() > 2 * MAX_NOTE_BYTES {
            return Err(malformed);
        }
        let (head, checkpoint) = text.split_once("\n\n").ok_or(malformed)?;
        let mut lines = head.split('\n');
        if lines.next() != Some(HEADING) {
            return Err(malformed);
        }
        let mut line = lines.next().ok_or(malformed)?;
        // Extra data is unauthenticated; we write none and skip that of others.
        if line.starts_with("extra ") {
            line = lines.next().ok_or(malformed)?;
        }
        let number = line.strip_prefix("index ").ok_or(malformed)?;
        let index: u64 = number.parse().map_err(|_| malformed)?;
        if index.to_string() != number {
            return Err(malformed);
        }
        let hashes = lines
            .map(|line| {
                let bytes = BASE64.decode(line.as_bytes()).map_err(|_| malformed)?;
                Hash32::try_from(bytes.as_slice()).map_err(|_| malformed)
            })
            .collect::<Result<Vec<_>, _>>()?;
        if hashes.len() > MAX_HASHES {
            return Err(malformed);
        }
        Ok(Self {
            index,
            hashes,
            checkpoint: Note::parse(checkpoint)?,
        })
    }
}
