//! The queue beyond its two calls: what stands open, what may cost money, news while the app is in front.

use std::path::Path;

use super::{Result, Satchel};
use crate::codes::NetworkState;
use crate::sync::{ExportReport, SyncTask};
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

    /// Whether photos may go up over a network that costs the courier money. Without it they wait for one
    /// that costs nothing, unless the hub asks for one; everything else never waits. Off until set; kept.
    ///
    /// # Errors
    /// Those of the store.
    pub fn set_photos_on_metered(&self, allowed: bool) -> Result<()> {
        Ok(self.courier.set_photos_on_metered(allowed)?)
    }

    /// Whether photos may go up over a network that costs money.
    ///
    /// # Errors
    /// Those of the store.
    pub fn photos_on_metered(&self) -> Result<bool> {
        Ok(self.courier.photos_on_metered()?)
    }

    /// A push message came: the next sync task reads the feed. Nothing the message says is believed.
    pub fn feed_hint(&self) {
        self.courier.feed_hint();
    }

    /// While the app is in front: a request that the hub answers when there is news, after half a minute at
    /// the latest. Send it from a thread of its own and give the outcome to `completeTask`; it does not
    /// hold up the loop of `nextTask`.
    ///
    /// # Errors
    /// Those of the store.
    pub fn poll_task(&self, network: NetworkState) -> Result<SyncTask> {
        Ok(self.courier.poll_task(network)?.into())
    }

    /// The last way out before a logout or an uninstall without a network: everything the hub has not
    /// receipted, in one file that only the hub can read. Hand it over by whatever way there is; nothing on
    /// the phone changes.
    ///
    /// # Errors
    /// `StorageFull` and others of the store where the file cannot be written.
    pub fn export_unsent(&self, path: String) -> Result<ExportReport> {
        Ok(self.courier.export_unsent(Path::new(&path))?.into())
    }
}
