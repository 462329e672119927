//! The only opener of connections and transactions.
//!
//! One writer behind a mutex, always `BEGIN IMMEDIATE` and `synchronous=FULL`: when `write` returns,
//! what it wrote survives a power cut. Readers see the last committed state and never wait for the
//! writer. `pause` closes every file so that a suspended app holds no lock (iOS kills apps that do).

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use data_encoding::HEXLOWER;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use satchel_protocol::crypto::Secret32;
use zeroize::Zeroizing;

use super::keycheck::{self, KeyCheck};
use super::schema;
use crate::error::{Error, Result, StoreError};
use crate::limits;

const DB_FILE: &str = "satchel.db";
const KEY_CHECK_FILE: &str = "satchel.kcv";
const LOCK_FILE: &str = "satchel.lock";
/// What a database that is not encrypted starts with.
const PLAIN_SQLITE: &[u8] = b"SQLite format 3\0";

/// A durable transaction, opened by [`Db::write`] alone.
pub(crate) type Tx<'a> = Transaction<'a>;
/// A snapshot to read from; a [`Tx`] is one too.
pub(crate) type Snapshot = Connection;

enum Writer {
    Open(Box<Connection>),
    Paused,
    Closed,
}

/// The phone's store.
pub(crate) struct Db {
    dir: PathBuf,
    key: Secret32,
    writer: Mutex<Writer>,
    readers: Mutex<Vec<Connection>>,
    // Held as long as the store is open; the operating system drops it with the process.
    _lock: File,
}

impl Db {
    /// Opens or creates the store in `dir`.
    pub(crate) fn open(dir: &Path, key: Secret32) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let lock = lock(dir)?;
        let conn = open_or_create(dir, &key)?;
        Ok(Self {
            dir: dir.to_owned(),
            key,
            writer: Mutex::new(Writer::Open(Box::new(conn))),
            readers: Mutex::default(),
            _lock: lock,
        })
    }

    /// Runs `work` in one durable transaction; an error rolls everything back.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut writer = self.writer();
        let conn = match &mut *writer {
            Writer::Open(conn) => conn,
            Writer::Paused => return Err(Error::Paused),
            Writer::Closed => return Err(Error::Closed),
        };
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&tx)?;
        tx.commit()?;
        Ok(value)
    }

    /// Runs `work` on one consistent snapshot.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        match &*self.writer() {
            Writer::Open(_) => {}
            Writer::Paused => return Err(Error::Paused),
            Writer::Closed => return Err(Error::Closed),
        }
        let pooled = self.readers().pop();
        let mut conn = match pooled {
            Some(conn) => conn,
            None => connect(
                &self.dir.join(DB_FILE),
                &self.key,
                OpenFlags::SQLITE_OPEN_READ_ONLY,
            )?,
        };
        let value = {
            let tx = conn.transaction()?;
            work(&tx)?
        };
        // A pause meanwhile has emptied the pool on purpose: then this connection closes here.
        let open = matches!(&*self.writer(), Writer::Open(_));
        let mut readers = self.readers();
        if open && readers.len() < limits::MAX_READERS {
            readers.push(conn);
        }
        Ok(value)
    }

    /// Closes every file until [`Db::resume`].
    pub(crate) fn pause(&self) {
        let mut writer = self.writer();
        if matches!(*writer, Writer::Open(_)) {
            self.readers().clear();
            *writer = Writer::Paused;
        }
    }

    /// Opens the files again after [`Db::pause`].
    pub(crate) fn resume(&self) -> Result<()> {
        let mut writer = self.writer();
        match *writer {
            Writer::Open(_) => Ok(()),
            Writer::Closed => Err(Error::Closed),
            Writer::Paused => {
                *writer = Writer::Open(Box::new(open_or_create(&self.dir, &self.key)?));
                Ok(())
            }
        }
    }

    /// Closes for good.
    pub(crate) fn close(&self) {
        let mut writer = self.writer();
        self.readers().clear();
        *writer = Writer::Closed;
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn readers(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock(dir: &Path) -> Result<File> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join(LOCK_FILE))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse.into()),
        Err(std::fs::TryLockError::Error(e)) => Err(StoreError::from(e).into()),
    }
}

/// Opens the store, or makes a new one where there is none. Damage is reported, never removed.
fn open_or_create(dir: &Path, key: &Secret32) -> Result<Connection> {
    let path = dir.join(DB_FILE);
    let check_path = dir.join(KEY_CHECK_FILE);
    let checked = keycheck::check(&check_path, key)?;
    if checked == KeyCheck::Differs {
        return Err(StoreError::WrongKey.into());
    }
    let len_bytes = match std::fs::metadata(&path) {
        Ok(meta) => meta.len(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => 0,
        Err(e) => return Err(StoreError::from(e).into()),
    };
    // The key check is written last at creation: where it is, a missing store is a loss, not a beginning.
    if len_bytes == 0 && checked == KeyCheck::Matches {
        return Err(StoreError::Damaged.into());
    }
    if len_bytes > 0 && starts_plain(&path)? {
        return Err(StoreError::Foreign.into());
    }
    let unreadable = |error: Error| match error {
        Error::Store(StoreError::Damaged) if checked == KeyCheck::Absent => {
            Error::Store(StoreError::Foreign)
        }
        other => other,
    };
    let mut conn = connect(
        &path,
        key,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    )
    .map_err(unreadable)?;
    schema::migrate(&mut conn)?;
    if checked == KeyCheck::Absent {
        // The first attempt must not be acknowledged before the file itself would survive a power cut.
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        keycheck::write(&check_path, key)?;
        File::open(dir)?.sync_all()?;
    }
    Ok(conn)
}

fn starts_plain(path: &Path) -> Result<bool> {
    use std::io::Read;
    let mut head = Vec::new();
    File::open(path)?.take(16).read_to_end(&mut head)?;
    Ok(head == PLAIN_SQLITE)
}

fn connect(path: &Path, key: &Secret32, flags: OpenFlags) -> Result<Connection> {
    let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    let hex = Zeroizing::new(HEXLOWER.encode(key.expose()));
    // A raw key: no passphrase hashing, which would cost 150 ms per connection (security notes §3.3).
    let pragma = Zeroizing::new(format!("PRAGMA key = \"x'{}'\"", hex.as_str()));
    conn.execute_batch(&pragma)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    conn.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON;")?;
    // The first real read: fails here if key or file is wrong.
    conn.query_row("SELECT count(*) FROM sqlite_master", [], |row| {
        row.get::<_, i64>(0)
    })?;
    if !flags.contains(OpenFlags::SQLITE_OPEN_READ_ONLY) {
        conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    }
    conn.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}
