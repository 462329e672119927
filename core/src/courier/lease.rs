//! The hub's orders to this phone: the lease that keeps personal data open, and the wipe.
//!
//! Nothing here deletes for want of a lease: a lapsed one closes what is personal and begins no new work, and what
//! is recorded goes on to the hub. A wipe is the hub's explicit order. It takes the key before the files, because
//! a key is gone at once and the cells of a flash memory are not.

use std::path::Path;
use std::sync::{MutexGuard, PoisonError};

use data_encoding::HEXLOWER;
use satchel_protocol::enrol::MAX_PINS;
use satchel_protocol::ids::Hash32;
use satchel_protocol::orders::{Command, MAX_ORDERS, SignedOrder};

use super::{BLOB_FOLDER, Courier, Keys};
use crate::error::{Refusal, Result, StoreError};
use crate::rules::lease::{Lease, Lock, Reading, Seen};
use crate::store::ballast;
use crate::store::db::{self, Tx};
use crate::store::{entries, leases, policy, proofs};
use crate::sync::task::KeyTask;

/// Names the one task of a wipe.
const WIPE_TASK: &str = "wipe";

/// The hub's orders as this phone stands by them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Standing {
    lease: Option<Lease>,
    wipe: bool,
}

impl Courier {
    /// Why personal data is closed on this phone and no new work begins; `None`: it is open.
    #[must_use]
    pub fn lock(&self) -> Option<Lock> {
        let standing = *self.standing();
        match (standing.wipe, standing.lease) {
            (true, _) => Some(Lock::WipeOrdered),
            (false, _) if self.outdated() => Some(Lock::Outdated),
            (false, Some(lease)) => lease.holds(&self.reading()).err(),
            (false, None) => None,
        }
    }

    /// The hub's public address; `None` before an invite.
    #[must_use]
    pub fn hub_url(&self) -> Option<String> {
        self.keys().as_ref().map(|keys| keys.hub_url.clone())
    }

    /// SHA-256 of the keys (`SubjectPublicKeyInfo`) that the hub's address proves itself with in TLS; an app refuses
    /// a connection that none of them is part of. Empty: whatever the system trusts.
    ///
    /// # Errors
    /// Only those of the store.
    pub fn pins(&self) -> Result<Vec<Hash32>> {
        Ok(self.db.read(leases::pins)?.0)
    }

    /// The keys of an enrolled phone that may open personal data and begin work.
    pub(super) fn at_work(&self) -> Result<Keys> {
        let keys = self.enrolled()?;
        self.unlocked()?;
        Ok(keys)
    }

    /// Refuses while [`Courier::lock`] says so.
    pub(super) fn unlocked(&self) -> Result<()> {
        match self.lock() {
            Some(lock) => Err(Refusal::Locked(lock).into()),
            None => Ok(()),
        }
    }

    /// Reads where this phone stands. What has passed since is written down, so that no reboot takes it back.
    pub(super) fn load_lease(&self) -> Result<()> {
        let (lease, wipe) = self
            .db
            .read(|conn| Ok((leases::lease(conn)?, leases::wipe_ordered(conn)?)))?;
        *self.standing() = Standing { lease, wipe };
        self.note_time()
    }

    /// Writes down what time it is known to be.
    pub(super) fn note_time(&self) -> Result<()> {
        let Some(before) = self.standing().lease.filter(|l| l.until_ms.is_some()) else {
            return Ok(());
        };
        let now = before.seen_at(self.reading());
        if now != before {
            self.db.write(|tx| leases::set_lease(tx, &now))?;
            self.standing().lease = Some(now);
        }
        Ok(())
    }

    /// Takes the orders of a feed page that are the hub's and this phone's. Gives whether any was news.
    pub(super) fn take_orders(&self, tx: &Tx<'_>, keys: &Keys, orders: &[String]) -> Result<bool> {
        let mut news = false;
        for hex in orders.iter().take(MAX_ORDERS) {
            let bytes = HEXLOWER.decode(hex.as_bytes()).unwrap_or_default();
            let order = match SignedOrder::read(&bytes, &keys.hub_key, keys.device) {
                Ok(order) => order,
                Err(error) => {
                    tracing::warn!(%error, "an order is not obeyed");
                    continue;
                }
            };
            match order.command {
                Command::Wipe => leases::order_wipe(tx, order.issued_at_ms)?,
                Command::Pins { pins } => {
                    let (_, at_ms) = leases::pins(tx)?;
                    if at_ms >= order.issued_at_ms || pins.len() > MAX_PINS {
                        continue;
                    }
                    leases::set_pins(tx, &pins, order.issued_at_ms)?;
                }
                Command::Policy(asked) => {
                    let known = policy::policy(tx)?;
                    if known.is_some_and(|(at_ms, _)| at_ms >= order.issued_at_ms) {
                        continue;
                    }
                    policy::set_policy(tx, order.issued_at_ms, &asked)?;
                }
                Command::Lease { good_for_ms } => {
                    let known = leases::lease(tx)?;
                    if known.is_some_and(|l| l.issued_at_ms >= order.issued_at_ms) {
                        continue;
                    }
                    let issued_at_ms = order.issued_at_ms;
                    let lease = Lease {
                        issued_at_ms,
                        until_ms: good_for_ms.map(|ms| issued_at_ms.saturating_add(ms)),
                        seen: Seen {
                            hub_ms: issued_at_ms,
                            at: self.reading(),
                        },
                    };
                    leases::set_lease(tx, &lease)?;
                }
            }
            news = true;
        }
        Ok(news)
    }

    /// What the host has to destroy, if the hub ordered a wipe.
    pub(super) fn wipe_task(&self) -> Result<Option<KeyTask>> {
        if !self.standing().wipe {
            return Ok(None);
        }
        let in_doubt = self.lost_in_doubt()?;
        let (entries, proofs) = self
            .db
            .read(|conn| Ok((entries::only_here(conn)?, proofs::unsent(conn)?.count)))?;
        Ok(Some(KeyTask::DestroyKey {
            id: WIPE_TASK.to_owned(),
            unsent_entries: entries,
            unsent_proofs: proofs + in_doubt,
        }))
    }

    /// The host has destroyed its key: the files go. `false`: no wipe was ordered, or the id is another task's.
    pub(super) fn finish_wipe(&self, id: &str) -> Result<bool> {
        if id != WIPE_TASK || !self.standing().wipe {
            return Ok(false);
        }
        self.db.close();
        remove_store(self.db.path())?;
        Ok(true)
    }

    pub(super) fn wipe_ordered(&self) -> bool {
        self.standing().wipe
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reading(&self) -> Reading {
        Reading {
            boot_id: self.env.clock.boot_id(),
            boottime_ms: self.boot_ms(),
            wall_ms: self.env.clock.wall_ms(),
        }
    }
}

/// Removes the store in `dir`, for a host that has destroyed its key: nobody can read it any more. Other files in
/// the folder stay. Safe to repeat.
///
/// # Errors
/// [`StoreError::InUse`] while an instance has it open; those of the file system.
pub fn remove_store(dir: &Path) -> Result<()> {
    match std::fs::remove_dir_all(dir.join(BLOB_FOLDER)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(StoreError::from(e).into());
        }
        _ => {}
    }
    ballast::remove(dir)?;
    db::remove(dir)
}
