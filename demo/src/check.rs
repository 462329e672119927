//! The checks at the end of a played day. Every row is counted from the ledger on one side and the
//! hub's audit and the phones' screens on the other; nothing is taken for granted.

mod row;

use std::collections::{HashMap, HashSet};

use satchel_core::protocol::ids::{DeviceId, Hash32, ParcelId};
use satchel_core::protocol::taxonomy::ProofKind;
use satchel_hub::{AttemptAudit, Audit, DeviceAudit};

use crate::child::words::{PhoneStatus, SyncWord};
use crate::conductor::once::RoundFigures;
use crate::ledger::{Acknowledged, Held, Ledger};

pub use row::{Compare, Row};

/// What the conductor did to the day besides delivering.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mishaps {
    /// Phones ended by SIGKILL.
    pub phone_kills: u64,
    /// Phones started again on the same store.
    pub phone_restarts: u64,
    /// Acknowledged entries that a killed phone still showed after its restart, of as many.
    pub survived: (u64, u64),
    /// Hubs ended by SIGKILL while proofs were on their way.
    pub hub_kills_during_upload: u64,
    /// Hubs started again on the same data.
    pub hub_restarts: u64,
    /// Requests that got no whole answer.
    pub lost_requests: u64,
    /// Syncs in which a phone's network went away before its queue was empty.
    pub windows_cut_short: u64,
    /// Entries acknowledged while the phone had no network.
    pub recorded_offline: u64,
    /// Customers whose rating page did not take their first rating.
    pub refused_ratings: u64,
    /// Entries that a phone killed by hand had written but not yet acknowledged.
    pub unpromised: u64,
    /// Shortest share of the day, in percent, that any phone spent without a network.
    pub least_offline_percent: u64,
}

/// Checks the whole day.
#[must_use]
pub fn check(
    ledger: &Ledger,
    audit: &Audit,
    screens: &[PhoneStatus],
    mishaps: &Mishaps,
) -> Vec<Row> {
    let day = Day {
        ledger,
        audit,
        screens,
        held: Held::of(audit),
        unpromised: mishaps.unpromised,
    };
    let mut rows = day.log_rows();
    rows.extend(day.proof_rows());
    rows.extend(day.screen_rows());
    rows.extend(day.rating_rows());
    rows.extend(mishap_rows(mishaps, ledger));
    rows
}

/// The planned rounds against the driven ones; none when the file does not say how it was driven.
#[must_use]
pub fn order_rows(rounds: &[RoundFigures]) -> Vec<Row> {
    if rounds.is_empty() {
        return Vec::new();
    }
    let all = rounds.len() as u64;
    let counted =
        |keep: fn(&RoundFigures) -> bool| rounds.iter().filter(|r| keep(r)).count() as u64;
    let metres = |of: fn(&RoundFigures) -> f64| rounds.iter().map(of).sum::<f64>();
    let (planned_m, driven_m) = (
        metres(|r| r.orders.planned_m),
        metres(|r| r.orders.driven_m),
    );
    vec![
        Row::all(
            "rounds planned no later than they were driven",
            counted(RoundFigures::is_no_later),
            all,
        ),
        Row::all("  and no longer", counted(RoundFigures::is_no_worse), all),
        Row::at_most(
            "kilometres of all rounds, planned against driven",
            kilometres(planned_m),
            kilometres(driven_m),
        ),
    ]
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a sum of lengths, far below 2^53"
)]
fn kilometres(metres: f64) -> u64 {
    (metres / 1_000.0).round() as u64
}

struct Day<'a> {
    ledger: &'a Ledger,
    audit: &'a Audit,
    screens: &'a [PhoneStatus],
    held: Held,
    unpromised: u64,
}

