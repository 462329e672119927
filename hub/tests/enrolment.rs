//! Enrolment and request signatures: who gets in, and what a stranger sees.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use common::{Bench, NOW_MS, Phone};
use satchel_protocol::api::ErrorCode;
use satchel_protocol::enrol::{EnrolResponse, Invite, SignedCertificate};
use satchel_protocol::http_sig;

#[tokio::test]
async fn an_invite_makes_one_phone_a_device_and_its_lost_answer_can_be_asked_again() {
    let bench = Bench::new().await;
    let invite = bench.hub.invite("王强").await.unwrap();
    let scanned = Invite::parse(&invite.to_text()).unwrap();
    assert_eq!(scanned.hub_url, common::PUBLIC_URL);
    let phone = Phone::new(1);
    let first = phone.enrol(&bench, &scanned).await;
    let response: EnrolResponse = serde_json::from_slice(&first.body).unwrap();
    assert_eq!(response.courier_name, "王强");
    assert_eq!(response.hub_time_ms, NOW_MS);
    let bytes = data_encoding::HEXLOWER
        .decode(response.certificate.as_bytes())
        .unwrap();
    let certificate = SignedCertificate::verify(&bytes, &bench.hub.public_key()).unwrap();
    assert_eq!(certificate.device, phone.device);
    assert_eq!(certificate.courier, response.courier_id);

    let again = phone.enrol(&bench, &scanned).await;
    let same: EnrolResponse = serde_json::from_slice(&again.body).unwrap();
    assert_eq!(same.certificate, response.certificate);

    // The same name is the same courier; the used code is nobody else's.
    let second = Phone::new(2);
    assert_eq!(
        second.enrol(&bench, &scanned).await.refused(403),
        ErrorCode::BadCode
    );
    let other = bench.hub.invite("王强").await.unwrap();
    let answer = second.enrol(&bench, &other).await;
    let two: EnrolResponse = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(two.courier_id, response.courier_id);
}

#[tokio::test]
async fn unknown_used_and_expired_codes_are_refused_alike() {
    let bench = Bench::new().await;
    let invite = bench.hub.invite("王强").await.unwrap();
    bench.clock.advance(10 * 60 * 1_000 + 1);
    let phone = Phone::new(1);
    let expired = phone.enrol(&bench, &invite).await;
    let unknown = phone
        .enrol(
            &bench,
            &Invite {
                code: [0; 16],
                ..invite.clone()
            },
        )
        .await;
    assert_eq!(expired.refused(403), ErrorCode::BadCode);
    assert_eq!(expired.body, unknown.body);
    assert_eq!(
        bench.post_json("/v1/enrol", b"<html>").await.refused(400),
        ErrorCode::Malformed
    );
}

#[tokio::test]
async fn a_code_does_not_enrol_a_key_the_phone_does_not_hold() {
    let bench = Bench::new().await;
    let invite = bench.hub.invite("王强").await.unwrap();
    let request = satchel_protocol::enrol::EnrolRequest {
        log_key: satchel_protocol::ids::Hash32(Phone::new(2).key.verifying_key().to_bytes()),
        ..satchel_protocol::enrol::EnrolRequest::signed(
            &invite.code,
            Phone::new(1).device,
            "phone",
            &Phone::new(1).key,
        )
    };
    let answer = bench
        .post_json("/v1/enrol", &serde_json::to_vec(&request).unwrap())
        .await;
    assert_eq!(answer.refused(401), ErrorCode::BadSignature);
    // The code is still good for the honest phone.
    assert!(
        Phone::new(1)
            .enrol(&bench, &invite)
            .await
            .status
            .is_success()
    );
}

