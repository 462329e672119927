//! A call into C that gives libjpeg-turbo our tables.
//!
//! The C side (`native/jpeg_write.c`) reads, for each row it is told of, the picture's width rounded up to
//! whole blocks, and rows are asked for within the number given. [`write`] checks that the planes hold
//! all of that before it calls, and nothing else can call it.
#![allow(
    unsafe_code,
    reason = "a call into C; what it relies on is checked in `write`"
)]

use std::ffi::c_uint;
use std::ptr;

// The library the C side calls is linked through this crate.
use turbojpeg_sys as _;

use super::super::PhotoError;
use super::super::plane::Plane;
use super::tables::Tables;

const BLOCK: usize = 8;

/// Markers and tables, and what a picture of a few pixels takes.
const ROOM_BYTES: usize = 16 * 1024;

#[repr(C)]
struct Planes {
    luma: *const u8,
    blue: *const u8,
    red: *const u8,
    luma_stride: usize,
    chroma_stride: usize,
    luma_rows: c_uint,
    chroma_rows: c_uint,
    width: c_uint,
    height: c_uint,
    luma_table: *const c_uint,
    chroma_table: *const c_uint,
}

unsafe extern "C" {
    fn satchel_jpeg_write(planes: *const Planes, bytes: *mut u8, capacity: usize) -> usize;
}

/// A picture whose planes are in whole blocks across.
pub(super) struct Rows<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) luma: &'a Plane,
    pub(super) chroma: Option<[&'a Plane; 2]>,
}

/// Writes a picture with these tables.
pub(super) fn write(picture: &Rows<'_>, tables: &Tables) -> Result<Vec<u8>, PhotoError> {
    let number = |n: usize| c_uint::try_from(n).map_err(|_| PhotoError::NotEncodable);
    let blocks = |pixels: usize| pixels.div_ceil(BLOCK) * BLOCK;
    let holds = |plane: &Plane, width: usize| {
        plane.width >= blocks(width)
            && plane.height > 0
            && plane
                .width
                .checked_mul(plane.height)
                .is_some_and(|n| plane.bytes.len() >= n)
    };
    let (luma, half) = (picture.luma, picture.width.div_ceil(2));
    let sound = match picture.chroma {
        None => true,
        Some([blue, red]) => {
            holds(blue, half)
                && holds(red, half)
                && (blue.width, blue.height) == (red.width, red.height)
        }
    };
    if !sound || !holds(luma, picture.width) || picture.width == 0 || picture.height == 0 {
        return Err(PhotoError::NotEncodable);
    }
    let chroma = picture.chroma;
    let planes = Planes {
        luma: luma.bytes.as_ptr(),
        blue: chroma.map_or(ptr::null(), |[blue, _]| blue.bytes.as_ptr()),
        red: chroma.map_or(ptr::null(), |[_, red]| red.bytes.as_ptr()),
        luma_stride: luma.width,
        chroma_stride: chroma.map_or(0, |[blue, _]| blue.width),
        luma_rows: number(luma.height)?,
        chroma_rows: number(chroma.map_or(0, |[blue, _]| blue.height))?,
        width: number(picture.width)?,
        height: number(picture.height)?,
        luma_table: tables.luma.as_ptr(),
        chroma_table: tables.chroma.as_ptr(),
    };
    // Twice what noise takes at the highest quality; memory that is never written to costs nothing.
    let capacity = luma
        .bytes
        .len()
        .saturating_mul(4)
        .saturating_add(ROOM_BYTES);
    let mut jpeg: Vec<u8> = Vec::with_capacity(capacity);
    // SAFETY: the planes outlive the call and, as checked above, hold every byte the C side reads: whole
    // blocks across, and rows below `luma_rows` and `chroma_rows`, which are not zero where there is a
    // plane. Each table has 64 numbers. It writes at most `capacity` bytes, which `jpeg` has room for.
    let length = unsafe { satchel_jpeg_write(&raw const planes, jpeg.as_mut_ptr(), capacity) };
    if length == 0 || length > capacity {
        return Err(PhotoError::NotEncodable);
    }
    // SAFETY: the C side has written the first `length` bytes, within the capacity.
    unsafe { jpeg.set_len(length) };
    jpeg.shrink_to_fit();
    Ok(jpeg)
}
