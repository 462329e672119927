//! What SQLite's failures mean for a courier: a full disk, a damaged file, or something rarer.

use rusqlite::ErrorCode;

use crate::error::{Error, StoreError};

/// `SQLITE_IOERR_SHMSIZE`.
const IOERR_SHMSIZE: i32 = 10 | (19 << 8);

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(e, _) => match e.code {
                ErrorCode::DiskFull => Self::Full,
                // The shared-memory file could not grow: a full disk by another name.
                ErrorCode::SystemIoFailure if e.extended_code == IOERR_SHMSIZE => Self::Full,
                ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => Self::Damaged,
                ErrorCode::SystemIoFailure => Self::Io(std::io::ErrorKind::Other),
                _ => Self::Sql(e.extended_code),
            },
            rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..) => Self::BadRow("row"),
            _ => Self::Sql(-1),
        }
    }
}
