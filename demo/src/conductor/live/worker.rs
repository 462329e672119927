//! One virtual courier of the live demo.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use satchel_hub::import::Delivery;

use super::Curtain;
use crate::child::words::{Ack, PhoneStatus, RouteStop};
use crate::conductor::customers::{Browser, Opinion};
use crate::conductor::display::Display;
use crate::conductor::phone::PhoneHandle;
use crate::day::visits::{self, PlannedVisit, Source};
use crate::error::{DemoError, Result};
use crate::seed;

/// Time between two doors; a real courier needs minutes.
const DOOR_MS: core::ops::Range<u64> = 2_500..7_000;
/// How often an idle screen is looked at.
const LOOK: Duration = Duration::from_millis(700);
/// How many looks a route may take to arrive.
const ROUTE_LOOKS: u32 = 60;

/// A courier, his phone and his customers.
pub(super) struct Worker<'a> {
    pub(super) number: usize,
    pub(super) phone: PhoneHandle,
    pub(super) seed: u64,
    pub(super) source: Source,
    pub(super) curtain: &'a Curtain,
    pub(super) display: &'a Display,
    pub(super) deliveries: &'a HashMap<&'a str, &'a Delivery>,
    /// Set by whoever shows the first rating page.
    pub(super) first_link: &'a AtomicBool,
}

impl Worker<'_> {
    /// Works until the round is done, then keeps the phone in sync until the end.
    pub(super) fn run(mut self) {
        if let Err(error) = self.work() {
            self.display.say(&format!("{}: {error}", self.phone.name));
        }
        self.phone.end();
    }

    fn work(&mut self) -> Result<()> {
        let mut rng = seed::rng(self.seed, &format!("live/{}", self.phone.name));
        let mut online = true;
        self.phone.set_network(online)?;
        let route = self.route()?;
        let visits = visits::plan(&route, self.deliveries, self.seed, self.source);
        self.display.set_length(self.number, visits.len() as u64);
        for (done, visit) in visits.iter().enumerate() {
            let pause = Duration::from_millis(rng.random_range(DOOR_MS));
            if !self.curtain.wait(pause) {
                return Ok(());
            }
            if let Some(ack) = self.visit(visit, online)? {
                self.customers(&ack, &mut rng);
            }
            self.display.set_done(self.number, done as u64 + 1);
            // Lifts, cellars and courtyards: mostly without a network.
            let was = online;
            online = if online {
                rng.random_bool(0.4)
            } else {
                rng.random_bool(0.35)
            };
            if online != was {
                self.phone.set_network(online)?;
            }
            self.show(online)?;
        }
        self.phone.set_network(true)?;
        while self.curtain.wait(LOOK) {
            self.show(true)?;
        }
        Ok(())
    }

    fn route(&mut self) -> Result<Vec<RouteStop>> {
        for _ in 0..ROUTE_LOOKS {
            let route = self.phone.stops()?;
            if !route.is_empty() || !self.curtain.wait(LOOK) {
                return Ok(route);
            }
        }
        Err(DemoError::NothingToPlay)
    }

    /// One visit. `None` when the phone died over it and had it on its disk already.
    fn visit(&mut self, next: &PlannedVisit, online: bool) -> Result<Option<Ack>> {
        let before = attempts_at(&self.phone.status()?, next);
        loop {
            match self.phone.deliver(next.stop, None, next.visit.clone()) {
                Err(DemoError::ChildGone { .. }) => self.phone.revive()?,
                answer => return answer.map(Some),
            }
            self.phone.set_network(online)?;
            self.display.say(&format!(
                "The phone of {} was killed and is back (pid {}) on the same store.",
                self.phone.name,
                self.phone.pid()
            ));
            if attempts_at(&self.phone.status()?, next) > before {
                return Ok(None);
            }
        }
    }

    /// Now and then somebody scans the code at the door and rates, whether the phone is online or not.
    fn customers(&self, ack: &Ack, rng: &mut StdRng) {
        for parcel in &ack.parcels {
            let Some(url) = &parcel.rating_url else {
                continue;
            };
            if !self.first_link.swap(true, Ordering::SeqCst) {
                // This one is left for whoever watches.
                self.display.say(&format!("\n  A rating page  {url}\n"));
                continue;
            }
            if rng.random_bool(0.4) {
                let opinion = Opinion::of(self.seed, &parcel.parcel.to_string());
                let rated = Browser::new().rate(url, &opinion);
                // With the hub killed by hand a customer gives up, as customers do.
                if rated.is_err() {
                    self.display.say("A customer found the rating page closed.");
                }
            }
        }
    }

    fn show(&mut self, online: bool) -> Result<()> {
        let status = self.phone.status()?;
        self.display
            .name(self.number, &self.phone.name, self.phone.pid());
        self.display.show(self.number, &status, online);
        Ok(())
    }
}

fn attempts_at(status: &PhoneStatus, visit: &PlannedVisit) -> u32 {
    let stop = status.stops.iter().find(|s| s.stop == visit.stop);
    stop.map_or(0, |s| s.attempts)
}
