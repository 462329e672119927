//! Taking in what a phone could not send: the file of its unsent work.
//!
//! What is in it goes the way of every upload, so entries are checked as ever and a second import of the same
//! file changes nothing. A file that was cut counts as far as it is whole.

use std::io::Read;

use satchel_protocol::FormatError;
use satchel_protocol::api::ErrorCode;
use satchel_protocol::batch::Batch;
use satchel_protocol::export::{ExportError, Frame, HEADER_BYTES, MAX_FRAME_BYTES, Opener};
use satchel_protocol::ids::{DeviceId, Hash32};
use satchel_protocol::taxonomy::ProofKind;
use serde::Serialize;

use crate::error::HubError;
use crate::hub::Hub;
use crate::ingest;
use crate::store::couriers::{self, DeviceRow};
use crate::store::proofs;

/// What an import of a phone's file did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportImport {
    /// Whose work it is.
    pub device: DeviceId,
    /// Entries that are held now, new or known.
    pub entries: usize,
    /// Proofs that are held now, new or known.
    pub proofs: usize,
    /// The file came to its end.
    pub whole: bool,
    /// Why entries were refused, if any were.
    pub refused: Option<ErrorCode>,
}

impl Hub {
    /// Imports the file of a phone's unsent work.
    ///
    /// # Errors
    /// [`HubError::Export`] for a file that is none of this hub, or was changed; what came before the change
    /// is held. [`HubError::UnknownDevice`].
    pub async fn import_export(
        &self,
        mut file: impl Read + Send,
    ) -> Result<ExportImport, HubError> {
        let mut header = [0; HEADER_BYTES];
        let malformed = FormatError::Malformed {
            what: "export file",
        };
        if !read_whole(&mut file, &mut header)? {
            return Err(ExportError::from(malformed).into());
        }
        let mut opener = Opener::begin(&header, &self.keys().signing)?;
        let device = couriers::device(self.db().read(), opener.device)
            .await?
            .ok_or(HubError::UnknownDevice(opener.device))?;
        let mut report = ExportImport {
            device: device.id,
            entries: 0,
            proofs: 0,
            whole: false,
            refused: None,
        };
        let mut frames = 0;
        while let Some(sealed) = next_frame(&mut file)? {
            match opener.frame(&sealed)? {
                Frame::Batch(bytes) => self.take_batch(&device, &bytes, &mut report).await?,
                Frame::Proof { hash, kind, bytes } => {
                    self.take_proof(hash, kind, bytes).await?;
                    report.proofs += 1;
                }
                Frame::End { frames: told } => {
                    report.whole = told == frames;
                    break;
                }
            }
            frames += 1;
        }
        tracing::info!(device = %report.device, entries = report.entries, proofs = report.proofs,
            whole = report.whole, "export file imported");
        Ok(report)
    }

    async fn take_batch(
        &self,
        device: &DeviceRow,
        bytes: &[u8],
        report: &mut ExportImport,
    ) -> Result<(), HubError> {
        let batch = Batch::decode(bytes).map_err(ExportError::from)?;
        let count = batch.entries.len();
        match ingest::ingest(self, device, batch, 0).await {
            Ok(_) => report.entries += count,
            Err(refused) => report.refused = Some(refused.code),
        }
        Ok(())
    }

    async fn take_proof(
        &self,
        hash: Hash32,
        kind: ProofKind,
        bytes: Vec<u8>,
    ) -> Result<(), HubError> {
        if proofs::size(self.db().read(), &hash).await?.is_some() {
            return Ok(());
        }
        let size_bytes = bytes.len() as u64;
        let _gate = self.blobs().gate.read().await;
        self.blobs().put(hash, bytes).await?;
        let mut tx = self.db().write().await?;
        proofs::add(&mut tx, &hash, (kind, size_bytes), None, self.now_ms()).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The next sealed frame; `None` at the end of the file, wherever that is.
fn next_frame(file: &mut impl Read) -> Result<Option<Vec<u8>>, HubError> {
    let mut len = [0; 4];
    if !read_whole(file, &mut len)? {
        return Ok(None);
    }
    let len = u32::from_be_bytes(len) as usize;
    // The seal adds 16 bytes.
    if len > MAX_FRAME_BYTES + 16 {
        let what = "export frame";
        let size = len;
        let limit = MAX_FRAME_BYTES;
        return Err(ExportError::from(FormatError::TooLarge { what, size, limit }).into());
    }
    let mut sealed = vec![0; len];
    Ok(read_whole(file, &mut sealed)?.then_some(sealed))
}

/// `false` when the file ends before `buffer` is full.
fn read_whole(file: &mut impl Read, buffer: &mut [u8]) -> Result<bool, HubError> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(e) => Err(HubError::io("read export file")(e)),
    }
}
