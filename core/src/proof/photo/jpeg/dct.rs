//! Blocks of 8 × 8 samples to quantised frequencies.
//!
//! The cosine transform is the fast one of Arai, Agui and Nakajima: five multiplications for eight
//! samples, with the remaining factors folded into the division by the quantiser. It works on eight
//! columns side by side, which compilers turn into vector code on every phone without unsafe code.
//! Plain multiplications and additions round alike everywhere, so phones agree to the bit.

use super::super::plane::Plane;

/// Samples along a side of a block.
pub(super) const SIDE: usize = 8;

/// Frequencies with columns and rows swapped, as the transform leaves them: `[column][row]`.
pub(super) type Block = [[i16; SIDE]; SIDE];

type Lanes = [f32; SIDE];

/// Frequencies before quantising, columns and rows swapped.
pub(super) type Spectrum = [Lanes; SIDE];

/// The transform's factor for each row or column: 1, then `√2·cos(kπ/16)`.
const AAN: Lanes = [
    1.0,
    1.387_039_8,
    1.306_563,
    1.175_875_6,
    1.0,
    0.785_694_96,
    0.541_196_1,
    0.275_899_38,
];

/// Rounding to nearest spends bits on values that carry little; setting the border at 0.6 instead
/// of 0.5 saves 4 % of the bytes at equal looks.
const AC_BIAS: f32 = 0.1;

/// Adding this to a small number leaves its nearest integer in the low bits of the sum.
const TO_INTEGER: f32 = 12_582_912.0;

fn add(a: Lanes, b: Lanes) -> Lanes {
    zip(a, b, |a, b| a + b)
}

fn sub(a: Lanes, b: Lanes) -> Lanes {
    zip(a, b, |a, b| a - b)
}

fn scaled(a: Lanes, by: f32) -> Lanes {
    a.map(|v| v * by)
}

#[inline(always)]
fn zip(mut a: Lanes, b: Lanes, with: impl Fn(f32, f32) -> f32) -> Lanes {
    for (a, b) in a.iter_mut().zip(b) {
        *a = with(*a, b);
    }
    a
}

/// One-dimensional transform down the rows, for eight columns at once.
#[inline(always)]
fn transform([r0, r1, r2, r3, r4, r5, r6, r7]: Spectrum) -> Spectrum {
    const HALF_ROOT: f32 = core::f32::consts::FRAC_1_SQRT_2;
    let (s0, d0) = (add(r0, r7), sub(r0, r7));
    let (s1, d1) = (add(r1, r6), sub(r1, r6));
    let (s2, d2) = (add(r2, r5), sub(r2, r5));
    let (s3, d3) = (add(r3, r4), sub(r3, r4));

    let (e0, e3) = (add(s0, s3), sub(s0, s3));
    let (e1, e2) = (add(s1, s2), sub(s1, s2));
    let z = scaled(add(e2, e3), HALF_ROOT);

    let (o0, o1, o2) = (add(d3, d2), add(d2, d1), add(d1, d0));
    let turn = scaled(sub(o0, o2), 0.382_683_43);
    let low = add(scaled(o0, 0.541_196_1), turn);
    let high = add(scaled(o2, 1.306_563), turn);
    let middle = scaled(o1, HALF_ROOT);
    let (m0, m1) = (add(d0, middle), sub(d0, middle));
    [
        add(e0, e1),
        add(m0, high),
        add(e3, z),
        sub(m1, low),
        sub(e0, e1),
        add(m1, low),
        sub(e3, z),
        sub(m0, high),
    ]
}

#[allow(clippy::indexing_slicing)] // both indices run over the eight of an 8 × 8 array
#[inline(always)]
fn swapped(m: Spectrum) -> Spectrum {
    core::array::from_fn(|i| core::array::from_fn(|j| m[j][i]))
}

/// Frequencies of the block whose top left sample is at `(x, y)` of a band of whole blocks.
pub(super) fn spectrum(band: &Plane, x: usize, y: usize) -> Spectrum {
    let mut rows = [[0.0; SIDE]; SIDE];
    for (row, y) in rows.iter_mut().zip(y..) {
        let start = y * band.width + x;
        let samples: [u8; SIDE] = band
            .bytes
            .get(start..start + SIDE)
            .and_then(|s| s.try_into().ok())
            .unwrap_or_default();
        *row = samples.map(|s| f32::from(s) - 128.0);
    }
    transform(swapped(transform(rows)))
}

