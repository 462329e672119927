//! Routes, stops, parcels and consents: what the feed brought and what attempts made of it.

use std::collections::HashSet;

use rusqlite::{Connection, Row, Rows, params};
use satchel_protocol::feed::{
    CodeItem, LatLng, ParcelItem, PickupItem, RouteItem, StopItem, TemperatureLimits,
};
use satchel_protocol::ids::{Handle, ParcelId, RouteId, StopId};
use satchel_protocol::taxonomy::{HandlingTag, Outcome, PromiseClass};
use satchel_protocol::transitions::ParcelState;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::row::InOrder;
use super::{consents, history, json, row, versions};
use crate::error::{Error, Result, StoreError};
use crate::rules::geofence;

/// A stop as stored, unmasked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StopRow {
    pub(crate) stop_id: StopId,
    pub(crate) route_id: RouteId,
    pub(crate) position: u32,
    pub(crate) place: LatLng,
    pub(crate) address: String,
    pub(crate) recipient_name: String,
    pub(crate) recipient_phone: String,
    pub(crate) window_start_ms: Option<i64>,
    pub(crate) window_end_ms: Option<i64>,
    pub(crate) removed: bool,
    /// It has a place in a plan made on this phone.
    pub(crate) planned: bool,
    /// It has left the lists.
    pub(crate) past: bool,
}

/// A parcel as stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParcelRow {
    pub(crate) parcel_id: ParcelId,
    pub(crate) stop_id: StopId,
    pub(crate) waybill: String,
    pub(crate) handle: Handle,
    pub(crate) rating_key: [u8; 32],
    pub(crate) promise_class: PromiseClass,
    pub(crate) promised_by_ms: i64,
    pub(crate) accepted_at_ms: i64,
    pub(crate) tags: Vec<HandlingTag>,
    pub(crate) door_required: bool,
    /// Service tier, as the rule set names it.
    pub(crate) tier: Option<String>,
    /// May be handed only to people of this age (A040).
    pub(crate) min_age_years: Option<u8>,
    /// End of a window that the customer chose himself.
    pub(crate) customer_window_end_ms: Option<i64>,
    /// Limits of a temperature-controlled parcel (A039).
    pub(crate) temperature: Option<TemperatureLimits>,
    /// How the recipient's code is judged.
    pub(crate) code: Option<CodeItem>,
    /// It is to be collected here (A198).
    pub(crate) pickup: Option<PickupItem>,
    /// The folded state of [`Self::history`].
    pub(crate) state: ParcelState,
    pub(crate) outcome: Option<Outcome>,
    /// Visits that count.
    pub(crate) attempts: u32,
    /// Entry of the last attempt.
    pub(crate) last_seq: Option<i64>,
    /// Every known event; read it with [`Self::events`].
    pub(crate) history: Option<Vec<u8>>,
}

pub(crate) fn upsert_route(conn: &Connection, item: &RouteItem, raw: &str) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO route (route_id, name, service_date, depot_lat, depot_lng, raw)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (route_id) DO UPDATE SET name = ?2, service_date = ?3, depot_lat = ?4,
             depot_lng = ?5, raw = ?6",
    )?
    .execute(params![
        item.route_id.as_bytes(),
        item.name,
        item.service_date,
        item.depot.map(|d| d.lat),
        item.depot.map(|d| d.lng),
        raw
    ])?;
    Ok(())
}

