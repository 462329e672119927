//! For people: which positions of which logs stand open, and looking at them once more.

use satchel_protocol::ids::DeviceId;
use serde::Serialize;

use crate::error::HubError;
use crate::hub::Hub;
use crate::ingest;
use crate::store::wedged;

/// A position that stands open because what a phone sent for it does not verify.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenPosition {
    /// Whose log.
    pub device: DeviceId,
    /// Where in it.
    pub seq: i64,
    /// Why, as a code.
    pub reason: &'static str,
    /// Since when, the hub's time, Unix milliseconds.
    pub since_ms: i64,
    /// The entry behind it has said which hash belongs here.
    pub named: bool,
    /// The later entry that says again what this one should have said.
    pub replaced_by: Option<i64>,
}

impl Hub {
    /// Every open position of every log.
    ///
    /// # Errors
    /// [`HubError`].
    pub async fn open_positions(&self) -> Result<Vec<OpenPosition>, HubError> {
        let mut conn = self.db().read().acquire().await?;
        let rows = wedged::all(&mut conn).await?;
        Ok(rows
            .into_iter()
            .map(|row| OpenPosition {
                device: row.device,
                seq: row.seq,
                reason: row.reason.code(),
                since_ms: row.wedged_at_ms,
                named: row.named,
                replaced_by: row.replaced_by,
            })
            .collect())
    }

    /// Looks at open positions once more, as after an update. Gives how many entries joined the log.
    ///
    /// # Errors
    /// [`HubError`].
    pub async fn retry_open_positions(&self) -> Result<usize, HubError> {
        ingest::retry(self).await
    }
}
