//! Promise clocks: time left, breached how badly, and late already in the plan (A001–A010, A16).
//!
//! A clock stops at the event time of the delivery, never at its upload: a parcel handed over in a
//! cellar at 11:58 kept a promise until 12:00 even if the hub hears of it at midnight. A promise is
//! moved only by the customer's own wish and excused only by a regime that the hub declared, both on
//! record; a courier cannot excuse himself.

use satchel_protocol::ids::ParcelId;
use satchel_protocol::taxonomy::{PromiseClass, Reason};

use super::coded::coded;

const HOUR_MS: i64 = 60 * 60 * 1_000;
const DAY_MS: i64 = 24 * HOUR_MS;

coded! {
    /// How badly a promise is missed.
    pub enum Breach {
        None = "NONE", "未超时", "In time";
        Level1 = "LEVEL_1", "已超承诺时效", "Past the promise";
        Level2 = "LEVEL_2", "严重延误", "Badly late";
    }
}

pub use satchel_protocol::taxonomy::Regime;

/// A regime that the hub declared for a route (A018).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExceptionRegime {
    /// What it is.
    pub regime: Regime,
    /// From when, Unix milliseconds.
    pub from_ms: i64,
    /// Until when, exclusive.
    pub until_ms: i64,
    /// Whether it excuses promises. A peak is the operator's own planning, so it usually does not.
    pub excuses: bool,
}

impl ExceptionRegime {
    /// The reason that is preselected while it lasts; a peak shows as a shift that ran out.
    #[must_use]
    pub const fn preselected(&self) -> Reason {
        match self.regime {
            Regime::Weather | Regime::ForceMajeure => Reason::Weather,
            Regime::Peak => Reason::OutOfTime,
        }
    }

    /// Whether it holds at this instant.
    #[must_use]
    pub const fn holds(&self, at_ms: i64) -> bool {
        self.from_ms <= at_ms && at_ms < self.until_ms
    }
}

/// The promise of one parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// The parcel.
    pub parcel: ParcelId,
    /// What was promised.
    pub class: PromiseClass,
    /// When the parcel was accepted, Unix milliseconds.
    pub accepted_at_ms: i64,
    /// The deadline the hub sent. Without one, the class's own hours count.
    pub promised_by_ms: Option<i64>,
    /// The end of a window the customer chose himself, which moves the deadline out, never in.
    pub customer_window_end_ms: Option<i64>,
}

/// How a promise stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromiseView {
    /// The parcel.
    pub parcel: ParcelId,
    /// The deadline that counts.
    pub deadline_ms: i64,
    /// Time left at the instant asked about, or at the delivery; negative when late.
    pub left_ms: i64,
    /// How badly it is missed.
    pub breach: Breach,
    /// Whether a declared regime excuses the miss.
    pub excused: bool,
    /// How late it will be by the plan, if it will (A049).
    pub predicted_late_ms: Option<i64>,
}

/// No deadline: the class promises a part of the calendar and the hub has not sent its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the hub has not sent the end of a promise by the calendar")]
pub struct NoDeadline;

impl Promise {
    /// The deadline that counts.
    ///
    /// # Errors
    /// [`NoDeadline`] for a class by the calendar without one (A008–A010); a phone does not guess the
    /// operator's closing time.
    pub fn deadline_ms(&self) -> Result<i64, NoDeadline> {
        let by_class = self
            .class
            .limit_ms()
            .map(|limit| self.accepted_at_ms.saturating_add(limit));
        let promised = self.promised_by_ms.or(by_class).ok_or(NoDeadline)?;
        Ok(self
            .customer_window_end_ms
            .map_or(promised, |end| end.max(promised)))
    }

    /// From when the delay is a pain and not only a miss: a same-city parcel a day after acceptance
    /// (A005), one from another province three days past its promise (A006). The other classes have no
    /// such figure and stay at level 1.
    #[must_use]
    pub fn pain_ms(&self, deadline_ms: i64) -> Option<i64> {
        match self.class {
            PromiseClass::SameCity => {
                // A deadline the customer moved beyond the day moves the pain with it.
                Some(self.accepted_at_ms.saturating_add(DAY_MS).max(deadline_ms))
            }
            PromiseClass::CrossProvince => Some(deadline_ms.saturating_add(3 * DAY_MS)),
            _ => None,
        }
    }

