//! The tables and the fold, by example and by chance.

use crate::ids::{DeviceId, ParcelId};
use crate::taxonomy::{Action, HandoffKind, Reason};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const NOON: i64 = 1_800_000_000_000;
const MINUTE: i64 = 60_000;

fn phone(n: u128) -> Origin {
    Origin::Phone(DeviceId(Uuid::from_u128(n)))
}

fn event(origin: Origin, seq: i64, minute: i64, kind: EventKind) -> Event {
    Event {
        id: EventId { origin, seq },
        at_ms: NOON + minute * MINUTE,
        kind,
    }
}

fn folded(events: &[Event]) -> Folded {
    fold(ParcelState::OnRound, events, UndoWindow::default())
}

const TO_HAND: EventKind = EventKind::Delivered {
    handoff: HandoffKind::Recipient,
};
const ABSENT: EventKind = EventKind::Failed {
    reason: Reason::RecipientAbsent,
    action: Action::SecondDelivery,
};

fn undo(of: &Event) -> EventKind {
    EventKind::Corrected {
        of: of.id,
        correction: Correction::Undo,
    }
}

#[test]
fn every_state_has_one_row_and_every_row_has_each_step_once() {
    assert_eq!(PARCEL_TABLE.len(), ParcelState::ALL.len());
    for (at, (state, row)) in PARCEL_TABLE.iter().enumerate() {
        assert_eq!(PARCEL_TABLE.iter().position(|(s, _)| s == state), Some(at));
        for (n, (step, _)) in row.iter().enumerate() {
            assert_eq!(row.iter().position(|(s, _)| s == step), Some(n));
        }
    }
    for step in Step::ALL {
        assert!(
            PARCEL_TABLE
                .iter()
                .any(|(_, row)| row.iter().any(|(s, _)| s == step)),
            "{step:?} is never possible"
        );
    }
}

#[test]
fn from_every_state_a_parcel_can_still_come_to_an_end() {
    for (start, _) in PARCEL_TABLE {
        let mut reached = vec![*start];
        while let Some(next) = PARCEL_TABLE
            .iter()
            .filter(|(from, _)| reached.contains(from))
            .flat_map(|(_, row)| row.iter().map(|(_, to)| *to))
            .find(|to| !reached.contains(to))
        {
            reached.push(next);
        }
        assert!(reached.contains(&ParcelState::Delivered), "{start:?}");
        assert!(reached.contains(&ParcelState::Returned), "{start:?}");
    }
}

#[test]
fn every_legal_pair_of_reason_and_action_leads_somewhere_from_the_vehicle() {
    for reason in Reason::ALL {
        let from = if *reason == Reason::StationOverdue {
            ParcelState::AtPickupPoint
        } else {
            ParcelState::OnVehicle
        };
        for action in reason.legal_actions() {
            let step = step_after_failure(*reason, *action);
            assert!(parcel_next(from, step).is_some(), "{reason} {action}");
        }
    }
}

#[test]
fn a_second_attempt_is_the_same_parcel_with_attempt_two() {
    let a = event(phone(1), 1, 0, ABSENT);
    let b = event(phone(1), 2, 300, TO_HAND);
    let first = folded(&[a]);
    assert_eq!(
        (first.state, first.attempts),
        (ParcelState::AwaitingNextAttempt, 1)
    );
    assert_eq!(
        first.last_failure,
        Some((Reason::RecipientAbsent, Action::SecondDelivery))
    );
    let second = folded(&[a, b]);
    assert_eq!((second.state, second.attempts), (ParcelState::Delivered, 2));
}

#[test]
fn nothing_is_delivered_before_it_was_collected() {
    let start = fold(ParcelState::ToCollect, &[], UndoWindow::default());
    assert_eq!(
        check_step(&start, TO_HAND),
        Err(WhyNot::IllegalStep {
            from: ParcelState::ToCollect,
            step: Step::Delivered
        })
    );
    assert_eq!(
        check_step(&start, EventKind::Collected),
        Ok(ParcelState::OnVehicle)
    );
}

