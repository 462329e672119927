//! The played day: a whole working day at full speed, with everything going wrong that goes wrong in
//! the field, and a summary that was counted and not assumed.
//!
//! Time is played in slices. In a slice all phones deliver without a network, each in its own process;
//! at its end some of them find one. The hub's clock is set to the same moment. Between slices nobody
//! talks to the hub, so that screens and hub can be compared exactly.

mod actor;
mod day;
mod mishaps;
mod ratings;
mod rounds;

use std::collections::HashMap;
use std::time::Duration;

use satchel_hub::import::Delivery;

use super::customers::Browser;
use super::display::Display;
use super::hub::HubHandle;
use super::phone::Traffic;
use super::setup::{self, DayArgs, Stage};
use crate::check::{self, Mishaps, Row};
use crate::child::words::{Ack, ClockChoice, Link, PhoneStatus};
use crate::clock::Stopwatch;
use crate::day::mapping::Deliveries;
use crate::day::visits::{self, Source};
use crate::error::{DemoError, Result};
use crate::interrupt::Interrupt;
use crate::ledger::Ledger;
use actor::Actor;
use day::Schedule;
pub use rounds::RoundFigures;

const MINUTE_MS: i64 = 60_000;
/// The invented day: Monday 2 March 2026, 08:30 in the town, and nine hours of delivering.
const LEAVE_MS: i64 = 1_772_411_400_000;
const ROUND_MS: i64 = 9 * 60 * MINUTE_MS;
/// Syncs at the end of the day before it counts as failed that something is left.
const EVENING_TRIES: u32 = 5;

/// What a played day came to.
#[derive(Debug)]
pub struct Summary {
    /// The checks.
    pub rows: Vec<Row>,
    /// What there was to do.
    pub figures: Figures,
    /// Every round planned, beside its driven order.
    pub rounds: Vec<RoundFigures>,
}

/// Sizes and times of a played day.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    /// Phones.
    pub phones: u64,
    /// Rounds imported.
    pub rounds: u64,
    /// Parcels imported.
    pub parcels: u64,
    /// Rows the import refused.
    pub rejected: u64,
    /// Stops on the phones.
    pub stops: u64,
    /// Visits made.
    pub visits: u64,
    /// Entries acknowledged: one a parcel and visit.
    pub attempts: u64,
    /// Of them, not handed over.
    pub failed: u64,
    /// Signatures and photos.
    pub proofs: u64,
    /// Ratings.
    pub ratings: u64,
    /// Requests of the phones.
    pub requests: u64,
    /// Bytes of their bodies.
    pub sent_bytes: u64,
    /// From the first sync to the last, in the town's time.
    pub day_ms: i64,
    /// What it took here.
    pub took: Duration,
}

impl Summary {
    /// Whether every check holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(|row| row.ok)
    }
}

/// Plays the day to its end.
///
/// # Errors
/// When something goes wrong that is not part of the play.
pub fn run(args: &DayArgs) -> Result<Summary> {
    let took = Stopwatch::start();
    let interrupt = Interrupt::listen()?;
    let couriers = setup::invented_couriers(args);
    let deliveries = setup::deliveries(args, couriers, LEAVE_MS, ROUND_MS)?;
    let morning_ms = day::morning_ms(&deliveries)?;
    let stage = setup::stage(
        args,
        &deliveries,
        ClockChoice::Played,
        morning_ms,
        None,
        None,
    )?;
    let mut play = Play::open(args, stage, &deliveries, morning_ms)?;
    play.interrupt = interrupt;
    play.day()?;
    let audit = play.hub.audit()?;
    let screens = play.screens()?;
    play.mishaps.lost_requests = Traffic::read(&play.traffic.lost);
    play.mishaps.least_offline_percent = play.least_offline_percent();
    play.count_deaths_by_hand();
    let mut rows = check::check(&play.ledger, &audit, &screens, &play.mishaps);
    let rounds = core::mem::take(&mut play.orders);
    rows.extend(check::order_rows(&rounds));
    let mut figures = play.figures();
    play.end();
    figures.took = took.elapsed();
    Ok(Summary {
        rows,
        figures,
        rounds,
    })
}

