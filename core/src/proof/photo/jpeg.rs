//! Writes a proof as baseline JPEG of at most a given size.
//!
//! Ours, because no library offers what a proof needs in the time it has: planes in without a way
//! through RGB, reading them turned, the quality chosen for the size before anything is written, and
//! tables fitted to the eye and to the picture (figures: docs/adr/0007). A JPEG is written from
//! numbers, so no input can harm it; what comes from outside is decoded by libjpeg-turbo.

use std::ops::RangeInclusive;

use super::plane::{Plane, Planes, Turn, Upright};

mod dct;
mod huffman;

use dct::{Quantiser, SIDE, Spectrum, spectrum};
use huffman::{BitWriter, Code, Coded, Counts, walk};

/// A tenth of the blocks tells the size within 2 %; neighbours in a run tell how they differ.
const SAMPLE_RUN: usize = 4;
const SAMPLE_RUNS: usize = 2;
/// Pictures of fewer units are tried whole.
const SAMPLED_FROM_UNITS: usize = 600;

/// Trials placed by how sizes usually go; then the range is halved.
const PLACED_TRIALS: usize = 3;

/// A trial that fills this much of the room is good enough.
const FILLED_PERCENT: usize = 95;

/// The estimate is aimed this far below the target, so that one writing is nearly always enough.
const AIM_PERCENT: usize = 97;

/// Markers, tables and frame; what is left of the budget is for the picture.
const HEADER_BYTES: usize = 700;

/// A picture the right way up, brightness with or without colour at half size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Picture<'a> {
    luma: Upright<'a>,
    chroma: Option<[Upright<'a>; 2]>,
}

impl<'a> Picture<'a> {
    pub(super) fn new(planes: &'a Planes, turn: Turn) -> Self {
        let upright = |plane| Upright { plane, turn };
        Self {
            luma: upright(&planes.luma),
            chroma: planes
                .chroma
                .as_ref()
                .map(|[b, r]| [upright(b), upright(r)]),
        }
    }

    /// Blocks along a side that are coded together.
    fn unit_blocks(&self) -> usize {
        if self.chroma.is_some() { 2 } else { 1 }
    }

    fn units(&self) -> (usize, usize) {
        let (w, h) = self.luma.size();
        let side = self.unit_blocks() * SIDE;
        (w.div_ceil(side), h.div_ceil(side))
    }
}

/// Writes the best quality of the range that fits `target_bytes`; the lowest if none does.
pub(super) fn write(
    picture: &Picture<'_>,
    quality: RangeInclusive<u8>,
    target_bytes: usize,
    icc: Option<&[u8]>,
) -> Vec<u8> {
    let sample = Sample::take(picture);
    let room = target_bytes.saturating_sub(HEADER_BYTES + icc.map_or(0, <[u8]>::len));
    let mut trial = sample.best(&quality, room / 100 * AIM_PERCENT);
    loop {
        let bytes = write_at(picture, &trial, icc);
        if bytes.len() <= target_bytes || trial.quality <= *quality.start() {
            return bytes;
        }
        trial = sample.trial(trial.quality - 1);
    }
}

/// One quality tried on the sample.
struct Trial {
    quality: u8,
    tables: Tables,
    luma: Codes,
    chroma: Codes,
    estimated_bytes: usize,
}

/// One row of units, or a part of it, as upright samples.
struct Band {
    luma: Plane,
    chroma: Option<[Plane; 2]>,
}

impl Band {
    fn new(picture: &Picture<'_>, units: usize) -> Self {
        let plane = |side: usize| Plane {
            width: units * side,
            height: side,
            bytes: vec![0; units * side * side],
        };
        Self {
            luma: plane(picture.unit_blocks() * SIDE),
            chroma: picture.chroma.map(|_| [plane(SIDE), plane(SIDE)]),
        }
    }

