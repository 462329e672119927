//! Satchel's core: the courier's phone as a library.
//!
//! It keeps the route, takes the doorstep handoff, proves what happened, makes the rating code and
//! syncs when there is a network. It does no networking itself: the host asks [`Courier::next_task`]
//! what to send, does the HTTP with its own stack and gives the answer to [`Courier::complete_task`].
//! Time, randomness and the database key come in from outside.
//!
//! Start with [`Courier::open`].

pub mod clock;
pub mod error;
pub mod limits;
pub mod model;
pub mod proof;
pub mod rating;
pub mod rescue;
pub mod rules;
pub mod sync;

mod courier;
mod evidence;
mod store;

pub use courier::{Courier, Environment, OpenConfig, remove_store};
pub use error::{Error, Refusal, Result, StoreError};
pub use satchel_protocol as protocol;
pub use satchel_route as route;
