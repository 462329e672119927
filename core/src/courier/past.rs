//! Rounds whose day is over, out of the courier's way and still to be found (see [`crate::store::past`]).

use std::sync::atomic::Ordering;

use chrono::DateTime;
use satchel_protocol::ids::RouteId;

use super::Courier;
use super::route::Beside;
use crate::error::{Error, Result};
use crate::limits;
use crate::model::stop::{RouteView, StopView};
use crate::store::{entries, past, phone, stops};

/// Transactions of one look at a moment at which there is nothing to send: all that years of work leave.
const MOST_AT_ONCE: u32 = 100;

impl Courier {
    /// Rounds of which every stop is past, the newest first: at most `limit`, behind the first `offset`.
    ///
    /// # Errors
    /// Only those of the store.
    pub fn past_routes(&self, offset: u32, limit: u32) -> Result<Vec<RouteView>> {
        self.db.read(|conn| {
            let rows = stops::past_routes(conn, offset, limit)?;
            Ok(rows
                .into_iter()
                .map(|row| RouteView {
                    route_id: row.route_id,
                    name: row.name,
                    service_date: row.service_date,
                    open_stops: 0,
                    total_stops: row.past_stops,
                })
                .collect())
        })
    }

    /// Every stop of one round in its order, listed or past, personal data masked (A038).
    ///
    /// # Errors
    /// [`Error::NotFound`] for a round this phone never had; those of the store.
    pub fn stops_of(&self, route: RouteId) -> Result<Vec<StopView>> {
        let now_ms = self.env.clock.wall_ms();
        let sending = self.engine().sending_up_to();
        self.db.read(|conn| {
            let rows = stops::of_route(conn, route)?;
            if rows.is_empty() && !stops::has_route(conn, route)? {
                return Err(Error::NotFound { what: "route" });
            }
            let parcels = stops::parcels_of_route(conn, route)?;
            let sync = entries::sync_of_parcels(conn, &parcels)?;
            super::route::views(
                conn,
                rows,
                parcels,
                (&sync, sending),
                &Beside::of_all(conn)?,
                now_ms,
            )
        })
    }

    /// Takes out of the lists what is past. At most every [`limits::PAST_LOOK_EVERY_MS`], unless `anyway`, which takes
    /// but one step. A store in which that fails is no worse than before, so nothing waits for it.
    pub(super) fn settle_past(&self, anyway: bool) {
        let now_ms = self.boot_ms();
        let last_ms = self.past_looked_ms.load(Ordering::Relaxed);
        if !anyway && now_ms.saturating_sub(last_ms) < limits::PAST_LOOK_EVERY_MS {
            return;
        }
        // Each in a transaction of its own, so that whoever records meanwhile waits for one of them only.
        for _ in 0..if anyway { 1 } else { MOST_AT_ONCE } {
            let is_more = self.db.write(|tx| {
                let offset_ms = phone::sync_facts(tx)?.hub_offset_ms;
                let wall_ms = self.env.clock.wall_ms();
                let recent_ms = wall_ms.saturating_sub(limits::PAST_AFTER_MS);
                let today = oldest_day(wall_ms.saturating_add(offset_ms));
                today.map_or(Ok(false), |today| past::settle(tx, &today, recent_ms))
            });
            match is_more {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::debug!(%error, "past stops stay in the lists"),
            }
            self.past_looked_ms.store(now_ms, Ordering::Relaxed);
            return;
        }
        // The rest with the next look.
        self.past_looked_ms.store(i64::MIN, Ordering::Relaxed);
    }
}

/// The oldest day whose rounds are not over: a phone does not know in which zone its dates were written, and rounds
/// end after midnight.
fn oldest_day(now_ms: i64) -> Option<String> {
    let at = DateTime::from_timestamp_millis(now_ms.saturating_sub(limits::PAST_AFTER_MS))?;
    Some(at.format("%Y-%m-%d").to_string())
}
