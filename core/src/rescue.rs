//! Evidence out of a store whose key the phone's keystore has forgotten (docs/adr/0053).
//!
//! With the operator's recovery key the sealed key is opened, and what had not been synced leaves the store in the
//! file that [`Courier::export_unsent`](crate::Courier::export_unsent) writes too, sealed to the hub. The store is
//! read and never opened as a phone's: an entry that this wrote would be a second history. Of a damaged store
//! everything is taken that can be read; a place of the log that cannot is named as such, so that the hub leaves it
//! open and takes what comes behind it.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use ed25519_dalek::VerifyingKey;
use satchel_protocol::FormatError;
use satchel_protocol::batch::Batch;
use satchel_protocol::crypto::Secret32;
use satchel_protocol::entry::SignedEntry;
use satchel_protocol::escrow::{Escrow, EscrowError, EscrowFile, RecoveryKey};
use satchel_protocol::export::Frame;
use satchel_protocol::ids::{DeviceId, Hash32, Sig64};
use satchel_protocol::limits::MAX_BATCH_ENTRIES;
use thiserror::Error;

use crate::clock::Entropy;
use crate::courier::{BLOB_FOLDER, Writing};
use crate::error::{Error, StoreError};
use crate::limits;
use crate::proof::blob::BlobStore;
use crate::store::escrow;
use crate::store::files::whole;
use crate::store::opening::{DB_FILE, WAL_FILE};
use crate::store::salvage::Wreck;
use crate::sync::requests;

/// Places without a readable entry in a row, after which a log counts as over whose end cannot be read.
const MISSES_TO_THE_END: i64 = 4_096;

/// What came out of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RescueReport {
    /// Whose store it is.
    pub device: DeviceId,
    /// Entries that were not receipted.
    pub entries: u64,
    /// Places of the log among them that cannot be read.
    pub lost_entries: u64,
    /// Photos and large signatures that were not receipted.
    pub proofs: u64,
    /// Proofs that should be there and cannot be read.
    pub lost_proofs: u64,
    /// Size of the file.
    pub bytes: u64,
}

