//! Every row of the requirements that is the phone's (A1–A3, A8, A13), and where it is honoured.
//!
//! The list is code, so that it cannot point at an item that is gone, and `docs/rules.md` is written from
//! it. A row that is not done here says so and why. A test fails when a row is missing, when a test that
//! is named does not exist, and when the document differs from the code.

mod render;
mod rows;

pub use render::render;
pub use rows::ROWS;

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Honoured {
    /// In these items, shown by these tests.
    Here {
        /// Paths in the core.
        at: &'static [&'static str],
        /// Names of tests.
        shown_by: &'static [&'static str],
    },
    /// Not in the rules of the doorstep.
    NotHere {
        /// Why.
        why: &'static str,
    },
}

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleRow {
    /// Its number.
    pub row: &'static str,
    /// The rule in one line.
    pub rule: &'static str,
    /// Where it stands.
    pub honoured: Honoured,
}

#[cfg(test)]
mod tests;
