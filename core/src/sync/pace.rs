//! How large the next batch may be: as much as the line carried in a few seconds last time.
//!
//! A cut repeats one batch, so on a poor line batches are small; on a good one they grow until round
//! trips no longer matter. Only sizes depend on it, so it may be lost at any time.

/// The first batch of a process, before anything was measured. A process that the system lets run for half a minute in
/// the background gets this much through at 3 KB/s; more would be begun by every such process and finished by none.
const FIRST_BYTES: usize = 64 * 1_024;
/// The first one on a line that answered a small question within [`QUICK_MS`]: nothing slow does that, and what a cut
/// repeats is one batch all the same.
const FIRST_QUICK_BYTES: usize = 768 * 1_024;
const QUICK_MS: i64 = 200;
/// A batch below this is mostly headers.
const LEAST_BYTES: usize = 16 * 1_024;
/// What a phone gives memory for; below what a hub accepts, with room for what is not counted here.
const MOST_BYTES: usize = 4_000 * 1_024;
/// How much larger the next batch may be: few round trips until the line's pace is known.
const GROWTH: usize = 6;
/// A batch should take about this long on the measured line.
const BATCH_MS: i64 = 3_000;

/// The measured pace of the log lane.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    batch_bytes: usize,
    /// A batch went out on this line, with whatever outcome.
    is_measured: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            batch_bytes: FIRST_BYTES,
            is_measured: false,
        }
    }
}

impl Pace {
    /// Bytes to aim at.
    pub(crate) const fn batch_bytes(self) -> usize {
        self.batch_bytes
    }

    /// A question without a body was answered after `took_ms`. Only the first batch depends on it: from then on
    /// batches speak for themselves.
    pub(crate) fn answered(&mut self, took_ms: i64) {
        if !self.is_measured {
            self.batch_bytes = match (0..=QUICK_MS).contains(&took_ms) {
                true => FIRST_QUICK_BYTES,
                false => FIRST_BYTES,
            };
        }
    }

    /// A batch of `sent_bytes` was receipted after `took_ms`: at most [`GROWTH`] times as much next time.
    pub(crate) fn arrived(&mut self, sent_bytes: usize, took_ms: i64) {
        let is_full = sent_bytes >= self.batch_bytes / 2;
        if !is_full && took_ms <= BATCH_MS {
            // The last batch of a day is small: its time was the round trip's and says as much as a question's.
            self.answered(took_ms);
            return;
        }
        let took_ms = usize::try_from(took_ms.max(1)).unwrap_or(1);
        let in_time = sent_bytes.saturating_mul(usize::try_from(BATCH_MS).unwrap_or(1)) / took_ms;
        let bound = match is_full {
            true => self.batch_bytes.saturating_mul(GROWTH),
            false => self.batch_bytes,
        };
        self.is_measured = true;
        self.batch_bytes = in_time.min(bound).clamp(LEAST_BYTES, MOST_BYTES);
    }

    /// A batch did not arrive, or nobody knows.
    pub(crate) fn lost(&mut self) {
        self.is_measured = true;
        self.batch_bytes = (self.batch_bytes / 2).max(LEAST_BYTES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_batch_follows_what_was_asked_before_it_and_no_later_one_does() {
        let mut pace = Pace::default();
        assert_eq!(pace.batch_bytes(), FIRST_BYTES);
        pace.answered(60);
        assert_eq!(pace.batch_bytes(), FIRST_QUICK_BYTES);
        // The same line a minute later, in a tunnel; and a clock that was set back says nothing.
        for slow_ms in [QUICK_MS + 1, 30_000, -5] {
            pace.answered(60);
            pace.answered(slow_ms);
            assert_eq!(pace.batch_bytes(), FIRST_BYTES, "{slow_ms} ms");
        }
        pace.answered(60);
        pace.lost();
        assert_eq!(pace.batch_bytes(), FIRST_QUICK_BYTES / 2);
        pace.answered(1);
        assert_eq!(pace.batch_bytes(), FIRST_QUICK_BYTES / 2);
        let mut pace = Pace::default();
        pace.arrived(FIRST_BYTES, 13_000);
        let measured = pace.batch_bytes();
        pace.answered(1);
        assert_eq!(pace.batch_bytes(), measured);
    }

    #[test]
    fn batches_follow_the_line() {
        let mut pace = Pace::default();
        for _ in 0..5 {
            pace.arrived(pace.batch_bytes(), 50);
        }
        assert_eq!(pace.batch_bytes(), MOST_BYTES);
        // 20 KB/s: three seconds of that.
        pace.arrived(MOST_BYTES, i64::try_from(MOST_BYTES / 20).unwrap());
        assert!((50_000..70_000).contains(&pace.batch_bytes()));
        for _ in 0..9 {
            pace.lost();
        }
        assert_eq!(pace.batch_bytes(), LEAST_BYTES);
        // A handful of bytes that arrived at once proves nothing.
        pace.arrived(100, 1);
        assert_eq!(pace.batch_bytes(), LEAST_BYTES);
    }

    #[test]
    fn a_small_batch_s_round_trip_is_not_taken_for_a_slow_line() {
        // One attempt on its own, a whole morning long: what piles up in a tunnel then still goes in large batches.
        let mut pace = Pace::default();
        for _ in 0..20 {
            pace.arrived(700, 150);
        }
        assert_eq!(pace.batch_bytes(), FIRST_QUICK_BYTES);
        let mut pace = Pace::default();
        pace.arrived(700, 900);
        assert_eq!(pace.batch_bytes(), FIRST_BYTES);
        // What a full batch measured stays, too.
        pace.arrived(FIRST_BYTES, 6_000);
        let measured = pace.batch_bytes();
        assert_eq!(measured, FIRST_BYTES / 2);
        pace.arrived(700, 60);
        assert_eq!(pace.batch_bytes(), measured);
        // Unless even a few bytes took longer than a batch should.
        pace.arrived(700, 30_000);
        assert_eq!(pace.batch_bytes(), LEAST_BYTES);
    }
}
