//! Ratings: who may give one for which delivery, once.
//!
//! The token in the QR is all a customer brings (security notes §5.3). It verifies before anything of
//! the courier's phone has arrived, so a rating may wait for its attempt (`pending`) and is bound to
//! it when the entry with that head comes. Unknown, forged, expired and used tokens take the same
//! steps and give the same answer: the page is no oracle for any of them (§5.4).

pub(crate) mod bind;

use satchel_protocol::crypto::Secret32;
use satchel_protocol::feed::RatingItem;
use satchel_protocol::ids::{CourierId, DeviceId, Handle, Hash32, ParcelId};
use satchel_protocol::token::{self, RatingToken};
use sqlx::Row;
use sqlx::sqlite::SqlitePool;
use uuid::Uuid;

use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::hub::Hub;
use crate::store::feed;

/// How long a token can be used, from when the hub first knew of the delivery: the customer's first
/// scan or the courier's report, whichever came first (§5.4).
const TOKEN_TTL_MS: i64 = 72 * 3_600 * 1_000;

/// Keys tried for every token, known or not, so that a wrong one costs the same time. More devices
/// than this were never given one parcel.
const KEYS_TRIED: usize = 8;

/// What a customer may say about attitude beyond stars (A152), and the two that tell whether the
/// rules of the door were kept (A024, A031).
pub(crate) const TAGS: [&str; 5] = [
    "polite",
    "proactive",
    "patient",
    "inspection_offered",
    "to_address",
];

/// Ratings up to this many stars are a customer who is not content (A078).
pub(crate) const LOW_STARS: i64 = 2;

/// A delivery that may be rated now.
#[derive(Debug, Clone)]
pub(crate) struct OpenRating {
    pub(crate) parcel: ParcelId,
    pub(crate) waybill: String,
    pub(crate) courier_name: String,
    /// What was promised, and until when (A003).
    pub(crate) promise_class: String,
    pub(crate) promised_by_ms: i64,
    device: DeviceId,
    courier: CourierId,
    head: [u8; 16],
    witnessed: bool,
}

/// What the customer says.
#[derive(Debug, Clone)]
pub(crate) struct Answers {
    pub(crate) stars: u8,
    pub(crate) timeliness: Option<u8>,
    pub(crate) attitude: Option<u8>,
    pub(crate) information: Option<u8>,
    pub(crate) tags: Vec<String>,
    pub(crate) comment: Option<String>,
    pub(crate) lang: &'static str,
}

struct Candidate {
    device: DeviceId,
    courier: CourierId,
    courier_name: String,
    revoked: bool,
}

/// The delivery behind a token's text, if it can be rated.
pub(crate) async fn open(hub: &Hub, text: &str) -> Result<Option<OpenRating>, HubError> {
    let db = hub.db().read();
    let parsed = RatingToken::parse(text);
    let readable = parsed.is_ok();
    let token = parsed.unwrap_or_else(|_| {
        RatingToken::mint(&Secret32::new([0; 32]), Handle([0; 8]), &Hash32::ZERO)
    });
    let found = sqlx::query(
        "SELECT parcel_id, waybill, promise_class, promised_by_ms FROM parcel WHERE handle = ?",
    )
    .bind(&token.handle.0[..])
    .fetch_optional(db)
    .await?;
    let parcel = match &found {
        Some(row) => row.parcel("parcel_id")?,
        None => ParcelId(Uuid::nil()),
    };
    let minted_by = minter(hub, &token, parcel, candidates(db, parcel).await?);
    let device = minted_by
        .as_ref()
        .map_or(DeviceId(Uuid::nil()), |c| c.device);
    let rated: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM rating WHERE parcel_id = ?)")
            .bind(&parcel.as_bytes()[..])
            .fetch_one(db)
            .await?;
    let first_seen_ms: Option<i64> =
        sqlx::query_scalar("SELECT min(first_seen_at_ms) FROM witness WHERE parcel_id = ?")
            .bind(&parcel.as_bytes()[..])
            .fetch_one(db)
            .await?;
    let reported_ms = bind::entry_with_head(db, device, &token.head)
        .await?
        .map(|e| e.received_at_ms);

    let known_since_ms = match (first_seen_ms, reported_ms) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    let in_time = known_since_ms.is_none_or(|t| hub.now_ms() <= t.saturating_add(TOKEN_TTL_MS));
    let minted_by = minted_by.filter(|_| readable && !rated && in_time);
    let (Some(minted_by), Some(row)) = (minted_by, found) else {
        return Ok(None);
    };
    // A phone that was revoked can rate nothing that it had not reported before.
    if minted_by.revoked && reported_ms.is_none() {
        return Ok(None);
    }
    Ok(Some(OpenRating {
        parcel,
        waybill: row.try_get("waybill")?,
        promise_class: row.try_get("promise_class")?,
        promised_by_ms: row.try_get("promised_by_ms")?,
        courier_name: minted_by.courier_name,
        device: minted_by.device,
        courier: minted_by.courier,
        head: token.head,
        witnessed: first_seen_ms.is_some(),
    }))
}

