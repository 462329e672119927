//! From entries of the log to facts: what was recorded in a window, and whether it still stands.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use satchel_protocol::attempt::AttemptBody;
use satchel_protocol::doorstep::{DutyBody, LoadScanBody, PickupBody};
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::{DeviceId, ParcelId, RouteId};
use satchel_protocol::taxonomy::{HandoffKind, Outcome, ProofKind, Reason, Relation};
use satchel_protocol::transitions::{EventId, Folded, Origin, ParcelState, Step, Verdict};

use crate::courier::load::{MISSORT, scanned_as};
use crate::courier::reminders::{promise, promise_runs};
use crate::error::{Error, Result};
use crate::rules::contact::{CallAttempt, calls_for_visit};
use crate::rules::kpi::{
    Facts, HandedOver, OpenPromise, PickupFact, VisitFact, VisitResult, Window,
};
use crate::rules::promise::ExceptionRegime;
use crate::store::db::Snapshot;
use crate::store::stops::ParcelRow;
use crate::store::{calls, noted, stops, told};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// One visit for one parcel, as recorded.
pub(super) struct Counted {
    pub(super) event: EventId,
    pub(super) parcel: ParcelId,
    pub(super) at_ms: i64,
    pub(super) result: VisitResult,
    /// No correction took it back, and the table of a parcel's life allowed it.
    pub(super) stands: bool,
}

/// What this phone recorded in a window.
pub(super) struct Day {
    pub(super) visits: Vec<Counted>,
    /// Parcels collected from senders.
    pub(super) collected: u64,
    regimes: Vec<ExceptionRegime>,
}

/// Parcels with their fold, each read once.
#[derive(Default)]
struct Parcels(BTreeMap<ParcelId, Option<(ParcelRow, Folded)>>);

impl Parcels {
    /// A parcel that has left the phone has no promise to be measured by.
    fn get(&mut self, conn: &Snapshot, id: ParcelId) -> Result<Option<&(ParcelRow, Folded)>> {
        if let Entry::Vacant(slot) = self.0.entry(id) {
            slot.insert(match stops::parcel(conn, id) {
                Ok(row) => {
                    let folded = row.folded()?;
                    Some((row, folded))
                }
                Err(Error::NotFound { .. }) => None,
                Err(other) => return Err(other),
            });
        }
        Ok(self.0.get(&id).and_then(Option::as_ref))
    }
}

impl Day {
    pub(super) fn read(conn: &Snapshot, device: DeviceId, window: Window) -> Result<Self> {
        let regimes = told::regimes(conn)?;
        let mut parcels = Parcels::default();
        let mut called: BTreeMap<_, Vec<CallAttempt>> = BTreeMap::new();
        let mut visits = Vec::new();
        let event = |seq| EventId {
            origin: Origin::Phone(device),
            seq,
        };
        for entry in in_window(conn, EntryKind::ATTEMPT, window)? {
            let body = AttemptBody::decode(&entry.body)?;
            let Some((row, folded)) = parcels.get(conn, body.parcel)? else {
                continue;
            };
            let result = if body.outcome == Outcome::Failed {
                let calls = match called.entry(body.stop) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(slot) => slot.insert(calls::calls_of(conn, body.stop)?),
                };
                VisitResult::Failed {
                    contact_logged: calls_for_visit(calls, entry.occurred_at_ms)
                        .next()
                        .is_some(),
                }
            } else {
                VisitResult::HandedOver(handed_over(&body, row, &regimes))
            };
            visits.push(Counted {
                event: event(entry.seq),
                parcel: body.parcel,
                at_ms: entry.occurred_at_ms,
                result,
                stands: stands(folded, event(entry.seq)),
            });
        }
        let mut collected = 0;
        for entry in in_window(conn, EntryKind::PICKUP, window)? {
            let body = PickupBody::decode(&entry.body)?;
            if let (None, Some((_, folded))) = (body.refused, parcels.get(conn, body.parcel)?) {
                collected += u64::from(stands(folded, event(entry.seq)));
            }
        }
        Ok(Self {
            visits,
            collected,
            regimes,
        })
    }

    /// The facts that the sheet is counted from.
    pub(super) fn facts(
        self,
        conn: &Snapshot,
        window: Window,
        utc_offset_min: i16,
    ) -> Result<Facts> {
        let mut open = Vec::new();
        for parcel in stops::promised(conn)? {
            if promise_runs(parcel.state)
                && let Ok(deadline_ms) = promise(&parcel).deadline_ms()
            {
                open.push(OpenPromise {
                    deadline_ms,
                    excused: excuses(&self.regimes, deadline_ms),
                });
            }
        }
        let mut pickups = Vec::new();
        for parcel in stops::collected(conn)? {
            pickups.extend(pickup(conn, &parcel)?);
        }
        let (load_scans, missorts) = load(conn, window)?;
        Ok(Facts {
            visits: self
                .visits
                .into_iter()
                .filter(|v| v.stands)
                .map(|v| VisitFact {
                    parcel: v.parcel,
                    at_ms: v.at_ms,
                    result: v.result,
                })
                .collect(),
            open,
            pickups,
            duty_days: duty_days(conn, window, utc_offset_min)?,
            load_scans,
            missorts,
        })
    }
}

