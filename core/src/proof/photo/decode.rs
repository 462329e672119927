//! From bytes to planes, with every limit checked before memory is spent.
//!
//! JPEG goes to libjpeg-turbo, which shrinks while it decodes; any warning of it counts as damage, so
//! a picture cut off half way never comes back as half a picture over grey. Progressive pictures take a
//! way of their own (`native`), which gives coefficients back while it fills planes.

use std::borrow::Cow;
use std::ffi::CString;
use std::fs::File;
use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use sha2::{Digest as _, Sha256};
use turbojpeg::{
    Colorspace, DecompressHeader, Decompressor, PixelFormat, ScalingFactor, Subsamp, YuvImage,
};

use super::colour::{Space, recognise};
use super::facts::{self, Noted};
use super::markers::{self, Outline};
use super::sheet::{Area, RowSink, Sheet};
use super::{PhotoError, PhotoPolicy, UnsupportedFormat};

mod native;
mod pixels;

pub(super) use pixels::rgba;

const END_MARK: [u8; 2] = [0xff, 0xd9];

/// Pixels along each side of a coded block.
const BLOCK: usize = 8;

/// The picture as stored, and what its file says of it.
pub(super) struct Decoded {
    pub(super) sheet: Sheet,
    /// Size as stored, before shrinking.
    pub(super) width_px: u32,
    pub(super) height_px: u32,
    pub(super) noted: Noted,
    pub(super) space: Space,
    pub(super) ending: Ending,
}

/// How the file ends behind its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// With its end mark, and what follows that: a video, a second picture.
    Proper { trailing_bytes: u64 },
    /// Without: every pixel is there, but the file was cut or written by half.
    Missing,
}

enum Format {
    Jpeg,
    Png,
    WebP,
}

/// Where the bytes were read from and can be had again, and what they were.
#[derive(Clone, Copy)]
pub(super) struct Again<'a> {
    pub(super) path: &'a Path,
    pub(super) hash: [u8; 32],
}

impl Again<'_> {
    /// As C takes it; elsewhere than on Unix it would have to be told in another code.
    fn c_path(&self) -> Option<CString> {
        let path = self.path.to_str().filter(|_| cfg!(unix))?;
        CString::new(path).ok()
    }

    /// Whether the file still is what was judged before it was decoded.
    fn is_unchanged(&self) -> bool {
        let hash = || -> std::io::Result<[u8; 32]> {
            let mut file = File::open(self.path)?;
            let (mut hasher, mut part) = (Sha256::new(), vec![0; 64 * 1024]);
            loop {
                match file.read(&mut part)? {
                    0 => return Ok(hasher.finalize().into()),
                    n => hasher.update(part.get(..n).unwrap_or_default()),
                }
            }
        };
        hash().is_ok_and(|now| now == self.hash)
    }
}

/// Decodes JPEG, PNG or WebP.
pub(super) fn decode(
    bytes: Cow<'_, [u8]>,
    again: Option<Again<'_>>,
    policy: &PhotoPolicy,
) -> Result<Decoded, PhotoError> {
    let format = sniff(&bytes)?;
    // A decoder's own bug must cost one photo, not the app. Nothing outside is touched meanwhile,
    // so no broken state can be seen afterwards.
    catch_unwind(AssertUnwindSafe(|| match format {
        Format::Jpeg => jpeg(bytes, again, policy),
        Format::Png => pixels::png(&bytes, policy),
        Format::WebP => pixels::webp(&bytes, policy),
    }))
    .unwrap_or(Err(PhotoError::Damaged))
}

