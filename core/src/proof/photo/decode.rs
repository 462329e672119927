//! From bytes to pixels, with every limit checked before memory is spent.
//!
//! JPEG goes to `zune-jpeg` in strict mode: `image` uses the same decoder but leniently, and
//! then a picture cut off half way comes back as half a picture over grey, without a word.

use std::io::{self, Cursor};
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::error::ImageError;
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{PhotoError, PhotoPolicy, UnsupportedFormat};

/// Pixels as stored, and how to turn them.
pub(super) struct Decoded {
    pub(super) pixels: DynamicImage,
    pub(super) orientation: Orientation,
    pub(super) end_missing: bool,
}

enum Format {
    Jpeg,
    Other(ImageFormat),
}

/// Decodes JPEG, PNG or WebP.
pub(super) fn decode(bytes: &[u8], policy: &PhotoPolicy) -> Result<Decoded, PhotoError> {
    let format = sniff(bytes)?;
    // A decoder's own bug must cost one photo, not the app. Nothing outside is touched meanwhile,
    // so no broken state can be seen afterwards.
    catch_unwind(AssertUnwindSafe(|| match format {
        Format::Jpeg => decode_jpeg(bytes, policy),
        Format::Other(format) => decode_other(bytes, format, policy),
    }))
    .unwrap_or(Err(PhotoError::Damaged))
}

/// Names the format by its first bytes; names and media types from outside are not believed.
fn sniff(bytes: &[u8]) -> Result<Format, PhotoError> {
    if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        return Ok(Format::Jpeg);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok(Format::Other(ImageFormat::Png));
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Ok(Format::Other(ImageFormat::WebP));
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        match bytes.get(8..12) {
            Some(b"avif" | b"avis") => {
                return Err(PhotoError::UnsupportedFormat(UnsupportedFormat::Avif));
            }
            Some(b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1") => {
                return Err(PhotoError::UnsupportedFormat(UnsupportedFormat::Heic));
            }
            _ => {}
        }
    }
    Err(PhotoError::NotAnImage)
}

fn decode_jpeg(bytes: &[u8], policy: &PhotoPolicy) -> Result<Decoded, PhotoError> {
    let Markers { end_missing, rare } = Markers::read(bytes);
    if rare {
        return Err(PhotoError::UnsupportedFormat(UnsupportedFormat::RareJpeg));
    }
    let fail = |_: DecodeErrors| {
        if end_missing {
            PhotoError::Truncated
        } else {
            PhotoError::Damaged
        }
    };
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX));
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(fail)?;
    let info = decoder.info().ok_or(PhotoError::Damaged)?;
    let (width_px, height_px) = (u32::from(info.width), u32::from(info.height));
    let grey = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let channels = if grey { 1 } else { 3 };
    // Progressive pictures keep all coefficients (two bytes each) until the last scan.
    let bytes_per_sample = if info.sof.is_sequential_dct() { 1 } else { 3 };
    check_pixels(width_px, height_px, channels * bytes_per_sample, policy)?;

    let out = if grey {
        ColorSpace::Luma
    } else {
        ColorSpace::RGB
    };
    decoder.set_options(options.jpeg_set_out_colorspace(out));
    let orientation = decoder
        .exif()
        .and_then(|exif| Orientation::from_exif_chunk(exif));
    let mut raw = Vec::new();
    let needed = decoder.output_buffer_size().ok_or(PhotoError::Damaged)?;
    // Unlike an ordinary allocation, this one can fail without ending the app.
    raw.try_reserve_exact(needed)
        .map_err(|_| PhotoError::TooManyPixels {
            width_px,
            height_px,
        })?;
    raw.resize(needed, 0);
    decoder.decode_into(&mut raw).map_err(fail)?;
    let pixels = if grey {
        GrayImage::from_raw(width_px, height_px, raw).map(DynamicImage::ImageLuma8)
    } else {
        RgbImage::from_raw(width_px, height_px, raw).map(DynamicImage::ImageRgb8)
    };
    Ok(Decoded {
        pixels: pixels.ok_or(PhotoError::Damaged)?,
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
        end_missing,
    })
}

/// What the markers of a JPEG say before anything is decoded.
struct Markers {
    /// No end mark follows the start of the scan.
    end_missing: bool,
    /// The frame is of a kind no camera writes and `zune-jpeg` does not decode.
    rare: bool,
}

impl Markers {
    /// Segments before the scan are skipped whole: a thumbnail inside one has its own marks. In
    /// coded data 0xff is followed by a stuffing or marker byte, so an end mark cannot be coded
    /// data, and whatever follows it does not matter.
    fn read(bytes: &[u8]) -> Self {
        let mut rest = bytes.get(2..).unwrap_or_default();
        let mut rare = false;
        while let [0xff, marker, tail @ ..] = rest {
            match (marker, tail) {
                (0xff, _) => rest = rest.get(1..).unwrap_or_default(),
                (0xda, _) => break,
                (_, [high, low, precision, ..]) => {
                    // Frames: C0 baseline, C1 extended, C2 progressive; C4, C8, CC are no frames.
                    rare |= match marker {
                        0xc0..=0xc2 => *precision != 8,
                        0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => true,
                        _ => false,
                    };
                    let length = usize::from(u16::from_be_bytes([*high, *low]));
                    rest = tail.get(length..).unwrap_or_default();
                }
                _ => break,
            }
        }
        let end_missing = !rest.windows(2).any(|pair| pair == [0xff, 0xd9]);
        Self { end_missing, rare }
    }
}

fn decode_other(
    bytes: &[u8],
    format: ImageFormat,
    policy: &PhotoPolicy,
) -> Result<Decoded, PhotoError> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(policy.max_decode_bytes);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|e| from_image(&e))?;
    let (width_px, height_px) = decoder.dimensions();
    let bytes_per_pixel = u64::from(decoder.color_type().bytes_per_pixel());
    check_pixels(width_px, height_px, bytes_per_pixel, policy)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let pixels = DynamicImage::from_decoder(decoder).map_err(|e| match from_image(&e) {
        PhotoError::TooManyPixels { .. } => PhotoError::TooManyPixels {
            width_px,
            height_px,
        },
        other => other,
    })?;
    Ok(Decoded {
        pixels,
        orientation,
        end_missing: false,
    })
}

fn check_pixels(
    width_px: u32,
    height_px: u32,
    bytes_per_pixel: u64,
    policy: &PhotoPolicy,
) -> Result<(), PhotoError> {
    let pixels = u64::from(width_px) * u64::from(height_px);
    if pixels == 0 {
        return Err(PhotoError::Damaged);
    }
    let fits = pixels <= policy.max_pixels
        && pixels.saturating_mul(bytes_per_pixel) <= policy.max_decode_bytes;
    if fits {
        Ok(())
    } else {
        Err(PhotoError::TooManyPixels {
            width_px,
            height_px,
        })
    }
}

fn from_image(error: &ImageError) -> PhotoError {
    match error {
        ImageError::IoError(e) if e.kind() == io::ErrorKind::UnexpectedEof => PhotoError::Truncated,
        ImageError::Limits(_) => PhotoError::TooManyPixels {
            width_px: 0,
            height_px: 0,
        },
        _ => PhotoError::Damaged,
    }
}
