//! Taking a batch into the evidence log: everything that is sound of it, in one transaction.
//!
//! Signatures, commitments and hashes are checked before the database is touched; order and chain are
//! checked inside the transaction, which also keeps the small proofs and lets the entries join the
//! transparency log; the receipt leaves the hub after its commit. An entry that does not verify is left
//! open with its reason, and the ones behind it are taken. A second history is another matter: it is kept
//! aside with an alarm and the whole log waits for a person, because a forked log is evidence too
//! (threats 6 and 7).

use std::collections::BTreeSet;

use ed25519_dalek::VerifyingKey;
use satchel_protocol::FormatError;
use satchel_protocol::api::ErrorCode;
use satchel_protocol::batch::{Batch, InlineBlob};
use satchel_protocol::entry::{EntryError, Header, SignedEntry};
use satchel_protocol::ids::{AttemptId, DeviceId, Hash32};
use satchel_protocol::ink::Signature;
use satchel_protocol::limits;
use satchel_protocol::receipt::{ReceiptEntry, SignedReceipt};
use satchel_protocol::taxonomy::ProofKind;
use satchel_protocol::wedge::{ReplacementBody, WedgeReason};

use crate::api::auth::may_write;
use crate::api::error::ApiError;
use crate::db::Tx;
use crate::doorstep;
use crate::doubts;
use crate::erase;
use crate::error::HubError;
use crate::hub::Hub;
use crate::project;
use crate::rating::{appeal, bind};
use crate::receipts::{self, Says};
use crate::store::couriers::{self, DeviceRow};
use crate::store::entries::{self, AlarmKind, Aside, CheckedEntry, Head};
use crate::store::proofs;
use crate::store::wedged::{self, OpenRow};
use crate::times;
use crate::tlog::Tree;

/// Where a sound entry belongs.
enum Place {
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

/// An entry as it was sent, looked at alone.
enum Judged {
    Sound(Box<CheckedEntry>),
    Unsound {
        reason: WedgeReason,
        /// Position and device it claims, if its header can be read.
        claims: Option<(i64, DeviceId)>,
    },
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
    let judged: Vec<Judged> = sent.iter().map(|e| judge(e, device.id, key)).collect();
    let batch = Sent {
        device: device.id,
        entries: &sent,
        judged: &judged,
        small: &blobs,
    };
    match store(hub, &batch, known_tree).await? {
        Taken::All(receipt) => Ok(*receipt),
        Taken::Gap { expected_seq } => Err(ApiError::gap(expected_seq)),
        Taken::Fork { index } => {
            set_aside(hub, device.id, &sent, index, AlarmKind::LogFork).await?;
            Err(ApiError::new(ErrorCode::LogFork))
        }
        Taken::TooManyOpen { index } => {
            set_aside(hub, device.id, &sent, index, AlarmKind::BadEntry).await?;
            Err(ApiError::new(ErrorCode::BadEntry).detail("too many positions stand open"))
        }
    }
}

fn judge(entry: &SignedEntry, device: DeviceId, key: &VerifyingKey) -> Judged {
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

/// A batch with what was found out about each of its entries.
struct Sent<'a> {
    device: DeviceId,
    entries: &'a [SignedEntry],
    judged: &'a [Judged],
    small: &'a [InlineBlob],
}

enum Taken {
    All(Box<SignedReceipt>),
    Gap { expected_seq: i64 },
    Fork { index: usize },
    TooManyOpen { index: usize },
}

/// What a batch has done so far.
struct Work<'a> {
    hub: &'a Hub,
    small: &'a [InlineBlob],
    now_ms: i64,
    tree: Tree,
    touched: BTreeSet<satchel_protocol::ids::ParcelId>,
    new: usize,
}

