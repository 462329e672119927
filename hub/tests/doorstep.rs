//! What happens to a parcel anywhere, as the hub sees it: one state for every order of arrival, alarms
//! for what should not have happened, and news for the other phones.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use common::{Bench, HOUR_MS, NOW_MS, Phone};
use proptest::prelude::*;
use satchel_hub::{HubError, HubStep, ParcelRef};
use satchel_protocol::attempt::{AttemptBody, CodeResult};
use satchel_protocol::doorstep::{
    CallBody, CodeEntryBody, ConsentEvidence, ConsentRecord, ConsentWithdrawnBody, CorrectionBody,
    DutyBody, LoadScanBody, ParcelStepBody, PickupBody, ReminderBody, ReportBody,
    RuleSetRefusedBody, TemperatureBody, TemperatureSample,
};
use satchel_protocol::entry::{EntryKind, SignedEntry};
use satchel_protocol::feed::{FeedContent, StopItem};
use satchel_protocol::ids::{AttemptId, Hash32};
use satchel_protocol::taxonomy::{
    Action, CallResult, ConsentOrigin, Giver, HandoffKind, Outcome, Reason,
};
use satchel_protocol::transitions::{Correction, EventId, EventKind, Origin, ParcelState};
use uuid::Uuid;

fn entry(phone: &mut Phone, stop: &StopItem, kind: EntryKind, body: Vec<u8>) -> SignedEntry {
    phone.entry(kind, body, Some(stop.parcels[0].handle), vec![])
}

fn handoff(
    phone: &mut Phone,
    stop: &StopItem,
    handoff: HandoffKind,
    spoil: impl FnOnce(&mut AttemptBody),
) -> SignedEntry {
    let visit = AttemptId(Uuid::from_u128(0x9000 + phone.seq as u128));
    let (parcel, stop_id) = (stop.parcels[0].parcel_id, stop.stop_id);
    let mut body = AttemptBody::bare(visit, parcel, stop_id, Outcome::Delivered, handoff);
    spoil(&mut body);
    entry(phone, stop, EntryKind::ATTEMPT, body.encode())
}

fn failed(phone: &mut Phone, stop: &StopItem) -> SignedEntry {
    handoff(phone, stop, HandoffKind::Recipient, |b| {
        b.outcome = Outcome::Failed;
        b.reason = Some(Reason::RecipientAbsent);
        b.action = Some(Action::SecondDelivery);
    })
}

fn consent(stop: &StopItem, scope: HandoffKind, given_at_ms: i64) -> ConsentRecord {
    ConsentRecord {
        consent_id: "c-1".into(),
        giver: Giver::Recipient,
        origin: ConsentOrigin::OnTheSpot,
        scope: vec![scope],
        parcels: vec![stop.parcels[0].parcel_id],
        named_person: None,
        place: None,
        evidence: ConsentEvidence::Call {
            call_id: "call-1".into(),
            number: "138****0000".into(),
            result: CallResult::Answered,
            duration_s: 30,
        },
        given_at_ms,
        expires_at_ms: None,
        withdrawn_at_ms: None,
    }
}

async fn state(bench: &Bench) -> Option<String> {
    sqlx::query_scalar("SELECT state FROM parcel_fold")
        .fetch_optional(&common::raw(bench).await)
        .await
        .unwrap()
}

async fn alarms(bench: &Bench) -> Vec<String> {
    sqlx::query_scalar("SELECT kind FROM alarm WHERE cleared_at_ms IS NULL ORDER BY kind")
        .fetch_all(&common::raw(bench).await)
        .await
        .unwrap()
}

async fn push(bench: &Bench, phone: &mut Phone, entries: &[SignedEntry]) {
    let sent = phone.push_entries(bench, entries).await;
    sent.receipt(bench, phone);
}

fn at(stop: &StopItem) -> ParcelRef {
    ParcelRef::Id(stop.parcels[0].parcel_id)
}

