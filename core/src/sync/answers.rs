//! Reading answers: what is true goes into the store in one transaction, everything else changes
//! nothing and is tried again.

use satchel_protocol::api::{ErrorBody, ErrorCode};
use satchel_protocol::enrol::{EnrolResponse, SignedCertificate};
use satchel_protocol::feed::{FeedContent, FeedItem, FeedPage};
use satchel_protocol::ids::{CourierId, StopId};
use satchel_protocol::limits::MAX_FEED_PAGE_BYTES;
use satchel_protocol::receipt::{Receipt, SignedReceipt};

use crate::courier::Keys;
use crate::error::{Error, Result};
use crate::rules::geofence;
use crate::store::db::Tx;
use crate::store::{entries, phone, proofs, ratings, stops};

/// The answer is not what was asked for; nothing of it was believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Useless {
    /// HTML of a portal, half a body, an error of a proxy, a receipt of somebody else.
    BadAnswer,
    /// A receipt that this hub did not sign for this phone: counted as an alarm.
    ForgedReceipt,
}

/// Reads an error body; a hub's refusals are JSON, a proxy's are not.
pub(crate) fn error_body(body: &[u8]) -> Option<ErrorBody> {
    serde_json::from_slice(body).ok()
}

/// Whether only a person can lift this refusal.
pub(crate) fn needs_person(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::BadSignature
            | ErrorCode::UnknownDevice
            | ErrorCode::RevokedDevice
            | ErrorCode::LogFork
            | ErrorCode::Quarantined
            | ErrorCode::BadEntry
    )
}

/// Value of a header, whatever its case.
pub(crate) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, v)| v.trim())
}

/// Seconds of `Retry-After`, in milliseconds and bounded to a day.
pub(crate) fn retry_after_ms(headers: &[(String, String)]) -> Option<i64> {
    let seconds: i64 = header(headers, "retry-after")?.parse().ok()?;
    Some(seconds.clamp(0, 86_400) * 1_000)
}

/// What the hub vouches for at enrolment.
pub(crate) struct Enrolled {
    pub(crate) courier: CourierId,
    pub(crate) courier_name: String,
    pub(crate) certificate: Vec<u8>,
}

/// Believes an enrolment only if the hub's certificate names this device and its key.
pub(crate) fn enrolled(body: &[u8], keys: &Keys) -> Result<Enrolled, Useless> {
    let answer: EnrolResponse = serde_json::from_slice(body).map_err(|_| Useless::BadAnswer)?;
    let certificate = data_encoding::HEXLOWER
        .decode(answer.certificate.as_bytes())
        .map_err(|_| Useless::BadAnswer)?;
    let signed =
        SignedCertificate::verify(&certificate, &keys.hub_key).map_err(|_| Useless::BadAnswer)?;
    let mine = signed.device == keys.device
        && signed.log_key.0 == keys.log_key.verifying_key().to_bytes()
        && signed.courier == answer.courier_id;
    if !mine {
        return Err(Useless::BadAnswer);
    }
    Ok(Enrolled {
        courier: signed.courier,
        courier_name: answer.courier_name,
        certificate,
    })
}

/// Reads a receipt and checks that this hub signed it for this phone.
pub(crate) fn receipt(body: &[u8], keys: &Keys) -> Result<Receipt, Useless> {
    SignedReceipt::decode(body)
        .map_err(|_| Useless::BadAnswer)?
        .verify(&keys.hub_key, keys.device)
        .map_err(|_| Useless::ForgedReceipt)
}

/// Marks what the receipt names. A hash this phone does not have changes nothing and is counted.
pub(crate) fn apply_receipt(tx: &Tx<'_>, receipt: &Receipt) -> Result<()> {
    let at_ms = receipt.received_at_ms;
    let mut changed: Vec<StopId> = Vec::new();
    for entry in &receipt.entries {
        match entries::mark_received(tx, entry.seq, entry.hash, at_ms) {
            Ok(stop) => changed.extend(stop),
            Err(Error::NotFound { .. }) => phone::count_receipt_alarm(tx)?,
            Err(other) => return Err(other),
        }
    }
    for blob in &receipt.blobs {
        match proofs::mark_received(tx, *blob, at_ms) {
            Ok(stops) => changed.extend(stops),
            Err(Error::NotFound { .. }) => phone::count_receipt_alarm(tx)?,
            Err(other) => return Err(other),
        }
    }
    changed.sort_unstable();
    changed.dedup();
    for stop in changed {
        stops::touch(tx, stop)?;
    }
    Ok(())
}

/// Reads a feed page within its bound.
pub(crate) fn feed_page(body: &[u8]) -> Result<FeedPage, Useless> {
    if body.len() > MAX_FEED_PAGE_BYTES {
        return Err(Useless::BadAnswer);
    }
    let page: FeedPage = serde_json::from_slice(body).map_err(|_| Useless::BadAnswer)?;
    // The cursor goes back into a URL as it is.
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if page.cursor.len() > 200 || !page.cursor.chars().all(plain) {
        return Err(Useless::BadAnswer);
    }
    Ok(page)
}

/// Applies a page and its cursor together. What this build cannot read is kept, never dropped.
pub(crate) fn apply_feed(tx: &Tx<'_>, page: &FeedPage) -> Result<()> {
    for item in &page.items {
        apply_item(tx, item)?;
    }
    phone::set_feed_cursor(tx, &page.cursor)
}

fn apply_item(tx: &Tx<'_>, item: &FeedItem) -> Result<()> {
    match item.content() {
        Ok(FeedContent::Route(route)) => stops::upsert_route(tx, &route, &item.data.to_string()),
        Ok(FeedContent::Stop(stop)) => {
            // A position that is none would later make a distance of NaN.
            if geofence::is_position(stop.place.lat, stop.place.lng) {
                stops::upsert_stop(tx, &stop, &item.data.to_string())
            } else {
                ratings::keep_item(tx, item)
            }
        }
        Ok(FeedContent::StopRemoved(removed)) => stops::remove_stop(tx, removed.stop_id),
        Ok(FeedContent::Rating(rating)) => {
            if let Some(stop) = ratings::upsert(tx, &rating, &item.data.to_string())? {
                stops::touch(tx, stop)?;
            }
            Ok(())
        }
        Ok(FeedContent::Unknown) | Err(_) => ratings::keep_item(tx, item),
    }
}
