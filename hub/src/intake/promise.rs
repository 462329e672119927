//! When a promise runs out (A001, A002, A007–A010).
//!
//! Hours count from acceptance. The day classes promise a part of the local calendar day, which ends
//! with the carrier's delivery hours and not at midnight, when nobody opens the door.

use satchel_protocol::taxonomy::PromiseClass;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Doors are closed afterwards; the end of "today" and "tomorrow".
const DAY_ENDS_MS: i64 = 22 * HOUR_MS;
/// Accepted before noon, a half-day parcel comes by the evening; otherwise by the next noon.
const NOON_MS: i64 = 12 * HOUR_MS;
const EVENING_MS: i64 = 18 * HOUR_MS;

/// The deadline, Unix milliseconds.
pub(super) fn promised_by_ms(class: PromiseClass, accepted_ms: i64, utc_offset_min: i32) -> i64 {
    if let Some(limit_ms) = class.limit_ms() {
        return accepted_ms.saturating_add(limit_ms);
    }
    let offset_ms = i64::from(utc_offset_min) * 60_000;
    let local_ms = accepted_ms.saturating_add(offset_ms);
    let since_midnight_ms = local_ms.rem_euclid(DAY_MS);
    let midnight_ms = local_ms - since_midnight_ms - offset_ms;
    midnight_ms
        + match class {
            PromiseClass::HalfDay if since_midnight_ms < NOON_MS => EVENING_MS,
            PromiseClass::HalfDay => DAY_MS + NOON_MS,
            PromiseClass::SameDay => DAY_ENDS_MS,
            PromiseClass::NextDay => DAY_MS + DAY_ENDS_MS,
            _ => 2 * DAY_MS + DAY_ENDS_MS,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-08-14 08:30 in China.
    const ACCEPTED: i64 = 1_786_667_400_000;
    const CHINA: i32 = 480;

    #[test]
    fn hours_count_from_acceptance_and_days_end_in_the_evening_of_the_place() {
        let by = |class, at| promised_by_ms(class, at, CHINA) - at;
        assert_eq!(by(PromiseClass::SameCity, ACCEPTED), 12 * HOUR_MS);
        assert_eq!(
            by(PromiseClass::HalfDay, ACCEPTED),
            9 * HOUR_MS + HOUR_MS / 2
        );
        assert_eq!(
            by(PromiseClass::HalfDay, ACCEPTED + 5 * HOUR_MS),
            22 * HOUR_MS + HOUR_MS / 2
        );
        assert_eq!(
            by(PromiseClass::SameDay, ACCEPTED),
            13 * HOUR_MS + HOUR_MS / 2
        );
        assert_eq!(
            by(PromiseClass::NextDay, ACCEPTED),
            37 * HOUR_MS + HOUR_MS / 2
        );
        assert_eq!(
            by(PromiseClass::SecondDay, ACCEPTED),
            61 * HOUR_MS + HOUR_MS / 2
        );
        // Half past midnight in China is still the day before in UTC.
        let early = ACCEPTED - 8 * HOUR_MS;
        assert_eq!(by(PromiseClass::SameDay, early), 21 * HOUR_MS + HOUR_MS / 2);
    }
}
