//! The toy hub's proofs: tus 1.0 as far as phones use it, URLs derived from the content hash.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use satchel_core::sync::task::{HttpTask, TaskOutcome};
use satchel_protocol::api::{
    ErrorCode, PATH_PROOFS, PATH_RECEIPT_SUFFIX, STATUS_CHECKSUM_MISMATCH,
};
use satchel_protocol::crypto;
use satchel_protocol::ids::{DeviceId, Hash32};

use crate::link::answer;
use crate::toy_hub::{ToyHub, not_found, refuse};

#[derive(Debug, Clone)]
struct Upload {
    length: usize,
    bytes: Vec<u8>,
}

/// Proofs, whole and in part.
#[derive(Debug, Clone, Default)]
pub(crate) struct Uploads(BTreeMap<Hash32, Upload>);

enum Grown {
    Whole,
    Part(usize),
    Mismatch,
}

impl Uploads {
    pub(crate) fn is_complete(&self, hash: Hash32) -> bool {
        self.0.get(&hash).is_some_and(|u| u.bytes.len() == u.length)
    }

    pub(crate) fn put_whole(&mut self, hash: Hash32, bytes: Vec<u8>) {
        let length = bytes.len();
        self.0.insert(hash, Upload { length, bytes });
    }

    /// What arrived before the line broke.
    pub(crate) fn cut(&mut self, task: &HttpTask, arrived: &[u8]) {
        if task.method == "POST" {
            if let Some((hash, length)) = creation(task) {
                self.0.entry(hash).or_insert(Upload {
                    length,
                    bytes: arrived.to_vec(),
                });
            }
        } else if let Some(hash) = hash_of(&task.url)
            && offset(task) == self.0.get(&hash).map(|u| u.bytes.len())
        {
            self.grow(hash, arrived);
        }
    }

    fn grow(&mut self, hash: Hash32, bytes: &[u8]) -> Grown {
        let upload = self.0.get_mut(&hash).unwrap();
        upload.bytes.extend_from_slice(bytes);
        if upload.bytes.len() < upload.length {
            return Grown::Part(upload.bytes.len());
        }
        if crypto::sha256(&[&upload.bytes]) == hash && upload.bytes.len() == upload.length {
            return Grown::Whole;
        }
        self.0.remove(&hash);
        Grown::Mismatch
    }
}

impl ToyHub {
    pub(crate) fn proof(
        &self,
        device: DeviceId,
        task: &HttpTask,
        path: &str,
    ) -> Result<TaskOutcome, TaskOutcome> {
        if task.method == "POST" && path == PATH_PROOFS {
            let (hash, length) = creation(task).ok_or_else(|| refuse(400, ErrorCode::Malformed))?;
            let mut state = self.state();
            if state.uploads.is_complete(hash) {
                drop(state);
                return Ok(self.receipt(device, &[], &[hash], None));
            }
            state.uploads.0.insert(
                hash,
                Upload {
                    length,
                    bytes: Vec::new(),
                },
            );
            drop(state);
            return self.grown(device, hash, &task.body, 201);
        }
        let hash = hash_of(path).ok_or_else(not_found)?;
        let held = {
            let state = self.state();
            let held = state.uploads.0.get(&hash).map(|u| u.bytes.len());
            held.ok_or_else(not_found)?
        };
        match task.method {
            "GET" if path.ends_with(PATH_RECEIPT_SUFFIX) => {
                if !self.has_blob(hash) {
                    return Err(not_found());
                }
                Ok(self.receipt(device, &[], &[hash], None))
            }
            "HEAD" => Ok(with_offset(200, held)),
            "PATCH" if offset(task) != Some(held) => Err(refuse(409, ErrorCode::OffsetMismatch)),
            "PATCH" => self.grown(device, hash, &task.body, 204),
            _ => Err(not_found()),
        }
    }

    fn grown(
        &self,
        device: DeviceId,
        hash: Hash32,
        bytes: &[u8],
        partial_status: u16,
    ) -> Result<TaskOutcome, TaskOutcome> {
        let grown = self.state().uploads.grow(hash, bytes);
        match grown {
            Grown::Whole => Ok(self.receipt(device, &[], &[hash], None)),
            Grown::Part(offset) => Ok(with_offset(partial_status, offset)),
            Grown::Mismatch => Err(refuse(STATUS_CHECKSUM_MISMATCH, ErrorCode::HashMismatch)),
        }
    }
}

fn with_offset(status: u16, offset: usize) -> TaskOutcome {
    let TaskOutcome::Response { status, body, .. } = answer(status, vec![]) else {
        unreachable!()
    };
    TaskOutcome::Response {
        status,
        headers: vec![("Upload-Offset".into(), offset.to_string())],
        body,
    }
}

fn header<'a>(task: &'a HttpTask, name: &str) -> Option<&'a str> {
    let found = task.headers.iter().find(|(n, _)| n == name);
    found.map(|(_, v)| v.as_str())
}

fn offset(task: &HttpTask) -> Option<usize> {
    header(task, "upload-offset")?.parse().ok()
}

fn creation(task: &HttpTask) -> Option<(Hash32, usize)> {
    let metadata = header(task, "upload-metadata")?;
    let said = metadata
        .split(',')
        .find_map(|pair| pair.strip_prefix("sha256 "));
    // Whoever sends all bytes with the creation has signed their digest.
    let signed = header(task, "content-digest")
        .and_then(|d| d.strip_prefix("sha-256=:")?.strip_suffix(':'))
        .filter(|_| header(task, "content-type").is_some());
    let hash = said.or(signed)?;
    let hash = Hash32::try_from(BASE64.decode(hash.as_bytes()).ok()?.as_slice()).ok()?;
    Some((hash, header(task, "upload-length")?.parse().ok()?))
}

fn hash_of(path: &str) -> Option<Hash32> {
    let at = path.find(PATH_PROOFS)? + PATH_PROOFS.len();
    path.get(at..)?
        .strip_prefix('/')?
        .split('/')
        .next()?
        .parse()
        .ok()
}
