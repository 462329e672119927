//! The board: who sees it, and what it shows of people.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use std::io::Cursor;

use common::{Bench, HOUR_MS, PUBLIC_URL, Phone, inline, metadata, rating_path, sha};
use satchel_protocol::batch::Batch;
use satchel_protocol::doorstep::ReportBody;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::AttemptId;
use satchel_protocol::ink::{InkPoint, Signature};
use satchel_protocol::lost::{LossCause, ProofLostBody};
use satchel_protocol::mask;
use satchel_protocol::taxonomy::{ProofKind, Reason};
use serde_json::json;

fn jpeg() -> Vec<u8> {
    let mut out = Vec::new();
    let image = image::RgbImage::from_fn(800, 600, |x, y| image::Rgb([x as u8, y as u8, 90]));
    image
        .write_to(&mut Cursor::new(&mut out), image::ImageFormat::Jpeg)
        .unwrap();
    out
}

fn ink() -> Vec<u8> {
    let stroke = |points: &[(f32, f32)]| {
        points
            .iter()
            .map(|&(x, y)| InkPoint {
                x,
                y,
                ..InkPoint::default()
            })
            .collect::<Vec<_>>()
    };
    let strokes = [
        stroke(&[(40.0, 40.0), (120.0, 160.0), (200.0, 60.0), (280.0, 180.0)]),
        stroke(&[(60.0, 180.0), (300.0, 90.0)]),
    ];
    Signature::from_strokes(&strokes, 400.0, 220.0)
        .unwrap()
        .encode()
}

#[tokio::test]
async fn the_board_needs_a_session_and_a_login_link_works_once() {
    let bench = Bench::new().await;
    for path in [
        "/board",
        "/board/ratings",
        "/board/alarms",
        "/board/thumbs/00",
        "/board/parcels/x",
    ] {
        assert_eq!(bench.get(path, &[]).await.status, 401, "{path}");
        let forged = [("cookie", "satchel_board=0000")];
        assert_eq!(bench.get(path, &forged).await.status, 401, "{path}");
    }
    let link = bench.hub.login_link(60_000).await.unwrap();
    let path = link.strip_prefix(PUBLIC_URL).unwrap();
    let login = bench.get(path, &[]).await;
    assert_eq!(
        (login.status.as_u16(), login.header("location")),
        (303, "/board")
    );
    let cookie = login.header("set-cookie").to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_eq!(bench.get(path, &[]).await.status, 404);
    let cookie = [("cookie", cookie.split(';').next().unwrap())];
    assert_eq!(bench.get("/board", &cookie).await.status, 200);

    // Links and sessions end by themselves.
    let late = bench.hub.login_link(60_000).await.unwrap();
    bench.clock.advance(60_001);
    assert_eq!(
        bench
            .get(late.strip_prefix(PUBLIC_URL).unwrap(), &[])
            .await
            .status,
        404
    );
    bench.clock.advance(12 * HOUR_MS);
    assert_eq!(bench.get("/board", &cookie).await.status, 401);
}

#[tokio::test]
async fn logging_out_ends_the_session_and_no_other_site_can_do_it() {
    let bench = Bench::new().await;
    let cookie = bench.board_cookie().await;
    let foreign = [
        ("cookie", cookie.as_str()),
        ("sec-fetch-site", "cross-site"),
    ];
    assert_eq!(
        bench.post_form("/board/logout", "", &foreign).await.status,
        403
    );
    assert_eq!(
        bench.get("/board", &[("cookie", &cookie)]).await.status,
        200
    );
    assert_eq!(
        bench
            .post_form("/board/logout", "", &[("cookie", &cookie)])
            .await
            .status,
        303
    );
    assert_eq!(
        bench.get("/board", &[("cookie", &cookie)]).await.status,
        401
    );
}

