//! `ink`: what a signature costs in bytes and in time, and what the rating code costs.
//!
//! Forty invented signatures of about 300 samples go through all steps from touch samples to a picture.
//! Beside them stand what no renderer can avoid (writing the finished picture as PNG), what a canvas does
//! that stamps circles along the line every half pixel, and the JSON that web signature fields store.
//! Times are the least of all rounds for each signature, and the median over the signatures.

mod peers;

use std::hint::black_box;
use std::time::Instant;

use satchel_core::proof::ink::{InkPoint, KeepDynamics, Signature, to_png};
use satchel_core::rating::qr::QrMatrix;
use serde::Serialize;

use crate::Failure;
use crate::record::Rng;

const PAD: (f32, f32) = (600.0, 200.0);
const PICTURE: (u32, u32) = (600, 200);
const SIGNATURES: u64 = 40;

/// As long as a rating URL gets: 21 characters of host and a token of 60.
const URL: &str =
    "HTTPS://R.EXAMPLE.COM/04QX0R8JZ5W3M9T7K1V2BNCDGF6HYPSAE04QX0R8JZ5W3M9T7K1V2BNCDGFH";

/// Command line.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Rounds; the least time of each signature counts.
    #[arg(long, default_value_t = 30)]
    rounds: usize,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    /// Microseconds; none for rows that are only a size.
    micros: Option<f64>,
    /// Mean bytes of the result.
    bytes: Option<f64>,
    /// The same for each drawn point.
    bytes_per_point: Option<f64>,
}

/// Runs the bench.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let drawings: Vec<Vec<Vec<InkPoint>>> = (0..SIGNATURES).map(drawing).collect();
    let points = drawings.iter().flatten().map(Vec::len).sum::<usize>() as f64;
    let inks = drawings
        .iter()
        .map(|d| Signature::from_strokes(d, PAD.0, PAD.1))
        .collect::<Result<Vec<_>, _>>()?;
    let timed = drawings
        .iter()
        .map(|d| Signature::take(d, PAD.0, PAD.1, KeepDynamics::Yes))
        .collect::<Result<Vec<_>, _>>()?;
    let bytes: Vec<Vec<u8>> = inks.iter().map(Signature::encode).collect();
    let mut rows = Vec::new();
    let mut row = |name, micros: Option<f64>, sizes: Option<Vec<usize>>| {
        let sum = sizes.map(|s| s.iter().sum::<usize>() as f64);
        rows.push(Row {
            name,
            micros,
            bytes: sum.map(|b| b / drawings.len() as f64),
            bytes_per_point: sum.map(|b| b / points),
        });
    };
    let picture = |ink: &Signature| to_png(ink, PICTURE.0, PICTURE.1).unwrap_or_default();
    let whole = |d: &Vec<Vec<InkPoint>>| {
        Signature::from_strokes(d, PAD.0, PAD.1).map(|ink| (ink.doubts(d), picture(&ink)))
    };
    let n = args.rounds;

    row(
        "validate + thin",
        Some(time(n, &drawings, |d| {
            Signature::from_strokes(d, PAD.0, PAD.1)
        })),
        None,
    );
    let doubts = drawings.iter().zip(&inks).collect::<Vec<_>>();
    row(
        "doubts",
        Some(time(n, &doubts, |(d, ink)| ink.doubts(d))),
        None,
    );
    row(
        "pack, shape only",
        Some(time(n, &inks, Signature::encode)),
        Some(sizes(&inks, |i| i.encode().len())),
    );
    row(
        "pack, with times and pressure",
        Some(time(n, &timed, Signature::encode)),
        Some(sizes(&timed, |i| i.encode().len())),
    );
    row(
        "unpack, shape only",
        Some(time(n, &bytes, |b| Signature::decode(b))),
        None,
    );
    row(
        "SVG",
        Some(time(n, &inks, |i| i.to_svg(PICTURE.0, PICTURE.1))),
        Some(sizes(&inks, |i| i.to_svg(PICTURE.0, PICTURE.1).len())),
    );
    row(
        "render + PNG 600 × 200",
        Some(time(n, &inks, picture)),
        Some(sizes(&inks, |i| picture(i).len())),
    );
    row(
        "validate + doubts + render + PNG",
        Some(time(n, &drawings, whole)),
        None,
    );
    let pixels = inks
        .iter()
        .map(|ink| peers::pixels(&picture(ink)))
        .collect::<Result<Vec<_>, Failure>>()?;
    row(
        "floor: PNG of the finished picture",
        Some(time(n, &pixels, |p| peers::png(p, PICTURE))),
        None,
    );
    row(
        "peer: tiny-skia fills the outline + PNG",
        Some(time(n, &inks, |i| {
            peers::tiny_skia(i, PICTURE).map(|p| peers::png(&p, PICTURE))
        })),
        None,
    );
    row(
        "peer: circles every half pixel + PNG",
        Some(time(n.min(5), &drawings, |d| {
            peers::png(&peers::stamp(d, PICTURE), PICTURE)
        })),
        None,
    );
    row(
        "peer: JSON of a web pad",
        None,
        Some(sizes(&drawings, |d| peers::json(d).len())),
    );

    let url = [URL];
    let svg = |url: &&str| QrMatrix::from_text(url).map(|m| m.to_svg(8));
    row("QR of the rating URL + SVG", Some(time(n, &url, svg)), None);
    row(
        "floor: fast_qr alone",
        Some(time(n, &url, |u| peers::fast_qr(u))),
        None,
    );
    row(
        "peer: qrcode alone",
        Some(time(n, &url, |u| peers::qrcode(u))),
        None,
    );

    if args.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(());
    }
    println!(
        "{SIGNATURES} signatures of {:.0} points on average\n",
        points / SIGNATURES as f64
    );
    println!("| step | µs | bytes | bytes a point |\n|---|--:|--:|--:|");
    for row in &rows {
        let number = |value: Option<f64>, digits: usize| {
            value.map_or_else(String::new, |v| format!("{v:.digits$}"))
        };
        println!(
            "| {} | {} | {} | {} |",
            row.name,
            number(row.micros, 1),
            number(row.bytes, 0),
            number(row.bytes_per_point, 2)
        );
    }
    Ok(())
}

