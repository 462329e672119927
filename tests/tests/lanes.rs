//! What the phone asks and sends next when a hub is moody: it puts off some photos, it is set back while it is being
//! looked at, it cannot wait.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Mutex;

use data_encoding::BASE64;
use satchel_core::clock::Clock as _;
use satchel_core::model::stop::SyncState;
use satchel_core::sync::task::{HttpTask, Network, Purpose, Task, TaskOutcome};
use satchel_protocol::api::PATH_PROOFS;
use satchel_tests::day::Day;
use satchel_tests::link::{Transport, answer};
use satchel_tests::phone::{Phone, SyncEnd};
use satchel_tests::toy_hub::{Backup, ToyHub};
use satchel_tests::work::{Work, at_work};

/// A line to a hub that has enough of some proofs and says so each time.
struct Picky<'a> {
    hub: &'a ToyHub,
    /// How many of the first it saw it will not have.
    refuses: usize,
    seen: Mutex<Vec<String>>,
    asked: Mutex<Vec<usize>>,
}

impl<'a> Picky<'a> {
    fn of(hub: &'a ToyHub, refuses: usize) -> Self {
        Self {
            hub,
            refuses,
            seen: Mutex::default(),
            asked: Mutex::default(),
        }
    }

    /// Which of the proofs, in the order in which they first came, this request is about.
    fn number(&self, task: &HttpTask) -> usize {
        let hash = match task.url.split_once(&format!("{PATH_PROOFS}/")) {
            Some((_, rest)) => rest.split('/').next().unwrap().to_owned(),
            None => {
                let metadata = task.headers.iter().find(|(n, _)| n == "upload-metadata");
                let hash = metadata.unwrap().1.split([' ', ',']).nth(1).unwrap();
                let hash = BASE64.decode(hash.as_bytes()).unwrap();
                data_encoding::HEXLOWER.encode(&hash)
            }
        };
        let mut seen = self.seen.lock().unwrap();
        seen.iter().position(|h| *h == hash).unwrap_or_else(|| {
            seen.push(hash);
            seen.len() - 1
        })
    }
}

impl Transport for Picky<'_> {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        if task.purpose != Purpose::Proof {
            return self.hub.send(task);
        }
        let number = self.number(task);
        self.asked.lock().unwrap().push(number);
        if number >= self.refuses {
            return self.hub.send(task);
        }
        Some(TaskOutcome::Response {
            status: 429,
            headers: vec![("retry-after".to_owned(), "60".to_owned())],
            body: vec![],
        })
    }
}

/// Five deliveries whose entries are at the hub and whose photos go next.
fn five_photos(refuses: usize) -> (Day, Phone, ToyHub, usize) {
    let day = Day::new(1).stops(5);
    let (phone, hub) = at_work(&day);
    for n in 0..5 {
        phone.deliver(day.stop_id(n), n as u64).unwrap();
    }
    (day, phone, hub, refuses)
}

#[test]
fn photos_behind_some_that_the_hub_puts_off_again_and_again_go_as_soon_as_its_waits_are_over() {
    for refuses in 1..=3 {
        let (day, phone, hub, refuses) = five_photos(refuses);
        let line = Picky::of(&hub, refuses);
        phone.core().request_sync();
        // One wait for each that it will not have, no more.
        for _ in 0..refuses {
            assert_eq!(phone.sync_now(&line), SyncEnd::Waiting);
            phone.wait();
        }
        phone.sync_now(&line);
        let whole = |n: usize| phone.stop(day.stop_id(n)).sync == SyncState::ProofComplete;
        let asked = line.asked.lock().unwrap().clone();
        assert_eq!(
            (0..5).filter(|n| whole(*n)).count(),
            5 - refuses,
            "{asked:?}"
        );
        // None of those is forgotten: each is offered again in its turn, the one that waited longest first.
        for _ in 0..4 * refuses {
            phone.wait();
            phone.sync_now(&line);
        }
        let asked = line.asked.lock().unwrap().clone();
        for n in 0..refuses {
            let again = asked.iter().filter(|a| **a == n).count();
            assert!(again >= 3, "{n} of {refuses}: {asked:?}");
        }
        assert_eq!(phone.sync(&hub), SyncEnd::Done);
        assert!((0..5).all(whole));
    }
}

