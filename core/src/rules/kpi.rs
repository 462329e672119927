//! The courier's own figures, offline: each with numerator, denominator and window (A17, A171).
//!
//! Everything is counted from what happened by event time, in whole numbers; a share is worked out last
//! and in ten-thousandths, so that the phone and the hub can never round one figure to two values. A
//! figure without a denominator has no value instead of a pretty one.

mod earnings;
mod points;
mod sheet;
mod stars;

pub use earnings::{Earnings, EarningsFault, EarningsLine, PieceKind, Tariff, estimate};
pub use points::{Ledger, PointEntry, PointRule, PointValues};
pub use sheet::{
    Facts, Figure, HandedOver, Kpi, OpenPromise, PROXY_LINE_PERCENT, PickupFact, VisitFact,
    VisitResult, Window, sheet,
};
pub use stars::{Direction, StarGoal, StarInput, StarRules, StarView, stars};

#[cfg(test)]
mod tests;
