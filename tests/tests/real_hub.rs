//! The same phone and the same faulty link as in the fast tests, against the real hub over real HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_precision_loss
)]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use satchel_core::model::plan::{PlanEvent, PlanView};
use satchel_core::model::stop::SyncState;
use satchel_core::sync::task::{HttpTask, Purpose, TaskOutcome};
use satchel_hub::import::Mapping;
use satchel_hub::{Hub, HubConfig, ImportOptions, SimClock};
use satchel_protocol::ids::Hash32;
use satchel_tests::day::MORNING_MS;
use satchel_tests::http::HttpTransport;
use satchel_tests::link::{Fault, FaultyLink, Transport};
use satchel_tests::phone::{Phone, SyncEnd};
use satchel_tests::running::MAPPING;

/// A hub on loopback and what keeps it running.
struct Running {
    hub: Hub,
    runtime: tokio::runtime::Runtime,
    address: SocketAddr,
    _data: tempfile::TempDir,
}

fn start() -> Running {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let data = tempfile::tempdir().unwrap();
    let (hub, address) = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("http://{address}");
        let mut config = HubConfig::new(data.path().join("hub"), &url);
        config.clock = Arc::new(SimClock::frozen(MORNING_MS));
        let hub = Hub::open(config).await.unwrap();
        let serving = hub.clone();
        tokio::spawn(async move { serving.serve(listener, std::future::pending()).await });
        (hub, address)
    });
    Running {
        hub,
        runtime,
        address,
        _data: data,
    }
}

impl Running {
    /// Gives the courier `count` stops and invites him.
    fn round(&self, count: usize) -> String {
        let mut csv = String::from("id,lat,lng,at,address,name,phone\n");
        for i in 0..count {
            csv.push_str(&format!(
                "WB{i:04},37.5{i:03},121.4,11-21 07:30:00,南大街{i}号,张{i},1380000{i:04}\n"
            ));
        }
        let mapping = Mapping::from_json(MAPPING.as_bytes()).unwrap();
        let options = ImportOptions {
            couriers: vec!["王师傅".into()],
            ..ImportOptions::default()
        };
        self.runtime.block_on(async {
            let import = self.hub.import(csv.as_bytes(), &mapping, &options);
            assert_eq!(import.await.unwrap().new_parcels as usize, count);
            self.hub.invite("王师傅").await.unwrap().to_text()
        })
    }
}

#[test]
fn a_day_over_a_bad_line_reaches_the_real_hub_once_and_with_every_proof() {
    let running = start();
    let invite = running.round(12);
    let phone = Phone::new(21);
    let http = HttpTransport::new(Duration::from_secs(10));
    let device = phone.enrol(&invite, &http);
    let stops: Vec<_> = phone.core().stops().unwrap();
    assert_eq!(stops.len(), 12);

    let link = FaultyLink::new(&http, None);
    link.random(3, 40);
    let mut acknowledged: BTreeSet<Hash32> = BTreeSet::new();
    for (n, stop) in stops.iter().enumerate() {
        let recorded = match n % 3 {
            0 => phone.fail(stop.stop_id),
            _ => phone.deliver(stop.stop_id, n as u64),
        };
        acknowledged.insert(recorded.unwrap().parcels[0].entry_hash);
        phone.core().request_sync();
        phone.sync_now(&link);
    }
    link.heal();
    assert_eq!(phone.sync(&link), SyncEnd::Done);

    let audit = running.runtime.block_on(running.hub.audit()).unwrap();
    let log = audit.devices.iter().find(|d| d.device == device).unwrap();
    assert_eq!((log.entries, log.head_seq), (13, 13));
    assert!(!log.quarantined);
    let attempts: Vec<_> = audit.parcels.iter().flat_map(|p| &p.attempts).collect();
    let held: BTreeSet<Hash32> = attempts.iter().map(|a| a.hash).collect();
    assert_eq!((attempts.len(), held), (12, acknowledged));
    let proofs: Vec<_> = attempts.iter().flat_map(|a| &a.proofs).collect();
    assert_eq!(proofs.len(), 8 * 2);
    assert!(proofs.iter().all(|p| p.bound && p.complete));
    for stop in &stops {
        assert_eq!(phone.stop(stop.stop_id).sync, SyncState::ProofComplete);
    }
}

