//! When to leave, for plans that minimise duration: the same order takes less time when it starts
//! after the rush hour, or late enough not to wait.

use super::search::Search;

/// When the route may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// Not before.
    pub(crate) first: i64,
    /// Not after.
    pub(crate) last: i64,
}

impl Window {
    /// True when there is anything to choose.
    pub(crate) const fn is_open(self) -> bool {
        self.first < self.last
    }
}

/// As exact as ticks allow.
pub(crate) const TICK: i64 = 1;

/// Samples per round of the zoom.
const SAMPLES: i64 = 8;

/// Lets the search leave at the best moment found for its order.
///
/// Lateness grows with the departure and the duration falls and rises with waits and bands, so this
/// samples the window and zooms in until `finest` ticks: a few walks, no breakpoints to keep.
pub(crate) fn choose(search: &mut Search<'_>, window: Window, finest: i64) {
    if !window.is_open() {
        return;
    }
    let value = |at: i64| {
        let end = search.walk(at);
        (end.late, end.time - at, at)
    };
    let mut best = value(search.departure());
    let (mut low, mut high) = (window.first, latest_on_time(&value, window, best.0, finest));
    while high > low {
        let step = ((high - low) / SAMPLES).max(1);
        let mut at = low;
        while at <= high {
            best = best.min(value(at));
            at += step;
        }
        if step <= finest {
            break;
        }
        best = best.min(value(high));
        (low, high) = ((best.2 - step).max(window.first), (best.2 + step).min(high));
    }
    if best.2 != search.departure() {
        search.depart(best.2);
    }
}

/// The last departure with no more lateness than `late`, by bisection: lateness never falls when
/// leaving later (FIFO).
fn latest_on_time(
    value: &impl Fn(i64) -> (i64, i64, i64),
    window: Window,
    late: i64,
    finest: i64,
) -> i64 {
    let (mut good, mut bad) = (window.first, window.last + 1);
    let least = value(good).0.min(late);
    while bad - good > finest {
        let middle = good + (bad - good) / 2;
        if value(middle).0 <= least {
            good = middle;
        } else {
            bad = middle;
        }
    }
    good
}
