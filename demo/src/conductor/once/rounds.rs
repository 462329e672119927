//! Every round planned on its phone before anybody leaves, beside the order in which it was driven.
//!
//! The phone plans with its own core from the depot at the time of the last acceptance, and measures the
//! driven order by the same clock, the same speeds and the same promises. So the comparison is of orders
//! alone: nothing is said of how fast a person really was (A015).

use std::collections::{BTreeMap, HashMap};

use satchel_core::protocol::feed::LatLng;
use satchel_core::protocol::ids::{RouteId, StopId};
use satchel_hub::import::Delivery;

use crate::child::words::{RoundOrders, RouteStop};
use crate::conductor::phone::PhoneHandle;
use crate::error::Result;

/// One round by its two orders.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundFigures {
    /// Whose.
    pub courier: String,
    /// Doors.
    pub stops: usize,
    /// What the two orders come to.
    pub orders: RoundOrders,
}

impl RoundFigures {
    /// Not longer, not later.
    #[must_use]
    pub fn is_no_worse(&self) -> bool {
        self.is_no_later() && self.orders.planned_m <= self.orders.driven_m
    }

    /// Weighted lateness at most that of the driven order.
    #[must_use]
    pub fn is_no_later(&self) -> bool {
        self.orders.planned_late_s <= self.orders.driven_late_s
    }
}

/// What is known of one round.
struct Round {
    /// `(driven at, stop)`.
    driven: Vec<(i64, StopId)>,
    depot: Option<LatLng>,
    depart_ms: i64,
}

/// Plans every round of a phone of which the file says when each door was driven to.
pub(super) fn compare(
    phone: &mut PhoneHandle,
    route: &[RouteStop],
    by_waybill: &HashMap<&str, &Delivery>,
) -> Result<Vec<RoundFigures>> {
    let mut rounds: BTreeMap<RouteId, Option<Round>> = BTreeMap::new();
    for stop in route {
        let round = rounds.entry(stop.round).or_insert_with(|| {
            Some(Round {
                driven: Vec::new(),
                depot: None,
                depart_ms: i64::MIN,
            })
        });
        let known: Vec<&&Delivery> = stop
            .parcels
            .iter()
            .filter_map(|p| by_waybill.get(p.waybill.as_str()))
            .collect();
        let driven_ms = known.iter().filter_map(|d| d.driven_at_ms).max();
        match (&mut *round, driven_ms) {
            (Some(round), Some(at_ms)) => {
                round.driven.push((at_ms, stop.stop));
                round.depot = round.depot.or(known.iter().find_map(|d| d.depot));
                let accepted_ms = known.iter().map(|d| d.accepted_at_ms).max();
                round.depart_ms = round.depart_ms.max(accepted_ms.unwrap_or(at_ms));
            }
            // A door without a time: nobody knows the driven order.
            _ => *round = None,
        }
    }
    let mut figures = Vec::new();
    for mut round in rounds.into_values().flatten() {
        round.driven.sort_unstable();
        let driven: Vec<StopId> = round.driven.iter().map(|(_, stop)| *stop).collect();
        figures.push(RoundFigures {
            courier: phone.name.clone(),
            stops: driven.len(),
            orders: phone.plan(driven, round.depot, round.depart_ms)?,
        });
    }
    Ok(figures)
}