#[test]
fn a_traffic_table_pushed_at_the_hub_changes_the_phone_s_plan_and_is_kept_without_a_network() {
    let running = start();
    let invite = running.round(12);
    let phone = Phone::new(23);
    let http = HttpTransport::new(Duration::from_secs(10));
    phone.enrol(&invite, &http);
    let clear = phone.core().plan(None).unwrap();

    let jam = br#"{"utc_offset_min":480,"bands_min":[0],"elsewhere":[250]}"#;
    running
        .runtime
        .block_on(running.hub.set_traffic(jam))
        .unwrap();
    let driven = |plan: &PlanView| {
        let stood: i64 = plan.stops.iter().map(|s| s.wait_ms + s.service_ms).sum();
        plan.completion_ms - plan.departure_ms - stood
    };
    let unheard = phone.core().replan(PlanEvent::Traffic).unwrap();
    assert_eq!(
        driven(&unheard),
        driven(&clear),
        "the feed brings the table"
    );
    phone.core().request_sync();
    assert_eq!(phone.sync(&http), SyncEnd::Done);
    drop(running);
    let slow = phone.core().replan(PlanEvent::Traffic).unwrap();
    // Four times as long on the road, but for rounding a second a leg.
    let ratio = driven(&slow) as f64 / driven(&clear) as f64;
    assert!((3.9..4.1).contains(&ratio), "{ratio}");
    let again = phone.core().plan(None).unwrap();
    assert_eq!(driven(&again), driven(&slow), "kept where there is no hub");
}

#[test]
fn an_upload_cut_on_the_wire_goes_on_at_the_real_hub_where_it_stopped() {
    let running = start();
    let invite = running.round(1);
    let phone = Phone::new(22);
    let http = HttpTransport::new(Duration::from_secs(10));
    phone.enrol(&invite, &http);
    let stop = phone.core().stops().unwrap()[0].stop_id;
    phone.deliver(stop, 5).unwrap();
    let link = FaultyLink::new(&http, None);
    // Push and feed pass, the photo is cut.
    link.script([None, None, Some(Fault::CutRequest)]);
    assert_eq!(phone.sync(&link), SyncEnd::Done);
    let sent = link.take_log();
    let has = |method: &str| {
        sent.iter()
            .any(|(line, _)| line.starts_with(method) && line.contains("/v1/proofs/"))
    };
    assert!(has("HEAD") && has("PATCH"), "{sent:?}");
    assert_eq!(phone.stop(stop).sync, SyncState::ProofComplete);
}

/// A line that puts more behind the phone's own bytes, so that they do not fit in the buffers of the way, and spoils
/// the signature.
struct Refused<'a> {
    http: &'a HttpTransport,
    /// Every answer to a batch.
    heard: Mutex<Vec<Option<u16>>>,
}

impl Transport for Refused<'_> {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        if task.method != "POST" || task.purpose != Purpose::Log {
            return self.http.send(task);
        }
        let mut task = task.clone();
        task.body.resize(4 * 1_024 * 1_024, 0);
        for (name, value) in &mut task.headers {
            if name == "signature" {
                *value = value.replace(['A', 'E', 'I', 'g'], "Q");
            }
        }
        let outcome = self.http.send(&task);
        self.heard.lock().unwrap().push(match &outcome {
            Some(TaskOutcome::Response { status, .. }) => Some(*status),
            _ => None,
        });
        outcome
    }
}

#[test]
fn who_is_refused_before_his_batch_was_read_hears_why() {
    let running = start();
    let invite = running.round(8);
    let phone = Phone::new(23);
    let http = HttpTransport::new(Duration::from_secs(10));
    phone.enrol(&invite, &http);
    let line = Refused {
        http: &http,
        heard: Mutex::default(),
    };
    for stop in phone.core().stops().unwrap() {
        phone.fail(stop.stop_id).unwrap();
        phone.core().request_sync();
        phone.sync_now(&line);
    }
    let heard = line.heard.lock().unwrap().clone();
    assert!(heard.len() > 2, "{heard:?}");
    assert!(heard.iter().all(|status| *status == Some(401)), "{heard:?}");
}

#[test]
fn who_is_refused_and_goes_on_without_end_is_cut_off() {
    let running = start();
    let mut line = TcpStream::connect(running.address).unwrap();
    line.write_all(b"POST /v1/log HTTP/1.1\r\nhost: hub\r\ntransfer-encoding: chunked\r\n\r\n")
        .unwrap();
    let mut chunk = b"10000\r\n".to_vec();
    chunk.resize(chunk.len() + 65_536, b'x');
    chunk.extend(b"\r\n");
    let sent = (0..4_096).take_while(|_| line.write_all(&chunk).is_ok());
    let sent_mb = sent.count() / 16;
    // What it reads, and what lies in the buffers of the way.
    assert!(sent_mb < 64, "{sent_mb} MB");
}
