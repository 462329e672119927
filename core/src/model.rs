//! The nouns of the courier's day, as the host sees them: values only, no behaviour, no storage.

pub mod attempt;
pub mod consent;
pub mod day;
pub mod doubt;
pub mod history;
pub mod plan;
pub mod sheet;
pub mod status;
pub mod stop;
pub mod storage;
pub mod wedge;
