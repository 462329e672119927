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

use super::lost::InDoubt;
use super::{Courier, Keys};
use crate::error::{Error, Result};
use crate::evidence::log::Fact;
use crate::model::storage::Erasure;
use crate::proof::blob::BlobStore;
use crate::store::db::{Snapshot, Tx};
use crate::store::erasures::{self, Asked, Files, Scope};

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
        self.carry_out_erasures(Some(parcel))?;
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
        if let Err(error) = self.carry_out_erasures(None) {
            tracing::warn!(%error, "an erasure still waits");
        }
    }

    /// Erases what waits and may go now. What fails of one delivery holds up no other and is only said, unless it is of
    /// the one that was asked for.
    fn carry_out_erasures(&self, asked_for: Option<ParcelId>) -> Result<()> {
        if asked_for.is_none() && !self.erasures_wait.load(Ordering::Relaxed) {
            return Ok(());
        }
        if self.carry_out_waiting(asked_for)? {
            self.erasures_wait.store(false, Ordering::Relaxed);
            // Asked for meanwhile.
            if !self.db.read(erasures::waiting)?.is_empty() {
                self.erasures_wait.store(true, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// `true`: nothing is left to do.
    fn carry_out_waiting(&self, asked_for: Option<ParcelId>) -> Result<bool> {
        let Some(keys) = self.keys().clone() else {
            return Ok(false);
        };
        let (mut left, mut failed) = (false, None);
        for asked in self.db.read(erasures::waiting)? {
            match self.carry_out(&keys, asked) {
                Ok(done) => left |= !done,
                Err(error @ (Error::Paused | Error::Closed)) => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "an erasure still waits");
                    left = true;
                    if asked_for == Some(asked.parcel) {
                        failed = Some(error);
                    }
                }
            }
        }
        let scrubbed = !self.db.read(erasures::unscrubbed)? || self.scrub()?;
        failed.map_or(Ok(!left && scrubbed), Err)
    }

    /// `false`: it still waits.
    fn carry_out(&self, keys: &Keys, asked: Asked) -> Result<bool> {
        let going = self.db.read(|conn| may_go(conn, asked, keys))?;
        let Some(scope) = going else {
            return Ok(false);
        };
        // What is lost is waited for no longer, so first a look whether it is.
        if let Some(scope) = scope
            && self.find_lost(Some(&scope.entries), InDoubt::Waits)?
        {
            return Ok(false);
        }
        let now_ms = self.env.clock.wall_ms();
        let Some(files) = self.write_at_door(|tx| self.erase_now(tx, keys, asked, now_ms))? else {
            return Ok(false);
        };
        // A drawing that was looked at last may be of this very door.
        self.forget_looked_at();
        for (key, hash) in files {
            self.blobs.remove(&BlobStore::file_name(&key, &hash.0))?;
        }
        Ok(true)
    }

    fn scrub(&self) -> Result<bool> {
        let empty = self.db.empty_log()?;
        if empty {
            self.db.write(|tx| erasures::set_scrubbed(tx))?;
        }
        Ok(empty)
    }

    /// Gives the files to remove; `None` where something still waits for the hub.
    fn erase_now(
        &self,
        tx: &Tx<'_>,
        keys: &Keys,
        asked: Asked,
        now_ms: i64,
    ) -> Result<Option<Files>> {
        if erasures::state(tx, asked.parcel)?.flatten().is_some() {
            // Another thread was here.
            return Ok(Some(Files::new()));
        }
        let Some(scope) = may_go(tx, asked, keys)? else {
            return Ok(None);
        };
        let Some(scope) = scope else {
            erasures::nothing_here(tx, asked.parcel, now_ms)?;
            return Ok(Some(Files::new()));
        };
        let files = erasures::erase(tx, &scope, now_ms)?;
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
        Ok(Some(files))
    }
}

/// What would go with a delivery, if it may: `Some(None)` where nothing of it is here.
fn may_go(conn: &Snapshot, asked: Asked, keys: &Keys) -> Result<Option<Option<Scope>>> {
    let scope = erasures::scope(conn, asked.parcel, keys.device)?;
    let received = match &scope {
        Some(scope) => erasures::is_received(conn, scope)?,
        None => true,
    };
    Ok(received.then_some(scope))
}
