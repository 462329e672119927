//! What each field of a delivery may hold.
//!
//! One function a field, used on the cells of a file and on the constants of a mapping alike, so
//! that a misspelt constant is one message when the mapping is loaded.

use satchel_protocol::taxonomy::{HandlingTag, HandoffKind, PromiseClass};
use satchel_protocol::token::from_base32;

use super::mapping::Mapping;
use super::model::{Field, RecipientCode};
use super::problem::RowProblem;
use super::value;

const MAX_WAYBILL_CHARS: usize = 64;
const MAX_ADDRESS_CHARS: usize = 512;
const MAX_NAME_CHARS: usize = 64;
const MAX_TIER_BYTES: usize = 48;
const MAX_ABS_DEGREES_C: f64 = 100.0;
const MAX_PIECES: u32 = 10_000;
const MAX_WEIGHT_KG: f64 = 10_000.0;
const MAX_FEE_CNY: f64 = 1_000_000.0;

pub(super) fn waybill(text: &str) -> Result<String, RowProblem> {
    value::text(text, MAX_WAYBILL_CHARS)
}

pub(super) fn address(text: &str) -> Result<String, RowProblem> {
    value::text(text, MAX_ADDRESS_CHARS)
}

pub(super) fn name(text: &str) -> Result<String, RowProblem> {
    value::text(text, MAX_NAME_CHARS)
}

pub(super) fn latitude(text: &str, comma: bool) -> Result<f64, RowProblem> {
    value::decimal(text, comma).and_then(|lat| in_range(lat, 90.0, RowProblem::LatitudeRange))
}

pub(super) fn longitude(text: &str, comma: bool) -> Result<f64, RowProblem> {
    value::decimal(text, comma).and_then(|lng| in_range(lng, 180.0, RowProblem::LongitudeRange))
}

fn in_range(degrees: f64, limit: f64, problem: RowProblem) -> Result<f64, RowProblem> {
    if degrees.abs() <= limit {
        Ok(degrees)
    } else {
        Err(problem)
    }
}

pub(super) fn promise_class(text: &str) -> Result<PromiseClass, RowProblem> {
    PromiseClass::from_code(text).map_err(|_| RowProblem::UnknownPromise)
}

pub(super) fn tag(text: &str) -> Result<HandlingTag, RowProblem> {
    HandlingTag::from_code(text).map_err(|_| RowProblem::UnknownTag)
}

/// A handoff that rests on the customer's word (Art 28(3)). A return rests on the sender's, which a
/// list of deliveries cannot give.
pub(super) fn consent(text: &str) -> Result<HandoffKind, RowProblem> {
    HandoffKind::from_code(text)
        .ok()
        .filter(|kind| kind.consent().needs_record() && *kind != HandoffKind::ReturnToSender)
        .ok_or(RowProblem::UnknownConsent)
}

/// A tier as rule sets may name one.
pub(super) fn tier(text: &str) -> Result<String, RowProblem> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if (1..=MAX_TIER_BYTES).contains(&text.len()) && text.bytes().all(plain) {
        Ok(text.to_owned())
    } else {
        Err(RowProblem::NotATier)
    }
}

pub(super) fn min_age(text: &str) -> Result<u8, RowProblem> {
    text.parse()
        .ok()
        .filter(|years| (1..=99).contains(years))
        .ok_or(RowProblem::NotAnAge)
}

/// Degrees Celsius as hundredths.
pub(super) fn temperature(text: &str, comma: bool) -> Result<i32, RowProblem> {
    let degrees = value::decimal(text, comma)?;
    if degrees.abs() > MAX_ABS_DEGREES_C {
        return Err(RowProblem::TemperatureRange);
    }
    // Within range, so the cast keeps the value.
    #[allow(clippy::cast_possible_truncation)]
    Ok((degrees * 100.0).round() as i32)
}

pub(super) fn pieces(text: &str) -> Result<u32, RowProblem> {
    text.parse()
        .ok()
        .filter(|pieces| (1..=MAX_PIECES).contains(pieces))
        .ok_or(RowProblem::PiecesRange)
}

/// Kilograms as grams.
pub(super) fn weight_g(text: &str, comma: bool) -> Result<u32, RowProblem> {
    thousandths(text, comma, MAX_WEIGHT_KG).ok_or(RowProblem::WeightRange)
}

/// Yuan as hundredths of one.
pub(super) fn fee_fen(text: &str, comma: bool) -> Result<u32, RowProblem> {
    let mill = thousandths(text, comma, MAX_FEE_CNY).ok_or(RowProblem::FeeRange)?;
    Ok((mill + 5) / 10)
}

fn thousandths(text: &str, comma: bool, most: f64) -> Option<u32> {
    let number = value::decimal(text, comma).ok()?;
    // Within range, so the cast keeps the value.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    (0.0..=most)
        .contains(&number)
        .then(|| (number * 1_000.0).round() as u32)
}

pub(super) fn code(text: &str) -> Result<RecipientCode, RowProblem> {
    let short = (4..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if short {
        return Ok(RecipientCode::Short(text.to_owned()));
    }
    let plain: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    from_base32(&plain.to_ascii_uppercase())
        .and_then(|bytes| bytes.try_into().ok())
        .map(RecipientCode::Long)
        .ok_or(RowProblem::NotACode)
}

/// Whether the field is a list in one cell.
pub(super) fn is_list(field: Field) -> bool {
    matches!(field, Field::Tags | Field::Consents)
}

/// Whether a text can be the value of a field, or one item of it.
pub(super) fn check(field: Field, text: &str, mapping: &Mapping) -> Result<(), RowProblem> {
    let comma = mapping.decimal_comma;
    match field {
        Field::Waybill => waybill(text).map(drop),
        Field::Address => address(text).map(drop),
        Field::RecipientName | Field::Round | Field::Goods => name(text).map(drop),
        Field::RecipientPhone => value::phone(text).map(drop),
        Field::Lat | Field::DepotLat => latitude(text, comma).map(drop),
        Field::Lng | Field::DepotLng => longitude(text, comma).map(drop),
        Field::AcceptedAt
        | Field::WindowStart
        | Field::WindowEnd
        | Field::DrivenAt
        | Field::PickupUntil => mapping.time_format(field).instant_ms(text, None).map(drop),
        Field::PromiseClass => promise_class(text).map(drop),
        Field::Tags => tag(text).map(drop),
        Field::DoorRequired => value::boolean(text).map(drop),
        Field::Consents => consent(text).map(drop),
        Field::Tier => tier(text).map(drop),
        Field::MinAge => min_age(text).map(drop),
        Field::TempMinC | Field::TempMaxC => temperature(text, comma).map(drop),
        Field::Code => code(text).map(drop),
        Field::Pieces => pieces(text).map(drop),
        Field::WeightKg => weight_g(text, comma).map(drop),
        Field::FeeCny => fee_fen(text, comma).map(drop),
    }
}
