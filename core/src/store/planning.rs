//! What planning keeps: the plan the courier sees, his wishes, the newest traffic table. Each is one
//! document, written whole and read whole.

use rusqlite::{Connection, OptionalExtension, params};
use satchel_protocol::feed::TrafficItem;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::json;
use crate::error::{Result, StoreError};
use crate::model::plan::{PlanView, PlanWishes};

/// A document by its name in the table.
pub(crate) trait Kept: Serialize + DeserializeOwned {
    /// Its key.
    const WHAT: &'static str;
}

impl Kept for PlanView {
    const WHAT: &'static str = "plan";
}
impl Kept for PlanWishes {
    const WHAT: &'static str = "wishes";
}
impl Kept for TrafficItem {
    const WHAT: &'static str = "traffic";
}

/// Replaces the document.
pub(crate) fn put<T: Kept>(conn: &Connection, value: &T, at_ms: i64) -> Result<()> {
    let body = serde_json::to_string(value).map_err(|_| StoreError::BadRow(T::WHAT))?;
    conn.prepare_cached(
        "INSERT INTO planning (what, at_ms, body) VALUES (?1, ?2, ?3)
         ON CONFLICT (what) DO UPDATE SET at_ms = ?2, body = ?3",
    )?
    .execute(params![T::WHAT, at_ms, body])?;
    Ok(())
}

/// The document, if there is one. One that a newer build wrote and this one cannot read counts as none:
/// a plan can be made again, and must not keep the courier from his list.
pub(crate) fn get<T: Kept>(conn: &Connection) -> Result<Option<T>> {
    let body: Option<String> = conn
        .prepare_cached("SELECT body FROM planning WHERE what = ?1")?
        .query_row([T::WHAT], |r| r.get(0))
        .optional()?;
    Ok(body.and_then(|text| json::read(&text)))
}

/// Keeps a table unless a newer one is there. False when it was not kept.
pub(crate) fn put_traffic(conn: &Connection, item: &TrafficItem) -> Result<bool> {
    let newest: Option<i64> = conn
        .prepare_cached("SELECT at_ms FROM planning WHERE what = ?1")?
        .query_row([TrafficItem::WHAT], |r| r.get(0))
        .optional()?;
    if newest.is_some_and(|at| at > item.made_at_ms) {
        return Ok(false);
    }
    put(conn, item, item.made_at_ms)?;
    Ok(true)
}
