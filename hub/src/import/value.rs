//! One cell of text to one value of a type: times, decimals, phones, yes or no.

use chrono::format::{Fixed, Item, Numeric, Parsed, StrftimeItems};
use chrono::{DateTime, Datelike, FixedOffset, NaiveDate};

use super::mapping_file::TimeSpec;
use super::problem::RowProblem;

/// Years a delivery can be in. Anything else is a wrong pattern or a wrong default year.
const YEARS: std::ops::RangeInclusive<i32> = 2000..=2099;
/// The widest offsets on earth, in minutes.
const MAX_OFFSET_MIN: i32 = 14 * 60;
/// A phone number with all its layout.
const MAX_PHONE_CHARS: usize = 40;
/// Digits and stars of a phone number, extension included.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 5..=24;

/// Why a time format was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TimeFormatError {
    /// Not a strftime pattern.
    #[error("the time format is not a strftime pattern")]
    Pattern,
    /// No day or no time of day in it.
    #[error("the time format needs a month, a day and an hour")]
    Incomplete,
    /// No year anywhere.
    #[error("the time format has no year: give `default_year` between 2000 and 2099")]
    NoYear,
    /// A default year beside a pattern that has its own.
    #[error("the time format has a year: `default_year` would never be used")]
    TwoYears,
    /// An offset no place on earth has.
    #[error("`utc_offset_min` must be between -840 and 840")]
    Offset,
}

/// How times are written in a file.
#[derive(Debug, Clone)]
pub(super) struct TimeFormat {
    style: Style,
    pub(super) utc_offset_min: i32,
}

#[derive(Debug, Clone)]
enum Style {
    Rfc3339,
    EpochS,
    EpochMs,
    Pattern {
        items: Vec<Item<'static>>,
        default_year: Option<i32>,
    },
}

impl TimeFormat {
    /// `format` is `rfc3339`, `epoch_s`, `epoch_ms` or a strftime pattern. The offset is that of
    /// the place: it makes instants of times without a zone, and gives the service date of all.
    pub(super) fn new(spec: &TimeSpec) -> Result<Self, TimeFormatError> {
        if spec.utc_offset_min.abs() > MAX_OFFSET_MIN {
            return Err(TimeFormatError::Offset);
        }
        let style = match spec.format.as_str() {
            "rfc3339" => Style::Rfc3339,
            "epoch_s" => Style::EpochS,
            "epoch_ms" => Style::EpochMs,
            pattern => pattern_style(pattern, spec.default_year)?,
        };
        if !matches!(style, Style::Pattern { .. }) && spec.default_year.is_some() {
            return Err(TimeFormatError::TwoYears);
        }
        Ok(Self {
            style,
            utc_offset_min: spec.utc_offset_min,
        })
    }

    /// Milliseconds since 1970 UTC.
    ///
    /// `after_ms` is an instant that a time without a year cannot be long before: a parcel accepted
    /// on 31 December and delivered on 1 January was not delivered a year early.
    pub(super) fn instant_ms(&self, text: &str, after_ms: Option<i64>) -> Result<i64, RowProblem> {
        let offset = FixedOffset::east_opt(self.utc_offset_min * 60).ok_or(RowProblem::NotATime)?;
        let instant = match &self.style {
            Style::Rfc3339 => DateTime::parse_from_rfc3339(text).ok(),
            Style::EpochS => text
                .parse()
                .ok()
                .and_then(|s| DateTime::from_timestamp(s, 0))
                .map(Into::into),
            Style::EpochMs => text
                .parse()
                .ok()
                .and_then(DateTime::from_timestamp_millis)
                .map(Into::into),
            Style::Pattern {
                items,
                default_year,
            } => with_pattern(text, items, *default_year, offset, after_ms),
        };
        let instant = instant.ok_or(RowProblem::NotATime)?.with_timezone(&offset);
        if !YEARS.contains(&instant.year()) {
            return Err(RowProblem::YearRange);
        }
        Ok(instant.timestamp_millis())
    }
}

/// The day of an instant where the file comes from.
pub(super) fn local_date(instant_ms: i64, utc_offset_min: i32) -> NaiveDate {
    let shifted = instant_ms.saturating_add(i64::from(utc_offset_min) * 60_000);
    // Instants are within YEARS, so the fallback is never met.
    DateTime::from_timestamp_millis(shifted)
        .unwrap_or_default()
        .date_naive()
}

