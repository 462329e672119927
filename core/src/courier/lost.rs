//! Photos that this phone cannot bring any more: said once in the log, shown, and waited for by nothing.
//!
//! A photo is lost when the hub has not got it, as far as it said, and its file is gone or is not what was stored. It
//! happens where a file was damaged before it was sent, and where a receipted photo gave way and the hub was then set back
//! to a backup. What it proved is still named by its signed entry; nothing is ever shown as received for it.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::sync::atomic::Ordering;

use satchel_protocol::lost::{LossCause, ProofLostBody};

use super::{Courier, Keys};
use crate::error::{Error, Result, StoreError};
use crate::evidence::log::Fact;
use crate::limits;
use crate::proof::blob::BlobError;
use crate::store::db::Tx;
use crate::store::lost::Lost;
use crate::store::proofs::ProofRow;
use crate::store::row::is_of_one_row;
use crate::store::{attempts, lost, stops};

/// Whether an error of [`Courier::proof_or_loss`] may be that of one file and pass.
pub(super) const fn of_a_file(error: &Error) -> bool {
    matches!(
        error,
        Error::Store(StoreError::Io(_) | StoreError::Full | StoreError::Damaged)
    )
}

/// What becomes of a lost photo of which nothing is known now: its folder is away, its file fails to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InDoubt {
    StaysLost,
    /// It counts as unsent, like any other that cannot be read now.
    Waits,
}

impl Courier {
    /// The bytes of a proof in the queue, or what became of them.
    pub(super) fn proof_or_loss(&self, row: &ProofRow) -> Result<Result<Vec<u8>, LossCause>> {
        if let Some(bytes) = &row.inline_bytes {
            return Ok(Ok(bytes.clone()));
        }
        let key = match self.db.read(|conn| attempts::data_key(conn, row.attempt)) {
            Ok(Some(key)) => key,
            Ok(None) => return Ok(Err(LossCause::MISSING)),
            // Its key went bad: nobody can open the file.
            Err(error) if is_of_one_row(&error) => return Ok(Err(LossCause::DAMAGED)),
            Err(other) => return Err(other),
        };
        match self.blobs.get(&key, &row.proof.hash.0) {
            Ok(bytes) => Ok(Ok(bytes)),
            Err(BlobError::Missing) if !self.folder_counts()? => {
                Err(StoreError::Io(ErrorKind::NotFound).into())
            }
            Err(BlobError::Missing) => Ok(Err(LossCause::MISSING)),
            Err(other @ (BlobError::StorageFull | BlobError::Io(_))) => Err(other.into()),
            Err(_) => Ok(Err(LossCause::DAMAGED)),
        }
    }

    /// Sets a photo aside that this phone cannot read, and says so in its log.
    pub(super) fn note_lost(&self, keys: &Keys, row: &ProofRow, cause: LossCause) -> Result<()> {
        tracing::error!(proof = %row.proof.hash, ?cause, "a stored proof cannot be read");
        match self.write_lost(keys, row, cause) {
            Ok(true) => {
                self.noted.store(true, Ordering::Relaxed);
                // It may be what an erasure waited for.
                self.try_erasures();
                Ok(())
            }
            Ok(false) => Ok(()),
            Err(error @ (Error::Paused | Error::Closed)) => Err(error),
            // Until the store takes it (a full disk), it stands back.
            Err(error) => {
                tracing::warn!(%error, "a lost proof is not noted yet");
                self.stand_back(row.id);
                Ok(())
            }
        }
    }

    fn write_lost(&self, keys: &Keys, row: &ProofRow, cause: LossCause) -> Result<bool> {
        let occurred_at_ms = self.env.clock.wall_ms();
        self.db.write(|tx| {
            let Some(found) = lost::set(tx, row.id, occurred_at_ms)? else {
                return Ok(false);
            };
            if !found.told {
                let cause = match found.was_receipted {
                    // Whoever reads it is to see that the courier had brought it.
                    true => LossCause::GONE_AFTER_RECEIPT,
                    false => cause,
                };
                let body = ProofLostBody {
                    hash: row.proof.hash,
                    of_seq: found.of_seq,
                    cause,
                };
                let fact = Fact {
                    kind: ProofLostBody::KIND,
                    handle: None,
                    blobs: vec![],
                    body: body.encode(),
                    // It says nothing of a door, and is to stay when what is known of that is erased.
                    stop: None,
                    occurred_at_ms,
                };
                let head = self.pen(keys).append(tx, fact)?;
                lost::set_told(tx, row.id, head.seq)?;
            }
            if let Some(stop) = found.stop {
                stops::touch(tx, stop)?;
            }
            Ok(true)
        })
    }

    /// Sets photos aside whose rows went bad: nobody knows which files are theirs. The log is told of none, since they have no
    /// name.
    pub(super) fn set_aside(&self, ids: &[i64]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let at_ms = self.env.clock.wall_ms();
        let done = self.db.write(|tx| {
            for id in ids {
                if let Some(stop) = lost::set(tx, *id, at_ms)?.and_then(|found| found.stop) {
                    stops::touch(tx, stop)?;
                }
            }
            Ok(())
        });
        match done {
            Ok(()) => {
                self.try_erasures();
                Ok(())
            }
            Err(error @ (Error::Paused | Error::Closed)) => Err(error),
            // Until the store takes it (a full disk) they count as unsent, and hold up nothing.
            Err(error) => {
                tracing::warn!(%error, "lost proofs are not noted yet");
                Ok(())
            }
        }
    }

