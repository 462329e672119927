//! Opens the embedded database and hands out its only writer.
//!
//! One connection writes, a few read (WAL): writers queue inside the process instead of colliding in
//! SQLite, and every write is one `BEGIN IMMEDIATE` transaction. `synchronous=FULL`, because what a
//! receipt says is held must survive a power cut (security notes §0).

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use satchel_protocol::ids::{CourierId, DeviceId, Handle, Hash32, ParcelId};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{Connection, Row, Sqlite, Transaction};
use uuid::Uuid;

use crate::error::HubError;

// The SQLite that sqlx calls; the same as the phone's, here without a key.
use satchel_sqlite as _;

static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// `PRAGMA application_id` of a hub's file, as the first migration sets it.
const APPLICATION_ID: i64 = 0x5348_5542;
/// Long enough for a large import of another process, short enough for a phone to retry.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const READERS: u32 = 4;
/// Rows that the database's thread reads before anybody takes one: a batch's questions have up to 500, and waiting
/// for each other every 50 rows was a quarter of that thread's time.
const ROWS_AHEAD: usize = 512;
/// What the writer keeps in memory: a whole batch and the inner pages of the trees it goes into, so that nothing is
/// written before the commit and read again.
const WRITER_CACHE: &str = "-16384";
/// Pages of the WAL (4 KiB each) at which a commit moves them into the file itself. Batches see to that before, and
/// while nobody waits: see [`Db::grown`].
const WAL_MOST_PAGES: &str = "4000";
/// What batches bring until the WAL is moved: some 1,000 to 2,000 pages.
const MOVE_AFTER_BYTES: usize = 1 << 20;
const FILE_NAME: &str = "hub.db";

/// A write transaction.
pub(crate) type Tx = Transaction<'static, Sqlite>;

/// The database of one hub.
#[derive(Debug, Clone)]
pub(crate) struct Db {
    writer: SqlitePool,
    readers: SqlitePool,
    /// Bytes that batches brought since the WAL was last moved into the file.
    brought: Arc<AtomicUsize>,
}

impl Db {
    /// Opens or creates the database of `dir` and brings it to this build's schema.
    pub(crate) async fn open(dir: &Path) -> Result<Self, HubError> {
        let path = dir.join(FILE_NAME);
        check_owner(&path).await?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .row_buffer_size(ROWS_AHEAD)
            .pragma("temp_store", "MEMORY")
            .pragma("trusted_schema", "OFF")
            .pragma("secure_delete", "ON");
        // A file does not hang up as a server does: asking a connection whether it lives costs as much as a
        // small query.
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            // SQLite ends a transaction by itself where the disk is full, and sqlx goes on counting it as open:
            // every later one would be refused. The ping waits for what a dropped transaction left to be done.
            .before_acquire(|writer, _| {
                Box::pin(async move {
                    writer.ping().await?;
                    Ok(!writer.is_in_transaction())
                })
            })
            .connect_with(
                options
                    .clone()
                    .pragma("cache_size", WRITER_CACHE)
                    .pragma("wal_autocheckpoint", WAL_MOST_PAGES),
            )
            .await?;
        MIGRATOR.run(&writer).await.map_err(|e| match e {
            MigrateError::VersionMissing(found) | MigrateError::VersionTooNew(found, _) => {
                HubError::NewerDatabase { found }
            }
            other => HubError::Migration(other),
        })?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .test_before_acquire(false)
            .connect_with(options.read_only(true))
            .await?;
        Ok(Self {
            writer,
            readers,
            brought: Arc::default(),
        })
    }

    /// Starts a write transaction. Dropping it without `commit` rolls back.
    pub(crate) async fn write(&self) -> Result<Tx, HubError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// A batch of so many bytes was committed. Enough of them, and the WAL is moved into the file behind the answer,
    /// while the phone reads its receipt, instead of within a commit that a phone waits for. Whether that succeeds
    /// changes nothing but speed.
    pub(crate) fn grown(&self, bytes: usize) {
        let before = self.brought.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) < MOVE_AFTER_BYTES {
            return;
        }
        self.brought.store(0, Ordering::Relaxed);
        let writer = self.writer.clone();
        tokio::spawn(async move {
            let moved = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
                .execute(&writer)
                .await;
            if let Err(error) = moved {
                tracing::debug!(%error, "the log of the database stays long");
            }
        });
    }

    /// The read-only connections.
    pub(crate) fn read(&self) -> &SqlitePool {
        &self.readers
    }

    /// Folds the WAL back into the file and cuts it off, so that no file holds an older version of a page.
    /// A reader in the way is no failure: what is left goes with the next checkpoint.
    pub(crate) async fn empty_log(&self) -> Result<(), HubError> {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Closes all connections; the last one folds the WAL back into the file.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Refuses a file that is not ours before anything is written to it, even a changed journal mode.
async fn check_owner(path: &Path) -> Result<(), HubError> {
    if std::fs::metadata(path).map_or(0, |m| m.len()) == 0 {
        return Ok(());
    }
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await
        .map_err(not_ours)?;
    let id: Result<i64, _> = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&pool)
        .await;
    pool.close().await;
    if id.map_err(not_ours)? == APPLICATION_ID {
        Ok(())
    } else {
        Err(HubError::ForeignDatabase)
    }
}

