//! A virtual phone: the real core on a real encrypted store, doing what it is told on its input.
//!
//! It is a host like any other: it asks the core what a handoff needs and hands that in. When it is
//! killed, everything it has acknowledged must still be there; that is what the demo is about.

mod door;

use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use satchel_core::clock::{Clock, OsEntropy, SystemClock};
use satchel_core::model::plan::PlanWishes;
use satchel_core::model::status::Enrolment;
use satchel_core::model::stop::{StopState, StopView, SyncState};
use satchel_core::protocol::crypto::{Secret32, sha256};
use satchel_core::protocol::feed::LatLng;
use satchel_core::protocol::ids::{BootId, StopId};
use satchel_core::sync::task::{Network, Purpose};
use satchel_core::{Courier, Environment, OpenConfig};

use super::words::{
    ClockChoice, Link, PhoneAnswer, PhoneCommand, PhoneStatus, RatingSeen, RoundOrders,
    RouteParcel, RouteStop, StopStatus, SyncWord,
};
use crate::clock::PlayedClock;
use crate::error::{DemoError, Result};
use crate::host::{Ended, Exchange, Flow, HostLoop, Http, pump};

/// How a virtual phone is started.
#[derive(Debug, Clone, clap::Args)]
pub struct PhoneArgs {
    /// Folder of its store.
    #[arg(long)]
    pub dir: PathBuf,
    /// Name on its screen; also names its randomness.
    #[arg(long)]
    pub name: String,
    /// Seed of the day.
    #[arg(long)]
    pub seed: u64,
    /// Which clock it has.
    #[arg(long, value_enum)]
    pub clock: ClockChoice,
    /// When a played phone was booted, Unix milliseconds.
    #[arg(long, default_value_t = 0)]
    pub booted_at_ms: i64,
    /// Local time of a played phone, minutes east of UTC.
    #[arg(long, default_value_t = 480)]
    pub utc_offset_min: i16,
}

/// Runs until its input ends or it is told to shut down.
///
/// # Errors
/// When the store cannot be opened or the pipes break.
pub fn run(args: &PhoneArgs) -> Result<()> {
    let mut phone = Phone::open(args)?;
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(DemoError::io("read a command"))?;
        let command = serde_json::from_str(&line).map_err(DemoError::json("command"))?;
        let last = matches!(command, PhoneCommand::Shutdown);
        let answer = match phone.obey(command) {
            Ok(answer) => answer,
            Err(error) => PhoneAnswer::Error {
                message: error.to_string(),
            },
        };
        say(&answer)?;
        if last {
            break;
        }
    }
    phone.close();
    Ok(())
}

fn say(answer: &PhoneAnswer) -> Result<()> {
    let mut line = serde_json::to_vec(answer).map_err(DemoError::json("answer"))?;
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&line)
        .and_then(|()| out.flush())
        .map_err(DemoError::io("answer"))
}

struct Phone {
    courier: Arc<Courier>,
    /// Set by hand in a played day; `None` on the machine's own clock.
    played: Option<Arc<PlayedClock>>,
    http: Http,
    name: String,
    seed: u64,
    /// Background sync, in a live demo.
    background: Option<HostLoop>,
}

impl Phone {
    fn open(args: &PhoneArgs) -> Result<Self> {
        let name = format!("phone/{}", args.name);
        let key = sha256(&[b"demo store key", &args.seed.to_le_bytes(), name.as_bytes()]).0;
        let boot = sha256(&[b"demo boot", &args.seed.to_le_bytes(), name.as_bytes()]).0;
        let played = match args.clock {
            ClockChoice::Real => None,
            ClockChoice::Played => {
                let boot_id = boot.first_chunk().copied().unwrap_or_default();
                let clock =
                    PlayedClock::new(args.booted_at_ms, BootId(boot_id), args.utc_offset_min);
                Some(Arc::new(clock))
            }
        };
        let clock: Arc<dyn Clock> = match &played {
            Some(clock) => clock.clone(),
            None => Arc::new(SystemClock::detect().map_err(satchel_core::Error::from)?),
        };
        // A real app unseals this key from the phone's keystore.
        let config = OpenConfig {
            dir: args.dir.clone(),
            key: Secret32::new(key),
        };
        let entropy = Arc::new(OsEntropy);
        let courier = Arc::new(Courier::open(config, Environment { clock, entropy })?);
        let background = match args.clock {
            ClockChoice::Real => Some(
                HostLoop::start(courier.clone(), Network::Offline, |_| {})
                    .map_err(DemoError::io("start the sync thread"))?,
            ),
            ClockChoice::Played => None,
        };
        Ok(Self {
            courier,
            played,
            http: Http::new(),
            name: args.name.clone(),
            seed: args.seed,
            background,
        })
    }

