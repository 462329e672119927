//! Temperature on the way: samples, limits, excursions, and the lowest and highest at the handoff
//! (A039, A040).
//!
//! Temperatures are whole hundredths of a degree, so that two phones never round one excursion into
//! and out of being. A gap without samples is told as such: silence is no proof of cold.

use super::coded::coded;

/// Samples looked at for one parcel: two days at one a minute.
pub const MAX_SAMPLES: usize = 2_880;
/// Longest time between two samples that still counts as watched.
pub const MAX_SAMPLE_GAP_MS: i64 = 30 * 60 * 1_000;
/// What a thermometer can mean: beyond this a reading is a fault.
pub const PLAUSIBLE_CENTI_C: core::ops::RangeInclusive<i32> = -20_000..=10_000;

coded! {
    /// Which limit was passed.
    pub enum Side {
        TooWarm = "TOO_WARM", "温度过高", "Too warm";
        TooCold = "TOO_COLD", "温度过低", "Too cold";
    }
}

/// A reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sample {
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// Hundredths of a degree Celsius.
    pub centi_c: i32,
}

/// The limits of a parcel, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    min_centi_c: i32,
    max_centi_c: i32,
}

impl Limits {
    /// Limits that make sense.
    #[must_use]
    pub fn new(min_centi_c: i32, max_centi_c: i32) -> Option<Self> {
        let plausible =
            PLAUSIBLE_CENTI_C.contains(&min_centi_c) && PLAUSIBLE_CENTI_C.contains(&max_centi_c);
        (plausible && min_centi_c <= max_centi_c).then_some(Self {
            min_centi_c,
            max_centi_c,
        })
    }

    /// Which limit a reading passes, if any.
    #[must_use]
    pub const fn passed(&self, centi_c: i32) -> Option<Side> {
        if centi_c > self.max_centi_c {
            Some(Side::TooWarm)
        } else if centi_c < self.min_centi_c {
            Some(Side::TooCold)
        } else {
            None
        }
    }
}

/// A run of readings beyond one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excursion {
    /// Which limit.
    pub side: Side,
    /// First reading beyond it.
    pub from_ms: i64,
    /// Last reading beyond it.
    pub until_ms: i64,
    /// The worst reading.
    pub worst_centi_c: i32,
    /// It was not over at the last reading.
    pub still_going: bool,
}

/// A time nobody watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Last reading before.
    pub from_ms: i64,
    /// First reading after.
    pub until_ms: i64,
}

/// What the samples show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColdReport {
    /// Readings that count.
    pub samples: usize,
    /// Readings that no thermometer can mean, left out.
    pub implausible: usize,
    /// Lowest reading, shown at the handoff.
    pub min_centi_c: Option<i32>,
    /// Highest reading, shown at the handoff.
    pub max_centi_c: Option<i32>,
    /// Runs beyond a limit, by time.
    pub excursions: Vec<Excursion>,
    /// Times nobody watched, by time.
    pub gaps: Vec<Gap>,
}

impl ColdReport {
    /// Whether the parcel was watched and never beyond its limits.
    #[must_use]
    pub fn is_unbroken(&self) -> bool {
        self.samples > 0 && self.excursions.is_empty() && self.gaps.is_empty()
    }

    /// Whether an exception has to be opened (A039): the recipient may refuse such a parcel.
    #[must_use]
    pub fn opens_exception(&self) -> bool {
        !self.excursions.is_empty()
    }
}

/// Folds samples, in whatever order they were read out, into a report. Readings beyond
/// [`MAX_SAMPLES`] are the oldest ones and are dropped first.
#[must_use]
pub fn report(samples: &[Sample], limits: Limits) -> ColdReport {
    let mut plausible: Vec<Sample> = samples
        .iter()
        .filter(|s| PLAUSIBLE_CENTI_C.contains(&s.centi_c))
        .copied()
        .collect();
    let implausible = samples.len() - plausible.len();
    plausible.sort_unstable();
    plausible.dedup();
    let excess = plausible.len().saturating_sub(MAX_SAMPLES);
    plausible.drain(..excess);

    let mut excursions: Vec<Excursion> = Vec::new();
    let mut gaps = Vec::new();
    let mut open: Option<Excursion> = None;
    let mut before: Option<i64> = None;
    for sample in &plausible {
        if let Some(from_ms) = before
            && sample.at_ms.saturating_sub(from_ms) > MAX_SAMPLE_GAP_MS
        {
            gaps.push(Gap {
                from_ms,
                until_ms: sample.at_ms,
            });
        }
        before = Some(sample.at_ms);
        let side = limits.passed(sample.centi_c);
        open = match (open.take(), side) {
            (Some(run), Some(side)) if run.side == side => Some(run.with(*sample)),
            (Some(run), next) => {
                excursions.push(run);
                next.map(|side| Excursion::starting(side, *sample))
            }
            (None, Some(side)) => Some(Excursion::starting(side, *sample)),
            (None, None) => None,
        };
    }
    excursions.extend(open.map(|run| Excursion {
        still_going: true,
        ..run
    }));
    ColdReport {
        samples: plausible.len(),
        implausible,
        min_centi_c: plausible.iter().map(|s| s.centi_c).min(),
        max_centi_c: plausible.iter().map(|s| s.centi_c).max(),
        excursions,
        gaps,
    }
}

