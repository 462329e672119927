//! Everything that can happen to a request: nothing is believed that is not signed, nothing is lost,
//! and the queue empties once the line is whole again.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;

use satchel_core::clock::{Clock as _, ManualClock};
use satchel_core::model::status::Blocking;
use satchel_core::model::stop::SyncState;
use satchel_core::sync::task::{HttpTask, Network, Task, TaskOutcome};
use satchel_protocol::api::ErrorCode;
use satchel_tests::day::{Day, MORNING_MS};
use satchel_tests::link::{Fault, FaultyLink, Transport, answer};
use satchel_tests::phone::{Phone, SyncEnd, photo_files};
use satchel_tests::toy_hub::ToyHub;
use satchel_tests::work::at_work;

/// What a test answers instead of the hub.
type Answerer<'a> = dyn Fn(&HttpTask) -> Option<TaskOutcome> + 'a;

/// Answers by a function.
struct Asked<'a>(&'a Answerer<'a>);

impl Transport for Asked<'_> {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        (self.0)(task)
    }
}

/// Everything recorded is at the hub exactly once, and only then the screen says so.
fn assert_converged(phone: &Phone, hub: &ToyHub, stops: &Day, count: usize) {
    let log = hub.log(phone.device());
    assert_eq!(log.len(), count + 1, "enrolment and one entry per attempt");
    for (header, _) in &log {
        assert!(header.blobs.iter().all(|hash| hub.has_blob(*hash)));
    }
    for n in 0..count {
        assert_eq!(phone.stop(stops.stop_id(n)).sync, SyncState::ProofComplete);
    }
    let status = phone.core().sync_status().unwrap();
    assert_eq!(status.unsent_entries + status.unsent_proofs, 0);
    assert_eq!(status.blocking, None);
}

#[test]
fn each_fault_at_each_place_of_the_conversation_is_survived() {
    // A delivery needs a push and an upload, and the pull in between: four places to break.
    for fault in Fault::ALL {
        for place in 0..5 {
            let day = Day::new(1).stops(1);
            let (phone, hub) = at_work(&day);
            phone.deliver(day.stop_id(0), 1).unwrap();
            let link = FaultyLink::new(&hub, Some(hub.signing_key()));
            let mut script = vec![None; place];
            script.push(Some(fault));
            link.script(script);
            let end = phone.sync(&link);
            assert_eq!(
                end,
                SyncEnd::Done,
                "{fault:?} at {place}: {:?}",
                link.take_log()
            );
            assert_converged(&phone, &hub, &day, 1);
        }
    }
}

#[test]
fn a_line_that_always_breaks_the_same_way_loses_nothing_and_never_spins() {
    for fault in Fault::ALL {
        let day = Day::new(1).stops(3);
        let (phone, hub) = at_work(&day);
        for n in 0..3 {
            phone.deliver(day.stop_id(n), n as u64).unwrap();
        }
        let link = FaultyLink::new(&hub, Some(hub.signing_key()));
        link.always(fault);
        phone.core().request_sync();
        for _ in 0..20 {
            assert_eq!(phone.sync_now(&link), SyncEnd::Waiting, "{fault:?}");
            phone.wait();
        }
        let sent = link.take_log().len();
        assert!(sent < 150, "{fault:?}: {sent} requests in 20 waits");
        // A duplicated request was answered; its second answer is a refusal of the replay.
        for n in 0..3 {
            let state = phone.stop(day.stop_id(n)).sync;
            assert!(state < SyncState::ProofComplete, "{fault:?}: {state:?}");
        }
        link.heal();
        assert_eq!(phone.sync(&link), SyncEnd::Done, "{fault:?}");
        assert_converged(&phone, &hub, &day, 3);
    }
}

