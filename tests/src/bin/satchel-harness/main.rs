//! Shoots, cuts and starves a phone's process at every place there is, and looks at what is left.
//!
//! `kills`: SIGKILL at every index of every system call that changes something, in every use case.
//! `errors`: the same with an error instead, one of eight, in fifteen system calls. `power`: a file system
//! that loses what was not flushed. `full`: a disk that is full at every 64 KiB. What the phone had called
//! durable must be there, its chain whole, and its error one with a name. Each part has a control that must
//! fail, because a harness that cannot find anything proves nothing. What a machine cannot do is said so.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test program: it prints, measures, and dies of what should not happen"
)]

mod bench;
mod check;
mod full;
mod inject;
mod power;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "satchel-harness",
    about = "Kills, errors, power cuts and full disks"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// SIGKILL at every index of every system call that changes something.
    Kills(inject::Args),
    /// An error at every index of fifteen system calls.
    Errors(inject::Args),
    /// Power cuts on a small ext4 file system.
    Power(power::Args),
    /// A full disk at every 64 KiB.
    Full(full::Args),
    /// The phone that is shot; started by the others.
    #[command(hide = true)]
    Worker(worker::Args),
}

/// How a part of the harness ended.
enum End {
    /// Nothing was found.
    Clean,
    /// Something was found, or the control found nothing.
    Found,
    /// This machine cannot do it: nothing is proven.
    Skipped(&'static str),
}

fn main() -> ExitCode {
    let end = match Cli::parse().command {
        Command::Kills(args) => inject::kills(&args),
        Command::Errors(args) => inject::errors(&args),
        Command::Power(args) => power::run(&args),
        Command::Full(args) => full::run(&args),
        Command::Worker(args) => return worker::run(&args),
    };
    match end {
        End::Clean => ExitCode::SUCCESS,
        End::Found => ExitCode::FAILURE,
        End::Skipped(why) => {
            eprintln!("SKIPPED, NOTHING PROVED: {why}");
            ExitCode::from(77)
        }
    }
}

/// This program, to start it again as a worker.
fn this_program() -> PathBuf {
    std::env::current_exe().expect("a program knows itself")
}
