//! Taking a batch into the evidence log: all of it, or none and a reason.
//!
//! Signatures, commitments and hashes are checked before the database is touched; order and chain are
//! checked inside the transaction, which also keeps the small proofs and lets the entries join the
//! transparency log; the receipt leaves the hub after its commit. What is refused as forged or forked is
//! kept aside with an alarm, because a broken log is evidence too (threats 6 and 7).

use std::collections::BTreeSet;

use ed25519_dalek::VerifyingKey;
use satchel_protocol::FormatError;
use satchel_protocol::api::ErrorCode;
use satchel_protocol::batch::{Batch, InlineBlob};
use satchel_protocol::entry::{EntryError, SignedEntry};
use satchel_protocol::ids::{AttemptId, DeviceId, Hash32};
use satchel_protocol::ink::Signature;
use satchel_protocol::receipt::{ReceiptEntry, SignedReceipt};
use satchel_protocol::taxonomy::ProofKind;

use crate::api::auth::may_write;
use crate::api::error::ApiError;
use crate::db::Tx;
use crate::doorstep;
use crate::error::HubError;
use crate::hub::Hub;
use crate::project;
use crate::rating::{appeal, bind};
use crate::receipts;
use crate::store::couriers::{self, DeviceRow};
use crate::store::entries::{self, AlarmKind, Aside, CheckedEntry};
use crate::store::proofs;
use crate::tlog::Tree;

/// Where a checked entry belongs.
enum Place {
    /// Next in the chain.
    Next,
    /// Held already, the very same.
    Held,
    /// Another history.
    Fork,
    /// Something before it is missing.
    Gap { expected_seq: i64 },
}

/// Stores a batch of `device` and gives the receipt for it.
pub(crate) async fn ingest(
    hub: &Hub,
    device: &DeviceRow,
    key: &VerifyingKey,
    batch: Batch,
    known_tree: u64,
) -> Result<SignedReceipt, ApiError> {
    let Batch {
        entries: sent,
        blobs,
    } = batch;
    let checked = match check(&sent, device.id, key) {
        Ok(checked) => checked,
        Err(Unfit::Newer) => {
            return Err(ApiError::new(ErrorCode::Malformed).detail("entry of an unknown version"));
        }
        Err(Unfit::Bad { index, error }) => {
            set_aside(hub, device.id, &sent, index, AlarmKind::BadEntry).await?;
            return Err(ApiError::new(ErrorCode::BadEntry).detail(error.to_string()));
        }
    };
    let taken = store(hub, device.id, &checked, &blobs, known_tree).await?;
    match taken {
        Taken::All(receipt) => Ok(receipt),
        Taken::Gap { expected_seq } => Err(ApiError::gap(expected_seq)),
        Taken::Fork { index } => {
            set_aside(hub, device.id, &sent, index, AlarmKind::LogFork).await?;
            Err(ApiError::new(ErrorCode::LogFork))
        }
    }
}

/// Why a batch is not even looked up.
enum Unfit {
    /// A newer phone's header; no fault of anybody.
    Newer,
    /// Forged, damaged or another device's.
    Bad { index: usize, error: EntryError },
}

fn check(
    sent: &[SignedEntry],
    device: DeviceId,
    key: &VerifyingKey,
) -> Result<Vec<CheckedEntry>, Unfit> {
    let mut checked = Vec::with_capacity(sent.len());
    for (index, entry) in sent.iter().enumerate() {
        let header = match entry.verify(key) {
            Ok(header) if header.device == device => header,
            Ok(_) => {
                return Err(Unfit::Bad {
                    index,
                    error: EntryError::BadSignature,
                });
            }
            Err(EntryError::Format(FormatError::UnknownVersion { .. })) => {
                return Err(Unfit::Newer);
            }
            Err(error) => return Err(Unfit::Bad { index, error }),
        };
        checked.push(CheckedEntry {
            header,
            hash: entry.hash(),
            entry: entry.clone(),
        });
    }
    Ok(checked)
}

enum Taken {
    All(SignedReceipt),
    Gap { expected_seq: i64 },
    Fork { index: usize },
}