#[tokio::test]
async fn a_locker_without_consent_is_kept_and_an_alarm_until_a_consent_explains_it() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let put = handoff(&mut phone, &stops[0], HandoffKind::Locker, |_| {});
    push(&bench, &mut phone, &[put]).await;
    assert_eq!(state(&bench).await.as_deref(), Some("AT_PICKUP_POINT"));
    assert_eq!(alarms(&bench).await, ["no_consent"]);
    assert!(
        bench
            .board("/board/alarms")
            .await
            .contains("without a consent")
    );
    // The service line enters the call of the morning: it held when the parcel was put there.
    let mut late = consent(&stops[0], HandoffKind::Locker, NOW_MS - 2 * HOUR_MS);
    late.origin = ConsentOrigin::HubPage;
    bench.hub.record_consent(&late).await.unwrap();
    assert!(alarms(&bench).await.is_empty());
}

#[tokio::test]
async fn a_consent_given_too_late_withdrawn_or_against_the_waybill_does_not_carry() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let given = consent(&stops[0], HandoffKind::Locker, NOW_MS - HOUR_MS);
    let withdrawn = ConsentWithdrawnBody {
        consent_id: "c-1".into(),
        withdrawn_at_ms: NOW_MS - HOUR_MS + 2_500,
        stop: Some(stops[0].stop_id),
    };
    let entries = [
        entry(&mut phone, &stops[0], EntryKind::CONSENT, given.encode()),
        handoff(&mut phone, &stops[0], HandoffKind::Locker, |_| {}),
        entry(
            &mut phone,
            &stops[0],
            EntryKind::CONSENT_WITHDRAWN,
            withdrawn.encode(),
        ),
    ];
    push(&bench, &mut phone, &entries).await;
    // It held when the parcel was put there; what comes later changes nothing of that.
    assert!(alarms(&bench).await.is_empty());
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let late = consent(&stops[0], HandoffKind::Locker, NOW_MS);
    let entries = [
        handoff(&mut phone, &stops[0], HandoffKind::Locker, |_| {}),
        entry(&mut phone, &stops[0], EntryKind::CONSENT, late.encode()),
    ];
    push(&bench, &mut phone, &entries).await;
    assert_eq!(alarms(&bench).await, ["no_consent"]);
    sqlx::query("UPDATE parcel SET door_required = 1")
        .execute(&common::raw(&bench).await)
        .await
        .unwrap();
    phone.minutes_later = 30;
    let again = handoff(&mut phone, &stops[0], HandoffKind::Station, |_| {});
    push(&bench, &mut phone, &[again]).await;
    assert_eq!(
        alarms(&bench).await,
        ["door_required", "door_required", "second_handover"]
    );
}

#[tokio::test]
async fn the_hub_s_steps_reach_the_phone_and_illegal_ones_are_refused() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let cursor = phone.pull(&bench, "", 500).await.cursor;
    let step = async |step| {
        bench
            .hub
            .take_step(&at(&stops[0]), step, Some("客户来电"))
            .await
    };
    assert!(matches!(
        step(HubStep::Collected).await,
        Err(HubError::Step(_))
    ));
    assert!(matches!(
        step(HubStep::Reopen).await,
        Err(HubError::Step(_))
    ));
    assert_eq!(step(HubStep::Cancel).await.unwrap(), ParcelState::Cancelled);
    assert!(matches!(
        step(HubStep::Cancel).await,
        Err(HubError::Step(_))
    ));
    bench.clock.advance(1_000);
    let reopened = step(HubStep::Reopen).await.unwrap();
    assert_eq!(reopened, ParcelState::AwaitingNextAttempt);
    let told: Vec<_> = phone.pull(&bench, &cursor, 500).await.items;
    let kinds: Vec<_> = told
        .iter()
        .map(|i| match i.content().unwrap() {
            FeedContent::ParcelEvent(e) => {
                assert_eq!(e.event.id.origin, Origin::Hub);
                e.event.kind
            }
            other => unreachable!("{other:?}"),
        })
        .collect();
    let of = EventId {
        origin: Origin::Hub,
        seq: 1,
    };
    let correction = Correction::Reopen;
    assert_eq!(
        kinds,
        [
            EventKind::Cancelled,
            EventKind::Corrected { of, correction }
        ]
    );

    let unknown = ParcelRef::from("WB-NONE");
    let refused = bench.hub.take_step(&unknown, HubStep::Cancel, None).await;
    assert!(matches!(refused, Err(HubError::UnknownParcel)));
    let words = "长".repeat(501);
    let refused = bench
        .hub
        .take_step(&at(&stops[0]), HubStep::Cancel, Some(&words))
        .await;
    assert!(matches!(refused, Err(HubError::TooManyWords)));
    let by_waybill = ParcelRef::from(stops[0].parcels[0].waybill.as_str());
    let state = bench
        .hub
        .take_step(&by_waybill, HubStep::Cancel, None)
        .await;
    assert_eq!(state.unwrap(), ParcelState::Cancelled);
}

