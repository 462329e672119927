//! What the host may show about enrolment and the queue, without guessing.

use satchel_protocol::ids::{DeviceId, StopId};

/// Whether this phone belongs to a hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enrolment {
    /// No invite was given yet.
    None,
    /// An invite was given; the hub has not answered.
    Pending,
    /// This phone is a device of a hub.
    Enrolled {
        /// Its id at the hub.
        device_id: DeviceId,
        /// The courier's display name.
        courier_name: String,
    },
    /// The hub refused the invite; a new one is needed.
    Refused,
}

/// The honest state of the queue (B4-13, B4-14). All figures come from the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncStatus {
    /// Entries without a receipt.
    pub unsent_entries: u64,
    /// Proofs without a receipt.
    pub unsent_proofs: u64,
    /// Bytes of those entries and proofs, as they are stored: what goes over the line is less, as far as it compresses.
    pub unsent_bytes: u64,
    /// Photos whose bytes this phone has no longer and for which it has no receipt. They wait for nothing and are not among
    /// the unsent ones; they come back when a file turns up again or the hub says that it has them.
    pub lost_proofs: u64,
    /// Of the unsent proofs, photos that wait for a network that costs nothing (see
    /// [`Courier::set_photos_on_metered`](crate::Courier::set_photos_on_metered)).
    pub held_back_proofs: u64,
    /// Bytes of those.
    pub held_back_bytes: u64,
    /// Stops on this phone that the hub did not name when it last told everything that holds: it was set
    /// back to a backup. They stay until it takes them back by name.
    pub stops_unknown_to_hub: u64,
    /// When the oldest of what waits happened, entry or photo, Unix milliseconds.
    pub oldest_unsent_ms: Option<i64>,
    /// The last time the hub answered with something true, Unix milliseconds.
    pub last_contact_ms: Option<i64>,
    /// When the next retry is due, Unix milliseconds.
    pub next_retry_ms: Option<i64>,
    /// What holds the queue, if anything does.
    pub blocking: Option<Blocking>,
    /// Entries that the hub did not accept. They hold up nothing; they are to be looked at.
    pub wedged_entries: u64,
    /// Receipts that were forged, for another device or for unknown hashes.
    pub receipt_alarms: u64,
    /// Answers of the hub that contradict what it showed before; what proves it is kept.
    pub hub_contradictions: u64,
}

/// What went into an export file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportReport {
    /// Entries without a receipt.
    pub entries: u64,
    /// Proofs without a receipt, besides the signatures and thumbnails that ride with their entries.
    pub proofs: u64,
    /// Size of the file.
    pub bytes: u64,
    /// Places of this phone's log that went bad and could not be repaired, for want of space or because the row itself is
    /// damaged. What they say is only on this phone; everything else is in the file.
    pub left_open: Vec<i64>,
    /// Proofs without a receipt whose bytes could not be read: they are not in the file.
    pub left_out_proofs: u64,
}

/// What holds the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocking {
    /// The hub cannot be reached.
    Network,
    /// The hub answers, but not with what was asked: an error, a portal's page, half a body.
    BadAnswer,
    /// The hub does not accept this phone (unknown, revoked, quarantined): a person must look.
    Refused,
    /// The hub's log does not fit what it showed before: it is not believed until a person has looked.
    HubContradicts,
}

impl Blocking {
    /// Whether waiting or another network will not help.
    pub(crate) fn needs_person(self) -> bool {
        matches!(self, Self::Refused | Self::HubContradicts)
    }
}

/// What changed since a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// Ask from here next time.
    pub version: i64,
    /// Stops to read again.
    pub stops: Vec<StopId>,
}
