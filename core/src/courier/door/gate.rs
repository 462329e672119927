//! Which parcels of a stop may be handed over one way now, on what that rests, and what it needs.

use satchel_protocol::ids::{ParcelId, StopId};
use satchel_protocol::taxonomy::HandoffKind;
use satchel_protocol::transitions::{EventKind, ParcelState, Step, WhyNot, parcel_next};

use crate::error::{Error, Refusal, Result};
use crate::rules::consent::{self, Basis, Consent, GateCase};
use crate::rules::contact::{DoorVisit, DoorWarning, door_warnings};
use crate::rules::ruleset::{Case, Checklist, RuleSet, combine};
use crate::store::db::Snapshot;
use crate::store::stops::ParcelRow;
use crate::store::{consents, stops};

/// What the caller knows about a handoff beside the store.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) handoff: HandoffKind,
    pub(super) signer_name: Option<&'a str>,
    pub(super) now_ms: i64,
}

/// The step of a parcel's life that this handoff is.
pub(super) fn step_of(handoff: HandoffKind) -> Step {
    EventKind::Delivered { handoff }
        .step()
        .unwrap_or(Step::Delivered)
}

/// Parcels of a stop at which this handoff can be tried, by the table of their lives. A parcel that
/// waits in a locker or station is visited there, be it only to say that nobody took it.
///
/// # Errors
/// [`Refusal::ParcelClosed`] when nothing is open here, [`Refusal::NotNow`] when something is and the
/// handoff does not fit it.
pub(super) fn open_parcels(
    conn: &Snapshot,
    stop: StopId,
    handoff: HandoffKind,
) -> Result<Vec<ParcelRow>> {
    let row = stops::stop(conn, stop)?;
    let step = step_of(handoff);
    let at_point = matches!(handoff, HandoffKind::Locker | HandoffKind::Station);
    let fits = |p: &ParcelRow| {
        parcel_next(p.state, step).is_some() || (at_point && p.state == ParcelState::AtPickupPoint)
    };
    let (open, other): (Vec<ParcelRow>, Vec<ParcelRow>) = stops::parcels(conn, Some(stop))?
        .into_iter()
        .partition(fits);
    if row.removed {
        return Err(Refusal::ParcelClosed.into());
    }
    if open.is_empty() {
        let under_way = other.iter().find(|p| !p.state.is_final());
        return Err(match under_way {
            Some(p) => Refusal::NotNow(WhyNot::IllegalStep {
                from: p.state,
                step,
            }),
            None => Refusal::ParcelClosed,
        }
        .into());
    }
    Ok(open)
}

/// On what this handoff of this parcel rests, at this moment (Art 28(3), A032, Zhejiang Art 31).
pub(super) fn basis(conn: &Snapshot, parcel: &ParcelRow, asked: Asked<'_>) -> Result<Basis> {
    let known: Vec<Consent> = if asked.handoff.consent().needs_record() {
        consents::of_parcel(conn, parcel.parcel_id)?
            .iter()
            .map(Consent::from)
            .collect()
    } else {
        Vec::new()
    };
    let case = GateCase {
        handoff: asked.handoff,
        parcel: parcel.parcel_id,
        door_required: parcel.door_required,
        age_limited: parcel.min_age_years.is_some(),
        signer_name: asked.signer_name,
        consents: &known,
    };
    Ok(consent::gate(&case, asked.now_ms).map_err(Refusal::from)?)
}

/// Handoffs that need a consent and have a valid one now.
pub(in crate::courier) fn consented(
    conn: &Snapshot,
    parcel: &ParcelRow,
    now_ms: i64,
) -> Result<Vec<HandoffKind>> {
    let known: Vec<Consent> = consents::of_parcel(conn, parcel.parcel_id)?
        .iter()
        .map(Consent::from)
        .collect();
    if known.is_empty() {
        return Ok(Vec::new());
    }
    let case = |handoff| GateCase {
        handoff,
        parcel: parcel.parcel_id,
        door_required: parcel.door_required,
        age_limited: parcel.min_age_years.is_some(),
        signer_name: None,
        consents: &known,
    };
    Ok(HandoffKind::ALL
        .iter()
        .copied()
        .filter(|h| h.consent().needs_record() && consent::gate(&case(*h), now_ms).is_ok())
        .collect())
}

/// The open parcels of a stop that may be handed over this way now. One parcel without consent does not
/// keep its neighbours from the locker; completion judges each parcel by itself.
pub(super) fn allowed_parcels(
    conn: &Snapshot,
    open: &[ParcelRow],
    asked: Asked<'_>,
) -> Result<Vec<ParcelRow>> {
    let mut allowed = Vec::with_capacity(open.len());
    let mut refusal = Refusal::ParcelClosed;
    for parcel in open {
        match basis(conn, parcel, asked) {
            Ok(_) => allowed.push(parcel.clone()),
            Err(Error::Refused(why)) => refusal = why,
            Err(other) => return Err(other),
        }
    }
    if allowed.is_empty() {
        return Err(refusal.into());
    }
    Ok(allowed)
}

/// What is known about one parcel for the rules.
pub(super) fn case(
    parcel: &ParcelRow,
    handoff: HandoffKind,
    visibly_damaged: bool,
    parcels_at_door: usize,
) -> Case {
    Case {
        handoff,
        class: parcel.promise_class,
        tags: parcel.tags.clone(),
        tier: parcel.tier.clone(),
        visibly_damaged,
        min_age_years: parcel.min_age_years,
        parcels_at_door: u32::try_from(parcels_at_door).unwrap_or(u32::MAX),
    }
}

/// One list for all parcels at a door (B4-7).
pub(super) fn checklist(
    rules: &RuleSet,
    parcels: &[ParcelRow],
    handoff: HandoffKind,
    damaged: &[ParcelId],
) -> Option<Checklist> {
    let lists: Vec<Checklist> = parcels
        .iter()
        .map(|p| {
            let is_damaged = damaged.contains(&p.parcel_id);
            rules.checklist(&case(p, handoff, is_damaged, parcels.len()))
        })
        .collect();
    combine(&lists)
}

/// Warnings about the hour and the time since the last visit (C3), of the parcel with most to say.
pub(super) fn hours(
    parcels: &[ParcelRow],
    now_ms: i64,
    utc_offset_min: i16,
) -> Result<Vec<DoorWarning>> {
    let mut all: Vec<DoorWarning> = Vec::new();
    for parcel in parcels {
        let warnings = door_warnings(&DoorVisit {
            at_ms: now_ms,
            utc_offset_min,
            last_door_ms: last_visit_ms(parcel)?,
            attempts: u16::try_from(parcel.attempts + 1).unwrap_or(u16::MAX),
            customer_chose_time: parcel
                .customer_window_end_ms
                .is_some_and(|end| now_ms <= end),
        });
        for warning in warnings {
            let kind = core::mem::discriminant(&warning);
            if !all.iter().any(|w| core::mem::discriminant(w) == kind) {
                all.push(warning);
            }
        }
    }
    Ok(all)
}

/// When the parcel was last taken to a door in vain.
fn last_visit_ms(parcel: &ParcelRow) -> Result<Option<i64>> {
    use satchel_protocol::transitions::Verdict;
    let events = parcel.events()?;
    let folded = parcel.folded()?;
    Ok(folded
        .effects
        .iter()
        .filter(|e| matches!(e.verdict, Verdict::Moved { step, .. } if step.is_attempt()))
        .filter_map(|e| events.iter().find(|known| known.id == e.id))
        .map(|e| e.at_ms)
        .max())
}
