//! A stand-in for the P-256 key that an app keeps in its phone's hardware, used as a host uses the real one.

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use satchel_core::sync::task::KeyTask;
use satchel_core::{Courier, Result};

/// The key. Each number is another one.
pub struct Hardware(SigningKey);

impl Hardware {
    /// The key of this number.
    #[must_use]
    pub fn new(n: u8) -> Self {
        Self(SigningKey::from_slice(&[n.max(1); 32]).unwrap())
    }

    /// Its public half as iOS gives it: a plain point.
    #[must_use]
    pub fn public(&self) -> Vec<u8> {
        self.0
            .verifying_key()
            .to_sec1_point(false)
            .as_bytes()
            .to_vec()
    }

    /// Its signature in DER, as both platforms give it.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        let made: Signature = self.0.sign(bytes);
        made.to_der().as_bytes().to_vec()
    }

    /// Does what the core asks of it; gives how much that was.
    ///
    /// # Errors
    /// Those of the core.
    pub fn work(&self, core: &Courier) -> Result<usize> {
        let mut done = 0;
        while let Some(task) = core.key_task()? {
            match task {
                KeyTask::Offer => core.offer_hardware_key(&self.public())?,
                KeyTask::DestroyKey { id, .. } => {
                    return core.complete_key_task(&id, &[]).map(|()| done + 1);
                }
                KeyTask::Sign { id, bytes, .. } => {
                    core.complete_key_task(&id, &self.sign(&bytes))?
                }
            }
            done += 1;
        }
        Ok(done)
    }
}
