//! Binding a rating to the attempt whose log head its token carried.

use std::collections::{BTreeSet, HashSet};

use satchel_protocol::feed::{AppealItem, RatingItem};
use satchel_protocol::ids::DeviceId;
use satchel_protocol::token::token_head;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::store::bulk;
use crate::store::entries::CheckedEntry;
use crate::store::feed;

/// The least and the greatest hash that begin with `head`: a range, so that the index on the hash serves.
pub(crate) fn hashes_with_head(head: &[u8; 16]) -> [Vec<u8>; 2] {
    [0x00, 0xff].map(|rest| [&head[..], &[rest; 16]].concat())
}

/// Binds the ratings that waited for one of these entries and tells the couriers.
pub(crate) async fn bind_to_entries<'a>(
    tx: &mut Tx,
    new: impl Iterator<Item = &'a CheckedEntry> + Clone,
    now_ms: i64,
) -> Result<(), HubError> {
    let heads: Vec<_> = new.clone().map(|entry| token_head(&entry.hash)).collect();
    let waiting = sqlx::query(
        "SELECT DISTINCT device_id, head FROM rating_said \
         WHERE bound_seq IS NULL AND head IN (SELECT unhex(value) FROM json_each(?1)) \
           AND device_id IN (SELECT unhex(value) FROM json_each(?2))",
    )
    .bind(bulk::ids(heads.iter().map(|head| &head[..])))
    .bind(bulk::ids(
        devices_of(new.clone()).iter().map(|d| &d.as_bytes()[..]),
    ))
    .fetch_all(&mut **tx)
    .await?;
    let mut waits = HashSet::new();
    for row in &waiting {
        waits.insert((row.device("device_id")?, row.try_get::<Vec<u8>, _>("head")?));
    }
    for entry in new {
        let head = token_head(&entry.hash);
        if waits.contains(&(entry.header.device, head.to_vec())) {
            bind_to_entry(tx, entry, &head, now_ms).await?;
        }
    }
    Ok(())
}

fn devices_of<'a>(entries: impl Iterator<Item = &'a CheckedEntry>) -> BTreeSet<DeviceId> {
    entries.map(|entry| entry.header.device).collect()
}

async fn bind_to_entry(
    tx: &mut Tx,
    new: &CheckedEntry,
    head: &[u8; 16],
    now_ms: i64,
) -> Result<(), HubError> {
    let device = new.header.device;
    sqlx::query(
        "UPDATE rating_said SET bound_at_ms = ?, bound_seq = ? \
         WHERE device_id = ? AND head = ? AND bound_seq IS NULL",
    )
    .bind(now_ms)
    .bind(new.header.seq)
    .bind(&device.as_bytes()[..])
    .bind(&head[..])
    .execute(&mut **tx)
    .await?;
    let rows = sqlx::query("SELECT * FROM rating WHERE device_id = ? AND head = ?")
        .bind(&device.as_bytes()[..])
        .bind(&head[..])
        .fetch_all(&mut **tx)
        .await?;
    for row in &rows {
        tell_courier(tx, row).await?;
    }
    Ok(())
}

/// Puts the word that stands on the courier's feed: its class, why it was set aside, or that it was
/// hidden. What was hidden keeps its stars and loses its words.
pub(crate) async fn tell_courier(tx: &mut Tx, row: &SqliteRow) -> Result<(), HubError> {
    feed::append(
        tx,
        row.courier("courier_id")?,
        RatingItem::KIND,
        &item(row)?,
    )
    .await
}

fn item(row: &SqliteRow) -> Result<RatingItem, HubError> {
    let list = |column: &'static str| {
        serde_json::from_str(row.try_get(column)?)
            .map_err(|_| HubError::DamagedRow { what: column })
    };
    let hidden: Option<String> = row.try_get("hidden_why")?;
    Ok(RatingItem {
        parcel_id: row.parcel("parcel_id")?,
        stars: row.try_get("stars")?,
        timeliness: row.try_get("timeliness")?,
        attitude: row.try_get("attitude")?,
        information: row.try_get("information")?,
        tags: list("tags")?,
        comment: match hidden {
            None => row.try_get("comment")?,
            Some(_) => None,
        },
        rated_at_ms: row.try_get("rated_at_ms")?,
        bound: row.try_get::<Option<i64>, _>("bound_seq")?.is_some(),
        class: row.try_get("class")?,
        flags: list("flags")?,
        hidden,
        appeal: row
            .try_get::<Option<String>, _>("appeal_case")?
            .map(|case| {
                Ok::<_, sqlx::Error>(AppealItem {
                    case,
                    answer: row.try_get("appeal_answer")?,
                })
            })
            .transpose()?,
    })
}
