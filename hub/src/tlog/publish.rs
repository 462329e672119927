//! Checkpoints for the public: signed, shown to the witnesses, stamped, and kept.
//!
//! Phones get a fresh checkpoint with every receipt. What is published here goes to people who never
//! delivered anything: it is what witnesses cosign, auditors follow, and evidence bundles carry.

use satchel_protocol::tlog::Note;
use sqlx::{Row, SqliteConnection};

use super::{DAMAGED, Tree, stamp, witness};
use crate::error::HubError;
use crate::hub::Hub;

/// A published checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Leaves of the tree it speaks of.
    pub size: u64,
    /// The signed note, cosignatures included.
    pub note: String,
    /// An RFC 3161 token over the note's text, if there is one.
    pub timestamp: Option<Vec<u8>>,
}

impl Hub {
    /// Signs the log as it is now, gets it cosigned and stamped by those named in the configuration, and
    /// keeps it. A log that has not grown is not signed again. A witness that does not answer is left out
    /// and asked about the next checkpoint.
    ///
    /// # Errors
    /// [`HubError`] of the database; other people's machines are never an error.
    pub async fn publish_checkpoint(&self) -> Result<Published, HubError> {
        let mut tx = self.db().write().await?;
        let mut tree = Tree::open(&mut tx).await?;
        let before = tree.size;
        tree.append_journal(&mut tx).await?;
        if let Some(latest) = latest(&mut tx, tree.log_no).await?
            && latest.size == tree.size
        {
            return Ok(latest);
        }
        if tree.size > before {
            tree.save(&mut tx).await?;
        }
        let mut note = tree.checkpoint(&mut tx, self).await?;
        keep(&mut tx, &tree, &note, None, self.now_ms()).await?;
        tx.commit().await?;
        witness::collect(self, &mut tree, &mut note).await?;
        let timestamp = stamp::stamp(self, &note).await;
        let mut tx = self.db().write().await?;
        keep(&mut tx, &tree, &note, timestamp.as_deref(), self.now_ms()).await?;
        tx.commit().await?;
        Ok(Published {
            size: tree.size,
            note: note.to_string(),
            timestamp,
        })
    }
}

/// The newest published checkpoint of a log.
pub(crate) async fn latest(
    conn: &mut SqliteConnection,
    log_no: u32,
) -> Result<Option<Published>, HubError> {
    let row = sqlx::query(
        "SELECT size, note, timestamp FROM tlog_checkpoint WHERE log_no = ? \
         ORDER BY size DESC LIMIT 1",
    )
    .bind(log_no)
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Published {
            size: u64::try_from(row.try_get::<i64, _>("size")?).map_err(|_| DAMAGED)?,
            note: row.try_get("note")?,
            timestamp: row.try_get("timestamp")?,
        })
    })
    .transpose()
}

async fn keep(
    conn: &mut SqliteConnection,
    tree: &Tree,
    note: &Note,
    timestamp: Option<&[u8]>,
    now_ms: i64,
) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO tlog_checkpoint (log_no, size, note, timestamp, at_ms) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT (log_no, size) DO UPDATE SET \
           note = excluded.note, timestamp = coalesce(excluded.timestamp, timestamp)",
    )
    .bind(tree.log_no)
    .bind(i64::try_from(tree.size).map_err(|_| DAMAGED)?)
    .bind(note.to_string())
    .bind(timestamp)
    .bind(now_ms)
    .execute(conn)
    .await?;
    Ok(())
}
