//! The one row about this phone: whose it is, where its hub is, how far the feed was read.

use rusqlite::{Connection, OptionalExtension, params};
use satchel_protocol::crypto::Secret32;
use satchel_protocol::ids::{CourierId, DeviceId, Hash32};

use super::{json, row};
use crate::error::{Error, Result, StoreError};
use crate::proof::photo::PhotoTargets;

/// How far enrolment has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    None,
    Pending,
    Enrolled,
    Refused,
}

/// What the hub vouched for at enrolment.
#[derive(Debug, Clone)]
pub(crate) struct Enrolled {
    pub(crate) courier: CourierId,
    pub(crate) courier_name: String,
    pub(crate) certificate: Vec<u8>,
}

/// What the phone knows of itself once an invite was given.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) stage: Stage,
    pub(crate) device: DeviceId,
    /// Seed of the Ed25519 log key; encrypted at rest with the whole file.
    pub(crate) log_key: Secret32,
    pub(crate) label: String,
    pub(crate) hub_url: String,
    pub(crate) hub_key: Hash32,
    pub(crate) invite_code: [u8; 16],
    pub(crate) courier_name: Option<String>,
}

pub(crate) fn identity(conn: &Connection) -> Result<Option<Identity>> {
    let mut stmt = conn.prepare_cached("SELECT * FROM phone WHERE id = 1")?;
    let mut rows = stmt.query([])?;
    let Some(r) = rows.next()? else {
        return Err(StoreError::BadRow("phone").into());
    };
    let stage = match r.get_ref("enrolment")?.as_str().map_err(|_| bad())? {
        "none" => return Ok(None),
        "pending" => Stage::Pending,
        "enrolled" => Stage::Enrolled,
        "refused" => Stage::Refused,
        _ => Stage::None,
    };
    Ok(Some(Identity {
        stage,
        device: DeviceId(row::uuid(r, "device_id")?),
        log_key: Secret32::new(row::bytes(r, "log_key")?),
        label: r.get("label")?,
        hub_url: r.get("hub_url")?,
        hub_key: Hash32(row::bytes(r, "hub_key")?),
        invite_code: row::bytes(r, "invite_code")?,
        courier_name: r.get("courier_name")?,
    }))
}

pub(crate) fn save_pending(conn: &Connection, id: &Identity) -> Result<()> {
    conn.execute(
        "UPDATE phone SET enrolment = 'pending', device_id = ?1, log_key = ?2, label = ?3,
         hub_url = ?4, hub_key = ?5, invite_code = ?6 WHERE id = 1",
        params![
            id.device.as_bytes(),
            id.log_key.expose(),
            id.label,
            id.hub_url,
            id.hub_key.0,
            id.invite_code
        ],
    )?;
    Ok(())
}

/// Stores what the hub vouched for; `false` if this device is not waiting for it (any more).
pub(crate) fn save_enrolled(
    conn: &Connection,
    device: DeviceId,
    enrolled: &Enrolled,
) -> Result<bool> {
    let changed = conn.execute(
        "UPDATE phone SET enrolment = 'enrolled', courier_id = ?2, courier_name = ?3,
         certificate = ?4, invite_code = zeroblob(16)
         WHERE id = 1 AND enrolment = 'pending' AND device_id = ?1",
        params![
            device.as_bytes(),
            enrolled.courier.as_bytes(),
            enrolled.courier_name,
            enrolled.certificate
        ],
    )?;
    Ok(changed == 1)
}

/// The hub does not take this device's invite. Says nothing about a device that is enrolled already.
pub(crate) fn save_refused(conn: &Connection, device: DeviceId) -> Result<()> {
    conn.execute(
        "UPDATE phone SET enrolment = 'refused'
         WHERE id = 1 AND enrolment = 'pending' AND device_id = ?1",
        [device.as_bytes()],
    )?;
    Ok(())
}

/// Facts of the queue kept with the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SyncFacts {
    /// Add to the wall clock to get the hub's time.
    pub(crate) hub_offset_ms: i64,
    pub(crate) last_contact_ms: Option<i64>,
    pub(crate) receipt_alarms: u64,
}

pub(crate) fn sync_facts(conn: &Connection) -> Result<SyncFacts> {
    let mut stmt = conn.prepare_cached(
        "SELECT hub_offset_ms, last_contact_ms, receipt_alarms FROM phone WHERE id = 1",
    )?;
    let mut rows = stmt.query([])?;
    let r = rows
        .next()?
        .ok_or_else(|| Error::from(StoreError::BadRow("phone")))?;
    Ok(SyncFacts {
        hub_offset_ms: r.get("hub_offset_ms")?,
        last_contact_ms: r.get("last_contact_ms")?,
        receipt_alarms: row::unsigned(r, "receipt_alarms")?,
    })
}

