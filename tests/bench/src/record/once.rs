//! Counting in a process of its own: flushes with strace, bytes from the kernel's books.

use std::path::Path;
use std::process::Command;

use serde::Serialize;

use super::{Run, Writer};
use crate::Failure;

const FEW: usize = 20;
const MANY: usize = 220;

/// What one attempt costs, without opening and closing.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Counted {
    pub(super) writer: Writer,
    /// `fsync` and `fdatasync` calls; `None` where strace is not installed.
    pub(super) flushes: Option<f64>,
    /// Bytes given to write calls.
    pub(super) bytes_written: f64,
}

/// Counts for every writer.
pub(super) fn count(home: &Path, ink_bytes: usize) -> Result<Vec<Counted>, Failure> {
    let strace = Command::new("strace").arg("-V").output().is_ok();
    let mut out = Vec::new();
    for writer in Writer::ALL {
        let turn = |attempts: usize, traced: bool| -> Result<(Run, u64), Failure> {
            let dir = home.join(format!("once-{}-{attempts}-{traced}", writer.code()));
            let counted = run(writer, (attempts, ink_bytes), &dir, traced)?;
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
            writer,
            flushes,
            bytes_written: per_attempt(many.bytes_written, few.bytes_written),
        });
    }
    Ok(out)
}

fn run(
    writer: Writer,
    (attempts, ink_bytes): (usize, usize),
    dir: &Path,
    traced: bool,
) -> Result<(Run, u64), Failure> {
    let me = std::env::current_exe()?;
    let log = dir.with_extension("strace");
    let mut command = if traced {
        let mut strace = Command::new("strace");
        strace
            .args(["-f", "-c", "-e", "trace=fsync,fdatasync", "-o"])
            .arg(&log)
            .arg(&me);
        strace
    } else {
        Command::new(&me)
    };
    let out = command
        .args(["record-once", "--writer", writer.code(), "--attempts"])
        .arg(attempts.to_string())
        .arg("--ink-bytes")
        .arg(ink_bytes.to_string())
        .arg("--dir")
        .arg(dir)
        .output()?;
    if !out.status.success() {
        return Err(String::from_utf8_lossy(&out.stderr).into_owned().into());
    }
    let run = serde_json::from_slice(&out.stdout)?;
    let flushes = if traced { calls(&log)? } else { 0 };
    Ok((run, flushes))
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
