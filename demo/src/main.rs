//! The command line of the demo.

// The summary and the links are this program's output.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use satchel_demo::child::{hub, phone};
use satchel_demo::conductor::setup::DayArgs;
use satchel_demo::conductor::{live, once};
use satchel_demo::error::Result;
use satchel_demo::{report, screen};

/// One delivery day on this machine: a hub, virtual phones and a phone screen in the browser.
#[derive(Debug, Parser)]
#[command(name = "satchel-demo", version, args_conflicts_with_subcommands = true)]
struct Cli {
    /// Play the whole day at full speed, check it and end.
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    day: DayArgs,
    #[command(flatten)]
    live: live::LiveArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Only the phone screen in the browser, against any hub.
    Screen(screen::ScreenArgs),
    /// A virtual phone; started by the demo itself.
    #[command(hide = true)]
    PhoneChild(phone::PhoneArgs),
    /// A hub that can be killed; started by the demo itself.
    #[command(hide = true)]
    HubChild(hub::HubArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Some(Command::PhoneChild(args)) => phone::run(&args).map(|()| ExitCode::SUCCESS),
        Some(Command::HubChild(args)) => hub::run(args).map(|()| ExitCode::SUCCESS),
        Some(Command::Screen(args)) => screen::run(&args).map(|()| ExitCode::SUCCESS),
        None if cli.once => play(&cli.day),
        None => live::run(&cli.day, cli.live).map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        eprintln!("satchel-demo: {error}");
        ExitCode::FAILURE
    })
}

fn play(args: &DayArgs) -> Result<ExitCode> {
    let summary = once::run(args)?;
    print!("{}", report::table(&summary));
    Ok(if summary.holds() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
