//! What a customer may know of a parcel: what Art 25 asks for, an honest time of arrival, and roughly
//! where the courier is, while and only while the parcel is out.
//!
//! Everything is read from what couriers' phones have reported, and says how old that is. Where the
//! reports do not carry an estimate there is none.

use satchel_protocol::ids::{Handle, Hash32, ParcelId};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::db::RowExt;
use crate::error::HubError;
use crate::hub::Hub;
use crate::import::Contents;

const MINUTE_MS: i64 = 60_000;
/// Reports older than this say nothing about now.
const STALE_MS: i64 = 2 * 60 * MINUTE_MS;
/// Attempts the pace is taken from.
const PACE_ATTEMPTS: usize = 12;
/// Fewer reports give no pace.
const MIN_ATTEMPTS: usize = 3;
/// What is told is rounded to this: nobody knows better.
const ROUND_MS: i64 = 10 * MINUTE_MS;
const EARTH_KM: f64 = 6_371.0;

/// A parcel as its recipient may see it, unmasked; pages mask.
#[derive(Debug, Clone)]
pub(crate) struct Tracked {
    pub(crate) parcel: ParcelId,
    pub(crate) waybill: String,
    pub(crate) promise_class: String,
    pub(crate) promised_by_ms: i64,
    pub(crate) door_required: bool,
    pub(crate) recipient_name: String,
    pub(crate) address: String,
    pub(crate) given_out: bool,
    pub(crate) contents: Contents,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) eta: Option<Eta>,
    pub(crate) place: Option<Place>,
}

/// One attempt at it.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) outcome: String,
    pub(crate) handoff: String,
    pub(crate) reason: Option<String>,
    pub(crate) signer_name: Option<String>,
    pub(crate) relation: Option<String>,
    pub(crate) occurred_at_ms: i64,
    pub(crate) proofs: i64,
    pub(crate) hash: Hash32,
}

/// When it may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Eta {
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
    pub(crate) stops_before: i64,
    pub(crate) age_ms: i64,
}

/// Roughly where the courier was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Kilometres from the recipient's door, at least one.
    pub(crate) km: i64,
    pub(crate) age_ms: i64,
}

impl Tracked {
    /// Not delivered and not on its way back.
    pub(crate) fn is_open(&self) -> bool {
        !self.attempts.iter().any(|a| {
            matches!(
                a.outcome.as_str(),
                "delivered" | "partially_delivered" | "returned"
            )
        })
    }

    /// Left at a station or in a locker: there is something to collect, and a way to object (A086).
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.attempts.last().is_some_and(|a| {
            a.outcome == "delivered" && matches!(a.handoff.as_str(), "STATION" | "LOCKER")
        })
    }
}

/// Looks a parcel up by its public handle.
pub(crate) async fn by_handle(hub: &Hub, handle: Handle) -> Result<Option<Tracked>, HubError> {
    let row = sqlx::query(
        "SELECT p.*, s.address, s.recipient_name, s.lat, s.lng, s.position, s.route_id, \
           EXISTS (SELECT 1 FROM assignment a WHERE a.parcel_id = p.parcel_id) AS given_out \
         FROM parcel p JOIN stop s USING (stop_id) WHERE p.handle = ?",
    )
    .bind(&handle.0[..])
    .fetch_optional(hub.db().read())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let parcel = row.parcel("parcel_id")?;
    let attempts = sqlx::query(
        "SELECT a.*, e.hash, (SELECT count(*) FROM attempt_proof ap \
             WHERE ap.device_id = a.device_id AND ap.seq = a.seq AND ap.bound) AS proofs \
         FROM attempt a JOIN entry e USING (device_id, seq) \
         WHERE a.parcel_id = ? ORDER BY a.occurred_at_ms, a.device_id, a.seq",
    )
    .bind(&parcel.as_bytes()[..])
    .fetch_all(hub.db().read())
    .await?;
    let mut tracked = Tracked {
        parcel,
        waybill: row.try_get("waybill")?,
        promise_class: row.try_get("promise_class")?,
        promised_by_ms: row.try_get("promised_by_ms")?,
        door_required: row.try_get("door_required")?,
        recipient_name: row.try_get("recipient_name")?,
        address: row.try_get("address")?,
        given_out: row.try_get("given_out")?,
        contents: contents(&row)?,
        attempts: attempts.iter().map(attempt).collect::<Result<_, _>>()?,
        eta: None,
        place: None,
    };
    if tracked.is_open() && tracked.given_out {
        (tracked.eta, tracked.place) = on_the_way(hub, &row).await?;
    }
    Ok(Some(tracked))
}

fn contents(row: &SqliteRow) -> Result<Contents, HubError> {
    let text: Option<&str> = row.try_get("contents")?;
    text.map_or(Ok(Contents::default()), |text| {
        serde_json::from_str(text).map_err(|_| HubError::DamagedRow { what: "contents" })
    })
}

fn attempt(row: &SqliteRow) -> Result<Attempt, HubError> {
    Ok(Attempt {
        outcome: row.try_get("outcome")?,
        handoff: row.try_get("handoff")?,
        reason: row.try_get("reason")?,
        signer_name: row.try_get("signer_name")?,
        relation: row.try_get("relation")?,
        occurred_at_ms: row.try_get("occurred_at_ms")?,
        proofs: row.try_get("proofs")?,
        hash: row.hash("hash")?,
    })
}

