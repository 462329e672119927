//! Forgetting one delivery on this phone (PIPL 47, crypto-erase): asked for by the hub or at the phone,
//! carried out as soon as the hub has everything that would go with it.
//!
//! What is erased here was receipted before, so no evidence dies with it; an erasure that comes too early
//! waits. The rows go in one transaction together with the signed record of it, the photos' files after the
//! commit (a kill in between leaves files without a key or a row, which the next opening sweeps), and the
//! write-ahead log is emptied last, because it held the rows too.

use std::sync::atomic::Ordering;

use satchel_protocol::entry::EntryKind;
use satchel_protocol::erase::ErasedBody;
use satchel_protocol::ids::ParcelId;

use super::{Courier, Keys};
use crate::error::{Error, Result};
use crate::evidence::log::Fact;
use crate::model::storage::Erasure;
use crate::proof::blob::BlobStore;
use crate::store::db::Tx;
use crate::store::erasures::{self, Asked, Files};

impl Courier {
    /// Erases what this phone knows of a delivery: name, number, address, words, photos, signature. Log and
    /// tree keep verifying, and evidence about it says that its content was erased.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`] without a hub; those of the store.
    pub fn erase(&self, parcel: ParcelId) -> Result<Erasure> {
        self.enrolled()?;
        let asked = Asked {
            parcel,
            by_hub: false,
        };
        let now_ms = self.env.clock.wall_ms();
        self.write_at_door(|tx| erasures::ask(tx, asked, now_ms))?;
        self.erasures_wait.store(true, Ordering::Relaxed);
        self.carry_out_erasures()?;
        self.erasure(parcel)?
            .ok_or(Error::NotFound { what: "parcel" })
    }

    /// How far the erasure of a delivery has got; `None` if nobody asked for one.
    ///
    /// # Errors
    /// Only those of the store.
    pub fn erasure(&self, parcel: ParcelId) -> Result<Option<Erasure>> {
        let state = self.db.read(|conn| erasures::state(conn, parcel))?;
        Ok(state.map(|done| done.map_or(Erasure::WaitsForHub, |at_ms| Erasure::Done { at_ms })))
    }

    /// [`Self::carry_out_erasures`] beside something else, which does not fail with it.
    pub(super) fn try_erasures(&self) {
        if let Err(error) = self.carry_out_erasures() {
            tracing::warn!(%error, "an erasure still waits");
        }
    }

    /// Erases what waits and may go now.
    fn carry_out_erasures(&self) -> Result<()> {
        if !self.erasures_wait.load(Ordering::Relaxed) {
            return Ok(());
        }
        let Some(keys) = self.keys().clone() else {
            return Ok(());
        };
        let mut left = !self.db.read(erasures::waiting)?.is_empty();
        if left {
            // What is lost is waited for no longer, so first a look whether it is.
            self.find_lost()?;
            let now_ms = self.env.clock.wall_ms();
            let files;
            (files, left) = self.write_at_door(|tx| self.erase_waiting(tx, &keys, now_ms))?;
            // A drawing that was looked at last may be of this very door.
            self.forget_looked_at();
            for (key, hash) in files {
                self.blobs.remove(&BlobStore::file_name(&key, &hash.0))?;
            }
        }
        let scrubbed = !self.db.read(erasures::unscrubbed)? || self.scrub()?;
        self.erasures_wait
            .store(left || !scrubbed, Ordering::Relaxed);
        Ok(())
    }

    fn scrub(&self) -> Result<bool> {
        let empty = self.db.empty_log()?;
        if empty {
            self.db.write(|tx| erasures::set_scrubbed(tx))?;
        }
        Ok(empty)
    }

    /// Gives the files to remove, and whether something still waits for the hub.
    fn erase_waiting(&self, tx: &Tx<'_>, keys: &Keys, now_ms: i64) -> Result<(Files, bool)> {
        let (mut files, mut left) = (Files::new(), false);
        for asked in erasures::waiting(tx)? {
            let Some(scope) = erasures::scope(tx, asked.parcel, keys.device)? else {
                erasures::nothing_here(tx, asked.parcel, now_ms)?;
                continue;
            };
            if !erasures::is_received(tx, &scope)? {
                left = true;
                continue;
            }
            files.extend(erasures::erase(tx, &scope, now_ms)?);
            let body = ErasedBody {
                parcel: asked.parcel,
                entries: scope.entries.iter().copied().collect(),
                asked_by_hub: asked.by_hub,
            };
            let fact = Fact {
                kind: EntryKind::ERASED,
                handle: None,
                blobs: vec![],
                body: body.encode(),
                stop: None,
                occurred_at_ms: now_ms,
            };
            self.pen(keys).append(tx, fact)?;
        }
        Ok((files, left))
    }
}
