//! The command line of the demo.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use satchel_demo::child::{hub, phone};

#[derive(Debug, Parser)]
#[command(name = "satchel-demo", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A virtual phone; started by the demo itself.
    #[command(hide = true)]
    PhoneChild(phone::PhoneArgs),
    /// A hub that can be killed; started by the demo itself.
    #[command(hide = true)]
    HubChild(hub::HubArgs),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Some(Command::PhoneChild(args)) => phone::run(&args),
        Some(Command::HubChild(args)) => hub::run(args),
        None => Ok(()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
