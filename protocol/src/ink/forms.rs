//! Ink in the forms other programs read: SVG, `InkML`, and the JSON of the npm package
//! `signature_pad`, which most web signature fields store.
//!
//! Import takes that JSON too, so that an app can switch to Satchel and keep its field. Ink that kept no
//! times gets made-up ones on export, from the length of the line at one even speed, because that
//! program's pen width depends on them.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{
    GridPoint, InkPoint, MAX_POINTS, OUTLINE_UNITS, PEN_WIDTH_UNITS, PRESSURE_STEPS, Signature,
};

/// Longest JSON read: every point of the largest drawing with all digits of its four numbers.
pub const MAX_JSON_BYTES: usize = MAX_POINTS * 128;

/// Grid units the pen is taken to cover in a millisecond when times are made up.
const EVEN_UNITS_PER_MS: f64 = 8.0;

/// How `signature_pad` marks a group that rubs out instead of drawing.
const ERASING: &str = "destination-out";

/// Why JSON is not a drawing of `signature_pad`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InkImportError {
    /// Longer than [`MAX_JSON_BYTES`].
    #[error("the JSON of {bytes} bytes is too long for a signature")]
    TooLong {
        /// Length of the text.
        bytes: usize,
    },
    /// Not the JSON `signature_pad` writes.
    #[error("the JSON is not a drawing of signature_pad")]
    NotADrawing,
    /// Part of the drawing was rubbed out. Ink as evidence shows all that was drawn, so there is no
    /// honest way to take it over.
    #[error("the drawing was rubbed out in part")]
    Erased,
}