#[test]
fn the_screen_tells_a_dead_line_from_a_portal_and_from_a_hub_that_refuses() {
    let day = Day::new(1).stops(1);
    let (phone, hub) = at_work(&day);
    phone.fail(day.stop_id(0)).unwrap();
    let link = FaultyLink::new(&hub, None);
    let blocking = || phone.core().sync_status().unwrap().blocking;
    for (fault, shown) in [
        (Fault::DropRequest, Blocking::Network),
        (Fault::Portal, Blocking::BadAnswer),
        (Fault::Status500, Blocking::BadAnswer),
    ] {
        link.always(fault);
        phone.core().request_sync();
        phone.sync_now(&link);
        assert_eq!(blocking(), Some(shown));
    }
    let Task::Http(push) = next(&phone) else {
        panic!("nothing to send")
    };
    let body = format!("{{\"error\":\"{}\"}}", "quarantined");
    let refusal = answer(423, body.into_bytes());
    phone.core().complete_task(&push.id, refusal).unwrap();
    assert_eq!(blocking(), Some(Blocking::Refused));
    // Pulling to refresh does not hammer a hub that wants a person to look.
    phone.core().request_sync();
    link.heal();
    let _ = link.take_log();
    phone.sync_now(&link);
    let sent = link.take_log();
    assert!(
        sent.iter().all(|(line, _)| !line.contains("/v1/log")),
        "{sent:?}"
    );
    // But it is asked again in time, and then all is well.
    assert_eq!(phone.sync(&link), SyncEnd::Done);
    assert_converged(&phone, &hub, &day, 1);
}

fn next(phone: &Phone) -> Task {
    phone.core().request_sync();
    for _ in 0..50 {
        match phone.core().next_task(Network::Unmetered).unwrap() {
            Task::Http(task) if task.url.contains("/v1/log") => return Task::Http(task),
            Task::Http(other) => phone
                .core()
                .complete_task(&other.id, TaskOutcome::Failed)
                .unwrap(),
            _ => phone.wait(),
        }
    }
    panic!("the log is never sent")
}

#[test]
fn a_receipt_that_is_not_ours_changes_nothing_and_is_counted() {
    for fault in [Fault::ForgedReceipt, Fault::OtherDevice, Fault::UnknownHash] {
        let day = Day::new(1).stops(1);
        let (phone, hub) = at_work(&day);
        phone.deliver(day.stop_id(0), 1).unwrap();
        let alarms = || phone.core().sync_status().unwrap().receipt_alarms;
        assert_eq!(alarms(), 0);
        let link = FaultyLink::new(&hub, Some(hub.signing_key()));
        link.always(fault);
        phone.sync_now(&link);
        assert!(alarms() > 0, "{fault:?}");
        let view = phone.stop(day.stop_id(0));
        assert_eq!(view.sync, SyncState::Local, "{fault:?}");
        assert_eq!(phone.core().sync_status().unwrap().unsent_entries, 1);
        link.heal();
        assert_eq!(phone.sync(&link), SyncEnd::Done);
        assert_converged(&phone, &hub, &day, 1);
    }
}

#[test]
fn a_true_receipt_for_half_of_a_batch_leaves_the_other_half_unsent() {
    let day = Day::new(1).stops(2);
    let (phone, hub) = at_work(&day);
    phone.fail(day.stop_id(0)).unwrap();
    let early = match next(&phone) {
        Task::Http(task) => hub.send(&task).unwrap(),
        other => panic!("{other:?}"),
    };
    // The first request is lost to the phone; the second one gets the first one's answer.
    phone.fail(day.stop_id(1)).unwrap();
    phone
        .clock
        .advance_ms(satchel_core::limits::TASK_LOST_AFTER_MS + 1);
    let Task::Http(push) = next(&phone) else {
        panic!("nothing to send")
    };
    phone.core().complete_task(&push.id, early).unwrap();
    assert_eq!(phone.stop(day.stop_id(0)).sync, SyncState::ProofComplete);
    assert_eq!(phone.stop(day.stop_id(1)).sync, SyncState::Local);
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    assert_converged(&phone, &hub, &day, 2);
}

/// A hub that will not take one kind of request, and everything else as usual.
struct Except<'a, F> {
    hub: &'a ToyHub,
    refuse: F,
}

impl<F: Fn(&HttpTask) -> Option<TaskOutcome>> Transport for Except<'_, F> {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        (self.refuse)(task).or_else(|| self.hub.send(task))
    }
}

