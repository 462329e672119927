//! What happens at each door: when the courier comes, into whose hands the parcel goes, and which
//! visits fail first. Only legal pairs of reason and action are planned (A043); the core refuses others.

use std::collections::HashMap;

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use satchel_core::protocol::ids::StopId;
use satchel_core::protocol::taxonomy::{Action, HandoffKind, Reason};
use satchel_hub::import::Delivery;

use crate::child::words::{RouteStop, Visit, VisitResult};
use crate::seed;

const MINUTE_MS: i64 = 60_000;

/// Reasons a virtual courier meets. None of them needs words.
const REASONS: &[Reason] = &[
    Reason::RecipientAbsent,
    Reason::Unreachable,
    Reason::AccessDenied,
    Reason::Rescheduled,
    Reason::RefusedDamaged,
    Reason::AddressIncomplete,
];

/// Where the day comes from, which decides how much of it may be invented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// From a seed: failures are part of the invention.
    Invented,
    /// From a file: every parcel is handed over when the file says, a few after a first failure.
    Record,
}

/// One visit with its time.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedVisit {
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// Where.
    pub stop: StopId,
    /// What happens.
    pub visit: Visit,
}

/// Plans the visits of one phone in the order of their times.
#[must_use]
pub fn plan(
    route: &[RouteStop],
    deliveries: &HashMap<&str, &Delivery>,
    day_seed: u64,
    source: Source,
) -> Vec<PlannedVisit> {
    let mut visits: Vec<PlannedVisit> = route
        .iter()
        .zip(0_i64..)
        .flat_map(|(stop, position)| at_door(stop, position, deliveries, day_seed, source))
        .collect();
    visits.sort_by(|a, b| (a.at_ms, &a.visit.name).cmp(&(b.at_ms, &b.visit.name)));
    visits
}

fn at_door(
    stop: &RouteStop,
    position: i64,
    deliveries: &HashMap<&str, &Delivery>,
    day_seed: u64,
    source: Source,
) -> Vec<PlannedVisit> {
    let known = || {
        stop.parcels
            .iter()
            .filter_map(|p| deliveries.get(p.waybill.as_str()))
    };
    let Some(accepted_ms) = known().map(|d| d.accepted_at_ms).max() else {
        return Vec::new();
    };
    // A file that does not say when is driven door by door.
    let at_ms = known()
        .filter_map(|d| d.driven_at_ms)
        .max()
        .unwrap_or(accepted_ms + (60 + 5 * position) * MINUTE_MS);
    let name = stop.parcels.first().map_or("", |p| p.waybill.as_str());
    let mut rng = seed::rng(day_seed, &format!("visit/{name}"));
    let agreed = agreed_handoffs(stop);
    let visit = |number: u8, at_ms, result| PlannedVisit {
        at_ms,
        stop: stop.stop,
        visit: Visit {
            name: format!("{name}/{number}"),
            parcels: stop.parcels.iter().map(|p| p.parcel).collect(),
            result,
        },
    };
    let handoff = match agreed.choose(&mut rng) {
        Some(handoff) if rng.random_bool(0.7) => *handoff,
        _ => HandoffKind::Recipient,
    };
    let delivered = VisitResult::Delivered { handoff };
    match source {
        Source::Record => {
            let first_ms = at_ms - rng.random_range(15..40) * MINUTE_MS;
            let mut out = Vec::new();
            if rng.random_bool(0.02) && first_ms > accepted_ms {
                let reason = Reason::RecipientAbsent;
                let action = Action::RetrySameTour;
                out.push(visit(1, first_ms, VisitResult::Failed { reason, action }));
            }
            out.push(visit(2, at_ms, delivered));
            out
        }
        Source::Invented if rng.random_bool(0.15) => {
            let (reason, action) = failure(&mut rng, &agreed);
            let mut out = vec![visit(1, at_ms, VisitResult::Failed { reason, action })];
            if action == Action::RetrySameTour {
                let again_ms = at_ms + rng.random_range(20..60) * MINUTE_MS;
                out.push(visit(2, again_ms, delivered));
            }
            out
        }
        Source::Invented => vec![visit(1, at_ms, delivered)],
    }
}

