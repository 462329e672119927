//! The tree of RFC 9162 §2.1: hashes, proofs and their checks. Pure arithmetic over sizes and hashes.
//!
//! Making a proof needs the hashes of full subtrees, which [`Tiles`] holds; checking one needs nothing.

use thiserror::Error;

use super::tiles::{MissingTile, Tiles};
use crate::crypto;
use crate::ids::Hash32;

const NODE_PREFIX: &[u8] = &[0x01];

/// A proof that proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The leaf is not in a tree of that size, or the sizes go backwards, or the older tree is empty.
    #[error("a proof for sizes that cannot be")]
    Sizes,
    /// Too few or too many hashes for these sizes.
    #[error("a proof of the wrong length")]
    Length,
    /// The hashes lead to another root.
    #[error("a proof that leads to another root")]
    Root,
}

/// Hash of two subtrees.
#[must_use]
pub fn node_hash(left: &Hash32, right: &Hash32) -> Hash32 {
    crypto::sha256(&[NODE_PREFIX, &left.0, &right.0])
}

/// Root of the tree without leaves.
#[must_use]
pub fn empty_root() -> Hash32 {
    crypto::sha256(&[])
}

/// The largest power of two below `n`, for `n` of at least 2: where RFC 9162 splits a tree.
fn split(n: u64) -> u64 {
    1 << (u64::BITS - 1 - (n - 1).leading_zeros())
}

/// Root of the first `size` leaves.
///
/// # Errors
/// [`MissingTile`] names what has to be loaded first.
pub fn root(tiles: &Tiles, size: u64) -> Result<Hash32, MissingTile> {
    if size == 0 {
        return Ok(empty_root());
    }
    subtree(tiles, 0, size)
}

/// Root over the leaves `start..start + n`; `start` is a multiple of the full subtrees below it.
fn subtree(tiles: &Tiles, start: u64, n: u64) -> Result<Hash32, MissingTile> {
    if n.is_power_of_two() {
        let level = n.trailing_zeros();
        return tiles.node(level, start >> level);
    }
    let k = split(n);
    Ok(node_hash(
        &subtree(tiles, start, k)?,
        &subtree(tiles, start + k, n - k)?,
    ))
}

/// The hashes that lead from leaf `index` to the root of `size` leaves (RFC 9162 §2.1.3.1). Empty for an
/// index outside the tree.
///
/// # Errors
/// [`MissingTile`].
pub fn inclusion_proof(tiles: &Tiles, index: u64, size: u64) -> Result<Vec<Hash32>, MissingTile> {
    let mut proof = Vec::new();
    if index >= size {
        return Ok(proof);
    }
    let (mut start, mut n) = (0, size);
    while n > 1 {
        let k = split(n);
        if index - start < k {
            proof.push(subtree(tiles, start + k, n - k)?);
            n = k;
        } else {
            proof.push(subtree(tiles, start, k)?);
            start += k;
            n -= k;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The hashes that show the first `old` of `size` leaves unchanged (RFC 9162 §2.1.4.1). Empty when there
/// is nothing to show.
///
/// # Errors
/// [`MissingTile`].
pub fn consistency_proof(tiles: &Tiles, old: u64, size: u64) -> Result<Vec<Hash32>, MissingTile> {
    let mut proof = Vec::new();
    if old == 0 || old >= size {
        return Ok(proof);
    }
    let (mut start, mut n, mut m) = (0, size, old);
    // Whether the subtree looked at is still the whole old tree, whose root the asker knows.
    let mut known = true;
    while m != n {
        let k = split(n);
        if m <= k {
            proof.push(subtree(tiles, start + k, n - k)?);
            n = k;
        } else {
            proof.push(subtree(tiles, start, k)?);
            start += k;
            n -= k;
            m -= k;
            known = false;
        }
    }
    if !known {
        proof.push(subtree(tiles, start, n)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The root that `proof` leads to from `leaf` at `index` (RFC 9162 §2.1.3.2).
///
/// # Errors
/// [`ProofError`].
pub fn root_from_inclusion(
    leaf: Hash32,
    index: u64,
    size: u64,
    proof: &[Hash32],
) -> Result<Hash32, ProofError> {
    if index >= size {
        return Err(ProofError::Sizes);
    }
    let mut hash = leaf;
    climb(index, size - 1, proof, |sibling, from_left| {
        hash = if from_left {
            node_hash(sibling, &hash)
        } else {
            node_hash(&hash, sibling)
        };
    })?;
    Ok(hash)
}

/// Walks a proof from the node `at` of a level whose last node is `last` up to the root, and says of each
/// sibling whether it stands to the left (RFC 9162 §2.1.3.2 and §2.1.4.2 share this walk).
fn climb<'p>(
    mut at: u64,
    mut last: u64,
    proof: impl IntoIterator<Item = &'p Hash32>,
    mut step: impl FnMut(&Hash32, bool),
) -> Result<(), ProofError> {
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        let from_left = at & 1 == 1 || at == last;
        step(sibling, from_left);
        if from_left {
            // A right-most subtree without a sibling of its own moves up until it has one.
            let lift = at.trailing_zeros();
            at >>= lift;
            last >>= lift;
        }
        at >>= 1;
        last >>= 1;
    }
    if last == 0 {
        Ok(())
    } else {
        Err(ProofError::Length)
    }
}

/// Checks that `leaf` is at `index` of the tree of `size` leaves under `root`.
///
/// # Errors
/// [`ProofError`].
pub fn verify_inclusion(
    leaf: Hash32,
    index: u64,
    size: u64,
    proof: &[Hash32],
    root: Hash32,
) -> Result<(), ProofError> {
    if root_from_inclusion(leaf, index, size, proof)? == root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

/// Checks that the tree of `size` leaves only adds to the one of `old` leaves (RFC 9162 §2.1.4.2). An
/// empty old tree is refused: anything is consistent with it, so a proof from it would prove nothing.
///
/// # Errors
/// [`ProofError`].
pub fn verify_consistency(
    old: u64,
    size: u64,
    proof: &[Hash32],
    old_root: Hash32,
    root: Hash32,
) -> Result<(), ProofError> {
    if old == 0 || old > size {
        return Err(ProofError::Sizes);
    }
    if old == size {
        return match (proof.is_empty(), old_root == root) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    let mut hashes = proof.iter();
    let first = if old.is_power_of_two() {
        old_root
    } else {
        *hashes.next().ok_or(ProofError::Length)?
    };
    let lift = (old - 1).trailing_ones();
    let (mut old_hash, mut hash) = (first, first);
    climb(
        (old - 1) >> lift,
        (size - 1) >> lift,
        hashes,
        |sibling, from_left| {
            if from_left {
                old_hash = node_hash(sibling, &old_hash);
                hash = node_hash(sibling, &hash);
            } else {
                hash = node_hash(&hash, sibling);
            }
        },
    )?;
    if old_hash == old_root && hash == root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}
