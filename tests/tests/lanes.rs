//! What the phone asks and sends next when a hub is moody: it puts off some photos, it is set back while it is being
//! looked at, it cannot wait.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use data_encoding::BASE64;
use satchel_core::model::attempt::Completion;
use satchel_core::model::stop::SyncState;
use satchel_core::sync::task::{HttpTask, Network, Purpose, Task, TaskOutcome};
use satchel_protocol::api::PATH_PROOFS;
use satchel_protocol::crypto::sha256;
use satchel_protocol::taxonomy::HandoffKind;
use satchel_tests::day::Day;
use satchel_tests::link::{Transport, answer};
use satchel_tests::phone::{Phone, SyncEnd, completion, nobody_there};
use satchel_tests::toy_hub::{Backup, ToyHub};
use satchel_tests::work::at_work;

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

/// The next request of the log, as far as it is a batch; questions on the way to it are answered.
fn next_batch(phone: &Phone, hub: &ToyHub) -> HttpTask {
    for _ in 0..20 {
        match phone.core().next_task(Network::Metered).unwrap() {
            Task::Http(task) if task.purpose == Purpose::Log && task.method == "POST" => {
                return task;
            }
            Task::Http(task) => {
                let outcome = hub.send(&task).unwrap_or(TaskOutcome::Failed);
                phone.core().complete_task(&task.id, outcome).unwrap();
            }
            Task::Wait { .. } | Task::Done => phone.wait(),
        }
    }
    panic!("no batch is sent");
}

/// A visit with words enough for a long batch, which no compressor makes a short one.
fn long_words(day: &Day, phone: &Phone, n: usize) {
    let drawn = (0..280).map(|i: usize| sha256(&[&n.to_le_bytes(), &i.to_le_bytes()]));
    let words: String = drawn.map(|hash| BASE64.encode(&hash.0)).collect();
    let stop = day.stop_id(n);
    let draft = phone.core().begin_attempt(stop, HandoffKind::Recipient);
    let parcels = phone.stop(stop).parcels;
    let parcels: Vec<_> = parcels.iter().map(|p| p.parcel_id).collect();
    let nobody = Completion {
        note: Some(words.chars().take(2_000).collect()),
        ..completion(&parcels, nobody_there())
    };
    let attempt = draft.unwrap().attempt_id;
    phone.core().complete_attempt(attempt, &nobody).unwrap();
}

#[test]
fn a_phone_whose_processes_end_in_their_first_batch_gets_through_with_smaller_ones() {
    let day = Day::new(1).stops(200);
    let (mut phone, hub) = at_work(&day);
    for n in 0..200 {
        long_words(&day, &phone, n);
    }
    let waiting_bytes = || phone.core().sync_status().unwrap().unsent_bytes;
    assert!(
        (400_000..800_000).contains(&waiting_bytes()),
        "a screen says how much waits"
    );
    let first = next_batch(&phone, &hub).body.len();
    let mut sizes = vec![first];
    for _ in 0..3 {
        phone.restart();
        sizes.push(next_batch(&phone, &hub).body.len());
    }
    assert!(sizes[1] < sizes[0] / 4, "{sizes:?}");
    let last = sizes[3];
    assert!(
        last < 20 * 1_024,
        "half a minute at 700 bytes a second: {sizes:?}"
    );
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    assert_eq!(phone.core().sync_status().unwrap().unsent_bytes, 0);
}

/// A line on which nothing longer than this gets through.
struct Narrow<'a> {
    hub: &'a ToyHub,
    most_bytes: usize,
    refused: AtomicUsize,
}

impl Transport for Narrow<'_> {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        if task.body.len() <= self.most_bytes {
            return self.hub.send(task);
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        Some(TaskOutcome::Response {
            status: 413,
            headers: vec![],
            body: b"<html>413 Request Entity Too Large</html>".to_vec(),
        })
    }
}

#[test]
fn what_is_too_large_for_a_proxy_is_found_out_a_few_times() {
    let day = Day::new(1).stops(200);
    let (phone, hub) = at_work(&day);
    for n in 0..200 {
        long_words(&day, &phone, n);
    }
    let line = Narrow {
        hub: &hub,
        most_bytes: 40_000,
        refused: AtomicUsize::new(0),
    };
    assert_eq!(phone.sync(&line), SyncEnd::Done);
    assert_eq!(phone.core().sync_status().unwrap().unsent_entries, 0);
    let refused = line.refused.into_inner();
    assert!((1..9).contains(&refused), "{refused}");
}
