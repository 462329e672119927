//! The file beside the store that holds its key, sealed to the operator's recovery key.
//!
//! It lies beside the store and not in it, because it is for the day on which the store cannot be opened.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use satchel_protocol::escrow::{EscrowFile, MAX_FILE_BYTES};

use super::files::{unfinished, whole};
use crate::error::{Result, StoreError};

/// Beside the store.
pub(crate) const ESCROW_FILE: &str = "satchel.escrow";

/// What lies there. A file that cannot be read is none: whoever knows the key writes it anew.
pub(crate) fn read(dir: &Path) -> Result<Option<EscrowFile>> {
    let file = match File::open(dir.join(ESCROW_FILE)) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(StoreError::from)?,
    };
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(StoreError::from)?;
    Ok(Some(EscrowFile::decode(&bytes).unwrap_or_default()))
}

/// Puts the file in its place, durable when this returns.
pub(crate) fn write(dir: &Path, keys: &EscrowFile) -> Result<()> {
    whole(&dir.join(ESCROW_FILE), |part| {
        let mut file = File::create(part).map_err(StoreError::from)?;
        file.write_all(&keys.encode()).map_err(StoreError::from)?;
        Ok(file.sync_all().map_err(StoreError::from)?)
    })
}

/// Removes the file, and what a kill left of a new one.
pub(crate) fn remove(dir: &Path) -> Result<()> {
    let path = dir.join(ESCROW_FILE);
    for file in [unfinished(&path), path] {
        match std::fs::remove_file(file) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::from(e).into());
            }
            _ => {}
        }
    }
    Ok(())
}
