//! Reading a store row by row, as far as its pages let it: for a copy that came off a phone, and for nothing else.
//!
//! Nothing is migrated and nothing is written into a row. Every page has its own MAC, so what can be read is what was
//! written; a page that cannot costs the rows on it and no others. After a failed read the connection is made anew:
//! SQLite remembers that something was wrong and would refuse the next row for it.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use satchel_protocol::crypto::Secret32;
use satchel_protocol::ids::AttemptId;

use super::entries::{self, EntryRow};
use super::phone::{self, Identity};
use super::proofs::ProofRow;
use super::{attempts, inks, opening, queue, schema};
use crate::error::{Error, Result, StoreError};

/// A store of which some pages may be gone.
pub(crate) struct Wreck {
    dir: PathBuf,
    key: Secret32,
    conn: Connection,
}

impl Wreck {
    /// Opens the files in `dir`, a copy that is thrown away afterwards.
    pub(crate) fn open(dir: &Path, key: Secret32) -> Result<Self> {
        let conn = opening::copy(dir, &key)?;
        let found: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        match found {
            schema::KNOWN => Ok(Self {
                dir: dir.to_owned(),
                key,
                conn,
            }),
            found => Err(StoreError::Newer {
                found,
                known: schema::KNOWN,
            }
            .into()),
        }
    }

    /// Who the phone is.
    pub(crate) fn identity(&mut self) -> Result<Option<Identity>> {
        self.read(phone::identity)
    }

    /// Where the part of the log begins that the hub may not have. What cannot be read counts as not sent.
    pub(crate) fn received_head(&mut self) -> i64 {
        self.read(entries::received_head).unwrap_or(0)
    }

    /// The last place of the log, if that can be read.
    pub(crate) fn last_seq(&mut self) -> Option<i64> {
        self.read(entries::head).ok().map(|head| head.seq)
    }

    /// One entry: `None` where the log has none, or where the hub has it.
    pub(crate) fn entry(&mut self, seq: i64) -> Result<Option<EntryRow>> {
        let known = self.read(|conn| entries::unsent_at(conn, seq));
        match known {
            Ok(row) => Ok(row),
            // What the hub has is in tables of their own; an entry that it gets twice it holds once.
            Err(_) => self
                .read(|conn| entries::at(conn, seq))
                .or_else(|_| self.read(|conn| entries::without_ink_at(conn, seq))),
        }
    }

    /// The last place in the queue of photos, if that can be read.
    pub(crate) fn last_photo(&mut self) -> Option<i64> {
        let last = self.read(|conn| queue::last(conn, false));
        last.or_else(|_| self.read(|conn| queue::last(conn, true)))
            .ok()
    }

    /// A photo in the queue, and the key its file is under: `None` where the queue has none, or where the hub has it.
    pub(crate) fn photo(&mut self, id: i64) -> Result<Option<(ProofRow, [u8; 32])>> {
        let Some(row) = self.read(|conn| queue::unreceived_at(conn, id))? else {
            return Ok(None);
        };
        let attempt: AttemptId = row.attempt;
        let key = self.read(|conn| attempts::data_key(conn, attempt))?;
        // Without its visit it is as lost as with a page.
        let key = key.ok_or_else(|| Error::from(StoreError::BadRow("attempt")))?;
        Ok(Some((row, key)))
    }

    /// The signature beside an entry: `None` where there is none, or where the hub has it.
    pub(crate) fn ink(&mut self, seq: i64) -> Result<Option<ProofRow>> {
        match self.read(|conn| inks::unreceived_at(conn, seq)) {
            Ok(row) => Ok(row),
            Err(_) => self.read(|conn| inks::at(conn, seq)),
        }
    }

    /// Whether something says that a signature should be there, which cannot be read itself.
    pub(crate) fn misses_ink(&mut self, seq: i64) -> bool {
        let says = self.read(|conn| inks::waits_at(conn, seq));
        says.or_else(|_| self.read(|conn| inks::is_missed_at(conn, seq)))
            .unwrap_or(false)
    }

    /// Reads, and makes the connection anew where that failed.
    pub(crate) fn read<T>(&mut self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let done = work(&self.conn);
        if let Err(Error::Store(StoreError::Damaged | StoreError::Sql(_) | StoreError::Io(_))) =
            done
        {
            self.conn = opening::copy(&self.dir, &self.key)?;
        }
        done
    }
}
