//! The promise clocks of the day, and the reminder that becomes due when the courier is an hour away
//! (A016 clocks, A021, A049). Both look at the stored plan; neither needs a network.

use std::collections::{BTreeMap, BTreeSet};

use satchel_protocol::doorstep::ReminderBody;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::StopId;
use satchel_protocol::transitions::ParcelState;

use super::Courier;
use crate::error::Result;
use crate::evidence::log::Fact;
use crate::model::plan::PlanView;
use crate::model::sheet::{ClockView, Clocks};
use crate::rules::contact::{PlannedVisit, ReminderKey, is_to_be_reminded, reminders_due};
use crate::rules::promise::Promise;
use crate::store::db::Snapshot;
use crate::store::stops::ParcelRow;
use crate::store::{noted, planning, stops, told};

/// Expected arrival at each planned stop, Unix milliseconds.
pub(super) type Etas = BTreeMap<StopId, i64>;

impl Courier {
    /// The promises that are running, least time left first, with what the stored plan predicts and the
    /// abnormal days that hold now. Reminders that are due are recorded on the way.
    ///
    /// # Errors
    /// Only those of the store.
    pub fn clocks(&self) -> Result<Clocks> {
        let now_ms = self.env.clock.wall_ms();
        let (clocks, etas) = self.db.read(|conn| {
            let etas = planned(conn)?;
            Ok((clocks_of(conn, &etas, now_ms)?, etas))
        })?;
        self.remind(&etas)?;
        Ok(clocks)
    }

    /// Records the reminders that are due by these arrivals, once per attempt of a parcel whatever the
    /// ETA does afterwards (A021). A phone that is not enrolled reminds nobody.
    pub(super) fn remind(&self, etas: &Etas) -> Result<()> {
        let Ok(keys) = self.enrolled() else {
            return Ok(());
        };
        let now_ms = self.env.clock.wall_ms();
        let due = |conn: &Snapshot| due(conn, etas, now_ms);
        // Mostly there is none, and looking costs no write.
        if self.db.read(due)?.is_empty() {
            return Ok(());
        }
        self.db.write(|tx| {
            for (parcel, visit) in due(tx)? {
                let body = ReminderBody {
                    stop: parcel.stop_id,
                    parcel: parcel.parcel_id,
                    attempt_no: visit.attempt_no,
                    eta_ms: visit.eta_ms,
                };
                let fact = Fact {
                    kind: EntryKind::REMINDER_DUE,
                    handle: Some(parcel.handle),
                    blobs: vec![],
                    body: body.encode(),
                    stop: Some(parcel.stop_id),
                    occurred_at_ms: now_ms,
                };
                self.pen(&keys)
                    .append_about(tx, fact, &[parcel.parcel_id.as_bytes()])?;
            }
            Ok(())
        })
    }
}

/// Arrivals of a plan.
pub(super) fn etas(plan: &PlanView) -> Etas {
    let stops = plan.stops.iter();
    stops.map(|s| (s.stop_id, s.arrival_ms)).collect()
}

fn planned(conn: &Snapshot) -> Result<Etas> {
    Ok(planning::get::<PlanView>(conn)?.map_or_else(Etas::new, |plan| etas(&plan)))
}

fn clocks_of(conn: &Snapshot, etas: &Etas, now_ms: i64) -> Result<Clocks> {
    let all = told::regimes(conn)?;
    let removed = stops::removed(conn)?;
    let mut clocks = Vec::new();
    for parcel in stops::promised(conn)? {
        if !promise_runs(parcel.state) || removed.contains(&parcel.stop_id) {
            continue;
        }
        let eta_ms = etas.get(&parcel.stop_id).copied();
        // A class by the calendar without its end has no clock to show.
        if let Ok(promise) = promise(&parcel).view(now_ms, None, eta_ms, &all) {
            clocks.push(ClockView {
                stop_id: parcel.stop_id,
                waybill: parcel.waybill,
                class: parcel.promise_class,
                promise,
            });
        }
    }
    clocks.sort_by_key(|c| (c.promise.left_ms, c.promise.parcel));
    let regimes: Vec<_> = all.into_iter().filter(|r| r.holds(now_ms)).collect();
    Ok(Clocks {
        clocks,
        preselected: regimes.first().map(|r| r.preselected()),
        regimes,
    })
}

/// The promise of a parcel.
pub(super) fn promise(parcel: &ParcelRow) -> Promise {
    Promise {
        parcel: parcel.parcel_id,
        class: parcel.promise_class,
        accepted_at_ms: parcel.accepted_at_ms,
        promised_by_ms: Some(parcel.promised_by_ms),
        customer_window_end_ms: parcel.customer_window_end_ms,
    }
}

/// Whether the customer is still waiting for the parcel.
pub(super) const fn promise_runs(state: ParcelState) -> bool {
    use ParcelState as S;
    matches!(
        state,
        S::OnRound | S::OnVehicle | S::AwaitingNextAttempt | S::Held | S::ToDepot | S::AtDepot
    )
}

/// Visits whose reminder is due and was not recorded before.
fn due(conn: &Snapshot, etas: &Etas, now_ms: i64) -> Result<Vec<(ParcelRow, PlannedVisit)>> {
    let mut visits = Vec::new();
    let mut already: BTreeSet<ReminderKey> = BTreeSet::new();
    let mut rows = Vec::new();
    // Most of a round is hours away: its parcels need not be read.
    let near = etas
        .iter()
        .filter(|(_, eta)| is_to_be_reminded(**eta, now_ms));
    for (stop, eta_ms) in near {
        for parcel in stops::parcels(conn, Some(*stop))? {
            if !parcel.state.is_deliverable() {
                continue;
            }
            for entry in noted::about(conn, parcel.parcel_id.as_bytes(), EntryKind::REMINDER_DUE)? {
                let body = ReminderBody::decode(&entry.body)?;
                already.insert((body.parcel, body.attempt_no));
            }
            visits.push(PlannedVisit {
                parcel: parcel.parcel_id,
                attempt_no: u16::try_from(parcel.attempts.saturating_add(1)).unwrap_or(u16::MAX),
                eta_ms: *eta_ms,
            });
            rows.push(parcel);
        }
    }
    let due = reminders_due(&visits, &already, now_ms);
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let visit = due.iter().find(|v| v.parcel == row.parcel_id)?;
            Some((row, *visit))
        })
        .collect())
}
