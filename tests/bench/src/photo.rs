//! `photo`: what a proof photo costs, against the least it can cost and against libvips.
//!
//! Three makers take the same file: the floor (libjpeg-turbo to planes, one resampling, one turn,
//! libjpeg-turbo at a fixed quality), Satchel (limits, turn, doubts, proof within its byte budget,
//! thumbnail, hashes, sealed in the blob store), and `vipsthumbnail` where it is installed. Each runs in
//! processes of its own, in turns; time is processor time of the work without starting up, the least of
//! all rounds; memory is the peak of the whole process, programme and libraries included, above the length
//! of the input, and beside it what the process had before it read the input.

mod floor;
mod once;
mod peer;
mod report;
mod sizes;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Failure;

/// Command line.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Photos as a camera leaves them.
    #[arg(long, required = true, num_args = 1..)]
    input: Vec<PathBuf>,
    /// Rounds; the least time of all is taken.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Keep Satchel's proofs in this folder, to look at.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Compare sizes at equal quality instead of time and memory; takes a minute per photo.
    #[arg(long)]
    sizes: bool,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// Command line of one measured process.
#[derive(clap::Args)]
pub(crate) struct OnceArgs {
    #[arg(long)]
    maker: Maker,
    #[arg(long)]
    input: PathBuf,
    #[arg(long)]
    times: usize,
    /// Keep the proof in this folder.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Who makes the proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Maker {
    /// The least work there is.
    Floor,
    /// The core.
    Satchel,
}

impl Maker {
    const ALL: [Self; 2] = [Self::Floor, Self::Satchel];

    /// The name on the command line.
    fn code(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Satchel => "satchel",
        }
    }
}

/// What one process measured of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Made {
    /// Least processor time of one photo.
    cpu_ms: f64,
    /// Peak of the process while it made its first photo, and what it had before.
    peak_rss_bytes: u64,
    resting_rss_bytes: u64,
    /// The proof, and its thumbnail if there is one.
    proof_bytes: usize,
    thumb_bytes: Option<usize>,
    width_px: u32,
    height_px: u32,
}

impl Made {
    /// Keeps the least of two runs; a shared machine only ever adds.
    fn least(self, other: &Self) -> Self {
        Self {
            cpu_ms: self.cpu_ms.min(other.cpu_ms),
            peak_rss_bytes: self.peak_rss_bytes.min(other.peak_rss_bytes),
            resting_rss_bytes: self.resting_rss_bytes.min(other.resting_rss_bytes),
            ..self
        }
    }
}

/// One photo by everyone.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    input: String,
    input_bytes: u64,
    floor: Made,
    satchel: Made,
    /// `None` where it is not installed.
    vips: Option<peer::Vips>,
}

/// Runs the bench.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if args.sizes {
        let table = sizes::Table::measure(&args.input)?;
        if args.json {
            println!("{}", serde_json::to_string_pretty(&table)?);
        } else {
            print!("{table}");
        }
        return Ok(());
    }
    let mut rows = Vec::new();
    for input in &args.input {
        rows.push(row(input, args.rounds.max(1), args.out.as_deref())?);
    }
    let report = report::Report::new(rows);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(())
}

fn row(input: &Path, rounds: usize, out: Option<&Path>) -> Result<Row, Failure> {
    let mut made: [Option<Made>; 2] = [None, None];
    let mut vips = peer::Vips::start(input)?;
    for round in 0..rounds {
        for turn in 0..Maker::ALL.len() {
            let who = (round + turn) % Maker::ALL.len();
            let (Some(maker), Some(least)) = (Maker::ALL.get(who), made.get_mut(who)) else {
                continue;
            };
            let run = once::in_child(*maker, input, out)?;
            *least = Some(match least.take() {
                None => run,
                Some(before) => run.least(&before),
            });
        }
        if let Some(vips) = &mut vips {
            vips.round()?;
        }
    }
    let [Some(floor), Some(satchel)] = made else {
        return Err("no round was run".into());
    };
    Ok(Row {
        input: input
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        input_bytes: std::fs::metadata(input)?.len(),
        floor,
        satchel,
        vips,
    })
}

/// One measured process.
pub(crate) fn run_once(args: &OnceArgs) -> Result<(), Failure> {
    println!("{}", serde_json::to_string(&once::measure(args)?)?);
    Ok(())
}