    /// How the promise stands at `now_ms`, or at the event time of the delivery once there is one.
    ///
    /// # Errors
    /// [`NoDeadline`].
    pub fn view(
        &self,
        now_ms: i64,
        delivered_at_ms: Option<i64>,
        eta_ms: Option<i64>,
        regimes: &[ExceptionRegime],
    ) -> Result<PromiseView, NoDeadline> {
        let deadline_ms = self.deadline_ms()?;
        let judged_ms = delivered_at_ms.unwrap_or(now_ms);
        let breach = if judged_ms <= deadline_ms {
            Breach::None
        } else if self
            .pain_ms(deadline_ms)
            .is_some_and(|pain| judged_ms > pain)
        {
            Breach::Level2
        } else {
            Breach::Level1
        };
        let predicted_late_ms = match (delivered_at_ms, eta_ms) {
            (None, Some(eta)) if eta.max(now_ms) > deadline_ms => {
                Some(eta.max(now_ms).saturating_sub(deadline_ms))
            }
            _ => None,
        };
        Ok(PromiseView {
            parcel: self.parcel,
            deadline_ms,
            left_ms: deadline_ms.saturating_sub(judged_ms),
            breach,
            excused: breach != Breach::None
                && regimes.iter().any(|r| r.excuses && r.holds(deadline_ms)),
            predicted_late_ms,
        })
    }
}

/// Today's clocks, the one that needs the courier most on top: late or least time left first.
#[must_use]
pub fn by_urgency(mut views: Vec<PromiseView>) -> Vec<PromiseView> {
    views.sort_by_key(|v| (v.left_ms, v.parcel));
    views
}

