//! The hub's orders: the lease, the order to wipe, the keys to expect in TLS.

use rusqlite::{Connection, params};
use satchel_protocol::ids::{BootId, Hash32};

use super::row;
use crate::error::{Result, StoreError};
use crate::rules::lease::{Lease, Reading, Seen};

pub(crate) fn lease(conn: &Connection) -> Result<Option<Lease>> {
    let mut stmt = conn.prepare_cached("SELECT * FROM lease WHERE id = 1")?;
    let mut rows = stmt.query([])?;
    let Some(r) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(Lease {
        issued_at_ms: r.get("issued_at_ms")?,
        until_ms: r.get("until_ms")?,
        seen: Seen {
            hub_ms: r.get("hub_ms")?,
            at: Reading {
                boot_id: BootId(row::bytes(r, "boot_id")?),
                boottime_ms: r.get("boottime_ms")?,
                wall_ms: r.get("wall_ms")?,
            },
        },
    }))
}

pub(crate) fn set_lease(conn: &Connection, lease: &Lease) -> Result<()> {
    let Seen { hub_ms, at } = lease.seen;
    conn.prepare_cached(
        "INSERT OR REPLACE INTO lease (id, issued_at_ms, until_ms, hub_ms, boot_id, boottime_ms, wall_ms)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        lease.issued_at_ms,
        lease.until_ms,
        hub_ms,
        at.boot_id.0,
        at.boottime_ms,
        at.wall_ms
    ])?;
    Ok(())
}

/// The pins, and when the hub named them.
pub(crate) fn pins(conn: &Connection) -> Result<(Vec<Hash32>, i64)> {
    let mut stmt = conn.prepare_cached("SELECT pins, pins_at_ms FROM phone WHERE id = 1")?;
    let (bytes, at_ms): (Vec<u8>, i64) = stmt.query_row([], |r| Ok((r.get(0)?, r.get(1)?)))?;
    let (pins, rest) = bytes.as_chunks::<32>();
    match rest.is_empty() {
        true => Ok((pins.iter().copied().map(Hash32).collect(), at_ms)),
        false => Err(StoreError::BadRow("pins").into()),
    }
}

pub(crate) fn set_pins(conn: &Connection, pins: &[Hash32], at_ms: i64) -> Result<()> {
    let bytes: Vec<u8> = pins.iter().flat_map(|pin| pin.0).collect();
    conn.execute(
        "UPDATE phone SET pins = ?1, pins_at_ms = ?2 WHERE id = 1",
        params![bytes, at_ms],
    )?;
    Ok(())
}

pub(crate) fn wipe_ordered(conn: &Connection) -> Result<bool> {
    Ok(conn
        .prepare_cached("SELECT wipe_ordered_ms IS NOT NULL FROM phone WHERE id = 1")?
        .query_row([], |r| r.get(0))?)
}

pub(crate) fn order_wipe(conn: &Connection, at_ms: i64) -> Result<()> {
    conn.execute(
        "UPDATE phone SET wipe_ordered_ms = ?1 WHERE id = 1 AND wipe_ordered_ms IS NULL",
        [at_ms],
    )?;
    Ok(())
}