#[test]
fn a_cancellation_that_comes_after_an_offline_delivery_changes_nothing_but_is_shown() {
    let delivered = event(phone(1), 9, 10, TO_HAND);
    let cancel = event(Origin::Hub, 4, 20, EventKind::Cancelled);
    let f = folded(&[cancel, delivered]);
    assert_eq!(f.state, ParcelState::Delivered);
    assert_eq!(
        f.flags,
        vec![Flag::CancelledAfterHandover { cancel: cancel.id }]
    );
    assert_eq!(f.effects.len(), 2);
}

#[test]
fn a_delivery_that_knew_nothing_of_the_cancellation_counts_but_cannot_be_recorded_knowingly() {
    let cancel = event(Origin::Hub, 4, 5, EventKind::Cancelled);
    let delivered = event(phone(1), 9, 10, TO_HAND);
    let f = folded(&[delivered, cancel]);
    assert_eq!(f.state, ParcelState::Delivered);
    assert_eq!(
        f.flags,
        vec![Flag::HandedOverDespiteCancel {
            handover: delivered.id
        }]
    );
    assert!(check_step(&folded(&[cancel]), TO_HAND).is_err());
}

#[test]
fn two_phones_that_both_say_delivered_leave_one_delivery_and_one_flag() {
    let early = event(phone(2), 1, 3, TO_HAND);
    let late = event(phone(1), 1, 4, TO_HAND);
    let f = folded(&[late, early]);
    assert_eq!((f.state, f.attempts), (ParcelState::Delivered, 1));
    assert_eq!(f.flags, vec![Flag::SecondHandover { second: late.id }]);
}

#[test]
fn an_undo_within_the_window_makes_the_delivery_never_have_counted() {
    let delivered = event(phone(1), 1, 0, TO_HAND);
    let back = event(phone(1), 2, 4, undo(&delivered));
    let f = folded(&[delivered, back]);
    assert_eq!((f.state, f.attempts), (ParcelState::OnRound, 0));
    assert_eq!(f.effects[0].verdict, Verdict::TakenBack { by: back.id });
    let late = event(phone(1), 2, 6, undo(&delivered));
    let f = folded(&[delivered, late]);
    assert_eq!(f.state, ParcelState::Delivered);
    assert_eq!(
        f.effects[1].verdict,
        Verdict::NoEffect(WhyNot::TooLateToUndo {
            after_ms: 6 * MINUTE
        })
    );
}

#[test]
fn an_undo_brings_a_cancellation_to_light_that_the_delivery_had_hidden() {
    let delivered = event(phone(1), 1, 0, TO_HAND);
    let cancel = event(Origin::Hub, 1, 1, EventKind::Cancelled);
    let back = event(phone(1), 2, 2, undo(&delivered));
    assert_eq!(
        folded(&[delivered, cancel, back]).state,
        ParcelState::Cancelled
    );
}

#[test]
fn reopening_keeps_the_visit_and_opens_the_parcel() {
    let delivered = event(phone(1), 1, 0, TO_HAND);
    let reopen = event(
        phone(1),
        2,
        90,
        EventKind::Corrected {
            of: delivered.id,
            correction: Correction::Reopen,
        },
    );
    let f = folded(&[delivered, reopen]);
    assert_eq!((f.state, f.attempts), (ParcelState::AwaitingNextAttempt, 1));
}

#[test]
fn a_hub_can_take_its_cancellation_back() {
    let loaded = event(phone(1), 1, 0, EventKind::Loaded);
    let cancel = event(Origin::Hub, 1, 5, EventKind::Cancelled);
    let kind = EventKind::Corrected {
        of: cancel.id,
        correction: Correction::Reopen,
    };
    let f = folded(&[loaded, cancel, event(Origin::Hub, 2, 9, kind)]);
    assert_eq!(f.state, ParcelState::AwaitingNextAttempt);
}

