//! Bytes of one upload: streamed to its file, kept when the connection dies, checked at the end.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use data_encoding::BASE64;
use satchel_protocol::api::ErrorCode;
use satchel_protocol::ids::{DeviceId, Hash32};
use satchel_protocol::limits;
use sha2::{Digest, Sha256};
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::api::chunks::{self, CutOff};
use crate::api::error::ApiError;
use crate::api::patience::SILENT_WITHIN;
use crate::api::unread::Sender;
use crate::error::HubError;
use crate::hub::Hub;
use crate::store::proofs::{self, UploadRow};
use crate::uploads::Turn;

/// How long bytes may come that nobody needs.
const PASS_OVER_WITHIN: Duration = Duration::from_secs(30);

/// How far an upload has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Held, checked and recorded.
    Whole { size_bytes: u64 },
    /// More is wanted from here.
    Partial { offset: u64 },
}

/// One upload that was begun.
#[derive(Debug)]
pub(super) struct Upload<'a> {
    pub(super) hub: &'a Hub,
    pub(super) device: DeviceId,
    pub(super) hash: Hash32,
    pub(super) row: UploadRow,
    pub(super) sender: Sender,
}

impl Upload<'_> {
    /// How much has come. Ends the turn of a request that hangs, so the answer stays true.
    pub(super) async fn offset(&self) -> u64 {
        let uploads = self.hub.uploads();
        let _held = uploads.take_and_hold(self.device, self.hash).await;
        self.hub.blobs().offset(self.device, &self.hash)
    }

    /// Appends a body at `start`; what comes of a cut body is kept.
    pub(super) async fn append(
        &self,
        headers: &HeaderMap,
        content_digest: &str,
        body: Body,
        start: u64,
    ) -> Result<Progress, ApiError> {
        let checksum = checksum(headers)?;
        let turn = self.hub.uploads().take(self.device, self.hash).await;
        let mut file = self.open_at(&turn, start).await?;
        let mut sha = Sha256::new();
        let offset = self.stream(&turn, &mut file, &mut sha, body, start).await?;
        let digest: [u8; 32] = sha.finalize().into();
        let signed = format!("sha-256=:{}:", BASE64.encode(&digest)) == content_digest;
        if !signed || checksum.is_some_and(|promised| promised != digest) {
            // The whole body came and is not what was signed: take it back (checksum extension).
            self.cut_back(&turn, &file, start).await?;
            let code = if signed {
                ErrorCode::HashMismatch
            } else {
                ErrorCode::Malformed
            };
            return Err(ApiError::new(code).detail("these bytes were discarded"));
        }
        if offset < self.row.length_bytes {
            return Ok(Progress::Partial { offset });
        }
        drop(file);
        self.finish(&turn).await
    }

    /// The phone has asked again, and does not wait for this answer.
    pub(super) fn overtaken(&self) -> ApiError {
        self.sender.goes_on();
        ApiError::new(ErrorCode::OffsetMismatch).detail("a newer request took this upload over")
    }

    /// Forgets the upload and its bytes.
    pub(super) async fn give_up(&self) -> Result<(), HubError> {
        // Whoever asks meanwhile would find it begun, and lay down a file that nobody clears away.
        let uploads = self.hub.uploads();
        let _held = uploads.take_and_hold(self.device, self.hash).await;
        self.forget().await
    }

    async fn forget(&self) -> Result<(), HubError> {
        let mut tx = self.hub.db().write().await?;
        proofs::end_upload(&mut tx, self.device, &self.hash).await?;
        tx.commit().await?;
        self.hub.blobs().discard(self.device, &self.hash)?;
        self.hub.uploads().forget(self.device, self.hash);
        Ok(())
    }

    /// Opens the file for writing at `start`, which is its end, or 0 to begin anew.
    async fn open_at(&self, turn: &Turn, start: u64) -> Result<File, ApiError> {
        let _held = turn.hold().await.ok_or_else(|| self.overtaken())?;
        // It may have been given up while this request waited for its turn: nobody would ever clear the file away.
        let row = begun(self.hub, self.device, &self.hash).await?;
        if row.length_bytes != self.row.length_bytes {
            return Err(self.overtaken());
        }
        if start != 0 && start != self.hub.blobs().offset(self.device, &self.hash) {
            return Err(ApiError::new(ErrorCode::OffsetMismatch));
        }
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        options.mode(0o600);
        let file = options
            .open(self.hub.blobs().incoming(self.device, &self.hash))
            .await
            .map_err(HubError::io("open upload"))?;
        file.set_len(start)
            .await
            .map_err(HubError::io("open upload"))?;
        Ok(file)
    }

    async fn stream(
        &self,
        turn: &Turn,
        file: &mut File,
        sha: &mut Sha256,
        mut body: Body,
        start: u64,
    ) -> Result<u64, ApiError> {
        let mut offset = start;
        while let Some(chunk) = next_chunk(&mut body).await? {
            let end = offset.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            if end > self.row.length_bytes {
                self.cut_back(turn, file, start).await?;
                return Err(ApiError::new(ErrorCode::TooLarge).detail("more bytes than announced"));
            }
            let _held = turn.hold().await.ok_or_else(|| self.overtaken())?;
            file.write_all(&chunk)
                .await
                .map_err(HubError::io("write upload"))?;
            file.flush().await.map_err(HubError::io("write upload"))?;
            sha.update(&chunk);
            offset = end;
        }
        Ok(offset)
    }

    async fn cut_back(&self, turn: &Turn, file: &File, to: u64) -> Result<(), ApiError> {
        let _held = turn.hold().await.ok_or_else(|| self.overtaken())?;
        file.set_len(to)
            .await
            .map_err(HubError::io("cut upload back"))?;
        Ok(())
    }

    /// All bytes are there: check them, place the file, record it. In this order, so that a row never
    /// speaks of bytes that a power cut can take.
    async fn finish(&self, turn: &Turn) -> Result<Progress, ApiError> {
        let _held = turn.hold().await.ok_or_else(|| self.overtaken())?;
        let _gate = self.hub.blobs().gate.read().await;
        let size_bytes = self.row.length_bytes;
        let upload = (self.device, self.hash);
        if !self.hub.blobs().finish(upload, size_bytes).await? {
            self.forget().await?;
            return Err(ApiError::new(ErrorCode::HashMismatch).detail("the upload was discarded"));
        }
        let mut tx = self.hub.db().write().await?;
        proofs::add(
            &mut tx,
            &self.hash,
            (self.row.kind, size_bytes),
            Some(self.device),
            self.hub.now_ms(),
        )
        .await?;
        proofs::end_upload(&mut tx, self.device, &self.hash).await?;
        tx.commit().await?;
        self.hub.uploads().forget(self.device, self.hash);
        self.hub.metrics().proofs.add(1);
        self.hub
            .metrics()
            .proof_bytes
            .add(usize::try_from(size_bytes).unwrap_or(0));
        Ok(Progress::Whole { size_bytes })
    }
}

