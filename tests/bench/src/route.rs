//! `route`: how good orders get in how little time, on instances with known best values.
//!
//! Every order is judged by [`check`], an evaluator of its own that knows nothing of the solver's, so
//! a solver that fools itself cannot fool the table. Thread CPU time stands beside wall time, because
//! benches share their machine.

mod check;
mod congestion;
mod events;
mod instance;
mod monster;
mod report;

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use satchel_core::route::{Budget, Problem, solve};

use report::Run;

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct RouteArgs {
    /// Folder of instances (JSON: travel, window, reference).
    #[arg(long)]
    instances: Option<PathBuf>,
    /// Folder of instances whose travel times depend on the clock.
    #[arg(long)]
    time_dependent: Option<PathBuf>,
    /// Draw routes of so many stops instead of reading any, and tell how soon each has a first plan.
    #[arg(long, value_delimiter = ',')]
    stops: Vec<usize>,
    /// Mend plans of the instances after events instead of making them; the limit is that of a re-plan.
    #[arg(long)]
    replan: bool,
    /// Drive them at constant speed, as their published orders were found.
    #[arg(long)]
    constant_speed: bool,
    /// Time limits, milliseconds.
    #[arg(long, value_delimiter = ',', default_value = "20,100")]
    limit_ms: Vec<u32>,
    /// Seeds per instance and limit.
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    first_seed: u64,
    /// What comes after lateness.
    #[arg(long, value_enum, default_value_t = Goal::Completion)]
    objective: Goal,
    /// Only instances whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Limits are thread CPU time, for a machine that others use too.
    #[arg(long)]
    by_cpu: bool,
    /// One JSON object per run instead of a table.
    #[arg(long)]
    json: bool,
}

/// What comes after lateness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Goal {
    /// Sum of travel times.
    Travel,
    /// End of the route.
    Completion,
}

/// Runs the bench and prints what it found.
///
/// # Errors
/// When a folder or an instance cannot be read.
pub(crate) fn run(args: &RouteArgs) -> Result<(), Box<dyn Error>> {
    if !args.stops.is_empty() {
        return monster::measure(args);
    }
    if let (true, Some(folder)) = (args.replan, &args.instances) {
        return events::measure(folder, args);
    }
    let mut runs = Vec::new();
    if let Some(folder) = &args.instances {
        for file in instance::files(folder, &args.only)? {
            runs.extend(measure(&file, args)?);
        }
    }
    if let Some(folder) = &args.time_dependent {
        runs.extend(congestion::measure(folder, args)?);
    }
    if !args.json {
        report::print(&runs);
    }
    Ok(())
}

/// All runs of one instance.
fn measure(file: &Path, args: &RouteArgs) -> Result<Vec<Run>, Box<dyn Error>> {
    let instance = instance::Instance::read(file)?;
    let problem = Problem::new(instance.draft(args.objective)?)?;
    let mut runs = Vec::new();
    for limit_ms in &args.limit_ms {
        for seed in args.first_seed..args.first_seed + args.seeds {
            let (order, wall_ms, cpu_ms) = timed(&problem, *limit_ms, args.by_cpu, seed)?;
            let result = check::walk(&instance, &order);
            let run = Run {
                instance: instance.name.clone(),
                kind: instance.kind.clone(),
                objective: args.objective,
                limit_ms: *limit_ms,
                seed,
                wall_ms,
                cpu_ms,
                order,
                result,
                reference: instance.reference(args.objective),
            };
            if args.json {
                run.print_json()?;
            }
            runs.push(run);
        }
    }
    Ok(runs)
}

/// One cold plan: the order as node numbers from 0, wall and CPU milliseconds.
pub(crate) fn timed(
    problem: &Problem,
    limit_ms: u32,
    by_cpu: bool,
    seed: u64,
) -> Result<(Vec<usize>, f64, f64), Box<dyn Error>> {
    let (wall, cpu) = (clock_us(false), clock_us(true));
    let begun = if by_cpu { cpu } else { wall };
    let guard = || {
        u32::try_from((clock_us(by_cpu) - begun) / i64::from(limit_ms.max(1))).unwrap_or(u32::MAX)
    };
    let budget = Budget {
        evaluations: u64::MAX,
        guard: &guard,
    };
    let plan = solve(problem, None, &budget, seed)?;
    let spent = |since: i64, of_thread: bool| (clock_us(of_thread) - since) as f64 / 1_000.0;
    let (wall_ms, cpu_ms) = (spent(wall, false), spent(cpu, true));
    let order = core::iter::once(0)
        .chain(plan.order.iter().map(|stop| stop + 1))
        .collect();
    Ok((order, wall_ms, cpu_ms))
}

/// Microseconds of the monotonic clock or of this thread's CPU time.
fn clock_us(of_thread: bool) -> i64 {
    let clock = if of_thread {
        rustix::time::ClockId::ThreadCPUTime
    } else {
        rustix::time::ClockId::Monotonic
    };
    let now = rustix::time::clock_gettime(clock);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
}
