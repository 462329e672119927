//! Numbers and codes as people read them.

use chrono::{DateTime, FixedOffset};
use satchel_protocol::taxonomy::{
    Action, CallResult, ConsentChannel, HandoffKind, IdentityMethod, InspectionResult, Outcome,
    PromiseClass, ProofKind, RatingFlag, Reason, Relation,
};
use satchel_protocol::transitions::{ParcelState, Step};

use crate::i18n::Lang;

/// `08-14 15:01:07` at an offset from UTC.
pub(super) fn time(ms: i64, utc_offset_min: i32) -> String {
    let zone = FixedOffset::east_opt(utc_offset_min.saturating_mul(60));
    match (DateTime::from_timestamp_millis(ms), zone) {
        (Some(t), Some(zone)) => t.with_timezone(&zone).format("%m-%d %H:%M:%S").to_string(),
        _ => "–".to_owned(),
    }
}

/// `08-14 15:01`: what a customer needs of a time.
pub(super) fn minute(ms: i64, utc_offset_min: i32) -> String {
    let mut text = time(ms, utc_offset_min);
    text.truncate(11);
    text
}

/// `UTC+08:00`.
pub(super) fn zone(utc_offset_min: i32) -> String {
    let sign = if utc_offset_min < 0 { '-' } else { '+' };
    let abs = utc_offset_min.unsigned_abs();
    format!("UTC{sign}{:02}:{:02}", abs / 60, abs % 60)
}

/// How long, in the largest unit that says enough.
pub(super) fn span(ms: i64, lang: Lang) -> String {
    let t = lang.texts();
    let sign = if ms < 0 { "−" } else { "" };
    let s = ms.unsigned_abs() / 1_000;
    match s {
        0..120 => format!("{sign}{s} {}", t.unit_s),
        120..7_200 => format!("{sign}{} {}", s / 60, t.unit_min),
        _ => format!("{sign}{}.{} {}", s / 3_600, s % 3_600 / 360, t.unit_h),
    }
}

/// `★★★★☆`.
pub(super) fn stars(n: i64) -> String {
    let full = usize::try_from(n.clamp(0, 5)).unwrap_or(0);
    format!("{}{}", "★".repeat(full), "☆".repeat(5 - full))
}

macro_rules! labels {
    ($( $fn_name:ident: $list:ident; )+) => {
        $(
            /// A stored code in the reader's language; one of a newer phone as it is.
            pub(super) fn $fn_name(code: &str, lang: Lang) -> String {
                match ($list::from_code(code), lang) {
                    (Ok(known), Lang::Zh) => known.zh().to_owned(),
                    (Ok(known), Lang::En) => known.en().to_owned(),
                    (Err(_), _) => code.to_owned(),
                }
            }
        )+
    };
}

labels! {
    outcome: Outcome;
    handoff: HandoffKind;
    reason: Reason;
    action: Action;
    relation: Relation;
    inspection: InspectionResult;
    identity: IdentityMethod;
    proof_kind: ProofKind;
    promise_class: PromiseClass;
    call_result: CallResult;
    consent_channel: ConsentChannel;
    parcel_state: ParcelState;
    step: Step;
    rating_flag: RatingFlag;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_spans_and_stars_read_well() {
        assert_eq!(time(1_755_154_867_000, 480), "08-14 15:01:07");
        assert_eq!(zone(480), "UTC+08:00");
        assert_eq!(zone(-210), "UTC-03:30");
        assert_eq!(span(45_000, Lang::En), "45 s");
        assert_eq!(span(600_000, Lang::Zh), "10 分钟");
        assert_eq!(span(9_000_000, Lang::En), "2.5 h");
        assert_eq!(span(-3_000, Lang::En), "−3 s");
        assert_eq!(stars(4), "★★★★☆");
        assert_eq!(outcome("delivered", Lang::En), "Delivered");
        assert_eq!(reason("FROM_THE_FUTURE", Lang::Zh), "FROM_THE_FUTURE");
    }
}