fn sizes<T>(items: &[T], of: impl Fn(&T) -> usize) -> Vec<usize> {
    items.iter().map(of).collect()
}

/// Microseconds: the least of all rounds of each item, the median over the items.
fn time<T, R>(rounds: usize, items: &[T], work: impl Fn(&T) -> R) -> f64 {
    let mut least: Vec<f64> = items
        .iter()
        .map(|item| {
            (0..rounds.max(1))
                .map(|_| {
                    let start = Instant::now();
                    black_box(work(black_box(item)));
                    start.elapsed().as_secs_f64() * 1e6
                })
                .fold(f64::MAX, f64::min)
        })
        .collect();
    least.sort_by(f64::total_cmp);
    least.get(least.len() / 2).copied().unwrap_or(0.0)
}

/// Two to four strokes of loops and waves, 120 samples a second, with the tremble of a finger.
fn drawing(seed: u64) -> Vec<Vec<InkPoint>> {
    let mut rng = Rng(seed);
    let count = 2 + rng.below(3);
    let room = 520.0 / f32::from(count);
    let samples = 300 / count;
    let mut t_ms = 0;
    (0..count)
        .map(|at| {
            let left = 40.0 + room * f32::from(at);
            let speed = 1.0 + f32::from(rng.below(100)) / 90.0;
            let height = 30.0 + f32::from(rng.below(40));
            t_ms += 150;
            (0..samples)
                .map(|n| {
                    let t = f32::from(n) / 11.0 * speed;
                    let mut tremble = || f32::from(rng.below(100)) / 250.0 - 0.2;
                    t_ms += 8;
                    InkPoint {
                        x: left
                            + room * 0.9 * f32::from(n) / f32::from(samples)
                            + 14.0 * (t * 1.3).sin()
                            + tremble(),
                        y: 100.0 + height * t.cos() + 12.0 * (t * 2.7).sin() + tremble(),
                        t_ms,
                        pressure: Some(0.5 + 0.3 * (t * 0.9).sin()),
                    }
                })
                .collect()
        })
        .collect()
}
