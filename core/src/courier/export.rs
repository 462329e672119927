//! The last way out: everything the hub has not receipted, in one file that only the hub can read.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use ed25519_dalek::VerifyingKey;
use satchel_protocol::crypto::Secret32;
use satchel_protocol::export::{ExportError, Frame, Sealer};
use satchel_protocol::ids::{DeviceId, Hash32};
use satchel_protocol::limits::MAX_BATCH_ENTRIES;

use super::lost::of_a_file;
use super::wedges::Mended;
use super::{Courier, Keys};
use crate::clock::{Entropy, random};
use crate::error::{Error, Result, StoreError};
use crate::limits;
use crate::model::status::ExportReport;
use crate::store::entries::{Enough, EntryRow};
use crate::store::files::whole;
use crate::store::proofs::ProofRow;
use crate::store::{entries, inks, queue};
use crate::sync::requests;

/// A file that is being written.
pub(crate) struct Writing {
    file: File,
    sealer: Sealer,
    frames: u64,
    bytes: u64,
}

impl Writing {
    /// Begins the file of a device's work for its hub.
    pub(crate) fn begin(
        path: &Path,
        device: DeviceId,
        hub_key: &VerifyingKey,
        entropy: &dyn Entropy,
    ) -> Result<Self> {
        let one_time = Secret32::new(random(entropy)?);
        let (sealer, header) = Sealer::begin(device, hub_key, &one_time).map_err(unfit)?;
        let mut out = Self {
            file: File::create(path).map_err(StoreError::from)?,
            sealer,
            frames: 0,
            bytes: 0,
        };
        out.raw(&header)?;
        Ok(out)
    }

    /// Ends the file; it is durable when this returns. Gives its size.
    pub(crate) fn end(mut self) -> Result<u64> {
        let frames = self.frames;
        self.frame(Frame::End { frames })?;
        self.file.sync_all().map_err(StoreError::from)?;
        Ok(self.bytes)
    }

    fn raw(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(StoreError::from)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    pub(crate) fn frame(&mut self, frame: Frame) -> Result<()> {
        let sealed = self.sealer.frame(frame).map_err(unfit)?;
        self.frames += 1;
        self.raw(&sealed)
    }
}

/// How often a batch is looked through until nothing in it is repaired. Once more than the first is the rule; what comes
/// beside an export from another thread may make it more.
const MEND_ROUNDS: u32 = 16;

/// What came of the proofs.
#[derive(Debug, Default)]
struct Proofs {
    written: u64,
    /// Could not be read.
    left_out: u64,
}

impl Courier {
    /// Writes all unreceipted entries and proofs into a file that the hub imports (`satchel-hub
    /// import-export`). What the hub left open is repaired first, since it is its content that the hub lacks; what cannot
    /// be repaired holds up nothing else and is named in the report. For the moment before a logout or an uninstall when
    /// there is no network. Beside repairs nothing on the phone changes: only receipts make work sent. The name appears
    /// when the file is whole and flushed.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`]; [`StoreError::Io`] and [`StoreError::Full`] where the file cannot be written.
    pub fn export_unsent(&self, path: &Path) -> Result<ExportReport> {
        let keys = self.enrolled()?;
        let mut left_open = self.repair_open()?;
        let report = whole(path, |part| self.write_export(&keys, part, &mut left_open))?;
        Ok(ExportReport {
            left_open: left_open.into_iter().collect(),
            ..report
        })
    }

    fn write_export(
        &self,
        keys: &Keys,
        path: &Path,
        left_open: &mut BTreeSet<i64>,
    ) -> Result<ExportReport> {
        let entropy = &*self.env.entropy;
        let mut out = Writing::begin(path, keys.device, &keys.hub_key, entropy)?;
        let (entries, rode) = self.export_entries(&mut out, left_open)?;
        let inks = self.export_inks(&mut out, rode)?;
        let photos = self.export_photos(&mut out)?;
        Ok(ExportReport {
            entries,
            proofs: inks.written + photos.written,
            left_out_proofs: inks.left_out + photos.left_out,
            bytes: out.end()?,
            left_open: Vec::new(),
        })
    }

