//! The phone that is shot: one use case on a store that lies there, and a line for everything it called
//! durable.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::ValueEnum;
use satchel_core::clock::{Clock as _, ManualClock};
use satchel_core::sync::task::{KeyTask, Network, Purpose, Task, TaskOutcome};
use satchel_core::{Error, Result};
use satchel_protocol::crypto::Secret32;
use satchel_protocol::escrow::RecoveryKey;
use satchel_protocol::feed::FeedPage;
use satchel_protocol::orders::{Command, Order, Policy};
use satchel_tests::day::MORNING_MS;
use satchel_tests::hardware::Hardware;
use satchel_tests::link::Transport as _;
use satchel_tests::phone::Phone;
use satchel_tests::toy_hub::ToyHub;
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
    /// A lease comes, lapses, and another one comes.
    Lease,
    /// The key of the store is sealed to a recovery key, and changed.
    Escrow,
    /// The hub orders a wipe: the key goes, then the files.
    Wipe,
    /// Records without end, until somebody ends it.
    Endless,
    /// A control: says that a record is durable before it is.
    LiesEarly,
}

impl Case {
    /// What is shot at every index.
    pub(crate) const SHOT: [Self; 14] = [
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
        Self::Lease,
        Self::Escrow,
        Self::Wipe,
    ];

    /// The recovery key of [`Self::Escrow`].
    pub(crate) const RECOVERY: [u8; 32] = [0xEC; 32];

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
        Case::Lease => {
            ordered(&phone, &hub, lease())?;
            phone.fail(day.stop_id(FRESH))?;
            acks.more(1);
            phone.clock.advance_ms(25 * HOUR_MS);
            phone.core().pause();
            phone.core().resume()?;
            ordered(&phone, &hub, lease())?;
            phone.fail(day.stop_id(FRESH + 1))?;
            acks.more(1);
        }
        Case::Escrow => {
            let recovery = RecoveryKey::new(Secret32::new(Case::RECOVERY));
            let policy = Policy {
                recovery_key: Some(recovery.public()),
                ..Policy::default()
            };
            ordered(&phone, &hub, Command::Policy(policy))?;
            phone.fail(day.stop_id(FRESH))?;
            acks.more(1);
            phone.core().rekey(Secret32::new(Case::NEW_KEY))?;
            phone.fail(day.stop_id(FRESH + 1))?;
            acks.more(1);
        }
        Case::Wipe => {
            ordered(&phone, &hub, Command::Wipe)?;
            if let Some(KeyTask::DestroyKey { id, .. }) = phone.core().key_task()? {
                // What a keystore does.
                std::fs::write(args.dir.join(KEY_DESTROYED), "")?;
                phone.core().complete_key_task(&id, &[])?;
            }
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

const HOUR_MS: i64 = 3_600_000;
/// Beside the phone's folder: the host has destroyed the key.
pub(crate) const KEY_DESTROYED: &str = "key-destroyed";

fn lease() -> Command {
    Command::Lease {
        good_for_ms: Some(24 * HOUR_MS),
    }
}

/// Syncs, with an order in the first page of the feed as the hub would give it.
fn ordered(phone: &Phone, hub: &RemoteHub, command: Command) -> Result<()> {
    let page = page(phone, command);
    phone.core().request_sync();
    for _ in 0..200 {
        match phone.core().next_task(Network::Unmetered)? {
            Task::Http(task) if task.purpose == Purpose::Feed => {
                let outcome = TaskOutcome::Response {
                    status: 200,
                    headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                    body: page,
                };
                return phone.core().complete_task(&task.id, outcome);
            }
            Task::Http(task) => {
                if let Some(outcome) = hub.send(&task) {
                    phone.core().complete_task(&task.id, outcome)?;
                }
            }
            Task::Wait { .. } => phone.wait(),
            Task::Done => break,
        }
    }
    Err(Error::NotFound { what: "feed" })
}

/// Every hub of the test kit signs with the same key.
fn page(phone: &Phone, command: Command) -> Vec<u8> {
    let order = Order {
        version: 1,
        device: phone.device(),
        issued_at_ms: phone.clock.wall_ms(),
        command,
    };
    let signed = order.sign(&ToyHub::new(phone.clock.clone()).signing_key());
    let page = FeedPage {
        items: vec![],
        cursor: "none-0".to_owned(),
        more: false,
        server_time_ms: phone.clock.wall_ms(),
        snapshot: None,
        orders: vec![data_encoding::HEXLOWER.encode(&signed.encode())],
    };
    serde_json::to_vec(&page).unwrap_or_default()
}

/// The host's loop; a line that breaks is tried again a few times.
fn sync(phone: &Phone, hub: &RemoteHub) -> Result<()> {
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
