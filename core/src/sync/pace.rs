//! How large the next batch may be: as much as the line carried in a few seconds last time.
//!
//! A cut repeats one batch, so on a poor line batches are small; on a good one they grow until round
//! trips no longer matter. Only sizes depend on it, so it may be lost at any time.

/// The first batch of a process, before anything was measured.
const FIRST_BYTES: usize = 256 * 1_024;
/// A batch below this is mostly headers.
const LEAST_BYTES: usize = 16 * 1_024;
/// What a phone gives memory for; below what a hub accepts, with room for what is not counted here.
const MOST_BYTES: usize = 1_792 * 1_024;
/// How much larger the next batch may be: few round trips until the line's pace is known.
const GROWTH: usize = 4;
/// A batch should take about this long on the measured line.
const BATCH_MS: i64 = 3_000;

/// The measured pace of the log lane.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    batch_bytes: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            batch_bytes: FIRST_BYTES,
        }
    }
}

impl Pace {
    /// Bytes to aim at.
    pub(crate) const fn batch_bytes(self) -> usize {
        self.batch_bytes
    }

    /// A batch of `sent_bytes` was receipted after `took_ms`: at most [`GROWTH`] times as much next time.
    pub(crate) fn arrived(&mut self, sent_bytes: usize, took_ms: i64) {
        let took_ms = usize::try_from(took_ms.max(1)).unwrap_or(1);
        let in_time = sent_bytes.saturating_mul(usize::try_from(BATCH_MS).unwrap_or(1)) / took_ms;
        // The last batch of a day is small and says little about the line.
        let is_full = sent_bytes >= self.batch_bytes / 2;
        let bound = match is_full {
            true => self.batch_bytes.saturating_mul(GROWTH),
            false => self.batch_bytes,
        };
        self.batch_bytes = in_time.min(bound).clamp(LEAST_BYTES, MOST_BYTES);
    }

    /// A batch did not arrive, or nobody knows.
    pub(crate) fn lost(&mut self) {
        self.batch_bytes = (self.batch_bytes / 2).max(LEAST_BYTES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_follow_the_line() {
        let mut pace = Pace::default();
        for _ in 0..5 {
            pace.arrived(pace.batch_bytes(), 50);
        }
        assert_eq!(pace.batch_bytes(), MOST_BYTES);
        // 20 KB/s: three seconds of that.
        pace.arrived(MOST_BYTES, 91_000);
        assert!((50_000..70_000).contains(&pace.batch_bytes()));
        for _ in 0..9 {
            pace.lost();
        }
        assert_eq!(pace.batch_bytes(), LEAST_BYTES);
        // A handful of bytes that arrived at once proves nothing.
        pace.arrived(100, 1);
        assert_eq!(pace.batch_bytes(), LEAST_BYTES);
    }
}
