//! The fuzz targets hold on their seeds and on some thousand mutations of them, so that none rots between
//! two runs of the fuzzer.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
#![allow(
    unreachable_pub,
    reason = "the targets are public in the crate of the fuzzer"
)]

use std::collections::BTreeSet;
use std::path::Path;

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

/// Mutations of each seed. The fuzzer tries millions; this only keeps the targets alive.
const MUTATIONS: u32 = 60;

/// A fixed sequence, so that a failure repeats.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }

    /// A copy with a byte changed, a piece cut out or doubled, its end lost, or a length made large.
    fn mutated(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len());
            let to = (at + 1 + self.below(24)).min(bytes.len());
            match self.below(6) {
                _ if bytes.is_empty() => bytes.push(0),
                0 => bytes[at] ^= 1 << self.below(8),
                1 => bytes[at] = u8::try_from(self.below(256)).unwrap(),
                2 => drop(bytes.drain(at..to)),
                3 => {
                    let piece = bytes[at..to].to_vec();
                    bytes.splice(at..at, piece);
                }
                4 => bytes.truncate(at),
                _ => bytes[at..to].fill(0xff),
            }
        }
        bytes
    }
}

#[test]
fn every_target_holds_on_its_seeds_and_their_mutations() {
    for target in fuzz::TARGETS {
        let mut dice = Dice(0x5a7c_4e1d);
        for seed in (target.seeds)() {
            (target.run)(&seed);
            for _ in 0..MUTATIONS {
                (target.run)(&dice.mutated(&seed));
            }
        }
        (target.run)(&[]);
    }
}

#[test]
fn every_target_has_its_programme_and_every_programme_its_target() {
    let bin = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/src/bin");
    let programmes: BTreeSet<String> = std::fs::read_dir(bin)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(
                text.contains(&format!("fuzz!(\"{name}\")")),
                "{name} runs another"
            );
            name
        })
        .collect();
    let targets: BTreeSet<String> = fuzz::TARGETS.iter().map(|t| t.name.to_owned()).collect();
    assert_eq!(programmes, targets);
}

#[test]
fn seeds_are_planted_once_and_found_inputs_stay() {
    let dir = tempfile::tempdir().unwrap();
    let target = fuzz::TARGETS[0];
    fuzz::plant(&target, dir.path());
    let planted = std::fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(planted, (target.seeds)().len());
    std::fs::write(dir.path().join("seed-00"), b"found").unwrap();
    fuzz::plant(&target, dir.path());
    assert_eq!(std::fs::read(dir.path().join("seed-00")).unwrap(), b"found");
}
