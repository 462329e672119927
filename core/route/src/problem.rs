//! The problem as the caller states it: plain data, checked once by [`super::Problem::new`].
//!
//! A *tick* is whatever the caller counts time in; the product uses seconds. Places are numbered 0 for
//! the start, then the stops in their sequence, then the end if it is a place of its own.

use super::geography::{LatLng, SpeedModel};

/// What is minimised. Weighted lateness at the start of service always comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Objective {
    /// When the route is finished.
    #[default]
    Completion,
    /// The sum of travel times, waiting not counted: the classic objective of the literature.
    Travel,
    /// From departure to finish, with the departure free within [`Start::latest`].
    Duration,
}

/// Where and when the route starts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Start {
    /// Not before this tick.
    pub earliest: i64,
    /// Not after this tick; only [`Objective::Duration`] uses the choice.
    pub latest: i64,
    /// Where, if known.
    pub place: Option<LatLng>,
}

/// Where the route ends.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum End {
    /// With the service at the last stop.
    #[default]
    Free,
    /// Back at the start.
    Start,
    /// At a place of its own, the last of the matrix.
    Place(Option<LatLng>),
}

/// A place of the order that a stop must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    /// Next, after the frozen ones.
    First,
    /// At the end.
    Last,
    /// At this index, 0 for the first.
    At(usize),
}

/// A remaining stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stop {
    /// Service may start in `open..=close`; earlier waits, later is late.
    pub open: i64,
    /// See `open`.
    pub close: i64,
    /// Ticks from the start of service until leaving.
    pub service: i64,
    /// What a tick of lateness counts (A013: priority, time-sensitivity, promise class).
    pub weight: u16,
    /// Zone for coherence and traffic, 0 for none.
    pub zone: u16,
    /// See [`Pin`].
    pub pin: Option<Pin>,
    /// Where, if known.
    pub place: Option<LatLng>,
}

impl Default for Stop {
    fn default() -> Self {
        let far = super::limits::MAX_TIME;
        Self {
            open: -far,
            close: far,
            service: 0,
            weight: 1,
            zone: 0,
            pin: None,
            place: None,
        }
    }
}

/// Travel times at full speed.
#[derive(Debug, Clone, PartialEq)]
pub enum Travel {
    /// Places × places by row. `None` where unknown: estimated from the coordinates with the model.
    Matrix(Vec<Option<u32>>, SpeedModel),
    /// All estimated from the coordinates.
    Estimated(SpeedModel),
}

/// Speeds by zone and time of day (A012), in millionths of full speed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Where each band but the last ends, ascending.
    pub band_ends: Vec<i64>,
    /// Per class of leg, one speed per band. Speeds are in `1..=1_000_000`: travel times are given for
    /// the best case, so that they remain lower bounds.
    pub speeds: Vec<Vec<u32>>,
    /// Class of each leg (places × places by row); empty for the zone of the stop it leaves.
    pub classes: Vec<u8>,
}

/// A pause of the courier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// When it begins.
    pub at: i64,
    /// How long it lasts.
    pub span: i64,
}

/// Everything that is known before planning.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// See [`Objective`].
    pub objective: Objective,
    /// See [`Start`].
    pub start: Start,
    /// See [`End`].
    pub end: End,
    /// The remaining stops.
    pub stops: Vec<Stop>,
    /// See [`Travel`].
    pub travel: Travel,
    /// When the shift ends, and what a tick beyond counts.
    pub shift_end: Option<(i64, u16)>,
    /// The next stops in this sequence, not to be changed.
    pub frozen: Vec<usize>,
    /// Pickups before their deliveries.
    pub before: Vec<(usize, usize)>,
    /// Breaks, ascending and apart.
    pub breaks: Vec<Break>,
    /// See [`Traffic`].
    pub traffic: Option<Traffic>,
    /// Ticks that a leg into another zone counts extra (couriers refuse zone-hopping).
    pub zone_change: u16,
    /// The order the courier knows, and the ticks that changing a next stop counts extra.
    pub known: Option<(Vec<usize>, u16)>,
}

impl Draft {
    /// A draft with the usual choices: completion time, free end, no rules.
    #[must_use]
    pub fn new(start: Start, stops: Vec<Stop>, travel: Travel) -> Self {
        Self {
            objective: Objective::default(),
            start,
            end: End::default(),
            stops,
            travel,
            shift_end: None,
            frozen: Vec::new(),
            before: Vec::new(),
            breaks: Vec::new(),
            traffic: None,
            zone_change: 0,
            known: None,
        }
    }

    /// Number of places: start, stops, and the end if it is one.
    #[must_use]
    pub fn places(&self) -> usize {
        self.stops.len() + 1 + usize::from(matches!(self.end, End::Place(_)))
    }
}