/// One transaction: all that is sound, or nothing and a reason.
async fn store(hub: &Hub, batch: &Sent<'_>, known_tree: u64) -> Result<Taken, ApiError> {
    let (now_ms, device) = (hub.now_ms(), batch.device);
    let mut tx = hub.db().write().await?;
    // Looked at again inside the transaction: another batch may just have set this log aside.
    let row = couriers::device_in(&mut tx, device).await?;
    may_write(&row.ok_or_else(|| ApiError::new(ErrorCode::UnknownDevice))?)?;

    for blob in batch.small {
        if proofs::keep_small(&mut tx, &blob.hash, blob.kind, &blob.bytes, now_ms).await? {
            hub.metrics().proofs.add(1);
            hub.metrics().proof_bytes.add(blob.bytes.len());
        }
    }
    let mut work = Work {
        hub,
        small: batch.small,
        now_ms,
        tree: Tree::open(&mut tx).await?,
        touched: BTreeSet::new(),
        new: 0,
    };
    let mut head = entries::head(&mut tx, device).await?;
    let (mut held, mut duplicates): (Vec<&CheckedEntry>, usize) = (Vec::new(), 0);
    for (index, (judged, raw)) in batch.judged.iter().zip(batch.entries).enumerate() {
        let entry = match judged {
            Judged::Sound(entry) => entry,
            Judged::Unsound { reason, claims } => {
                match leave_open(&mut tx, device, &mut head, raw, (*reason, *claims), now_ms)
                    .await?
                {
                    Left::Open => continue,
                    Left::Gap => {
                        return Ok(Taken::Gap {
                            expected_seq: head.seq + 1,
                        });
                    }
                    Left::TooMany => return Ok(Taken::TooManyOpen { index }),
                }
            }
        };
        match place(&mut tx, &head, entry).await? {
            Place::Held => duplicates += 1,
            Place::Gap { expected_seq } => return Ok(Taken::Gap { expected_seq }),
            Place::Fork => return Ok(Taken::Fork { index }),
            Place::Open => {
                work.take(&mut tx, entry).await?;
                wedged::repaired(&mut tx, device, entry.header.seq, now_ms).await?;
            }
            Place::Next => {
                if head.stands_open {
                    wedged::name(&mut tx, device, head.seq, entry.header.prev).await?;
                }
                work.take(&mut tx, entry).await?;
                head = Head::of(entry);
            }
        }
        held.push(entry);
    }
    work.answer(tx, device, &held, duplicates, known_tree).await
}

impl Work<'_> {
    /// Appends an entry whose place was checked, with everything that follows from it.
    async fn take(&mut self, tx: &mut Tx, entry: &CheckedEntry) -> Result<(), HubError> {
        let now_ms = self.now_ms;
        entries::append(tx, entry, now_ms).await?;
        self.tree.append(tx, entry.hash).await?;
        mark_replaced(tx, entry, now_ms).await?;
        let entry = &project::said(tx, entry).await?;
        let touched = project::apply(tx, self.hub, entry, now_ms).await?;
        self.touched.extend(touched);
        project::raise_alarms(tx, entry, now_ms).await?;
        times::judge(tx, self.hub, &entry.header, now_ms).await?;
        let visit_of = |hash: &Hash32| self.small.iter().find(|b| b.hash == *hash).and_then(visit);
        project::alarm_wrong_ink(tx, entry, visit_of, now_ms).await?;
        project::pass_on(tx, entry).await?;
        bind::bind_to_entry(tx, entry, now_ms).await?;
        appeal::file(tx, self.hub, entry, now_ms).await?;
        doubts::file(tx, entry, now_ms).await?;
        self.new += 1;
        Ok(())
    }

    /// Settles the parcels, signs the receipt and commits.
    async fn answer(
        mut self,
        mut tx: Tx,
        device: DeviceId,
        held: &[&CheckedEntry],
        duplicates: usize,
        known_tree: u64,
    ) -> Result<Taken, ApiError> {
        let (hub, now_ms) = (self.hub, self.now_ms);
        let touched = std::mem::take(&mut self.touched);
        for parcel in &touched {
            doorstep::settle(&mut tx, *parcel, now_ms).await?;
        }
        erase::empty_late(&mut tx, &touched, now_ms).await?;
        let mut blobs: Vec<_> = self.small.iter().map(|b| (0, b.hash)).collect();
        for entry in held {
            for hash in &entry.header.blobs {
                if is_held(&mut tx, hash).await? {
                    blobs.push((entry.header.seq, *hash));
                }
            }
        }
        if self.new > 0 {
            self.tree.save(&mut tx).await?;
        }
        let named = held.iter().map(|c| ReceiptEntry {
            seq: c.header.seq,
            hash: c.hash,
        });
        let says = Says {
            entries: named.collect(),
            blobs: receipts::distinct(blobs),
            head_seq: entries::head(&mut tx, device).await?.seq,
            wedged: wedged::of_device(&mut tx, device).await?,
        };
        let head_seq = says.head_seq;
        let mut receipt = receipts::sign(hub, device, says);
        if self.new > 0 {
            receipts::keep(&mut tx, device, held, &receipt).await?;
        }
        self.tree
            .notice_longer(&mut tx, device, known_tree, now_ms)
            .await?;
        let newest = entries::newest(&mut tx, device).await?;
        receipt.tree = Some(self.tree.answer(&mut tx, hub, known_tree, newest).await?);
        tx.commit().await?;
        hub.metrics().entries.add(self.new);
        hub.metrics().duplicates.add(duplicates);
        tracing::debug!(%device, new = self.new, duplicates, head_seq, "batch stored");
        Ok(Taken::All(Box::new(receipt)))
    }
}

