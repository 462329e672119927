//! Ratings: who may give one for which delivery, once, and what it counts for.
//!
//! The token in the QR is all a customer must bring (security notes §5.3). It verifies before anything
//! of the courier's phone has arrived, so a rating may wait for its attempt (`pending`) and is bound to
//! it when the entry with that head comes. Unknown, forged, expired and used tokens take the same
//! steps and give the same answer: the page is no oracle for any of them (§5.4).
//!
//! The QR is drawn on the courier's own phone, so it can never prove that a customer was there. A
//! rating is *verified* only with a share that no courier's phone has ever held ([`crate::shares`]);
//! with the QR alone it is *present*: shown, never paid, and judged by [`honesty`].

pub(crate) mod appeal;
pub(crate) mod bind;
pub(crate) mod desk;
pub(crate) mod honesty;
pub(crate) mod review;
pub(crate) mod submit;

use satchel_protocol::crypto::Secret32;
use satchel_protocol::ids::{CourierId, DeviceId, Handle, Hash32, ParcelId};
use satchel_protocol::token::{self, RatingToken};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::db::RowExt;
use crate::error::HubError;
use crate::hub::Hub;
use crate::shares::{self, Session};

/// How long a token can be used, from when the hub first knew of the delivery: the customer's first
/// scan or the courier's report, whichever came first (§5.4).
const TOKEN_TTL_MS: i64 = 72 * 3_600 * 1_000;

/// How long the holder of the share may change what he said.
const EDIT_WINDOW_MS: i64 = 24 * 3_600 * 1_000;

/// The first word, the verified one that replaces it, and a few changes of mind.
const MAX_REVISIONS: i64 = 5;

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
    /// This browser showed the customer's share.
    pub(crate) holds_share: bool,
    /// What was said before and may still be changed.
    pub(crate) said: Option<Said>,
    device: DeviceId,
    courier: CourierId,
    head: [u8; 16],
    witnessed: bool,
}

/// The word that stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said {
    pub(crate) stars: u8,
    revision: i64,
    verified: bool,
    rated_at_ms: i64,
}

impl Said {
    /// Only the holder of the share may speak again: once over a word that came with the QR alone,
    /// and for a day over his own.
    fn may_change(self, holds_share: bool, now_ms: i64) -> bool {
        holds_share
            && self.revision < MAX_REVISIONS
            && (!self.verified || now_ms <= self.rated_at_ms.saturating_add(EDIT_WINDOW_MS))
    }
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
    /// The six digits, if typed.
    pub(crate) code: Option<String>,
    pub(crate) lang: &'static str,
}

/// Everything about a handle in one look at the database: one row for each device that was given it. As
/// many as [`KEYS_TRIED`], written out: for a bound limit SQLite prepares the statement anew every time.
const LOOKUP: &str = "\
    SELECT p.parcel_id, p.waybill, p.promise_class, p.promised_by_ms, \
      d.device_id, d.courier_id, c.name, d.revoked_at_seq IS NOT NULL AS revoked, \
      (SELECT e.received_at_ms FROM entry e \
         WHERE e.hash BETWEEN ?2 AND ?3 AND e.device_id = d.device_id) AS reported_at_ms, \
      (SELECT min(w.first_seen_at_ms) FROM witness w WHERE w.parcel_id = p.parcel_id) AS seen_at_ms, \
      s.revision, s.class = 'verified' AS verified, s.rated_at_ms, s.stars \
    FROM parcel p JOIN assignment a USING (parcel_id) JOIN device d USING (device_id) \
      JOIN courier c USING (courier_id) \
      LEFT JOIN rating_said s ON s.parcel_id = p.parcel_id AND s.revision = \
        (SELECT max(n.revision) FROM rating_said n WHERE n.parcel_id = p.parcel_id) \
    WHERE p.handle = ?1 ORDER BY a.served_at_ms DESC LIMIT 8";

/// The delivery behind a token's text, if it can be rated by this browser.
pub(crate) async fn open(
    hub: &Hub,
    text: &str,
    session: Option<Session>,
) -> Result<Option<OpenRating>, HubError> {
    let parsed = RatingToken::parse(text);
    let readable = parsed.is_ok();
    let token = parsed.unwrap_or_else(|_| {
        RatingToken::mint(&Secret32::new([0; 32]), Handle([0; 8]), &Hash32::ZERO)
    });
    let [low, high] = bind::hashes_with_head(&token.head);
    let rows = sqlx::query(LOOKUP)
        .bind(&token.handle.0[..])
        .bind(low)
        .bind(high)
        .fetch_all(hub.db().read())
        .await?;
    let Some(row) = minter(hub, &token, &rows)?.filter(|_| readable) else {
        return Ok(None);
    };
    let parcel = row.parcel("parcel_id")?;
    let reported_ms: Option<i64> = row.try_get("reported_at_ms")?;
    let seen_ms: Option<i64> = row.try_get("seen_at_ms")?;
    let known_since_ms = match (seen_ms, reported_ms) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    let now_ms = hub.now_ms();
    let in_time = known_since_ms.is_none_or(|t| now_ms <= t.saturating_add(TOKEN_TTL_MS));
    // A phone that was revoked can rate nothing that it had not reported before.
    let revoked: bool = row.try_get("revoked")?;
    if !in_time || (revoked && reported_ms.is_none()) {
        return Ok(None);
    }
    let holds_share = shares::holds(hub, session, parcel).await?;
    let said = said(row)?;
    if said.is_some_and(|s| !s.may_change(holds_share, now_ms)) {
        return Ok(None);
    }
    Ok(Some(OpenRating {
        parcel,
        waybill: row.try_get("waybill")?,
        courier_name: row.try_get("name")?,
        promise_class: row.try_get("promise_class")?,
        promised_by_ms: row.try_get("promised_by_ms")?,
        holds_share,
        said,
        device: row.device("device_id")?,
        courier: row.courier("courier_id")?,
        head: token.head,
        witnessed: seen_ms.is_some(),
    }))
}

fn said(row: &SqliteRow) -> Result<Option<Said>, HubError> {
    let Some(revision) = row.try_get("revision")? else {
        return Ok(None);
    };
    Ok(Some(Said {
        stars: row.try_get("stars")?,
        revision,
        verified: row.try_get("verified")?,
        rated_at_ms: row.try_get("rated_at_ms")?,
    }))
}

/// The row of the device whose key made the token. Tries the same number of keys whatever there is to
/// find, and goes on after a hit.
fn minter<'r>(
    hub: &Hub,
    token: &RatingToken,
    rows: &'r [SqliteRow],
) -> Result<Option<&'r SqliteRow>, HubError> {
    let mut rows = rows.iter();
    let mut found = None;
    for _ in 0..KEYS_TRIED {
        let row = rows.next();
        let (parcel, device) = match row {
            Some(row) => (row.parcel("parcel_id")?, row.device("device_id")?),
            None => (ParcelId(Uuid::nil()), DeviceId(Uuid::nil())),
        };
        let key = token::rating_key(&hub.keys().rating_master, parcel, device);
        if token.verify(&key) && row.is_some() {
            found = row;
        }
    }
    Ok(found)
}
