//! A day without a network, and what the courier is told about it: nothing reads "synced" before a
//! receipt of the hub says so.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;

use satchel_core::model::status::Blocking;
use satchel_core::model::stop::{StopState, SyncState};
use satchel_core::sync::task::{Network, Purpose, Task, TaskOutcome, WaitReason};
use satchel_protocol::entry::EntryKind;
use satchel_protocol::feed::ParcelEventItem;
use satchel_protocol::taxonomy::HandoffKind;
use satchel_protocol::token::RatingToken;
use satchel_protocol::transitions::{Event, EventId, EventKind, Origin, ParcelState};
use satchel_tests::day::{Day, MORNING_MS, stop_item, stop_removed};
use satchel_tests::link::{FaultyLink, Transport};
use satchel_tests::phone::{Phone, SyncEnd};
use satchel_tests::toy_hub::ToyHub;
use serde_json::json;

struct World {
    phone: Phone,
    hub: ToyHub,
    day: Day,
    courier: satchel_protocol::ids::CourierId,
}

/// An enrolled phone with its round.
fn world(day: Day) -> World {
    let phone = Phone::new(1);
    let hub = ToyHub::new(phone.clock.clone());
    let (invite, courier) = hub.invite("王师傅");
    hub.give(courier, day.items());
    phone.enrol(&invite, &hub);
    World {
        phone,
        hub,
        day,
        courier,
    }
}

fn http(phone: &Phone) -> satchel_core::sync::task::HttpTask {
    match phone.core().next_task(Network::Unmetered).unwrap() {
        Task::Http(task) => task,
        other => panic!("nothing to send: {other:?}"),
    }
}

#[test]
fn the_route_arrives_with_enrolment_and_is_masked() {
    let w = world(Day::new(1).stops(10));
    let routes = w.phone.core().routes().unwrap();
    assert_eq!((routes[0].total_stops, routes[0].open_stops), (10, 10));
    let stops = w.phone.core().stops().unwrap();
    assert_eq!(stops.len(), 10);
    for (n, stop) in stops.iter().enumerate() {
        assert_eq!(stop.position as usize, n + 1);
        assert_eq!(stop.sync, SyncState::Nothing);
        assert_eq!(stop.recipient_name, "张*");
        assert!(!stop.recipient_phone.contains(&format!("{:08}", n + 1)));
        assert!(!stop.address.contains("1201"));
    }
}

#[test]
fn a_stop_goes_from_nothing_to_complete_by_receipts_alone() {
    let w = world(Day::new(1).stops(3));
    let stop = w.day.stop_id(0);
    let sync = || w.phone.stop(stop).sync;
    assert_eq!(sync(), SyncState::Nothing);

    w.phone.deliver(stop, 1).unwrap();
    assert_eq!(sync(), SyncState::Local);
    assert!(matches!(
        w.phone.core().next_task(Network::Offline).unwrap(),
        Task::Wait {
            why: WaitReason::Offline,
            ..
        }
    ));
    assert_eq!(w.phone.core().sync_status().unwrap().unsent_entries, 1);

    let push = http(&w.phone);
    assert_eq!((push.method, push.purpose), ("POST", Purpose::Log));
    assert_eq!(sync(), SyncState::Sending);
    // What is recorded while the request is under way is not in it.
    w.phone.fail(w.day.stop_id(1)).unwrap();
    assert_eq!(w.phone.stop(w.day.stop_id(1)).sync, SyncState::Local);

    let receipt = w.hub.send(&push).unwrap();
    w.phone.core().complete_task(&push.id, receipt).unwrap();
    assert_eq!(sync(), SyncState::Received, "the photo is still missing");

    assert_eq!(w.phone.sync(&w.hub), SyncEnd::Done);
    assert_eq!(sync(), SyncState::ProofComplete);
    assert_eq!(
        w.phone.stop(w.day.stop_id(1)).sync,
        SyncState::ProofComplete
    );
    assert_eq!(w.phone.stop(w.day.stop_id(2)).sync, SyncState::Nothing);
    let status = w.phone.core().sync_status().unwrap();
    assert_eq!((status.unsent_entries, status.unsent_proofs), (0, 0));
    assert_eq!(status.blocking, None);
    assert_eq!(status.oldest_unsent_ms, None);
}

