//! Codes fitted to one picture, and the bits they come out as.
//!
//! The codes in the standard's appendix cost 2 % more than codes fitted to the picture. Fitting needs
//! only how often each symbol occurs, which a sample of the blocks tells well enough.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::dct::{Block, SIDE, words};

/// Longest code the format allows.
const MAX_LENGTH: usize = 16;

/// Symbols of run and size, plus one that is never written: it takes the code of ones alone, which
/// the format forbids.
const SYMBOLS: usize = 257;

/// Sixteen zeros in a row.
const ZERO_RUN: u8 = 0xf0;
const END_OF_BLOCK: u8 = 0;

/// What a sampled symbol counts against one that merely might occur.
const SEEN: u32 = 16;

/// Place in zigzag order of each frequency, by `[column][row]`.
const RANK: [[u8; SIDE]; SIDE] = {
    let mut rank = [[0; SIDE]; SIDE];
    let (mut row, mut column, mut at) = (0, 0, 0u8);
    while at < 64 {
        rank[column][row] = at;
        at += 1;
        let up = (row + column) % 2 == 0;
        if up && column == 7 || !up && row < 7 && column == 0 {
            row += 1;
        } else if up && row == 0 || !up && row == 7 {
            column += 1;
        } else if up {
            row -= 1;
            column += 1;
        } else {
            row += 1;
            column -= 1;
        }
    }
    rank
};

/// A table in reading order, listed in zigzag order.
pub(super) fn zigzag(table: &[[u8; SIDE]; SIDE]) -> [u8; SIDE * SIDE] {
    let mut out = [0; SIDE * SIDE];
    for (y, row) in table.iter().enumerate() {
        for (value, ranks) in row.iter().zip(&RANK) {
            let rank = ranks.get(y).copied().unwrap_or(0);
            if let Some(to) = out.get_mut(usize::from(rank)) {
                *to = *value;
            }
        }
    }
    out
}

/// Takes the symbols of blocks, each with its extra bits.
pub(super) trait Sink {
    /// Change of the block's mean.
    fn dc(&mut self, symbol: u8, bits: u32, length: u32);
    /// A run of zeros and the value behind it.
    fn ac(&mut self, symbol: u8, bits: u32, length: u32);
}

/// By the place of its flag: the rank of a frequency.
const FLAG_RANK: [u8; 64] = {
    let mut ranks = [0; 64];
    let mut flag = 0;
    while flag < 64 {
        ranks[flag] = RANK[flag % 16 / 2][flag % 2 * 4 + flag / 16];
        flag += 1;
    }
    ranks
};

/// By rank: where in the block a frequency lies, columns before rows.
const RANK_PLACE: [u8; 64] = {
    let mut places = [0; 64];
    let mut place = 0u8;
    while place < 64 {
        places[RANK[place as usize / SIDE][place as usize % SIDE] as usize] = place;
        place += 1;
    }
    places
};

/// One bit for each value that is not zero. Most are zero, and finding the others one by one would
/// cost more than writing them.
#[inline(always)]
fn flags(block: &Block) -> u64 {
    const TOPS: u64 = 0x8000_8000_8000_8000;
    let mut flags = 0;
    for (column, first) in block.iter().zip((0..16).step_by(2)) {
        let (low, high) = words(column);
        for (word, at) in [(low, first), (high, first + 1)] {
            let tops = ((word & !TOPS) + !TOPS | word) & TOPS;
            flags |= tops >> (15 - at);
        }
    }
    flags
}

/// Walks a block in zigzag order, visiting only what is not zero.
#[inline(always)]
pub(super) fn walk(block: &Block, last_dc: &mut i16, sink: &mut impl Sink) {
    let [[dc, ..], ..] = *block;
    let (bits, length) = magnitude(dc.wrapping_sub(*last_dc));
    sink.dc(length_symbol(length), bits, length);
    *last_dc = dc;

    let mut flags = flags(block);
    let mut there = 0u64;
    while flags != 0 {
        let rank = FLAG_RANK.get(flags.trailing_zeros() as usize).copied().unwrap_or(0);
        there |= 1 << rank;
        flags &= flags - 1;
    }
    there &= !1;
    let mut last = 0;
    while there != 0 {
        let rank = there.trailing_zeros();
        let mut run = rank - last - 1;
        while run > 15 {
            sink.ac(ZERO_RUN, 0, 0);
            run -= 16;
        }
        let place = RANK_PLACE.get(rank as usize).copied().unwrap_or(0);
        let value = block.as_flattened().get(usize::from(place)).copied().unwrap_or(0);
        let (bits, length) = magnitude(value);
        sink.ac(length_symbol(run << 4 | length), bits, length);
        last = rank;
        there &= there - 1;
    }
    if last != 63 {
        sink.ac(END_OF_BLOCK, 0, 0);
    }
}

