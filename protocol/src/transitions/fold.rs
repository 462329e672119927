//! From events to one state: the same for every order of arrival, with nothing dropped.

use std::collections::BTreeMap;

use crate::taxonomy::{Action, Reason};
use thiserror::Error;

use super::table::{ParcelState, Step, parcel_next};
use super::{Correction, Event, EventId, EventKind, Origin};

/// How long a slip of the finger can be taken back (B4-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UndoWindow {
    /// From the event to its undo.
    pub window_ms: i64,
}

impl Default for UndoWindow {
    /// Five minutes: the courier is still near the door; later than that the record says "reopened".
    fn default() -> Self {
        Self {
            window_ms: 5 * 60 * 1_000,
        }
    }
}

/// Why an event has no effect, or may not be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WhyNot {
    /// The table has no such step in this state.
    #[error("{} is not possible while the parcel is {}", .step.code(), .from.code())]
    IllegalStep {
        /// The parcel's state.
        from: ParcelState,
        /// The step.
        step: Step,
    },
    /// The reason does not allow the action (A043).
    #[error("reason {} does not allow action {}", .reason.code(), .action.code())]
    IllegalPair {
        /// The reason.
        reason: Reason,
        /// The action.
        action: Action,
    },
    /// The correction names an event this parcel does not have.
    #[error("there is no such event to correct")]
    UnknownEvent,
    /// The corrected event had no effect, or was taken back already.
    #[error("the event has no effect that could be corrected")]
    NothingToCorrect,
    /// Something else has happened since; only the last step can be taken back.
    #[error("only the last step can be corrected this way")]
    NotTheLastStep,
    /// Later than the undo window; reopening is the honest way then.
    #[error("too late to undo: {after_ms} ms after the event")]
    TooLateToUndo {
        /// Time since the event.
        after_ms: i64,
    },
    /// Only a failure has a reason.
    #[error("the event has no reason to correct")]
    NotAFailure,
    /// The correction must say why.
    #[error("the correction needs words")]
    WordsMissing,
}

/// What an event did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It moved the parcel.
    Moved {
        /// From here.
        from: ParcelState,
        /// To here.
        to: ParcelState,
        /// By this step.
        step: Step,
    },
    /// A correction that holds and does not move the parcel itself.
    Holds,
    /// Taken back by a correction.
    TakenBack {
        /// The correction.
        by: EventId,
    },
    /// Kept in the log, without effect.
    NoEffect(WhyNot),
}

/// An event and what it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// The event.
    pub id: EventId,
    /// What it did.
    pub verdict: Verdict,
}

/// Something a person should see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// The hub cancelled a parcel that had been handed over before: it stays handed over.
    CancelledAfterHandover {
        /// The cancellation.
        cancel: EventId,
    },
    /// A courier who had not heard of the cancellation handed the parcel over: it is handed over.
    HandedOverDespiteCancel {
        /// The handover.
        handover: EventId,
    },
    /// Somebody else says to have handed over the same parcel later: the first one stands.
    SecondHandover {
        /// The one without effect.
        second: EventId,
    },
    /// A phone's clock was set back between two events; they keep the order of its log.
    ClockMovedBack {
        /// The later event with the earlier time.
        event: EventId,
        /// By how much.
        by_ms: i64,
    },
}

/// What an app shows, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded {
    /// Where the parcel is.
    pub state: ParcelState,
    /// Visits that count (C3).
    pub attempts: u16,
    /// The last step that moved the parcel by a courier's hand; what a correction may take back.
    pub last_step: Option<EventId>,
    /// Reason and action of the last failure that counts.
    pub last_failure: Option<(Reason, Action)>,
    /// Every event, in the order in which they count.
    pub effects: Vec<Effect>,
    /// What a person should see.
    pub flags: Vec<Flag>,
}

pub(super) struct Counted {
    event: Event,
    /// Event time, never before an earlier event of the same log.
    at_ms: i64,
    verdict: Option<Verdict>,
}