#[test]
fn a_failed_sending_is_local_again_and_is_tried_later_without_a_new_record() {
    let w = world(Day::new(1).stops(1));
    let stop = w.day.stop_id(0);
    w.phone.fail(stop).unwrap();
    let push = http(&w.phone);
    w.phone
        .core()
        .complete_task(&push.id, TaskOutcome::Failed)
        .unwrap();
    assert_eq!(w.phone.stop(stop).sync, SyncState::Local);
    let status = w.phone.core().sync_status().unwrap();
    assert_eq!(status.blocking, Some(Blocking::Network));
    assert!(status.next_retry_ms.unwrap() > MORNING_MS);
    // No new record, no call from the host but its loop.
    assert_eq!(w.phone.sync_now(&w.hub), SyncEnd::Waiting);
    w.phone.wait();
    assert_eq!(w.phone.sync_now(&w.hub), SyncEnd::Done);
    assert_eq!(w.phone.stop(stop).sync, SyncState::ProofComplete);
}

#[test]
fn a_whole_day_offline_reaches_the_hub_once_and_in_order_with_every_proof() {
    let w = world(Day::new(1).stops(40));
    let mut hashes = Vec::new();
    for n in 0..40 {
        w.phone.clock.advance_ms(5 * 60_000);
        let stop = w.day.stop_id(n);
        let recorded = match n % 4 {
            0 => w.phone.fail(stop),
            _ => w.phone.deliver(stop, n as u64),
        };
        hashes.extend(recorded.unwrap().parcels.iter().map(|p| p.entry_hash));
    }
    w.phone.clock.advance_ms(3_600_000);
    assert_eq!(w.phone.sync(&w.hub), SyncEnd::Done);
    let log = w.hub.log(w.phone.device());
    let attempts: Vec<_> = log
        .iter()
        .filter(|(h, _)| h.kind == EntryKind::ATTEMPT)
        .map(|(_, e)| e.hash())
        .collect();
    assert_eq!(attempts, hashes);
    assert_eq!(log[0].0.kind, EntryKind::ENROLLED);
    for (header, _) in &log {
        assert!(header.blobs.iter().all(|hash| w.hub.has_blob(*hash)));
    }
    for stop in w.phone.core().stops().unwrap() {
        assert_eq!(stop.sync, SyncState::ProofComplete);
    }
}

#[test]
fn the_hosts_threads_share_the_loop_and_nothing_is_sent_twice() {
    let w = world(Day::new(1).stops(12));
    for n in 0..12 {
        w.phone.deliver(w.day.stop_id(n), n as u64).unwrap();
    }
    let link = FaultyLink::new(&w.hub, None);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                loop {
                    match w.phone.core().next_task(Network::Unmetered).unwrap() {
                        Task::Http(task) => {
                            let outcome = link.send(&task).unwrap();
                            w.phone.core().complete_task(&task.id, outcome).unwrap();
                        }
                        Task::Wait {
                            why: WaitReason::InFlight,
                            ..
                        } => std::thread::yield_now(),
                        Task::Wait { .. } => {
                            panic!("{:?} {:?}", link.take_log(), w.phone.core().sync_status())
                        }
                        Task::Done => break,
                    }
                }
            });
        }
    });
    let sent = link.take_log();
    let posts = |path: &str| {
        sent.iter()
            .filter(|(line, _)| line.split('?').next() == Some(&format!("POST {path}")))
            .count()
    };
    assert_eq!(posts("/v1/log"), 1, "{sent:?}");
    assert_eq!(posts("/v1/proofs"), 12, "{sent:?}");
    assert_eq!(
        w.phone.stop(w.day.stop_id(11)).sync,
        SyncState::ProofComplete
    );
}

#[test]
fn an_answer_given_twice_or_for_an_unknown_task_is_harmless() {
    let w = world(Day::new(1).stops(1));
    w.phone.fail(w.day.stop_id(0)).unwrap();
    let push = http(&w.phone);
    let outcome = w.hub.send(&push).unwrap();
    let core = w.phone.core();
    core.complete_task("no-such-task", outcome.clone()).unwrap();
    assert_eq!(w.phone.stop(w.day.stop_id(0)).sync, SyncState::Sending);
    core.complete_task(&push.id, outcome.clone()).unwrap();
    core.complete_task(&push.id, outcome).unwrap();
    core.complete_task(&push.id, TaskOutcome::Failed).unwrap();
    assert_eq!(
        w.phone.stop(w.day.stop_id(0)).sync,
        SyncState::ProofComplete
    );
    assert_eq!(core.sync_status().unwrap().blocking, None);
}