/// Names the format by its first bytes; names and media types from outside are not believed.
fn sniff(bytes: &[u8]) -> Result<Format, PhotoError> {
    if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        return Ok(Format::Jpeg);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok(Format::Png);
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Ok(Format::WebP);
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

fn jpeg(
    bytes: Cow<'_, [u8]>,
    again: Option<Again<'_>>,
    policy: &PhotoPolicy,
) -> Result<Decoded, PhotoError> {
    let outline = markers::read(&bytes)?;
    let (width_px, height_px) = (outline.width_px, outline.height_px);
    check_pixels(width_px, height_px, outline.held_bytes, policy)?;
    if outline.cut_off {
        return Err(PhotoError::Truncated);
    }
    let noted = facts::read(outline.exif, (width_px, height_px));
    let space = recognise(outline.icc);
    let held = outline.held_bytes > 0;
    let Outline { adobe, end, .. } = outline;
    let ending = end.map_or(Ending::Missing, |end| Ending::Proper {
        trailing_bytes: (bytes.len() - end) as u64,
    });
    // Without its end mark libjpeg takes a whole picture for one cut off; with it, it tells them
    // apart. What follows the end mark (a video, a second picture) it need not see.
    let whole = match end {
        Some(_) => bytes,
        None => {
            let mut owned = bytes.into_owned();
            owned.extend(END_MARK);
            Cow::Owned(owned)
        }
    };
    let again = again.filter(|_| end.is_some());
    let sheet = decompress(whole, end, again, (held, adobe), policy).map_err(|e| match e {
        PhotoError::Damaged if end.is_none() => PhotoError::Truncated,
        other => other,
    })?;
    Ok(Decoded {
        sheet,
        width_px,
        height_px,
        noted,
        space,
        ending,
    })
}

fn decompress(
    whole: Cow<'_, [u8]>,
    end: Option<usize>,
    again: Option<Again<'_>>,
    (held, adobe): (bool, bool),
    policy: &PhotoPolicy,
) -> Result<Sheet, PhotoError> {
    let coded = whole.get(..end.unwrap_or(whole.len())).unwrap_or(&whole);
    let damaged = |_: turbojpeg::Error| PhotoError::Damaged;
    let mut decoder = Decompressor::new().map_err(damaged)?;
    let header = decoder.read_header(coded).map_err(damaged)?;
    let target = usize::try_from(policy.targets.long_side_px).unwrap_or(usize::MAX);
    let long_side = header.width.max(header.height);
    let eighths = (1..8)
        .find(|n| ScalingFactor::new(*n, 8).scale(long_side) >= target)
        .unwrap_or(8);
    let factor = ScalingFactor::new(eighths, 8);
    decoder.set_scaling_factor(factor).map_err(damaged)?;
    let (width, height) = (factor.scale(header.width), factor.scale(header.height));
    let planar = matches!(header.colorspace, Colorspace::YCbCr | Colorspace::Gray)
        && header.subsamp != Subsamp::Unknown;
    if !planar {
        let cmyk = matches!(header.colorspace, Colorspace::CMYK | Colorspace::YCCK);
        return unusual(&mut decoder, coded, (width, height), cmyk, adobe, policy);
    }
    if held {
        let Some((again, path)) = again.and_then(|a| Some((a, a.c_path()?))) else {
            return by_and_by(native::Coded::Bytes(coded), &header, eighths);
        };
        // Beside all coefficients the file would be one copy too many.
        drop(whole);
        let sheet = by_and_by(native::Coded::File(&path), &header, eighths)?;
        return again
            .is_unchanged()
            .then_some(sheet)
            .ok_or(PhotoError::Damaged);
    }
    let needed = turbojpeg::yuv_pixels_len(width, 1, height, header.subsamp).map_err(damaged)?;
    let mut image = YuvImage {
        // Shrunk to at most twice the target, so never large.
        pixels: vec![0; needed],
        width,
        align: 1,
        height,
        subsamp: header.subsamp,
    };
    decoder
        .decompress_to_yuv(coded, image.as_deref_mut())
        .map_err(damaged)?;
    let luma = Area {
        start: 0,
        stride: image.y_width(),
        width,
        height,
    };
    let chroma = (header.subsamp != Subsamp::Gray).then(|| {
        let (stride, rows) = image.uv_size();
        let blue = Area {
            start: luma.stride * image.y_height(),
            stride,
            width: stride,
            height: rows,
        };
        let red = Area {
            start: blue.start + stride * rows,
            ..blue
        };
        [blue, red]
    });
    Ok(Sheet {
        bytes: image.pixels,
        luma,
        chroma,
    })
}

/// Pictures whose coefficients come in several scans: planes in whole blocks, as they are put out.
fn by_and_by(
    coded: native::Coded<'_>,
    header: &DecompressHeader,
    eighths: usize,
) -> Result<Sheet, PhotoError> {
    let factor = ScalingFactor::new(eighths, BLOCK);
    let (width, height) = (factor.scale(header.width), factor.scale(header.height));
    let whole = |pixels: usize, of: usize| pixels.div_ceil(BLOCK * of) * eighths;
    let (across, down) = header.subsamp.size();
    let luma = Area {
        start: 0,
        stride: whole(header.width, 1),
        width,
        height,
    };
    let behind_luma = luma.stride * whole(header.height, 1);
    let blue = Area {
        start: behind_luma,
        stride: whole(header.width, across),
        width: width.div_ceil(across),
        height: height.div_ceil(down),
    };
    let red = Area {
        start: behind_luma + blue.stride * whole(header.height, down),
        ..blue
    };
    let chroma = (header.subsamp != Subsamp::Gray).then_some([blue, red]);
    let needed = chroma.map_or(behind_luma, |_| red.start * 2 - behind_luma);
    // Zeroed by the system, so that no page of it is there before a row is put out.
    let mut bytes = vec![0; needed];
    let (first, rest) = bytes.split_at_mut(behind_luma);
    let (second, third) = rest.split_at_mut(rest.len() / 2);
    let room = |bytes, stride| native::Room { bytes, stride };
    let mut rooms = vec![room(first, luma.stride)];
    if chroma.is_some() {
        rooms.extend([room(second, blue.stride), room(third, blue.stride)]);
    }
    native::read(coded, eighths, &mut rooms)?;
    // Only what TurboJPEG would have left of the last blocks, so that the resampler sees the same edge.
    let luma = packed(&mut bytes, luma, width.next_multiple_of(across));
    let chroma = chroma.map(|both| both.map(|area| packed(&mut bytes, area, area.width)));
    Ok(Sheet {
        bytes,
        luma,
        chroma,
    })
}

/// Moves the rows of an area together until each takes `stride` bytes.
fn packed(bytes: &mut [u8], area: Area, stride: usize) -> Area {
    let stride = stride.min(area.stride);
    for row in 1..area.height {
        let from = area.start + row * area.stride;
        bytes.copy_within(from..from + stride, area.start + row * stride);
    }
    Area { stride, ..area }
}

/// Pictures not in `YCbCr`, or with colour at an unusual size: by way of RGB or inks.
fn unusual(
    decoder: &mut Decompressor,
    coded: &[u8],
    (width, height): (usize, usize),
    cmyk: bool,
    adobe: bool,
    policy: &PhotoPolicy,
) -> Result<Sheet, PhotoError> {
    let format = if cmyk {
        PixelFormat::CMYK
    } else {
        PixelFormat::RGB
    };
    let pitch = width * format.size();
    let mut image = turbojpeg::Image {
        pixels: allocated(pitch * height, (width, height))?,
        width,
        pitch,
        height,
        format,
    };
    decoder
        .decompress(coded, image.as_deref_mut())
        .map_err(|_| PhotoError::Damaged)?;
    let mut sink = RowSink::new(width, height, policy.targets.long_side_px, false);
    let mut rgb = Vec::with_capacity(width * 3);
    for row in image.pixels.chunks_exact(pitch) {
        if cmyk {
            rgb.clear();
            rgb.extend(
                row.as_chunks::<4>()
                    .0
                    .iter()
                    .flat_map(|inks| uninked(*inks, adobe)),
            );
            sink.row(&rgb);
        } else {
            sink.row(row);
        }
    }
    sink.finish()
}

/// Light that is left by the inks. Adobe stores how much paper shows instead of how much ink lies.
fn uninked(inks: [u8; 4], adobe: bool) -> [u8; 3] {
    let [c, m, y, k] = if adobe {
        inks
    } else {
        inks.map(|ink| 255 - ink)
    };
    [c, m, y].map(|light| mixed(light, k, 0))
}

/// `share` parts in 255 of `value`, the rest of `ground`.
fn mixed(value: u8, share: u8, ground: u8) -> u8 {
    let share = u32::from(share);
    let sum = u32::from(value) * share + u32::from(ground) * (255 - share) + 127;
    u8::try_from(sum / 255).unwrap_or(u8::MAX)
}

/// Zeroed memory; unlike an ordinary allocation this one can fail without ending the app.
fn allocated(bytes: usize, (width, height): (usize, usize)) -> Result<Vec<u8>, PhotoError> {
    let mut out = Vec::new();
    out.try_reserve_exact(bytes)
        .map_err(|_| PhotoError::TooManyPixels {
            width_px: u32::try_from(width).unwrap_or(u32::MAX),
            height_px: u32::try_from(height).unwrap_or(u32::MAX),
        })?;
    out.resize(bytes, 0);
    Ok(out)
}

fn check_pixels(
    width_px: u32,
    height_px: u32,
    held_bytes: u64,
    policy: &PhotoPolicy,
) -> Result<(), PhotoError> {
    let pixels = u64::from(width_px) * u64::from(height_px);
    if pixels == 0 {
        return Err(PhotoError::Damaged);
    }
    if pixels <= policy.max_pixels && held_bytes <= policy.max_decode_bytes {
        Ok(())
    } else {
        Err(PhotoError::TooManyPixels {
            width_px,
            height_px,
        })
    }
}