#[tokio::test]
async fn unsigned_foreign_and_spoilt_requests_are_refused() {
    let (bench, mut phone, _) = Bench::with_round(1).await;
    assert_eq!(
        bench.get("/v1/feed", &[]).await.refused(401),
        ErrorCode::Unsigned
    );

    let mut stranger = Phone::new(9);
    let answer = stranger.send(&bench, "GET", "/v1/feed", &[], vec![]).await;
    assert_eq!(answer.refused(401), ErrorCode::UnknownDevice);

    // Another key under the first phone's name.
    stranger.device = phone.device;
    let answer = stranger.send(&bench, "GET", "/v1/feed", &[], vec![]).await;
    assert_eq!(answer.refused(401), ErrorCode::BadSignature);

    // A signature for one path does not open another.
    let mut moved = phone.request(&bench, "GET", "/v1/feed", &[], vec![]);
    moved.path = "/v1/log?after=0".into();
    assert_eq!(
        bench.send(moved.build()).await.refused(401),
        ErrorCode::BadSignature
    );

    // A body changed on the way is noticed.
    let mut changed = phone.request(&bench, "POST", "/v1/log", &[], b"one".to_vec());
    changed.body = b"two".to_vec();
    assert_eq!(
        bench.send(changed.build()).await.refused(400),
        ErrorCode::Malformed
    );
}

#[tokio::test]
async fn the_same_signed_request_is_taken_once() {
    let (bench, mut phone, _) = Bench::with_round(1).await;
    let request = phone.request(&bench, "GET", "/v1/feed", &[], vec![]);
    assert!(bench.send(request.build()).await.status.is_success());
    assert_eq!(
        bench.send(request.build()).await.refused(401),
        ErrorCode::Replayed
    );
    // Also after everything that may be forgotten was forgotten, as long as it could be accepted.
    bench.clock.advance(50_000);
    bench.hub.sweep().await.unwrap();
    assert_eq!(
        bench.send(request.build()).await.refused(401),
        ErrorCode::Replayed
    );
}

#[tokio::test]
async fn a_phone_with_a_wrong_clock_is_told_the_time_and_a_stranger_is_not() {
    let (bench, mut phone, _) = Bench::with_round(1).await;
    for offset_s in [-3_600, -90, 90, 86_400] {
        phone.created_offset_s = offset_s;
        let request = phone.request(&bench, "GET", "/v1/feed", &[], vec![]);
        let answer = bench.send(request.build()).await;
        assert_eq!(answer.refused(401), ErrorCode::ClockSkew, "{offset_s}");
        let input = &request
            .headers
            .iter()
            .find(|(n, _)| n == "signature-input")
            .unwrap()
            .1;
        let signature = &request
            .headers
            .iter()
            .find(|(n, _)| n == "signature")
            .unwrap()
            .1;
        let parsed = http_sig::parse(input, signature).unwrap();
        let nonce = data_encoding::BASE64URL_NOPAD.encode(&parsed.nonce);
        let time = answer.error().time.unwrap();
        assert_eq!(time.verify(&bench.hub.public_key(), &nonce), Some(NOW_MS));
        assert_eq!(time.verify(&bench.hub.public_key(), "another"), None);
    }
    phone.created_offset_s = 55;
    assert!(
        phone
            .send(&bench, "GET", "/v1/feed", &[], vec![])
            .await
            .status
            .is_success()
    );

    let mut stranger = Phone::new(9);
    stranger.device = phone.device;
    stranger.created_offset_s = -3_600;
    let answer = stranger.send(&bench, "GET", "/v1/feed", &[], vec![]).await;
    assert_eq!(answer.refused(401), ErrorCode::BadSignature);
    assert_eq!(answer.error().time, None);
}

#[tokio::test]
async fn a_revoked_phone_reads_and_writes_nothing_more() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let entry = phone.delivery(&stops[0], &[]);
    assert!(
        phone
            .push_entries(&bench, &[entry])
            .await
            .status
            .is_success()
    );
    bench.hub.revoke(phone.device).await.unwrap();
    let next = phone.delivery(&stops[0], &[]);
    assert_eq!(
        phone.push_entries(&bench, &[next]).await.refused(403),
        ErrorCode::RevokedDevice
    );
    let feed = phone.send(&bench, "GET", "/v1/feed", &[], vec![]).await;
    assert_eq!(feed.refused(403), ErrorCode::RevokedDevice);
    let audit = bench.hub.audit().await.unwrap();
    assert_eq!(audit.devices[0].entries, 1);
}
