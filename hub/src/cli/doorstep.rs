//! What the operator does about single parcels.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use satchel_hub::{HubStep, ParcelRef};
use satchel_protocol::doorstep::ConsentRecord;

use super::{CliError, Place, open};

#[derive(Debug, Args)]
pub(super) struct StepArgs {
    #[command(flatten)]
    place: Place,
    /// The parcel's id or its waybill number.
    parcel: String,
    /// Why, in words; stays at the hub.
    #[arg(long)]
    words: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConsentCommand {
    /// Record a consent from a JSON file.
    Record {
        #[command(flatten)]
        place: Place,
        /// The file.
        file: PathBuf,
    },
    /// Take a consent back from now on.
    Withdraw {
        #[command(flatten)]
        place: Place,
        /// The consent's id.
        id: String,
    },
}

/// Records a step and prints where the parcel is then.
pub(super) async fn step(args: StepArgs, step: HubStep) -> Result<(), CliError> {
    let hub = open(&args.place).await?;
    let parcel = ParcelRef::from(args.parcel.as_str());
    let state = hub.take_step(&parcel, step, args.words.as_deref()).await?;
    println!("{}", state.code());
    Ok(())
}

pub(super) async fn consent(command: ConsentCommand) -> Result<(), CliError> {
    match command {
        ConsentCommand::Record { place, file } => {
            let json = std::fs::read(file).map_err(CliError::io("read the consent"))?;
            let record: ConsentRecord = serde_json::from_slice(&json)?;
            Ok(open(&place).await?.record_consent(&record).await?)
        }
        ConsentCommand::Withdraw { place, id } => {
            Ok(open(&place).await?.withdraw_consent(&id).await?)
        }
    }
}