#[allow(clippy::cast_possible_truncation)] // run and length have four bits each
#[inline(always)]
fn length_symbol(symbol: u32) -> u8 {
    symbol as u8
}

/// A value as the format writes it: its bits, one less if negative, and how many they are.
#[inline(always)]
fn magnitude(value: i16) -> (u32, u32) {
    let length = 16 - value.unsigned_abs().leading_zeros();
    let shifted = i32::from(value) + i32::from(value >> 15);
    (shifted.cast_unsigned() & ((1 << length) - 1), length)
}

/// How often each symbol occurs, for one kind of block.
#[derive(Debug, Clone)]
pub(super) struct Counts {
    dc: [u32; SYMBOLS],
    ac: [u32; SYMBOLS],
    extra_bits: u64,
}

impl Counts {
    /// Every symbol that could occur counts a little, so that a sample leaves none without a code.
    pub(super) fn new() -> Self {
        let mut counts = Self {
            dc: [0; SYMBOLS],
            ac: [0; SYMBOLS],
            extra_bits: 0,
        };
        counts.dc.iter_mut().take(12).for_each(|n| *n = 1);
        for (symbol, n) in counts.ac.iter_mut().take(256).enumerate() {
            let (run, size) = (symbol >> 4, symbol & 15);
            let written = matches!(size, 1..=10) || (size == 0 && matches!(run, 0 | 15));
            *n = u32::from(written);
        }
        counts
    }

    /// The two best codes and how many bits the counted symbols take with them.
    pub(super) fn codes(&self) -> (Code, Code, u64) {
        let (dc, dc_bits) = Code::fitted(&self.dc);
        let (ac, ac_bits) = Code::fitted(&self.ac);
        (dc, ac, dc_bits + ac_bits + self.extra_bits)
    }
}

impl Sink for Counts {
    #[inline(always)]
    fn dc(&mut self, symbol: u8, _bits: u32, length: u32) {
        if let Some(n) = self.dc.get_mut(usize::from(symbol)) {
            *n += SEEN;
        }
        self.extra_bits += u64::from(length);
    }

    #[inline(always)]
    fn ac(&mut self, symbol: u8, _bits: u32, length: u32) {
        if let Some(n) = self.ac.get_mut(usize::from(symbol)) {
            *n += SEEN;
        }
        self.extra_bits += u64::from(length);
    }
}

/// A prefix code.
#[derive(Debug, Clone)]
pub(super) struct Code {
    /// Code and length by symbol.
    words: [(u16, u8); 256],
    /// Number of codes of each length.
    lengths: [u8; MAX_LENGTH],
    /// Symbols, shortest code first.
    symbols: Vec<u8>,
}

impl Code {
    /// The best code of at most sixteen bits, and the bits it takes for what was seen.
    fn fitted(counts: &[u32; SYMBOLS]) -> (Self, u64) {
        let mut depths = depths(counts);
        let mut order: Vec<usize> = (0..SYMBOLS - 1)
            .filter(|s| counts.get(*s).is_some_and(|n| *n > 0))
            .collect();
        order.sort_by_key(|s| depths.get(*s).copied());
        let mut per_length = limited(&mut depths);
        // The longest code belongs to the symbol that is never written.
        if let Some(longest) = per_length.iter_mut().rev().find(|n| **n > 0) {
            *longest -= 1;
        }
        let mut code = Self {
            words: [(0, 0); 256],
            lengths: per_length,
            symbols: order.iter().filter_map(|s| u8::try_from(*s).ok()).collect(),
        };
        let mut bits = 0u64;
        let mut word = 0u16;
        let mut symbols = code.symbols.iter();
        for (length, count) in (1u8..).zip(per_length) {
            for symbol in symbols.by_ref().take(usize::from(count)) {
                let at = usize::from(*symbol);
                if let Some(to) = code.words.get_mut(at) {
                    *to = (word, length);
                }
                let seen = counts.get(at).map_or(0, |n| n / SEEN);
                bits += u64::from(seen) * u64::from(length);
                word = word.wrapping_add(1);
            }
            word <<= u32::from(length < 16);
        }
        (code, bits)
    }

