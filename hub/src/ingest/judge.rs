//! What a batch's entries are worth, each looked at alone: form, signature, commitment.

use std::sync::Arc;

use ed25519_dalek::VerifyingKey;
use satchel_protocol::FormatError;
use satchel_protocol::entry::{EntryError, Header, SignedEntry};
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

/// Judges all entries, on as many threads as there are: a signature takes longer than everything else about an
/// entry.
pub(super) async fn judge_all(
    sent: &Arc<Vec<SignedEntry>>,
    device: DeviceId,
    key: VerifyingKey,
) -> Result<Vec<Judged>, HubError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = sent.len().div_ceil(threads).max(LEAST_TO_A_THREAD);
    let judge_from = move |sent: &[SignedEntry], from: usize| -> Vec<Judged> {
        let some = sent.iter().skip(from).take(share);
        some.map(|e| judge(e, device, &key)).collect()
    };
    let others: Vec<_> = (share..sent.len())
        .step_by(share)
        .map(|from| {
            let sent = Arc::clone(sent);
            tokio::task::spawn_blocking(move || judge_from(&sent, from))
        })
        .collect();
    let mut judged = judge_from(sent, 0);
    for other in others {
        judged.extend(other.await?);
    }
    Ok(judged)
}

pub(super) fn judge(entry: &SignedEntry, device: DeviceId, key: &VerifyingKey) -> Judged {
    let reason = match entry.verify(key) {
        Ok(header) if header.device == device => {
            return Judged::Sound(Box::new(CheckedEntry {
                header,
                hash: entry.hash(),
                entry: entry.clone(),
            }));
        }
        Ok(_) => WedgeReason::OTHER_DEVICE,
        Err(error) => reason_of(&error),
    };
    let header = Header::decode(&entry.header).ok();
    // A stranger's entry says nothing about a position of this log.
    let claims = header.map(|h| (h.seq, h.device)).filter(|c| c.1 == device);
    Judged::Unsound { reason, claims }
}

fn reason_of(error: &EntryError) -> WedgeReason {
    match error {
        EntryError::Format(FormatError::UnknownVersion { .. }) => WedgeReason::UNKNOWN_VERSION,
        EntryError::Format(FormatError::TooLarge { .. }) => WedgeReason::TOO_LARGE,
        EntryError::BadSignature => WedgeReason::BAD_SIGNATURE,
        EntryError::CommitmentMismatch => WedgeReason::COMMITMENT_MISMATCH,
        EntryError::HalfErased => WedgeReason::HALF_ERASED,
        _ => WedgeReason::MALFORMED,
    }
}