async fn candidates(db: &SqlitePool, parcel: ParcelId) -> Result<Vec<Candidate>, HubError> {
    let rows = sqlx::query(
        "SELECT d.device_id, d.courier_id, c.name, d.revoked_at_seq IS NOT NULL AS revoked \
         FROM assignment a JOIN device d USING (device_id) JOIN courier c USING (courier_id) \
         WHERE a.parcel_id = ? ORDER BY a.served_at_ms DESC LIMIT ?",
    )
    .bind(&parcel.as_bytes()[..])
    .bind(i64::try_from(KEYS_TRIED).unwrap_or(i64::MAX))
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Candidate {
                device: row.device("device_id")?,
                courier: row.courier("courier_id")?,
                courier_name: row.try_get("name")?,
                revoked: row.try_get("revoked")?,
            })
        })
        .collect()
}

/// The device whose key made the token. Tries the same number of keys whatever there is to find.
fn minter(
    hub: &Hub,
    token: &RatingToken,
    parcel: ParcelId,
    candidates: Vec<Candidate>,
) -> Option<Candidate> {
    let mut candidates = candidates.into_iter();
    let mut found = None;
    for _ in 0..KEYS_TRIED {
        let candidate = candidates.next();
        let device = candidate
            .as_ref()
            .map_or(DeviceId(Uuid::nil()), |c| c.device);
        let key = token::rating_key(&hub.keys().rating_master, parcel, device);
        if token.verify(&key) && candidate.is_some() {
            found = candidate;
        }
    }
    found
}

/// Remembers when a customer's phone first showed this head: an outside witness of the log.
pub(crate) async fn witness(hub: &Hub, open: &OpenRating) -> Result<(), HubError> {
    if open.witnessed {
        return Ok(());
    }
    let mut tx = hub.db().write().await?;
    witness_in(&mut tx, open, hub.now_ms()).await?;
    tx.commit().await?;
    Ok(())
}

async fn witness_in(tx: &mut Tx, open: &OpenRating, now_ms: i64) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO witness (parcel_id, device_id, head, first_seen_at_ms) VALUES (?, ?, ?, ?) \
         ON CONFLICT DO NOTHING",
    )
    .bind(&open.parcel.as_bytes()[..])
    .bind(&open.device.as_bytes()[..])
    .bind(&open.head[..])
    .bind(now_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes the rating. `false`: somebody was first.
pub(crate) async fn submit(
    hub: &Hub,
    open: &OpenRating,
    answers: &Answers,
) -> Result<bool, HubError> {
    let now_ms = hub.now_ms();
    let mut tx = hub.db().write().await?;
    let entry = bind::entry_with_head(&mut *tx, open.device, &open.head).await?;
    let tags = serde_json::to_string(&answers.tags).map_err(|_| HubError::DamagedRow {
        what: "rating tags",
    })?;
    let done = sqlx::query(
        "INSERT INTO rating (parcel_id, device_id, courier_id, head, class, stars, timeliness, \
           attitude, information, tags, comment, lang, rated_at_ms, bound_at_ms, bound_seq) \
         VALUES (?, ?, ?, ?, 'present', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(&open.parcel.as_bytes()[..])
    .bind(&open.device.as_bytes()[..])
    .bind(&open.courier.as_bytes()[..])
    .bind(&open.head[..])
    .bind(i64::from(answers.stars))
    .bind(answers.timeliness.map(i64::from))
    .bind(answers.attitude.map(i64::from))
    .bind(answers.information.map(i64::from))
    .bind(tags)
    .bind(&answers.comment)
    .bind(answers.lang)
    .bind(now_ms)
    .bind(entry.map(|_| now_ms))
    .bind(entry.map(|e| e.seq))
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    witness_in(&mut tx, open, now_ms).await?;
    let item = RatingItem {
        parcel_id: open.parcel,
        stars: answers.stars,
        timeliness: answers.timeliness,
        attitude: answers.attitude,
        information: answers.information,
        tags: answers.tags.clone(),
        comment: answers.comment.clone(),
        rated_at_ms: now_ms,
        bound: entry.is_some(),
    };
    feed::append(&mut tx, open.courier, RatingItem::KIND, &item).await?;
    tx.commit().await?;
    hub.metrics().ratings.add(1);
    tracing::info!(parcel = %open.parcel, pending = entry.is_none(), "rating taken");
    Ok(true)
}