#[test]
fn after_a_kill_the_phone_asks_before_it_sends_again() {
    let mut w = world(Day::new(1).stops(5));
    for n in 0..5 {
        w.phone.fail(w.day.stop_id(n)).unwrap();
    }
    let push = http(&w.phone);
    w.hub.send(&push).unwrap();
    w.phone.restart();
    assert_eq!(w.phone.stop(w.day.stop_id(0)).sync, SyncState::Local);
    let link = FaultyLink::new(&w.hub, None);
    assert_eq!(w.phone.sync(&link), SyncEnd::Done);
    let sent = link.take_log();
    assert!(
        sent.iter()
            .all(|(line, _)| !line.starts_with("POST /v1/log")),
        "{sent:?}"
    );
    assert_eq!(
        w.phone.stop(w.day.stop_id(4)).sync,
        SyncState::ProofComplete
    );
}

#[test]
fn a_hub_restored_from_a_backup_gets_its_log_again_and_the_screen_says_so() {
    let mut w = world(Day::new(1).stops(4));
    w.phone.deliver(w.day.stop_id(0), 0).unwrap();
    assert_eq!(w.phone.sync(&w.hub), SyncEnd::Done);
    let backup = w.hub.backup();
    for n in 1..3 {
        w.phone.deliver(w.day.stop_id(n), n as u64).unwrap();
    }
    assert_eq!(w.phone.sync(&w.hub), SyncEnd::Done);
    w.hub.restore(backup);
    let seen = w.phone.core().changes_since(0).unwrap().version;

    // Noticed at the next start, although nothing is unsent.
    w.phone.restart();
    let ask = http(&w.phone);
    assert!(ask.url.contains("/v1/log?after="), "{}", ask.url);
    let answer = w.hub.send(&ask).unwrap();
    w.phone.core().complete_task(&ask.id, answer).unwrap();
    assert_eq!(
        w.phone.stop(w.day.stop_id(0)).sync,
        SyncState::ProofComplete
    );
    for n in 1..3 {
        assert_eq!(w.phone.stop(w.day.stop_id(n)).sync, SyncState::Local);
    }
    assert_eq!(w.phone.core().changes_since(seen).unwrap().stops.len(), 2);

    assert_eq!(w.phone.sync(&w.hub), SyncEnd::Done);
    // The three visits, the enrolment, and that the hub's log began anew.
    assert_eq!(w.hub.log(w.phone.device()).len(), 5);
    for n in 0..3 {
        assert_eq!(
            w.phone.stop(w.day.stop_id(n)).sync,
            SyncState::ProofComplete
        );
    }
    for (header, _) in w.hub.log(w.phone.device()) {
        assert!(header.blobs.iter().all(|hash| w.hub.has_blob(*hash)));
    }
}

#[test]
fn a_photo_that_arrives_while_an_older_answer_is_on_its_way_stays_received() {
    let mut w = world(Day::new(1).stops(1));
    w.phone.deliver(w.day.stop_id(0), 0).unwrap();
    let all_but_photos = || {
        let task = w.phone.core().next_task(Network::Metered).unwrap();
        matches!(task, Task::Http(task) if {
            let answer = w.hub.send(&task).unwrap();
            w.phone.core().complete_task(&task.id, answer).unwrap();
            true
        })
    };
    while all_but_photos() {}
    w.phone.restart();
    // One thread asks what the hub holds; before it can tell, another sends the photo.
    let ask = http(&w.phone);
    assert!(ask.url.contains("/v1/log?after="), "{}", ask.url);
    let older = w.hub.send(&ask).unwrap();
    assert_eq!(w.phone.sync_now(&w.hub), SyncEnd::Waiting);
    let sync = || w.phone.stop(w.day.stop_id(0)).sync;
    assert_eq!(sync(), SyncState::ProofComplete);
    w.phone.core().complete_task(&ask.id, older).unwrap();
    assert_eq!(sync(), SyncState::ProofComplete);
}

#[test]
fn a_gap_at_the_hub_is_filled_while_the_phone_runs() {
    let w = world(Day::new(1).stops(4));
    let backup = w.hub.backup();
    w.phone.deliver(w.day.stop_id(0), 0).unwrap();
    assert_eq!(w.phone.sync(&w.hub), SyncEnd::Done);
    w.hub.restore(backup);
    w.phone.deliver(w.day.stop_id(1), 1).unwrap();
    assert_eq!(w.phone.sync(&w.hub), SyncEnd::Done);
    assert_eq!(w.hub.log(w.phone.device()).len(), 4);
    assert_eq!(
        w.phone.stop(w.day.stop_id(0)).sync,
        SyncState::ProofComplete
    );
}

