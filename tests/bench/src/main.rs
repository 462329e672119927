//! Satchel's benches. Each prints its floor and Satchel from one run on one machine, so that a ratio
//! means something; absolute times belong to the machine that ran it.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a bench prints, and measures with the machine's own clock"
)]

mod erase;
mod evidence;
mod goals;
mod ink;
mod pages;
mod peers;
mod photo;
mod record;
mod route;
mod sync;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A bench that could not be run.
type Failure = Box<dyn std::error::Error>;

#[derive(Parser)]
#[command(about = "Benches: each prints floor, peers and Satchel from one run")]
struct Cli {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// Attempts recorded durably, against the same payload in bare SQLite.
    Record(record::Args),
    /// Proof photos, against libjpeg-turbo's least work and libvips.
    Photo(photo::Args),
    /// Signatures and codes: bytes a point, and the time from touch samples to a picture.
    Ink(ink::Args),
    /// Push, pull, photos and a cold open, against the least outbox that keeps its promise.
    Sync(sync::Args),
    /// Forgetting one delivery on the phone.
    Erase(erase::Args),
    /// Checking a file of evidence and a log, without a network.
    Evidence(evidence::Args),
    /// The customer's rating page under load, against the bare store.
    Pages(pages::Args),
    /// How good orders get in how little time.
    Route(route::RouteArgs),
    /// One measured process of `record`; the bench starts it itself.
    #[command(hide = true)]
    RecordOnce(record::OnceArgs),
    /// The hub of `pages` in a process of its own; the bench starts it itself.
    #[command(hide = true)]
    PagesHub(pages::HubArgs),
    /// One measured process of `photo`; the bench starts it itself.
    #[command(hide = true)]
    PhotoOnce(photo::OnceArgs),
}

fn main() -> ExitCode {
    let done = match Cli::parse().bench {
        Bench::Record(args) => record::run(&args),
        Bench::Ink(args) => ink::run(&args),
        Bench::Route(args) => route::run(&args),
        Bench::Sync(args) => sync::run(&args),
        Bench::Erase(args) => erase::run(&args),
        Bench::Evidence(args) => evidence::run(&args),
        Bench::RecordOnce(args) => record::run_once(&args),
        Bench::Pages(args) => pages::run(&args),
        Bench::PagesHub(args) => pages::run_hub(&args),
        Bench::Photo(args) => photo::run(&args),
        Bench::PhotoOnce(args) => photo::run_once(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
