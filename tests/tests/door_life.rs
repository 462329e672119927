//! Any courier, any order: random days of handovers, failures, corrections, news from the hub, withdrawn
//! consents and restarts, held to what must always be true.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use satchel_core::model::attempt::{Completion, ParcelOutcome, ParcelResult};
use satchel_core::model::history::{CorrectionInput, HistoryLine};
use satchel_core::{Error, Refusal};
use satchel_protocol::attempt::{AttemptBody, LeftAt};
use satchel_protocol::doorstep::{
    ConsentRecord, ConsentWithdrawnBody, CorrectionBody, ParcelStepBody,
};
use satchel_protocol::entry::EntryKind;
use satchel_protocol::feed::ParcelEventItem;
use satchel_protocol::ids::{DeviceId, ParcelId};
use satchel_protocol::taxonomy::{Action, HandoffKind, Outcome, Reason, Relation};
use satchel_protocol::transitions::{
    Correction, Event, EventId, EventKind, Origin, ParcelState, UndoWindow, Verdict, fold,
};
use satchel_tests::day::{Day, MORNING_MS, consent};
use satchel_tests::phone::{SyncEnd, nobody_there};
use satchel_tests::work::Work;

const PARCELS: usize = 3;
const CONSENT_ENDS_MS: i64 = MORNING_MS + 20 * 60_000;

#[derive(Debug, Clone)]
enum Act {
    Visit {
        handoff: usize,
        parcels: u8,
        fail: u8,
    },
    Correct {
        parcel: usize,
        what: u8,
    },
    Reschedule {
        parcel: usize,
    },
    HandBack {
        parcel: usize,
    },
    Told {
        parcel: usize,
        what: u8,
    },
    Withdraw,
    Wait {
        minutes: u8,
    },
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    let parcel = 0..PARCELS;
    prop_oneof![
        6 => (0..HandoffKind::ALL.len(), 1u8..8, any::<u8>())
            .prop_map(|(handoff, parcels, fail)| Act::Visit { handoff, parcels, fail }),
        3 => (0..PARCELS, any::<u8>()).prop_map(|(parcel, what)| Act::Correct { parcel, what }),
        1 => parcel.clone().prop_map(|parcel| Act::Reschedule { parcel }),
        1 => parcel.prop_map(|parcel| Act::HandBack { parcel }),
        2 => (0..PARCELS, any::<u8>()).prop_map(|(parcel, what)| Act::Told { parcel, what }),
        1 => Just(Act::Withdraw),
        2 => (1u8..15).prop_map(|minutes| Act::Wait { minutes }),
        1 => Just(Act::Restart),
    ]
}

/// What the test knows beside the phone.
struct Life {
    work: Work,
    /// What the hub told, by parcel.
    told: Vec<(ParcelId, Event)>,
}

impl Life {
    fn new() -> Self {
        let day = Day::new(1).stop_with(PARCELS, |s| {
            for (n, parcel) in s.parcels.iter_mut().enumerate() {
                let scope = [HandoffKind::Locker, HandoffKind::Neighbour];
                parcel.consents = vec![ConsentRecord {
                    consent_id: format!("c-{n}"),
                    ..consent(&scope, &[parcel.parcel_id], Some(CONSENT_ENDS_MS))
                }];
            }
        });
        Self {
            work: Work::on(day),
            told: Vec::new(),
        }
    }

    fn now_ms(&self) -> i64 {
        use satchel_core::clock::Clock as _;
        self.work.phone.clock.wall_ms()
    }

    fn parcel(&self, n: usize) -> ParcelId {
        self.work.day.parcel_id(0, n)
    }

    fn states(&self) -> Vec<ParcelState> {
        let view = self.work.phone.stop(self.work.day.stop_id(0));
        view.parcels.iter().map(|p| p.state).collect()
    }

    fn visit(&self, handoff: HandoffKind, parcels: u8, fail: u8) -> Result<(), Error> {
        let core = self.work.phone.core();
        let stop = self.work.day.stop_id(0);
        let draft = core.begin_attempt(stop, handoff)?;
        if draft.photos.is_empty() {
            self.work.photo(draft.attempt_id, u64::from(parcels));
        }
        let failed = |n: usize| match fail >> n & 3 {
            0 => nobody_there(),
            1 => ParcelOutcome::Failed {
                reason: Reason::Refused,
                action: Action::ReturnToSender,
            },
            _ => ParcelOutcome::Delivered,
        };
        let full = self.work.phone.delivered(stop, 1);
        let input = Completion {
            handoff,
            parcels: full
                .parcels
                .iter()
                .enumerate()
                .filter(|(n, _)| parcels >> n & 1 == 1)
                .map(|(n, p)| ParcelResult {
                    outcome: failed(n),
                    ..p.clone()
                })
                .collect(),
            signer_name: Some("李四".into()),
            relation: Some(Relation::Neighbour),
            left_at: Some(LeftAt {
                place: Some("L-1".into()),
                slot: Some("2".into()),
                receipt: Some("R".into()),
            }),
            ..full
        };
        core.complete_attempt(draft.attempt_id, &input).map(|_| ())
    }

