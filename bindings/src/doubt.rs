//! What the hub wonders about, as the app shows it.

use satchel_core::model::doubt::DoubtView;

use crate::doorstep::{Word, word};

/// A question of the hub about one attempt, with everything that was said to it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Doubt {
    /// Names it in `answerDoubt`.
    pub doubt_id: String,
    /// What is asked; `None` for a question of a newer hub.
    pub question: Option<Word>,
    /// Which parcel's attempt.
    pub parcel_id: String,
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
    pub verdict: Option<Word>,
    /// That person's reason.
    pub why: Option<String>,
}

impl From<DoubtView> for Doubt {
    fn from(view: DoubtView) -> Self {
        Self {
            doubt_id: view.id.to_string(),
            question: view.kind.map(|kind| word!(kind)),
            parcel_id: view.parcel.to_string(),
            occurred_at_ms: view.occurred_at_ms,
            other_at_ms: view.other_at_ms,
            apart_m: view.apart_m,
            raised_at_ms: view.raised_at_ms,
            answer: view.answer,
            verdict: view.verdict.map(|verdict| word!(verdict)),
            why: view.why,
        }
    }
}
