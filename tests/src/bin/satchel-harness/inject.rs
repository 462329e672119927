//! Signals and errors at system calls, by `strace -e inject`.
//!
//! One index after the other, until it no longer fires. `strace` has to trace the very call it injects
//! into; its own log says whether it did.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use crate::bench::{Bench, fresh_seed};
use crate::check::check;
use crate::worker::{Case, NAMED};
use crate::{End, this_program};

/// What changes something, or makes a change last.
const WRITES: [&str; 9] = [
    "pwrite64",
    "write",
    "fsync",
    "fdatasync",
    "ftruncate",
    "unlink",
    "rename",
    "mkdir",
    "openat",
];

/// Where an error is put in.
const ERRING: [&str; 16] = [
    "pwrite64",
    "write",
    "fsync",
    "fdatasync",
    "ftruncate",
    "unlink",
    "rename",
    "mkdir",
    "openat",
    "read",
    "pread64",
    "lseek",
    "fcntl",
    "newfstatat",
    "getdents64",
    "flock",
];
const ERRNOS: [&str; 8] = [
    "EIO", "ENOSPC", "EDQUOT", "EMFILE", "ENOMEM", "EACCES", "EINTR", "EAGAIN",
];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Every index and every error; otherwise some.
    #[arg(long)]
    long: bool,
    /// Only these cases.
    #[arg(long, value_enum)]
    case: Vec<Case>,
    /// A folder for the stores; one in memory is fastest.
    #[arg(long)]
    within: Option<std::path::PathBuf>,
}

/// What a run was.
struct Run {
    acks: u64,
    fired: bool,
    code: Option<i32>,
    said: String,
}

#[derive(Default)]
struct Tally {
    runs: u64,
    fired: u64,
    named: u64,
    loader: u64,
    violations: u64,
    by_error: BTreeMap<String, u64>,
}

impl Tally {
    fn violation(&mut self, what: &str) {
        self.violations += 1;
        println!("VIOLATION {what}");
    }
}

pub(crate) fn kills(args: &Args) -> End {
    if !has_strace() {
        return End::Skipped("no strace that may trace");
    }
    let started = Instant::now();
    let bench = Bench::new(args.within.as_deref());
    let mut tally = Tally::default();
    let step = if args.long { 1 } else { 7 };
    for case in chosen(args, &Case::SHOT) {
        for call in WRITES {
            each_index(step, |index| {
                let run = run(&bench, case, &format!("{call}:signal=SIGKILL:when={index}"));
                tally.runs += 1;
                if !run.fired {
                    return false;
                }
                tally.fired += 1;
                judge(
                    &bench,
                    case,
                    &run,
                    &mut tally,
                    &format!("{} {call} {index}", case.name()),
                );
                true
            });
        }
    }
    println!(
        "kills: {} runs, {} killed, {} violations, {:.0} s",
        tally.runs,
        tally.fired,
        tally.violations,
        started.elapsed().as_secs_f64()
    );
    if control_is_blind(&bench) {
        return End::Found;
    }
    end(&tally)
}

pub(crate) fn errors(args: &Args) -> End {
    if !has_strace() {
        return End::Skipped("no strace that may trace");
    }
    let started = Instant::now();
    let bench = Bench::new(args.within.as_deref());
    let mut tally = Tally::default();
    let (step, errnos) = match args.long {
        true => (1, &ERRNOS[..]),
        false => (23, &ERRNOS[..2]),
    };
    for case in chosen(args, &[Case::Deliver, Case::Sync, Case::Erase]) {
        for call in ERRING {
            for errno in errnos {
                each_index(step, |index| {
                    let fault = format!("{call}:error={errno}:when={index}");
                    let run = run(&bench, case, &fault);
                    tally.runs += 1;
                    if !run.fired {
                        return false;
                    }
                    tally.fired += 1;
                    named(&run, &mut tally, &format!("{} {fault}", case.name()));
                    judge(
                        &bench,
                        case,
                        &run,
                        &mut tally,
                        &format!("{} {fault}", case.name()),
                    );
                    true
                });
            }
        }
    }
    println!(
        "errors: {} runs, {} injected, {} ended with a named error, {} before the program began, \
         {} violations, {:.0} s",
        tally.runs,
        tally.fired,
        tally.named,
        tally.loader,
        tally.violations,
        started.elapsed().as_secs_f64()
    );
    for (error, count) in &tally.by_error {
        println!("  {count:6} {error}");
    }
    if control_is_blind(&bench) {
        return End::Found;
    }
    end(&tally)
}

