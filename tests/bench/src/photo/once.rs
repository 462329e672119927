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

/// Quality the floor writes at.
const LONG_SIDE_PX: usize = 1_600;

/// Runs a maker in a child.
pub(super) fn in_child(maker: Maker, input: &Path) -> Result<Made, Failure> {
    let out = Command::new(std::env::current_exe()?)
        .args([
            "photo-once",
            "--maker",
            maker.code(),
            "--times",
            &TIMES.to_string(),
            "--input",
        ])
        .arg(input)
        .output()?;
    if !out.status.success() {
        return Err(String::from_utf8_lossy(&out.stderr).into_owned().into());
    }
    Ok(serde_json::from_slice(&out.stdout)?)
}

/// Runs a maker here.
pub(super) fn measure(args: &OnceArgs) -> Result<Made, Failure> {
    let home = tempfile::tempdir()?;
    let mut best: Option<Made> = None;
    for _ in 0..args.times.max(1) {
        let before = cpu();
        let mut made = match args.maker {
            Maker::Floor => by_floor(&args.input, home.path())?,
            Maker::Satchel => by_satchel(&args.input, home.path())?,
        };
        made.cpu_ms = (cpu() - before).as_secs_f64() * 1e3;
        best = Some(match best {
            None => made,
            Some(before) => made.least(&before),
        });
    }
    let mut best = best.ok_or("nothing was made")?;
    best.peak_rss_bytes = peak_rss_bytes()?;
    Ok(best)
}

fn by_floor(input: &Path, home: &Path) -> Result<Made, Failure> {
    let source = std::fs::read(input)?;
    let turn = floor::quarter_turn(&source);
    let proof = floor::floor(&source, LONG_SIDE_PX, turn)?;
    std::fs::write(home.join("proof.jpg"), &proof.jpeg)?;
    Ok(Made {
        cpu_ms: 0.0,
        peak_rss_bytes: 0,
        proof_bytes: proof.jpeg.len(),
        thumb_bytes: None,
        width_px: u32::try_from(proof.width)?,
        height_px: u32::try_from(proof.height)?,
    })
}

fn by_satchel(input: &Path, home: &Path) -> Result<Made, Failure> {
    let photo = ingest_photo(PhotoSource::Path(input), &PhotoPolicy::default())?;
    let blobs = BlobStore::open(&home.join("blobs"))?;
    let mut entropy = |buf: &mut [u8]| buf.fill(7);
    blobs.put(&[9; 32], &mut entropy, &photo.jpeg)?;
    blobs.put(&[9; 32], &mut entropy, &photo.thumb_jpeg)?;
    Ok(Made {
        cpu_ms: 0.0,
        peak_rss_bytes: 0,
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

/// The kernel's high-water mark of this process.
fn peak_rss_bytes() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:"))
        .ok_or("no VmHWM")?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes * 1_024)
}
