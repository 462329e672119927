//! Entries the hub did not accept: what a screen shows of them and what a repair did.

use satchel_core::model::wedge;

/// One of this phone's entries whose place in the log stands open at the hub. It holds up nothing else.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct WedgedEntry {
    /// Its position in this phone's log; give it to `repairEntry`.
    pub seq: i64,
    /// Why the hub did not accept it, as a code: `malformed`, `unknown_version`, `bad_signature`,
    /// `other_device`, `commitment_mismatch`, `half_erased`, `too_large`, `not_the_named_one` or `other`.
    pub reason: String,
    /// The stop it is about, if it is about one.
    pub stop_id: Option<String>,
    /// When it happened, Unix milliseconds.
    pub occurred_at_ms: i64,
    /// When the phone learned of it, Unix milliseconds.
    pub since_ms: i64,
    /// What is being done about it.
    pub state: WedgeState,
}

/// How far a repair has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum WedgeState {
    /// Nothing yet.
    Open,
    /// On its way.
    Repairing,
    /// A later entry says it again, and the hub took that.
    Replaced,
}

/// What a repair does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum EntryRepair {
    /// The entry is sent again as it was.
    SentAgain,
    /// A new entry at this position says the same again.
    SaidAgain {
        /// Position of the new entry.
        seq: i64,
    },
}

impl From<wedge::WedgeView> for WedgedEntry {
    fn from(view: wedge::WedgeView) -> Self {
        Self {
            seq: view.seq,
            reason: view.reason.code().to_owned(),
            stop_id: view.stop.map(|stop| stop.to_string()),
            occurred_at_ms: view.occurred_at_ms,
            since_ms: view.since_ms,
            state: match view.state {
                wedge::WedgeState::Open => WedgeState::Open,
                wedge::WedgeState::Repairing => WedgeState::Repairing,
                wedge::WedgeState::Replaced => WedgeState::Replaced,
            },
        }
    }
}

impl From<wedge::Repair> for EntryRepair {
    fn from(repair: wedge::Repair) -> Self {
        match repair {
            wedge::Repair::SentAgain => Self::SentAgain,
            wedge::Repair::SaidAgain { seq } => Self::SaidAgain { seq },
        }
    }
}
