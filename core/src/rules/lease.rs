//! How long a phone may open personal data without having heard from its hub (security notes §3.4).
//!
//! The hub gives a lease by its own clock. The phone counts on with the time since boot, which nobody sets by
//! hand; over a reboot it has only the wall clock and takes it for no earlier than what it last knew. A wall clock
//! that went backwards over a reboot locks at once. A lock deletes nothing and ends with the next lease.

use satchel_protocol::ids::BootId;

use crate::rules::coded::Text;

/// A wall clock that is behind by so little over a reboot was only set right, milliseconds.
pub const SET_RIGHT_MS: i64 = 2 * 60_000;

/// What the phone's clocks say at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Which run of the device.
    pub boot_id: BootId,
    /// Since it began, milliseconds.
    pub boottime_ms: i64,
    /// The wall clock, Unix milliseconds.
    pub wall_ms: i64,
}

/// A moment at which the hub's time was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The hub's time, Unix milliseconds.
    pub hub_ms: i64,
    /// The phone's clocks then.
    pub at: Reading,
}

/// A lease as the phone keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// When the hub issued it, its own clock.
    pub issued_at_ms: i64,
    /// Until when by the hub's clock; `None`: without end.
    pub until_ms: Option<i64>,
    /// The last moment at which the hub's time was known.
    pub seen: Seen,
}

/// Why personal data stays closed and no new work begins. What is recorded is kept, and still goes to the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// The phone was without its hub for too long.
    LeaseLapsed,
    /// The wall clock is behind what it was before the reboot.
    ClockWentBack,
    /// The hub ordered this phone to be wiped.
    WipeOrdered,
    /// The hub lets only newer releases begin work: the app is to be updated (MASVS CODE-2).
    Outdated,
}

impl Lock {
    /// In words, for the courier.
    #[must_use]
    pub fn text(self) -> Text {
        match self {
            Self::LeaseLapsed => Text::new(
                "手机离线过久,请联网后继续;已有记录都在",
                "This phone was offline for too long; go online to continue. Nothing recorded is lost",
            ),
            Self::ClockWentBack => Text::new(
                "手机时间被调回,请联网后继续;已有记录都在",
                "The phone's clock was set back; go online to continue. Nothing recorded is lost",
            ),
            Self::WipeOrdered => Text::new(
                "网点要求清除此手机的数据",
                "The depot ordered this phone to be wiped",
            ),
            Self::Outdated => Text::new(
                "应用版本过旧,请更新后继续;已有记录会照常上传",
                "This app is too old; update it to continue. What is recorded is still sent",
            ),
        }
    }
}

impl Seen {
    /// The hub's time now, as far as this phone can know it: never earlier than what it knew.
    ///
    /// # Errors
    /// [`Lock::ClockWentBack`].
    pub fn now(&self, reading: &Reading) -> Result<i64, Lock> {
        let passed_ms = match reading.boot_id == self.at.boot_id {
            true => reading.boottime_ms.saturating_sub(self.at.boottime_ms),
            false => reading.wall_ms.saturating_sub(self.at.wall_ms),
        };
        let set_right = reading.boot_id != self.at.boot_id && passed_ms >= -SET_RIGHT_MS;
        if passed_ms < 0 && !set_right {
            return Err(Lock::ClockWentBack);
        }
        Ok(self.hub_ms.saturating_add(passed_ms.max(0)))
    }
}

impl Lease {
    /// Whether it holds now.
    ///
    /// # Errors
    /// The [`Lock`] that it has come to.
    pub fn holds(&self, reading: &Reading) -> Result<(), Lock> {
        let Some(until_ms) = self.until_ms else {
            return Ok(());
        };
        match self.seen.now(reading)? < until_ms {
            true => Ok(()),
            false => Err(Lock::LeaseLapsed),
        }
    }

    /// The same lease, known to be older by now: from here on a reboot cannot take that time back. A clock that
    /// went backwards changes nothing.
    #[must_use]
    pub fn seen_at(self, reading: Reading) -> Self {
        match self.seen.now(&reading) {
            Ok(hub_ms) => Self {
                seen: Seen {
                    hub_ms,
                    at: reading,
                },
                ..self
            },
            Err(_) => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR_MS: i64 = 3_600_000;
    const T0: i64 = 1_790_000_000_000;

    fn reading(boot: u8, boottime_ms: i64, wall_ms: i64) -> Reading {
        Reading {
            boot_id: BootId([boot; 16]),
            boottime_ms,
            wall_ms,
        }
    }

    /// 24 hours from a moment at which the phone's wall clock was an hour behind the hub's.
    fn lease() -> Lease {
        Lease {
            issued_at_ms: T0,
            until_ms: Some(T0 + 24 * HOUR_MS),
            seen: Seen {
                hub_ms: T0,
                at: reading(1, 1_000, T0 - HOUR_MS),
            },
        }
    }

    #[test]
    fn a_lease_runs_by_the_time_since_boot_whatever_the_wall_clock_says() {
        for wall_ms in [0, T0, T0 + 400 * 24 * HOUR_MS] {
            let at = |hours| reading(1, 1_000 + hours * HOUR_MS, wall_ms);
            assert_eq!(lease().holds(&at(23)), Ok(()));
            assert_eq!(lease().holds(&at(24)), Err(Lock::LeaseLapsed));
        }
    }

    #[test]
    fn over_a_reboot_the_wall_clock_counts_and_going_backwards_locks() {
        let at = |hours| reading(2, 5, T0 - HOUR_MS + hours * HOUR_MS);
        assert_eq!(lease().holds(&at(23)), Ok(()));
        assert_eq!(lease().holds(&at(24)), Err(Lock::LeaseLapsed));
        assert_eq!(lease().holds(&at(-1)), Err(Lock::ClockWentBack));
        let set_right = reading(2, 5, T0 - HOUR_MS - SET_RIGHT_MS);
        assert_eq!(lease().holds(&set_right), Ok(()));
        let endless = Lease {
            until_ms: None,
            ..lease()
        };
        assert_eq!(endless.holds(&at(-1)), Ok(()));
    }

    proptest! {
        /// Whoever reboots and sets the clock as he likes never gets back time that the phone has seen pass, and
        /// the lease ends after 24 hours of running phone at the latest.
        #[test]
        fn time_that_was_seen_does_not_come_back(
            moves in proptest::collection::vec((0i64..30 * HOUR_MS, any::<bool>(), -50 * HOUR_MS..50 * HOUR_MS), 1..20)
        ) {
            let mut lease = lease();
            let (mut boot, mut boottime_ms, mut wall_ms) = (1u8, 1_000, T0 - HOUR_MS);
            let (mut known_ms, mut ran_ms) = (lease.seen.hub_ms, 0);
            for (runs_ms, reboots, shift_ms) in moves {
                boottime_ms += runs_ms;
                wall_ms += runs_ms;
                ran_ms += runs_ms;
                lease = lease.seen_at(reading(boot, boottime_ms, wall_ms));
                if reboots {
                    boot += 1;
                    boottime_ms = 0;
                }
                wall_ms += shift_ms;
                let now = reading(boot, boottime_ms, wall_ms);
                if lease.holds(&now) == Ok(()) {
                    lease = lease.seen_at(now);
                    prop_assert!(lease.seen.hub_ms >= known_ms);
                    prop_assert!(lease.seen.hub_ms < T0 + 24 * HOUR_MS);
                    prop_assert!(ran_ms < 24 * HOUR_MS);
                    known_ms = lease.seen.hub_ms;
                } else {
                    break;
                }
            }
        }
    }
}
