//! A file that is only there to be given up.
//!
//! Other apps fill a phone's disk, and the parcel in the courier's hand has to be recorded all the same.
//! When a write at the door finds no space, a part of this file is cut off and the write is tried again.
//! It grows back once there is space to spare. Its bytes do not compress, so that a file system that
//! compresses holds them back in full.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Result;

const FILE: &str = "ballast";

/// Some hundred attempts, or a dozen with a photo.
const FULL_BYTES: u64 = 4 * 1_024 * 1_024;

/// What is given up at a time; another app may be faster than we are.
const PART_BYTES: u64 = 1_024 * 1_024;

/// Grows only if this much stays free beside it: on a disk that is nearly full, space belongs to records.
const SPARE_BYTES: u64 = 12 * 1_024 * 1_024;

/// The ballast of one store.
#[derive(Debug)]
pub(crate) struct Ballast {
    path: PathBuf,
    held_bytes: Mutex<u64>,
}

impl Ballast {
    /// Takes over what is there. Missing ballast is no error: it is a help, not a part of the store.
    pub(crate) fn open(dir: &Path) -> Self {
        let path = dir.join(FILE);
        let held = std::fs::metadata(&path).map_or(0, |meta| meta.len());
        Self {
            path,
            held_bytes: Mutex::new(held),
        }
    }

    /// How much could be given up now.
    pub(crate) fn held_bytes(&self) -> u64 {
        *self.held()
    }

    /// Gives up a part; `false` when nothing is left.
    pub(crate) fn release(&self) -> Result<bool> {
        let mut held = self.held();
        if *held == 0 {
            return Ok(false);
        }
        let left = held.saturating_sub(PART_BYTES);
        let file = File::options().write(true).open(&self.path)?;
        file.set_len(left)?;
        // Some file systems give space back only with their next commit.
        file.sync_all()?;
        *held = left;
        tracing::warn!(left_bytes = left, "the disk is full, ballast was given up");
        Ok(true)
    }

    /// Grows to full size if there is space to spare. Failing is no harm.
    pub(crate) fn grow(&self) {
        let mut held = self.held();
        let missing = FULL_BYTES.saturating_sub(*held);
        if missing == 0
            || free_bytes(self.path.parent().unwrap_or(&self.path)) < missing + SPARE_BYTES
        {
            return;
        }
        if self.write(*held, missing).is_ok() {
            *held = FULL_BYTES;
        } else if let Ok(file) = File::options().write(true).open(&self.path) {
            let _ = file.set_len(*held);
        }
    }

    fn write(&self, from: u64, missing: u64) -> std::io::Result<()> {
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&self.path)?;
        file.seek(SeekFrom::Start(from))?;
        let mut state = from | 1;
        let mut left = missing;
        while left > 0 {
            let noise: Vec<u8> = std::iter::repeat_with(|| xorshift(&mut state))
                .take(8 * 1_024)
                .flat_map(u64::to_le_bytes)
                .collect();
            let take = usize::try_from(left)
                .unwrap_or(noise.len())
                .min(noise.len());
            file.write_all(noise.get(..take).unwrap_or(&noise))?;
            left -= take as u64;
        }
        file.sync_all()
    }

    fn held(&self) -> MutexGuard<'_, u64> {
        self.held_bytes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Noise that does not compress; it protects nothing.
fn xorshift(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Removes the ballast in `dir`.
pub(crate) fn remove(dir: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(dir.join(FILE)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Free space in a folder, for this user; nothing where the system does not say.
pub(crate) fn free_bytes(dir: &Path) -> u64 {
    #[cfg(unix)]
    {
        rustix::fs::statvfs(dir).map_or(0, |fs| fs.f_bavail.saturating_mul(fs.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = dir;
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_in_full_and_is_given_up_part_by_part() {
        let home = tempfile::tempdir().unwrap();
        let ballast = Ballast::open(home.path());
        assert_eq!(ballast.held_bytes(), 0);
        assert!(!ballast.release().unwrap(), "nothing to give up yet");
        ballast.grow();
        let on_disk = || std::fs::metadata(home.path().join(FILE)).unwrap();
        assert_eq!(on_disk().len(), FULL_BYTES);
        assert!(
            crate::proof::blob::allocated(&on_disk()) >= FULL_BYTES,
            "no hole in it"
        );
        for left in (0..4).rev() {
            assert!(ballast.release().unwrap());
            assert_eq!(
                (ballast.held_bytes(), on_disk().len()),
                (left * PART_BYTES, left * PART_BYTES)
            );
        }
        assert!(!ballast.release().unwrap());
        ballast.grow();
        assert_eq!(
            Ballast::open(home.path()).held_bytes(),
            FULL_BYTES,
            "grown again"
        );
    }
}
