//! A courier's word against a rating, from his phone's log: nobody is judged unheard.
//!
//! It is an entry like any other: signed, chained and receipted, so it can be given offline and cannot
//! be lost. The hub files it beside the rating, where the board shows both.

use satchel_protocol::appeal::AppealBody;

use crate::db::Tx;
use crate::error::HubError;
use crate::store::entries::CheckedEntry;

/// Files an appeal entry. Anything else, and a body this build cannot read, is left to the log.
pub(crate) async fn file(tx: &mut Tx, new: &CheckedEntry, now_ms: i64) -> Result<(), HubError> {
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
    sqlx::query(
        "INSERT INTO rating_appeal (device_id, seq, parcel_id, words, received_at_ms) \
         VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(&new.header.device.as_bytes()[..])
    .bind(new.header.seq)
    .bind(&appeal.parcel.as_bytes()[..])
    .bind(appeal.words)
    .bind(now_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
