//! Binding a rating to the attempt whose log head its token carried.

use satchel_protocol::feed::RatingItem;
use satchel_protocol::ids::DeviceId;
use satchel_protocol::token::token_head;
use sqlx::Row;
use sqlx::sqlite::{Sqlite, SqliteRow};

use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::store::entries::CheckedEntry;
use crate::store::feed;

/// An entry found by the first half of its hash.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadEntry {
    pub(crate) seq: i64,
    pub(crate) received_at_ms: i64,
}

/// The entry of `device` whose hash begins with `head`. A range, so that the index on the hash serves.
pub(crate) async fn entry_with_head<'e>(
    db: impl sqlx::Executor<'e, Database = Sqlite>,
    device: DeviceId,
    head: &[u8; 16],
) -> Result<Option<HeadEntry>, HubError> {
    let low = [&head[..], &[0x00; 16]].concat();
    let high = [&head[..], &[0xff; 16]].concat();
    let row = sqlx::query(
        "SELECT seq, received_at_ms FROM entry WHERE hash BETWEEN ? AND ? AND device_id = ?",
    )
    .bind(low)
    .bind(high)
    .bind(&device.as_bytes()[..])
    .fetch_optional(db)
    .await?;
    let read = |row: SqliteRow| {
        Ok(HeadEntry {
            seq: row.try_get("seq")?,
            received_at_ms: row.try_get("received_at_ms")?,
        })
    };
    row.map(read).transpose()
}

/// Binds the ratings that waited for this entry and tells the courier.
pub(crate) async fn bind_to_entry(
    tx: &mut Tx,
    new: &CheckedEntry,
    now_ms: i64,
) -> Result<(), HubError> {
    let rows = sqlx::query(
        "UPDATE rating SET bound_at_ms = ?, bound_seq = ? \
         WHERE device_id = ? AND head = ? AND bound_seq IS NULL \
         RETURNING courier_id, parcel_id, stars, timeliness, attitude, information, tags, comment, \
           rated_at_ms",
    )
    .bind(now_ms)
    .bind(new.header.seq)
    .bind(&new.header.device.as_bytes()[..])
    .bind(&token_head(&new.hash)[..])
    .fetch_all(&mut **tx)
    .await?;
    for row in &rows {
        feed::append(
            tx,
            row.courier("courier_id")?,
            RatingItem::KIND,
            &item(row)?,
        )
        .await?;
    }
    Ok(())
}

fn item(row: &SqliteRow) -> Result<RatingItem, HubError> {
    let tags: &str = row.try_get("tags")?;
    Ok(RatingItem {
        parcel_id: row.parcel("parcel_id")?,
        stars: row.try_get("stars")?,
        timeliness: row.try_get("timeliness")?,
        attitude: row.try_get("attitude")?,
        information: row.try_get("information")?,
        tags: serde_json::from_str(tags).map_err(|_| HubError::DamagedRow {
            what: "rating tags",
        })?,
        comment: row.try_get("comment")?,
        rated_at_ms: row.try_get("rated_at_ms")?,
        bound: true,
    })
}
