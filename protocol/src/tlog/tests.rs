//! The tree against a slow obvious one, against figures other people published, and against every
//! small change of a good proof.

use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use super::*;
use crate::crypto;
use crate::entry::header_hash;
use crate::ids::Hash32;

/// RFC 9162 §2.1.1, word for word.
fn obvious_root(leaves: &[Hash32]) -> Hash32 {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        many => {
            let k = (many.len() - 1).ilog2();
            let (left, right) = many.split_at(1 << k);
            node_hash(&obvious_root(left), &obvious_root(right))
        }
    }
}

fn leaf(n: u64) -> Hash32 {
    crypto::sha256(&[&n.to_be_bytes()])
}

fn grown(size: u64) -> (Tiles, Vec<Hash32>) {
    let mut tiles = Tiles::default();
    let leaves: Vec<_> = (0..size).map(leaf).collect();
    for (at, leaf) in (0..).zip(&leaves) {
        tiles.push(at, *leaf).unwrap();
    }
    (tiles, leaves)
}

#[test]
fn the_published_roots_of_the_eight_reference_leaves_come_out() {
    let inputs: [&[u8]; 8] = [
        b"",
        &[0x00],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &[
            0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
            0x6e, 0x6f,
        ],
    ];
    // Certificate Transparency's reference tree, sizes 1 to 8.
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut tiles = Tiles::default();
    assert_eq!(root(&tiles, 0).unwrap(), empty_root());
    for (at, (input, expected)) in (0..).zip(inputs.iter().zip(roots)) {
        tiles.push(at, header_hash(input)).unwrap();
        assert_eq!(root(&tiles, at + 1).unwrap().to_string(), expected);
    }
}

#[test]
fn every_leaf_and_every_pair_of_sizes_of_small_trees_is_proven() {
    let (tiles, leaves) = grown(70);
    for size in 1..=70_u64 {
        let at_size = obvious_root(&leaves[..usize::try_from(size).unwrap()]);
        assert_eq!(root(&tiles, size).unwrap(), at_size);
        for index in 0..size {
            let proof = inclusion_proof(&tiles, index, size).unwrap();
            let leaf = leaves[usize::try_from(index).unwrap()];
            assert_eq!(
                verify_inclusion(leaf, index, size, &proof, at_size),
                Ok(()),
                "{index} of {size}"
            );
        }
        for old in 1..=size {
            let old_root = obvious_root(&leaves[..usize::try_from(old).unwrap()]);
            let proof = consistency_proof(&tiles, old, size).unwrap();
            assert_eq!(
                verify_consistency(old, size, &proof, old_root, at_size),
                Ok(()),
                "{old} in {size}"
            );
        }
        let nothing = verify_consistency(0, size, &[], empty_root(), at_size);
        assert_eq!(nothing, Err(ProofError::Sizes));
    }
}

#[test]
fn a_tree_over_several_tile_levels_needs_only_its_edge_to_grow() {
    let size = 256 * 256 + 256 + 3;
    let (all, leaves) = grown(size);
    let mut edge = Tiles::default();
    for id in Tiles::edge(size) {
        edge.insert(id, all.get(id).unwrap().to_vec());
    }
    let changed = edge.push(size, leaf(size)).unwrap();
    assert_eq!(
        changed,
        [TileId {
            level: 0,
            number: 257
        }]
    );
    assert_eq!(root(&all, size).unwrap(), obvious_root(&leaves));
    let proof = inclusion_proof(&all, 77, size).unwrap();
    let good = verify_inclusion(leaves[77], 77, size, &proof, obvious_root(&leaves));
    assert_eq!(good, Ok(()));
    // Without its edge a tree does not grow, and says which tile it wants.
    let mut nothing = Tiles::default();
    assert!(nothing.push(size, leaf(size)).is_err());
    assert_eq!(nothing, Tiles::default());
}

