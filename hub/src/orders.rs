//! What the hub orders its phones: leases, the keys to expect in TLS, and a wipe of one that is lost.
//!
//! Orders are signed one by one and ride in the feed (docs/adr/0047). A wipe is for one device, by a person at the
//! hub, with a reason that stays in the signed journal: it cannot be given in secret. It revokes the device in the
//! same transaction.

use data_encoding::HEXLOWER;
use satchel_protocol::enrol::MAX_PINS;
use satchel_protocol::ids::{DeviceId, Hash32};
use satchel_protocol::orders::{Command, Order};
use serde::Serialize;
use sqlx::Row;

use crate::error::HubError;
use crate::hub::Hub;
use crate::journal;
use crate::store::couriers::{self, DeviceRow};
use crate::store::{orders, policy};

/// What is known to be missing of a phone's work when its wipe is ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WipeReport {
    /// The device.
    pub device: DeviceId,
    /// Entries of its log that are held here; what it recorded after them is lost unless it comes on another way.
    pub entries_held: i64,
    /// Positions among them that stand open.
    pub entries_open: i64,
    /// Proofs that held entries name and that never came.
    pub proofs_missing: i64,
    /// Parcels it was given and that have no outcome here.
    pub parcels_without_outcome: i64,
}

#[derive(Serialize)]
struct WipeRecord<'a> {
    device: DeviceId,
    why: &'a str,
}

impl Hub {
    /// Orders a lost phone to destroy its key and its store, and refuses everything it would write from now on.
    /// Gives what was not synced yet, as far as the hub can know. Ordering it again changes nothing.
    ///
    /// # Errors
    /// [`HubError::UnknownDevice`]; [`HubError::NoReason`] for a reason that is none.
    pub async fn wipe(&self, device: DeviceId, why: &str) -> Result<WipeReport, HubError> {
        let why = journal::reason(why)?;
        let mut tx = self.db().write().await?;
        couriers::device_in(&mut tx, device)
            .await?
            .ok_or(HubError::UnknownDevice(device))?;
        if orders::order_wipe(&mut tx, device, self.now_ms()).await? {
            let record = WipeRecord { device, why };
            journal::append(self, &mut tx, journal::WIPE_ORDERED, &record).await?;
            // One that is revoked already stays revoked where it was.
            couriers::revoke(&mut tx, device).await?;
            policy::forget_escrows(&mut tx, device).await?;
        }
        let report = orders::missing(&mut tx, device).await?;
        tx.commit().await?;
        tracing::warn!(%device, "wipe ordered");
        Ok(report)
    }
}

impl Hub {
    /// Names the keys that the hub's address proves itself with in TLS, by the SHA-256 of their
    /// `SubjectPublicKeyInfo`: those in use, and those that are to follow. New invites carry them, and phones that are
    /// enrolled are told. None: phones trust what their system trusts.
    ///
    /// # Errors
    /// [`HubError::TooManyPins`]; those of the database.
    pub async fn set_pins(&self, pins: &[Hash32]) -> Result<(), HubError> {
        if pins.len() > MAX_PINS {
            return Err(HubError::TooManyPins);
        }
        let mut tx = self.db().write().await?;
        orders::set_pins(&mut tx, pins, self.now_ms()).await?;
        Ok(tx.commit().await?)
    }
}

/// The orders that go with a page to this phone.
/// `policy_at_ms`: the policy it has.
pub(crate) async fn for_page(
    hub: &Hub,
    device: &DeviceRow,
    policy_at_ms: Option<i64>,
) -> Result<Vec<String>, HubError> {
    let issue_at = |issued_at_ms, command| {
        let order = Order {
            version: 1,
            device: device.id,
            issued_at_ms,
            command,
        };
        HEXLOWER.encode(&order.sign(&hub.keys().signing).encode())
    };
    let issue = |command| issue_at(hub.now_ms(), command);
    if device.wipe_ordered {
        return Ok(vec![issue(Command::Wipe)]);
    }
    let mut conn = hub.db().read().acquire().await?;
    let pins = orders::pins(&mut conn).await?;
    let policy = policy::policy(&mut conn).await?;
    drop(conn);
    let mut issued: Vec<String> = pins
        .map(|pins| issue(Command::Pins { pins }))
        .into_iter()
        .collect();
    if let Some((at_ms, policy)) = policy.filter(|(at_ms, _)| Some(*at_ms) != policy_at_ms) {
        issued.push(issue_at(at_ms, Command::Policy(policy)));
    }
    let good_for_ms = hub.config().lease_ms;
    if good_for_ms.is_none() && !device.leased {
        return Ok(issued);
    }
    if !device.leased {
        let mut tx = hub.db().write().await?;
        orders::set_leased(&mut tx, device.id).await?;
        tx.commit().await?;
    }
    issued.push(issue(Command::Lease { good_for_ms }));
    Ok(issued)
}

impl WipeReport {
    pub(crate) fn of(device: DeviceId, row: &sqlx::sqlite::SqliteRow) -> Result<Self, HubError> {
        Ok(Self {
            device,
            entries_held: row.try_get("entries_held")?,
            entries_open: row.try_get("entries_open")?,
            proofs_missing: row.try_get("proofs_missing")?,
            parcels_without_outcome: row.try_get("parcels_without_outcome")?,
        })
    }
}
