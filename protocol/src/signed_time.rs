//! The hub's signed time: what a phone with a wrong clock is told, and what it may believe.
//!
//! A request whose `created` lies outside the window is answered with the hub's time over the nonce of
//! that very request, so an old answer cannot be replayed to move a phone's clock (security §3.7, §4).

use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::crypto;
use crate::ids::Sig64;

const SIGN_DOMAIN: &[u8] = b"satchel-time/1\0";

/// A time the hub vouches for, bound to the request that asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedTime {
    /// The hub's clock, Unix milliseconds.
    pub hub_time_ms: i64,
    /// The nonce of the request, as it was sent.
    pub nonce: String,
    /// Ed25519 by the hub.
    pub sig: Sig64,
}

impl SignedTime {
    /// Signs `hub_time_ms` for `nonce`.
    #[must_use]
    pub fn sign(hub: &SigningKey, hub_time_ms: i64, nonce: &str) -> Self {
        let sig = crypto::sign(hub, SIGN_DOMAIN, &message(hub_time_ms, nonce));
        Self {
            hub_time_ms,
            nonce: nonce.to_owned(),
            sig,
        }
    }

    /// The hub's time, if `hub` signed it for the request with `nonce`.
    #[must_use]
    pub fn verify(&self, hub: &VerifyingKey, nonce: &str) -> Option<i64> {
        (self.nonce == nonce
            && crypto::verify(
                hub,
                SIGN_DOMAIN,
                &message(self.hub_time_ms, nonce),
                &self.sig,
            ))
        .then_some(self.hub_time_ms)
    }
}

fn message(ms: i64, nonce: &str) -> Vec<u8> {
    [&ms.to_be_bytes()[..], nonce.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_counts_only_for_the_request_that_asked() {
        let hub = SigningKey::from_bytes(&[1; 32]);
        let time = SignedTime::sign(&hub, 99, "n1");
        assert_eq!(time.verify(&hub.verifying_key(), "n1"), Some(99));
        assert_eq!(time.verify(&hub.verifying_key(), "n2"), None);
        let moved = SignedTime {
            hub_time_ms: 100,
            ..time
        };
        assert_eq!(moved.verify(&hub.verifying_key(), "n1"), None);
    }
}
