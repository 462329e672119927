//! The rating code, as a URL and as pictures.

use satchel_core::model::attempt;
use satchel_core::rating::qr::QrMatrix;

use crate::error::SatchelError;

/// Pixels per module of the SVG; it scales, so this only sets its natural size.
const SVG_MODULE_PX: u32 = 8;

/// The rating code of a delivered parcel.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RatingCode {
    /// The parcel.
    pub parcel_id: String,
    /// What the code holds: the hub's rating page with the token.
    pub url: String,
}

/// A rating code in every form an app may want to draw. Show it black on white in every theme, with
/// a margin of four modules: scanners read it badly otherwise.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct QrCode {
    /// What the code holds.
    pub url: String,
    /// Modules along a side, without the margin.
    pub size_modules: u32,
    /// One byte per module, row by row from the top left: 1 is black, 0 is white. Without the margin.
    pub modules: Vec<u8>,
    /// The same as an SVG document, margin included.
    pub svg: String,
    /// The same as a PNG file, margin included.
    pub png: Vec<u8>,
}

impl From<attempt::RatingCode> for RatingCode {
    fn from(code: attempt::RatingCode) -> Self {
        Self {
            parcel_id: code.parcel_id.to_string(),
            url: code.url,
        }
    }
}

impl QrCode {
    pub(crate) fn draw(code: RatingCode, png_width_px: u32) -> Result<Self, SatchelError> {
        let matrix = QrMatrix::from_text(&code.url)?;
        Ok(Self {
            size_modules: matrix.size_modules,
            svg: matrix.to_svg(SVG_MODULE_PX),
            png: matrix.to_png(png_width_px)?,
            modules: matrix
                .modules
                .iter()
                .map(|black| u8::from(*black))
                .collect(),
            url: code.url,
        })
    }
}
