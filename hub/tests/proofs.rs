//! Resumable proofs: cut, resumed, damaged, repeated, given up.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use common::{Answer, Bench, HOUR_MS, Phone, SignedRequest, inline, metadata, raw, sha};
use satchel_protocol::api::ErrorCode;
use satchel_protocol::batch::Batch;
use satchel_protocol::limits::MAX_PROOF_BYTES;
use satchel_protocol::taxonomy::ProofKind;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tower::ServiceExt;

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
const STREAM: (&str, &str) = ("content-type", "application/offset+octet-stream");

fn photo() -> Vec<u8> {
    (0..200_000_u32).map(|i| (i * 7 % 251) as u8).collect()
}

fn url(bytes: &[u8]) -> String {
    format!("/v1/proofs/{}", sha(bytes))
}

async fn create(bench: &Bench, phone: &mut Phone, whole: &[u8], first: &[u8]) -> Answer {
    let length = whole.len().to_string();
    let meta = metadata(whole, ProofKind::Photo);
    let headers = [
        TUS,
        STREAM,
        ("upload-length", &length),
        ("upload-metadata", &meta),
    ];
    let headers: Vec<_> = headers
        .into_iter()
        .filter(|h| !first.is_empty() || *h != STREAM)
        .collect();
    phone
        .send(bench, "POST", "/v1/proofs", &headers, first.to_vec())
        .await
}

async fn patch(
    bench: &Bench,
    phone: &mut Phone,
    whole: &[u8],
    offset: usize,
    bytes: &[u8],
) -> Answer {
    let offset = offset.to_string();
    let headers = [TUS, STREAM, ("upload-offset", offset.as_str())];
    phone
        .send(bench, "PATCH", &url(whole), &headers, bytes.to_vec())
        .await
}

async fn head(bench: &Bench, phone: &mut Phone, whole: &[u8]) -> Answer {
    phone.send(bench, "HEAD", &url(whole), &[TUS], vec![]).await
}

#[tokio::test]
async fn a_proof_in_one_request_is_receipted_and_the_same_again_costs_nothing() {
    let (bench, mut phone, _) = Bench::with_round(1).await;
    let bytes = photo();
    let missing = phone
        .send(
            &bench,
            "GET",
            &format!("{}/receipt", url(&bytes)),
            &[],
            vec![],
        )
        .await;
    assert_eq!(missing.refused(404), ErrorCode::NotFound);

    let created = create(&bench, &mut phone, &bytes, &bytes).await;
    assert_eq!(created.status, 201);
    assert_eq!(created.header("location"), url(&bytes));
    assert_eq!(created.header("upload-offset"), bytes.len().to_string());
    assert_eq!(created.header("tus-resumable"), "1.0.0");
    assert_eq!(created.receipt(&bench, &phone).blobs, [sha(&bytes)]);

    // Another phone, another time: nothing has to be sent.
    let mut other = Phone::enrolled(&bench, "李娜", 2).await;
    let again = create(&bench, &mut other, &bytes, &[]).await;
    assert_eq!(again.status, 201);
    assert_eq!(again.receipt(&bench, &other).blobs, [sha(&bytes)]);
    let asked = phone
        .send(
            &bench,
            "GET",
            &format!("{}/receipt", url(&bytes)),
            &[],
            vec![],
        )
        .await;
    assert_eq!(asked.receipt(&bench, &phone).blobs, [sha(&bytes)]);
    let held = head(&bench, &mut phone, &bytes).await;
    assert_eq!(held.header("upload-offset"), held.header("upload-length"));
}

#[tokio::test]
async fn uploads_may_be_signed_lean_and_nothing_else() {
    let bench = Bench::new().await;
    let mut phone = Phone::enrolled(&bench, "王师傅", 1).await;
    phone.lean = true;
    let whole = photo();
    let length = whole.len().to_string();
    let named = metadata(&whole, ProofKind::Photo);
    let begin = [
        TUS,
        STREAM,
        ("upload-length", &length),
        ("upload-metadata", &named),
    ];
    let all = phone
        .send(&bench, "POST", "/v1/proofs", &begin, whole.clone())
        .await;
    assert_eq!(all.status, 201);
    let asked = head(&bench, &mut phone, &whole).await;
    assert_eq!(
        (asked.status.as_u16(), asked.header("upload-offset")),
        (200, length.as_str())
    );
    let log = phone
        .send(&bench, "GET", "/v1/log?after=0", &[], vec![])
        .await;
    assert_eq!(log.status, 401);
    let feed = phone.send(&bench, "GET", "/v1/feed", &[], vec![]).await;
    assert_eq!(feed.status, 401);
}