struct Play {
    seed: u64,
    hub: HubHandle,
    actors: Vec<Actor>,
    schedule: Schedule,
    ledger: Ledger,
    /// How many of the ledger's entries had their customers asked.
    asked: usize,
    /// Entries whose customers will rate later.
    waiting: Vec<usize>,
    anybody_waited: bool,
    mishaps: Mishaps,
    traffic: Traffic,
    display: Display,
    browser: Browser,
    interrupt: Interrupt,
    rounds: u64,
    parcels: u64,
    rejected: u64,
    visited: u64,
    /// Planned before anybody left.
    orders: Vec<RoundFigures>,
    /// Dropped last: the stores lie in it.
    _folder: setup::Folder,
}

impl Play {
    /// The morning: every phone enrols and loads its route over the depot's network.
    fn open(
        args: &DayArgs,
        stage: Stage,
        deliveries: &Deliveries,
        morning_ms: i64,
    ) -> Result<Self> {
        let Stage {
            folder,
            hub,
            mut phones,
            report,
        } = stage;
        let traffic = Traffic::default();
        in_parallel(&mut phones, |phone| {
            phone.sync(morning_ms, Link::GOOD, &traffic).map(|_| ())
        })?;
        let source = match args.deliveries {
            Some(_) => Source::Record,
            None => Source::Invented,
        };
        let by_waybill: HashMap<&str, &Delivery> = deliveries
            .imported
            .deliveries
            .iter()
            .map(|d| (d.waybill.as_str(), d))
            .collect();
        let planned = in_parallel_indexed(&mut phones, |_, handle| {
            let route = handle.stops()?;
            let orders = rounds::compare(handle, &route, &by_waybill)?;
            Ok((route, orders))
        })?;
        let mut actors = Vec::new();
        let mut orders = Vec::new();
        for (handle, (route, of_phone)) in phones.into_iter().zip(planned) {
            orders.extend(of_phone);
            let visits = visits::plan(&route, &by_waybill, args.seed, source);
            let stops = route.len() as u64;
            actors.push(Actor::new(handle, visits, stops));
        }
        let last_ms = actors.iter().flat_map(|a| &a.visits).map(|v| v.at_ms).max();
        let schedule = Schedule::new(morning_ms, last_ms.ok_or(DemoError::NothingToPlay)?);
        let lines: Vec<(String, u64)> = actors
            .iter()
            .map(|a| (a.handle.name.clone(), a.visits.len() as u64))
            .collect();
        let display = Display::new(&lines);
        let parcels: usize = report.rounds.iter().map(|r| r.parcels).sum();
        display.say(&format!(
            "Imported {} rows: {} rounds, {} parcels, {} rows refused. {} phones have their routes.",
            report.rows_read,
            report.rounds.len(),
            parcels,
            report.rows_rejected,
            actors.len(),
        ));
        Ok(Self {
            seed: args.seed,
            hub,
            actors,
            schedule,
            ledger: Ledger::default(),
            asked: 0,
            waiting: Vec::new(),
            anybody_waited: false,
            mishaps: Mishaps::default(),
            traffic,
            display,
            browser: Browser::new(),
            interrupt: Interrupt::default(),
            rounds: report.rounds.len() as u64,
            parcels: parcels as u64,
            rejected: report.rows_rejected,
            visited: 0,
            orders,
            _folder: folder,
        })
    }

    fn day(&mut self) -> Result<()> {
        for slice in 0..self.schedule.slices() {
            self.interrupt.check()?;
            let until_ms = self.schedule.end_ms(slice);
            self.deliver(until_ms)?;
            self.hub.set_clock(until_ms)?;
            self.look(false)?;
            self.rate_early()?;
            self.windows(slice, until_ms)?;
            self.look(false)?;
            self.rate_late()?;
        }
        self.evening()
    }

    /// All phones deliver their stops of this slice, at the same time and without a network.
    fn deliver(&mut self, until_ms: i64) -> Result<()> {
        let requests = Traffic::read(&self.traffic.requests);
        let victim = self.victim(until_ms);
        let display = &self.display;
        let acks = in_parallel_indexed(&mut self.actors, |phone, actor| {
            let mut acks = Vec::new();
            while let Some(ack) = actor.deliver_next(until_ms)? {
                acks.extend(ack);
                display.visited(phone);
                if victim == Some((phone, actor.done)) {
                    break;
                }
            }
            Ok(acks)
        })?;
        let offline = Traffic::read(&self.traffic.requests) == requests;
        self.write_down(acks, offline);
        if let Some((phone, _)) = victim {
            self.kill_phone(phone)?;
            // The rest of the slice, with the phone that came back.
            return self.deliver(until_ms);
        }
        Ok(())
    }