#[tokio::test]
async fn the_hub_cancels_what_was_delivered_offline_and_both_stay() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    // Delivered an hour ago, not synced; the hub cancels now; the phone comes back.
    let delivered = handoff(&mut phone, &stops[0], HandoffKind::Recipient, |_| {});
    bench
        .hub
        .take_step(&at(&stops[0]), HubStep::Cancel, None)
        .await
        .unwrap();
    assert_eq!(state(&bench).await.as_deref(), Some("CANCELLED"));
    push(&bench, &mut phone, &[delivered]).await;
    assert_eq!(state(&bench).await.as_deref(), Some("DELIVERED"));
    assert_eq!(alarms(&bench).await, ["cancelled_after_handover"]);

    let (bench, mut phone, stops) = Bench::with_round(1).await;
    bench
        .hub
        .take_step(&at(&stops[0]), HubStep::Cancel, None)
        .await
        .unwrap();
    bench.clock.advance(90 * 60_000);
    phone.minutes_later = 90;
    let delivered = handoff(&mut phone, &stops[0], HandoffKind::Recipient, |_| {});
    push(&bench, &mut phone, &[delivered]).await;
    assert_eq!(state(&bench).await.as_deref(), Some("DELIVERED"));
    assert_eq!(alarms(&bench).await, ["handed_over_despite_cancel"]);
}

#[tokio::test]
async fn another_phone_hears_what_this_one_did_also_when_it_comes_later() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let mut second = Phone::enrolled(&bench, "王强", 2).await;
    let cursor = second.pull(&bench, "", 500).await.cursor;
    let visit = failed(&mut phone, &stops[0]);
    push(&bench, &mut phone, &[visit]).await;
    let events = async |phone: &mut Phone, cursor: &str| {
        let page = phone.pull(&bench, cursor, 500).await;
        let next = if page.more {
            phone.pull(&bench, &page.cursor, 500).await.items
        } else {
            vec![]
        };
        let all = page.items.into_iter().chain(next);
        let events = all.filter_map(|i| match i.content().unwrap() {
            FeedContent::ParcelEvent(e) => Some(e.event),
            _ => None,
        });
        events.collect::<Vec<_>>()
    };
    let told = events(&mut second, &cursor).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].id.origin, Origin::Phone(phone.device));
    assert!(matches!(told[0].kind, EventKind::Failed { .. }));

    // One phone alone is not told its own story; its successor is, in one go.
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let visit = failed(&mut phone, &stops[0]);
    push(&bench, &mut phone, &[visit]).await;
    let page = phone.pull(&bench, "", 500).await;
    assert!(page.items.iter().all(|i| i.kind != "parcel_event"));
    let mut successor = Phone::enrolled(&bench, "王强", 3).await;
    let page = successor.pull(&bench, "", 500).await;
    assert!(page.more);
    let rest = successor.pull(&bench, &page.cursor, 500).await;
    assert_eq!(rest.items.len(), 1);
    assert!(matches!(
        rest.items[0].content(),
        Ok(FeedContent::ParcelEvent(_))
    ));
}

