//! The recipient's code at the hub: what phones are told of it, and what is kept.
//!
//! A long code goes to the phone as a salted digest, which the phone can judge without a network. Four
//! digits have ten thousand values, so a digest of them is the code itself: those the hub judges, and
//! keeps them under a key that is in no table.

use satchel_protocol::crypto;
use satchel_protocol::feed::CodeItem;
use satchel_protocol::ids::{Hash32, ParcelId};

use crate::db::Tx;
use crate::error::HubError;
use crate::hub::Hub;
use crate::import::RecipientCode;

/// Domain of the digest that phones compare with.
const LONG_DOMAIN: &[u8] = b"satchel-recipient-code/1\0";
/// Characters of a long code in base32.
const LONG_CHARS: u32 = 16;
const SHORT_DOMAIN: &[u8] = b"satchel-short-code/1\0";

/// What is stored of a short code, bound to its parcel so that it opens no other one.
pub(crate) fn short_digest(hub: &Hub, parcel: ParcelId, code: &str) -> [u8; 32] {
    let parts = [SHORT_DOMAIN, &parcel.as_bytes()[..], code.trim().as_bytes()];
    crypto::hmac_sha256(&hub.keys().rating_master, &parts)
}

/// What the phone is told of a code.
pub(crate) fn item(
    hub: &Hub,
    parcel: ParcelId,
    code: &RecipientCode,
) -> Result<CodeItem, HubError> {
    Ok(match code {
        RecipientCode::Short(digits) => CodeItem::Hub {
            digits: u8::try_from(digits.len()).unwrap_or(u8::MAX),
        },
        RecipientCode::Long(bytes) => {
            let salt: [u8; 32] = hub.draw()?;
            let digest = crypto::sha256(&[LONG_DOMAIN, &salt, &parcel.as_bytes()[..], bytes]);
            CodeItem::Phone {
                chars: LONG_CHARS,
                salt: Hash32(salt),
                digest,
                expires_at_ms: None,
            }
        }
    })
}

/// Keeps a short code for the day it is to be judged.
pub(crate) async fn keep(
    hub: &Hub,
    tx: &mut Tx,
    parcel: ParcelId,
    code: &RecipientCode,
) -> Result<(), HubError> {
    if let RecipientCode::Short(digits) = code {
        sqlx::query("UPDATE parcel SET code_digest = ? WHERE parcel_id = ?")
            .bind(&short_digest(hub, parcel, digits)[..])
            .bind(&parcel.as_bytes()[..])
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}
