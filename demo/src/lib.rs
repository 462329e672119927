//! Satchel in one command: a hub, virtual phones on the real core, and a phone screen in the browser.
//!
//! The library half is what tests use: [`host`] is the HTTP loop that every host of the core needs,
//! [`day`] invents deliveries and proofs, [`check`] compares what phones promised with what a hub holds.

pub mod check;
pub mod child;
pub mod clock;
pub mod conductor;
pub mod day;
pub mod error;
pub mod host;
pub mod interrupt;
pub mod ledger;
pub mod report;
pub mod screen;
pub mod seed;
