//! Files beside the store that are there whole and flushed, or not at all.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::{Result, StoreError};

/// Lets `write` write a file beside `path`, which takes that name when it is whole and flushed.
pub(crate) fn whole<T>(path: &Path, write: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    let part = unfinished(path);
    let written = write(&part).and_then(|report| {
        std::fs::rename(&part, path).map_err(StoreError::from)?;
        if let Some(dir) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
            File::open(dir)
                .and_then(|d| d.sync_all())
                .map_err(StoreError::from)?;
        }
        Ok(report)
    });
    if written.is_err() {
        // Half a file is no way out; what is there is encrypted and the error is what counts.
        let _ = std::fs::remove_file(&part);
    }
    written
}

/// The name under which [`whole`] has a file written.
pub(crate) fn unfinished(path: &Path) -> PathBuf {
    path.with_extension("part")
}
