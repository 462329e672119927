//! What the operator asks of all phones: a sealed copy of each store's key, log keys that do not grow old, a least
//! release (docs/adr/0053). Every change is in the signed journal before any phone hears of it, and so is every time
//! somebody takes a sealed key out.

use satchel_protocol::crypto::Secret32;
use satchel_protocol::escrow::{Escrow, EscrowFile, RecoveryKey};
use satchel_protocol::ids::{DeviceId, Hash32};
use satchel_protocol::orders::{Policy, Release};
use serde::Serialize;

use crate::entropy::{OsEntropy, draw};
use crate::error::HubError;
use crate::hub::Hub;
use crate::journal;
use crate::store::couriers;
use crate::store::policy as store;

#[derive(Serialize)]
struct PolicyRecord {
    recovery_key: Option<Hash32>,
    log_key_days: Option<u16>,
    least_release: Option<String>,
}

#[derive(Serialize)]
struct RescueRecord<'a> {
    device: DeviceId,
    why: &'a str,
}

/// Makes a recovery key out of this machine's randomness. It is for whoever keeps it offline: nothing here stores it.
///
/// # Errors
/// [`HubError::NoEntropy`].
pub fn new_recovery_key() -> Result<RecoveryKey, HubError> {
    Ok(RecoveryKey::new(Secret32::new(draw(&OsEntropy)?)))
}

impl Hub {
    /// What is asked of phones now.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn policy(&self) -> Result<Policy, HubError> {
        let mut conn = self.db().read().acquire().await?;
        let found = store::policy(&mut conn).await?;
        Ok(found.map(|(_, policy)| policy).unwrap_or_default())
    }

    /// Asks something else of all phones from now on.
    ///
    /// # Errors
    /// [`HubError::NotARecoveryKey`] for a public key to which nothing can be sealed; those of the database.
    pub async fn set_policy(&self, policy: Policy) -> Result<(), HubError> {
        if policy.recovery_key.is_some_and(|key| !takes_a_seal(key)) {
            return Err(HubError::NotARecoveryKey);
        }
        let mut tx = self.db().write().await?;
        let before = store::policy(&mut tx).await?;
        if before.as_ref().is_some_and(|(_, known)| *known == policy) {
            return Ok(());
        }
        // Phones take the newest word; two of one moment would be one too many.
        let after_ms = before.map_or(i64::MIN, |(at_ms, _)| at_ms.saturating_add(1));
        store::set_policy(&mut tx, self.now_ms().max(after_ms), &policy).await?;
        let record = PolicyRecord {
            recovery_key: policy.recovery_key,
            log_key_days: policy.log_key_days,
            least_release: policy.least_release.as_ref().map(Release::to_string),
        };
        journal::append(self, &mut tx, journal::POLICY_SET, &record).await?;
        Ok(tx.commit().await?)
    }

    /// The sealed keys of a phone's store, for whoever holds the recovery key; the reason stays in the journal.
    ///
    /// # Errors
    /// [`HubError::UnknownDevice`], [`HubError::NoReason`], [`HubError::NoEscrow`].
    pub async fn rescue(&self, device: DeviceId, why: &str) -> Result<EscrowFile, HubError> {
        let why = journal::reason(why)?;
        let mut tx = self.db().write().await?;
        couriers::device_in(&mut tx, device)
            .await?
            .ok_or(HubError::UnknownDevice(device))?;
        let keys = store::escrows(&mut tx, device).await?;
        if keys.is_empty() {
            return Err(HubError::NoEscrow(device));
        }
        let record = RescueRecord { device, why };
        journal::append(self, &mut tx, journal::KEY_TAKEN_OUT, &record).await?;
        tx.commit().await?;
        tracing::warn!(%device, "a sealed store key was taken out");
        Ok(EscrowFile { keys })
    }

    /// Keeps a phone's sealed key. One that is sealed to a key nobody asks for any more is of no use.
    pub(crate) async fn keep_escrow(&self, escrow: &Escrow) -> Result<(), HubError> {
        let mut tx = self.db().write().await?;
        let wanted = store::policy(&mut tx).await?;
        if wanted.and_then(|(_, policy)| policy.recovery_key) == Some(escrow.recovery) {
            store::keep_escrow(&mut tx, escrow, self.now_ms()).await?;
        }
        Ok(tx.commit().await?)
    }
}

/// Whether something can be sealed to this key at all.
fn takes_a_seal(key: Hash32) -> bool {
    let (nobody, nothing) = (DeviceId(uuid::Uuid::nil()), Secret32::new([0; 32]));
    Escrow::seal(nobody, &nothing, key, Secret32::new([1; 32])).is_ok()
}
