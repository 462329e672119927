//! Photos that this phone cannot bring any more: said once in the log, shown, and waited for by nothing.
//!
//! A photo is lost when the hub has not got it, as far as it said, and its file is gone or is not what was stored. It
//! happens where a file was damaged before it was sent, and where a receipted photo gave way and the hub was then set back
//! to a backup. What it proved is still named by its signed entry; nothing is ever shown as received for it.

use std::io::ErrorKind;
use std::sync::atomic::Ordering;

use satchel_protocol::lost::{LossCause, ProofLostBody};

use super::{Courier, Keys};
use crate::clock::random;
use crate::error::{Error, Result, StoreError};
use crate::evidence::log::Fact;
use crate::limits;
use crate::model::status::Blocking;
use crate::proof::blob::BlobError;
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
            Err(BlobError::Missing) if !self.blobs.is_there() => {
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
                self.stand_back(row.id)
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
                let cause = match cause {
                    // Whoever reads it is to see that the courier had brought it.
                    LossCause::MISSING if found.was_receipted => LossCause::GONE_AFTER_RECEIPT,
                    other => other,
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

    /// A proof that cannot be read now may be later: the others go before it, and it is tried again with growing waits.
    pub(super) fn stand_back(&self, proof: i64) -> Result<()> {
        let [jitter] = random(&*self.env.entropy)?;
        let now_ms = self.boot_ms();
        self.engine()
            .upload_refused(proof, Blocking::BadAnswer, now_ms, jitter);
        Ok(())
    }

    /// Lets the next request look for the files of lost photos.
    pub(super) fn look_again(&self) {
        self.lost_look_ms.store(i64::MIN, Ordering::Relaxed);
    }

    /// [`Self::find_lost`] once in a process, once an hour, when the hub asks for a photo and when a person asks for a
    /// sync.
    pub(super) fn look_for_lost(&self) -> Result<()> {
        let now_ms = self.boot_ms();
        if now_ms < self.lost_look_ms.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.find_lost()?;
        let next_ms = now_ms.saturating_add(limits::LOST_LOOK_EVERY_MS);
        self.lost_look_ms.store(next_ms, Ordering::Relaxed);
        Ok(())
    }

    /// [`Self::find_lost`] beside something that does not fail with it.
    pub(super) fn try_find_lost(&self) {
        if let Err(error) = self.find_lost() {
            tracing::warn!(%error, "lost photos are not looked for");
        }
    }

    /// Looks whether the file of a lost photo is there again. It belongs before everything that cannot be undone: what
    /// erases, what leaves, and what says what would be left behind.
    pub(super) fn find_lost(&self) -> Result<()> {
        let mut here = self.db.read(lost::all)?;
        here.retain(|photo| self.blobs.get(&photo.key, &photo.hash.0).is_ok());
        if !here.is_empty() {
            self.db.write(|tx| {
                for photo in &here {
                    lost::unset(tx, photo.id)?;
                    stops::touch(tx, photo.stop)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}