#[tokio::test]
async fn a_phone_with_a_wrong_clock_is_told_the_time_where_an_answer_has_no_body() {
    let bench = Bench::new().await;
    let mut phone = Phone::enrolled(&bench, "王师傅", 1).await;
    phone.created_offset_s = 3_600;
    let asked = head(&bench, &mut phone, &photo()).await;
    assert_eq!((asked.status.as_u16(), asked.body.len()), (401, 0));
    let said: serde_json::Value = serde_json::from_str(asked.header("satchel-error")).unwrap();
    assert_eq!(said["error"], "clock_skew");
    assert_eq!(said["time"]["hub_time_ms"], bench.hub.now_ms());
}

#[tokio::test]
async fn an_upload_is_resumed_where_it_stopped() {
    let (bench, mut phone, _) = Bench::with_round(1).await;
    let bytes = photo();
    let begun = create(&bench, &mut phone, &bytes, &[]).await;
    assert_eq!(
        (begun.status.as_u16(), begun.header("upload-offset")),
        (201, "0")
    );
    assert!(begun.header("upload-expires").ends_with("GMT"));
    let part = patch(&bench, &mut phone, &bytes, 0, &bytes[..70_000]).await;
    assert_eq!(
        (part.status.as_u16(), part.header("upload-offset")),
        (204, "70000")
    );
    let offset = head(&bench, &mut phone, &bytes).await;
    assert_eq!(offset.header("upload-offset"), "70000");
    assert_eq!(offset.header("upload-length"), bytes.len().to_string());
    assert_eq!(offset.header("cache-control"), "no-store");

    let wrong = patch(&bench, &mut phone, &bytes, 60_000, &bytes[60_000..]).await;
    assert_eq!(wrong.refused(409), ErrorCode::OffsetMismatch);
    let done = patch(&bench, &mut phone, &bytes, 70_000, &bytes[70_000..]).await;
    assert_eq!(done.status, 200);
    assert_eq!(done.receipt(&bench, &phone).blobs, [sha(&bytes)]);
    // The answer was lost and the last request comes again, signed anew.
    let again = patch(&bench, &mut phone, &bytes, bytes.len(), &[]).await;
    assert_eq!(again.receipt(&bench, &phone).blobs, [sha(&bytes)]);
}

