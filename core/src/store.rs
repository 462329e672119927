//! Everything that touches SQLite. No other module names `rusqlite` (a test watches that).
//!
//! One file per family of tables; each function takes the transaction it runs in, so a use case
//! decides what belongs together and [`db::Db`] is the only opener of transactions. `satchel-sqlite` is the library
//! beneath: SQLite with the cipher that the stores are written under.

pub(crate) mod attempts;
pub(crate) mod ballast;
pub(crate) mod calls;
pub(crate) mod codes;
pub(crate) mod cold;
pub(crate) mod consents;
pub(crate) mod db;
pub(crate) mod device_keys;
pub(crate) mod entries;
pub(crate) mod erasures;
pub(crate) mod escrow;
pub(crate) mod exhibits;
mod failure;
pub(crate) mod files;
pub(crate) mod history;
pub(crate) mod inks;
pub(crate) mod json;
mod keycheck;
pub(crate) mod leases;
pub(crate) mod lost;
pub(crate) mod noted;
pub(crate) mod opening;
pub(crate) mod past;
pub(crate) mod phone;
pub(crate) mod places;
pub(crate) mod planning;
pub(crate) mod policy;
pub(crate) mod proofs;
pub(crate) mod queue;
pub(crate) mod ratings;
mod rekey;
pub(crate) mod reports;
pub(crate) mod row;
pub(crate) mod rulesets;
pub(crate) mod salvage;
mod schema;
pub(crate) mod shift;
pub(crate) mod stops;
pub(crate) mod thumbs;
pub(crate) mod told;
pub(crate) mod versions;
pub(crate) mod watch;
pub(crate) mod wedged;