/// SQLite's "not a database" and "malformed" as what they mean here.
fn not_ours(e: sqlx::Error) -> HubError {
    let code = e
        .as_database_error()
        .and_then(|d| d.code())
        .unwrap_or_default()
        .into_owned();
    match code.as_str() {
        "26" | "11" => HubError::ForeignDatabase,
        _ => HubError::Database(e),
    }
}

/// Reads the typed ids out of rows; a wrong length is damage, not a panic.
pub(crate) trait RowExt {
    fn uuid(&self, column: &'static str) -> Result<Uuid, HubError>;
    fn hash(&self, column: &'static str) -> Result<Hash32, HubError>;
    fn handle(&self, column: &'static str) -> Result<Handle, HubError>;

    fn device(&self, column: &'static str) -> Result<DeviceId, HubError> {
        self.uuid(column).map(DeviceId)
    }
    fn courier(&self, column: &'static str) -> Result<CourierId, HubError> {
        self.uuid(column).map(CourierId)
    }
    fn parcel(&self, column: &'static str) -> Result<ParcelId, HubError> {
        self.uuid(column).map(ParcelId)
    }
}

impl RowExt for SqliteRow {
    fn uuid(&self, column: &'static str) -> Result<Uuid, HubError> {
        let bytes: &[u8] = self.try_get(column)?;
        Uuid::from_slice(bytes).map_err(|_| HubError::DamagedRow { what: column })
    }

    fn hash(&self, column: &'static str) -> Result<Hash32, HubError> {
        let bytes: &[u8] = self.try_get(column)?;
        Hash32::try_from(bytes).map_err(|_| HubError::DamagedRow { what: column })
    }

    fn handle(&self, column: &'static str) -> Result<Handle, HubError> {
        let bytes: &[u8] = self.try_get(column)?;
        Handle::try_from(bytes).map_err(|_| HubError::DamagedRow { what: column })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As SQLite does by itself where the disk is full at a commit.
    #[tokio::test]
    async fn a_transaction_that_sqlite_ended_by_itself_keeps_nobody_from_writing() {
        let home = tempfile::tempdir().unwrap();
        let db = Db::open(home.path()).await.unwrap();
        for _ in 0..3 {
            let mut tx = db.write().await.unwrap();
            let insert = "INSERT OR ROLLBACK INTO twice VALUES (1), (1)";
            sqlx::query("CREATE TEMP TABLE IF NOT EXISTS twice (n INTEGER PRIMARY KEY)")
                .execute(&mut *tx)
                .await
                .unwrap();
            assert!(sqlx::query(insert).execute(&mut *tx).await.is_err());
            assert!(tx.commit().await.is_err());
        }
        let tx = db.write().await.unwrap();
        tx.commit().await.unwrap();
    }

    #[tokio::test]
    async fn the_writer_waits_for_its_flushes_in_the_library_that_was_built_for_it() {
        let home = tempfile::tempdir().unwrap();
        let db = Db::open(home.path()).await.unwrap();
        let mut tx = db.write().await.unwrap();
        let mut ask = async |sql: &'static str| -> String {
            let row = sqlx::query(sql).fetch_one(&mut *tx).await.unwrap();
            row.try_get::<String, _>(0)
                .or_else(|_| row.try_get::<i64, _>(0).map(|n| n.to_string()))
                .unwrap()
        };
        assert_eq!(ask("PRAGMA journal_mode").await, "wal");
        assert_eq!(ask("PRAGMA synchronous").await, "2", "FULL");
        assert_eq!(ask("PRAGMA foreign_keys").await, "1");
        let library = ask("SELECT sqlite3mc_version()").await;
        assert!(library.ends_with(satchel_sqlite::RELEASE), "{library}");
        drop(tx);
        db.close().await;
        // Without a key: an operator reads and copies the file with any SQLite.
        let bytes = std::fs::read(home.path().join(FILE_NAME)).unwrap();
        assert!(bytes.starts_with(b"SQLite format 3\0"));
    }
}