#[tokio::test]
async fn parcels_show_state_proofs_and_no_more_of_people_than_needed() {
    let (bench, mut phone, stops) = Bench::with_round(2).await;
    let (photo, ink) = (jpeg(), ink());
    let entry = phone.delivery(
        &stops[0],
        &[(ProofKind::Signature, &ink), (ProofKind::Photo, &photo)],
    );
    let batch = Batch {
        entries: vec![entry.clone()],
        blobs: vec![inline(ProofKind::Signature, &ink)],
    };
    phone.push(&bench, &batch).await.receipt(&bench, &phone);

    let html = bench.board("/board").await;
    assert!(html.contains("WB0000") && html.contains("WB0001"));
    assert!(html.contains("Delivered") && html.contains("Open"));
    assert!(html.contains(&format!("/board/thumbs/{}", sha(&ink))));
    // The photo is bound and not here yet; the count says so.
    assert!(html.contains("not yet here") && html.contains("<b>1/2</b>"));
    for secret in ["张小", "13800000000", "502", "3单元"] {
        assert!(!html.contains(secret), "{secret}");
    }
    for shown in [
        mask::name("张小0"),
        mask::phone("13800000000"),
        mask::address("烟台市芝罘区南大街0号3单元502室"),
    ] {
        assert!(shown.contains('*') && html.contains(&shown), "{shown}");
    }

    let length = photo.len().to_string();
    let meta = metadata(&photo, ProofKind::Photo);
    let headers = [
        ("tus-resumable", "1.0.0"),
        ("content-type", "application/offset+octet-stream"),
        ("upload-length", length.as_str()),
        ("upload-metadata", meta.as_str()),
    ];
    let sent = phone
        .send(&bench, "POST", "/v1/proofs", &headers, photo.clone())
        .await;
    assert_eq!(sent.status, 201);
    assert!(bench.board("/board").await.contains("<b>2/2</b>"));

    let id = stops[0].parcels[0].parcel_id;
    let detail = bench.board(&format!("/board/parcels/{id}")).await;
    assert!(detail.contains(&entry.hash().to_string()));
    assert!(detail.contains(&format!("/board/proofs/{}", sha(&photo))));
    assert!(!detail.contains("张小") && !detail.contains("502"));
    let cookie = bench.board_cookie().await;
    let missing = bench
        .get("/board/parcels/not-an-id", &[("cookie", &cookie)])
        .await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn a_photo_that_waits_for_wifi_is_asked_for_by_a_plain_form() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let (photo, ink) = (jpeg(), ink());
    let entry = phone.delivery(
        &stops[0],
        &[(ProofKind::Signature, &ink), (ProofKind::Photo, &photo)],
    );
    let batch = Batch {
        entries: vec![entry],
        blobs: vec![inline(ProofKind::Signature, &ink)],
    };
    phone.push(&bench, &batch).await.receipt(&bench, &phone);
    let page = format!("/board/parcels/{}", stops[0].parcels[0].parcel_id);
    let form = format!("/board/proofs/{}/want", sha(&photo));
    let shown = bench.board(&page).await;
    assert!(shown.contains(&format!("method=\"post\" action=\"{form}\"")));
    assert!(!shown.contains(&format!("/board/proofs/{}/want", sha(&ink))));

    let cookie = bench.board_cookie().await;
    let foreign = [
        ("cookie", cookie.as_str()),
        ("sec-fetch-site", "cross-site"),
    ];
    assert_eq!(bench.post_form(&form, "", &[]).await.status, 401);
    assert_eq!(bench.post_form(&form, "", &foreign).await.status, 422);
    let before = phone.pull(&bench, "", 100).await;
    let kind = "proof_wanted";
    assert!(before.items.iter().all(|item| item.kind != kind));
    let cookie = [("cookie", cookie.as_str())];
    let asked = bench.post_form(&form, "", &cookie).await;
    assert_eq!(
        (asked.status.as_u16(), asked.header("location")),
        (303, page.as_str())
    );
    let told = phone.pull(&bench, &before.cursor, 100).await;
    assert_eq!(told.items.len(), 1);
    assert_eq!(
        (told.items[0].kind.as_str(), &told.items[0].data["hash"]),
        (kind, &json!(sha(&photo).to_string()))
    );
    let shown = bench.board(&page).await;
    assert!(shown.contains("the phone was asked") && !shown.contains(&form));
    let unknown = format!("/board/proofs/{}/want", sha(b"nothing"));
    assert_eq!(bench.post_form(&unknown, "", &cookie).await.status, 422);
}

