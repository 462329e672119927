//! Invites, requests and certificates: what counts, and that nothing else does.

use super::*;
use uuid::Uuid;

fn invite() -> Invite {
    Invite {
        version: 1,
        hub_url: "http://127.0.0.1:8080".into(),
        code: [7; 16],
        hub_key: SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes(),
        pins: None,
    }
}

#[test]
fn pins_ride_in_the_invite_and_an_odd_number_of_them_is_no_invite() {
    let with = |n: usize| Invite {
        pins: Some(vec![Hash32([7; 32]); n]),
        ..invite()
    };
    for n in 1..=MAX_PINS {
        assert_eq!(Invite::parse(&with(n).to_text()), Ok(with(n)));
    }
    for n in [0, MAX_PINS + 1] {
        assert_eq!(Invite::parse(&with(n).to_text()), Err(NotAnInvite));
    }
}

#[test]
fn an_invite_survives_a_scanner_and_rubbish_is_refused() {
    let text = invite().to_text();
    assert_eq!(Invite::parse(&text), Ok(invite()));
    assert_eq!(
        Invite::parse(&format!(" {} \n", text.to_lowercase())),
        Ok(invite())
    );
    for bad in [
        "",
        "SATCHEL:",
        "SATCHEL:ZZZZ",
        "https://example.com",
        &text[..text.len() - 1],
    ] {
        assert_eq!(Invite::parse(bad), Err(NotAnInvite), "{bad}");
    }
}

#[test]
fn a_request_proves_its_key_and_binds_code_and_device() {
    let key = SigningKey::from_bytes(&[2; 32]);
    let request = EnrolRequest::signed(&[7; 16], DeviceId(Uuid::from_u128(1)), "phone", &key);
    let proven = request.proven_keys().unwrap();
    assert_eq!(
        (proven.log_key, proven.hardware),
        (key.verifying_key(), None)
    );
    let stolen = EnrolRequest {
        device_id: DeviceId(Uuid::from_u128(2)),
        ..request.clone()
    };
    assert_eq!(stolen.proven_keys(), None);
    let other_code = EnrolRequest {
        code: base32(&[8; 16]),
        ..request
    };
    assert_eq!(other_code.proven_keys(), None);
}

#[test]
fn a_certificate_counts_only_from_its_hub() {
    let hub = SigningKey::from_bytes(&[1; 32]);
    let certificate = Certificate {
        version: 1,
        device: DeviceId(Uuid::from_u128(1)),
        log_key: Hash32([3; 32]),
        courier: CourierId(Uuid::from_u128(4)),
        issued_at_ms: 5,
        hardware_key: None,
    };
    let bytes = certificate.sign(&hub).encode();
    assert_eq!(
        SignedCertificate::verify(&bytes, &hub.verifying_key()),
        Ok(certificate)
    );
    let other = SigningKey::from_bytes(&[9; 32]);
    assert!(SignedCertificate::verify(&bytes, &other.verifying_key()).is_err());
}
