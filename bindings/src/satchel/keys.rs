//! The phone's keys: what its hardware vouches for, and a key of the log that follows another.

use std::path::Path;

use satchel_core::protocol::tls_key;

use super::{Result, Satchel};
use crate::sync::{HubAddress, KeyTask, LockReason};

/// Removes the store in a folder whose key is destroyed, after a wipe that was cut off. Other files in the folder
/// stay. Nobody can read that store any more; never call it for another reason.
///
/// # Errors
/// `StoreLocked` while an instance has it open; `Internal` where the system refuses.
#[uniffi::export]
pub fn remove_store(directory: String) -> Result<()> {
    Ok(satchel_core::remove_store(Path::new(&directory))?)
}

/// SHA-256 of the key in an X.509 certificate (DER), as `hubAddress` names keys: for a platform that shows the
/// server's certificate and not its key. Of the server's own certificate, never of another one in its chain: anybody
/// can append those. `null` for what is no certificate. Judges nothing else; that stays the platform's.
#[uniffi::export]
pub fn certificate_key_sha256(certificate: Vec<u8>) -> Option<Vec<u8>> {
    tls_key::spki_sha256(&certificate).map(|pin| pin.0.to_vec())
}

#[uniffi::export]
impl Satchel {
    /// Names the P-256 key that the app keeps in its phone's hardware, before enrolling: the bytes of
    /// `PublicKey.encoded` on Android, of `SecKeyCopyExternalRepresentation` on iOS. The enrolment then waits
    /// for the signature that `keyTask` asks for.
    ///
    /// # Errors
    /// `InvalidInput` for anything but a P-256 key, `AlreadyDone` once enrolled with another one or none.
    pub fn offer_hardware_key(&self, public_key: Vec<u8>) -> Result<()> {
        Ok(self.courier.offer_hardware_key(&public_key)?)
    }

    /// What the hardware key has to do now; ask when the app starts, after `enrol` and after a sync loop. The
    /// same task is given until it is completed.
    ///
    /// # Errors
    /// Those of the store.
    pub fn key_task(&self) -> Result<Option<KeyTask>> {
        Ok(self.courier.key_task()?.map(KeyTask::from))
    }

    /// Takes the signature, as the platform gives it. An id of an earlier task is harmless. Sync afterwards.
    ///
    /// # Errors
    /// `InvalidInput` for one that is not that key's over the task's bytes; the task stays.
    pub fn complete_key_task(&self, task_id: String, signature: Vec<u8>) -> Result<()> {
        Ok(self.courier.complete_key_task(&task_id, &signature)?)
    }

    /// Why personal data is closed on this phone and no new work begins; `null`: it is open. Calls that would
    /// open it are then `Refused` by the rule `Locked`, with a text to show.
    pub fn lock(&self) -> Option<LockReason> {
        self.courier.lock().map(LockReason::from)
    }

    /// Where this phone's hub is, and which keys its TLS has to show; `null` before an invite. The app refuses a
    /// connection to the hub in which none of them takes part. Ask before each sync loop: the hub may change them.
    ///
    /// # Errors
    /// Those of the store.
    pub fn hub_address(&self) -> Result<Option<HubAddress>> {
        let Some(url) = self.courier.hub_url() else {
            return Ok(None);
        };
        let pins = self.courier.pins()?;
        Ok(Some(HubAddress {
            url,
            spki_sha256: pins.iter().map(|pin| pin.0.to_vec()).collect(),
        }))
    }

    /// Changes the key that signs the log, at once or, with a hardware key, once `keyTask` is done: on suspicion
    /// that somebody read the old one. Nothing recorded is lost and nothing is to be sent again. While a change
    /// has not reached the hub, no other begins.
    ///
    /// # Errors
    /// `NotEnrolled`; those of the store.
    pub fn rotate_log_key(&self) -> Result<()> {
        Ok(self.courier.rotate_log_key()?)
    }
}
