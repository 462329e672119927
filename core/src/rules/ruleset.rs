//! What a handoff needs, as data: the law's minimum compiled in, everything above it sent by the hub.
//!
//! A hub sends one versioned JSON document. Each of its rules names the parcels, handoffs and service
//! tiers it is for and how strongly it asks for one item; among rules that fit, a later one overrides an
//! earlier one. The compiled-in minimum ([`minimum`]) holds beneath all of them: a rule that openly asks
//! for less is refused with the whole document and the old one stays, and a general rule that meets a
//! stricter case (a fragile parcel) is lifted to the minimum when it is evaluated. So no document, broken
//! or malicious, can let a parcel go with less than the law asks (B4-12, Art 27, Art 28).

mod checklist;
mod document;
mod fault;
mod item;
mod minimum;

pub use checklist::{Checklist, Given, Line, Skip, Source, Unmet, UnmetWhy, combine};
pub use document::{Accepted, Level, MAX_RULES, MAX_RULESET_BYTES, Rule, RuleSet};
pub use fault::RuleSetError;
pub use item::{Item, SkipReason};
pub use minimum::{Case, Floor, minimum};

#[cfg(test)]
mod tests;
