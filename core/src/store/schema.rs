//! Migrations: numbered SQL files, each applied in one transaction with its version number.
//!
//! A file from a newer build is refused, never lowered. A migration is never edited once it has shipped.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Result, StoreError};

const MIGRATIONS: &[&str] = &[include_str!("migrations/001_init.sql")];

/// Newest schema version this build knows.
pub(crate) const KNOWN: i64 = MIGRATIONS.len() as i64;

/// Brings the file to [`KNOWN`].
pub(crate) fn migrate(conn: &mut Connection) -> Result<()> {
    let found: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > KNOWN {
        return Err(StoreError::Newer {
            found,
            known: KNOWN,
        }
        .into());
    }
    let done = usize::try_from(found).map_err(|_| StoreError::BadRow("schema version"))?;
    for (index, sql) in MIGRATIONS.iter().enumerate().skip(done) {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "user_version", index as i64 + 1)?;
        tx.commit()?;
    }
    Ok(())
}
