//! A disk that is full at every 64 KiB: the error has its name, nothing acknowledged is lost, and a delivery
//! can still be recorded as long as there is ballast.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use satchel_core::clock::ManualClock;
use satchel_tests::day::MORNING_MS;
use satchel_tests::phone::{Phone, SyncEnd, is_full};

use crate::End;
use crate::bench::{Bench, FRESH, copy, day, fresh_seed};
use crate::check::check;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Every 64 KiB up to 8 MiB; otherwise every 2 MiB.
    #[arg(long)]
    long: bool,
}

const STEP_BYTES: u64 = 64 * 1_024;
const MOST_BYTES: u64 = 8 * 1_024 * 1_024;
/// The template, what a phone adds before the disk is filled, and what is left free.
const DISK_MIB: u64 = 64;

pub(crate) fn run(args: &Args) -> End {
    let started = Instant::now();
    let bench = Bench::new(None);
    let step = if args.long {
        STEP_BYTES
    } else {
        32 * STEP_BYTES
    };
    let (mut places, mut violations, mut recorded) = (0, 0, 0);
    let mut free = 0;
    while free <= MOST_BYTES {
        let Some(disk) = Disk::mount() else {
            return End::Skipped("mounting a small disk needs root");
        };
        places += 1;
        match one(&bench, &disk, free) {
            Ok(count) => recorded += count,
            Err(what) => {
                violations += 1;
                println!("VIOLATION at {free} bytes free: {what}");
            }
        }
        free += step;
    }
    println!(
        "full: {places} places, {recorded} deliveries on full disks, {violations} violations, {:.0} s",
        started.elapsed().as_secs_f64()
    );
    if violations == 0 {
        End::Clean
    } else {
        End::Found
    }
}

/// Gives how many deliveries there was room for.
fn one(bench: &Bench, disk: &Disk, free: u64) -> Result<u64, String> {
    let _ = bench.fresh(false);
    copy(bench.template(), &disk.dir);
    let clock = Arc::new(ManualClock::new(MORNING_MS + 60_000, 480));
    let mut phone = Phone::closed_at(&disk.dir, fresh_seed(), clock);
    phone.open().map_err(|e| format!("open: {e:?}"))?;
    let ballast = phone.core().storage_usage().map_err(|e| e.to_string())?;
    disk.fill_but(free);
    // Small records that ballast is not given up for, until there is no room for one more.
    let mut acked = 0_u64;
    let error = loop {
        match phone.core().reveal(day().stop_id(FRESH)) {
            Ok(_) => acked += 1,
            Err(error) => break error,
        }
        if acked > 200_000 {
            return Err("the disk never filled".into());
        }
    };
    if !is_full(&error) {
        return Err(format!("after {acked}: {error:?}"));
    }
    // A delivery with photo and signature still finds its place.
    let mut delivered = 0;
    for stop in FRESH..day().stops.len() {
        match phone.deliver(day().stop_id(stop), 20 + stop as u64) {
            Ok(_) => delivered += 1,
            Err(error) if is_full(&error) => break,
            Err(error) => return Err(format!("delivering: {error:?}")),
        }
    }
    if delivered == 0 && ballast.ballast_bytes > 0 {
        return Err("no delivery could be recorded although there was ballast".into());
    }
    acked += delivered;
    // Killed on the full disk, and opened there.
    phone.kill();
    phone.open().map_err(|e| format!("open when full: {e:?}"))?;
    phone.kill();
    disk.free();
    check(&disk.dir, &bench.hub, bench.entries + acked)?;
    phone.open().map_err(|e| e.to_string())?;
    phone
        .core()
        .reveal(day().stop_id(FRESH))
        .map_err(|e| format!("after it was freed: {e:?}"))?;
    match phone.sync(&*bench.hub) {
        SyncEnd::Done => Ok(delivered),
        _ => Err("does not sync after it was freed".into()),
    }
}

/// A tmpfs of its own; unmounted when dropped.
struct Disk {
    dir: PathBuf,
    _home: tempfile::TempDir,
}

impl Disk {
    fn mount() -> Option<Self> {
        let home = tempfile::tempdir().ok()?;
        let dir = home.path().join("disk");
        fs::create_dir(&dir).ok()?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={DISK_MIB}m"), "tmpfs"])
            .arg(&dir)
            .output()
            .ok()?;
        mounted
            .status
            .success()
            .then_some(Self { dir, _home: home })
    }

    fn filler(&self) -> PathBuf {
        self.dir.join("filler")
    }

    /// Takes all space but `free` bytes.
    fn fill_but(&self, free: u64) {
        let mut filler = File::create(self.filler()).unwrap();
        for chunk in [64 * 1_024, 4_096, 1] {
            while filler.write_all(&vec![1; chunk]).is_ok() {}
        }
        let held = filler.metadata().map_or(0, |m| m.len());
        filler.set_len(held.saturating_sub(free)).unwrap();
    }

    fn free(&self) {
        let _ = fs::remove_file(self.filler());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let dir: &Path = &self.dir;
        let _ = Command::new("umount").arg("-l").arg(dir).status();
    }
}
