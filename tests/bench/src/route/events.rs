//! What the courier feels most often: something happened, and the plan he knows has to be mended at once.
//!
//! Per instance and seed a plan is made at leisure, and then three things happen to it, each from the same
//! plan: a stop is cancelled, a stop comes in, 40 minutes are lost. The time of a re-plan is all of it: the
//! problem without the stop, the search, the timetable. The kept plan (what is cancelled left out, what is
//! new inserted where it costs least) is what it has to beat; `late` counts the re-plans that did not.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use satchel_core::route::{
    Budget, Draft, Event, NewLegs, Problem, Travel, kept_plan, replan, solve,
};
use serde_json::json;

use super::instance::{Instance, files};
use super::{RouteArgs, clock_us};

/// How long the plan that the courier knows took.
const LEISURE_US: i64 = 100_000;
/// Stops tried per instance and seed, spread over the route.
const STOPS: usize = 4;
/// Ticks lost in a delay: seconds in the courier instances.
const DELAY: i64 = 40 * 60;

/// One re-plan.
#[derive(Debug)]
struct Mended {
    event: &'static str,
    wall_ms: f64,
    cpu_ms: f64,
    kept: (usize, usize),
    /// Lateness and end of the new plan, and of the kept one.
    new: (i64, i64),
    old: (i64, i64),
}

/// Re-plans of a folder's routes, as a table or as JSON.
pub(crate) fn measure(folder: &Path, args: &RouteArgs) -> Result<(), Box<dyn Error>> {
    let mut all: BTreeMap<(u32, &str), Vec<Mended>> = BTreeMap::new();
    for file in files(folder, &args.only)? {
        let instance = Instance::read(&file)?;
        let draft = instance.draft(args.objective)?;
        for limit_ms in &args.limit_ms {
            for seed in args.first_seed..args.first_seed + args.seeds {
                for mended in of_one(&draft, *limit_ms, args.by_cpu, seed)? {
                    if args.json {
                        println!("{}", line(&instance.name, *limit_ms, seed, &mended));
                    }
                    let of = all.entry((*limit_ms, mended.event)).or_default();
                    of.push(mended);
                }
            }
        }
    }
    if !args.json {
        print(&all);
    }
    Ok(())
}

fn of_one(
    draft: &Draft,
    limit_ms: u32,
    by_cpu: bool,
    seed: u64,
) -> Result<Vec<Mended>, Box<dyn Error>> {
    let problem = Problem::new(draft.clone())?;
    let known = within(LEISURE_US, by_cpu, |budget| {
        Ok(solve(&problem, None, budget, seed)?.order)
    })?;
    let mut mended = Vec::new();
    for k in 0..STOPS.min(known.len()) {
        let place = (k * known.len() / STOPS + seed as usize * 7) % known.len();
        let Some(&stop) = known.get(place) else {
            continue;
        };
        let cancelled = Event::Cancelled { stop };
        mended.push(timed(
            "cancelled",
            draft,
            &known,
            &cancelled,
            limit_ms,
            by_cpu,
            seed,
        )?);
        // The same stop comes in again: it gets the highest index and its own travel times.
        let without = replan(draft, &known, &cancelled, &Budget::count(0), seed)?;
        let added = added(draft, stop);
        mended.push(timed(
            "added",
            without.problem.draft(),
            &without.plan.order,
            &added,
            limit_ms,
            by_cpu,
            seed,
        )?);
    }
    let delayed = Event::Delayed { by: DELAY };
    mended.push(timed(
        "delayed", draft, &known, &delayed, limit_ms, by_cpu, seed,
    )?);
    Ok(mended)
}

/// The stop as it comes in where it was taken out.
fn added(draft: &Draft, stop: usize) -> Event {
    let places = draft.places();
    let cell = |from: usize, to: usize| match &draft.travel {
        Travel::Matrix(cells, _) => cells.get(from * places + to).copied().flatten(),
        Travel::Estimated(_) => None,
    };
    // Places without it, then itself, then an end of its own (which these instances do not have).
    let others: Vec<usize> = (0..places).filter(|place| *place != stop + 1).collect();
    let mut to: Vec<Option<u32>> = others.iter().map(|p| cell(*p, stop + 1)).collect();
    let mut from: Vec<Option<u32>> = others.iter().map(|p| cell(stop + 1, *p)).collect();
    to.push(Some(0));
    from.push(Some(0));
    Event::Added {
        stop: draft.stops.get(stop).copied().unwrap_or_default(),
        legs: NewLegs { to, from },
    }
}

