//! A process that makes one photo a few times and tells what that took.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use satchel_core::proof::blob::BlobStore;
use satchel_core::proof::photo::{PhotoPolicy, PhotoSource, ingest_photo};

use super::{Made, Maker, OnceArgs, floor};
use crate::Failure;

/// Photos per process: the first also pays for memory that is not there yet.
const TIMES: usize = 4;

/// Longer side of what the floor makes.
const LONG_SIDE_PX: usize = 1_600;

/// Runs a maker in a child.
pub(super) fn in_child(maker: Maker, input: &Path, keep: Option<&Path>) -> Result<Made, Failure> {
    let mut child = Command::new(std::env::current_exe()?);
    let times = TIMES.to_string();
    child
        .args([
            "photo-once",
            "--maker",
            maker.code(),
            "--times",
            &times,
            "--input",
        ])
        .arg(input);
    if let Some(folder) = keep {
        child.arg("--out").arg(folder);
    }
    let out = child.output()?;
    if !out.status.success() {
        return Err(String::from_utf8_lossy(&out.stderr).into_owned().into());
    }
    Ok(serde_json::from_slice(&out.stdout)?)
}

/// Runs a maker here.
pub(super) fn measure(args: &OnceArgs) -> Result<Made, Failure> {
    let home = tempfile::tempdir()?;
    let resting = status_bytes("VmRSS:")?;
    let mut best: Option<Made> = None;
    for _ in 0..args.times.max(1) {
        let before = cpu();
        let mut made = match args.maker {
            Maker::Floor => by_floor(&args.input, home.path())?,
            Maker::Satchel => by_satchel(&args.input, home.path(), args.out.as_deref())?,
        };
        made.cpu_ms = (cpu() - before).as_secs_f64() * 1e3;
        best = Some(match best {
            None => {
                made.resting_rss_bytes = resting;
                made.peak_rss_bytes = status_bytes("VmHWM:")?;
                made
            }
            Some(first) => Made {
                cpu_ms: made.cpu_ms.min(first.cpu_ms),
                ..first
            },
        });
    }
    best.ok_or_else(|| "nothing was made".into())
}

fn by_floor(input: &Path, home: &Path) -> Result<Made, Failure> {
    let source = std::fs::read(input)?;
    let turn = floor::quarter_turn(&source);
    let proof = floor::floor(&source, LONG_SIDE_PX, turn)?;
    std::fs::write(home.join("proof.jpg"), &proof.jpeg)?;
    Ok(Made {
        cpu_ms: 0.0,
        peak_rss_bytes: 0,
        resting_rss_bytes: 0,
        proof_bytes: proof.jpeg.len(),
        thumb_bytes: None,
        width_px: u32::try_from(proof.width)?,
        height_px: u32::try_from(proof.height)?,
    })
}

fn by_satchel(input: &Path, home: &Path, keep: Option<&Path>) -> Result<Made, Failure> {
    let photo = ingest_photo(PhotoSource::Path(input), &PhotoPolicy::default())?;
    if let Some(folder) = keep {
        let name = input.file_stem().unwrap_or_default();
        std::fs::write(folder.join(name).with_extension("jpg"), &photo.jpeg)?;
        eprintln!("{}: {:?}", input.display(), photo.warnings);
    }
    let blobs = BlobStore::open(&home.join("blobs"))?;
    let mut entropy = |buf: &mut [u8]| buf.fill(7);
    blobs.put(&[9; 32], &mut entropy, &photo.jpeg)?;
    blobs.put(&[9; 32], &mut entropy, &photo.thumb_jpeg)?;
    Ok(Made {
        cpu_ms: 0.0,
        peak_rss_bytes: 0,
        resting_rss_bytes: 0,
        proof_bytes: photo.jpeg.len(),
        thumb_bytes: Some(photo.thumb_jpeg.len()),
        width_px: photo.width_px,
        height_px: photo.height_px,
    })
}

fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(now).unwrap_or_default()
}

/// What the kernel's books say of this process.
fn status_bytes(name: &str) -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|l| l.strip_prefix(name))
        .ok_or("no such figure")?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes * 1_024)
}
