//! `record`: how fast attempts become durable.
//!
//! Three writers store the same payload (about 600 bytes of attempt, about 4 KB of signature) with one
//! flush each: bare SQLite, bare SQLCipher, and Satchel's core with everything that belongs to an
//! attempt there (rules, signed and chained entry, proof, outbox, encrypted). They take turns within a
//! round and start a round in turn; ratios are taken within a round, figures are medians over rounds.
//! With `--peers` the libraries of others store the same payload in the same rounds.
//!
//! Flushes and bytes written are counted in processes of their own, once with few attempts and once with
//! many; the difference is what the attempts cost without opening and closing.

mod floor;
mod once;
mod payload;
mod peers;
mod phone;
mod report;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, Serializer};

use crate::Failure;
use crate::goals;
use crate::peers::{PEERS, Peer};
pub(crate) use payload::{Payload, Rng, note};
pub(crate) use phone::scribble;

/// Command line.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Attempts per writer and round.
    #[arg(long, default_value_t = 1_000)]
    attempts: usize,
    /// Rounds.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Bytes of a signature: 4,096 for a picture's worth, 600 for real ink.
    #[arg(long, default_value_t = 4_096)]
    ink_bytes: usize,
    /// Folder to write in, on the file system to be measured.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The libraries of others too; `scripts/bench-peers` installs them.
    #[arg(long)]
    peers: bool,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// End with an error if something that is counted is beyond its goal; times never are a reason.
    #[arg(long)]
    gate: bool,
}

/// Command line of one measured process.
#[derive(clap::Args)]
pub(crate) struct OnceArgs {
    #[arg(long)]
    writer: Writer,
    #[arg(long)]
    attempts: usize,
    #[arg(long)]
    ink_bytes: usize,
    #[arg(long)]
    dir: PathBuf,
}

/// Who stores the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Writer {
    /// One `INSERT` per transaction, WAL, FULL.
    Plain,
    /// The same under SQLCipher with a raw key.
    Encrypted,
    /// `begin_attempt` and `complete_attempt` of the real core.
    Satchel,
}

impl Writer {
    const ALL: [Self; 3] = [Self::Plain, Self::Encrypted, Self::Satchel];

    fn name(self) -> &'static str {
        match self {
            Self::Plain => "floor: SQLite, WAL FULL, 1 INSERT",
            Self::Encrypted => "floor: the same in SQLCipher",
            Self::Satchel => "Satchel core, attempt complete",
        }
    }

    /// The name on the command line.
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Encrypted => "encrypted",
            Self::Satchel => "satchel",
        }
    }

    /// Stores `attempts` payloads in a new folder.
    fn record(self, dir: &Path, attempts: usize, ink_bytes: usize) -> Result<Run, Failure> {
        std::fs::create_dir_all(dir)?;
        match self {
            Self::Plain => floor::record(dir, &Payload::make(attempts, ink_bytes), None),
            Self::Encrypted => {
                floor::record(dir, &Payload::make(attempts, ink_bytes), Some(floor::KEY))
            }
            Self::Satchel => phone::record(dir, attempts, ink_bytes),
        }
    }
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Who {
    /// A floor or Satchel.
    Own(Writer),
    /// A library of others.
    Peer(&'static Peer),
}

impl Who {
    fn code(self) -> &'static str {
        match self {
            Self::Own(writer) => writer.code(),
            Self::Peer(peer) => peer.code,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Own(writer) => writer.name(),
            Self::Peer(peer) => peer.name,
        }
    }

    /// Everybody that stands in the table.
    fn all(peers: bool) -> Vec<Self> {
        let peers = PEERS.iter().filter(|peer| peers && peer.records);
        let own = Writer::ALL.into_iter().map(Self::Own);
        own.chain(peers.map(Self::Peer)).collect()
    }
}

impl Serialize for Who {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// One writer's turn.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Run {
    /// Seconds for all attempts.
    seconds: f64,
    /// Per attempt, sorted.
    micros: Vec<u64>,
    /// Touch samples to ink, per attempt, while the signature is shown for a last look.
    #[serde(default)]
    ink_micros: u64,
    /// Bytes given to write calls while recording.
    bytes_written: u64,
    /// Bytes on disk before the first attempt and after the last, logs moved into the database.
    disk_before: u64,
    disk_after: u64,
    /// Bytes of one attempt as stored: record, signature.
    payload: (usize, usize),
}

/// The number by which `statfs` names a file system that lies in memory.
const TMPFS: i64 = 0x0102_1994;

/// Runs the bench.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let home = match &args.dir {
        Some(dir) => {
            std::fs::create_dir_all(dir)?;
            tempfile::tempdir_in(dir)?
        }
        None => tempfile::tempdir_in(std::env::current_dir()?)?,
    };
    let peers = peers::Peers::new(home.path(), args.ink_bytes);
    let listed = Who::all(args.peers);
    let here: Vec<Who> = listed
        .iter()
        .copied()
        .filter(|who| match who {
            Who::Own(_) => true,
            Who::Peer(peer) => peers.has(peer),
        })
        .collect();
    let mut rounds = Vec::new();
    for round in 0..args.rounds {
        let mut runs = Vec::new();
        for turn in 0..here.len() {
            let Some(who) = here.get((round + turn) % here.len()) else {
                continue;
            };
            let dir = home.path().join(format!("{round}-{}", who.code()));
            let run = match who {
                Who::Own(writer) => writer.record(&dir, args.attempts, args.ink_bytes)?,
                Who::Peer(peer) => peers.record(peer, args.attempts, &dir)?,
            };
            runs.push((*who, run));
            std::fs::remove_dir_all(&dir)?;
        }
        rounds.push(runs);
    }
    let counted = once::count(home.path(), args.ink_bytes, &here, &peers)?;
    let in_memory = rustix::fs::statfs(home.path())?.f_type == TMPFS;
    let mut report = report::Report::new(args.attempts, &listed, &rounds, &counted)?;
    report.hold(args.ink_bytes, in_memory);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    if args.gate {
        goals::gate(report.goals())?;
    }
    Ok(())
}

/// Runs one writer once and prints what it measured.
pub(crate) fn run_once(args: &OnceArgs) -> Result<(), Failure> {
    let run = args
        .writer
        .record(&args.dir, args.attempts, args.ink_bytes)?;
    println!("{}", serde_json::to_string(&run)?);
    Ok(())
}

/// Bytes this process has given to write calls (`wchar` of `/proc/self/io`); 0 where there is no such
/// file.
fn bytes_written() -> u64 {
    std::fs::read_to_string("/proc/self/io")
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.strip_prefix("wchar:")?.trim().parse().ok())
        .unwrap_or(0)
}

/// Bytes of all files below a folder.
fn disk_bytes(dir: &Path) -> Result<u64, Failure> {
    let mut sum = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        sum += if meta.is_dir() {
            disk_bytes(&entry.path())?
        } else {
            meta.len()
        };
    }
    Ok(sum)
}
