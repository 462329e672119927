//! Taking a batch into the evidence log: everything that is sound of it, in one transaction.
//!
//! Signatures, commitments and hashes are checked before the database is touched; order and chain are
//! checked inside the transaction, which also keeps the small proofs and lets the entries join the
//! transparency log; the receipt leaves the hub after its commit. An entry that does not verify is left
//! open with its reason, and the ones behind it are taken. A second history is another matter: it is kept
//! aside with an alarm and the whole log waits for a person, because a forked log is evidence too
//! (threats 6 and 7).

mod chain;
mod judge;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use satchel_protocol::api::ErrorCode;
use satchel_protocol::batch::{Batch, InlineBlob};
use satchel_protocol::device_keys::KeyChain;
use satchel_protocol::entry::{Header, SignedEntry};
use satchel_protocol::ids::{AttemptId, DeviceId, Hash32};
use satchel_protocol::ink::Signature;
use satchel_protocol::receipt::{ReceiptEntry, SignedReceipt};
use satchel_protocol::taxonomy::ProofKind;
use satchel_protocol::wedge::ReplacementBody;

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
use crate::store::device_keys;
use crate::store::entries::{self, AlarmKind, Aside, CheckedEntry, Head};
use crate::store::proofs;
use crate::store::wedged;
use crate::times::{self, Anchors};
use crate::tlog::Tree;
use chain::{Chain, Left, Place, belongs, leave_open};
use judge::{Judged, follow, judge, judge_all};

/// About what an entry is without its proofs.
const ENTRY_BYTES: usize = 1_024;

/// Stores a batch of `device` and gives the receipt for it.
pub(crate) async fn ingest(
    hub: &Hub,
    device: &DeviceRow,
    batch: Batch,
    known_tree: u64,
) -> Result<SignedReceipt, ApiError> {
    let Batch {
        entries: sent,
        blobs,
    } = batch;
    let sent = Arc::new(sent);
    let blobs = Arc::new(blobs);
    // Ink is read while the signatures are checked.
    let drawn = Arc::clone(&blobs);
    let visits = tokio::task::spawn_blocking(move || visits(&drawn));
    let mut conn = hub.db().read().acquire().await?;
    let keys = device_keys::chain(&mut conn, device, &hub.public_key()).await?;
    drop(conn);
    let keys = Arc::new(follow(keys, &sent));
    let judged = judge_all(&sent, &keys).await?;
    let visits = visits.await.map_err(HubError::from)?;
    let batch = Sent {
        device: device.id,
        entries: &sent,
        judged: &judged,
        small: &blobs,
        visits: &visits,
        keys: &keys,
        signs_with: device.log_key,
    };
    match store(hub, &batch, known_tree).await? {
        Taken::All(receipt) => {
            let small: usize = blobs.iter().map(|blob| blob.bytes.len()).sum();
            hub.db().grown(small + sent.len() * ENTRY_BYTES);
            Ok(*receipt)
        }
        Taken::Gap { expected_seq } => Err(ApiError::gap(expected_seq)),
        // Two batches at once, one of them with a change of keys: the other is sent again and fits then.
        Taken::KeysMoved => {
            Err(ApiError::new(ErrorCode::Internal).detail("keys changed meanwhile"))
        }
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

/// A batch with what was found out about each of its entries.
struct Sent<'a> {
    device: DeviceId,
    entries: &'a [SignedEntry],
    judged: &'a [Judged],
    small: &'a [InlineBlob],
    visits: &'a Visits,
    /// The keys they were judged by, with the changes among them.
    keys: &'a KeyChain,
    /// The device's newest key when they were judged.
    signs_with: Hash32,
}

enum Taken {
    All(Box<SignedReceipt>),
    Gap { expected_seq: i64 },
    KeysMoved,
    Fork { index: usize },
    TooManyOpen { index: usize },
}

/// What a batch has done so far.
struct Work<'a> {
    hub: &'a Hub,
    small: &'a [InlineBlob],
    /// Of these, those that were not kept.
    left_out: HashSet<Hash32>,
    visits: &'a Visits,
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
    let row = row.ok_or_else(|| ApiError::new(ErrorCode::UnknownDevice))?;
    may_write(&row)?;
    if row.log_key != batch.signs_with {
        return Ok(Taken::KeysMoved);
    }

    let mut work = Work {
        hub,
        small: batch.small,
        left_out: HashSet::new(),
        visits: batch.visits,
        now_ms,
        tree: Tree::open(&mut tx).await?,
        touched: BTreeSet::new(),
        new: 0,
    };
    work.keep_small(&mut tx, batch).await?;
    let mut chain = Chain::open(&mut tx, batch).await?;
    let (mut held, mut duplicates): (Vec<&CheckedEntry>, usize) = (Vec::new(), 0);
    let (mut new, mut repaired): (Vec<&CheckedEntry>, Vec<i64>) = (Vec::new(), Vec::new());
    for (index, (judged, raw)) in batch.judged.iter().zip(batch.entries).enumerate() {
        let entry = match judged {
            Judged::Sound(entry) => entry,
            Judged::Unsound { reason, claims } => {
                let why = (*reason, *claims);
                match leave_open(&mut tx, device, &mut chain.head, raw, why, now_ms).await? {
                    Left::Open => continue,
                    Left::Gap => {
                        return Ok(Taken::Gap {
                            expected_seq: chain.head.seq + 1,
                        });
                    }
                    Left::TooMany => return Ok(Taken::TooManyOpen { index }),
                }
            }
        };
        match chain.place(&mut tx, entry).await? {
            Place::Held => duplicates += 1,
            Place::Gap { expected_seq } => return Ok(Taken::Gap { expected_seq }),
            Place::Fork => return Ok(Taken::Fork { index }),
            Place::Open => {
                chain.known.insert(entry.header.seq, entry.hash);
                mark_replaced(&mut tx, entry, now_ms).await?;
                new.push(entry);
                repaired.push(entry.header.seq);
            }
            Place::Next => {
                if chain.head.stands_open {
                    wedged::name(&mut tx, device, chain.head.seq, entry.header.prev).await?;
                }
                chain.known.insert(entry.header.seq, entry.hash);
                chain.head = Head::of(entry);
                mark_replaced(&mut tx, entry, now_ms).await?;
                new.push(entry);
            }
        }
        held.push(entry);
    }
    work.take(&mut tx, &new, batch.keys).await?;
    for seq in repaired {
        wedged::repaired(&mut tx, device, seq, now_ms).await?;
    }
    let answer = Answer {
        held,
        duplicates,
        head_seq: chain.head.seq,
        known_tree,
    };
    work.answer(tx, device, answer).await
}

