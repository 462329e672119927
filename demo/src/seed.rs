//! Everything invented comes from one seed, by name: the same seed gives the same day whatever the
//! order in which its parts are made, and whichever process makes them.

use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// The seed of the README's day.
pub const DEFAULT_SEED: u64 = 20_260_302;

/// Randomness for one named thing of the day.
#[must_use]
pub fn rng(seed: u64, name: &str) -> StdRng {
    // FNV-1a: short, the same everywhere, and good enough to keep names apart.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed.rotate_left(32);
    for byte in name.bytes().chain(seed.to_le_bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    StdRng::seed_from_u64(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt as _;

    #[test]
    fn names_and_seeds_give_different_and_repeatable_numbers() {
        let first = |seed, name| rng(seed, name).random::<u64>();
        assert_eq!(first(1, "a"), first(1, "a"));
        assert_ne!(first(1, "a"), first(1, "b"));
        assert_ne!(first(1, "a"), first(2, "a"));
    }
}
