//! `docs/rules.md` as text.

use core::fmt::Write as _;

use satchel_protocol::taxonomy::{HandoffKind, PromiseClass, Reason};

use super::{Honoured, ROWS};
use crate::rules::contact::{ContactNeed, contact_need};
use crate::rules::ruleset::{Case, Item, Level, minimum};
use crate::rules::transitions::{attempt_diagram, parcel_diagram};

/// The whole document.
#[must_use]
pub fn render() -> String {
    let mut out = String::from(
        "# The rules of the phone\n\n\
         Written by the code (`rules::register::render`); do not edit. Row numbers are those of the \
         requirements, parts A1–A3, A8 and A13. To write it anew: \
         `SATCHEL_WRITE_DOCS=1 cargo test -p satchel-core --lib register`.\n\n\
         ## Rows and where they are honoured\n\n\
         | Row | Rule | Where | Shown by |\n|---|---|---|---|\n",
    );
    for row in ROWS {
        let (at, shown_by) = match row.honoured {
            Honoured::Here { at, shown_by } => (
                list(at.iter().map(|path| path.trim_start_matches("crate::"))),
                list(shown_by.iter().copied()),
            ),
            Honoured::NotHere { why } => (format!("not here: {why}"), String::from("–")),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "| {} | {} | {at} | {shown_by} |", row.row, row.rule);
    }
    out.push_str(&minimum_table());
    out.push_str(&contact_table());
    let _ = write!(
        out,
        "\n## States of a parcel\n\n```mermaid\n{}```\n\n\
         A delivery that a phone recorded before it could know of a cancellation counts all the same and \
         is flagged; see `rules::transitions::fold`.\n\n\
         ## States of a visit\n\n```mermaid\n{}```\n",
        parcel_diagram(),
        attempt_diagram(),
    );
    out
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join("<br>")
}

/// What each handoff needs at least, for a parcel without tags.
fn minimum_table() -> String {
    let mut out = String::from(
        "\n## What the law and the product ask for at least\n\n\
         R required · r required, or skipped with a reason · o optional · – not asked for. \
         A hub can raise any of them; R and r are never lowered, o and – are defaults.\n\n| Item |",
    );
    let handoffs = HandoffKind::ALL;
    for handoff in handoffs {
        let _ = write!(out, " {} |", handoff.code());
    }
    out.push_str("\n|---|");
    out.push_str(&"---|".repeat(handoffs.len()));
    out.push('\n');
    for item in Item::ALL {
        let _ = write!(out, "| {} {} |", item.code(), item.zh());
        for handoff in handoffs {
            let case = Case::plain(*handoff, PromiseClass::SameCity);
            let mark = match minimum(&case, *item).level {
                Level::Required => "R",
                Level::RequiredWithReason => "r",
                Level::Optional => "o",
                Level::Off => "–",
            };
            let _ = write!(out, " {mark} |");
        }
        out.push('\n');
    }
    out
}

/// Which contact each failure needs with the action that is suggested first.
fn contact_table() -> String {
    let mut out = String::from(
        "\n## Contact before a failure is recorded\n\n\
         For the first suggested action; any action that leads to a station needs at least one try.\n\n\
         | Reason | Needed |\n|---|---|\n",
    );
    for reason in Reason::ALL {
        let Some(action) = reason.legal_actions().first() else {
            continue;
        };
        let need = match contact_need(*reason, *action) {
            ContactNeed::None => String::from("nothing"),
            ContactNeed::Recommended => String::from("recommended and counted"),
            ContactNeed::Tried(n) => format!("{n} tries, answered or not"),
            ContactNeed::Reached => {
                String::from("a conversation, or the customer's choice on record")
            }
        };
        let _ = writeln!(out, "| {} {} | {need} |", reason.code(), reason.zh());
    }
    out
}