/// Takes a stop over. With `at_work` somebody stands at its door: parcels it no longer lists stay until that
/// is recorded.
pub(crate) fn upsert_stop(
    conn: &Connection,
    item: &StopItem,
    raw: &str,
    at_work: bool,
) -> Result<()> {
    let version = versions::next(conn)?;
    conn.prepare_cached(
        "INSERT INTO stop (stop_id, route_id, position, lat, lng, address, recipient_name,
             recipient_phone, window_start_ms, window_end_ms, version, raw, snapshot_no)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,
             (SELECT snapshot_no FROM phone WHERE id = 1))
         ON CONFLICT (stop_id) DO UPDATE SET route_id = ?2, position = ?3, lat = ?4, lng = ?5,
             address = ?6, recipient_name = ?7, recipient_phone = ?8, window_start_ms = ?9,
             window_end_ms = ?10, version = ?11, raw = ?12, removed = 0,
             snapshot_no = excluded.snapshot_no",
    )?
    .execute(params![
        item.stop_id.as_bytes(),
        item.route_id.as_bytes(),
        item.position,
        item.place.lat,
        item.place.lng,
        item.address,
        item.recipient.name,
        item.recipient.phone,
        item.window_start_ms,
        item.window_end_ms,
        version,
        raw
    ])?;
    for parcel in &item.parcels {
        upsert_parcel(conn, item.stop_id, parcel)?;
    }
    if at_work {
        return Ok(());
    }
    drop_parcels_left_out(conn, item)
}

/// Listed stops that the last whole snapshot of the hub did not name. They stay: a hub that was set
/// back must not take the round off a courier who is on the road.
pub(crate) fn unknown_to_hub(conn: &Connection) -> Result<u64> {
    let count: i64 = conn
        .prepare_cached(
            "SELECT count(*) FROM stop
             WHERE past = 0 AND removed = 0 AND snapshot_no < (SELECT snapshot_done FROM phone WHERE id = 1)",
        )?
        .query_row([], |r| r.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// A parcel that the hub no longer lists at this stop is gone from the round (cancelled, or moved, in
/// which case its new stop brings it again). What was tried at the door stays.
fn drop_parcels_left_out(conn: &Connection, item: &StopItem) -> Result<()> {
    for parcel in parcels(conn, Some(item.stop_id))? {
        let listed = item.parcels.iter().any(|p| p.parcel_id == parcel.parcel_id);
        if listed || parcel.history.is_some() {
            continue;
        }
        consents::forget_parcel(conn, parcel.parcel_id)?;
        conn.prepare_cached("DELETE FROM parcel WHERE parcel_id = ?1")?
            .execute([parcel.parcel_id.as_bytes()])?;
    }
    Ok(())
}

/// What was recorded (history, state, outcome, attempts) is never overwritten by the feed. A pickup
/// stays one, so that the start of its history stays what it was, and once it is collected it stays at
/// the stop it goes to.
fn upsert_parcel(conn: &Connection, stop: StopId, item: &ParcelItem) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO parcel (parcel_id, stop_id, waybill, handle, rating_key, promise_class,
             promised_by_ms, accepted_at_ms, tags, door_required, tier, min_age_years,
             customer_window_end_ms, temperature, code, pickup, state, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
         ON CONFLICT (parcel_id) DO UPDATE SET stop_id = CASE WHEN pickup IS NOT NULL
                 AND history IS NOT NULL AND state <> ?19 THEN stop_id ELSE ?2 END, waybill = ?3, handle = ?4,
             rating_key = ?5, promise_class = ?6, promised_by_ms = ?7, accepted_at_ms = ?8,
             tags = ?9, door_required = ?10, tier = ?11, min_age_years = ?12,
             customer_window_end_ms = ?13, temperature = ?14, code = ?15,
             pickup = coalesce(?16, pickup), version = ?18",
    )?
    .execute(params![
        item.parcel_id.as_bytes(),
        stop.as_bytes(),
        item.waybill,
        item.handle.0,
        item.rating_key.0,
        item.promise_class.code(),
        item.promised_by_ms,
        item.accepted_at_ms,
        codes(item.tags.iter().map(|t| t.code())),
        item.door_required,
        item.tier,
        item.min_age_years,
        item.customer_window_end_ms,
        json(item.temperature.as_ref())?,
        json(item.code.as_ref())?,
        json(item.pickup.as_ref())?,
        history::start(item.pickup.is_some()).code(),
        versions::next(conn)?,
        ParcelState::ToCollect.code()
    ])?;
    refresh_pickup_start(conn, item)?;
    consents::put_of_parcel(conn, item.parcel_id, &item.consents)
}

/// A parcel that becomes a pickup before anything was recorded starts as one.
fn refresh_pickup_start(conn: &Connection, item: &ParcelItem) -> Result<()> {
    if item.pickup.is_some() {
        conn.prepare_cached(
            "UPDATE parcel SET state = ?2 WHERE parcel_id = ?1 AND history IS NULL",
        )?
        .execute(params![
            item.parcel_id.as_bytes(),
            history::start(true).code()
        ])?;
    }
    Ok(())
}

pub(crate) fn remove_stop(conn: &Connection, stop: StopId) -> Result<()> {
    let version = versions::next(conn)?;
    conn.execute(
        "UPDATE stop SET removed = 1, version = ?2 WHERE stop_id = ?1",
        params![stop.as_bytes(), version],
    )?;
    Ok(())
}

/// Stores a planned order. Stops it does not name keep their old place behind it.
pub(crate) fn set_order(conn: &Connection, order: &[StopId]) -> Result<()> {
    conn.execute(
        "UPDATE stop SET planned = NULL WHERE past = 0 AND planned IS NOT NULL",
        [],
    )?;
    let version = versions::next(conn)?;
    let mut update =
        conn.prepare_cached("UPDATE stop SET planned = ?2, version = ?3 WHERE stop_id = ?1")?;
    for (index, stop) in order.iter().enumerate() {
        let place = i64::try_from(index).unwrap_or(i64::MAX);
        update.execute(params![stop.as_bytes(), place, version])?;
    }
    Ok(())
}

/// Gives a parcel to another stop of this phone.
pub(crate) fn move_parcel(conn: &Connection, parcel: ParcelId, to: StopId) -> Result<()> {
    conn.prepare_cached("UPDATE parcel SET stop_id = ?2, version = ?3 WHERE parcel_id = ?1")?
        .execute(params![
            parcel.as_bytes(),
            to.as_bytes(),
            versions::next(conn)?
        ])?;
    Ok(())
}

/// Marks a stop as changed.
pub(crate) fn touch(conn: &Connection, stop: StopId) -> Result<()> {
    conn.prepare_cached("UPDATE stop SET version = next_version() WHERE stop_id = ?1")?
        .execute([stop.as_bytes()])?;
    Ok(())
}

/// A round as stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RouteRow {
    pub(crate) route_id: RouteId,
    pub(crate) name: String,
    pub(crate) service_date: String,
    /// Its past stops, without those that the hub took off it.
    pub(crate) past_stops: u32,
}

