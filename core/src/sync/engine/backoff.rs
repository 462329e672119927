//! How long a lane waits after a failure.
//!
//! A wait that the phone chose itself may be cut short when the network comes back or somebody asks. One that the hub
//! named may not: a hub that sends everybody away would meet them all again at the next message it pushes.

use crate::limits;
use crate::model::status::Blocking;

/// What a lane waits for, and since when things go wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff {
    /// In a row; only an answer that was hoped for ends the count.
    pub(super) failures: u32,
    pub(super) not_before_ms: i64,
    /// Part of the wait that was asked for by whoever answered.
    pub(super) told_until_ms: i64,
    pub(super) blocking: Blocking,
}

impl Backoff {
    /// Waits longer than `before`, and at least as long as it was told.
    pub(super) fn after(
        before: Option<&Self>,
        blocking: Blocking,
        now_ms: i64,
        retry_after_ms: Option<i64>,
        jitter: u8,
    ) -> Self {
        let failures = before.map_or(0, |b| b.failures).saturating_add(1);
        let told_until_ms = retry_after_ms.map_or(0, |ms| now_ms + not_all_at_once(ms, jitter));
        let own_until_ms = now_ms + delay_ms(blocking, failures, jitter);
        Self {
            failures,
            not_before_ms: own_until_ms.max(told_until_ms),
            told_until_ms,
            blocking,
        }
    }

    pub(super) fn is_told(&self, now_ms: i64) -> bool {
        self.told_until_ms > now_ms && !self.blocking.needs_person()
    }

    /// No longer than was asked for, unless only a person can lift what holds the lane. What failed before still
    /// counts: the next failure waits as long as it would have.
    pub(super) fn hurry(&mut self) {
        if !self.blocking.needs_person() {
            self.not_before_ms = self.told_until_ms;
        }
    }

    /// As [`Self::hurry`], and not even as long as was asked for.
    pub(super) fn pass(&mut self) {
        if !self.blocking.needs_person() {
            self.told_until_ms = 0;
        }
        self.hurry();
    }
}

/// When something of this phone alone is tried again: on a grid that whatever failed as often shares, so that the phone
/// wakes once for all of it.
pub(super) fn shared_ms(failures: u32, now_ms: i64) -> i64 {
    let base = delay_ms(Blocking::BadAnswer, failures, u8::MAX);
    // Nobody else is spared by jitter: half of it at least, and at most one and a half.
    (now_ms + base / 2).div_euclid(base).saturating_add(1) * base
}

/// A hub tells all phones the same `Retry-After`; none comes earlier, and they do not come together.
fn not_all_at_once(retry_after_ms: i64, jitter: u8) -> i64 {
    retry_after_ms.saturating_add(retry_after_ms / 2 * i64::from(jitter) / 255)
}

/// Doubles with each failure up to a bound; between half and the whole of that.
pub(super) fn delay_ms(blocking: Blocking, failures: u32, jitter: u8) -> i64 {
    let base = match blocking {
        Blocking::Refused | Blocking::HubContradicts => limits::RETRY_REFUSED_MS,
        _ => limits::RETRY_FIRST_MS
            .saturating_mul(1 << failures.saturating_sub(1).min(16))
            .min(limits::RETRY_MAX_MS),
    };
    base / 2 + base / 2 * i64::from(jitter) / 255
}
