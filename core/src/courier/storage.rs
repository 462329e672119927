//! Space on the phone: what proofs take, what may go, and how a record still gets through a full disk.
//!
//! What the hub has not receipted is never removed, whatever the quota says: until then this phone holds
//! the only copy. Receipted photos are kept as long as there is room, because a courier looks back.

use std::collections::HashSet;

use satchel_protocol::ids::{AttemptId, Hash32};

use super::Courier;
use crate::error::{Error, Result, StoreError};
use crate::limits;
use crate::model::storage::{Heap, StorageUsage};
use crate::proof::blob::{BlobError, BlobRef, BlobStore};
use crate::store::ballast;
use crate::store::db::Tx;
use crate::store::{attempts, proofs, thumbs};

impl Courier {
    /// What this store takes on the device, in the way `du` counts.
    ///
    /// # Errors
    /// Only those of the store.
    pub fn storage_usage(&self) -> Result<StorageUsage> {
        let held = self.db.read(proofs::held_photos)?;
        let (thumbs, thumb_bytes) = self.db.read(thumbs::held)?;
        let on_disk = self.blobs.on_disk()?;
        let mut usage = StorageUsage {
            quota_bytes: self.quota_bytes(),
            free_quota_bytes: self
                .quota_bytes()
                .saturating_sub(self.blobs.used_bytes() + thumb_bytes),
            thumbnails: Heap {
                photos: thumbs,
                bytes: thumb_bytes,
            },
            database_bytes: self.db.disk_bytes(),
            ballast_bytes: self.ballast.held_bytes(),
            disk_free_bytes: ballast::free_bytes(self.db.path()),
            ..StorageUsage::default()
        };
        let mut named = HashSet::with_capacity(held.len());
        for photo in held {
            usage.receipted_photos += u64::from(photo.receipted);
            let name = BlobStore::file_name(&photo.key, &photo.hash.0);
            let Some(bytes) = on_disk.get(&name) else {
                continue;
            };
            let heap: &mut Heap = match (photo.bound, photo.receipted) {
                (false, _) => &mut usage.staged,
                (true, false) => &mut usage.waiting,
                (true, true) => &mut usage.evictable,
            };
            // One file may stand for the same picture taken twice at one visit.
            if named.insert(name) {
                heap.photos += 1;
                heap.bytes += bytes;
            }
        }
        Ok(usage)
    }

    /// Sets how much photos may take before receipted ones give way, oldest first. What waits for its
    /// receipt is kept beyond it.
    ///
    /// # Errors
    /// Only those of the store.
    pub fn set_photo_quota(&self, bytes: u64) -> Result<()> {
        self.quota_bytes
            .store(bytes, std::sync::atomic::Ordering::Relaxed);
        self.make_room(0)
    }

    fn quota_bytes(&self) -> u64 {
        self.quota_bytes.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Seals and stores a proof. On a full disk receipted photos go first, then the ballast.
    pub(super) fn store_blob(&self, key: &[u8; 32], plain: &[u8]) -> Result<BlobRef> {
        let sealed_bytes = BlobStore::sealed_bytes(plain.len() as u64);
        self.make_room(sealed_bytes)?;
        let mut evicted = false;
        loop {
            match self.blobs.put(key, &mut self.drawn()?, plain) {
                Err(BlobError::StorageFull) => {
                    if !evicted {
                        evicted = true;
                        if self.evict(sealed_bytes)? > 0 {
                            continue;
                        }
                    }
                    if !self.ballast.release()? {
                        return Err(StoreError::Full.into());
                    }
                }
                other => return Ok(other?),
            }
        }
    }

    /// One transaction at the door. On a full disk the ballast is given up for it, part by part.
    pub(super) fn write_at_door<T>(&self, work: impl Fn(&Tx<'_>) -> Result<T>) -> Result<T> {
        loop {
            match self.db.write(&work) {
                Err(Error::Store(StoreError::Full)) if self.ballast.release()? => {}
                other => return other,
            }
        }
    }

    /// Keeps the quota, with some slack so that not every photo looks for older ones.
    fn make_room(&self, more_bytes: u64) -> Result<()> {
        let (_, thumb_bytes) = self.db.read(thumbs::held)?;
        let used = self.blobs.used_bytes() + thumb_bytes + more_bytes;
        let over = used.saturating_sub(self.quota_bytes());
        if over > 0 {
            self.evict(over + self.quota_bytes() / limits::QUOTA_SLACK_DIVISOR)?;
        }
        Ok(())
    }

    /// Removes receipted photos, oldest first, until this much is free. Gives what was freed.
    fn evict(&self, bytes: u64) -> Result<u64> {
        let held = self.db.read(proofs::held_photos)?;
        let name = |key: &[u8; 32], hash: &Hash32| BlobStore::file_name(key, &hash.0);
        let wanted: HashSet<String> = held
            .iter()
            .filter(|photo| !(photo.bound && photo.receipted))
            .map(|photo| name(&photo.key, &photo.hash))
            .collect();
        let before = self.blobs.used_bytes();
        let freed = || before.saturating_sub(self.blobs.used_bytes());
        for photo in held.iter().filter(|photo| photo.bound && photo.receipted) {
            if freed() >= bytes {
                break;
            }
            let name = name(&photo.key, &photo.hash);
            if !wanted.contains(&name) {
                self.blobs.remove(&name)?;
            }
        }
        Ok(freed())
    }

    /// Removes what handoffs left behind that nobody completed: their photos can be taken up again for
    /// half an hour; after a day nobody will. Nothing of a completed attempt is touched.
    pub(super) fn sweep_abandoned(&self) -> Result<()> {
        let before_ms = self.env.clock.wall_ms() - limits::DRAFT_ABANDONED_MS;
        let open: HashSet<AttemptId> = self.drafts().keys().copied().collect();
        let gone = self.db.write(|tx| {
            let mut gone = Vec::new();
            for attempt in attempts::abandoned(tx, before_ms)? {
                if !open.contains(&attempt) {
                    gone.extend(proofs::unstage(tx, attempt)?);
                    attempts::forget(tx, attempt)?;
                }
            }
            Ok(gone)
        })?;
        // A kill in between leaves files without a row, which the next opening sweeps.
        for (key, hash) in gone {
            self.blobs.remove(&BlobStore::file_name(&key, &hash.0))?;
        }
        Ok(())
    }
}
