//! The rating code the customer scans from the courier's phone.
//!
//! Drawn black on white with a margin of four modules in every theme: scanners read an inverted
//! code or one without margin badly or not at all (measured: 0 % with two common readers). Error
//! correction M: L gains one size but a thumb on the screen then hides too much.

use std::fmt::Write as _;

use fast_qr::{ECL, QRBuilder, qr::QRCodeError};

/// White modules around the code, as the standard asks.
pub const QUIET_ZONE_MODULES: u32 = 4;

/// Widest picture drawn: a full-screen code on a tablet.
pub const MAX_PICTURE_PX: u32 = 2_048;

/// Why there is no code or picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QrCodeError {
    /// The text does not fit the largest code.
    #[error("the text of {bytes} bytes is too long for a code")]
    TooLong {
        /// Length of the text.
        bytes: usize,
    },
    /// The picture would be narrower than one pixel a module, or above [`MAX_PICTURE_PX`].
    #[error("a code cannot be drawn {width_px} px wide, it needs {min_px} at least")]
    BadWidth {
        /// Asked width.
        width_px: u32,
        /// Narrowest width this code can be drawn in.
        min_px: u32,
    },
    /// The code or picture could not be made.
    #[error("the code could not be made")]
    NotEncodable,
}

/// A QR code as a square of modules, for hosts that draw it themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QrMatrix {
    /// Modules along a side, without the quiet zone.
    pub size_modules: u32,
    /// Row by row from the top left; `true` is black.
    pub modules: Vec<bool>,
}

impl QrMatrix {
    /// Makes the smallest code for the text. Upper-case URLs come out smaller than lower-case
    /// ones, because the code then packs two characters in eleven bits.
    ///
    /// # Errors
    /// [`QrCodeError::TooLong`] when no code holds the text.
    pub fn from_text(text: &str) -> Result<Self, QrCodeError> {
        let code = QRBuilder::new(text)
            .ecl(ECL::M)
            .build()
            .map_err(|e| match e {
                QRCodeError::EncodedData => QrCodeError::TooLong { bytes: text.len() },
                QRCodeError::SpecifiedVersion => QrCodeError::NotEncodable,
            })?;
        let size_modules = u32::try_from(code.size).map_err(|_| QrCodeError::NotEncodable)?;
        let modules = code
            .data
            .iter()
            .take(code.size * code.size)
            .map(|module| module.value())
            .collect();
        Ok(Self {
            size_modules,
            modules,
        })
    }

    /// Modules along a side with the quiet zone.
    #[must_use]
    pub fn total_modules(&self) -> u32 {
        self.size_modules + 2 * QUIET_ZONE_MODULES
    }

    /// The code as an SVG document, `module_px` pixels a module, quiet zone included.
    #[must_use]
    pub fn to_svg(&self, module_px: u32) -> String {
        let total = self.total_modules();
        let side_px = total.saturating_mul(module_px);
        let mut svg = String::with_capacity(8 * 1024);
        // Writing to a String cannot fail.
        let _ = write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{side_px}\" height=\"{side_px}\" \
             viewBox=\"0 0 {total} {total}\" shape-rendering=\"crispEdges\">\
             <rect width=\"{total}\" height=\"{total}\" fill=\"#fff\"/><path fill=\"#000\" d=\""
        );
        for (row, y) in self.rows().zip(QUIET_ZONE_MODULES..) {
            let mut x = QUIET_ZONE_MODULES;
            // One bar for each run of black keeps the document small and free of hairlines.
            for run in row.chunk_by(|a, b| a == b) {
                let length = u32::try_from(run.len()).unwrap_or(0);
                if run.first() == Some(&true) {
                    let _ = write!(svg, "M{x} {y}h{length}v1h-{length}z");
                }
                x += length;
            }
        }
        svg.push_str("\"/></svg>");
        svg
    }

    /// The code as a black-and-white PNG exactly `width_px` wide and high. Modules are whole
    /// pixels; what is left over widens the margin.
    ///
    /// # Errors
    /// [`QrCodeError::BadWidth`] when the code does not fit or the picture is too large.
    pub fn to_png(&self, width_px: u32) -> Result<Vec<u8>, QrCodeError> {
        let total = self.total_modules();
        if !(total..=MAX_PICTURE_PX).contains(&width_px) {
            return Err(QrCodeError::BadWidth {
                width_px,
                min_px: total,
            });
        }
        let module_px = width_px / total;
        let margin_px = (width_px - self.size_modules * module_px) / 2;
        let bytes_per_row = width_px.div_ceil(8) as usize;
        let white_row = vec![0xff; bytes_per_row];
        let mut data = white_row.repeat(margin_px as usize);
        for row in self.rows() {
            let line = pixel_row(row, margin_px as usize, module_px as usize, bytes_per_row);
            data.extend(line.repeat(module_px as usize));
        }
        data.resize(bytes_per_row * width_px as usize, 0xff);

        let mut out = Vec::with_capacity(2 * 1024);
        let mut encoder = png::Encoder::new(&mut out, width_px, width_px);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        encoder
            .write_header()
            .and_then(|mut writer| {
                writer
                    .write_image_data(&data)
                    .and_then(|()| writer.finish())
            })
            .map_err(|_| QrCodeError::NotEncodable)?;
        Ok(out)
    }

    fn rows(&self) -> std::slice::ChunksExact<'_, bool> {
        self.modules
            .chunks_exact((self.size_modules as usize).max(1))
    }
}