    fn load(&mut self, picture: &Picture<'_>, first_unit: usize, row: usize) {
        let fill = |from: &Upright<'_>, to: &mut Plane| {
            let side = to.height;
            from.fill(first_unit * side, row * side, to.width, &mut to.bytes);
        };
        fill(&picture.luma, &mut self.luma);
        if let (Some(from), Some(to)) = (&picture.chroma, &mut self.chroma) {
            for (from, to) in from.iter().zip(to) {
                fill(from, to);
            }
        }
    }

    /// Blocks in the order of the file, each with its channel.
    fn each_block(&self, mut with: impl FnMut(Channel, Spectrum)) {
        let side = self.luma.height;
        for unit in 0..self.luma.width / side {
            for y in (0..side).step_by(SIDE) {
                for x in (0..side).step_by(SIDE) {
                    with(Channel::Luma, spectrum(&self.luma, unit * side + x, y));
                }
            }
            if let Some([blue, red]) = &self.chroma {
                with(Channel::Blue, spectrum(blue, unit * SIDE, 0));
                with(Channel::Red, spectrum(red, unit * SIDE, 0));
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Channel {
    Luma,
    Blue,
    Red,
}

/// Means of the last blocks, which the next ones are written against.
#[derive(Default)]
struct Means {
    luma: i16,
    blue: i16,
    red: i16,
}

impl Means {
    fn of(&mut self, channel: Channel) -> &mut i16 {
        match channel {
            Channel::Luma => &mut self.luma,
            Channel::Blue => &mut self.blue,
            Channel::Red => &mut self.red,
        }
    }
}

/// Blocks from all over the picture, to try qualities on.
struct Sample {
    blocks: Vec<(Channel, Spectrum)>,
    /// Where a run of neighbours starts.
    run_blocks: usize,
    units: usize,
    of_units: usize,
}

/// Codes for one kind of block.
struct Codes {
    dc: Code,
    ac: Code,
}

impl Sample {
    fn take(picture: &Picture<'_>) -> Self {
        let (across, down) = picture.units();
        let (run, runs) = if across * down < SAMPLED_FROM_UNITS || across < SAMPLE_RUN {
            (across, 1)
        } else {
            (SAMPLE_RUN, SAMPLE_RUNS)
        };
        let mut band = Band::new(picture, run);
        let mut blocks = Vec::new();
        for row in 0..down {
            for nth in 0..runs {
                // Steps of the golden ratio spread the runs evenly without a pattern.
                let places = across - run + 1;
                let first = ((row * runs + nth) * 618 % 1_000) * places / 1_000;
                band.load(picture, first, row);
                band.each_block(|channel, spectrum| blocks.push((channel, spectrum)));
            }
        }
        Self {
            run_blocks: blocks.len() / (down * runs).max(1),
            blocks,
            units: run * runs * down,
            of_units: across * down,
        }
    }

    /// The highest quality that fits, or the lowest there is.
    fn best(&self, quality: &RangeInclusive<u8>, room_bytes: usize) -> Trial {
        let mut low = *quality.start();
        // Many pictures fit at the top, so that is tried first.
        let mut next = *quality.end();
        let mut high = next;
        let mut fitting: Option<Trial> = None;
        for tried in 1.. {
            let trial = self.trial(next);
            let bytes = trial.estimated_bytes;
            if bytes <= room_bytes {
                let filled = bytes >= room_bytes / 100 * FILLED_PERCENT;
                low = next;
                fitting = Some(trial);
                if filled {
                    break;
                }
            } else {
                high = next.saturating_sub(1);
            }
            if low >= high {
                break;
            }
            next = if tried <= PLACED_TRIALS {
                likely(next, bytes, room_bytes).clamp(low + 1, high)
            } else {
                low + (high - low).div_ceil(2)
            };
        }
        match fitting {
            Some(trial) if trial.quality == low => trial,
            _ => self.trial(low),
        }
    }

    /// Tries a quality, with codes that fit it.
    fn trial(&self, quality: u8) -> Trial {
        let tables = Tables::new(quality);
        let (mut luma, mut chroma) = (Counts::new(), Counts::new());
        for run in self.blocks.chunks(self.run_blocks.max(1)) {
            let mut means = Means::default();
            for (at, (channel, spectrum)) in run.iter().enumerate() {
                let block = tables.of(*channel).apply(spectrum);
                let mean = means.of(*channel);
                if at == 0 {
                    // The first of a run has no neighbour; it stands for one that is alike.
                    let [[dc, ..], ..] = block;
                    *mean = dc;
                }
                let counts = match channel {
                    Channel::Luma => &mut luma,
                    _ => &mut chroma,
                };
                walk(&block, mean, counts);
            }
        }
        let (dc, ac, luma_bits) = luma.codes();
        let luma = Codes { dc, ac };
        let (dc, ac, chroma_bits) = chroma.codes();
        let bytes = usize::try_from((luma_bits + chroma_bits) / 8).unwrap_or(usize::MAX);
        Trial {
            quality,
            tables,
            luma,
            chroma: Codes { dc, ac },
            estimated_bytes: bytes.saturating_mul(self.of_units) / self.units.max(1),
        }
    }
}

/// Where the size would fit if it shrank as it usually does: by a fifth for each fifth that the
/// distance to full quality grows.
fn likely(quality: u8, bytes: usize, room_bytes: usize) -> u8 {
    let distance = 100 - usize::from(quality.min(99));
    // Sizes go with the distance to the power of -0.7, so the distance with sizes to that of -1.4.
    let mut grown = distance * bytes / room_bytes.max(1);
    grown += (grown.saturating_sub(distance)) * 2 / 5;
    u8::try_from(100usize.saturating_sub(grown)).unwrap_or(1)
}

/// Quantisers of one quality.
struct Tables {
    luma_table: [[u8; SIDE]; SIDE],
    chroma_table: [[u8; SIDE]; SIDE],
    luma: Quantiser,
    chroma: Quantiser,
}

impl Tables {
    fn new(quality: u8) -> Self {
        let luma_table = table(quality, LUMA);
        let chroma_table = table(quality, CHROMA);
        Self {
            luma: Quantiser::new(&luma_table),
            chroma: Quantiser::new(&chroma_table),
            luma_table,
            chroma_table,
        }
    }

    #[inline(always)]
    fn of(&self, channel: Channel) -> &Quantiser {
        match channel {
            Channel::Luma => &self.luma,
            _ => &self.chroma,
        }
    }
}

/// How coarse a frequency may be kept: flat up to where the eye is keenest, growing beyond.
#[derive(Debug, Clone, Copy)]
struct Eye {
    base: f32,
    slope: f32,
    flat: f32,
}

const LUMA: Eye = Eye {
    base: 16.0,
    slope: 0.27,
    flat: 1.5,
};
const CHROMA: Eye = Eye {
    base: 17.0,
    slope: 0.27,
    flat: 1.5,
};

/// Divisors in reading order. Quality scales them as is usual: halved at 75, doubled at 25.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)] // held to 1..=255 just before; indices are under eight
fn table(quality: u8, eye: Eye) -> [[u8; SIDE]; SIDE] {
    let quality = f32::from(quality.clamp(1, 100));
    let percent = if quality < 50.0 {
        5_000.0 / quality
    } else {
        200.0 - 2.0 * quality
    };
    core::array::from_fn(|row| {
        core::array::from_fn(|column| {
            let beyond = ((row + column) as f32 - eye.flat).max(0.0);
            let divisor = eye.base * (eye.slope * beyond).exp() * percent / 100.0;
            divisor.round().clamp(1.0, 255.0) as u8
        })
    })
}

fn write_at(picture: &Picture<'_>, trial: &Trial, icc: Option<&[u8]>) -> Vec<u8> {
    let Trial {
        tables,
        luma,
        chroma,
        ..
    } = trial;
    let mut bits = BitWriter::new(headers(picture, tables, [luma, chroma], icc));
    let (across, down) = picture.units();
    let mut band = Band::new(picture, across);
    let mut means = Means::default();
    for row in 0..down {
        band.load(picture, 0, row);
        band.each_block(|channel, spectrum| {
            let codes = match channel {
                Channel::Luma => luma,
                _ => chroma,
            };
            let mut sink = Coded {
                bits: &mut bits,
                dc: &codes.dc,
                ac: &codes.ac,
            };
            let block = tables.of(channel).apply(&spectrum);
            walk(&block, means.of(channel), &mut sink);
        });
    }
    let mut out = bits.finish();
    out.extend([0xff, 0xd9]);
    out
}

/// Everything in front of the coded blocks: no segment but those a decoder needs, and the colour
/// profile where the picture is not sRGB.
fn headers(
    picture: &Picture<'_>,
    tables: &Tables,
    codes: [&Codes; 2],
    icc: Option<&[u8]>,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(320 * 1024);
    out.extend([0xff, 0xd8]);
    // JFIF 1.1, square pixels, no thumbnail.
    segment(&mut out, 0xe0, *b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    if let Some(icc) = icc {
        let tagged = b"ICC_PROFILE\0\x01\x01".iter().chain(icc).copied();
        segment(&mut out, 0xe2, tagged);
    }
    let grey = picture.chroma.is_none();
    for (id, table) in [(0, &tables.luma_table), (1, &tables.chroma_table)] {
        if id == 0 || !grey {
            segment(
                &mut out,
                0xdb,
                core::iter::once(id).chain(huffman::zigzag(table)),
            );
        }
    }
    let (w, h) = picture.luma.size();
    let side = |pixels: usize| u16::try_from(pixels).unwrap_or(u16::MAX).to_be_bytes();
    let mut frame = vec![8];
    frame.extend(side(h));
    frame.extend(side(w));
    if grey {
        frame.extend([1, 1, 0x11, 0]);
    } else {
        frame.extend([3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
    }
    segment(&mut out, 0xc0, frame);
    for (id, codes) in (0u8..).zip(codes).take(if grey { 1 } else { 2 }) {
        segment(
            &mut out,
            0xc4,
            core::iter::once(id).chain(codes.dc.listed()),
        );
        segment(
            &mut out,
            0xc4,
            core::iter::once(0x10 | id).chain(codes.ac.listed()),
        );
    }
    let scan: &[u8] = if grey {
        &[1, 1, 0, 0, 63, 0]
    } else {
        &[3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0]
    };
    segment(&mut out, 0xda, scan.iter().copied());
    out
}

fn segment(out: &mut Vec<u8>, marker: u8, bytes: impl IntoIterator<Item = u8>) {
    out.extend([0xff, marker, 0, 0]);
    let start = out.len();
    out.extend(bytes);
    let length = u16::try_from(out.len() - start + 2).unwrap_or(u16::MAX);
    if let Some([high, low]) = out.get_mut(start - 2..start) {
        [*high, *low] = length.to_be_bytes();
    }
}