    fn close(self) {
        drop(self.background);
        self.courier.shutdown();
    }

    fn obey(&mut self, command: PhoneCommand) -> Result<PhoneAnswer> {
        match command {
            PhoneCommand::Enrol { invite } => {
                self.courier.enrol(&invite, &self.name)?;
                Ok(PhoneAnswer::Ok)
            }
            PhoneCommand::Stops => Ok(PhoneAnswer::Stops {
                stops: self.courier.stops()?.into_iter().map(route_stop).collect(),
            }),
            PhoneCommand::Plan {
                driven,
                from,
                depart_ms,
            } => Ok(PhoneAnswer::Orders {
                orders: self.plan(&driven, from, depart_ms)?,
            }),
            PhoneCommand::Deliver { stop, at_ms, visit } => {
                self.stand(at_ms);
                let ack = self.deliver(stop, &visit)?;
                if let Some(background) = &self.background {
                    background.wake();
                }
                Ok(PhoneAnswer::Ack { ack })
            }
            PhoneCommand::Sync { at_ms, link } => self.sync(at_ms, link),
            PhoneCommand::SetNetwork { on } => {
                if let Some(background) = &self.background {
                    background.set_network(network(on));
                }
                if on {
                    self.courier.request_sync();
                }
                Ok(PhoneAnswer::Ok)
            }
            PhoneCommand::Status => Ok(PhoneAnswer::Status {
                status: self.status()?,
            }),
            PhoneCommand::Shutdown => Ok(PhoneAnswer::Ok),
        }
    }

    /// Plans one round as if the others were not on the phone; the wishes are taken back afterwards.
    fn plan(&self, driven: &[StopId], from: Option<LatLng>, depart_ms: i64) -> Result<RoundOrders> {
        let stops = self.courier.stops()?;
        let others = stops.iter().map(|stop| stop.stop_id);
        let wishes = PlanWishes {
            set_aside: others.filter(|id| !driven.contains(id)).collect(),
            busy_until_ms: Some(depart_ms),
            ..PlanWishes::default()
        };
        self.courier.set_plan_wishes(&wishes)?;
        let plan = self.courier.plan(from)?;
        let was = self.courier.try_order(from, driven)?;
        self.courier.set_plan_wishes(&PlanWishes::default())?;
        Ok(RoundOrders {
            planned_m: plan.distance_m,
            driven_m: was.distance_m,
            planned_late_s: plan.lateness,
            driven_late_s: was.lateness,
            planned_ms: plan.completion_ms - plan.departure_ms,
            driven_ms: was.completion_ms - plan.departure_ms,
        })
    }

    fn stand(&self, at_ms: Option<i64>) {
        if let (Some(clock), Some(at_ms)) = (&self.played, at_ms) {
            clock.stand(at_ms);
        }
    }