/// Why nothing comes out of a store.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RescueError {
    /// There is no store in the folder.
    #[error("no store in this folder")]
    NoStore,
    /// Neither the folder nor the hub has a sealed key.
    #[error("no sealed key: neither beside the store nor from the hub")]
    NoSealedKey,
    /// A sealed key was opened and is not this store's.
    #[error("the sealed key is not this store's")]
    OtherStore,
    /// The sealed key cannot be opened.
    #[error(transparent)]
    Escrow(#[from] EscrowError),
    /// The store, or the place for the file.
    #[error(transparent)]
    Store(#[from] Error),
}

impl From<FormatError> for RescueError {
    fn from(error: FormatError) -> Self {
        Self::Store(error.into())
    }
}

/// Reads the store that lies in `dir` and writes what was not receipted to `out`. The key is the one sealed beside
/// the store, or one of `from_hub`. Nothing in `dir` changes; a copy lies beside `out` meanwhile, encrypted as it was.
///
/// # Errors
/// [`RescueError`]; then there is no file.
pub fn rescue(
    dir: &Path,
    recovery: &RecoveryKey,
    from_hub: &EscrowFile,
    entropy: &dyn Entropy,
    out: &Path,
) -> Result<RescueReport, RescueError> {
    let has_store = fs::metadata(dir.join(DB_FILE)).is_ok_and(|meta| meta.len() > 0);
    if !has_store {
        return Err(RescueError::NoStore);
    }
    let work = out.with_extension("work");
    let done = copy(dir, &work).map_err(RescueError::from).and_then(|()| {
        let (device, mut wreck) = open(dir, &work, recovery, from_hub)?;
        Ok(whole(out, |part| {
            write(dir, device, &mut wreck, entropy, part)
        })?)
    });
    // It is a copy, and the error counts more.
    let _ = fs::remove_dir_all(&work);
    done
}

/// The database and its log; the rest is only read.
fn copy(dir: &Path, work: &Path) -> Result<(), Error> {
    let copied = (|| {
        fs::create_dir_all(work)?;
        for file in [DB_FILE, WAL_FILE] {
            match fs::copy(dir.join(file), work.join(file)) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        Ok(())
    })();
    Ok(copied.map_err(StoreError::from)?)
}

/// Tries every sealed key that the recovery key opens.
fn open(
    dir: &Path,
    work: &Path,
    recovery: &RecoveryKey,
    from_hub: &EscrowFile,
) -> Result<(DeviceId, Wreck), RescueError> {
    let beside = escrow::read(dir)?.unwrap_or_default();
    // The newest last, and what lies beside the store is newer than what the hub was sent.
    let sealed: Vec<&Escrow> = from_hub.keys.iter().chain(&beside.keys).collect();
    let mut why = RescueError::NoSealedKey;
    for escrow in sealed.into_iter().rev() {
        match escrow.open(recovery) {
            Ok(key) => match open_with(work, escrow.device, key) {
                Err(RescueError::OtherStore) => why = RescueError::OtherStore,
                other => return other.map(|wreck| (escrow.device, wreck)),
            },
            Err(error) if matches!(why, RescueError::NoSealedKey) => why = error.into(),
            Err(_) => {}
        }
    }
    Err(why)
}

fn open_with(work: &Path, device: DeviceId, key: Secret32) -> Result<Wreck, RescueError> {
    let mut wreck = match Wreck::open(work, key) {
        // A first page that is damaged and a key of another store look the same: neither opens anything.
        Err(Error::Store(StoreError::Damaged)) => return Err(RescueError::OtherStore),
        other => other?,
    };
    match wreck.identity()? {
        Some(found) if found.device == device => Ok(wreck),
        _ => Err(RescueError::OtherStore),
    }
}

fn write(
    dir: &Path,
    device: DeviceId,
    wreck: &mut Wreck,
    entropy: &dyn Entropy,
    part: &Path,
) -> crate::Result<RescueReport> {
    let identity = wreck.identity()?.ok_or(Error::NotEnrolled)?;
    let hub_key =
        VerifyingKey::from_bytes(&identity.hub_key.0).map_err(|_| StoreError::BadRow("hub key"))?;
    let mut out = Writing::begin(part, device, &hub_key, entropy)?;
    let log = write_entries(wreck, &mut out)?;
    let (inks, lost_inks) = write_inks(wreck, log.rode, log.up_to, &mut out)?;
    let (photos, lost_photos) = write_photos(wreck, &dir.join(BLOB_FOLDER), &mut out)?;
    Ok(RescueReport {
        device,
        entries: log.entries,
        lost_entries: log.lost,
        proofs: inks + photos,
        lost_proofs: lost_inks + lost_photos,
        bytes: out.end()?,
    })
}

/// What came of the log.
struct LogWritten {
    entries: u64,
    lost: u64,
    /// What rode with its entry.
    rode: HashSet<Hash32>,
    /// The last place that was looked at.
    up_to: i64,
}

/// Entries in order, with those that cannot be read named in their places.
fn write_entries(wreck: &mut Wreck, out: &mut Writing) -> crate::Result<LogWritten> {
    let known_end = wreck.last_seq();
    let (mut batch, mut batch_bytes) = (Batch::default(), 0);
    let (mut entries, mut lost, mut missed) = (0, 0, Vec::new());
    let mut rode = HashSet::new();
    let mut seq = wreck.received_head();
    loop {
        seq += 1;
        let over = match known_end {
            Some(last) => seq > last,
            None => missed.len() as i64 >= MISSES_TO_THE_END,
        };
        if over {
            break;
        }
        let row = match wreck.entry(seq) {
            Ok(Some(row)) => row,
            // The hub has it, and knows what became of those before it.
            Ok(None) if known_end.is_some() => {
                lost += missed.len() as u64;
                missed.clear();
                continue;
            }
            Ok(None) | Err(_) => {
                missed.push(seq);
                continue;
            }
        };
        lost += missed.len() as u64;
        batch.entries.extend(missed.drain(..).map(unreadable));
        batch_bytes += row.bytes();
        entries += 1;
        let alone = row.entry.clone();
        match wreck.read(|conn| requests::gather(conn, vec![row], limits::EXPORT_BATCH_BYTES)) {
            Ok(Some(gathered)) => {
                rode.extend(gathered.batch.blobs.iter().map(|blob| blob.hash));
                batch.entries.extend(gathered.batch.entries);
                batch.blobs.extend(gathered.batch.blobs);
            }
            // Its small photos cannot be read; they are copies.
            Ok(None) | Err(_) => batch.entries.push(alone),
        }
        if batch.entries.len() >= MAX_BATCH_ENTRIES / 2 || batch_bytes >= limits::EXPORT_BATCH_BYTES
        {
            out.frame(Frame::Batch(std::mem::take(&mut batch).encode()?))?;
            batch_bytes = 0;
        }
    }
    if !batch.entries.is_empty() {
        out.frame(Frame::Batch(batch.encode()?))?;
    }
    // What stands behind the last readable one is no place in anybody's log, but it was there.
    let cut = known_end.map_or(0, |_| missed.len() as u64);
    Ok(LogWritten {
        entries,
        lost: lost + cut,
        rode,
        up_to: seq - 1,
    })
}

/// An entry that verifies for nobody: the hub leaves its place open.
fn unreadable(seq: i64) -> SignedEntry {
    SignedEntry {
        header: format!("unreadable entry {seq}").into_bytes(),
        sig: Sig64([0; 64]),
        salt: None,
        body: None,
    }
}

/// Signatures that did not ride with their entries. Gives how many are in the file, and how many should be.
fn write_inks(
    wreck: &mut Wreck,
    mut rode: HashSet<Hash32>,
    up_to: i64,
    out: &mut Writing,
) -> crate::Result<(u64, u64)> {
    let (mut count, mut lost) = (0, 0);
    for seq in 1..=up_to {
        let ink = match wreck.ink(seq) {
            Ok(Some(ink)) => ink,
            Ok(None) => continue,
            Err(_) => {
                lost += u64::from(wreck.misses_ink(seq));
                continue;
            }
        };
        // What is said again binds the same.
        if rode.contains(&ink.proof.hash) {
            continue;
        }
        let Some(bytes) = ink.sound_bytes() else {
            lost += 1;
            continue;
        };
        rode.insert(ink.proof.hash);
        count += 1;
        out.frame(Frame::Proof {
            hash: ink.proof.hash,
            kind: ink.proof.kind,
            bytes: bytes.clone(),
        })?;
    }
    Ok((count, lost))
}

/// The same of photos.
fn write_photos(wreck: &mut Wreck, blobs: &Path, out: &mut Writing) -> crate::Result<(u64, u64)> {
    let (mut count, mut lost, mut missed) = (0, 0, 0);
    let files = match blobs.is_dir() {
        true => Some(BlobStore::open(blobs)?),
        false => None,
    };
    let known_end = wreck.last_photo();
    for id in 1..=known_end.unwrap_or(MISSES_TO_THE_END) {
        let (row, key) = match wreck.photo(id) {
            Ok(Some(found)) => found,
            Ok(None) => continue,
            Err(_) => {
                missed += 1;
                continue;
            }
        };
        lost += std::mem::take(&mut missed);
        let hash = row.proof.hash;
        let bytes = files.as_ref().and_then(|f| f.get(&key, &hash.0).ok());
        let Some(bytes) = bytes else {
            lost += 1;
            continue;
        };
        count += 1;
        out.frame(Frame::Proof {
            hash,
            kind: row.proof.kind,
            bytes,
        })?;
    }
    lost += match known_end {
        Some(_) => missed,
        // How many are behind the last one nobody can say, and not that there are none.
        None => missed.min(1),
    };
    Ok((count, lost))
}

/// Where the file with the sealed key lies in a store's folder, for a host that sends a store in.
#[must_use]
pub fn sealed_key_file(dir: &Path) -> PathBuf {
    dir.join(escrow::ESCROW_FILE)
}
