//! The day that is delivered: invented from a seed or read from a file, with what happens at each door
//! and the proofs made there.

pub mod generate;
pub mod ink;
pub mod mapping;
pub mod photo;
pub mod visits;
pub mod words;
