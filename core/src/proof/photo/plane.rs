//! One channel of a picture, and how to turn it the right way up.
//!
//! A picture stays in the planes its file was coded in: brightness at full size, colour usually at
//! half. It is turned when it is small, a plane at a time, eight rows and columns at once.

use std::borrow::Cow;

/// Tiles of 8 × 8 bytes fit eight registers.
const TILE: usize = 8;

/// One channel, row by row without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plane {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) bytes: Vec<u8>,
}

impl Plane {
    pub(super) fn row(&self, y: usize) -> &[u8] {
        let start = y * self.width;
        self.bytes.get(start..start + self.width).unwrap_or(&[])
    }

    fn at(&self, x: usize, y: usize) -> u8 {
        self.row(y).get(x).copied().unwrap_or(0)
    }

    /// The plane turned.
    pub(super) fn turned(self, turn: Turn) -> Self {
        if turn == Turn::default() {
            return self;
        }
        let (width, height) = turn.size(self.width, self.height);
        let mut bytes = vec![0; width * height];
        Upright { plane: &self, turn }.fill(&mut bytes);
        Self {
            width,
            height,
            bytes,
        }
    }

    /// The same with its right edge repeated until rows are of whole blocks of `side` pixels, so that a
    /// coder sees no false border there.
    pub(super) fn in_whole_blocks(&self, side: usize) -> Cow<'_, Self> {
        let width = self.width.next_multiple_of(side.max(1));
        if width == self.width {
            return Cow::Borrowed(self);
        }
        let mut bytes = Vec::with_capacity(width * self.height);
        for row in self.bytes.chunks_exact(self.width.max(1)) {
            bytes.extend_from_slice(row);
            let edge = row.last().copied().unwrap_or(0);
            bytes.resize(bytes.len().next_multiple_of(width), edge);
        }
        Cow::Owned(Self {
            width,
            height: self.height,
            bytes,
        })
    }
}

/// An upright picture in brightness and colour difference (JFIF's `YCbCr`), or in brightness alone.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) luma: Plane,
    /// Blue and red difference, half as large along each side, rounded up; `None` for a grey picture.
    pub(super) chroma: Option<[Plane; 2]>,
}

/// How a stored picture is turned to stand upright, one of the eight values EXIF knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Turn {
    /// Columns become rows.
    swap: bool,
    /// Right becomes left, after swapping.
    flip_x: bool,
    /// Top becomes bottom, after swapping.
    flip_y: bool,
}

impl Turn {
    /// By EXIF value; `None` for a number that names no orientation.
    pub(super) fn from_exif(value: u16) -> Option<Self> {
        let (swap, flip_x, flip_y) = match value {
            1 => (false, false, false),
            2 => (false, true, false),
            3 => (false, true, true),
            4 => (false, false, true),
            5 => (true, false, false),
            6 => (true, true, false),
            7 => (true, true, true),
            8 => (true, false, true),
            _ => return None,
        };
        Some(Self {
            swap,
            flip_x,
            flip_y,
        })
    }

    /// Width and height after turning.
    pub(super) fn size<T>(self, width: T, height: T) -> (T, T) {
        if self.swap {
            (height, width)
        } else {
            (width, height)
        }
    }
}

/// A plane read the right way up.
#[derive(Debug, Clone, Copy)]
struct Upright<'a> {
    plane: &'a Plane,
    turn: Turn,
}

impl Upright<'_> {
    fn size(&self) -> (usize, usize) {
        self.turn.size(self.plane.width, self.plane.height)
    }

    fn fill(&self, out: &mut [u8]) {
        if self.turn.swap {
            self.fill_swapped(out);
        } else {
            self.fill_straight(out);
        }
    }

    fn fill_straight(&self, out: &mut [u8]) {
        let (width, height) = self.size();
        for (row, y) in out.chunks_exact_mut(width.max(1)).zip(0..) {
            let source = self
                .plane
                .row(if self.turn.flip_y { height - 1 - y } else { y });
            if self.turn.flip_x {
                for (to, byte) in row.iter_mut().zip(source.iter().rev()) {
                    *to = *byte;
                }
            } else {
                row.copy_from_slice(source);
            }
        }
    }

    fn fill_swapped(&self, out: &mut [u8]) {
        let (width, _) = self.size();
        for (band, y) in out
            .chunks_mut((width * TILE).max(1))
            .zip((0..).step_by(TILE))
        {
            for x in (0..width).step_by(TILE) {
                if band.len() == width * TILE && x + TILE <= width {
                    self.tile(x, y, width, band);
                } else {
                    for (row, y) in band.chunks_exact_mut(width).zip(y..) {
                        for (to, x) in row.iter_mut().skip(x).take(TILE).zip(x..) {
                            *to = self.pixel(x, y);
                        }
                    }
                }
            }
        }
    }

    fn pixel(&self, x: usize, y: usize) -> u8 {
        let (w, h) = self.size();
        let x = if self.turn.flip_x { w - 1 - x } else { x };
        let y = if self.turn.flip_y { h - 1 - y } else { y };
        if self.turn.swap {
            self.plane.at(y, x)
        } else {
            self.plane.at(x, y)
        }
    }

    /// Eight rows and columns at once; all of them lie inside both pictures.
    fn tile(&self, x: usize, y: usize, width: usize, band: &mut [u8]) {
        let (full_w, full_h) = self.size();
        // Upright columns are stored rows, and upright rows stored columns.
        let column = if self.turn.flip_y {
            full_h - y - TILE
        } else {
            y
        };
        let row = if self.turn.flip_x {
            full_w - x - TILE
        } else {
            x
        };
        let mut tile = [0u64; TILE];
        for (word, at) in tile.iter_mut().zip(row..) {
            let start = at * self.plane.width + column;
            let bytes = self.plane.bytes.get(start..start + TILE);
            *word = bytes.map_or(0, |b| {
                let word = u64::from_le_bytes(b.try_into().unwrap_or_default());
                if self.turn.flip_y {
                    word.swap_bytes()
                } else {
                    word
                }
            });
        }
        if self.turn.flip_x {
            tile.reverse();
        }
        for (row, word) in band.chunks_exact_mut(width).zip(transpose(tile)) {
            if let Some(to) = row.get_mut(x..x + TILE) {
                to.copy_from_slice(&word.to_le_bytes());
            }
        }
    }
}