    #[inline(always)]
    fn word(&self, symbol: u8) -> (u32, u32) {
        let (word, length) = self
            .words
            .get(usize::from(symbol))
            .copied()
            .unwrap_or((0, 0));
        (u32::from(word), u32::from(length))
    }

    /// Lengths and symbols as the file lists them.
    pub(super) fn listed(&self) -> impl Iterator<Item = u8> {
        self.lengths.iter().chain(&self.symbols).copied()
    }
}

/// Depth of each symbol in the tree of least weight; 0 for symbols that never occur.
fn depths(counts: &[u32; SYMBOLS]) -> Vec<usize> {
    let mut heap = BinaryHeap::new();
    let mut parents: Vec<usize> = vec![0; SYMBOLS];
    for (symbol, count) in counts.iter().enumerate() {
        if *count > 0 {
            heap.push(Reverse((*count, symbol)));
        }
    }
    heap.push(Reverse((0, SYMBOLS - 1)));
    let mut root = 0;
    while let Some(Reverse((a, left))) = heap.pop() {
        root = left;
        let Some(Reverse((b, right))) = heap.pop() else {
            break;
        };
        let joined = parents.len();
        parents.push(0);
        for child in [left, right] {
            if let Some(parent) = parents.get_mut(child) {
                *parent = joined;
            }
        }
        heap.push(Reverse((a + b, joined)));
    }
    // Parents come after their children, so depths are known from the root down.
    let mut depths = vec![0usize; parents.len()];
    for node in (0..parents.len()).rev() {
        let parent = parents.get(node).copied().unwrap_or(0);
        let depth = if node == root || parent == 0 {
            0
        } else {
            depths.get(parent).map_or(0, |d| d + 1)
        };
        if let Some(to) = depths.get_mut(node) {
            *to = depth;
        }
    }
    depths.truncate(SYMBOLS);
    depths
}

/// Number of codes by length, none longer than sixteen bits.
fn limited(depths: &mut [usize]) -> [u8; MAX_LENGTH] {
    let deepest = depths.iter().copied().max().unwrap_or(0);
    let mut counts = vec![0usize; deepest.max(MAX_LENGTH) + 1];
    for depth in depths.iter().filter(|d| **d > 0) {
        if let Some(n) = counts.get_mut(*depth) {
            *n += 1;
        }
    }
    // Two codes too long: one takes their common stem, the other splits a shorter code in two.
    #[allow(clippy::indexing_slicing)] // `length` runs below `counts.len()`, `stem` below `length`
    for length in (MAX_LENGTH + 1..counts.len()).rev() {
        while counts[length] > 0 {
            let mut stem = length - 2;
            while stem > 0 && counts[stem] == 0 {
                stem -= 1;
            }
            counts[length] = counts[length].saturating_sub(2);
            counts[length - 1] += 1;
            counts[stem + 1] += 2;
            counts[stem] = counts[stem].saturating_sub(1);
        }
    }
    let mut out = [0; MAX_LENGTH];
    for (to, count) in out.iter_mut().zip(counts.iter().skip(1)) {
        *to = u8::try_from(*count).unwrap_or(u8::MAX);
    }
    out
}

/// Writes symbols with their codes.
pub(super) struct Coded<'a> {
    pub(super) bits: &'a mut BitWriter,
    pub(super) dc: &'a Code,
    pub(super) ac: &'a Code,
}

