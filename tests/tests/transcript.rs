//! What phone and hub say to each other, pinned as a whole: a morning recorded once and replayed from either
//! side. A phone of today meets the hub of the day it was recorded, and a phone of that day the hub of today.
//!
//! `SATCHEL_GOLDEN=write` records anew; that is a change of the protocol and wants its reason. Other programs
//! replay the same file: `tests/golden/check-transcript.mjs` checks every signature in it without our code.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use data_encoding::BASE64;
use satchel_core::clock::ManualClock;
use satchel_core::model::stop::SyncState;
use satchel_core::sync::task::{HttpTask, Network, Task, TaskOutcome};
use satchel_hub::import::Mapping;
use satchel_hub::{Hub, HubConfig, ImportOptions, SeededEntropy, SimClock};
use satchel_protocol::batch::RECEIPT_MEDIA_TYPE;
use satchel_protocol::receipt::SignedReceipt;
use satchel_tests::day::MORNING_MS;
use satchel_tests::http::HttpTransport;
use satchel_tests::link::Transport;
use satchel_tests::phone::{Phone, SyncEnd};
use satchel_tests::running::MAPPING;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The name in every signature; nothing listens there.
const URL: &str = "http://hub.invalid";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Said {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
    status: u16,
    /// Those that mean something: type, coding, forms, offsets.
    answer_headers: Vec<(String, String)>,
    answer_body: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Transcript {
    what: String,
    /// Ed25519, hex.
    hub_key: String,
    /// Ed25519, hex.
    device_key: String,
    said: Vec<Said>,
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/transcript.json")
}

fn committed() -> Transcript {
    serde_json::from_str(&std::fs::read_to_string(path()).unwrap()).unwrap()
}

/// A hub that is the same every time: its randomness, clock and name are given, and nothing of it runs in the
/// background.
struct Same {
    hub: Hub,
    http: HttpTransport,
    port: u16,
    runtime: tokio::runtime::Runtime,
    said: Mutex<Vec<Said>>,
    _data: tempfile::TempDir,
}

impl Same {
    fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let data = tempfile::tempdir().unwrap();
        let (hub, port) = runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let mut config = HubConfig::new(data.path(), URL);
            config.clock = Arc::new(SimClock::frozen(MORNING_MS));
            config.entropy = Arc::new(SeededEntropy::new(7));
            let hub = Hub::open(config).await.unwrap();
            let app = hub.router();
            tokio::spawn(async move { axum::serve(listener, app).await });
            (hub, port)
        });
        let mut csv = String::from("id,lat,lng,at,address,name,phone\n");
        for i in 0..3 {
            csv.push_str(&format!(
                "WB{i:04},37.5{i:03},121.4,11-21 07:30:00,南大街{i}号,张{i},1380000{i:04}\n"
            ));
        }
        let mapping = Mapping::from_json(MAPPING.as_bytes()).unwrap();
        let options = ImportOptions {
            couriers: vec!["王师傅".into()],
            ..ImportOptions::default()
        };
        let import = hub.import(csv.as_bytes(), &mapping, &options);
        runtime.block_on(import).unwrap();
        Self {
            hub,
            http: HttpTransport::new(Duration::from_secs(10)),
            port,
            runtime,
            said: Mutex::default(),
            _data: data,
        }
    }

    fn invite(&self) -> String {
        let invite = self.runtime.block_on(self.hub.invite("王师傅"));
        invite.unwrap().to_text()
    }

    /// Sends what was signed for [`URL`] to where it listens.
    fn carry(&self, mut task: HttpTask) -> (u16, Vec<(String, String)>, Vec<u8>) {
        task.url = task
            .url
            .replace(URL, &format!("http://127.0.0.1:{}", self.port));
        match self.http.send(&task).unwrap() {
            TaskOutcome::Response {
                status,
                headers,
                body,
            } => (status, telling(headers), body),
            TaskOutcome::Failed => panic!("the hub does not answer"),
        }
    }
}