impl Day<'_> {
    fn device(&self, phone: usize) -> Option<DeviceId> {
        self.screens.get(phone)?.device
    }

    fn attempts_of(&self, device: DeviceId) -> Vec<(ParcelId, &AttemptAudit)> {
        let mut found: Vec<(ParcelId, &AttemptAudit)> = self
            .audit
            .parcels
            .iter()
            .flat_map(|p| p.attempts.iter().map(|a| (p.parcel, a)))
            .filter(|(_, a)| a.device == device)
            .collect();
        found.sort_by_key(|(_, a)| a.seq);
        found
    }

    fn log_rows(&self) -> Vec<Row> {
        let (mut once, mut in_time, mut in_order, mut unbroken) = (0, 0, 0, 0);
        for phone in 0..self.screens.len() {
            let Some(device) = self.device(phone) else {
                continue;
            };
            let acked: Vec<&Acknowledged> = self
                .ledger
                .entries
                .iter()
                .filter(|e| e.phone == phone)
                .collect();
            let held = self.attempts_of(device);
            for entry in &acked {
                let same = |(parcel, a): &&(ParcelId, &AttemptAudit)| {
                    *parcel == entry.parcel
                        && a.attempt == entry.attempt
                        && a.hash == entry.entry
                        && a.outcome == entry.outcome.code()
                };
                let copies: Vec<_> = held.iter().filter(same).collect();
                if let [(_, only)] = copies.as_slice() {
                    once += u64::from(only.seq == entry.seq);
                    in_time += u64::from(only.occurred_at_ms == entry.at_ms);
                }
            }
            // The order in which the phone acknowledged is the order in which the hub has them.
            let promised: HashSet<Hash32> = acked.iter().map(|e| e.entry).collect();
            let order = held
                .iter()
                .map(|(_, a)| a.hash)
                .filter(|hash| promised.contains(hash));
            in_order += u64::from(order.eq(acked.iter().map(|e| e.entry)));
            let log = self.audit.devices.iter().find(|d| d.device == device);
            unbroken += u64::from(log.is_some_and(|log| is_unbroken(log, &acked, &held)));
        }
        let acknowledged = self.ledger.entries.len() as u64;
        let held: usize = self.audit.parcels.iter().map(|p| p.attempts.len()).sum();
        let phones = self.screens.len() as u64;
        vec![
            Row::all(
                "acknowledged attempts at the hub exactly once",
                once,
                acknowledged,
            ),
            Row::all("  with the time they happened", in_time, acknowledged),
            Row::at_most(
                "attempts at the hub that no phone acknowledged",
                (held as u64).saturating_sub(once),
                self.unpromised,
            ),
            Row::all("phones whose attempts are in order", in_order, phones),
            Row::all("phones whose log is one unbroken chain", unbroken, phones),
            Row::none(
                "alarms and entries set aside at the hub",
                (self.audit.open_alarms + self.audit.set_aside).unsigned_abs(),
            ),
            Row::none(
                "doubts about couriers who did nothing wrong",
                self.audit.open_doubts.unsigned_abs(),
            ),
            Row::all(
                "parcels that show their last outcome",
                self.last_outcomes(),
                self.parcels(),
            ),
        ]
    }

    /// Parcels that were tried at all.
    fn parcels(&self) -> u64 {
        self.last_entries().len() as u64
    }

    fn last_entries(&self) -> HashMap<ParcelId, &Acknowledged> {
        // Later entries replace earlier ones.
        self.ledger.entries.iter().map(|e| (e.parcel, e)).collect()
    }

    fn last_outcomes(&self) -> u64 {
        let last = self.last_entries();
        let shown = self.audit.parcels.iter().filter(|p| {
            last.get(&p.parcel)
                .is_some_and(|e| p.outcome.as_deref() == Some(e.outcome.code()))
        });
        shown.count() as u64
    }

    fn proof_rows(&self) -> Vec<Row> {
        let row = |what, kind| {
            let all = self
                .ledger
                .entries
                .iter()
                .flat_map(|e| &e.proofs)
                .filter(|p| p.kind == kind);
            let (mut found, mut expected) = (0, 0);
            for proof in all {
                expected += 1;
                found += u64::from(self.held.proof(proof));
            }
            Row::all(what, found, expected)
        };
        vec![
            row(
                "signatures complete at the hub, right hash",
                ProofKind::Signature,
            ),
            row("photos complete at the hub, right hash", ProofKind::Photo),
        ]
    }

    fn screen_rows(&self) -> Vec<Row> {
        let stops = || self.screens.iter().flat_map(|s| &s.stops);
        let recorded = stops().filter(|s| s.sync != SyncWord::Nothing).count() as u64;
        let synced = stops().filter(|s| s.sync == SyncWord::Synced).count() as u64;
        let unsent: u64 = self
            .screens
            .iter()
            .map(|s| s.unsent_entries + s.unsent_proofs)
            .sum();
        let honesty = self.ledger.honesty;
        let looks = format!(
            "{} looks, {} with the hub down",
            honesty.looks, honesty.looks_hub_down
        );
        vec![
            Row::all("stops that read \"synced\" after the day", synced, recorded),
            Row::none("records and proofs still unsent", unsent),
            Row::all(
                "\"synced\" on a screen was true at the hub",
                honesty.claims.saturating_sub(honesty.false_claims),
                honesty.claims,
            )
            .noting(looks),
            Row::none(
                "\"received\" on a screen was not true",
                honesty.false_received,
            ),
            Row::at_least("looks while the hub was down", honesty.looks_hub_down, 1),
            Row::none(
                "receipts that were not to be believed",
                self.screens.iter().map(|s| s.receipt_alarms).sum(),
            ),
        ]
    }

    fn rating_rows(&self) -> Vec<Row> {
        let (mut once, mut bound, mut on_phone) = (0, 0, 0);
        for posted in &self.ledger.ratings {
            let held: Vec<_> = self
                .audit
                .ratings
                .iter()
                .filter(|r| r.parcel == posted.parcel)
                .collect();
            if let [only] = held.as_slice() {
                once += u64::from(only.stars == i64::from(posted.stars));
                bound += u64::from(only.bound);
            }
            let seen = self
                .screens
                .get(posted.phone)
                .into_iter()
                .flat_map(|s| &s.ratings);
            let same = seen.filter(|seen| {
                seen.parcel == posted.parcel
                    && seen.stars == posted.stars
                    && seen.comment == posted.comment
            });
            on_phone += u64::from(same.count() == 1);
        }
        let posted = self.ledger.ratings.len() as u64;
        let early = self
            .ledger
            .ratings
            .iter()
            .filter(|r| r.before_attempt)
            .count() as u64;
        let late = posted - early;
        vec![
            Row::all("ratings at the hub exactly once", once, posted)
                .noting(format!("{early} before the attempt arrived, {late} after")),
            Row::all("  bound to their attempt", bound, posted),
            Row::all("  on the courier's phone", on_phone, posted),
            Row::none(
                "ratings nobody gave",
                (self.audit.ratings.len() as u64).saturating_sub(once),
            ),
            Row::at_least("ratings given before the attempt arrived", early, 1),
            Row::at_least("ratings given after", late, 1),
            Row::none(
                "used rating codes that were taken twice",
                self.ledger.accepted_seconds,
            )
            .noting(format!("{} tries refused", self.ledger.refused_seconds)),
        ]
    }
}