fn chosen(args: &Args, all: &[Case]) -> Vec<Case> {
    match args.case.is_empty() {
        true => all.to_vec(),
        false => args.case.clone(),
    }
}

fn end(tally: &Tally) -> End {
    match tally.violations {
        0 if tally.fired > 0 => End::Clean,
        _ => End::Found,
    }
}

/// Calls `at` with 1, 1 + step, … until it says that nothing fired.
fn each_index(step: usize, mut at: impl FnMut(usize) -> bool) {
    let mut index = 1;
    while at(index) {
        index += step;
    }
}

fn has_strace() -> bool {
    let tried = Command::new("strace")
        .args(["-o", "/dev/null", "-e", "trace=fsync", "true"])
        .output();
    tried.is_ok_and(|out| out.status.success())
}

fn run(bench: &Bench, case: Case, fault: &str) -> Run {
    let dir = bench.fresh(case != Case::Enrol);
    let trace = dir.join("trace");
    let call = fault.split(':').next().unwrap_or_default();
    let out: Output = Command::new("strace")
        .arg("-f")
        .arg("-o")
        .arg(&trace)
        .args([
            "-e",
            &format!("trace={call}"),
            "-e",
            &format!("inject={fault}"),
        ])
        .arg(this_program())
        .arg("worker")
        .arg(&dir)
        .args([
            &case.name(),
            &bench.at.to_string(),
            "--invite",
            &bench.invite,
            "--seed",
            &fresh_seed().to_string(),
        ])
        .stdin(Stdio::null())
        .output()
        .expect("strace runs");
    let log = fs::read_to_string(&trace).unwrap_or_default();
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    let acks = said.lines().filter_map(|line| line.strip_prefix("ack "));
    Run {
        acks: acks.filter_map(|n| n.parse().ok()).max().unwrap_or(0),
        fired: log.contains("(INJECTED)") || log.contains("killed by SIGKILL"),
        code: out.status.code(),
        said: said + &String::from_utf8_lossy(&out.stderr),
    }
}

/// A program that did not start says nothing about ours; one of ours ends well or with a named error.
fn named(run: &Run, tally: &mut Tally, what: &str) {
    match run.code {
        Some(0) => {}
        Some(127) => tally.loader += 1,
        Some(code) if code == i32::from(NAMED) => {
            tally.named += 1;
            let error = run.said.lines().find_map(|l| l.strip_prefix("error "));
            let error = error.unwrap_or_default().to_owned();
            *tally.by_error.entry(error).or_default() += 1;
        }
        // Refused before main, by the loader or the runtime, without a word of ours.
        _ if run.said.is_empty() => tally.loader += 1,
        code => tally.violation(&format!("{what}: ended with {code:?}: {}", run.said)),
    }
}

fn judge(bench: &Bench, case: Case, run: &Run, tally: &mut Tally, what: &str) {
    let dir = bench.run_dir();
    let at_least = match case {
        Case::Enrol => 0,
        _ => bench.entries + run.acks,
    };
    if let Err(violation) = check(&dir, &bench.hub, at_least) {
        tally.violation(&format!("{what}: {violation}"));
    }
}

/// A phone that says "durable" too early has to be caught, or nothing here means anything.
fn control_is_blind(bench: &Bench) -> bool {
    let mut caught = 0;
    for index in 1.. {
        let run = run(
            bench,
            Case::LiesEarly,
            &format!("pwrite64:signal=SIGKILL:when={index}"),
        );
        if !run.fired {
            break;
        }
        let dir = bench.run_dir();
        let lost = check(&dir, &bench.hub, bench.entries + run.acks).is_err();
        caught += u32::from(lost);
    }
    println!("control: a phone that says \"durable\" too early was caught {caught} times");
    caught == 0
}
