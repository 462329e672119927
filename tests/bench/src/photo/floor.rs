//! The least a proof can cost: libjpeg-turbo to half-size planes, one resampling, one turn, libjpeg-turbo.
//!
//! No limits, no thumbnail, no hash, no look at the picture and a fixed quality of 80: what remains is
//! the work nobody can leave out. Everyone's time is given as a multiple of this one's.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use turbojpeg::{Compressor, Decompressor, ScalingFactor, Subsamp, YuvImage};

use crate::Failure;

/// Bytes turned at a time along each side; two such squares fit the first cache.
const TILE: usize = 32;

/// The floor's proof.
pub(super) struct Proof {
    pub(super) jpeg: Vec<u8>,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// Whether the file asks for a quarter turn, which is what phones held upright do.
pub(super) fn quarter_turn(jpeg: &[u8]) -> bool {
    let exif = exif::Reader::new()
        .read_from_container(&mut std::io::Cursor::new(jpeg))
        .ok();
    let noted = exif
        .as_ref()
        .and_then(|e| e.get_field(exif::Tag::Orientation, exif::In::PRIMARY));
    noted
        .and_then(|field| field.value.get_uint(0))
        .is_some_and(|value| value >= 5)
}

/// A JPEG of at most `long_side` pixels, turned a quarter right if asked.
///
/// # Errors
/// When the file is not a JPEG of brightness and colour.
pub(super) fn floor(jpeg: &[u8], long_side: usize, turn: bool) -> Result<Proof, Failure> {
    let mut decoder = Decompressor::new()?;
    let header = decoder.read_header(jpeg)?;
    let longest = header.width.max(header.height);
    let eighths = (1..8)
        .find(|n| ScalingFactor::new(*n, 8).scale(longest) >= long_side)
        .unwrap_or(8);
    let factor = ScalingFactor::new(eighths, 8);
    decoder.set_scaling_factor(factor)?;
    let scaled = header.scaled(factor);
    let mut decoded = YuvImage {
        pixels: vec![0; turbojpeg::yuv_pixels_len(scaled.width, 1, scaled.height, scaled.subsamp)?],
        width: scaled.width,
        align: 1,
        height: scaled.height,
        subsamp: scaled.subsamp,
    };
    decoder.decompress_to_yuv(jpeg, decoded.as_deref_mut())?;

    let (width, height) = (
        scaled.width * long_side.min(longest) / scaled.width.max(scaled.height),
        scaled.height * long_side.min(longest) / scaled.width.max(scaled.height),
    );
    let (width, height) = (width.next_multiple_of(2), height.next_multiple_of(2));
    let sizes = [decoded.y_size(), decoded.uv_size(), decoded.uv_size()];
    let targets = [
        (width, height),
        (width / 2, height / 2),
        (width / 2, height / 2),
    ];
    let mut resizer = Resizer::new();
    let mut out = Vec::with_capacity(width * height * 3 / 2);
    let mut rest = decoded.pixels.as_slice();
    for (size, target) in sizes.into_iter().zip(targets) {
        let (plane, behind) = rest
            .split_at_checked(size.0 * size.1)
            .ok_or("short plane")?;
        rest = behind;
        let small = resize(&mut resizer, plane, size, target)?;
        if turn {
            turned(&small, target, &mut out);
        } else {
            out.extend(small);
        }
    }
    let (width, height) = if turn {
        (height, width)
    } else {
        (width, height)
    };
    let image = YuvImage {
        pixels: out.as_slice(),
        width,
        align: 1,
        height,
        subsamp: Subsamp::Sub2x2,
    };
    let mut encoder = Compressor::new()?;
    encoder.set_quality(80)?;
    encoder.set_subsamp(Subsamp::Sub2x2)?;
    Ok(Proof {
        jpeg: encoder.compress_yuv_to_vec(image)?,
        width,
        height,
    })
}

fn resize(
    resizer: &mut Resizer,
    plane: &[u8],
    from: (usize, usize),
    to: (usize, usize),
) -> Result<Vec<u8>, Failure> {
    let side = u32::try_from;
    let source = ImageRef::new(side(from.0)?, side(from.1)?, plane, PixelType::U8)?;
    let mut out = Image::new(side(to.0)?, side(to.1)?, PixelType::U8);
    let lanczos = ResizeAlg::Convolution(FilterType::Lanczos3);
    resizer.resize(&source, &mut out, &ResizeOptions::new().resize_alg(lanczos))?;
    Ok(out.into_vec())
}

/// Appends the plane turned a quarter to the right.
fn turned(plane: &[u8], (width, height): (usize, usize), out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + plane.len(), 0);
    let Some(out) = out.get_mut(start..) else {
        return;
    };
    for top in (0..height).step_by(TILE) {
        for left in (0..width).step_by(TILE) {
            for x in left..(left + TILE).min(width) {
                for y in top..(top + TILE).min(height) {
                    let to = out.get_mut(x * height + height - 1 - y);
                    if let (Some(to), Some(from)) = (to, plane.get(y * width + x)) {
                        *to = *from;
                    }
                }
            }
        }
    }
}