/// Folds everything that is known about one parcel into its state.
///
/// Events of one recorder keep the order of its log even when its clock was moved back; between
/// recorders the event time decides, and where that is equal, the name of the event. The order in
/// which events arrived and repeats of one event make no difference.
#[must_use]
pub fn fold(start: ParcelState, events: &[Event], undo: UndoWindow) -> Folded {
    let (counted, mut flags) = settle(start, events, undo);
    let run = replay(start, &counted);
    flags.extend(run.flags);
    Folded {
        state: run.state,
        attempts: run.attempts,
        last_step: run.last_step,
        last_failure: run.last_failure,
        effects: run.effects,
        flags,
    }
}

/// Puts events in order and lets every correction that holds do its work on the one it corrects.
pub(super) fn settle(
    start: ParcelState,
    events: &[Event],
    undo: UndoWindow,
) -> (Vec<Counted>, Vec<Flag>) {
    let (mut counted, flags) = in_order(events);
    for at in 0..counted.len() {
        let (before, rest) = counted.split_at_mut(at);
        let Some(current) = rest.first_mut() else {
            break;
        };
        let EventKind::Corrected { of, correction } = current.event.kind else {
            continue;
        };
        match judge(start, before, of, correction, current.at_ms, undo) {
            Err(why) => current.verdict = Some(Verdict::NoEffect(why)),
            Ok(()) if correction == Correction::Reopen => {}
            Ok(()) => {
                current.verdict = Some(Verdict::Holds);
                let by = current.event.id;
                if let Some(target) = before.iter_mut().find(|c| c.event.id == of) {
                    apply_correction(target, correction, by);
                }
            }
        }
    }
    (counted, flags)
}

fn apply_correction(target: &mut Counted, correction: Correction, by: EventId) {
    match correction {
        Correction::Undo | Correction::WrongParcel { .. } => {
            target.verdict = Some(Verdict::TakenBack { by });
        }
        Correction::WrongReason { reason, action } => {
            target.event.kind = EventKind::Failed { reason, action };
        }
        Correction::LateProof | Correction::Reopen => {}
    }
}

/// Sorts and dedupes; a recorder's own order is never broken by its clock.
fn in_order(events: &[Event]) -> (Vec<Counted>, Vec<Flag>) {
    let by_id: BTreeMap<EventId, Event> = events.iter().rev().map(|e| (e.id, *e)).collect();
    let mut flags = Vec::new();
    let mut latest: Option<(Origin, i64)> = None;
    let mut counted: Vec<Counted> = Vec::with_capacity(by_id.len());
    for (id, event) in by_id {
        let floor = match latest {
            Some((origin, at_ms)) if origin == id.origin => at_ms,
            _ => i64::MIN,
        };
        if event.at_ms < floor {
            flags.push(Flag::ClockMovedBack {
                event: id,
                by_ms: floor.saturating_sub(event.at_ms),
            });
        }
        let at_ms = event.at_ms.max(floor);
        latest = Some((id.origin, at_ms));
        counted.push(Counted {
            event,
            at_ms,
            verdict: None,
        });
    }
    counted.sort_by_key(|c| (c.at_ms, c.event.id));
    (counted, flags)
}

