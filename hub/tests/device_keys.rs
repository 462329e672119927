//! A device's keys at the hub: what it takes at enrolment, and which key counts where.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use common::{Bench, Phone};
use ed25519_dalek::SigningKey;
use p256::ecdsa;
use p256::ecdsa::signature::Signer as _;
use satchel_protocol::api::ErrorCode;
use satchel_protocol::bundle::Trust;
use satchel_protocol::contradiction::{self, Outcome};
use satchel_protocol::crypto;
use satchel_protocol::device_keys::{KeyStatement, Purpose, SignedStatement};
use satchel_protocol::enrol::{self, EnrolRequest, Invite};
use satchel_protocol::entry::{EntryKind, SignedEntry};
use satchel_protocol::ids::{Hash32, P256Key};
use satchel_protocol::wedge::WedgeReason;

fn in_hardware(n: u8) -> ecdsa::SigningKey {
    ecdsa::SigningKey::from_slice(&[n; 32]).unwrap()
}

fn hardware_key(n: u8) -> P256Key {
    let point = in_hardware(n).verifying_key().to_sec1_point(true);
    crypto::p256_key(point.as_bytes()).unwrap()
}

fn signed(said: &KeyStatement, log_key: &SigningKey, hardware: u8) -> SignedStatement {
    let made: ecdsa::Signature = in_hardware(hardware).sign(&said.to_be_signed());
    said.sign(log_key, crypto::p256_signature(&made.to_bytes()))
}

fn request(invite: &Invite, phone: &Phone, hardware: u8) -> EnrolRequest {
    let public = phone.key.verifying_key();
    let said =
        enrol::statement_at_enrolment(&invite.code, phone.device, &public, hardware_key(hardware));
    let statement = signed(&said, &phone.key, hardware);
    EnrolRequest::signed(&invite.code, phone.device, "phone", &phone.key)
        .with_statement(&statement, &phone.key)
}

async fn enrol(bench: &Bench, request: &EnrolRequest) -> common::Answer {
    bench
        .post_json("/v1/enrol", &serde_json::to_vec(request).unwrap())
        .await
}

/// A phone with a hardware key, enrolled.
async fn vouched(bench: &Bench, seed: u8) -> Phone {
    let phone = Phone::new(seed);
    let invite = bench.hub.invite("王强").await.unwrap();
    let answer = enrol(bench, &request(&invite, &phone, 8)).await;
    assert!(answer.status.is_success(), "{}", answer.text());
    phone
}

/// The entry by which a phone changes its key; the phone uses the new one from then on.
fn change(phone: &mut Phone, to: u8, hardware: Option<u8>) -> SignedEntry {
    let next = SigningKey::from_bytes(&[to; 32]);
    let said = KeyStatement {
        version: 1,
        purpose: Purpose::Rotation,
        device: phone.device,
        log_key: Hash32(next.verifying_key().to_bytes()),
        follows: Hash32(phone.key.verifying_key().to_bytes()),
        hardware_key: hardware.map(hardware_key),
    };
    let statement = match hardware {
        Some(n) => signed(&said, &next, n),
        None => said.sign(&next, None),
    };
    let entry = phone.entry(EntryKind::KEY_ROTATED, statement.encode(), None, vec![]);
    phone.key = next;
    entry
}

#[tokio::test]
async fn a_statement_of_hardware_counts_only_whole_and_for_this_code_and_key() {
    let bench = Bench::new().await;
    let invite = bench.hub.invite("王强").await.unwrap();
    let phone = Phone::new(1);
    let good = request(&invite, &phone, 8);
    let other_code = Invite {
        code: [9; 16],
        ..invite.clone()
    };
    let foreign = request(&invite, &Phone::new(2), 8).statement;
    let mut cut = good.clone();
    cut.statement = cut.statement.map(|s| s[..s.len() - 2].to_owned());
    let mut swapped = good.clone();
    swapped.statement = request(&invite, &phone, 7).statement;
    for (what, bad) in [
        (
            "taken off on the way",
            EnrolRequest {
                statement: None,
                ..good.clone()
            },
        ),
        ("cut", cut),
        ("another hardware key put in", swapped),
        ("of another code", {
            let of_other = request(&other_code, &phone, 8).statement.unwrap();
            let bytes = data_encoding::HEXLOWER.decode(of_other.as_bytes()).unwrap();
            EnrolRequest::signed(&invite.code, phone.device, "phone", &phone.key)
                .with_statement(&SignedStatement::decode(&bytes).unwrap(), &phone.key)
        }),
        (
            "of another phone",
            EnrolRequest {
                statement: foreign,
                ..good.clone()
            },
        ),
    ] {
        let refused = enrol(&bench, &bad).await.refused(401);
        assert_eq!(refused, ErrorCode::BadSignature, "{what}");
    }
    assert!(enrol(&bench, &good).await.status.is_success());
}

