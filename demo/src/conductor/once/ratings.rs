//! When the customers of a played day rate: some at the door, before the courier's phone has seen a
//! network again, others once the attempt is at the hub.

use super::Play;
use crate::conductor::customers::Opinion;
use crate::error::Result;
use crate::ledger::{Acknowledged, Held, Posted};
use crate::seed;

impl Play {
    /// Customers of the last slice: a few rate at the door, a few will come back later.
    pub(super) fn rate_early(&mut self) -> Result<()> {
        let from = self.asked;
        self.asked = self.ledger.entries.len();
        let fresh: Vec<usize> = (from..self.asked)
            .filter(|at| {
                self.ledger
                    .entries
                    .get(*at)
                    .is_some_and(|e| e.rating_url.is_some())
            })
            .collect();
        let mut now = Vec::new();
        for at in fresh {
            let nobody_yet = self.ledger.ratings.is_empty() && now.is_empty();
            match self.mood(at) {
                // Whatever the seed: the first customer of the day rates at once, the next one later.
                _ if nobody_yet => now.push(at),
                _ if !self.anybody_waited => {
                    self.anybody_waited = true;
                    self.waiting.push(at);
                }
                0..3 => now.push(at),
                3..6 => self.waiting.push(at),
                _ => {}
            }
        }
        self.rate_all(now)
    }

    /// Customers who waited, once the attempt is at the hub.
    pub(super) fn rate_late(&mut self) -> Result<()> {
        let arrived = self.arrived()?;
        let (now, later) = self.waiting.iter().partition(|at| arrived.contains(at));
        self.waiting = later;
        self.rate_all(now)
    }

    fn mood(&self, at: usize) -> u8 {
        let Some(entry) = self.ledger.entries.get(at) else {
            return u8::MAX;
        };
        let mut rng = seed::rng(self.seed, &format!("rates/{}", entry.parcel));
        rand::RngExt::random_range(&mut rng, 0..20)
    }

    /// The ledger's entries that are at the hub. Nobody uploads while customers rate, so one look
    /// serves a whole round of them.
    fn arrived(&mut self) -> Result<Vec<usize>> {
        let held = Held::of(&self.hub.audit()?);
        let screens = self.screens()?;
        let is_held = |e: &Acknowledged| {
            screens
                .get(e.phone)
                .is_some_and(|screen| held.entry(screen, e))
        };
        let entries = self.ledger.entries.iter().enumerate();
        Ok(entries
            .filter(|(_, e)| is_held(e))
            .map(|(at, _)| at)
            .collect())
    }

    fn rate_all(&mut self, entries: Vec<usize>) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let arrived = self.arrived()?;
        for at in entries {
            let Some(entry) = self.ledger.entries.get(at).cloned() else {
                continue;
            };
            self.rate(&entry, !arrived.contains(&at))?;
        }
        Ok(())
    }

    fn rate(&mut self, entry: &Acknowledged, before_attempt: bool) -> Result<()> {
        let Some(url) = &entry.rating_url else {
            return Ok(());
        };
        let opinion = Opinion::of(self.seed, &entry.parcel.to_string());
        if !(self.browser.open(url)? && self.browser.rate(url, &opinion)?) {
            // Nothing is written down: the summary counts only what the hub has thanked for.
            self.mishaps.refused_ratings += 1;
            return Ok(());
        }
        if opinion.twice {
            let taken = self.browser.rate(url, &opinion)?;
            self.ledger.accepted_seconds += u64::from(taken);
            self.ledger.refused_seconds += u64::from(!taken);
        }
        self.ledger.ratings.push(Posted {
            phone: entry.phone,
            parcel: entry.parcel,
            stars: opinion.stars,
            comment: opinion.comment,
            before_attempt,
        });
        Ok(())
    }
}
