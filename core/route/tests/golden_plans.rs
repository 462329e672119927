//! The same plan, to the byte, on every platform: hashes of plans for generated problems.
//!
//! The search is deterministic by construction (integers, its own generator, no platform's mathematics);
//! this file shows it. `scripts/test-arm` runs the same test on aarch64. When the search itself changes on
//! purpose, the hashes change with it: write them anew with
//!
//!     SATCHEL_GOLDEN=write cargo test -p satchel-route --test golden_plans
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]

#[path = "support/problems.rs"]
mod problems;

use std::fmt::Write as _;

use problems::Source;
use satchel_route::{Budget, Plan, Problem, solve, timetable_of};

const EVALUATIONS: u64 = 20_000;
const PROBLEMS: u64 = 60;

/// Bytes from a seed: SplitMix64.
fn bytes(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut out = Vec::new();
    while out.len() < 40_000 {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        out.extend((z ^ (z >> 31)).to_le_bytes());
    }
    out
}

/// FNV-1a over everything a plan says.
fn hash(plan: &Plan) -> u64 {
    let totals = [
        plan.departure,
        plan.completion,
        plan.lateness,
        plan.evaluations as i64,
    ];
    let visits = plan.visits.iter().flat_map(|visit| {
        let why = visit.why as i64;
        [
            visit.stop as i64,
            visit.arrival,
            visit.start,
            visit.leave,
            visit.slack,
            why,
        ]
    });
    totals
        .into_iter()
        .chain(visits)
        .flat_map(i64::to_le_bytes)
        .fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        })
}

fn made() -> String {
    let mut out = String::new();
    for seed in 0..PROBLEMS {
        let most = [12, 40, 90][(seed % 3) as usize];
        let draft = Source(&bytes(seed)).draft(most, false);
        let count = draft.stops.len();
        let line = match Problem::new(draft) {
            Ok(problem) => {
                let budget = Budget::count(EVALUATIONS);
                let cold = solve(&problem, None, &budget, seed).unwrap();
                let order: Vec<usize> = (0..count).collect();
                let walked = timetable_of(&problem, &order).unwrap();
                let warm = solve(&problem, Some(&order), &budget, seed).unwrap();
                format!(
                    "{:016x} {:016x} {:016x}",
                    hash(&walked),
                    hash(&cold),
                    hash(&warm)
                )
            }
            Err(error) => format!("{error}"),
        };
        writeln!(out, "{seed} {count} {line}").unwrap();
    }
    out
}

#[test]
fn every_platform_makes_the_committed_plans() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/plans.txt");
    let made = made();
    if std::env::var("SATCHEL_GOLDEN").as_deref() == Ok("write") {
        std::fs::write(path, &made).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(path).unwrap();
    let solved = committed
        .lines()
        .filter(|line| line.split(' ').count() == 5);
    assert!(
        solved.count() * 2 > PROBLEMS as usize,
        "most of them are problems that can be planned"
    );
    for (now, before) in made.lines().zip(committed.lines()) {
        assert_eq!(
            now, before,
            "seed, stops, and hashes of the listed, the cold and the warm order"
        );
    }
    assert_eq!(made.lines().count(), committed.lines().count());
}