    fn correct(&self, n: usize, what: u8) -> Result<(), Error> {
        let correction = match what % 4 {
            0 => Correction::Reopen,
            1 => Correction::WrongParcel {
                meant: self.parcel((n + 1) % PARCELS),
            },
            2 => Correction::WrongReason {
                reason: Reason::BusinessClosed,
                action: Action::NewWindow,
            },
            _ => Correction::Undo,
        };
        let core = self.work.phone.core();
        let parcel = self.parcel(n);
        let before = core.history(parcel).unwrap();
        let input = CorrectionInput {
            parcel,
            of: None,
            correction,
            words: Some("记错了".into()),
            draft: None,
        };
        let done = core.correct(&input)?;
        let lines = core.history(parcel).unwrap();
        assert_eq!(lines.len(), before.len() + 1, "nothing is dropped");
        if correction == Correction::Undo {
            let undone = lines
                .iter()
                .find(|l| matches!(l.verdict, Verdict::TakenBack { by } if by == done.event))
                .unwrap()
                .event
                .id;
            let from = before.iter().find_map(|l| match l.verdict {
                Verdict::Moved { from, .. } if l.event.id == undone => Some(from),
                _ => None,
            });
            // Something another phone recorded may count again once this step does not.
            let verdict_of = |lines: &[HistoryLine], id| {
                let line = lines.iter().find(|l| l.event.id == id);
                line.map(|l| l.verdict)
            };
            let others_stay = before
                .iter()
                .all(|l| l.event.id == undone || verdict_of(&lines, l.event.id) == Some(l.verdict));
            if others_stay {
                assert_eq!(Some(self.states()[n]), from, "undo restores");
            }
        }
        Ok(())
    }

    fn tell(&mut self, n: usize, what: u8) {
        let kind = match what % 4 {
            0 => EventKind::Cancelled,
            1 => EventKind::CollectedByRecipient,
            2 => EventKind::RedeliveryDemanded,
            _ => EventKind::Delivered {
                handoff: HandoffKind::Recipient,
            },
        };
        let other = DeviceId(uuid::Uuid::from_u128(0xDD));
        let origin = match kind {
            EventKind::Delivered { .. } => Origin::Phone(other),
            _ => Origin::Hub,
        };
        let seq = i64::try_from(self.told.len()).unwrap() + 1;
        let event = Event {
            id: EventId { origin, seq },
            at_ms: self.now_ms(),
            kind,
        };
        let parcel_id = self.parcel(n);
        self.told.push((parcel_id, event));
        self.work
            .tell(ParcelEventItem::KIND, &ParcelEventItem { parcel_id, event });
    }

    fn act(&mut self, act: &Act) {
        let before = self.states();
        let result = match act {
            Act::Visit {
                handoff,
                parcels,
                fail,
            } => self.visit(HandoffKind::ALL[*handoff], *parcels, *fail),
            Act::Correct { parcel, what } => self.correct(*parcel, *what),
            Act::Reschedule { parcel } => {
                let core = self.work.phone.core();
                core.reschedule(self.parcel(*parcel), None, None)
                    .map(|_| ())
            }
            Act::HandBack { parcel } => self.work.phone.core().hand_back(&[self.parcel(*parcel)]),
            Act::Told { parcel, what } => {
                self.tell(*parcel, *what);
                return;
            }
            Act::Withdraw => self.work.phone.core().withdraw_consent("c-0", None),
            Act::Wait { minutes } => {
                let ms = i64::from(*minutes) * 60_000;
                self.work.phone.clock.advance_ms(ms);
                Ok(())
            }
            Act::Restart => {
                self.work.phone.restart();
                Ok(())
            }
        };
        match result {
            Ok(()) => {}
            Err(Error::Refused(Refusal::HistoryFull)) => panic!("too short a day for that"),
            Err(Error::Refused(_) | Error::NotFound { .. } | Error::InvalidInput { .. }) => {
                assert_eq!(self.states(), before, "a refusal changes nothing");
            }
            Err(other) => panic!("{act:?}: {other:?}"),
        }
    }

    /// The stored state is the fold of what is shown, and no handover follows another without something
    /// that opened the parcel in between.
    fn check(&self) {
        let core = self.work.phone.core();
        for (n, state) in self.states().into_iter().enumerate() {
            let lines = core.history(self.parcel(n)).unwrap();
            let events: Vec<Event> = lines.iter().map(|l| l.event).collect();
            let folded = fold(ParcelState::OnRound, &events, UndoWindow::default());
            assert_eq!(folded.state, state);
            let mut handed_over = false;
            for line in &lines {
                if let Verdict::Moved { to, step, .. } = line.verdict {
                    assert!(!(handed_over && step.is_handover()), "delivered twice");
                    handed_over = to.is_final() || to == ParcelState::AtPickupPoint;
                }
            }
        }
    }

