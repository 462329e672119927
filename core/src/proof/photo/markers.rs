//! What the markers of a JPEG say before anything is decoded.
//!
//! A decoder believes the header of a file and allocates for it. So the header is judged first: how
//! large the picture claims to be, whether the file is long enough to hold it, how much memory its
//! coding needs, and whether its end is there. One pass, no allocation.

use memchr::memchr;

use super::{PhotoError, UnsupportedFormat};

/// Progressive files of real encoders have about ten scans. Each scan costs a pass over the picture,
/// so a small file with thousands of them would hold the phone up for minutes.
const MAX_SCANS: usize = 64;

/// Bytes of one block of coefficients.
const BLOCK_BYTES: u64 = 128;

const EXIF_TAG: &[u8] = b"Exif\0\0";
const ICC_TAG: &[u8] = b"ICC_PROFILE\0\x01\x01";

/// A JPEG's outline.
#[derive(Debug)]
pub(super) struct Outline<'a> {
    pub(super) width_px: u32,
    pub(super) height_px: u32,
    /// What a decoder must hold at once: nothing to speak of, or all coefficients.
    pub(super) held_bytes: u64,
    /// The EXIF block, from its byte order on.
    pub(super) exif: Option<&'a [u8]>,
    /// A colour profile that fits one segment; larger ones are for printers.
    pub(super) icc: Option<&'a [u8]>,
    /// Adobe's mark is there: then inks are stored inverted.
    pub(super) adobe: bool,
    /// First byte behind the picture; `None` when the end mark is missing.
    pub(super) end: Option<usize>,
    /// The file ends before its picture does, as far as the markers tell.
    pub(super) cut_off: bool,
}

#[derive(Debug, Clone, Copy)]
struct Component {
    id: u8,
    across: u32,
    down: u32,
    /// Bit position down to which each frequency has been sent; `UNSENT` before the first scan.
    sent: [u8; 64],
}

const UNSENT: u8 = 0xff;

#[derive(Debug)]
struct Frame {
    width_px: u32,
    height_px: u32,
    progressive: bool,
    components: Vec<Component>,
}

/// Reads the outline of a file that starts like a JPEG.
pub(super) fn read(bytes: &[u8]) -> Result<Outline<'_>, PhotoError> {
    let mut frame: Option<Frame> = None;
    let mut outline = Outline {
        width_px: 0,
        height_px: 0,
        held_bytes: 0,
        exif: None,
        icc: None,
        adobe: false,
        end: None,
        cut_off: false,
    };
    let mut scans = 0;
    let mut held = false;
    let mut at = 2;
    while let Some(marker) = marker_at(bytes, &mut at)? {
        if marker == 0xd9 {
            outline.end = Some(at);
            break;
        }
        let Some(body) = segment(bytes, &mut at)? else {
            break;
        };
        match marker {
            0xc0..=0xc2 if frame.is_none() => frame = Some(Frame::read(body, marker == 0xc2)?),
            0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Err(PhotoError::UnsupportedFormat(UnsupportedFormat::RareJpeg));
            }
            0xc0..=0xc2 => return Err(PhotoError::Damaged),
            0xe1 if outline.exif.is_none() => outline.exif = body.strip_prefix(EXIF_TAG),
            0xe2 if outline.icc.is_none() => outline.icc = body.strip_prefix(ICC_TAG),
            0xee => outline.adobe |= body.starts_with(b"Adobe"),
            0xda => {
                let frame = frame.as_mut().ok_or(PhotoError::Damaged)?;
                held |= frame.scan(body);
                scans += 1;
                if scans > MAX_SCANS {
                    return Err(PhotoError::UnsupportedFormat(UnsupportedFormat::RareJpeg));
                }
                skip_coded(bytes, &mut at);
            }
            _ => {}
        }
    }
    let frame = match frame {
        Some(frame) if scans > 0 => frame,
        _ if outline.end.is_some() => return Err(PhotoError::Damaged),
        _ => return Err(PhotoError::Truncated),
    };
    outline.width_px = frame.width_px;
    outline.height_px = frame.height_px;
    if held {
        outline.held_bytes = frame.blocks() * BLOCK_BYTES;
    }
    // Each block takes a bit at the very least, so a shorter file cannot be whole.
    let too_short = frame.blocks() > bytes.len() as u64 * 8;
    outline.cut_off = too_short || (outline.end.is_none() && !frame.all_sent());
    Ok(outline)
}

