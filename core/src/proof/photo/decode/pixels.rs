//! Pictures that come as pixels: PNG, WebP, and what the platform decoded itself.

use std::io::{self, Cursor};

use super::super::colour::{Space, recognise};
use super::super::facts::{self, Noted};
use super::super::plane::Turn;
use super::super::sheet::RowSink;
use super::super::{PhotoError, PhotoPolicy, RgbaImage};
use super::{Decoded, Ending, allocated, check_pixels, mixed};

/// Read row by row, unless it is interlaced.
pub(super) fn png(bytes: &[u8], policy: &PhotoPolicy) -> Result<Decoded, PhotoError> {
    let limits = png::Limits {
        bytes: usize::try_from(policy.max_decode_bytes).unwrap_or(usize::MAX),
    };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    let fail = |e| from_png(&e, (0, 0));
    let (width_px, height_px) = decoder.read_header_info().map_err(fail)?.size();
    check_pixels(width_px, height_px, 0, policy)?;
    let mut reader = decoder.read_info().map_err(fail)?;
    let fail = |e| from_png(&e, (width_px, height_px));
    let (color, _) = reader.output_color_type();
    let (width, height) = sides(width_px, height_px)?;
    let grey = matches!(
        color,
        png::ColorType::Grayscale | png::ColorType::GrayscaleAlpha
    );
    let mut rows = Flattened {
        sink: RowSink::new(width, height, policy.targets.long_side_px, grey),
        channels: color.samples(),
        flat: Vec::new(),
    };
    if reader.info().interlaced {
        let needed = reader.output_buffer_size().ok_or(PhotoError::Damaged)?;
        check_pixels(width_px, height_px, needed as u64, policy)?;
        let mut whole = allocated(needed, (width, height))?;
        reader.next_frame(&mut whole).map_err(fail)?;
        for row in whole.chunks_exact(width * color.samples()) {
            rows.row(row);
        }
    } else {
        let mut left = height;
        while let Some(row) = reader.next_row().map_err(fail)? {
            rows.row(row.data());
            left = left.saturating_sub(1);
        }
        if left > 0 {
            return Err(PhotoError::Truncated);
        }
    }
    let info = reader.info();
    Ok(Decoded {
        noted: facts::read(info.exif_metadata.as_deref(), (width_px, height_px)),
        space: recognise(info.icc_profile.as_deref()),
        sheet: rows.sink.finish()?,
        width_px,
        height_px,
        ending: Ending::Proper { trailing_bytes: 0 },
    })
}

/// Lays transparent pixels on white, as a viewer would show them; JPEG knows no transparency.
struct Flattened {
    sink: RowSink,
    channels: usize,
    flat: Vec<u8>,
}

impl Flattened {
    fn row(&mut self, row: &[u8]) {
        self.flat.clear();
        match self.channels {
            2 => self.flat.extend(
                row.as_chunks::<2>()
                    .0
                    .iter()
                    .map(|[v, a]| mixed(*v, *a, 255)),
            ),
            4 => self.flat.extend(
                row.as_chunks::<4>()
                    .0
                    .iter()
                    .flat_map(|[r, g, b, a]| [r, g, b].map(|v| mixed(*v, *a, 255))),
            ),
            _ => {
                self.sink.row(row);
                return;
            }
        }
        self.sink.row(&self.flat);
    }
}

/// Has to be held whole, so large ones are refused.
pub(super) fn webp(bytes: &[u8], policy: &PhotoPolicy) -> Result<Decoded, PhotoError> {
    let fail = |e| from_webp(&e);
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(bytes)).map_err(fail)?;
    let (width_px, height_px) = decoder.dimensions();
    let (width, height) = sides(width_px, height_px)?;
    let channels = if decoder.has_alpha() { 4 } else { 3 };
    // The pixels, and beside them the decoder's own: planes, or words of four bytes.
    let pixels = u64::from(width_px) * u64::from(height_px);
    let own = if decoder.is_lossy() {
        pixels * 3 / 2
    } else {
        pixels * 4
    };
    check_pixels(width_px, height_px, pixels * channels + own, policy)?;
    decoder.set_memory_limit(usize::try_from(policy.max_decode_bytes).unwrap_or(usize::MAX));
    let noted = facts::read(
        decoder.exif_metadata().ok().flatten().as_deref(),
        (width_px, height_px),
    );
    let space = recognise(decoder.icc_profile().ok().flatten().as_deref());
    let needed = decoder.output_buffer_size().ok_or(PhotoError::Damaged)?;
    let mut whole = allocated(needed, (width, height))?;
    decoder.read_image(&mut whole).map_err(fail)?;
    let channels = if decoder.has_alpha() { 4 } else { 3 };
    let mut rows = Flattened {
        sink: RowSink::new(width, height, policy.targets.long_side_px, false),
        channels,
        flat: Vec::new(),
    };
    for row in whole.chunks_exact(width * channels) {
        rows.row(row);
    }
    Ok(Decoded {
        sheet: rows.sink.finish()?,
        width_px,
        height_px,
        noted,
        space,
        ending: Ending::Proper { trailing_bytes: 0 },
    })
}

/// Pixels the platform decoded, as it does with HEIC.
pub(in super::super) fn rgba(
    image: &RgbaImage<'_>,
    policy: &PhotoPolicy,
) -> Result<Decoded, PhotoError> {
    let (width_px, height_px) = (image.width_px, image.height_px);
    check_pixels(width_px, height_px, 0, policy)?;
    let (width, height) = sides(width_px, height_px)?;
    // The last row need not be padded.
    let needed = (height - 1)
        .checked_mul(image.stride_bytes)
        .and_then(|n| n.checked_add(width * 4));
    if image.stride_bytes < width * 4 || needed.is_none_or(|n| image.pixels.len() < n) {
        return Err(PhotoError::Truncated);
    }
    let mut rows = Flattened {
        sink: RowSink::new(width, height, policy.targets.long_side_px, false),
        channels: 4,
        flat: Vec::new(),
    };
    for row in image.pixels.chunks(image.stride_bytes).take(height) {
        rows.row(row.get(..width * 4).unwrap_or(row));
    }
    Ok(Decoded {
        sheet: rows.sink.finish()?,
        width_px,
        height_px,
        noted: Noted {
            turn: Turn::from_exif(image.orientation).unwrap_or_default(),
            turn_doubtful: Turn::from_exif(image.orientation).is_none(),
            ..Noted::default()
        },
        space: Space::Srgb,
        ending: Ending::Proper { trailing_bytes: 0 },
    })
}

fn sides(width_px: u32, height_px: u32) -> Result<(usize, usize), PhotoError> {
    let side = |px: u32| usize::try_from(px).map_err(|_| PhotoError::Damaged);
    Ok((side(width_px)?, side(height_px)?))
}

fn from_png(error: &png::DecodingError, (width_px, height_px): (u32, u32)) -> PhotoError {
    match error {
        png::DecodingError::IoError(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
            PhotoError::Truncated
        }
        png::DecodingError::LimitsExceeded => PhotoError::TooManyPixels {
            width_px,
            height_px,
        },
        _ => PhotoError::Damaged,
    }
}

fn from_webp(error: &image_webp::DecodingError) -> PhotoError {
    match error {
        image_webp::DecodingError::IoError(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
            PhotoError::Truncated
        }
        _ => PhotoError::Damaged,
    }
}
