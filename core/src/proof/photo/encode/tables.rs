//! How coarse each frequency of a proof may be kept.
//!
//! The tables in the standard's annex, which every encoder uses by default, spend bits on fine detail that
//! is not seen at the size a proof is looked at. Ours follow one curve: flat up to where the eye is keenest,
//! growing evenly beyond. Its three numbers were searched on camera photos for the least size at equal
//! SSIMULACRA2 (BENCHMARKS.md).

/// Frequencies along each side of a block.
const SIDE: usize = 8;

/// Divisors of one quality, row by row.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) luma: [u32; SIDE * SIDE],
    pub(super) chroma: [u32; SIDE * SIDE],
}

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

impl Tables {
    /// Quality scales the divisors as is usual: as they are at 50, halved at 75, doubled at 25.
    pub(super) fn new(quality: u8) -> Self {
        let quality = f32::from(quality.clamp(1, 100));
        let factor = if quality < 50.0 {
            50.0 / quality
        } else {
            2.0 - quality / 50.0
        };
        Self {
            luma: LUMA.table(factor),
            chroma: CHROMA.table(factor),
        }
    }
}

impl Eye {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )] // clamped to a byte just before; indices are below eight
    fn table(self, factor: f32) -> [u32; SIDE * SIDE] {
        core::array::from_fn(|at| {
            let frequency = (at / SIDE + at % SIDE) as f32;
            let beyond = (frequency - self.flat).max(0.0);
            (self.base * (self.slope * beyond).exp() * factor)
                .round()
                .clamp(1.0, 255.0) as u32
        })
    }
}
