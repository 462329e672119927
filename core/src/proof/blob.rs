//! Proof bytes at rest: a folder of sealed files, named by what is in them.
//!
//! A photo is too large for the database and too personal for a plain file. Each blob is sealed
//! under the key of its delivery, so that destroying one key erases one delivery for good
//! (PIPL 47) wherever copies of the file may be. The name is the hash of the plain bytes, which
//! the signed log also names, and a mark of the key, so that the same picture under two
//! deliveries is two files.
//!
//! A file appears complete or not at all: written aside, flushed, renamed, folder flushed. What
//! a kill leaves behind is only a stray temp file, which [`BlobStore::sweep_orphans`] removes.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};

mod mark;
mod seal;

#[cfg(test)]
mod tests;

/// Largest plain blob. A finished photo is 0.25 MB and ink a kilobyte; this only keeps a mistake
/// from being read into memory whole.
pub const MAX_BLOB_BYTES: u64 = 64 * 1024 * 1024;

/// What unfinished files start with. Blob names are hex, so the two cannot be confused.
const TEMP_PREFIX: &str = ".part-";

/// Hex digits of the plain hash, a dot, and hex digits of the key mark.
const NAME_HASH_CHARS: usize = 64;
const NAME_KEY_CHARS: usize = 16;

/// Where randomness comes from; the caller decides.
pub type Entropy<'a> = &'a mut dyn FnMut(&mut [u8]);

/// A stored blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobRef {
    /// SHA-256 of the plain bytes: what the signed entry names.
    pub sha256: [u8; 32],
    /// Length of the plain bytes.
    pub size_bytes: u64,
    /// Name of the file in the folder. Keep it: without the key it cannot be found again, and
    /// after an erasure the key is gone.
    pub file_name: String,
}

/// Why a blob cannot be stored or had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// The disk or the quota is full. Nothing was changed; free space and try again.
    #[error("no space is left for proofs")]
    StorageFull,
    /// No such blob under this key.
    #[error("the blob is missing")]
    Missing,
    /// The file is not what was stored under this key: changed, cut off, or another key.
    #[error("the blob is damaged")]
    Damaged,
    /// More than [`MAX_BLOB_BYTES`].
    #[error("a blob of {bytes} bytes is too large, at most {MAX_BLOB_BYTES} are stored")]
    TooLarge {
        /// Length of the plain bytes.
        bytes: u64,
    },
    /// Not a name this store gives.
    #[error("not the name of a blob")]
    BadName,
    /// The file system failed otherwise.
    #[error("the blob folder failed: {0}")]
    Io(io::ErrorKind),
}

impl From<io::Error> for BlobError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::StorageFull,
            kind => Self::Io(kind),
        }
    }
}

/// What a sweep removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Files a kill left unfinished.
    pub unfinished: u32,
    /// Finished blobs nobody refers to.
    pub orphans: u32,
    /// Bytes given back.
    pub freed_bytes: u64,
}

/// The steps of making a blob appear, in their order. After each of them the process may be gone, and a
/// test makes sure that the folder is right all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The file aside exists and is empty.
    Created,
    /// Its bytes were handed to the system.
    Written,
    /// Its bytes are on the disk.
    Flushed,
    /// It has its name.
    Renamed,
    /// Its name is on the disk.
    Published,
}

/// A folder of sealed blobs. One process owns it.
#[derive(Debug)]
pub struct BlobStore {
    dir: PathBuf,
    /// Length of all files, so that a quota costs no look at the folder.
    used_bytes: AtomicU64,
}

impl BlobStore {
    /// Opens the folder, making it if needed.
    ///
    /// # Errors
    /// [`BlobError::Io`] when it can be neither made nor read.
    pub fn open(dir: &Path) -> Result<Self, BlobError> {
        mark::make_dir(dir)?;
        let store = Self {
            dir: dir.to_owned(),
            used_bytes: AtomicU64::new(0),
        };
        let used = store.files()?.iter().map(|(_, bytes)| bytes).sum();
        store.used_bytes.store(used, Ordering::Relaxed);
        Ok(store)
    }

    /// Whether the folder itself can be looked into: without it, nothing is known of any file.
    #[must_use]
    pub fn is_there(&self) -> bool {
        fs::read_dir(&self.dir).is_ok()
    }

