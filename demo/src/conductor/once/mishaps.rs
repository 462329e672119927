//! What goes wrong on purpose: killed processes and networks that go away in the middle.

use std::time::Duration;

use super::{Play, in_parallel_indexed};
use crate::child::words::{Link, SyncWord};
use crate::conductor::phone::Traffic;
use crate::error::Result;

/// Requests that get through a short window, besides a third of the waiting proofs: the log's and the
/// feed's.
const SHORT_WINDOW_REQUESTS: u32 = 2;
/// Most requests that get through a short window.
const SHORT_WINDOW_LIMIT: u32 = 7;
/// A mobile network's delay makes sure that a hub killed now is killed in the middle of uploads.
const LUNCH: Link = Link {
    latency_ms: 30,
    ..Link::GOOD
};
/// How often the conductor looks whether enough is on its way.
const WATCH: Duration = Duration::from_micros(200);

impl Play {
    /// The phone that will be killed in this slice and after which visit: the busiest one, half-way
    /// through its day, once.
    pub(super) fn victim(&self, until_ms: i64) -> Option<(usize, usize)> {
        if self.mishaps.phone_kills > 0 {
            return None;
        }
        let (phone, actor) = self
            .actors
            .iter()
            .enumerate()
            .max_by_key(|(_, a)| a.visits.len())?;
        let half = actor.visits.len().div_ceil(2);
        let last_before = actor.visits.get(half.checked_sub(1)?)?;
        (last_before.at_ms < until_ms).then_some((phone, half))
    }

    /// Kills a phone between two stops and starts it again on the same store.
    pub(super) fn kill_phone(&mut self, phone: usize) -> Result<()> {
        let Some(actor) = self.actors.get_mut(phone) else {
            return Ok(());
        };
        actor.handle.kill()?;
        self.mishaps.phone_kills += 1;
        actor.handle.restart()?;
        let screen = actor.handle.status()?;
        self.mishaps.phone_restarts += 1;
        let promised = self.ledger.entries.iter().filter(|e| e.phone == phone);
        for entry in promised {
            let there = screen
                .stops
                .iter()
                .any(|s| s.stop == entry.stop && s.sync != SyncWord::Nothing);
            self.mishaps.survived.0 += u64::from(there);
            self.mishaps.survived.1 += 1;
        }
        self.display.say(&format!(
            "SIGKILL to the phone of {} between two stops; started again on the same store.",
            actor.handle.name
        ));
        Ok(())
    }

    /// A network that goes away after a few requests, with the last answer still in the air.
    pub(super) fn short_window(&mut self, phone: usize, at_ms: i64) -> Result<()> {
        let Some(actor) = self.actors.get_mut(phone) else {
            return Ok(());
        };
        let before = actor.handle.status()?;
        if actor.had_short_window || before.unsent_entries == 0 {
            return Ok(());
        }
        actor.had_short_window = true;
        let proofs = u32::try_from(before.unsent_proofs).unwrap_or(u32::MAX);
        let requests = SHORT_WINDOW_REQUESTS.saturating_add(proofs / 3);
        let link = Link {
            max_requests: Some(requests.min(SHORT_WINDOW_LIMIT)),
            ..Link::GOOD
        };
        let synced = actor.sync(at_ms, link, &self.traffic)?;
        let screen = actor.handle.status()?;
        if !synced.done && screen.unsent_entries + screen.unsent_proofs > 0 {
            self.mishaps.windows_cut_short += 1;
        }
        Ok(())
    }

    /// All phones upload at once, and in the middle of it the hub dies.
    pub(super) fn lunch(&mut self, at_ms: i64) -> Result<()> {
        let queued: u64 = self.screens()?.iter().map(|s| s.unsent_proofs).sum();
        let enough = Traffic::read(&self.traffic.proofs) + (queued / 4).max(2);
        let killed = self.upload_until(at_ms, enough)?;
        if killed {
            // Whatever the phones show now, the hub must turn out to hold.
            let screens = self.screens()?;
            let left: u64 = screens.iter().map(|s| s.unsent_proofs).sum();
            self.hub.restart()?;
            self.mishaps.hub_restarts += 1;
            self.mishaps.hub_kills_during_upload += u64::from(left > 0);
            self.look_at(&screens, true)?;
            self.display.say(&format!(
                "SIGKILL to the hub with {left} of {queued} proofs still to come; started again."
            ));
        }
        self.sync_all()
    }

    /// Lets all phones upload and kills the hub when `enough` proofs have arrived. `false` when the
    /// phones were done first.
    fn upload_until(&mut self, at_ms: i64, enough: u64) -> Result<bool> {
        let (traffic, hub, actors) = (&self.traffic, &mut self.hub, &mut self.actors);
        std::thread::scope(|scope| {
            let uploads = scope.spawn(move || {
                in_parallel_indexed(actors, |_, actor| actor.sync(at_ms, LUNCH, traffic))
            });
            let mut killed = Ok(false);
            while !uploads.is_finished() {
                if Traffic::read(&traffic.proofs) >= enough {
                    killed = hub.kill().map(|()| true);
                    break;
                }
                std::thread::sleep(WATCH);
            }
            uploads
                .join()
                .unwrap_or(Err(crate::error::DemoError::Thread))?;
            killed
        })
    }

    /// Phones that somebody killed from outside came back as well.
    pub(super) fn count_deaths_by_hand(&mut self) {
        let revived: u64 = self.actors.iter().map(|a| a.handle.revived).sum();
        self.mishaps.phone_kills += revived;
        self.mishaps.phone_restarts += revived;
        self.mishaps.unpromised = self.actors.iter().map(|a| a.unpromised).sum();
    }

    /// The phone that had a network longest still was without one for this share of the day.
    pub(super) fn least_offline_percent(&self) -> u64 {
        let day = Duration::from_millis(self.schedule.day_ms().unsigned_abs()).as_secs_f64();
        let longest = self
            .actors
            .iter()
            .map(|a| a.online.as_secs_f64())
            .fold(0.0, f64::max);
        let offline = (1.0 - longest / day).clamp(0.0, 1.0) * 100.0;
        // Between 0 and 100 by the line above.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let percent = offline.floor() as u64;
        percent
    }
}