fn pattern_style(pattern: &str, default_year: Option<i32>) -> Result<Style, TimeFormatError> {
    let items = StrftimeItems::new(pattern)
        .parse_to_owned()
        .map_err(|_| TimeFormatError::Pattern)?;
    let any = |test: fn(&Item<'_>) -> bool| items.iter().any(test);
    let whole_instant = any(|item| {
        matches!(
            item,
            Item::Numeric(Numeric::Timestamp, _) | Item::Fixed(Fixed::RFC3339 | Fixed::RFC2822)
        )
    });
    let has_year =
        any(|item| matches!(item, Item::Numeric(Numeric::Year | Numeric::YearMod100, _)));
    let has_day = any(|item| matches!(item, Item::Numeric(Numeric::Ordinal, _)))
        || any(|item| matches!(item, Item::Numeric(Numeric::Day, _)))
            && any(|item| {
                matches!(
                    item,
                    Item::Numeric(Numeric::Month, _)
                        | Item::Fixed(Fixed::ShortMonthName | Fixed::LongMonthName)
                )
            });
    let has_hour = any(|item| matches!(item, Item::Numeric(Numeric::Hour, _)))
        || any(|item| matches!(item, Item::Numeric(Numeric::Hour12, _)))
            && any(|item| matches!(item, Item::Fixed(Fixed::LowerAmPm | Fixed::UpperAmPm)));
    if !(whole_instant || has_day && has_hour) {
        return Err(TimeFormatError::Incomplete);
    }
    match (whole_instant || has_year, default_year) {
        (true, Some(_)) => Err(TimeFormatError::TwoYears),
        (true, None) => Ok(Style::Pattern {
            items,
            default_year: None,
        }),
        (false, Some(year)) if YEARS.contains(&year) => Ok(Style::Pattern {
            items,
            default_year: Some(year),
        }),
        (false, _) => Err(TimeFormatError::NoYear),
    }
}

fn with_pattern(
    text: &str,
    items: &[Item<'static>],
    default_year: Option<i32>,
    offset: FixedOffset,
    after_ms: Option<i64>,
) -> Option<DateTime<FixedOffset>> {
    let mut parsed = Parsed::new();
    chrono::format::parse(&mut parsed, text, items.iter()).ok()?;
    if parsed.minute().is_none() && parsed.timestamp().is_none() {
        parsed.set_minute(0).ok()?;
    }
    let at = |mut parsed: Parsed, year: Option<i32>| {
        if let Some(year) = year {
            parsed.set_year(i64::from(year)).ok()?;
        }
        if parsed.offset().is_some() || parsed.timestamp().is_some() {
            return parsed
                .to_datetime()
                .or_else(|_| parsed.to_datetime_with_timezone(&offset))
                .ok();
        }
        parsed.to_datetime_with_timezone(&offset).ok()
    };
    let instant = at(parsed.clone(), default_year)?;
    /// Half a year: nearer to "next year" than to "this year".
    const HALF_YEAR_MS: i64 = 183 * 24 * 3_600_000;
    match (default_year, after_ms) {
        (Some(year), Some(after_ms)) if after_ms - instant.timestamp_millis() > HALF_YEAR_MS => {
            at(parsed, Some(year + 1))
        }
        _ => Some(instant),
    }
}

/// A finite decimal. `f64`'s own parser also takes `NaN` and `inf`, which no coordinate column
/// means, and would take a point where the file writes a comma.
pub(super) fn decimal(text: &str, comma: bool) -> Result<f64, RowProblem> {
    let point = if comma { ',' } else { '.' };
    // JSON writes small numbers with an exponent.
    if !text
        .chars()
        .all(|c| c.is_ascii_digit() || c == point || matches!(c, '-' | '+' | 'e' | 'E'))
    {
        return Err(RowProblem::NotANumber);
    }
    let number: Result<f64, _> = if comma {
        text.replace(',', ".").parse()
    } else {
        text.parse()
    };
    number
        .ok()
        .filter(|number| number.is_finite())
        .ok_or(RowProblem::NotANumber)
}

/// A phone number as people write them: masked with stars (A038), spaced, with `+` or an extension.
pub(super) fn phone(number: &str) -> Result<String, RowProblem> {
    let text = text(number, MAX_PHONE_CHARS)?;
    let significant = text
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == '*')
        .count();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let rest_is_layout = text.chars().all(|c| {
        c.is_ascii_digit() || matches!(c, '*' | '+' | '-' | ' ' | '(' | ')' | ',' | '#' | '转')
    });
    if PHONE_DIGITS.contains(&significant) && digits >= 2 && rest_is_layout {
        Ok(text)
    } else {
        Err(RowProblem::NotAPhone)
    }
}

/// Yes or no, as exports write it.
pub(super) fn boolean(text: &str) -> Result<bool, RowProblem> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "1" | "是" => Ok(true),
        "false" | "no" | "n" | "0" | "否" => Ok(false),
        _ => Err(RowProblem::NotABoolean),
    }
}

/// A text short enough and fit to be shown on one line.
pub(super) fn text(text: &str, max_chars: usize) -> Result<String, RowProblem> {
    // Line breaks inside a quoted address are layout of the exporting system.
    let one_line = text
        .split(['\r', '\n', '\t'])
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let one_line = one_line.collect::<Vec<_>>().join(" ");
    if one_line.chars().any(char::is_control) {
        Err(RowProblem::ControlCharacter)
    } else if one_line.chars().count() > max_chars {
        Err(RowProblem::TooLong { max_chars })
    } else {
        Ok(one_line)
    }
}
