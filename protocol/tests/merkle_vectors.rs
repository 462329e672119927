//! The published test vectors of RFC 9162 proofs (transparency-dev), read from a folder: each is taken or
//! refused as its author says. `scripts/test-tlog` fetches them; they are other people's files and are not
//! kept here.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use satchel_protocol::crypto::sha256;
use satchel_protocol::ids::Hash32;
use satchel_protocol::tlog::{verify_consistency, verify_inclusion};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inclusion {
    leaf_idx: u64,
    tree_size: u64,
    root: Option<String>,
    leaf_hash: Option<String>,
    proof: Option<Vec<String>>,
    want_err: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Consistency {
    size1: u64,
    size2: u64,
    root1: Option<String>,
    root2: Option<String>,
    proof: Option<Vec<String>>,
    want_err: bool,
}

/// `None` for what is no hash: our functions cannot even be given such a thing.
fn hash(text: Option<&String>) -> Option<Hash32> {
    let bytes = BASE64.decode(text?.as_bytes()).ok()?;
    Hash32::try_from(bytes.as_slice()).ok()
}

/// A root, or for roots that are only words ("does not matter") a hash that is equal where they are.
fn root(text: Option<&String>) -> Option<Hash32> {
    let bytes = BASE64.decode(text?.as_bytes()).ok()?;
    Some(Hash32::try_from(bytes.as_slice()).unwrap_or_else(|_| sha256(&[&bytes])))
}

fn hashes(texts: Option<&Vec<String>>) -> Option<Vec<Hash32>> {
    texts.into_iter().flatten().map(|t| hash(Some(t))).collect()
}

fn inclusion(v: &Inclusion) -> bool {
    let parts = (
        hash(v.leaf_hash.as_ref()),
        hashes(v.proof.as_ref()),
        hash(v.root.as_ref()),
    );
    let (Some(leaf), Some(proof), Some(root)) = parts else {
        return false;
    };
    verify_inclusion(leaf, v.leaf_idx, v.tree_size, &proof, root).is_ok()
}

fn consistency(v: &Consistency) -> bool {
    let parts = (
        root(v.root1.as_ref()),
        hashes(v.proof.as_ref()),
        root(v.root2.as_ref()),
    );
    let (Some(before), Some(proof), Some(after)) = parts else {
        return false;
    };
    verify_consistency(v.size1, v.size2, &proof, before, after).is_ok()
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "json") {
            found.push(path);
        }
    }
}

#[test]
fn every_published_vector_is_judged_as_its_author_says() {
    let Some(dir) = std::env::var_os("SATCHEL_MERKLE_VECTORS").map(PathBuf::from) else {
        eprintln!("SKIPPED, NOTHING PROVED: scripts/test-tlog fetches the vectors");
        return;
    };
    for (kind, least) in [("inclusion", 98), ("consistency", 97)] {
        let mut found = Vec::new();
        files(&dir.join(kind), &mut found);
        let mut taken = 0;
        for path in &found {
            let text = std::fs::read(path).unwrap();
            let (ours, refused) = if kind == "inclusion" {
                let v: Inclusion = serde_json::from_slice(&text).unwrap();
                (inclusion(&v), v.want_err)
            } else {
                let v: Consistency = serde_json::from_slice(&text).unwrap();
                // Anything is consistent with an empty tree, so a claim about it says nothing: refused here,
                // whatever the author lets pass.
                (consistency(&v), v.want_err || v.size1 == 0)
            };
            assert_eq!(ours, !refused, "{}", path.display());
            taken += usize::from(ours);
        }
        println!(
            "{kind}: {} vectors, {taken} taken, {} refused, each as published",
            found.len(),
            found.len() - taken
        );
        assert!(found.len() >= least && taken > 0, "{kind}: {}", found.len());
    }
}
