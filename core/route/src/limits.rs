//! Bounds on input: they keep every sum of the search inside an `i64`.

/// Most stops in one problem.
pub const MAX_STOPS: usize = 2_000;
/// Largest travel or service time, in ticks.
pub const MAX_LEG: i64 = 1 << 28;
/// Largest magnitude of a clock reading, in ticks.
pub const MAX_TIME: i64 = 1 << 36;
/// Largest weight of a stop's lateness.
pub const MAX_WEIGHT: u16 = 1_000;
/// Most breaks on a route.
pub const MAX_BREAKS: usize = 16;