/// Handoffs that the customer of every parcel here agreed to and no waybill forbids.
fn agreed_handoffs(stop: &RouteStop) -> Vec<HandoffKind> {
    let door_only = stop.parcels.iter().any(|p| p.door_required);
    let everywhere = |kind| stop.parcels.iter().all(|p| p.consents.contains(&kind));
    HandoffKind::ALL
        .iter()
        .copied()
        .filter(|&kind| everywhere(kind))
        .filter(|kind| !(door_only && matches!(kind, HandoffKind::Station | HandoffKind::Locker)))
        .collect()
}

fn failure(rng: &mut StdRng, agreed: &[HandoffKind]) -> (Reason, Action) {
    let reason = REASONS
        .choose(rng)
        .copied()
        .unwrap_or(Reason::RecipientAbsent);
    // Half of the time what every courier does: come back later.
    if reason.allows(Action::RetrySameTour) && rng.random_bool(0.5) {
        return (reason, Action::RetrySameTour);
    }
    let legal: Vec<Action> = reason
        .legal_actions()
        .iter()
        .copied()
        .filter(|a| *a != Action::StationWithConsent || agreed.contains(&HandoffKind::Station))
        .collect();
    (
        reason,
        legal.choose(rng).copied().unwrap_or(Action::SecondDelivery),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::child::words::RouteParcel;
    use crate::day::generate::{self, Plan};
    use satchel_core::protocol::ids::{ParcelId, RouteId};
    use satchel_hub::import::{Format, Imported, Mapping, read_rows};

    fn imported() -> Imported {
        let text = generate::csv(&Plan {
            seed: 3,
            couriers: vec!["甲".into(), "乙".into()],
            stops_each: 100,
            leave_ms: 1_772_413_200_000,
            round_ms: 32_400_000,
        });
        let mapping = Mapping::from_json(generate::MAPPING.as_bytes()).unwrap();
        read_rows(text.as_bytes(), Format::Csv, &mapping).unwrap()
    }

    /// Every row its own stop: enough to plan on.
    fn route(imported: &Imported) -> Vec<RouteStop> {
        imported
            .deliveries
            .iter()
            .zip(1_u8..)
            .map(|(d, at)| RouteStop {
                stop: StopId::from_parts(i64::from(at), [at; 10]),
                round: RouteId::from_parts(1, [1; 10]),
                parcels: vec![RouteParcel {
                    parcel: ParcelId::from_parts(i64::from(at), [at; 10]),
                    waybill: d.waybill.clone(),
                    tags: d.tags.clone(),
                    consents: d.consents.clone(),
                    door_required: d.door_required,
                }],
            })
            .collect()
    }

    #[test]
    fn an_invented_day_has_failures_second_visits_and_several_kinds_of_handoff() {
        let imported = imported();
        let by_waybill: HashMap<&str, &Delivery> = imported
            .deliveries
            .iter()
            .map(|d| (d.waybill.as_str(), d))
            .collect();
        let route = route(&imported);
        let visits = plan(&route, &by_waybill, 3, Source::Invented);
        assert_eq!(visits, plan(&route, &by_waybill, 3, Source::Invented));
        assert!(visits.is_sorted_by_key(|v| v.at_ms));
        let mut kinds = std::collections::HashSet::new();
        let mut failed = 0;
        for visit in &visits {
            match visit.visit.result {
                VisitResult::Delivered { handoff } => {
                    kinds.insert(handoff);
                }
                VisitResult::Failed { reason, action } => {
                    assert!(reason.allows(action));
                    failed += 1;
                }
            }
        }
        assert!(kinds.len() >= 4, "{kinds:?}");
        assert!(failed > 10 && failed < visits.len() / 3);
        assert!(visits.len() > route.len(), "somebody is visited twice");
    }

    #[test]
    fn a_recorded_day_hands_every_parcel_over_when_the_record_says() {
        let imported = imported();
        let by_waybill: HashMap<&str, &Delivery> = imported
            .deliveries
            .iter()
            .map(|d| (d.waybill.as_str(), d))
            .collect();
        let route = route(&imported);
        let visits = plan(&route, &by_waybill, 3, Source::Record);
        for stop in &route {
            let driven = by_waybill[stop.parcels[0].waybill.as_str()]
                .driven_at_ms
                .unwrap();
            let last = visits.iter().rfind(|v| v.stop == stop.stop).unwrap();
            assert_eq!(last.at_ms, driven);
            assert!(matches!(last.visit.result, VisitResult::Delivered { .. }));
        }
    }
}
