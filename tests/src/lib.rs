//! The test kit: a day of deliveries, phones with a clock and randomness that a test owns, a small honest
//! hub in memory, and a link between them that breaks on command.
//!
//! The hub in memory speaks the real wire formats and checks every signature, so the core can be
//! tested thousands of times a minute. Everything here also works against a real hub over HTTP: a test
//! takes any [`link::Transport`].

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a kit for tests: what fails here fails the test"
)]

pub mod day;
pub mod hardware;
pub mod http;
pub mod link;
pub mod phone;
pub mod running;
pub mod seed;
pub mod toy_hub;
pub mod wire;
pub mod work;

mod toy_tree;
mod toy_uploads;
