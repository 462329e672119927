//! The summary on paper: figures first, then every check with its counts.

use std::fmt::Write as _;

use crate::check::{Compare, Row};
use crate::conductor::once::{Figures, RoundFigures, Summary};

/// Writes the summary as a table.
#[must_use]
pub fn table(summary: &Summary) -> String {
    let mut out = figures(&summary.figures);
    out.push_str(&rounds(&summary.rounds));
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

/// Every round by its two orders.
fn rounds(rounds: &[RoundFigures]) -> String {
    let mut out = String::new();
    if rounds.is_empty() {
        return out;
    }
    let km = |m: f64| m / 1_000.0;
    let minutes = |ms: i64| ms / 60_000;
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "\nround  stops   driven   planned    shorter   late driven  planned   takes driven  planned"
    );
    let mut total = (0.0, 0.0, 0, 0, 0, 0);
    for (number, round) in (1..).zip(rounds) {
        let o = round.orders;
        let _ = writeln!(
            out,
            "{number:>5} {:>6} {:>5.1} km {:>6.1} km {:>8.1} % {:>9} min {:>4} min {:>9} min {:>4} min",
            round.stops,
            km(o.driven_m),
            km(o.planned_m),
            shorter(o.driven_m, o.planned_m),
            o.driven_late_s / 60,
            o.planned_late_s / 60,
            minutes(o.driven_ms),
            minutes(o.planned_ms),
        );
        total.0 += o.driven_m;
        total.1 += o.planned_m;
        total.2 += o.driven_late_s;
        total.3 += o.planned_late_s;
        total.4 += o.driven_ms;
        total.5 += o.planned_ms;
    }
    let stops: usize = rounds.iter().map(|r| r.stops).sum();
    let _ = writeln!(
        out,
        "  all {stops:>6} {:>5.1} km {:>6.1} km {:>8.1} % {:>9} min {:>4} min {:>9} min {:>4} min",
        km(total.0),
        km(total.1),
        shorter(total.0, total.1),
        total.2 / 60,
        total.3 / 60,
        minutes(total.4),
        minutes(total.5),
    );
    out
}

fn shorter(driven_m: f64, planned_m: f64) -> f64 {
    if driven_m > 0.0 {
        (driven_m - planned_m) * 100.0 / driven_m
    } else {
        0.0
    }
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
