//! The phone's signing keys beside the one in use: the hardware's, the next one, the one before.

use ed25519_dalek::SigningKey;
use rusqlite::{Connection, Row, params};
use satchel_protocol::crypto::Secret32;
use satchel_protocol::ids::{P256Key, Sig64};

use super::row;
use crate::error::{Result, StoreError};

/// What the hardware has vouched for so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hardware {
    /// Its public key.
    pub(crate) key: P256Key,
    /// Its signature over the statement of the pending enrolment.
    pub(crate) sig: Option<Sig64>,
}

/// The keys beside the one in use.
#[derive(Debug, Clone, Default)]
pub(crate) struct OtherKeys {
    pub(crate) hardware: Option<Hardware>,
    /// Made, and not in use yet.
    pub(crate) next: Option<Secret32>,
    /// In use up to `changed_seq`.
    pub(crate) before: Option<Secret32>,
    /// The entry of the last change, or 0.
    pub(crate) changed_seq: i64,
    /// The hub has that entry.
    pub(crate) change_arrived: bool,
}

pub(crate) fn other_keys(conn: &Connection) -> Result<OtherKeys> {
    let mut stmt = conn.prepare_cached(
        "SELECT hardware_key, hardware_sig, next_log_key, log_key_before, key_changed_seq,
                received_upto >= key_changed_seq AS change_arrived FROM phone WHERE id = 1",
    )?;
    let mut rows = stmt.query([])?;
    let r = rows.next()?.ok_or(StoreError::BadRow("phone"))?;
    let hardware = match optional::<33>(r, "hardware_key")? {
        Some(key) => Some(Hardware {
            key: P256Key(key),
            sig: optional::<64>(r, "hardware_sig")?.map(Sig64),
        }),
        None => None,
    };
    Ok(OtherKeys {
        hardware,
        next: optional::<32>(r, "next_log_key")?.map(Secret32::new),
        before: optional::<32>(r, "log_key_before")?.map(Secret32::new),
        changed_seq: r.get("key_changed_seq")?,
        change_arrived: r.get("change_arrived")?,
    })
}

fn optional<const N: usize>(r: &Row<'_>, column: &'static str) -> Result<Option<[u8; N]>> {
    match r.get_ref(column)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => Ok(Some(row::bytes(r, column)?)),
    }
}

/// Another hardware key; what an earlier one signed counts no more.
pub(crate) fn set_hardware(conn: &Connection, key: &P256Key) -> Result<()> {
    conn.execute(
        "UPDATE phone SET hardware_key = ?1, hardware_sig = NULL WHERE id = 1",
        [&key.0],
    )?;
    Ok(())
}

pub(crate) fn set_hardware_sig(conn: &Connection, sig: Option<&Sig64>) -> Result<()> {
    conn.execute(
        "UPDATE phone SET hardware_sig = ?1 WHERE id = 1",
        [sig.map(|s| s.0)],
    )?;
    Ok(())
}

/// Makes a key ready to follow the present one.
pub(crate) fn set_next(conn: &Connection, key: &Secret32) -> Result<()> {
    conn.execute(
        "UPDATE phone SET next_log_key = ?1 WHERE id = 1",
        [key.expose()],
    )?;
    Ok(())
}

/// The next key is the present one from behind `seq` on; the present one becomes the one before.
pub(crate) fn change(conn: &Connection, seq: i64) -> Result<()> {
    conn.execute(
        "UPDATE phone SET log_key_before = log_key, log_key = next_log_key, next_log_key = NULL,
             key_changed_seq = ?1 WHERE id = 1 AND next_log_key IS NOT NULL",
        params![seq],
    )?;
    Ok(())
}

/// The key that signs the next entry, for a caller whose own is of another time.
pub(crate) fn present(conn: &Connection) -> Result<SigningKey> {
    let mut stmt = conn.prepare_cached("SELECT log_key FROM phone WHERE id = 1")?;
    let mut rows = stmt.query([])?;
    let r = rows.next()?.ok_or(StoreError::BadRow("phone"))?;
    let key = Secret32::new(row::bytes(r, "log_key")?);
    Ok(SigningKey::from_bytes(key.expose()))
}
