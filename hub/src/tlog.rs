//! The hub's transparency log: grown with every batch, shown with every receipt, signed as checkpoints.
//!
//! Entries join the tree in the transaction that stores them, so a receipt never speaks of something the
//! tree lacks. The hub's own journal joins right behind, at the latest when a checkpoint is published; a
//! rating therefore waits for no tree. The tree's shape and its proofs are the protocol's; here is only
//! where its tiles lie and when it is signed.

pub(crate) mod publish;
pub(crate) mod serve;
pub(crate) mod stamp;
pub(crate) mod witness;

use std::time::Duration;

use satchel_protocol::ids::{DeviceId, Hash32};
use satchel_protocol::tlog::{
    self, Checkpoint, MissingTile, Note, TILE_HASHES, TileId, Tiles, TlogProof, TreeAnswer, Vkey,
};
use sqlx::{Row, SqliteConnection};

use crate::db::RowExt;
use crate::error::HubError;
use crate::hub::Hub;
use crate::journal;
use crate::store::bulk::Rows;
use crate::store::entries::AlarmKind;
use crate::store::feed;

pub use publish::Published;
pub use witness::{BadWitness, Witness};

const DAMAGED: HubError = HubError::DamagedRow { what: "log" };

/// The current log of a hub, inside a transaction: its size and the tiles touched so far.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) log_no: u32,
    pub(crate) size: u64,
    journal_seq: i64,
    tiles: Tiles,
    changed: Vec<TileId>,
    /// Appended and not yet written.
    leaves: Vec<(u64, Hash32)>,
}

impl Tree {
    /// Reads where the current log stands.
    pub(crate) async fn open(conn: &mut SqliteConnection) -> Result<Self, HubError> {
        let row =
            sqlx::query("SELECT log_no, size, journal_seq FROM tlog ORDER BY log_no DESC LIMIT 1")
                .fetch_one(conn)
                .await?;
        Ok(Self {
            log_no: u32::try_from(row.try_get::<i64, _>("log_no")?).map_err(|_| DAMAGED)?,
            size: u64::try_from(row.try_get::<i64, _>("size")?).map_err(|_| DAMAGED)?,
            journal_seq: row.try_get("journal_seq")?,
            tiles: Tiles::default(),
            changed: Vec::new(),
            leaves: Vec::new(),
        })
    }

    /// Appends a leaf. [`Tree::save`] makes it last.
    pub(crate) async fn append(
        &mut self,
        conn: &mut SqliteConnection,
        leaf: Hash32,
    ) -> Result<(), HubError> {
        loop {
            match self.tiles.push(self.size, leaf) {
                Ok(changed) => {
                    self.changed.extend(changed);
                    break;
                }
                Err(MissingTile(id)) => self.load(conn, id).await?,
            }
        }
        self.leaves.push((self.size, leaf));
        self.size += 1;
        Ok(())
    }

    /// Appends what the hub's journal recorded since it was last looked at.
    pub(crate) async fn append_journal(
        &mut self,
        conn: &mut SqliteConnection,
    ) -> Result<(), HubError> {
        let rows = sqlx::query("SELECT seq, hash FROM journal WHERE seq > ? ORDER BY seq")
            .bind(self.journal_seq)
            .fetch_all(&mut *conn)
            .await?;
        for row in rows {
            self.append(conn, row.hash("hash")?).await?;
            self.journal_seq = row.try_get("seq")?;
        }
        Ok(())
    }