fn telling(headers: Vec<(String, String)>) -> Vec<(String, String)> {
    let tells = |name: &str| {
        name.starts_with("upload-")
            || [
                "content-type",
                "content-encoding",
                "satchel-batch",
                "satchel-signature",
                "tus-resumable",
            ]
            .contains(&name)
    };
    let mut told: Vec<_> = headers.into_iter().filter(|(n, _)| tells(n)).collect();
    told.sort();
    told
}

impl Transport for Same {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        let (status, headers, body) = self.carry(task.clone());
        self.said.lock().unwrap().push(Said {
            method: task.method.to_owned(),
            url: task.url.clone(),
            headers: task.headers.clone(),
            body: BASE64.encode(&task.body),
            status,
            answer_headers: headers.clone(),
            answer_body: BASE64.encode(&body),
        });
        Some(TaskOutcome::Response {
            status,
            headers,
            body,
        })
    }
}

fn phone(home: &std::path::Path) -> Phone {
    Phone::at(home, 99, Arc::new(ManualClock::new(MORNING_MS, 480)))
}

/// Enrols, pulls the round, tries two doors in vain, looks one customer up, delivers at the third with a photo and a
/// signature, and sends all of it step by step.
fn morning(phone: &Phone, invite: &str, sync: &mut dyn FnMut(&Phone)) {
    phone.core().enrol(invite, "recorded phone").unwrap();
    sync(phone);
    let stops = phone.core().stops().unwrap();
    phone.core().reveal(stops[0].stop_id).unwrap();
    phone.fail(stops[0].stop_id).unwrap();
    sync(phone);
    phone.call(stops[1].stop_id);
    phone.fail(stops[1].stop_id).unwrap();
    sync(phone);
    phone.deliver(stops[2].stop_id, 3).unwrap();
    sync(phone);
}

fn end(phone: &Phone) {
    let sync: Vec<SyncState> = phone
        .core()
        .stops()
        .unwrap()
        .iter()
        .map(|s| s.sync)
        .collect();
    let complete = SyncState::ProofComplete;
    assert_eq!(sync, [complete; 3]);
    let status = phone.core().sync_status().unwrap();
    assert_eq!((status.unsent_entries, status.unsent_proofs), (0, 0));
    assert_eq!(status.receipt_alarms, 0);
}

#[test]
fn a_phone_of_today_says_to_a_hub_of_that_day_what_it_said_then() {
    let home = tempfile::tempdir().unwrap();
    let phone = phone(home.path());
    let hub = Same::new();
    let invite = hub.invite();
    if std::env::var("SATCHEL_GOLDEN").as_deref() == Ok("write") {
        morning(&phone, &invite, &mut |p| {
            assert_eq!(p.sync(&hub), SyncEnd::Done)
        });
        end(&phone);
        let said = hub.said.lock().unwrap().clone();
        let enrolment: Value =
            serde_json::from_slice(&BASE64.decode(said[0].body.as_bytes()).unwrap()).unwrap();
        let transcript = Transcript {
            what: "a phone's morning with its hub; bodies in base64".into(),
            hub_key: data_encoding::HEXLOWER.encode(&hub.hub.public_key().to_bytes()),
            device_key: enrolment["log_key"].as_str().unwrap().to_owned(),
            said,
        };
        let text = serde_json::to_string_pretty(&transcript).unwrap();
        std::fs::create_dir_all(path().parent().unwrap()).unwrap();
        std::fs::write(path(), text + "\n").unwrap();
        return;
    }
    let said = committed().said;
    let mut next = said.iter();
    morning(&phone, &invite, &mut |phone| {
        phone.core().request_sync();
        while let Task::Http(task) = phone.core().next_task(Network::Unmetered).unwrap() {
            let then = next.next().expect("it says more than it said then");
            assert_eq!((task.method, &task.url), (then.method.as_str(), &then.url));
            assert_eq!(task.headers, then.headers, "{} {}", then.method, then.url);
            assert_eq!(BASE64.encode(&task.body), then.body, "{}", then.url);
            let outcome = TaskOutcome::Response {
                status: then.status,
                headers: then.answer_headers.clone(),
                body: BASE64.decode(then.answer_body.as_bytes()).unwrap(),
            };
            phone.core().complete_task(&task.id, outcome).unwrap();
        }
    });
    assert_eq!(next.next(), None, "it said more then");
    end(&phone);
}

