//! What phone and hub send each other: a batch, a receipt, a packed page.

use satchel_protocol::batch::{Batch, InlineBlob};
use satchel_protocol::crypto;
use satchel_protocol::entry::SignedEntry;
use satchel_protocol::ids::{Salt, Sig64};
use satchel_protocol::limits;
use satchel_protocol::packed;
use satchel_protocol::receipt::SignedReceipt;
use satchel_protocol::taxonomy::ProofKind;

/// A batch that is read has the proofs it names, stays within its limits, and comes back as it was.
pub fn batch(bytes: &[u8]) {
    let Ok(batch) = Batch::decode(bytes) else {
        return;
    };
    assert!(batch.entries.len() <= limits::MAX_BATCH_ENTRIES);
    for blob in &batch.blobs {
        assert!(blob.bytes.len() <= limits::MAX_INLINE_BLOB_BYTES);
        assert_eq!(crypto::sha256(&[&blob.bytes]), blob.hash);
    }
    if let Ok(again) = batch.encode() {
        assert_eq!(Batch::decode(&again).as_ref(), Ok(&batch));
    }
}

/// Batches without, with one and with some entries.
pub fn batches() -> Vec<Vec<u8>> {
    let entry = |n: u8| SignedEntry {
        header: vec![n; 180],
        sig: Sig64([n; 64]),
        salt: n.is_multiple_of(2).then_some(Salt([n; 32])),
        body: n.is_multiple_of(2).then(|| vec![n; 300]),
    };
    let blob = |n: u8| InlineBlob {
        hash: crypto::sha256(&[&[n; 40]]),
        kind: ProofKind::Signature,
        bytes: vec![n; 40],
    };
    [0, 1, 5]
        .into_iter()
        .filter_map(|n| {
            let batch = Batch {
                entries: (0..n).map(entry).collect(),
                blobs: (0..n).map(blob).collect(),
            };
            batch.encode().ok()
        })
        .collect()
}

/// A receipt that is read comes back as it was.
pub fn receipt(bytes: &[u8]) {
    if let Ok(receipt) = SignedReceipt::decode(bytes) {
        assert_eq!(SignedReceipt::decode(&receipt.encode()), Ok(receipt));
    }
}

/// Receipts as to their form.
pub fn receipts() -> Vec<Vec<u8>> {
    [0_usize, 90, 4_000]
        .into_iter()
        .map(|length| {
            let receipt = SignedReceipt {
                bytes: vec![0x87; length],
                sig: Sig64([7; 64]),
                tree: None,
            };
            receipt.encode()
        })
        .collect()
}

/// What is unpacked never has more bytes than the reader said.
pub fn unpack(bytes: &[u8]) {
    const BOUND: usize = 32 * 1_024;
    if let Ok(plain) = packed::unpack(bytes, BOUND) {
        assert!(plain.len() <= BOUND);
    }
}

/// A page, a bomb, and a frame at its bound.
pub fn pages() -> Vec<Vec<u8>> {
    let page = br#"{"items":[],"cursor":"c","more":false,"server_time_ms":1}"#.to_vec();
    [page, vec![0; 4 << 20], vec![b' '; 32 * 1_024]]
        .into_iter()
        .filter_map(|plain| packed::pack(&plain).ok())
        .collect()
}
