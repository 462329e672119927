//! The last way out: everything the hub has not receipted, in one file that only the hub can read.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use ed25519_dalek::VerifyingKey;
use satchel_protocol::crypto::Secret32;
use satchel_protocol::export::{ExportError, Frame, Sealer};
use satchel_protocol::ids::DeviceId;
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
use crate::store::{entries, inks, proofs};
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
        let entries = self.export_entries(&mut out, left_open)?;
        let (proofs, left_out_proofs) = self.export_proofs(&mut out)?;
        Ok(ExportReport {
            entries,
            proofs,
            left_out_proofs,
            bytes: out.end()?,
            left_open: Vec::new(),
        })
    }

    fn export_entries(&self, out: &mut Writing, left_open: &mut BTreeSet<i64>) -> Result<u64> {
        let (mut after, mut count) = (0, 0);
        loop {
            let enough = Enough {
                entries: MAX_BATCH_ENTRIES,
                bytes: limits::EXPORT_BATCH_BYTES,
            };
            let unsent = || self.db.read(|c| entries::unsent_behind(c, after, enough));
            let mut rows = unsent()?;
            // What is said again changes what is to be sent; the second time only signatures are made that the store
            // did not take.
            if self.mend_all(&mut rows, left_open)? {
                rows = unsent()?;
                self.mend_all(&mut rows, left_open)?;
            }
            let gathered = self
                .db
                .read(|conn| requests::gather(conn, rows, limits::EXPORT_BATCH_BYTES))?;
            let Some(gathered) = gathered else {
                return Ok(count);
            };
            after = gathered.up_to;
            count += gathered.batch.entries.len() as u64;
            out.frame(Frame::Batch(gathered.batch.encode()?))?;
        }
    }

    /// Gives whether something was said anew.
    fn mend_all(&self, rows: &mut [EntryRow], left_open: &mut BTreeSet<i64>) -> Result<bool> {
        let mut anew = false;
        for row in rows {
            match self.mend(row.seq, &mut row.entry)? {
                Mended::Sound => {}
                Mended::Anew => anew = true,
                // It goes all the same, so that its place is left open and not missing.
                Mended::LeftOpen => drop(left_open.insert(row.seq)),
            }
        }
        Ok(anew)
    }

    /// Gives how many are in the file, and how many could not be read.
    fn export_proofs(&self, out: &mut Writing) -> Result<(u64, u64)> {
        let (mut count, mut left_out) = (0, 0);
        for photos in [false, true] {
            let mut after = 0;
            loop {
                let rows = self.db.read(|conn| match photos {
                    false => inks::to_upload(conn, after),
                    true => proofs::unreceived(conn, after),
                })?;
                let Some(last) = rows.last() else { break };
                after = last.id.abs();
                for row in rows {
                    match self.export_proof(out, &row)? {
                        true => count += 1,
                        false => left_out += 1,
                    }
                }
            }
        }
        Ok((count, left_out))
    }

    /// One that this phone cannot read, or cannot read now, is left out: the others are all the more worth having.
    fn export_proof(&self, out: &mut Writing, proof: &ProofRow) -> Result<bool> {
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
