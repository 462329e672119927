//! The tables as Mermaid text for the documentation, so that a drawing can never differ from the rules.

use core::fmt::Write as _;

use super::table::{ATTEMPT_TABLE, PARCEL_TABLE, ParcelState};

/// State diagram of a parcel. Steps between the same two states share one arrow.
#[must_use]
pub fn parcel_diagram() -> String {
    let mut out = String::from("stateDiagram-v2\n");
    for start in [ParcelState::ToCollect, ParcelState::OnRound] {
        line(&mut out, "[*]", start.code(), "");
    }
    for (from, row) in PARCEL_TABLE {
        for to in ParcelState::ALL {
            let steps: Vec<&str> = row
                .iter()
                .filter(|(_, target)| target == to)
                .map(|(step, _)| step.code())
                .collect();
            if !steps.is_empty() {
                line(&mut out, from.code(), to.code(), &steps.join(", "));
            }
        }
    }
    for state in ParcelState::ALL.iter().filter(|s| s.is_final()) {
        line(&mut out, state.code(), "[*]", "");
    }
    out
}

/// State diagram of one visit.
#[must_use]
pub fn attempt_diagram() -> String {
    let mut out = String::from("stateDiagram-v2\n");
    line(&mut out, "[*]", "OPEN", "");
    for (from, step, to) in ATTEMPT_TABLE {
        line(&mut out, from.code(), to.code(), step.code());
    }
    out
}

fn line(out: &mut String, from: &str, to: &str, label: &str) {
    // Writing to a String cannot fail.
    let _ = if label.is_empty() {
        writeln!(out, "    {from} --> {to}")
    } else {
        writeln!(out, "    {from} --> {to}: {label}")
    };
}