/// Rounds with a listed stop, and those without any stop.
pub(crate) fn routes(conn: &Connection) -> Result<Vec<RouteRow>> {
    let mut stmt = conn.prepare_cached(
        "SELECT route_id, name, service_date,
             (SELECT count(*) FROM stop s WHERE s.route_id = r.route_id AND s.past > 0 AND s.removed = 0)
                 AS past_stops
         FROM route r
         WHERE route_id IN (SELECT route_id FROM stop WHERE past = 0)
             OR NOT EXISTS (SELECT 1 FROM stop s WHERE s.route_id = r.route_id)
         ORDER BY service_date, name",
    )?;
    read_routes(stmt.query([])?)
}

/// Rounds of which every stop is past, the newest first.
pub(crate) fn past_routes(conn: &Connection, offset: u32, limit: u32) -> Result<Vec<RouteRow>> {
    let mut stmt = conn.prepare_cached(
        "SELECT route_id, name, service_date,
             (SELECT count(*) FROM stop s WHERE s.route_id = r.route_id AND s.removed = 0) AS past_stops
         FROM route r
         WHERE route_id NOT IN (SELECT route_id FROM stop WHERE past = 0)
             AND EXISTS (SELECT 1 FROM stop s WHERE s.route_id = r.route_id)
         ORDER BY service_date DESC, name DESC LIMIT ?2 OFFSET ?1",
    )?;
    read_routes(stmt.query(params![offset, limit])?)
}

