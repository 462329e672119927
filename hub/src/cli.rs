//! The commands, each a few lines over the library.

mod customers;
mod doorstep;
mod keys;
mod mappings;
mod publish;
mod qr;
mod serve;
mod tlog;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use satchel_hub::import::{GroupRule, GroupRuleError, MappingError};
use satchel_hub::{Hub, HubConfig, HubError, HubStep, ImportOptions, ImportReport, Witness};
use satchel_protocol::escrow::EscrowError;
use satchel_protocol::ids::{DeviceId, Hash32, IdError};
use satchel_protocol::orders::NotARelease;
use satchel_protocol::taxonomy::UnknownCode;
use thiserror::Error;

/// Where commands find the address the server was started with, so that invites carry the same one.
const URL_FILE: &str = "public-url";
const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// The hub of Satchel: takes couriers' evidence, customers' ratings, and shows a board.
#[derive(Debug, Parser)]
#[command(name = "satchel-hub", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(ServeArgs),
    /// Import deliveries from a CSV or JSON file; a second import of the same file changes nothing.
    Import(ImportArgs),
    /// Take in the file of what a phone could not send; a second import of the same file changes nothing.
    ImportExport {
        #[command(flatten)]
        place: Place,
        /// The file the phone wrote.
        file: PathBuf,
    },
    /// Keep column mappings by name.
    Mapping {
        #[command(subcommand)]
        command: MappingCommand,
    },
    /// Make a one-time invite for a courier's phone.
    Invite {
        #[command(flatten)]
        place: Place,
        /// The courier's name; a new name makes a new courier.
        #[arg(long)]
        courier: String,
        /// Also print the invite as a QR code.
        #[arg(long, value_enum)]
        qr: Option<QrForm>,
    },
    /// Make a link that opens the board once.
    LoginLink {
        #[command(flatten)]
        place: Place,
        /// How long the link can be used, minutes.
        #[arg(long, default_value_t = 15)]
        ttl_min: u32,
    },
    /// Print the customers' private links and rating codes as CSV, for a message gateway.
    CustomerLinks {
        #[command(flatten)]
        place: Place,
        /// Only this waybill.
        #[arg(long)]
        waybill: Option<String>,
    },
    /// Judge the ratings of the last weeks that came with the QR alone, and look for doubts about attempts, now.
    Review(Place),
    /// Hide a rating's words from the courier; the reason is shown to auditors.
    HideRating {
        #[command(flatten)]
        place: Place,
        /// The rating's number.
        rating: i64,
        /// Why.
        #[arg(long)]
        why: String,
    },
    /// Show a rating's words again that were hidden; both reasons stay on record.
    ShowRating {
        #[command(flatten)]
        place: Place,
        /// The rating's number.
        rating: i64,
        /// Why.
        #[arg(long)]
        why: String,
    },
    /// Check the hub's own signed journal from end to end.
    CheckJournal(Place),
    /// Write everything about one parcel into a file that can be checked without this hub.
    Evidence {
        #[command(flatten)]
        place: Place,
        /// The parcel's id or its waybill number.
        parcel: String,
        /// The file, a web page.
        #[arg(long, short)]
        output: PathBuf,
    },
    /// Erase everything personal about one delivery, here and on the phones that had it. What was proven
    /// stays proven; what was said is gone for good.
    Erase {
        #[command(flatten)]
        place: Place,
        /// The parcel's id or its waybill number.
        parcel: String,
        /// Who asked for it, without names; stays in the journal.
        #[arg(long)]
        why: String,
    },
    /// The transparency log.
    Tlog {
        #[command(subcommand)]
        command: tlog::TlogCommand,
    },
    /// List positions of logs that stand open because what came for them does not verify, as JSON.
    Wedged {
        #[command(flatten)]
        place: Place,
        /// Look at them once more first, as after an update of the hub.
        #[arg(long)]
        retry: bool,
    },
    /// Let a device write again whose log was set aside; look at the alarms first.
    Release {
        #[command(flatten)]
        place: Place,
        /// The device id.
        device: String,
    },
    /// Write the proofs that a device signed two histories, each a file that `satchel verify` checks.
    Forks {
        #[command(flatten)]
        place: Place,
        /// The device id.
        device: String,
        /// The folder; made if missing.
        #[arg(long, short)]
        output: PathBuf,
    },
    /// Print the parcels that were given out and never accounted for, with the device that had each.
    Owed(Place),
    /// Refuse everything a lost device would write from now on.
    Revoke {
        #[command(flatten)]
        place: Place,
        /// The device id.
        device: String,
    },
    /// Order a lost phone to destroy its key and its store, and refuse what it would write from now on. Prints
    /// what had not come yet.
    Wipe {
        #[command(flatten)]
        place: Place,
        /// The device id.
        device: String,
        /// Why, without names; stays in the journal.
        #[arg(long)]
        why: String,
    },
    /// Name the keys that the public address proves itself with in TLS: new invites carry them and enrolled phones
    /// are told. Name the next key beside the present one before it is taken into use.
    Pins {
        #[command(flatten)]
        place: Place,
        /// SHA-256 of a key's SubjectPublicKeyInfo, hex; at most four. None: phones trust what their system trusts.
        pins: Vec<Hash32>,
    },
    /// Make a recovery key, or look at one. Needs no hub.
    RecoveryKey {
        #[command(subcommand)]
        command: keys::RecoveryKeyCommand,
    },
    /// Say what is asked of all phones, and print it: a recovery key, how old a log key may become, a least release.
    Policy(keys::PolicyArgs),
    /// Take out the sealed key of a phone's store, for `satchel-salvage`: its keystore has forgotten the key.
    Rescue(keys::RescueArgs),
    /// Give what is left of a courier's latest round, or of the one named, to another courier.
    Reassign {
        #[command(flatten)]
        place: Place,
        /// Who has it.
        #[arg(long)]
        from: String,
        /// Who is to have it.
        #[arg(long)]
        to: String,
        /// The round's name; the latest one without it.
        #[arg(long)]
        round: Option<String>,
    },
    /// Ask the phones that have a proof for it now, whatever their network costs.
    WantProof {
        #[command(flatten)]
        place: Place,
        /// SHA-256 of the proof, hex.
        hash: String,
    },
    /// Cancel a parcel that is on the road.
    Cancel(doorstep::StepArgs),
    /// The recipient took a parcel out of the locker or station.
    Collected(doorstep::StepArgs),
    /// The recipient wants a parcel at the door after all.
    Redeliver(doorstep::StepArgs),
    /// Open a parcel again: what moved it last is not to stand.
    Reopen(doorstep::StepArgs),
    /// Consents that reached the operator elsewhere.
    Consent {
        #[command(subcommand)]
        command: doorstep::ConsentCommand,
    },
    /// What handoffs ask for.
    Rules {
        #[command(subcommand)]
        command: publish::RulesCommand,
    },
    /// Speeds by zone and time of day.
    Traffic {
        #[command(subcommand)]
        command: publish::TrafficCommand,
    },
    /// Abnormal days.
    Regime {
        #[command(subcommand)]
        command: publish::RegimeCommand,
    },
    /// Settings of one courier.
    Courier {
        #[command(subcommand)]
        command: publish::CourierCommand,
    },
    /// Abnormal reports.
    Report {
        #[command(subcommand)]
        command: publish::ReportCommand,
    },
    /// Derive the tables of attempts and parcels from the log again.
    Rebuild(Place),
    /// Print what is held, as JSON.
    Audit(Place),
    /// Print the page that a proxy shows customers while the hub cannot be reached.
    DownPage,
    /// Print the OpenAPI description of the device API, as JSON.
    Openapi,
}

