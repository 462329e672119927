//! `satchel`: checks an evidence file without a network and without a hub.

// A command line speaks on standard output; everything else goes through tracing to standard error.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ed25519_dalek::VerifyingKey;
use satchel_protocol::bundle::{self, BundleError, MAX_BUNDLE_BYTES, Report, Trust};
use satchel_protocol::contradiction::{self, ContradictionError, Finding, Outcome};
use satchel_protocol::ids::Hash32;
use satchel_protocol::tlog::{Checkpoint, TlogProof, Vkey, log_vkey};
use thiserror::Error;

/// Nothing in the file is broken.
const HOLDS: u8 = 0;
/// The file does not prove what it shows.
const BROKEN: u8 = 1;
/// The file cannot be read, or is no evidence.
const UNREADABLE: u8 = 2;

/// Tools around the evidence of deliveries.
#[derive(Debug, Parser)]
#[command(name = "satchel", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check an evidence file: who signed, when, and whether it is in the hub's public log. Also a file
    /// that proves that a device or a hub contradicted itself.
    ///
    /// Exit code 0: nothing is broken, or the contradiction is proven; 1: it is not; 2: neither of them.
    Verify {
        /// The file.
        file: PathBuf,
        /// The hub's key in hex, as you have it from elsewhere.
        #[arg(long)]
        hub_key: Option<Hash32>,
        /// The key of a witness you trust; may be repeated.
        #[arg(long = "witness")]
        witnesses: Vec<Vkey>,
        /// Also write the parts of the evidence into this folder, for other tools to check.
        #[arg(long)]
        extract: Option<PathBuf>,
    },
}

#[derive(Debug, Error)]
enum Failure {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Bundle(#[from] BundleError),
    #[error("{0}")]
    Contradiction(#[from] ContradictionError),
}

fn main() -> ExitCode {
    let Command::Verify {
        file,
        hub_key,
        witnesses,
        extract,
    } = Cli::parse().command;
    let trust = Trust {
        hub: hub_key,
        witnesses,
    };
    match check(&file, &trust, extract.as_deref()) {
        Ok(Checked::Bundle(report)) => {
            print!("{report}");
            ExitCode::from(if report.holds() { HOLDS } else { BROKEN })
        }
        Ok(Checked::Contradiction(finding)) => {
            print!("{finding}");
            let proven = finding.outcome == Outcome::Proven;
            ExitCode::from(if proven { HOLDS } else { BROKEN })
        }
        Err(failure) => {
            eprintln!("{}: {failure}", file.display());
            ExitCode::from(UNREADABLE)
        }
    }
}

/// What kind of file it was, and what a check of it found.
enum Checked {
    Bundle(Report),
    Contradiction(Finding),
}

fn check(file: &Path, trust: &Trust, extract: Option<&Path>) -> Result<Checked, Failure> {
    let mut text = String::new();
    // One byte more than is allowed, so that a longer file is refused and not cut.
    let limit = u64::try_from(MAX_BUNDLE_BYTES).unwrap_or(u64::MAX);
    fs::File::open(file)?
        .take(limit.saturating_add(1))
        .read_to_string(&mut text)?;
    match contradiction::verify(&text, trust) {
        Ok(finding) => return Ok(Checked::Contradiction(finding)),
        Err(ContradictionError::None) => {}
        Err(other) => return Err(other.into()),
    }
    let report = bundle::verify(&text, trust)?;
    if let Some(dir) = extract {
        write_parts(&text, dir)?;
    }
    Ok(Checked::Bundle(report))
}

/// The key that the checkpoint of this proof claims to be signed with.
fn log_key(proof: &str, hub: &Hash32) -> Option<Vkey> {
    let proof: TlogProof = proof.parse().ok()?;
    let checkpoint = Checkpoint::parse(&proof.checkpoint.text).ok()?;
    let key = VerifyingKey::from_bytes(&hub.0).ok()?;
    Some(log_vkey(&checkpoint.origin, &key))
}

/// Entries' signed headers, their log proofs and the photos, each as a file of its own.
fn write_parts(text: &str, dir: &Path) -> Result<(), Failure> {
    let (bundle, photos) = bundle::unpack(text)?;
    fs::create_dir_all(dir)?;
    for bundled in &bundle.entries {
        let hash = bundled.entry.hash();
        fs::write(dir.join(format!("{hash}.header")), &bundled.entry.header)?;
        if let Some(proof) = &bundled.log_proof {
            fs::write(dir.join(format!("{hash}.tlog-proof")), proof)?;
            if let Some(key) = log_key(proof, &bundle.hub_key) {
                fs::write(dir.join("log.vkey"), format!("{key}\n"))?;
            }
        }
    }
    for (hash, bytes) in &photos {
        fs::write(dir.join(format!("{hash}.jpg")), bytes)?;
    }
    for (n, token) in bundle.timestamps.iter().enumerate() {
        fs::write(dir.join(format!("timestamp-{n}.txt")), &token.text)?;
        fs::write(dir.join(format!("timestamp-{n}.tst")), &token.token)?;
    }
    fs::write(dir.join("hub.key"), format!("{}\n", bundle.hub_key))?;
    Ok(())
}
