//! The phone that is shot: one use case on a store that lies there, and a line for everything it called
//! durable.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::ValueEnum;
use satchel_core::clock::ManualClock;
use satchel_core::{Error, Result};
use satchel_protocol::crypto::Secret32;
use satchel_tests::day::MORNING_MS;
use satchel_tests::hardware::Hardware;
use satchel_tests::phone::Phone;
use satchel_tests::wire::RemoteHub;

use crate::bench::{DELIVERED, FRESH, day};

/// A use case of the core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Case {
    /// A new store, enrolment, and the route taken over.
    Enrol,
    /// Closing and opening.
    Reopen,
    /// An attempt without proofs.
    Fail,
    /// A delivery with photo and signature.
    Deliver,
    /// A look at an address, a call, a scan at the vehicle, a shift.
    Day,
    /// Everything unsent goes up, photos too, and the feed comes down.
    Sync,
    /// Parcels are given back.
    HandBack,
    /// A delivery is forgotten.
    Erase,
    /// Photos give way.
    Evict,
    /// The store's key is changed.
    Rekey,
    /// The key of the log is changed, certified by the one in the phone's hardware, and the hub hears of it.
    Rotate,
    /// Records without end, until somebody ends it.
    Endless,
    /// A control: says that a record is durable before it is.
    LiesEarly,
}

impl Case {
    /// What is shot at every index.
    pub(crate) const SHOT: [Self; 11] = [
        Self::Enrol,
        Self::Reopen,
        Self::Fail,
        Self::Deliver,
        Self::Day,
        Self::Sync,
        Self::HandBack,
        Self::Erase,
        Self::Evict,
        Self::Rekey,
        Self::Rotate,
    ];

    /// The key a store has after [`Self::Rekey`].
    pub(crate) const NEW_KEY: [u8; 32] = [0xC3; 32];

    pub(crate) fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |v| v.get_name().to_owned())
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder that holds the phone's.
    dir: PathBuf,
    #[arg(value_enum)]
    case: Case,
    /// Where the hub listens.
    hub: SocketAddr,
    /// The invite, for a new store.
    #[arg(long, default_value = "")]
    invite: String,
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Prints `ack N`: N entries since the start are durable.
struct Acks(u64);

impl Acks {
    fn more(&mut self, entries: u64) {
        self.0 += entries;
        self.say(self.0);
    }

    fn say(&self, entries: u64) {
        let mut out = std::io::stdout();
        // Whoever does not hear it does not count on it.
        let _ = writeln!(out, "ack {entries}");
        let _ = out.flush();
    }
}

/// Exit code of a run that ended with an error that has a name.
pub(crate) const NAMED: u8 = 3;

pub(crate) fn run(args: &Args) -> ExitCode {
    match work(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stdout(), "error {error:?}");
            ExitCode::from(NAMED)
        }
    }
}

fn work(args: &Args) -> Result<()> {
    let clock = Arc::new(ManualClock::new(MORNING_MS + 60_000, 480));
    let mut phone = Phone::closed_at(&args.dir, args.seed, clock);
    phone.open()?;
    let hub = RemoteHub::new(args.hub);
    let mut acks = Acks(0);
    let day = day();
    match args.case {
        Case::Enrol => {
            let hardware = Hardware::new(2);
            phone.core().offer_hardware_key(&hardware.public())?;
            phone.core().enrol(&args.invite, "shot phone")?;
            hardware.work(phone.core())?;
            sync(&phone, &hub)?;
        }
        Case::Reopen => {
            phone.core().pause();
            phone.core().resume()?;
            phone.core().shutdown();
        }
        Case::Fail => {
            phone.fail(day.stop_id(FRESH))?;
            acks.more(1);
        }
        Case::Deliver => {
            phone.deliver(day.stop_id(FRESH), 7)?;
            acks.more(1);
        }
        Case::Day => {
            phone.core().reveal(day.stop_id(FRESH))?;
            acks.more(1);
            let waybill = &day.stops[FRESH].parcels[0].waybill;
            phone.core().load_scan(day.route.route_id, waybill, false)?;
            acks.more(1);
            phone.core().start_shift(None)?;
            acks.more(1);
        }
        Case::Sync => {
            phone.core().request_sync();
            sync(&phone, &hub)?;
        }
        Case::HandBack => {
            phone.core().hand_back(&[day.parcel_id(FRESH, 0)])?;
            acks.more(1);
        }
        Case::Erase => {
            phone.core().erase(day.parcel_id(DELIVERED, 0))?;
            acks.more(1);
        }
        Case::Evict => phone.core().set_photo_quota(0)?,
        Case::Rekey => {
            phone.core().rekey(Secret32::new(Case::NEW_KEY))?;
            // From here on the old key must not open it: see the check.
            let _ = writeln!(std::io::stdout(), "rekeyed");
        }
        Case::Rotate => {
            phone.core().rotate_log_key()?;
            Hardware::new(1).work(phone.core())?;
            acks.more(1);
            phone.fail(day.stop_id(FRESH))?;
            acks.more(1);
            phone.core().request_sync();
            sync(&phone, &hub)?;
        }
        Case::Endless => {
            for n in 0_usize.. {
                let stop = day.stop_id(FRESH + n % (day.stops.len() - FRESH));
                match n % 7 {
                    0 => drop(phone.core().reveal(stop)?),
                    _ => drop(phone.fail(stop)?),
                }
                acks.more(1);
            }
        }
        Case::LiesEarly => {
            acks.say(1);
            phone.fail(day.stop_id(FRESH))?;
        }
    }
    Ok(())
}

/// The host's loop; a line that breaks is tried again a few times.
fn sync(phone: &Phone, hub: &RemoteHub) -> Result<()> {
    use satchel_core::sync::task::{Network, Task};
    use satchel_tests::link::Transport as _;
    for _ in 0..200 {
        match phone.core().next_task(Network::Unmetered)? {
            Task::Http(task) => {
                if let Some(outcome) = hub.send(&task) {
                    phone.core().complete_task(&task.id, outcome)?;
                }
            }
            Task::Wait { .. } => phone.wait(),
            Task::Done => return Ok(()),
        }
    }
    Err(Error::NotFound { what: "end" })
}
