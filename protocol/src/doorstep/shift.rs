//! The courier's shift, and rules that a phone would not take.

use minicbor::{Decode, Encode};

use super::body;
use crate::attempt::Fix;
use crate::ids::Hash32;

/// Body of [`crate::entry::EntryKind::DUTY`]: a shift starts or ends.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct DutyBody {
    /// Starts, or ends.
    #[n(0)]
    pub on: bool,
    /// The wall clock was moved back during the shift that ends, so its length is not known.
    #[n(1)]
    pub clock_moved_back: bool,
    /// Where, if the courier shared it.
    #[n(2)]
    pub fix: Option<Fix>,
}

/// Body of [`crate::entry::EntryKind::RULESET_REFUSED`]: the phone kept the rules it had.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RuleSetRefusedBody {
    /// Version in force.
    #[n(0)]
    pub current_version: u32,
    /// Version offered, if it could be read.
    #[n(1)]
    pub offered_version: Option<u32>,
    /// SHA-256 of the document offered.
    #[n(2)]
    pub document: Hash32,
    /// Why, in one sentence without personal data.
    #[n(3)]
    pub why: String,
}

body!(DutyBody, "duty body");
body!(RuleSetRefusedBody, "refused rule set body");
