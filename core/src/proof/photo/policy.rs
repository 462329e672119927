//! What a proof photo may cost: pixels, bytes, and what reading one may take.
//!
//! A tenant or a courier on a poor link wants smaller photos, so size and quality are data
//! ([`PhotoTargets`], kept in the phone's store). What a hostile file may make the phone do is not: those
//! limits belong to the build.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// Limits and targets. The defaults are meant for proof of delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoPolicy {
    /// Larger files are refused unread. The largest real camera JPEGs (200 MP mode, motion photo
    /// with its video) stay under 64 MiB; beyond that it is not a photo.
    pub max_input_bytes: u64,
    /// More pixels are refused before decoding. Phones sell 200 MP cameras; 220 leaves room for
    /// odd aspect ratios.
    pub max_pixels: u64,
    /// What a coding may need in memory at once. Camera JPEG and PNG need next to nothing at any
    /// size; progressive JPEG, interlaced PNG and WebP must be held whole, and this lets them
    /// have 12 MP.
    pub max_decode_bytes: u64,
    /// Longer side of the thumbnail for lists.
    pub thumb_px: u32,
    /// What a tenant may set.
    pub targets: PhotoTargets,
}

impl Default for PhotoPolicy {
    fn default() -> Self {
        Self {
            max_input_bytes: 64 * 1024 * 1024,
            max_pixels: 220_000_000,
            max_decode_bytes: 56 * 1024 * 1024,
            thumb_px: 240,
            targets: PhotoTargets::STANDARD,
        }
    }
}

/// How large and how good a proof is to be; kept in the phone's store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoTargets {
    /// Longer side of the proof, [`Self::LONG_SIDE_PX`].
    pub long_side_px: u32,
    /// Size to stay under, [`Self::BUDGET_BYTES`].
    pub budget_bytes: u32,
    /// Lowest quality on libjpeg's scale. Below it fewer pixels show more than blocks do.
    pub quality_min: u8,
    /// Highest quality. Above it only size grows.
    pub quality_max: u8,
}

impl PhotoTargets {
    /// A label held half a metre away stays readable; 5 s of upload on a poor 0.5 Mbit/s link.
    pub const STANDARD: Self = Self {
        long_side_px: 1_600,
        budget_bytes: 300_000,
        quality_min: 55,
        quality_max: 82,
    };

    /// For couriers on a metered or poor link: a label still reads, at a third of the bytes.
    pub const LOW_DATA: Self = Self {
        long_side_px: 1_200,
        budget_bytes: 100_000,
        quality_min: 50,
        quality_max: 72,
    };

    /// Long sides that make sense: below, nothing is readable; above, no phone needs it.
    pub const LONG_SIDE_PX: RangeInclusive<u32> = 640..=4_096;

    /// Budgets that make sense.
    pub const BUDGET_BYTES: RangeInclusive<u32> = 20_000..=4_000_000;

    /// Whether every value is in its range.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        Self::LONG_SIDE_PX.contains(&self.long_side_px)
            && Self::BUDGET_BYTES.contains(&self.budget_bytes)
            && (1..=95).contains(&self.quality_min)
            && (self.quality_min..=95).contains(&self.quality_max)
    }
}