#[test]
fn tile_paths_are_the_published_ones_and_read_back() {
    let id = TileId {
        level: 1,
        number: 1_234_067,
    };
    assert_eq!(id.path(), "tile/1/x001/x234/067");
    assert_eq!(TileId::parse_number("x001/x234/067"), Some(1_234_067));
    assert_eq!(TileId::parse_number("000"), Some(0));
    for bad in [
        "",
        "67",
        "0067",
        "x001",
        "001/067",
        "x000/067",
        "x001/x234/06a",
        "-01",
    ] {
        assert_eq!(TileId::parse_number(bad), None, "{bad}");
    }
}

fn hub() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

const URL: &str = "https://hub.example.com";

fn checkpoint(tiles: &Tiles, log_no: u32, size: u64) -> Note {
    Checkpoint {
        origin: log_origin(URL, log_no),
        size,
        root: root(tiles, size).unwrap(),
    }
    .sign(&hub())
}

fn answer(tiles: &Tiles, log_no: u32, old: u64, size: u64, index: u64) -> TreeAnswer {
    TreeAnswer {
        checkpoint: checkpoint(tiles, log_no, size).to_string(),
        consistency: consistency_proof(tiles, old, size).unwrap(),
        head_index: index,
        inclusion: inclusion_proof(tiles, index, size).unwrap(),
    }
}

#[test]
fn a_note_says_who_signed_and_every_change_of_it_is_refused() {
    let (tiles, _) = grown(5);
    let note = checkpoint(&tiles, 1, 5);
    let log = log_vkey(&log_origin(URL, 1), &hub().verifying_key());
    assert_eq!(log.to_string().parse(), Ok(log.clone()));
    let text = note.to_string();
    assert_eq!(Note::parse(&text), Ok(note.clone()));
    assert_eq!(Checkpoint::open(&note, &log).unwrap().size, 5);
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 0x01;
        let Ok(changed) = String::from_utf8(bytes) else {
            continue;
        };
        let opened = Note::parse(&changed).and_then(|n| Checkpoint::open(&n, &log));
        assert!(opened.is_err(), "byte {at}");
    }
    let witness = SigningKey::from_bytes(&[8; 32]);
    let line = cosign(&note, "witness.example/w", &witness, 1_760_000_000);
    let cosigned = Note::parse(&format!("{note}{line}")).unwrap();
    let vkey = Vkey {
        name: "witness.example/w".into(),
        sig_type: SigType::Cosignature,
        key: witness.verifying_key(),
    };
    assert_eq!(cosigned_at(&cosigned, &vkey), Ok(1_760_000_000));
    assert_eq!(cosigned_at(&note, &vkey), Err(NoteError::NotSigned));
    // A log's signature is no cosignature, whoever's key it is.
    assert_eq!(cosigned.verify(&vkey), Err(NoteError::BadSignature));
    assert!(Checkpoint::open(&cosigned, &log).is_ok());
}

#[test]
fn a_proof_as_text_comes_back_and_proves() {
    let (tiles, leaves) = grown(300);
    let proof = TlogProof {
        index: 123,
        hashes: inclusion_proof(&tiles, 123, 300).unwrap(),
        checkpoint: checkpoint(&tiles, 1, 300),
    };
    let read: TlogProof = proof.to_string().parse().unwrap();
    assert_eq!(read, proof);
    let log = log_vkey(&log_origin(URL, 1), &hub().verifying_key());
    assert_eq!(read.verify(leaves[123], &log).unwrap().size, 300);
    assert!(read.verify(leaves[124], &log).is_err());
    let foreign = proof.to_string().replace("index", "extra AAAA\nindex");
    assert_eq!(foreign.parse(), Ok(proof));
}

