//! What a customer holds and the courier never does: tracking links, the six-digit rating code, and
//! the browser session they open (security notes §5.4).
//!
//! Links are not stored. Each is what it names plus a tag under a key of its own purpose, so a leaked
//! database opens none, and a link of one kind is nothing as another. The code is derived the same way;
//! it is in no feed, so no courier's phone has ever seen it, and it is no pickup code.

use satchel_protocol::crypto::{self, Secret32};
use satchel_protocol::ids::{Handle, Hash32, ParcelId};
use satchel_protocol::token::{base32, from_base32};
use sqlx::Row;

use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::hub::Hub;

const KEY_DOMAIN: &[u8] = b"satchel-customer/1";
const CODE_DOMAIN: &[u8] = b"rating-code/1";
const SESSION_DOMAIN: &[u8] = b"satchel-customer-session/1\0";
const TAG_BYTES: usize = 16;
/// Wrong codes before a delivery's code is dead: a guess is right once in 200,000.
pub(crate) const CODE_TRIES: i64 = 5;
/// How long a browser is remembered as the recipient's: a parcel's way and its complaint.
pub(crate) const GRANT_TTL_MS: i64 = 30 * 24 * 3_600 * 1_000;

/// What a link opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// The tracking page of a parcel, by its handle.
    Track,
    /// The thanks for one rating, by its number, with the way to complain.
    Rated,
    /// The timeline of a case, by its number.
    Case,
    /// The masked proof of a delivery, by handle and end of validity.
    Proof,
    /// Not a link: what the forms of a parcel's page carry against forged posts.
    Form,
}

impl Link {
    const fn domain(self) -> &'static [u8] {
        match self {
            Self::Track => b"track",
            Self::Rated => b"rated",
            Self::Case => b"case",
            Self::Proof => b"proof",
            Self::Form => b"form",
        }
    }
}

fn key(hub: &Hub) -> Secret32 {
    crypto::derive_key(&hub.keys().rating_master, &[KEY_DOMAIN])
}

fn tag(hub: &Hub, link: Link, payload: &[u8]) -> [u8; TAG_BYTES] {
    let mac = crypto::hmac_sha256(&key(hub), &[link.domain(), b"\0", payload]);
    let mut out = [0; TAG_BYTES];
    for (slot, byte) in out.iter_mut().zip(mac) {
        *slot = byte;
    }
    out
}

/// Writes what a link names, with its tag.
pub(crate) fn seal(hub: &Hub, link: Link, payload: &[u8]) -> String {
    base32(&[payload, &tag(hub, link, payload)].concat())
}

/// What a link of this kind names, if this hub made it.
pub(crate) fn unseal<const N: usize>(hub: &Hub, link: Link, text: &str) -> Option<[u8; N]> {
    let bytes = from_base32(text)?;
    let (payload, given) = bytes.split_first_chunk::<N>()?;
    crypto::equal_ct(given, &tag(hub, link, payload)).then_some(*payload)
}

/// A keyed fingerprint of something a visitor brings: comparable, not reversible without the key file.
pub(crate) fn fingerprint(hub: &Hub, what: &[u8], value: &[u8]) -> [u8; 8] {
    let mac = crypto::hmac_sha256(&key(hub), &[b"print\0", what, b"\0", value]);
    let mut out = [0; 8];
    for (slot, byte) in out.iter_mut().zip(mac) {
        *slot = byte;
    }
    out
}

/// The six digits of a delivery, as printed in the hub's message to the customer.
pub(crate) fn rating_code(hub: &Hub, parcel: ParcelId) -> String {
    let mac = crypto::hmac_sha256(&key(hub), &[CODE_DOMAIN, parcel.as_bytes()]);
    let number = mac
        .iter()
        .take(8)
        .fold(0_u64, |n, b| n << 8 | u64::from(*b));
    format!("{:06}", number % 1_000_000)
}

/// The key under which a recipient's standing wish is kept: his telephone number, keyed and cut.
pub(crate) fn recipient_key(hub: &Hub, phone: &str) -> [u8; 16] {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    tag(
        hub,
        Link::Form,
        &[b"recipient\0", digits.as_bytes()].concat(),
    )
}

/// The path of a parcel's tracking page.
pub(crate) fn track_path(hub: &Hub, handle: Handle) -> String {
    format!("/t/{}", seal(hub, Link::Track, &handle.0))
}

/// A browser's session, known by the hash of its cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Session(pub(crate) Hash32);

impl Session {
    /// The session of a cookie's value.
    pub(crate) fn of(cookie: &str) -> Self {
        Self(crypto::sha256(&[SESSION_DOMAIN, cookie.as_bytes()]))
    }
}

