//! The line between phone and hub: a TCP proxy on loopback that counts bytes, adds a delay each way
//! without limiting the bandwidth, and breaks connections.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use crate::Failure;
use crate::record::Rng;

/// Most bytes handed on at once, and the unit of which a share is lost.
const CHUNK_BYTES: usize = 64 * 1_024;

/// What went over the line.
#[derive(Debug, Default)]
pub(super) struct Counters {
    up: AtomicU64,
    down: AtomicU64,
    cuts: AtomicU64,
}

/// What the counters said at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Traffic {
    pub(super) up: u64,
    pub(super) down: u64,
    pub(super) cuts: u64,
}

/// A line of its own kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// Each way.
    pub(super) delay: Duration,
    /// Share of chunks in which the connection breaks.
    pub(super) loss: f64,
}

/// The proxy; it runs until the process ends.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    pub(super) url: String,
    counters: Arc<Counters>,
}

impl Wire {
    /// Listens, and connects to `target` for every connection.
    pub(super) fn to(target: SocketAddr, line: Line) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let counters = Arc::new(Counters::default());
        let shared = counters.clone();
        std::thread::spawn(move || {
            for (n, near) in listener.incoming().flatten().enumerate() {
                if let Ok(far) = TcpStream::connect(target) {
                    carry(&near, &far, line, n as u64, &shared);
                }
            }
        });
        Ok(Self { url, counters })
    }

    /// Bytes and cuts so far.
    pub(super) fn traffic(&self) -> Traffic {
        Traffic {
            up: self.counters.up.load(Ordering::Relaxed),
            down: self.counters.down.load(Ordering::Relaxed),
            cuts: self.counters.cuts.load(Ordering::Relaxed),
        }
    }
}

impl Traffic {
    /// What came after `before`.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            up: self.up - before.up,
            down: self.down - before.down,
            cuts: self.cuts - before.cuts,
        }
    }
}

fn carry(near: &TcpStream, far: &TcpStream, line: Line, seed: u64, counters: &Arc<Counters>) {
    let pairs = [(near, far, true), (far, near, false)];
    for (from, to, up) in pairs {
        let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else {
            return;
        };
        let _ = from.set_nodelay(true);
        let (sender, receiver) = channel();
        let counters = counters.clone();
        std::thread::spawn(move || read_side(from, &sender, line, (seed, up), &counters));
        std::thread::spawn(move || write_side(to, &receiver));
    }
}

fn read_side(
    mut from: TcpStream,
    sender: &Sender<(Instant, Vec<u8>)>,
    line: Line,
    (seed, up): (u64, bool),
    counters: &Counters,
) {
    let mut rng = Rng(seed << 1 | u64::from(up));
    let mut buffer = vec![0; CHUNK_BYTES];
    while let Ok(n) = from.read(&mut buffer) {
        let Some(chunk) = buffer.get(..n).filter(|chunk| !chunk.is_empty()) else {
            break;
        };
        let counter = if up { &counters.up } else { &counters.down };
        counter.fetch_add(n as u64, Ordering::Relaxed);
        if f64::from(rng.below(10_000)) < line.loss * 10_000.0 {
            counters.cuts.fetch_add(1, Ordering::Relaxed);
            let _ = from.shutdown(Shutdown::Both);
            break;
        }
        if sender
            .send((Instant::now() + line.delay, chunk.to_vec()))
            .is_err()
        {
            break;
        }
    }
}

fn write_side(mut to: TcpStream, receiver: &Receiver<(Instant, Vec<u8>)>) {
    let _ = to.set_nodelay(true);
    for (due, chunk) in receiver {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&chunk).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
