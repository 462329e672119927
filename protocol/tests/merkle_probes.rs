//! Agreement with somebody else's RFC 9162 tree: claims that Go's transparency-dev/merkle judged
//! (`scripts/test-tlog` writes them), good ones and spoiled ones.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

use std::collections::BTreeMap;

use satchel_protocol::ids::Hash32;
use satchel_protocol::tlog::{empty_root, verify_consistency, verify_inclusion};

#[test]
fn every_claim_is_judged_as_the_reference_judges_it() {
    let Ok(path) = std::env::var("SATCHEL_PROBES") else {
        eprintln!("SKIPPED, NOTHING PROVED: scripts/test-tlog makes the claims");
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let mut judged: BTreeMap<(&str, bool), u32> = BTreeMap::new();
    for line in text.lines() {
        let part: Vec<&str> = line.split(' ').collect();
        let [kind, a, b, first, root, believed, hashes] = part[..] else {
            panic!("{line}");
        };
        // A hash of another length cannot be written down here at all.
        let (Ok(first), Ok(root)) = (first.parse::<Hash32>(), root.parse::<Hash32>()) else {
            assert_eq!(believed, "false");
            continue;
        };
        let (a, b) = (a.parse().unwrap(), b.parse().unwrap());
        let hashes: Vec<Hash32> = hashes
            .split(',')
            .filter(|h| !h.is_empty())
            .map(|h| h.parse().unwrap())
            .collect();
        let ours = match kind {
            "inclusion" => verify_inclusion(first, a, b, &hashes, root),
            _ => verify_consistency(a, b, &hashes, first, root),
        };
        assert_eq!(ours.is_ok(), believed == "true", "{line}: {ours:?}");
        *judged.entry((kind, ours.is_ok())).or_default() += 1;
    }
    for ((kind, taken), count) in &judged {
        println!(
            "{kind}, {}: {count}",
            if *taken { "taken" } else { "refused" }
        );
    }
    assert!(
        judged.len() == 4 && judged.values().all(|n| *n > 100),
        "{judged:?}"
    );
    // And what the reference leaves open: nothing is consistent with a tree of no leaves.
    let root = Hash32([1; 32]);
    assert!(verify_consistency(0, 7, &[], empty_root(), root).is_err());
}
