//! After an outage: phones that all have something to send meet a hub that has just come back. How they are
//! spread over the minutes is the engine's business (`sync::engine`); here they come without any spread, as
//! many at a time as the machine has threads for, which is harsher.
//!
//! The short form has 64 phones; `SATCHEL_PHONES=10000 cargo test --release -p satchel-tests --test storm --
//! --nocapture` is the long one. Each phone is the real core with a store of its own. The stores lie in memory where
//! the machine has a file system for that, because the phones are here to press the hub; the hub's files lie on the
//! disk.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "how long the hub took is the machine's time"
)]

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use satchel_core::clock::ManualClock;
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

/// A phone that is enrolled and whose first entry met the outage.
fn cut_off(hub: &Running, n: usize) -> (Phone, TempDir) {
    let home = tempfile::tempdir_in(memory()).unwrap();
    let clock = Arc::new(ManualClock::new(MORNING_MS, 480));
    let phone = Phone::at(home.path(), 1_000 + n as u64, clock);
    let courier = format!("courier {n}");
    phone.core().enrol(&hub.invite(&courier), "phone").unwrap();
    let http = HttpTransport::new(PATIENCE);
    loop {
        match phone.core().next_task(Network::Unmetered).unwrap() {
            Task::Http(task) => {
                let outcome = match task.purpose {
                    Purpose::Enrol => http.send(&task).unwrap(),
                    _ => TaskOutcome::Failed,
                };
                phone.core().complete_task(&task.id, outcome).unwrap();
            }
            // The hub may be too busy for it right now: it is asked again, as a phone does.
            _ if phone.core().enrolment().unwrap() == Enrolment::Pending => phone.wait(),
            _ => break,
        }
    }
    assert_eq!(phone.core().sync_status().unwrap().unsent_entries, 1);
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

#[test]
fn a_hub_that_comes_back_serves_everybody_and_loses_nobody() {
    let phones: usize = std::env::var("SATCHEL_PHONES").map_or(PHONES, |n| n.parse().unwrap());
    let hub = Running::start();
    let http = HttpTransport::new(PATIENCE);
    let line = Watched {
        hub: &http,
        answers: Mutex::default(),
    };
    let mut busy = Duration::ZERO;
    for wave in (0..phones).step_by(WAVE) {
        let count = WAVE.min(phones - wave);
        let waiting: Vec<Mutex<Option<(Phone, TempDir)>>> =
            (0..count).map(|_| Mutex::default()).collect();
        spread(count, |n| {
            let phone = cut_off(&hub, wave + n);
            *waiting.get(n).unwrap().lock().unwrap() = Some(phone);
        });
        let begun = Instant::now();
        spread(count, |n| {
            let (phone, _home) = waiting.get(n).unwrap().lock().unwrap().take().unwrap();
            assert_eq!(phone.sync(&line), SyncEnd::Done);
            let status = phone.core().sync_status().unwrap();
            assert_eq!((status.unsent_entries, status.blocking), (0, None));
        });
        busy += begun.elapsed();
        if phones > PHONES {
            println!("{} of {phones} phones", wave + count);
        }
    }
    let audit = hub.audit();
    assert_eq!(audit.devices.len(), phones);
    assert!(
        audit
            .devices
            .iter()
            .all(|d| d.entries == 1 && !d.quarantined)
    );
    assert_eq!(audit.open_alarms, 0);
    let mut answers = line.answers.into_inner().unwrap();
    answers.sort();
    assert!(answers.iter().all(|(_, status)| *status == 200));
    let p99 = answers.get(answers.len() * 99 / 100).unwrap().0;
    println!(
        "{phones} phones, {} requests, {:.0} a second, p99 {} ms",
        answers.len(),
        answers.len() as f64 / busy.as_secs_f64(),
        p99.as_millis()
    );
}
