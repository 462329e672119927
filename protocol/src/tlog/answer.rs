//! What the hub shows of its tree with every receipt, and how a phone checks it.
//!
//! The phone keeps one checkpoint. Each answer has to prove that the hub's tree still contains everything
//! it had then, and that the phone's newest entry is in it; that entry names the one before it, and so on,
//! so one proof covers the whole log. A hub that shows different trees to different phones, or another past
//! than before, is caught with two signed checkpoints in hand (threat 23).

use minicbor::{Decode, Encode};
use thiserror::Error;

use super::checkpoint::{Checkpoint, log_vkey};
use super::note::{Note, NoteError};
use super::tree::{ProofError, verify_consistency, verify_inclusion};
use crate::ids::Hash32;
use ed25519_dalek::VerifyingKey;

/// The hub's tree as shown to one phone.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct TreeAnswer {
    /// A signed note.
    #[n(0)]
    pub checkpoint: String,
    /// From the checkpoint the phone named in its request.
    #[n(1)]
    pub consistency: Vec<Hash32>,
    /// Where the last entry held of this phone lies.
    #[n(2)]
    pub head_index: u64,
    /// From that entry to the root.
    #[n(3)]
    pub inclusion: Vec<Hash32>,
}

/// The last tree a phone believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeHead {
    /// Which log of the hub, from 1.
    pub log_no: u32,
    /// Leaves.
    pub size: u64,
    /// Root over them.
    pub root: Hash32,
    /// The note that says so, as it came.
    pub note: String,
}

/// A tree that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// To keep instead of the last one.
    pub head: TreeHead,
    /// The hub began a new log: what it said before can only be shown by those who kept it. To be recorded
    /// as evidence, and to be shown.
    pub restarted: bool,
}

/// Why a hub is not believed. With the checkpoint from before, the answer proves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TreeFault {
    /// Not signed by the hub, or not a checkpoint.
    #[error("the checkpoint does not count: {0}")]
    Note(#[from] NoteError),
    /// The tree became smaller, or an older log came back.
    #[error("the hub's log became shorter")]
    Shrunk,
    /// The tree no longer contains what it contained.
    #[error("the hub's log was rewritten: {0}")]
    Rewritten(ProofError),
    /// The hub says it holds the phone's entries, and its tree does not have them.
    #[error("the hub's log lacks what the hub receipted: {0}")]
    Missing(ProofError),
}

impl TreeAnswer {
    /// Checks the answer of the hub at `public_url` against the last tree that was believed and against
    /// the newest entry that the receipt beside it names, if it names one.
    ///
    /// # Errors
    /// [`TreeFault`]; then nothing of the answer may be believed, the receipt included.
    pub fn check(
        &self,
        public_url: &str,
        hub: &VerifyingKey,
        known: Option<&TreeHead>,
        newest: Option<Hash32>,
    ) -> Result<Watched, TreeFault> {
        let note = Note::parse(&self.checkpoint)?;
        let claimed = Checkpoint::parse(&note.text)?;
        let log_no = log_no(&claimed.origin, public_url).ok_or(NoteError::OtherLog)?;
        let checkpoint = Checkpoint::open(&note, &log_vkey(&claimed.origin, hub))?;
        let restarted = match known {
            Some(known) if log_no < known.log_no => return Err(TreeFault::Shrunk),
            Some(known) if log_no == known.log_no => {
                if checkpoint.size < known.size {
                    return Err(TreeFault::Shrunk);
                }
                if known.size > 0 {
                    verify_consistency(
                        known.size,
                        checkpoint.size,
                        &self.consistency,
                        known.root,
                        checkpoint.root,
                    )
                    .map_err(TreeFault::Rewritten)?;
                }
                false
            }
            Some(_) => true,
            None => false,
        };
        if let Some(newest) = newest {
            verify_inclusion(
                newest,
                self.head_index,
                checkpoint.size,
                &self.inclusion,
                checkpoint.root,
            )
            .map_err(TreeFault::Missing)?;
        }
        Ok(Watched {
            head: TreeHead {
                log_no,
                size: checkpoint.size,
                root: checkpoint.root,
                note: self.checkpoint.clone(),
            },
            restarted,
        })
    }
}

/// The number in the origin of a log of the hub at `public_url`.
fn log_no(origin: &str, public_url: &str) -> Option<u32> {
    let (prefix, number) = origin.rsplit_once('/')?;
    let log_no: u32 = number.parse().ok()?;
    let expected = super::checkpoint::log_origin(public_url, log_no);
    (expected == origin && !prefix.is_empty() && log_no > 0).then_some(log_no)
}
