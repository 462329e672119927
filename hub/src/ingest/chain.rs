//! Where entries belong in their device's log: behind its end, where something stands open, or nowhere.

use std::collections::BTreeMap;

use satchel_protocol::entry::SignedEntry;
use satchel_protocol::ids::{DeviceId, Hash32};
use satchel_protocol::limits;
use satchel_protocol::wedge::WedgeReason;

use super::Sent;
use super::judge::Judged;
use crate::db::Tx;
use crate::error::HubError;
use crate::store::entries::{self, AlarmKind, CheckedEntry, Head};
use crate::store::wedged::{self, OpenRow};

/// Where a sound entry belongs.
pub(super) enum Place {
    /// Next in the chain.
    Next,
    /// Held already, the very same.
    Held,
    /// Its place stands open, and it is the one that belongs there.
    Open,
    /// Another history.
    Fork,
    /// Something before it is missing.
    Gap { expected_seq: i64 },
}

/// A device's log as far as a batch touches it.
pub(super) struct Chain {
    device: DeviceId,
    pub(super) head: Head,
    /// Hashes held at the places of the batch's entries and of those before them.
    pub(super) known: BTreeMap<i64, Hash32>,
}

impl Chain {
    pub(super) async fn open(tx: &mut Tx, batch: &Sent<'_>) -> Result<Self, HubError> {
        let head = entries::head(tx, batch.device).await?;
        let places = batch.judged.iter().filter_map(|judged| match judged {
            Judged::Sound(entry) => Some(entry.header.seq),
            Judged::Unsound { .. } => None,
        });
        // Those of a log that goes on behind its end need no look.
        let behind = places.filter(|seq| *seq <= head.seq);
        let seqs: Vec<i64> = behind.flat_map(|seq| [seq - 1, seq]).collect();
        Ok(Self {
            device: batch.device,
            head,
            known: entries::hashes_at(tx, batch.device, &seqs).await?,
        })
    }

    pub(super) async fn place(&self, tx: &mut Tx, entry: &CheckedEntry) -> Result<Place, HubError> {
        let seq = entry.header.seq;
        if seq > self.head.seq + 1 {
            return Ok(Place::Gap {
                expected_seq: self.head.seq + 1,
            });
        }
        if seq == self.head.seq + 1 {
            // The right number behind another predecessor is a second history as well. Behind an open
            // position it is this entry that says what belongs there.
            let follows = self.head.stands_open || entry.header.prev == self.head.hash;
            return Ok(if follows { Place::Next } else { Place::Fork });
        }
        if let Some(held) = self.known.get(&seq) {
            return Ok(if *held == entry.hash {
                Place::Held
            } else {
                Place::Fork
            });
        }
        let Some(open) = wedged::at(tx, self.device, seq).await? else {
            return Err(HubError::DamagedRow { what: "log" });
        };
        let before = self.known.get(&(seq - 1)).copied();
        Ok(match belongs(&open, entry, before) {
            true => Place::Open,
            false => Place::Fork,
        })
    }
}

/// What became of an entry that does not verify.
pub(super) enum Left {
    /// Its position stands open, or is held already and needs nothing.
    Open,
    /// Something before it is missing.
    Gap,
    /// This is no bad entry but a broken phone.
    TooMany,
}

/// Leaves the position of an entry open that does not verify. Where its own header cannot be trusted to say
/// which that is, its place in the batch does: batches are in order.
pub(super) async fn leave_open(
    tx: &mut Tx,
    device: DeviceId,
    head: &mut Head,
    entry: &SignedEntry,
    (reason, claims): (WedgeReason, Option<(i64, DeviceId)>),
    now_ms: i64,
) -> Result<Left, HubError> {
    let known = wedged::with_header(tx, device, &entry.header).await?;
    let seq = known.or(claims.map(|c| c.0)).unwrap_or(head.seq + 1);
    if seq > head.seq + 1 {
        return Ok(Left::Gap);
    }
    let is_next = seq == head.seq + 1;
    if !is_next && wedged::at(tx, device, seq).await?.is_none() {
        // Bytes that went bad after the right ones had come.
        return Ok(Left::Open);
    }
    if is_next && wedged::of_device(tx, device).await?.len() >= limits::MAX_WEDGED {
        return Ok(Left::TooMany);
    }
    wedged::open(tx, device, seq, entry, reason, now_ms).await?;
    if is_next {
        entries::alarm(tx, AlarmKind::BadEntry, device, Some(seq), None, now_ms).await?;
        tracing::warn!(%device, seq, reason = reason.code(), "an entry stands open");
        *head = Head {
            seq,
            hash: entry.hash(),
            stands_open: true,
        };
    }
    Ok(Left::Open)
}

/// Whether a sound entry is the one for an open position: the one that the next entry names, behind the one
/// that it names itself. `before` is what is held in front of it.
pub(super) fn belongs(open: &OpenRow, entry: &CheckedEntry, before: Option<Hash32>) -> bool {
    if open.named && open.hash != entry.hash {
        return false;
    }
    match before {
        Some(hash) => entry.header.prev == hash,
        None if open.seq == 1 => entry.header.prev == Hash32::ZERO,
        // That one stands open itself.
        None => true,
    }
}
