//! What the bench prints: a line per instance and limit, a summary per kind and limit, or JSON.

use std::collections::BTreeMap;

use serde_json::json;

use super::Goal;
use super::check::Outcome;
use super::instance::Reference;

/// One run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) instance: String,
    pub(crate) kind: String,
    pub(crate) objective: Goal,
    pub(crate) limit_ms: u32,
    pub(crate) seed: u64,
    pub(crate) wall_ms: f64,
    pub(crate) cpu_ms: f64,
    pub(crate) order: Vec<usize>,
    pub(crate) result: Outcome,
    pub(crate) reference: Option<Reference>,
}

impl Run {
    /// Prints one JSON object on one line.
    pub(crate) fn print_json(&self) -> Result<(), serde_json::Error> {
        let line = json!({
            "instance": self.instance,
            "objective": match self.objective { Goal::Travel => "travel", Goal::Completion => "completion" },
            "limit_ms": self.limit_ms,
            "seed": self.seed,
            "wall_ms": self.wall_ms,
            "cpu_ms": self.cpu_ms,
            "order": self.order,
            "lateness": self.result.lateness,
            "travel_time": self.result.travel_time,
            "completion": self.result.completion,
            "feasible": self.result.feasible,
        });
        println!("{}", serde_json::to_string(&line)?);
        Ok(())
    }

    /// Per cent above the best known: of lateness when even the best known is late, else of the goal
    /// over runs on time.
    fn gap(&self) -> Option<f64> {
        let reference = self.reference?;
        let over = |value: i64, best: i64| (value - best) as f64 * 100.0 / best as f64;
        if reference.lateness > 0 {
            return Some(over(self.result.lateness, reference.lateness));
        }
        let value = match self.objective {
            Goal::Travel => self.result.travel_time,
            Goal::Completion => self.result.completion,
        };
        self.result.feasible.then(|| over(value, reference.value))
    }
}

/// Prints the table and the summary.
pub(crate) fn print(runs: &[Run]) {
    let mut lines: BTreeMap<(u32, &str, &str), Vec<&Run>> = BTreeMap::new();
    let mut kinds: BTreeMap<(u32, &str), Vec<&Run>> = BTreeMap::new();
    for run in runs {
        lines
            .entry((run.limit_ms, &run.kind, &run.instance))
            .or_default()
            .push(run);
        kinds
            .entry((run.limit_ms, &run.kind))
            .or_default()
            .push(run);
    }
    println!(
        "{:>6} {:38} gap % by seed, or lateness in ticks where the best known has none",
        "ms", "instance"
    );
    for ((limit_ms, _, name), of) in &lines {
        let gaps: Vec<String> = of
            .iter()
            .map(|run| {
                run.gap()
                    .map_or(format!("late {}", run.result.lateness), |gap| {
                        format!("{gap:.2}")
                    })
            })
            .collect();
        println!("{limit_ms:>6} {name:38} {}", gaps.join("  "));
    }
    println!();
    for ((limit_ms, kind), of) in &kinds {
        summary(*limit_ms, kind, of);
    }
}

fn summary(limit_ms: u32, kind: &str, of: &[&Run]) {
    let mut gaps: Vec<f64> = of.iter().filter_map(|run| run.gap()).collect();
    gaps.sort_by(f64::total_cmp);
    let at = |share: f64| {
        gaps.get((gaps.len() as f64 * share) as usize)
            .or(gaps.last())
            .copied()
            .unwrap_or(f64::NAN)
    };
    let mean = |values: &mut dyn Iterator<Item = f64>, count: usize| {
        values.sum::<f64>() / count.max(1) as f64
    };
    let hit = gaps.iter().filter(|gap| **gap <= 0.1).count();
    println!(
        "{kind} at {limit_ms} ms: {}/{} on time or judged by lateness, gap median {:.3} mean {:.3} p90 {:.3} max {:.3}, within 0.1 %: {:.0} %, wall {:.1} ms (max {:.1}), cpu {:.1} ms",
        gaps.len(),
        of.len(),
        at(0.5),
        mean(&mut gaps.iter().copied(), gaps.len()),
        at(0.9),
        at(1.0),
        hit as f64 * 100.0 / of.len().max(1) as f64,
        mean(&mut of.iter().map(|run| run.wall_ms), of.len()),
        of.iter().map(|run| run.wall_ms).fold(0.0, f64::max),
        mean(&mut of.iter().map(|run| run.cpu_ms), of.len()),
    );
}