#[tokio::test]
async fn a_photo_that_its_phone_has_lost_is_said_to_be_lost_and_not_to_come() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let photo = vec![7; 900];
    let entry = phone.delivery(&stops[0], &[(ProofKind::Photo, &photo)]);
    phone.push_entries(&bench, &[entry]).await;
    let page = format!("/board/parcels/{}", stops[0].parcels[0].parcel_id);
    let form = format!("/board/proofs/{}/want", sha(&photo));
    assert!(bench.board(&page).await.contains(&form));
    let lost = |of_seq| ProofLostBody {
        hash: sha(&photo),
        of_seq,
        cause: LossCause::MISSING,
    };
    // Another phone's word about it is nothing to go by, and is kept like any entry.
    let mut other = Phone::enrolled(&bench, "李师傅", 9).await;
    let entry = other.entry(ProofLostBody::KIND, lost(1).encode(), None, vec![]);
    let answer = other.push_entries(&bench, &[entry]).await;
    assert_eq!(answer.receipt(&bench, &other).head_seq, 1);
    assert!(bench.board(&page).await.contains(&form));

    let seq = phone.seq;
    // Said twice, as a phone does whose answer was lost.
    for _ in 0..2 {
        let entry = phone.entry(ProofLostBody::KIND, lost(seq).encode(), None, vec![]);
        phone.push_entries(&bench, &[entry]).await;
    }
    bench.hub.rebuild().await.unwrap();
    for (path, word) in [("", "lost on the phone"), ("?lang=zh", "手机上已丢失")] {
        let shown = bench.board(&format!("{page}{path}")).await;
        // Asked for, the phone looks whether it is there again; also a second time.
        assert!(shown.contains(word) && shown.contains(&form));
        assert!(!shown.contains("not yet here") && !shown.contains("待上传"));
    }
    for _ in 0..2 {
        assert_eq!(bench.hub.want_proof(sha(&photo)).await.unwrap(), 1);
        let shown = bench.board(&page).await;
        assert!(shown.contains("lost on the phone") && shown.contains(&form));
    }
    let list = bench.board("/board").await;
    assert!(list.contains("lost on the phone") && !list.contains("not yet here"));
    let audit = bench.hub.audit().await.unwrap();
    let proof = &audit.parcels[0].attempts[0].proofs[0];
    assert!(proof.lost && !proof.complete);

    // What the hub had signed for is not the courier's loss.
    let second = vec![8; 900];
    let entry = phone.delivery(&stops[0], &[(ProofKind::Photo, &second)]);
    phone.push_entries(&bench, &[entry]).await;
    let after = ProofLostBody {
        hash: sha(&second),
        of_seq: phone.seq,
        cause: LossCause::GONE_AFTER_RECEIPT,
    };
    // Also where it was lost once before that.
    let again = ProofLostBody {
        hash: sha(&photo),
        ..after
    };
    for said in [after, again] {
        let entry = phone.entry(ProofLostBody::KIND, said.encode(), None, vec![]);
        phone.push_entries(&bench, &[entry]).await;
    }
    for (path, word) in [
        ("", "was received here, then gone"),
        ("?lang=zh", "本站曾签收"),
    ] {
        let shown = bench.board(&format!("{page}{path}")).await;
        assert!(shown.contains(word));
        assert!(!shown.contains("lost on the phone") && !shown.contains("手机上已丢失"));
    }

    // It turned up: what is here is shown, whatever was said before.
    let entry = phone.entry(EntryKind::REVEALED, vec![1], None, vec![]);
    let batch = Batch {
        entries: vec![entry],
        blobs: vec![inline(ProofKind::Photo, &photo)],
    };
    phone.push(&bench, &batch).await.receipt(&bench, &phone);
    assert!(!bench.board(&page).await.contains("lost on the phone"));
    let audit = bench.hub.audit().await.unwrap();
    let proof = &audit.parcels[0].attempts[0].proofs[0];
    assert!(proof.complete && !proof.lost);
}

#[tokio::test]
async fn proofs_are_shown_as_pictures_or_not_at_all() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let (photo, ink, html) = (jpeg(), ink(), b"<html><script>alert(1)</script>".to_vec());
    let proofs: [(ProofKind, &[u8]); 2] = [(ProofKind::Signature, &ink), (ProofKind::Photo, &html)];
    let entry = phone.delivery(&stops[0], &proofs);
    let batch = Batch {
        entries: vec![entry],
        blobs: vec![
            inline(ProofKind::Signature, &ink),
            inline(ProofKind::Photo, &html),
        ],
    };
    phone.push(&bench, &batch).await.receipt(&bench, &phone);
    let length = photo.len().to_string();
    let meta = metadata(&photo, ProofKind::Photo);
    let headers = [
        ("tus-resumable", "1.0.0"),
        ("content-type", "application/offset+octet-stream"),
        ("upload-length", length.as_str()),
        ("upload-metadata", meta.as_str()),
    ];
    phone
        .send(&bench, "POST", "/v1/proofs", &headers, photo.clone())
        .await;

    let cookie = bench.board_cookie().await;
    let cookie = [("cookie", cookie.as_str())];
    let thumb = bench
        .get(&format!("/board/thumbs/{}", sha(&photo)), &cookie)
        .await;
    assert_eq!(thumb.header("content-type"), "image/jpeg");
    let small = image::load_from_memory(&thumb.body).unwrap();
    assert_eq!((small.width(), small.height()), (160, 120));
    let full = bench
        .get(&format!("/board/proofs/{}", sha(&photo)), &cookie)
        .await;
    assert_eq!(
        (full.header("content-type"), full.body == photo),
        ("image/jpeg", true)
    );
    let drawn = bench
        .get(&format!("/board/proofs/{}", sha(&ink)), &cookie)
        .await;
    assert_eq!(drawn.header("content-type"), "image/svg+xml");
    assert!(drawn.text().contains("<path"));
    assert!(drawn.header("content-security-policy").contains("sandbox"));
    for path in ["thumbs", "proofs"] {
        let odd = bench
            .get(&format!("/board/{path}/{}", sha(&html)), &cookie)
            .await;
        assert_eq!(odd.status, 404);
    }
}

