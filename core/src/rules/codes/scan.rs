//! What a scanner read, by form alone (C4). A text that fits no form is a waybill number to be looked
//! up among the parcels that are expected, and nothing is ever the "most likely" parcel.

use satchel_protocol::crypto;
use satchel_protocol::ids::ParcelId;
use satchel_protocol::token::{RatingToken, base32, from_base32};
use thiserror::Error;
use uuid::Uuid;

/// Longest text that is looked at: a GS1 Digital Link with all its keys is about 200 characters.
pub const MAX_SCAN_CHARS: usize = 512;

const LABEL_PREFIX: &str = "SATCHEL:P1:";
const INVITE_PREFIX: &str = "SATCHEL:";
const LABEL_DOMAIN: &[u8] = b"satchel-parcel-label/1\0";
const LABEL_CHECK_BYTES: usize = 4;
const SSCC_CHARS: usize = 18;
/// Separates fields of a GS1 element string (FNC1).
const GROUP_SEPARATOR: char = '\u{1d}';

/// A postal item number by UPU S10.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S10 {
    /// All 13 characters, upper case.
    pub number: String,
    /// Service indicator.
    pub service: String,
    /// Country code.
    pub country: String,
}

/// A serial shipping container code, GS1 AI (00).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sscc {
    /// Its 18 digits.
    pub digits: String,
}

/// Satchel's own parcel label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// The parcel.
    pub parcel: ParcelId,
}

/// What the scanner read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    /// Satchel's own label.
    Label(Label),
    /// A postal item number whose check digit is right.
    S10(S10),
    /// A container code whose check digit is right, from an element string or a Digital Link.
    Sscc(Sscc),
    /// A number in no form that carries its own check: to be looked up, exactly as it is.
    Waybill(String),
    /// A code that is read and is no parcel's.
    NotAParcel(NotAParcel),
}

/// Codes a courier may scan by mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAParcel {
    /// The rating code of a delivery, from a courier's or customer's screen.
    RatingLink,
    /// An invite to a hub or another of Satchel's own codes.
    OtherSatchelCode,
    /// A GS1 Digital Link of goods, not of a shipment.
    GoodsLink,
    /// A link to some page.
    OtherLink,
}

/// Why a text is no code at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ScanFault {
    /// Nothing was read.
    #[error("nothing was read")]
    Empty,
    /// Longer than [`MAX_SCAN_CHARS`].
    #[error("the code is too long")]
    TooLong,
    /// The form of a postal item number with a wrong check digit.
    #[error("the check digit of the postal number is wrong")]
    S10CheckDigit,
    /// The form of a container code with a wrong check digit.
    #[error("the check digit of the container code is wrong")]
    SsccCheckDigit,
    /// Satchel's own label, damaged.
    #[error("the parcel label is damaged")]
    DamagedLabel,
    /// Characters no parcel number has.
    #[error("the text is no parcel number")]
    NotANumber,
}

/// Check digit of UPU S10 for eight digits.
#[must_use]
pub fn s10_check_digit(digits: &[u8; 8]) -> u8 {
    const WEIGHTS: [u32; 8] = [8, 6, 4, 2, 3, 5, 9, 7];
    let sum: u32 = digits
        .iter()
        .zip(WEIGHTS)
        .map(|(d, w)| u32::from(*d) * w)
        .sum();
    match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        n => u8::try_from(n).unwrap_or(0),
    }
}

/// Check digit of a container code for its first 17 digits (mod 10, weights 3 and 1).
#[must_use]
pub fn sscc_check_digit(digits: &[u8; 17]) -> u8 {
    let sum: u32 = digits
        .iter()
        .enumerate()
        .map(|(at, d)| u32::from(*d) * if at % 2 == 0 { 3 } else { 1 })
        .sum();
    u8::try_from((10 - sum % 10) % 10).unwrap_or(0)
}

/// The text of Satchel's own label for a parcel; upper case, so that a QR stays small.
#[must_use]
pub fn parcel_label(parcel: ParcelId) -> String {
    let mut bytes = parcel.as_bytes().to_vec();
    bytes.extend(label_check(parcel));
    format!("{LABEL_PREFIX}{}", base32(&bytes))
}

/// Reads what a scanner or a keyboard gave.
///
/// # Errors
/// [`ScanFault`] for a damaged code and for a text that is none.
pub fn read(text: &str) -> Result<Scan, ScanFault> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == GROUP_SEPARATOR);
    if text.is_empty() {
        return Err(ScanFault::Empty);
    }
    if text.chars().count() > MAX_SCAN_CHARS {
        return Err(ScanFault::TooLong);
    }
    let upper = text.to_ascii_uppercase();
    if let Some(body) = upper.strip_prefix(LABEL_PREFIX) {
        return label(body).map(Scan::Label);
    }
    if upper.starts_with(INVITE_PREFIX) {
        return Ok(Scan::NotAParcel(NotAParcel::OtherSatchelCode));
    }
    if let Some(rest) = upper
        .strip_prefix("HTTPS://")
        .or_else(|| upper.strip_prefix("HTTP://"))
    {
        return link(rest);
    }
    if let Some(digits) = element_string(&upper) {
        return sscc(digits).map(Scan::Sscc);
    }
    if let Some(found) = s10(&upper) {
        return found.map(Scan::S10);
    }
    waybill(&upper).map(Scan::Waybill)
}

fn label(body: &str) -> Result<Label, ScanFault> {
    let bytes = from_base32(body).ok_or(ScanFault::DamagedLabel)?;
    let (id, check) = bytes
        .split_first_chunk::<16>()
        .ok_or(ScanFault::DamagedLabel)?;
    let parcel = ParcelId(Uuid::from_bytes(*id));
    if check == label_check(parcel) {
        Ok(Label { parcel })
    } else {
        Err(ScanFault::DamagedLabel)
    }
}

