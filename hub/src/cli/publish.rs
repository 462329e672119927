//! What the operator tells the phones: rules, traffic, abnormal days, settings of couriers, answers.

use std::path::{Path, PathBuf};

use chrono::{DateTime, FixedOffset};
use clap::{Args, Subcommand};
use satchel_protocol::feed::{CourierItem, PhotosItem, RadiiItem, TrainingItem};
use satchel_protocol::taxonomy::{Action, Regime};
use serde::de::DeserializeOwned;

use super::{CliError, Place, open};

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// Send a rule set to all couriers; phones refuse one that asks for less than the law.
    Set {
        #[command(flatten)]
        place: Place,
        /// The JSON file.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum TrafficCommand {
    /// Send a traffic table to all couriers; their next plan is made with it.
    Set {
        #[command(flatten)]
        place: Place,
        /// The JSON file.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum RegimeCommand {
    /// Declare an abnormal day and print its id.
    Set {
        #[command(flatten)]
        place: Place,
        /// WEATHER, PEAK or FORCE_MAJEURE.
        #[arg(long)]
        kind: String,
        /// From when, like 2026-11-21T08:00:00+08:00.
        #[arg(long)]
        from: DateTime<FixedOffset>,
        /// Until when.
        #[arg(long)]
        until: DateTime<FixedOffset>,
        /// It excuses promises.
        #[arg(long)]
        excuses: bool,
    },
    /// End an abnormal day now.
    End {
        #[command(flatten)]
        place: Place,
        /// Its id.
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum CourierCommand {
    /// Set what is given; the rest stays.
    Set(Box<CourierArgs>),
}

#[derive(Debug, Args)]
pub(super) struct CourierArgs {
    #[command(flatten)]
    place: Place,
    /// The courier's name.
    name: String,
    /// Everything in one JSON file; single options override it.
    #[arg(long)]
    file: Option<PathBuf>,
    /// When the training was passed.
    #[arg(long)]
    training_passed: Option<DateTime<FixedOffset>>,
    /// Until when the training holds.
    #[arg(long)]
    training_until: Option<DateTime<FixedOffset>>,
    /// The courier's star, 1 to 5.
    #[arg(long)]
    star: Option<u8>,
    /// The price list, a JSON file.
    #[arg(long)]
    tariff: Option<PathBuf>,
    /// The star table, a JSON file.
    #[arg(long)]
    stars: Option<PathBuf>,
    /// What points are worth, a JSON file.
    #[arg(long)]
    points: Option<PathBuf>,
    /// Radii at the door and in the compound, metres: 100,300.
    #[arg(long)]
    radii: Option<String>,
    /// How photos are made: standard, low-data, or pixels of the long side and bytes, 1600,300000.
    #[arg(long)]
    photos: Option<String>,
    /// Whether full photos may go up where that costs the courier money; without it they wait for Wi-Fi.
    #[arg(long)]
    photos_on_metered: Option<bool>,
}

#[derive(Debug, Subcommand)]
pub(super) enum ReportCommand {
    /// Answer a report; within one hour of when it happened.
    Answer {
        #[command(flatten)]
        place: Place,
        /// The report's id.
        id: String,
        /// What is to be done: an action's code.
        #[arg(long)]
        action: Option<String>,
        /// In words.
        #[arg(long)]
        words: Option<String>,
    },
}

pub(super) async fn rules(command: RulesCommand) -> Result<(), CliError> {
    let RulesCommand::Set { place, file } = command;
    let document = std::fs::read(file).map_err(CliError::io("read the rule set"))?;
    let version = open(&place).await?.set_rules(&document).await?;
    println!("version {version}");
    Ok(())
}

pub(super) async fn traffic(command: TrafficCommand) -> Result<(), CliError> {
    let TrafficCommand::Set { place, file } = command;
    let document = std::fs::read(file).map_err(CliError::io("read the traffic table"))?;
    let made_at_ms = open(&place).await?.set_traffic(&document).await?;
    println!("traffic of {made_at_ms}");
    Ok(())
}

pub(super) async fn regime(command: RegimeCommand) -> Result<(), CliError> {
    match command {
        RegimeCommand::Set {
            place,
            kind,
            from,
            until,
            excuses,
        } => {
            let kind = Regime::from_code(&kind)?;
            let (from, until) = (from.timestamp_millis(), until.timestamp_millis());
            let hub = open(&place).await?;
            println!("{}", hub.declare_regime(kind, from, until, excuses).await?);
            Ok(())
        }
        RegimeCommand::End { place, id } => Ok(open(&place).await?.end_regime(&id).await?),
    }
}

pub(super) async fn courier(command: CourierCommand) -> Result<(), CliError> {
    let CourierCommand::Set(args) = command;
    let mut item: CourierItem = match &args.file {
        Some(file) => read(file)?,
        None => CourierItem::default(),
    };
    item.training = match (args.training_passed, args.training_until) {
        (Some(passed), Some(until)) => Some(TrainingItem {
            passed_at_ms: passed.timestamp_millis(),
            valid_until_ms: until.timestamp_millis(),
        }),
        (None, None) => item.training,
        _ => return Err(CliError::HalfTraining),
    };
    item.star_level = args.star.or(item.star_level);
    if let Some(file) = &args.tariff {
        item.tariff = Some(read(file)?);
    }
    if let Some(file) = &args.stars {
        item.stars = Some(read(file)?);
    }
    if let Some(file) = &args.points {
        item.points = Some(read(file)?);
    }
    if let Some(text) = &args.radii {
        item.radii = Some(radii(text).ok_or(CliError::Radii)?);
    }
    item.photos_on_metered = args.photos_on_metered;
    if let Some(text) = &args.photos {
        item.photos = Some(photos(text).ok_or(CliError::Photos)?);
    }
    Ok(open(&args.place)
        .await?
        .set_courier(&args.name, &item)
        .await?)
}

fn read<T: DeserializeOwned>(file: &Path) -> Result<T, CliError> {
    let json = std::fs::read(file).map_err(CliError::io("read the settings"))?;
    Ok(serde_json::from_slice(&json)?)
}

fn radii(text: &str) -> Option<RadiiItem> {
    let (inside, extended) = text.split_once(',')?;
    Some(RadiiItem {
        inside_m: inside.trim().parse().ok()?,
        extended_m: extended.trim().parse().ok()?,
    })
}

fn photos(text: &str) -> Option<PhotosItem> {
    match text {
        "standard" => Some(PhotosItem::STANDARD),
        "low-data" => Some(PhotosItem::LOW_DATA),
        numbers => {
            let (long_side, budget) = numbers.split_once(',')?;
            Some(PhotosItem {
                long_side_px: long_side.trim().parse().ok()?,
                budget_bytes: budget.trim().parse().ok()?,
                ..PhotosItem::STANDARD
            })
        }
    }
}

pub(super) async fn report(command: ReportCommand) -> Result<(), CliError> {
    let ReportCommand::Answer {
        place,
        id,
        action,
        words,
    } = command;
    let action = action.as_deref().map(Action::from_code).transpose()?;
    let hub = open(&place).await?;
    Ok(hub.answer_report(&id, action, words.as_deref()).await?)
}
