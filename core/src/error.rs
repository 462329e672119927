//! What can go wrong, rich inside; the bindings fold it into one small enum by what the host must do.
//!
//! No variant carries personal data or a path: an error may be logged as it is.

use satchel_protocol::FormatError;
use thiserror::Error;

use crate::clock::NoEntropy;
use crate::proof::blob::BlobError;
use crate::proof::ink::InkError;
use crate::proof::photo::PhotoError;
use crate::rating::qr::QrCodeError;
use crate::route::RouteError;
use crate::rules::kpi::EarningsFault;

mod refusal;

pub use refusal::Refusal;

/// Result of the core.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Anything the core refuses or fails at.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not an invite of a hub.
    #[error("the enrolment code is not a valid invite")]
    InvalidInvite,
    /// This phone already belongs to a hub.
    #[error("this phone is already enrolled")]
    AlreadyEnrolled,
    /// What the host gave is not its hardware key's signature over the bytes of the task.
    #[error("not the hardware key's signature")]
    HardwareSignature,
    /// This phone belongs to no hub yet.
    #[error("this phone is not enrolled")]
    NotEnrolled,
    /// No such thing on this phone.
    #[error("unknown {what}")]
    NotFound {
        /// What was asked for.
        what: &'static str,
    },
    /// The attempt is already completed; its first version stands.
    #[error("the attempt is already completed")]
    AlreadyCompleted,
    /// The rules of the handoff do not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A value from the host is out of its range.
    #[error("invalid {what}")]
    InvalidInput {
        /// Which value.
        what: &'static str,
    },
    /// The photo cannot be a proof.
    #[error(transparent)]
    Photo(#[from] PhotoError),
    /// The signature cannot be a proof.
    #[error(transparent)]
    Ink(#[from] InkError),
    /// The code cannot be drawn.
    #[error(transparent)]
    Qr(#[from] QrCodeError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stops, the wishes or a time make no problem that can be planned.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// There is no honest estimate of the earnings.
    #[error(transparent)]
    Earnings(#[from] EarningsFault),
    /// The device gave no randomness.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// Paused: call `resume` first.
    #[error("the core is paused")]
    Paused,
    /// Shut down: open again.
    #[error("the core is shut down")]
    Closed,
}

/// Why the store cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The key does not open this store.
    #[error("wrong key for this store")]
    WrongKey,
    /// Not a store of Satchel's.
    #[error("not a store of this library")]
    Foreign,
    /// The store's file is damaged; nothing was deleted.
    #[error("the store is damaged")]
    Damaged,
    /// The SQLite that was linked into this program does not encrypt; nothing was written.
    #[error("this build has no cipher for the store")]
    NoCipher,
    /// A newer release wrote it.
    #[error("the store has schema {found}, this build knows {known}")]
    Newer {
        /// Schema version in the file.
        found: i64,
        /// Newest schema this build knows.
        known: i64,
    },
    /// Another instance has it open.
    #[error("the store is in use by another instance")]
    InUse,
    /// The device's storage is full; nothing acknowledged is lost.
    #[error("the device's storage is full")]
    Full,
    /// Reading or writing failed.
    #[error("storage failed: {0}")]
    Io(std::io::ErrorKind),
    /// SQLite failed in a way that has no better name.
    #[error("database failed with code {0}")]
    Sql(i32),
    /// A row does not have the form this build writes.
    #[error("a stored {0} does not have its form")]
    BadRow(&'static str),
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<FormatError> for Error {
    fn from(_: FormatError) -> Self {
        Self::Store(StoreError::BadRow("record"))
    }
}

impl From<BlobError> for Error {
    fn from(error: BlobError) -> Self {
        Self::Store(match error {
            BlobError::StorageFull => StoreError::Full,
            BlobError::Io(kind) => StoreError::Io(kind),
            _ => StoreError::Damaged,
        })
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            kind => Self::Io(kind),
        }
    }
}
