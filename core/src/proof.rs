//! What shows that a parcel was handed over: photo, signature ink, and where their bytes rest.
//!
//! Everything here turns values into values or files; nothing knows the database, the clock or
//! the network. The caller binds the resulting hashes into the signed log (design: evidence log).

pub mod blob;
pub mod ink;
pub mod photo;