/// Whether this phone knows the round.
pub(crate) fn has_route(conn: &Connection, route: RouteId) -> Result<bool> {
    let mut stmt =
        conn.prepare_cached("SELECT EXISTS (SELECT 1 FROM route WHERE route_id = ?1)")?;
    Ok(stmt.query_row([route.as_bytes()], |r| r.get(0))?)
}

fn read_routes(mut rows: Rows<'_>) -> Result<Vec<RouteRow>> {
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(RouteRow {
            route_id: RouteId(row::uuid(r, "route_id")?),
            name: r.get("name")?,
            service_date: r.get("service_date")?,
            past_stops: r.get("past_stops")?,
        });
    }
    Ok(out)
}

/// Waybills of other rounds with the round's name: of listed stops, and what lies at the depot.
pub(crate) fn waybills_elsewhere(
    conn: &Connection,
    route: RouteId,
) -> Result<Vec<(String, String)>> {
    let mut stmt = conn.prepare_cached(
        "SELECT p.waybill, r.name FROM parcel p JOIN stop s USING (stop_id) JOIN route r USING (route_id)
         WHERE s.route_id <> ?1 AND p.parcel_id IN (
             SELECT parcel_id FROM parcel WHERE stop_id IN (SELECT stop_id FROM stop WHERE past = 0)
             UNION ALL SELECT parcel_id FROM parcel WHERE state = 'AT_DEPOT')
         ORDER BY p.stop_id, p.waybill",
    )?;
    let mut rows = stmt.query([route.as_bytes()])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push((r.get(0)?, r.get(1)?));
    }
    Ok(out)
}

/// Stops at which something is collected that goes to another stop of the round (A210), as (pickup,
/// delivery).
pub(crate) fn pickups(conn: &Connection) -> Result<Vec<(StopId, StopId)>> {
    // Few stops have one: the text search spares reading every document.
    let mut stmt = conn.prepare_cached(
        "SELECT raw FROM stop WHERE past = 0 AND removed = 0 AND instr(raw, '\"deliver_to\":\"') > 0
         ORDER BY stop_id",
    )?;
    let mut rows = stmt.query([])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        let raw: String = r.get(0)?;
        let item: StopItem = json::read(&raw).ok_or(StoreError::BadRow("stop"))?;
        let to = item
            .parcels
            .iter()
            .filter_map(|p| p.pickup.as_ref()?.deliver_to);
        out.extend(to.map(|to| (item.stop_id, to)));
    }
    Ok(out)
}

/// Where a round starts, if the feed told.
pub(crate) fn depot(conn: &Connection, route: RouteId) -> Result<Option<LatLng>> {
    let mut stmt =
        conn.prepare_cached("SELECT depot_lat, depot_lng FROM route WHERE route_id = ?1")?;
    let mut rows = stmt.query([route.as_bytes()])?;
    let Some(r) = rows.next()? else {
        return Ok(None);
    };
    let (lat, lng): (Option<f64>, Option<f64>) = (r.get(0)?, r.get(1)?);
    let place = lat.zip(lng).map(|(lat, lng)| LatLng { lat, lng });
    // A position that is none must not stop planning.
    Ok(place.filter(|p| geofence::is_position(p.lat, p.lng)))
}

/// The columns of a stop, as [`read_stop`] takes them. `past` lies behind the stop's document: neither a list, which
/// has none that is past, nor a visit reads that far.
macro_rules! select_stop {
    ($past:literal, $rest:literal) => {
        concat!(
            "SELECT stop_id, route_id, position, lat, lng, address, recipient_name, recipient_phone,
                 window_start_ms, window_end_ms, removed, planned, ",
            $past,
            " FROM stop ",
            $rest
        )
    };
}

/// The columns of a parcel, as [`read_parcel`] takes them.
macro_rules! select_parcel {
    ($rest:literal) => {
        concat!(
            "SELECT parcel_id, stop_id, waybill, handle, rating_key, promise_class, promised_by_ms,
                 accepted_at_ms, tags, door_required, tier, min_age_years, customer_window_end_ms, temperature,
                 code, pickup, state, outcome, attempts, last_seq, history FROM parcel ",
            $rest
        )
    };
}

