//! What tells the folder of a store from one that was made anew in its place.

use std::fs::{self, DirBuilder};
use std::path::Path;

use super::{BlobError, BlobStore, TEMP_PREFIX, flush_dir, write_flushed};

/// A file in the folder that is there wherever the folder is, and says that it is a store's own.
const MARK: &str = ".ours";
const MARK_BYTES: &[u8] = b"satchel proofs\n";

impl BlobStore {
    /// Whether it is the folder that was marked, and files in it can be read: one that was made anew in the place of a
    /// folder that is away says nothing of what is missing in it.
    #[must_use]
    pub fn is_marked(&self) -> bool {
        fs::read(self.dir.join(MARK)).is_ok_and(|bytes| bytes == MARK_BYTES)
    }

    /// From here on, what is missing in the folder is gone. Makes it where it is not there.
    ///
    /// # Errors
    /// [`BlobError::StorageFull`] or [`BlobError::Io`]; then it is not marked.
    pub fn mark(&self) -> Result<(), BlobError> {
        make_dir(&self.dir)?;
        let temp = self.dir.join(format!("{TEMP_PREFIX}mark"));
        // What a kill left of an earlier one.
        let _ = fs::remove_file(&temp);
        let written = write_flushed(&temp, MARK_BYTES, &|_| {})
            .and_then(|()| fs::rename(&temp, self.dir.join(MARK)));
        if let Err(error) = written {
            let _ = fs::remove_file(&temp);
            return Err(error.into());
        }
        flush_dir(&self.dir)
    }
}

/// Makes the folder if it is not there.
pub(super) fn make_dir(dir: &Path) -> Result<(), BlobError> {
    if dir.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)?;
    // A new folder is itself an entry that a power cut could take, with all in it.
    match dir.parent().filter(|p| !p.as_os_str().is_empty()) {
        Some(parent) => flush_dir(parent),
        None => Ok(()),
    }
}
