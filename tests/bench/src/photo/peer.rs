//! libvips: the usual answer on servers, through its own tool from Debian's `libvips-tools`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Serialize;
use wait4::Wait4 as _;

use crate::Failure;

/// Photos of one process; what it takes for one alone is starting up.
const MANY: usize = 6;

const OPTIONS: [&str; 4] = ["--size", "1600x1600", "--output", "%s-vips.jpg[Q=80,strip]"];

/// What `vipsthumbnail` took for the same file, on one thread.
#[derive(Debug, Serialize)]
pub(super) struct Vips {
    /// Least processor time of a process for one photo, with starting up.
    pub(super) process_cpu_ms: f64,
    /// Least processor time of one more photo in the same process.
    pub(super) in_process_cpu_ms: f64,
    /// Peak of a process for one photo.
    pub(super) peak_rss_bytes: u64,
    #[serde(skip)]
    copies: Vec<PathBuf>,
    #[serde(skip)]
    _home: tempfile::TempDir,
}

impl Vips {
    /// Copies of the input, since libvips remembers files it has seen; `None` where it is not installed.
    pub(super) fn start(input: &Path) -> Result<Option<Self>, Failure> {
        if Command::new("vipsthumbnail")
            .arg("--version")
            .output()
            .is_err()
        {
            eprintln!("NOT MEASURED: vipsthumbnail is not installed (Debian: libvips-tools)");
            return Ok(None);
        }
        let home = tempfile::tempdir()?;
        let mut copies = Vec::new();
        for n in 0..MANY {
            let copy = home.path().join(format!("{n}.jpg"));
            std::fs::copy(input, &copy)?;
            copies.push(copy);
        }
        Ok(Some(Self {
            process_cpu_ms: f64::INFINITY,
            in_process_cpu_ms: f64::INFINITY,
            peak_rss_bytes: u64::MAX,
            copies,
            _home: home,
        }))
    }

    /// One process with one photo, one with many.
    pub(super) fn round(&mut self) -> Result<(), Failure> {
        let (one_ms, peak) = run(self.copies.get(..1).unwrap_or_default())?;
        let (all_ms, _) = run(&self.copies)?;
        let more = f64::from(u32::try_from(self.copies.len() - 1)?);
        self.process_cpu_ms = self.process_cpu_ms.min(one_ms);
        self.in_process_cpu_ms = self.in_process_cpu_ms.min((all_ms - one_ms) / more);
        self.peak_rss_bytes = self.peak_rss_bytes.min(peak);
        Ok(())
    }
}

fn run(files: &[PathBuf]) -> Result<(f64, u64), Failure> {
    let mut child = Command::new("vipsthumbnail")
        .args(OPTIONS)
        .args(files)
        .env("VIPS_CONCURRENCY", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let done = child.wait4()?;
    if !done.status.success() {
        return Err("vipsthumbnail failed".into());
    }
    let cpu = done.rusage.utime + done.rusage.stime;
    Ok((cpu.as_secs_f64() * 1e3, done.rusage.maxrss))
}