impl Excursion {
    const fn starting(side: Side, at: Sample) -> Self {
        Self {
            side,
            from_ms: at.at_ms,
            until_ms: at.at_ms,
            worst_centi_c: at.centi_c,
            still_going: false,
        }
    }

    fn with(self, at: Sample) -> Self {
        Self {
            until_ms: at.at_ms,
            worst_centi_c: match self.side {
                Side::TooWarm => self.worst_centi_c.max(at.centi_c),
                Side::TooCold => self.worst_centi_c.min(at.centi_c),
            },
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: i64 = 60_000;

    fn fridge() -> Limits {
        Limits::new(200, 800).unwrap()
    }

    fn samples(list: &[(i64, i32)]) -> Vec<Sample> {
        list.iter()
            .map(|(minute, centi_c)| Sample {
                at_ms: minute * MINUTE,
                centi_c: *centi_c,
            })
            .collect()
    }

    #[test]
    fn an_excursion_is_told_with_its_time_and_its_worst() {
        let r = report(
            &samples(&[(0, 500), (5, 810), (10, 930), (15, 805), (20, 700)]),
            fridge(),
        );
        assert_eq!(
            r.excursions,
            vec![Excursion {
                side: Side::TooWarm,
                from_ms: 5 * MINUTE,
                until_ms: 15 * MINUTE,
                worst_centi_c: 930,
                still_going: false,
            }]
        );
        assert_eq!((r.min_centi_c, r.max_centi_c), (Some(500), Some(930)));
        assert!(r.opens_exception());
    }

    #[test]
    fn the_limits_themselves_are_inside() {
        assert!(report(&samples(&[(0, 200), (5, 800)]), fridge()).is_unbroken());
        assert!(report(&samples(&[(0, 199)]), fridge()).opens_exception());
    }

    #[test]
    fn silence_is_no_proof_of_cold() {
        let quiet = report(&samples(&[(0, 500), (31, 500)]), fridge());
        assert_eq!(quiet.gaps.len(), 1);
        assert!(!quiet.is_unbroken() && !quiet.opens_exception());
        assert!(!report(&[], fridge()).is_unbroken());
        assert!(report(&samples(&[(0, 500), (30, 500)]), fridge()).is_unbroken());
    }

    #[test]
    fn from_too_warm_to_too_cold_are_two_excursions_and_the_last_one_goes_on() {
        let r = report(&samples(&[(0, 900), (5, 100)]), fridge());
        assert_eq!(r.excursions.len(), 2);
        assert!(!r.excursions[0].still_going && r.excursions[1].still_going);
        assert_eq!(r.excursions[1].side, Side::TooCold);
    }

    #[test]
    fn a_broken_thermometer_is_counted_and_not_believed() {
        let r = report(&samples(&[(0, 500), (1, 32_767)]), fridge());
        assert_eq!((r.samples, r.implausible), (1, 1));
        assert!(r.is_unbroken());
        assert!(Limits::new(900, 200).is_none());
    }

    proptest! {
        #[test]
        fn every_reading_beyond_a_limit_lies_in_exactly_one_excursion(
            list in proptest::collection::vec((0i64..600, -500i32..1_500), 0..60), seed in any::<u64>()
        ) {
            let list = samples(&list);
            let r = report(&list, fridge());
            for s in &list {
                let covering = r.excursions.iter().filter(|e| {
                    Some(e.side) == fridge().passed(s.centi_c)
                        && (e.from_ms..=e.until_ms).contains(&s.at_ms)
                }).count();
                prop_assert_eq!(covering > 0, fridge().passed(s.centi_c).is_some());
                prop_assert!(r.min_centi_c.unwrap() <= s.centi_c && s.centi_c <= r.max_centi_c.unwrap());
            }
            let mut turned = list.clone();
            if !turned.is_empty() {
                let by = usize::try_from(seed % turned.len() as u64).unwrap();
                turned.rotate_left(by);
            }
            prop_assert_eq!(report(&turned, fridge()), r);
        }
    }
}
