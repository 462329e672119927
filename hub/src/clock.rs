//! The hub's clock, injected so that a test and the demo can say what time it is.
//!
//! Every deadline of the hub (signature window, invite, rating, session) is measured on this one
//! clock. The demo plays a past day through the real server, so its clock can be set and then flows on.

// The one file of the hub that may ask the machine for the time.
#![allow(clippy::disallowed_methods)]

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Tells the time, Unix milliseconds.
pub trait Clock: Send + Sync + Debug {
    /// Now.
    fn now_ms(&self) -> i64;
}

/// The machine's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        // A machine set before 1970 or after the year 292 million has no usable clock; 0 makes every
        // signature check fail, which is the safe answer.
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .ok()
            .and_then(|d| i64::try_from(d.as_millis()).ok())
            .unwrap_or(0)
    }
}

/// A clock that is set by hand, for the demo and for tests.
#[derive(Debug)]
pub struct SimClock {
    set: Mutex<(i64, Instant)>,
    flows: bool,
}

impl SimClock {
    /// Starts at `unix_ms` and flows on with real elapsed time.
    #[must_use]
    pub fn flowing(unix_ms: i64) -> Self {
        Self {
            set: Mutex::new((unix_ms, Instant::now())),
            flows: true,
        }
    }

    /// Stands at `unix_ms` until it is set again.
    #[must_use]
    pub fn frozen(unix_ms: i64) -> Self {
        Self {
            set: Mutex::new((unix_ms, Instant::now())),
            flows: false,
        }
    }

    /// Sets the time, forwards or back.
    pub fn set(&self, unix_ms: i64) {
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = (unix_ms, Instant::now());
    }

    /// Moves the time forward.
    pub fn advance(&self, by_ms: i64) {
        self.set(self.now_ms().saturating_add(by_ms));
    }
}

impl Clock for SimClock {
    fn now_ms(&self) -> i64 {
        let (set_ms, at) = *self.set.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = if self.flows {
            at.elapsed().as_millis()
        } else {
            0
        };
        set_ms.saturating_add(i64::try_from(elapsed).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_clock_flows_on_from_there_and_a_frozen_one_stands() {
        let clock = SimClock::flowing(1_000);
        assert!((1_000..60_000).contains(&clock.now_ms()));
        clock.set(5_000_000);
        std::thread::sleep(std::time::Duration::from_millis(5));
        assert!((5_000_005..5_060_000).contains(&clock.now_ms()));
        let still = SimClock::frozen(7);
        still.advance(3);
        assert_eq!(still.now_ms(), 10);
    }
}