#[tokio::test]
async fn what_came_of_a_cut_body_is_kept_and_a_hanging_request_does_not_block_the_next() {
    let (bench, mut phone, _) = Bench::with_round(1).await;
    let bytes = photo();
    create(&bench, &mut phone, &bytes, &[]).await;

    // Signed over the whole body, but the connection dies after 50,000 bytes.
    let address = listen(&bench).await;
    let headers = [TUS, STREAM, ("upload-offset", "0")];
    let request = phone.request(&bench, "PATCH", &url(&bytes), &headers, bytes.clone());
    drop(send_part(address, &request, &bytes[..50_000]).await);
    wait_for_offset(&bench, &mut phone, &bytes, 50_000).await;

    // This one neither ends nor dies: the next request takes over.
    let headers = [TUS, STREAM, ("upload-offset", "50000")];
    let request = phone.request(
        &bench,
        "PATCH",
        &url(&bytes),
        &headers,
        bytes[50_000..].to_vec(),
    );
    let mut hanging = send_part(address, &request, &bytes[50_000..90_000]).await;
    wait_for_offset(&bench, &mut phone, &bytes, 90_000).await;
    let part = patch(&bench, &mut phone, &bytes, 90_000, &bytes[90_000..100_000]).await;
    assert_eq!(part.status, 204);

    // The old one wakes up and sends its rest. It must not spoil the new one's bytes, nor take the line from them: its
    // connection is closed before all of it has come.
    let mut came_whole = true;
    for piece in bytes[90_000..].chunks(1_000) {
        if hanging.write_all(piece).await.is_err() {
            came_whole = false;
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!came_whole);
    wait_for_offset(&bench, &mut phone, &bytes, 100_000).await;
    let done = patch(&bench, &mut phone, &bytes, 100_000, &bytes[100_000..]).await;
    assert_eq!(done.receipt(&bench, &phone).blobs, [sha(&bytes)]);
}

#[tokio::test]
async fn bytes_that_are_not_the_promised_ones_are_discarded() {
    let (bench, mut phone, _) = Bench::with_round(1).await;
    let bytes = photo();
    let mut spoilt = bytes.clone();
    spoilt[1_000] ^= 1;
    let answer = create(&bench, &mut phone, &bytes, &spoilt).await;
    assert_eq!(answer.refused(460), ErrorCode::HashMismatch);
    assert_eq!(head(&bench, &mut phone, &bytes).await.status, 404);
    // The right bytes are still welcome.
    let answer = create(&bench, &mut phone, &bytes, &bytes).await;
    assert_eq!(answer.receipt(&bench, &phone).blobs, [sha(&bytes)]);
}

#[tokio::test]
async fn a_chunk_damaged_on_the_way_costs_only_itself() {
    let (bench, mut phone, _) = Bench::with_round(1).await;
    let bytes = photo();
    create(&bench, &mut phone, &bytes, &bytes[..50_000]).await;
    let headers = [TUS, STREAM, ("upload-offset", "50000")];
    let request = phone.request(
        &bench,
        "PATCH",
        &url(&bytes),
        &headers,
        bytes[50_000..].to_vec(),
    );
    let mut spoilt = bytes[50_000..].to_vec();
    spoilt[9] ^= 1;
    let answer = bench.send(request.build_with(Body::from(spoilt))).await;
    assert_eq!(answer.refused(400), ErrorCode::Malformed);
    assert_eq!(
        head(&bench, &mut phone, &bytes)
            .await
            .header("upload-offset"),
        "50000"
    );

    // The tus checksum extension says the same for a phone that sends it.
    let wrong = format!("sha256 {}", data_encoding::BASE64.encode(&sha(b"other").0));
    let headers = [
        TUS,
        STREAM,
        ("upload-offset", "50000"),
        ("upload-checksum", wrong.as_str()),
    ];
    let answer = phone
        .send(
            &bench,
            "PATCH",
            &url(&bytes),
            &headers,
            bytes[50_000..].to_vec(),
        )
        .await;
    assert_eq!(answer.refused(460), ErrorCode::HashMismatch);
    assert_eq!(
        head(&bench, &mut phone, &bytes)
            .await
            .header("upload-offset"),
        "50000"
    );
    let done = patch(&bench, &mut phone, &bytes, 50_000, &bytes[50_000..]).await;
    assert_eq!(done.receipt(&bench, &phone).blobs, [sha(&bytes)]);
}

#[tokio::test]
async fn sizes_versions_and_metadata_are_checked_before_anything_is_stored() {
    let (bench, mut phone, _) = Bench::with_round(1).await;
    let meta = metadata(b"x", ProofKind::Photo);
    let too_long = (MAX_PROOF_BYTES + 1).to_string();
    for (length, metadata, status) in [
        (too_long.as_str(), meta.as_str(), 413),
        ("2147483648000", meta.as_str(), 413),
        ("0", meta.as_str(), 400),
        ("-1", meta.as_str(), 400),
        ("", meta.as_str(), 400),
        ("1", "sha256 AAAA,kind cGhvdG8=", 400),
        ("1", "filename eA==", 400),
    ] {
        let headers = [
            TUS,
            ("upload-length", length),
            ("upload-metadata", metadata),
        ];
        let answer = phone
            .send(&bench, "POST", "/v1/proofs", &headers, vec![])
            .await;
        assert_eq!(answer.status, status, "{length} {metadata}");
    }
    let headers = [("upload-length", "1"), ("upload-metadata", meta.as_str())];
    let answer = phone
        .send(&bench, "POST", "/v1/proofs", &headers, vec![])
        .await;
    assert_eq!(answer.refused(400), ErrorCode::Malformed);
    // More bytes than announced.
    create(&bench, &mut phone, b"abc", &[]).await;
    let answer = patch(&bench, &mut phone, b"abc", 0, b"abcd").await;
    assert_eq!(answer.refused(413), ErrorCode::TooLarge);
    assert_eq!(
        head(&bench, &mut phone, b"abc")
            .await
            .header("upload-offset"),
        "0"
    );

    let options = bench
        .send(
            axum::http::Request::options("/v1/proofs")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert_eq!(options.status, 204);
    assert!(
        options
            .header("tus-extension")
            .contains("creation-with-upload")
    );
    assert_eq!(options.header("tus-max-size"), MAX_PROOF_BYTES.to_string());
}

#[tokio::test]
async fn an_upload_can_be_given_up_and_a_held_proof_cannot() {
    let (bench, mut phone, _) = Bench::with_round(1).await;
    let bytes = photo();
    create(&bench, &mut phone, &bytes, &bytes[..10]).await;
    let gone = phone
        .send(&bench, "DELETE", &url(&bytes), &[TUS], vec![])
        .await;
    assert_eq!(gone.status, 204);
    assert_eq!(head(&bench, &mut phone, &bytes).await.status, 404);
    create(&bench, &mut phone, &bytes, &bytes).await;
    let kept = phone
        .send(&bench, "DELETE", &url(&bytes), &[TUS], vec![])
        .await;
    assert_eq!(kept.refused(404), ErrorCode::NotFound);
    assert_eq!(head(&bench, &mut phone, &bytes).await.status, 200);
}

#[tokio::test]
async fn an_upload_that_is_said_to_be_of_another_length_begins_anew() {
    let (bench, mut phone, _) = Bench::with_round(1).await;
    let bytes = photo();
    create(&bench, &mut phone, &bytes, &bytes[..1_000]).await;
    let meta = metadata(&bytes, ProofKind::Photo);
    let headers = [
        TUS,
        ("upload-length", "10"),
        ("upload-metadata", meta.as_str()),
    ];
    let other = phone
        .send(&bench, "POST", "/v1/proofs", &headers, vec![])
        .await;
    assert_eq!(other.status, 201);
    let known = head(&bench, &mut phone, &bytes).await;
    assert_eq!(known.header("upload-length"), "10");
    assert_eq!(known.header("upload-offset"), "0", "what came is gone");
    let more = patch(&bench, &mut phone, &bytes, 0, &bytes).await;
    assert_eq!(more.refused(413), ErrorCode::TooLarge);
    // And with the true one it goes up.
    let whole = create(&bench, &mut phone, &bytes, &bytes).await;
    assert_eq!(whole.status, 201);
    let known = head(&bench, &mut phone, &bytes).await;
    assert_eq!(known.header("upload-length"), bytes.len().to_string());
}

#[tokio::test]
async fn a_proof_is_recorded_with_the_length_it_has() {
    let (bench, mut phone, _) = Bench::with_round(1).await;
    let bytes = photo();
    create(&bench, &mut phone, &bytes, &bytes[..10]).await;
    // A stop between the word of a new length and the loss of what came under the old one.
    sqlx::query("UPDATE upload SET length_bytes = 10")
        .execute(&raw(&bench).await)
        .await
        .unwrap();
    for file in std::fs::read_dir(bench.dir.path().join("incoming")).unwrap() {
        std::fs::write(file.unwrap().path(), &bytes).unwrap();
    }
    let ended = patch(&bench, &mut phone, &bytes, bytes.len(), b"").await;
    assert_eq!(ended.status, 460);
    assert_eq!(head(&bench, &mut phone, &bytes).await.status, 404);
    create(&bench, &mut phone, &bytes, &bytes).await;
    let known = head(&bench, &mut phone, &bytes).await;
    assert_eq!(known.header("upload-length"), bytes.len().to_string());
}

async fn at_once(bench: &Bench, requests: &[SignedRequest]) -> Vec<u16> {
    let mut tasks = tokio::task::JoinSet::new();
    for request in requests {
        let (router, request) = (bench.hub.router(), request.build());
        tasks.spawn(async move { router.oneshot(request).await.unwrap().status().as_u16() });
    }
    tasks.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_begin_at_once_each_count() {
    let (bench, mut phone, _) = Bench::with_round(1).await;
    let db = raw(&bench).await;
    sqlx::query(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 498) \
         INSERT INTO upload (device_id, hash, kind, length_bytes, created_at_ms, expires_at_ms) \
         SELECT ?1, randomblob(32), 'photo', 1, ?2, ?2 + 3600000 FROM n",
    )
    .bind(phone.device.as_bytes().to_vec())
    .bind(bench.hub.now_ms())
    .execute(&db)
    .await
    .unwrap();
    let requests: Vec<_> = (0..8_u8)
        .map(|n| {
            let meta = metadata(&[n; 50], ProofKind::Photo);
            let headers = [TUS, ("upload-length", "50"), ("upload-metadata", &meta)];
            phone.request(&bench, "POST", "/v1/proofs", &headers, vec![])
        })
        .collect();
    let answers = at_once(&bench, &requests).await;
    let begun = answers.iter().filter(|status| **status == 201).count();
    assert_eq!(begun, 2, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 429).count(), 6);
}

/// Given up again and again by one connection while another goes on with it.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_given_up_while_it_goes_on_leaves_no_file() {
    let (bench, mut phone, _) = Bench::with_round(1).await;
    let incoming = bench.dir.path().join("incoming");
    for round in 0..20_u8 {
        let bytes = vec![round; 3_000];
        create(&bench, &mut phone, &bytes, b"").await;
        let mut requests = Vec::new();
        for n in 0..5 {
            let start = [TUS, STREAM, ("upload-offset", "0")];
            requests.push(match n {
                2 => phone.request(&bench, "DELETE", &url(&bytes), &[TUS], vec![]),
                _ => phone.request(
                    &bench,
                    "PATCH",
                    &url(&bytes),
                    &start,
                    bytes[..1_000].to_vec(),
                ),
            });
        }
        at_once(&bench, &requests).await;
        if head(&bench, &mut phone, &bytes).await.status == 404 {
            assert_eq!(count_files(&incoming), 0, "round {round}");
        }
    }
}

