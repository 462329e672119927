//! What the hub asks of all its phones: a sealed copy of the store's key for the day a keystore forgets it, log keys
//! that do not grow old, and releases that are not too old (docs/adr/0053).
//!
//! None of this ever stops a record: a copy that cannot be written is written later, a key that cannot be changed
//! goes on signing, and a phone whose release is too old still syncs what it has.

use std::sync::{MutexGuard, PoisonError};

use satchel_protocol::crypto::{self, Secret32};
use satchel_protocol::escrow::{Escrow, EscrowFile, key_check};
use satchel_protocol::ids::Hash32;
use satchel_protocol::orders::{LOG_KEY_DAYS, Policy, Release};

use super::{Courier, Keys};
use crate::clock::random;
use crate::error::{Error, Result};
use crate::limits;
use crate::store::phone::Stage;
use crate::store::{escrow, policy};

/// The policy as this phone has it, and what follows from it.
#[derive(Debug, Default)]
pub(super) struct Asked {
    policy: Policy,
    /// When the operator said so; `None`: no policy ever came.
    at_ms: Option<i64>,
    /// How long the present log key has been in use, by the hub's clock.
    key_age_ms: Option<i64>,
    /// A sealed key that the hub does not have yet.
    unsent: Option<Vec<u8>>,
}

impl Courier {
    /// The release of this core.
    #[must_use]
    pub fn release() -> Option<Release> {
        env!("CARGO_PKG_VERSION").parse().ok()
    }

    /// Reads the policy and does what of it can be done now.
    pub(super) fn load_policy(&self) -> Result<()> {
        let (found, key_age_ms) = self
            .db
            .read(|conn| Ok((policy::policy(conn)?, policy::log_key_age_ms(conn)?)))?;
        {
            let mut asked = self.asked();
            asked.at_ms = found.as_ref().map(|(at_ms, _)| *at_ms);
            asked.policy = found.map(|(_, policy)| policy).unwrap_or_default();
            asked.key_age_ms = key_age_ms;
        }
        // On a full disk there is no room for a copy; the next opening tries again.
        if let Err(error) = self.settle_escrow() {
            tracing::warn!(%error, "the store's key is not in escrow");
        }
        Ok(())
    }

    /// When the operator set the policy that this phone has.
    pub(super) fn policy_at_ms(&self) -> Option<i64> {
        self.asked().at_ms
    }

    /// Whether the hub lets only newer releases begin work.
    pub(super) fn outdated(&self) -> bool {
        let least = self.asked().policy.least_release;
        least.is_some_and(|least| Self::release().is_some_and(|ours| ours < least))
    }

    /// Changes the log key when it has been in use for as long as the hub lets it. Where the phone's hardware has to
    /// vouch for the new one, [`Courier::key_task`] asks for that from here on, and the old key signs until then.
    pub(super) fn renew_log_key(&self) {
        if !self.log_key_is_old() {
            return;
        }
        match self.rotate_log_key() {
            Ok(()) | Err(Error::NotEnrolled) => {}
            Err(error) => tracing::warn!(%error, "the log key was not changed"),
        }
    }

    /// After receipts came: they say what time it is.
    pub(super) fn note_key_age(&self) -> Result<()> {
        let age_ms = self.db.read(policy::log_key_age_ms)?;
        self.asked().key_age_ms = age_ms;
        Ok(())
    }

    /// By the hub's clock as its receipts tell it, so that a clock that was set on the phone changes nothing: keys
    /// that follow each other too fast would leave a hub behind that is set back to a backup (docs/adr/0046).
    fn log_key_is_old(&self) -> bool {
        let (days, age_ms) = {
            let asked = self.asked();
            (asked.policy.log_key_days, asked.key_age_ms)
        };
        let at_rest = |keys: &Keys| keys.stage == Stage::Enrolled && keys.change_is_free();
        let max_ms = i64::from(days.unwrap_or(LOG_KEY_DAYS)) * limits::DAY_MS;
        age_ms.is_some_and(|age_ms| age_ms >= max_ms) && self.keys().as_ref().is_some_and(at_rest)
    }

    /// Sees to it that the store's present key, and no other, lies sealed beside the store.
    fn settle_escrow(&self) -> Result<()> {
        let dir = self.db.path();
        let keys = self.keys().clone().filter(|k| k.stage == Stage::Enrolled);
        let recovery = self.asked().policy.recovery_key;
        let (Some(recovery), Some(keys)) = (recovery, keys) else {
            self.asked().unsent = None;
            return escrow::remove(dir);
        };
        let key = self.db.key();
        let check = key_check(&key);
        let fits =
            |e: &Escrow| e.recovery == recovery && e.key_check == check && e.device == keys.device;
        let found = escrow::read(dir)?.map(|file| file.keys).unwrap_or_default();
        let blob = match found.as_slice() {
            [one] if fits(one) => one.encode(),
            _ => {
                let fresh = self.seal(&keys, &key, recovery)?;
                let bytes = fresh.encode();
                escrow::write(dir, &EscrowFile { keys: vec![fresh] })?;
                bytes
            }
        };
        let held = self.db.read(policy::escrow_held)?;
        let is_held = held == Some(crypto::sha256(&[&blob]));
        self.asked().unsent = (!is_held).then_some(blob);
        Ok(())
    }

    /// Seals the key that is to follow beside the present one, so that whichever of them the store has after a kill
    /// can be had. Where that fails the change of keys does not begin.
    pub(super) fn seal_next(&self, next: &Secret32) -> Result<()> {
        let Some(recovery) = self.asked().policy.recovery_key else {
            return Ok(());
        };
        let keys = self.enrolled()?;
        let both = EscrowFile {
            keys: vec![
                self.seal(&keys, &self.db.key(), recovery)?,
                self.seal(&keys, next, recovery)?,
            ],
        };
        escrow::write(self.db.path(), &both)
    }

    fn seal(&self, keys: &Keys, key: &Secret32, recovery: Hash32) -> Result<Escrow> {
        let one_time = Secret32::new(random(&*self.env.entropy)?);
        Escrow::seal(keys.device, key, recovery, one_time).map_err(|_| Error::InvalidInput {
            what: "recovery key",
        })
    }

    /// The sealed key that the hub is to have.
    pub(super) fn escrow_unsent(&self) -> Option<Vec<u8>> {
        self.asked().unsent.clone()
    }

    /// The hub has this sealed key.
    pub(super) fn escrow_sent(&self, hash: &Hash32) -> Result<()> {
        self.db
            .write(|tx| policy::set_escrow_held(tx, Some(hash)))?;
        let mut asked = self.asked();
        if asked
            .unsent
            .as_ref()
            .is_some_and(|blob| crypto::sha256(&[blob]) == *hash)
        {
            asked.unsent = None;
        }
        Ok(())
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
