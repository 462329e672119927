//! What the store takes on the device, for a settings screen.

use satchel_core::model::storage;

/// What the store takes on the device, as `du` counts, and what could be given back.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct StorageUsage {
    /// Photos of handoffs that are not completed yet.
    pub staged_photos: u64,
    /// What they take.
    pub staged_bytes: u64,
    /// Photos that wait for the hub's receipt: the only copies, never removed.
    pub waiting_photos: u64,
    /// What they take.
    pub waiting_bytes: u64,
    /// Photos the hub has receipted, here or not.
    pub receipted_photos: u64,
    /// Receipted photos that are still here and give way when room is needed.
    pub evictable_photos: u64,
    /// What they take.
    pub evictable_bytes: u64,
    /// Small copies of photos, which never give way.
    pub thumbnails: u64,
    /// Their bytes; they lie in the database and count towards the quota.
    pub thumbnail_bytes: u64,
    /// The database with its log, signatures included.
    pub database_bytes: u64,
    /// Held back for records on a full disk.
    pub ballast_bytes: u64,
    /// What photos may take before receipted ones give way.
    pub quota_bytes: u64,
    /// What is left of it; 0 also when photos that wait take more.
    pub free_quota_bytes: u64,
    /// What the device has left; 0 where it does not say.
    pub disk_free_bytes: u64,
}

impl From<storage::StorageUsage> for StorageUsage {
    fn from(usage: storage::StorageUsage) -> Self {
        Self {
            staged_photos: usage.staged.photos,
            staged_bytes: usage.staged.bytes,
            waiting_photos: usage.waiting.photos,
            waiting_bytes: usage.waiting.bytes,
            receipted_photos: usage.receipted_photos,
            evictable_photos: usage.evictable.photos,
            evictable_bytes: usage.evictable.bytes,
            thumbnails: usage.thumbnails.photos,
            thumbnail_bytes: usage.thumbnails.bytes,
            database_bytes: usage.database_bytes,
            ballast_bytes: usage.ballast_bytes,
            quota_bytes: usage.quota_bytes,
            free_quota_bytes: usage.free_quota_bytes,
            disk_free_bytes: usage.disk_free_bytes,
        }
    }
}

/// How far the erasure of a delivery has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Erasure {
    /// This phone no longer knows what was personal about it.
    Done {
        /// When, Unix milliseconds.
        at_ms: i64,
    },
    /// The hub does not have everything yet; until then this phone's copy is the only one.
    WaitsForHub,
}

impl From<storage::Erasure> for Erasure {
    fn from(erasure: storage::Erasure) -> Self {
        match erasure {
            storage::Erasure::Done { at_ms } => Self::Done { at_ms },
            storage::Erasure::WaitsForHub => Self::WaitsForHub,
        }
    }
}
