//! Entries that the hub did not accept and that hold up nothing else.

use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::StopId;
use satchel_protocol::wedge::WedgeReason;

/// One of this phone's entries whose place in the log stands open at the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WedgeView {
    /// Its position in this phone's log.
    pub seq: i64,
    /// Why the hub did not accept it.
    pub reason: WedgeReason,
    /// What kind of entry it is.
    pub kind: EntryKind,
    /// The stop it is about, if it is about one.
    pub stop: Option<StopId>,
    /// When it happened, Unix milliseconds.
    pub occurred_at_ms: i64,
    /// When the phone learned of it, Unix milliseconds.
    pub since_ms: i64,
    /// What is being done about it.
    pub state: WedgeState,
}

/// How far a repair has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WedgeState {
    /// Nothing yet.
    Open,
    /// On its way.
    Repairing,
    /// A later entry says it again, and the hub took that.
    Replaced,
}

/// What a repair does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// The entry is sound on this phone, or could be made so: it is sent again as it was.
    SentAgain,
    /// It cannot be sent as it was: a new entry at this position says the same again.
    SaidAgain {
        /// Position of the new entry.
        seq: i64,
    },
}