#[tokio::test]
async fn later_entries_count_only_under_the_new_key_and_earlier_ones_only_under_the_old() {
    let bench = Bench::new().await;
    let mut phone = vouched(&bench, 1).await;
    let old = phone.key.clone();
    let first = phone.entry(EntryKind::CALL, b"1".to_vec(), None, vec![]);
    let rotation = change(&mut phone, 21, Some(8));
    let third = phone.entry(EntryKind::CALL, b"3".to_vec(), None, vec![]);
    // The request is still signed with the key the hub knows.
    let new = std::mem::replace(&mut phone.key, old.clone());
    let receipt = phone
        .push_entries(&bench, &[first, rotation, third])
        .await
        .receipt(&bench, &phone);
    assert_eq!(receipt.entries.len(), 3);

    // Until the new key was heard, the old one still asks; then never again.
    assert!(
        phone
            .send(&bench, "GET", "/v1/log", &[], vec![])
            .await
            .status
            .is_success()
    );
    phone.key = new.clone();
    let fourth = phone.entry(EntryKind::CALL, b"4".to_vec(), None, vec![]);
    let held = phone.push_entries(&bench, &[fourth]).await;
    assert_eq!(held.receipt(&bench, &phone).entries.len(), 1);
    phone.key = old;
    let asked = phone.send(&bench, "GET", "/v1/log", &[], vec![]).await;
    assert_eq!(asked.refused(401), ErrorCode::BadSignature);

    // Whoever kept the old key writes nothing any more, even inside a request of the new one.
    let stale = phone.entry(EntryKind::CALL, b"5".to_vec(), None, vec![]);
    phone.key = new;
    let answer = phone.push_entries(&bench, &[stale]).await;
    let open = answer.receipt(&bench, &phone).wedged.unwrap();
    assert_eq!(
        (open[0].seq, open[0].reason),
        (5, WedgeReason::BAD_SIGNATURE)
    );
}

#[tokio::test]
async fn a_change_without_the_phones_own_hardware_is_left_open_and_its_key_is_nobodys() {
    for hardware in [None, Some(9)] {
        let bench = Bench::new().await;
        let mut phone = vouched(&bench, 1).await;
        let old = phone.key.clone();
        let rotation = change(&mut phone, 21, hardware);
        let after = phone.entry(EntryKind::CALL, b"2".to_vec(), None, vec![]);
        phone.key = old;
        let answer = phone.push_entries(&bench, &[rotation, after]).await;
        let receipt = answer.receipt(&bench, &phone);
        assert_eq!(receipt.entries, []);
        let open: Vec<_> = receipt.wedged.unwrap().iter().map(|w| w.reason).collect();
        assert_eq!(open, [WedgeReason::BAD_SIGNATURE; 2]);
    }
}

#[tokio::test]
async fn a_fork_behind_a_change_of_keys_is_proven_without_this_hub() {
    let bench = Bench::new().await;
    let mut phone = vouched(&bench, 1).await;
    let old = phone.key.clone();
    let rotation = change(&mut phone, 21, Some(8));
    let new = std::mem::replace(&mut phone.key, old);
    phone
        .push_entries(&bench, &[rotation])
        .await
        .receipt(&bench, &phone);
    phone.key = new;
    let (seq, prev) = (phone.seq, phone.prev);
    let one = phone.entry(EntryKind::CALL, b"one".to_vec(), None, vec![]);
    phone
        .push_entries(&bench, &[one])
        .await
        .receipt(&bench, &phone);
    (phone.seq, phone.prev) = (seq, prev);
    let other = phone.entry(EntryKind::CALL, b"other".to_vec(), None, vec![]);
    let refused = phone.push_entries(&bench, &[other]).await.refused(409);
    assert_eq!(refused, ErrorCode::LogFork);
    let files = bench.hub.fork_proofs(phone.device).await.unwrap();
    let trust = Trust {
        hub: Some(Hash32(bench.hub.public_key().to_bytes())),
        witnesses: vec![],
    };
    let finding = contradiction::verify(&files[0], &trust).unwrap();
    assert_eq!(finding.outcome, Outcome::Proven);
}
