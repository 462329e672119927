//! Many who come at once, or few who behave like many: what they may hold, and that others are served beside them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Request;
use common::{Answer, Bench, NOW_MS, PUBLIC_URL, Phone};
use http_body::{Frame, SizeHint};
use satchel_hub::{Hub, HubConfig, SeededEntropy, SimClock};
use tower::ServiceExt as _;

const A: &str = "198.51.100.1";
const B: &str = "198.51.100.2";
const MB: usize = 1_024 * 1_024;

/// A body that was announced and never comes.
struct Silent(usize);

impl http_body::Body for Silent {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Poll::Pending
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0 as u64)
    }
}

/// A body of one piece that tells when it was read to its end.
struct Telling(Option<Bytes>, Arc<AtomicBool>);

impl http_body::Body for Telling {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let piece = self.0.take();
        if piece.is_none() {
            self.1.store(true, Ordering::Relaxed);
        }
        Poll::Ready(piece.map(|bytes| Ok(Frame::data(bytes))))
    }
}

fn telling() -> (Body, Arc<AtomicBool>) {
    let read = Arc::new(AtomicBool::new(false));
    let body = Telling(Some(Bytes::from_static(&[7; 1_000])), read.clone());
    (Body::new(body), read)
}

/// A hub that is told by its proxy where somebody comes from.
async fn behind_proxy() -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(SimClock::frozen(NOW_MS));
    let mut config = HubConfig::new(dir.path(), PUBLIC_URL);
    config.clock = clock.clone();
    config.entropy = Arc::new(SeededEntropy::new(7));
    config.behind_proxy = true;
    let hub = Hub::open(config).await.unwrap();
    Bench { hub, clock, dir }
}

fn form(path: &str, from: &str, length_bytes: usize, body: Body) -> Request<Body> {
    Request::post(path)
        .header("content-type", "multipart/form-data; boundary=BB")
        .header("x-forwarded-for", from)
        .header("content-length", length_bytes)
        .body(body)
        .unwrap()
}

