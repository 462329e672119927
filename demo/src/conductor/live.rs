//! The live demo: the machine's own clock, phones that deliver a stop every few seconds with a network
//! that comes and goes, a phone screen for you, and a hub to look at. It runs until Ctrl-C.
//!
//! Everything may be killed by hand, with `kill -9` and a process id from the display: it is started
//! again on the same data and goes on.

mod worker;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use satchel_hub::import::Delivery;
use tokio::net::TcpListener;

use super::display::Display;
use super::setup::{self, DayArgs, Folder, Stage};
use crate::child::words::ClockChoice;
use crate::clock;
use crate::day::visits::Source;
use crate::day::words::YOU;
use crate::error::{DemoError, Result};
use crate::interrupt::asked_to_end;
use crate::screen::{Screen, ScreenArgs};
use worker::Worker;

const HOUR_MS: i64 = 3_600_000;
/// The invented round spreads its time windows over this.
const ROUND_MS: i64 = 9 * HOUR_MS;
/// How often the hub is looked after.
const WATCH: Duration = Duration::from_millis(500);

/// Where the live demo listens.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct LiveArgs {
    /// Port of the hub on 127.0.0.1 instead of a free one.
    #[arg(long, conflicts_with = "once")]
    pub hub_port: Option<u16>,
    /// Port of the phone screen on 127.0.0.1 instead of a free one.
    #[arg(long, conflicts_with = "once")]
    pub phone_port: Option<u16>,
}

/// Told to all threads: it is over.
#[derive(Debug, Default)]
struct Curtain {
    fallen: AtomicBool,
    lock: Mutex<()>,
    fell: Condvar,
}

impl Curtain {
    fn fall(&self) {
        self.fallen.store(true, Ordering::SeqCst);
        self.fell.notify_all();
    }

    fn has_fallen(&self) -> bool {
        self.fallen.load(Ordering::SeqCst)
    }

    /// Sleeps, but not past the end. `false` when it is over.
    fn wait(&self, time: Duration) -> bool {
        let guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .fell
            .wait_timeout_while(guard, time, |()| !self.has_fallen());
        drop(waited);
        !self.has_fallen()
    }
}

/// Runs until Ctrl-C.
///
/// # Errors
/// When something does not start.
pub fn run(args: &DayArgs, live: LiveArgs) -> Result<()> {
    let now_ms = clock::wall_ms();
    let mut couriers = vec![YOU.to_owned()];
    couriers.extend(setup::invented_couriers(args));
    let deliveries = setup::deliveries(args, couriers, now_ms, ROUND_MS)?;
    let clock = ClockChoice::Real;
    let stage = setup::stage(args, &deliveries, clock, now_ms, live.hub_port, Some(YOU))?;
    let Stage {
        folder,
        mut hub,
        phones,
        report,
    } = stage;
    let runtime = tokio::runtime::Runtime::new().map_err(DemoError::io("start the runtime"))?;
    let screen = open_screen(&folder, &hub.invite(YOU)?)?;
    let listener = runtime.block_on(listen(live.phone_port))?;
    let address = listener
        .local_addr()
        .map_err(DemoError::io("read the address"))?;
    let (stop_screen, screen_stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = runtime.spawn(screen.serve(listener, async {
        // A dropped sender is an end as well.
        let _ = screen_stopped.await;
    }));

    let names: Vec<(String, u64)> = phones
        .iter()
        .map(|p| (format!("{} [{}]", p.name, p.pid()), 0))
        .collect();
    let display = Display::new(&names);
    let parcels: usize = report.rounds.iter().map(|r| r.parcels).sum();
    display.say(&format!(
        "A hub with {parcels} parcels in {} rounds (pid {}).\n\n  \
         Your phone     http://{address}/\n  \
         The board      {}   (opens once)\n",
        report.rounds.len(),
        hub.pid(),
        hub.login_link()?,
    ));
    display.say(
        "Phones are on their way; a rating page follows with the first delivery. Ctrl-C ends.",
    );

    let by_waybill: HashMap<&str, &Delivery> = deliveries
        .imported
        .deliveries
        .iter()
        .map(|d| (d.waybill.as_str(), d))
        .collect();
    let source = match args.deliveries {
        Some(_) => Source::Record,
        None => Source::Invented,
    };
    let curtain = Curtain::default();
    let first_link = AtomicBool::new(false);
    let outcome = std::thread::scope(|scope| {
        for (number, phone) in phones.into_iter().enumerate() {
            let worker = Worker {
                number,
                phone,
                seed: args.seed,
                source,
                curtain: &curtain,
                display: &display,
                deliveries: &by_waybill,
                first_link: &first_link,
            };
            scope.spawn(move || worker.run());
        }
        let outcome = look_after(&runtime, &mut hub, &display);
        curtain.fall();
        outcome
    });
    display.clear();
    let _ = stop_screen.send(());
    runtime.shutdown_timeout(Duration::from_secs(2));
    drop(serving);
    hub.end();
    outcome
}

/// Waits for Ctrl-C and starts the hub again whenever somebody has killed it.
fn look_after(
    runtime: &tokio::runtime::Runtime,
    hub: &mut super::hub::HubHandle,
    display: &Display,
) -> Result<()> {
    runtime.block_on(async {
        let ended = asked_to_end();
        tokio::pin!(ended);
        loop {
            tokio::select! {
                told = &mut ended => return told,
                () = tokio::time::sleep(WATCH) => {
                    if hub.revive()? {
                        display.say(&format!(
                            "The hub was killed and is back (pid {}) on the same data.",
                            hub.pid()
                        ));
                    }
                }
            }
        }
    })
}

fn open_screen(folder: &Folder, invite: &str) -> Result<Screen> {
    Screen::open(&ScreenArgs {
        invite: Some(invite.to_owned()),
        listen: String::new(),
        data: folder.join("phone-you"),
        label: YOU.to_owned(),
        metered: false,
    })
}

async fn listen(port: Option<u16>) -> Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or(0))))
        .await
        .map_err(DemoError::io("listen for the phone screen"))
}