#[test]
fn a_phone_follows_an_honest_hub_and_catches_a_lying_one() {
    let (tiles, leaves) = grown(40);
    let key = hub().verifying_key();
    let first = answer(&tiles, 1, 0, 10, 9);
    let seen = first.check(URL, &key, None, Some(leaves[9])).unwrap();
    assert!(!seen.restarted);
    let known = seen.head;

    let next = answer(&tiles, 1, 10, 40, 39);
    let seen = next
        .check(URL, &key, Some(&known), Some(leaves[39]))
        .unwrap();
    assert_eq!((seen.head.size, seen.restarted), (40, false));

    // An older tree, the tree of another history, one without the entry, another hub's.
    let older = answer(&tiles, 1, 0, 9, 8).check(URL, &key, Some(&known), None);
    assert_eq!(older, Err(TreeFault::Shrunk));
    let mut other = Tiles::default();
    for at in 0..40 {
        other
            .push(at, leaf(if at == 3 { 999 } else { at }))
            .unwrap();
    }
    let rewritten = answer(&other, 1, 10, 40, 39);
    assert!(matches!(
        rewritten.check(URL, &key, Some(&known), Some(leaves[39])),
        Err(TreeFault::Rewritten(_))
    ));
    assert!(matches!(
        next.check(URL, &key, Some(&known), Some(leaf(77))),
        Err(TreeFault::Missing(_))
    ));
    assert!(matches!(
        next.check("https://other.example.com", &key, Some(&known), None),
        Err(TreeFault::Note(NoteError::OtherLog))
    ));
    let stranger = SigningKey::from_bytes(&[9; 32]).verifying_key();
    assert!(matches!(
        next.check(URL, &stranger, Some(&known), None),
        Err(TreeFault::Note(_))
    ));

    // A log begun anew is accepted and told; going back to the one before is not.
    let anew = answer(&other, 2, 0, 20, 19);
    let seen = anew.check(URL, &key, Some(&known), None).unwrap();
    assert!(seen.restarted);
    let back = next.check(URL, &key, Some(&seen.head), None);
    assert_eq!(back, Err(TreeFault::Shrunk));
}

proptest! {
    #[test]
    fn no_changed_proof_passes(size in 2u64..600, pick in any::<u64>(), bit in 0usize..256, at in any::<usize>()) {
        let (tiles, leaves) = grown(size);
        let top = root(&tiles, size).unwrap();
        let index = pick % size;
        let good = inclusion_proof(&tiles, index, size).unwrap();
        let leaf = leaves[usize::try_from(index).unwrap()];
        prop_assert_eq!(verify_inclusion(leaf, index, size, &good, top), Ok(()));
        let mut flipped = good.clone();
        let which = at % flipped.len();
        flipped[which].0[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(verify_inclusion(leaf, index, size, &flipped, top).is_err());
        prop_assert!(verify_inclusion(leaf, index, size, &good[1..], top).is_err());
        let longer: Vec<_> = good.iter().copied().chain([top]).collect();
        prop_assert!(verify_inclusion(leaf, index, size, &longer, top).is_err());
        let elsewhere = (index + 1) % size;
        prop_assert!(verify_inclusion(leaf, elsewhere, size, &good, top).is_err());

        let old = 1 + pick % (size - 1);
        let old_root = root(&tiles, old).unwrap();
        let good = consistency_proof(&tiles, old, size).unwrap();
        prop_assert_eq!(verify_consistency(old, size, &good, old_root, top), Ok(()));
        let mut flipped = good.clone();
        let which = at % flipped.len();
        flipped[which].0[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(verify_consistency(old, size, &flipped, old_root, top).is_err());
        prop_assert!(verify_consistency(old, size, &good, top, top).is_err());
    }

    #[test]
    fn rubbish_is_refused_without_a_panic(text in "\\PC{0,200}", sizes in any::<(u64, u64, u64)>(), n in 0usize..70) {
        prop_assert!(Note::parse(&text).is_err() || text.contains('—'));
        prop_assert!(text.parse::<TlogProof>().is_err());
        prop_assert!(text.parse::<Vkey>().is_err());
        let _ = Checkpoint::parse(&text);
        let proof = vec![Hash32::ZERO; n];
        let (a, b, c) = sizes;
        prop_assert!(verify_inclusion(leaf(a), b, c, &proof, Hash32::ZERO).is_err());
        prop_assert!(verify_consistency(a, b, &proof, leaf(c), Hash32::ZERO).is_err());
    }
}