/// A line on which the bytes of the first photo never get through, while questions about it do: something on the way
/// takes offence at them.
struct Breaks<'a>(Picky<'a>);

impl Transport for Breaks<'_> {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        let has_bytes = task.purpose == Purpose::Proof && !task.body.is_empty();
        if has_bytes && self.0.number(task) == 0 {
            return Some(TaskOutcome::Failed);
        }
        self.0.hub.send(task)
    }
}

#[test]
fn photos_behind_one_whose_line_always_breaks_wait_minutes_for_it_and_no_more() {
    let (day, phone, hub, _) = five_photos(0);
    let line = Breaks(Picky::of(&hub, 0));
    phone.core().request_sync();
    let since_ms = phone.clock.wall_ms();
    let whole = || {
        (0..5)
            .filter(|n| phone.stop(day.stop_id(*n)).sync == SyncState::ProofComplete)
            .count()
    };
    while whole() < 4 {
        phone.sync_now(&line);
        phone.wait();
        let waited_ms = phone.clock.wall_ms() - since_ms;
        assert!(waited_ms < 10 * 60 * 1_000, "{} of 4", whole());
    }
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    assert_eq!(whole(), 5);
}

/// The next request, which has to be for this.
fn next(phone: &Phone, purpose: Purpose) -> HttpTask {
    match phone.core().next_task(Network::Unmetered).unwrap() {
        Task::Http(task) if task.purpose == purpose => task,
        other => panic!("{other:?}"),
    }
}

fn complete(phone: &Phone, task: &HttpTask, outcome: TaskOutcome) {
    phone.core().complete_task(&task.id, outcome).unwrap();
}

/// A page without anything, of a hub that says that its feed begins here.
fn begins(cursor: &str) -> TaskOutcome {
    let page = serde_json::json!({"items": [], "cursor": cursor, "more": false, "server_time_ms": 1,
        "snapshot": {"first": true, "last": true}});
    answer(200, page.to_string().into_bytes())
}

/// Ten deliveries at a hub that names three entries at once, and its backups: without the photos, with the first
/// five, with all.
fn ten_photos() -> (Day, Phone, ToyHub, [Backup; 3]) {
    let day = Day::new(2).stops(10);
    let (phone, mut hub) = at_work(&day);
    hub.name_at_once(3);
    for n in 0..10 {
        phone.deliver(day.stop_id(n), n as u64).unwrap();
    }
    let push = next(&phone, Purpose::Log);
    complete(&phone, &push, hub.send(&push).unwrap());
    let none = hub.backup();
    for _ in 0..5 {
        let photo = next(&phone, Purpose::Proof);
        complete(&phone, &photo, hub.send(&photo).unwrap());
    }
    let half = hub.backup();
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    let all = hub.backup();
    (day, phone, hub, [none, half, all])
}

fn whole(day: &Day, phone: &Phone) -> usize {
    let state = |n| phone.stop(day.stop_id(n)).sync;
    (0..10)
        .filter(|n| state(*n) == SyncState::ProofComplete)
        .count()
}

#[test]
fn a_hub_that_is_set_back_while_it_is_looked_through_is_looked_through_from_the_start() {
    let (day, mut phone, hub, [none, half, _]) = ten_photos();
    hub.restore_in_silence(none);
    phone.restart();
    // The first page shows that photos are missing; while the second is on its way they all go up.
    let first = next(&phone, Purpose::Log);
    complete(&phone, &first, hub.send(&first).unwrap());
    assert_eq!(whole(&day, &phone), 0);
    let second = next(&phone, Purpose::Log);
    assert!(second.url.contains("after=3&"), "{}", second.url);
    let feed = next(&phone, Purpose::Feed);
    complete(&phone, &feed, hub.send(&feed).unwrap());
    while whole(&day, &phone) < 10 {
        let photo = next(&phone, Purpose::Proof);
        complete(&phone, &photo, hub.send(&photo).unwrap());
    }
    complete(&phone, &second, hub.send(&second).unwrap());
    // Five are gone again. The page that shows it comes after those that name the other five.
    hub.restore_in_silence(half);
    let line = Picky::of(&hub, 0);
    assert_eq!(phone.sync(&line), SyncEnd::Done);
    assert_eq!(whole(&day, &phone), 10);
    let sent = line.seen.lock().unwrap().len();
    assert_eq!(sent, 5, "of the others no photo is asked for one by one");
}