    fn sync(&self, at_ms: Option<i64>, link: Link) -> Result<PhoneAnswer> {
        if let (Some(clock), Some(at_ms)) = (&self.played, at_ms) {
            clock.flow(at_ms);
        }
        // The network has just come: what waited for a retry need not wait longer.
        self.courier.request_sync();
        let (mut requests, mut failed, mut failed_in_a_row) = (0_u32, 0_u32, 0_u32);
        let mut pipe = Ok(());
        let ended = pump(&self.courier, &self.http, closing(link), |exchange| {
            requests += 1;
            if exchange.status.is_none() {
                failed += 1;
                failed_in_a_row += 1;
            } else {
                failed_in_a_row = 0;
            }
            pipe = say(&told(exchange));
            std::thread::sleep(Duration::from_millis(u64::from(link.latency_ms)));
            if pipe.is_err() || failed_in_a_row >= link.give_up_after {
                return Flow::Stop;
            }
            Flow::Continue
        })?;
        pipe?;
        if let Some(clock) = &self.played {
            clock.stand(clock.wall_ms());
        }
        let done = ended == Ended::Done;
        Ok(PhoneAnswer::Synced {
            requests,
            failed,
            done,
        })
    }

    fn status(&self) -> Result<PhoneStatus> {
        let stops = self.courier.stops()?;
        let queue = self.courier.sync_status()?;
        let device = match self.courier.enrolment()? {
            Enrolment::Enrolled { device_id, .. } => Some(device_id),
            _ => None,
        };
        let ratings = stops
            .iter()
            .flat_map(|stop| &stop.parcels)
            .filter_map(|parcel| Some((parcel.parcel_id, parcel.rating.as_ref()?)))
            .map(|(parcel, rating)| RatingSeen {
                parcel,
                stars: rating.stars,
                comment: rating.comment.clone(),
            })
            .collect();
        Ok(PhoneStatus {
            device,
            now_ms: self.now_ms(),
            stops: stops.iter().map(stop_status).collect(),
            ratings,
            unsent_entries: queue.unsent_entries,
            unsent_proofs: queue.unsent_proofs,
            receipt_alarms: queue.receipt_alarms,
            last_contact_ms: queue.last_contact_ms,
            online: self
                .background
                .as_ref()
                .is_some_and(|b| b.network() != Network::Offline),
        })
    }

    fn now_ms(&self) -> i64 {
        match &self.played {
            Some(clock) => clock.wall_ms(),
            None => crate::clock::wall_ms(),
        }
    }
}

/// A network that goes away in the middle of a request. It is asked for before and after each one, so
/// the answer of the request after the last good one comes back to nobody.
fn closing(link: Link) -> impl Fn() -> Network {
    let asked = AtomicU64::new(0);
    let good = link.max_requests.map_or(u64::MAX, |n| 2 * u64::from(n));
    move || network(asked.fetch_add(1, Ordering::Relaxed) <= good)
}

fn network(on: bool) -> Network {
    if on {
        Network::Unmetered
    } else {
        Network::Offline
    }
}

fn told(exchange: Exchange) -> PhoneAnswer {
    PhoneAnswer::Exchange {
        ok: exchange.status.is_some_and(|s| (200..300).contains(&s)),
        answered: exchange.status.is_some(),
        proof: exchange.purpose == Purpose::Proof,
        sent_bytes: exchange.sent_bytes as u64,
    }
}

fn route_stop(stop: StopView) -> RouteStop {
    RouteStop {
        stop: stop.stop_id,
        round: stop.route_id,
        parcels: stop
            .parcels
            .into_iter()
            .map(|parcel| RouteParcel {
                parcel: parcel.parcel_id,
                waybill: parcel.waybill,
                tags: parcel.tags,
                consents: parcel.consents,
                door_required: parcel.door_required,
            })
            .collect(),
    }
}

fn stop_status(stop: &StopView) -> StopStatus {
    StopStatus {
        stop: stop.stop_id,
        open: matches!(stop.state, StopState::Open | StopState::Failed),
        attempts: stop.parcels.iter().map(|p| p.attempts).max().unwrap_or(0),
        sync: match stop.sync {
            SyncState::Nothing => SyncWord::Nothing,
            SyncState::Local => SyncWord::Local,
            SyncState::Sending => SyncWord::Sending,
            SyncState::Received => SyncWord::Received,
            SyncState::ProofLost => SyncWord::Lost,
            SyncState::ProofComplete => SyncWord::Synced,
        },
    }
}