fn words(words: &str, file: Option<&[u8]>) -> Vec<u8> {
    let head = "--BB\r\nContent-Disposition: form-data; name=";
    let mut body = format!("{head}\"words\"\r\n\r\n{words}\r\n").into_bytes();
    if let Some(file) = file {
        body.extend(format!("{head}\"photos\"; filename=\"a.jpg\"\r\n\r\n").as_bytes());
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--BB--\r\n");
    body
}

async fn fill_in(bench: &Bench, path: &str, from: &str, body: Vec<u8>) -> Answer {
    bench
        .send(form(path, from, body.len(), Body::from(body)))
        .await
}

/// A request whose body never comes, under way until the end of the test.
async fn hang(bench: &Bench, request: Request<Body>) {
    let router = bench.hub.router();
    tokio::spawn(async move {
        let _answer = router.oneshot(request).await.unwrap();
        std::future::pending::<()>().await;
    });
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test]
async fn who_holds_the_room_for_forms_is_put_off_and_others_are_not() {
    let bench = behind_proxy().await;
    let opened = fill_in(&bench, "/suggest", A, words("lockers", None)).await;
    let case = opened.header("location").to_owned();
    let silent = |from, bytes| form(&case, from, bytes, Body::new(Silent(bytes)));
    for _ in 0..2 {
        hang(&bench, silent(A, 40 * MB)).await;
    }
    let refused = bench.send(silent(A, 40 * MB)).await;
    assert_eq!(refused.status, 503);
    assert!(!refused.header("retry-after").is_empty());
    assert!(refused.text().contains("</html>"));
    // Somebody else has room, and words without pictures need none.
    let large = words("here it is", Some(&vec![7; MB]));
    assert_eq!(fill_in(&bench, &case, B, large).await.status, 422);
    for from in ["198.51.100.3", "198.51.100.4", "198.51.100.5"] {
        hang(&bench, silent(from, 40 * MB)).await;
        hang(&bench, silent(from, 40 * MB)).await;
    }
    let full = bench.send(silent(B, 40 * MB)).await;
    assert_eq!(full.status, 503);
    let small = fill_in(&bench, &case, B, words("no pictures", None)).await;
    assert_eq!(small.status, 303);
}

#[tokio::test]
async fn a_form_that_does_not_come_is_given_up() {
    let bench = behind_proxy().await;
    tokio::time::pause();
    let silent = form("/suggest", A, 1_000, Body::new(Silent(1_000)));
    let sent = bench.hub.router().oneshot(silent);
    let answer = tokio::time::timeout(Duration::from_secs(60), sent).await;
    assert_eq!(answer.unwrap().unwrap().status(), 503);
}

fn plain_form(path: &str, from: &str, body: Body) -> Request<Body> {
    Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-forwarded-for", from)
        .body(body)
        .unwrap()
}

#[tokio::test]
async fn a_body_without_a_limit_of_its_own_is_not_waited_for_without_end() {
    let bench = behind_proxy().await;
    tokio::time::pause();
    for (path, status) in [("/track", 503), ("/v1/enrol", 429)] {
        let silent = plain_form(path, "198.51.100.20", Body::new(Silent(1_000)));
        let sent = bench.hub.router().oneshot(silent);
        let answer = tokio::time::timeout(Duration::from_secs(180), sent).await;
        assert_eq!(answer.unwrap().unwrap().status(), status, "{path}");
    }
}

#[tokio::test]
async fn words_that_are_announced_have_room_and_each_address_a_share() {
    let bench = behind_proxy().await;
    let (there, elsewhere) = ("198.51.100.21", "198.51.100.22");
    for _ in 0..64 {
        let silent = Body::new(Silent(64 * 1_024));
        hang(&bench, plain_form("/track", there, silent)).await;
    }
    let refused = plain_form("/track", there, Body::from("waybill=1&code=2"));
    let refused = bench.send(refused).await;
    assert_eq!(refused.status, 503);
    assert!(refused.text().contains("</html>"));
    let multipart = fill_in(&bench, "/suggest", there, words("lockers", None)).await;
    assert_eq!(multipart.status, 503);
    let other = plain_form("/track", elsewhere, Body::from("waybill=1&code=2"));
    assert_ne!(bench.send(other).await.status, 503);
    // A phone that signed does not ask there.
    let mut phone = Phone::enrolled(&bench, "王强", 1).await;
    let request = phone.request(&bench, "POST", "/v1/log", &[], vec![7; 1_000]);
    let mut request = request.build();
    let from = there.parse().unwrap();
    request.headers_mut().insert("x-forwarded-for", from);
    let answer = bench.send(request).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
}

#[tokio::test]
async fn strangers_who_keep_bodies_open_do_not_take_the_readers_of_others() {
    let bench = behind_proxy().await;
    let refused = |from: &str, body: Body| {
        let request = Request::post("/v1/log").header("x-forwarded-for", from);
        request.body(body).unwrap()
    };
    for _ in 0..300 {
        hang(&bench, refused(A, Body::new(Silent(100_000)))).await;
    }
    let (body, read) = telling();
    let answer = bench.send(refused(B, body)).await;
    assert_eq!(answer.status, 401);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(read.load(Ordering::Relaxed));
    // Strangers from everywhere take nothing from a phone that is known.
    for n in 0..300 {
        let from = format!("203.0.113.{}", n % 30);
        hang(&bench, refused(&from, Body::new(Silent(100_000)))).await;
    }
    let mut phone = Phone::enrolled(&bench, "王强", 1).await;
    phone.created_offset_s = 24 * 3_600;
    let request = phone.request(&bench, "POST", "/v1/log", &[], vec![7; 1_000]);
    let (body, read) = telling();
    assert_eq!(bench.send(request.build_with(body)).await.status, 401);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(read.load(Ordering::Relaxed));
}