#[derive(Debug, Args)]
struct Place {
    /// The data directory.
    #[arg(long, env = "SATCHEL_DATA", default_value = "satchel-data")]
    data: PathBuf,
    /// The address phones and customers use; the one the server was last started with by default.
    #[arg(long, env = "SATCHEL_PUBLIC_URL")]
    public_url: Option<String>,
}

#[derive(Debug, Args)]
struct ServeArgs {
    #[command(flatten)]
    place: Place,
    /// Where to listen; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Take the time from standard input: lines `clock UNIX_MS`; the end of input stops the server.
    #[arg(long)]
    clock_stdin: bool,
    /// Whom a customer can turn to, shown on the complaint page.
    #[arg(long)]
    complaint_contact: Option<String>,
    /// A witness that cosigns the transparency log, as URL=NAME+HASH+KEY; may be repeated.
    #[arg(long = "witness")]
    witnesses: Vec<Witness>,
    /// An RFC 3161 timestamp authority for the log's checkpoints.
    #[arg(long)]
    timestamp_url: Option<String>,
    /// Enrol only phones whose log key is certified by a key in their hardware.
    #[arg(long)]
    require_hardware_key: bool,
    /// Close personal data on a phone that has not heard from the hub for so many hours, 24 to 72. Nothing is
    /// deleted, and what is recorded still comes up.
    #[arg(long, value_parser = clap::value_parser!(i64).range(24..=72))]
    lease_hours: Option<i64>,
    /// A reverse proxy of yours stands in front and writes X-Forwarded-For.
    #[arg(long)]
    behind_proxy: bool,
    /// Offset of the times on the board from UTC, minutes.
    #[arg(long, default_value_t = 480, allow_negative_numbers = true)]
    utc_offset_min: i32,
}

