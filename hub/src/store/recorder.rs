//! Who recorded a row: a device's log, or the hub itself.

use satchel_protocol::ids::DeviceId;
use satchel_protocol::transitions::Origin;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::error::HubError;

/// A recorder as it is stored: the device's id, or no bytes for the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Recorder {
    Hub,
    Device(DeviceId),
}

impl Recorder {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Hub => &[],
            Self::Device(id) => id.as_bytes(),
        }
    }

    pub(crate) fn origin(self) -> Origin {
        match self {
            Self::Hub => Origin::Hub,
            Self::Device(id) => Origin::Phone(id),
        }
    }
}

impl From<Origin> for Recorder {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::Hub => Self::Hub,
            Origin::Phone(id) => Self::Device(id),
        }
    }
}

/// Reads a recorder out of a row.
pub(crate) trait RecorderRow {
    fn recorder(&self, column: &'static str) -> Result<Recorder, HubError>;
}

impl RecorderRow for SqliteRow {
    fn recorder(&self, column: &'static str) -> Result<Recorder, HubError> {
        let bytes: &[u8] = self.try_get(column)?;
        if bytes.is_empty() {
            return Ok(Recorder::Hub);
        }
        Uuid::from_slice(bytes)
            .map(|id| Recorder::Device(DeviceId(id)))
            .map_err(|_| HubError::DamagedRow { what: column })
    }
}