/// Stops that will be late by the plan: the early warning of A049.
pub fn predicted_late(views: &[PromiseView]) -> impl Iterator<Item = &PromiseView> {
    views.iter().filter(|v| v.predicted_late_ms.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn promise(class: PromiseClass) -> Promise {
        Promise {
            parcel: ParcelId(Uuid::from_u128(1)),
            class,
            accepted_at_ms: 0,
            promised_by_ms: None,
            customer_window_end_ms: None,
        }
    }

    fn breach(promise: &Promise, delivered_at_ms: i64) -> Breach {
        // The upload comes a week later and changes nothing.
        promise
            .view(7 * DAY_MS, Some(delivered_at_ms), None, &[])
            .unwrap()
            .breach
    }

    #[test]
    fn same_city_is_missed_after_twelve_hours_and_hurts_after_a_day() {
        let p = promise(PromiseClass::SameCity);
        assert_eq!(breach(&p, 12 * HOUR_MS), Breach::None);
        assert_eq!(breach(&p, 12 * HOUR_MS + 1), Breach::Level1);
        assert_eq!(breach(&p, 24 * HOUR_MS), Breach::Level1);
        assert_eq!(breach(&p, 24 * HOUR_MS + 1), Breach::Level2);
    }

    #[test]
    fn another_province_hurts_three_days_past_its_48_hours() {
        let p = promise(PromiseClass::CrossProvince);
        assert_eq!(breach(&p, 48 * HOUR_MS), Breach::None);
        assert_eq!(breach(&p, 5 * DAY_MS), Breach::Level1);
        assert_eq!(breach(&p, 5 * DAY_MS + 1), Breach::Level2);
    }

    #[test]
    fn the_express_of_a_campus_has_half_an_hour() {
        let p = promise(PromiseClass::Express30m);
        assert_eq!(breach(&p, HOUR_MS / 2), Breach::None);
        assert_eq!(breach(&p, HOUR_MS / 2 + 1), Breach::Level1);
    }

    #[test]
    fn a_promise_by_the_calendar_needs_the_hubs_deadline() {
        let p = promise(PromiseClass::NextDay);
        assert_eq!(p.deadline_ms(), Err(NoDeadline));
        let sent = Promise {
            promised_by_ms: Some(DAY_MS),
            ..p
        };
        assert_eq!(breach(&sent, DAY_MS + 1), Breach::Level1);
        assert_eq!(breach(&sent, 30 * DAY_MS), Breach::Level1);
    }

    #[test]
    fn the_customers_own_window_moves_the_deadline_out_and_never_in() {
        let window = |end| Promise {
            customer_window_end_ms: Some(end),
            ..promise(PromiseClass::SameCity)
        };
        assert_eq!(window(20 * HOUR_MS).deadline_ms(), Ok(20 * HOUR_MS));
        assert_eq!(window(HOUR_MS).deadline_ms(), Ok(12 * HOUR_MS));
        assert_eq!(breach(&window(30 * HOUR_MS), 29 * HOUR_MS), Breach::None);
    }

    #[test]
    fn a_stop_that_will_be_late_is_seen_before_it_is() {
        let p = promise(PromiseClass::SameCity);
        let at = |now, eta| p.view(now, None, Some(eta), &[]).unwrap().predicted_late_ms;
        assert_eq!(at(10 * HOUR_MS, 11 * HOUR_MS), None);
        assert_eq!(at(10 * HOUR_MS, 13 * HOUR_MS), Some(HOUR_MS));
        // A plan that says "an hour ago" is old; the courier is not there yet.
        assert_eq!(at(14 * HOUR_MS, 11 * HOUR_MS), Some(2 * HOUR_MS));
        let views = [
            p.view(0, None, Some(13 * HOUR_MS), &[]).unwrap(),
            p.view(0, None, Some(HOUR_MS), &[]).unwrap(),
        ];
        assert_eq!(predicted_late(&views).count(), 1);
    }

    #[test]
    fn a_typhoon_excuses_and_a_peak_only_preselects() {
        let typhoon = ExceptionRegime {
            regime: Regime::Weather,
            from_ms: 11 * HOUR_MS,
            until_ms: 15 * HOUR_MS,
            excuses: true,
        };
        let peak = ExceptionRegime {
            regime: Regime::Peak,
            excuses: false,
            ..typhoon
        };
        let p = promise(PromiseClass::SameCity);
        let late =
            |regimes: &[ExceptionRegime]| p.view(0, Some(13 * HOUR_MS), None, regimes).unwrap();
        assert!(late(&[typhoon]).excused);
        assert_eq!(late(&[typhoon]).breach, Breach::Level1);
        assert!(!late(&[peak]).excused);
        assert_eq!(peak.preselected(), Reason::OutOfTime);
        assert_eq!(typhoon.preselected(), Reason::Weather);
    }

    proptest! {
        /// Waiting never makes a promise better, and a delivery freezes it for good.
        #[test]
        fn breaches_only_grow(
            class in 0..PromiseClass::ALL.len(), a in 0i64..10 * DAY_MS, b in 0i64..10 * DAY_MS,
            deadline in 1i64..5 * DAY_MS, window in proptest::option::of(0i64..6 * DAY_MS)
        ) {
            let p = Promise {
                promised_by_ms: Some(deadline), customer_window_end_ms: window,
                ..promise(PromiseClass::ALL[class])
            };
            let (early, late) = (a.min(b), a.max(b));
            let view = |now, delivered| p.view(now, delivered, None, &[]).unwrap();
            prop_assert!(view(early, None).breach <= view(late, None).breach);
            prop_assert!(view(early, None).left_ms >= view(late, None).left_ms);
            prop_assert_eq!(view(early, Some(early)), view(late, Some(early)));
            prop_assert_eq!(view(late, None).breach == Breach::None, view(late, None).left_ms >= 0);
        }

        #[test]
        fn the_most_urgent_is_on_top(lefts in proptest::collection::vec(-DAY_MS..DAY_MS, 0..20)) {
            let p = promise(PromiseClass::SameCity);
            let views = lefts.iter().map(|l| p.view(12 * HOUR_MS - l, None, None, &[]).unwrap()).collect();
            let sorted = by_urgency(views);
            prop_assert!(sorted.windows(2).all(|w| w[0].left_ms <= w[1].left_ms));
        }
    }
}
