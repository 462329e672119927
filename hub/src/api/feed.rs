//! The feed: routes, stops and ratings for the courier of the asking device.
//!
//! Rating keys are bound to the asking device and computed when a page is served: they are in no
//! table, and which device got which is on record, because only those may have minted a token.

// The OpenAPI macro writes out paths that are in scope.
#![allow(unused_qualifications)]

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use satchel_protocol::api::ErrorCode;
use satchel_protocol::feed::{FeedItem, FeedPage, StopItem};
use satchel_protocol::ids::{DeviceId, ParcelId};
use satchel_protocol::limits;
use satchel_protocol::packed;
use satchel_protocol::token::{self, base32, from_base32};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use crate::api::auth::{SignedHead, not_revoked};
use crate::api::error::ApiError;
use crate::api::schema::{ErrorSchema, FeedPageSchema};
use crate::doorstep;
use crate::error::HubError;
use crate::hub::Hub;
use crate::store::feed;

const CURSOR_VERSION: u8 = 1;
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
}

/// What is new for this courier?
#[utoipa::path(
    get, path = "/v1/feed", tag = "feed",
    params(PageQuery),
    responses(
        (status = 200, description = "The next page", body = FeedPageSchema),
        (status = 400, description = "Not a cursor of this hub", body = ErrorSchema),
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
    not_revoked(&head.device)?;
    let Query(query) = query?;
    let start = read_cursor(&query.cursor)
        .ok_or_else(|| ApiError::new(ErrorCode::Malformed).detail("cursor"))?;
    let limit = query
        .limit
        .unwrap_or(limits::FEED_PAGE_ITEMS)
        .clamp(1, limits::FEED_PAGE_ITEMS);
    let mut rows = feed::after(
        hub.db().read(),
        head.device.courier,
        start,
        i64::from(limit) + 1,
    )
    .await?;
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
            given.extend(put_keys_in(&hub, head.device.id, &mut data)?);
        }
        items.push(FeedItem {
            seq: row.seq,
            kind: row.kind,
            data,
        });
    }
    // What happened to these parcels elsewhere follows on the next page.
    more |= record(&hub, head.device.id, &given).await?;
    hub.metrics().feed_pages.add(1);
    let end = items.last().map_or(start, |item| item.seq);
    let page = FeedPage {
        items,
        cursor: write_cursor(end),
        more,
        server_time_ms: hub.now_ms(),
    };
    answer(&headers, &page)
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
    for parcel in given {
        if feed::assign(&mut tx, *parcel, device, now_ms).await? {
            news += doorstep::tell(&mut tx, *parcel).await?;
        }
    }
    tx.commit().await?;
    Ok(news > 0)
}

fn write_cursor(seq: i64) -> String {
    base32(&[&[CURSOR_VERSION][..], &seq.to_be_bytes()].concat())
}

fn read_cursor(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let bytes = from_base32(text)?;
    let (version, rest) = bytes.split_first()?;
    let seq = i64::from_be_bytes(rest.try_into().ok()?);
    (*version == CURSOR_VERSION && seq >= 0).then_some(seq)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_rubbish_is_refused() {
        assert_eq!(read_cursor(&write_cursor(42)), Some(42));
        assert_eq!(read_cursor(""), Some(0));
        for bad in ["42", "zz", "0000000000000000", &base32(&[9; 9])] {
            assert_eq!(read_cursor(bad), None, "{bad}");
        }
    }
}
