//! `sync`: what it costs to bring a day's work to a hub and a round to a phone.
//!
//! The floor is the least outbox that keeps its promise, in the same run and over the same line; Satchel
//! is the real core against the real hub, with everything signed. The line is a proxy on loopback that
//! counts bytes, adds half the round trip each way and breaks connections. No TLS on either side. With `--peers`
//! libraries of others push and pull the floor's payloads in the same rounds.

mod floor;
mod peers;
mod report;
mod requests;
mod satchel;
mod wire;

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};

use crate::Failure;
use crate::peers::PEERS;
use crate::record::Rng;
use peers::Peers;
use report::Steps;
pub(crate) use satchel::picture;
use wire::{Line, Traffic};

/// Command line.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Attempts to push.
    #[arg(long, default_value_t = 1_000)]
    attempts: usize,
    /// Bytes of a signature: 4,096 for a picture's worth, 600 for real ink.
    #[arg(long, default_value_t = 4_096)]
    ink_bytes: usize,
    /// Round trip of the line.
    #[arg(long, default_value_t = 0)]
    rtt_ms: u64,
    /// Share of packets that get lost: TCP repairs that, late.
    #[arg(long, default_value_t = 0.0)]
    loss: f64,
    /// Share of 64 KB chunks after which the connection breaks. The floor has no retry, so its line never
    /// breaks.
    #[arg(long, default_value_t = 0.0)]
    cuts: f64,
    /// Address by which the phone reaches this machine over a line of the machine's own (`tests/bench/lossy.py`).
    #[arg(long)]
    through: Option<Ipv4Addr>,
    /// Photos, each cut once, and once more uncut; 0 for none.
    #[arg(long, default_value_t = 50)]
    photos: usize,
    /// Entries of the log that is opened cold; 0 for none.
    #[arg(long, default_value_t = 100_000)]
    entries: usize,
    /// Rounds; figures are medians.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Folder for the floor's files.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The libraries of others too; `scripts/bench-peers` installs them. Like the floor's, their line never breaks.
    #[arg(long)]
    peers: bool,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// End with an error if something that is counted is beyond its goal; times never are a reason.
    #[arg(long)]
    gate: bool,
}

/// One step of one side.
#[derive(Debug, Clone, Copy, Serialize)]
struct Measured {
    ms: f64,
    /// Of both ends together: on a machine that does other things too, the better measure.
    cpu_ms: f64,
    requests: u64,
    bytes_up: u64,
    bytes_down: u64,
    cuts: u64,
}

/// When a step began.
#[derive(Debug, Clone, Copy)]
struct Start {
    at: Instant,
    cpu_ms: f64,
}

impl Start {
    fn now() -> Self {
        Self {
            at: Instant::now(),
            cpu_ms: cpu_ms(),
        }
    }
}

fn cpu_ms() -> f64 {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a bench")]
    let ms = used.tv_sec as f64 * 1_000.0 + used.tv_nsec as f64 / 1e6;
    ms
}

impl Measured {
    fn new(start: Start, traffic: Traffic, requests: u64) -> Self {
        Self {
            ms: start.at.elapsed().as_secs_f64() * 1_000.0,
            cpu_ms: cpu_ms() - start.cpu_ms,
            requests,
            bytes_up: traffic.up,
            bytes_down: traffic.down,
            cuts: traffic.cuts,
        }
    }
}

const CHANGES: usize = 2_000;
const STOPS: usize = 200;