#[test]
fn an_unsigned_error_body_takes_no_receipt_back() {
    let w = world(Day::new(1).stops(2));
    w.phone.fail(w.day.stop_id(0)).unwrap();
    assert_eq!(w.phone.sync(&w.hub), SyncEnd::Done);
    w.phone.fail(w.day.stop_id(1)).unwrap();
    let push = http(&w.phone);
    let lie = json!({"error": "log_gap", "expected_seq": 1}).to_string();
    let lie = satchel_tests::link::answer(409, lie.into_bytes());
    w.phone.core().complete_task(&push.id, lie).unwrap();
    assert_eq!(
        w.phone.stop(w.day.stop_id(0)).sync,
        SyncState::ProofComplete
    );
    assert_eq!(w.phone.sync(&w.hub), SyncEnd::Done);
    assert_eq!(
        w.phone.stop(w.day.stop_id(1)).sync,
        SyncState::ProofComplete
    );
}

#[test]
fn a_rating_code_made_offline_verifies_and_names_the_log_head() {
    let w = world(Day::new(1).stops(1));
    let recorded = w.phone.deliver(w.day.stop_id(0), 1).unwrap();
    let parcel = &recorded.parcels[0];
    let code = parcel.rating.clone().unwrap();
    assert_eq!(w.phone.core().rating_code(parcel.parcel_id).unwrap(), code);
    let text = code.url.rsplit('/').next().unwrap();
    assert_eq!(code.url, code.url.to_ascii_uppercase());
    let token = RatingToken::parse(text).unwrap();
    let key = w.hub.rating_key(parcel.parcel_id, w.phone.device());
    assert!(token.verify(&key));
    assert_eq!(token.head, parcel.entry_hash.0[..16]);
    let other = w.hub.rating_key(
        w.day.parcel_id(0, 0),
        satchel_protocol::ids::DeviceId(uuid::Uuid::nil()),
    );
    assert!(!token.verify(&other));
}

#[test]
fn the_feed_changes_the_route_but_never_what_was_recorded() {
    let mut w = world(Day::new(1).stops(3));
    w.phone.deliver(w.day.stop_id(0), 1).unwrap();
    let before = w.phone.core().changes_since(0).unwrap().version;

    w.day.stops[0].address = "新址88号".into();
    let fresh = w.day.clone().stop(2);
    w.hub.give(
        w.courier,
        [
            stop_item(&w.day.stops[0]),
            stop_item(&fresh.stops[3]),
            stop_removed(w.day.stop_id(2)),
            ("weather".to_owned(), json!({"rain": true})),
            ("stop".to_owned(), json!({"stop_id": 5})),
        ],
    );
    assert_eq!(w.phone.sync(&w.hub), SyncEnd::Done);
    let stop = w.phone.stop(w.day.stop_id(0));
    assert_eq!(
        (stop.address.as_str(), stop.state),
        ("新址88号", StopState::Done)
    );
    assert_eq!(stop.parcels[0].attempts, 1);
    assert_eq!(w.phone.stop(fresh.stop_id(3)).parcels.len(), 2);
    assert_eq!(w.phone.stop(w.day.stop_id(2)).state, StopState::Removed);
    let changed = w.phone.core().changes_since(before).unwrap();
    for id in [w.day.stop_id(0), fresh.stop_id(3), w.day.stop_id(2)] {
        assert!(changed.stops.contains(&id));
    }
    assert_eq!(w.phone.core().routes().unwrap()[0].total_stops, 3);
    // What this build does not understand did not stop what came behind it.
    assert_eq!(w.phone.core().sync_status().unwrap().blocking, None);
}

#[test]
fn a_parcel_taken_off_a_stop_leaves_the_phone_unless_it_was_tried() {
    let mut w = world(Day::new(1).stop(3));
    let draft = w
        .phone
        .core()
        .begin_attempt(w.day.stop_id(0), HandoffKind::Recipient)
        .unwrap();
    let tried = satchel_tests::phone::completion(
        &[w.day.parcel_id(0, 1)],
        satchel_tests::phone::nobody_there(),
    );
    w.phone
        .core()
        .complete_attempt(draft.attempt_id, &tried)
        .unwrap();
    w.day.stops[0].parcels.truncate(1);
    w.hub.give(w.courier, [stop_item(&w.day.stops[0])]);
    assert_eq!(w.phone.sync(&w.hub), SyncEnd::Done);
    let left: Vec<_> = w.phone.stop(w.day.stop_id(0)).parcels;
    assert_eq!(left.len(), 2, "the first, and the one that was tried");
}