/// Whether an event counts: it moved the parcel, nothing took it back, and a handover was not opened
/// again.
fn stands(folded: &Folded, event: EventId) -> bool {
    let mut after = folded.effects.iter().skip_while(|e| e.id != event);
    match after.next().map(|e| e.verdict) {
        Some(Verdict::Moved { step, .. }) => {
            let reopened = |v| {
                matches!(
                    v,
                    Verdict::Moved {
                        step: Step::Reopened,
                        ..
                    }
                )
            };
            !(step.is_handover() && after.any(|e| reopened(e.verdict)))
        }
        _ => false,
    }
}

fn handed_over(body: &AttemptBody, row: &ParcelRow, regimes: &[ExceptionRegime]) -> HandedOver {
    // A parcel without a deadline cannot be late; the hub will know better.
    let deadline_ms = promise(row).deadline_ms().unwrap_or(i64::MAX);
    let has = |kind| body.proofs.iter().any(|p| p.kind == kind);
    let unattended = matches!(
        body.handoff,
        HandoffKind::Locker | HandoffKind::Station | HandoffKind::LeaveAtDoor
    );
    let properly_signed = if unattended {
        has(ProofKind::Photo)
    } else {
        has(ProofKind::Signature)
            && (body.handoff == HandoffKind::Recipient || body.relation.is_some())
    };
    HandedOver {
        handoff: body.handoff,
        consented: body.consent.is_some(),
        relation: body.relation.or(match body.handoff {
            HandoffKind::Recipient => Some(Relation::Oneself),
            _ => None,
        }),
        identity_checked: body.identity.is_some_and(|check| check.matched),
        inspection_offered: body.inspection.is_some(),
        properly_signed,
        damaged: body.visibly_damaged || body.reason == Some(Reason::RefusedDamaged),
        deadline_ms,
        excused: excuses(regimes, deadline_ms),
    }
}

fn excuses(regimes: &[ExceptionRegime], deadline_ms: i64) -> bool {
    regimes.iter().any(|r| r.excuses && r.holds(deadline_ms))
}

/// A pickup is in time when the courier first came in time, whatever the sender then gave him (A164).
fn pickup(conn: &Snapshot, parcel: &ParcelRow) -> Result<Option<PickupFact>> {
    let Some(item) = &parcel.pickup else {
        return Ok(None);
    };
    let entries = noted::about(conn, parcel.parcel_id.as_bytes(), EntryKind::PICKUP)?;
    let arrived_at_ms = match entries.first() {
        Some(entry) => Some(PickupBody::decode(&entry.body)?.arrived_at_ms),
        None if parcel.state == ParcelState::Cancelled => return Ok(None),
        None => None,
    };
    Ok(Some(PickupFact {
        arrived_at_ms,
        window_end_ms: item.window_end_ms,
    }))
}

/// Parcels scanned at the vehicle, each once, and those of other rounds among them (A204).
fn load(conn: &Snapshot, window: Window) -> Result<(u64, u64)> {
    let mut seen: BTreeSet<(RouteId, String)> = BTreeSet::new();
    let mut missorts = BTreeSet::new();
    for entry in in_window(conn, EntryKind::LOAD_SCAN, window)? {
        let body = LoadScanBody::decode(&entry.body)?;
        let key = (body.route, scanned_as(&body));
        if body.result == MISSORT {
            missorts.insert(key.clone());
        }
        seen.insert(key);
    }
    Ok((seen.len() as u64, missorts.len() as u64))
}

/// Local days on which a shift began.
fn duty_days(conn: &Snapshot, window: Window, utc_offset_min: i16) -> Result<u64> {
    let mut days = BTreeSet::new();
    for entry in in_window(conn, EntryKind::DUTY, window)? {
        if DutyBody::decode(&entry.body)?.on {
            let local_ms = entry
                .occurred_at_ms
                .saturating_add(i64::from(utc_offset_min) * 60_000);
            days.insert(local_ms.div_euclid(DAY_MS));
        }
    }
    Ok(days.len() as u64)
}

fn in_window(conn: &Snapshot, kind: EntryKind, window: Window) -> Result<Vec<noted::Noted>> {
    noted::in_window(conn, kind, window.from_ms, window.until_ms)
}
