//! Commands about keys that are not the hub's own: the recovery key, what is asked of phones, sealed keys.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use satchel_hub::new_recovery_key;
use satchel_protocol::escrow::RecoveryKey;
use satchel_protocol::ids::{DeviceId, Hash32};
use satchel_protocol::orders::{LOG_KEY_DAYS, Release};

use super::{CliError, Place, open};

#[derive(Debug, Subcommand)]
pub(crate) enum RecoveryKeyCommand {
    /// Make a recovery key and print its public half. The file is its private half: make it where no hub runs, and
    /// keep it offline.
    New {
        /// The file; it must not be there yet.
        #[arg(long, short)]
        output: PathBuf,
    },
    /// Print the public half of a recovery key.
    Show {
        /// The file.
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    #[command(flatten)]
    place: Place,
    /// Phones seal the keys of their stores to this recovery key: its public half, hex, or `none`.
    #[arg(long)]
    recovery_key: Option<String>,
    /// Phones change their log keys after so many days.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=3_650))]
    log_key_days: Option<u16>,
    /// Older releases of the core begin no new work; like 0.2.0, or `none`.
    #[arg(long)]
    least_release: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RescueArgs {
    #[command(flatten)]
    place: Place,
    /// The device id.
    device: String,
    /// Why, without names; stays in the journal.
    #[arg(long)]
    why: String,
    /// The file for `satchel-salvage --escrow`.
    #[arg(long, short)]
    output: PathBuf,
}

pub(crate) fn recovery_key(command: RecoveryKeyCommand) -> Result<(), CliError> {
    let public = match command {
        RecoveryKeyCommand::New { output } => {
            let key = new_recovery_key()?;
            write_secret(&output, &key.to_text()).map_err(CliError::io("write the key"))?;
            key.public()
        }
        RecoveryKeyCommand::Show { file } => {
            let text = std::fs::read_to_string(file).map_err(CliError::io("read the key"))?;
            RecoveryKey::parse(&text)?.public()
        }
    };
    println!("{public}");
    Ok(())
}

/// Never over another one: whoever loses a recovery key loses every store that was sealed to it.
fn write_secret(path: &PathBuf, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

pub(crate) async fn policy(args: PolicyArgs) -> Result<(), CliError> {
    let hub = open(&args.place).await?;
    let mut policy = hub.policy().await?;
    match args.recovery_key.as_deref() {
        Some("none") => policy.recovery_key = None,
        Some(hex) => policy.recovery_key = Some(hex.parse::<Hash32>()?),
        None => {}
    }
    match args.least_release.as_deref() {
        Some("none") => policy.least_release = None,
        Some(text) => policy.least_release = Some(text.parse::<Release>()?),
        None => {}
    }
    policy.log_key_days = args.log_key_days.or(policy.log_key_days);
    hub.set_policy(policy).await?;
    let said = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
    println!(
        "recovery key   {}",
        said(policy.recovery_key.map(|k| k.to_string()))
    );
    println!(
        "log key days   {}",
        policy.log_key_days.unwrap_or(LOG_KEY_DAYS)
    );
    println!(
        "least release  {}",
        said(policy.least_release.map(|r| r.to_string()))
    );
    Ok(())
}

pub(crate) async fn rescue(args: RescueArgs) -> Result<(), CliError> {
    let hub = open(&args.place).await?;
    let file = hub
        .rescue(args.device.parse::<DeviceId>()?, &args.why)
        .await?;
    std::fs::write(args.output, file.encode()).map_err(CliError::io("write"))?;
    println!("{} sealed keys", file.keys.len());
    Ok(())
}
