//! The rules of the doorstep, as pure functions over values (B4-12: enforced here, never in a UI).

pub mod coded;
pub mod codes;
pub mod coldchain;
pub mod consent;
pub mod contact;
pub mod duty;
pub mod geofence;
pub mod kpi;
pub mod lease;
pub mod load;
pub mod pickup;
pub mod position;
pub mod promise;
pub mod register;
pub mod remedy;
pub mod ruleset;
pub mod wording;

pub use satchel_protocol::{mask, transitions};
