//! One line of the summary and what makes it hold.

/// How a figure is compared with the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// The same.
    Equal,
    /// That many or more.
    AtLeast,
    /// That many or fewer.
    AtMost,
}

/// One line of the summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What must hold.
    pub what: &'static str,
    /// How many did.
    pub found: u64,
    /// How `found` is compared with `expected`.
    pub compare: Compare,
    /// How many should have.
    pub expected: u64,
    /// Whether it holds.
    pub ok: bool,
    /// What else is worth knowing.
    pub note: String,
}

impl Row {
    /// Every one of them, and there were some.
    pub(super) fn all(what: &'static str, found: u64, expected: u64) -> Self {
        let mut row = Self::new(what, found, Compare::Equal, expected);
        row.ok &= expected > 0;
        row
    }

    /// None of them.
    pub(super) fn none(what: &'static str, found: u64) -> Self {
        Self::new(what, found, Compare::Equal, 0)
    }

    /// No more than are accounted for.
    pub(super) fn at_most(what: &'static str, found: u64, expected: u64) -> Self {
        Self::new(what, found, Compare::AtMost, expected)
    }

    /// It happened at all.
    pub(super) fn at_least(what: &'static str, found: u64, expected: u64) -> Self {
        Self::new(what, found, Compare::AtLeast, expected)
    }

    fn new(what: &'static str, found: u64, compare: Compare, expected: u64) -> Self {
        let ok = match compare {
            Compare::Equal => found == expected,
            Compare::AtLeast => found >= expected,
            Compare::AtMost => found <= expected,
        };
        Self {
            what,
            found,
            compare,
            expected,
            ok,
            note: String::new(),
        }
    }

    pub(super) fn noting(mut self, note: String) -> Self {
        self.note = note;
        self
    }
}
