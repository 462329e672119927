//! Opening the store's files: whose they are, whether the key is right, and that a new store survives a
//! power cut before it takes its first record.
//!
//! The write-ahead log is kept across openings and grown once beforehand. A flush that makes a file
//! longer also commits the file system's journal; overwriting does not, and a courier's day fits into
//! the part that is there already (sync notes §4.6).

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use data_encoding::HEXLOWER;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use satchel_protocol::crypto::Secret32;
use zeroize::Zeroizing;

use super::keycheck::{self, KeyCheck};
use super::{escrow, rekey, schema, versions};
use crate::error::{Error, Result, StoreError};

pub(crate) const DB_FILE: &str = "satchel.db";
pub(crate) const WAL_FILE: &str = "satchel.db-wal";
pub(super) const KEY_CHECK_FILE: &str = "satchel.kcv";
const SHM_FILE: &str = "satchel.db-shm";
const LOCK_FILE: &str = "satchel.lock";
/// What belongs to the database.
pub(super) const FILES: [&str; 4] = [DB_FILE, WAL_FILE, SHM_FILE, KEY_CHECK_FILE];
/// What a database that is not encrypted starts with.
const PLAIN_SQLITE: &[u8] = b"SQLite format 3\0";

/// SQLite's plainest failure, such as a function that it does not know (`SQLITE_ERROR`).
const SQLITE_ERROR: i32 = 1;
/// SQLite's extended code for a journal that a reader may not roll back (`SQLITE_READONLY_ROLLBACK`).
const READONLY_ROLLBACK: i32 = 776;

/// The log of a courier's day with room to spare.
const WAL_BYTES: u64 = 4_608 * 1_024;
/// Pages of the log at which an attempt itself moves it into the database: just before the log would outgrow what
/// was grown beforehand, where each flush would commit the file system's journal again. Long before that it is done
/// while the phone syncs ([`super::db::Db::shorten_log`]); only a phone that never does gets here.
const WAL_MOST_PAGES: i64 = 1_100;

/// A day's route and log stay in memory, so that recording does not decrypt pages again and again.
const WRITER_CACHE_KIB: i64 = 8 * 1_024;

const READ_WRITE: OpenFlags =
    OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_CREATE);

/// What is open while the store is.
pub(super) struct Opened {
    pub(super) conn: Connection,
    // Held as long as the store is open; the operating system drops it with the process.
    lock: Lock,
}

impl Opened {
    /// Closes the connection and keeps everybody else out.
    pub(super) fn close(self) -> Lock {
        self.lock
    }
}

/// Keeps a second instance out.
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone would not do: a process that somebody forks at this very moment has a copy of the
        // open file, and the lock with it, until it runs its own program.
        let _ = self.0.unlock();
    }
}

/// Opens the store for writing, or makes a new one where there is none.
pub(super) fn open(dir: &Path, key: &Secret32) -> Result<Opened> {
    let lock = lock(dir)?;
    reopen(dir, key, lock)
}

/// [`open`] by whoever has kept the others out meanwhile.
pub(super) fn reopen(dir: &Path, key: &Secret32, lock: Lock) -> Result<Opened> {
    rekey::sweep(dir)?;
    let conn = open_or_create(dir, key)?;
    versions::start(&conn)?;
    // Only speed depends on it; on a full disk there is none to be had.
    let _ = grow_wal(&dir.join(WAL_FILE));
    Ok(Opened { conn, lock })
}

/// Removes the store's files: the sealed key, the key check and the log before the database, the lock last.
pub(super) fn remove(dir: &Path) -> Result<()> {
    if !dir.exists() {
        return Ok(());
    }
    let lock = lock(dir)?;
    // First what opens the rest.
    escrow::remove(dir)?;
    rekey::sweep(dir)?;
    for file in [KEY_CHECK_FILE, WAL_FILE, SHM_FILE, DB_FILE] {
        match std::fs::remove_file(dir.join(file)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::from(e).into());
            }
            _ => {}
        }
    }
    drop(lock);
    let _ = std::fs::remove_file(dir.join(LOCK_FILE));
    File::open(dir)?.sync_all()?;
    Ok(())
}