/// Rows of bytes to columns: quarters, then pairs, then single bytes trade places.
fn transpose([a, b, c, d, e, f, g, h]: [u64; TILE]) -> [u64; TILE] {
    const FOUR: u64 = 0x0000_0000_ffff_ffff;
    const TWO: u64 = 0x0000_ffff_0000_ffff;
    const ONE: u64 = 0x00ff_00ff_00ff_00ff;
    let ((a, e), (b, f)) = (trade(a, e, 32, FOUR), trade(b, f, 32, FOUR));
    let ((c, g), (d, h)) = (trade(c, g, 32, FOUR), trade(d, h, 32, FOUR));
    let ((a, c), (b, d)) = (trade(a, c, 16, TWO), trade(b, d, 16, TWO));
    let ((e, g), (f, h)) = (trade(e, g, 16, TWO), trade(f, h, 16, TWO));
    let ((a, b), (c, d)) = (trade(a, b, 8, ONE), trade(c, d, 8, ONE));
    let ((e, f), (g, h)) = (trade(e, f, 8, ONE), trade(g, h, 8, ONE));
    [a, b, c, d, e, f, g, h]
}

/// Swaps the high parts of `low` with the low parts of `high`.
fn trade(low: u64, high: u64, shift: u32, mask: u64) -> (u64, u64) {
    let swap = ((low >> shift) ^ high) & mask;
    (low ^ (swap << shift), high ^ swap)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_turn_reads_the_same_by_tile_and_by_pixel() {
        for (width, height) in [(37, 29), (64, 48), (5, 3), (1, 1)] {
            let bytes = (0..width * height)
                .map(|i| u8::try_from(i * 7 % 251).unwrap())
                .collect();
            let plane = Plane {
                width,
                height,
                bytes,
            };
            for value in 1..=8 {
                let turn = Turn::from_exif(value).unwrap();
                let got = plane.clone().turned(turn);
                let upright = Upright {
                    plane: &plane,
                    turn,
                };
                assert_eq!((got.width, got.height), upright.size());
                for y in 0..got.height {
                    for x in 0..got.width {
                        assert_eq!(got.at(x, y), upright.pixel(x, y), "{value}: {x},{y}");
                    }
                }
            }
        }
    }

    #[test]
    fn whole_blocks_repeat_the_edge_and_nothing_else() {
        let plane = Plane {
            width: 3,
            height: 2,
            bytes: vec![1, 2, 3, 4, 5, 6],
        };
        assert_eq!(plane.in_whole_blocks(4).bytes, [1, 2, 3, 3, 4, 5, 6, 6]);
        assert_eq!(plane.in_whole_blocks(3).bytes, plane.bytes);
    }

    #[test]
    fn exif_values_turn_as_the_standard_says() {
        // Stored rows: 1 2 / 3 4 / 5 6.
        let plane = Plane {
            width: 2,
            height: 3,
            bytes: vec![1, 2, 3, 4, 5, 6],
        };
        let expected: [(u16, [u8; 6]); 8] = [
            (1, [1, 2, 3, 4, 5, 6]),
            (2, [2, 1, 4, 3, 6, 5]),
            (3, [6, 5, 4, 3, 2, 1]),
            (4, [5, 6, 3, 4, 1, 2]),
            (5, [1, 3, 5, 2, 4, 6]),
            (6, [5, 3, 1, 6, 4, 2]),
            (7, [6, 4, 2, 5, 3, 1]),
            (8, [2, 4, 6, 1, 3, 5]),
        ];
        for (value, want) in expected {
            let turn = Turn::from_exif(value).unwrap();
            let got = plane.clone().turned(turn);
            assert_eq!(got.bytes, want, "orientation {value}");
        }
        assert!(Turn::from_exif(0).is_none() && Turn::from_exif(9).is_none());
    }
}
