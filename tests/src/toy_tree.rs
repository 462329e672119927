//! The toy hub's transparency log: the whole tree in memory.

use std::collections::HashMap;

use ed25519_dalek::SigningKey;
use satchel_protocol::ids::Hash32;
use satchel_protocol::tlog::{self, Checkpoint, Tiles, TreeAnswer};

use crate::toy_hub::HUB_URL;

/// One log.
#[derive(Debug, Clone)]
pub(crate) struct ToyTree {
    log_no: u32,
    size: u64,
    tiles: Tiles,
    index: HashMap<Hash32, u64>,
}

impl Default for ToyTree {
    fn default() -> Self {
        Self {
            log_no: 1,
            size: 0,
            tiles: Tiles::default(),
            index: HashMap::new(),
        }
    }
}

impl ToyTree {
    pub(crate) fn append(&mut self, leaf: Hash32) {
        self.tiles.push(self.size, leaf).unwrap();
        self.index.insert(leaf, self.size);
        self.size += 1;
    }

    /// What an operator has to do after a restore: the log says itself that it began anew.
    pub(crate) fn begin_anew_after(&mut self, lost: &Self) {
        self.log_no = lost.log_no + 1;
    }

    pub(crate) fn answer(
        &self,
        key: &SigningKey,
        known: u64,
        newest: Option<Hash32>,
    ) -> TreeAnswer {
        let index = newest.and_then(|hash| self.index.get(&hash).copied());
        let checkpoint = Checkpoint {
            origin: tlog::log_origin(HUB_URL, self.log_no),
            size: self.size,
            root: tlog::root(&self.tiles, self.size).unwrap(),
        };
        TreeAnswer {
            checkpoint: checkpoint.sign(key).to_string(),
            consistency: tlog::consistency_proof(&self.tiles, known, self.size).unwrap(),
            head_index: index.unwrap_or(0),
            inclusion: index.map_or_else(Vec::new, |index| {
                tlog::inclusion_proof(&self.tiles, index, self.size).unwrap()
            }),
        }
    }
}