pub(crate) fn set_hub_offset(conn: &Connection, offset_ms: i64) -> Result<()> {
    conn.execute(
        "UPDATE phone SET hub_offset_ms = ?1 WHERE id = 1",
        [offset_ms],
    )?;
    Ok(())
}

/// How photos are to be made; `None` where nothing was set, or nothing this build can read.
pub(crate) fn photo_targets(conn: &Connection) -> Result<Option<PhotoTargets>> {
    let mut stmt = conn.prepare_cached("SELECT photo_targets FROM phone WHERE id = 1")?;
    let kept: Option<String> = stmt.query_row([], |r| r.get(0))?;
    let read = kept.and_then(|text| json::read::<PhotoTargets>(&text));
    Ok(read.filter(PhotoTargets::is_valid))
}

pub(crate) fn set_photo_targets(conn: &Connection, targets: &PhotoTargets) -> Result<()> {
    let json = serde_json::to_string(targets).map_err(|_| StoreError::BadRow("photo_targets"))?;
    conn.execute("UPDATE phone SET photo_targets = ?1 WHERE id = 1", [json])?;
    Ok(())
}

pub(crate) fn set_contact(conn: &Connection, now_ms: i64) -> Result<()> {
    conn.execute(
        "UPDATE phone SET last_contact_ms = ?1 WHERE id = 1",
        [now_ms],
    )?;
    Ok(())
}

pub(crate) fn count_receipt_alarm(conn: &Connection) -> Result<()> {
    conn.execute(
        "UPDATE phone SET receipt_alarms = receipt_alarms + 1 WHERE id = 1",
        [],
    )?;
    Ok(())
}

pub(crate) fn feed_cursor(conn: &Connection) -> Result<Option<String>> {
    Ok(conn
        .query_row("SELECT feed_cursor FROM phone WHERE id = 1", [], |r| {
            r.get(0)
        })
        .optional()?
        .flatten())
}

pub(crate) fn set_feed_cursor(conn: &Connection, cursor: &str) -> Result<()> {
    conn.execute("UPDATE phone SET feed_cursor = ?1 WHERE id = 1", [cursor])?;
    Ok(())
}

/// A snapshot of the feed begins.
pub(crate) fn begin_snapshot(conn: &Connection) -> Result<()> {
    conn.execute(
        "UPDATE phone SET snapshot_no = snapshot_no + 1 WHERE id = 1",
        [],
    )?;
    Ok(())
}

/// A snapshot is whole.
pub(crate) fn end_snapshot(conn: &Connection) -> Result<()> {
    conn.execute(
        "UPDATE phone SET snapshot_done = snapshot_no WHERE id = 1",
        [],
    )?;
    Ok(())
}

/// Whether photos may go up where that costs the courier money.
pub(crate) fn photos_on_metered(conn: &Connection) -> Result<bool> {
    Ok(conn
        .prepare_cached("SELECT photos_on_metered FROM phone WHERE id = 1")?
        .query_row([], |r| r.get(0))?)
}

pub(crate) fn set_photos_on_metered(conn: &Connection, on: bool) -> Result<()> {
    conn.execute("UPDATE phone SET photos_on_metered = ?1 WHERE id = 1", [on])?;
    Ok(())
}

/// How large the first batch of a process may be, if that was noted.
pub(crate) fn first_batch_bytes(conn: &Connection) -> Result<Option<usize>> {
    let mut stmt = conn.prepare_cached("SELECT first_batch_bytes FROM phone WHERE id = 1")?;
    let bytes: Option<i64> = stmt.query_row([], |r| r.get(0))?;
    Ok(bytes.and_then(|bytes| usize::try_from(bytes).ok()))
}

pub(crate) fn set_first_batch_bytes(conn: &Connection, bytes: Option<usize>) -> Result<()> {
    let bytes = bytes.and_then(|bytes| i64::try_from(bytes).ok());
    conn.execute(
        "UPDATE phone SET first_batch_bytes = ?1 WHERE id = 1",
        [bytes],
    )?;
    Ok(())
}

/// Since when nothing is known of the folder of photos.
pub(crate) fn folder_away_since_ms(conn: &Connection) -> Result<Option<i64>> {
    Ok(conn
        .prepare_cached("SELECT folder_away_since_ms FROM phone WHERE id = 1")?
        .query_row([], |r| r.get(0))?)
}

pub(crate) fn set_folder_away_since_ms(conn: &Connection, since_ms: Option<i64>) -> Result<()> {
    conn.execute(
        "UPDATE phone SET folder_away_since_ms = ?1 WHERE id = 1",
        [since_ms],
    )?;
    Ok(())
}

pub(crate) fn forget_feed_cursor(conn: &Connection) -> Result<()> {
    conn.execute("UPDATE phone SET feed_cursor = NULL WHERE id = 1", [])?;
    Ok(())
}

fn bad() -> Error {
    StoreError::BadRow("phone").into()
}
