//! Everything a day needs before it begins: a folder, a file of deliveries, a hub that has imported
//! it, and one enrolled phone a courier.

use std::path::{Path, PathBuf};

use satchel_hub::ImportReport;
use tempfile::TempDir;

use super::hub::HubHandle;
use super::phone::PhoneHandle;
use crate::child::words::ClockChoice;
use crate::day::generate::{self, Plan};
use crate::day::mapping::Deliveries;
use crate::day::words::COURIERS;
use crate::error::{DemoError, Result};

/// More phones than this only make the machine slower.
const MAX_PHONES: usize = 12;

/// What to play.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct DayArgs {
    /// Everything invented comes from this number.
    #[arg(long, default_value_t = crate::seed::DEFAULT_SEED)]
    pub seed: u64,
    /// Virtual phones (at most 12).
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=12))]
    pub couriers: u8,
    /// Stops of each invented round.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub stops: u32,
    /// Keep everything here instead of in a temporary folder; must be new or empty.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Play this file (CSV or JSON) instead of an invented day.
    #[arg(long, value_name = "FILE")]
    pub deliveries: Option<PathBuf>,
    /// How to read the file; without it the saved mapping that fits its columns.
    #[arg(long, value_name = "MAP", requires = "deliveries")]
    pub mapping: Option<PathBuf>,
    /// How to cut the file into rounds, instead of the mapping's own rule.
    #[arg(long, value_name = "RULE", requires = "deliveries")]
    pub group: Option<String>,
}

/// The folder of one run; a temporary one is removed at the end.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _temporary: Option<TempDir>,
}

impl Folder {
    /// The given folder, or a temporary one.
    ///
    /// # Errors
    /// [`DemoError::NotEmpty`] when the folder holds something already.
    pub fn open(data: Option<&Path>) -> Result<Self> {
        let Some(path) = data else {
            let temporary = tempfile::Builder::new()
                .prefix("satchel-demo-")
                .tempdir()
                .map_err(DemoError::io("make a temporary folder"))?;
            return Ok(Self {
                path: temporary.path().to_owned(),
                _temporary: Some(temporary),
            });
        };
        std::fs::create_dir_all(path).map_err(DemoError::io("make the data folder"))?;
        let mut inside = std::fs::read_dir(path).map_err(DemoError::io("read the data folder"))?;
        if inside.next().is_some() {
            return Err(DemoError::NotEmpty);
        }
        Ok(Self {
            path: path.to_owned(),
            _temporary: None,
        })
    }

    /// A folder or file of the run.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// Hub and phones, ready for the first sync.
#[derive(Debug)]
pub struct Stage {
    /// Where everything lies.
    pub folder: Folder,
    /// The hub.
    pub hub: HubHandle,
    /// One phone a courier.
    pub phones: Vec<PhoneHandle>,
    /// What the import did.
    pub report: ImportReport,
}

/// Starts the hub, imports the deliveries through it and enrols a phone for each of its couriers but
/// `without` (whose phone is elsewhere). `now_ms` is what the clocks show.
///
/// # Errors
/// When the hub refuses the file or a child does not start.
pub fn stage(
    args: &DayArgs,
    deliveries: &Deliveries,
    clock: ClockChoice,
    now_ms: i64,
    port: Option<u16>,
    without: Option<&str>,
) -> Result<Stage> {
    let folder = Folder::open(args.data.as_deref())?;
    let (file, mapping) = (folder.join("deliveries"), folder.join("mapping.json"));
    std::fs::write(&file, &deliveries.bytes)
        .and_then(|()| std::fs::write(&mapping, &deliveries.mapping_json))
        .map_err(DemoError::io("write the deliveries"))?;
    let mut hub = HubHandle::start(&folder.join("hub"), port, clock, now_ms)?;
    // An invented file names its couriers; rounds of a record go to ours in turn.
    let drivers: Vec<String> = match args.deliveries {
        Some(_) => COURIERS
            .iter()
            .take(MAX_PHONES)
            .map(|&c| c.to_owned())
            .collect(),
        None => Vec::new(),
    };
    let report = hub.import(&file, &mapping, deliveries.group.as_deref(), &drivers)?;
    let mut names: Vec<String> = report
        .rounds
        .iter()
        .filter_map(|r| r.courier.clone())
        .collect();
    names.sort();
    names.dedup();
    names.retain(|name| Some(name.as_str()) != without);
    let mut phones = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let dir = folder.join(&format!("phone-{:02}", number + 1));
        let mut phone = PhoneHandle::start(name, &dir, args.seed, clock, now_ms)?;
        phone.enrol(&hub.invite(name)?)?;
        phones.push(phone);
    }
    if phones.is_empty() {
        return Err(DemoError::NothingToPlay);
    }
    Ok(Stage {
        folder,
        hub,
        phones,
        report,
    })
}

/// The file to play: the given one, or an invented day of `couriers` that leaves at `leave_ms`.
///
/// # Errors
/// When the file or its mapping cannot be read.
pub fn deliveries(
    args: &DayArgs,
    couriers: Vec<String>,
    leave_ms: i64,
    round_ms: i64,
) -> Result<Deliveries> {
    match &args.deliveries {
        Some(file) => Deliveries::load(file, args.mapping.as_deref(), args.group.clone()),
        None => {
            let plan = Plan {
                seed: args.seed,
                couriers,
                stops_each: args.stops,
                leave_ms,
                round_ms,
            };
            let mapping = generate::MAPPING.as_bytes().to_vec();
            Deliveries::new(generate::csv(&plan).into_bytes(), mapping, None)
        }
    }
}

/// The couriers of an invented day.
#[must_use]
pub fn invented_couriers(args: &DayArgs) -> Vec<String> {
    COURIERS
        .iter()
        .take(usize::from(args.couriers))
        .map(|&c| c.to_owned())
        .collect()
}
