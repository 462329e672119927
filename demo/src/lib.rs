//! Satchel in one command: a hub, virtual phones on the real core, and a phone screen in the browser.
//!
//! The library half is what tests use: [`host`] is the HTTP loop that every host of the core needs,
//! [`screen`] is the phone in the browser, [`day`] invents deliveries and proofs.

pub mod child;
pub mod clock;
pub mod day;
pub mod error;
pub mod host;
pub mod seed;
