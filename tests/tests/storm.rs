//! After an outage: phones that all have something to send meet a hub that has just come back. In one test they come by
//! their engines' own waits, through an outage of silence and then of a gateway's 503, with the time of all of them let
//! pass as it would; in the others without any spread, as many at a time as the machine has threads for, which is
//! harsher: once each with its first entry, once fewer of them with half a day's deliveries, their signatures and photos.
//!
//! The short form has 64 phones, and 8 with 6 visits; `SATCHEL_PHONES=10000 cargo test --release -p satchel-tests --test
//! storm -- --nocapture` is the long one, with 250 of 40 visits. Each phone is the real core with a store of its own. The
//! stores lie in memory where the machine has a file system for that, because the phones are here to press the hub; the
//! hub's files lie on the disk.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "how long the hub took is the machine's time"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use satchel_core::clock::{Clock as _, ManualClock};
use satchel_core::model::status::Enrolment;
use satchel_core::sync::task::{HttpTask, Network, Purpose, Task, TaskOutcome};
use satchel_tests::day::MORNING_MS;
use satchel_tests::http::HttpTransport;
use satchel_tests::link::Transport;
use satchel_tests::phone::{Phone, SyncEnd};
use satchel_tests::running::Running;
use tempfile::TempDir;

const PHONES: usize = 64;
const THREADS: usize = 16;
/// Phones that are open at once; a store takes some megabytes.
const WAVE: usize = 256;

/// How long a request may take: on a machine that does other things too, a storm takes its time.
const PATIENCE: Duration = Duration::from_secs(120);

/// The way to the hub, with a watch.
struct Watched<'a> {
    hub: &'a (dyn Transport + Sync),
    answers: Mutex<Vec<(Duration, u16)>>,
}

impl Transport for Watched<'_> {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        let begun = Instant::now();
        let outcome = self.hub.send(task);
        let status = match &outcome {
            Some(TaskOutcome::Response { status, .. }) => *status,
            _ => 0,
        };
        self.answers.lock().unwrap().push((begun.elapsed(), status));
        outcome
    }
}

/// Where phones live.
fn memory() -> PathBuf {
    let shared = PathBuf::from("/dev/shm");
    match shared.is_dir() {
        true => shared,
        false => std::env::temp_dir(),
    }
}

fn courier(n: usize) -> String {
    format!("courier {n}")
}

/// A phone that is enrolled and whose first entry met the outage, as did `visits` on its round: every second one a
/// delivery with photo and signature.
fn cut_off(hub: &Running, n: usize, visits: usize) -> (Phone, TempDir) {
    let home = tempfile::tempdir_in(memory()).unwrap();
    let clock = Arc::new(ManualClock::new(MORNING_MS, 480));
    let phone = Phone::at(home.path(), 1_000 + n as u64, clock);
    let invite = hub.invite(&courier(n));
    phone.core().enrol(&invite, "phone").unwrap();
    let http = HttpTransport::new(PATIENCE);
    loop {
        match phone.core().next_task(Network::Unmetered).unwrap() {
            Task::Http(task) => {
                let outcome = match task.purpose {
                    Purpose::Enrol => http.send(&task).unwrap(),
                    Purpose::Feed if visits > 0 => http.send(&task).unwrap(),
                    _ => TaskOutcome::Failed,
                };
                phone.core().complete_task(&task.id, outcome).unwrap();
            }
            // The hub may be too busy for it right now: it is asked again, as a phone does.
            _ if phone.core().enrolment().unwrap() == Enrolment::Pending => phone.wait(),
            _ => break,
        }
    }
    let round = phone.core().stops().unwrap();
    assert_eq!(round.len(), visits);
    for (i, stop) in round.iter().enumerate() {
        let seed = (n * visits + i) as u64;
        let done = match i % 2 {
            0 => phone.deliver(stop.stop_id, seed),
            _ => phone.fail(stop.stop_id),
        };
        done.unwrap();
    }
    let unsent = phone.core().sync_status().unwrap().unsent_entries;
    assert_eq!(unsent, 1 + visits as u64);
    (phone, home)
}

/// Runs `work` for every index on all threads.
fn spread(count: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= count {
                        break;
                    }
                    work(n);
                }
            });
        }
    });
}

/// How many phones the run is for.
fn phones() -> usize {
    std::env::var("SATCHEL_PHONES").map_or(PHONES, |n| n.parse().unwrap())
}

/// `phones` with `visits` behind each of them meet a hub at once. Gives what it answered, and prints how long it took.
fn storm(phones: usize, visits: usize) -> Vec<(Duration, u16)> {
    let hub = Running::start();
    let http = HttpTransport::new(PATIENCE);
    let line = Watched {
        hub: &http,
        answers: Mutex::default(),
    };
    if visits > 0 {
        let couriers: Vec<String> = (0..phones).map(courier).collect();
        hub.import_rounds(&couriers, visits);
    }
    let mut busy = Duration::ZERO;
    for wave in (0..phones).step_by(WAVE) {
        let count = WAVE.min(phones - wave);
        let waiting: Vec<Mutex<Option<(Phone, TempDir)>>> =
            (0..count).map(|_| Mutex::default()).collect();
        spread(count, |n| {
            let phone = cut_off(&hub, wave + n, visits);
            *waiting.get(n).unwrap().lock().unwrap() = Some(phone);
        });
        let begun = Instant::now();
        spread(count, |n| {
            let (phone, _home) = waiting.get(n).unwrap().lock().unwrap().take().unwrap();
            assert_eq!(phone.sync(&line), SyncEnd::Done);
            let status = phone.core().sync_status().unwrap();
            let unsent = status.unsent_entries + status.unsent_proofs;
            assert_eq!((unsent, status.blocking), (0, None));
        });
        busy += begun.elapsed();
        if phones > PHONES {
            println!("{} of {phones} phones", wave + count);
        }
    }
    let audit = hub.audit();
    assert_eq!(audit.devices.len(), phones);
    let entries = 1 + i64::try_from(visits).unwrap();
    assert!(
        audit
            .devices
            .iter()
            .all(|d| d.entries == entries && !d.quarantined)
    );
    assert_eq!(audit.open_alarms, 0);
    let mut answers = line.answers.into_inner().unwrap();
    answers.sort();
    let p99 = answers.get(answers.len() * 99 / 100).unwrap().0;
    println!(
        "{phones} phones with {entries} entries behind each, {} requests, {:.0} a second, p99 {} ms",
        answers.len(),
        answers.len() as f64 / busy.as_secs_f64(),
        p99.as_millis()
    );
    answers
}

