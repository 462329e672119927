//! What is wrong with a problem. Stops are named by their index in the input, never by a person's data.

/// Why a problem cannot be planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// More than [`super::limits::MAX_STOPS`] stops.
    #[error("{count} stops are more than a route may have")]
    TooManyStops {
        /// How many there are.
        count: usize,
    },
    /// A matrix of another size than places × places.
    #[error("the matrix has {cells} cells, not {expected}")]
    MatrixSize {
        /// Cells given.
        cells: usize,
        /// Cells needed.
        expected: usize,
    },
    /// A travel time that is negative or beyond [`super::limits::MAX_LEG`].
    #[error("the travel time from place {from} to {to} is out of range")]
    Leg {
        /// Row.
        from: usize,
        /// Column.
        to: usize,
    },
    /// No travel time given and no coordinates to estimate one from.
    #[error("no travel time from place {from} to {to}")]
    MissingLeg {
        /// Row.
        from: usize,
        /// Column.
        to: usize,
    },
    /// Coordinates that are not on Earth, or not numbers.
    #[error("place {place} has no valid coordinates")]
    Coordinates {
        /// 0 is the start, then the stops, then the end.
        place: usize,
    },
    /// A window that closes before it opens.
    #[error("the window of stop {stop} closes before it opens")]
    InvertedWindow {
        /// Index of the stop.
        stop: usize,
    },
    /// A time beyond [`super::limits::MAX_TIME`], or a negative duration.
    #[error("{what} is out of range")]
    Time {
        /// Which time.
        what: &'static str,
    },
    /// A weight of 0 or beyond [`super::limits::MAX_WEIGHT`].
    #[error("the weight of stop {stop} is out of range")]
    Weight {
        /// Index of the stop.
        stop: usize,
    },
    /// An index that names no stop.
    #[error("there is no stop {stop}")]
    UnknownStop {
        /// The index.
        stop: usize,
    },
    /// A stop named twice where each may occur once.
    #[error("stop {stop} is named twice")]
    DuplicateStop {
        /// Index of the stop.
        stop: usize,
    },
    /// Pins, frozen head and precedence cannot all be kept.
    #[error("pins, frozen stops and precedence contradict each other")]
    Contradiction,
    /// Speeds or bands that make no sense.
    #[error("the traffic table is not valid")]
    Traffic,
    /// A speed model without a positive speed.
    #[error("the speed model is not valid")]
    SpeedModel,
}