impl Sink for Coded<'_> {
    #[inline(always)]
    fn dc(&mut self, symbol: u8, bits: u32, length: u32) {
        let (word, size) = self.dc.word(symbol);
        self.bits.put(word << length | bits, size + length);
    }

    #[inline(always)]
    fn ac(&mut self, symbol: u8, bits: u32, length: u32) {
        let (word, size) = self.ac.word(symbol);
        self.bits.put(word << length | bits, size + length);
    }
}

/// Bits to bytes, with a zero behind every 0xff as the format asks.
#[derive(Debug)]
pub(super) struct BitWriter {
    out: Vec<u8>,
    waiting: u64,
    count: u32,
}

impl BitWriter {
    /// Goes on behind `out`.
    pub(super) fn new(out: Vec<u8>) -> Self {
        Self {
            out,
            waiting: 0,
            count: 0,
        }
    }

    #[inline(always)]
    fn put(&mut self, bits: u32, length: u32) {
        self.waiting = self.waiting << length | u64::from(bits);
        self.count += length;
        if self.count >= 32 {
            self.count -= 32;
            self.word(low_word(self.waiting >> self.count));
        }
    }

    #[inline(always)]
    fn word(&mut self, word: u32) {
        let inverse = !word;
        let any_ff = inverse.wrapping_sub(0x0101_0101) & !inverse & 0x8080_8080;
        if any_ff == 0 {
            self.out.extend_from_slice(&word.to_be_bytes());
        } else {
            self.stuffed(&word.to_be_bytes());
        }
    }

    #[cold]
    fn stuffed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.out.push(*byte);
            if *byte == 0xff {
                self.out.push(0);
            }
        }
    }

    /// Fills the last byte with ones.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let fill = (8 - self.count % 8) % 8;
        self.put((1 << fill) - 1, fill);
        while self.count > 0 {
            self.count -= 8;
            let [.., byte] = (self.waiting >> self.count).to_be_bytes();
            self.stuffed(&[byte]);
        }
        self.out
    }
}

#[allow(clippy::cast_possible_truncation)] // the low word is what is wanted
#[inline(always)]
fn low_word(word: u64) -> u32 {
    word as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zigzag_visits_all_and_starts_and_ends_as_drawn() {
        let mut all: Vec<u8> = RANK.iter().flatten().copied().collect();
        all.sort_unstable();
        assert_eq!(all, (0..64).collect::<Vec<u8>>());
        // By [column][row]: right, then down the first diagonal, and the mirror of it at the end.
        assert_eq!(
            (RANK[1][0], RANK[0][1], RANK[0][2], RANK[1][1]),
            (1, 2, 3, 4)
        );
        assert_eq!(
            (RANK[7][0], RANK[0][7], RANK[6][7], RANK[7][6]),
            (28, 35, 62, 61)
        );
    }

    #[test]
    fn codes_are_prefix_free_and_short_for_what_is_frequent() {
        let mut counts = Counts::new();
        // Frequencies that force codes longer than sixteen bits before they are limited.
        let (mut a, mut b) = (1u32, 1u32);
        for n in counts.ac.iter_mut().take(160).filter(|n| **n > 0).take(30) {
            *n = a * SEEN;
            (a, b) = (b, a + b);
        }
        let (_, code, _) = counts.codes();
        let mut words: Vec<(u16, u8)> = code
            .words
            .iter()
            .copied()
            .filter(|(_, length)| *length > 0)
            .collect();
        assert_eq!(words.len(), 162);
        words.sort_by_key(|(word, length)| (u32::from(*word) << (16 - length), *length));
        for pair in words.windows(2) {
            let ((a, a_length), (b, b_length)) = (pair[0], pair[1]);
            assert!(a_length <= 16 && b_length <= 16);
            let end = (u32::from(a) + 1) << (16 - a_length);
            assert!(
                end <= u32::from(b) << (16 - b_length),
                "{a:b} is a prefix of {b:b}"
            );
        }
        assert!(
            words
                .iter()
                .all(|(word, length)| u32::from(*word) + 1 < 1 << length)
        );
    }

    #[test]
    fn ones_are_stuffed() {
        let mut bits = BitWriter::new(Vec::new());
        bits.put(0xff_ff01, 24);
        bits.put(0b101, 3);
        assert_eq!(bits.finish(), [0xff, 0, 0xff, 0, 0x01, 0b1011_1111]);
    }
}
