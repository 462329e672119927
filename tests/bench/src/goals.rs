//! What a run is held against. Counts carry over from machine to machine, so a run can be made to fail by them
//! (`--gate`); times are only told. A goal that is missed for a reason says the reason each time, so that nobody has to
//! look for it.

use std::fmt;

use serde::Serialize;

use crate::Failure;

/// Where a goal's figure comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Counted: the same on each machine.
    Count,
    /// Measured by a clock: this machine's and this minute's.
    Time,
}

/// One figure and the most that it may be.
#[derive(Debug, Serialize)]
pub(crate) struct Goal {
    what: String,
    kind: Kind,
    most: f64,
    /// `None` where this machine cannot count it.
    measured: Option<f64>,
    /// Why it is not reached, where that is settled: it is told and fails no run.
    settled: Option<&'static str>,
}

impl Goal {
    pub(crate) fn count(what: impl Into<String>, most: f64, measured: Option<f64>) -> Self {
        Self {
            what: what.into(),
            kind: Kind::Count,
            most,
            measured,
            settled: None,
        }
    }

    pub(crate) fn time(what: impl Into<String>, most: f64, measured: Option<f64>) -> Self {
        Self {
            kind: Kind::Time,
            ..Self::count(what, most, measured)
        }
    }

    /// For a goal in whose way something stands that goes first.
    pub(crate) fn settled(mut self, why: &'static str) -> Self {
        self.settled = Some(why);
        self
    }

    fn is_missed(&self) -> bool {
        self.measured.is_some_and(|measured| measured > self.most)
    }

    fn fails_a_run(&self) -> bool {
        self.kind == Kind::Count && self.settled.is_none() && self.is_missed()
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let measured = self
            .measured
            .map_or_else(|| "not counted".to_owned(), |n| format!("{n:.2}"));
        let verdict = match (self.measured, self.is_missed(), self.settled) {
            (None, ..) => String::new(),
            (_, false, _) => "kept".to_owned(),
            (_, true, None) => "**missed**".to_owned(),
            (_, true, Some(why)) => format!("**missed**: {why}"),
        };
        write!(
            f,
            "| {} | {measured} | ≤ {} | {verdict} |",
            self.what, self.most
        )
    }
}

/// The goals as a table behind the figures.
pub(crate) fn table(goals: &[Goal]) -> String {
    let mut out = String::from("\n| goal | here | at most | |\n|---|--:|--:|---|\n");
    for goal in goals {
        out.push_str(&format!("{goal}\n"));
    }
    out
}

/// With `--gate`: an error that names each count beyond its goal.
pub(crate) fn gate(goals: &[Goal]) -> Result<(), Failure> {
    let missed = goals.iter().filter(|goal| goal.fails_a_run());
    let missed: Vec<&str> = missed.map(|goal| goal.what.as_str()).collect();
    match missed.is_empty() {
        true => Ok(()),
        false => Err(format!("counts beyond their goals: {}", missed.join("; ")).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Goal, gate};

    #[test]
    fn only_a_count_with_no_reason_fails_a_run() {
        let held = [
            Goal::count("kept", 2.0, Some(2.0)),
            Goal::count("cannot be counted here", 2.0, None),
            Goal::time("a slow machine", 2.0, Some(9.0)),
            Goal::count("settled", 2.0, Some(9.0)).settled("safety goes first"),
        ];
        assert!(gate(&held).is_ok());
        let shown = held[3].to_string();
        assert!(shown.contains("**missed**: safety goes first"), "{shown}");
        let missed = gate(&[Goal::count("requests", 2.0, Some(2.1))]);
        assert!(missed.unwrap_err().to_string().contains("requests"));
    }
}