/// Every kind a phone can write, once.
fn one_of_each(phone: &mut Phone, stops: &[StopItem]) -> Vec<SignedEntry> {
    let (stop, parcel) = (stops[0].stop_id, stops[0].parcels[0].parcel_id);
    let bodies: Vec<(EntryKind, Vec<u8>)> = vec![
        (
            EntryKind::DUTY,
            DutyBody {
                on: true,
                clock_moved_back: false,
                fix: None,
            }
            .encode(),
        ),
        (
            EntryKind::LOAD_SCAN,
            LoadScanBody {
                route: stops[0].route_id,
                text: "WB0000".into(),
                result: "EXPECTED".into(),
                parcel: Some(parcel),
                off: false,
            }
            .encode(),
        ),
        (
            EntryKind::REMINDER_DUE,
            ReminderBody {
                stop,
                parcel,
                attempt_no: 1,
                eta_ms: NOW_MS,
            }
            .encode(),
        ),
        (
            EntryKind::CALL,
            CallBody {
                stop,
                number: "138****0000".into(),
                virtual_number: true,
                result: CallResult::NoAnswer,
                duration_s: 0,
                call_id: None,
            }
            .encode(),
        ),
        (
            EntryKind::CONSENT,
            consent(&stops[0], HandoffKind::Locker, NOW_MS - HOUR_MS).encode(),
        ),
        (
            EntryKind::CONSENT_WITHDRAWN,
            ConsentWithdrawnBody {
                consent_id: "c-1".into(),
                withdrawn_at_ms: NOW_MS,
                stop: None,
            }
            .encode(),
        ),
        (
            EntryKind::REPORT,
            ReportBody {
                report_id: "r-1".into(),
                stop: Some(stop),
                parcels: vec![parcel],
                reason: Reason::AccessDenied,
                words: Some("门禁".into()),
                proofs: vec![],
                owes_photo: true,
                answer_due_ms: 0,
                fix: None,
            }
            .encode(),
        ),
        (
            EntryKind::TEMPERATURE,
            TemperatureBody {
                parcel,
                samples: vec![
                    TemperatureSample {
                        at_ms: NOW_MS,
                        centi_c: 412,
                    },
                    TemperatureSample {
                        at_ms: NOW_MS + 1,
                        centi_c: -50,
                    },
                ],
            }
            .encode(),
        ),
        (
            EntryKind::CODE_ENTRY,
            CodeEntryBody {
                parcel,
                stop,
                matched: Some(false),
                sealed: None,
            }
            .encode(),
        ),
        (
            EntryKind::RULESET_REFUSED,
            RuleSetRefusedBody {
                current_version: 1,
                offered_version: Some(2),
                document: Hash32::ZERO,
                why: "rule 3 weakens the minimum".into(),
            }
            .encode(),
        ),
        (
            EntryKind::PARCEL_STEP,
            ParcelStepBody {
                parcel,
                stop,
                event: EventKind::Rescheduled,
                window_ms: Some((NOW_MS, NOW_MS + HOUR_MS)),
                words: None,
            }
            .encode(),
        ),
        (
            EntryKind::PICKUP,
            PickupBody {
                parcel: stops[1].parcels[0].parcel_id,
                stop: stops[1].stop_id,
                sender_checked: Some(true),
                contents: None,
                time_need: None,
                wishes: Some(String::new()),
                tags: vec![],
                packaging_taken_back: 2,
                refused: Some(Reason::Prohibited),
                proofs: vec![],
                arrived_at_ms: NOW_MS,
            }
            .encode(),
        ),
    ];
    let mut entries: Vec<_> = bodies
        .into_iter()
        .map(|(kind, body)| phone.entry(kind, body, None, vec![]))
        .collect();
    entries.push(handoff(phone, &stops[0], HandoffKind::Recipient, |b| {
        b.code = Some(CodeResult::Verified);
        b.warnings = vec!["QUIET_HOURS".into()];
    }));
    let undo = CorrectionBody {
        parcel,
        stop,
        of: EventId {
            origin: Origin::Phone(phone.device),
            seq: phone.seq,
        },
        correction: Correction::Undo,
        words: None,
        proofs: vec![],
    };
    entries.push(phone.entry(EntryKind::CORRECTION, undo.encode(), None, vec![]));
    entries
}

