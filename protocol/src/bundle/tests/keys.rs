//! Who vouches for a device's key, and keys that changed, in a bundle.

use p256::ecdsa;
use p256::ecdsa::signature::Signer as _;

use super::*;
use crate::device_keys::{KeyStatement, Purpose, SignedStatement};
use crate::enrol::{self, SignedCertificate};
use crate::ids::{CourierId, P256Key, Sig64};

fn in_hardware() -> ecdsa::SigningKey {
    ecdsa::SigningKey::from_slice(&[4; 32]).unwrap()
}

fn hardware_key() -> P256Key {
    let point = in_hardware().verifying_key().to_sec1_point(true);
    crypto::p256_key(point.as_bytes()).unwrap()
}

fn signed(statement: &KeyStatement, log_key: &SigningKey) -> SignedStatement {
    let made: ecdsa::Signature = in_hardware().sign(&statement.to_be_signed());
    let sig: Sig64 = crypto::p256_signature(made.to_der().as_bytes()).unwrap();
    statement.sign(log_key, Some(sig))
}

/// A certificate of [`device`], as a hub issues it to a phone with a hardware key.
pub(super) fn certificate() -> Certificate {
    let statement =
        enrol::statement_at_enrolment(&[6; 16], device(), &phone().verifying_key(), hardware_key());
    let signed = SignedCertificate {
        statement: Some(signed(&statement, &phone())),
        ..unsigned(Some(hardware_key())).sign(&hub())
    };
    Certificate(signed.encode())
}

fn unsigned(hardware_key: Option<P256Key>) -> enrol::Certificate {
    enrol::Certificate {
        version: 1,
        device: device(),
        log_key: Hash32(phone().verifying_key().to_bytes()),
        courier: CourierId(Uuid::from_u128(13)),
        issued_at_ms: T0 - 1,
        hardware_key,
    }
}

#[test]
fn a_key_that_only_software_holds_is_said_to_be_so_and_a_claim_of_hardware_needs_its_signature() {
    let (mut bundle, photos) = bundle();
    bundle.certificates = vec![Certificate(unsigned(None).sign(&hub()).encode())];
    let report = check(&bundle, &photos);
    assert!(report.holds(), "{report}");
    assert_eq!(report.verdict(Check::HardwareKey), Some(Verdict::Open));
    assert!(report.to_string().contains("its key is software alone"));

    // The hub says hardware, and what the hardware signed is not there, or about another key.
    let bare = unsigned(Some(hardware_key())).sign(&hub());
    let other = enrol::statement_at_enrolment(
        &[6; 16],
        device(),
        &SigningKey::from_bytes(&[5; 32]).verifying_key(),
        hardware_key(),
    );
    let other = SignedCertificate {
        statement: Some(signed(&other, &SigningKey::from_bytes(&[5; 32]))),
        ..bare.clone()
    };
    for claim in [bare, other] {
        bundle.certificates = vec![Certificate(claim.encode())];
        let report = check(&bundle, &photos);
        assert_eq!(report.verdict(Check::HardwareKey), Some(Verdict::Broken));
    }
}

/// The bundle of a phone that changed its key between its two entries; `new` signs the second of them.
fn rotated(new: &SigningKey) -> (Bundle, BTreeMap<Hash32, Vec<u8>>) {
    let (mut bundle, photos) = bundle();
    let first = bundle.entries[0].entry.clone();
    let next = SigningKey::from_bytes(&[12; 32]);
    let statement = KeyStatement {
        version: 1,
        purpose: Purpose::Rotation,
        device: device(),
        log_key: Hash32(next.verifying_key().to_bytes()),
        follows: Hash32(phone().verifying_key().to_bytes()),
        hardware_key: Some(hardware_key()),
    };
    let mut header = Header::decode(&first.header).unwrap();
    header.seq = 2;
    header.prev = first.hash();
    header.kind = EntryKind::KEY_ROTATED;
    header.blobs.clear();
    let rotation = SignedEntry::seal(
        header,
        Salt([7; 32]),
        signed(&statement, &next).encode(),
        &phone(),
    );
    let mut after = entry(
        3,
        rotation.hash(),
        T0 + 100_000,
        None,
        &body(Outcome::ALL[0], true),
    );
    after.sign_again(new);
    bundle.entries[1] = BundledEntry {
        entry: after,
        later: vec![],
        log_proof: None,
    };
    bundle.rotations = Some(vec![rotation]);
    (bundle, photos)
}

#[test]
fn after_a_change_of_keys_each_entry_counts_only_under_the_key_of_its_place() {
    let (next, old) = (SigningKey::from_bytes(&[12; 32]), phone());
    let (bundle, photos) = rotated(&next);
    let report = check(&bundle, &photos);
    assert!(report.holds(), "{report}");
    assert_eq!(report.verdict(Check::Signatures), Some(Verdict::Proven));
    assert_eq!(report.verdict(Check::HardwareKey), Some(Verdict::Proven));

    // Whoever kept the old key cannot write on with it.
    let (stale, photos) = rotated(&old);
    let report = check(&stale, &photos);
    assert_eq!(report.verdict(Check::Signatures), Some(Verdict::Broken));

    // Without the change, or with one that no hardware signed, the new key is nobody's.
    for change in [None, Some(vec![])] {
        let missing = Bundle {
            rotations: change,
            ..bundle.clone()
        };
        let report = check(&missing, &photos);
        assert_eq!(report.verdict(Check::Signatures), Some(Verdict::Broken));
    }
    let mut cut = bundle;
    if let Some([rotation]) = cut.rotations.as_deref_mut() {
        (rotation.salt, rotation.body) = (None, None);
    }
    let report = check(&cut, &photos);
    assert_eq!(report.verdict(Check::Signatures), Some(Verdict::Broken));
}
