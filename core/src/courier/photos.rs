//! Photos at the door: taken over, compared with those before, shown as the hub will show them.

use satchel_protocol::attempt::{ProofRef, Thumbnail};
use satchel_protocol::crypto;
use satchel_protocol::ids::{AttemptId, Hash32};
use satchel_protocol::taxonomy::{PhotoOrigin, ProofKind};

use super::Courier;
use super::door::refuse_completed;
use crate::error::{Error, Result};
use crate::limits;
use crate::model::attempt::PhotoView;
use crate::proof::blob::{BlobError, BlobRef};
use crate::proof::photo::{
    PhotoPolicy, PhotoSource, PhotoTargets, PhotoWarning, ingest_photo, same_picture,
};
use crate::store::db::Snapshot;
use crate::store::{attempts, phone, proofs, thumbs};

impl Courier {
    /// Takes a photo over: checked, turned upright, scaled, stripped of metadata, encrypted and flushed
    /// to disk before this returns. The source file may then be deleted.
    ///
    /// # Errors
    /// [`crate::proof::photo::PhotoError`] when it cannot be a proof, [`Error::NotFound`] for an unknown
    /// attempt, [`Error::AlreadyCompleted`] after completion.
    pub fn add_photo(
        &self,
        attempt: AttemptId,
        source: PhotoSource<'_>,
        origin: PhotoOrigin,
    ) -> Result<PhotoView> {
        let row = self.open_attempt(attempt)?;
        let policy = PhotoPolicy {
            targets: self.photo_targets()?,
            ..PhotoPolicy::default()
        };
        let mut photo = ingest_photo(source, &policy)?;
        let thumb = Thumbnail {
            hash: crypto::sha256(&[&photo.thumb_jpeg]),
            size_bytes: photo.thumb_jpeg.len() as u64,
        };
        photo.facts.thumb = Some(thumb);
        let stored = self.store_blob(&row.data_key, &photo.jpeg)?;
        let proof = ProofRef {
            hash: Hash32(stored.sha256),
            kind: ProofKind::Photo,
            size_bytes: stored.size_bytes,
            origin: Some(origin),
            captured_at_ms: self.env.clock.wall_ms(),
            photo: Some(photo.facts),
        };
        let staged = self.write_at_door(|tx| {
            refuse_completed(tx, attempt)?;
            attempts::insert(tx, attempt, &row)?;
            let staged = proofs::photos_of(tx, attempt)?;
            let again = staged.iter().any(|p| p.hash == proof.hash);
            if !again && staged.len() >= limits::MAX_PHOTOS_PER_ATTEMPT {
                return Err(Error::InvalidInput {
                    what: "number of photos",
                });
            }
            let repeated = seen_before(tx, attempt, &proof, photo.mark)?;
            proofs::stage(tx, attempt, &proof, photo.mark)?;
            thumbs::put(tx, attempt, proof.hash, &thumb, &photo.thumb_jpeg)?;
            Ok(repeated)
        });
        let repeated = match staged {
            Ok(repeated) => repeated,
            Err(error) => {
                self.discard(attempt, &stored);
                return Err(error);
            }
        };
        let mut warnings = photo.warnings;
        if repeated {
            warnings.push(PhotoWarning::Repeated);
        }
        Ok(PhotoView {
            hash: proof.hash,
            width_px: photo.width_px,
            height_px: photo.height_px,
            size_bytes: proof.size_bytes,
            warnings,
            origin,
        })
    }

    /// A photo of an attempt as it is stored: exactly what the hub will show.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown attempt or photo; the store's when it is damaged.
    pub fn photo_jpeg(&self, attempt: AttemptId, hash: Hash32) -> Result<Vec<u8>> {
        self.unlocked()?;
        let unknown = Error::NotFound { what: "photo" };
        let row = self.db.read(|conn| {
            let held = proofs::photos_of(conn, attempt)?;
            if held.iter().any(|p| p.hash == hash) {
                attempts::get(conn, attempt)
            } else {
                Ok(None)
            }
        })?;
        match self.blobs.get(&row.ok_or(unknown)?.data_key, &hash.0) {
            // The hub has it; here it gave way to newer ones.
            Err(BlobError::Missing) => Err(Error::NotFound { what: "photo" }),
            other => Ok(other?),
        }
    }

    /// The small copy of a photo, for lists. It is kept when the photo itself gives way to newer ones.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown attempt or photo.
    pub fn photo_thumbnail(&self, attempt: AttemptId, hash: Hash32) -> Result<Vec<u8>> {
        self.unlocked()?;
        self.db
            .read(|conn| thumbs::get(conn, attempt, hash))?
            .ok_or(Error::NotFound { what: "photo" })
    }

    /// How large and how good photos are made on this phone.
    ///
    /// # Errors
    /// The store's.
    pub fn photo_targets(&self) -> Result<PhotoTargets> {
        let kept = self.db.read_short(phone::photo_targets)?;
        Ok(kept.unwrap_or(PhotoTargets::STANDARD))
    }

    /// Sets how large and how good photos are made from now on, as the tenant or a metered link wants.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for values that make no usable photo; nothing is changed then.
    pub fn set_photo_targets(&self, targets: &PhotoTargets) -> Result<()> {
        if !targets.is_valid() {
            return Err(Error::InvalidInput {
                what: "photo targets",
            });
        }
        self.db.write(|tx| phone::set_photo_targets(tx, targets))
    }

    /// Removes the file of a photo that was not taken over: on a full disk its space is what the next
    /// attempt needs. If that fails too, the sweep at the next opening does it.
    fn discard(&self, attempt: AttemptId, stored: &BlobRef) {
        let named = self.db.read(|conn| {
            let staged = proofs::photos_of(conn, attempt)?;
            Ok(staged.iter().any(|p| p.hash.0 == stored.sha256))
        });
        if matches!(named, Ok(false)) {
            let _ = self.blobs.remove(&stored.file_name);
        }
    }
}

/// Whether this picture was a proof before. The same file is one anywhere, also twice in one attempt; a
/// picture that only looks the same is one of another attempt, since two shots of one parcel look alike.
fn seen_before(
    conn: &Snapshot,
    attempt: AttemptId,
    proof: &ProofRef,
    mark: Option<u64>,
) -> Result<bool> {
    let source = |p: &ProofRef| p.photo.as_ref().and_then(|facts| facts.source_hash);
    let before = proofs::recent_photos(conn, limits::PHOTOS_COMPARED)?;
    Ok(before.iter().any(|old| {
        let same_file = old.proof.hash == proof.hash
            || (source(proof).is_some() && source(&old.proof) == source(proof));
        let alike = old.attempt != attempt
            && matches!((old.mark, mark), (Some(a), Some(b)) if same_picture(a, b));
        same_file || alike
    }))
}
