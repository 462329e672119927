//! The verdict on one parcel of a visit, with nothing written yet: the gate once more, the checklist, the
//! contact that a failure needs.

use satchel_protocol::attempt::{CodeResult, SkipRecord};
use satchel_protocol::taxonomy::{Action, HandoffKind, ProofKind, Reason};
use satchel_protocol::transitions::check_step;

use super::complete::{Ending, Visit};
use super::gate::{self, Asked};
use super::{facts, input, trimmed};
use crate::error::{Error, Refusal, Result};
use crate::model::attempt::ParcelResult;
use crate::rules::consent::Basis;
use crate::rules::contact::{CallAttempt, check_contact};
use crate::rules::ruleset::{Given, Item, RuleSet, Unmet, UnmetWhy};
use crate::store::calls;
use crate::store::db::Snapshot;
use crate::store::stops::ParcelRow;

/// One parcel as the visit shows it.
pub(super) struct Seen<'a> {
    pub(super) parcel: &'a ParcelRow,
    pub(super) result: &'a ParcelResult,
    pub(super) ending: Ending,
    pub(super) parcels_at_door: usize,
    pub(super) scanned: bool,
}

/// What the rules say, for the entry.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) consent: Option<String>,
    pub(super) skips: Vec<SkipRecord>,
    pub(super) code: Option<CodeResult>,
    pub(super) temperature_centi_c: Option<(i32, i32)>,
}

/// Calls of this stop, read only where somebody was not there.
pub(super) fn calls(
    conn: &Snapshot,
    visit: &Visit<'_>,
    parcels: &[(ParcelRow, &ParcelResult)],
) -> Result<Vec<CallAttempt>> {
    let failed = |(_, r): &(ParcelRow, &ParcelResult)| {
        Ending::of(visit.input.handoff, r.outcome).failure.is_some()
    };
    if parcels.iter().any(failed) {
        calls::calls_of(conn, visit.stop)
    } else {
        Ok(Vec::new())
    }
}

/// Whether a parcel may count as handed over (B4-12).
pub(super) fn handed_over(
    conn: &Snapshot,
    rules: &RuleSet,
    visit: &Visit<'_>,
    seen: &Seen<'_>,
) -> Result<Verdict> {
    step_fits(seen)?;
    let asked = Asked {
        handoff: seen.ending.handoff,
        signer_name: visit.input.signer_name.as_deref(),
        now_ms: visit.now_ms,
    };
    let consent = match gate::basis(conn, seen.parcel, asked)? {
        Basis::NotNeeded => None,
        Basis::Consent { id } => Some(id),
    };
    let list = rules.checklist(&gate::case(
        seen.parcel,
        seen.ending.handoff,
        seen.result.visibly_damaged,
        seen.parcels_at_door,
    ));
    let code = facts::code_result(conn, seen.parcel)?;
    let temperature_centi_c = facts::temperatures(conn, seen.parcel)?;
    let mut given = given(visit, seen);
    let recorded = [
        (Item::Consent, consent.is_some()),
        (Item::Code, code.is_some()),
        (Item::Temperature, temperature_centi_c.is_some()),
    ];
    for (item, _) in recorded.into_iter().filter(|(_, is_there)| *is_there) {
        given = given.with(item);
    }
    given.code_verified = code == Some(CodeResult::Verified);
    let skips = list
        .check(&given)
        .map_err(|items| Refusal::Missing { items })?;
    Ok(Verdict {
        code,
        temperature_centi_c,
        consent,
        skips: skips
            .into_iter()
            .map(|skip| SkipRecord {
                item: skip.item.code().to_owned(),
                reason: skip.reason.code().to_owned(),
            })
            .collect(),
    })
}

