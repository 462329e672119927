//! The only opener of transactions.
//!
//! One writer behind a mutex, always `BEGIN IMMEDIATE` and `synchronous=FULL`: when `write` returns,
//! what it wrote survives a power cut. Readers see the last committed state and do not wait for the
//! writer's flush. `pause` waits for calls that are running, then closes every file and gives the
//! lock back, so that a suspended app holds nothing (iOS kills apps that do).

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use satchel_protocol::crypto::Secret32;

use super::{opening, rekey};
use crate::error::{Error, Result};
use crate::limits;

/// A snapshot to read from; a [`Tx`] is one too.
pub(crate) type Snapshot = Connection;

/// A durable transaction, opened by [`Db::write`] alone. Its beginning and its end come out of the connection's cache
/// of statements: parsed anew each time, as rusqlite's own does it, they were 5 % of an attempt.
pub(crate) struct Tx<'a> {
    conn: &'a Connection,
}

impl<'a> Tx<'a> {
    fn begin(conn: &'a Connection, how: &'static str) -> Result<Self> {
        conn.prepare_cached(how)?.execute([])?;
        Ok(Self { conn })
    }

    fn commit(self) -> Result<()> {
        self.conn.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

impl std::ops::Deref for Tx<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.conn
    }
}

impl Drop for Tx<'_> {
    /// Takes back what was not committed, also after a panic and where the commit itself failed.
    fn drop(&mut self) {
        if self.conn.is_autocommit() {
            return;
        }
        let undone = self
            .conn
            .prepare_cached("ROLLBACK")
            .and_then(|mut undo| undo.execute([]));
        if let Err(error) = undone {
            tracing::warn!(%error, "a transaction could not be taken back");
        }
    }
}

/// Writing from its first statement on.
const TO_WRITE: &str = "BEGIN IMMEDIATE";
/// A snapshot from its first statement on.
const TO_READ: &str = "BEGIN";
/// After so many transactions the log is worth moving into the database: a day of attempts, about four megabytes.
const LONG_LOG_COMMITS: u32 = 200;

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

/// The phone's store. Lock order: `writer` before `gate`.
pub(crate) struct Db {
    dir: PathBuf,
    key: Mutex<Secret32>,
    writer: Mutex<Option<opening::Opened>>,
    gate: Mutex<Gate>,
    no_readers: Condvar,
    /// Transactions since the log was last moved into the database.
    unmoved: AtomicU32,
}

impl Db {
    /// Opens or creates the store in `dir`.
    pub(crate) fn open(dir: &Path, key: Secret32) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let writer = opening::open(dir, &key)?;
        Ok(Self {
            dir: dir.to_owned(),
            key: Mutex::new(key),
            writer: Mutex::new(Some(writer)),
            gate: Mutex::new(Gate {
                phase: Phase::Open,
                idle: Vec::new(),
                reading: 0,
            }),
            no_readers: Condvar::new(),
            // What an earlier process left behind counts as long.
            unmoved: AtomicU32::new(LONG_LOG_COMMITS),
        })
    }

    /// Runs `work` in one durable transaction; an error rolls everything back.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        let writer = self.writer();
        let Some(open) = &*writer else {
            self.gate().phase.check()?;
            return Err(Error::Paused);
        };
        let tx = Tx::begin(&open.conn, TO_WRITE)?;
        let value = work(&tx)?;
        tx.commit()?;
        self.unmoved.fetch_add(1, Ordering::Relaxed);
        Ok(value)
    }

    /// Runs `work` on one consistent snapshot.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut reader = self.reader()?;
        let conn = match reader.conn.take() {
            Some(conn) => conn,
            None => opening::reader(&self.dir, &self.key())?,
        };
        // Dropping it ends the snapshot, whatever `work` says.
        let conn = reader.conn.insert(conn);
        let tx = Tx::begin(conn, TO_READ)?;
        work(&tx)
    }

    /// [`Db::read`] for a handful of rows at the door: on the writer, whose pages are warm, if nobody is
    /// writing. A reader has to read and decrypt its pages anew after every commit.
    pub(crate) fn read_short<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        match self.writer.try_lock() {
            Ok(writer) => match &*writer {
                Some(open) => {
                    let tx = Tx::begin(&open.conn, TO_READ)?;
                    work(&tx)
                }
                None => {
                    drop(writer);
                    self.read(work)
                }
            },
            Err(_) => self.read(work),
        }
    }

    /// Moves a long log into the database at a moment at which nobody waits for it, so that no attempt has to. On a
    /// connection of its own: whoever records meanwhile goes on.
    pub(crate) fn shorten_log(&self) -> Result<()> {
        if self.unmoved.load(Ordering::Relaxed) < LONG_LOG_COMMITS {
            return Ok(());
        }
        // Counted as a reader, so that closing and changing the key wait for it.
        let _reader = self.reader()?;
        self.unmoved.store(0, Ordering::Relaxed);
        opening::move_log(&self.dir, &self.key())
    }

    /// Moves the write-ahead log into the database and cuts it off: afterwards no file of the store holds an
    /// older version of a page. `false`: a reader is in the way, try again.
    pub(crate) fn empty_log(&self) -> Result<bool> {
        let mut writer = self.writer();
        let Some(open) = &mut *writer else {
            self.gate().phase.check()?;
            return Err(Error::Paused);
        };
        opening::empty_log(&open.conn, &self.dir)
    }

    /// Encrypts the whole store under another key. Readers wait meanwhile.
    pub(crate) fn rekey(&self, new: Secret32) -> Result<()> {
        let mut writer = self.writer();
        let Some(open) = &mut *writer else {
            self.gate().phase.check()?;
            return Err(Error::Paused);
        };
        let mut gate = self.gate();
        while gate.reading > 0 {
            gate = self
                .no_readers
                .wait(gate)
                .unwrap_or_else(PoisonError::into_inner);
        }
        // They know the old key and the old file.
        gate.idle.clear();
        rekey::copy(&open.conn, &self.dir, &self.key(), &new)?;
        let Some(lock) = writer.take().map(opening::Opened::close) else {
            return Err(Error::Paused);
        };
        // Whatever fails from here on leaves a whole store, under one of the two keys, that is not open.
        gate.phase = Phase::Paused;
        rekey::adopt(&self.dir, &new)?;
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = new;
        *writer = Some(opening::reopen(&self.dir, &self.key(), lock)?);
        gate.phase = Phase::Open;
        Ok(())
    }

    /// The key that the store has.
    pub(crate) fn key(&self) -> Secret32 {
        self.key
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A file of the store, for asking the file system about its place.
    pub(crate) fn path(&self) -> &Path {
        &self.dir
    }

    /// What the store's own files take on disk.
    pub(crate) fn disk_bytes(&self) -> u64 {
        opening::FILES
            .iter()
            .filter_map(|file| std::fs::metadata(self.dir.join(file)).ok())
            .map(|meta| crate::proof::blob::allocated(&meta))
            .sum()
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
        *writer = Some(opening::open(&self.dir, &self.key())?);
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

    fn writer(&self) -> MutexGuard<'_, Option<opening::Opened>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the files of the store in `dir`, the lock last.
pub(crate) fn remove(dir: &Path) -> Result<()> {
    opening::remove(dir)
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
