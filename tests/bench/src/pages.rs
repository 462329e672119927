//! `pages`: the rating page under load, against the bare store in the same run.
//!
//! The hub runs in a process of its own on loopback with its embedded store (WAL, FULL, one file); the
//! load comes from this one. Per core means per second of processor time that the hub's process used,
//! by the kernel's books, so that a busy machine changes the wall clock and not the figure. The floor is
//! the same file asked and written by bare SQLite on one thread.

mod client;
mod floor;
mod hub;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::Failure;
use client::{Connection, answered};

/// Command line.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Page views measured.
    #[arg(long, default_value_t = 40_000)]
    views: usize,
    /// Ratings measured; each needs a parcel of its own.
    #[arg(long, default_value_t = 20_000)]
    ratings: usize,
    /// Customers at the same time.
    #[arg(long, default_value_t = 64)]
    customers: usize,
    /// Folder to write in, on the file system to be measured.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// Dead tokens of each kind that are timed.
const DEAD_EACH: usize = 400;

pub(crate) use hub::{HubArgs, run_hub};

#[derive(Debug, Serialize)]
struct Report {
    page_bytes: usize,
    ttfb_median_us: u128,
    ttfb_p99_us: u128,
    views: Rate,
    /// Each view the first of its token, so that the head shown is made durable first.
    first_views: Rate,
    ratings: Rate,
    floor_reads_per_s: f64,
    floor_writes_single_per_s: f64,
    floor_writes_grouped_per_s: f64,
    /// Median time of an unknown, a used and a forged token, in microseconds.
    dead_us: [u128; 3],
    /// How well one measured time tells which of two kinds it was: the part of all pairs in which the
    /// first took longer (unknown/used, used/forged, forged/unknown); 0.5 is a coin.
    dead_told_apart: [f64; 3],
}

#[derive(Debug, Serialize)]
struct Rate {
    count: usize,
    per_s: f64,
    per_core_s: f64,
    cores: f64,
}

/// Runs the bench.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let dir = match &args.dir {
        Some(dir) => tempfile::tempdir_in(dir)?,
        None => tempfile::tempdir()?,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(measure(args, &dir.path().join("hub")))?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

async fn measure(args: &Args, data: &std::path::Path) -> Result<Report, Failure> {
    let mut hub = hub::start(data, args.ratings + 2_000).await?;
    let paths = hub.rating_paths().await?;
    let (spare, for_ratings) = paths.split_at(2_000);
    let (ttfb_sorted, page_bytes) = first_bytes(&hub.address, spare).await?;
    let warm: Vec<String> = spare.iter().take(500).map(|p| get(p)).collect();
    let warm: Vec<String> = warm.iter().cycle().take(args.views).cloned().collect();
    let first: Vec<String> = for_ratings.iter().map(|p| get(p)).collect();
    let posts: Vec<String> = for_ratings.iter().map(|p| post(p)).collect();
    let first_views = load(&hub, args.customers, first, 200).await?;
    let views = load(&hub, args.customers, warm, 200).await?;
    let ratings = load(&hub, args.customers * 4, posts, 303).await?;
    let (dead_us, dead_told_apart) = dead(&hub, spare, for_ratings).await?;
    hub.stop()?;
    let floor = floor::measure(data, args.ratings)?;
    Ok(Report {
        page_bytes,
        ttfb_median_us: at(&ttfb_sorted, 50).as_micros(),
        ttfb_p99_us: at(&ttfb_sorted, 99).as_micros(),
        views,
        first_views,
        ratings,
        floor_reads_per_s: floor.reads_per_s,
        floor_writes_single_per_s: floor.single_per_s,
        floor_writes_grouped_per_s: floor.grouped_per_s,
        dead_us,
        dead_told_apart,
    })
}

fn get(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: bench\r\nAccept-Language: en\r\nUser-Agent: bench\r\nCookie: satchel_b=0\r\n\r\n"
    )
}

