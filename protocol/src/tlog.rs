//! The transparency log: one Merkle tree over everything phones and hub have recorded.
//!
//! A phone's chain shows that the phone did not rewrite its past; this tree shows that the hub did not.
//! It follows RFC 9162 (hashing and proofs) and the C2SP formats `tlog-tiles`, `tlog-checkpoint`,
//! `signed-note`, `tlog-cosignature` and `tlog-proof`, so that tools nobody of us wrote can check it.
//! A leaf is an entry's header, whose RFC 9162 leaf hash is the entry's own hash
//! ([`crate::entry::header_hash`]); bodies, and with them personal data, never enter the tree.

mod answer;
mod checkpoint;
mod note;
mod proof;
mod tiles;
mod tree;

pub use answer::{TreeAnswer, TreeFault, TreeHead, Watched};
pub use checkpoint::{Checkpoint, cosign, cosigned_at, log_origin, log_vkey};
pub use note::{MAX_NOTE_BYTES, Note, NoteError, NoteSignature, SigType, Vkey};
pub use proof::TlogProof;
pub use tiles::{MissingTile, TILE_HASHES, TileId, Tiles};
pub use tree::{
    ProofError, consistency_proof, empty_root, inclusion_proof, node_hash, root,
    root_from_inclusion, verify_consistency, verify_inclusion,
};

#[cfg(test)]
mod tests;