/// What the round's last reports say. A phone's clock may be off by hours, so only the gaps between its
/// own times are used; how old the last report is, the hub knows by itself.
async fn on_the_way(
    hub: &Hub,
    parcel: &SqliteRow,
) -> Result<(Option<Eta>, Option<Place>), HubError> {
    let route: Vec<u8> = parcel.try_get("route_id")?;
    let position: i64 = parcel.try_get("position")?;
    let reports = sqlx::query(
        "SELECT a.occurred_at_ms, a.received_at_ms, a.lat, a.lng, a.fix_mock FROM attempt a \
         JOIN parcel p USING (parcel_id) JOIN stop s ON s.stop_id = p.stop_id \
         WHERE s.route_id = ? ORDER BY a.occurred_at_ms DESC LIMIT ?",
    )
    .bind(&route)
    .bind(i64::try_from(PACE_ATTEMPTS).unwrap_or(i64::MAX))
    .fetch_all(hub.db().read())
    .await?;
    let Some(last) = reports.first() else {
        return Ok((None, None));
    };
    let age_ms = hub.now_ms() - last.try_get::<i64, _>("received_at_ms")?;
    if !(0..STALE_MS).contains(&age_ms) {
        return Ok((None, None));
    }
    let mut times = Vec::with_capacity(reports.len());
    for report in &reports {
        times.push(report.try_get::<i64, _>("occurred_at_ms")?);
    }
    let stops_before = sqlx::query_scalar(
        "SELECT count(*) FROM stop s WHERE s.route_id = ?1 AND s.position < ?2 \
           AND NOT EXISTS (SELECT 1 FROM parcel p JOIN attempt a USING (parcel_id) \
             WHERE p.stop_id = s.stop_id)",
    )
    .bind(&route)
    .bind(position)
    .fetch_one(hub.db().read())
    .await?;
    let eta = pace_ms(&times).map(|pace| window(hub.now_ms(), age_ms, pace, stops_before));
    Ok((eta, place(parcel, last, age_ms)?))
}

/// The middle gap between attempts; times newest first.
fn pace_ms(times: &[i64]) -> Option<i64> {
    if times.len() < MIN_ATTEMPTS {
        return None;
    }
    let mut gaps: Vec<i64> = times
        .iter()
        .zip(times.iter().skip(1))
        .map(|(later, earlier)| later - earlier)
        .collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied().filter(|gap| *gap > 0)
}

/// From somewhat faster than so far to a good deal slower, and never in the past.
fn window(now_ms: i64, age_ms: i64, pace_ms: i64, stops_before: i64) -> Eta {
    let start_ms = now_ms - age_ms;
    let early = start_ms + pace_ms * (stops_before + 1) * 7 / 10;
    let late = start_ms + pace_ms * (stops_before + 2) * 15 / 10;
    let from_ms = early.max(now_ms) / ROUND_MS * ROUND_MS;
    let to_ms = (late.max(now_ms + ROUND_MS) / ROUND_MS + 1) * ROUND_MS;
    Eta {
        from_ms,
        to_ms,
        stops_before,
        age_ms,
    }
}

fn place(parcel: &SqliteRow, last: &SqliteRow, age_ms: i64) -> Result<Option<Place>, HubError> {
    let mock: Option<bool> = last.try_get("fix_mock")?;
    let at: (Option<f64>, Option<f64>) = (last.try_get("lat")?, last.try_get("lng")?);
    let (Some(lat), Some(lng)) = at else {
        return Ok(None);
    };
    if mock == Some(true) {
        return Ok(None);
    }
    let (door_lat, door_lng): (f64, f64) = (parcel.try_get("lat")?, parcel.try_get("lng")?);
    let (dy, dx) = (
        (lat - door_lat).to_radians(),
        (lng - door_lng).to_radians() * door_lat.to_radians().cos(),
    );
    #[allow(clippy::cast_possible_truncation, reason = "kilometres on this planet")]
    let km = (EARTH_KM * dx.hypot(dy)).round().clamp(1.0, 20_000.0) as i64;
    Ok(Some(Place { km, age_ms }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_grows_with_the_stops_and_never_lies_in_the_past() {
        let now = 1_786_680_000_000;
        let near = window(now, 5 * MINUTE_MS, 4 * MINUTE_MS, 0);
        let far = window(now, 5 * MINUTE_MS, 4 * MINUTE_MS, 20);
        assert!(near.to_ms > now && near.to_ms - near.from_ms >= ROUND_MS);
        assert!(far.from_ms > near.from_ms && far.to_ms - far.from_ms > near.to_ms - near.from_ms);
        let late = window(now, 110 * MINUTE_MS, 4 * MINUTE_MS, 0);
        assert!(late.to_ms > now && late.from_ms >= now - ROUND_MS);
    }

    #[test]
    fn a_pace_needs_three_reports_and_one_long_break_does_not_spoil_it() {
        let m = MINUTE_MS;
        assert_eq!(pace_ms(&[10 * m, 5 * m]), None);
        assert_eq!(
            pace_ms(&[100 * m, 95 * m, 35 * m, 30 * m, 25 * m]),
            Some(5 * m)
        );
        assert_eq!(pace_ms(&[5, 5, 5]), None);
    }
}
