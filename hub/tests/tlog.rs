//! The transparency log over HTTP: what a phone, an auditor and a witness get to see.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use axum::http::StatusCode;
use common::{Bench, NOW_MS, PUBLIC_URL, Phone};
use satchel_hub::{Hub, HubConfig, SeededEntropy, SimClock, Witness};
use satchel_protocol::entry::header_hash;
use satchel_protocol::feed::StopItem;
use satchel_protocol::ids::Hash32;
use satchel_protocol::receipt::SignedReceipt;
use satchel_protocol::tlog::{
    Checkpoint, Note, TileId, Tiles, TreeAnswer, TreeFault, TreeHead, Vkey, cosigned_at,
    log_origin, log_vkey, root,
};

/// What the phone is shown beside a receipt.
fn tree(answer: &common::Answer) -> TreeAnswer {
    SignedReceipt::decode(&answer.body).unwrap().tree.unwrap()
}

fn check(
    bench: &Bench,
    tree: &TreeAnswer,
    known: Option<&TreeHead>,
    newest: Hash32,
) -> Result<TreeHead, TreeFault> {
    tree.check(PUBLIC_URL, &bench.hub.public_key(), known, Some(newest))
        .map(|watched| watched.head)
}

#[tokio::test]
async fn every_batch_joins_the_tree_and_a_phone_can_follow_it() {
    let (bench, mut phone, stops) = Bench::with_round(4).await;
    let first = phone.delivery(&stops[0], &[]);
    let answer = phone
        .push_entries(&bench, std::slice::from_ref(&first))
        .await;
    let known = check(&bench, &tree(&answer), None, first.hash()).unwrap();
    assert_eq!(known.size, 1);

    // Another phone's entries come between; the first phone sees a tree that grew out of its own.
    bench.import(8, &["李丽"]).await;
    let mut other = Phone::enrolled(&bench, "李丽", 2).await;
    let theirs = other.pull_stops(&bench).await;
    let entries: Vec<_> = theirs.iter().map(|s| other.delivery(s, &[])).collect();
    other.push_entries(&bench, &entries).await;
    let second = phone.delivery(&stops[1], &[]);
    let path = format!("/v1/log?tree={}", known.size);
    let answer = phone
        .push_at(&bench, &path, std::slice::from_ref(&second))
        .await;
    let grown = check(&bench, &tree(&answer), Some(&known), second.hash()).unwrap();
    assert_eq!(grown.size, 2 + entries.len() as u64);

    // Asked without sending anything, and asked as if it had never seen a tree.
    for known in [Some(&grown), None] {
        let size = known.map_or(0, |k| k.size);
        let path = format!("/v1/log?after=0&tree={size}");
        let held = phone.send(&bench, "GET", &path, &[], vec![]).await;
        assert_eq!(
            check(&bench, &tree(&held), known, second.hash()).unwrap(),
            grown
        );
    }
    // A proof from the wrong place does not pass for one from the right place.
    let wrong = phone
        .send(&bench, "GET", "/v1/log?after=0&tree=2", &[], vec![])
        .await;
    assert!(matches!(
        check(&bench, &tree(&wrong), Some(&known), second.hash()),
        Err(TreeFault::Rewritten(_))
    ));
}

#[tokio::test]
async fn who_says_he_saw_a_longer_log_is_named_once_and_for_himself_alone() {
    let (bench, mut first, _) = Bench::with_round(1).await;
    let mut second = Phone::enrolled(&bench, "another", 9).await;
    for phone in [&mut first, &mut second] {
        for size in ["900", "901"] {
            let path = format!("/v1/log?after=0&tree={size}");
            phone.send(&bench, "GET", &path, &[], vec![]).await;
        }
    }
    let cookie = bench.board_cookie().await;
    let board = bench
        .get("/board/alarms?lang=en", &[("cookie", &cookie)])
        .await;
    let said = board
        .text()
        .matches("This phone says it has seen a longer")
        .count();
    assert_eq!(said, 2);
}