/// Every listed stop in the order planned on this phone, else in the order of the rounds.
pub(crate) fn stops(conn: &Connection) -> Result<Vec<StopRow>> {
    let mut stmt = conn.prepare_cached(select_stop!(
        "0",
        "WHERE past = 0 ORDER BY planned IS NULL, planned, route_id, position, stop_id"
    ))?;
    let mut rows = stmt.query([])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(read_stop(r)?);
    }
    Ok(out)
}

/// Every stop of a round, past ones too, in its order.
pub(crate) fn of_route(conn: &Connection, route: RouteId) -> Result<Vec<StopRow>> {
    let mut stmt = conn.prepare_cached(select_stop!(
        "past",
        "WHERE route_id = ?1 ORDER BY planned IS NULL, planned, position, stop_id"
    ))?;
    let mut rows = stmt.query([route.as_bytes()])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(read_stop(r)?);
    }
    Ok(out)
}

pub(crate) fn stop(conn: &Connection, id: StopId) -> Result<StopRow> {
    let mut stmt = conn.prepare_cached(select_stop!(
        "EXISTS (SELECT 1 FROM stop p INDEXED BY stop_past_by_id
             WHERE p.stop_id = stop.stop_id AND p.past > 0)",
        "WHERE stop_id = ?1"
    ))?;
    let mut rows = stmt.query([id.as_bytes()])?;
    rows.next()?
        .map_or(Err(Error::NotFound { what: "stop" }), read_stop)
}

/// Stops that the hub took off the round, among those that [`promised`] parcels can be at.
pub(crate) fn removed(conn: &Connection) -> Result<HashSet<StopId>> {
    let mut stmt = conn.prepare_cached(
        "SELECT stop_id FROM stop WHERE past = 0 AND removed <> 0
         UNION SELECT stop_id FROM stop WHERE removed <> 0
             AND stop_id IN (SELECT stop_id FROM parcel WHERE state = 'AT_DEPOT')",
    )?;
    let mut rows = stmt.query([])?;
    let mut out = HashSet::new();
    while let Some(r) = rows.next()? {
        out.insert(StopId(InOrder::new(r).uuid("stop_id")?));
    }
    Ok(out)
}

/// Parcels of one stop, or of all that are listed.
pub(crate) fn parcels(conn: &Connection, stop: Option<StopId>) -> Result<Vec<ParcelRow>> {
    let mut stmt = conn.prepare_cached(match stop {
        // A handful, sorted below: SQLite would set up a sorter for them at every door.
        Some(_) => select_parcel!("WHERE stop_id = ?1"),
        None => select_parcel!(
            "WHERE stop_id IN (SELECT stop_id FROM stop WHERE past = 0)
             ORDER BY stop_id, waybill, parcel_id"
        ),
    })?;
    let mut rows = match stop {
        Some(id) => stmt.query([id.as_bytes()])?,
        None => stmt.query([])?,
    };
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(read_parcel(r)?);
    }
    if stop.is_some() {
        let place = |p: &ParcelRow, q: &ParcelRow| {
            (p.waybill.as_str(), p.parcel_id).cmp(&(q.waybill.as_str(), q.parcel_id))
        };
        out.sort_by(place);
    }
    Ok(out)
}

/// Parcels of listed stops, and those of past ones that are at the depot: their promise runs on.
pub(crate) fn promised(conn: &Connection) -> Result<Vec<ParcelRow>> {
    let mut stmt = conn.prepare_cached(select_parcel!(
        "WHERE stop_id IN (SELECT stop_id FROM stop WHERE past = 0)
             OR parcel_id IN (SELECT parcel_id FROM parcel WHERE state = 'AT_DEPOT')
         ORDER BY stop_id, waybill, parcel_id"
    ))?;
    read_parcels(stmt.query([])?)
}

