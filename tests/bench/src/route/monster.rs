//! Monster routes: how soon there is a first plan for hundreds of stops, and what memory that takes.
//!
//! Nothing is read: a district's quarters are drawn from a seed, and stops around their centres. Of ten stops
//! three are promised for the first half of the day, four for the day and one for a window of two hours; two have
//! no promise. The first plan is what [`solve`] returns when its guard lets it do nothing but build; its time
//! includes the problem with all its travel times.

use std::error::Error;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use satchel_core::route::{
    Budget, Draft, LatLng, Plan, Problem, SpeedModel, Start, Stop, Travel, solve,
};
use serde_json::json;

use super::{RouteArgs, clock_us};

/// The streets of a quarter lie within this many degrees of its centre, quarters within this many of the depot.
const STREETS: f64 = 0.004;
const QUARTERS: f64 = 0.02;
const QUARTER_COUNT: usize = 12;
const SERVICE_S: i64 = 30;
/// What a stop takes on the way of a courier who knows his round, roughly.
const PACE_S: i64 = 130;
const DEPOT: LatLng = LatLng {
    lat: 37.46,
    lng: 121.44,
};

/// First plans of drawn routes, and what some more time makes of them.
pub(crate) fn measure(args: &RouteArgs) -> Result<(), Box<dyn Error>> {
    if !args.json {
        println!(
            "{:>6} {:>5} {:>13} {:>13} {:>11} {:>11}  lateness and end after the first plan, and after more ms",
            "stops", "seed", "first plan ms", "of it problem", "memory MB", "matrix MB"
        );
    }
    for &stops in &args.stops {
        for seed in args.first_seed..args.first_seed + args.seeds {
            one(stops, seed, args)?;
        }
    }
    Ok(())
}

fn one(stops: usize, seed: u64, args: &RouteArgs) -> Result<(), Box<dyn Error>> {
    let draft = drawn(stops, seed);
    let before = status_bytes("VmRSS:")?;
    let begun = clock_us(args.by_cpu);
    let problem = Problem::new(draft)?;
    let built = clock_us(args.by_cpu);
    let first = plan(&problem, 0, args.by_cpu, seed)?;
    let done = clock_us(args.by_cpu);
    let memory = status_bytes("VmHWM:")?.saturating_sub(before);
    let mut later = Vec::new();
    for limit_ms in &args.limit_ms {
        let begun = clock_us(args.by_cpu);
        let plan = plan(&problem, *limit_ms, args.by_cpu, seed)?;
        later.push((ms(clock_us(args.by_cpu) - begun), plan));
    }
    let matrix = ((stops + 1) * (stops + 1) * 4) as u64;
    if args.json {
        let later: Vec<_> = later
            .iter()
            .map(|(took_ms, plan)| json!({"took_ms": took_ms, "lateness": plan.lateness, "completion": plan.completion}))
            .collect();
        println!(
            "{}",
            json!({"stops": stops, "seed": seed, "first_plan_ms": ms(done - begun), "problem_ms": ms(built - begun),
                "memory_bytes": memory, "matrix_bytes": matrix, "lateness": first.lateness,
                "completion": first.completion, "later": later})
        );
        return Ok(());
    }
    let of = |plan: &Plan| format!("{} / {}", plan.lateness, plan.completion);
    let later: String = later
        .iter()
        .map(|(took_ms, plan)| format!("   {took_ms:.0}: {}", of(plan)))
        .collect();
    println!(
        "{stops:>6} {seed:>5} {:>13.1} {:>13.1} {:>11.1} {:>11.1}  {}{later}",
        ms(done - begun),
        ms(built - begun),
        memory as f64 / 1e6,
        matrix as f64 / 1e6,
        of(&first)
    );
    Ok(())
}

fn ms(us: i64) -> f64 {
    us as f64 / 1_000.0
}

/// A plan within a time; with none at all, the first there is.
fn plan(problem: &Problem, limit_ms: u32, by_cpu: bool, seed: u64) -> Result<Plan, Box<dyn Error>> {
    let begun = clock_us(by_cpu);
    let guard = || match limit_ms {
        0 => 1_000,
        _ => u32::try_from((clock_us(by_cpu) - begun) / i64::from(limit_ms)).unwrap_or(u32::MAX),
    };
    let budget = Budget {
        evaluations: u64::MAX,
        guard: &guard,
    };
    Ok(solve(problem, None, &budget, seed)?)
}

fn drawn(stops: usize, seed: u64) -> Draft {
    let mut random = StdRng::seed_from_u64(seed);
    let mut near = |centre: LatLng, reach: f64| LatLng {
        lat: centre.lat + random.random_range(-reach..reach),
        lng: centre.lng + random.random_range(-reach..reach),
    };
    let quarters: Vec<LatLng> = (0..QUARTER_COUNT).map(|_| near(DEPOT, QUARTERS)).collect();
    let places: Vec<LatLng> = quarters
        .iter()
        .cycle()
        .take(stops)
        .map(|quarter| near(*quarter, STREETS))
        .collect();
    let day = i64::try_from(stops).unwrap_or(i64::MAX) * PACE_S;
    let stops = places
        .into_iter()
        .map(|place| {
            let plain = Stop {
                service: SERVICE_S,
                place: Some(place),
                ..Stop::default()
            };
            match random.random_range(0..10) {
                0..3 => Stop {
                    close: day / 2,
                    ..plain
                },
                3..7 => Stop {
                    close: day,
                    ..plain
                },
                7 => {
                    let open = random.random_range(0..day);
                    Stop {
                        open,
                        close: open + 7_200,
                        ..plain
                    }
                }
                _ => plain,
            }
        })
        .collect();
    let start = Start {
        place: Some(DEPOT),
        ..Start::default()
    };
    Draft::new(start, stops, Travel::Estimated(SpeedModel::default()))
}

/// What the kernel's books say of this process.
fn status_bytes(name: &str) -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .ok_or("no such figure")?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes * 1_024)
}
