//! The tree cut into tiles of 256 hashes (C2SP `tlog-tiles`): how it is stored, served and grown.
//!
//! A tile at level 0 holds leaf hashes, one at level L the roots of full tiles below it. Only the right
//! edge ever changes. [`Tiles`] holds the few tiles that a proof or an append touches; whatever it lacks
//! it names, and the caller loads it and asks again. That keeps all of this free of I/O.

use std::collections::BTreeMap;

use thiserror::Error;

use super::tree::node_hash;
use crate::ids::Hash32;

/// Hashes in a full tile.
pub const TILE_HASHES: usize = 256;
const TILE_BITS: u32 = 8;

/// Where a tile lies: its level, and its number within the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    /// 0 for leaf hashes.
    pub level: u8,
    /// From the left, from 0.
    pub number: u64,
}

/// A tile that was not loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("tile {}/{} is not loaded", .0.level, .0.number)]
pub struct MissingTile(pub TileId);

/// Some tiles of one tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tiles {
    loaded: BTreeMap<TileId, Vec<Hash32>>,
}

impl Tiles {
    /// Puts a tile in, full or partial.
    pub fn insert(&mut self, id: TileId, hashes: Vec<Hash32>) {
        self.loaded.insert(id, hashes);
    }

    /// The hashes of a tile, as far as it is loaded.
    #[must_use]
    pub fn get(&self, id: TileId) -> Option<&[Hash32]> {
        self.loaded.get(&id).map(Vec::as_slice)
    }

    /// Root of the full subtree of `2^level` leaves that starts at leaf `index << level`.
    ///
    /// # Errors
    /// [`MissingTile`].
    pub fn node(&self, level: u32, index: u64) -> Result<Hash32, MissingTile> {
        let (tile_level, inner) = (level / TILE_BITS, level % TILE_BITS);
        let first = index << inner;
        let id = TileId {
            level: u8::try_from(tile_level).unwrap_or(u8::MAX),
            number: first >> TILE_BITS,
        };
        let from = usize::try_from(first % TILE_HASHES as u64).unwrap_or(0);
        self.loaded
            .get(&id)
            .and_then(|hashes| hashes.get(from..from + (1 << inner)))
            .and_then(full_root)
            .ok_or(MissingTile(id))
    }

    /// The tiles at the right edge of a tree of `size` leaves: what has to be loaded before a leaf can be
    /// appended.
    #[must_use]
    pub fn edge(size: u64) -> Vec<TileId> {
        let mut edge = Vec::new();
        let (mut level, mut hashes) = (0, size);
        while hashes > 0 {
            if hashes % TILE_HASHES as u64 != 0 {
                edge.push(TileId {
                    level,
                    number: hashes >> TILE_BITS,
                });
            }
            hashes >>= TILE_BITS;
            level += 1;
        }
        edge
    }

    /// Appends a leaf to a tree of `size` leaves whose edge is loaded. Gives the tiles that changed.
    ///
    /// # Errors
    /// [`MissingTile`] when a tile of the edge is not loaded; nothing has changed then.
    pub fn push(&mut self, size: u64, leaf: Hash32) -> Result<Vec<TileId>, MissingTile> {
        if let Some(id) = Self::edge(size).into_iter().find(|id| {
            let expected = (size >> (TILE_BITS * u32::from(id.level))) % TILE_HASHES as u64;
            self.loaded.get(id).map_or(0, |h| h.len() as u64) != expected
        }) {
            return Err(MissingTile(id));
        }
        let mut changed = Vec::new();
        let (mut level, mut at, mut hash) = (0, size, leaf);
        loop {
            let id = TileId {
                level,
                number: at >> TILE_BITS,
            };
            let tile = self.loaded.entry(id).or_default();
            tile.push(hash);
            changed.push(id);
            if tile.len() < TILE_HASHES {
                return Ok(changed);
            }
            let Some(full) = full_root(tile) else {
                return Ok(changed);
            };
            hash = full;
            at >>= TILE_BITS;
            level += 1;
        }
    }
}

impl TileId {
    /// The path below the log's prefix, without the suffix of a partial tile: `tile/0/x001/234`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("tile/{}/{}", self.level, Self::number_path(self.number))
    }

    /// A tile's number in groups of three digits, all but the last marked with an `x`.
    #[must_use]
    pub fn number_path(number: u64) -> String {
        let mut path = format!("{:03}", number % 1_000);
        let mut rest = number / 1_000;
        while rest > 0 {
            path = format!("x{:03}/{path}", rest % 1_000);
            rest /= 1_000;
        }
        path
    }

    /// Reads what [`TileId::number_path`] writes, and nothing else.
    #[must_use]
    pub fn parse_number(path: &str) -> Option<u64> {
        let mut number = 0_u64;
        for part in path.split('/') {
            let digits = part.strip_prefix('x').unwrap_or(part);
            if digits.len() != 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            number = number
                .checked_mul(1_000)?
                .checked_add(digits.parse().ok()?)?;
        }
        (Self::number_path(number) == path).then_some(number)
    }
}

/// Root of a power of two of hashes.
fn full_root(hashes: &[Hash32]) -> Option<Hash32> {
    match hashes {
        [] => None,
        [one] => Some(*one),
        many => {
            let (left, right) = many.split_at_checked(many.len() / 2)?;
            Some(node_hash(&full_root(left)?, &full_root(right)?))
        }
    }
}
