//! Routes, stops and parcels as the import gives them.

use satchel_protocol::feed::{LatLng, ParcelItem, Recipient, RouteItem, StopItem};
use satchel_protocol::ids::{CourierId, ParcelId, RouteId, StopId};
use satchel_protocol::taxonomy::PromiseClass;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::import::Contents;
use crate::store::consents;
use crate::store::recorder::Recorder;

/// The courier of a known route: `None` for an unknown route, `Some(None)` for one without a courier.
pub(crate) async fn owner(
    tx: &mut Tx,
    route: RouteId,
) -> Result<Option<Option<CourierId>>, HubError> {
    let row = sqlx::query("SELECT courier_id FROM route WHERE route_id = ?")
        .bind(&route.as_bytes()[..])
        .fetch_optional(&mut **tx)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let courier: Option<&[u8]> = row.try_get("courier_id")?;
    Ok(Some(if courier.is_some() {
        Some(row.courier("courier_id")?)
    } else {
        None
    }))
}

pub(crate) async fn add_route(
    tx: &mut Tx,
    route: &RouteItem,
    courier: Option<CourierId>,
) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO route (route_id, courier_id, name, service_date, depot_lat, depot_lng) \
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(&route.route_id.as_bytes()[..])
    .bind(courier.map(|c| c.as_bytes().to_vec()))
    .bind(&route.name)
    .bind(&route.service_date)
    .bind(route.depot.map(|d| d.lat))
    .bind(route.depot.map(|d| d.lng))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Adds a stop, or new parcels to a known one.
pub(crate) async fn add_stop(tx: &mut Tx, stop: &StopItem) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO stop (stop_id, route_id, position, lat, lng, address, recipient_name, \
           recipient_phone, window_start_ms, window_end_ms) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (stop_id) DO NOTHING",
    )
    .bind(&stop.stop_id.as_bytes()[..])
    .bind(&stop.route_id.as_bytes()[..])
    .bind(i64::from(stop.position))
    .bind(stop.place.lat)
    .bind(stop.place.lng)
    .bind(&stop.address)
    .bind(&stop.recipient.name)
    .bind(&stop.recipient.phone)
    .bind(stop.window_start_ms)
    .bind(stop.window_end_ms)
    .execute(&mut **tx)
    .await?;
    for parcel in &stop.parcels {
        sqlx::query(
            "INSERT INTO parcel (parcel_id, stop_id, waybill, handle, promise_class, \
               promised_by_ms, accepted_at_ms, tags, door_required, tier, min_age_years, \
               customer_window_end_ms, temperature, code, pickup, consents) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '[]')",
        )
        .bind(&parcel.parcel_id.as_bytes()[..])
        .bind(&stop.stop_id.as_bytes()[..])
        .bind(&parcel.waybill)
        .bind(&parcel.handle.0[..])
        .bind(parcel.promise_class.code())
        .bind(parcel.promised_by_ms)
        .bind(parcel.accepted_at_ms)
        .bind(json(&parcel.tags)?)
        .bind(parcel.door_required)
        .bind(&parcel.tier)
        .bind(parcel.min_age_years.map(i64::from))
        .bind(parcel.customer_window_end_ms)
        .bind(parcel.temperature.as_ref().map(json).transpose()?)
        .bind(parcel.code.as_ref().map(json).transpose()?)
        .bind(parcel.pickup.as_ref().map(json).transpose()?)
        .execute(&mut **tx)
        .await?;
        for record in &parcel.consents {
            let seq = consents::next_hub_seq(tx).await?;
            consents::add(tx, Recorder::Hub, seq, record).await?;
        }
    }
    Ok(())
}

/// Keeps what only the recipient is shown (Art 25).
pub(crate) async fn note_contents(
    tx: &mut Tx,
    parcel: ParcelId,
    contents: &Contents,
) -> Result<(), HubError> {
    sqlx::query("UPDATE parcel SET contents = ? WHERE parcel_id = ?")
        .bind(json(contents)?)
        .bind(&parcel.as_bytes()[..])
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(crate) async fn parcel_is_known(tx: &mut Tx, parcel: ParcelId) -> Result<bool, HubError> {
    Ok(
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM parcel WHERE parcel_id = ?)")
            .bind(&parcel.as_bytes()[..])
            .fetch_one(&mut **tx)
            .await?,
    )
}