#[tokio::test]
async fn what_a_stop_left_among_the_uploads_is_cleared_away() {
    let (bench, mut phone, _) = Bench::with_round(1).await;
    let bytes = photo();
    create(&bench, &mut phone, &bytes, &bytes[..10]).await;
    let incoming = bench.dir.path().join("incoming");
    std::fs::write(incoming.join("left"), b"x").unwrap();
    for file in std::fs::read_dir(&incoming).unwrap() {
        let path = file.unwrap().path();
        let file = std::fs::File::options().write(true).open(path).unwrap();
        let two_days = Duration::from_secs(2 * 24 * 3_600);
        let written = file.metadata().unwrap().modified().unwrap();
        file.set_modified(written - two_days).unwrap();
    }
    std::fs::write(incoming.join("begun"), b"x").unwrap();
    bench.hub.sweep().await.unwrap();
    assert!(!incoming.join("left").exists());
    assert!(incoming.join("begun").exists());
    let known = head(&bench, &mut phone, &bytes).await;
    assert_eq!(known.header("upload-offset"), "10", "an open one stays");
}

#[tokio::test]
async fn a_proof_waits_a_week_for_its_entry_and_then_belongs_to_it() {
    let (bench, mut phone, stops) = Bench::with_round(2).await;
    let (kept, lost) = (photo(), b"bound by nobody".to_vec());
    create(&bench, &mut phone, &kept, &kept).await;
    create(&bench, &mut phone, &lost, &lost).await;
    create(&bench, &mut phone, b"half", b"ha").await;
    bench.clock.advance(6 * 24 * HOUR_MS);
    bench.hub.sweep().await.unwrap();
    let entry = phone.delivery(&stops[0], &[(ProofKind::Photo, &kept)]);
    let batch = Batch {
        entries: vec![entry],
        blobs: vec![],
    };
    // The receipt of the entry names the proof that was there before it.
    assert_eq!(
        phone
            .push(&bench, &batch)
            .await
            .receipt(&bench, &phone)
            .blobs,
        [sha(&kept)]
    );
    bench.clock.advance(2 * 24 * HOUR_MS);
    bench.hub.sweep().await.unwrap();
    assert_eq!(head(&bench, &mut phone, &kept).await.status, 200);
    assert_eq!(head(&bench, &mut phone, &lost).await.status, 404);
    assert_eq!(head(&bench, &mut phone, b"half").await.status, 404);
    let files: usize = ["proofs", "incoming"]
        .iter()
        .map(|d| count_files(&bench.dir.path().join(d)))
        .sum();
    assert_eq!(files, 1);
}

