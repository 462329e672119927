//! The points ledger: every point names the event that earned it and goes when that event is corrected
//! (A143, A144).

use std::collections::{BTreeMap, BTreeSet};

use super::sheet::Window;
use crate::rules::coded::coded;
use crate::rules::transitions::EventId;

coded! {
    /// What earns points (A144).
    pub enum PointRule {
        GoodRating = "GOOD_RATING", "客户好评", "Good rating";
        OnTime = "ON_TIME", "时效达标", "Promise kept";
        NoDamage = "NO_DAMAGE", "零破损", "No damage";
        ByHub = "BY_HUB", "网点奖励", "Given by the operator";
    }
}

/// What each rule is worth; the operator's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointValues {
    /// For a good rating.
    pub good_rating: i64,
    /// For a promise kept.
    pub on_time: i64,
    /// For a delivery without damage.
    pub no_damage: i64,
}

impl PointValues {
    /// The worth of a rule; what the hub gives by hand carries its own.
    #[must_use]
    pub const fn of(&self, rule: PointRule) -> Option<i64> {
        match rule {
            PointRule::GoodRating => Some(self.good_rating),
            PointRule::OnTime => Some(self.on_time),
            PointRule::NoDamage => Some(self.no_damage),
            PointRule::ByHub => None,
        }
    }
}

/// Points for one event by one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointEntry {
    /// The event that earned them.
    pub cause: EventId,
    /// By which rule.
    pub rule: PointRule,
    /// How many.
    pub points: i64,
    /// When, event time.
    pub at_ms: i64,
}

/// All points of a courier. The order in which entries and corrections arrive makes no difference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    earned: BTreeMap<(EventId, PointRule), PointEntry>,
    taken_back: BTreeSet<EventId>,
}

impl Ledger {
    /// Writes points down, once for each event and rule; says whether they were new. Of two different
    /// entries for one event and rule the smaller stands, so that arrival order cannot pay.
    pub fn earn(&mut self, entry: PointEntry) -> bool {
        let key = (entry.cause, entry.rule);
        match self.earned.get_mut(&key) {
            None => {
                self.earned.insert(key, entry);
                true
            }
            Some(known) => {
                if (entry.points, entry.at_ms) < (known.points, known.at_ms) {
                    *known = entry;
                }
                false
            }
        }
    }

    /// Takes back whatever an event earned or will yet be said to have earned: it was corrected.
    pub fn take_back(&mut self, cause: EventId) {
        self.taken_back.insert(cause);
    }

    /// Points in a window.
    #[must_use]
    pub fn balance(&self, window: Window) -> i64 {
        self.standing()
            .filter(|e| window.holds(e.at_ms))
            .fold(0i64, |sum, e| sum.saturating_add(e.points))
    }

    /// Entries that count, by event.
    pub fn standing(&self) -> impl Iterator<Item = &PointEntry> {
        self.earned
            .values()
            .filter(|e| !self.taken_back.contains(&e.cause))
    }

    /// Entries that were taken back; shown, never deleted.
    pub fn reversed(&self) -> impl Iterator<Item = &PointEntry> {
        self.earned
            .values()
            .filter(|e| self.taken_back.contains(&e.cause))
    }
}
