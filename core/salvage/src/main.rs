//! `satchel-salvage`: what a phone had not synced, out of its store whose key the keystore has forgotten.
//!
//! For whoever keeps the recovery key, on a machine without a network: it reads a copy of the phone's folder and
//! writes the file that `satchel-hub import-export` takes. The private half of the recovery key is read here and
//! nowhere else.

// It is a command: what it found belongs on the terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use satchel_core::clock::OsEntropy;
use satchel_core::rescue::{RescueError, rescue};
use satchel_protocol::FormatError;
use satchel_protocol::escrow::{EscrowError, EscrowFile, RecoveryKey};
use thiserror::Error;

/// Takes what was not synced out of a phone's store whose key is forgotten.
#[derive(Debug, Parser)]
#[command(name = "satchel-salvage", version)]
struct Cli {
    /// The phone's folder, or a copy of it. Nothing in it is changed.
    store: PathBuf,
    /// The recovery key, as `satchel-hub recovery-key new` wrote it.
    #[arg(long)]
    recovery_key: PathBuf,
    /// The sealed key as `satchel-hub rescue` wrote it, where none lies beside the store.
    #[arg(long)]
    escrow: Option<PathBuf>,
    /// The file for `satchel-hub import-export`.
    #[arg(long, short)]
    output: PathBuf,
}

#[derive(Debug, Error)]
enum CliError {
    #[error("{what}: {source}")]
    Io {
        what: &'static str,
        source: std::io::Error,
    },
    #[error("--escrow: {0}")]
    Format(#[from] FormatError),
    #[error("--recovery-key: {0}")]
    Key(#[from] EscrowError),
    #[error(transparent)]
    Rescue(#[from] RescueError),
}

/// Everything that can be had of the unsynced work is in the file.
const WHOLE: u8 = 0;
/// There is no file.
const FAILED: u8 = 1;
/// There is a file, and something that was in the store is not in it.
const IN_PART: u8 = 2;

fn main() -> ExitCode {
    ExitCode::from(run(&Cli::parse()).unwrap_or_else(|error| {
        eprintln!("satchel-salvage: {error}");
        FAILED
    }))
}

fn run(cli: &Cli) -> Result<u8, CliError> {
    let text = read(&cli.recovery_key, "read the recovery key")?;
    let recovery = RecoveryKey::parse(&String::from_utf8_lossy(&text))?;
    let from_hub = match &cli.escrow {
        Some(path) => EscrowFile::decode(&read(path, "read the sealed key")?)?,
        None => EscrowFile::default(),
    };
    let report = rescue(&cli.store, &recovery, &from_hub, &OsEntropy, &cli.output)?;
    println!("device   {}", report.device);
    println!(
        "entries  {} ({} cannot be read)",
        report.entries, report.lost_entries
    );
    println!(
        "proofs   {} ({} cannot be read)",
        report.proofs, report.lost_proofs
    );
    println!("bytes    {}", report.bytes);
    Ok(match report.lost_entries + report.lost_proofs {
        0 => WHOLE,
        _ => IN_PART,
    })
}

fn read(path: &Path, what: &'static str) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|source| CliError::Io { what, source })
}
