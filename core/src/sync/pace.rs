//! How large the next batch may be: as much as the line carried in a few seconds last time.
//!
//! A cut repeats one batch, so on a poor line batches are small; on a good one they grow until round
//! trips no longer matter. The size of a batch is here what it has before compression, as where it is gathered: entries
//! shrink to half, signatures not at all, and what went over the wire could not be held against what was aimed at.
//!
//! Only sizes depend on the pace, so it may be lost at any time. One thing of it is noted in the store:
//! that the first batch of a process went out large on a line that looked good. A process that ends before the answer
//! would be followed by one that does the same, and nothing would ever get through.

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
    /// Most for a first batch, as far as lines of late allow.
    first_most: Option<usize>,
    /// What the store says of that.
    noted: Option<usize>,
    /// Most that somebody on the way was seen to let through, in this process.
    ceiling: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            batch_bytes: FIRST_BYTES,
            is_measured: false,
            first_most: None,
            noted: None,
            ceiling: MOST_BYTES,
        }
    }
}

impl Pace {
    /// That of a new process, after what the one before noted.
    pub(crate) fn after(noted: Option<usize>) -> Self {
        let first_most = noted.map(|bytes| bytes.max(LEAST_BYTES));
        Self {
            batch_bytes: first_most.unwrap_or(FIRST_BYTES).min(FIRST_BYTES),
            is_measured: false,
            first_most,
            noted,
            ceiling: MOST_BYTES,
        }
    }

    /// A batch of `size_bytes` is about to go out. Gives what to note before, if it is a process's first and longer than
    /// one that any line carries, or than half of what there is a note of: without an answer the next process begins with
    /// an eighth. An answer to such a batch always tells of the line.
    pub(crate) fn begins(&mut self, size_bytes: usize) -> Option<usize> {
        let carried = self
            .first_most
            .map_or(FIRST_BYTES, |most| (most / 2).min(FIRST_BYTES));
        if self.is_measured || size_bytes <= carried {
            return None;
        }
        let next = (size_bytes / 8).max(LEAST_BYTES);
        (self.noted != Some(next)).then(|| {
            self.noted = Some(next);
            next
        })
    }

    /// What is to be noted otherwise since batches were answered: the measured size by powers of two, so that it is
    /// seldom written, and nothing on a line that is as good as lines are taken to be.
    pub(crate) fn learnt(&mut self) -> Option<Option<usize>> {
        if !self.is_measured {
            return None;
        }
        let is_good = self.batch_bytes >= FIRST_QUICK_BYTES;
        let next = (!is_good).then(|| 1_usize << self.batch_bytes.max(1).ilog2());
        (self.noted != next).then(|| {
            self.noted = next;
            next
        })
    }

    /// Bytes to aim at.
    pub(crate) const fn batch_bytes(self) -> usize {
        self.batch_bytes
    }

    /// A question without a body was answered after `took_ms`. Only the first batch depends on it: from then on
    /// batches speak for themselves.
    pub(crate) fn answered(&mut self, took_ms: i64) {
        if !self.is_measured {
            let first = match (0..=QUICK_MS).contains(&took_ms) {
                true => FIRST_QUICK_BYTES,
                false => FIRST_BYTES,
            };
            let most = self.first_most.unwrap_or(first).min(self.ceiling);
            self.batch_bytes = first.min(most);
        }
    }

    /// A batch of `size_bytes` was receipted after `took_ms`: at most [`GROWTH`] times as much next time.
    pub(crate) fn arrived(&mut self, size_bytes: usize, took_ms: i64) {
        let tells = size_bytes >= self.batch_bytes / 2 || size_bytes > FIRST_BYTES;
        if !tells && took_ms <= BATCH_MS {
            // The last batch of a day is small: its time was the round trip's and says as much as a question's.
            self.answered(took_ms);
            return;
        }
        let took_ms = usize::try_from(took_ms.max(1)).unwrap_or(1);
        let in_time = size_bytes.saturating_mul(usize::try_from(BATCH_MS).unwrap_or(1)) / took_ms;
        let bound = self.batch_bytes.max(size_bytes.saturating_mul(GROWTH));
        self.is_measured = true;
        self.batch_bytes = in_time.min(bound).clamp(LEAST_BYTES, self.ceiling);
    }

