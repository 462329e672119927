//! The few facts of a camera file worth keeping, read before the file's metadata is dropped.
//!
//! When a photo was taken, by what and how well its camera knew where it was back the attempt it belongs
//! to; the position itself, serial numbers, owner names and maker notes are nobody's business (PIPL 6).
//! What is read goes into the signed entry, never into the picture.

use exif::{Exif, In, Reader, Tag, Value};
use satchel_protocol::attempt::PhotoFacts;

use super::plane::Turn;

/// Longest camera name kept; real ones have thirty characters.
const MAX_CAMERA_CHARS: usize = 64;

/// What an EXIF block says.
#[derive(Debug, Default)]
pub(super) struct Noted {
    pub(super) turn: Turn,
    /// The file cannot be trusted to say which way is up.
    pub(super) turn_doubtful: bool,
    pub(super) facts: PhotoFacts,
}

/// Reads an EXIF block of a picture stored with this size. One that cannot be read says nothing:
/// a damaged note is no reason to lose a proof.
pub(super) fn read(block: Option<&[u8]>, stored_size: (u32, u32)) -> Noted {
    let Some(block) = block else {
        return Noted::default();
    };
    let Ok(exif) = Reader::new().read_raw(block.to_vec()) else {
        return Noted::default();
    };
    let number = |tag| exif.get_field(tag, In::PRIMARY)?.value.get_uint(0);
    let orientation = number(Tag::Orientation);
    let turn = orientation.and_then(|v| Turn::from_exif(u16::try_from(v).ok()?));
    // An editor that turned the pixels and left the note has also left the size the camera had.
    let noted_size = number(Tag::PixelXDimension).zip(number(Tag::PixelYDimension));
    let turned_twice = noted_size.is_some_and(|(w, h)| {
        w != h && (h, w) == stored_size && turn.is_some_and(|t| t.size(w, h) == (h, w))
    });
    Noted {
        turn: turn.unwrap_or_default(),
        // Zero is what some cameras write for "as it lies".
        turn_doubtful: (orientation.is_some_and(|v| v != 0) && turn.is_none()) || turned_twice,
        facts: PhotoFacts {
            taken_local: taken(&exif),
            utc_offset_min: text(&exif, Tag::OffsetTimeOriginal).and_then(|t| offset_min(&t)),
            gps_accuracy_m: gps_accuracy_m(&exif),
            camera: camera(&exif),
            ..PhotoFacts::default()
        },
    }
}

fn text(exif: &Exif, tag: Tag) -> Option<String> {
    let Value::Ascii(parts) = &exif.get_field(tag, In::PRIMARY)?.value else {
        return None;
    };
    let text = String::from_utf8_lossy(parts.first()?);
    let clean: String = text.chars().filter(|c| !c.is_control()).collect();
    let clean = clean.trim();
    (!clean.is_empty()).then(|| clean.to_owned())
}

/// `2024:05:17 09:30:00` as `2024-05-17T09:30:00`, if that is what it is.
fn taken(exif: &Exif) -> Option<String> {
    let text = text(exif, Tag::DateTimeOriginal)?;
    let time = chrono::NaiveDateTime::parse_from_str(&text, "%Y:%m:%d %H:%M:%S").ok()?;
    Some(time.format("%Y-%m-%dT%H:%M:%S").to_string())
}

/// `+08:00` as 480.
fn offset_min(text: &str) -> Option<i16> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes): (i16, i16) = (hours.parse().ok()?, minutes.parse().ok()?);
    ((0..=14).contains(&hours) && (0..60).contains(&minutes))
        .then_some(sign * (hours * 60 + minutes))
}

/// How far off the camera's own position may be.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // in range, checked just before
fn gps_accuracy_m(exif: &Exif) -> Option<u32> {
    let Value::Rational(parts) = &exif
        .get_field(Tag::GPSHPositioningError, In::PRIMARY)?
        .value
    else {
        return None;
    };
    let metres = parts.first()?.to_f64();
    // Not a number is in no range.
    (0.0..=1e6).contains(&metres).then(|| metres.ceil() as u32)
}

fn camera(exif: &Exif) -> Option<String> {
    let model = text(exif, Tag::Model)?;
    let make = text(exif, Tag::Make).unwrap_or_default();
    let full = if make.is_empty() || model.starts_with(&make) {
        model
    } else {
        format!("{make} {model}")
    };
    Some(full.chars().take(MAX_CAMERA_CHARS).collect())
}