    /// Writes the new leaves, the changed tiles and the size.
    pub(crate) async fn save(&mut self, conn: &mut SqliteConnection) -> Result<(), HubError> {
        let mut leaves = Rows::new("INSERT INTO tlog_leaf (log_no, idx, hash)", "");
        for (index, leaf) in std::mem::take(&mut self.leaves) {
            let index = i64::try_from(index).map_err(|_| DAMAGED)?;
            leaves.push([
                i64::from(self.log_no).into(),
                index.into(),
                leaf.0[..].into(),
            ]);
        }
        leaves.put(&mut *conn).await?;
        self.changed.sort_unstable();
        self.changed.dedup();
        for id in std::mem::take(&mut self.changed) {
            let hashes = self.tiles.get(id).unwrap_or_default();
            let bytes: Vec<u8> = hashes.iter().flat_map(|h| h.0).collect();
            sqlx::query(
                "INSERT INTO tlog_tile (log_no, level, number, hashes) VALUES (?, ?, ?, ?) \
                 ON CONFLICT (log_no, level, number) DO UPDATE SET hashes = excluded.hashes",
            )
            .bind(self.log_no)
            .bind(id.level)
            .bind(i64::try_from(id.number).map_err(|_| DAMAGED)?)
            .bind(bytes)
            .execute(&mut *conn)
            .await?;
        }
        sqlx::query("UPDATE tlog SET size = ?, journal_seq = ? WHERE log_no = ?")
            .bind(i64::try_from(self.size).map_err(|_| DAMAGED)?)
            .bind(self.journal_seq)
            .bind(self.log_no)
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Raises an alarm for a phone that says it has seen a longer log than this. Where that is so the hub was set back,
    /// and no phone will believe it until [`Hub::begin_log_anew`] was called; but it is that phone's word, with nothing
    /// to show for it, so each phone has an alarm of its own: one may be mistaken, many are not.
    pub(crate) async fn notice_longer(
        &self,
        conn: &mut SqliteConnection,
        device: DeviceId,
        known: u64,
        now_ms: i64,
    ) -> Result<(), HubError> {
        if known <= self.size {
            return Ok(());
        }
        let raised = sqlx::query(
            "INSERT INTO alarm (kind, device_id, raised_at_ms) SELECT ?1, ?2, ?3 WHERE NOT EXISTS ( \
               SELECT 1 FROM alarm WHERE kind = ?1 AND device_id = ?2 AND cleared_at_ms IS NULL)",
        )
        .bind(AlarmKind::LogShorter.code())
        .bind(&device.as_bytes()[..])
        .bind(now_ms)
        .execute(conn)
        .await?;
        if raised.rows_affected() > 0 {
            tracing::error!(%device, known, size = self.size, "a phone says it has seen a longer log");
        }
        Ok(())
    }

    /// The tree as it is now, signed.
    pub(crate) async fn checkpoint(
        &mut self,
        conn: &mut SqliteConnection,
        hub: &Hub,
    ) -> Result<Note, HubError> {
        let size = self.size;
        let root = self.ask(conn, |tiles| tlog::root(tiles, size)).await?;
        Ok(Checkpoint {
            origin: tlog::log_origin(hub.public_url(), self.log_no),
            size,
            root,
        }
        .sign(&hub.keys().signing))
    }

    /// What a phone is shown: the tree, that it grew out of the `known` leaves, and `newest` in it.
    pub(crate) async fn answer(
        &mut self,
        conn: &mut SqliteConnection,
        hub: &Hub,
        known: u64,
        newest: Option<Hash32>,
    ) -> Result<TreeAnswer, HubError> {
        let size = self.size;
        let index = match newest {
            Some(hash) => self.index_of(conn, hash).await?,
            None => None,
        };
        let consistency = self
            .ask(conn, |tiles| tlog::consistency_proof(tiles, known, size))
            .await?;
        let inclusion = match index {
            Some(index) => {
                self.ask(conn, |tiles| tlog::inclusion_proof(tiles, index, size))
                    .await?
            }
            None => Vec::new(),
        };
        Ok(TreeAnswer {
            checkpoint: self.checkpoint(conn, hub).await?.to_string(),
            consistency,
            head_index: index.unwrap_or(0),
            inclusion,
        })
    }

    /// The proof that `leaf` is in the tree that `checkpoint` (of `size` leaves) speaks of.
    pub(crate) async fn proof(
        &mut self,
        conn: &mut SqliteConnection,
        leaf: Hash32,
        size: u64,
        checkpoint: Note,
    ) -> Result<Option<TlogProof>, HubError> {
        let Some(index) = self.index_of(conn, leaf).await?.filter(|i| *i < size) else {
            return Ok(None);
        };
        let hashes = self
            .ask(conn, |tiles| tlog::inclusion_proof(tiles, index, size))
            .await?;
        Ok(Some(TlogProof {
            index,
            hashes,
            checkpoint,
        }))
    }

    /// The proof that the tree of `size` leaves contains the one of `old`.
    pub(crate) async fn consistency(
        &mut self,
        conn: &mut SqliteConnection,
        old: u64,
        size: u64,
    ) -> Result<Vec<Hash32>, HubError> {
        self.ask(conn, |tiles| tlog::consistency_proof(tiles, old, size))
            .await
    }

    async fn index_of(
        &self,
        conn: &mut SqliteConnection,
        leaf: Hash32,
    ) -> Result<Option<u64>, HubError> {
        let index: Option<i64> =
            sqlx::query_scalar("SELECT idx FROM tlog_leaf WHERE hash = ? AND log_no = ?")
                .bind(&leaf.0[..])
                .bind(self.log_no)
                .fetch_optional(conn)
                .await?;
        Ok(index.and_then(|i| u64::try_from(i).ok()))
    }

    /// Asks the tree, loading tile after tile until it can answer: two a level at most.
    async fn ask<T>(
        &mut self,
        conn: &mut SqliteConnection,
        question: impl Fn(&Tiles) -> Result<T, MissingTile>,
    ) -> Result<T, HubError> {
        loop {
            match question(&self.tiles) {
                Ok(answer) => return Ok(answer),
                Err(MissingTile(id)) => self.load(conn, id).await?,
            }
        }
    }

    async fn load(&mut self, conn: &mut SqliteConnection, id: TileId) -> Result<(), HubError> {
        let hashes = tile(conn, self.log_no, id).await?.ok_or(DAMAGED)?;
        // A tile that is there and still not enough is damage, and not a reason to load it for ever.
        if self
            .tiles
            .get(id)
            .is_some_and(|held| held.len() >= hashes.len())
        {
            return Err(DAMAGED);
        }
        self.tiles.insert(id, hashes);
        Ok(())
    }
}

/// A client for other people's machines: no redirects to elsewhere, and an end to waiting.
fn agent(patience: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(patience))
        .http_status_as_error(false)
        .max_redirects(0)
        .build()
        .into()
}

