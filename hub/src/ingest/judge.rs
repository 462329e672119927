//! What a batch's entries are worth, each looked at alone: form, signature, commitment.

use std::sync::Arc;

use satchel_protocol::device_keys::KeyChain;
use satchel_protocol::entry::{EntryKind, Header, SignedEntry};
use satchel_protocol::ids::DeviceId;
use satchel_protocol::wedge::WedgeReason;

use crate::error::HubError;
use crate::store::entries::CheckedEntry;

/// An entry as it was sent, looked at alone.
pub(super) enum Judged {
    Sound(Box<CheckedEntry>),
    Unsound {
        reason: WedgeReason,
        /// Position and device it claims, if its header can be read.
        claims: Option<(i64, DeviceId)>,
    },
}

/// Entries below this are judged where they are: a thread has to be worth its start.
const LEAST_TO_A_THREAD: usize = 16;

/// The keys of a log with the changes of keys among these entries, which sign what comes behind them.
pub(super) fn follow(mut keys: KeyChain, sent: &[SignedEntry]) -> KeyChain {
    for entry in sent {
        let header = Header::decode(&entry.header).ok();
        if header.is_some_and(|h| h.kind == EntryKind::KEY_ROTATED && !keys.knows(&h)) {
            // One that does not hold is left out, and judged for what it is.
            let _ = keys.rotate(entry);
        }
    }
    keys
}

/// Judges all entries, on as many threads as there are: a signature takes longer than everything else about an
/// entry.
pub(super) async fn judge_all(
    sent: &Arc<Vec<SignedEntry>>,
    keys: &Arc<KeyChain>,
) -> Result<Vec<Judged>, HubError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = sent.len().div_ceil(threads).max(LEAST_TO_A_THREAD);
    let judge_from = move |sent: &[SignedEntry], keys: &KeyChain, from: usize| -> Vec<Judged> {
        let some = sent.iter().skip(from).take(share);
        some.map(|e| judge(e, keys)).collect()
    };
    let others: Vec<_> = (share..sent.len())
        .step_by(share)
        .map(|from| {
            let (sent, keys) = (Arc::clone(sent), Arc::clone(keys));
            tokio::task::spawn_blocking(move || judge_from(&sent, &keys, from))
        })
        .collect();
    let mut judged = judge_from(sent, keys, 0);
    for other in others {
        judged.extend(other.await?);
    }
    Ok(judged)
}

/// Looks at an entry alone, under the key that counts at its place.
pub(super) fn judge(entry: &SignedEntry, keys: &KeyChain) -> Judged {
    let device = keys.device();
    let reason = match keys.verify(entry) {
        Ok(header) if header.kind == EntryKind::KEY_ROTATED && !keys.knows(&header) => {
            WedgeReason::BAD_SIGNATURE
        }
        Ok(header) if header.device == device => {
            return Judged::Sound(Box::new(CheckedEntry {
                header,
                hash: entry.hash(),
                entry: entry.clone(),
            }));
        }
        Ok(_) => WedgeReason::OTHER_DEVICE,
        Err(error) => WedgeReason::of(&error),
    };
    let header = Header::decode(&entry.header).ok();
    // A stranger's entry says nothing about a position of this log.
    let claims = header.map(|h| (h.seq, h.device)).filter(|c| c.1 == device);
    Judged::Unsound { reason, claims }
}
