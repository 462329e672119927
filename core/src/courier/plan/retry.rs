//! Whether a stop that was tried in vain belongs into today's plan, from what the courier recorded as
//! the next action (A043).

use satchel_protocol::attempt::AttemptBody;
use satchel_protocol::taxonomy::{Action, Outcome};

use crate::error::Result;
use crate::store::db::Snapshot;
use crate::store::entries;
use crate::store::stops::ParcelRow;

/// Nobody comes home in the minute after: the same door is not tried again before this time.
const RETRY_AFTER_MS: i64 = 45 * 60 * 1_000;

/// When a stop is to be visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Again {
    /// At any time.
    Now,
    /// On this tour, but not before this time, Unix milliseconds.
    NotBefore(i64),
    /// Not on this tour.
    NotThisTour,
}

/// The soonest that any open parcel of a stop asks for.
pub(super) fn again(conn: &Snapshot, open: &[ParcelRow]) -> Result<Again> {
    let mut soonest = Again::NotThisTour;
    for parcel in open {
        soonest = soonest.min(parcel_again(conn, parcel)?);
    }
    Ok(soonest)
}

fn parcel_again(conn: &Snapshot, parcel: &ParcelRow) -> Result<Again> {
    let (Some(Outcome::Failed), Some(seq)) = (parcel.outcome, parcel.last_seq) else {
        return Ok(Again::Now);
    };
    let Some((at_ms, body)) = entries::body_at(conn, seq)? else {
        return Ok(Again::Now);
    };
    // A body that cannot be read (erased, or of a newer build) says nothing against trying again.
    let action = AttemptBody::decode(&body).ok().and_then(|body| body.action);
    Ok(match action {
        Some(Action::RetryOnFoot | Action::ManualNumber | Action::OtherProof) => Again::Now,
        Some(
            Action::RetrySameTour
            | Action::ExcusedRetry
            | Action::ContactRecipient
            | Action::ResendCode,
        )
        | None => Again::NotBefore(at_ms.saturating_add(RETRY_AFTER_MS)),
        Some(_) => Again::NotThisTour,
    })
}