/// A wandering line; `at` moves it, so that each is another drawing.
fn ink_of(visit: AttemptId, at: f32) -> Vec<u8> {
    let stroke = (0..20)
        .map(|i: u8| InkPoint {
            x: at + f32::from(i) * 12.0,
            y: if i.is_multiple_of(2) { 40.0 } else { 160.0 },
            ..InkPoint::default()
        })
        .collect();
    let ink = Signature::from_strokes(&[stroke], 400.0, 220.0).unwrap();
    ink.bound_to(visit).encode()
}

#[tokio::test]
async fn ink_of_one_visit_is_never_shown_for_another() {
    let (bench, mut phone, stops) = Bench::with_round(2).await;
    // As the mistake would be: the second stop's entry names the ink drawn at the first.
    let visits = [phone.next_visit(1), phone.next_visit(2)];
    let (right, wrong) = (ink_of(visits[0], 40.0), ink_of(visits[0], 90.0));
    let entries = vec![
        phone.delivery(&stops[0], &[(ProofKind::Signature, &right)]),
        phone.delivery(&stops[1], &[(ProofKind::Signature, &wrong)]),
    ];
    let blobs = [&right, &wrong].map(|ink| inline(ProofKind::Signature, ink));
    let batch = Batch {
        entries,
        blobs: blobs.to_vec(),
    };
    phone.push(&bench, &batch).await.receipt(&bench, &phone);

    let cookie = bench.board_cookie().await;
    let cookie = [("cookie", cookie.as_str())];
    let asked = async |ink: &[u8], visit: AttemptId| {
        let path = format!("/board/proofs/{}?visit={visit}", sha(ink));
        bench.get(&path, &cookie).await.status
    };
    assert_eq!(asked(&right, visits[0]).await, 200);
    assert_eq!(asked(&wrong, visits[1]).await, 404, "drawn at the first");
    let of_nobody = format!("/board/proofs/{}", sha(&right));
    assert_eq!(bench.get(&of_nobody, &cookie).await.status, 404);
    // The board's own links ask for the visit whose record names the ink.
    let html = bench.board("/board").await;
    for (ink, visit) in [(&right, visits[0]), (&wrong, visits[1])] {
        let link = format!("/board/thumbs/{}?visit={visit}", sha(ink));
        assert!(html.contains(&link), "{link}");
    }
    let alarms = bench.board("/board/alarms").await;
    let words = "An attempt names a signature that was drawn at another visit";
    assert_eq!(alarms.matches(words).count(), 1, "one of the two");
}

#[tokio::test]
async fn the_small_copy_stands_in_until_the_photo_arrives() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let (photo, small) = (jpeg(), {
        let mut out = Vec::new();
        image::RgbImage::from_pixel(240, 180, image::Rgb([10, 200, 30]))
            .write_to(&mut Cursor::new(&mut out), image::ImageFormat::Jpeg)
            .unwrap();
        out
    });
    let entry = phone.delivery_with_thumb(&stops[0], &photo, &small);
    let batch = Batch {
        entries: vec![entry],
        blobs: vec![inline(ProofKind::Photo, &small)],
    };
    phone.push(&bench, &batch).await.receipt(&bench, &phone);
    let path = format!("/board/thumbs/{}", sha(&photo));
    let html = bench.board("/board").await;
    assert!(html.contains(&path) && html.contains("not yet here"));
    let cookie = bench.board_cookie().await;
    let cookie = [("cookie", cookie.as_str())];
    let green = |picture: &[u8]| {
        let picture = image::load_from_memory(picture).unwrap().to_rgb8();
        picture.get_pixel(80, 60).0[1] > 150
    };
    assert!(green(&bench.get(&path, &cookie).await.body));
    // A small copy proves nothing: once the photo is here, it speaks for itself.
    let length = photo.len().to_string();
    let meta = metadata(&photo, ProofKind::Photo);
    let headers = [
        ("tus-resumable", "1.0.0"),
        ("content-type", "application/offset+octet-stream"),
        ("upload-length", length.as_str()),
        ("upload-metadata", meta.as_str()),
    ];
    phone
        .send(&bench, "POST", "/v1/proofs", &headers, photo.clone())
        .await;
    assert!(!green(&bench.get(&path, &cookie).await.body));
    assert!(!bench.board("/board").await.contains("not yet here"));
}