/// Without a gap, not set aside, ending in the last attempt, and holding what the phone acknowledged
/// last. As every entry names the hash of the one before, this means the same log.
fn is_unbroken(
    log: &DeviceAudit,
    acked: &[&Acknowledged],
    held: &[(ParcelId, &AttemptAudit)],
) -> bool {
    let gapless = log.entries == log.head_seq && !log.quarantined;
    let ascending = acked.is_sorted_by(|a, b| a.seq < b.seq);
    let ends = held.last().is_none_or(|(_, last)| last.hash == log.head);
    let holds_last = acked
        .last()
        .is_none_or(|last| held.iter().any(|(_, a)| a.hash == last.entry));
    gapless && ascending && ends && holds_last
}

fn mishap_rows(mishaps: &Mishaps, ledger: &Ledger) -> Vec<Row> {
    let acknowledged = ledger.entries.len() as u64;
    vec![
        Row::at_least(
            "phones killed with SIGKILL and started again",
            mishaps.phone_restarts,
            1,
        )
        .noting(format!("{} killed", mishaps.phone_kills)),
        Row::all(
            "  their acknowledged records still there",
            mishaps.survived.0,
            mishaps.survived.1,
        ),
        Row::at_least(
            "hub killed with SIGKILL during uploads",
            mishaps.hub_kills_during_upload,
            1,
        )
        .noting(format!("{} restarts", mishaps.hub_restarts)),
        Row::at_least("requests whose answer was lost", mishaps.lost_requests, 1),
        Row::at_least(
            "syncs cut off before the queue was empty",
            mishaps.windows_cut_short,
            1,
        ),
        Row::none("customers who were turned away", mishaps.refused_ratings),
        Row::all(
            "attempts recorded without a network",
            mishaps.recorded_offline,
            acknowledged,
        ),
        Row::at_least(
            "percent of the day offline, at least",
            mishaps.least_offline_percent,
            50,
        ),
    ]
}

#[cfg(test)]
mod tests;
