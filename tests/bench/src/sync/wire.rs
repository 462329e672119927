//! The line between phone and hub: a TCP proxy on loopback that counts bytes, adds a delay each way, lets
//! packets get lost as far as TCP shows it, and breaks connections. These are two different things: a lost
//! packet makes a connection slow, and what was sent before a broken one may or may not have arrived.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::requests::Requests;
use crate::Failure;
use crate::record::Rng;

/// Most bytes handed on at once, and the unit of which a share breaks the connection.
const CHUNK_BYTES: usize = 64 * 1_024;
/// Chunks on their way at once: a line holds what its delay holds, and no whole photos.
const QUEUE: usize = 1_024;
/// What a packet carries.
const PACKET_BYTES: usize = 1_400;
/// Packets sent before anything is heard back, and the most a sender has under way.
const FIRST_WINDOW: usize = 10;
const MOST_WINDOW: usize = 256;
/// What a sender waits that hears nothing, beside the round trip.
const TIMEOUT: Duration = Duration::from_millis(600);

/// What went over the line.
#[derive(Debug, Default)]
pub(super) struct Counters {
    up: AtomicU64,
    down: AtomicU64,
    cuts: AtomicU64,
    requests: AtomicU64,
}

/// What the counters said at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Traffic {
    pub(super) up: u64,
    pub(super) down: u64,
    pub(super) cuts: u64,
    /// As the wire shows them; 0 where nobody asked for that.
    pub(super) requests: u64,
}

/// A line of its own kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// Each way.
    pub(super) delay: Duration,
    /// Share of packets that get lost.
    pub(super) loss: f64,
    /// Share of chunks after which the connection breaks.
    pub(super) cuts: f64,
    /// By which address it is reached; by none of its own on the loopback.
    pub(super) through: Option<Ipv4Addr>,
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
        Self::new(target, line, false)
    }

    /// The same, and counts requests by looking at what passes: for clients that do not count theirs.
    pub(super) fn counting(target: SocketAddr, line: Line) -> Result<Self, Failure> {
        Self::new(target, line, true)
    }

    fn new(target: SocketAddr, line: Line, counts_requests: bool) -> Result<Self, Failure> {
        let here = match line.through {
            Some(_) => Ipv4Addr::UNSPECIFIED,
            None => Ipv4Addr::LOCALHOST,
        };
        let listener = TcpListener::bind((here, 0))?;
        let port = listener.local_addr()?.port();
        let url = format!("http://{}:{port}", line.through.unwrap_or(here));
        let counters = Arc::new(Counters::default());
        let shared = counters.clone();
        std::thread::spawn(move || {
            for (n, near) in listener.incoming().flatten().enumerate() {
                if let Ok(far) = TcpStream::connect(target) {
                    carry(&near, &far, (line, counts_requests), n as u64, &shared);
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
            requests: self.counters.requests.load(Ordering::Relaxed),
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
            requests: self.requests - before.requests,
        }
    }
}

fn carry(
    near: &TcpStream,
    far: &TcpStream,
    (line, counts_requests): (Line, bool),
    seed: u64,
    counters: &Arc<Counters>,
) {
    let pairs = [(near, far, true), (far, near, false)];
    for (from, to, up) in pairs {
        let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else {
            return;
        };
        let _ = (from.set_nodelay(true), to.set_nodelay(true));
        let (sender, receiver) = sync_channel(QUEUE);
        let direction = Direction {
            line,
            up,
            rng: Rng(seed << 1 | u64::from(up)),
            counters: counters.clone(),
            window: FIRST_WINDOW,
            requests: (up && counts_requests).then(Requests::default),
        };
        std::thread::spawn(move || direction.run(from, &sender));
        std::thread::spawn(move || write_side(to, &receiver));
    }
}

/// One way of one connection.
struct Direction {
    line: Line,
    up: bool,
    rng: Rng,
    counters: Arc<Counters>,
    /// Packets on their way at once.
    window: usize,
    requests: Option<Requests>,
}

impl Direction {
    fn run(mut self, mut from: TcpStream, sender: &SyncSender<(Instant, Vec<u8>)>) {
        let mut buffer = vec![0; CHUNK_BYTES];
        while let Ok(n) = from.read(&mut buffer) {
            let Some(chunk) = buffer.get(..n).filter(|chunk| !chunk.is_empty()) else {
                break;
            };
            if let Some(requests) = &mut self.requests {
                let begun = requests.begun_in(chunk);
                self.counters.requests.fetch_add(begun, Ordering::Relaxed);
            }
            let arrives = if self.line.loss > 0.0 {
                self.through_loss(chunk, sender)
            } else {
                self.count(chunk.len());
                sender.send((self.due(), chunk.to_vec())).is_ok()
            };
            if !arrives {
                break;
            }
            if self.lost(self.line.cuts) {
                self.counters.cuts.fetch_add(1, Ordering::Relaxed);
                let _ = from.shutdown(Shutdown::Both);
                break;
            }
        }
    }

    /// What TCP makes of lost packets: nothing is missing in the end, it comes later and the sender slows down.
    /// Window by window, each taking a round trip: what is behind the first loss waits for it, a loss halves the
    /// window, a whole window without one lets it grow, and when nothing came back there is a timeout.
    fn through_loss(&mut self, chunk: &[u8], sender: &SyncSender<(Instant, Vec<u8>)>) -> bool {
        let round_trip = self.line.delay * 2;
        let mut left = chunk;
        while !left.is_empty() {
            let packets = left.len().div_ceil(PACKET_BYTES).min(self.window);
            let whole = (0..packets)
                .find(|_| self.lost(self.line.loss))
                .unwrap_or(packets);
            let (come, rest) = left.split_at((whole * PACKET_BYTES).min(left.len()));
            // What was behind the loss is kept by the other side, and the lost packet alone goes again.
            let behind = if whole < packets {
                packets - whole - 1
            } else {
                0
            };
            let late = if whole < packets {
                round_trip
            } else {
                Duration::ZERO
            };
            let repaired = ((1 + behind) * PACKET_BYTES).min(rest.len());
            let (repaired, rest) = rest.split_at(if whole < packets { repaired } else { 0 });
            // Bytes of the connection, each once: what goes again is TCP's own affair.
            self.count(come.len() + repaired.len());
            let sent_on = sender.send((self.due(), come.to_vec())).is_ok()
                && sender.send((self.due() + late, repaired.to_vec())).is_ok();
            if !sent_on {
                return false;
            }
            self.window = match whole < packets {
                true => (self.window / 2).max(1),
                false => (self.window + 1).min(MOST_WINDOW),
            };
            let timeout = if whole == 0 { TIMEOUT } else { Duration::ZERO };
            std::thread::sleep(round_trip + late + timeout);
            left = rest;
        }
        true
    }

    fn due(&self) -> Instant {
        Instant::now() + self.line.delay
    }

    fn count(&self, bytes: usize) {
        let counter = if self.up {
            &self.counters.up
        } else {
            &self.counters.down
        };
        counter.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn lost(&mut self, share: f64) -> bool {
        f64::from(self.rng.below(10_000)) < share * 10_000.0
    }
}

fn write_side(mut to: TcpStream, receiver: &Receiver<(Instant, Vec<u8>)>) {
    for (due, chunk) in receiver {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&chunk).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
