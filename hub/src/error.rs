//! What can go wrong in the hub, for its operator; what a phone is told lives in [`crate::api::error`].
//!
//! No variant carries personal data or a secret: errors end up in logs.

use std::io;

use satchel_protocol::ids::DeviceId;
use thiserror::Error;

/// An error of the hub's library functions.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HubError {
    /// The database refused or failed.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The file in the data directory is not a database, or not the hub's.
    #[error("the database file is damaged or belongs to another program; it was left as it is")]
    ForeignDatabase,
    /// The database was written by a newer hub.
    #[error("the database has schema version {found}, newer than this hub knows")]
    NewerDatabase {
        /// The unknown version.
        found: i64,
    },
    /// A migration could not be applied; the database is unchanged.
    #[error("migration: {0}")]
    Migration(sqlx::migrate::MigrateError),
    /// A stored value does not have the form the hub wrote.
    #[error("stored {what} is damaged")]
    DamagedRow {
        /// Which value.
        what: &'static str,
    },
    /// A file operation failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The key file exists but cannot be read as one.
    #[error("the key file is damaged; restore it from a backup, a new one would void all receipts")]
    DamagedKeyFile,
    /// The operating system gave no random bytes.
    #[error("no randomness available")]
    NoEntropy,
    /// The public URL is not an http or https address without path, query or user.
    #[error("the public URL must be like https://hub.example.com, without a path")]
    BadPublicUrl,
    /// A name is empty, too long or holds control characters.
    #[error("a name must have 1 to 100 printable characters")]
    BadName,
    /// No device of this hub.
    #[error("no device {0}")]
    UnknownDevice(DeviceId),
    /// No rating of this hub to which that can be done.
    #[error("no rating {0} to do that to")]
    UnknownRating(i64),
    /// No such doubt.
    #[error("no such doubt")]
    UnknownDoubt,
    /// More TLS keys than an address has at one time.
    #[error("at most 4 pins")]
    TooManyPins,
    /// Nothing can be sealed to this key.
    #[error("not the public half of a recovery key")]
    NotARecoveryKey,
    /// This phone never sealed its store's key, or it was wiped.
    #[error("no sealed key of device {0}; one may lie beside its store")]
    NoEscrow(DeviceId),
    /// What people do to a rating needs a reason of 3 to 300 characters.
    #[error("a reason of 3 to 300 characters is needed")]
    NoReason,
    /// An import gave rounds, and nobody was named to drive them.
    #[error("no courier: name at least one")]
    NoCourier,
    /// No row of the file can be trusted.
    #[error("import: {0}")]
    Import(#[from] crate::import::ImportError),
    /// The grouping rule does not fit the file.
    #[error("grouping: {0}")]
    Grouping(#[from] crate::import::GroupError),
    /// The record cannot be kept as a consent.
    #[error("consent: {0}")]
    Consent(#[from] crate::consents::ConsentFault),
    /// No parcel of this hub.
    #[error("no such parcel")]
    UnknownParcel,
    /// Two systems gave the same waybill number.
    #[error("several parcels have this waybill number; name the parcel by its id")]
    AmbiguousWaybill,
    /// The step does not fit where the parcel is.
    #[error("step: {0}")]
    Step(#[from] satchel_protocol::transitions::WhyNot),
    /// Words beside a step or an answer are longer than a phone shows.
    #[error("the words are too long")]
    TooManyWords,
    /// The rule set is not sent out.
    #[error("rules: {0}")]
    RuleSet(#[from] crate::publish::RuleSetFault),
    /// The abnormal day cannot be declared or ended.
    #[error("regime: {0}")]
    Regime(#[from] crate::publish::RegimeFault),
    /// The traffic table is not sent out.
    #[error("traffic: {0}")]
    Traffic(#[from] crate::publish::TrafficFault),
    /// The settings of a courier are not taken.
    #[error("courier: {0}")]
    Setting(#[from] crate::publish::SettingFault),
    /// The answer to a report is not sent.
    #[error("report: {0}")]
    Answer(#[from] crate::publish::AnswerFault),
    /// The file of a phone's unsent work cannot be taken.
    #[error("export file: {0}")]
    Export(#[from] satchel_protocol::export::ExportError),
    /// No round of this id.
    #[error("no round of this id")]
    UnknownRound,
    /// No courier of this name.
    #[error("no courier of this name")]
    UnknownCourier,
    /// A worker thread ended early; only a bug or a shutdown does that.
    #[error("a background task ended early")]
    Worker,
}

impl HubError {
    /// Names a failed file operation.
    pub(crate) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }

    /// Whether there was no room on the disk.
    pub(crate) fn is_of_room(&self) -> bool {
        match self {
            Self::Io { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            ),
            // SQLITE_FULL.
            Self::Database(error) => error
                .as_database_error()
                .and_then(sqlx::error::DatabaseError::code)
                .is_some_and(|code| code == "13"),
            _ => false,
        }
    }
}

impl From<tokio::task::JoinError> for HubError {
    fn from(_: tokio::task::JoinError) -> Self {
        Self::Worker
    }
}