/// One more connection, for reading.
pub(super) fn reader(dir: &Path, key: &Secret32) -> Result<Connection> {
    connect(&dir.join(DB_FILE), key, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// A copy of a store that came off a phone. Its log is followed as ever; nothing is migrated, and nobody else is kept out.
pub(super) fn copy(dir: &Path, key: &Secret32) -> Result<Connection> {
    connect(&dir.join(DB_FILE), key, READ_WRITE)
}

fn lock(dir: &Path) -> Result<Lock> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join(LOCK_FILE))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse.into()),
        Err(std::fs::TryLockError::Error(e)) => Err(StoreError::from(e).into()),
    }
}

/// Damage is reported, never removed, and a file that is not ours or not for this key is only read.
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
    let unreadable = || match checked {
        KeyCheck::Absent => StoreError::Foreign.into(),
        KeyCheck::Matches => StoreError::Damaged.into(),
        KeyCheck::Differs | KeyCheck::OneOfTwo => StoreError::WrongKey.into(),
    };
    // The key check is written last at creation: where it is, a missing store is a loss, not a beginning.
    if len_bytes == 0 && checked != KeyCheck::Absent {
        return Err(unreadable());
    }
    if len_bytes > 0 && starts_plain(&path)? {
        return Err(StoreError::Foreign.into());
    }
    let named = |error| match error {
        Error::Store(StoreError::Damaged) => unreadable(),
        other => other,
    };
    if len_bytes > 0 && checked != KeyCheck::Matches {
        match reader(dir, key) {
            // Killed while it was made: what was begun has to be taken back, which nobody can who only
            // reads. Nothing was recorded in it yet, and a wrong key fails below without a change.
            Err(Error::Store(StoreError::Sql(READONLY_ROLLBACK)))
                if checked == KeyCheck::Absent => {}
            read => drop(read.map_err(named)?),
        }
    }
    let mut conn = connect(&path, key, READ_WRITE).map_err(named)?;
    schema::migrate(&mut conn)?;
    if checked != KeyCheck::Matches {
        // A new store, or a key check that is damaged while the key does open the store. The first
        // attempt must not be acknowledged before the file itself would survive a power cut.
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        // The last word on whether it is encrypted has the file itself.
        if starts_plain(&path)? {
            return Err(StoreError::NoCipher.into());
        }
        keycheck::write(&check_path, key)?;
        File::open(dir)?.sync_all()?;
    }
    Ok(conn)
}

fn starts_plain(path: &Path) -> Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(16).read_to_end(&mut head)?;
    Ok(head == PLAIN_SQLITE)
}

