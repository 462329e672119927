//! The summary on paper: figures first, then every check with its counts.

use std::fmt::Write as _;

use crate::check::{Compare, Row};
use crate::conductor::once::{Figures, Summary};

/// Writes the summary as a table.
#[must_use]
pub fn table(summary: &Summary) -> String {
    let mut out = figures(&summary.figures);
    let width = summary
        .rows
        .iter()
        .map(|row| row.what.chars().count())
        .max()
        .unwrap_or(0);
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "\n{:width$}  {:>7} {:>7}  result",
        "check", "found", "wanted"
    );
    let _ = writeln!(out, "{}", "─".repeat(width + 25));
    for row in &summary.rows {
        let _ = write!(out, "{}", line(row, width));
    }
    let passed = summary.rows.iter().filter(|row| row.ok).count();
    let verdict = if summary.holds() {
        "all checks hold"
    } else {
        "CHECKS FAILED"
    };
    let _ = writeln!(
        out,
        "\n{passed} of {} checks: {verdict}",
        summary.rows.len()
    );
    out
}

fn line(row: &Row, width: usize) -> String {
    let result = if row.ok { "ok" } else { "FAILED" };
    let gap = if row.note.is_empty() { "" } else { "  " };
    let sign = match row.compare {
        Compare::Equal => "",
        Compare::AtLeast => "≥ ",
        Compare::AtMost => "≤ ",
    };
    let wanted = format!("{sign}{}", row.expected);
    format!(
        "{:width$}  {:>7} {wanted:>7}  {result}{gap}{}\n",
        row.what, row.found, row.note
    )
}

fn figures(f: &Figures) -> String {
    let hours = f.day_ms / 3_600_000;
    let minutes = f.day_ms / 60_000 % 60;
    format!(
        "\n{} phones, {} rounds, {} parcels at {} stops ({} rows refused); {} visits, \
         {} attempts ({} not handed over), {} proofs, {} ratings\n\
         {} requests, {:.1} MB sent; a day of {hours} h {minutes:02} min in {:.1} s\n",
        f.phones,
        f.rounds,
        f.parcels,
        f.stops,
        f.rejected,
        f.visits,
        f.attempts,
        f.failed,
        f.proofs,
        f.ratings,
        f.requests,
        megabytes(f.sent_bytes),
        f.took.as_secs_f64(),
    )
}

#[allow(clippy::cast_precision_loss)] // far below 2^53
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
