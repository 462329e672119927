//! Photos that this phone cannot bring any more: said once in the log, shown, and waited for by nothing.
//!
//! A photo is lost when the hub has not got it, as far as it said, and its file is gone or is not what was stored. It
//! happens where a file was damaged before it was sent, and where a receipted photo gave way and the hub was then set back
//! to a backup. What it proved is still named by its signed entry; nothing is ever shown as received for it.

use std::sync::atomic::Ordering;

use satchel_protocol::lost::{LossCause, ProofLostBody};

use super::{Courier, Keys};
use crate::error::{Error, Result, StoreError};
use crate::evidence::log::Fact;
use crate::proof::blob::BlobError;
use crate::store::proofs::ProofRow;
use crate::store::row::is_of_one_row;
use crate::store::{attempts, lost, stops};

impl Courier {
    /// The bytes of a proof in the queue, or what became of them.
    pub(super) fn proof_or_loss(&self, row: &ProofRow) -> Result<Result<Vec<u8>, LossCause>> {
        if let Some(bytes) = &row.inline_bytes {
            return Ok(Ok(bytes.clone()));
        }
        let attempt = match self.db.read(|conn| attempts::get(conn, row.attempt)) {
            Ok(Some(attempt)) => attempt,
            Ok(None) => return Ok(Err(LossCause::MISSING)),
            // Its key went bad: nobody can open the file.
            Err(error)
                if is_of_one_row(&error) || matches!(error, Error::Store(StoreError::Damaged)) =>
            {
                return Ok(Err(LossCause::DAMAGED));
            }
            Err(other) => return Err(other),
        };
        match self.blobs.get(&attempt.data_key, &row.proof.hash.0) {
            Ok(bytes) => Ok(Ok(bytes)),
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
            // Until the store takes it (a full disk), it is only passed over.
            Err(error) => {
                tracing::warn!(%error, "a lost proof is not noted yet");
                self.engine().park(row.id);
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

    /// Looks whether the file of a lost photo is there again: once in a process, and when the hub asks for a photo.
    pub(super) fn look_for_lost(&self) -> Result<()> {
        if !self.lost_look.load(Ordering::Relaxed) {
            return Ok(());
        }
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
        self.lost_look.store(false, Ordering::Relaxed);
        Ok(())
    }
}
