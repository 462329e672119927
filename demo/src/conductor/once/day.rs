//! When things happen in a played day.

use crate::day::mapping::Deliveries;
use crate::error::{DemoError, Result};

const MINUTE_MS: i64 = 60_000;
/// Slices a day is cut into, if they are not shorter or longer than a courier would notice.
const SLICES: i64 = 18;
const SLICE_MS: core::ops::RangeInclusive<i64> = 2 * MINUTE_MS..=30 * MINUTE_MS;
/// Couriers load their routes this long before the first door; a first failed visit may come as early.
const BEFORE_MS: i64 = 45 * MINUTE_MS;
/// Records have whole minutes. Syncing in between keeps visits and syncs apart.
const BETWEEN_MS: i64 = 30_000;

/// When the phones load their routes.
///
/// # Errors
/// [`DemoError::NothingToPlay`] without deliveries.
pub(super) fn morning_ms(deliveries: &Deliveries) -> Result<i64> {
    let doors = deliveries.imported.deliveries.iter();
    let first_ms = doors
        .map(|d| d.driven_at_ms.unwrap_or(d.accepted_at_ms))
        .min();
    let first_ms = first_ms.ok_or(DemoError::NothingToPlay)?;
    Ok((first_ms - BEFORE_MS) / MINUTE_MS * MINUTE_MS + BETWEEN_MS)
}

/// The slices of a day and who has a network when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    morning_ms: i64,
    slice_ms: i64,
    slices: i64,
}

impl Schedule {
    pub(super) fn new(morning_ms: i64, last_visit_ms: i64) -> Self {
        let span_ms = (last_visit_ms - morning_ms).max(MINUTE_MS);
        let slice_ms =
            (span_ms / SLICES / MINUTE_MS * MINUTE_MS).clamp(*SLICE_MS.start(), *SLICE_MS.end());
        Self {
            morning_ms,
            slice_ms,
            slices: span_ms / slice_ms + 1,
        }
    }

    pub(super) fn slices(&self) -> i64 {
        self.slices
    }

    pub(super) fn end_ms(&self, slice: i64) -> i64 {
        self.morning_ms + self.slice_ms * (slice + 1)
    }

    pub(super) fn evening_ms(&self) -> i64 {
        self.end_ms(self.slices)
    }

    pub(super) fn day_ms(&self) -> i64 {
        self.evening_ms() - self.morning_ms
    }

    /// From here on a phone that has something to send gets a few minutes of bad network, once; each
    /// phone at another time.
    pub(super) fn is_short_window(&self, slice: i64, phone: usize) -> bool {
        let stagger = i64::try_from(phone % 3).unwrap_or(0);
        slice >= self.slices * 3 / 10 + stagger
    }

    /// From here on all phones have a network until the hub has once been killed during uploads.
    pub(super) fn is_lunch(&self, slice: i64) -> bool {
        slice >= self.slices * 6 / 10
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_visit_lies_in_a_slice_and_no_sync_on_a_visit() {
        for minutes in [1, 7, 60, 555, 900] {
            let schedule = Schedule::new(BETWEEN_MS, minutes * MINUTE_MS);
            assert!(schedule.end_ms(schedule.slices() - 1) > minutes * MINUTE_MS);
            for slice in 0..schedule.slices() {
                assert_eq!(schedule.end_ms(slice) % MINUTE_MS, BETWEEN_MS);
            }
        }
    }

    #[test]
    fn short_windows_come_before_lunch_on_a_real_day() {
        let schedule = Schedule::new(BETWEEN_MS, 540 * MINUTE_MS);
        let short = (0..schedule.slices()).find(|s| schedule.is_short_window(*s, 2));
        assert!(!schedule.is_lunch(short.unwrap()));
    }
}
