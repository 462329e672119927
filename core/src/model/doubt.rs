//! What the hub wonders about in this courier's log.

use satchel_protocol::ids::{DoubtId, ParcelId};
use satchel_protocol::taxonomy::{DoubtKind, DoubtVerdict};

/// A question of the hub about one attempt, with everything that was said to it. It takes nothing from the courier by
/// itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoubtView {
    /// Names it in an answer.
    pub id: DoubtId,
    /// What is asked; `None` for a question of a newer hub.
    pub kind: Option<DoubtKind>,
    /// Which parcel's attempt.
    pub parcel: ParcelId,
    /// When the attempt happened, Unix milliseconds.
    pub occurred_at_ms: i64,
    /// When the other thing happened that it is compared with: another attempt, the taking of the photo.
    pub other_at_ms: Option<i64>,
    /// How far apart the two positions are, metres.
    pub apart_m: Option<i64>,
    /// When the hub asked, its own clock, Unix milliseconds.
    pub raised_at_ms: i64,
    /// What this courier answered.
    pub answer: Option<String>,
    /// What a person at the hub made of it.
    pub verdict: Option<DoubtVerdict>,
    /// That person's reason.
    pub why: Option<String>,
}