#[derive(Debug, Args)]
struct ImportArgs {
    #[command(flatten)]
    place: Place,
    /// The file.
    file: PathBuf,
    /// A mapping file, or the name of a saved one.
    #[arg(long)]
    mapping: String,
    /// How to cut rounds: depot=150m,window=20min,max=60 or column=NAME or single.
    #[arg(long)]
    group: Option<String>,
    /// Who drives; rounds go to these in turn. May be repeated.
    #[arg(long)]
    courier: Vec<String>,
    /// Read, plan and report; write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum MappingCommand {
    /// Check a mapping file and keep it under a name.
    Save {
        #[command(flatten)]
        place: Place,
        /// Letters, digits, `-` and `_`.
        name: String,
        /// The mapping file.
        file: PathBuf,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum QrForm {
    /// For a terminal.
    Ansi,
    /// A picture.
    Svg,
}

/// Why a command failed.
#[derive(Debug, Error)]
pub(crate) enum CliError {
    #[error(transparent)]
    Hub(#[from] HubError),
    #[error("mapping: {0}")]
    Mapping(#[from] MappingError),
    #[error("--group: {0}")]
    Group(#[from] GroupRuleError),
    #[error("{0}")]
    Id(#[from] IdError),
    #[error("no mapping {name:?}: neither a file nor saved in the data directory")]
    NoMapping { name: String },
    #[error("a mapping's name has 1 to 64 letters, digits, '-' or '_'")]
    BadMappingName,
    #[error("{what}: {source}")]
    Io {
        what: &'static str,
        source: std::io::Error,
    },
    #[error("{0}")]
    Code(#[from] UnknownCode),
    #[error("radii are two numbers of metres, like 100,300")]
    Radii,
    #[error("photos are standard, low-data, or two numbers like 1600,300000")]
    Photos,
    #[error("--training-passed and --training-until need each other")]
    HalfTraining,
    #[error("the text does not fit into a QR code")]
    Qr,
    #[error("the journal is broken at record {seq}")]
    BrokenJournal { seq: i64 },
    #[error("{0}")]
    Escrow(#[from] EscrowError),
    #[error("{0}")]
    Release(#[from] NotARelease),
    #[error("report: {0}")]
    Json(#[from] serde_json::Error),
}

impl CliError {
    fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}

pub(crate) async fn run(cli: Cli) -> Result<(), CliError> {
    match cli.command {
        Command::Serve(args) => serve::serve(args).await,
        Command::Import(args) => import(args).await,
        Command::ImportExport { place, file } => {
            let file = std::fs::File::open(file).map_err(CliError::io("read the file"))?;
            let file = std::io::BufReader::new(file);
            let report = open(&place).await?.import_export(file).await?;
            println!("{}", serde_json::to_string_pretty(&report)?);
            Ok(())
        }
        Command::Mapping {
            command: MappingCommand::Save { place, name, file },
        } => mappings::save(&place.data, &name, &file),
        Command::Invite { place, courier, qr } => invite(&place, &courier, qr).await,
        Command::LoginLink { place, ttl_min } => {
            let hub = open(&place).await?;
            println!("{}", hub.login_link(i64::from(ttl_min) * 60_000).await?);
            Ok(())
        }
        Command::Wedged { place, retry } => {
            let hub = open(&place).await?;
            if retry {
                println!(
                    "{} entries joined the log",
                    hub.retry_open_positions().await?
                );
            }
            let open = hub.open_positions().await?;
            println!("{}", serde_json::to_string_pretty(&open)?);
            Ok(())
        }
        Command::Release { place, device } => Ok(open(&place)
            .await?
            .release(device.parse::<DeviceId>()?)
            .await?),
        Command::Forks {
            place,
            device,
            output,
        } => tlog::forks(&place, &device, &output).await,
        Command::Owed(place) => {
            let hub = open(&place).await?;
            hub.review_manifest().await?;
            for (device, parcel) in hub.owed().await? {
                println!("{parcel} {device}");
            }
            Ok(())
        }
        Command::Revoke { place, device } => Ok(open(&place)
            .await?
            .revoke(device.parse::<DeviceId>()?)
            .await?),
        Command::Wipe { place, device, why } => {
            let hub = open(&place).await?;
            let report = hub.wipe(device.parse::<DeviceId>()?, &why).await?;
            println!("{}", serde_json::to_string_pretty(&report)?);
            Ok(())
        }
        Command::Pins { place, pins } => Ok(open(&place).await?.set_pins(&pins).await?),
        Command::RecoveryKey { command } => keys::recovery_key(command),
        Command::Policy(args) => keys::policy(args).await,
        Command::Rescue(args) => keys::rescue(args).await,
        Command::Reassign {
            place,
            from,
            to,
            round,
        } => reassign(&place, &from, &to, round.as_deref()).await,
        Command::WantProof { place, hash } => {
            let asked = open(&place)
                .await?
                .want_proof(hash.parse::<Hash32>()?)
                .await?;
            println!("{asked} couriers asked");
            Ok(())
        }
        Command::Cancel(args) => doorstep::step(args, HubStep::Cancel).await,
        Command::Collected(args) => doorstep::step(args, HubStep::Collected).await,
        Command::Redeliver(args) => doorstep::step(args, HubStep::Redeliver).await,
        Command::Reopen(args) => doorstep::step(args, HubStep::Reopen).await,
        Command::Consent { command } => doorstep::consent(command).await,
        Command::Rules { command } => publish::rules(command).await,
        Command::Traffic { command } => publish::traffic(command).await,
        Command::Regime { command } => publish::regime(command).await,
        Command::Courier { command } => publish::courier(command).await,
        Command::Report { command } => publish::report(command).await,
        Command::Rebuild(place) => {
            println!("{} entries replayed", open(&place).await?.rebuild().await?);
            Ok(())
        }
        Command::Audit(place) => {
            println!(
                "{}",
                serde_json::to_string_pretty(&open(&place).await?.audit().await?)?
            );
            Ok(())
        }
        Command::CustomerLinks { place, waybill } => {
            customers::links(&place, waybill.as_deref()).await
        }
        Command::Review(place) => customers::review(&place).await,
        Command::HideRating { place, rating, why } => {
            Ok(open(&place).await?.hide_rating(rating, &why).await?)
        }
        Command::ShowRating { place, rating, why } => {
            Ok(open(&place).await?.show_rating(rating, &why).await?)
        }
        Command::CheckJournal(place) => customers::check_journal(&place).await,
        Command::DownPage => {
            println!("{}", satchel_hub::down_page());
            Ok(())
        }
        Command::Evidence {
            place,
            parcel,
            output,
        } => {
            let file = open(&place)
                .await?
                .evidence(&parcel.as_str().into())
                .await?;
            std::fs::write(output, file).map_err(CliError::io("write"))
        }
        Command::Erase { place, parcel, why } => {
            let erased = open(&place)
                .await?
                .erase(&parcel.as_str().into(), &why)
                .await?;
            println!(
                "erased: {} entries, {} proofs",
                erased.entries, erased.proofs
            );
            Ok(())
        }
        Command::Tlog { command } => tlog::run(command).await,
        Command::Openapi => {
            println!("{}", satchel_hub::openapi_json());
            Ok(())
        }
    }
}

async fn open(place: &Place) -> Result<Hub, CliError> {
    let url = place.public_url.clone().or_else(|| saved_url(&place.data));
    let url = url.unwrap_or_else(|| DEFAULT_URL.to_owned());
    Ok(Hub::open(HubConfig::new(&place.data, url)).await?)
}

fn saved_url(data: &Path) -> Option<String> {
    std::fs::read_to_string(data.join(URL_FILE))
        .ok()
        .map(|text| text.trim().to_owned())
}

async fn invite(place: &Place, courier: &str, qr: Option<QrForm>) -> Result<(), CliError> {
    let text = open(place).await?.invite(courier).await?.to_text();
    println!("{text}");
    match qr {
        Some(QrForm::Ansi) => println!("{}", qr::ansi(&text).ok_or(CliError::Qr)?),
        Some(QrForm::Svg) => println!("{}", qr::svg(&text).ok_or(CliError::Qr)?),
        None => {}
    }
    Ok(())
}

async fn reassign(
    place: &Place,
    from: &str,
    to: &str,
    round: Option<&str>,
) -> Result<(), CliError> {
    let hub = open(place).await?;
    let rounds = hub.rounds_of(from).await?;
    let named = rounds
        .iter()
        .find(|(_, name)| round.is_none_or(|wanted| wanted == name));
    let (route, name) = named.ok_or(HubError::UnknownRound)?;
    println!(
        "{name}: {} stops given to {to}",
        hub.reassign(*route, to).await?
    );
    Ok(())
}

async fn import(args: ImportArgs) -> Result<(), CliError> {
    let mapping = mappings::find(&args.place.data, &args.mapping)?;
    let bytes = std::fs::read(&args.file).map_err(CliError::io("read the file"))?;
    let options = ImportOptions {
        group: args
            .group
            .as_deref()
            .map(str::parse::<GroupRule>)
            .transpose()?,
        couriers: args.courier,
        dry_run: args.dry_run,
    };
    let report = open(&args.place)
        .await?
        .import(&bytes, &mapping, &options)
        .await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print_report(&report);
    }
    Ok(())
}

fn print_report(report: &ImportReport) {
    for error in &report.errors {
        println!("{error}");
    }
    for round in &report.rounds {
        println!(
            "{}  {}  {} stops, {} parcels  {}",
            round.service_date,
            round.name,
            round.stops,
            round.parcels,
            round.courier.as_deref().unwrap_or("(nobody)")
        );
    }
    println!(
        "{} rows, {} rejected; {} rounds; {} new parcels, {} known{}",
        report.rows_read,
        report.rows_rejected,
        report.rounds.len(),
        report.new_parcels,
        report.known_parcels,
        if report.dry_run {
            "; dry run, nothing written"
        } else {
            ""
        }
    );
}
