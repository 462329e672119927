//! Travel times between the nodes of a problem: supplied, estimated, or a mix of both.
//!
//! A thousand stops are a million legs and a phone has no time to waste on them: each estimate is made
//! once for both directions, without a sine and without a division.

use super::error::RouteError;
use super::geography::{Direction, Estimator, LatLng, SpeedModel};
use super::limits::MAX_LEG;
use super::problem::{Draft, End, Travel};
use super::traffic::FULL;

/// Where travel times come from.
struct Source<'d> {
    /// Given ones by place; empty when all are estimated.
    cells: &'d [Option<u32>],
    /// Number of places.
    count: usize,
    estimator: Estimator,
    directions: Vec<Option<Direction>>,
}

impl<'d> Source<'d> {
    fn new(draft: &'d Draft) -> Result<Self, RouteError> {
        let count = draft.places();
        let (cells, model): (&[Option<u32>], &SpeedModel) = match &draft.travel {
            Travel::Matrix(cells, model) => (cells, model),
            Travel::Estimated(model) => (&[], model),
        };
        model.check()?;
        if matches!(draft.travel, Travel::Matrix(..)) && cells.len() != count * count {
            return Err(RouteError::MatrixSize {
                cells: cells.len(),
                expected: count * count,
            });
        }
        let mut directions = Vec::with_capacity(count);
        for (place, at) in places(draft).iter().enumerate() {
            if at.is_some_and(|at| !at.is_valid()) {
                return Err(RouteError::Coordinates { place });
            }
            directions.push(at.map(|at| at.direction()));
        }
        Ok(Self {
            cells,
            count,
            estimator: model.estimator(),
            directions,
        })
    }

    /// The travel time between two places as given or estimated.
    fn leg(&self, from: usize, to: usize) -> Result<i32, RouteError> {
        let given = self.cells.get(from * self.count + to).copied().flatten();
        let ticks = match given {
            Some(ticks) => i64::from(ticks),
            None => self.estimate(from, to)?,
        };
        i32::try_from(ticks)
            .ok()
            .filter(|t| i64::from(*t) <= MAX_LEG)
            .ok_or(RouteError::Leg { from, to })
    }

    fn estimate(&self, from: usize, to: usize) -> Result<i64, RouteError> {
        let at = |place: usize| self.directions.get(place).copied().flatten();
        match (at(from), at(to)) {
            (Some(a), Some(b)) => Ok(self.estimator.ticks(a.distance_m(&b))),
            _ if !self.cells.is_empty() => Err(RouteError::MissingLeg { from, to }),
            (a, _) => Err(RouteError::Coordinates {
                place: if a.is_none() { from } else { to },
            }),
        }
    }
}

/// Coordinates by place.
fn places(draft: &Draft) -> Vec<Option<LatLng>> {
    let mut places = vec![draft.start.place];
    places.extend(draft.stops.iter().map(|stop| stop.place));
    if let End::Place(place) = draft.end {
        places.push(place);
    }
    places
}

/// `n × n` travel times by row; a free end costs nothing to reach.
pub(crate) fn legs(draft: &Draft) -> Result<Vec<i32>, RouteError> {
    let source = Source::new(draft)?;
    let n = draft.stops.len() + 2;
    let end = match draft.end {
        End::Free => None,
        End::Start => Some(0),
        End::Place(_) => Some(n - 1),
    };
    let mut legs = vec![0; n * n];
    for from in 0..n - 1 {
        for to in 0..n {
            let mirrored = from > to && source.cells.is_empty();
            let leg = match end {
                _ if from == to => 0,
                _ if mirrored => legs.get(to * n + from).copied().unwrap_or(0),
                _ if to + 1 < n => source.leg(from, to)?,
                Some(place) if place != from => source.leg(from, place)?,
                _ => 0,
            };
            if let Some(cell) = legs.get_mut(from * n + to) {
                *cell = leg;
            }
        }
    }
    Ok(legs)
}

/// A leg in the worst jam is still a leg.
pub(crate) fn slowest_in_range(draft: &Draft, legs: &[i32]) -> Result<(), RouteError> {
    let slowest = draft
        .traffic
        .iter()
        .flat_map(|t| t.speeds.iter().flatten())
        .min()
        .copied();
    let longest = legs.iter().max().copied().unwrap_or(0);
    match slowest {
        Some(speed) if i64::from(longest) * FULL / i64::from(speed.max(1)) > MAX_LEG => {
            Err(RouteError::Traffic)
        }
        _ => Ok(()),
    }
}
