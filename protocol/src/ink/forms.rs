//! Ink in the forms other programs read: SVG, `InkML`, and the JSON of the npm package
//! `signature_pad`, which most web signature fields store.
//!
//! Import takes that JSON too, so that an app can switch to Satchel and keep its field. Times come in
//! and are dropped like all dynamics; on export they are made up from the length of the line at one
//! even speed, because that program's pen width depends on them.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::curve::PenCurve;
use super::{GridPoint, InkPoint, LONG_SIDE_UNITS, MAX_POINTS, PEN_WIDTH_UNITS, Signature};

/// Longest JSON read: every point of the largest drawing with all digits of its four numbers.
pub const MAX_JSON_BYTES: usize = MAX_POINTS * 128;

/// Grid units the pen is taken to cover in a millisecond when times are made up.
const EVEN_UNITS_PER_MS: f64 = 8.0;

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
}

/// A group as of version 3, or the bare list of earlier versions.
#[derive(Deserialize)]
#[serde(untagged)]
enum GroupIn {
    Options { points: Vec<PointIn> },
    Bare(Vec<PointIn>),
}

#[derive(Deserialize)]
struct PointIn {
    x: f32,
    y: f32,
    #[serde(default)]
    time: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupOut {
    pen_color: &'static str,
    min_width: f64,
    max_width: f64,
    points: Vec<PointOut>,
}

#[derive(Serialize)]
struct PointOut {
    x: f64,
    y: f64,
    pressure: f64,
    time: u64,
}

/// The strokes of a drawing `signature_pad` saved with `toData()`, for
/// [`Signature::from_strokes`] with the size of its canvas in CSS pixels.
///
/// # Errors
/// [`InkImportError`] when the text is no such drawing.
pub fn strokes_from_signature_pad(json: &str) -> Result<Vec<Vec<InkPoint>>, InkImportError> {
    if json.len() > MAX_JSON_BYTES {
        return Err(InkImportError::TooLong { bytes: json.len() });
    }
    let groups: Vec<GroupIn> =
        serde_json::from_str(json).map_err(|_| InkImportError::NotADrawing)?;
    let groups = groups.into_iter().map(|group| match group {
        GroupIn::Options { points } | GroupIn::Bare(points) => points,
    });
    let mut start: Option<f64> = None;
    let mut last_ms = 0;
    let mut strokes = Vec::new();
    for points in groups {
        let mut stroke = Vec::with_capacity(points.len());
        for point in points {
            let since = point.time - *start.get_or_insert(point.time);
            // A clock set back in mid-drawing must not make time run backwards.
            last_ms = last_ms.max(whole_ms(since));
            stroke.push(InkPoint {
                x: point.x,
                y: point.y,
                t_ms: last_ms,
            });
        }
        strokes.push(stroke);
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
        let mut units = 0.0;
        let mut groups = Vec::with_capacity(self.strokes.len());
        for stroke in &self.strokes {
            let mut before: Option<GridPoint> = None;
            let points = stroke.iter().map(|p| {
                let (x, y) = (f64::from(p.x), f64::from(p.y));
                units += before.map_or(0.0, |b| (x - f64::from(b.x)).hypot(y - f64::from(b.y)));
                before = Some(*p);
                PointOut {
                    x: x * scale,
                    y: y * scale,
                    pressure: 0.5,
                    time: u64::from(whole_ms(units / EVEN_UNITS_PER_MS)),
                }
            });
            let pen = f64::from(PEN_WIDTH_UNITS) * scale;
            groups.push(GroupOut {
                pen_color: "black",
                min_width: pen / 2.0,
                max_width: pen / 2.0,
                points: points.collect(),
            });
        }
        // Numbers and fixed names only: this cannot fail.
        serde_json::to_string(&groups).unwrap_or_default()
    }

    /// The drawing as `InkML` (W3C), in grid units.
    #[must_use]
    pub fn to_inkml(&self) -> String {
        let mut out = String::with_capacity(300 + self.point_count() * 10);
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "<ink xmlns=\"http://www.w3.org/2003/InkML\"><traceFormat>\
             <channel name=\"X\" type=\"integer\" min=\"0\" max=\"{}\"/>\
             <channel name=\"Y\" type=\"integer\" min=\"0\" max=\"{}\"/></traceFormat>",
            self.canvas_w, self.canvas_h
        );
        for stroke in &self.strokes {
            out.push_str("<trace>");
            for (at, point) in stroke.iter().enumerate() {
                let gap = if at == 0 { "" } else { "," };
                let _ = write!(out, "{gap}{} {}", point.x, point.y);
            }
            out.push_str("</trace>");
        }
        out.push_str("</ink>");
        out
    }

    /// The drawing as an SVG document of this size in pixels: black ink on white, no styles or
    /// scripts, so a page with a strict content policy may show it.
    #[must_use]
    pub fn to_svg(&self, w: u32, h: u32) -> String {
        let (cw, ch) = (self.canvas_w, self.canvas_h);
        let mut svg = String::with_capacity(400 + self.point_count() * 24);
        let _ = write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" \
             viewBox=\"0 0 {cw} {ch}\"><rect width=\"{cw}\" height=\"{ch}\" fill=\"#fff\"/>\
             <g fill=\"none\" stroke=\"#000\" stroke-linecap=\"round\" stroke-linejoin=\"round\">"
        );
        let curves = self.curves();
        let mut widths: Vec<u16> = curves.iter().map(|c| c.width_units).collect();
        widths.sort_unstable();
        widths.dedup();
        for width in widths {
            let _ = write!(svg, "<path stroke-width=\"{width}\" d=\"");
            let mut pen_at = None;
            for curve in curves.iter().filter(|c| c.width_units == width) {
                if pen_at != Some(curve.from) || curve.from == curve.to {
                    let _ = write!(svg, "M{} {}", curve.from.x, curve.from.y);
                }
                piece(&mut svg, curve);
                pen_at = Some(curve.to);
            }
            svg.push_str("\"/>");
        }
        svg.push_str("</g></svg>");
        svg
    }

    /// Time the drawing took, if the host's clock ran: a name takes longer than a swipe.
    #[must_use]
    pub fn drawing_ms(strokes: &[Vec<InkPoint>]) -> Option<u32> {
        let times = || strokes.iter().flatten().map(|p| p.t_ms);
        let took = times().max()?.checked_sub(times().min()?)?;
        (took > 0).then_some(took)
    }

    /// Width of the ink's own box and height of it, in grid units.
    pub(super) fn ink_box(&self) -> (u16, u16) {
        let span = |side: fn(&GridPoint) -> u16| {
            let values = || self.strokes.iter().flatten().map(side);
            values().max().unwrap_or(0) - values().min().unwrap_or(0)
        };
        debug_assert!(self.canvas_w.max(self.canvas_h) == LONG_SIDE_UNITS);
        (span(|p| p.x), span(|p| p.y))
    }
}

/// Appends one piece, relative to where the pen is.
fn piece(svg: &mut String, curve: &PenCurve) {
    let from = curve.from;
    let step = |p: GridPoint| {
        let by = |a: u16, b: u16| i32::from(a) - i32::from(b);
        (by(p.x, from.x), by(p.y, from.y))
    };
    let (x, y) = step(curve.to);
    let _ = if curve.is_straight() {
        // A line of no length with a round cap is the dot itself.
        write!(svg, "l{x} {y}")
    } else {
        let ((ax, ay), (bx, by)) = (step(curve.bend_from), step(curve.bend_to));
        write!(svg, "c{ax} {ay} {bx} {by} {x} {y}")
    };
}
