//! The algorithms in use against Project Wycheproof's vectors: every known way of getting them wrong.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout
)]

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use ed25519_dalek::VerifyingKey;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use p256::ecdsa::signature::Verifier as _;
use satchel_protocol::crypto;
use satchel_protocol::ids::Sig64;
use sha2::Sha256;
use wycheproof::TestResult;

/// Compares a verdict with Wycheproof's; what it calls acceptable may go either way.
fn judge(expected: TestResult, taken: bool, what: &str) {
    match expected {
        TestResult::Valid => assert!(taken, "refused: {what}"),
        TestResult::Invalid => assert!(!taken, "taken: {what}"),
        TestResult::Acceptable => {}
    }
}

#[test]
fn ed25519_as_entries_are_verified() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    let mut count = 0;
    for group in &set.test_groups {
        let key = VerifyingKey::from_bytes(group.key.pk.as_slice().try_into().unwrap()).unwrap();
        for test in &group.tests {
            // Another length is no signature here: the type takes 64 bytes.
            let taken = Sig64::try_from(test.sig.as_slice())
                .is_ok_and(|sig| crypto::verify(&key, b"", &test.msg, &sig));
            judge(test.result, taken, &test.comment);
            count += 1;
        }
    }
    assert!(count >= 150, "{count}");
    println!("Ed25519: {count}");
}

#[test]
fn p256_as_hardware_keys_sign() {
    use p256::ecdsa::{Signature, VerifyingKey};
    let name = wycheproof::ecdsa::TestName::EcdsaSecp256r1Sha256P1363;
    let set = wycheproof::ecdsa::TestSet::load(name).unwrap();
    let mut count = 0;
    for group in &set.test_groups {
        let key = VerifyingKey::from_sec1_bytes(&group.key.key).unwrap();
        for test in &group.tests {
            let taken = Signature::from_slice(&test.sig)
                .is_ok_and(|sig| key.verify(&test.msg, &sig).is_ok());
            judge(test.result, taken, &test.comment);
            count += 1;
        }
    }
    assert!(count >= 250, "{count}");
    println!("ECDSA P-256 with SHA-256, 64-byte form: {count}");
}

#[test]
fn xchacha20_poly1305_as_photos_are_sealed() {
    let name = wycheproof::aead::TestName::XChaCha20Poly1305;
    let set = wycheproof::aead::TestSet::load(name).unwrap();
    let mut count = 0;
    for group in &set.test_groups {
        for test in &group.tests {
            count += 1;
            let Ok(nonce) = <[u8; 24]>::try_from(test.nonce.as_slice()) else {
                assert_eq!(test.result, TestResult::Invalid);
                continue;
            };
            let cipher = XChaCha20Poly1305::new_from_slice(&test.key).unwrap();
            let nonce = XNonce::from(nonce);
            let sealed = [test.ct.as_slice(), test.tag.as_slice()].concat();
            let payload = Payload {
                msg: &sealed,
                aad: &test.aad,
            };
            let opened = cipher.decrypt(&nonce, payload);
            let right = opened.is_ok_and(|plain| plain == test.pt.as_slice());
            judge(test.result, right, &test.comment);
            if test.result == TestResult::Valid {
                let payload = Payload {
                    msg: &test.pt,
                    aad: &test.aad,
                };
                assert_eq!(cipher.encrypt(&nonce, payload).unwrap(), sealed);
            }
        }
    }
    assert!(count >= 300, "{count}");
    println!("XChaCha20-Poly1305: {count}");
}

#[test]
fn hkdf_and_hmac_with_sha256() {
    let set = wycheproof::hkdf::TestSet::load(wycheproof::hkdf::TestName::HkdfSha256).unwrap();
    let mut count = 0;
    for group in &set.test_groups {
        for test in &group.tests {
            let hkdf = Hkdf::<Sha256>::new(Some(&test.salt), &test.ikm);
            let mut okm = vec![0; test.size];
            let made = hkdf.expand(&test.info, &mut okm).is_ok();
            judge(
                test.result,
                made && okm == test.okm.as_slice(),
                &test.comment,
            );
            count += 1;
        }
    }
    assert!(count >= 80, "{count}");
    println!("HKDF-SHA-256: {count}");
    let set = wycheproof::mac::TestSet::load(wycheproof::mac::TestName::HmacSha256).unwrap();
    let mut count = 0;
    for group in &set.test_groups {
        for test in &group.tests {
            let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&test.key).unwrap();
            mac.update(&test.msg);
            let taken = mac.verify_truncated_left(&test.tag).is_ok();
            judge(test.result, taken, &test.comment);
            count += 1;
        }
    }
    assert!(count >= 170, "{count}");
    println!("HMAC-SHA-256: {count}");
}
