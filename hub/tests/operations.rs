//! What whoever runs the hub sees: the process, its clock, its description and its counters.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use common::{Bench, Phone, inline};
use satchel_protocol::api::{ErrorBody, ErrorCode};
use satchel_protocol::batch::Batch;
use satchel_protocol::enrol::{EnrolRequest, EnrolResponse};
use satchel_protocol::feed::{FeedItem, FeedPage};
use satchel_protocol::ids::{CourierId, DeviceId, Sig64};
use satchel_protocol::limits::MAX_BATCH_BYTES;
use satchel_protocol::signed_time::SignedTime;
use satchel_protocol::taxonomy::ProofKind;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use tokio_util::io::ReaderStream;
use tower::ServiceExt;

fn names(object: &Value) -> BTreeSet<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

#[tokio::test]
async fn the_description_is_served_and_names_the_fields_that_are_really_sent() {
    let bench = Bench::new().await;
    let served: Value =
        serde_json::from_slice(&bench.get("/openapi.json", &[]).await.body).unwrap();
    let printed: Value = serde_json::from_str(&satchel_hub::openapi_json()).unwrap();
    assert_eq!(served, printed);

    let id = uuid::Uuid::from_u128(1);
    let key = Phone::new(1).key;
    let time = SignedTime {
        hub_time_ms: 1,
        nonce: "n".into(),
        sig: Sig64([0; 64]),
    };
    let item = FeedItem {
        seq: 1,
        kind: "k".into(),
        data: json!({}),
    };
    let examples = [
        (
            "EnrolRequest",
            serde_json::to_value(EnrolRequest {
                statement: Some(String::new()),
                ..EnrolRequest::signed(&[0; 16], DeviceId(id), "l", &key)
            }),
        ),
        (
            "EnrolResponse",
            serde_json::to_value(EnrolResponse {
                device_id: DeviceId(id),
                courier_id: CourierId(id),
                courier_name: "n".into(),
                hub_time_ms: 1,
                certificate: "c".into(),
            }),
        ),
        ("FeedItem", serde_json::to_value(&item)),
        (
            "FeedPage",
            serde_json::to_value(FeedPage {
                items: vec![item.clone()],
                cursor: "c".into(),
                more: true,
                server_time_ms: 1,
                snapshot: Some(satchel_protocol::feed::SnapshotPart {
                    first: true,
                    last: true,
                }),
                orders: vec!["o".into()],
            }),
        ),
        ("SignedTime", serde_json::to_value(&time)),
        (
            "Error",
            serde_json::to_value(ErrorBody {
                error: ErrorCode::ClockSkew,
                detail: Some("d".into()),
                time: Some(time),
                expected_seq: Some(1),
            }),
        ),
    ];
    for (name, example) in examples {
        let described = &served["components"]["schemas"][name]["properties"];
        assert_eq!(names(described), names(&example.unwrap()), "{name}");
    }
    // Everything but enrolment and the tus question is signed.
    for (path, methods) in served["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let open = path == "/v1/enrol" || method == "options";
            assert_eq!(operation["security"].is_null(), open, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn health_readiness_and_counters() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    assert_eq!(bench.get("/healthz", &[]).await.text(), "ok\n");
    assert_eq!(bench.get("/readyz", &[]).await.status, 200);
    let entry = phone.delivery(&stops[0], &[(ProofKind::Signature, b"ink")]);
    let batch = Batch {
        entries: vec![entry],
        blobs: vec![inline(ProofKind::Signature, b"ink")],
    };
    phone.push(&bench, &batch).await.receipt(&bench, &phone);
    phone.push(&bench, &batch).await.receipt(&bench, &phone);
    let metrics = bench.get("/metrics", &[]).await.text();
    for line in [
        "satchel_entries_total 1",
        "satchel_entry_duplicates_total 1",
        "satchel_proofs_total 1",
        "satchel_proof_bytes_total 3",
        "satchel_enrolments_total 1",
        "satchel_ratings_total 0",
    ] {
        assert!(metrics.lines().any(|l| l == line), "{line}\n{metrics}");
    }
    let tried = bench.dir.path().join("incoming").join("probe");
    assert!(!tried.exists() && !tried.with_extension("new").exists());
    bench.hub.close().await;
    bench.clock.advance(10_000);
    assert_eq!(bench.get("/readyz", &[]).await.status, 503);
    assert_eq!(bench.get("/healthz", &[]).await.status, 200);
}

fn hub(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_satchel-hub"));
    command.env("SATCHEL_DATA", data).env("RUST_LOG", "warn");
    command
}

fn output(data: &Path, args: &[&str]) -> (bool, String) {
    let out = hub(data).args(args).output().unwrap();
    (out.status.success(), String::from_utf8(out.stdout).unwrap())
}

#[test]
fn commands_that_begin_at_the_same_moment_make_one_hub() {
    let data = tempfile::tempdir().unwrap();
    let started: Vec<Child> = (0..6)
        .map(|n| {
            hub(data.path())
                .args(["invite", "--courier", &format!("courier {n}")])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in started {
        let out = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success(), "{said}");
    }
}

struct Server {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    address: String,
}

fn start(data: &Path) -> Server {
    let mut child = hub(data)
        .args(["serve", "--listen", "127.0.0.1:0", "--clock-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let address = first.strip_prefix("listening http://").unwrap().to_owned();
    Server {
        child,
        lines,
        address,
    }
}

impl Server {
    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

#[test]
fn the_process_takes_its_clock_from_its_input_and_stops_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = start(dir.path());
    assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));

    // Commands work beside the running server and speak of its address.
    let (ok, link) = output(dir.path(), &["login-link", "--ttl-min", "10000000"]);
    assert!(
        ok && link.starts_with(&format!("http://{}/board/login/", server.address)),
        "{link}"
    );
    let (ok, invite) = output(dir.path(), &["invite", "--courier", "王强"]);
    assert!(ok && invite.starts_with("SATCHEL:"));

    // The clock is set: the link of today is long expired in the year 2100.
    let stdin = server.child.stdin.as_mut().unwrap();
    stdin.write_all(b"nonsense\nclock 4102444800000\n").unwrap();
    assert_eq!(server.lines.next().unwrap().unwrap(), "clock 4102444800000");
    let path = link.trim().split(&server.address).nth(1).unwrap();
    assert!(server.get(path).starts_with("HTTP/1.1 404"));

    drop(server.child.stdin.take());
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn a_killed_hub_comes_up_again_with_what_it_had() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    let file = data.join("day.csv");
    std::fs::write(&file, common::csv(20)).unwrap();
    let mapping = data.join("m.json");
    std::fs::write(&mapping, common::MAPPING).unwrap();
    let (ok, _) = output(
        data,
        &["mapping", "save", "depot-1", mapping.to_str().unwrap()],
    );
    assert!(ok);

    let mut server = start(data);
    let file = file.to_str().unwrap();
    let import = [
        "import",
        file,
        "--mapping",
        "depot-1",
        "--courier",
        "王强",
        "--json",
    ];
    let (ok, report) = output(data, &import);
    assert!(ok);
    assert_eq!(
        serde_json::from_str::<Value>(&report).unwrap()["new_parcels"],
        20
    );
    server.child.kill().unwrap();
    server.child.wait().unwrap();

    let (ok, audit) = output(data, &["audit"]);
    assert!(ok);
    let audit: Value = serde_json::from_str(&audit).unwrap();
    assert_eq!(audit["parcels"].as_array().unwrap().len(), 20);
    let mut server = start(data);
    assert!(server.get("/readyz").starts_with("HTTP/1.1 200"));
    drop(server.child.stdin.take());
    assert!(server.child.wait().unwrap().success());
    assert!(!output(data, &["import", file, "--mapping", "../m"]).0);
    assert!(!output(data, &["release", "not-a-device"]).0);
}

#[tokio::test]
async fn large_batches_of_many_phones_are_read_in_turn_and_not_all_at_once() {
    const PHONES: u8 = 24;
    const PIECE_BYTES: usize = 64 * 1_024;
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let taken_bytes = Arc::new(AtomicUsize::new(0));
    let mut running = JoinSet::new();
    for seed in 0..PHONES {
        let mut other = Phone::enrolled(&bench, "李师傅", 10 + seed).await;
        let media = [("content-type", "application/vnd.satchel.batch")];
        let request = other.request(&bench, "POST", "/v1/log", &media, vec![1]);
        let (mut sends, comes) = tokio::io::duplex(PIECE_BYTES);
        let answered = bench.hub.router();
        running.spawn(async move {
            let body = Body::from_stream(ReaderStream::new(comes));
            answered.oneshot(request.build_with(body)).await.unwrap();
        });
        let taken_bytes = taken_bytes.clone();
        // All but its last piece, which never comes.
        running.spawn(async move {
            for _ in 1..MAX_BATCH_BYTES / PIECE_BYTES {
                sends.write_all(&[0; PIECE_BYTES]).await.unwrap();
                taken_bytes.fetch_add(PIECE_BYTES, Ordering::Relaxed);
            }
            std::future::pending::<()>().await;
        });
    }
    let mut before_bytes = 1;
    while before_bytes != taken_bytes.load(Ordering::Relaxed) {
        before_bytes = taken_bytes.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let most_bytes = 64 * 1_024 * 1_024 + usize::from(PHONES) * PIECE_BYTES;
    assert!(
        (most_bytes / 2..=most_bytes).contains(&before_bytes),
        "{before_bytes}"
    );
    // Where some of them give up, others have their turn.
    running.shutdown().await;
    let entry = phone.delivery(&stops[0], &[]);
    assert_eq!(phone.push_entries(&bench, &[entry]).await.status, 200);
}
