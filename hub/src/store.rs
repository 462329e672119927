//! Everything that speaks SQL, one file per family of tables.

pub(crate) mod bulk;
pub(crate) mod consents;
pub(crate) mod couriers;
pub(crate) mod device_keys;
pub(crate) mod entries;
pub(crate) mod events;
pub(crate) mod feed;
pub(crate) mod orders;
pub(crate) mod policy;
pub(crate) mod proofs;
pub(crate) mod recorder;
pub(crate) mod rounds;
pub(crate) mod sessions;
pub(crate) mod wedged;