/// Runs the bench.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let home = match &args.dir {
        Some(dir) => {
            std::fs::create_dir_all(dir)?;
            tempfile::tempdir_in(dir)?
        }
        None => tempfile::tempdir_in(std::env::current_dir()?)?,
    };
    let delay = Duration::from_millis(args.rtt_ms) / 2;
    let whole = Line {
        delay,
        loss: args.loss,
        cuts: 0.0,
        through: args.through,
    };
    let line = Line {
        cuts: args.cuts,
        ..whole
    };
    let changes: Vec<Value> = (0..CHANGES).map(change).collect();
    let stops: Vec<Value> = (0..STOPS).map(stop).collect();
    let payload = (args.attempts, args.ink_bytes);
    let peers = match args.peers {
        true => Some(Peers::new(home.path(), payload, (&stops, &changes))?),
        false => None,
    };
    let mut steps = Steps::default();
    for round in 0..args.rounds {
        let dir = home.path().join(round.to_string());
        let (client, server) = (dir.join("client"), dir.join("server"));
        let items = [stops.as_slice(), changes.as_slice()].concat();
        let (pushed, pulled) = floor::run((&client, &server), payload, &items, whole)?;
        steps.note("push, floor", None, pushed);
        steps.note("pull, floor", None, pulled);
        let bench = satchel::Bench::start(&dir, args.attempts, line)?;
        let pushed = bench.push(args.attempts, args.ink_bytes)?;
        steps.note("push, Satchel", None, pushed);
        drop(bench);
        let bench = satchel::Bench::start(&dir.join("pull"), STOPS, line)?;
        bench.tell(&changes)?;
        steps.note("pull, Satchel", None, bench.pull()?);
        if let Some(peers) = &peers {
            beside(peers, &dir, whole, &mut steps)?;
        }
        if args.photos > 0 && round == 0 {
            for (name, cut) in [("photos", false), ("photos, each cut once", true)] {
                let dir = dir.join(if cut { "cut" } else { "whole" });
                let bench = satchel::Bench::start(&dir, args.photos, line)?;
                let (measured, bytes) = bench.photos(args.photos, cut)?;
                steps.note(name, Some(bytes), measured);
            }
        }
    }
    let cold_open_ms = match args.entries {
        0 => None,
        entries => {
            let bench = satchel::Bench::start(&home.path().join("cold"), STOPS, whole)?;
            Some(satchel::cold_open(&bench, entries)?)
        }
    };
    steps.print(args, cold_open_ms)
}

/// A round of the libraries of others; one that is not installed gets its lines and no figures.
fn beside(peers: &Peers, dir: &Path, line: Line, steps: &mut Steps) -> Result<(), Failure> {
    for peer in PEERS.iter().filter(|peer| peer.pushes()) {
        let pushing = format!("push, {}", peer.name);
        let pulling = format!("pull, {}", peer.name);
        if !peers.has(peer) {
            steps.missing(pushing);
            if peer.pulls {
                steps.missing(pulling);
            }
            continue;
        }
        let dir = dir.join(peer.code);
        steps.note(&pushing, None, peers.push(peer, &dir.join("push"), line)?);
        if peer.pulls {
            steps.note(&pulling, None, peers.pull(peer, &dir.join("pull"), line)?);
        }
        std::fs::remove_dir_all(&dir)?;
    }
    Ok(())
}

/// A change on a stop, as the floor and the hub send it.
fn change(n: usize) -> Value {
    let mut rng = Rng(0xC0FFEE ^ n as u64);
    let kinds = ["eta", "note", "window", "resequence", "cod", "contact"];
    let words: Vec<String> = (0..14)
        .map(|_| format!("{:x}", rng.below(60_000)))
        .collect();
    json!({
        "id": format!("{:016x}{:010x}", rng.next(), n),
        "stop_id": format!("{:032x}", rng.below(200)),
        "seq": n,
        "kind": kinds.get(n % kinds.len()),
        "at": format!("2026-11-21T07:{:02}:{:02}Z", n / 60 % 60, n % 60),
        "by": "planner-1",
        "detail": words.join(" "),
    })
}

/// A stop as the floor's server sends it.
fn stop(n: usize) -> Value {
    let mut rng = Rng(n as u64);
    json!({
        "id": format!("{:032x}", rng.next()), "position": n,
        "address": format!("Harbour Road {n} Room 12, Building {}, Entrance {}", n / 7, n % 4),
        "recipient": format!("Zhang {n}"), "phone": format!("138{n:08}"),
        "lat": 37.5, "lng": 121.4, "waybill": format!("WB{n:04}"),
        "parcel_id": format!("{:016x}{:016x}", rng.next(), rng.next()),
        "key": format!("{:016x}{:016x}{:016x}{:016x}", rng.next(), rng.next(), rng.next(), rng.next()),
        "promised_by_ms": 1_795_200_000_000_i64 + n as i64, "tags": ["fragile"], "note": "ring twice",
    })
}
