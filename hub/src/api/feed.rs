//! The feed: routes, stops and ratings for the courier of the asking device.
//!
//! Rating keys are bound to the asking device and computed when a page is served: they are in no
//! table, and which device got which is on record, because only those may have minted a token.

// The OpenAPI macro writes out paths that are in scope.
#![allow(unused_qualifications)]

mod cursor;

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use satchel_protocol::api::ErrorCode;
use satchel_protocol::feed::{FeedItem, FeedPage, SnapshotPart, StopItem};
use satchel_protocol::ids::{CourierId, DeviceId, ParcelId};
use satchel_protocol::limits;
use satchel_protocol::packed;
use satchel_protocol::token;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use crate::api::auth::{SignedHead, not_revoked};
use crate::api::error::ApiError;
use crate::api::schema::{ErrorSchema, FeedPageSchema};
use crate::doorstep;
use crate::error::HubError;
use crate::hub::Hub;
use crate::manifest;
use crate::orders;
use crate::store::feed::{self, FeedRow};
use cursor::Cursor;

/// Stops short of what a phone reads, so that keys and brackets still fit.
const MAX_PAGE_BYTES: usize = limits::MAX_FEED_PAGE_BYTES / 2;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// As the last page gave it; empty for the start.
    #[serde(default)]
    #[param(required = false)]
    cursor: String,
    /// Most items wanted; no more than the hub's own limit are given.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 4_294_967_295_i64)]
    limit: Option<u32>,
    /// Where there is nothing new, wait so many seconds for it; at most 25.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 4_294_967_295_i64)]
    wait: Option<u32>,
    /// When the policy was set that this phone has, as the hub said; it is told another one.
    policy: Option<i64>,
}

/// What is new for this courier?
///
/// A cursor of another history of this hub (it was set back to a backup) is answered with a snapshot:
/// everything that holds.
#[utoipa::path(
    get, path = "/v1/feed", tag = "feed",
    params(PageQuery),
    responses(
        (status = 200, description = "The next page", body = FeedPageSchema),
        (status = 400, description = "Not a cursor of a hub", body = ErrorSchema),
        (status = 401, description = "Not signed by a known device, or its clock is off", body = ErrorSchema),
        (status = 403, description = "The device is revoked", body = ErrorSchema),
    ),
    security(("device_signature" = []))
)]
pub(crate) async fn page(
    State(hub): State<Hub>,
    head: SignedHead,
    headers: HeaderMap,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query?;
    if head.device.wipe_ordered {
        // It is revoked, and is told nothing else.
        let page = FeedPage {
            items: Vec::new(),
            cursor: query.cursor,
            more: false,
            server_time_ms: hub.now_ms(),
            snapshot: None,
            orders: orders::for_page(&hub, &head.device, query.policy).await?,
        };
        return answer(&headers, &page);
    }
    not_revoked(&head.device)?;
    let bad = || ApiError::new(ErrorCode::Malformed).detail("cursor");
    let courier = head.device.courier;
    let cursor = Cursor::read(&hub, courier, &query.cursor).ok_or_else(bad)?;
    let limit = query
        .limit
        .unwrap_or(limits::FEED_PAGE_ITEMS)
        .clamp(1, limits::FEED_PAGE_ITEMS);
    let place = place_of(&hub, head.device.courier, cursor).await?;
    let wait_s = match place.snapshot {
        Some(_) => 0,
        None => query.wait.unwrap_or(0).min(limits::MAX_FEED_WAIT_S),
    };
    let rows = rows_or_wait(&hub, head.device.courier, (place.seq, limit), wait_s).await?;
    let (items, given, mut more) = fill(&hub, head.device.id, rows, limit)?;
    // What happened to these parcels elsewhere follows on the next page.
    more |= record(&hub, head.device.id, &given).await?;
    hub.metrics().feed_pages.add(1);
    let end = Cursor {
        epoch: place.epoch,
        seq: items.last().map_or(place.seq, |item| item.seq),
        in_snapshot: more && place.snapshot.is_some(),
    };
    let page = FeedPage {
        items,
        cursor: end.write(&hub, courier),
        more,
        server_time_ms: hub.now_ms(),
        snapshot: place
            .snapshot
            .map(|first| SnapshotPart { first, last: !more }),
        orders: orders::for_page(&hub, &head.device, query.policy).await?,
    };
    answer(&headers, &page)
}

/// Where a page begins.
struct Place {
    epoch: i64,
    seq: i64,
    /// Within a snapshot, and whether that begins here.
    snapshot: Option<bool>,
}