/// Whether a correction holds, given everything before it.
pub(super) fn judge(
    start: ParcelState,
    before: &[Counted],
    of: EventId,
    correction: Correction,
    at_ms: i64,
    undo: UndoWindow,
) -> Result<(), WhyNot> {
    let target = before
        .iter()
        .find(|c| c.event.id == of)
        .ok_or(WhyNot::UnknownEvent)?;
    let run = replay(start, before);
    let moved = run
        .effects
        .iter()
        .any(|e| e.id == of && matches!(e.verdict, Verdict::Moved { .. }));
    if !moved {
        return Err(WhyNot::NothingToCorrect);
    }
    let is_last = run.last_step == Some(of);
    match correction {
        Correction::LateProof => Ok(()),
        Correction::Undo => {
            let after_ms = at_ms.saturating_sub(target.at_ms);
            if !is_last {
                Err(WhyNot::NotTheLastStep)
            } else if after_ms > undo.window_ms {
                Err(WhyNot::TooLateToUndo { after_ms })
            } else {
                Ok(())
            }
        }
        // A cancellation is the hub's step, and the hub may take it back.
        Correction::Reopen if run.last_moved == Some(of) => Ok(()),
        Correction::WrongParcel { .. } | Correction::Reopen => {
            if is_last {
                Ok(())
            } else {
                Err(WhyNot::NotTheLastStep)
            }
        }
        Correction::WrongReason { reason, action } => {
            if !matches!(target.event.kind, EventKind::Failed { .. }) {
                Err(WhyNot::NotAFailure)
            } else if !reason.allows(action) {
                Err(WhyNot::IllegalPair { reason, action })
            } else if !is_last {
                Err(WhyNot::NotTheLastStep)
            } else {
                Ok(())
            }
        }
    }
}

pub(super) struct Run {
    pub(super) state: ParcelState,
    attempts: u16,
    last_step: Option<EventId>,
    last_moved: Option<EventId>,
    last_failure: Option<(Reason, Action)>,
    effects: Vec<Effect>,
    flags: Vec<Flag>,
}

/// Walks the table through events in order, skipping what was taken back or never held.
pub(super) fn replay(start: ParcelState, counted: &[Counted]) -> Run {
    let mut run = Run {
        state: start,
        attempts: 0,
        last_step: None,
        last_moved: None,
        last_failure: None,
        effects: Vec::with_capacity(counted.len()),
        flags: Vec::new(),
    };
    for c in counted {
        let verdict = c.verdict.unwrap_or_else(|| take(&mut run, &c.event));
        run.effects.push(Effect {
            id: c.event.id,
            verdict,
        });
    }
    run
}

fn take(run: &mut Run, event: &Event) -> Verdict {
    let Some(step) = event.kind.step() else {
        return Verdict::Holds;
    };
    if let EventKind::Failed { reason, action } = event.kind
        && !reason.allows(action)
    {
        return Verdict::NoEffect(WhyNot::IllegalPair { reason, action });
    }
    let from = run.state;
    let to = match parcel_next(from, step) {
        Some(to) => to,
        // The parcel is in somebody's hands: that is a fact, whatever the order on paper said.
        None if from == ParcelState::Cancelled && step.is_handover() => {
            match parcel_next(ParcelState::OnVehicle, step) {
                Some(to) => {
                    run.flags
                        .push(Flag::HandedOverDespiteCancel { handover: event.id });
                    to
                }
                None => return Verdict::NoEffect(WhyNot::IllegalStep { from, step }),
            }
        }
        None => {
            run.flags.extend(conflict(from, step, event.id));
            return Verdict::NoEffect(WhyNot::IllegalStep { from, step });
        }
    };
    run.state = to;
    run.last_moved = Some(event.id);
    if step.is_attempt() {
        run.attempts = run.attempts.saturating_add(1);
    }
    if let EventKind::Failed { reason, action } = event.kind {
        run.last_failure = Some((reason, action));
    }
    if matches!(event.id.origin, Origin::Phone(_)) {
        run.last_step = Some(event.id);
    }
    Verdict::Moved { from, to, step }
}

fn conflict(from: ParcelState, step: Step, id: EventId) -> Option<Flag> {
    let handed_over = matches!(
        from,
        ParcelState::Delivered | ParcelState::PartlyDelivered | ParcelState::AtPickupPoint
    );
    match step {
        Step::Cancelled if handed_over => Some(Flag::CancelledAfterHandover { cancel: id }),
        _ if step.is_handover() && handed_over => Some(Flag::SecondHandover { second: id }),
        _ => None,
    }
}
