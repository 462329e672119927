//! Who may write to an upload right now.
//!
//! A phone whose connection was cut comes back while the hub may still wait for the rest of the old
//! request. The newest request owns the upload: each asks for a turn, and an older one finds at its
//! next chunk that its turn is over. So the offset a `HEAD` reports stays true until the next `PATCH`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use satchel_protocol::ids::{DeviceId, Hash32};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

type Key = (DeviceId, Hash32);

/// The open uploads of this process.
#[derive(Debug, Default)]
pub(crate) struct Uploads {
    turns: Mutex<HashMap<Key, Arc<AsyncMutex<u64>>>>,
}

/// The right to write to one upload until somebody newer asks.
#[derive(Debug)]
pub(crate) struct Turn {
    slot: Arc<AsyncMutex<u64>>,
    number: u64,
}

impl Uploads {
    /// Takes the upload over from whoever had it; waits at most for one chunk being written.
    pub(crate) async fn take(&self, device: DeviceId, hash: Hash32) -> Turn {
        let slot = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry((device, hash)).or_default())
        };
        let number = {
            let mut number = slot.lock().await;
            *number += 1;
            *number
        };
        Turn { slot, number }
    }

    /// Forgets a finished upload.
    pub(crate) fn forget(&self, device: DeviceId, hash: Hash32) {
        self.turns
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&(device, hash));
    }
}

impl Turn {
    /// Keeps everybody else out while a chunk is written; `None` once somebody newer has taken over.
    pub(crate) async fn hold(&self) -> Option<OwnedMutexGuard<u64>> {
        let guard = Arc::clone(&self.slot).lock_owned().await;
        (*guard == self.number).then_some(guard)
    }
}
