//! Instances whose travel times depend on zone and time of day: the shortest duration, departure free.
//!
//! Distances (which include the service of the stop they leave) are driven at the speed of the arc's
//! cluster in the zone of the clock that one is in. The orders in `solutions.json` belong to the same
//! instances **at constant speed 1**: read so, 9 of 31 published durations are exactly what their orders
//! take, and with the speeds none is. So `--constant-speed` measures against those orders, timed by our own
//! walk, and without it the reference is the best of the run: give it a long limit as well.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use satchel_core::route::{
    Draft, End, Objective, Problem, SpeedModel, Start, Stop, Traffic, Travel,
};
use serde::Deserialize;

use super::check::Outcome;
use super::instance::files;
use super::{Goal, RouteArgs, Run, timed};

/// Ticks per unit of the instance: rounding a leg up to a tick must not matter.
const TICKS: f64 = 100.0;

#[derive(Debug, Deserialize)]
struct Instance {
    cluster_speeds: Vec<Vec<f64>>,
    clusters: Vec<Vec<u8>>,
    speed_zones: Vec<(f64, f64)>,
    distances: Vec<Vec<f64>>,
    time_windows: Vec<(f64, f64)>,
}

#[derive(Debug, Deserialize)]
struct Solution {
    instance_name: String,
    routes: Vec<Published>,
}

#[derive(Debug, Clone, Deserialize)]
struct Published {
    path: Vec<usize>,
}

/// All runs of a folder.
pub(crate) fn measure(folder: &Path, args: &RouteArgs) -> Result<Vec<Run>, Box<dyn Error>> {
    let solutions: Vec<Solution> =
        serde_json::from_str(&std::fs::read_to_string(folder.join("solutions.json"))?)?;
    let published: BTreeMap<_, _> = solutions
        .into_iter()
        .filter_map(|s| Some((s.instance_name, s.routes.first()?.path.clone())))
        .collect();
    let mut runs = Vec::new();
    for file in files(folder, &args.only)? {
        let name = file
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default()
            .to_owned();
        let Some(path) = published.get(&name) else {
            continue;
        };
        let mut instance: Instance = serde_json::from_str(&std::fs::read_to_string(&file)?)?;
        if args.constant_speed {
            instance
                .cluster_speeds
                .iter_mut()
                .flatten()
                .for_each(|speed| *speed = 1.0);
        }
        let reference = args.constant_speed.then(|| {
            let stops = path.split_last().map_or(&[][..], |(_, stops)| stops);
            instance.walk(stops).reference()
        });
        let begun = runs.len();
        let problem = Problem::new(instance.draft()?)?;
        for limit_ms in &args.limit_ms {
            for seed in args.first_seed..args.first_seed + args.seeds {
                let (order, wall_ms, cpu_ms) = timed(&problem, *limit_ms, args.by_cpu, seed)?;
                let run = Run {
                    instance: name.clone(),
                    kind: if args.constant_speed {
                        "constant speed"
                    } else {
                        "congestion"
                    }
                    .to_owned(),
                    objective: Goal::Completion,
                    limit_ms: *limit_ms,
                    seed,
                    wall_ms,
                    cpu_ms,
                    result: instance.walk(&order),
                    order,
                    reference,
                };
                if args.json {
                    run.print_json()?;
                }
                runs.push(run);
            }
        }
        let of = runs.get_mut(begun..).unwrap_or_default();
        let best = of.iter().map(|run| run.result.reference()).min();
        for run in of {
            run.reference = run.reference.or(best);
        }
    }
    Ok(runs)
}

