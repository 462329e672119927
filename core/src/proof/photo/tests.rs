//! What a proof photo promises: upright, small, nothing of the recipient's data, and a plain
//! refusal for everything that is not a whole picture.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, Rgb, RgbImage};

use super::*;

mod doubts;
mod inputs;
mod mutations;
mod outputs;
mod refusals;

const GPS_MARKER: &[u8] = b"31.2304N,121.4737E";

/// A lit scene with edges: a red block top left, a blue one bottom right, stripes between.
fn scene(w: u32, h: u32) -> RgbImage {
    RgbImage::from_fn(w, h, |x, y| {
        if x < w / 4 && y < h / 4 {
            Rgb([220, 30, 30])
        } else if x >= w - w / 4 && y >= h - h / 4 {
            Rgb([30, 30, 220])
        } else if (x / 8 + y / 12) % 2 == 0 {
            Rgb([225, 225, 225])
        } else {
            Rgb([60, 90, 60])
        }
    })
}

fn jpeg(pixels: &RgbImage) -> Vec<u8> {
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, 92)
        .encode(
            pixels.as_raw(),
            pixels.width(),
            pixels.height(),
            ExtendedColorType::Rgb8,
        )
        .unwrap();
    out
}

/// The scene as libjpeg-turbo writes it, in one of its many ways.
fn turbo(pixels: &RgbImage, how: impl FnOnce(&mut turbojpeg::Compressor)) -> Vec<u8> {
    let mut compressor = turbojpeg::Compressor::new().unwrap();
    compressor.set_quality(92).unwrap();
    how(&mut compressor);
    let width = usize::try_from(pixels.width()).unwrap();
    let image = turbojpeg::Image {
        pixels: pixels.as_raw().as_slice(),
        width,
        pitch: width * 3,
        height: usize::try_from(pixels.height()).unwrap(),
        format: turbojpeg::PixelFormat::RGB,
    };
    compressor.compress_to_vec(image).unwrap()
}

/// Puts an EXIF segment with this orientation and a position behind the start mark.
fn with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01".to_vec();
    exif.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    exif.extend([0; 4]);
    exif.extend(GPS_MARKER);
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
}

/// An EXIF block with these notes, by the writer of `kamadak-exif`.
fn with_notes(jpeg: &[u8], notes: &[(exif::Tag, exif::Value)]) -> Vec<u8> {
    let fields: Vec<exif::Field> = notes
        .iter()
        .map(|(tag, value)| exif::Field {
            tag: *tag,
            ifd_num: exif::In::PRIMARY,
            value: value.clone(),
        })
        .collect();
    let mut writer = exif::experimental::Writer::new();
    for field in &fields {
        writer.push_field(field);
    }
    let mut block = io::Cursor::new(Vec::new());
    writer.write(&mut block, false).unwrap();
    let body = [b"Exif\0\0", block.get_ref().as_slice()].concat();
    let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &body, &jpeg[2..]].concat()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|w| w == needle)
}

fn from_bytes(bytes: &[u8]) -> Result<ReadyPhoto, PhotoError> {
    ingest_photo(PhotoSource::Bytes(bytes), &PhotoPolicy::default())
}

fn decoded(jpeg: &[u8]) -> RgbImage {
    image::load_from_memory_with_format(jpeg, image::ImageFormat::Jpeg)
        .unwrap()
        .into_rgb8()
}

fn is_red(pixel: &Rgb<u8>) -> bool {
    let [r, g, b] = pixel.0;
    r > 150 && g < 100 && b < 100
}

fn is_blue(pixel: &Rgb<u8>) -> bool {
    let [r, g, b] = pixel.0;
    b > 150 && r < 100 && g < 100
}