/// One transaction: the whole batch or nothing.
async fn store(
    hub: &Hub,
    device: DeviceId,
    checked: &[CheckedEntry],
    small: &[InlineBlob],
    known_tree: u64,
) -> Result<Taken, ApiError> {
    let now_ms = hub.now_ms();
    let mut tx = hub.db().write().await?;
    // Looked at again inside the transaction: another batch may just have set this log aside.
    let row = couriers::device_in(&mut tx, device).await?;
    may_write(&row.ok_or_else(|| ApiError::new(ErrorCode::UnknownDevice))?)?;

    let (mut new, mut duplicates) = (0, 0);
    for blob in small {
        if proofs::keep_small(&mut tx, &blob.hash, blob.kind, &blob.bytes, now_ms).await? {
            hub.metrics().proofs.add(1);
            hub.metrics().proof_bytes.add(blob.bytes.len());
        }
    }
    let mut head = entries::head(&mut tx, device).await?;
    let mut tree = Tree::open(&mut tx).await?;
    let mut touched = BTreeSet::new();
    for (index, entry) in checked.iter().enumerate() {
        match place(&mut tx, head, entry).await? {
            Place::Held => duplicates += 1,
            Place::Gap { expected_seq } => return Ok(Taken::Gap { expected_seq }),
            Place::Fork => return Ok(Taken::Fork { index }),
            Place::Next => {
                entries::append(&mut tx, entry, now_ms).await?;
                tree.append(&mut tx, entry.hash).await?;
                touched.extend(project::apply(&mut tx, hub, entry, now_ms).await?);
                project::raise_alarms(&mut tx, entry, now_ms).await?;
                let visit_of =
                    |hash: &Hash32| small.iter().find(|b| b.hash == *hash).and_then(visit);
                project::alarm_wrong_ink(&mut tx, entry, visit_of, now_ms).await?;
                project::pass_on(&mut tx, entry).await?;
                bind::bind_to_entry(&mut tx, entry, now_ms).await?;
                appeal::file(&mut tx, hub, entry, now_ms).await?;
                head = (entry.header.seq, entry.hash);
                new += 1;
            }
        }
    }
    for parcel in touched {
        doorstep::settle(&mut tx, parcel, now_ms).await?;
    }
    let mut blobs: Vec<_> = small.iter().map(|b| (0, b.hash)).collect();
    for entry in checked {
        for hash in &entry.header.blobs {
            if is_held(&mut tx, hash).await? {
                blobs.push((entry.header.seq, *hash));
            }
        }
    }
    if new > 0 {
        tree.save(&mut tx).await?;
    }
    let named = checked.iter().map(|c| ReceiptEntry {
        seq: c.header.seq,
        hash: c.hash,
    });
    let mut receipt = receipts::sign(
        hub,
        device,
        named.collect(),
        receipts::distinct(blobs),
        head.0,
    );
    if new > 0 {
        receipts::keep(&mut tx, device, checked, &receipt).await?;
    }
    tree.notice_longer(&mut tx, device, known_tree, now_ms)
        .await?;
    let newest = (head.0 > 0).then_some(head.1);
    receipt.tree = Some(tree.answer(&mut tx, hub, known_tree, newest).await?);
    tx.commit().await?;
    hub.metrics().entries.add(new);
    hub.metrics().duplicates.add(duplicates);
    tracing::debug!(%device, new, duplicates, head_seq = head.0, "batch stored");
    Ok(Taken::All(receipt))
}

/// The visit that ink was drawn for, as its own bytes say.
fn visit(blob: &InlineBlob) -> Option<AttemptId> {
    match blob.kind {
        ProofKind::Signature => Signature::decode(&blob.bytes).ok()?.attempt(),
        _ => None,
    }
}

async fn place(
    tx: &mut Tx,
    (head_seq, head_hash): (i64, Hash32),
    entry: &CheckedEntry,
) -> Result<Place, HubError> {
    let seq = entry.header.seq;
    if seq <= head_seq {
        let held = entries::hash_at(tx, entry.header.device, seq).await?;
        return Ok(if held == Some(entry.hash) {
            Place::Held
        } else {
            Place::Fork
        });
    }
    if seq > head_seq + 1 {
        return Ok(Place::Gap {
            expected_seq: head_seq + 1,
        });
    }
    // The right number behind another predecessor is a second history as well.
    Ok(if entry.header.prev == head_hash {
        Place::Next
    } else {
        Place::Fork
    })
}

async fn is_held(tx: &mut Tx, hash: &Hash32) -> Result<bool, HubError> {
    Ok(
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM blob WHERE hash = ?)")
            .bind(&hash.0[..])
            .fetch_one(&mut **tx)
            .await?,
    )
}

/// Keeps a refused batch beside the log, quarantines the device and raises an alarm.
async fn set_aside(
    hub: &Hub,
    device: DeviceId,
    sent: &[SignedEntry],
    culprit: usize,
    kind: AlarmKind,
) -> Result<(), HubError> {
    let now_ms = hub.now_ms();
    let mut tx = hub.db().write().await?;
    let mut seq = None;
    for (index, entry) in sent.iter().enumerate() {
        let why = match (index == culprit, kind) {
            (true, AlarmKind::LogFork) => Aside::Fork,
            (true, _) => Aside::Bad,
            (false, _) => Aside::Beside,
        };
        if index == culprit {
            seq = satchel_protocol::entry::Header::decode(&entry.header)
                .ok()
                .map(|h| h.seq);
        }
        entries::set_aside(&mut tx, device, entry, why, now_ms).await?;
    }
    couriers::quarantine(&mut tx, device, now_ms).await?;
    entries::alarm(&mut tx, kind, device, seq, None, now_ms).await?;
    tx.commit().await?;
    hub.metrics().quarantines.add(1);
    tracing::warn!(%device, kind = kind.code(), "device log set aside");
    Ok(())
}
