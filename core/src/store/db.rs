//! The only opener of connections and transactions.
//!
//! One writer behind a mutex, always `BEGIN IMMEDIATE` and `synchronous=FULL`: when `write` returns,
//! what it wrote survives a power cut. Readers see the last committed state and do not wait for the
//! writer's flush. `pause` waits for calls that are running, then closes every file and gives the
//! lock back, so that a suspended app holds nothing (iOS kills apps that do).

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    Paused,
    Closed,
}

impl Phase {
    fn check(self) -> Result<()> {
        match self {
            Self::Open => Ok(()),
            Self::Paused => Err(Error::Paused),
            Self::Closed => Err(Error::Closed),
        }
    }
}

/// What readers share. Never held while SQLite works.
struct Gate {
    phase: Phase,
    idle: Vec<Connection>,
    reading: usize,
}

/// What is open while the store is.
struct Writer {
    conn: Connection,
    // Held as long as the store is open; the operating system drops it with the process.
    _lock: File,
}

/// The phone's store. Lock order: `writer` before `gate`.
pub(crate) struct Db {
    dir: PathBuf,
    key: Secret32,
    writer: Mutex<Option<Writer>>,
    gate: Mutex<Gate>,
    no_readers: Condvar,
}

impl Db {
    /// Opens or creates the store in `dir`.
    pub(crate) fn open(dir: &Path, key: Secret32) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let writer = Writer::open(dir, &key)?;
        Ok(Self {
            dir: dir.to_owned(),
            key,
            writer: Mutex::new(Some(writer)),
            gate: Mutex::new(Gate {
                phase: Phase::Open,
                idle: Vec::new(),
                reading: 0,
            }),
            no_readers: Condvar::new(),
        })
    }

    /// Runs `work` in one durable transaction; an error rolls everything back.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut writer = self.writer();
        let Some(open) = &mut *writer else {
            self.gate().phase.check()?;
            return Err(Error::Paused);
        };
        let tx = open
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&tx)?;
        tx.commit()?;
        Ok(value)
    }

    /// Runs `work` on one consistent snapshot.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut reader = self.reader()?;
        let conn = match reader.conn.take() {
            Some(conn) => conn,
            None => connect(
                &self.dir.join(DB_FILE),
                &self.key,
                OpenFlags::SQLITE_OPEN_READ_ONLY,
            )?,
        };
        // Dropping it ends the snapshot, whatever `work` says.
        let conn = reader.conn.insert(conn);
        let tx = conn.transaction()?;
        work(&tx)
    }

    /// Waits for running calls, then closes every file until [`Db::resume`].
    pub(crate) fn pause(&self) {
        self.shut(Phase::Paused);
    }

    /// Closes for good. Another instance may open the folder from here on.
    pub(crate) fn close(&self) {
        self.shut(Phase::Closed);
    }

    /// Opens the files again after [`Db::pause`].
    pub(crate) fn resume(&self) -> Result<()> {
        let mut writer = self.writer();
        match self.gate().phase {
            Phase::Open => return Ok(()),
            Phase::Closed => return Err(Error::Closed),
            Phase::Paused => {}
        }
        *writer = Some(Writer::open(&self.dir, &self.key)?);
        self.gate().phase = Phase::Open;
        Ok(())
    }

    fn shut(&self, phase: Phase) {
        let mut writer = self.writer();
        let mut gate = self.gate();
        if gate.phase != Phase::Closed {
            gate.phase = phase;
        }
        // No new reader starts from here on; those under way are short.
        while gate.reading > 0 {
            gate = self
                .no_readers
                .wait(gate)
                .unwrap_or_else(PoisonError::into_inner);
        }
        gate.idle.clear();
        drop(gate);
        *writer = None;
    }

    fn reader(&self) -> Result<Reader<'_>> {
        let mut gate = self.gate();
        gate.phase.check()?;
        gate.reading += 1;
        let conn = gate.idle.pop();
        Ok(Reader { db: self, conn })
    }

    fn writer(&self) -> MutexGuard<'_, Option<Writer>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One read under way; gives its connection back, also when the work fails or panics.
struct Reader<'a> {
    db: &'a Db,
    conn: Option<Connection>,
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut gate = self.db.gate();
        if let Some(conn) = self.conn.take()
            && gate.phase == Phase::Open
            && gate.idle.len() < limits::MAX_READERS
        {
            gate.idle.push(conn);
        }
        gate.reading -= 1;
        if gate.reading == 0 {
            self.db.no_readers.notify_all();
        }
    }
}

impl Writer {
    fn open(dir: &Path, key: &Secret32) -> Result<Self> {
        let lock = lock(dir)?;
        let conn = open_or_create(dir, key)?;
        Ok(Self { conn, _lock: lock })
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
    let len_bytes = match std::fs::metadata(&path) {
        Ok(meta) => meta.len(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => 0,
        Err(e) => return Err(StoreError::from(e).into()),
    };
    // What an unreadable store means depends on what the file beside it says about the key.
    let unreadable = match checked {
        KeyCheck::Absent => StoreError::Foreign,
        KeyCheck::Matches => StoreError::Damaged,
        KeyCheck::Differs => StoreError::WrongKey,
    };
    // The key check is written last at creation: where it is, a missing store is a loss, not a beginning.
    if len_bytes == 0 && checked != KeyCheck::Absent {
        return Err(unreadable.into());
    }
    if len_bytes > 0 && starts_plain(&path)? {
        return Err(StoreError::Foreign.into());
    }
    let mut conn = connect(
        &path,
        key,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    )
    .map_err(|error| match error {
        Error::Store(StoreError::Damaged) => unreadable.into(),
        other => other,
    })?;
    schema::migrate(&mut conn)?;
    if checked != KeyCheck::Matches {
        // A new store, or a key check that is damaged while the key does open the store. The first
        // attempt must not be acknowledged before the file itself would survive a power cut.
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
