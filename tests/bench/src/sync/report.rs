//! The table and the JSON of `sync`.

use serde::Serialize;
use serde_json::json;

use super::{Args, CHANGES, Measured, STOPS};
use crate::Failure;

/// One step in all rounds; `payload_bytes` is what the bytes up are compared with.
#[derive(Debug, Serialize)]
struct Step {
    name: String,
    payload_bytes: Option<u64>,
    /// Against the floor of the same round, the median; `None` where there is no floor, or nothing was measured.
    ratio_to_floor: Option<f64>,
    installed: bool,
    rounds: Vec<Measured>,
}

/// The steps so far, in the order of the table.
#[derive(Debug, Default)]
pub(super) struct Steps(Vec<Step>);

impl Steps {
    /// A step was measured.
    pub(super) fn note(&mut self, name: &str, payload_bytes: Option<u64>, measured: Measured) {
        match self.0.iter_mut().find(|step| step.name == name) {
            Some(step) => step.rounds.push(measured),
            None => self.0.push(Step {
                name: name.to_owned(),
                payload_bytes,
                ratio_to_floor: None,
                installed: true,
                rounds: vec![measured],
            }),
        }
    }

    /// A step cannot be measured, for the library is not installed.
    pub(super) fn missing(&mut self, name: String) {
        if self.0.iter().all(|step| step.name != name) {
            self.0.push(Step {
                name,
                payload_bytes: None,
                ratio_to_floor: None,
                installed: false,
                rounds: Vec::new(),
            });
        }
    }

    /// Compares each `push, …` with `push, floor` of the same round, and so on.
    fn compare(&mut self) {
        let floor_of = |step: &Step| {
            let kind = step.name.strip_suffix(", floor")?.to_owned();
            Some((kind, step.rounds.iter().map(|r| r.ms).collect()))
        };
        let floors: Vec<(String, Vec<f64>)> = self.0.iter().filter_map(floor_of).collect();
        for step in &mut self.0 {
            let kind = step.name.split(", ").next().unwrap_or_default();
            let Some((_, floor)) = floors.iter().find(|(of, _)| of == kind) else {
                continue;
            };
            let pairs = step.rounds.iter().zip(floor);
            let mut ratios: Vec<f64> = pairs.map(|(round, floor)| round.ms / floor).collect();
            ratios.sort_by(f64::total_cmp);
            step.ratio_to_floor = ratios.get(ratios.len() / 2).copied();
        }
    }

    /// Prints the table, or all of it as JSON.
    pub(super) fn print(mut self, args: &Args, cold_open_ms: Option<f64>) -> Result<(), Failure> {
        self.compare();
        if args.json {
            let report = json!({"rtt_ms": args.rtt_ms, "loss": args.loss, "cuts": args.cuts, "attempts": args.attempts,
                "ink_bytes": args.ink_bytes, "steps": self.0, "cold_open_ms": cold_open_ms});
            println!("{}", serde_json::to_string_pretty(&report)?);
            return Ok(());
        }
        println!(
            "{} attempts with {} B of ink, {STOPS} stops and {CHANGES} changes, {} ms round trip, loss {}, cuts {}, {} rounds, medians\n",
            args.attempts, args.ink_bytes, args.rtt_ms, args.loss, args.cuts, args.rounds
        );
        println!(
            "| step | ms | ÷ floor | CPU ms | requests | up | down | beyond the photos | cuts |"
        );
        println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
        for step in &self.0 {
            println!("{}", row(step));
        }
        if let Some(ms) = cold_open_ms {
            println!(
                "\nCold open with {} entries to the list of stops: {ms:.1} ms",
                args.entries
            );
        }
        Ok(())
    }
}

fn row(step: &Step) -> String {
    let mut rounds = step.rounds.clone();
    rounds.sort_by(|a, b| a.ms.total_cmp(&b.ms));
    let Some(middle) = rounds.get(rounds.len() / 2) else {
        return format!("| {} | not installed | | | | | | | |", step.name);
    };
    #[expect(clippy::cast_precision_loss, reason = "bytes of a bench")]
    let extra = step.payload_bytes.map_or_else(String::new, |bytes| {
        format!(
            "{:.2} %",
            (middle.bytes_up as f64 / bytes as f64 - 1.0) * 100.0
        )
    });
    let ratio = step
        .ratio_to_floor
        .map_or_else(String::new, |ratio| format!("{ratio:.2}"));
    format!(
        "| {} | {:.0} | {ratio} | {:.0} | {} | {} KB | {} KB | {extra} | {} |",
        step.name,
        middle.ms,
        middle.cpu_ms,
        middle.requests,
        middle.bytes_up / 1_000,
        middle.bytes_down / 1_000,
        middle.cuts
    )
}

#[cfg(test)]
mod tests {
    use super::{Measured, Steps, row};

    fn measured(ms: f64) -> Measured {
        Measured {
            ms,
            cpu_ms: 1.0,
            requests: 10,
            bytes_up: 6_000_000,
            bytes_down: 2_000,
            cuts: 0,
        }
    }

    #[test]
    fn ratios_are_taken_within_a_round_against_the_floor_of_the_same_step() {
        let mut steps = Steps::default();
        for (floor, peer) in [(100.0, 200.0), (50.0, 150.0), (200.0, 300.0)] {
            steps.note("push, floor", None, measured(floor));
            steps.note("pull, floor", None, measured(1.0));
            steps.note("push, a peer", None, measured(peer));
            steps.note("photos, each cut once", Some(5_000_000), measured(9.0));
        }
        steps.compare();
        let ratio = |name: &str| {
            let step = steps.0.iter().find(|s| s.name == name).unwrap();
            step.ratio_to_floor
        };
        assert_eq!(ratio("push, a peer"), Some(2.0));
        assert_eq!(ratio("push, floor"), Some(1.0));
        assert_eq!(ratio("photos, each cut once"), None);
    }

    #[test]
    fn what_is_not_installed_is_named_and_has_no_figures() {
        let mut steps = Steps::default();
        for _ in 0..3 {
            steps.missing("push, a peer".to_owned());
        }
        steps.compare();
        let rows: Vec<String> = steps.0.iter().map(row).collect();
        assert_eq!(rows, ["| push, a peer | not installed | | | | | | | |"]);
    }
}