/// A known stop with all its parcels, and whose it is.
pub(crate) async fn stop_of(
    tx: &mut Tx,
    parcel: ParcelId,
) -> Result<Option<(StopItem, Option<CourierId>)>, HubError> {
    let row = sqlx::query(
        "SELECT s.*, r.courier_id FROM stop s JOIN route r USING (route_id) \
         JOIN parcel p USING (stop_id) WHERE p.parcel_id = ?",
    )
    .bind(&parcel.as_bytes()[..])
    .fetch_optional(&mut **tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let courier: Option<&[u8]> = row.try_get("courier_id")?;
    let courier = match courier {
        Some(_) => Some(row.courier("courier_id")?),
        None => None,
    };
    let stop = StopItem {
        stop_id: StopId(row.uuid("stop_id")?),
        route_id: RouteId(row.uuid("route_id")?),
        position: row.try_get("position")?,
        place: LatLng {
            lat: row.try_get("lat")?,
            lng: row.try_get("lng")?,
        },
        address: row.try_get("address")?,
        recipient: Recipient {
            name: row.try_get("recipient_name")?,
            phone: row.try_get("recipient_phone")?,
        },
        window_start_ms: row.try_get("window_start_ms")?,
        window_end_ms: row.try_get("window_end_ms")?,
        parcels: Vec::new(),
    };
    Ok(Some((stop_parcels(tx, stop).await?, courier)))
}

/// Sets the time a stop is wished at.
pub(crate) async fn set_window(
    tx: &mut Tx,
    stop: StopId,
    start_ms: i64,
    end_ms: i64,
) -> Result<(), HubError> {
    sqlx::query("UPDATE stop SET window_start_ms = ?, window_end_ms = ? WHERE stop_id = ?")
        .bind(start_ms)
        .bind(end_ms)
        .bind(&stop.as_bytes()[..])
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The stop with all parcels it has by now.
pub(crate) async fn stop_parcels(tx: &mut Tx, mut stop: StopItem) -> Result<StopItem, HubError> {
    let rows = sqlx::query("SELECT * FROM parcel WHERE stop_id = ? ORDER BY waybill, parcel_id")
        .bind(&stop.stop_id.as_bytes()[..])
        .fetch_all(&mut **tx)
        .await?;
    stop.parcels = rows.iter().map(parcel_item).collect::<Result<_, _>>()?;
    for parcel in &mut stop.parcels {
        // With what customers and couriers have said since.
        let known = consents::of_parcel(&mut **tx, parcel.parcel_id).await?;
        let records = known.into_iter().map(|row| row.record);
        parcel.consents = records.filter(|c| c.withdrawn_at_ms.is_none()).collect();
    }
    Ok(stop)
}

fn parcel_item(row: &SqliteRow) -> Result<ParcelItem, HubError> {
    let class: &str = row.try_get("promise_class")?;
    let promise_class = PromiseClass::from_code(class).map_err(|_| HubError::DamagedRow {
        what: "promise class",
    })?;
    Ok(ParcelItem {
        tags: from_json(row.try_get("tags")?)?,
        door_required: row.try_get("door_required")?,
        tier: row.try_get("tier")?,
        min_age_years: row.try_get("min_age_years")?,
        customer_window_end_ms: row.try_get("customer_window_end_ms")?,
        temperature: part(row, "temperature")?,
        code: part(row, "code")?,
        pickup: part(row, "pickup")?,
        ..ParcelItem::bare(
            row.parcel("parcel_id")?,
            row.try_get("waybill")?,
            row.handle("handle")?,
            promise_class,
            row.try_get("accepted_at_ms")?,
            row.try_get("promised_by_ms")?,
        )
    })
}

/// A part of a parcel that most do not have.
fn part<T: DeserializeOwned>(row: &SqliteRow, column: &'static str) -> Result<Option<T>, HubError> {
    row.try_get::<Option<&str>, _>(column)?
        .map(from_json)
        .transpose()
}

fn json(value: &impl Serialize) -> Result<String, HubError> {
    serde_json::to_string(value).map_err(|_| HubError::DamagedRow { what: "parcel" })
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, HubError> {
    serde_json::from_str(text).map_err(|_| HubError::DamagedRow { what: "parcel" })
}
