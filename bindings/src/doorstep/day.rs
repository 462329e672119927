//! The courier's day: shift, promise clocks, figures, load check, pickups, readings and codes.

use satchel_core::model::{day as core, sheet};
use satchel_core::rules::codes::CodeVerdict;
use satchel_core::rules::coldchain::{self, ColdReport};
use satchel_core::rules::duty::Duty;
use satchel_core::rules::kpi;
use satchel_core::rules::load;
use satchel_core::rules::pickup::{Pickup, PickupVerdict};

use super::{Word, word};
use crate::codes::{HandlingTag, PickupContents, PromiseClass, Reason};
use crate::convert::{count, id};
use crate::error::SatchelError;

/// The shift.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Shift {
    /// Working now.
    pub on: bool,
    /// Since when, Unix milliseconds.
    pub since_ms: Option<i64>,
    /// Until when the training holds; `null`: the hub has none on record (A174).
    pub training_valid_until_ms: Option<i64>,
    /// What signing out now would leave behind, in words; `null`: nothing.
    pub unsent: Option<Word>,
}

/// A running promise, the most urgent first.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PromiseClock {
    /// Where the parcel goes.
    pub stop_id: String,
    /// The carrier's number.
    pub waybill: String,
    /// What was promised.
    pub class: PromiseClass,
    /// When it runs out, Unix milliseconds.
    pub deadline_ms: i64,
    /// Time left; negative when late.
    pub left_ms: i64,
    /// How badly it is missed.
    pub breach: Word,
    /// A declared abnormal day excuses it (A018).
    pub excused: bool,
    /// How late it will be by the plan (A049).
    pub predicted_late_ms: Option<i64>,
}

/// One figure of the live sheet (A17), with what it is counted from.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Figure {
    /// Which, with its name.
    pub kpi: Word,
    /// What counts.
    pub numerator: u64,
    /// Out of what.
    pub denominator: u64,
    /// Cases in neither, because a declared abnormal day excuses them.
    pub excused: u64,
    /// Ten-thousandths, or hundredths of a parcel a day; `null` out of nothing.
    pub value: Option<u64>,
    /// A share, and not a number per day.
    pub is_share: bool,
    /// The share of proxy signatures is above its line (A035).
    pub over_line: bool,
    /// The row that defines it.
    pub row: String,
}

/// What a span of time has earned so far: an estimate, the payroll decides (A147).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Earnings {
    /// ISO 4217 code.
    pub currency: String,
    /// Sum in minor units (fen, cent).
    pub total_minor: i64,
}

/// Stars by the operator's table, with every input (A146, PIPL Art 24): an estimate, a person at the hub
/// confirms every change.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Stars {
    /// By the operator's books.
    pub level_by_hub: Option<u8>,
    /// What the last thirty days would give; `null` while the operator has sent no table.
    pub estimate: Option<u8>,
    /// What the estimate was worked out from.
    pub inputs: Vec<StarInput>,
}

/// One goal of the star table, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct StarInput {
    /// Which figure.
    pub kpi: Word,
    /// The goal, in the unit of the figure's value.
    pub goal: u64,
    /// At least the goal; otherwise at most.
    pub at_least: bool,
    /// Weight it carries.
    pub weight: u32,
    /// What counts.
    pub numerator: u64,
    /// Out of what.
    pub denominator: u64,
    /// Whether the goal is met.
    pub met: bool,
}

/// What a scan at the vehicle meant (A204).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LoadScan {
    /// For the sound and the colour: `OK`, `MISSORT`, `SURPLUS`, `AMBIGUOUS` or `NOT_A_PARCEL`.
    pub result: Word,
    /// The round it belongs to, for a missort.
    pub other_round: Option<String>,
    /// Parcels on the vehicle now.
    pub loaded: u32,
    /// Parcels that belong on it.
    pub expected: u32,
}

/// The load check of a round.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LoadCheck {
    /// Ids of the parcels on the vehicle.
    pub loaded: Vec<String>,
    /// Ids of those that are missing.
    pub missing: Vec<String>,
    /// Numbers to hand back: of other rounds, or announced by nobody.
    pub to_hand_back: Vec<String>,
    /// Numbers scanned, each once.
    pub distinct_scans: u64,
}