fn count_files(dir: &std::path::Path) -> usize {
    std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .map(|p| if p.is_dir() { count_files(&p) } else { 1 })
        .sum()
}

#[tokio::test]
async fn a_restart_between_placing_and_recording_a_proof_loses_nothing() {
    let (bench, mut phone, _) = Bench::with_round(1).await;
    let bytes = photo();
    let hex = sha(&bytes).to_string();
    let folder = bench.dir.path().join("proofs").join(&hex[..2]);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(&hex), &bytes).unwrap();
    let answer = create(&bench, &mut phone, &bytes, &[]).await;
    assert_eq!(answer.receipt(&bench, &phone).blobs, [sha(&bytes)]);
    // A damaged file under a proof's name is not believed.
    let other = b"something else".to_vec();
    let hex = sha(&other).to_string();
    let folder = bench.dir.path().join("proofs").join(&hex[..2]);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(&hex), b"damaged").unwrap();
    let answer = create(&bench, &mut phone, &other, &[]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("upload-offset")),
        (201, "0")
    );
}

/// Serves the hub on a real socket, so that connections can die like real ones.
async fn listen(bench: &Bench) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = bench.hub.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Announces the whole body and sends only `bytes`. The connection stays open until it is dropped.
async fn send_part(address: SocketAddr, request: &SignedRequest, bytes: &[u8]) -> TcpStream {
    let mut head = format!(
        "{} {} HTTP/1.1\r\nhost: hub.test\r\n",
        request.method, request.path
    );
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", request.body.len()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.flush().await.unwrap();
    stream
}

