//! Runs a day: starts hub and phones, tells them what happens and writes down what they promise.

pub mod customers;
pub mod display;
pub mod hub;
pub mod live;
pub mod once;
pub mod phone;
pub mod setup;
