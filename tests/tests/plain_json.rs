//! Between a phone and its hub stands what lets only JSON through: an older hub, a gateway that knows media types, a
//! filter that takes binary bodies for an attack. A day arrives all the same.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod spoiled;

use std::sync::Mutex;

use satchel_core::model::stop::SyncState;
use satchel_core::model::wedge::Repair;
use satchel_core::sync::task::{HttpTask, Purpose, TaskOutcome};
use satchel_protocol::batch::{BATCH_MEDIA_TYPE, FORMS_HEADER, JSON_MEDIA_TYPE};
use satchel_tests::day::Day;
use satchel_tests::http::HttpTransport;
use satchel_tests::link::{Transport, answer};
use satchel_tests::phone::{Phone, SyncEnd};
use satchel_tests::running::Running;
use satchel_tests::toy_hub::ToyHub;
use satchel_tests::work::at_work;
use spoiled::spoil;

/// What stands in between says this of a batch that is not JSON.
type Refusal = fn() -> TaskOutcome;

/// Lets JSON through and hides which forms the hub takes.
struct JsonOnly {
    http: HttpTransport,
    refusal: Refusal,
    /// Batches that were refused, and those that went through.
    batches: Mutex<(usize, usize)>,
}

impl JsonOnly {
    fn before(hub: &Running, refusal: Refusal) -> Self {
        Self {
            http: hub.http(),
            refusal,
            batches: Mutex::default(),
        }
    }
}

impl Transport for JsonOnly {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        if task.purpose == Purpose::Log && task.method == "POST" {
            let media = task.headers.iter().find(|(n, _)| n == "content-type");
            let is_json = media.unwrap().1 == JSON_MEDIA_TYPE;
            assert_eq!(is_json, task.body.starts_with(b"{"));
            let mut batches = self.batches.lock().unwrap();
            if !is_json {
                batches.0 += 1;
                return Some((self.refusal)());
            }
            batches.1 += 1;
        }
        let mut said = self.http.send(task);
        if let Some(TaskOutcome::Response { headers, .. }) = &mut said {
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case(FORMS_HEADER));
        }
        said
    }
}

fn older_hub() -> TaskOutcome {
    answer(
        400,
        br#"{"error":"malformed","detail":"malformed batch"}"#.to_vec(),
    )
}

fn gateway() -> TaskOutcome {
    answer(415, b"<html>Unsupported Media Type</html>".to_vec())
}

fn filter() -> TaskOutcome {
    answer(403, b"<html>Request blocked</html>".to_vec())
}

#[test]
fn a_day_with_ink_photos_and_a_repair_arrives_whole_where_only_json_gets_through() {
    for (seed, refusal) in [(81, older_hub as Refusal), (82, gateway), (83, filter)] {
        let hub = Running::start();
        let line = JsonOnly::before(&hub, refusal);
        let mut phone = Phone::new(seed);
        phone.enrol(&hub.round(5), &line);
        let stops: Vec<_> = phone.core().stops().unwrap();
        for (n, stop) in stops.iter().enumerate() {
            match n {
                4 => phone.fail(stop.stop_id).unwrap(),
                _ => phone.deliver(stop.stop_id, n as u64).unwrap(),
            };
        }
        spoil(
            &mut phone,
            "UPDATE entry SET salt = zeroblob(length(salt)) WHERE seq = 3",
        );
        assert_eq!(phone.sync(&line), SyncEnd::Done, "{seed}");
        let repair = phone.core().repair_wedged(3).unwrap();
        assert!(matches!(repair, Repair::SaidAgain { .. }));
        assert_eq!(phone.sync(&line), SyncEnd::Done);

        for stop in &stops {
            let state = phone.stop(stop.stop_id).sync;
            assert_eq!(state, SyncState::ProofComplete, "{seed}");
        }
        let status = phone.core().sync_status().unwrap();
        assert_eq!((status.unsent_entries, status.unsent_proofs), (0, 0));
        assert_eq!((status.receipt_alarms, status.blocking), (0, None));
        let audit = hub.audit();
        assert_eq!((audit.devices[0].head_seq, audit.open_alarms), (7, 0));
        assert!(audit.parcels.iter().all(|p| p.attempts.len() == 1));
        let attempts = audit.parcels.iter().flat_map(|p| &p.attempts);
        let proofs: Vec<_> = attempts.flat_map(|a| &a.proofs).collect();
        assert_eq!(proofs.len(), 8, "ink and photo of four");
        assert!(proofs.iter().all(|p| p.bound && p.complete));
        // It learns once in a process, and does not find out with each batch.
        let (refused, taken) = *line.batches.lock().unwrap();
        assert!(refused <= 4 && taken >= 2, "{refused} {taken}");
    }
}

/// A portal that comes and goes: of the log it lets every second question through and no batch.
struct Portal<'a> {
    hub: &'a ToyHub,
    questions: Mutex<u32>,
    batches: Mutex<Vec<String>>,
}

impl Transport for Portal<'_> {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        if task.purpose != Purpose::Log {
            return self.hub.send(task);
        }
        if task.method == "GET" {
            let mut questions = self.questions.lock().unwrap();
            *questions += 1;
            return match *questions % 2 {
                0 => self.hub.send(task),
                _ => Some(filter()),
            };
        }
        let media = task.headers.iter().find(|(n, _)| n == "content-type");
        self.batches.lock().unwrap().push(media.unwrap().1.clone());
        Some(filter())
    }
}

#[test]
fn a_portal_that_refuses_questions_too_does_not_make_the_phone_write_its_batches_at_length() {
    let day = Day::new(1).stops(1);
    let (phone, hub) = at_work(&day);
    let portal = Portal {
        hub: &hub,
        questions: Mutex::default(),
        batches: Mutex::default(),
    };
    phone.fail(day.stop_id(0)).unwrap();
    for _ in 0..12 {
        assert_eq!(phone.sync_now(&portal), SyncEnd::Waiting);
        phone.wait();
    }
    let batches = portal.batches.lock().unwrap().clone();
    assert!(batches.len() >= 4, "{batches:?}");
    assert!(batches.iter().all(|m| m == BATCH_MEDIA_TYPE), "{batches:?}");
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    assert_eq!(phone.stop(day.stop_id(0)).sync, SyncState::ProofComplete);
}