/// Asks until the hub has this much; asking takes the upload over, so it waits first.
async fn wait_for_offset(bench: &Bench, phone: &mut Phone, whole: &[u8], offset: u64) {
    let path = bench.dir.path().join("incoming");
    for _ in 0..500 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let come: u64 = std::fs::read_dir(&path)
            .unwrap()
            .map(|e| e.unwrap().metadata().unwrap().len())
            .sum();
        if come == offset {
            break;
        }
    }
    let answer = head(bench, phone, whole).await;
    assert_eq!(answer.header("upload-offset"), offset.to_string());
}

#[tokio::test]
async fn a_failure_inside_is_a_plain_500_that_can_be_tried_again() {
    let (bench, mut phone, _) = Bench::with_round(1).await;
    // The proof folder is gone: a lost mount.
    let incoming = bench.dir.path().join("incoming");
    std::fs::remove_dir_all(&incoming).unwrap();
    let bytes = photo();
    let answer = create(&bench, &mut phone, &bytes, &bytes).await;
    assert_eq!(answer.refused(500), ErrorCode::Internal);
    assert_eq!(answer.error().detail, None);
    std::fs::create_dir(&incoming).unwrap();
    let answer = create(&bench, &mut phone, &bytes, &bytes).await;
    assert_eq!(answer.receipt(&bench, &phone).blobs, [sha(&bytes)]);
}

#[tokio::test]
async fn what_comes_inside_a_batch_is_kept_with_it_and_needs_no_file() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let ink = b"not really ink".as_slice();
    let entry = phone.delivery(&stops[0], &[(ProofKind::Signature, ink)]);
    let batch = Batch {
        entries: vec![entry],
        blobs: vec![inline(ProofKind::Signature, ink)],
    };
    let receipt = phone.push(&bench, &batch).await.receipt(&bench, &phone);
    assert_eq!(receipt.blobs, [sha(ink)]);
    assert_eq!(count_files(&bench.dir.path().join("proofs")), 0);
    assert_eq!(head(&bench, &mut phone, ink).await.status, 200);
}

