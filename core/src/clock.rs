//! Time and randomness come in from outside, so that a test can replay a day from a seed.
//!
//! Three readings make time honest (security notes §3.7): the wall clock people see, the time since
//! boot that nobody can set by hand and that counts while the phone sleeps, and the id of this boot.
//! `std::time::Instant` is banned: it stops in sleep on Android and iOS.

use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};

use satchel_protocol::ids::BootId;

/// Where the core reads time.
pub trait Clock: Send + Sync {
    /// Wall clock, Unix milliseconds. May be wrong or jump.
    fn wall_ms(&self) -> i64;
    /// Nanoseconds since boot, sleep included.
    fn boottime_ns(&self) -> i64;
    /// Names the run of the device that [`Clock::boottime_ns`] counts in.
    fn boot_id(&self) -> BootId;
    /// Local offset from UTC, minutes.
    fn utc_offset_min(&self) -> i16;
}

/// No randomness to be had; nothing may be signed or sealed then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gave no randomness")]
pub struct NoEntropy;

/// Where the core draws randomness.
pub trait Entropy: Send + Sync {
    /// Fills `buf` with unpredictable bytes.
    ///
    /// # Errors
    /// [`NoEntropy`] when the system has none.
    fn fill(&self, buf: &mut [u8]) -> Result<(), NoEntropy>;
}

/// Draws an array of random bytes.
pub(crate) fn random<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], NoEntropy> {
    let mut out = [0; N];
    entropy.fill(&mut out)?;
    Ok(out)
}

/// The operating system's randomness.
#[derive(Debug, Default, Clone, Copy)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, buf: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(buf).map_err(|_| NoEntropy)
    }
}

/// The device's own clocks.
#[derive(Debug, Clone)]
pub struct SystemClock {
    boot_id: BootId,
}

impl SystemClock {
    /// Uses the boot id that the host read (iOS: `kern.bootsessionuuid`).
    #[must_use]
    pub fn with_boot_id(boot_id: BootId) -> Self {
        Self { boot_id }
    }

    /// Reads the kernel's boot id (Linux, Android). Where there is none, each start of the process
    /// counts as a boot: intervals get wider, never wrong.
    ///
    /// # Errors
    /// [`NoEntropy`] when neither the kernel nor the system's randomness gives an id.
    pub fn detect() -> Result<Self, NoEntropy> {
        let from_kernel = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .ok()
            .and_then(|text| uuid::Uuid::try_parse(text.trim()).ok());
        let boot_id = match from_kernel {
            Some(id) => BootId(*id.as_bytes()),
            None => BootId(random(&OsEntropy)?),
        };
        Ok(Self { boot_id })
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where wall time enters the core"
    )]
    fn wall_ms(&self) -> i64 {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .ok()
            .and_then(|d| i64::try_from(d.as_millis()).ok())
            .unwrap_or(0)
    }

    fn boottime_ns(&self) -> i64 {
        // Darwin's CLOCK_MONOTONIC is mach_continuous_time: it counts sleep, as BOOTTIME does on Linux.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let clock = rustix::time::ClockId::Boottime;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let clock = rustix::time::ClockId::Monotonic;
        let now = rustix::time::clock_gettime(clock);
        now.tv_sec
            .saturating_mul(1_000_000_000)
            .saturating_add(now.tv_nsec)
    }

    fn boot_id(&self) -> BootId {
        self.boot_id
    }

    fn utc_offset_min(&self) -> i16 {
        let seconds = chrono::Local::now().offset().local_minus_utc();
        i16::try_from(seconds / 60).unwrap_or(0)
    }
}

/// A clock that a test or a replayed day sets by hand.
#[derive(Debug)]
pub struct ManualClock {
    wall_ms: AtomicI64,
    boottime_ns: AtomicI64,
    boots: AtomicU8,
    utc_offset_min: i16,
}

impl ManualClock {
    /// Starts at `wall_ms`, one second after boot.
    #[must_use]
    pub fn new(wall_ms: i64, utc_offset_min: i16) -> Self {
        Self {
            wall_ms: AtomicI64::new(wall_ms),
            boottime_ns: AtomicI64::new(1_000_000_000),
            boots: AtomicU8::new(0xB0),
            utc_offset_min,
        }
    }

    /// Lets time pass: wall clock and boot time move together.
    pub fn advance_ms(&self, ms: i64) {
        self.wall_ms.fetch_add(ms, Ordering::SeqCst);
        self.boottime_ns
            .fetch_add(ms.saturating_mul(1_000_000), Ordering::SeqCst);
    }

    /// Moves to a wall time; boot time follows when that is forward.
    pub fn set_wall_ms(&self, wall_ms: i64) {
        let before = self.wall_ms.swap(wall_ms, Ordering::SeqCst);
        let forward_ms = wall_ms.saturating_sub(before).max(0);
        self.boottime_ns
            .fetch_add(forward_ms.saturating_mul(1_000_000), Ordering::SeqCst);
    }

    /// Starts the device anew: another boot, and time since boot from zero. The wall clock stands still.
    pub fn reboot(&self) {
        self.boots.fetch_add(1, Ordering::SeqCst);
        self.boottime_ns.store(1_000_000_000, Ordering::SeqCst);
    }

    /// Changes the wall clock alone, as a person or a bad network would.
    pub fn jump_wall_ms(&self, by_ms: i64) {
        self.wall_ms.fetch_add(by_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn wall_ms(&self) -> i64 {
        self.wall_ms.load(Ordering::SeqCst)
    }
    fn boottime_ns(&self) -> i64 {
        self.boottime_ns.load(Ordering::SeqCst)
    }
    fn boot_id(&self) -> BootId {
        BootId([self.boots.load(Ordering::SeqCst); 16])
    }
    fn utc_offset_min(&self) -> i16 {
        self.utc_offset_min
    }
}