    fn write_down(&mut self, acks: Vec<Vec<Ack>>, offline: bool) {
        for (phone, acks) in acks.into_iter().enumerate() {
            for ack in acks {
                self.visited += 1;
                if offline {
                    self.mishaps.recorded_offline += ack.parcels.len() as u64;
                }
                self.ledger.acknowledge(phone, ack);
            }
        }
    }

    /// Who has a network at the end of this slice.
    fn windows(&mut self, slice: i64, at_ms: i64) -> Result<()> {
        if self.schedule.is_lunch(slice) && self.mishaps.hub_kills_during_upload == 0 {
            return self.lunch(at_ms);
        }
        for phone in 0..self.actors.len() {
            if self.schedule.is_short_window(slice, phone) {
                self.short_window(phone, at_ms)?;
            }
        }
        Ok(())
    }

    /// Back at the depot: everything goes up, late ratings come down.
    fn evening(&mut self) -> Result<()> {
        let at_ms = self.schedule.evening_ms();
        self.hub.set_clock(at_ms)?;
        if self.mishaps.hub_kills_during_upload == 0 {
            self.lunch(at_ms)?;
        }
        self.sync_all()?;
        self.look(false)?;
        self.rate_late()?;
        self.hub.set_clock(at_ms + 10 * MINUTE_MS)?;
        self.sync_all()?;
        self.look(false)
    }

    /// Syncs every phone until nothing is left, as often as a patient courier would.
    fn sync_all(&mut self) -> Result<()> {
        for _ in 0..EVENING_TRIES {
            self.hub.revive()?;
            let (at_ms, traffic) = (self.hub.now_ms(), &self.traffic);
            let done = in_parallel_indexed(&mut self.actors, |_, actor| {
                Ok(actor.sync(at_ms, Link::GOOD, traffic)?.done)
            })?;
            if done.iter().all(|done| *done) {
                break;
            }
        }
        Ok(())
    }

    /// Compares all screens with the hub. Nobody is talking to it now.
    fn look(&mut self, hub_was_down: bool) -> Result<()> {
        let screens = self.screens()?;
        self.look_at(&screens, hub_was_down)
    }

    fn look_at(&mut self, screens: &[PhoneStatus], hub_was_down: bool) -> Result<()> {
        let audit = self.hub.audit()?;
        self.ledger.look(screens, &audit, hub_was_down);
        for (phone, screen) in screens.iter().enumerate() {
            self.display.show(phone, screen, false);
        }
        Ok(())
    }

    fn screens(&mut self) -> Result<Vec<PhoneStatus>> {
        in_parallel_indexed(&mut self.actors, |_, actor| actor.handle.status())
    }

    fn figures(&self) -> Figures {
        let entries = &self.ledger.entries;
        let failed = entries.iter().filter(|e| e.rating_url.is_none()).count();
        let mut proofs: Vec<_> = entries
            .iter()
            .flat_map(|e| &e.proofs)
            .map(|p| p.hash)
            .collect();
        proofs.sort_unstable();
        proofs.dedup();
        Figures {
            phones: self.actors.len() as u64,
            rounds: self.rounds,
            parcels: self.parcels,
            rejected: self.rejected,
            stops: self.actors.iter().map(|a| a.stops).sum(),
            visits: self.visited,
            attempts: entries.len() as u64,
            failed: failed as u64,
            proofs: proofs.len() as u64,
            ratings: self.ledger.ratings.len() as u64,
            requests: Traffic::read(&self.traffic.requests),
            sent_bytes: Traffic::read(&self.traffic.sent_bytes),
            day_ms: self.schedule.day_ms(),
            took: Duration::ZERO,
        }
    }

    fn end(mut self) {
        self.display.clear();
        for actor in &mut self.actors {
            actor.handle.end();
        }
        self.hub.end();
    }
}

/// Does the same with every item at the same time; the first error is returned after all are done.
fn in_parallel<T: Send>(items: &mut [T], act: impl Fn(&mut T) -> Result<()> + Sync) -> Result<()> {
    in_parallel_indexed(items, |_, item| act(item)).map(|_| ())
}

fn in_parallel_indexed<T: Send, R: Send>(
    items: &mut [T],
    act: impl Fn(usize, &mut T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    std::thread::scope(|scope| {
        let act = &act;
        let threads: Vec<_> = items
            .iter_mut()
            .enumerate()
            .map(|(at, item)| scope.spawn(move || act(at, item)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or(Err(DemoError::Thread)))
            .collect()
    })
}
