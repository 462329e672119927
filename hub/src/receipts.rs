//! Receipts: given after the commit they speak of, never before. What was first said of an entry is kept:
//! it is the hub's signed word for when the entry had reached it, and part of every evidence bundle.

use satchel_protocol::ids::{DeviceId, Hash32};
use satchel_protocol::limits;
use satchel_protocol::receipt::{Receipt, ReceiptEntry, SignedReceipt};
use satchel_protocol::wedge::Wedged;

use crate::db::Tx;
use crate::error::HubError;
use crate::hub::Hub;
use crate::store::entries::{self, CheckedEntry};
use crate::store::wedged;
use crate::tlog::Tree;

/// A receipt with more proofs than this would pass the size a phone reads.
const MAX_RECEIPT_BLOBS: usize = 2_000;

/// What a receipt is to say.
pub(crate) struct Says {
    pub(crate) entries: Vec<ReceiptEntry>,
    pub(crate) blobs: Vec<Hash32>,
    pub(crate) head_seq: i64,
    pub(crate) wedged: Vec<Wedged>,
}

/// Signs what is held of one device.
pub(crate) fn sign(hub: &Hub, device: DeviceId, says: Says) -> SignedReceipt {
    Receipt {
        version: 1,
        device,
        hub_key: hub.keys().id,
        received_at_ms: hub.now_ms(),
        entries: says.entries,
        blobs: says.blobs,
        head_seq: says.head_seq,
        wedged: (!says.wedged.is_empty()).then_some(says.wedged),
    }
    .sign(&hub.keys().signing)
}

/// What the hub holds of a device's log behind `after`, with the proofs those entries bind.
pub(crate) async fn held_after(
    hub: &Hub,
    device: DeviceId,
    after: i64,
    known_tree: u64,
) -> Result<SignedReceipt, HubError> {
    let db = hub.db().read();
    let mut held = entries::held_after(db, device, after, limits::MAX_RECEIPT_ENTRIES).await?;
    let mut blobs = match (held.first(), held.last()) {
        (Some(first), Some(last)) => entries::held_blobs(db, device, first.seq, last.seq).await?,
        _ => Vec::new(),
    };
    // Too many proofs: name fewer entries, whole ones; the phone asks again behind the last.
    if let Some((cut, _)) = blobs.get(MAX_RECEIPT_BLOBS).copied() {
        blobs.retain(|(seq, _)| *seq < cut);
        held.retain(|e| e.seq < cut);
    }
    // One snapshot for the head and the tree: a batch that comes meanwhile must not get between them.
    let mut tx = db.begin().await?;
    let says = Says {
        entries: held,
        blobs: distinct(blobs),
        head_seq: entries::head(&mut tx, device).await?.seq,
        wedged: wedged::of_device(&mut tx, device).await?,
    };
    let mut receipt = sign(hub, device, says);
    let newest = entries::newest(&mut tx, device).await?;
    let mut tree = Tree::open(&mut tx).await?;
    receipt.tree = Some(tree.answer(&mut tx, hub, known_tree, newest).await?);
    drop(tx);
    if known_tree > tree.size {
        let mut tx = hub.db().write().await?;
        tree.notice_longer(&mut tx, device, known_tree, hub.now_ms())
            .await?;
        tx.commit().await?;
    }
    Ok(receipt)
}

/// Keeps the first word about these entries.
pub(crate) async fn keep(
    tx: &mut Tx,
    device: DeviceId,
    entries: &[&CheckedEntry],
    receipt: &SignedReceipt,
) -> Result<(), HubError> {
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO receipt_given (device_id, first_seq, last_seq, receipt) VALUES (?, ?, ?, ?) \
         ON CONFLICT DO NOTHING",
    )
    .bind(&device.as_bytes()[..])
    .bind(first.header.seq)
    .bind(last.header.seq)
    .bind(receipt.encode())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A receipt that names one proof.
pub(crate) async fn for_proof(
    hub: &Hub,
    device: DeviceId,
    hash: Hash32,
) -> Result<SignedReceipt, HubError> {
    let head_seq = entries::head_seq(hub.db().read(), device).await?;
    let says = Says {
        entries: Vec::new(),
        blobs: vec![hash],
        head_seq,
        wedged: Vec::new(),
    };
    Ok(sign(hub, device, says))
}

/// Parcels handed over together share proofs; each is named once.
pub(crate) fn distinct(blobs: Vec<(i64, Hash32)>) -> Vec<Hash32> {
    let mut hashes: Vec<_> = blobs.into_iter().map(|(_, hash)| hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}
