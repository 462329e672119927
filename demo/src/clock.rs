//! The demo's clocks: the machine's time for a live demo, and a phone's time for a played day.
//!
//! A played phone stands still between commands: what it does at 14:07 of the played day is recorded
//! at 14:07 however long the machine takes. While it talks to the hub its time flows, because
//! retries and signatures need a clock that moves.

// The one file of the demo that may ask the machine for the time.
#![allow(clippy::disallowed_methods)]

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use satchel_core::clock::Clock;
use satchel_core::protocol::ids::BootId;

/// The machine's wall time, Unix milliseconds.
#[must_use]
pub fn wall_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|d| i64::try_from(d.as_millis()).ok())
        .unwrap_or(0)
}

/// Measures how long something took.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The clock of a phone in a played day.
#[derive(Debug)]
pub struct PlayedClock {
    state: Mutex<State>,
    boot_id: BootId,
    booted_at_ms: i64,
    utc_offset_min: i16,
}

#[derive(Debug)]
struct State {
    wall_ms: i64,
    /// Set while time flows.
    flows_since: Option<Instant>,
    /// Boot time never goes back, even where the played wall time does.
    highest_boottime_ns: i64,
}

impl PlayedClock {
    /// Stands at `booted_at_ms`. A phone that is killed and started again has not been booted again:
    /// give the same values and the clock goes on in the same boot.
    #[must_use]
    pub fn new(booted_at_ms: i64, boot_id: BootId, utc_offset_min: i16) -> Self {
        Self {
            state: Mutex::new(State {
                wall_ms: booted_at_ms,
                flows_since: None,
                highest_boottime_ns: 0,
            }),
            boot_id,
            booted_at_ms,
            utc_offset_min,
        }
    }

    /// Stands still at this wall time.
    pub fn stand(&self, wall_ms: i64) {
        self.set(wall_ms, None);
    }

    /// Goes on from this wall time with the machine's own speed.
    pub fn flow(&self, wall_ms: i64) {
        self.set(wall_ms, Some(Instant::now()));
    }

    fn set(&self, wall_ms: i64, flows_since: Option<Instant>) {
        let mut state = self.state();
        state.wall_ms = wall_ms;
        state.flows_since = flows_since;
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn now_ms(&self) -> i64 {
        let flowed = self.flows_since.map_or(Duration::ZERO, |at| at.elapsed());
        let flowed_ms = i64::try_from(flowed.as_millis()).unwrap_or(i64::MAX);
        self.wall_ms.saturating_add(flowed_ms)
    }
}

impl Clock for PlayedClock {
    fn wall_ms(&self) -> i64 {
        self.state().now_ms()
    }

    fn boottime_ns(&self) -> i64 {
        let mut state = self.state();
        let since_boot_ms = state.now_ms().saturating_sub(self.booted_at_ms);
        let now_ns = since_boot_ms.saturating_mul(1_000_000);
        state.highest_boottime_ns = state.highest_boottime_ns.max(now_ns);
        state.highest_boottime_ns
    }

    fn boot_id(&self) -> BootId {
        self.boot_id
    }

    fn utc_offset_min(&self) -> i16 {
        self.utc_offset_min
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_played_clock_stands_flows_and_never_takes_boot_time_back() {
        let clock = PlayedClock::new(1_000, BootId([7; 16]), 480);
        clock.stand(61_000);
        assert_eq!(clock.wall_ms(), 61_000);
        assert_eq!(clock.boottime_ns(), 60_000_000_000);
        clock.flow(70_000);
        std::thread::sleep(Duration::from_millis(5));
        assert!((70_005..90_000).contains(&clock.wall_ms()));
        let before = clock.boottime_ns();
        clock.stand(62_000);
        assert_eq!(clock.wall_ms(), 62_000);
        assert!(clock.boottime_ns() >= before);
    }
}