#[test]
fn a_hub_that_comes_back_serves_everybody_and_loses_nobody() {
    let answers = storm(phones(), 0);
    assert!(answers.iter().all(|(_, status)| *status == 200));
}

#[test]
fn a_hub_that_comes_back_takes_a_morning_of_everybody() {
    // Fewer, of one depot: each courier is told the numbers of all other rounds of his day.
    let (phones, visits) = match phones() {
        PHONES => (8, 6),
        many => (many / 40, 40),
    };
    let answers = storm(phones, visits);
    let of_photos = answers.iter().filter(|(_, status)| *status == 201).count();
    assert_eq!(of_photos, phones * visits / 2);
    let kinds: BTreeSet<u16> = answers.iter().map(|(_, status)| *status).collect();
    assert!(
        kinds.iter().all(|status| [200, 201, 429].contains(status)),
        "{kinds:?}"
    );
    let put_off = answers.iter().filter(|(_, status)| *status == 429).count();
    println!("{put_off} were put off");
}

/// Minutes without an answer, then minutes in which a gateway answers for the hub.
const SILENT_MS: i64 = 5 * 60_000;
const OUTAGE_MS: i64 = 15 * 60_000;
/// By then everybody has to be served.
const SERVED_MS: i64 = OUTAGE_MS + 30 * 60_000;

/// What a phone gets at a moment of the outage; `None`: the hub is back.
fn during(at_ms: i64) -> Option<TaskOutcome> {
    match at_ms {
        ..SILENT_MS => Some(TaskOutcome::Failed),
        SILENT_MS..OUTAGE_MS => Some(TaskOutcome::Response {
            status: 503,
            headers: vec![("retry-after".into(), "120".into())],
            body: b"<html>Service Unavailable</html>".to_vec(),
        }),
        _ => None,
    }
}

/// What one phone did when its time had come.
struct Turn {
    tries: usize,
    served: usize,
    /// When it wants to go on; `None`: it is done.
    next_ms: Option<i64>,
}

/// Has a phone do all it wants to do at `at_ms` after the morning.
fn turn(phone: &Phone, hub: &HttpTransport, at_ms: i64) -> Turn {
    let (mut tries, mut served) = (0, 0);
    let next_ms = loop {
        match phone.core().next_task(Network::Unmetered).unwrap() {
            Task::Http(task) => {
                let outcome = match during(at_ms) {
                    Some(outcome) => {
                        tries += 1;
                        outcome
                    }
                    None => {
                        served += 1;
                        hub.send(&task).unwrap()
                    }
                };
                phone.core().complete_task(&task.id, outcome).unwrap();
            }
            Task::Wait { until_ms, .. } => {
                break Some((until_ms.unwrap() - MORNING_MS).max(at_ms + 1));
            }
            Task::Done => break None,
        }
    };
    Turn {
        tries,
        served,
        next_ms,
    }
}

#[test]
fn phones_that_waited_through_an_outage_come_back_over_minutes_and_each_is_served() {
    let hub = Running::start();
    let http = HttpTransport::new(PATIENCE);
    let phones: Vec<(Phone, TempDir)> = (0..PHONES).map(|n| cut_off(&hub, n, 0)).collect();
    let mut due: BTreeSet<(i64, usize)> = (0..PHONES).map(|n| (0, n)).collect();
    let (mut tries, mut hub_ms, mut arrivals) = (0, 0, BTreeMap::<i64, usize>::new());
    while let Some((at_ms, n)) = due.pop_first() {
        assert!(at_ms < SERVED_MS, "phone {n} still waits");
        let phone = &phones.get(n).unwrap().0;
        phone
            .clock
            .advance_ms(MORNING_MS + at_ms - phone.clock.wall_ms());
        hub.clock_on(at_ms - hub_ms);
        hub_ms = at_ms;
        let turn = turn(phone, &http, at_ms);
        tries += turn.tries;
        if turn.served > 0 {
            *arrivals.entry(at_ms / 1_000).or_default() += 1;
        }
        due.extend(turn.next_ms.map(|next_ms| (next_ms, n)));
    }
    // Fifteen minutes of two lanes that each double their waits would be some thirty.
    assert!(tries <= PHONES * 20, "{tries} tries in vain");
    let worst = arrivals.values().max().unwrap();
    assert!(*worst <= PHONES / 8, "{worst} of {PHONES} in one second");
    for (phone, _) in &phones {
        let status = phone.core().sync_status().unwrap();
        assert_eq!((status.unsent_entries, status.blocking), (0, None));
    }
    let audit = hub.audit();
    assert!(audit.devices.iter().all(|d| d.entries == 1));
    assert_eq!((audit.devices.len(), audit.open_alarms), (PHONES, 0));
    println!(
        "{PHONES} phones through {} minutes: {tries} tries, back within {} s, at most {worst} a second",
        OUTAGE_MS / 60_000,
        arrivals.keys().last().unwrap() - OUTAGE_MS / 1_000
    );
}