#[tokio::test]
async fn loose_proofs_in_a_batch_count_like_uploads_and_hold_up_no_entry() {
    let (bench, mut phone, given) = Bench::with_round(3).await;
    let mut other = Phone::enrolled(&bench, "Zhou", 9).await;
    // All but a few kilobytes of what this phone may leave here that nothing binds.
    let db = raw(&bench).await;
    sqlx::query(
        "INSERT INTO blob (hash, kind, size_bytes, received_at_ms, expires_at_ms, brought_by) \
         VALUES (randomblob(32), 'photo', ?, ?, ?, ?)",
    )
    .bind(512 * 1_024 * 1_024 - 6_500)
    .bind(bench.hub.now_ms())
    .bind(bench.hub.now_ms() + HOUR_MS)
    .bind(phone.device.as_bytes().to_vec())
    .execute(&db)
    .await
    .unwrap();
    let loose = |n: u8| inline(ProofKind::Signature, &[n; 3_000]);
    let (ink, later) = ([9; 600], [77; 3_000]);
    let entry = phone.delivery(&given[0], &[(ProofKind::Signature, &ink)]);
    let batch = Batch {
        entries: vec![entry],
        // The same twice counts once; a tiny one takes more room than its bytes.
        blobs: vec![
            loose(1),
            loose(1),
            inline(ProofKind::Signature, b"tiny"),
            loose(3),
            inline(ProofKind::Signature, &ink),
        ],
    };
    let receipt = phone.push(&bench, &batch).await.receipt(&bench, &phone);
    assert_eq!((receipt.entries.len(), receipt.head_seq), (1, 1));
    let mut named = receipt.blobs.clone();
    named.sort();
    let mut kept = [loose(1).hash, sha(b"tiny"), sha(&ink)];
    kept.sort();
    assert_eq!(named, kept, "what was left out is not receipted");
    assert_eq!(head(&bench, &mut phone, &[3; 3_000]).await.status, 404);
    let metrics = bench.get("/metrics", &[]).await.text();
    assert!(
        metrics.contains("satchel_loose_proofs_left_out_total 1"),
        "{metrics}"
    );

    // Sent again it is left out again, and named as held is what is held. Another phone has its own room.
    let again = phone.push(&bench, &batch).await.receipt(&bench, &phone);
    assert!(!again.blobs.contains(&loose(3).hash) && again.blobs.contains(&loose(1).hash));
    let of_other = Batch {
        entries: vec![],
        blobs: vec![loose(4)],
    };
    let receipt = other.push(&bench, &of_other).await.receipt(&bench, &other);
    assert_eq!(receipt.blobs, [loose(4).hash]);
    // What an entry binds by now is evidence and takes none of the room.
    let entry = phone.delivery(&given[1], &[(ProofKind::Signature, &later)]);
    phone
        .push_entries(&bench, &[entry])
        .await
        .receipt(&bench, &phone);
    let late = Batch {
        entries: vec![],
        blobs: vec![inline(ProofKind::Signature, &later)],
    };
    let receipt = phone.push(&bench, &late).await.receipt(&bench, &phone);
    assert_eq!(receipt.blobs, [sha(&later)]);
    // And the small copy of a photo, which only the body beside it names.
    let small = [42; 4_000];
    let entry = phone.delivery_with_thumb(&given[2], &photo(), &small);
    let with_copy = Batch {
        entries: vec![entry],
        blobs: vec![inline(ProofKind::Photo, &small)],
    };
    let answer = phone.push(&bench, &with_copy).await;
    assert_eq!(answer.receipt(&bench, &phone).blobs, [sha(&small)]);
}

#[tokio::test]
async fn a_phone_cannot_fill_the_disk_with_what_no_entry_binds_and_evidence_comes_all_the_same() {
    let (bench, mut phone, given) = Bench::with_round(2).await;
    let largest = MAX_PROOF_BYTES.to_string();
    // One that is on its way and bound takes none of the room.
    let on_its_way = vec![3; MAX_PROOF_BYTES as usize];
    let entry = phone.delivery(&given[1], &[(ProofKind::Photo, &on_its_way)]);
    assert_eq!(phone.push_entries(&bench, &[entry]).await.status, 200);
    let begun = create(&bench, &mut phone, &on_its_way, &[]).await;
    assert_eq!(begun.status, 201);
    // Not one byte of these came yet; what they will take counts. One comes whole.
    let mut begun = 0;
    create(&bench, &mut phone, &photo(), &photo()).await;
    let full = loop {
        let name = metadata(&[7, begun], ProofKind::Photo);
        let headers = [TUS, ("upload-length", &largest), ("upload-metadata", &name)];
        let answer = phone
            .send(&bench, "POST", "/v1/proofs", &headers, vec![])
            .await;
        if answer.status != 201 || begun == 200 {
            break answer;
        }
        begun += 1;
    };
    assert_eq!((full.refused(429), begun), (ErrorCode::RateLimited, 31));
    // Another phone has its own room, and what an entry of the log binds is taken from this one too.
    let mut other = Phone::enrolled(&bench, "Zhou", 9).await;
    let loose = [5; 1_000];
    assert_eq!(create(&bench, &mut other, &loose, &loose).await.status, 201);
    let bound: Vec<u8> = (0..MAX_PROOF_BYTES).map(|i| (i % 253) as u8).collect();
    let entry = phone.delivery(&given[0], &[(ProofKind::Photo, &bound)]);
    assert_eq!(phone.push_entries(&bench, &[entry]).await.status, 200);
    assert_eq!(create(&bench, &mut phone, &bound, &[]).await.status, 201);
}