/// What goes into the answer beside the proofs.
struct Answer<'a> {
    held: Vec<&'a CheckedEntry>,
    duplicates: usize,
    head_seq: i64,
    known_tree: u64,
}

impl Work<'_> {
    /// Keeps the proofs that ride in the batch.
    async fn keep_small(&mut self, tx: &mut Tx, batch: &Sent<'_>) -> Result<(), HubError> {
        let binds = batch.judged.iter().filter_map(|judged| match judged {
            Judged::Sound(entry) => Some(&entry.header.blobs),
            Judged::Unsound { .. } => None,
        });
        let mut binds: HashSet<Hash32> = binds.flatten().copied().collect();
        if batch.small.iter().any(|b| !binds.contains(&b.hash)) {
            // Small copies of photos, which bodies name and headers do not.
            for judged in batch.judged {
                if let Judged::Sound(entry) = judged {
                    binds.extend(project::small_copies(entry));
                }
            }
        }
        let device = batch.device;
        let kept = proofs::keep_small(tx, device, batch.small, &binds, self.now_ms).await?;
        let metrics = self.hub.metrics();
        for blob in batch.small.iter().filter(|b| kept.new.contains(&b.hash)) {
            metrics.proofs.add(1);
            metrics.proof_bytes.add(blob.bytes.len());
        }
        if !kept.left_out.is_empty() {
            let left_out = kept.left_out.len();
            tracing::warn!(%device, left_out, "no room for more proofs that no entry binds");
            metrics.loose_left_out.add(left_out);
        }
        self.left_out = kept.left_out;
        Ok(())
    }

    /// Appends entries whose places were checked, with everything that follows from them.
    async fn take(
        &mut self,
        tx: &mut Tx,
        new: &[&CheckedEntry],
        keys: &KeyChain,
    ) -> Result<(), HubError> {
        if new.is_empty() {
            return Ok(());
        }
        let now_ms = self.now_ms;
        entries::append(tx, new, now_ms).await?;
        for rotation in new.iter().filter(|e| device_keys::is_rotation(e)) {
            device_keys::rotated(tx, rotation, keys).await?;
        }
        let mut told = Vec::with_capacity(new.len());
        for entry in new {
            self.tree.append(tx, entry.hash).await?;
            told.push(project::read(tx, entry, now_ms).await?);
        }
        let touched = project::apply(tx, self.hub, &told).await?;
        self.touched.extend(touched);
        let visit_of = |hash: &Hash32| self.visits.get(hash).copied();
        project::raise_alarms(tx, &told, visit_of, now_ms).await?;
        project::pass_on(tx, &told).await?;
        let entries = told.iter().map(|told| &told.entry);
        bind::bind_to_entries(tx, entries.clone(), now_ms).await?;
        let mut anchors = Anchors::new();
        for entry in entries {
            times::judge(tx, self.hub, &entry.header, &mut anchors, now_ms).await?;
            appeal::file(tx, self.hub, entry, now_ms).await?;
            doubts::file(tx, entry, now_ms).await?;
        }
        self.new += new.len();
        Ok(())
    }

    /// Settles the parcels, signs the receipt and commits.
    async fn answer(
        mut self,
        mut tx: Tx,
        device: DeviceId,
        answer: Answer<'_>,
    ) -> Result<Taken, ApiError> {
        let Answer {
            held,
            duplicates,
            head_seq,
            known_tree,
        } = answer;
        let (hub, now_ms) = (self.hub, self.now_ms);
        let touched = std::mem::take(&mut self.touched);
        doorstep::settle_all(&mut tx, &touched, now_ms).await?;
        erase::empty_late(&mut tx, &touched, now_ms).await?;
        // What was left out is not here: an upload of it will be told why.
        let kept = self.small.iter().map(|b| b.hash);
        let kept = kept.filter(|hash| !self.left_out.contains(hash));
        let mut blobs: Vec<_> = kept.map(|hash| (0, hash)).collect();
        let binds = held.iter().flat_map(|entry| &entry.header.blobs);
        let here = proofs::held(&mut tx, binds).await?;
        for entry in &held {
            let bound = entry.header.blobs.iter();
            let bound = bound.filter(|hash| here.contains(*hash));
            blobs.extend(bound.map(|hash| (entry.header.seq, *hash)));
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
            head_seq,
            wedged: wedged::of_device(&mut tx, device).await?,
        };
        let mut receipt = receipts::sign(hub, device, says);
        if self.new > 0 {
            receipts::keep(&mut tx, device, &held, &receipt).await?;
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

/// For which visits ink was drawn, by its hash.
type Visits = HashMap<Hash32, AttemptId>;

fn visits(blobs: &[InlineBlob]) -> Visits {
    let read = |blob: &InlineBlob| Some((blob.hash, visit(blob)?));
    blobs.iter().filter_map(read).collect()
}

/// The visit that ink was drawn for, as its own bytes say.
fn visit(blob: &InlineBlob) -> Option<AttemptId> {
    match blob.kind {
        ProofKind::Signature => Signature::decode(&blob.bytes).ok()?.attempt(),
        _ => None,
    }
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
        left_out: HashSet::new(),
        visits: &Visits::new(),
        now_ms,
        tree: Tree::open(&mut tx).await?,
        touched: BTreeSet::new(),
        new: 0,
    };
    for open in wedged::all(&mut tx).await? {
        let row = couriers::device_in(&mut tx, open.device).await?;
        let row = row.ok_or(HubError::DamagedRow { what: "device" })?;
        let keys = device_keys::chain(&mut tx, &row, &hub.public_key()).await?;
        let keys = follow(keys, std::slice::from_ref(&open.entry));
        let Judged::Sound(entry) = judge(&open.entry, &keys) else {
            continue;
        };
        let before = open.seq - 1;
        let held = entries::hashes_at(&mut tx, open.device, &[before]).await?;
        if open.replaced_by.is_none() && belongs(&open, &entry, held.get(&before).copied()) {
            mark_replaced(&mut tx, &entry, now_ms).await?;
            work.take(&mut tx, &[&entry], &keys).await?;
            wedged::repaired(&mut tx, open.device, open.seq, now_ms).await?;
        }
    }
    if work.new > 0 {
        doorstep::settle_all(&mut tx, &std::mem::take(&mut work.touched), now_ms).await?;
        work.tree.save(&mut tx).await?;
        tx.commit().await?;
    }
    Ok(work.new)
}
