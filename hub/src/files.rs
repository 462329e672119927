//! The few file operations whose order is what makes them durable.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::HubError;

/// Makes a rename or a new name in `dir` survive a power cut.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), HubError> {
    File::open(dir)
        .and_then(|d| d.sync_all())
        .map_err(HubError::io("sync directory"))
}

/// Waits until no other process holds `path`, and holds it until the file is dropped. A file system that knows no locks
/// is used without.
pub(crate) async fn alone(path: PathBuf) -> Result<File, HubError> {
    let lock = move || {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        match file.lock() {
            Err(e) if e.kind() == std::io::ErrorKind::Unsupported => Ok(file),
            locked => locked.map(|()| file),
        }
    };
    tokio::task::spawn_blocking(lock)
        .await?
        .map_err(HubError::io("lock data directory"))
}

/// Makes a directory that only this user reads.
pub(crate) fn private_dir(dir: &Path) -> Result<(), HubError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(dir)
        .map_err(HubError::io("create directory"))
}

/// Writes a whole file so that its final name never shows half of it; the caller syncs the directory.
pub(crate) fn write_then_rename(temp: &Path, path: &Path, bytes: &[u8]) -> Result<(), HubError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options
        .open(temp)
        .map_err(HubError::io("create proof file"))?;
    file.write_all(bytes)
        .map_err(HubError::io("write proof file"))?;
    file.sync_all().map_err(HubError::io("write proof file"))?;
    std::fs::rename(temp, path).map_err(HubError::io("place proof file"))
}