/// A parcel at its sender's: one check, two questions, three labels (A198–A200).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PickupRequest {
    /// The parcel.
    pub parcel_id: String,
    /// When the courier arrived, Unix milliseconds (A164).
    pub arrived_at_ms: i64,
    /// Result of the identity check; the document is never handed in.
    #[uniffi(default = None)]
    pub sender_checked: Option<bool>,
    /// What the look inside showed.
    #[uniffi(default = None)]
    pub contents: Option<PickupContents>,
    /// The promise the sender chose.
    #[uniffi(default = None)]
    pub time_need: Option<PromiseClass>,
    /// The special wish; empty when he was asked and has none.
    #[uniffi(default = None)]
    pub wishes: Option<String>,
    /// Tags that follow from the contents.
    #[uniffi(default = [])]
    pub tags: Vec<HandlingTag>,
    /// Tags whose label is on the parcel.
    #[uniffi(default = [])]
    pub handling_labels: Vec<HandlingTag>,
    /// The waybill is on the parcel.
    #[uniffi(default = false)]
    pub waybill_label: bool,
    /// The label that says it was inspected is on it.
    #[uniffi(default = false)]
    pub inspection_label: bool,
    /// The number was scanned.
    #[uniffi(default = false)]
    pub scanned: bool,
    /// Packaging taken back for reuse, in pieces (A211).
    #[uniffi(default = 0)]
    pub packaging_taken_back: u32,
}

/// How a pickup ended.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum PickupOutcome {
    /// Recorded; the parcel is on the vehicle.
    Accepted {
        /// What was promised to the sender.
        class: PromiseClass,
    },
    /// Nothing was recorded: steps are missing.
    Incomplete {
        /// Which, in their order.
        missing: Vec<Word>,
    },
    /// Recorded as not taken.
    NotAccepted {
        /// Why.
        reason: Reason,
    },
}

/// A reading of a thermometer (A039).
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct TemperatureSample {
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// Hundredths of a degree Celsius.
    pub centi_c: i32,
}

/// What the readings of a parcel show.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TemperatureReport {
    /// Readings that count.
    pub samples: u32,
    /// Lowest, hundredths of a degree Celsius.
    pub min_centi_c: Option<i32>,
    /// Highest, hundredths of a degree Celsius.
    pub max_centi_c: Option<i32>,
    /// Runs beyond a limit.
    pub excursions: u32,
    /// Times nobody watched.
    pub gaps: u32,
    /// Watched throughout and never beyond the limits.
    pub unbroken: bool,
}

/// What came of a try of the recipient's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum CodeCheck {
    /// It is the recipient's code.
    Matches,
    /// It is not.
    Wrong {
        /// Tries left.
        left: u8,
    },
    /// Taken down; the hub will say.
    AwaitsHub {
        /// Tries left.
        left: u8,
    },
}

impl Shift {
    pub(crate) fn new(view: &core::DutyView, unsent: Option<Word>) -> Self {
        let since_ms = match view.duty {
            Duty::Off => None,
            Duty::On { since_ms } => Some(since_ms),
        };
        Self {
            on: since_ms.is_some(),
            since_ms,
            training_valid_until_ms: view.training_valid_until_ms,
            unsent,
        }
    }
}

impl From<sheet::ClockView> for PromiseClock {
    fn from(clock: sheet::ClockView) -> Self {
        Self {
            stop_id: clock.stop_id.to_string(),
            waybill: clock.waybill,
            class: clock.class,
            deadline_ms: clock.promise.deadline_ms,
            left_ms: clock.promise.left_ms,
            breach: word!(clock.promise.breach),
            excused: clock.promise.excused,
            predicted_late_ms: clock.promise.predicted_late_ms,
        }
    }
}

impl From<sheet::SheetLine> for Figure {
    fn from(line: sheet::SheetLine) -> Self {
        Self {
            kpi: word!(line.figure.kpi),
            numerator: line.figure.numerator,
            denominator: line.figure.denominator,
            excused: line.figure.excused,
            value: line.value,
            is_share: line.figure.kpi.is_share(),
            over_line: line.over_line,
            row: line.row.to_owned(),
        }
    }
}

impl From<kpi::Earnings> for Earnings {
    fn from(earnings: kpi::Earnings) -> Self {
        Self {
            currency: earnings.currency,
            total_minor: earnings.total_minor,
        }
    }
}

