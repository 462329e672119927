//! Who may write to an upload right now.
//!
//! A phone whose connection was cut comes back while the hub may still wait for the rest of the old
//! request. The newest request owns the upload: each asks for a turn, and an older one finds at its
//! next chunk that its turn is over. So the offset a `HEAD` reports stays true until the next `PATCH`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
        let counted = self.take_and_hold(device, hash).await;
        Turn {
            slot: Arc::clone(OwnedMutexGuard::mutex(&counted)),
            number: *counted,
        }
    }

    /// Takes the upload over and keeps everybody else out from then on: for what may not be overtaken.
    pub(crate) async fn take_and_hold(
        &self,
        device: DeviceId,
        hash: Hash32,
    ) -> OwnedMutexGuard<u64> {
        loop {
            let slot = Arc::clone(self.turns().entry((device, hash)).or_default());
            let mut counted = Arc::clone(&slot).lock_owned().await;
            // Whoever had it may have ended the upload meanwhile, and somebody newer begun it anew.
            let is_current = self
                .turns()
                .get(&(device, hash))
                .is_some_and(|now| Arc::ptr_eq(now, &slot));
            if is_current {
                *counted += 1;
                return counted;
            }
        }
    }

    /// Forgets a finished upload.
    pub(crate) fn forget(&self, device: DeviceId, hash: Hash32) {
        self.turns().remove(&(device, hash));
    }

    fn turns(&self) -> MutexGuard<'_, HashMap<Key, Arc<AsyncMutex<u64>>>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Keeps everybody else out while a chunk is written; `None` once somebody newer has taken over.
    pub(crate) async fn hold(&self) -> Option<OwnedMutexGuard<u64>> {
        let guard = Arc::clone(&self.slot).lock_owned().await;
        (*guard == self.number).then_some(guard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;
    use uuid::Uuid;

    #[tokio::test(start_paused = true)]
    async fn nobody_gets_between_who_takes_an_upload_over_and_what_he_does_with_it() {
        let uploads = Uploads::default();
        let (device, hash) = (DeviceId(Uuid::from_u128(1)), Hash32([7; 32]));
        let within = Duration::from_secs(1);
        let older = uploads.take(device, hash).await;
        let held = uploads.take_and_hold(device, hash).await;
        assert!(timeout(within, uploads.take(device, hash)).await.is_err());
        assert!(timeout(within, older.hold()).await.is_err());
        // As it is done when an upload ends.
        uploads.forget(device, hash);
        drop(held);
        assert!(older.hold().await.is_none());
        let newer = uploads.take(device, hash).await;
        assert!(newer.hold().await.is_some());
    }
}
