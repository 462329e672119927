//! What a witness must never forget: its key, and the last checkpoint of each log.
//!
//! One file each, replaced whole (write, flush, rename, flush the folder), so that a power cut leaves the
//! old one or the new one. A witness that forgot would cosign a rewritten log.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use ed25519_dalek::SigningKey;
use satchel_protocol::crypto;
use satchel_protocol::ids::Hash32;
use satchel_protocol::tlog::{Checkpoint, Note};
use thiserror::Error;

const KEY_FILE: &str = "witness.key";
const SUFFIX: &str = "checkpoint";

/// Why the witness cannot go on.
#[derive(Debug, Error)]
pub(super) enum MemoryError {
    #[error("data folder: {0}")]
    Io(#[from] io::Error),
    #[error("{0} is damaged; restore it, a witness that forgets is none")]
    Damaged(String),
    #[error("no randomness available")]
    NoEntropy,
}

/// The last checkpoint of a log.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) size: u64,
    pub(super) root: Hash32,
    pub(super) note: String,
}

#[derive(Debug)]
pub(super) struct Memory {
    dir: PathBuf,
    seen: HashMap<String, Seen>,
}

impl Memory {
    /// Opens a folder, with the key in it; makes both on the first start.
    pub(super) fn open(dir: &Path) -> Result<(Self, SigningKey), MemoryError> {
        std::fs::create_dir_all(dir)?;
        let key = load_key(dir)?;
        let mut seen = HashMap::new();
        for file in std::fs::read_dir(dir)? {
            let path = file?.path();
            if path.extension().is_some_and(|e| e == SUFFIX) {
                let text = std::fs::read_to_string(&path)?;
                let damaged = || MemoryError::Damaged(path.display().to_string());
                let note = Note::parse(&text).map_err(|_| damaged())?;
                let checkpoint = Checkpoint::parse(&note.text).map_err(|_| damaged())?;
                let last = Seen {
                    size: checkpoint.size,
                    root: checkpoint.root,
                    note: text,
                };
                seen.insert(checkpoint.origin, last);
            }
        }
        let dir = dir.to_owned();
        Ok((Self { dir, seen }, key))
    }

    pub(super) fn seen(&self, origin: &str) -> Option<Seen> {
        self.seen.get(origin).cloned()
    }

    /// Puts the newer checkpoint in the place of the older one, durably.
    pub(super) fn keep(&mut self, origin: &str, seen: Seen) -> Result<(), MemoryError> {
        let name = crypto::sha256(&[origin.as_bytes()]);
        let path = self.dir.join(format!("{name}.{SUFFIX}"));
        replace(&self.dir, &path, seen.note.as_bytes())?;
        self.seen.insert(origin.to_owned(), seen);
        Ok(())
    }
}

fn load_key(dir: &Path) -> Result<SigningKey, MemoryError> {
    let path = dir.join(KEY_FILE);
    if !path.exists() {
        let mut seed = [0_u8; 32];
        getrandom::fill(&mut seed).map_err(|_| MemoryError::NoEntropy)?;
        replace(
            dir,
            &path,
            format!("{}\n", HEXLOWER.encode(&seed)).as_bytes(),
        )?;
    }
    let text = std::fs::read_to_string(&path)?;
    let seed = HEXLOWER.decode(text.trim().as_bytes()).ok();
    let seed = seed.and_then(|s| <[u8; 32]>::try_from(s).ok());
    let seed = seed.ok_or_else(|| MemoryError::Damaged(path.display().to_string()))?;
    Ok(SigningKey::from_bytes(&seed))
}

fn replace(dir: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    File::open(dir)?.sync_all()
}