impl From<sheet::StarsView> for Stars {
    fn from(stars: sheet::StarsView) -> Self {
        let inputs = stars.estimate.iter().flat_map(|estimate| &estimate.inputs);
        Self {
            level_by_hub: stars.level_by_hub,
            estimate: stars.estimate.as_ref().map(|estimate| estimate.level),
            inputs: inputs
                .map(|input| StarInput {
                    kpi: word!(input.goal.kpi),
                    goal: input.goal.goal,
                    at_least: input.goal.direction == kpi::Direction::AtLeast,
                    weight: input.goal.weight,
                    numerator: input.figure.numerator,
                    denominator: input.figure.denominator,
                    met: input.met,
                })
                .collect(),
        }
    }
}

impl From<core::LoadScanResult> for LoadScan {
    fn from(scan: core::LoadScanResult) -> Self {
        use load::ScanResult as R;
        let (result, other_round) = match scan.result {
            R::Expected(_) => (Word::listed("OK", "本车快件", "Of this round"), None),
            R::Missort { round } => (
                Word::listed("MISSORT", "错分件,请交回", "Of another round: hand it back"),
                Some(round),
            ),
            R::Surplus => (
                Word::listed(
                    "SURPLUS",
                    "未预报件,请交回",
                    "Announced by nobody: hand it back",
                ),
                None,
            ),
            R::Ambiguous(_) => (
                Word::listed(
                    "AMBIGUOUS",
                    "单号重复,请人工核对",
                    "Several parcels have this number",
                ),
                None,
            ),
            R::NotAParcel => (
                Word::listed("NOT_A_PARCEL", "不是快件条码", "No parcel's code"),
                None,
            ),
        };
        Self {
            result,
            other_round,
            loaded: scan.loaded,
            expected: scan.expected,
        }
    }
}

impl From<load::LoadReport> for LoadCheck {
    fn from(report: load::LoadReport) -> Self {
        Self {
            loaded: report.loaded.iter().map(ToString::to_string).collect(),
            missing: report.missing.iter().map(ToString::to_string).collect(),
            to_hand_back: report.missorts.into_keys().chain(report.surplus).collect(),
            distinct_scans: report.distinct_scans,
        }
    }
}

impl TryFrom<PickupRequest> for core::PickupInput {
    type Error = SatchelError;

    fn try_from(request: PickupRequest) -> Result<Self, SatchelError> {
        Ok(Self {
            parcel: id(&request.parcel_id, "parcel_id")?,
            pickup: Pickup {
                sender_checked: request.sender_checked,
                contents: request.contents,
                time_need: request.time_need,
                wishes: request.wishes,
                tags: request.tags,
                waybill_label: request.waybill_label,
                handling_labels: request.handling_labels,
                inspection_label: request.inspection_label,
                scanned: request.scanned,
                photos: 0,
                packaging_taken_back: request.packaging_taken_back,
            },
            draft: None,
            arrived_at_ms: request.arrived_at_ms,
        })
    }
}

impl From<PickupVerdict> for PickupOutcome {
    fn from(verdict: PickupVerdict) -> Self {
        match verdict {
            PickupVerdict::Accepted { class } => Self::Accepted { class },
            PickupVerdict::Incomplete { missing } => Self::Incomplete {
                missing: missing.into_iter().map(|step| word!(step)).collect(),
            },
            PickupVerdict::NotAccepted { reason } => Self::NotAccepted { reason },
        }
    }
}

impl From<TemperatureSample> for coldchain::Sample {
    fn from(sample: TemperatureSample) -> Self {
        Self {
            at_ms: sample.at_ms,
            centi_c: sample.centi_c,
        }
    }
}

impl From<ColdReport> for TemperatureReport {
    fn from(report: ColdReport) -> Self {
        Self {
            unbroken: report.is_unbroken(),
            samples: count(report.samples),
            min_centi_c: report.min_centi_c,
            max_centi_c: report.max_centi_c,
            excursions: count(report.excursions.len()),
            gaps: count(report.gaps.len()),
        }
    }
}

impl From<CodeVerdict> for CodeCheck {
    fn from(verdict: CodeVerdict) -> Self {
        match verdict {
            CodeVerdict::Matches => Self::Matches,
            CodeVerdict::Wrong { left } => Self::Wrong { left },
            CodeVerdict::AwaitsHub { left } => Self::AwaitsHub { left },
        }
    }
}