/// The value that the forms of a parcel's page carry, so that a post proves it came from that page.
pub(crate) fn form_key(hub: &Hub, handle: Handle) -> String {
    seal(hub, Link::Form, &handle.0)
}

/// Remembers that this browser showed the customer's share of a parcel.
pub(crate) async fn grant(
    tx: &mut Tx,
    session: Session,
    parcel: ParcelId,
    now_ms: i64,
) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO customer_grant (session_hash, parcel_id, granted_at_ms, expires_at_ms) \
         VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET expires_at_ms = excluded.expires_at_ms",
    )
    .bind(&session.0.0[..])
    .bind(&parcel.as_bytes()[..])
    .bind(now_ms)
    .bind(now_ms.saturating_add(GRANT_TTL_MS))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whether this browser holds the share of this parcel.
pub(crate) async fn holds(
    hub: &Hub,
    session: Option<Session>,
    parcel: ParcelId,
) -> Result<bool, HubError> {
    let Some(session) = session else {
        return Ok(false);
    };
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM customer_grant \
           WHERE session_hash = ? AND parcel_id = ? AND expires_at_ms >= ?)",
    )
    .bind(&session.0.0[..])
    .bind(&parcel.as_bytes()[..])
    .bind(hub.now_ms())
    .fetch_one(hub.db().read())
    .await?)
}

/// What came of a typed code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CodeCheck {
    Right,
    Wrong,
    /// Too many wrong ones; the right one no longer helps.
    Dead,
}

/// Judges a typed code and counts a wrong one, in the caller's transaction: five tries are five tries,
/// however many come at once.
pub(crate) async fn check_code(
    hub: &Hub,
    tx: &mut Tx,
    parcel: ParcelId,
    typed: &str,
) -> Result<CodeCheck, HubError> {
    let wrong = wrong_codes(tx, parcel).await?;
    if wrong >= CODE_TRIES {
        return Ok(CodeCheck::Dead);
    }
    let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
    if crypto::equal_ct(digits.as_bytes(), rating_code(hub, parcel).as_bytes()) {
        return Ok(CodeCheck::Right);
    }
    sqlx::query(
        "INSERT INTO code_tries (parcel_id, wrong, last_at_ms) VALUES (?1, 1, ?2) \
         ON CONFLICT DO UPDATE SET wrong = wrong + 1, last_at_ms = ?2",
    )
    .bind(&parcel.as_bytes()[..])
    .bind(hub.now_ms())
    .execute(&mut **tx)
    .await?;
    Ok(if wrong + 1 >= CODE_TRIES {
        CodeCheck::Dead
    } else {
        CodeCheck::Wrong
    })
}

/// Wrong codes typed for a parcel so far.
pub(crate) async fn wrong_codes(tx: &mut Tx, parcel: ParcelId) -> Result<i64, HubError> {
    let wrong: Option<i64> = sqlx::query_scalar("SELECT wrong FROM code_tries WHERE parcel_id = ?")
        .bind(&parcel.as_bytes()[..])
        .fetch_optional(&mut **tx)
        .await?;
    Ok(wrong.unwrap_or(0))
}

/// What the hub's message to a customer has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerLink {
    /// The waybill number.
    pub waybill: String,
    /// Whom to send it to.
    pub phone: String,
    /// Opens the tracking page; a secret of the customer.
    pub url: String,
    /// Makes a rating count; a secret of the customer, never shown to the courier.
    pub rating_code: String,
}

impl Hub {
    /// The links and codes to send to the customers of all parcels, or of one waybill. Made for the
    /// operator's own message gateway; nothing of it ever goes to a courier's phone.
    ///
    /// # Errors
    /// [`HubError`].
    pub async fn customer_links(
        &self,
        waybill: Option<&str>,
    ) -> Result<Vec<CustomerLink>, HubError> {
        let rows = sqlx::query(
            "SELECT p.parcel_id, p.waybill, p.handle, s.recipient_phone FROM parcel p \
             JOIN stop s USING (stop_id) WHERE ?1 IS NULL OR p.waybill = ?1 ORDER BY p.waybill",
        )
        .bind(waybill)
        .fetch_all(self.db().read())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(CustomerLink {
                    waybill: row.try_get("waybill")?,
                    phone: row.try_get("recipient_phone")?,
                    url: format!(
                        "{}{}",
                        self.public_url(),
                        track_path(self, row.handle("handle")?)
                    ),
                    rating_code: rating_code(self, row.parcel("parcel_id")?),
                })
            })
            .collect()
    }
}