#[test]
fn a_wrong_reason_is_replaced_by_a_legal_one_only() {
    let failed = event(phone(1), 1, 0, ABSENT);
    let correct = |reason, action| {
        let kind = EventKind::Corrected {
            of: failed.id,
            correction: Correction::WrongReason { reason, action },
        };
        folded(&[failed, event(phone(1), 2, 200, kind)])
    };
    let refused = correct(Reason::Refused, Action::ReturnToSender);
    assert_eq!(refused.state, ParcelState::Returning);
    assert_eq!(
        refused.last_failure,
        Some((Reason::Refused, Action::ReturnToSender))
    );
    let nonsense = correct(Reason::Weather, Action::ReturnToSender);
    assert_eq!(nonsense.state, ParcelState::AwaitingNextAttempt);
}

#[test]
fn a_wrong_parcel_loses_the_delivery_and_a_late_proof_changes_nothing() {
    let delivered = event(phone(1), 1, 0, TO_HAND);
    let meant = ParcelId(Uuid::from_u128(7));
    let correct = |correction| {
        let kind = EventKind::Corrected {
            of: delivered.id,
            correction,
        };
        folded(&[delivered, event(phone(1), 2, 200, kind)]).state
    };
    assert_eq!(
        correct(Correction::WrongParcel { meant }),
        ParcelState::OnRound
    );
    assert_eq!(correct(Correction::LateProof), ParcelState::Delivered);
}

#[test]
fn corrections_need_words_a_known_event_and_the_last_step() {
    let first = event(phone(1), 1, 0, ABSENT);
    let second = event(phone(1), 2, 10, TO_HAND);
    let events = [first, second];
    let check = |of, what, words| {
        check_correction(
            ParcelState::OnRound,
            &events,
            UndoWindow::default(),
            (of, what),
            words,
            NOON + 12 * MINUTE,
        )
    };
    assert_eq!(
        check(second.id, Correction::Reopen, "  "),
        Err(WhyNot::WordsMissing)
    );
    assert_eq!(check(second.id, Correction::Reopen, "wrong door"), Ok(()));
    assert_eq!(check(second.id, Correction::Undo, ""), Ok(()));
    assert_eq!(
        check(first.id, Correction::Undo, ""),
        Err(WhyNot::NotTheLastStep)
    );
    let stranger = EventId {
        origin: Origin::Hub,
        seq: 99,
    };
    assert_eq!(
        check(stranger, Correction::LateProof, "photo found"),
        Err(WhyNot::UnknownEvent)
    );
    let undone = [first, second, event(phone(1), 3, 11, undo(&second))];
    assert_eq!(
        check_correction(
            ParcelState::OnRound,
            &undone,
            UndoWindow::default(),
            (second.id, Correction::Undo),
            "",
            NOON + 12 * MINUTE,
        ),
        Err(WhyNot::NothingToCorrect)
    );
}

#[test]
fn a_clock_that_was_set_back_does_not_turn_the_log_around() {
    let failed = event(phone(1), 1, 60, ABSENT);
    let delivered = event(phone(1), 2, 0, TO_HAND);
    let f = folded(&[delivered, failed]);
    assert_eq!((f.state, f.attempts), (ParcelState::Delivered, 2));
    assert_eq!(
        f.flags,
        vec![Flag::ClockMovedBack {
            event: delivered.id,
            by_ms: 60 * MINUTE
        }]
    );
}

#[test]
fn a_locker_is_not_the_end_until_the_recipient_has_it() {
    let left = event(
        phone(1),
        1,
        0,
        EventKind::Delivered {
            handoff: HandoffKind::Locker,
        },
    );
    assert_eq!(folded(&[left]).state, ParcelState::AtPickupPoint);
    let taken = event(Origin::Hub, 1, 5, EventKind::CollectedByRecipient);
    assert_eq!(folded(&[left, taken]).state, ParcelState::Delivered);
    let to_the_door = event(Origin::Hub, 1, 5, EventKind::RedeliveryDemanded);
    assert_eq!(
        folded(&[left, to_the_door]).state,
        ParcelState::AwaitingNextAttempt
    );
}

