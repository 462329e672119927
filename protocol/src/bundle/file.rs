//! The bundle as a file: evidence and photos in a page, and out of it again.

use std::collections::BTreeMap;

use data_encoding::{BASE64, HEXLOWER};
use thiserror::Error;

use super::page;
use super::{BUNDLE_VERSION, Bundle};
use crate::codec::{self, FormatError};
use crate::crypto;
use crate::ids::Hash32;

/// Largest file that is read: two dozen photos at their largest.
pub const MAX_BUNDLE_BYTES: usize = 96 * 1_024 * 1_024;
const MAX_EVIDENCE_BYTES: usize = 16 * 1_024 * 1_024;

pub(super) const EVIDENCE_OPEN: &str =
    "<script type=\"application/vnd.satchel.evidence\" id=\"evidence\">";
const EVIDENCE_CLOSE: &str = "</script>";
pub(super) const PHOTO_OPEN: &str = "<img data-proof=\"";
const PHOTO_SRC: &str = "\" src=\"data:image/jpeg;base64,";

/// Photos by the hash that entries name them with.
pub(super) type Photos = BTreeMap<Hash32, Vec<u8>>;

/// Why a file is no bundle.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BundleError {
    /// Not a page with evidence in it.
    #[error("the file has no evidence in it")]
    NoEvidence,
    /// The evidence or a photo in it is not in its form.
    #[error(transparent)]
    Format(#[from] FormatError),
}

/// The file. Photos that the evidence does not name are left out.
#[must_use]
pub fn pack(bundle: &Bundle, photos: &BTreeMap<Hash32, Vec<u8>>) -> String {
    page::draw(bundle, photos)
}

/// The evidence and the photos of a file. Nothing of it is checked but its form; photos are filed under
/// the hash they have, whatever the page claims.
///
/// # Errors
/// [`BundleError`].
pub fn unpack(file: &str) -> Result<(Bundle, BTreeMap<Hash32, Vec<u8>>), BundleError> {
    let malformed = |what| FormatError::Malformed { what };
    if file.len() > MAX_BUNDLE_BYTES {
        return Err(FormatError::TooLarge {
            what: "evidence file",
            size: file.len(),
            limit: MAX_BUNDLE_BYTES,
        }
        .into());
    }
    let (_, rest) = file
        .split_once(EVIDENCE_OPEN)
        .ok_or(BundleError::NoEvidence)?;
    let (evidence, _) = rest
        .split_once(EVIDENCE_CLOSE)
        .ok_or(BundleError::NoEvidence)?;
    let evidence = BASE64
        .decode(evidence.trim().as_bytes())
        .map_err(|_| malformed("evidence"))?;
    let bundle: Bundle = codec::decode("evidence", &evidence, MAX_EVIDENCE_BYTES)?;
    if bundle.version != BUNDLE_VERSION {
        return Err(FormatError::UnknownVersion {
            what: "evidence",
            version: u32::from(bundle.version),
        }
        .into());
    }
    let mut photos = Photos::new();
    for part in file.split(PHOTO_OPEN).skip(1) {
        let (_, part) = part
            .split_once(PHOTO_SRC)
            .ok_or_else(|| malformed("photo"))?;
        let (photo, _) = part.split_once('"').ok_or_else(|| malformed("photo"))?;
        let photo = BASE64
            .decode(photo.as_bytes())
            .map_err(|_| malformed("photo"))?;
        photos.insert(crypto::sha256(&[&photo]), photo);
    }
    Ok((bundle, photos))
}

/// The evidence as it stands in the page.
pub(super) fn evidence(bundle: &Bundle) -> String {
    BASE64.encode(&codec::encode(bundle))
}

/// A photo as it stands in the page.
pub(super) fn photo(hash: &Hash32, bytes: &[u8], alt: &str) -> String {
    format!(
        "{PHOTO_OPEN}{}{PHOTO_SRC}{}\" alt=\"{alt}\">",
        HEXLOWER.encode(&hash.0),
        BASE64.encode(bytes)
    )
}
