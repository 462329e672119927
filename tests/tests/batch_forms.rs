//! The three forms of a batch between the real phone and the real hub: which is sent when, what each costs,
//! and that a hub in the middle of an update loses nothing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Mutex;

use satchel_core::sync::task::{HttpTask, Purpose, TaskOutcome};
use satchel_protocol::batch::{Batch, Form};
use satchel_tests::http::HttpTransport;
use satchel_tests::link::Transport;
use satchel_tests::phone::{Phone, SyncEnd};
use satchel_tests::running::Running;

/// A line to the hub that keeps what went up, and can play a hub that understands less.
struct Line {
    http: HttpTransport,
    bodies: Mutex<Vec<(String, Vec<u8>)>>,
    understands: Mutex<&'static [&'static [u8]]>,
}

impl Line {
    fn to(hub: &Running) -> Self {
        Self {
            http: hub.http(),
            bodies: Mutex::default(),
            understands: Mutex::new(&[b"SLB2", b"SLB1", b"{"]),
        }
    }

    fn pushed(&self) -> Vec<(String, Vec<u8>)> {
        std::mem::take(&mut self.bodies.lock().unwrap())
    }
}

impl Transport for Line {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        if task.purpose == Purpose::Log && task.method == "POST" {
            let media = task.headers.iter().find(|(n, _)| n == "content-type");
            let sent = (media.unwrap().1.clone(), task.body.clone());
            self.bodies.lock().unwrap().push(sent);
            let known = *self.understands.lock().unwrap();
            if !known.iter().any(|magic| task.body.starts_with(magic)) {
                return Some(TaskOutcome::Response {
                    status: 400,
                    headers: vec![],
                    body: br#"{"error":"malformed","detail":"malformed batch"}"#.to_vec(),
                });
            }
        }
        self.http.send(task)
    }
}

fn forms(pushed: &[(String, Vec<u8>)]) -> Vec<&'static str> {
    pushed
        .iter()
        .map(
            |(media, body)| match (media.as_str(), body.first_chunk::<4>()) {
                ("application/json", _) => "json",
                (_, Some(b"SLB2")) => "lean",
                (_, Some(b"SLB1")) => "packed",
                other => panic!("{other:?}"),
            },
        )
        .collect()
}

#[test]
fn a_phone_sends_the_leanest_form_its_hub_takes_and_falls_back_to_what_every_hub_takes() {
    let hub = Running::start();
    let line = Line::to(&hub);
    let mut phone = Phone::new(71);
    phone.enrol(&hub.round(6), &line);
    let stops = phone.core().stops().unwrap();
    // It has not heard anything of its hub's log yet; from the first receipt on it knows.
    assert_eq!(forms(&line.pushed()), ["packed"]);
    phone.fail(stops[0].stop_id).unwrap();
    assert_eq!(phone.sync(&line), SyncEnd::Done);
    assert_eq!(forms(&line.pushed()), ["lean"]);
    // A fresh process asks the hub first and hears it there.
    phone.restart();
    phone.fail(stops[1].stop_id).unwrap();
    assert_eq!(phone.sync(&line), SyncEnd::Done);
    assert_eq!(forms(&line.pushed()), ["lean"]);
    // The hub is rolled back to one that only knows the first form, then to one that knows JSON alone.
    *line.understands.lock().unwrap() = &[b"SLB1"];
    phone.fail(stops[2].stop_id).unwrap();
    assert_eq!(phone.sync(&line), SyncEnd::Done);
    assert_eq!(forms(&line.pushed()).last(), Some(&"packed"));
    *line.understands.lock().unwrap() = &[b"{"];
    phone.fail(stops[3].stop_id).unwrap();
    assert_eq!(phone.sync(&line), SyncEnd::Done);
    assert_eq!(forms(&line.pushed()).last(), Some(&"json"));
    assert_eq!(hub.audit().devices[0].entries, 5);
    assert_eq!(phone.core().sync_status().unwrap().unsent_entries, 0);
}

#[test]
fn what_the_forms_cost_for_one_attempt_and_for_a_morning() {
    let hub = Running::start();
    let line = Line::to(&hub);
    let phone = Phone::new(72);
    phone.enrol(&hub.round(41), &line);
    line.pushed();
    let stops = phone.core().stops().unwrap();
    let mut sizes = Vec::new();
    for (from, to) in [(0, 1), (1, 41)] {
        for (n, stop) in stops.iter().enumerate().take(to).skip(from) {
            phone.deliver(stop.stop_id, n as u64).unwrap();
        }
        assert_eq!(phone.sync(&line), SyncEnd::Done);
        let pushed = line.pushed();
        assert_eq!(pushed.len(), 1);
        let batch = Batch::decode(&pushed[0].1).unwrap();
        let ink: usize = batch.blobs.iter().map(|b| b.bytes.len()).sum();
        let size = |form| (batch.encode_as(form).unwrap().len() - ink) / (to - from);
        sizes.push([size(Form::Json), size(Form::Packed), size(Form::Lean)]);
    }
    println!("bytes an attempt beside its proofs (JSON, packed, lean): {sizes:?}");
    let [one, many] = [sizes[0], sizes[1]];
    assert!(
        one[2] + 100 < one[1],
        "the dictionary pays for a batch of one"
    );
    assert!(many[2] + 90 < many[1], "{many:?}");
}

/// Makes the shipped dictionary out of a day as the test phone plays it; only by hand, for a new number.
#[test]
fn the_dictionary_is_made_of_typical_entries() {
    let Ok(path) = std::env::var("SATCHEL_WRITE_DICTIONARY") else {
        return;
    };
    let hub = Running::start();
    let line = Line::to(&hub);
    let phone = Phone::new(73);
    phone.enrol(&hub.round(8), &line);
    let stops = phone.core().stops().unwrap();
    line.pushed();
    for (n, stop) in stops.iter().enumerate() {
        match n {
            0 | 4 => drop(phone.call(stop.stop_id)),
            1 => drop(phone.core().reveal(stop.stop_id).unwrap()),
            2 | 5 | 7 => drop(phone.fail(stop.stop_id).unwrap()),
            _ => drop(phone.deliver(stop.stop_id, n as u64).unwrap()),
        }
    }
    assert_eq!(phone.sync(&line), SyncEnd::Done);
    let batch = Batch::decode(&line.pushed()[0].1).unwrap();
    std::fs::write(path, batch.lean_metadata()).unwrap();
}
