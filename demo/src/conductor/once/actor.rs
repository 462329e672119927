//! One phone of a played day, with its visits before it.

use std::time::Duration;

use crate::child::words::{Ack, Link};
use crate::clock::Stopwatch;
use crate::conductor::phone::{PhoneHandle, Synced, Traffic};
use crate::day::visits::PlannedVisit;
use crate::error::{DemoError, Result};

/// A phone and how far its day has got.
pub(super) struct Actor {
    pub(super) handle: PhoneHandle,
    /// In the order of their times.
    pub(super) visits: Vec<PlannedVisit>,
    /// How many of them are done.
    pub(super) done: usize,
    /// Doors on its route.
    pub(super) stops: u64,
    /// How long it has had a network since it left the depot.
    pub(super) online: Duration,
    /// Its few minutes of bad network are over.
    pub(super) had_short_window: bool,
    /// Entries written by a phone that was killed by hand before it could say so.
    pub(super) unpromised: u64,
}

impl Actor {
    pub(super) fn new(handle: PhoneHandle, visits: Vec<PlannedVisit>, stops: u64) -> Self {
        Self {
            handle,
            visits,
            done: 0,
            stops,
            online: Duration::ZERO,
            had_short_window: false,
            unpromised: 0,
        }
    }

    /// Does the next visit before `until_ms`. `None` when there is none; `Some(None)` when the phone
    /// was killed by hand over it and had it on its disk, but had promised nothing.
    pub(super) fn deliver_next(&mut self, until_ms: i64) -> Result<Option<Option<Ack>>> {
        let next = match self.visits.get(self.done) {
            Some(next) if next.at_ms < until_ms => next.clone(),
            _ => return Ok(None),
        };
        loop {
            let visit = next.visit.clone();
            match self.handle.deliver(next.stop, Some(next.at_ms), visit) {
                Ok(ack) => {
                    self.done += 1;
                    return Ok(Some(Some(ack)));
                }
                Err(DemoError::ChildGone { .. }) => self.handle.revive()?,
                Err(error) => return Err(error),
            }
            if self.has_recorded(&next)? {
                self.done += 1;
                self.unpromised += next.visit.parcels.len() as u64;
                return Ok(Some(None));
            }
        }
    }

    /// Whether the visit that the phone died over is on its disk.
    fn has_recorded(&mut self, next: &PlannedVisit) -> Result<bool> {
        let earlier = self.visits.iter().take(self.done);
        let before = earlier.filter(|v| v.stop == next.stop).count();
        let screen = self.handle.status()?;
        let shown = screen.stops.iter().find(|s| s.stop == next.stop);
        Ok(shown.is_some_and(|s| s.attempts as usize > before))
    }

    /// Syncs and keeps count of the time with a network.
    pub(super) fn sync(&mut self, at_ms: i64, link: Link, traffic: &Traffic) -> Result<Synced> {
        let watch = Stopwatch::start();
        let synced = self.handle.sync(at_ms, link, traffic);
        self.online += watch.elapsed();
        synced
    }
}