fn post(path: &str) -> String {
    let form = "stars=5&timeliness=4&attitude=5&information=5&tag_polite=1&comment=thanks+a+lot";
    format!(
        "POST {path} HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\nCookie: satchel_b=0\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
}

/// One customer after the other: time to the first byte, and the bytes of a page with its headers.
async fn first_bytes(address: &str, paths: &[String]) -> Result<(Vec<Duration>, usize), Failure> {
    let mut connection = Connection::open(address).await?;
    let (mut times, mut bytes) = (Vec::with_capacity(paths.len()), 0);
    for path in paths {
        let answer = connection.ask(&get(path)).await?;
        answered(&answer, 200)?;
        times.push(answer.first_byte);
        bytes = answer.total_bytes.max(bytes);
    }
    // The first view of each token writes; what a customer who comes back sees is measured as well.
    times.clear();
    for path in paths {
        times.push(connection.ask(&get(path)).await?.first_byte);
    }
    times.sort_unstable();
    Ok((times, bytes))
}

fn at(sorted: &[Duration], percent: usize) -> Duration {
    let index = sorted.len().saturating_sub(1) * percent / 100;
    sorted.get(index).copied().unwrap_or_default()
}

/// Sends all requests over `customers` connections and takes the hub's processor time.
async fn load(
    hub: &hub::Running,
    customers: usize,
    requests: Vec<String>,
    status: u16,
) -> Result<Rate, Failure> {
    let count = requests.len();
    let share = count.div_ceil(customers.max(1));
    let mut connections = Vec::new();
    for part in requests.chunks(share.max(1)) {
        connections.push((Connection::open(&hub.address).await?, part.to_vec()));
    }
    let (cpu, begin) = (hub.cpu_s()?, Instant::now());
    let mut tasks = tokio::task::JoinSet::new();
    for (mut connection, part) in connections {
        tasks.spawn(async move {
            for request in &part {
                let answer = connection.ask(request).await.map_err(|e| e.to_string())?;
                answered(&answer, status).map_err(|e| e.to_string())?;
            }
            Ok::<_, String>(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    let (seconds, cpu_s) = (begin.elapsed().as_secs_f64(), hub.cpu_s()? - cpu);
    #[expect(clippy::cast_precision_loss, reason = "counts of a bench")]
    let n = count as f64;
    Ok(Rate {
        count,
        per_s: n / seconds,
        per_core_s: n / cpu_s,
        cores: cpu_s / seconds,
    })
}

/// Whether the clock tells an unknown, a used and a forged token apart.
async fn dead(
    hub: &hub::Running,
    open: &[String],
    used: &[String],
) -> Result<([u128; 3], [f64; 3]), Failure> {
    let mut connection = Connection::open(&hub.address).await?;
    let forge = |path: &str| -> String {
        let other = |c| if c == '0' { '8' } else { '0' };
        let letters = path.chars().enumerate();
        letters
            .map(|(at, c)| if at == 50 { other(c) } else { c })
            .collect()
    };
    let unknown = |path: &str| {
        let tail: String = path.chars().skip(20).collect();
        format!("/04AAAAAAAAAAAAAAAAA{tail}")
    };
    let mut times: [Vec<Duration>; 3] = [const { Vec::new() }; 3];
    for (round, (open, used)) in open.iter().zip(used).take(DEAD_EACH).enumerate() {
        let kinds = [unknown(open), used.clone(), forge(open)];
        // Each kind comes first as often as the others.
        for turn in 0..kinds.len() {
            let kind = (turn + round) % kinds.len();
            let (Some(path), Some(times)) = (kinds.get(kind), times.get_mut(kind)) else {
                continue;
            };
            let answer = connection.ask(&get(path)).await?;
            answered(&answer, 404)?;
            times.push(answer.first_byte);
        }
    }
    let [unknown, used, forged] = &times;
    let told = [(unknown, used), (used, forged), (forged, unknown)].map(|(a, b)| longer(a, b));
    let medians = times.map(|mut t| {
        t.sort_unstable();
        at(&t, 50).as_micros()
    });
    Ok((medians, told))
}

/// The part of all pairs in which the time of the first kind is the longer one (Mann and Whitney's U).
#[expect(clippy::cast_precision_loss, reason = "counts of a bench")]
fn longer(first: &[Duration], second: &[Duration]) -> f64 {
    let pairs = first.iter().flat_map(|a| second.iter().map(move |b| a > b));
    pairs.filter(|longer| *longer).count() as f64 / (first.len() * second.len()).max(1) as f64
}

fn print(r: &Report) {
    println!(
        "rating page            {:>9} bytes with headers",
        r.page_bytes
    );
    println!(
        "first byte             {:>9} us median, {} us p99",
        r.ttfb_median_us, r.ttfb_p99_us
    );
    let rate = |name: &str, rate: &Rate| {
        println!(
            "{name:<22} {:>9.0} /s/core ({:.0} /s on {:.2} cores, {} measured)",
            rate.per_core_s, rate.per_s, rate.cores, rate.count
        );
    };
    rate("views", &r.views);
    rate("first views (durable)", &r.first_views);
    rate("ratings (durable)", &r.ratings);
    println!("floor: bare reads      {:>9.0} /s", r.floor_reads_per_s);
    println!(
        "floor: bare writes     {:>9.0} /s one by one, {:.0} /s in groups of 256",
        r.floor_writes_single_per_s, r.floor_writes_grouped_per_s
    );
    println!(
        "dead token             {:?} us: unknown, used, forged; told apart {:.3?} (0.5 is a coin)",
        r.dead_us, r.dead_told_apart
    );
}
