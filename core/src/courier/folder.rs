//! The folder of photos: whether what is missing in it is gone.
//!
//! A folder can be away for a while, and an opening makes an empty one in its place. So the folder bears a mark, which only
//! a store puts there that has no photo yet. In a folder without it, or one that cannot be read, a missing file says
//! nothing, for as long as [`limits::UNREAD_PHOTOS_WAIT_MS`]: a store that was put back without its photos has no other.

use std::sync::atomic::Ordering;

use super::Courier;
use crate::error::Result;
use crate::limits;
use crate::store::{phone, proofs};

impl Courier {
    /// Marks the folder of a store without photos, and notes whether that of any other is there. Does not fail with
    /// what comes behind it.
    pub(super) fn look_for_folder(&self) {
        if !self.folder_was_away.load(Ordering::Relaxed) {
            return;
        }
        if let Err(error) = self.mark_new_folder().and_then(|()| self.folder_counts()) {
            tracing::warn!(%error, "the folder of photos is not looked at");
        }
    }

    fn mark_new_folder(&self) -> Result<()> {
        if !self.blobs.is_marked() && !self.db.read(proofs::any_in_folder)? {
            self.blobs.mark()?;
        }
        Ok(())
    }

    /// Whether a photo that is missing in the folder is gone: the folder is there, or was away for too long.
    pub(super) fn folder_counts(&self) -> Result<bool> {
        let since_ms = |conn: &_| phone::folder_away_since_ms(conn);
        if self.blobs.is_marked() {
            if self.folder_was_away.load(Ordering::Relaxed) {
                if self.db.read(since_ms)?.is_some() {
                    self.db
                        .write(|tx| phone::set_folder_away_since_ms(tx, None))?;
                }
                self.folder_was_away.store(false, Ordering::Relaxed);
            }
            return Ok(true);
        }
        self.folder_was_away.store(true, Ordering::Relaxed);
        let now_ms = self.env.clock.wall_ms();
        match self.db.read(since_ms)? {
            Some(since_ms) if self.is_long_ago(since_ms) => {}
            Some(since_ms) if since_ms <= now_ms => return Ok(false),
            // Now, or a clock that was set back: then it is counted anew.
            _ => {
                tracing::warn!("the folder of photos is away");
                self.db
                    .write(|tx| phone::set_folder_away_since_ms(tx, Some(now_ms)))?;
                return Ok(false);
            }
        }
        if let Err(error) = self.blobs.mark() {
            tracing::warn!(%error, "the folder of photos cannot be made");
        }
        Ok(true)
    }

    /// Whether something that began then has lasted as long as a photo is waited for.
    pub(super) fn is_long_ago(&self, since_ms: i64) -> bool {
        let lasted_ms = self.env.clock.wall_ms().saturating_sub(since_ms);
        lasted_ms >= limits::UNREAD_PHOTOS_WAIT_MS
    }
}