/// A stored tile, as far as it is filled.
pub(crate) async fn tile(
    conn: &mut SqliteConnection,
    log_no: u32,
    id: TileId,
) -> Result<Option<Vec<Hash32>>, HubError> {
    let Ok(number) = i64::try_from(id.number) else {
        return Ok(None);
    };
    let bytes: Option<Vec<u8>> = sqlx::query_scalar(
        "SELECT hashes FROM tlog_tile WHERE log_no = ? AND level = ? AND number = ?",
    )
    .bind(log_no)
    .bind(id.level)
    .bind(number)
    .fetch_optional(conn)
    .await?;
    let Some(bytes) = bytes else { return Ok(None) };
    let hashes: Result<Vec<_>, _> = bytes.chunks(32).map(Hash32::try_from).collect();
    let hashes = hashes.map_err(|_| DAMAGED)?;
    (hashes.len() <= TILE_HASHES)
        .then_some(Some(hashes))
        .ok_or(DAMAGED)
}

/// Begins the first log, and brings entries in that an older build of the hub took without one.
pub(crate) async fn begin_if_none(hub: &Hub) -> Result<(), HubError> {
    let mut tx = hub.db().write().await?;
    let begun: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM tlog)")
        .fetch_one(&mut *tx)
        .await?;
    if !begun {
        begin(&mut tx, 1, "first", hub.now_ms()).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// A new log over everything the hub holds, in the order in which it came.
async fn begin(
    conn: &mut SqliteConnection,
    log_no: u32,
    reason: &str,
    now_ms: i64,
) -> Result<Tree, HubError> {
    sqlx::query(
        "INSERT INTO tlog (log_no, began_at_ms, reason, size, journal_seq) VALUES (?, ?, ?, 0, 0)",
    )
    .bind(log_no)
    .bind(now_ms)
    .bind(reason)
    .execute(&mut *conn)
    .await?;
    let mut tree = Tree::open(conn).await?;
    let rows = sqlx::query("SELECT hash FROM entry ORDER BY leaf")
        .fetch_all(&mut *conn)
        .await?;
    for row in rows {
        tree.append(conn, row.hash("hash")?).await?;
    }
    tree.append_journal(conn).await?;
    tree.save(conn).await?;
    Ok(tree)
}

impl Hub {
    /// The key that checkpoints of the current log are checked with.
    ///
    /// # Errors
    /// [`HubError`].
    pub async fn log_key(&self) -> Result<Vkey, HubError> {
        let mut tx = self.db().read().begin().await?;
        let log_no = Tree::open(&mut tx).await?.log_no;
        let origin = tlog::log_origin(self.public_url(), log_no);
        Ok(tlog::log_vkey(&origin, &self.public_key()))
    }

    /// Begins the transparency log anew, over what is held. To be done once after a restore from a
    /// backup: phones refuse a log that became shorter, and accept, record and show one that says it
    /// began again.
    ///
    /// # Errors
    /// [`HubError`].
    pub async fn begin_log_anew(&self, reason: &str) -> Result<u32, HubError> {
        let reason = journal::reason(reason)?;
        let mut tx = self.db().write().await?;
        let last = Tree::open(&mut tx).await?;
        let tree = begin(&mut tx, last.log_no + 1, reason, self.now_ms()).await?;
        sqlx::query("UPDATE alarm SET cleared_at_ms = ? WHERE kind = ? AND cleared_at_ms IS NULL")
            .bind(self.now_ms())
            .bind(AlarmKind::LogShorter.code())
            .execute(&mut *tx)
            .await?;
        let epoch = i64::from_be_bytes(self.draw::<8>()?) & i64::MAX;
        feed::begin_epoch(&mut tx, epoch, self.now_ms()).await?;
        tx.commit().await?;
        tracing::warn!(log_no = tree.log_no, "the transparency log began anew");
        Ok(tree.log_no)
    }
}