#[tokio::test]
async fn long_lists_have_pages_and_both_languages() {
    let (bench, mut phone, stops) = Bench::with_round(60).await;
    let first = bench.board("/board").await;
    assert_eq!(first.matches("href=\"/board/parcels/").count(), 50);
    assert!(first.contains("?page=2") && first.contains("Page 1 / 2"));
    let second = bench.board("/board?page=2").await;
    assert_eq!(second.matches("href=\"/board/parcels/").count(), 10);
    assert!(
        bench
            .board("/board?page=99&lang=zh")
            .await
            .contains("派送看板")
    );

    // The latest news comes first.
    let entry = phone.delivery(&stops[59], &[]);
    phone
        .push_entries(&bench, &[entry])
        .await
        .receipt(&bench, &phone);
    let html = bench.board("/board").await;
    let at = |needle: &str| html.find(needle).unwrap();
    assert!(at(&stops[59].parcels[0].waybill) < at(&stops[0].parcels[0].waybill));
}

#[tokio::test]
async fn a_delivery_shown_to_a_customer_and_never_reported_is_an_alarm() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let entry = phone.delivery(&stops[0], &[]);
    let path = rating_path(&stops[0].parcels[0], &entry.hash());
    assert_eq!(bench.get(&path, &[]).await.status, 200);
    bench.clock.advance(23 * HOUR_MS);
    assert!(!bench.board("/board/alarms").await.contains("not reported"));
    bench.clock.advance(2 * HOUR_MS);
    assert!(bench.board("/board/alarms").await.contains("not reported"));
    phone
        .push_entries(&bench, &[entry])
        .await
        .receipt(&bench, &phone);
    assert!(!bench.board("/board/alarms").await.contains("not reported"));
}

#[tokio::test]
async fn a_report_has_a_clock_and_is_answered_and_a_parcel_cancelled_on_the_board() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let parcel = stops[0].parcels[0].parcel_id;
    let body = ReportBody {
        report_id: "r-1".into(),
        stop: Some(stops[0].stop_id),
        parcels: vec![parcel],
        reason: Reason::AccessDenied,
        words: None,
        proofs: vec![],
        owes_photo: true,
        answer_due_ms: 0,
        fix: None,
    };
    phone.minutes_later = 30;
    let entry = phone.entry(EntryKind::REPORT, body.encode(), None, vec![]);
    phone
        .push_entries(&bench, &[entry])
        .await
        .receipt(&bench, &phone);
    // It happened half an hour ago; the hour runs from then.
    let html = bench.board("/board/reports").await;
    assert!(html.contains("left 30 min") && html.contains("a photo is owed"));
    bench.clock.advance(HOUR_MS);
    assert!(
        bench
            .board("/board/reports")
            .await
            .contains("overdue by 29 min")
    );

    let cookie = bench.board_cookie().await;
    let session = [("cookie", cookie.as_str()), ("accept-language", "en")];
    let form = "action=SECOND_DELIVERY&words=now";
    assert_eq!(
        bench
            .post_form("/board/reports/r-1", form, &[])
            .await
            .status,
        401
    );
    let foreign = [session[0], ("sec-fetch-site", "cross-site")];
    assert_eq!(
        bench
            .post_form("/board/reports/r-1", form, &foreign)
            .await
            .status,
        422
    );
    for bad in ["action=SEARCH", "action=&words=", "action=NONSENSE"] {
        let answer = bench.post_form("/board/reports/r-1", bad, &session).await;
        assert_eq!(answer.status, 422, "{bad}");
    }
    let answer = bench.post_form("/board/reports/r-1", form, &session).await;
    assert_eq!(answer.status, 303);
    assert!(bench.board("/board/reports").await.contains("answered"));

    let page = format!("/board/parcels/{parcel}");
    let step = bench
        .post_form(&page, "step=cancel&words=x", &session)
        .await;
    assert_eq!(step.status, 303);
    let html = bench.board(&page).await;
    assert!(html.contains("Cancelled, to be given back") && html.contains("answered"));
    for bad in ["step=cancel", "step=fly"] {
        let answer = bench.post_form(&page, bad, &session).await;
        assert_eq!(answer.status, 422, "{bad}");
    }
}