/// The unfinished upload of a device, if it has not expired.
pub(super) async fn begun(
    hub: &Hub,
    device: DeviceId,
    hash: &Hash32,
) -> Result<UploadRow, ApiError> {
    proofs::upload(hub.db().read(), device, hash)
        .await?
        .filter(|row| row.expires_at_ms >= hub.now_ms())
        .ok_or_else(|| ApiError::new(ErrorCode::NotFound))
}

/// Lets a body pass that nobody needs: whoever is still sending when the connection closes sees it break instead of
/// the answer.
pub(super) async fn pass_over(body: Body) {
    let _ = timeout(PASS_OVER_WITHIN, pass_by(body)).await;
}

async fn pass_by(mut body: Body) {
    let mut left = limits::MAX_PROOF_BYTES;
    while let Ok(Some(chunk)) = next_chunk(&mut body).await {
        left = left.saturating_sub(chunk.len() as u64);
        if left == 0 {
            break;
        }
    }
}

/// The next bytes of a body; a cut connection is an error after which the file keeps what came.
async fn next_chunk(body: &mut Body) -> Result<Option<Bytes>, ApiError> {
    chunks::next(body, SILENT_WITHIN)
        .await
        .map_err(|CutOff| ApiError::new(ErrorCode::Malformed).detail("body cut off"))
}

/// `Upload-Checksum: sha256 <base64>`.
fn checksum(headers: &HeaderMap) -> Result<Option<[u8; 32]>, ApiError> {
    let Some(value) = headers.get("upload-checksum") else {
        return Ok(None);
    };
    let digest = value
        .to_str()
        .ok()
        .and_then(|v| v.strip_prefix("sha256 "))
        .and_then(|v| BASE64.decode(v.as_bytes()).ok())
        .and_then(|v| v.try_into().ok());
    let bad = || ApiError::new(ErrorCode::Malformed).detail("Upload-Checksum");
    digest.map(Some).ok_or_else(bad)
}