impl Frame {
    fn read(body: &[u8], progressive: bool) -> Result<Self, PhotoError> {
        let [precision, h1, h0, w1, w0, count, rest @ ..] = body else {
            return Err(PhotoError::Damaged);
        };
        if *precision != 8 {
            return Err(PhotoError::UnsupportedFormat(UnsupportedFormat::RareJpeg));
        }
        let components: Vec<Component> = rest
            .as_chunks::<3>()
            .0
            .iter()
            .map(|[id, sampling, _]| Component {
                id: *id,
                across: u32::from(sampling >> 4),
                down: u32::from(sampling & 15),
                sent: [UNSENT; 64],
            })
            .collect();
        let frame = Self {
            width_px: u32::from(u16::from_be_bytes([*w1, *w0])),
            height_px: u32::from(u16::from_be_bytes([*h1, *h0])),
            progressive,
            components,
        };
        let sound = frame.components.len() == usize::from(*count)
            && (1..=4).contains(count)
            && frame.width_px > 0
            && frame.height_px > 0
            && frame
                .components
                .iter()
                .all(|c| (1..=4).contains(&c.across) && (1..=4).contains(&c.down));
        if sound {
            Ok(frame)
        } else {
            Err(PhotoError::Damaged)
        }
    }

    /// Blocks of all components.
    fn blocks(&self) -> u64 {
        let most =
            |side: fn(&Component) -> u32| self.components.iter().map(side).max().unwrap_or(1);
        let (across, down) = (most(|c| c.across), most(|c| c.down));
        let side =
            |pixels: u32, own: u32, most: u32| u64::from((pixels * own).div_ceil(most).div_ceil(8));
        self.components
            .iter()
            .map(|c| side(self.width_px, c.across, across) * side(self.height_px, c.down, down))
            .sum()
    }

    /// Notes what a scan brings; `true` when its coefficients wait for those of further scans.
    fn scan(&mut self, header: &[u8]) -> bool {
        let Some((count, rest)) = header.split_first() else {
            return false;
        };
        let (ids, tail) = rest
            .split_at_checked(usize::from(*count) * 2)
            .unwrap_or((rest, &[]));
        let (from, to, low) = match (self.progressive, tail) {
            (true, [from, to, bits, ..]) => (*from, *to, bits & 15),
            _ => (0, 63, 0),
        };
        for [id, _] in ids.as_chunks::<2>().0 {
            for component in self.components.iter_mut().filter(|c| c.id == *id) {
                let range = usize::from(from)..=usize::from(to);
                if let Some(sent) = component.sent.get_mut(range) {
                    sent.fill(low);
                }
            }
        }
        self.progressive || usize::from(*count) < self.components.len()
    }

    fn all_sent(&self) -> bool {
        self.components
            .iter()
            .flat_map(|c| c.sent)
            .all(|low| low == 0)
    }
}

/// The marker at `at`, which then points behind it; `None` at the end of the file.
fn marker_at(bytes: &[u8], at: &mut usize) -> Result<Option<u8>, PhotoError> {
    let mut first = true;
    loop {
        match bytes.get(*at) {
            None => return Ok(None),
            Some(0xff) => first = false,
            Some(_) if first => return Err(PhotoError::Damaged),
            Some(marker) => {
                *at += 1;
                return Ok(Some(*marker));
            }
        }
        *at += 1;
    }
}

/// The segment at `at`, which then points behind it; `None` when the file ends within it.
fn segment<'a>(bytes: &'a [u8], at: &mut usize) -> Result<Option<&'a [u8]>, PhotoError> {
    let Some([high, low]) = bytes.get(*at..*at + 2) else {
        return Ok(None);
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length < 2 {
        return Err(PhotoError::Damaged);
    }
    let body = bytes.get(*at + 2..*at + length);
    *at += length;
    Ok(body)
}

/// Moves `at` to the next marker. In coded data 0xff is followed by a zero or a restart mark.
fn skip_coded(bytes: &[u8], at: &mut usize) {
    while let Some(offset) = memchr(0xff, bytes.get(*at..).unwrap_or_default()) {
        *at += offset;
        match bytes.get(*at + 1) {
            Some(0 | 0xd0..=0xd7) => *at += 2,
            Some(0xff) => *at += 1,
            Some(_) => return,
            None => break,
        }
    }
    *at = bytes.len();
}
