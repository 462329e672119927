//! Whether this hub can take anything: its database is written and a file is laid down, as for a phone's batch and photo.
//!
//! Beginning a transaction shows nothing: on a full disk it begins, and fails where it ends.

use std::path::Path;

use tokio::sync::Mutex;

use crate::error::HubError;
use crate::files;
use crate::hub::Hub;

/// An answer holds so long: anybody may ask, and each look costs two flushes of the disk.
const HOLDS_MS: i64 = 2_000;
/// A photo of the smallest.
const PROBE_BYTES: usize = 64 * 1_024;

/// When the hub was last seen to be ready.
#[derive(Debug, Default)]
pub(crate) struct Ready(Mutex<Option<i64>>);

impl Hub {
    /// Whether a write succeeds now.
    pub(crate) async fn is_ready(&self) -> bool {
        // Who comes meanwhile waits for the same look.
        let mut seen = self.ready().0.lock().await;
        let now_ms = self.now_ms();
        if seen.is_some_and(|at| (at..at.saturating_add(HOLDS_MS)).contains(&now_ms)) {
            return true;
        }
        let looked = self.look().await;
        if let Err(error) = &looked {
            tracing::error!(%error, "nothing can be written");
        }
        *seen = looked.is_ok().then_some(now_ms);
        looked.is_ok()
    }

    async fn look(&self) -> Result<(), HubError> {
        let mut tx = self.db().write().await?;
        sqlx::query("INSERT OR REPLACE INTO readiness (id, looked_at_ms) VALUES (1, ?1)")
            .bind(self.now_ms())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        let (temp, path) = self.blobs().probe();
        let laid = tokio::task::spawn_blocking(move || lay_down(&temp, &path));
        laid.await?
    }
}

fn lay_down(temp: &Path, path: &Path) -> Result<(), HubError> {
    let laid = files::write_then_rename(temp, path, &vec![0; PROBE_BYTES]);
    // What is left of one that failed takes the room that is missing.
    let _ = std::fs::remove_file(temp);
    let _ = std::fs::remove_file(path);
    laid
}