#[test]
fn a_visit_completes_once_and_is_undone_once() {
    use AttemptState as S;
    use AttemptStep as P;
    assert_eq!(attempt_next(S::WithProof, P::Completed), Some(S::Completed));
    assert_eq!(attempt_next(S::Completed, P::Completed), None);
    assert_eq!(attempt_next(S::Corrected, P::Undone), Some(S::Withdrawn));
    assert_eq!(attempt_next(S::Withdrawn, P::Undone), None);
    assert_eq!(attempt_next(S::Expired, P::Completed), None);
}

#[test]
fn the_diagram_draws_every_row_of_the_table() {
    let drawn = parcel_diagram();
    for (from, row) in PARCEL_TABLE {
        for (step, to) in *row {
            let arrow = format!("{} --> {}: ", from.code(), to.code());
            assert!(
                drawn
                    .lines()
                    .any(|l| l.contains(&arrow) && l.contains(step.code())),
                "{arrow}{}",
                step.code()
            );
        }
    }
    assert_eq!(attempt_diagram().lines().count(), ATTEMPT_TABLE.len() + 2);
}

fn any_kind(max_seq: i64) -> impl Strategy<Value = EventKind> {
    let target = (1u128..=2, 1..=max_seq, any::<bool>()).prop_map(|(n, seq, hub)| EventId {
        origin: if hub { Origin::Hub } else { phone(n) },
        seq,
    });
    let failed = (0..Reason::ALL.len(), 0usize..10).prop_map(|(r, a)| {
        let reason = Reason::ALL[r];
        let actions = reason.legal_actions();
        EventKind::Failed {
            reason,
            action: actions[a % actions.len()],
        }
    });
    let correction = prop_oneof![
        Just(Correction::Undo),
        Just(Correction::Reopen),
        Just(Correction::LateProof),
        Just(Correction::WrongParcel {
            meant: ParcelId(Uuid::from_u128(5))
        }),
        Just(Correction::WrongReason {
            reason: Reason::Refused,
            action: Action::ReturnToSender
        }),
    ];
    prop_oneof![
        Just(EventKind::Collected),
        Just(EventKind::Loaded),
        (0..HandoffKind::ALL.len()).prop_map(|h| EventKind::Delivered {
            handoff: HandoffKind::ALL[h]
        }),
        Just(EventKind::PartlyDelivered),
        failed,
        Just(EventKind::Rescheduled),
        Just(EventKind::Cancelled),
        Just(EventKind::HandedBack),
        Just(EventKind::ReturnedToSender),
        Just(EventKind::CollectedByRecipient),
        Just(EventKind::RedeliveryDemanded),
        (target, correction).prop_map(|(of, correction)| EventKind::Corrected { of, correction }),
    ]
}

/// Events of a hub and two phones, numbered per recorder, with clocks that jump about.
fn any_events() -> impl Strategy<Value = Vec<Event>> {
    proptest::collection::vec((0u128..3, 0i64..120, any_kind(8)), 0..16).prop_map(|raw| {
        let mut next = [0i64; 3];
        raw.into_iter()
            .map(|(who, minute, kind)| {
                let slot = &mut next[usize::try_from(who).unwrap()];
                *slot += 1;
                let origin = if who == 0 { Origin::Hub } else { phone(who) };
                event(origin, *slot, minute, kind)
            })
            .collect()
    })
}