#[test]
fn a_rating_comes_back_to_the_couriers_stop() {
    let w = world(Day::new(1).stops(1));
    w.phone.deliver(w.day.stop_id(0), 1).unwrap();
    assert_eq!(w.phone.sync(&w.hub), SyncEnd::Done);
    let version = w.phone.core().changes_since(0).unwrap().version;
    let rating = |stars: u8| {
        let item = json!({
            "parcel_id": w.day.parcel_id(0, 0), "stars": stars, "timeliness": 5, "attitude": 4,
            "information": null, "tags": ["polite"], "comment": "谢谢", "rated_at_ms": MORNING_MS,
            "bound": true
        });
        ("rating".to_owned(), item)
    };
    w.hub.give(w.courier, [rating(5), rating(77)]);
    assert_eq!(w.phone.sync(&w.hub), SyncEnd::Done);
    let view = w.phone.stop(w.day.stop_id(0));
    let shown = view.parcels[0].rating.clone().unwrap();
    assert_eq!((shown.stars, shown.comment.as_deref()), (5, Some("谢谢")));
    let changed = w.phone.core().changes_since(version).unwrap();
    assert_eq!(changed.stops, vec![w.day.stop_id(0)]);
}

#[test]
fn a_wrong_clock_is_corrected_by_the_hubs_signed_time() {
    let w = world(Day::new(1).stops(2));
    let phone_clock = w.phone.clock.clone();
    // The hub goes by its own clock from here on.
    let hub_clock = Arc::new(satchel_core::clock::ManualClock::new(MORNING_MS, 480));
    let hub = ToyHub::new(hub_clock);
    hub.restore(w.hub.backup());
    for jump_ms in [26 * 3_600_000, -400 * 86_400_000, -60 * 365 * 86_400_000] {
        phone_clock.jump_wall_ms(jump_ms);
        w.phone.fail(w.day.stop_id(0)).unwrap();
        let link = FaultyLink::new(&hub, None);
        assert_eq!(w.phone.sync_now(&link), SyncEnd::Done, "{jump_ms}");
        assert_eq!(
            w.phone.stop(w.day.stop_id(0)).sync,
            SyncState::ProofComplete
        );
        assert!(link.take_log().len() <= 3, "one refusal, then it works");
    }
    // Entries keep the clock as it was; nothing is corrected behind the courier's back.
    let log = hub.log(w.phone.device());
    let last = &log.last().unwrap().0;
    assert!(last.occurred_at_ms < MORNING_MS);
    assert!(last.boottime_ns >= log[0].0.boottime_ns);
}

#[test]
fn news_of_a_parcel_that_is_not_here_yet_waits_for_it_through_a_restart() {
    let mut w = world(Day::new(1).stops(2));
    let later = Day::new(2).stops(2);
    let told = |seq, stop| {
        let event = Event {
            id: EventId {
                origin: Origin::Hub,
                seq,
            },
            at_ms: MORNING_MS + seq,
            kind: EventKind::Delivered {
                handoff: HandoffKind::Recipient,
            },
        };
        let parcel_id = later.parcel_id(stop, 0);
        let item = ParcelEventItem { parcel_id, event };
        (
            ParcelEventItem::KIND.to_owned(),
            serde_json::to_value(item).unwrap(),
        )
    };
    // Told twice, as after a lost answer; the second parcel never comes.
    w.hub.give(w.courier, [told(1, 0), told(1, 0), told(2, 1)]);
    assert_eq!(w.phone.sync(&w.hub), SyncEnd::Done);
    assert_eq!(w.phone.core().stops().unwrap().len(), 2);
    w.phone.restart();
    let items = later.items().into_iter().take(2);
    w.hub.give(w.courier, items);
    assert_eq!(w.phone.sync(&w.hub), SyncEnd::Done);
    let stop = w.phone.stop(later.stop_id(0));
    assert_eq!(stop.parcels[0].state, ParcelState::Delivered);
    assert_eq!(w.phone.core().stops().unwrap().len(), 3);
    // His own parcels are untouched by it.
    for n in 0..2 {
        assert_eq!(w.phone.stop(w.day.stop_id(n)).state, StopState::Open);
    }
}