fn timed(
    name: &'static str,
    draft: &Draft,
    known: &[usize],
    event: &Event,
    limit_ms: u32,
    by_cpu: bool,
    seed: u64,
) -> Result<Mended, Box<dyn Error>> {
    let (wall, cpu) = (clock_us(false), clock_us(true));
    let limit_us = i64::from(limit_ms) * 1_000;
    let after = within(limit_us, by_cpu, |budget| {
        Ok(replan(draft, known, event, budget, seed)?)
    })?;
    let spent = |since: i64, of_thread: bool| (clock_us(of_thread) - since) as f64 / 1_000.0;
    let (wall_ms, cpu_ms) = (spent(wall, false), spent(cpu, true));
    let order = after.problem.draft().known.as_ref();
    let kept = kept_plan(&after.problem, order.map_or(&[], |(order, _)| order))?;
    Ok(Mended {
        event: name,
        wall_ms,
        cpu_ms,
        kept: after.plan.kept,
        new: (after.plan.lateness, after.plan.completion),
        old: (kept.lateness, kept.completion),
    })
}

/// Runs something with a guard on the clock.
fn within<T>(
    limit_us: i64,
    by_cpu: bool,
    work: impl FnOnce(&Budget<'_>) -> Result<T, Box<dyn Error>>,
) -> Result<T, Box<dyn Error>> {
    let begun = clock_us(by_cpu);
    let guard =
        || u32::try_from((clock_us(by_cpu) - begun) * 1_000 / limit_us.max(1)).unwrap_or(u32::MAX);
    work(&Budget {
        evaluations: u64::MAX,
        guard: &guard,
    })
}

fn line(instance: &str, limit_ms: u32, seed: u64, run: &Mended) -> String {
    json!({
        "instance": instance, "event": run.event, "limit_ms": limit_ms, "seed": seed,
        "wall_ms": run.wall_ms, "cpu_ms": run.cpu_ms,
        "pairs_kept": run.kept.0, "pairs_known": run.kept.1,
        "lateness": run.new.0, "completion": run.new.1,
        "kept_lateness": run.old.0, "kept_completion": run.old.1,
    })
    .to_string()
}

fn print(all: &BTreeMap<(u32, &str), Vec<Mended>>) {
    println!(
        "{:>6} {:10} {:>6} {:>6} {:>10} {:>10} {:>10} {:>10} {:>12} {:>14}",
        "ms",
        "event",
        "runs",
        "late",
        "pairs %",
        "least %",
        "cpu ms",
        "max cpu",
        "max wall ms",
        "completion %"
    );
    for ((limit_ms, event), runs) in all {
        let count = runs.len().max(1) as f64;
        let share = |run: &Mended| run.kept.0 as f64 * 100.0 / run.kept.1.max(1) as f64;
        let mean = |of: &dyn Fn(&Mended) -> f64| runs.iter().map(of).sum::<f64>() / count;
        let most = |of: &dyn Fn(&Mended) -> f64| runs.iter().map(of).fold(0.0, f64::max);
        let shorter = |run: &Mended| (run.new.1 - run.old.1) as f64 * 100.0 / run.old.1 as f64;
        println!(
            "{limit_ms:>6} {event:10} {:>6} {:>6} {:>10.1} {:>10.1} {:>10.2} {:>10.2} {:>12.2} {:>14.2}",
            runs.len(),
            runs.iter().filter(|run| run.new.0 > run.old.0).count(),
            mean(&share),
            runs.iter().map(share).fold(100.0, f64::min),
            mean(&|run| run.cpu_ms),
            most(&|run| run.cpu_ms),
            most(&|run| run.wall_ms),
            mean(&shorter),
        );
    }
}
