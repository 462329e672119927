//! Power cuts: a small ext4 on a loop device that is shut down without a flush while the phone writes.
//!
//! Order matters. The phone is stopped first, then everything it acknowledged is read, then the file system
//! is cut off, then the process killed: cut while it runs, a flush that races the shutdown returns success
//! and the harness would blame the phone for it (security notes §2).

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use satchel_tests::seed::Rng;

use crate::bench::{Bench, copy};
use crate::check::check;
use crate::worker::Case;
use crate::{End, this_program};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How often.
    #[arg(long, default_value_t = 20)]
    cuts: u32,
    /// The control that must lose: a plain store that does not wait for its flushes, this often.
    #[arg(long, default_value_t = 10)]
    controls: u32,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The control's process; started by this command.
    #[arg(long, hide = true)]
    careless: Option<PathBuf>,
}

/// `EXT4_IOC_SHUTDOWN`, and "do not flush the journal".
const SHUTDOWN: u32 = 0x8004_587d;
const NOLOGFLUSH: u32 = 2;
const DISK_MIB: u64 = 96;

pub(crate) fn run(args: &Args) -> End {
    if let Some(path) = &args.careless {
        careless(path);
        return End::Clean;
    }
    let started = Instant::now();
    let bench = Bench::new(None);
    let home = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::make(home.path()) else {
        return End::Skipped("a loop device with ext4 needs root and mkfs.ext4");
    };
    let mut rng = Rng::new(args.seed);
    let (mut violations, mut acks) = (0, 0);
    for cut in 0..args.cuts {
        match one(&bench, &disk, &mut rng) {
            Ok(count) => acks += count,
            Err(what) => {
                violations += 1;
                println!("VIOLATION cut {cut}: {what}");
            }
        }
    }
    println!(
        "power: {} cuts, {acks} acknowledged records, {violations} violations, {:.0} s",
        args.cuts,
        started.elapsed().as_secs_f64()
    );
    let lost = (0..args.controls)
        .filter(|_| control_loses(&disk, &mut rng))
        .count();
    println!(
        "control: without waiting for flushes {lost} of {} cuts lost acknowledged records",
        args.controls
    );
    let blind = args.controls > 0 && lost * 10 < args.controls as usize * 3;
    if violations == 0 && acks > 0 && !blind {
        End::Clean
    } else {
        End::Found
    }
}

fn one(bench: &Bench, disk: &Disk, rng: &mut Rng) -> Result<u64, String> {
    disk.empty();
    let _ = bench.fresh(false);
    copy(bench.template(), disk.mount());
    disk.flush();
    let mut child = Command::new(this_program());
    child
        .arg("worker")
        .arg(disk.mount())
        .args([&Case::Endless.name(), &bench.at.to_string()])
        .args(["--seed", &rng.next_u64().to_string()]);
    let told = disk.cut(child, rng)?;
    let acked = told.lines().filter_map(|l| l.strip_prefix("ack "));
    let acked: u64 = acked.filter_map(|n| n.parse().ok()).max().unwrap_or(0);
    check(disk.mount(), &bench.hub, bench.entries + acked)?;
    Ok(acked)
}

/// The same cut on a store that says "done" before it is flushed. Gives whether something was lost.
fn control_loses(disk: &Disk, rng: &mut Rng) -> bool {
    disk.empty();
    let path = disk.mount().join("careless.db");
    let mut child = Command::new(this_program());
    child.arg("power").arg("--careless").arg(&path);
    let Ok(told) = disk.cut(child, rng) else {
        return false;
    };
    let acked = told.lines().filter_map(|l| l.strip_prefix("ack "));
    let acked: i64 = acked.filter_map(|n| n.parse().ok()).max().unwrap_or(0);
    let held = rusqlite::Connection::open(&path)
        .and_then(|conn| conn.query_row("SELECT count(*) FROM t", [], |r| r.get::<_, i64>(0)));
    held.unwrap_or(0) < acked
}

