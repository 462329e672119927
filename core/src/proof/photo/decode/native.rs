//! A call into C that reads progressive pictures without holding coefficients and planes side by side.
//!
//! The C side (`native/jpeg_read.c`) leaves the file to libjpeg-turbo, as TurboJPEG does for all other pictures,
//! and writes into the rooms it is given once it has compared what the file needs with their sizes.
#![allow(
    unsafe_code,
    reason = "a call into C; what it relies on is checked in `read`"
)]

use std::ffi::{CStr, c_char, c_int, c_uint};
use std::ptr;

// The library the C side calls is linked through this crate.
use turbojpeg_sys as _;

use super::super::PhotoError;

/// Brightness and two colours.
const PLANES: usize = 3;

#[repr(C)]
#[derive(Clone, Copy)]
struct RawRoom {
    bytes: *mut u8,
    stride: usize,
    rows: usize,
}

#[repr(C)]
struct Reading {
    path: *const c_char,
    coded: *const u8,
    length: usize,
    eighths: c_uint,
    planes: c_uint,
    room: [RawRoom; PLANES],
}

unsafe extern "C" {
    fn satchel_jpeg_read(reading: *const Reading) -> c_int;
}

/// Where the coded picture is.
#[derive(Clone, Copy)]
pub(super) enum Coded<'a> {
    Bytes(&'a [u8]),
    File(&'a CStr),
}

/// Where a plane goes: whole blocks across and down.
pub(super) struct Room<'a> {
    pub(super) bytes: &'a mut [u8],
    pub(super) stride: usize,
}

/// Fills one room, or three, with a picture shrunk to `eighths` of its size.
pub(super) fn read(
    coded: Coded<'_>,
    eighths: usize,
    rooms: &mut [Room<'_>],
) -> Result<(), PhotoError> {
    let number = |n: usize| c_uint::try_from(n).map_err(|_| PhotoError::Damaged);
    let none = RawRoom {
        bytes: ptr::null_mut(),
        stride: 0,
        rows: 0,
    };
    let (path, bytes): (_, &[u8]) = match coded {
        Coded::Bytes(bytes) => (ptr::null(), bytes),
        Coded::File(path) => (path.as_ptr(), &[]),
    };
    let mut reading = Reading {
        path,
        coded: bytes.as_ptr(),
        length: bytes.len(),
        eighths: number(eighths)?,
        planes: number(rooms.len())?,
        room: [none; PLANES],
    };
    if rooms.is_empty() || rooms.len() > PLANES || (path.is_null() && bytes.is_empty()) {
        return Err(PhotoError::Damaged);
    }
    for (raw, room) in reading.room.iter_mut().zip(rooms) {
        let rows = room.bytes.len().checked_div(room.stride).unwrap_or(0);
        if rows == 0 {
            return Err(PhotoError::Damaged);
        }
        *raw = RawRoom {
            bytes: room.bytes.as_mut_ptr(),
            stride: room.stride,
            rows,
        };
    }
    // SAFETY: path, bytes and rooms outlive the call, and the rooms are borrowed by nobody else. The C side reads
    // the path up to its zero or `length` bytes, writes only to the first `planes` rooms, and there, having refused files that need more,
    // only within `rows` rows of `stride` bytes, which is at most what each slice has.
    match unsafe { satchel_jpeg_read(&raw const reading) } {
        1 => Ok(()),
        _ => Err(PhotoError::Damaged),
    }
}
