//! The host's HTTP half against a server that does what bad networks do.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use satchel_core::sync::task::{HttpTask, Purpose, TaskOutcome};
use satchel_demo::host::Http;

/// Answers every request with the same bytes and closes. Gives its address and a counter of requests.
fn server(answer: &'static [u8]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream: TcpStream = stream.unwrap();
            let mut head = [0; 4096];
            if stream.read(&mut head).unwrap_or(0) > 0 {
                counter.fetch_add(1, Ordering::SeqCst);
                // The client may have gone; that is its right.
                let _ = stream.write_all(answer);
            }
        }
    });
    (address, seen)
}

fn get(url: &str, max_answer_bytes: usize) -> HttpTask {
    HttpTask {
        id: "t".into(),
        purpose: Purpose::Feed,
        upload: None,
        method: "GET",
        url: format!("{url}/v1/feed"),
        headers: vec![("accept".into(), "application/json".into())],
        body: vec![],
        max_answer_bytes,
    }
}

fn answered(outcome: TaskOutcome) -> (u16, Vec<u8>) {
    match outcome {
        TaskOutcome::Response { status, body, .. } => (status, body),
        TaskOutcome::Failed => panic!("no answer"),
    }
}

#[test]
fn a_redirect_is_reported_and_never_followed() {
    let (elsewhere, asked) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let redirect =
        format!("HTTP/1.1 302 Found\r\nlocation: {elsewhere}/x\r\ncontent-length: 0\r\n\r\n");
    let (portal, _) = server(Box::leak(redirect.into_boxed_str()).as_bytes());
    assert_eq!(answered(Http::new().send(&get(&portal, 100))).0, 302);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[test]
fn an_error_status_is_an_answer_with_its_body() {
    let (hub, _) = server(b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\nretry-after: 7\r\n\r\nbusy");
    let outcome = Http::new().send(&get(&hub, 100));
    let TaskOutcome::Response { headers, .. } = &outcome else {
        panic!("no answer")
    };
    assert!(
        headers.contains(&("retry-after".into(), "7".into())),
        "{headers:?}"
    );
    assert_eq!(answered(outcome), (503, b"busy".to_vec()));
}

#[test]
fn no_more_is_read_than_the_core_asked_for() {
    let (hub, _) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789");
    assert_eq!(
        answered(Http::new().send(&get(&hub, 4))),
        (200, b"0123".to_vec())
    );
}

#[test]
fn half_an_answer_and_no_server_are_failures() {
    let (hub, _) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01234");
    assert_eq!(Http::new().send(&get(&hub, 100)), TaskOutcome::Failed);
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    assert_eq!(
        Http::new().send(&get(&format!("http://{gone}"), 100)),
        TaskOutcome::Failed
    );
}
