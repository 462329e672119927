//! Damage of every kind done to pictures of every kind: there is always an answer, soon, and a proof that
//! comes out is a whole one.
#![allow(
    clippy::disallowed_methods,
    reason = "keeps an eye on the clock, so that a loop that hangs is found"
)]

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use image::ImageFormat;
use proptest::prelude::*;
use turbojpeg::{Colorspace, Subsamp};

use super::*;

/// Far above what any of these takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Files of every decoder there is.
static SOUND: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let pixels = scene(200, 150);
    let written = |format| {
        let mut out = io::Cursor::new(Vec::new());
        pixels.write_to(&mut out, format).unwrap();
        out.into_inner()
    };
    vec![
        with_exif(&jpeg(&pixels), 6),
        turbo(&pixels, |c| c.set_progressive(true).unwrap()),
        turbo(&pixels, |c| c.set_subsamp(Subsamp::Gray).unwrap()),
        turbo(&pixels, |c| c.set_colorspace(Colorspace::RGB).unwrap()),
        written(ImageFormat::Png),
        written(ImageFormat::WebP),
    ]
});

#[derive(Debug, Clone)]
enum Damage {
    Set(usize, u8),
    Flip(usize, u8),
    CutTo(usize),
    Remove(usize, usize),
    Repeat(usize, usize),
    /// A part of another file in the middle of this one.
    Graft(usize, usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<usize>;
    let few = 1..64usize;
    prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(at, to)| Damage::Set(at, to)),
        4 => (at(), 0..8u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        1 => at().prop_map(Damage::CutTo),
        2 => (at(), few.clone()).prop_map(|(at, n)| Damage::Remove(at, n)),
        2 => (at(), few).prop_map(|(at, n)| Damage::Repeat(at, n)),
        1 => (at(), at(), at()).prop_map(|(a, b, c)| Damage::Graft(a, b, c)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    let len = bytes.len();
    if len == 0 {
        return;
    }
    // Headers are where it hurts: half of all damage goes to the first 700 bytes.
    let place = |at: usize| {
        at / 2
            % if at.is_multiple_of(2) {
                len.min(700)
            } else {
                len
            }
    };
    match *damage {
        Damage::Set(at, to) => bytes[place(at)] = to,
        Damage::Flip(at, bit) => bytes[place(at)] ^= 1 << bit,
        Damage::CutTo(at) => bytes.truncate(at % len),
        Damage::Remove(at, n) => {
            bytes.drain(place(at)..(place(at) + n).min(len));
        }
        Damage::Repeat(at, n) => {
            let part = bytes[place(at)..(place(at) + n).min(len)].to_vec();
            bytes.splice(place(at)..place(at), part);
        }
        Damage::Graft(at, other, n) => {
            let donor = &SOUND[other % SOUND.len()];
            let from = n % donor.len();
            let part = donor[from..(from + 200).min(donor.len())].to_vec();
            bytes.splice(place(at)..place(at), part);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damage_gives_a_whole_proof_or_a_reason(
        which in 0..6usize,
        damages in prop::collection::vec(damage(), 1..6),
    ) {
        let mut bytes = SOUND[which].clone();
        for damage in &damages {
            apply(&mut bytes, damage);
        }
        let policy = PhotoPolicy {
            // Damage in the size makes pictures that are large, not wrong; this keeps the test quick.
            max_pixels: 2_000_000,
            ..PhotoPolicy::default()
        };
        let start = Instant::now();
        if let Ok(photo) = ingest_photo(PhotoSource::Bytes(&bytes), &policy) {
            prop_assert_eq!(decoded(&photo.jpeg).dimensions(), (photo.width_px, photo.height_px));
            prop_assert!(photo.width_px.max(photo.height_px) <= policy.targets.long_side_px);
            prop_assert!(!contains(&photo.jpeg, GPS_MARKER));
        }
        prop_assert!(start.elapsed() < PATIENCE);
    }
}