#[test]
fn a_hub_of_today_answers_a_phone_of_that_day_as_it_was_answered_then() {
    if std::env::var("SATCHEL_GOLDEN").is_ok() {
        return;
    }
    let hub = Same::new();
    hub.invite();
    for then in committed().said {
        let method = ["GET", "HEAD", "POST", "PATCH"];
        let now = hub.carry(HttpTask {
            id: String::new(),
            purpose: satchel_core::sync::task::Purpose::Log,
            upload: None,
            method: method.into_iter().find(|m| *m == then.method).unwrap(),
            url: then.url.clone(),
            headers: then.headers.clone(),
            body: BASE64.decode(then.body.as_bytes()).unwrap(),
            max_answer_bytes: 1 << 22,
        });
        assert_eq!(now.0, then.status, "{} {}", then.method, then.url);
        let before = BASE64.decode(then.answer_body.as_bytes()).unwrap();
        let media = |headers: &[(String, String)]| {
            let found = headers.iter().find(|(n, _)| n == "content-type");
            found.map_or(String::new(), |(_, v)| v.clone())
        };
        assert_eq!(media(&now.1), media(&then.answer_headers), "{}", then.url);
        if media(&now.1) == RECEIPT_MEDIA_TYPE {
            // The same entries, proofs and head, signed by the same key; the rest may have grown.
            let read = |bytes: &[u8]| SignedReceipt::decode(bytes).unwrap();
            let (now, before) = (read(&now.2), read(&before));
            let device = device_of(&then);
            let key = hub.hub.public_key();
            let (now, before) = (now.verify(&key, device), before.verify(&key, device));
            let (now, before) = (now.unwrap(), before.unwrap());
            assert_eq!((now.entries, now.blobs), (before.entries, before.blobs));
            assert_eq!(now.head_seq, before.head_seq);
        } else if media(&now.1) == "application/json" {
            let json = |headers: &[(String, String)], body: &[u8]| -> Value {
                let packed = headers
                    .iter()
                    .any(|(n, v)| n == "content-encoding" && v == "zstd");
                let plain = match packed {
                    true => satchel_protocol::packed::unpack(body, 1 << 22).unwrap(),
                    false => body.to_vec(),
                };
                serde_json::from_slice(&plain).unwrap()
            };
            let (now, before) = (json(&now.1, &now.2), json(&then.answer_headers, &before));
            holds(&now, &before, &then.url);
        }
    }
}

fn device_of(said: &Said) -> satchel_protocol::ids::DeviceId {
    let input = said.headers.iter().find(|(n, _)| n == "signature-input");
    let parsed = satchel_protocol::http_sig::parse(
        &input.unwrap().1,
        &said
            .headers
            .iter()
            .find(|(n, _)| n == "signature")
            .unwrap()
            .1,
    );
    parsed.unwrap().key_id.parse().unwrap()
}

/// Everything that was said before is said now; a newer hub may say more.
fn holds(now: &Value, before: &Value, at: &str) {
    match (now, before) {
        (Value::Object(now), Value::Object(before)) => {
            for (name, value) in before {
                let said = now.get(name).unwrap_or_else(|| panic!("{at}: no {name}"));
                holds(said, value, &format!("{at}.{name}"));
            }
        }
        (Value::Array(now), Value::Array(before)) => {
            assert_eq!(now.len(), before.len(), "{at}");
            for (n, (now, before)) in now.iter().zip(before).enumerate() {
                holds(now, before, &format!("{at}[{n}]"));
            }
        }
        _ => assert_eq!(now, before, "{at}"),
    }
}