/// Whether a failure may be recorded: a legal pair, the contact it needs, and the photo or the words
/// that some reasons ask for. An action that leads to a station needs the same consent as the station
/// itself (A036, A043, A045).
pub(super) fn failed(
    conn: &Snapshot,
    visit: &Visit<'_>,
    seen: &Seen<'_>,
    (reason, action): (Reason, Action),
    calls: &[CallAttempt],
) -> Result<Verdict> {
    if !reason.allows(action) {
        return Err(Refusal::IllegalAction { reason, action }.into());
    }
    step_fits(seen)?;
    let consent = if action == Action::StationWithConsent {
        let asked = Asked {
            handoff: HandoffKind::Station,
            signer_name: None,
            now_ms: visit.now_ms,
        };
        match gate::basis(conn, seen.parcel, asked)? {
            Basis::Consent { id } => Some(id),
            Basis::NotNeeded => None,
        }
    } else {
        None
    };
    // A stored consent to the station or a window the customer chose is his own word already.
    let chose_window = seen.parcel.customer_window_end_ms.is_some()
        && matches!(reason, Reason::Rescheduled | Reason::Redirected);
    let customer_chose = consent.is_some() || chose_window;
    check_contact(reason, action, calls, customer_chose, visit.now_ms).map_err(Refusal::from)?;
    let photos = photos(visit);
    let has_note = trimmed(visit.input.note.as_deref()).is_some();
    let missing = |item| Unmet {
        item,
        why: UnmetWhy::Missing {
            needed: 1,
            given: 0,
        },
    };
    let mut items = Vec::new();
    if reason.requires_photo() && photos == 0 {
        items.push(missing(Item::Photo));
    }
    if reason.requires_text() && !has_note {
        items.push(missing(Item::Note));
    }
    if items.is_empty() {
        Ok(Verdict {
            consent,
            ..Verdict::default()
        })
    } else {
        Err(Refusal::Missing { items }.into())
    }
}

/// The table first: what cannot happen needs no checklist.
fn step_fits(seen: &Seen<'_>) -> Result<()> {
    check_step(&seen.parcel.folded()?, seen.ending.event)
        .map(|_| ())
        .map_err(|why| Error::from(Refusal::NotNow(why)))
}

fn photos(visit: &Visit<'_>) -> usize {
    visit
        .proofs
        .iter()
        .filter(|p| p.kind == ProofKind::Photo)
        .count()
}

/// Everything that was handed in for one parcel, in the items of the checklist.
fn given(visit: &Visit<'_>, seen: &Seen<'_>) -> Given {
    let hand_in = visit.input;
    let left = input::left_at(hand_in.left_at.as_ref());
    let left = left.as_ref();
    let signed = visit.proofs.iter().any(|p| p.kind == ProofKind::Signature);
    let there = [
        (
            Item::IdentityCheck,
            hand_in.identity.is_some_and(|check| check.matched),
        ),
        (Item::AgeCheck, hand_in.age_checked == Some(true)),
        (Item::InspectionPrompt, hand_in.inspection.is_some()),
        (Item::ParcelScan, seen.scanned),
        (Item::ItemCounts, !seen.result.items.is_empty()),
        (
            Item::SignerName,
            trimmed(hand_in.signer_name.as_deref()).is_some(),
        ),
        (Item::Relation, hand_in.relation.is_some()),
        (Item::LockerId, left.is_some_and(|l| l.place.is_some())),
        (Item::SlotCode, left.is_some_and(|l| l.slot.is_some())),
        (
            Item::StationReceipt,
            left.is_some_and(|l| l.receipt.is_some()),
        ),
        (Item::Signature, signed),
        (Item::Position, visit.located.fix.is_some()),
        (Item::Note, trimmed(hand_in.note.as_deref()).is_some()),
    ];
    let mut given = Given {
        skips: hand_in.skips.clone(),
        ..Given::default()
    };
    for (item, _) in there.into_iter().filter(|(_, is_there)| *is_there) {
        given = given.with(item);
    }
    let photos = u32::try_from(photos(visit)).unwrap_or(u32::MAX);
    if photos > 0 {
        given.items.insert(Item::Photo, photos);
    }
    given
}
