//! Re-sequencing: the courier's remaining stops in the best order, from where he stands (A011–A017).
//!
//! Pure and deterministic: no I/O, no clock of its own, the same bytes for the same problem, seed and
//! budget. Lateness at the start of service counts first, weighted; then the end of the route.
//!
//! | to learn about | read |
//! |---|---|
//! | what can be asked | [`problem`], [`geography`], [`error`] |
//! | what comes out | [`plan`], [`mod@replan`], [`eta`] |
//! | how orders are priced | `evaluate`, `timeline` (fast), `obvious` (slow, the tests' reference) |
//! | how better ones are found | `moves`, `search`, `rebuild`, `phase`, `improve` |

pub mod budget;
mod compile;
mod construct;
mod departure;
pub mod error;
pub mod eta;
mod evaluate;
pub mod geography;
mod improve;
#[cfg(test)]
mod input_tests;
mod kernel;
mod legs;
pub mod limits;
mod moves;
#[cfg(test)]
mod obvious;
mod phase;
pub mod plan;
#[cfg(test)]
mod plan_tests;
pub mod problem;
mod random;
mod rebuild;
pub mod replan;
mod rules;
mod search;
mod sort;
mod table;
#[cfg(test)]
mod tests;
mod timeline;
mod traffic;

pub use budget::{Budget, Guard, Patient};
pub use compile::Problem;
pub use error::RouteError;
pub use eta::{Eta, Learned, Uncertainty, etas, learn_service};
pub use geography::{Direction, LatLng, SpeedModel};
pub use plan::{Plan, Visit, Why, kept_pairs, kept_plan, solve, timetable_of};
pub use problem::{Break, Draft, End, Objective, Pin, Start, Stop, Traffic, Travel};
pub use replan::{Event, NewLegs, Replanned, replan};
