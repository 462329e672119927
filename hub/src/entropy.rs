//! Where codes, handles and session tokens come from, injected like the clock.
//!
//! Everything drawn here is a secret or must not be guessable, so the default is the operating system
//! and the seeded source exists for plays that must come out the same twice.

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

use satchel_protocol::crypto;

use crate::error::HubError;

/// Gives random bytes.
pub trait Entropy: Send + Sync + Debug {
    /// Fills `out`.
    ///
    /// # Errors
    /// [`HubError::NoEntropy`] when the source fails; the caller must then make no secret.
    fn fill(&self, out: &mut [u8]) -> Result<(), HubError>;
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), HubError> {
        getrandom::fill(out).map_err(|_| HubError::NoEntropy)
    }
}

/// The same bytes for the same seed. Only for tests and for a demo whose secrets protect nothing.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    drawn: Mutex<u64>,
}

impl SeededEntropy {
    /// Starts a sequence.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            drawn: Mutex::new(0),
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), HubError> {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in out.chunks_mut(32) {
            let block = crypto::sha256(&[&self.seed.to_be_bytes(), &drawn.to_be_bytes()]);
            *drawn += 1;
            for (slot, byte) in chunk.iter_mut().zip(block.0) {
                *slot = byte;
            }
        }
        Ok(())
    }
}

/// Draws a fixed number of bytes.
pub(crate) fn draw<const N: usize>(source: &dyn Entropy) -> Result<[u8; N], HubError> {
    let mut out = [0; N];
    source.fill(&mut out)?;
    Ok(out)
}