/// Divides frequencies by a quantiser table.
#[derive(Debug, Clone)]
pub(super) struct Quantiser {
    factor: Spectrum,
}

impl Quantiser {
    /// `table` is in reading order: rows of rising horizontal frequency.
    #[allow(clippy::indexing_slicing)] // all indices run over the eight of an 8 × 8 array
    pub(super) fn new(table: &[[u8; SIDE]; SIDE]) -> Self {
        let factor = core::array::from_fn(|column| {
            core::array::from_fn(|row| {
                1.0 / (f32::from(table[row][column].max(1)) * AAN[row] * AAN[column] * 8.0)
            })
        });
        Self { factor }
    }

    #[inline(always)]
    pub(super) fn apply(&self, spectrum: &Spectrum) -> Block {
        let mut block = [[0i16; SIDE]; SIDE];
        for ((out, values), factors) in block.iter_mut().zip(spectrum).zip(&self.factor) {
            for ((out, value), factor) in out.iter_mut().zip(values).zip(factors) {
                *out = round_down(value * factor);
            }
        }
        // The block's mean is seen at once if it is off, so it rounds to nearest.
        let ([[dc, ..], ..], [[value, ..], ..]) = (&mut block, spectrum);
        let [[factor, ..], ..] = self.factor;
        *dc = nearest(value * factor);
        block
    }
}

/// Towards zero by [`AC_BIAS`], then to nearest.
#[inline(always)]
fn round_down(value: f32) -> i16 {
    let sign = value.to_bits().cast_signed() >> 31;
    let size = low_bits(value.abs() - AC_BIAS);
    (size ^ narrow(sign)) - narrow(sign)
}

#[inline(always)]
fn nearest(value: f32) -> i16 {
    low_bits(value)
}

#[inline(always)]
fn low_bits(value: f32) -> i16 {
    narrow((value + TO_INTEGER).to_bits().cast_signed())
}

/// Quantised values stay under 2^11, so the low half holds all of them.
#[allow(clippy::cast_possible_truncation)]
#[inline(always)]
fn narrow(value: i32) -> i16 {
    value as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, in double precision.
    fn plain_dct(samples: &[u8; 64], u: usize, v: usize) -> f64 {
        let c = |k: usize| if k == 0 { 0.5f64.sqrt() } else { 1.0 };
        let angle = |x: usize, k: usize| {
            f64::from(u32::try_from((2 * x + 1) * k).unwrap()) * std::f64::consts::PI / 16.0
        };
        let mut sum = 0.0;
        for y in 0..8 {
            for x in 0..8 {
                let sample = f64::from(samples[y * 8 + x]) - 128.0;
                sum += sample * angle(x, u).cos() * angle(y, v).cos();
            }
        }
        sum * c(u) * c(v) / 4.0
    }

    #[test]
    fn the_fast_transform_is_the_cosine_transform() {
        let mut state = 9u32;
        for _ in 0..50 {
            let samples: [u8; 64] = core::array::from_fn(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            });
            let band = Plane {
                width: 8,
                height: 8,
                bytes: samples.to_vec(),
            };
            let got = spectrum(&band, 0, 0);
            for u in 0..8 {
                for v in 0..8 {
                    let value = f64::from(got[u][v]) / f64::from(AAN[u] * AAN[v] * 8.0);
                    let want = plain_dct(&samples, u, v);
                    assert!((value - want).abs() < 0.01, "{u},{v}: {value} {want}");
                }
            }
        }
    }

    #[test]
    fn rounding_leans_towards_zero_alike_on_both_sides() {
        for (value, want) in [(0.59, 0), (0.61, 1), (-0.59, 0), (-0.61, -1), (7.3, 7), (-7.7, -8)] {
            assert_eq!(round_down(value), want, "{value}");
        }
        assert_eq!((nearest(0.51), nearest(-0.51), nearest(-900.2)), (1, -1, -900));
    }
}
