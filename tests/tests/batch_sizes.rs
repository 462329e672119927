//! How large batches are: small for processes that end early, for lines that cut and for proxies that let little through,
//! and large again where that is over.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use data_encoding::BASE64;
use satchel_core::model::attempt::Completion;
use satchel_core::sync::task::{HttpTask, Network, Purpose, Task, TaskOutcome};
use satchel_protocol::crypto::sha256;
use satchel_protocol::taxonomy::HandoffKind;
use satchel_tests::day::Day;
use satchel_tests::link::Transport;
use satchel_tests::phone::{Phone, SyncEnd, completion, nobody_there};
use satchel_tests::toy_hub::ToyHub;
use satchel_tests::work::at_work;

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
    note(day, phone, n, &drawn(n, 2_000));
}

/// Characters that no compressor makes fewer of than six bits have.
fn drawn(n: usize, chars: usize) -> String {
    let drawn = (0..280).map(|i: usize| sha256(&[&n.to_le_bytes(), &i.to_le_bytes()]));
    let words: String = drawn.map(|hash| BASE64.encode(&hash.0)).collect();
    words.chars().take(chars).collect()
}

fn note(day: &Day, phone: &Phone, n: usize, words: &str) {
    let stop = day.stop_id(n);
    let draft = phone.core().begin_attempt(stop, HandoffKind::Recipient);
    let parcels = phone.stop(stop).parcels;
    let parcels: Vec<_> = parcels.iter().map(|p| p.parcel_id).collect();
    let nobody = Completion {
        note: Some(words.to_owned()),
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

/// The batches of a process that sends all it has.
fn batches(phone: &Phone, hub: &ToyHub) -> Vec<usize> {
    let line = Seen {
        hub,
        bodies: Mutex::default(),
    };
    assert_eq!(phone.sync(&line), SyncEnd::Done);
    assert_eq!(phone.core().sync_status().unwrap().unsent_entries, 0);
    line.bodies.into_inner().unwrap()
}

/// Notes how long each batch is.
struct Seen<'a> {
    hub: &'a ToyHub,
    bodies: Mutex<Vec<usize>>,
}

impl Transport for Seen<'_> {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        if task.purpose == Purpose::Log && task.method == "POST" {
            self.bodies.lock().unwrap().push(task.body.len());
        }
        self.hub.send(task)
    }
}

#[test]
fn a_process_that_ended_or_a_cut_on_a_good_line_does_not_make_batches_small_for_good() {
    const A_PROCESS: usize = 150;
    let day = Day::new(1).stops(5 * A_PROCESS);
    let (mut phone, hub) = at_work(&day);
    let mut stops = 0..5 * A_PROCESS;
    let mut record = |phone: &Phone| {
        for n in stops.by_ref().take(A_PROCESS) {
            // As ordinary records do, these compress to less than half.
            note(&day, phone, n, &drawn(n, 480).repeat(4));
        }
    };
    let mut counts = Vec::new();
    // Ended in its first batch, twice.
    record(&phone);
    for _ in 0..2 {
        next_batch(&phone, &hub);
        phone.restart();
    }
    counts.push(batches(&phone, &hub).len());
    phone.restart();
    record(&phone);
    counts.push(batches(&phone, &hub).len());
    // Cut once.
    phone.restart();
    record(&phone);
    let cut = next_batch(&phone, &hub);
    let core = phone.core();
    core.complete_task(&cut.id, TaskOutcome::Failed).unwrap();
    phone.wait();
    counts.push(batches(&phone, &hub).len());
    for _ in 0..2 {
        phone.restart();
        record(&phone);
        counts.push(batches(&phone, &hub).len());
    }
    assert!(counts[0] < 5 && counts[2] < 5, "{counts:?}");
    assert_eq!([counts[1], counts[3], counts[4]], [1; 3], "{counts:?}");
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

/// A hub that has too much to do once.
struct Busy<'a> {
    seen: Seen<'a>,
    put_off: AtomicUsize,
}

impl Transport for Busy<'_> {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        let is_batch = task.purpose == Purpose::Log && task.method == "POST";
        if is_batch && self.put_off.fetch_add(1, Ordering::Relaxed) == 0 {
            self.seen.bodies.lock().unwrap().push(task.body.len());
            return Some(TaskOutcome::Response {
                status: 429,
                headers: vec![("retry-after".into(), "30".into())],
                body: br#"{"error":"rate_limited"}"#.to_vec(),
            });
        }
        self.seen.send(task)
    }
}

#[test]
fn a_hub_that_puts_a_batch_off_gets_the_same_later_and_no_smaller_ones() {
    let day = Day::new(1).stops(200);
    let (phone, hub) = at_work(&day);
    for n in 0..200 {
        long_words(&day, &phone, n);
    }
    let bodies = Mutex::default();
    let line = Busy {
        seen: Seen { hub: &hub, bodies },
        put_off: AtomicUsize::new(0),
    };
    assert_eq!(phone.sync(&line), SyncEnd::Done);
    assert_eq!(phone.core().sync_status().unwrap().unsent_entries, 0);
    let sizes = line.seen.bodies.into_inner().unwrap();
    assert_eq!(sizes, [sizes[0]; 2]);
}
