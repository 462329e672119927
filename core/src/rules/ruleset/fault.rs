//! What can be wrong with a hub's document, told in full, because the hub is told it too.

use satchel_protocol::taxonomy::HandoffKind;
use thiserror::Error;

use super::document::{MAX_RULES, MAX_RULESET_BYTES};
use super::item::Item;

/// Why a document is kept out. The one in force stays, and the hub is told this.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RuleSetError {
    /// Longer than [`MAX_RULESET_BYTES`].
    #[error("the rule set has {bytes} bytes, more than {MAX_RULESET_BYTES}")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Not JSON of this form: a missing, unknown or wrongly typed field, or an unknown level.
    #[error("the rule set does not have its form at line {line}, column {column}")]
    BadForm {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A format this build does not know.
    #[error("rule set format {found} is not known")]
    UnknownFormat {
        /// What it says.
        found: u32,
    },
    /// Version 0 is the built-in set's.
    #[error("a rule set needs a version above 0")]
    BadVersion,
    /// More than [`MAX_RULES`].
    #[error("the rule set has {count} rules, more than {MAX_RULES}")]
    TooManyRules {
        /// How many.
        count: usize,
    },
    /// An older document than the one in force.
    #[error("rule set {offered} is older than {current}, which is in force")]
    Older {
        /// In force.
        current: u32,
        /// Offered.
        offered: u32,
    },
    /// The version in force, with other content.
    #[error("rule set {version} was sent twice with different content")]
    SameVersionDiffers {
        /// The version.
        version: u32,
    },
    /// Two rules have one id, so that a line could not name its source.
    #[error("rule number {index} repeats an earlier id")]
    DuplicateId {
        /// Position in the document, from 1.
        index: usize,
    },
    /// A value of a rule is out of its range or not in its list.
    #[error("rule number {index} has a bad {field}")]
    BadRule {
        /// Position in the document, from 1.
        index: usize,
        /// Which field.
        field: &'static str,
    },
    /// The rule asks for less than the law.
    #[error("rule {rule} weakens {} for {} below {source_rows}", .item.code(), .handoff.code())]
    Weakens {
        /// The hub's id of the rule.
        rule: String,
        /// The item.
        item: Item,
        /// A handoff for which it is weaker.
        handoff: HandoffKind,
        /// What it would break.
        source_rows: &'static str,
    },
    /// A position may be asked for but never hold a courier up (B4-22).
    #[error("rule {rule} would block a handoff for want of a position")]
    MayNotBlock {
        /// The hub's id of the rule.
        rule: String,
    },
}
