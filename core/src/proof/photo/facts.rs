//! The few facts of a camera file worth keeping, read before the file's metadata is dropped.
//!
//! When and where a photo was taken backs the attempt it belongs to; serial numbers, owner names and
//! maker notes are nobody's business (PIPL 6). What is read goes into the signed entry, never into
//! the picture.

use exif::{Exif, In, Reader, Tag, Value};

use super::plane::Turn;

/// Longest camera name kept; real ones have thirty characters.
const MAX_CAMERA_CHARS: usize = 64;

/// What the camera noted about the shot. Each may be missing, and none of it is proven.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CaptureFacts {
    /// The camera's clock when the picture was taken, `YYYY-MM-DDThh:mm:ss` without a zone.
    pub taken_local: Option<String>,
    /// What to subtract from that clock to have UTC, if the camera knew.
    pub utc_offset_min: Option<i16>,
    /// Where the camera was.
    pub position: Option<CapturePosition>,
    /// Maker and model.
    pub camera: Option<String>,
}

/// Where a picture was taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CapturePosition {
    /// Degrees north × 10⁷, WGS-84.
    pub lat_e7: i32,
    /// Degrees east × 10⁷, WGS-84.
    pub lng_e7: i32,
    /// Error the camera gave with it.
    pub accuracy_m: Option<u32>,
}

/// Says which facts there are, never the facts: a log must not show where somebody lives.
impl std::fmt::Debug for CaptureFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CaptureFacts")
            .field("taken", &self.taken_local.is_some())
            .field("position", &self.position.is_some())
            .field("camera", &self.camera.is_some())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for CapturePosition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CapturePosition").finish_non_exhaustive()
    }
}

/// What an EXIF block says.
#[derive(Debug, Default)]
pub(super) struct Noted {
    pub(super) turn: Turn,
    /// The file cannot be trusted to say which way is up.
    pub(super) turn_doubtful: bool,
    pub(super) facts: CaptureFacts,
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
        turn_doubtful: (orientation.is_some() && turn.is_none()) || turned_twice,
        facts: CaptureFacts {
            taken_local: taken(&exif),
            utc_offset_min: text(&exif, Tag::OffsetTimeOriginal).and_then(|t| offset_min(&t)),
            position: position(&exif),
            camera: camera(&exif),
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

fn position(exif: &Exif) -> Option<CapturePosition> {
    let lat = degrees(exif, Tag::GPSLatitude, Tag::GPSLatitudeRef, "S", 90.0)?;
    let lng = degrees(exif, Tag::GPSLongitude, Tag::GPSLongitudeRef, "W", 180.0)?;
    if lat == 0 && lng == 0 {
        // What phones write that have no position yet.
        return None;
    }
    let accuracy = rationals(exif, Tag::GPSHPositioningError).and_then(|v| v.first().copied());
    Some(CapturePosition {
        lat_e7: lat,
        lng_e7: lng,
        accuracy_m: accuracy
            .and_then(|m| whole(m, 0.0, 1e6))
            .and_then(|m| u32::try_from(m).ok()),
    })
}

fn degrees(exif: &Exif, tag: Tag, side: Tag, negative: &str, limit: f64) -> Option<i32> {
    let parts = rationals(exif, tag)?;
    let [degrees, minutes, seconds] = parts.as_slice() else {
        return None;
    };
    let size = degrees + minutes / 60.0 + seconds / 3_600.0;
    let signed = if text(exif, side)? == negative {
        -size
    } else {
        size
    };
    whole(signed * 1e7, -limit * 1e7, limit * 1e7)
}

fn rationals(exif: &Exif, tag: Tag) -> Option<Vec<f64>> {
    let Value::Rational(parts) = &exif.get_field(tag, In::PRIMARY)?.value else {
        return None;
    };
    Some(parts.iter().map(exif::Rational::to_f64).collect())
}

#[allow(clippy::cast_possible_truncation)] // within limits that fit, checked just before
fn whole(value: f64, low: f64, high: f64) -> Option<i32> {
    // Not a number is in no range.
    (low..=high).contains(&value).then(|| value.round() as i32)
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