    /// Somebody on the way, or an older hub, does not take as much as `size_bytes`. Otherwise a good line would lead
    /// there again after each batch that it took.
    pub(crate) fn too_large(&mut self, size_bytes: usize) {
        let seen = self.batch_bytes.min(size_bytes);
        self.ceiling = self.ceiling.min((seen / 4 * 3).max(LEAST_BYTES));
        self.batch_bytes = self.batch_bytes.min(self.ceiling);
    }

    /// Another network may let through more. Gives whether there was anything to forget.
    pub(crate) fn forget_too_large(&mut self) -> bool {
        std::mem::replace(&mut self.ceiling, MOST_BYTES) < MOST_BYTES
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
    fn processes_that_end_in_their_first_batch_begin_with_less_each_time_until_one_gets_through() {
        let (mut noted, mut sizes) = (None, Vec::new());
        for _ in 0..4 {
            let mut pace = Pace::after(noted);
            pace.answered(60);
            sizes.push(pace.batch_bytes());
            noted = pace.begins(pace.batch_bytes()).or(noted);
        }
        let first = FIRST_QUICK_BYTES;
        assert_eq!(sizes, [first, first / 8, LEAST_BYTES, LEAST_BYTES]);
        // 20 KB/s: this one arrives, and the next process begins with what three seconds carry.
        let mut pace = Pace::after(noted);
        pace.answered(60);
        pace.arrived(LEAST_BYTES, 800);
        noted = pace.learnt().unwrap();
        assert_eq!(noted, Some(32 * 1_024));
        assert_eq!(pace.learnt(), None, "written once");
        // Back on a good line it is forgotten.
        let mut pace = Pace::after(noted);
        pace.answered(60);
        while pace.batch_bytes() < FIRST_QUICK_BYTES {
            pace.arrived(pace.batch_bytes(), 100);
        }
        assert_eq!(pace.learnt(), Some(None));
        // Also by what is no whole batch there: more than any line carries, answered as fast as the line looked.
        let mut pace = Pace::after(None);
        pace.answered(60);
        assert_eq!(pace.begins(120 * 1_024), Some(LEAST_BYTES));
        pace.arrived(120 * 1_024, 100);
        assert_eq!(pace.learnt(), Some(None));
        assert_eq!(pace.batch_bytes(), FIRST_QUICK_BYTES);
        // Where a note is left, a small batch neither lowers nor raises it.
        let mut pace = Pace::after(Some(256 * 1_024));
        pace.answered(60);
        assert_eq!(pace.begins(20 * 1_024), None);
        pace.arrived(20 * 1_024, 100);
        assert_eq!(pace.learnt(), None);
        // What every line carries is not worth a note.
        assert_eq!(Pace::default().begins(FIRST_BYTES), None);
    }

    #[test]
    fn what_is_too_large_for_somebody_on_the_way_is_found_out_a_few_times_and_not_for_ever() {
        // A proxy that lets through 1 MB; bodies are two thirds of what is gathered.
        let (mut pace, mut refused) = (Pace::default(), 0);
        pace.answered(1);
        for _ in 0..100 {
            if pace.batch_bytes() / 3 * 2 > 1_000_000 {
                refused += 1;
                pace.too_large(pace.batch_bytes());
                pace.lost();
            } else {
                pace.arrived(pace.batch_bytes(), 50);
            }
        }
        assert!(refused < 6, "{refused}");
        assert!(pace.batch_bytes() > 1_000_000, "{}", pace.batch_bytes());
        // On another network it may be otherwise.
        assert!(pace.forget_too_large() && !pace.forget_too_large());
        pace.arrived(pace.batch_bytes(), 50);
        assert_eq!(pace.batch_bytes(), MOST_BYTES);
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