#[test]
fn what_a_hub_said_before_it_was_set_back_counts_no_more_when_it_comes_late() {
    let (day, phone, hub, [none, _, all]) = ten_photos();
    hub.restore_in_silence(all);
    phone.core().feed_hint();
    let feed = next(&phone, Purpose::Feed);
    complete(&phone, &feed, begins("another"));
    assert_eq!(whole(&day, &phone), 0, "it is to be looked at");
    let asked = next(&phone, Purpose::Log);
    let late = hub.send(&asked).unwrap();
    hub.restore_in_silence(none);
    phone.core().feed_hint();
    let feed = next(&phone, Purpose::Feed);
    complete(&phone, &feed, begins("yet-another"));
    complete(&phone, &asked, late);
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    assert_eq!(whole(&day, &phone), 10);
    let held = hub.holds(phone.device()).blobs.len();
    assert_eq!(held, 20, "photos and signatures, by the hub's own books");
}

/// A line to a hub that has nothing for the courier, and begins to say so each time.
struct Older<'a>(&'a ToyHub);

impl Transport for Older<'_> {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        match task.purpose {
            Purpose::Feed => Some(begins("start")),
            _ => self.0.send(task),
        }
    }
}

#[test]
fn an_older_hub_that_has_nothing_for_the_courier_is_not_asked_for_the_log_each_time() {
    let (day, phone, hub, _) = ten_photos();
    let poll = || match phone.core().poll_task(Network::Unmetered).unwrap() {
        Task::Http(task) => task,
        other => panic!("{other:?}"),
    };
    let line = Older(&hub);
    // The first time it is another history than that of the hub before it.
    assert_eq!(phone.sync(&line), SyncEnd::Done);
    let mut others = 0;
    for _ in 0..20 {
        phone.clock.advance_ms(6_000);
        let task = poll();
        complete(&phone, &task, line.send(&task).unwrap());
        while let Task::Http(task) = phone.core().next_task(Network::Unmetered).unwrap() {
            others += usize::from(task.purpose != Purpose::Feed);
            complete(&phone, &task, line.send(&task).unwrap());
        }
    }
    assert_eq!(others, 0, "log, key and photos are left alone");
    assert_eq!(whole(&day, &phone), 10);
}

#[test]
fn a_receipt_that_was_on_its_way_when_the_hub_was_set_back_does_not_count() {
    let work = Work::on(Day::new(5).stops(2));
    work.phone.deliver(work.day.stop_id(0), 0).unwrap();
    // Its photo is on the way, the hub has it and says so, and is then set back to before it came.
    let (upload, before) = loop {
        let before = work.hub.backup();
        let Task::Http(task) = work.phone.core().next_task(Network::Unmetered).unwrap() else {
            panic!("no upload");
        };
        let outcome = work.hub.send(&task).unwrap();
        if task.purpose == Purpose::Proof {
            break ((task, outcome), before);
        }
        complete(&work.phone, &task, outcome);
    };
    work.hub.restore(before);
    // The log finds that out first.
    work.phone.deliver(work.day.stop_id(1), 1).unwrap();
    while let Task::Http(task) = work.phone.core().next_task(Network::Unmetered).unwrap() {
        complete(&work.phone, &task, work.hub.send(&task).unwrap());
    }
    let (task, outcome) = upload;
    complete(&work.phone, &task, outcome);
    assert_ne!(
        work.phone.stop(work.day.stop_id(0)).sync,
        SyncState::ProofComplete
    );
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    for n in 0..2 {
        assert_eq!(
            work.phone.stop(work.day.stop_id(n)).sync,
            SyncState::ProofComplete
        );
    }
    let photos = work.attempts().into_iter().flat_map(|a| a.proofs);
    assert!(photos.into_iter().all(|p| work.hub.has_blob(p.hash)));
}
