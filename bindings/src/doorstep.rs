//! What a courier records beside the attempt: consents on the spot, calls, reports, corrections, and what
//! is known of a parcel. Thin records over the core's values; every text comes ready to show.

mod consent;
mod contact;
mod day;
mod history;

pub use consent::{Consent, ConsentEvidence, ConsentRequest};
pub use contact::{Call, CallRequest, Remedy, Report, ReportRequest};
pub use day::{
    CodeCheck, Earnings, Figure, LoadCheck, LoadScan, PickupOutcome, PickupRequest, PromiseClock,
    Shift, StarInput, Stars, TemperatureReport, TemperatureSample,
};
pub(crate) use history::state_word;
pub use history::{CorrectionKind, CorrectionRequest, HistoryLine, ParcelHistory};

use satchel_core::rules::coded::Text;

/// A value of a code list or a sentence, in both languages.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Word {
    /// Its stable code; empty for a sentence.
    pub code: String,
    /// What to show, in Chinese.
    pub text_zh: String,
    /// What to show, in English.
    pub text_en: String,
}

impl Word {
    pub(crate) fn listed(code: &str, zh: &str, en: &str) -> Self {
        Self {
            code: code.to_owned(),
            text_zh: zh.to_owned(),
            text_en: en.to_owned(),
        }
    }

    pub(crate) fn sentence(text: Text) -> Self {
        Self {
            code: String::new(),
            text_zh: text.zh,
            text_en: text.en,
        }
    }
}

/// A value of any of the core's code lists.
macro_rules! word {
    ($value:expr) => {{
        let value = $value;
        $crate::doorstep::Word::listed(value.code(), value.zh(), value.en())
    }};
}
pub(crate) use word;