    /// What becomes of a proof that cannot be read now: it stands back, or all photos do with their folder, or it was
    /// tried for too long.
    pub(super) fn cannot_read(&self, keys: &Keys, row: &ProofRow, error: &Error) -> Result<()> {
        match self.is_unread_for_good(row.id) {
            Ok(Some(true)) => return self.note_lost(keys, row, LossCause::DAMAGED),
            Ok(Some(false)) => tracing::warn!(%error, "a proof cannot be read now"),
            // That of the folder was said.
            Ok(None) if !self.blobs.is_there() => {
                self.engine().photos_are_away(self.boot_ms());
                return Ok(());
            }
            Ok(None) => {}
            Err(of_store) if of_a_file(&of_store) => {
                tracing::warn!(%error, "since when a proof cannot be read is not noted");
            }
            Err(of_store) => return Err(of_store),
        }
        self.stand_back(row.id);
        Ok(())
    }

    /// Whether the file of a photo fails to be read since long ago; `None` while nothing is known of the whole folder.
    fn is_unread_for_good(&self, photo: i64) -> Result<Option<bool>> {
        if !self.folder_counts()? {
            return Ok(None);
        }
        let now_ms = self.env.clock.wall_ms();
        let since_ms = self.db.read(|conn| lost::unread_since_ms(conn, photo))?;
        if since_ms.is_none_or(|since_ms| since_ms > now_ms) {
            self.db
                .write(|tx| lost::set_unread_since_ms(tx, photo, now_ms))?;
        }
        Ok(Some(since_ms.is_some_and(|at_ms| self.is_long_ago(at_ms))))
    }

    /// A proof that cannot be read now may be later: the others go before it, and it is tried again with growing waits.
    fn stand_back(&self, proof: i64) {
        let now_ms = self.boot_ms();
        self.engine().upload_unreadable(proof, now_ms);
    }

    /// Lets the next request look for the files of lost photos.
    pub(super) fn look_again(&self) {
        self.lost_look_ms.store(i64::MIN, Ordering::Relaxed);
    }

    /// Looks for all lost photos once in a process, once an hour, when the hub asks for a photo and when a person asks
    /// for a sync. What it cannot do now holds up nothing.
    pub(super) fn look_for_lost(&self) {
        let now_ms = self.boot_ms();
        let due_ms = self.lost_look_ms.load(Ordering::Relaxed);
        if now_ms < due_ms {
            return;
        }
        // Before the look, so that whoever asks for another one meanwhile gets it.
        let next_ms = now_ms.saturating_add(limits::LOST_LOOK_EVERY_MS);
        self.next_look(due_ms, next_ms);
        if let Err(error) = self.find_lost(None, InDoubt::StaysLost) {
            tracing::warn!(%error, "lost photos are not looked for");
            self.next_look(next_ms, now_ms.saturating_add(limits::RETRY_MAX_MS));
        }
    }

    /// Unless somebody said otherwise since `before_ms`.
    fn next_look(&self, before_ms: i64, next_ms: i64) {
        let order = Ordering::Relaxed;
        let _ = self
            .lost_look_ms
            .compare_exchange(before_ms, next_ms, order, order);
    }

    /// How many lost photos may be there all the same, beside those that wait again: none after a look, and all where
    /// there was none. For whatever says what would be left behind.
    pub(super) fn lost_in_doubt(&self) -> Result<u64> {
        match self.find_lost(None, InDoubt::Waits) {
            Ok(_) => Ok(0),
            Err(error) => {
                tracing::warn!(%error, "lost photos are not looked for");
                self.db.read(lost::count)
            }
        }
    }

    /// Looks at the files of lost photos, of all or of those that these entries bind, and lets wait again what is there.
    /// Gives whether there was any. It belongs before everything that cannot be undone, and there what is in doubt waits
    /// too: what erases, what leaves, and what says what would be left behind.
    pub(super) fn find_lost(&self, of: Option<&BTreeSet<i64>>, in_doubt: InDoubt) -> Result<bool> {
        let photos = self.db.read(|conn| {
            let Some(entries) = of else {
                return lost::all(conn);
            };
            let mut photos = Vec::new();
            for seq in entries {
                photos.extend(lost::bound_to(conn, *seq)?);
            }
            Ok(photos)
        })?;
        let mut back = Vec::new();
        for photo in photos {
            if !self.is_still_lost(&photo, in_doubt)? {
                back.push(photo);
            }
        }
        if back.is_empty() {
            return Ok(false);
        }
        let wait = |tx: &Tx<'_>| {
            for photo in &back {
                lost::unset(tx, photo.id)?;
                stops::touch(tx, photo.stop)?;
            }
            Ok(())
        };
        match in_doubt {
            InDoubt::StaysLost => self.db.write(wait)?,
            InDoubt::Waits => self.write_at_door(wait)?,
        }
        Ok(true)
    }

    fn is_still_lost(&self, photo: &Lost, in_doubt: InDoubt) -> Result<bool> {
        match self.blobs.get(&photo.key, &photo.hash.0) {
            Ok(_) => Ok(false),
            Err(BlobError::Missing) => Ok(in_doubt == InDoubt::StaysLost || self.folder_counts()?),
            Err(BlobError::StorageFull | BlobError::Io(_)) => {
                let since_ms = photo.unread_since_ms;
                let for_good = since_ms.is_some_and(|at_ms| self.is_long_ago(at_ms));
                Ok(in_doubt == InDoubt::StaysLost || for_good)
            }
            Err(_) => Ok(true),
        }
    }
}
