//! Travel times that depend on the clock (A012), and breaks.
//!
//! A leg belongs to a class (the zone it runs through); a class has a speed per time band, in
//! millionths of the speed the leg's base time was given for. Driving consumes base time at the
//! speed of the band it is in, so whoever leaves later arrives no sooner (FIFO), without the jumps
//! of "travel time by departure band". All arithmetic is in integers: the same on every platform.
//!
//! A break is taken in one go at its time; driving and service that would cross it are longer by its
//! duration, waiting swallows what it can.

use super::table::Table;

/// Full speed, in millionths.
pub(crate) const FULL: i64 = 1_000_000;

/// How the class of a leg is found.
#[derive(Debug, Clone)]
pub(crate) enum Classes {
    /// By the node the leg leaves.
    Origin(Table<u8>),
    /// By the leg: `n × n`, with the row length.
    Leg(Table<u8>, usize),
}

/// A pause of the courier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pause {
    /// When it begins.
    pub(crate) at: i64,
    /// How long it lasts.
    pub(crate) span: i64,
}

/// Speeds by class and band, and breaks.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    /// Where each band but the last ends, ascending.
    pub(crate) band_ends: Vec<i64>,
    /// Speeds per class: `band_ends.len() + 1` each, all positive.
    pub(crate) speeds: Table<i32>,
    /// See [`Classes`].
    pub(crate) classes: Classes,
    /// Ascending and apart.
    pub(crate) pauses: Vec<Pause>,
}

impl Clock {
    /// The class of a leg.
    #[inline(always)]
    pub(crate) fn class(&self, from: usize, to: usize) -> usize {
        match &self.classes {
            Classes::Origin(by_node) => usize::from(by_node.at(from)),
            Classes::Leg(by_leg, n) => usize::from(by_leg.at(from * n + to)),
        }
    }

    /// Start of service at the next stop: service here began at `begun` and ends at `leave`, the leg
    /// has `class` and `base` time, the next window opens at `open`.
    #[inline(always)]
    pub(crate) fn serve(&self, begun: i64, leave: i64, class: usize, base: i64, open: i64) -> i64 {
        if self.pauses.is_empty() {
            return self.drive(leave, class, base).max(open);
        }
        self.wait(self.arrive(begun, leave, class, base), open)
    }

    /// Arrival at the next stop, see [`Clock::serve`].
    pub(crate) fn arrive(&self, begun: i64, leave: i64, class: usize, base: i64) -> i64 {
        // Only a departure can fall into a break: it is put off until the end.
        let put_off = self
            .pauses
            .iter()
            .find(|p| p.at <= begun && begun < p.at + p.span)
            .map_or(0, |p| p.at + p.span - begun);
        let leave = self.pause(begun + put_off, leave + put_off);
        self.drive_with_pauses(leave, class, base)
    }

    /// When a leg driven from `leave` on ends, breaks included.
    fn drive_with_pauses(&self, leave: i64, class: usize, base: i64) -> i64 {
        let (mut now, mut work) = (leave, base * FULL);
        for pause in self.pauses.iter().filter(|pause| pause.at > leave) {
            let (end, left) = self.run(now, class, work, pause.at);
            if end < pause.at {
                return end;
            }
            (now, work) = (pause.at + pause.span, left);
        }
        self.run(now, class, work, i64::MAX).0
    }

    /// When a leg driven from `leave` on ends.
    #[inline]
    fn drive(&self, leave: i64, class: usize, base: i64) -> i64 {
        self.run(leave, class, base * FULL, i64::MAX).0
    }

    /// Drives from `leave` until the work is done or the clock shows `until`: the time then, and the
    /// work left.
    fn run(&self, leave: i64, class: usize, work: i64, until: i64) -> (i64, i64) {
        let bands = self.band_ends.len() + 1;
        let speeds = self.speeds.span(class * bands, (class + 1) * bands);
        let (mut now, mut work) = (leave, work);
        for (band, of_band) in speeds.iter().enumerate() {
            let speed = i64::from(*of_band).max(1);
            let end = self
                .band_ends
                .get(band)
                .copied()
                .unwrap_or(i64::MAX)
                .min(until);
            if now >= end && end < until {
                continue;
            }
            // Rounded up: an arrival is never promised too early.
            let done = now + (work + speed - 1) / speed;
            if done <= end {
                return (done, 0);
            }
            work -= (end - now).max(0) * speed;
            now = now.max(end);
            if now >= until {
                break;
            }
        }
        (now, work)
    }

    /// The end of an activity from `from` to `to`, longer by the breaks it would cross.
    fn pause(&self, from: i64, to: i64) -> i64 {
        let mut end = to;
        for pause in &self.pauses {
            if from < pause.at && pause.at <= end {
                end += pause.span;
            }
        }
        end
    }

    /// Start of service after waiting from `arrival` to `open`, breaks taken meanwhile.
    fn wait(&self, arrival: i64, open: i64) -> i64 {
        let mut start = arrival.max(open);
        for pause in &self.pauses {
            if arrival < pause.at && pause.at <= start {
                start = start.max(pause.at + pause.span);
            }
        }
        start
    }
}
