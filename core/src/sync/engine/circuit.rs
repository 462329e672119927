//! A hub that is away is asked by one lane for all of them.
//!
//! Each lane has its own clock, so that one thing the hub will not take holds up nothing else. When it takes nothing
//! at all that would be as many requests as there are lanes, from every phone, at a hub that is trying to get up.

use crate::limits;

/// What the lanes found out together.
#[derive(Debug, Default)]
pub(super) struct Circuit {
    /// Requests in a row, of whatever lane, that no hub answered.
    misses: u32,
    /// When the next one may see whether it is back.
    probe_at_ms: i64,
}

impl Circuit {
    /// No hub answered; the lane would ask again at `again_at_ms` by itself.
    pub(super) fn missed(&mut self, again_at_ms: i64) {
        self.misses = self.misses.saturating_add(1);
        self.probe_at_ms = again_at_ms;
    }

    /// The hub answered something.
    pub(super) fn met(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_open(&self) -> bool {
        self.misses >= limits::HUB_AWAY_AFTER
    }

    /// When a lane whose requests fail may go: as long as the hub is away, when the probe does.
    pub(super) fn not_before_ms(&self) -> i64 {
        match self.is_open() {
            true => self.probe_at_ms,
            false => 0,
        }
    }

    pub(super) fn probe_at(&mut self, at_ms: i64) {
        self.probe_at_ms = at_ms;
    }
}