    /// Gives how many, and what rode with them.
    fn export_entries(
        &self,
        out: &mut Writing,
        left_open: &mut BTreeSet<i64>,
    ) -> Result<(u64, HashSet<Hash32>)> {
        let (mut after, mut count, mut rode) = (0, 0, HashSet::new());
        loop {
            let rows = self.unsent_mended(after, left_open)?;
            let gathered = self
                .db
                .read(|conn| requests::gather(conn, rows, limits::EXPORT_BATCH_BYTES))?;
            let Some(gathered) = gathered else {
                return Ok((count, rode));
            };
            after = gathered.up_to;
            count += gathered.batch.entries.len() as u64;
            rode.extend(gathered.batch.blobs.iter().map(|blob| blob.hash));
            out.frame(Frame::Batch(gathered.batch.encode()?))?;
        }
    }

    /// Unsent entries as they are to go. What is said again changes what is to be sent, and a repair changes what was read:
    /// it is read again until nothing is repaired any more.
    fn unsent_mended(&self, after: i64, left_open: &mut BTreeSet<i64>) -> Result<Vec<EntryRow>> {
        let enough = Enough {
            entries: MAX_BATCH_ENTRIES,
            bytes: limits::EXPORT_BATCH_BYTES,
        };
        let mut rounds = 0;
        loop {
            let mut rows = self
                .db
                .read(|conn| entries::unsent_behind(conn, after, enough))?;
            let anew = self.mend_all(&mut rows, left_open)?;
            rounds += 1;
            if anew.is_empty() || rounds == MEND_ROUNDS {
                // What does not stay repaired goes as it was read.
                left_open.extend(anew);
                return Ok(rows);
            }
        }
    }

    /// Gives the places that were repaired or said anew.
    fn mend_all(&self, rows: &mut [EntryRow], left_open: &mut BTreeSet<i64>) -> Result<Vec<i64>> {
        let mut anew = Vec::new();
        for row in rows {
            match self.mend(row.seq, &mut row.entry)? {
                Mended::Sound => {}
                Mended::Anew => anew.push(row.seq),
                // It goes all the same, so that its place is left open and not missing.
                Mended::LeftOpen => drop(left_open.insert(row.seq)),
            }
        }
        Ok(anew)
    }

    /// Signatures that did not ride with an entry of this file: long ones, and those whose entry does not go.
    fn export_inks(&self, out: &mut Writing, mut went: HashSet<Hash32>) -> Result<Proofs> {
        let (mut done, mut after) = (Proofs::default(), 0);
        loop {
            let window = self.db.read(|conn| inks::unreceived(conn, after))?;
            let Some(up_to) = window.up_to else {
                return Ok(done);
            };
            after = up_to;
            done.left_out += window.unreadable.len() as u64;
            for ink in window.rows {
                let hash = ink.proof.hash;
                if went.contains(&hash) {
                    continue;
                }
                // One frame with other bytes than it names would end the import.
                let Some(bytes) = ink.sound_bytes() else {
                    tracing::error!(proof = %hash, "a stored signature is not what its entry binds");
                    done.left_out += 1;
                    continue;
                };
                out.frame(Frame::Proof {
                    hash,
                    kind: ink.proof.kind,
                    bytes: bytes.clone(),
                })?;
                went.insert(hash);
                done.written += 1;
            }
        }
    }

    fn export_photos(&self, out: &mut Writing) -> Result<Proofs> {
        let (mut done, mut after) = (Proofs::default(), 0);
        loop {
            let window = self.db.read(|conn| queue::unreceived(conn, after))?;
            let Some(up_to) = window.up_to else {
                return Ok(done);
            };
            after = up_to;
            done.left_out += window.unreadable.len() as u64;
            for row in window.rows {
                match self.export_photo(out, &row)? {
                    true => done.written += 1,
                    false => done.left_out += 1,
                }
            }
        }
    }

    /// One that this phone cannot read, or cannot read now, is left out: the others are all the more worth having.
    fn export_photo(&self, out: &mut Writing, proof: &ProofRow) -> Result<bool> {
        let bytes = match self.proof_or_loss(proof) {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(_)) => return Ok(false),
            Err(error) if of_a_file(&error) => {
                tracing::warn!(%error, "a proof is left out of an export");
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        out.frame(Frame::Proof {
            hash: proof.proof.hash,
            kind: proof.proof.kind,
            bytes,
        })?;
        Ok(true)
    }
}

/// Sizes are within their limits and the hub's key was believed at enrolment.
fn unfit(_: ExportError) -> Error {
    Error::InvalidInput { what: "export" }
}
