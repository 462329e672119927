//! Statements and chains of keys: what is believed, and that nothing else is.

use p256::ecdsa::signature::Signer as _;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::entry::{ALG_ED25519_SHA256, ENTRY_VERSION};
use crate::ids::{BootId, CourierId, Salt};

const DEVICE: DeviceId = DeviceId(Uuid::from_u128(7));

fn log(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn public(n: u8) -> Hash32 {
    Hash32(log(n).verifying_key().to_bytes())
}

/// A stand-in for the key in a phone's hardware.
fn hardware(n: u8) -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[n; 32]).unwrap()
}

fn hardware_key(n: u8) -> P256Key {
    let key = *hardware(n).verifying_key();
    crypto::p256_key(key.to_sec1_point(false).as_bytes()).unwrap()
}

fn statement(from: u8, to: u8, vouched: Option<u8>) -> KeyStatement {
    KeyStatement {
        version: 1,
        purpose: Purpose::Rotation,
        device: DEVICE,
        log_key: public(to),
        follows: public(from),
        hardware_key: vouched.map(hardware_key),
    }
}

fn signed(said: &KeyStatement, to: u8, vouched: Option<u8>) -> SignedStatement {
    let sig = vouched.map(|n| {
        let made: p256::ecdsa::Signature = hardware(n).sign(&said.to_be_signed());
        crypto::p256_signature(made.to_der().as_bytes()).unwrap()
    });
    said.sign(&log(to), sig)
}

fn entry(seq: i64, kind: EntryKind, body: Vec<u8>, key: u8) -> SignedEntry {
    let header = Header {
        version: ENTRY_VERSION,
        alg: ALG_ED25519_SHA256,
        device: DEVICE,
        seq,
        prev: Hash32::ZERO,
        kind,
        occurred_at_ms: seq,
        boot_id: BootId([3; 16]),
        boottime_ns: seq,
        utc_offset_min: 480,
        anchor: None,
        handle: None,
        commitment: Hash32::ZERO,
        blobs: vec![],
    };
    SignedEntry::seal(header, Salt([1; 32]), body, &log(key))
}

fn rotation(seq: i64, from: u8, to: u8, vouched: Option<u8>) -> SignedEntry {
    let body = signed(&statement(from, to, vouched), to, vouched).encode();
    entry(seq, EntryKind::KEY_ROTATED, body, from)
}

fn chain(vouched: Option<u8>) -> KeyChain {
    KeyChain::of(&Certificate {
        version: 1,
        device: DEVICE,
        log_key: public(1),
        courier: CourierId(Uuid::from_u128(9)),
        issued_at_ms: 1,
        hardware_key: vouched.map(hardware_key),
    })
    .unwrap()
}

#[test]
fn a_statement_needs_the_signature_of_every_key_it_names_over_exactly_these_bytes() {
    let said = statement(1, 2, Some(8));
    let good = signed(&said, 2, Some(8));
    assert_eq!(
        SignedStatement::decode(&good.encode()).unwrap().verify(),
        Ok(said.clone())
    );
    let refused = |bad: SignedStatement| assert!(bad.verify().is_err());
    for bit in 0..good.bytes.len() * 8 {
        let mut bad = good.clone();
        bad.bytes[bit / 8] ^= 1 << (bit % 8);
        refused(bad);
    }
    refused(signed(&said, 3, Some(8)));
    refused(signed(&said, 2, Some(9)));
    refused(SignedStatement {
        hardware_sig: None,
        ..good.clone()
    });
    let unnamed = statement(1, 2, None);
    refused(SignedStatement {
        hardware_sig: good.hardware_sig,
        ..signed(&unnamed, 2, None)
    });
}

#[test]
fn a_new_key_counts_from_the_next_entry_on_and_the_old_one_up_to_there() {
    let mut keys = chain(Some(8));
    let change = rotation(5, 1, 2, Some(8));
    keys.rotate(&change).unwrap();
    assert!(keys.verify(&change).is_ok());
    for (seq, old, new) in [
        (4, true, false),
        (5, true, false),
        (6, false, true),
        (99, false, true),
    ] {
        let by = |key| {
            keys.verify(&entry(seq, EntryKind::CALL, vec![], key))
                .is_ok()
        };
        assert_eq!((by(1), by(2)), (old, new), "entry {seq}");
    }
}

#[test]
fn a_change_of_keys_is_refused_in_each_way_it_can_be_wrong() {
    let other_kind = {
        let body = signed(&statement(1, 2, Some(8)), 2, Some(8)).encode();
        entry(5, EntryKind::CALL, body, 1)
    };
    let at_enrolment = {
        let said = KeyStatement {
            purpose: Purpose::Enrolment,
            ..statement(1, 2, Some(8))
        };
        entry(
            5,
            EntryKind::KEY_ROTATED,
            signed(&said, 2, Some(8)).encode(),
            1,
        )
    };
    let other_device = {
        let said = KeyStatement {
            device: DeviceId(Uuid::from_u128(8)),
            ..statement(1, 2, Some(8))
        };
        entry(
            5,
            EntryKind::KEY_ROTATED,
            signed(&said, 2, Some(8)).encode(),
            1,
        )
    };
    let mut erased = rotation(5, 1, 2, Some(8));
    (erased.salt, erased.body) = (None, None);
    for (bad, why) in [
        (
            rotation(5, 3, 2, Some(8)),
            KeyError::Entry(EntryError::BadSignature),
        ),
        (rotation(5, 1, 2, Some(9)), KeyError::OtherHardware),
        (rotation(5, 1, 2, None), KeyError::OtherHardware),
        (rotation(5, 1, 1, Some(8)), KeyError::OutOfPlace),
        (other_kind, KeyError::OutOfPlace),
        (at_enrolment, KeyError::OutOfPlace),
        (other_device, KeyError::OutOfPlace),
        (erased, KeyError::OutOfPlace),
    ] {
        let mut keys = chain(Some(8));
        assert_eq!(keys.rotate(&bad), Err(why));
        assert_eq!(
            keys,
            chain(Some(8)),
            "a refused change leaves nothing behind"
        );
    }
    // A key that was given up does not come back, and a change is followed once.
    let mut keys = chain(None);
    keys.rotate(&rotation(5, 1, 2, None)).unwrap();
    assert!(keys.rotate(&rotation(5, 1, 2, None)).is_err());
    assert!(keys.rotate(&rotation(6, 2, 1, None)).is_err());
    assert!(keys.rotate(&rotation(4, 2, 3, None)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever changes a log went through: at each place exactly one key counts, the one a plain walk finds.
    #[test]
    fn one_key_counts_at_each_place(gaps in proptest::collection::vec(1i64..6, 0..8), vouched in any::<bool>()) {
        let vouched = vouched.then_some(200);
        let mut keys = chain(vouched);
        let (mut seq, mut key) = (0, 1u8);
        let mut expected = vec![];
        for gap in gaps {
            expected.extend((0..gap).map(|_| key));
            seq += gap;
            prop_assert!(keys.rotate(&rotation(seq, key, key + 1, vouched)).is_ok());
            key += 1;
        }
        expected.extend([key; 3]);
        for (place, expected) in (1i64..).zip(expected) {
            for key in 1..=key {
                let verified = keys.verify(&entry(place, EntryKind::CALL, vec![], key));
                prop_assert_eq!(verified.is_ok(), key == expected);
            }
        }
    }
}