/// One row of pixels, a bit each, 1 for white.
fn pixel_row(row: &[bool], margin_px: usize, module_px: usize, bytes_per_row: usize) -> Vec<u8> {
    let mut line = vec![0xff_u8; bytes_per_row];
    for (module, _) in row.iter().enumerate().filter(|(_, black)| **black) {
        let from = margin_px + module * module_px;
        for x in from..from + module_px {
            if let Some(byte) = line.get_mut(x / 8) {
                *byte &= !(0x80 >> (x % 8));
            }
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As long as a rating URL gets: 21 characters of host and a token of 60.
    const URL: &str =
        "HTTPS://R.EXAMPLE.COM/04QX0R8JZ5W3M9T7K1V2BNCDGF6HYPSAE04QX0R8JZ5W3M9T7K1V2BNCDGFH";

    fn picture(matrix: &QrMatrix, width_px: u32) -> image::GrayImage {
        let png = matrix.to_png(width_px).unwrap();
        image::load_from_memory_with_format(&png, image::ImageFormat::Png)
            .unwrap()
            .into_luma8()
    }

    #[test]
    fn a_rating_url_fits_version_four() {
        assert_eq!(URL.len(), 82);
        assert_eq!(QrMatrix::from_text(URL).unwrap().size_modules, 33);
        let lower = QrMatrix::from_text(&URL.to_lowercase()).unwrap();
        assert!(
            lower.size_modules > 33,
            "upper case is what keeps the code small"
        );
    }

    #[test]
    fn has_the_three_finders_of_a_code() {
        let code = QrMatrix::from_text(URL).unwrap();
        let size = code.size_modules as usize;
        assert_eq!(code.modules.len(), size * size);
        let finder = |left: usize, top: usize| {
            (0..7).all(|y| {
                (0..7).all(|x| {
                    let ring = x == 0 || x == 6 || y == 0 || y == 6;
                    let heart = (2..=4).contains(&x) && (2..=4).contains(&y);
                    code.modules[(top + y) * size + left + x] == (ring || heart)
                })
            })
        };
        assert!(finder(0, 0) && finder(size - 7, 0) && finder(0, size - 7));
        assert!(!finder(size - 7, size - 7));
    }

    #[test]
    fn png_shows_the_modules_inside_a_white_margin() {
        let code = QrMatrix::from_text(URL).unwrap();
        for (width, module_px) in [(41, 1), (250, 6), (328, 8)] {
            let picture = picture(&code, width);
            assert_eq!(picture.dimensions(), (width, width));
            let margin = (width - 33 * module_px) / 2;
            assert!(margin >= QUIET_ZONE_MODULES * module_px);
            for (x, y, pixel) in picture.enumerate_pixels() {
                let inside = |v: u32| (margin..margin + 33 * module_px).contains(&v);
                let black = inside(x) && inside(y) && {
                    let (mx, my) = ((x - margin) / module_px, (y - margin) / module_px);
                    code.modules[(my * 33 + mx) as usize]
                };
                assert_eq!(
                    pixel.0[0],
                    if black { 0 } else { 255 },
                    "{x},{y} of {width}"
                );
            }
        }
    }

    #[test]
    fn svg_draws_each_black_module_once() {
        let code = QrMatrix::from_text(URL).unwrap();
        let svg = code.to_svg(6);
        assert!(svg.contains("width=\"246\" height=\"246\" viewBox=\"0 0 41 41\""));
        assert!(svg.contains("<rect width=\"41\" height=\"41\" fill=\"#fff\"/>"));
        let path = svg.split("d=\"").nth(1).unwrap().split('"').next().unwrap();
        let mut drawn = vec![false; code.modules.len()];
        for bar in path.split_terminator('z') {
            let (at, length) = bar[1..].split_once('h').unwrap();
            let (x, y) = at.split_once(' ').unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            let length: usize = length.split_once('v').unwrap().0.parse().unwrap();
            for i in 0..length {
                let at = (y - 4) * 33 + (x - 4) + i;
                assert!(!drawn[at], "module drawn twice");
                drawn[at] = true;
            }
        }
        assert_eq!(drawn, code.modules);
    }

    #[test]
    fn refuses_what_cannot_be_drawn() {
        let long = "A".repeat(3_392);
        assert_eq!(
            QrMatrix::from_text(&long),
            Err(QrCodeError::TooLong { bytes: 3_392 })
        );
        assert!(
            QrMatrix::from_text(&long[1..]).is_ok(),
            "the longest text a code of level M holds"
        );
        let code = QrMatrix::from_text(URL).unwrap();
        for width_px in [0, 40, MAX_PICTURE_PX + 1] {
            assert_eq!(
                code.to_png(width_px),
                Err(QrCodeError::BadWidth {
                    width_px,
                    min_px: 41
                })
            );
        }
    }
}
