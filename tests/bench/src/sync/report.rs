//! The table and the JSON of `sync`.

use serde::Serialize;
use serde_json::json;

use super::{Args, CHANGES, Measured, STOPS};
use crate::Failure;
use crate::goals::{self, Goal};

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
        let goals = self.goals(args, cold_open_ms);
        if args.json {
            let report = json!({"rtt_ms": args.rtt_ms, "loss": args.loss, "cuts": args.cuts, "attempts": args.attempts,
                "ink_bytes": args.ink_bytes, "steps": self.0, "cold_open_ms": cold_open_ms, "goals": goals});
            println!("{}", serde_json::to_string_pretty(&report)?);
            return verdict(args, &goals);
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
        print!("{}", goals::table(&goals));
        verdict(args, &goals)
    }

    fn find(&self, name: &str) -> Option<&Step> {
        self.0.iter().find(|step| step.name == name)
    }

    /// What these figures may be, as far as this line and this load have goals.
    fn goals(&self, args: &Args, cold_open_ms: Option<f64>) -> Vec<Goal> {
        let mut goals = Vec::new();
        let poor_line = args.loss > 0.0 || args.cuts > 0.0 || args.through.is_some();
        if let Some(push) = self.find("push, Satchel").filter(|_| !poor_line) {
            self.hold_push(push, args, &mut goals);
        }
        if let Some(pull) = self.find("pull, Satchel").filter(|_| !poor_line) {
            let down = pull.middle().map(|m| kilobytes(m.bytes_down));
            goals.push(Goal::count("pull: KB down", 200.0, down));
            if args.rtt_ms == 60 {
                let ms = pull.middle().map(|m| m.ms);
                goals.push(Goal::time("pull: ms at 60 ms", 130.0, ms));
            }
        }
        for (name, requests_each, what) in [
            ("photos", 1, "uncut"),
            ("photos, each cut once", 3, "each cut once"),
        ] {
            let Some(photos) = self.find(name) else {
                continue;
            };
            let beyond = photos.beyond_percent();
            let most = if poor_line { 8.0 } else { 0.6 };
            goals.push(Goal::count(
                format!("photos {what}: % beyond them"),
                most,
                beyond,
            ));
            if !poor_line {
                let requests = photos.middle().map(|m| count(m.requests));
                let most = count((args.photos * requests_each) as u64);
                let what = format!("photos {what}: requests for {}", args.photos);
                goals.push(Goal::count(what, most, requests));
            }
        }
        if cold_open_ms.is_some() {
            goals.push(Goal::time("cold open: ms", 30.0, cold_open_ms));
        }
        goals
    }

    fn hold_push(&self, push: &Step, args: &Args, goals: &mut Vec<Goal>) {
        let requests = push.middle().map(|m| count(m.requests));
        goals.push(Goal::count("push: requests", 18.0, requests));
        let most = match args.ink_bytes {
            4_096 => Some(4.5),
            600 => Some(1.1),
            _ => None,
        };
        if let Some(most) = most {
            let up = push
                .middle()
                .map(|m| kilobytes(m.bytes_up) / count(args.attempts as u64));
            goals.push(Goal::count("push: KB up an attempt", most, up));
        }
        match args.rtt_ms {
            0 => goals.push(
                Goal::time("push: time ÷ floor", 1.2, push.ratio_to_floor).settled(
                    "each signature is checked, each entry chained, shown in the hub's tree and receipted, which the \
                     floor does not do (docs/adr/0064)",
                ),
            ),
            60 if args.attempts == 1_000 => {
                let ms = push.middle().map(|m| m.ms);
                goals.push(Goal::time("push: ms at 60 ms", 350.0, ms));
            }
            _ => {}
        }
    }
}

fn verdict(args: &Args, goals: &[Goal]) -> Result<(), Failure> {
    match args.gate {
        true => goals::gate(goals),
        false => Ok(()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a bench")]
fn count(n: u64) -> f64 {
    n as f64
}

fn kilobytes(bytes: u64) -> f64 {
    count(bytes) / 1_000.0
}

impl Step {
    /// The round with the median time.
    fn middle(&self) -> Option<Measured> {
        let mut rounds = self.rounds.clone();
        rounds.sort_by(|a, b| a.ms.total_cmp(&b.ms));
        rounds.get(rounds.len() / 2).copied()
    }

    /// Bytes up beyond the payload.
    fn beyond_percent(&self) -> Option<f64> {
        let up = count(self.middle()?.bytes_up);
        Some((up / count(self.payload_bytes?) - 1.0) * 100.0)
    }
}

fn row(step: &Step) -> String {
    let Some(middle) = step.middle() else {
        return format!("| {} | not installed | | | | | | | |", step.name);
    };
    let extra = step
        .beyond_percent()
        .map_or_else(String::new, |percent| format!("{percent:.2} %"));
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