/// Everything that was to be collected, however long ago.
pub(crate) fn collected(conn: &Connection) -> Result<Vec<ParcelRow>> {
    let mut stmt = conn.prepare_cached(select_parcel!(
        "WHERE pickup IS NOT NULL ORDER BY stop_id, waybill, parcel_id"
    ))?;
    read_parcels(stmt.query([])?)
}

/// Parcels of a round, of past stops too.
pub(crate) fn parcels_of_route(conn: &Connection, route: RouteId) -> Result<Vec<ParcelRow>> {
    let mut stmt = conn.prepare_cached(select_parcel!(
        "WHERE stop_id IN (SELECT stop_id FROM stop WHERE route_id = ?1)
         ORDER BY stop_id, waybill, parcel_id"
    ))?;
    read_parcels(stmt.query([route.as_bytes()])?)
}

fn read_parcels(mut rows: Rows<'_>) -> Result<Vec<ParcelRow>> {
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(read_parcel(r)?);
    }
    Ok(out)
}

pub(crate) fn parcel(conn: &Connection, id: ParcelId) -> Result<ParcelRow> {
    find_parcel(conn, id)?.ok_or(Error::NotFound { what: "parcel" })
}

pub(crate) fn find_parcel(conn: &Connection, id: ParcelId) -> Result<Option<ParcelRow>> {
    let mut stmt = conn.prepare_cached(select_parcel!("WHERE parcel_id = ?1"))?;
    let mut rows = stmt.query([id.as_bytes()])?;
    rows.next()?.map(read_parcel).transpose()
}

fn read_stop(r: &Row<'_>) -> Result<StopRow> {
    let mut c = InOrder::new(r);
    Ok(StopRow {
        stop_id: StopId(c.uuid("stop_id")?),
        route_id: RouteId(c.uuid("route_id")?),
        position: c.unsigned("position")?,
        place: LatLng {
            lat: c.get()?,
            lng: c.get()?,
        },
        address: c.get()?,
        recipient_name: c.get()?,
        recipient_phone: c.get()?,
        window_start_ms: c.get()?,
        window_end_ms: c.get()?,
        removed: c.get()?,
        planned: c.get::<Option<i64>>()?.is_some(),
        past: c.get::<i64>()? > 0,
    })
}

fn read_parcel(r: &Row<'_>) -> Result<ParcelRow> {
    let mut c = InOrder::new(r);
    Ok(ParcelRow {
        parcel_id: ParcelId(c.uuid("parcel_id")?),
        stop_id: StopId(c.uuid("stop_id")?),
        waybill: c.get()?,
        handle: Handle(c.bytes("handle")?),
        rating_key: c.bytes("rating_key")?,
        promise_class: c.text("promise_class", |c| PromiseClass::from_code(c).ok())?,
        promised_by_ms: c.get()?,
        accepted_at_ms: c.get()?,
        tags: c.text("tags", |tags| {
            let codes = tags.split(',').filter(|c| !c.is_empty());
            codes.map(|c| HandlingTag::from_code(c).ok()).collect()
        })?,
        door_required: c.get()?,
        tier: c.get()?,
        min_age_years: c.get()?,
        customer_window_end_ms: c.get()?,
        temperature: from_json(&mut c, "temperature")?,
        code: from_json(&mut c, "code")?,
        pickup: from_json(&mut c, "pickup")?,
        state: c.text("state", |c| ParcelState::from_code(c).ok())?,
        outcome: c.opt_text("outcome", |c| Outcome::from_code(c).ok())?,
        attempts: c.unsigned("attempts")?,
        last_seq: c.get()?,
        history: c.get()?,
    })
}

fn codes<'a>(codes: impl Iterator<Item = &'a str>) -> String {
    codes.collect::<Vec<_>>().join(",")
}

fn json<T: Serialize>(value: Option<&T>) -> Result<Option<String>> {
    value
        .map(|v| serde_json::to_string(v).map_err(|_| StoreError::BadRow("item").into()))
        .transpose()
}

fn from_json<T: DeserializeOwned>(
    c: &mut InOrder<'_, '_>,
    what: &'static str,
) -> Result<Option<T>> {
    c.opt_text(what, json::read)
}
