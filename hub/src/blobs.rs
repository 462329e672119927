//! Where photos lie: one file per content hash, and the files of uploads still on their way. The small
//! proofs that come inside a batch are rows of the database (`store::proofs`).
//!
//! A file is at its final name only when its bytes are whole, checked and synced, so a name that exists
//! is a proof that is held. The database row is written after that and the receipt after the row.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use data_encoding::HEXLOWER;
use satchel_protocol::crypto;
use satchel_protocol::ids::{DeviceId, Hash32};
use tokio::sync::RwLock;

use crate::error::HubError;
use crate::files;

/// The proof folder of a data directory.
#[derive(Debug)]
pub(crate) struct BlobStore {
    proofs: PathBuf,
    incoming: PathBuf,
    thumbs: PathBuf,
    /// Held for reading while a proof is placed and recorded, for writing while expired ones are
    /// unlinked, so that a proof that comes back just then keeps its file.
    pub(crate) gate: RwLock<()>,
}

impl BlobStore {
    pub(crate) fn open(data_dir: &Path) -> Result<Self, HubError> {
        let store = Self {
            proofs: data_dir.join("proofs"),
            incoming: data_dir.join("incoming"),
            thumbs: data_dir.join("thumbs"),
            gate: RwLock::new(()),
        };
        for dir in [&store.proofs, &store.incoming, &store.thumbs] {
            files::private_dir(dir)?;
        }
        Ok(store)
    }

    /// Final place of a proof; 256 folders keep each small.
    pub(crate) fn path(&self, hash: &Hash32) -> PathBuf {
        let [first, ..] = hash.0;
        self.proofs
            .join(HEXLOWER.encode(&[first]))
            .join(hash.to_string())
    }

    /// Where the bytes of one device's upload gather.
    pub(crate) fn incoming(&self, device: DeviceId, hash: &Hash32) -> PathBuf {
        self.incoming.join(format!("{}.{hash}", device.0.simple()))
    }

    /// Where a file is tried, and under which name before.
    pub(crate) fn probe(&self) -> (PathBuf, PathBuf) {
        let of = |name| self.incoming.join(name);
        (of("probe.new"), of("probe"))
    }

    /// Where a small picture of a proof is kept.
    pub(crate) fn thumb(&self, hash: &Hash32) -> PathBuf {
        self.thumbs.join(hash.to_string())
    }

    /// Stores bytes that the hub made itself, durable when this returns.
    pub(crate) async fn put(&self, hash: Hash32, bytes: Vec<u8>) -> Result<(), HubError> {
        let path = self.path(&hash);
        let temp = self.incoming.join(format!("made.{hash}"));
        tokio::task::spawn_blocking(move || {
            if std::fs::read(&path).is_ok_and(|held| held == bytes) {
                return Ok(());
            }
            let dir = folder_of(&path)?;
            files::write_then_rename(&temp, &path, &bytes)?;
            files::sync_dir(&dir)
        })
        .await?
    }

    /// Checks the whole of an upload and moves it to its final place. `false`: other bytes came than
    /// were promised, or another number of them, and they are gone.
    pub(crate) async fn finish(
        &self,
        (device, hash): (DeviceId, Hash32),
        length_bytes: u64,
    ) -> Result<bool, HubError> {
        let temp = self.incoming(device, &hash);
        let path = self.path(&hash);
        tokio::task::spawn_blocking(move || {
            let bytes = std::fs::read(&temp).map_err(HubError::io("read upload"))?;
            if bytes.len() as u64 != length_bytes || crypto::sha256(&[&bytes]) != hash {
                std::fs::remove_file(&temp).map_err(HubError::io("discard upload"))?;
                return Ok(false);
            }
            std::fs::File::open(&temp)
                .and_then(|f| f.sync_all())
                .map_err(HubError::io("sync upload"))?;
            let dir = folder_of(&path)?;
            std::fs::rename(&temp, &path).map_err(HubError::io("place proof file"))?;
            files::sync_dir(&dir)?;
            Ok(true)
        })
        .await?
    }

    /// The bytes of a proof that is a file; [`Hub::proof_bytes`](crate::hub::Hub) knows both kinds.
    pub(crate) async fn read(&self, hash: &Hash32) -> Result<Vec<u8>, HubError> {
        tokio::fs::read(self.path(hash))
            .await
            .map_err(HubError::io("read proof"))
    }

    /// Whether the final file is there and really is this proof: a stop between placing the file and
    /// recording it leaves one without a row.
    pub(crate) async fn holds(&self, hash: &Hash32) -> bool {
        match tokio::fs::read(self.path(hash)).await {
            Ok(bytes) => crypto::sha256(&[&bytes]) == *hash,
            Err(_) => false,
        }
    }

    /// Bytes of an upload that have come so far.
    pub(crate) fn offset(&self, device: DeviceId, hash: &Hash32) -> u64 {
        std::fs::metadata(self.incoming(device, hash)).map_or(0, |m| m.len())
    }

    /// Removes what lies among the uploads under no name that is `open` and was not written for `older`: whatever a stop
    /// left between a row and its file. Gives how many there were.
    pub(crate) fn clear_incoming(
        &self,
        open: &HashSet<(DeviceId, Hash32)>,
        older: Duration,
    ) -> Result<usize, HubError> {
        let open: HashSet<PathBuf> = open.iter().map(|(d, h)| self.incoming(*d, h)).collect();
        let unread = HubError::io("list uploads");
        let mut cleared = 0;
        for file in std::fs::read_dir(&self.incoming).map_err(unread)? {
            let Ok(file) = file else { continue };
            let modified = file.metadata().and_then(|m| m.modified());
            let is_old = modified.is_ok_and(|at| at.elapsed().is_ok_and(|since| since > older));
            if is_old && !open.contains(&file.path()) {
                remove_if_there(&file.path())?;
                cleared += 1;
            }
        }
        Ok(cleared)
    }

    /// Forgets an upload's bytes.
    pub(crate) fn discard(&self, device: DeviceId, hash: &Hash32) -> Result<(), HubError> {
        remove_if_there(&self.incoming(device, hash))
    }

    /// Unlinks an expired proof and its thumbnail.
    pub(crate) fn unlink(&self, hash: &Hash32) -> Result<(), HubError> {
        remove_if_there(&self.thumb(hash))?;
        remove_if_there(&self.path(hash))
    }
}

fn folder_of(path: &Path) -> Result<PathBuf, HubError> {
    let dir = path.parent().unwrap_or(path).to_path_buf();
    if !dir.exists() {
        files::private_dir(&dir)?;
        if let Some(above) = dir.parent() {
            files::sync_dir(above)?;
        }
    }
    Ok(dir)
}

fn remove_if_there(path: &Path) -> Result<(), HubError> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(HubError::io("remove file")(e)),
        _ => Ok(()),
    }
}
