//! The queue beyond its two calls: what stands open.

use super::{Result, Satchel};
use crate::wedge::{EntryRepair, WedgedEntry};

#[uniffi::export]
impl Satchel {
    /// Entries the hub did not accept, oldest first. They hold up nothing else.
    ///
    /// # Errors
    /// Those of the store.
    pub fn wedged_entries(&self) -> Result<Vec<WedgedEntry>> {
        let open = self.courier.wedged_entries()?;
        Ok(open.into_iter().map(WedgedEntry::from).collect())
    }

    /// Repairs one of them: sent again where that can help, else said again by a new entry that points to
    /// the old one. The next sync sends it.
    ///
    /// # Errors
    /// `NotFound` for an entry that does not stand open or is said again already.
    pub fn repair_entry(&self, seq: i64) -> Result<EntryRepair> {
        Ok(self.courier.repair_wedged(seq)?.into())
    }
}
