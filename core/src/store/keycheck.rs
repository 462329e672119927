//! Tells a wrong key from a damaged file.
//!
//! The cipher reports both as "not a database". A small file beside the store holds a MAC of a constant
//! under the key: it gives nothing away, and a mismatch means the key is wrong while the data is fine.

use std::io::Write;
use std::path::Path;

use satchel_protocol::crypto::{self, Secret32};
use satchel_protocol::escrow::key_check;

use crate::error::{Result, StoreError};

/// What the file beside the store says about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyCheck {
    /// There is no such file.
    Absent,
    /// The key made this file.
    Matches,
    /// Another key did.
    Differs,
    /// The key was being changed: this is the old one or the new one.
    OneOfTwo,
}

pub(crate) fn check(path: &Path, key: &Secret32) -> Result<KeyCheck> {
    match std::fs::read(path) {
        Ok(found) if crypto::equal_ct(&found, &value(key)) => Ok(KeyCheck::Matches),
        Ok(found) if found.len() == 64 => {
            let ours = value(key);
            let one = found.chunks(32).any(|half| crypto::equal_ct(half, &ours));
            Ok(if one {
                KeyCheck::OneOfTwo
            } else {
                KeyCheck::Differs
            })
        }
        // A cut-off file says nothing about the key; the store itself will.
        Ok(found) if found.len() != 32 => Ok(KeyCheck::Absent),
        Ok(_) => Ok(KeyCheck::Differs),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(KeyCheck::Absent),
        Err(e) => Err(StoreError::from(e).into()),
    }
}

pub(crate) fn write(path: &Path, key: &Secret32) -> Result<()> {
    put(path, &value(key))
}

/// Says that one of two keys is right, while one becomes the other.
pub(crate) fn write_both(path: &Path, old: &Secret32, new: &Secret32) -> Result<()> {
    put(path, &[value(old), value(new)].concat())
}

fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let temp = path.with_extension("tmp");
    let mut file = std::fs::File::create(&temp)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temp, path)?;
    Ok(())
}

fn value(key: &Secret32) -> [u8; 32] {
    key_check(key).0
}
