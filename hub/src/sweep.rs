//! Clearing away what has expired: half uploads, proofs nobody binds, nonces, sessions, links, past rounds in the feed.

use std::time::Duration;

use crate::error::HubError;
use crate::hub::Hub;
use crate::publish;
use crate::store::proofs;

/// Files of erased proofs are looked for this long after the erasure.
const ERASED_SWEPT_MS: i64 = 7 * 24 * 3_600_000;

/// A file among the uploads that belongs to none is left by a stop, or was begun just now.
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 3_600);

impl Hub {
    /// Removes everything whose time is over by the hub's clock. Evidence has no such time.
    ///
    /// # Errors
    /// [`HubError`]; what was not removed is removed the next time.
    pub async fn sweep(&self) -> Result<(), HubError> {
        let now_ms = self.now_ms();
        let mut tx = self.db().write().await?;
        publish::past_rounds(&mut tx, now_ms).await?;
        tx.commit().await?;
        // Nobody may place or record a proof between the loss of its row and the loss of its file.
        let _gate = self.blobs().gate.write().await;
        let mut tx = self.db().write().await?;
        let (uploads, blobs) = proofs::expire(&mut tx, now_ms).await?;
        for clear in [
            "DELETE FROM nonce WHERE expires_at_ms < ?",
            "DELETE FROM login_link WHERE expires_at_ms < ?",
            "DELETE FROM board_session WHERE expires_at_ms < ?",
            "DELETE FROM customer_grant WHERE expires_at_ms < ?",
        ] {
            sqlx::query(clear).bind(now_ms).execute(&mut *tx).await?;
        }
        let open = proofs::open_uploads(&mut tx).await?;
        let erased = proofs::erased_since(&mut tx, now_ms - ERASED_SWEPT_MS).await?;
        tx.commit().await?;
        // A stop between an erasure's commit and the loss of its files leaves them behind.
        for hash in &erased {
            self.blobs().unlink(hash)?;
        }
        for (device, hash) in &uploads {
            self.blobs().discard(*device, hash)?;
            self.uploads().forget(*device, *hash);
        }
        for hash in &blobs {
            self.blobs().unlink(hash)?;
        }
        let cleared = self.blobs().clear_incoming(&open, LEFT_BEHIND)?;
        if cleared > 0 {
            tracing::info!(cleared, "files of no upload are removed");
        }
        if !uploads.is_empty() || !blobs.is_empty() {
            tracing::info!(
                uploads = uploads.len(),
                proofs = blobs.len(),
                "expired and removed"
            );
        }
        Ok(())
    }
}
