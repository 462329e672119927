//! What may be recorded now: asked by the app before it writes, stricter than what a fold has to accept.

use super::fold::{Folded, UndoWindow, WhyNot, judge, replay, settle};
use super::table::{ParcelState, Step, parcel_next};
use super::{Correction, Event, EventId, EventKind};

/// Whether a new step may be recorded now. Stricter than [`super::fold`]: a courier whose phone knows of a
/// cancellation cannot deliver, although a delivery recorded without that knowledge counts.
///
/// # Errors
/// [`WhyNot`], typed for the screen.
pub fn check_step(folded: &Folded, kind: EventKind) -> Result<ParcelState, WhyNot> {
    if let EventKind::Failed { reason, action } = kind
        && !reason.allows(action)
    {
        return Err(WhyNot::IllegalPair { reason, action });
    }
    let from = folded.state;
    match kind.step() {
        Some(step) => parcel_next(from, step).ok_or(WhyNot::IllegalStep { from, step }),
        None => Ok(from),
    }
}

/// Whether a correction may be recorded now, with the words that go with it.
///
/// # Errors
/// [`WhyNot`], typed for the screen.
pub fn check_correction(
    start: ParcelState,
    events: &[Event],
    undo: UndoWindow,
    correction: (EventId, Correction),
    words: &str,
    now_ms: i64,
) -> Result<(), WhyNot> {
    let (of, what) = correction;
    if what.requires_words() && words.trim().is_empty() {
        return Err(WhyNot::WordsMissing);
    }
    let (counted, _) = settle(start, events, undo);
    judge(start, &counted, of, what, now_ms, undo)?;
    if what == Correction::Reopen {
        let from = replay(start, &counted).state;
        let step = Step::Reopened;
        parcel_next(from, step).ok_or(WhyNot::IllegalStep { from, step })?;
    }
    Ok(())
}
