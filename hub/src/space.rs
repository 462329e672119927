//! Room that many share and nobody takes for himself: so much in all, and so much for each.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Room of which each `K` may hold a part.
#[derive(Debug)]
pub(crate) struct Space<K>(Arc<Inner<K>>);

#[derive(Debug)]
struct Inner<K> {
    free: Arc<Semaphore>,
    /// The most that one may hold.
    share: u32,
    of: Mutex<HashMap<K, u32>>,
}

/// Room that is taken until this is dropped.
#[derive(Debug)]
pub(crate) struct Taken<K: Eq + Hash> {
    _share: Option<Share<K>>,
    _room: OwnedSemaphorePermit,
}

/// One's part of it.
#[derive(Debug)]
struct Share<K: Eq + Hash> {
    space: Arc<Inner<K>>,
    of: K,
    taken: u32,
}

impl<K: Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        let mut of = self.space.shares();
        if let Some(held) = of.get_mut(&self.of) {
            *held = held.saturating_sub(self.taken);
            if *held == 0 {
                of.remove(&self.of);
            }
        }
    }
}

impl<K> Inner<K> {
    fn shares(&self) -> MutexGuard<'_, HashMap<K, u32>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> Clone for Space<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Eq + Hash + Copy> Space<K> {
    /// Room of `all`, of which one may hold `share`.
    pub(crate) fn new(all: u32, share: u32) -> Self {
        Self(Arc::new(Inner {
            free: Arc::new(Semaphore::new(all as usize)),
            share,
            of: Mutex::default(),
        }))
    }

    /// So much room, if it is there within `patience`. Whoever is nobody in particular has a share without end.
    pub(crate) async fn take(
        &self,
        of: Option<K>,
        wanted: u32,
        patience: Duration,
    ) -> Option<Taken<K>> {
        let share = match of {
            Some(of) => Some(self.share(of, wanted)?),
            None => None,
        };
        let free = Arc::clone(&self.0.free);
        match timeout(patience, free.acquire_many_owned(wanted)).await {
            Ok(Ok(room)) => Some(Taken {
                _share: share,
                _room: room,
            }),
            _ => None,
        }
    }

    /// So much room, if it is there now.
    pub(crate) fn take_now(&self, of: Option<K>, wanted: u32) -> Option<Taken<K>> {
        let share = match of {
            Some(of) => Some(self.share(of, wanted)?),
            None => None,
        };
        let free = Arc::clone(&self.0.free);
        Some(Taken {
            _share: share,
            _room: free.try_acquire_many_owned(wanted).ok()?,
        })
    }

    fn share(&self, of: K, wanted: u32) -> Option<Share<K>> {
        let mut shares = self.0.shares();
        let held = shares.get(&of).copied().unwrap_or(0);
        let taken = held
            .checked_add(wanted)
            .filter(|sum| *sum <= self.0.share)?;
        shares.insert(of, taken);
        drop(shares);
        Some(Share {
            space: Arc::clone(&self.0),
            of,
            taken: wanted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_has_his_share_and_gives_it_back() {
        let space = Space::new(4, 2);
        let now = Duration::ZERO;
        let first = space.take(Some(1), 2, now).await.unwrap();
        assert!(space.take(Some(1), 1, now).await.is_none());
        assert!(space.take_now(Some(1), 1).is_none());
        let second = space.take_now(Some(2), 2).unwrap();
        assert!(space.take_now(Some(3), 1).is_none(), "nothing is left");
        assert!(space.take_now(None, 1).is_none());
        drop(first);
        let nobody = space.take_now(None, 2).unwrap();
        drop((second, nobody));
        assert!(space.0.shares().is_empty());
        assert!(space.take_now(None, 4).is_some());
    }
}