const TABLES: [&str; 18] = [
    "entry_state",
    "attempt",
    "parcel_state",
    "parcel_event",
    "parcel_fold",
    "consent",
    "consent_parcel",
    "consent_withdrawal",
    "correction",
    "call_attempt",
    "report",
    "report_parcel",
    "load_scan",
    "pickup",
    "temperature",
    "code_entry",
    "duty",
    "parcel_step",
];

#[tokio::test]
async fn every_kind_is_projected_and_a_rebuild_gives_the_same_rows() {
    let (bench, mut phone, stops) = Bench::with_round(2).await;
    let entries = one_of_each(&mut phone, &stops);
    push(&bench, &mut phone, &entries).await;
    let other = ParcelRef::Id(stops[1].parcels[0].parcel_id);
    bench
        .hub
        .take_step(&other, HubStep::Cancel, None)
        .await
        .unwrap();
    let before = common::dump(&bench, &TABLES).await;
    for table in TABLES {
        let rows = before.iter().any(|l| l.starts_with(&format!("{table}:")));
        assert!(rows, "{table} is empty");
    }
    assert!(
        !before
            .iter()
            .any(|l| l.contains("unreadable") || l.contains("unknown_kind"))
    );
    // The undo took the delivery back to where the new time had put it.
    let states: Vec<String> = sqlx::query_scalar("SELECT state FROM parcel_fold ORDER BY state")
        .fetch_all(&common::raw(&bench).await)
        .await
        .unwrap();
    assert_eq!(states, ["AWAITING_NEXT_ATTEMPT", "CANCELLED"]);
    let due: i64 = sqlx::query_scalar("SELECT answer_due_ms - occurred_at_ms FROM report")
        .fetch_one(&common::raw(&bench).await)
        .await
        .unwrap();
    // One hour from when it happened, whatever the phone wrote (A044).
    assert_eq!(due, HOUR_MS);

    let feed = phone.pull(&bench, "", 500).await;
    bench.hub.rebuild().await.unwrap();
    assert_eq!(common::dump(&bench, &TABLES).await, before);
    // A rebuild tells nobody anything again.
    assert_eq!(phone.pull(&bench, "", 500).await, feed);
    // Sent again, nothing is counted twice.
    push(&bench, &mut phone, &entries).await;
    assert_eq!(common::dump(&bench, &TABLES).await, before);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Two phones and the hub; batches arrive in any order that keeps each phone's own.
    #[test]
    fn any_order_of_arrival_gives_the_same_state_and_alarms(
        order in Just(vec![0_usize, 0, 0, 1, 1, 1]).prop_shuffle(),
        lockers in any::<[bool; 2]>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let story = async |order: &[usize]| {
            let (bench, phone, stops) = Bench::with_round(1).await;
            let mut second = Phone::enrolled(&bench, "王强", 2).await;
            second.pull_stops(&bench).await;
            bench.hub.take_step(&at(&stops[0]), HubStep::Cancel, None).await.unwrap();
            let mut phones = [phone, second];
            phones[1].minutes_later = 10;
            let mut queues: Vec<_> = Vec::new();
            for (index, phone) in phones.iter_mut().enumerate() {
                let way = if lockers[index] { HandoffKind::Locker } else { HandoffKind::Recipient };
                let given = consent(&stops[0], HandoffKind::Locker, NOW_MS - HOUR_MS);
                let mut queue = vec![failed(phone, &stops[0])];
                queue.push(handoff(phone, &stops[0], way, |_| {}));
                queue.push(entry(phone, &stops[0], EntryKind::CONSENT, given.encode()));
                queue.reverse();
                queues.push(queue);
            }
            for &index in order {
                let next = queues[index].pop().unwrap();
                push(&bench, &mut phones[index], &[next]).await;
            }
            (state(&bench).await, alarms(&bench).await)
        };
        let (shuffled, sorted) = runtime.block_on(async {
            (story(&order).await, story(&[0, 0, 0, 1, 1, 1]).await)
        });
        prop_assert_eq!(shuffled, sorted);
    }
}
