//! How long a door takes this courier: learned on the phone from his own visits, and kept there (A011).
//!
//! A visit's time is what lies between two records less the way between their doors: parking, stairs
//! and waiting count, which the minutes between opening and completing the form alone would miss. The
//! median of the visits near a door is drawn towards the courier's general median, and that towards a
//! prior, so that one tea does not make a plan and one visit does not make a habit.

use satchel_protocol::feed::LatLng;

use super::draft::geo;
use crate::route::{self, Direction, Learned, SpeedModel};
use crate::store::attempts::Visited;

/// A courier without history.
const PRIOR: Learned = Learned {
    ticks: 120,
    spread: 60,
};
/// No history makes a door shorter or longer than this, in seconds.
const BOUNDS_S: (i64, i64) = (20, 900);
/// Two records further apart have a break or a night between them.
const MAX_GAP_S: i64 = 3_600;
/// Visits this near count as the same entrance.
const SAME_ENTRANCE_M: f64 = 60.0;

/// What this courier's visits taught.
pub(super) struct Doors {
    general: Learned,
    seen: Vec<(Direction, i64)>,
}

impl Doors {
    /// From visits in order of time.
    pub(super) fn learn(history: &[Visited], model: &SpeedModel) -> Self {
        let seen: Vec<(Direction, i64)> = history
            .iter()
            .zip(history.iter().skip(1))
            .filter_map(|(before, visit)| {
                let place = geo(visit.place);
                let way_s = model.ticks(geo(before.place).distance_m(&place));
                let gap_s = visit.completed_at_ms.checked_sub(before.completed_at_ms)? / 1_000;
                if !(0..MAX_GAP_S).contains(&gap_s) {
                    return None;
                }
                // He was there at least as long as the form was open.
                let at_door_s = visit.completed_at_ms.checked_sub(visit.opened_at_ms)? / 1_000;
                Some((place.direction(), (gap_s - way_s).max(at_door_s).max(0)))
            })
            .collect();
        let all: Vec<i64> = seen.iter().map(|(_, took_s)| *took_s).collect();
        Self {
            general: route::learn_service(&all, PRIOR, BOUNDS_S),
            seen,
        }
    }

    /// The courier in general.
    pub(super) fn general(&self) -> Learned {
        self.general
    }

    /// A visit here.
    pub(super) fn at(&self, place: LatLng) -> Learned {
        let here = geo(place).direction();
        let visits: Vec<i64> = self
            .seen
            .iter()
            .filter(|(door, _)| door.distance_m(&here) <= SAME_ENTRANCE_M)
            .map(|(_, took_s)| *took_s)
            .collect();
        route::learn_service(&visits, self.general, BOUNDS_S)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREET: LatLng = LatLng {
        lat: 37.5,
        lng: 121.4,
    };
    const TOWER: LatLng = LatLng {
        lat: 37.52,
        lng: 121.42,
    };

    /// Visits that each take as long as given, at alternating doors, the way between them driven at the
    /// model's speed.
    fn day(took_s: &[(LatLng, i64)]) -> Vec<Visited> {
        let model = SpeedModel::default();
        let (mut now_ms, mut at) = (0, STREET);
        let mut out = vec![Visited {
            opened_at_ms: 0,
            completed_at_ms: 0,
            place: STREET,
        }];
        for (place, took) in took_s {
            now_ms += (model.ticks(geo(at).distance_m(&geo(*place))) + took) * 1_000;
            at = *place;
            out.push(Visited {
                opened_at_ms: now_ms - 10_000,
                completed_at_ms: now_ms,
                place: *place,
            });
        }
        out
    }

    #[test]
    fn a_slow_tower_is_learned_apart_from_a_quick_street_and_tea_changes_neither() {
        let mut visits: Vec<(LatLng, i64)> = Vec::new();
        for _ in 0..30 {
            visits.push((STREET, 40));
            visits.push((TOWER, 400));
        }
        let doors = Doors::learn(&day(&visits), &SpeedModel::default());
        let (street, tower) = (doors.at(STREET).ticks, doors.at(TOWER).ticks);
        assert!((30..=110).contains(&street), "{street}");
        assert!((330..=450).contains(&tower), "{tower}");
        visits.push((STREET, 3_500));
        let with_tea = Doors::learn(&day(&visits), &SpeedModel::default());
        assert!((with_tea.at(STREET).ticks - street).abs() <= 5);
    }

    #[test]
    fn nothing_known_is_the_prior_and_absurd_times_stay_within_bounds() {
        let none = Doors::learn(&[], &SpeedModel::default());
        assert_eq!(none.at(TOWER), PRIOR);
        let visit = |opened_at_ms, completed_at_ms| Visited {
            opened_at_ms,
            completed_at_ms,
            place: STREET,
        };
        let odd = [
            visit(i64::MIN, i64::MIN),
            visit(0, i64::MAX),
            visit(i64::MIN, 5),
            visit(9, 3),
        ];
        let doors = Doors::learn(&odd, &SpeedModel::default());
        let learned = doors.at(STREET);
        assert!((BOUNDS_S.0..=BOUNDS_S.1).contains(&learned.ticks));
    }
}
