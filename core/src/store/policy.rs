//! The hub's policy as a row, and which sealed key the hub has.

use rusqlite::{Connection, OptionalExtension, params};
use satchel_protocol::ids::Hash32;
use satchel_protocol::orders::{Policy, Release};

use super::row;
use crate::error::{Result, StoreError};

/// The policy, and when the operator set it by the hub's clock. `None`: this phone was never told one.
pub(crate) fn policy(conn: &Connection) -> Result<Option<(i64, Policy)>> {
    let mut stmt = conn.prepare_cached("SELECT * FROM policy WHERE id = 1")?;
    let mut rows = stmt.query([])?;
    let Some(r) = rows.next()? else {
        return Ok(None);
    };
    let least: Option<String> = r.get("least_release")?;
    let least: Option<Release> = least
        .map(|text| text.parse().map_err(|_| StoreError::BadRow("release")))
        .transpose()?;
    let policy = Policy {
        recovery_key: row::opt_bytes(r, "recovery_key")?.map(Hash32),
        log_key_days: r.get("log_key_days")?,
        least_release: least,
    };
    Ok(Some((r.get("issued_at_ms")?, policy)))
}

pub(crate) fn set_policy(conn: &Connection, issued_at_ms: i64, policy: &Policy) -> Result<()> {
    conn.execute(
        "INSERT OR REPLACE INTO policy (id, issued_at_ms, recovery_key, log_key_days, least_release)
         VALUES (1, ?1, ?2, ?3, ?4)",
        params![
            issued_at_ms,
            policy.recovery_key.map(|key| key.0),
            policy.log_key_days,
            policy.least_release.map(|release| release.to_string())
        ],
    )?;
    Ok(())
}

/// Which sealed key the hub has.
pub(crate) fn escrow_held(conn: &Connection) -> Result<Option<Hash32>> {
    let mut stmt = conn.prepare_cached("SELECT escrow_held FROM phone WHERE id = 1")?;
    let found: Option<Option<Vec<u8>>> = stmt.query_row([], |r| r.get(0)).optional()?;
    let hash = found.flatten().map(|b| Hash32::try_from(b.as_slice()));
    Ok(hash
        .transpose()
        .map_err(|_| StoreError::BadRow("sealed key"))?)
}

pub(crate) fn set_escrow_held(conn: &Connection, hash: Option<&Hash32>) -> Result<()> {
    conn.execute(
        "UPDATE phone SET escrow_held = ?1 WHERE id = 1",
        [hash.map(|h| h.0)],
    )?;
    Ok(())
}

/// How long the present log key has been in use by the hub's signed word: from the receipt of the entry that brought
/// it to the newest receipt. `None` while the hub has not receipted both.
pub(crate) fn log_key_age_ms(conn: &Connection) -> Result<Option<i64>> {
    let mut stmt = conn.prepare_cached(
        "SELECT newest.at_ms - first.at_ms FROM phone
         JOIN received first ON first.seq = max(key_changed_seq, 1)
         JOIN received newest ON newest.seq = received_upto
         WHERE id = 1",
    )?;
    let age: Option<Option<i64>> = stmt.query_row([], |r| r.get(0)).optional()?;
    Ok(age.flatten())
}
