//! Connections: how many at a time, and how long one may be open without asking for anything, or without taking its answer.
//!
//! Each holds a descriptor, and so does each photo that is being written. Whoever opens connections and says nothing
//! would take them all: no photo could be written then, and nobody else would be heard.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt;

/// How many connections there are at a time, and how long each may be silent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) connections: usize,
    /// Until the head of a request has come, the first or the next one.
    pub(crate) head_within: Duration,
    /// Until what was sent has been taken. Known to Linux alone, which most hubs run on.
    pub(crate) taken_within: Duration,
}

/// A proxy keeps connections for its next visitor about so long.
const HEAD_WITHIN: Duration = Duration::from_secs(75);
/// A phone in a lift comes out of it, and asks again if it was longer.
const TAKEN_WITHIN: Duration = Duration::from_secs(2 * 60);
/// Ten thousand phones after an outage, and room. Each takes some kilobytes of memory.
const MOST_CONNECTIONS: usize = 16_384;
/// Descriptors kept for the database, photos and what the process has open besides.
const KEPT_DESCRIPTORS: u64 = 256;
/// Where there are no descriptors the next try is worth nothing before some are given back.
const NO_DESCRIPTOR_WAIT: Duration = Duration::from_secs(1);

impl Default for Bounds {
    /// As many as this process may open.
    fn default() -> Self {
        let free = descriptors().map(|all| all.saturating_sub(KEPT_DESCRIPTORS).max(all / 2));
        let connections = free.and_then(|free| usize::try_from(free).ok());
        Self {
            connections: connections.map_or(MOST_CONNECTIONS, |n| n.min(MOST_CONNECTIONS)),
            head_within: HEAD_WITHIN,
            taken_within: TAKEN_WITHIN,
        }
    }
}

/// How many files and connections this process may have open; `None`: any number.
#[cfg(unix)]
fn descriptors() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
fn descriptors() -> Option<u64> {
    None
}

/// Asks for as many descriptors as the system allows: most give a process few unless it does.
#[cfg(unix)]
pub fn open_many() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if setrlimit(Resource::Nofile, limit).is_err() {
        tracing::debug!("no more files can be opened at a time than usual");
    }
}

/// Asks for as many descriptors as the system allows; here there is no such limit.
#[cfg(not(unix))]
pub fn open_many() {}

/// Serves until `shutdown` completes, and then what had been asked for.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    shutdown: impl Future<Output = ()>,
) {
    let free = Arc::new(Semaphore::new(bounds.connections));
    let graceful = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let next = async {
            let place = Arc::clone(&free).acquire_owned().await.ok();
            (place, accept(&listener).await)
        };
        let (place, (stream, peer)) = tokio::select! {
            accepted = next => accepted,
            () = &mut shutdown => break,
        };
        end_if_not_taken(&stream, bounds.taken_within);
        let router = router.clone();
        let service = service_fn(move |request| answer(router.clone(), peer, request));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(bounds.head_within)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A line that broke is no news: who was on it comes again.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// Has the system end a connection on which what was sent is not taken: whoever asks and never reads the answer would hold
/// it for ever.
#[cfg(target_os = "linux")]
fn end_if_not_taken(stream: &TcpStream, within: Duration) {
    let within_ms = u32::try_from(within.as_millis()).unwrap_or(u32::MAX);
    if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(stream, within_ms) {
        tracing::debug!(%error, "a connection is kept while nothing is taken");
    }
}

#[cfg(not(target_os = "linux"))]
fn end_if_not_taken(_: &TcpStream, _: Duration) {}

/// The peer's address serves rate limits and the fingerprints of raters, nothing else.
async fn answer(
    router: Router,
    peer: SocketAddr,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    request.extensions_mut().insert(ConnectInfo(peer));
    router.oneshot(request.map(Body::new)).await
}

/// The next connection, however long that takes.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are written whole; nothing is gained by holding back their ends.
                let _ = stream.set_nodelay(true);
                return (stream, peer);
            }
            Err(error) if is_of_one(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken");
                tokio::time::sleep(NO_DESCRIPTOR_WAIT).await;
            }
        }
    }
}

/// Whether only the one that was about to come went away.
fn is_of_one(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::timeout;

    const LONG: Duration = Duration::from_secs(20);

    async fn start(connections: usize, head_within: Duration) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let large = || async { vec![b'.'; 64 * 1_024 * 1_024] };
        let router = Router::new()
            .route("/", axum::routing::get(|| async { "here" }))
            .route("/large", axum::routing::get(large));
        let bounds = Bounds {
            connections,
            head_within,
            taken_within: Duration::from_secs(2),
        };
        tokio::spawn(serve(listener, router, bounds, std::future::pending()));
        address
    }

    async fn ask(address: SocketAddr) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        said
    }

    #[tokio::test]
    async fn who_says_nothing_is_let_go_and_keeps_nobody_out() {
        let address = start(4, Duration::from_millis(300)).await;
        let mut silent = Vec::new();
        for _ in 0..4 {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        // Half a head is no head.
        silent[0].write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        let said = timeout(LONG, ask(address)).await.unwrap();
        assert!(said.ends_with("here"), "{said}");
        for stream in &mut silent {
            let mut rest = Vec::new();
            let ended = timeout(LONG, stream.read_to_end(&mut rest)).await;
            assert!(ended.is_ok(), "still open");
        }
    }

    #[tokio::test]
    async fn no_more_than_so_many_are_taken_at_a_time() {
        let address = start(2, LONG * 10).await;
        let first = TcpStream::connect(address).await.unwrap();
        let second = TcpStream::connect(address).await.unwrap();
        let mut third = tokio::spawn(ask(address));
        let waits = timeout(Duration::from_millis(300), &mut third).await;
        assert!(waits.is_err(), "it was taken");
        drop(first);
        let said = timeout(LONG, third).await.unwrap().unwrap();
        assert!(said.ends_with("here"), "{said}");
        drop(second);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn who_does_not_take_his_answer_is_let_go() {
        let address = start(1, LONG).await;
        let mut unread = TcpStream::connect(address).await.unwrap();
        let request = b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n";
        unread.write_all(request).await.unwrap();
        let said = timeout(2 * LONG, ask(address)).await.unwrap();
        assert!(said.ends_with("here"), "{said}");
        drop(unread);
    }

    #[test]
    fn descriptors_are_left_for_the_database_and_photos() {
        let bounds = Bounds::default();
        assert!((1..=MOST_CONNECTIONS).contains(&bounds.connections));
    }
}