/// Four bytes against a misread label; not a secret and no proof of anything.
fn label_check(parcel: ParcelId) -> [u8; LABEL_CHECK_BYTES] {
    let hash = crypto::sha256(&[LABEL_DOMAIN, parcel.as_bytes()]);
    let [a, b, c, d, ..] = hash.0;
    [a, b, c, d]
}

/// The 18 characters after AI (00), in any of the spellings scanners and labels use.
fn element_string(text: &str) -> Option<&str> {
    let text = text.strip_prefix("]C1").unwrap_or(text);
    let text = text.trim_start_matches(GROUP_SEPARATOR);
    if let Some(rest) = text.strip_prefix("(00)") {
        return Some(rest.trim());
    }
    // 20 digits that begin with the AI. A bare number of 18 digits may be any carrier's waybill.
    let rest = text.strip_prefix("00")?;
    (rest.len() == SSCC_CHARS && rest.bytes().all(|b| b.is_ascii_digit())).then_some(rest)
}

fn sscc(digits: &str) -> Result<Sscc, ScanFault> {
    let plain: Vec<u8> = digits
        .chars()
        .filter(|c| *c != ' ')
        .map(|c| c.to_digit(10).and_then(|d| u8::try_from(d).ok()))
        .collect::<Option<_>>()
        .ok_or(ScanFault::NotANumber)?;
    let (body, check) = plain
        .split_first_chunk::<17>()
        .ok_or(ScanFault::NotANumber)?;
    match check {
        [last] if *last == sscc_check_digit(body) => Ok(Sscc {
            digits: plain.iter().map(|d| char::from(b'0' + d)).collect(),
        }),
        [_] => Err(ScanFault::SsccCheckDigit),
        _ => Err(ScanFault::NotANumber),
    }
}

/// `None` when the text does not have the form at all, so that it may still be a waybill number.
fn s10(text: &str) -> Option<Result<S10, ScanFault>> {
    let bytes = text.as_bytes();
    let [a, b, middle @ .., y, z] = bytes else {
        return None;
    };
    let middle: &[u8; 9] = middle.try_into().ok()?;
    let letters = [a, b, y, z].into_iter().all(u8::is_ascii_uppercase);
    if !letters || !middle.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (digits, check) = middle.split_first_chunk::<8>()?;
    let digits = digits.map(|d| d - b'0');
    if check != [b'0' + s10_check_digit(&digits)] {
        return Some(Err(ScanFault::S10CheckDigit));
    }
    Some(Ok(S10 {
        number: text.to_owned(),
        service: text.get(..2)?.to_owned(),
        country: text.get(11..)?.to_owned(),
    }))
}

/// A link: a rating code, a GS1 Digital Link of a shipment or of goods, or some page. `rest` is upper
/// case and without its scheme.
fn link(rest: &str) -> Result<Scan, ScanFault> {
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let segments: Vec<&str> = path.split('/').skip(1).filter(|s| !s.is_empty()).collect();
    if segments
        .last()
        .is_some_and(|s| RatingToken::parse(s).is_ok())
    {
        return Ok(Scan::NotAParcel(NotAParcel::RatingLink));
    }
    let mut goods = false;
    for pair in segments.windows(2) {
        let [key, value] = pair else { continue };
        let is_number = value.bytes().all(|b| b.is_ascii_digit());
        match *key {
            "00" if is_number && value.len() == SSCC_CHARS => return sscc(value).map(Scan::Sscc),
            "01" if is_number && value.len() == 14 => goods = true,
            _ => {}
        }
    }
    Ok(Scan::NotAParcel(if goods {
        NotAParcel::GoodsLink
    } else {
        NotAParcel::OtherLink
    }))
}

/// A carrier's number: letters, digits and hyphens, at least one digit, and nothing more is known.
fn waybill(text: &str) -> Result<String, ScanFault> {
    let form = (6..=40).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-')
        && text.bytes().any(|b| b.is_ascii_digit());
    if form {
        Ok(text.to_owned())
    } else {
        Err(ScanFault::NotANumber)
    }
}

/// Which of the expected parcels a scan is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// This one.
    Parcel(ParcelId),
    /// A parcel's code, of none that is expected.
    Unexpected,
    /// Several parcels carry this number; a person must choose.
    Ambiguous(Vec<ParcelId>),
    /// No parcel's code.
    NotAParcel(NotAParcel),
}

/// Looks a scan up among the expected parcels and their waybill numbers. Equal means equal.
#[must_use]
pub fn expect(scan: &Scan, expected: &[(ParcelId, &str)]) -> Resolution {
    let number = match scan {
        Scan::NotAParcel(what) => return Resolution::NotAParcel(*what),
        Scan::Label(label) => {
            return if expected.iter().any(|(id, _)| *id == label.parcel) {
                Resolution::Parcel(label.parcel)
            } else {
                Resolution::Unexpected
            };
        }
        Scan::S10(s10) => &s10.number,
        Scan::Sscc(sscc) => &sscc.digits,
        Scan::Waybill(number) => number,
    };
    let mut found: Vec<ParcelId> = expected
        .iter()
        .filter(|(_, waybill)| waybill.trim().eq_ignore_ascii_case(number))
        .map(|(id, _)| *id)
        .collect();
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [] => Resolution::Unexpected,
        [one] => Resolution::Parcel(*one),
        _ => Resolution::Ambiguous(found),
    }
}

#[cfg(test)]
mod tests;
