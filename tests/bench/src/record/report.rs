//! The table and the JSON of `record`.

use std::fmt;

use serde::Serialize;

use super::once::Counted;
use super::{Run, Who, Writer};
use crate::Failure;
use crate::goals::{self, Goal};

/// The whole result.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    attempts: usize,
    rounds: usize,
    writers: Vec<Line>,
    goals: Vec<Goal>,
}

/// One writer, with its medians unless its library is not installed.
#[derive(Debug, Serialize)]
struct Line {
    writer: Who,
    installed: bool,
    #[serde(flatten)]
    figures: Option<Figures>,
}

#[derive(Debug, Serialize)]
struct Figures {
    attempts_per_second: f64,
    ratio_to_plain: f64,
    ratio_to_encrypted: f64,
    p50_micros: u64,
    p99_micros: u64,
    ink_micros: u64,
    flushes_per_attempt: Option<f64>,
    bytes_written_per_attempt: f64,
    bytes_on_disk_per_attempt: f64,
    record_bytes: usize,
    signature_bytes: usize,
}

type Round = Vec<(Who, Run)>;

impl Report {
    pub(super) fn new(
        attempts: usize,
        listed: &[Who],
        rounds: &[Round],
        counted: &[Counted],
    ) -> Result<Self, Failure> {
        let line = |who: &Who| {
            let here = counted.iter().find(|c| c.code == who.code());
            let figures = here
                .map(|counted| {
                    figures(who.code(), attempts, rounds, counted).ok_or("a writer took no turn")
                })
                .transpose()?;
            Ok::<_, Failure>(Line {
                writer: *who,
                installed: figures.is_some(),
                figures,
            })
        };
        Ok(Self {
            attempts,
            rounds: rounds.len(),
            writers: listed.iter().map(line).collect::<Result<_, _>>()?,
            goals: Vec::new(),
        })
    }

    /// Holds Satchel's figures against what they may be with this ink on this kind of file system.
    pub(super) fn hold(&mut self, ink_bytes: usize, in_memory: bool) {
        let satchel = Who::Own(Writer::Satchel).code();
        let own = self.writers.iter().find(|l| l.writer.code() == satchel);
        let Some(own) = own.and_then(|line| line.figures.as_ref()) else {
            return;
        };
        let (plain, place) = match in_memory {
            true => (1.9, "in memory"),
            false => (1.4, "on a disk"),
        };
        let mut goals = vec![
            Goal::time(
                format!("time ÷ bare SQLite, {place}"),
                plain,
                Some(own.ratio_to_plain),
            )
            .settled(SLOW),
            Goal::time(
                "time ÷ bare SQLite, encrypted",
                1.2,
                Some(own.ratio_to_encrypted),
            )
            .settled(SLOW),
            Goal::count("flushes an attempt", 1.05, own.flushes_per_attempt),
        ];
        let written = own.bytes_written_per_attempt / 1_000.0;
        let on_disk = own.bytes_on_disk_per_attempt / 1_000.0;
        // Others than these two sizes have no goal.
        let bounds = match ink_bytes {
            4_096 => Some((26.0, 5.5)),
            600 => Some((9.0, 1.6)),
            _ => None,
        };
        if let Some((most_written, most_on_disk)) = bounds {
            let mut goal = Goal::count("KB written an attempt", most_written, Some(written));
            if ink_bytes == 600 {
                goal = goal.settled(PAGES);
            }
            goals.push(goal);
            goals.push(Goal::count(
                "KB on disk an attempt",
                most_on_disk,
                Some(on_disk),
            ));
        }
        self.goals = goals;
    }

    pub(super) fn goals(&self) -> &[Goal] {
        &self.goals
    }
}

/// Why the floors are not reached where a flush costs next to nothing.
const SLOW: &str = "checked by the rules, signed, chained and encrypted, which the floor is not; within the goal where a \
    flush takes as long as on flash (docs/adr/0059)";
/// Why real ink is written with more bytes.
const PAGES: &str = "a parcel's page goes with its entry, so that no screen shows what the log does not say, and pages are \
    not smaller than a disk's sector (docs/adr/0030, docs/adr/0059)";

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn figures(code: &str, attempts: usize, rounds: &[Round], counted: &Counted) -> Option<Figures> {
    let of = |round: &Round, code: &str| {
        let found = round.iter().find(|(who, _)| who.code() == code)?;
        Some(found.1.clone())
    };
    let runs: Vec<Run> = rounds.iter().filter_map(|r| of(r, code)).collect();
    let ratio = |to: Writer| {
        median(
            rounds
                .iter()
                .filter_map(|round| Some(of(round, code)?.seconds / of(round, to.code())?.seconds)),
        )
    };
    let percentile = |share: f64| {
        median(runs.iter().filter_map(|run| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "an index into the list"
            )]
            let at = ((run.micros.len() as f64 - 1.0) * share) as usize;
            run.micros.get(at).map(|m| *m as f64)
        }))
        .map(|micros| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "microseconds of one attempt"
            )]
            let whole = micros.round() as u64;
            whole
        })
    };
    let payload = runs.first()?.payload;
    Some(Figures {
        attempts_per_second: attempts as f64 / median(runs.iter().map(|r| r.seconds))?,
        ratio_to_plain: ratio(Writer::Plain)?,
        ratio_to_encrypted: ratio(Writer::Encrypted)?,
        p50_micros: percentile(0.50)?,
        p99_micros: percentile(0.99)?,
        ink_micros: runs.iter().map(|run| run.ink_micros).min()?,
        flushes_per_attempt: counted.flushes,
        bytes_written_per_attempt: counted.bytes_written,
        bytes_on_disk_per_attempt: median(
            runs.iter()
                .map(|r| r.disk_after.saturating_sub(r.disk_before) as f64),
        )? / attempts as f64,
        record_bytes: payload.0,
        signature_bytes: payload.1,
    })
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} attempts a writer, {} rounds, medians. Each attempt is committed, by its library's word, before the next begins: it is \
             durable where that takes a flush.\n",
            self.attempts, self.rounds
        )?;
        writeln!(
            f,
            "| writer | attempts/s | time vs plain | vs encrypted | p50 µs | p99 µs | ink µs | flushes | written | on disk | record + signature |"
        )?;
        writeln!(f, "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")?;
        for writer in &self.writers {
            let name = writer.writer.name();
            let Some(line) = &writer.figures else {
                writeln!(f, "| {name} | not installed | | | | | | | | | |")?;
                continue;
            };
            let flushes = line
                .flushes_per_attempt
                .map_or_else(|| "not counted: no strace".into(), |n| format!("{n:.2}"));
            writeln!(
                f,
                "| {} | {:.0} | {:.2} | {:.2} | {} | {} | {} | {flushes} | {:.1} KB | {:.1} KB | {} + {} B |",
                name,
                line.attempts_per_second,
                line.ratio_to_plain,
                line.ratio_to_encrypted,
                line.p50_micros,
                line.p99_micros,
                line.ink_micros,
                line.bytes_written_per_attempt / 1_000.0,
                line.bytes_on_disk_per_attempt / 1_000.0,
                line.record_bytes,
                line.signature_bytes,
            )?;
        }
        writeln!(
            f,
            "\nflushes, written, on disk: per attempt. Satchel's attempt is a failed visit, the one outcome \
             for which the rules ask no photo. Its time is begin and complete; turning touch samples into ink happens \
             while the signer looks at it and stands in its own column. Entry signed and chained, store encrypted, synchronous=FULL."
        )?;
        f.write_str(&goals::table(&self.goals))
    }
}