/// What a cursor means now. One that lies behind the end of the feed is of a history this hub no longer has. One at the
/// very beginning was given to a courier for whom there was nothing: he is told what comes, not everything anew.
async fn place_of(hub: &Hub, courier: CourierId, cursor: Cursor) -> Result<Place, HubError> {
    let mut conn = hub.db().read().acquire().await?;
    let (epoch, end) = feed::end(&mut conn, courier).await?;
    drop(conn);
    let start = |epoch| Place {
        epoch,
        seq: 0,
        snapshot: Some(true),
    };
    if cursor.epoch != epoch {
        return Ok(start(epoch));
    }
    if cursor.seq <= end {
        return Ok(Place {
            epoch,
            seq: cursor.seq,
            snapshot: cursor.in_snapshot.then_some(false),
        });
    }
    let fresh = i64::from_be_bytes(hub.draw::<8>()?) & i64::MAX;
    let mut tx = hub.db().write().await?;
    // Another phone may just have noticed the same.
    let (now, _) = feed::end(&mut tx, courier).await?;
    if now == epoch {
        feed::begin_epoch(&mut tx, fresh, hub.now_ms()).await?;
        tracing::error!("a phone has read more of its feed than there is: this hub was set back");
    }
    let (epoch, _) = feed::end(&mut tx, courier).await?;
    tx.commit().await?;
    Ok(start(epoch))
}

/// The rows behind a place; where there are none, those that come within `wait_s`.
async fn rows_or_wait(
    hub: &Hub,
    courier: CourierId,
    (start, limit): (i64, u32),
    wait_s: u32,
) -> Result<Vec<FeedRow>, HubError> {
    let patience = tokio::time::sleep(Duration::from_secs(u64::from(wait_s)));
    tokio::pin!(patience);
    loop {
        let bell = hub.bell().listen(courier);
        let news = bell.notified();
        tokio::pin!(news);
        news.as_mut().enable();
        let rows = feed::after(hub.db().read(), courier, start, i64::from(limit) + 1).await?;
        if wait_s == 0 || !rows.is_empty() {
            return Ok(rows);
        }
        tokio::select! {
            () = news => {}
            () = &mut patience => return Ok(rows),
        }
    }
}

/// Items of one page, the parcels they give, and whether there are more.
fn fill(
    hub: &Hub,
    device: DeviceId,
    mut rows: Vec<FeedRow>,
    limit: u32,
) -> Result<(Vec<FeedItem>, Vec<ParcelId>, bool), HubError> {
    let mut more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let mut items = Vec::with_capacity(rows.len());
    let mut given = Vec::new();
    let mut page_bytes = 0;
    for row in rows {
        page_bytes += row.data.len();
        if page_bytes > MAX_PAGE_BYTES && !items.is_empty() {
            more = true;
            break;
        }
        let mut data: Value = serde_json::from_str(&row.data)
            .map_err(|_| HubError::DamagedRow { what: "feed item" })?;
        if row.kind == StopItem::KIND {
            given.extend(put_keys_in(hub, device, &mut data)?);
        }
        items.push(FeedItem {
            seq: row.seq,
            kind: row.kind,
            data,
        });
    }
    Ok((items, given, more))
}

/// The page, packed for a phone that says it can unpack.
fn answer(headers: &HeaderMap, page: &FeedPage) -> Result<Response, ApiError> {
    let offered = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok());
    if !offered.into_iter().any(packed::is_accepted) {
        return Ok(Json(page).into_response());
    }
    let unfit = HubError::DamagedRow { what: "feed page" };
    let packed = serde_json::to_vec(page)
        .ok()
        .and_then(|json| packed::pack(&json).ok())
        .ok_or(unfit)?;
    let fields = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_ENCODING, packed::CODING),
        (header::VARY, "accept-encoding"),
    ];
    Ok((fields, packed).into_response())
}

/// Gives each parcel of a stop the key with which this device may mint its rating token.
fn put_keys_in(hub: &Hub, device: DeviceId, stop: &mut Value) -> Result<Vec<ParcelId>, HubError> {
    let damaged = || HubError::DamagedRow { what: "feed item" };
    let parcels = stop
        .get_mut("parcels")
        .and_then(Value::as_array_mut)
        .ok_or_else(damaged)?;
    let mut given = Vec::with_capacity(parcels.len());
    for parcel in parcels {
        let fields = parcel.as_object_mut().ok_or_else(damaged)?;
        let id: ParcelId = fields
            .get("parcel_id")
            .and_then(Value::as_str)
            .and_then(|text| text.parse().ok())
            .ok_or_else(damaged)?;
        let key = token::rating_key(&hub.keys().rating_master, id, device);
        let hex = data_encoding::HEXLOWER.encode(key.expose());
        fields.insert("rating_key".to_owned(), Value::String(hex));
        given.push(id);
    }
    Ok(given)
}

/// Notes who has which parcel. A phone that is given one for the first time is also told what happened
/// to it before; `true` when that made news.
async fn record(hub: &Hub, device: DeviceId, given: &[ParcelId]) -> Result<bool, HubError> {
    if given.is_empty() {
        return Ok(false);
    }
    let now_ms = hub.now_ms();
    let mut news = 0;
    let mut tx = hub.db().write().await?;
    let mut first_time = Vec::new();
    for parcel in given {
        if feed::assign(&mut tx, *parcel, device, now_ms).await? {
            first_time.push(*parcel);
            news += doorstep::tell(&mut tx, *parcel).await?;
        }
    }
    manifest::give_out(hub, &mut tx, device, &first_time).await?;
    tx.commit().await?;
    Ok(news > 0)
}