/// What became of an entry that does not verify.
enum Left {
    /// Its position stands open, or is held already and needs nothing.
    Open,
    /// Something before it is missing.
    Gap,
    /// This is no bad entry but a broken phone.
    TooMany,
}

/// Leaves the position of an entry open that does not verify. Where its own header cannot be trusted to say
/// which that is, its place in the batch does: batches are in order.
async fn leave_open(
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

/// Notes that an entry says again what one should have said that stands open.
async fn mark_replaced(tx: &mut Tx, entry: &CheckedEntry, now_ms: i64) -> Result<(), HubError> {
    let body = entry.entry.body.as_deref();
    let says = body
        .filter(|_| entry.header.kind == ReplacementBody::KIND)
        .and_then(|b| ReplacementBody::decode(b).ok());
    if let Some(says) = says {
        let of = (says.of_seq, says.of_hash);
        let (device, by) = (entry.header.device, entry.header.seq);
        if !wedged::replaced(tx, device, of, by, now_ms).await? {
            tracing::warn!(%device, by, "a replacement of an entry that does not stand open");
        }
    }
    Ok(())
}

/// The visit that ink was drawn for, as its own bytes say.
fn visit(blob: &InlineBlob) -> Option<AttemptId> {
    match blob.kind {
        ProofKind::Signature => Signature::decode(&blob.bytes).ok()?.attempt(),
        _ => None,
    }
}

async fn place(tx: &mut Tx, head: &Head, entry: &CheckedEntry) -> Result<Place, HubError> {
    let (device, seq) = (entry.header.device, entry.header.seq);
    if seq > head.seq + 1 {
        return Ok(Place::Gap {
            expected_seq: head.seq + 1,
        });
    }
    if seq == head.seq + 1 {
        // The right number behind another predecessor is a second history as well. Behind an open position
        // it is this entry that says what belongs there.
        return Ok(match head.stands_open || entry.header.prev == head.hash {
            true => Place::Next,
            false => Place::Fork,
        });
    }
    if let Some(held) = entries::hash_at(tx, device, seq).await? {
        return Ok(if held == entry.hash {
            Place::Held
        } else {
            Place::Fork
        });
    }
    let Some(open) = wedged::at(tx, device, seq).await? else {
        return Err(HubError::DamagedRow { what: "log" });
    };
    Ok(match belongs(tx, &open, entry).await? {
        true => Place::Open,
        false => Place::Fork,
    })
}

/// Whether a sound entry is the one for an open position: the one that the next entry names, behind the one
/// that it names itself.
async fn belongs(tx: &mut Tx, open: &OpenRow, entry: &CheckedEntry) -> Result<bool, HubError> {
    if open.named && open.hash != entry.hash {
        return Ok(false);
    }
    let before = entry.header.seq - 1;
    Ok(match entries::hash_at(tx, open.device, before).await? {
        Some(hash) => entry.header.prev == hash,
        None if before == 0 => entry.header.prev == Hash32::ZERO,
        // That one stands open itself.
        None => true,
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
            seq = Header::decode(&entry.header).ok().map(|h| h.seq);
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

/// Looks again at what stands open: an update of the hub may read now what it could not read before. Gives
/// how many entries joined the log.
pub(crate) async fn retry(hub: &Hub) -> Result<usize, HubError> {
    let now_ms = hub.now_ms();
    let mut tx = hub.db().write().await?;
    let mut work = Work {
        hub,
        small: &[],
        now_ms,
        tree: Tree::open(&mut tx).await?,
        touched: BTreeSet::new(),
        new: 0,
    };
    for open in wedged::all(&mut tx).await? {
        let row = couriers::device_in(&mut tx, open.device).await?;
        let key = row.and_then(|r| VerifyingKey::from_bytes(&r.log_key.0).ok());
        let key = key.ok_or(HubError::DamagedRow { what: "device key" })?;
        let Judged::Sound(entry) = judge(&open.entry, open.device, &key) else {
            continue;
        };
        if open.replaced_by.is_none() && belongs(&mut tx, &open, &entry).await? {
            work.take(&mut tx, &entry).await?;
            wedged::repaired(&mut tx, open.device, open.seq, now_ms).await?;
        }
    }
    if work.new > 0 {
        for parcel in std::mem::take(&mut work.touched) {
            doorstep::settle(&mut tx, parcel, now_ms).await?;
        }
        work.tree.save(&mut tx).await?;
        tx.commit().await?;
    }
    Ok(work.new)
}