impl Instance {
    /// Arrival when leaving at `now`.
    fn drive(&self, from: usize, to: usize, now: f64) -> f64 {
        let cell = |rows: &Vec<Vec<f64>>| {
            rows.get(from)
                .and_then(|row| row.get(to))
                .copied()
                .unwrap_or(0.0)
        };
        let class = self
            .clusters
            .get(from)
            .and_then(|row| row.get(to))
            .copied()
            .unwrap_or(0);
        let speeds = self
            .cluster_speeds
            .get(usize::from(class))
            .map(Vec::as_slice)
            .unwrap_or_default();
        let (mut left, mut now) = (cell(&self.distances), now);
        let bands = speeds.len();
        for (band, (speed, zone)) in speeds.iter().zip(&self.speed_zones).enumerate() {
            if now >= zone.1 && band + 1 < bands {
                continue;
            }
            let room = (zone.1 - now) * speed;
            if left <= room || band + 1 == bands {
                return now + left / speed;
            }
            left -= room;
            now = zone.1;
        }
        now
    }

    /// The least duration of an order without lateness, over departures: coarse, then finer. All in
    /// whole units, rounded half a unit generously for what rounding did to windows.
    fn walk(&self, order: &[usize]) -> Outcome {
        let last = self.time_windows.len() - 1;
        let at = |start: f64| {
            let (mut now, mut late) = (start, 0.0_f64);
            for (from, to) in order.iter().zip(order.iter().skip(1).chain([&last])) {
                let (open, close) = self.time_windows.get(*to).copied().unwrap_or((0.0, 0.0));
                now = self.drive(*from, *to, now).max(open);
                late += (now - close).max(0.0);
            }
            ((late * 2.0).round(), now - start)
        };
        let (low, high) = self.time_windows.first().copied().unwrap_or((0.0, 0.0));
        let mut best = (f64::INFINITY, f64::INFINITY);
        let (mut from, mut to, mut centre) = (low, high, low);
        while to - from > 0.01 {
            let step = (to - from) / 2_000.0;
            for k in 0..=2_000 {
                let start = from + step * f64::from(k);
                let value = at(start);
                if value < best {
                    (best, centre) = (value, start);
                }
            }
            (from, to) = ((centre - step).max(low), (centre + step).min(high));
        }
        let mut nodes = order.to_vec();
        nodes.sort_unstable();
        let complete = nodes.iter().copied().eq(0..last);
        Outcome {
            lateness: (best.0 / 2.0).round() as i64,
            travel_time: 0,
            completion: best.1.round() as i64,
            feasible: complete && best.0 < 1.0,
        }
    }

    fn draft(&self) -> Result<Draft, Box<dyn Error>> {
        let n = self.time_windows.len();
        let ticks = |units: f64| (units * TICKS).round() as i64;
        let fastest = self
            .cluster_speeds
            .iter()
            .flatten()
            .copied()
            .fold(0.0, f64::max);
        let mut cells = Vec::with_capacity(n * n);
        for (from, row) in self.distances.iter().enumerate() {
            for (to, distance) in row.iter().enumerate() {
                let base = if from == to {
                    0
                } else {
                    ticks(distance / fastest)
                };
                cells.push(Some(u32::try_from(base)?));
            }
        }
        let mut windows = self.time_windows.iter();
        let (first, last) = windows
            .next()
            .zip(windows.next_back())
            .ok_or("an instance without nodes")?;
        let stops = windows
            .map(|w| Stop {
                open: ticks(w.0),
                close: ticks(w.1),
                ..Stop::default()
            })
            .collect();
        let start = Start {
            earliest: ticks(first.0),
            latest: ticks(first.1),
            place: None,
        };
        let mut draft = Draft::new(start, stops, Travel::Matrix(cells, SpeedModel::default()));
        draft.objective = Objective::Duration;
        draft.end = End::Place(None);
        draft.shift_end = Some((ticks(last.1), 1));
        let millionths = |speed: &f64| (speed / fastest * 1e6).round() as u32;
        draft.traffic = Some(Traffic {
            band_ends: self
                .speed_zones
                .iter()
                .rev()
                .skip(1)
                .rev()
                .map(|zone| ticks(zone.1))
                .collect(),
            speeds: self
                .cluster_speeds
                .iter()
                .map(|of| of.iter().map(millionths).collect())
                .collect(),
            classes: self.clusters.concat(),
        });
        Ok(draft)
    }
}
