//! Sync without I/O: what to send comes out as tasks, answers go in, everything true is in the store.
//!
//! The engine keeps nothing that a kill could lose: what is unsent follows from the log and the proofs,
//! and where an outcome is unknown the phone asks the hub before it sends again.

pub(crate) mod answers;
pub(crate) mod engine;
pub(crate) mod pace;
pub(crate) mod replay;
pub(crate) mod requests;
pub mod task;
