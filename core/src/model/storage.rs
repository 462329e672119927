//! What the store takes on the device.

/// Photos of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heap {
    /// How many.
    pub photos: u64,
    /// What they take on disk, in whole blocks.
    pub bytes: u64,
}

/// What the store takes on the device, and what could be given back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StorageUsage {
    /// Photos of handoffs that are not completed yet.
    pub staged: Heap,
    /// Photos that wait for the hub's receipt: the only copies there are.
    pub waiting: Heap,
    /// Receipted photos that are still here and give way when room is needed.
    pub evictable: Heap,
    /// Small copies of photos. They never give way, and lie in the database: their bytes are part of its.
    pub thumbnails: Heap,
    /// Photos the hub has receipted, here or not.
    pub receipted_photos: u64,
    /// The database with its log, signatures included.
    pub database_bytes: u64,
    /// Held back for records on a full disk.
    pub ballast_bytes: u64,
    /// What photos may take before receipted ones give way.
    pub quota_bytes: u64,
    /// What is left of it; 0 also when unsent photos take more.
    pub free_quota_bytes: u64,
    /// What the device has left; 0 where it does not say.
    pub disk_free_bytes: u64,
}

/// How far the erasure of a delivery has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasure {
    /// This phone no longer knows what was personal about it.
    Done {
        /// When, Unix milliseconds.
        at_ms: i64,
    },
    /// The hub does not have everything yet; until then this phone's copy is the only one.
    WaitsForHub,
}
