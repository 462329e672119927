//! The courier's own figures as the host shows them: each with what it was counted from.

use satchel_protocol::ids::StopId;
use satchel_protocol::taxonomy::{PromiseClass, Reason};

use crate::rules::coded::Text;
use crate::rules::kpi::{Figure, PointEntry, StarView, Window};
use crate::rules::promise::{ExceptionRegime, PromiseView};

/// The promises that are running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clocks {
    /// Least time left first.
    pub clocks: Vec<ClockView>,
    /// Abnormal days that hold now (A018).
    pub regimes: Vec<ExceptionRegime>,
    /// The reason they preselect.
    pub preselected: Option<Reason>,
}

/// One promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockView {
    /// Where the parcel goes.
    pub stop_id: StopId,
    /// The carrier's number.
    pub waybill: String,
    /// What was promised.
    pub class: PromiseClass,
    /// Deadline, time left, breach, and how late it will be by the plan (A049).
    pub promise: PromiseView,
}

/// The live sheet (A17).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Over which time, event time.
    pub window: Window,
    /// Every figure, in the order of the list.
    pub lines: Vec<SheetLine>,
}

/// One figure of the sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetLine {
    /// Numerator, denominator, excused cases, window.
    pub figure: Figure,
    /// Ten-thousandths, or hundredths of a parcel a day; nothing out of nothing.
    pub value: Option<u64>,
    /// The share of proxy signatures is above its line (A035).
    pub over_line: bool,
    /// The row of the requirements that defines it.
    pub row: &'static str,
    /// Its name.
    pub name: Text,
}

/// The points ledger (A143).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointsView {
    /// Carried over, and what stands.
    pub balance: i64,
    /// From before this phone knew.
    pub carried_over: i64,
    /// What counts, each with its cause.
    pub standing: Vec<PointEntry>,
    /// What was taken back by a correction; shown, never deleted.
    pub reversed: Vec<PointEntry>,
}

/// Stars with every input (A146, PIPL Art 24).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarsView {
    /// By the operator's books.
    pub level_by_hub: Option<u8>,
    /// What the last thirty days would give by the operator's table, if there is one.
    pub estimate: Option<StarView>,
}