    /// The file name of a blob under a key.
    #[must_use]
    pub fn file_name(key: &[u8; 32], sha256: &[u8; 32]) -> String {
        // The mark tells keys apart and gives nothing away about them.
        let mark = Sha256::new_with_prefix(b"satchel-blob-key/1\0")
            .chain_update(key)
            .finalize();
        let mut name = data_encoding::HEXLOWER.encode(sha256);
        name.push('.');
        name.extend(
            data_encoding::HEXLOWER
                .encode(&mark)
                .chars()
                .take(NAME_KEY_CHARS),
        );
        name
    }

    /// Seals and stores bytes. When this returns, they survive a power cut. Storing the same
    /// bytes under the same key again replaces the file, and so heals a damaged one.
    ///
    /// # Errors
    /// [`BlobError::StorageFull`], [`BlobError::TooLarge`] or [`BlobError::Io`]. The folder is then
    /// as before, or, if only its last flush failed, holds an orphan for the next sweep.
    pub fn put(
        &self,
        key: &[u8; 32],
        entropy: Entropy<'_>,
        plain: &[u8],
    ) -> Result<BlobRef, BlobError> {
        self.put_in_steps(key, entropy, plain, |_| {})
    }

    /// [`BlobStore::put`], saying after each step that it is done.
    fn put_in_steps(
        &self,
        key: &[u8; 32],
        entropy: Entropy<'_>,
        plain: &[u8],
        done: impl Fn(Step),
    ) -> Result<BlobRef, BlobError> {
        let size_bytes = plain.len() as u64;
        if size_bytes > MAX_BLOB_BYTES {
            return Err(BlobError::TooLarge { bytes: size_bytes });
        }
        let sha256: [u8; 32] = Sha256::digest(plain).into();
        let file_name = Self::file_name(key, &sha256);
        let sealed = seal::seal(key, &sha256, entropy, plain)?;

        let mut tag = [0u8; 8];
        entropy(&mut tag);
        let temp = self.dir.join(format!(
            "{TEMP_PREFIX}{}",
            data_encoding::HEXLOWER.encode(&tag)
        ));
        let path = self.dir.join(&file_name);
        let replaced_bytes = fs::metadata(&path).map_or(0, |meta| meta.len());
        let published =
            write_flushed(&temp, &sealed, &done).and_then(|()| fs::rename(&temp, &path));
        if let Err(error) = published {
            // Gives the space back at once; if even that fails, the next sweep does it.
            let _ = fs::remove_file(&temp);
            return Err(error.into());
        }
        self.used_bytes
            .fetch_add(sealed.len() as u64, Ordering::Relaxed);
        self.gave_back(replaced_bytes);
        done(Step::Renamed);
        flush_dir(&self.dir)?;
        done(Step::Published);
        Ok(BlobRef {
            sha256,
            size_bytes,
            file_name,
        })
    }

    /// Opens a blob and checks it against its hash.
    ///
    /// # Errors
    /// [`BlobError::Missing`] or [`BlobError::Damaged`]; a damaged file is left where it is.
    pub fn get(&self, key: &[u8; 32], sha256: &[u8; 32]) -> Result<Vec<u8>, BlobError> {
        let path = self.dir.join(Self::file_name(key, sha256));
        let file = match File::open(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(BlobError::Missing),
            other => other?,
        };
        let limit = seal::sealed_bytes(MAX_BLOB_BYTES);
        let length = file.metadata()?.len();
        if length > limit {
            return Err(BlobError::Damaged);
        }
        let mut sealed = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        file.take(limit).read_to_end(&mut sealed)?;
        seal::open(key, sha256, &sealed)
    }

