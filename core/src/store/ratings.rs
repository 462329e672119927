//! Ratings that came back from the hub, and feed items kept for a later build.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, params};
use satchel_protocol::appeal::AppealBody;
use satchel_protocol::feed::{FeedItem, RatingItem};
use satchel_protocol::ids::{ParcelId, StopId};
use satchel_protocol::taxonomy::{RatingClass, RatingFlag};

use crate::error::{Result, StoreError};
use crate::model::stop::{AppealView, RatingView};
use crate::store::{json, noted, row};

/// Stores a rating. Gives the stop it belongs to, if the parcel is still on this phone.
pub(crate) fn upsert(conn: &Connection, item: &RatingItem, raw: &str) -> Result<Option<StopId>> {
    conn.execute(
        "INSERT INTO rating (parcel_id, rated_at_ms, stars, raw) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (parcel_id, rated_at_ms) DO UPDATE SET stars = ?3, raw = ?4",
        params![item.parcel_id.as_bytes(), item.rated_at_ms, item.stars, raw],
    )?;
    let stop: Option<Vec<u8>> = conn
        .query_row(
            "SELECT stop_id FROM parcel WHERE parcel_id = ?1",
            [item.parcel_id.as_bytes()],
            |r| r.get(0),
        )
        .optional()?;
    stop.map(|b| {
        uuid::Uuid::from_slice(&b)
            .map(StopId)
            .map_err(|_| StoreError::BadRow("stop_id").into())
    })
    .transpose()
}

/// The parcels that were rated, so that a long list asks for those alone.
pub(crate) fn rated_parcels(conn: &Connection) -> Result<HashSet<ParcelId>> {
    let mut stmt = conn.prepare_cached("SELECT DISTINCT parcel_id FROM rating")?;
    let mut rows = stmt.query([])?;
    let mut out = HashSet::new();
    while let Some(r) = rows.next()? {
        out.insert(ParcelId(row::uuid(r, "parcel_id")?));
    }
    Ok(out)
}

/// The latest rating of a parcel.
pub(crate) fn latest(conn: &Connection, parcel: ParcelId) -> Result<Option<RatingView>> {
    let raw: Option<String> = conn
        .prepare_cached(
            "SELECT raw FROM rating WHERE parcel_id = ?1 ORDER BY rated_at_ms DESC LIMIT 1",
        )?
        .query_row([parcel.as_bytes()], |r| r.get(0))
        .optional()?;
    raw.map(|text| {
        let item: RatingItem = json::read(&text).ok_or(StoreError::BadRow("rating"))?;
        let appeal = appeal(conn, &item)?;
        Ok(RatingView {
            stars: item.stars,
            items: [item.timeliness, item.attitude, item.information],
            tags: item.tags,
            comment: item.comment,
            rated_at_ms: item.rated_at_ms,
            class: RatingClass::from_code(&item.class).ok(),
            flags: item
                .flags
                .iter()
                .filter_map(|code| RatingFlag::from_code(code).ok())
                .collect(),
            hidden: item.hidden,
            appeal,
        })
    })
    .transpose()
}

/// What this phone's log says against exactly this word of the customer, with what the hub told since.
fn appeal(conn: &Connection, item: &RatingItem) -> Result<Option<AppealView>> {
    for entry in noted::about(conn, item.parcel_id.as_bytes(), AppealBody::KIND)? {
        let body = AppealBody::decode(&entry.body)?;
        if body.rated_at_ms == item.rated_at_ms {
            let told = item.appeal.clone();
            return Ok(Some(AppealView {
                words: body.words,
                at_ms: entry.occurred_at_ms,
                case: told.as_ref().map(|a| a.case.clone()),
                answer: told.and_then(|a| a.answer),
            }));
        }
    }
    Ok(None)
}

/// What this build does not understand and keeps, at most: newer hubs have some kinds of items more, a day brings
/// some hundreds. The oldest give way; the hub has them all.
const MAX_KEPT: i64 = 5_000;

/// Keeps an item that this build does not understand, once. A hub that was set back to a backup gives the
/// same places to other items; those take a place of their own below zero, where no item of a hub ever is.
pub(crate) fn keep_item(conn: &Connection, item: &FeedItem) -> Result<()> {
    let data = item.data.to_string();
    let there: Option<bool> = conn
        .prepare_cached("SELECT kind = ?2 AND data = ?3 FROM feed_kept WHERE seq = ?1")?
        .query_row(params![item.seq, item.kind, data], |r| r.get(0))
        .optional()?;
    match there {
        Some(true) => return Ok(()),
        None => {
            conn.prepare_cached("INSERT INTO feed_kept (seq, kind, data) VALUES (?1, ?2, ?3)")?
                .execute(params![item.seq, item.kind, data])?;
        }
        // Each snapshot brings it again.
        Some(false) => {
            conn.prepare_cached(
                "INSERT INTO feed_kept (seq, kind, data)
                 SELECT min(0, coalesce((SELECT min(seq) FROM feed_kept), 0)) - 1, ?1, ?2
                 WHERE NOT EXISTS (SELECT 1 FROM feed_kept WHERE kind = ?1 AND data = ?2)",
            )?
            .execute(params![item.kind, data])?;
        }
    }
    Ok(())
}

/// Lets the oldest of the kept items go where there are too many.
pub(crate) fn trim_kept(conn: &Connection) -> Result<()> {
    conn.prepare_cached(
        "DELETE FROM feed_kept WHERE seq IN
             (SELECT seq FROM feed_kept ORDER BY seq LIMIT max(0, (SELECT count(*) FROM feed_kept) - ?1))",
    )?
    .execute([MAX_KEPT])?;
    Ok(())
}

/// Kept items of one kind, as (place, data), in order.
pub(crate) fn kept_of(conn: &Connection, kind: &str) -> Result<Vec<(i64, String)>> {
    let mut stmt =
        conn.prepare_cached("SELECT seq, data FROM feed_kept WHERE kind = ?1 ORDER BY seq")?;
    let rows = stmt.query_map([kind], |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Lets go of a kept item that took effect.
pub(crate) fn drop_kept(conn: &Connection, seq: i64) -> Result<()> {
    conn.prepare_cached("DELETE FROM feed_kept WHERE seq = ?1")?
        .execute([seq])?;
    Ok(())
}

/// What was kept, as (kind, data).
#[cfg(test)]
pub(crate) fn kept(conn: &Connection) -> Result<Vec<(String, String)>> {
    let mut stmt = conn.prepare("SELECT kind, data FROM feed_kept ORDER BY seq")?;
    let rows = stmt.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
