//! What a request is for, and which queue it stands in.

use satchel_protocol::batch::Form;
use satchel_protocol::ids::{DeviceId, Hash32};

/// Requests of one lane are sent one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    Enrol,
    Log,
    Feed,
    Escrow,
    Proof,
}

impl Lane {
    /// In the order of their worth.
    pub(crate) const ALL: [Self; 5] = [
        Self::Enrol,
        Self::Log,
        Self::Feed,
        Self::Escrow,
        Self::Proof,
    ];
}

/// What a request in flight was for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Job {
    Enrol {
        /// Which invite: a second one may have been scanned meanwhile.
        device: DeviceId,
    },
    AskLog {
        /// What made it ask: another reason that came up meanwhile is not answered with it.
        asked: Ask,
    },
    PushLog {
        /// The last entry of the batch.
        up_to: i64,
        /// Its size before compression, in the measure of [`super::super::pace`].
        size_bytes: usize,
        /// How it was written.
        form: Form,
    },
    PullFeed,
    /// The hub answers when there is news.
    PollFeed,
    /// The store's key, sealed.
    Escrow {
        hash: Hash32,
    },
    Proof {
        id: i64,
        hash: Hash32,
        step: Step,
        size_bytes: u64,
        /// Bytes of the proof in this request.
        sent_bytes: usize,
    },
}

impl Job {
    pub(crate) fn lane(&self) -> Lane {
        match self {
            Self::Enrol { .. } => Lane::Enrol,
            Self::AskLog { .. } | Self::PushLog { .. } => Lane::Log,
            Self::PullFeed | Self::PollFeed => Lane::Feed,
            Self::Escrow { .. } => Lane::Escrow,
            Self::Proof { .. } => Lane::Proof,
        }
    }
}

/// Whether the hub is asked what it holds before anything is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ask {
    /// What it holds is known.
    No,
    /// An outcome is unknown: ask behind what is receipted.
    Unknown,
    /// Look once more at what was receipted last.
    Recheck,
    /// The hub is not what it was: look at everything, from behind this entry on. `look` tells one such look from one
    /// that began anew meanwhile.
    All { after: i64, look: u32 },
}

/// Where an upload stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing was sent: create it with its bytes in one request.
    Create,
    /// Something may have been sent: ask for the offset.
    AskOffset,
    /// Send the rest.
    Resume { offset: u64 },
    /// All bytes are there: ask for the receipt.
    AskReceipt,
}