    /// What the hub can rebuild from the log and its own feed is what the phone shows; and nothing in the
    /// log was handed over against the consents of its moment.
    fn check_log(&self) {
        assert_eq!(self.work.phone.sync(&self.work.hub), SyncEnd::Done);
        let device = self.work.phone.device();
        let mut all = self.told.clone();
        let mut rested_on_c0_ms = Vec::new();
        let mut withdrawn = false;
        for (header, entry) in self.work.hub.log(device) {
            let body = entry.body.unwrap();
            let (parcel, kind) = match header.kind {
                EntryKind::ATTEMPT => {
                    let body = AttemptBody::decode(&body).unwrap();
                    if check_consent(&body, header.occurred_at_ms) == Some("c-0") {
                        assert!(!withdrawn, "c-0 was withdrawn");
                        rested_on_c0_ms.push(header.occurred_at_ms);
                    }
                    (body.parcel, event_of(&body))
                }
                EntryKind::CONSENT_WITHDRAWN => {
                    let body = ConsentWithdrawnBody::decode(&body).unwrap();
                    withdrawn |= body.consent_id == "c-0";
                    // Who reads times and not the log's order comes to the same.
                    assert!(rested_on_c0_ms.iter().all(|at| *at <= body.withdrawn_at_ms));
                    continue;
                }
                EntryKind::CORRECTION => {
                    let body = CorrectionBody::decode(&body).unwrap();
                    let (of, correction) = (body.of, body.correction);
                    (body.parcel, EventKind::Corrected { of, correction })
                }
                EntryKind::PARCEL_STEP => {
                    let body = ParcelStepBody::decode(&body).unwrap();
                    (body.parcel, body.event)
                }
                _ => continue,
            };
            let id = EventId {
                origin: Origin::Phone(device),
                seq: header.seq,
            };
            let at_ms = header.occurred_at_ms;
            all.push((parcel, Event { id, at_ms, kind }));
        }
        for (n, state) in self.states().into_iter().enumerate() {
            let of_parcel: Vec<Event> = all
                .iter()
                .filter(|(id, _)| *id == self.parcel(n))
                .map(|(_, event)| *event)
                .collect();
            let folded = fold(ParcelState::OnRound, &of_parcel, UndoWindow::default());
            assert_eq!(folded.state, state, "log and feed give the same");
        }
    }
}

/// The consent that a handover rests on, held to what consents of this day allow.
fn check_consent(body: &AttemptBody, at_ms: i64) -> Option<&str> {
    if body.outcome == Outcome::Failed || !body.handoff.consent().needs_record() {
        return None;
    }
    let id = body.consent.as_deref().unwrap();
    assert!(at_ms < CONSENT_ENDS_MS, "{id} had ended");
    assert!(matches!(
        body.handoff,
        HandoffKind::Locker | HandoffKind::Neighbour
    ));
    Some(id)
}

fn event_of(body: &AttemptBody) -> EventKind {
    match (body.outcome, body.reason, body.action) {
        (Outcome::Failed, Some(reason), Some(action)) => EventKind::Failed { reason, action },
        (Outcome::PartiallyDelivered, ..) => EventKind::PartlyDelivered,
        (Outcome::Returned, ..) => EventKind::ReturnedToSender,
        _ => EventKind::Delivered {
            handoff: body.handoff,
        },
    }
}

fn live(acts: &[Act]) {
    let mut life = Life::new();
    for act in acts {
        life.act(act);
        life.check();
    }
    life.check_log();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_parcel_is_in_one_state_and_the_log_says_why(
        acts in proptest::collection::vec(act(), 1..25)
    ) {
        live(&acts);
    }
}

/// Days that went wrong once, as the search for a smaller one left them.
#[test]
fn days_that_went_wrong_once() {
    let undo_at_the_end_of_its_window = vec![
        Act::Reschedule { parcel: 1 },
        Act::Wait { minutes: 5 },
        Act::Told {
            parcel: 1,
            what: 180,
        },
        Act::Correct {
            parcel: 1,
            what: 71,
        },
    ];
    let withdrawn_in_the_moment_of_the_handover = vec![
        Act::Told {
            parcel: 0,
            what: 61,
        },
        Act::Visit {
            handoff: 5,
            parcels: 3,
            fail: 10,
        },
        Act::Withdraw,
    ];
    let another_phones_handover_meant_for_another_parcel = vec![
        Act::Told { parcel: 0, what: 0 },
        Act::Withdraw,
        Act::Visit {
            handoff: 5,
            parcels: 1,
            fail: 89,
        },
        Act::Told { parcel: 1, what: 5 },
        Act::Told {
            parcel: 0,
            what: 11,
        },
        Act::Visit {
            handoff: 8,
            parcels: 1,
            fail: 0,
        },
        Act::Correct {
            parcel: 0,
            what: 29,
        },
    ];
    for acts in [
        undo_at_the_end_of_its_window,
        withdrawn_in_the_moment_of_the_handover,
        another_phones_handover_meant_for_another_parcel,
    ] {
        live(&acts);
    }
}
