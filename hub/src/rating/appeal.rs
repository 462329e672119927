//! A courier's word against a rating, from his phone's log: nobody is judged unheard.
//!
//! It is an entry like any other: signed, chained and receipted, so it can be given offline and cannot
//! be lost. It opens a case with the clock of every other, which the customer does not see; what the
//! people at the hub answer there goes back to the courier's phone with the rating.

use satchel_protocol::appeal::AppealBody;
use sqlx::Row;

use super::review;
use crate::care::{self, CaseKind, Opening};
use crate::choices;
use crate::db::Tx;
use crate::error::HubError;
use crate::hub::Hub;
use crate::store::entries::CheckedEntry;

/// Files an appeal entry. Anything else, and a body this build cannot read, is left to the log.
pub(crate) async fn file(
    tx: &mut Tx,
    hub: &Hub,
    new: &CheckedEntry,
    now_ms: i64,
) -> Result<(), HubError> {
    if new.header.kind != AppealBody::KIND {
        return Ok(());
    }
    let Some(appeal) = new
        .entry
        .body
        .as_deref()
        .and_then(|body| AppealBody::decode(body).ok())
    else {
        return Ok(());
    };
    let rating = rating_of(tx, new, &appeal).await?;
    let case = match rating {
        Some(rating_id) => Some(case_of(tx, hub, rating_id, &appeal).await?),
        None => None,
    };
    sqlx::query(
        "INSERT INTO rating_appeal (device_id, seq, parcel_id, words, received_at_ms, case_id) \
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(&new.header.device.as_bytes()[..])
    .bind(new.header.seq)
    .bind(&appeal.parcel.as_bytes()[..])
    .bind(&appeal.words)
    .bind(now_ms)
    .bind(case)
    .execute(&mut **tx)
    .await?;
    match rating {
        Some(rating_id) => review::tell(tx, rating_id).await,
        None => Ok(()),
    }
}

/// The word the appeal means, if it was said about a delivery of this very courier.
async fn rating_of(
    tx: &mut Tx,
    new: &CheckedEntry,
    appeal: &AppealBody,
) -> Result<Option<i64>, HubError> {
    Ok(sqlx::query_scalar(
        "SELECT r.rating_id FROM rating_said r JOIN device d ON d.courier_id = r.courier_id \
         WHERE r.parcel_id = ? AND r.rated_at_ms = ? AND d.device_id = ? \
         ORDER BY r.revision DESC LIMIT 1",
    )
    .bind(&appeal.parcel.as_bytes()[..])
    .bind(appeal.rated_at_ms)
    .bind(&new.header.device.as_bytes()[..])
    .fetch_optional(&mut **tx)
    .await?)
}

/// The case of a rating's appeal: one, however often a phone sends it.
async fn case_of(
    tx: &mut Tx,
    hub: &Hub,
    rating_id: i64,
    appeal: &AppealBody,
) -> Result<i64, HubError> {
    let known = sqlx::query("SELECT case_id FROM care_case WHERE rating_id = ? AND kind = ?")
        .bind(rating_id)
        .bind(CaseKind::Appeal.code())
        .fetch_optional(&mut **tx)
        .await?;
    if let Some(row) = known {
        return Ok(row.try_get("case_id")?);
    }
    let opening = Opening {
        rating_id: Some(rating_id),
        channel: "app".to_owned(),
        ..choices::request(CaseKind::Appeal, appeal.parcel, &appeal.words, "zh-CN")
    };
    Ok(care::open(hub, tx, &opening).await?.case_id)
}
