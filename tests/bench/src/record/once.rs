//! Counting in a process of its own: flushes with strace, bytes from the kernel's books.

use std::path::Path;
use std::process::Command;

use super::peers::{Peers, measured};
use super::{Run, Who};
use crate::Failure;

const FEW: usize = 20;
const MANY: usize = 220;
const FLUSHES: &str = "trace=fsync,fdatasync";

/// What one attempt costs, without opening and closing.
#[derive(Debug, Clone)]
pub(super) struct Counted {
    pub(super) code: &'static str,
    /// `fsync` and `fdatasync` calls; `None` where strace is not installed or may not trace.
    pub(super) flushes: Option<f64>,
    /// Bytes given to write calls.
    pub(super) bytes_written: f64,
}

/// Counts for everybody.
pub(super) fn count(
    home: &Path,
    ink_bytes: usize,
    all: &[Who],
    peers: &Peers,
) -> Result<Vec<Counted>, Failure> {
    // Installed, and allowed to trace: some containers forbid it.
    let tried = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .output();
    let strace = tried.is_ok_and(|tried| tried.status.success());
    let mut out = Vec::new();
    for who in all {
        let turn = |attempts: usize, traced: bool| -> Result<(Run, u64), Failure> {
            let dir = home.join(format!("once-{}-{attempts}-{traced}", who.code()));
            let command = match who {
                Who::Own(writer) => own(writer.code(), (attempts, ink_bytes), &dir)?,
                Who::Peer(peer) => peers.command(peer, attempts, &dir)?,
            };
            let counted = run(who.name(), command, &dir, traced)?;
            std::fs::remove_dir_all(&dir)?;
            Ok(counted)
        };
        let per_attempt = |many: u64, few: u64| {
            #[expect(clippy::cast_precision_loss, reason = "small counts")]
            let difference = many.saturating_sub(few) as f64;
            difference / (MANY - FEW) as f64
        };
        let flushes = if strace {
            let (few, many) = (turn(FEW, true)?.1, turn(MANY, true)?.1);
            Some(per_attempt(many, few))
        } else {
            None
        };
        let (few, many) = (turn(FEW, false)?.0, turn(MANY, false)?.0);
        out.push(Counted {
            code: who.code(),
            flushes,
            bytes_written: per_attempt(many.bytes_written, few.bytes_written),
        });
    }
    Ok(out)
}

/// The command of one measured process of this program.
fn own(
    writer: &str,
    (attempts, ink_bytes): (usize, usize),
    dir: &Path,
) -> Result<Vec<String>, Failure> {
    let (attempts, ink_bytes) = (attempts.to_string(), ink_bytes.to_string());
    let (me, dir) = (std::env::current_exe()?, dir.display().to_string());
    Ok([
        &me.display().to_string(),
        "record-once",
        "--writer",
        writer,
        "--attempts",
        &attempts,
        "--ink-bytes",
        &ink_bytes,
        "--dir",
        &dir,
    ]
    .map(str::to_owned)
    .to_vec())
}

fn run(what: &str, command: Vec<String>, dir: &Path, traced: bool) -> Result<(Run, u64), Failure> {
    if !traced {
        return Ok((measured(what, &command)?, 0));
    }
    let log = dir.with_extension("strace");
    let log_name = log.display().to_string();
    let strace = ["strace", "-f", "-c", "-e", FLUSHES, "-o", &log_name].map(str::to_owned);
    let traced: Vec<String> = strace.into_iter().chain(command).collect();
    Ok((measured(what, &traced)?, calls(&log)?))
}

/// Calls in a summary of `strace -c`: % time, seconds, usecs/call, calls, errors if any, syscall.
fn calls(log: &Path) -> Result<u64, Failure> {
    let text = std::fs::read_to_string(log)?;
    std::fs::remove_file(log)?;
    let mut sum = 0;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if matches!(words.last(), Some(&("fsync" | "fdatasync"))) {
            sum += words
                .get(3)
                .ok_or("unknown strace summary")?
                .parse::<u64>()?;
        }
    }
    Ok(sum)
}