/// A group as of version 3, or the bare list of earlier versions.
#[derive(Deserialize)]
#[serde(untagged)]
enum GroupIn {
    Options(OptionsIn),
    Bare(Vec<PointIn>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OptionsIn {
    points: Vec<PointIn>,
    composite_operation: Option<String>,
}

#[derive(Deserialize)]
struct PointIn {
    x: f32,
    y: f32,
    time: Option<f64>,
    pressure: Option<f32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupOut {
    pen_color: &'static str,
    dot_size: f64,
    min_width: f64,
    max_width: f64,
    velocity_filter_weight: f64,
    composite_operation: &'static str,
    points: Vec<PointOut>,
}

#[derive(Serialize)]
struct PointOut {
    x: f64,
    y: f64,
    pressure: f64,
    time: u64,
}

/// The strokes of a drawing that `signature_pad` saved with `toData()`, for [`Signature::take`] with the
/// size of its canvas in CSS pixels.
///
/// # Errors
/// [`InkImportError`] when the text is no such drawing.
pub fn strokes_from_signature_pad(json: &str) -> Result<Vec<Vec<InkPoint>>, InkImportError> {
    if json.len() > MAX_JSON_BYTES {
        return Err(InkImportError::TooLong { bytes: json.len() });
    }
    let groups: Vec<GroupIn> =
        serde_json::from_str(json).map_err(|_| InkImportError::NotADrawing)?;
    let mut start: Option<f64> = None;
    let mut latest_ms = 0;
    let mut strokes = Vec::with_capacity(groups.len());
    for group in groups {
        let points = match group {
            GroupIn::Options(options) => {
                if options.composite_operation.as_deref() == Some(ERASING) {
                    return Err(InkImportError::Erased);
                }
                options.points
            }
            GroupIn::Bare(points) => points,
        };
        let stroke = points.into_iter().map(|point| {
            if let Some(time) = point.time {
                let since = time - *start.get_or_insert(time);
                // A clock set back in mid-drawing must not make time run backwards.
                latest_ms = latest_ms.max(whole_ms(since));
            }
            InkPoint {
                x: point.x,
                y: point.y,
                t_ms: latest_ms,
                // Fields without a pressure sensor write 0 or 0.5 throughout; both are in range.
                pressure: point.pressure,
            }
        });
        strokes.push(stroke.collect());
    }
    Ok(strokes)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the cast holds at both ends
fn whole_ms(value: f64) -> u32 {
    value as u32
}

impl Signature {
    /// The drawing as `signature_pad` reads it with `fromData()`, for a canvas this wide.
    #[must_use]
    pub fn to_signature_pad_json(&self, canvas_width_px: u32) -> String {
        let scale = f64::from(canvas_width_px) / f64::from(self.canvas_w);
        let pen = f64::from(PEN_WIDTH_UNITS) * scale / 2.0;
        let mut units = 0.0;
        let mut groups = Vec::with_capacity(self.strokes.len());
        for (n, stroke) in self.strokes.iter().enumerate() {
            let states = self.dynamics.as_ref().and_then(|all| all.get(n));
            let mut before: Option<GridPoint> = None;
            let points = stroke.iter().enumerate().map(|(at, p)| {
                let (x, y) = (f64::from(p.x), f64::from(p.y));
                let (dx, dy) =
                    before.map_or((0.0, 0.0), |b| (x - f64::from(b.x), y - f64::from(b.y)));
                units += (dx * dx + dy * dy).sqrt();
                before = Some(*p);
                let state = states.and_then(|s| s.get(at));
                PointOut {
                    x: x * scale,
                    y: y * scale,
                    pressure: state
                        .and_then(|s| s.pressure)
                        .map_or(0.5, |p| f64::from(p) / f64::from(PRESSURE_STEPS)),
                    time: u64::from(
                        state.map_or_else(|| whole_ms(units / EVEN_UNITS_PER_MS), |s| s.t_ms),
                    ),
                }
            });
            groups.push(GroupOut {
                pen_color: "black",
                dot_size: pen,
                min_width: pen,
                max_width: pen,
                velocity_filter_weight: 0.7,
                composite_operation: "source-over",
                points: points.collect(),
            });
        }
        // Numbers and fixed names only: this cannot fail.
        serde_json::to_string(&groups).unwrap_or_default()
    }

    /// The drawing as `InkML` (W3C), in grid units, with times where they were kept.
    #[must_use]
    pub fn to_inkml(&self) -> String {
        let mut out = String::with_capacity(400 + self.point_count() * 10);
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "<ink xmlns=\"http://www.w3.org/2003/InkML\"><traceFormat>\
             <channel name=\"X\" type=\"integer\" min=\"0\" max=\"{}\"/>\
             <channel name=\"Y\" type=\"integer\" min=\"0\" max=\"{}\"/>",
            self.canvas_w, self.canvas_h
        );
        let first = self.dynamics.as_ref().and_then(|d| d.first()?.first());
        if first.is_some() {
            out.push_str("<channel name=\"T\" type=\"integer\" units=\"ms\"/>");
        }
        if first.is_some_and(|s| s.pressure.is_some()) {
            out.push_str("<channel name=\"F\" type=\"integer\" min=\"0\" max=\"63\"/>");
        }
        out.push_str("</traceFormat>");
        for (n, stroke) in self.strokes.iter().enumerate() {
            let states = self.dynamics.as_ref().and_then(|all| all.get(n));
            out.push_str("<trace>");
            for (at, point) in stroke.iter().enumerate() {
                let gap = if at == 0 { "" } else { "," };
                let _ = write!(out, "{gap}{} {}", point.x, point.y);
                if let Some(state) = states.and_then(|s| s.get(at)) {
                    let _ = write!(out, " {}", state.t_ms);
                    if let Some(pressure) = state.pressure {
                        let _ = write!(out, " {pressure}");
                    }
                }
            }
            out.push_str("</trace>");
        }
        out.push_str("</ink>");
        out
    }

    /// The drawing as an SVG document of this size in pixels: black ink on white, no styles or
    /// scripts, so a page with a strict content policy may show it.
    #[must_use]
    pub fn to_svg(&self, width_px: u32, height_px: u32) -> String {
        let outline = self.outline(width_px, height_px);
        let units = |side: u16| u32::from(side) * u32::from(OUTLINE_UNITS);
        let (w, h) = (units(self.canvas_w), units(self.canvas_h));
        let mut svg = String::with_capacity(300 + outline.corner_count() * 8);
        let _ = write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width_px}\" height=\"{height_px}\" \
             viewBox=\"0 0 {w} {h}\"><rect width=\"{w}\" height=\"{h}\" fill=\"#fff\"/>\
             <path fill=\"#000\" d=\""
        );
        for ring in outline.rings() {
            let mut before: Option<(i32, i32)> = None;
            for &(x, y) in ring {
                match before {
                    None => put_pair(&mut svg, 'M', x, y),
                    // Behind the first corner steps follow one another, with one letter for all.
                    Some((px, py)) => {
                        let lead = if ring.first() == Some(&(px, py)) {
                            'l'
                        } else {
                            ' '
                        };
                        put_pair(&mut svg, lead, x - px, y - py);
                    }
                }
                before = Some((x, y));
            }
            svg.push('z');
        }
        svg.push_str("\"/></svg>");
        svg
    }
}

/// Two numbers of a path. A minus sign separates by itself.
fn put_pair(svg: &mut String, lead: char, x: i32, y: i32) {
    if !(lead == ' ' && x < 0) {
        svg.push(lead);
    }
    put_number(svg, x);
    if y >= 0 {
        svg.push(' ');
    }
    put_number(svg, y);
}

/// A signature has thousands of numbers, and the formatting machinery costs more than drawing it.
fn put_number(svg: &mut String, value: i32) {
    let mut digits = [b'0'; 10];
    let mut left = value.unsigned_abs();
    let mut used = 0;
    for slot in digits.iter_mut().rev() {
        let [digit, ..] = (left % 10).to_le_bytes();
        *slot = b'0' + digit;
        left /= 10;
        used += 1;
        if left == 0 {
            break;
        }
    }
    if value < 0 {
        svg.push('-');
    }
    for digit in digits.iter().skip(digits.len() - used) {
        svg.push(char::from(*digit));
    }
}