/// Writes rows without waiting for the disk, and says of each that it is done.
fn careless(path: &Path) {
    let conn = rusqlite::Connection::open(path).unwrap();
    conn.execute_batch(
        // Checkpoints, which do flush, are rare: most cuts fall between them.
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 20000;
         CREATE TABLE t (n INTEGER, b BLOB)",
    )
    .unwrap();
    for n in 1.. {
        conn.execute("INSERT INTO t VALUES (?1, zeroblob(600))", [n])
            .unwrap();
        println!("ack {n}");
    }
}

/// An ext4 of its own on a loop device.
struct Disk {
    image: PathBuf,
    mount: PathBuf,
}

impl Disk {
    fn make(home: &Path) -> Option<Self> {
        let disk = Self {
            image: home.join("disk.img"),
            mount: home.join("mount"),
        };
        fs::create_dir(&disk.mount).ok()?;
        File::create(&disk.image)
            .and_then(|f| f.set_len(DISK_MIB * 1_024 * 1_024))
            .ok()?;
        let made = Command::new("mkfs.ext4")
            .args(["-q", "-F"])
            .arg(&disk.image)
            .output()
            .ok()?;
        (made.status.success() && disk.attach()).then_some(disk)
    }

    fn mount(&self) -> &Path {
        &self.mount
    }

    fn attach(&self) -> bool {
        let done = Command::new("mount")
            .args(["-o", "loop"])
            .arg(&self.image)
            .arg(&self.mount)
            .output();
        done.is_ok_and(|out| out.status.success())
    }

    fn detach(&self) -> bool {
        for _ in 0..100 {
            let done = Command::new("umount").arg(&self.mount).output();
            if done.is_ok_and(|out| out.status.success()) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    fn empty(&self) {
        for entry in fs::read_dir(&self.mount).unwrap().flatten() {
            let path = entry.path();
            let _ = fs::remove_dir_all(&path);
            let _ = fs::remove_file(&path);
        }
    }

    fn flush(&self) {
        let _ = Command::new("sync").arg("-f").arg(&self.mount).status();
    }

    /// Lets `command` write for a moment, stops it, hears everything it said, cuts the power, and brings the
    /// file system back. Gives what it said.
    fn cut(&self, mut command: Command, rng: &mut Rng) -> Result<String, String> {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| e.to_string())?;
        let mut out = BufReader::new(child.stdout.take().ok_or("no output")?);
        // It writes from its first word on.
        let mut told = String::new();
        out.read_line(&mut told).map_err(|e| e.to_string())?;
        std::thread::sleep(Duration::from_millis(10 + rng.below(140) as u64));
        stop(&mut child)?;
        told.push_str(&drain(&mut out));
        let shut = self.shutdown();
        let _ = child.kill();
        let _ = child.wait();
        shut?;
        if !self.detach() || !self.attach() {
            return Err("the file system does not come back".into());
        }
        Ok(told)
    }

    #[allow(unsafe_code, reason = "no safe call shuts a file system down")]
    fn shutdown(&self) -> Result<(), String> {
        let dir = File::open(&self.mount).map_err(|e| e.to_string())?;
        // SAFETY: the call reads one u32, which lives until it returns.
        let done = unsafe {
            rustix::ioctl::ioctl(
                &dir,
                rustix::ioctl::Setter::<{ SHUTDOWN }, u32>::new(NOLOGFLUSH),
            )
        };
        done.map_err(|e| e.to_string())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.detach();
    }
}

/// Stops a process and waits until it has stopped.
fn stop(child: &mut Child) -> Result<(), String> {
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-STOP", &id]).status();
    if !sent.is_ok_and(|s| s.success()) {
        return Err("could not be stopped".into());
    }
    for _ in 0..2_000 {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let state = stat
            .rsplit(')')
            .next()
            .and_then(|s| s.trim().chars().next());
        if matches!(state, Some('T' | 't')) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    Err("does not stop".into())
}

/// What a stopped process has said and nobody has read.
fn drain(out: &mut BufReader<ChildStdout>) -> String {
    let _ = rustix::fs::fcntl_setfl(out.get_ref(), rustix::fs::OFlags::NONBLOCK);
    let mut bytes = Vec::new();
    // Ends with "would block": the process is stopped, not gone.
    let _ = out.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
