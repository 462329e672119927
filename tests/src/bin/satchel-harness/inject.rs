//! Signals and errors at system calls, by `strace -e inject`.
//!
//! Each use case is run once in peace to count its calls; then one run for each of them. `strace` has to trace
//! the very call it injects into; its own log says whether it did. Runs share nothing, so several lanes take
//! them from one list, each with a phone and a hub of its own.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use satchel_tests::seed::Rng;

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
    /// That many runs drawn from every index and every error, instead of all or some.
    #[arg(long)]
    random: Option<usize>,
    /// What `--random` draws from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// So many runs at once.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Only these cases.
    #[arg(long, value_enum)]
    case: Vec<Case>,
    /// A folder for the stores; one in memory is fastest.
    #[arg(long)]
    within: Option<std::path::PathBuf>,
}

/// One run that is to be.
#[derive(Debug, Clone, Copy)]
struct Shot {
    case: Case,
    call: &'static str,
    /// None: SIGKILL.
    errno: Option<&'static str>,
    index: usize,
}

impl Shot {
    fn fault(&self) -> String {
        let Self {
            call, errno, index, ..
        } = self;
        match errno {
            None => format!("{call}:signal=SIGKILL:when={index}"),
            Some(errno) => format!("{call}:error={errno}:when={index}"),
        }
    }
}

/// What a run was.
struct Run {
    acks: u64,
    fired: bool,
    code: Option<i32>,
    said: String,
    /// Of the calls that were traced.
    most_of_a_thread: usize,
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
    fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.fired += other.fired;
        self.named += other.named;
        self.loader += other.loader;
        self.violations += other.violations;
        for (error, count) in other.by_error {
            *self.by_error.entry(error).or_default() += count;
        }
    }

    fn violation(&mut self, what: &str) {
        self.violations += 1;
        println!("VIOLATION {what}");
    }
}

pub(crate) fn kills(args: &Args) -> End {
    let step = match args.long || args.random.is_some() {
        true => 1,
        false => 7,
    };
    let Some((tally, blind)) = shoot(args, &Case::SHOT, &WRITES, &[None], step) else {
        return End::Skipped("no strace that may trace");
    };
    println!(
        "kills: {} runs, {} killed, {} violations",
        tally.runs, tally.fired, tally.violations,
    );
    end(&tally, blind)
}

pub(crate) fn errors(args: &Args) -> End {
    let (step, errnos) = match args.long || args.random.is_some() {
        true => (1, &ERRNOS[..]),
        false => (23, &ERRNOS[..2]),
    };
    let errnos: Vec<_> = errnos.iter().copied().map(Some).collect();
    let cases = [Case::Deliver, Case::Sync, Case::Erase];
    let Some((tally, blind)) = shoot(args, &cases, &ERRING, &errnos, step) else {
        return End::Skipped("no strace that may trace");
    };
    println!(
        "errors: {} runs, {} injected, {} ended with a named error, {} before the program began, \
         {} violations",
        tally.runs, tally.fired, tally.named, tally.loader, tally.violations,
    );
    for (error, count) in &tally.by_error {
        println!("  {count:6} {error}");
    }
    end(&tally, blind)
}

/// Every shot that is asked for, and whether the control went unnoticed. None: this machine cannot do it.
fn shoot(
    args: &Args,
    cases: &[Case],
    calls: &[&'static str],
    errnos: &[Option<&'static str>],
    step: usize,
) -> Option<(Tally, bool)> {
    if !has_strace() {
        return None;
    }
    let started = Instant::now();
    let bench = Bench::new(args.within.as_deref());
    let mut shots = Vec::new();
    for case in chosen(args, cases) {
        for &call in calls {
            let last = calls_of(&bench, case, call);
            for &errno in errnos {
                shots.extend((1..=last).step_by(step).map(|index| Shot {
                    case,
                    call,
                    errno,
                    index,
                }));
            }
        }
    }
    if let Some(count) = args.random {
        let every = shots.len();
        let mut rng = Rng::new(args.seed);
        shots = (0..count).map(|_| *rng.pick(&shots)).collect();
        println!("{count} of {every} places, seed {}", args.seed);
    }
    // The last first out.
    shots.reverse();
    let all = shots.len();
    let (shots, tally) = (Mutex::new(shots), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for _ in 0..args.jobs.max(1) {
            scope.spawn(|| {
                let bench = Bench::new(args.within.as_deref());
                loop {
                    let (shot, left) = {
                        let mut shots = shots.lock().unwrap();
                        let shot = shots.pop();
                        (shot, shots.len())
                    };
                    let Some(shot) = shot else { break };
                    let one = take(&bench, shot);
                    tally.lock().unwrap().add(one);
                    let done = all - left;
                    if done.is_multiple_of(500) {
                        let s = started.elapsed().as_secs();
                        println!("{done} of {all} runs, {s} s, at {}", shot.case.name());
                    }
                }
            });
        }
    });
    let blind = control_is_blind(&bench);
    println!("{} s", started.elapsed().as_secs());
    Some((tally.into_inner().unwrap(), blind))
}

/// One run, judged.
fn take(bench: &Bench, shot: Shot) -> Tally {
    let run = run(bench, shot.case, &shot.fault());
    let mut tally = Tally {
        runs: 1,
        ..Tally::default()
    };
    // A thread that made one call less this time.
    if !run.fired {
        return tally;
    }
    tally.fired = 1;
    let what = format!("{} {}", shot.case.name(), shot.fault());
    if shot.errno.is_some() {
        named(&run, &mut tally, &what);
    }
    judge(bench, shot.case, &run, &mut tally, &what);
    tally
}

/// How often the busiest thread of this use case makes this call.
fn calls_of(bench: &Bench, case: Case, call: &str) -> usize {
    let run = run(bench, case, &format!("{call}:delay_enter=0"));
    run.most_of_a_thread
}

fn chosen(args: &Args, all: &[Case]) -> Vec<Case> {
    match args.case.is_empty() {
        true => all.to_vec(),
        false => args.case.clone(),
    }
}

fn end(tally: &Tally, blind: bool) -> End {
    match tally.violations {
        0 if tally.fired > 0 && !blind => End::Clean,
        _ => End::Found,
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
    let mut by_thread = BTreeMap::<&str, usize>::new();
    for line in log
        .lines()
        .filter(|line| line.contains(&format!(" {call}(")))
    {
        let thread = line.split_whitespace().next().unwrap_or_default();
        *by_thread.entry(thread).or_default() += 1;
    }
    Run {
        most_of_a_thread: by_thread.into_values().max().unwrap_or(0),
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
            // A disk's failure that is blamed on whoever asked sends him looking in the wrong place.
            if error.starts_with("InvalidInput") {
                tally.violation(&format!("{what}: named as {error}"));
            }
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
