//! The plain form of a batch: what a script, a proxy's log or a programmer with `curl` can read and write.
//!
//! Bytes are base64 (RFC 4648 §4). It is a third larger and nobody's default; a hub always takes it.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::{Batch, InlineBlob, too_large};
use crate::codec::FormatError;
use crate::crypto;
use crate::entry::SignedEntry;
use crate::ids::{Salt, Sig64};
use crate::limits;
use crate::taxonomy::ProofKind;

#[derive(Serialize, Deserialize)]
struct Plain {
    entries: Vec<PlainEntry>,
    blobs: Vec<PlainBlob>,
}

#[derive(Serialize, Deserialize)]
struct PlainEntry {
    header: String,
    sig: String,
    salt: Option<String>,
    body: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct PlainBlob {
    kind: String,
    bytes: String,
}

pub(super) fn encode(batch: &Batch) -> Result<Vec<u8>, FormatError> {
    let plain = Plain {
        entries: batch
            .entries
            .iter()
            .map(|entry| PlainEntry {
                header: BASE64.encode(&entry.header),
                sig: BASE64.encode(&entry.sig.0),
                salt: entry.salt.map(|s| BASE64.encode(&s.0)),
                body: entry.body.as_ref().map(|b| BASE64.encode(b)),
            })
            .collect(),
        blobs: batch
            .blobs
            .iter()
            .map(|blob| PlainBlob {
                kind: blob.kind.code().to_owned(),
                bytes: BASE64.encode(&blob.bytes),
            })
            .collect(),
    };
    let bytes = serde_json::to_vec(&plain).map_err(|_| malformed())?;
    match bytes.len() > limits::MAX_BATCH_BYTES {
        true => Err(too_large("batch", bytes.len(), limits::MAX_BATCH_BYTES)),
        false => Ok(bytes),
    }
}

pub(super) fn decode(bytes: &[u8]) -> Result<Batch, FormatError> {
    if bytes.len() > limits::MAX_BATCH_BYTES {
        return Err(too_large("batch", bytes.len(), limits::MAX_BATCH_BYTES));
    }
    let plain: Plain = serde_json::from_slice(bytes).map_err(|_| malformed())?;
    let count = plain.entries.len();
    if count > limits::MAX_BATCH_ENTRIES {
        return Err(too_large("batch", count, limits::MAX_BATCH_ENTRIES));
    }
    let mut batch = Batch::default();
    for entry in plain.entries {
        let salt = entry.salt.as_deref().map(read).transpose()?;
        batch.entries.push(SignedEntry {
            header: read(&entry.header)?,
            sig: Sig64::try_from(read(&entry.sig)?.as_slice()).map_err(|_| malformed())?,
            salt: salt
                .map(|s| Salt::try_from(s.as_slice()).map_err(|_| malformed()))
                .transpose()?,
            body: entry.body.as_deref().map(read).transpose()?,
        });
    }
    for blob in plain.blobs {
        let bytes = read(&blob.bytes)?;
        if bytes.len() > limits::MAX_INLINE_BLOB_BYTES {
            let limit = limits::MAX_INLINE_BLOB_BYTES;
            return Err(too_large("inline proof", bytes.len(), limit));
        }
        batch.blobs.push(InlineBlob {
            hash: crypto::sha256(&[&bytes]),
            kind: ProofKind::from_code(&blob.kind).map_err(|_| malformed())?,
            bytes,
        });
    }
    Ok(batch)
}

fn read(text: &str) -> Result<Vec<u8>, FormatError> {
    BASE64.decode(text.as_bytes()).map_err(|_| malformed())
}

fn malformed() -> FormatError {
    FormatError::Malformed { what: "JSON batch" }
}
