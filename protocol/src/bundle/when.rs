//! Times as a person reads them. Written out here because this crate must not depend on anything that can read a clock.

use crate::entry::Header;

/// The time at the door, with its offset.
pub(super) fn local(header: &Header) -> String {
    let offset_min = i64::from(header.utc_offset_min);
    let local_ms = header.occurred_at_ms.saturating_add(offset_min * 60_000);
    let sign = if offset_min < 0 { '-' } else { '+' };
    format!(
        "{}.{:03} {sign}{:02}:{:02}",
        civil(local_ms),
        local_ms.rem_euclid(1_000),
        offset_min.abs() / 60,
        offset_min.abs() % 60
    )
}

/// A time in UTC.
pub(super) fn utc(ms: i64) -> String {
    format!("{} UTC", civil(ms))
}

/// Date and time of day in the Gregorian calendar. Years are counted from March, so that a leap day ends one.
fn civil(ms: i64) -> String {
    const DAYS_TO_1970: i64 = 719_468;
    const DAYS_IN_400_YEARS: i64 = 146_097;
    let day = ms.div_euclid(86_400_000) + DAYS_TO_1970;
    let in_era = day.rem_euclid(DAYS_IN_400_YEARS);
    let year_of_era = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
    let day_of_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + day.div_euclid(DAYS_IN_400_YEARS) * 400 + i64::from(month <= 2);
    let second = ms.rem_euclid(86_400_000) / 1_000;
    format!(
        "{year:04}-{month:02}-{:02} {:02}:{:02}:{:02}",
        day_of_year - (153 * from_march + 2) / 5 + 1,
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_the_calendars() {
        for (ms, text) in [
            (0, "1970-01-01 00:00:00"),
            (951_782_399_999, "2000-02-28 23:59:59"),
            (951_782_400_000, "2000-02-29 00:00:00"),
            (1_786_680_000_000, "2026-08-14 04:00:00"),
            (4_107_542_400_000, "2100-03-01 00:00:00"),
            (-1, "1969-12-31 23:59:59"),
        ] {
            assert_eq!(civil(ms), text);
        }
        for ms in [i64::MIN, i64::MAX] {
            assert!(!civil(ms).is_empty());
        }
    }
}