fn connect(path: &Path, key: &Secret32, flags: OpenFlags) -> Result<Connection> {
    let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // Closing leaves the write-ahead log where it is: it is part of the store.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    unlock(&conn, key)?;
    conn.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON;")?;
    if !flags.contains(OpenFlags::SQLITE_OPEN_READ_ONLY) {
        conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        conn.pragma_update(None, "wal_autocheckpoint", WAL_MOST_PAGES)?;
    }
    conn.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

/// SQLCipher's scheme, release 4, but with HMAC-SHA-256: half the room of SHA-512, and processors of phones have
/// instructions for it. Whoever opens a store in any SQLite that knows SQLCipher's scheme has to say the same.
const SCHEME: &str = "PRAGMA cipher = 'sqlcipher'; PRAGMA legacy = 4; PRAGMA hmac_algorithm = 1;";

/// Gives the connection its key and reads for the first time, which fails if key or file is wrong. An SQLite without
/// the cipher takes the pragmas for names it does not know and would go on to write plain pages: it is found out here.
fn unlock(conn: &Connection, key: &Secret32) -> Result<()> {
    conn.execute_batch(SCHEME)?;
    // A raw key: no passphrase hashing, which would cost 150 ms per connection (security notes §3.3).
    let pragma = Zeroizing::new(format!("PRAGMA key = \"{}\"", raw(key).as_str()));
    let taken: String = conn
        .query_row(&pragma, [], |row| row.get(0))
        .map_err(no_cipher)?;
    let library: String = conn
        .query_row(
            "SELECT sqlite3mc_version() FROM (SELECT count(*) FROM sqlite_master)",
            [],
            |row| row.get(0),
        )
        .map_err(no_cipher)?;
    if taken == "ok" && library.ends_with(satchel_sqlite::RELEASE) {
        Ok(())
    } else {
        Err(StoreError::NoCipher.into())
    }
}

/// A pragma that says nothing or a function that is not there: another library than was built for this.
fn no_cipher(error: rusqlite::Error) -> StoreError {
    match StoreError::from(error) {
        StoreError::Sql(-1 | SQLITE_ERROR) => StoreError::NoCipher,
        other => other,
    }
}

/// A raw key as the cipher takes it.
pub(super) fn raw(key: &Secret32) -> Zeroizing<String> {
    let hex = Zeroizing::new(HEXLOWER.encode(key.expose()));
    Zeroizing::new(format!("x'{}'", hex.as_str()))
}

/// Moves what it can of the log into the database, without waiting for anybody.
pub(super) fn move_log(dir: &Path, key: &Secret32) -> Result<()> {
    let there = READ_WRITE.difference(OpenFlags::SQLITE_OPEN_CREATE);
    let conn = connect(&dir.join(DB_FILE), key, there)?;
    Ok(conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?)
}

/// Moves the log into the database, cuts it off and grows it again, empty. `false`: a reader holds it.
pub(super) fn empty_log(conn: &Connection, dir: &Path) -> Result<bool> {
    let busy: i64 = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get(0))?;
    if busy != 0 {
        return Ok(false);
    }
    let _ = grow_wal(&dir.join(WAL_FILE));
    Ok(true)
}

/// Appends zeros until the log has its size. SQLite takes zeros behind the last frame for the end.
fn grow_wal(path: &Path) -> std::io::Result<()> {
    let mut file = File::options().write(true).open(path)?;
    let before = file.seek(SeekFrom::End(0))?;
    let missing = WAL_BYTES.saturating_sub(before);
    if missing == 0 {
        return Ok(());
    }
    let zeros = vec![0; 64 * 1_024];
    let written = (|| {
        let mut left = missing;
        while left > 0 {
            let chunk = usize::try_from(left)
                .unwrap_or(zeros.len())
                .min(zeros.len());
            file.write_all(zeros.get(..chunk).unwrap_or(&zeros))?;
            left -= chunk as u64;
        }
        file.sync_all()
    })();
    if written.is_err() {
        // What little space there is belongs to the records.
        file.set_len(before)?;
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn a_connection_that_would_not_encrypt_is_refused() {
        // No file behind it, so the cipher says no; and one whose library knows no cipher says nothing.
        let conn = Connection::open_in_memory().unwrap();
        let refused = unlock(&conn, &Secret32::new([1; 32]));
        assert!(matches!(refused, Err(Error::Store(StoreError::NoCipher))));
        for error in [
            conn.query_row("PRAGMA no_such_pragma = 1", [], |_| Ok(()))
                .unwrap_err(),
            conn.query_row("SELECT no_such_function()", [], |_| Ok(()))
                .unwrap_err(),
        ] {
            assert!(matches!(no_cipher(error), StoreError::NoCipher));
        }
    }

    #[test]
    fn a_statement_out_of_the_cache_is_not_prepared_anew_for_other_values() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(
            "CREATE TABLE t (a BLOB PRIMARY KEY, b INTEGER, c TEXT) WITHOUT ROWID; CREATE INDEX t_by_b ON t (b);",
        )
        .unwrap();
        for n in 0..4_i64 {
            let mut stmt = conn
                .prepare_cached("SELECT c FROM t WHERE b > ?1 AND a <> ?2 ORDER BY b LIMIT ?3")
                .unwrap();
            let mut rows = stmt.query(rusqlite::params![n, [0_u8; 16], n]).unwrap();
            assert!(rows.next().unwrap().is_none());
            drop(rows);
            let anew = stmt.get_status(rusqlite::StatementStatus::RePrepare);
            assert_eq!(anew, 0, "round {n}");
        }
    }
}