#[tokio::test]
async fn anybody_can_rebuild_the_signed_root_from_tiles_and_only_people_of_the_hub_read_entries() {
    let (bench, mut phone, stops) = Bench::with_round(300).await;
    let entries: Vec<_> = stops.iter().map(|s| phone.delivery(s, &[])).collect();
    for batch in entries.chunks(100) {
        phone
            .push_entries(&bench, batch)
            .await
            .receipt(&bench, &phone);
    }
    let note = bench.get("/log/1/checkpoint", &[]).await.text();
    let log = log_vkey(&log_origin(PUBLIC_URL, 1), &bench.hub.public_key());
    let told: Vkey = bench.get("/log/1/key", &[]).await.text().parse().unwrap();
    assert_eq!(told, log);
    let checkpoint = Checkpoint::open(&Note::parse(&note).unwrap(), &log).unwrap();
    // Every delivery, and the hub's word of what it gave out.
    assert_eq!(checkpoint.size, 301);

    let mut tiles = Tiles::default();
    let width = |path: &str, n: usize| {
        format!(
            "/log/1/tile/{path}{}",
            if n < 256 {
                format!(".p/{n}")
            } else {
                String::new()
            }
        )
    };
    for (id, n) in [
        (
            TileId {
                level: 0,
                number: 0,
            },
            256,
        ),
        (
            TileId {
                level: 0,
                number: 1,
            },
            45,
        ),
        (
            TileId {
                level: 1,
                number: 0,
            },
            1,
        ),
    ] {
        let path = width(id.path().strip_prefix("tile/").unwrap(), n);
        let got = bench.get(&path, &[]).await;
        assert_eq!(got.status, StatusCode::OK, "{path}");
        let hashes = got.body.chunks(32).map(|c| Hash32::try_from(c).unwrap());
        tiles.insert(id, hashes.collect());
    }
    assert_eq!(root(&tiles, 301).unwrap(), checkpoint.root);

    let bundle = width("entries/001", 45);
    assert_eq!(
        bench.get(&bundle, &[]).await.status,
        StatusCode::UNAUTHORIZED
    );
    let cookie = bench.board_cookie().await;
    let mut bytes = bench.get(&bundle, &[("cookie", &cookie)]).await.body;
    let mut at = 256;
    while !bytes.is_empty() {
        let len = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
        if let Some(entry) = entries.get(at) {
            assert_eq!(header_hash(&bytes[2..2 + len]), entry.hash());
        }
        bytes.drain(..2 + len);
        at += 1;
    }
    assert_eq!(at, 301);
    for none in [
        "0/000.p/0",
        "0/000.p/256",
        "0/001",
        "0/002",
        "9/000",
        "0/1",
        "0/000.p/01",
        "entries/7",
    ] {
        let path = format!("/log/1/tile/{none}");
        let status = bench.get(&path, &[("cookie", &cookie)]).await.status;
        assert_eq!(status, StatusCode::NOT_FOUND, "{none}");
    }
    assert_eq!(
        bench.get("/log/2/checkpoint", &[]).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_log_begun_anew_says_so_and_holds_everything() {
    let (bench, mut phone, stops) = Bench::with_round(3).await;
    let first = phone.delivery(&stops[0], &[]);
    let answer = phone
        .push_entries(&bench, std::slice::from_ref(&first))
        .await;
    let known = check(&bench, &tree(&answer), None, first.hash()).unwrap();
    assert_eq!(bench.hub.begin_log_anew("disk lost").await.unwrap(), 2);
    let held = phone
        .send(&bench, "GET", "/v1/log?after=0&tree=1", &[], vec![])
        .await;
    let watched = tree(&held)
        .check(
            PUBLIC_URL,
            &bench.hub.public_key(),
            Some(&known),
            Some(first.hash()),
        )
        .unwrap();
    assert!(watched.restarted);
    assert_eq!((watched.head.log_no, watched.head.size), (2, 2));
}

/// A running witness; it is killed with the test.
struct Running {
    child: Child,
    address: String,
    vkey: Vkey,
}

impl Running {
    fn start(dir: &std::path::Path, logs: &[&Vkey]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_satchel-witness"));
        command.arg("--data").arg(dir).args([
            "--name",
            "witness.example/w1",
            "--listen",
            "127.0.0.1:0",
        ]);
        for log in logs {
            command.args(["--log", &log.to_string()]);
        }
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let vkey = lines.next().unwrap().unwrap().parse().unwrap();
        let address = lines.next().unwrap().unwrap().replace("listening ", "");
        Self {
            child,
            address,
            vkey,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn witnessed(dir: &std::path::Path, witness: &Running, timestamp_url: Option<String>) -> Hub {
    let mut config = HubConfig::new(dir, PUBLIC_URL);
    config.clock = Arc::new(SimClock::frozen(NOW_MS));
    config.entropy = Arc::new(SeededEntropy::new(7));
    config.witnesses = vec![Witness {
        url: witness.address.clone(),
        vkey: witness.vkey.clone(),
    }];
    config.timestamp_url = timestamp_url;
    Hub::open(config).await.unwrap()
}

#[tokio::test]
async fn a_witness_cosigns_what_grew_and_nothing_else_even_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    // The hub's key exists before the witness is told of it.
    let bench = Bench::in_dir(dir).await;
    bench.import(5, &["王强"]).await;
    let mut phone = Phone::enrolled(&bench, "王强", 1).await;
    let stops = phone.pull_stops(&bench).await;
    let log = log_vkey(&log_origin(PUBLIC_URL, 1), &bench.hub.public_key());
    let home = tempfile::tempdir().unwrap();
    let witness = Running::start(home.path(), &[&log]);
    let hub = witnessed(bench.dir.path(), &witness, None).await;

    for stop in &stops[..2] {
        deliver(&bench, &mut phone, stop).await;
        let published = hub.publish_checkpoint().await.unwrap();
        let note = Note::parse(&published.note).unwrap();
        assert!(Checkpoint::open(&note, &log).is_ok());
        assert!(cosigned_at(&note, &witness.vkey).unwrap() > 1_700_000_000);
    }
    // Killed and started again it is the same witness and still knows how far the log was.
    let before = witness.vkey.clone();
    drop(witness);
    let witness = Running::start(home.path(), &[&log]);
    assert_eq!(witness.vkey, before);
    let hub = witnessed(bench.dir.path(), &witness, None).await;
    deliver(&bench, &mut phone, &stops[2]).await;
    let published = hub.publish_checkpoint().await.unwrap();
    let note = Note::parse(&published.note).unwrap();
    assert!(cosigned_at(&note, &witness.vkey).is_ok());

    // The same hub with another past: a fresh folder under the same key.
    let forged = tempfile::tempdir().unwrap();
    std::fs::copy(
        bench.dir.path().join("hub.keys"),
        forged.path().join("hub.keys"),
    )
    .unwrap();
    let other = Bench::in_dir(forged).await;
    other.import(9, &["王强"]).await;
    let mut liar = Phone::enrolled(&other, "王强", 9).await;
    let stops = liar.pull_stops(&other).await;
    let entries: Vec<_> = stops.iter().map(|s| liar.delivery(s, &[])).collect();
    liar.push_entries(&other, &entries).await;
    let hub = witnessed(other.dir.path(), &witness, None).await;
    let published = hub.publish_checkpoint().await.unwrap();
    let note = Note::parse(&published.note).unwrap();
    assert!(
        Checkpoint::open(&note, &log).is_ok(),
        "the hub signs whatever it likes"
    );
    assert!(
        cosigned_at(&note, &witness.vkey).is_err(),
        "the witness does not"
    );
    for (body, status) in [
        ("", "400"),
        ("old 1\n\nrubbish", "400"),
        ("old -1\n\nx", "400"),
    ] {
        assert!(post(&witness.address, body).starts_with(&format!("HTTP/1.1 {status}")));
    }
    let unknown = published.note.replace("hub.test", "another.test");
    assert!(post(&witness.address, &format!("old 0\n\n{unknown}")).starts_with("HTTP/1.1 404"));
    let unsigned = published.note.replace("\n10\n", "\n9\n");
    assert!(post(&witness.address, &format!("old 0\n\n{unsigned}")).starts_with("HTTP/1.1 403"));
}

async fn deliver(bench: &Bench, phone: &mut Phone, stop: &StopItem) {
    let entry = phone.delivery(stop, &[]);
    phone
        .push_entries(bench, &[entry])
        .await
        .receipt(bench, phone);
}

fn post(address: &str, body: &str) -> String {
    let address: SocketAddr = address.strip_prefix("http://").unwrap().parse().unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /add-checkpoint HTTP/1.1\r\nhost: w\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// An authority made of `openssl ts`, which is somebody else's idea of RFC 3161.
fn authority(dir: &std::path::Path) -> Option<String> {
    let run = |args: &[&str]| {
        let done = Command::new("openssl").args(args).current_dir(dir).output();
        done.is_ok_and(|o| o.status.success())
    };
    std::fs::write(
        dir.join("tsa.cnf"),
        "[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_cert=tsa.pem\nsigner_key=key.pem\n\
         signer_digest=sha256\ndefault_policy=1.2.3.4\ndigests=sha256\nclock_precision_digits=0\n\
         ordering=no\ntsa_name=no\ness_cert_id_chain=no\ness_cert_id_alg=sha256\n\
         [req]\ndistinguished_name=dn\nx509_extensions=ext\nprompt=no\n[dn]\nCN=Test TSA\n\
         [ext]\nextendedKeyUsage=critical,timeStamping\n",
    )
    .ok()?;
    std::fs::write(dir.join("serial"), "01").ok()?;
    run(&[
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "tsa.pem",
        "-days", "2", "-config", "tsa.cnf",
    ])
    .then_some(())?;
    let listener = TcpListener::bind("127.0.0.1:0").ok()?;
    let url = format!("http://{}/", listener.local_addr().ok()?);
    let dir = dir.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(n) = line.to_lowercase().strip_prefix("content-length: ") {
                    length = n.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut query = vec![0; length];
            reader.read_exact(&mut query).unwrap();
            std::fs::write(dir.join("query"), query).unwrap();
            let made = Command::new("openssl")
                .args([
                    "ts",
                    "-reply",
                    "-config",
                    "tsa.cnf",
                    "-queryfile",
                    "query",
                    "-out",
                    "reply",
                ])
                .current_dir(&dir)
                .status()
                .unwrap();
            assert!(made.success());
            let reply = std::fs::read(dir.join("reply")).unwrap();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
                reply.len()
            )
            .unwrap();
            stream.write_all(&reply).unwrap();
        }
    });
    Some(url)
}

#[tokio::test]
async fn a_timestamp_of_an_outside_authority_is_kept_and_openssl_believes_it() {
    let home = tempfile::tempdir().unwrap();
    let url = authority(home.path()).expect("openssl, which the tests' setup installs");
    let (bench, mut phone, stops) = Bench::with_round(2).await;
    deliver(&bench, &mut phone, &stops[0]).await;
    let log = log_vkey(&log_origin(PUBLIC_URL, 1), &bench.hub.public_key());
    let folder = tempfile::tempdir().unwrap();
    let witness = Running::start(folder.path(), &[&log]);
    let hub = witnessed(bench.dir.path(), &witness, Some(url)).await;
    let published = hub.publish_checkpoint().await.unwrap();
    std::fs::write(home.path().join("token"), published.timestamp.unwrap()).unwrap();
    let note = Note::parse(&published.note).unwrap();
    for (text, believed) in [
        (note.text.clone(), true),
        (note.text.replace('1', "2"), false),
    ] {
        std::fs::write(home.path().join("text"), text).unwrap();
        let verified = Command::new("openssl")
            .args([
                "ts",
                "-verify",
                "-data",
                "text",
                "-in",
                "token",
                "-token_in",
                "-CAfile",
                "tsa.pem",
            ])
            .current_dir(home.path())
            .output()
            .unwrap();
        assert_eq!(verified.status.success(), believed, "{verified:?}");
    }
    // An authority that answers rubbish costs nothing but its token.
    deliver(&bench, &mut phone, &stops[1]).await;
    let silent = witnessed(
        bench.dir.path(),
        &witness,
        Some(format!("{}/key", witness.address)),
    )
    .await;
    let published = silent.publish_checkpoint().await.unwrap();
    assert_eq!((published.size, published.timestamp), (3, None));
}