proptest! {
    /// One state, however the events arrived and however often; and every event is accounted for.
    #[test]
    fn the_fold_knows_no_order_of_arrival(
        events in any_events(), start in 0..ParcelState::ALL.len(), seed in any::<u64>()
    ) {
        let start = ParcelState::ALL[start];
        let whole = fold(start, &events, UndoWindow::default());
        let mut shuffled = events.clone();
        let mut state = seed | 1;
        for i in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(i, usize::try_from(state >> 33).unwrap() % (i + 1));
        }
        if let Some(again) = events.first() {
            shuffled.push(*again);
        }
        prop_assert_eq!(&fold(start, &shuffled, UndoWindow::default()), &whole);
        prop_assert_eq!(whole.effects.len(), events.len());
    }

    /// The moves form one chain from the start to the state, each a row of the table, and between two
    /// handovers somebody opened the parcel again: nothing is delivered twice.
    #[test]
    fn the_moves_form_one_chain_and_nothing_is_delivered_twice(events in any_events()) {
        let f = folded(&events);
        let mut at = ParcelState::OnRound;
        let mut in_their_hands = false;
        let mut attempts = 0u16;
        for effect in &f.effects {
            if let Verdict::Moved { from, to, step } = effect.verdict {
                prop_assert_eq!(from, at);
                let overruled = from == ParcelState::Cancelled && step.is_handover();
                prop_assert!(overruled || parcel_next(from, step) == Some(to));
                if step.is_handover() {
                    prop_assert!(!in_their_hands);
                    in_their_hands = true;
                } else if matches!(step, Step::Reopened | Step::RedeliveryDemanded | Step::FailedReturn) {
                    in_their_hands = false;
                }
                attempts += u16::from(step.is_attempt());
                at = to;
            }
        }
        prop_assert_eq!(at, f.state);
        prop_assert_eq!(attempts, f.attempts);
    }

    /// Whatever came before: a step and its undo leave the parcel as it was.
    #[test]
    fn an_undo_restores(
        events in any_events(), kinds in proptest::collection::vec(any_kind(1), 24)
    ) {
        let before = folded(&events);
        // Drawing until one is possible would throw most draws away.
        let possible = |kind: &EventKind| {
            kind.step().is_some_and(|s| s != Step::Reopened) && check_step(&before, *kind).is_ok()
        };
        let Some(kind) = kinds.into_iter().find(possible) else {
            return Ok(());
        };
        let newest = event(phone(1), 1_000, 200, kind);
        let back = event(phone(1), 1_001, 203, undo(&newest));
        let mut after = events.clone();
        after.push(newest);
        prop_assert_eq!(folded(&after).last_step, Some(newest.id));
        after.push(back);
        let f = folded(&after);
        prop_assert_eq!(f.state, before.state);
        prop_assert_eq!(f.attempts, before.attempts);
        prop_assert_eq!(f.last_failure, before.last_failure);
    }

    /// What the gate lets through takes effect; what it refuses would not have by the table.
    #[test]
    fn the_gate_and_the_fold_agree(events in any_events(), kind in any_kind(1)) {
        prop_assume!(kind.step().is_some_and(|s| s != Step::Reopened));
        let before = folded(&events);
        let mut after = events.clone();
        let newest = event(phone(1), 1_000, 200, kind);
        after.push(newest);
        let f = folded(&after);
        let verdict = f.effects.iter().find(|e| e.id == newest.id).unwrap().verdict;
        let despite_cancel = f.flags.iter().any(|flag| matches!(flag,
            Flag::HandedOverDespiteCancel { handover } if *handover == newest.id));
        match check_step(&before, kind) {
            Ok(expected) => {
                let moved = matches!(verdict, Verdict::Moved { to, .. } if to == expected);
                prop_assert!(moved);
            }
            Err(_) => prop_assert!(despite_cancel || matches!(verdict, Verdict::NoEffect(_))),
        }
    }
}

#[test]
fn the_name_of_an_event_reads_back_and_a_strange_text_is_none() {
    for origin in [Origin::Hub, phone(9)] {
        let id = EventId { origin, seq: 41 };
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    for bad in ["", "hub", "hub:", "hub:x", "7", "phone:7", ":7"] {
        assert_eq!(bad.parse::<EventId>(), Err(NotAnEventId), "{bad}");
    }
}