    /// Removes a blob by its [`BlobRef::file_name`]; `false` if it was gone already. Needs no key:
    /// after an erasure there is none.
    ///
    /// # Errors
    /// [`BlobError::BadName`] for anything this store did not name; [`BlobError::Io`].
    pub fn remove(&self, file_name: &str) -> Result<bool, BlobError> {
        if !is_blob_name(file_name) {
            return Err(BlobError::BadName);
        }
        let path = self.dir.join(file_name);
        let bytes = fs::metadata(&path).map_or(0, |meta| meta.len());
        match fs::remove_file(&path) {
            Ok(()) => {
                self.gave_back(bytes);
                flush_dir(&self.dir).map(|()| true)
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    /// Removes what a kill left unfinished and blobs `keep` does not want. Files this store did
    /// not write are left alone.
    ///
    /// Taken `&mut`, for use once after opening: a blob is put *before* the row that refers to it
    /// is committed, and a sweep in between would take it for an orphan.
    ///
    /// # Errors
    /// [`BlobError::Io`]; a sweep that stopped half way can be repeated.
    pub fn sweep_orphans(&mut self, keep: impl Fn(&str) -> bool) -> Result<SweepReport, BlobError> {
        let mut report = SweepReport::default();
        for (name, bytes) in self.files()? {
            let unfinished = name.starts_with(TEMP_PREFIX);
            if !unfinished && keep(&name) {
                continue;
            }
            fs::remove_file(self.dir.join(&name))?;
            report.freed_bytes += bytes;
            self.gave_back(bytes);
            if unfinished {
                report.unfinished += 1;
            } else {
                report.orphans += 1;
            }
        }
        if report != SweepReport::default() {
            flush_dir(&self.dir)?;
        }
        Ok(report)
    }

    /// Length of all files, unfinished ones included.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.used_bytes.load(Ordering::Relaxed)
    }

    /// What a blob of this many plain bytes takes.
    #[must_use]
    pub fn sealed_bytes(plain_bytes: u64) -> u64 {
        seal::sealed_bytes(plain_bytes)
    }

    /// Names of the finished blobs, and whether there are unfinished ones. Asks no file for its length.
    ///
    /// # Errors
    /// [`BlobError::Io`] when the folder cannot be read.
    pub fn names(&self) -> Result<(HashSet<String>, bool), BlobError> {
        let (mut names, mut is_any_unfinished) = (HashSet::new(), false);
        for entry in fs::read_dir(&self.dir)? {
            let Ok(name) = entry?.file_name().into_string() else {
                continue;
            };
            is_any_unfinished |= name.starts_with(TEMP_PREFIX);
            if is_blob_name(&name) {
                names.insert(name);
            }
        }
        Ok((names, is_any_unfinished))
    }

    /// What each finished blob takes on disk, by its name.
    ///
    /// # Errors
    /// [`BlobError::Io`] when the folder cannot be read.
    pub fn on_disk(&self) -> Result<HashMap<String, u64>, BlobError> {
        let mut out = HashMap::new();
        for (name, _) in self.files()? {
            if is_blob_name(&name) {
                let bytes = fs::metadata(self.dir.join(&name)).map_or(0, |meta| allocated(&meta));
                out.insert(name, bytes);
            }
        }
        Ok(out)
    }

    fn gave_back(&self, bytes: u64) {
        // Files that somebody else removed were counted too; below nothing there is nothing.
        let _ = self
            .used_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                Some(used.saturating_sub(bytes))
            });
    }

    /// Our files with their lengths, in a fixed order.
    fn files(&self) -> Result<BTreeSet<(String, u64)>, BlobError> {
        let mut files = BTreeSet::new();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if is_blob_name(&name) || name.starts_with(TEMP_PREFIX) {
                match entry.metadata() {
                    Ok(meta) if meta.is_file() => {
                        files.insert((name, meta.len()));
                    }
                    Ok(_) => {}
                    // Removed while we looked.
                    Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                    Err(e) => return Err(e.into()),
                }
            }
        }
        Ok(files)
    }
}

/// Makes a rename, removal or new folder itself durable.
fn flush_dir(dir: &Path) -> Result<(), BlobError> {
    #[cfg(unix)]
    File::open(dir)?.sync_all()?;
    Ok(())
}

/// What a file takes on disk, in whole blocks.
pub(crate) fn allocated(meta: &fs::Metadata) -> u64 {
    #[cfg(unix)]
    {
        std::os::unix::fs::MetadataExt::blocks(meta) * 512
    }
    #[cfg(not(unix))]
    {
        meta.len()
    }
}

fn write_flushed(path: &Path, bytes: &[u8], done: &impl Fn(Step)) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    done(Step::Created);
    file.write_all(bytes)?;
    done(Step::Written);
    file.sync_all()?;
    done(Step::Flushed);
    Ok(())
}

/// Only such names are ever joined to the folder, so no name can lead out of it.
fn is_blob_name(name: &str) -> bool {
    let hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    name.split_once('.').is_some_and(|(hash, key)| {
        hash.len() == NAME_HASH_CHARS && key.len() == NAME_KEY_CHARS && hex(hash) && hex(key)
    })
}