#[test]
fn one_photo_the_hub_will_not_take_holds_up_no_other() {
    let day = Day::new(1).stops(6);
    let (phone, hub) = at_work(&day);
    for n in 0..6 {
        phone.deliver(day.stop_id(n), n as u64).unwrap();
    }
    let poisoned = std::cell::RefCell::new(None);
    let link = Except {
        hub: &hub,
        refuse: |task: &HttpTask| {
            if task.method != "POST" || !task.url.ends_with("/v1/proofs") {
                return None;
            }
            let mut poisoned = poisoned.borrow_mut();
            let first = poisoned.get_or_insert_with(|| task.body.clone());
            (*first == task.body).then(|| answer(413, br#"{"error":"too_large"}"#.to_vec()))
        },
    };
    phone.core().request_sync();
    for _ in 0..12 {
        phone.sync_now(&link);
        phone.wait();
    }
    let done = (0..6)
        .filter(|n| phone.stop(day.stop_id(*n)).sync == SyncState::ProofComplete)
        .count();
    assert_eq!(done, 5);
    assert_eq!(phone.core().sync_status().unwrap().unsent_proofs, 1);
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    assert_converged(&phone, &hub, &day, 6);
}

#[test]
fn a_photo_this_phone_can_no_longer_read_stays_visible_and_holds_up_no_other() {
    let day = Day::new(1).stops(3);
    let (phone, hub) = at_work(&day);
    for n in 0..3 {
        phone.deliver(day.stop_id(n), n as u64).unwrap();
        if n == 0 {
            for file in photo_files(&phone.dir) {
                std::fs::write(file, b"overwritten").unwrap();
            }
        }
    }
    phone.sync(&hub);
    assert_eq!(phone.stop(day.stop_id(0)).sync, SyncState::ProofLost);
    assert_eq!(phone.stop(day.stop_id(1)).sync, SyncState::ProofComplete);
    assert_eq!(phone.stop(day.stop_id(2)).sync, SyncState::ProofComplete);
    let status = phone.core().sync_status().unwrap();
    assert_eq!((status.unsent_proofs, status.lost_proofs), (0, 1));
}

#[test]
fn hubs_that_answer_in_circles_are_asked_with_patience() {
    let day = Day::new(1).stops(1);
    let (phone, hub) = at_work(&day);
    phone.deliver(day.stop_id(0), 1).unwrap();
    let refuse_push = |task: &HttpTask| {
        (task.method == "POST" && task.url.contains("/v1/log"))
            .then(|| answer(500, b"database is locked".to_vec()))
    };
    let has_all_of_it_and_no_receipt = |task: &HttpTask| {
        if !task.url.contains("/v1/proofs") {
            return None;
        }
        Some(match task.method {
            "HEAD" => TaskOutcome::Response {
                status: 200,
                headers: vec![("Upload-Offset".into(), "999999".into())],
                body: vec![],
            },
            "GET" => answer(404, vec![]),
            _ => answer(409, vec![]),
        })
    };
    let empty_receipts = |task: &HttpTask| {
        (task.method == "POST" && task.url.contains("/v1/log")).then(|| empty_receipt(&phone, &hub))
    };
    let hour_ns = 3_600_000_000_000;
    let pushes: [&Answerer<'_>; 2] = [&refuse_push, &empty_receipts];
    for (case, refuse) in pushes.into_iter().enumerate() {
        let requests = std::cell::Cell::new(0);
        let link = Except {
            hub: &hub,
            refuse: |task: &HttpTask| {
                requests.set(requests.get() + 1);
                refuse(task)
            },
        };
        let until_ns = phone.clock.boottime_ns() + hour_ns;
        phone.core().request_sync();
        while phone.clock.boottime_ns() < until_ns {
            assert_eq!(phone.sync_now(&link), SyncEnd::Waiting, "case {case}");
            phone.wait();
        }
        let asked = requests.get();
        assert!(asked < 200, "case {case}: {asked} requests in an hour");
    }
    // Now the entry gets through, and the photo meets the circle.
    let requests = std::cell::Cell::new(0);
    let link = Except {
        hub: &hub,
        refuse: |task: &HttpTask| {
            requests.set(requests.get() + 1);
            has_all_of_it_and_no_receipt(task)
        },
    };
    phone.core().request_sync();
    for _ in 0..10 {
        assert_eq!(phone.sync_now(&link), SyncEnd::Waiting);
        phone.wait();
    }
    assert!(requests.get() < 200, "{} requests", requests.get());
    assert_eq!(phone.stop(day.stop_id(0)).sync, SyncState::Received);
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    assert_converged(&phone, &hub, &day, 1);
}

/// True, for this phone, and names nothing.
fn empty_receipt(phone: &Phone, hub: &ToyHub) -> TaskOutcome {
    let receipt = satchel_protocol::receipt::Receipt {
        version: 1,
        device: phone.device(),
        hub_key: satchel_protocol::crypto::key_id(&hub.signing_key().verifying_key()),
        received_at_ms: 1,
        entries: vec![],
        blobs: vec![],
        head_seq: 1,
        wedged: None,
    };
    answer(200, receipt.sign(&hub.signing_key()).encode())
}

#[test]
fn a_feed_that_goes_round_or_never_ends_is_followed_with_patience_and_read_when_it_is_whole() {
    let n = std::cell::Cell::new(0_u64);
    let constant = || "x".to_owned();
    let alternating = || format!("x{}", n.get() % 2);
    let backwards = || format!("x{}", 9 - n.get() % 10);
    let always_new = || format!("x{}", n.get());
    let feeds: [(&dyn Fn() -> String, u64); 4] = [
        (&constant, 60),
        (&alternating, 120),
        (&backwards, 500),
        (&always_new, 700),
    ];
    for (case, (cursor, bound)) in feeds.into_iter().enumerate() {
        let day = Day::new(1).stops(1);
        let (phone, hub) = at_work(&day);
        n.set(0);
        let link = Except {
            hub: &hub,
            refuse: |task: &HttpTask| {
                let is_feed = task.url.contains("/v1/feed");
                is_feed.then(|| {
                    n.set(n.get() + 1);
                    let page = serde_json::json!({"items": [], "cursor": cursor(), "more": true,
                        "server_time_ms": 1});
                    answer(200, page.to_string().into_bytes())
                })
            },
        };
        let until_ns = phone.clock.boottime_ns() + 3_600_000_000_000;
        phone.core().request_sync();
        while phone.clock.boottime_ns() < until_ns {
            assert_eq!(phone.sync_now(&link), SyncEnd::Waiting, "case {case}");
            let blocking = phone.core().sync_status().unwrap().blocking;
            assert_eq!(blocking, Some(Blocking::BadAnswer), "case {case}");
            phone.wait();
        }
        assert!(n.get() < bound, "case {case}: {} pages", n.get());
        phone.fail(day.stop_id(0)).unwrap();
        // The toy hub does not know the place and says so; then all is as it was.
        assert_eq!(phone.sync(&hub), SyncEnd::Done, "case {case}");
        assert_converged(&phone, &hub, &day, 1);
    }
}

#[test]
fn a_hub_that_always_has_news_is_not_asked_without_a_pause() {
    let day = Day::new(1).stops(1);
    let (phone, _hub) = at_work(&day);
    let mut asked = 0;
    for n in 0..600 {
        if let Task::Http(task) = phone.core().poll_task(Network::Unmetered).unwrap() {
            asked += 1;
            let page = serde_json::json!({"cursor": format!("x{}", n % 2), "more": false,
                "items": [{"seq": n, "kind": "weather", "data": {}}], "server_time_ms": 1});
            let page = answer(200, page.to_string().into_bytes());
            phone.core().complete_task(&task.id, page).unwrap();
        }
        phone.clock.advance_ms(100);
    }
    assert!(asked < 40, "{asked} requests in a minute");
}

#[test]
fn a_portal_cannot_silence_a_phone_for_longer_than_a_quarter_of_an_hour_or_so() {
    let day = Day::new(1).stops(1);
    let (phone, hub) = at_work(&day);
    phone.fail(day.stop_id(0)).unwrap();
    let portal = |_: &HttpTask| {
        Some(TaskOutcome::Response {
            status: 503,
            headers: vec![("Retry-After".into(), "99999999".into())],
            body: b"<html>Back soon</html>".to_vec(),
        })
    };
    phone.core().request_sync();
    phone.sync_now(&Asked(&portal));
    let next_ms = phone.core().sync_status().unwrap().next_retry_ms.unwrap();
    let wait_ms = next_ms - phone.clock.wall_ms();
    assert!((900_000..=1_350_000).contains(&wait_ms), "{wait_ms} ms");
    phone.clock.advance_ms(1_350_000);
    assert_eq!(phone.sync_now(&hub), SyncEnd::Done);
    assert_converged(&phone, &hub, &day, 1);
}

#[test]
fn a_hub_that_names_its_pace_is_obeyed() {
    let day = Day::new(1).stops(1);
    let (phone, _hub) = at_work(&day);
    phone.fail(day.stop_id(0)).unwrap();
    let Task::Http(push) = next(&phone) else {
        panic!("nothing to send")
    };
    let busy = TaskOutcome::Response {
        status: 429,
        headers: vec![("Retry-After".into(), "600".into())],
        body: serde_json::to_vec(&serde_json::json!({"error": ErrorCode::RateLimited})).unwrap(),
    };
    phone.core().complete_task(&push.id, busy).unwrap();
    let next_ms = phone.core().sync_status().unwrap().next_retry_ms.unwrap();
    let now_ms = phone.clock.wall_ms();
    // Never earlier; and later by up to half, so that phones which were all told the same do not come together.
    assert!((600_000..=900_000).contains(&(next_ms - now_ms)));
}

/// Sent away by a hub that has too much to do, for ten minutes.
fn away() -> TaskOutcome {
    TaskOutcome::Response {
        status: 503,
        headers: vec![("retry-after".into(), "600".into())],
        body: br#"{"error":"internal"}"#.to_vec(),
    }
}

#[test]
fn a_hub_that_sends_everybody_away_is_left_alone_whatever_is_pushed_or_pressed() {
    let day = Day::new(1).stops(1);
    let (phone, hub) = at_work(&day);
    phone.deliver(day.stop_id(0), 1).unwrap();
    let requests = std::cell::Cell::new(0);
    let busy = |_: &HttpTask| {
        requests.set(requests.get() + 1);
        Some(away())
    };
    phone.core().request_sync();
    phone.sync_now(&Asked(&busy));
    assert!((1..=4).contains(&requests.replace(0)));
    // Ten minutes of messages from the operator.
    for _ in 0..590 {
        phone.clock.advance_ms(1_000);
        phone.core().feed_hint();
        phone.sync_now(&Asked(&busy));
    }
    assert_eq!(requests.get(), 0, "a push message passes no wait");
    // An hour with a finger on the screen: what a courier asks for passes such a wait now and then.
    for _ in 0..3_600 {
        phone.clock.advance_ms(1_000);
        phone.core().request_sync();
        phone.sync_now(&Asked(&busy));
    }
    let asked = requests.get();
    assert!((1..=40).contains(&asked), "{asked} requests in an hour");
    phone.clock.advance_ms(900_000);
    assert_eq!(phone.sync_now(&hub), SyncEnd::Done);
    assert_converged(&phone, &hub, &day, 1);
}

#[test]
fn a_hub_that_is_away_is_asked_once_each_time_and_gets_everything_when_it_is_back() {
    for fault in [Fault::DropRequest, Fault::Status500] {
        let day = Day::new(1).stops(3);
        let (phone, hub) = at_work(&day);
        phone.deliver(day.stop_id(0), 1).unwrap();
        let link = FaultyLink::new(&hub, None);
        link.always(fault);
        let until_ns = phone.clock.boottime_ns() + 3_600_000_000_000;
        let (mut requests, mut most_at_once, mut recorded) = (0, 0, 1);
        phone.core().request_sync();
        while phone.clock.boottime_ns() < until_ns {
            assert_eq!(phone.sync_now(&link), SyncEnd::Waiting, "{fault:?}");
            let sent = link.take_log().len();
            most_at_once = most_at_once.max(if requests > 4 { sent } else { 0 });
            requests += sent;
            if requests > 12 && recorded < 3 {
                phone
                    .deliver(day.stop_id(recorded), recorded as u64 + 1)
                    .unwrap();
                recorded += 1;
            }
            phone.wait();
        }
        assert_eq!(most_at_once, 1, "{fault:?}");
        assert!(requests < 36, "{fault:?}: {requests} requests in an hour");
        link.heal();
        while phone.sync_now(&link) == SyncEnd::Waiting {
            phone.wait();
        }
        assert_converged(&phone, &hub, &day, 3);
    }
}

#[test]
fn an_upload_cut_half_way_goes_on_where_it_stopped() {
    let day = Day::new(1).stops(1);
    let (phone, hub) = at_work(&day);
    phone.deliver(day.stop_id(0), 1).unwrap();
    let link = FaultyLink::new(&hub, None);
    // Push, feed, then the upload is cut, also when it goes on.
    link.script([
        None,
        None,
        Some(Fault::CutRequest),
        None,
        Some(Fault::CutRequest),
    ]);
    assert_eq!(phone.sync(&link), SyncEnd::Done);
    let sent: Vec<String> = link.take_log().into_iter().map(|(line, _)| line).collect();
    let of = |method: &str| {
        sent.iter()
            .filter(|l| l.starts_with(method) && l.contains("/v1/proofs"))
            .count()
    };
    assert_eq!((of("POST"), of("HEAD"), of("PATCH")), (1, 2, 2), "{sent:?}");
    assert_converged(&phone, &hub, &day, 1);
}

#[test]
fn a_phone_whose_clock_moved_goes_on_with_a_cut_photo_at_once() {
    let day = Day::new(1).stops(1);
    let phone = Phone::new(7);
    let hub = ToyHub::new(Arc::new(ManualClock::new(MORNING_MS, 480)));
    let (invite, courier) = hub.invite("王师傅");
    hub.give(courier, day.items());
    phone.enrol(&invite, &hub);
    phone.deliver(day.stop_id(0), 1).unwrap();
    let link = FaultyLink::new(&hub, Some(hub.signing_key()));
    // The entry, a look at the feed, and the photo, which is cut.
    link.script([None, None, Some(Fault::CutRequest)]);
    phone.core().request_sync();
    assert_eq!(phone.sync_now(&link), SyncEnd::Waiting);
    let cut = |(_, fault): &(String, Option<Fault>)| *fault == Some(Fault::CutRequest);
    assert!(link.take_log().iter().any(cut));
    phone.wait();
    phone.clock.jump_wall_ms(3_600_000);
    assert_eq!(phone.sync_now(&link), SyncEnd::Done);
    let said: Vec<String> = link.take_log().into_iter().map(|(line, _)| line).collect();
    let heads = said.iter().filter(|line| line.starts_with("HEAD")).count();
    assert_eq!(heads, 2, "the second under the hub's time: {said:?}");
    assert!(!said.iter().any(|line| line.starts_with("POST /v1/proofs")));
    assert_converged(&phone, &hub, &day, 1);
}

/// The hub as it was before it took lean signatures, however often it said that it does.
struct Older<'a>(&'a ToyHub);

impl Transport for Older<'_> {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        let input = task.headers.iter().find(|(n, _)| n == "signature-input");
        if input.is_some_and(|(_, v)| !v.contains("idempotency-key")) {
            return Some(answer(401, br#"{"error":"unsigned"}"#.to_vec()));
        }
        self.0.send(task)
    }
}

#[test]
fn uploads_are_signed_lean_where_the_hub_takes_it_and_in_full_where_it_refuses() {
    let day = Day::new(1).stops(2);
    let (phone, hub) = at_work(&day);
    let profiles = std::cell::RefCell::new(Vec::new());
    let seen = |task: &HttpTask, to: &dyn Transport| {
        if task.url.contains("/v1/proofs") {
            let full = task.headers.iter().any(|(n, _)| n == "idempotency-key");
            profiles.borrow_mut().push(full);
        }
        to.send(task)
    };
    phone.deliver(day.stop_id(0), 1).unwrap();
    let now = |task: &HttpTask| seen(task, &hub);
    assert_eq!(phone.sync(&Asked(&now)), SyncEnd::Done);
    assert_eq!(profiles.take(), [false]);
    phone.deliver(day.stop_id(1), 2).unwrap();
    let older = Older(&hub);
    let then = |task: &HttpTask| seen(task, &older);
    assert_eq!(phone.sync(&Asked(&then)), SyncEnd::Done);
    let said = profiles.take();
    assert_eq!((said.first(), said.last()), (Some(&false), Some(&true)));
    assert_converged(&phone, &hub, &day, 2);
}

#[test]
fn a_cursor_the_hub_does_not_know_is_forgotten_and_the_feed_read_again() {
    let day = Day::new(1).stops(2);
    let (phone, hub) = at_work(&day);
    let fresh = Day::new(2).stops(1);
    let refused = std::cell::Cell::new(0);
    let link = Except {
        hub: &hub,
        refuse: |task: &HttpTask| {
            task.url.contains("cursor=").then(|| {
                refused.set(refused.get() + 1);
                answer(400, br#"{"error":"malformed","detail":"cursor"}"#.to_vec())
            })
        },
    };
    let courier = satchel_protocol::ids::CourierId(uuid::Uuid::from_u64_pair(0xC0, 1));
    hub.give(courier, fresh.items());
    phone.core().request_sync();
    assert_eq!(phone.sync_now(&link), SyncEnd::Waiting);
    phone.wait();
    // From the start in pages: the first one comes without a cursor.
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    assert_eq!(refused.get(), 1);
    assert_eq!(phone.stop(fresh.stop_id(0)).parcels.len(), 1);
    assert_eq!(phone.core().stops().unwrap().len(), 3);
}
