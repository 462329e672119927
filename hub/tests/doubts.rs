//! What the hub wonders about: found once, told to the courier, answered, judged with a reason; honest days raise none.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod common;

use std::io::Cursor;

use common::{Bench, NOW_MS, Phone, inline, sha};
use image::{ImageFormat, RgbImage, imageops};
use satchel_protocol::attempt::{AttemptBody, Fix, PhotoFacts, ProofRef};
use satchel_protocol::batch::Batch;
use satchel_protocol::doubt::DoubtAnswerBody;
use satchel_protocol::entry::{EntryKind, SignedEntry};
use satchel_protocol::feed::{DoubtItem, FeedContent, StopItem};
use satchel_protocol::ids::DoubtId;
use satchel_protocol::ink::{InkPoint, Signature};
use satchel_protocol::taxonomy::{DoubtVerdict, HandoffKind, Outcome, PhotoOrigin, ProofKind};

/// An attempt of which a test changes what it is about.
fn attempt(
    phone: &mut Phone,
    stop: &StopItem,
    change: impl FnOnce(&mut AttemptBody),
) -> SignedEntry {
    let parcel = &stop.parcels[0];
    let mut body = AttemptBody {
        rules_version: 1,
        ..AttemptBody::bare(
            phone.next_visit(1),
            parcel.parcel_id,
            stop.stop_id,
            Outcome::Delivered,
            HandoffKind::ALL[0],
        )
    };
    change(&mut body);
    let blobs = body.proofs.iter().map(|p| p.hash).collect();
    phone.entry(
        EntryKind::ATTEMPT,
        body.encode(),
        Some(parcel.handle),
        blobs,
    )
}

fn proof(kind: ProofKind, bytes: &[u8]) -> ProofRef {
    ProofRef {
        hash: sha(bytes),
        kind,
        size_bytes: bytes.len() as u64,
        origin: (kind == ProofKind::Photo).then_some(PhotoOrigin::Camera),
        captured_at_ms: NOW_MS,
        photo: None,
    }
}

fn at(lat: f64, lng: f64, mock: bool) -> Option<Fix> {
    Some(Fix::wgs84(lat, lng, 10.0, 0, mock))
}

async fn send(
    bench: &Bench,
    phone: &mut Phone,
    entries: &[SignedEntry],
    proofs: &[(ProofKind, &[u8])],
) {
    let batch = Batch {
        entries: entries.to_vec(),
        blobs: proofs
            .iter()
            .map(|(kind, bytes)| inline(*kind, bytes))
            .collect(),
    };
    let answer = phone.push(bench, &batch).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// The doubts as the courier's phone hears of them, the last word of each.
async fn told(bench: &Bench, phone: &mut Phone) -> Vec<DoubtItem> {
    let page = phone.pull(bench, "", 1_000).await;
    let mut all: Vec<DoubtItem> = Vec::new();
    for item in page.items {
        if let Ok(FeedContent::Doubt(doubt)) = item.content() {
            all.retain(|d| d.doubt_id != doubt.doubt_id);
            all.push(*doubt);
        }
    }
    all
}

async fn kinds(bench: &Bench, phone: &mut Phone) -> Vec<String> {
    let mut kinds: Vec<String> = told(bench, phone)
        .await
        .into_iter()
        .map(|d| d.doubt)
        .collect();
    kinds.sort();
    kinds
}

#[tokio::test]
async fn positions_clocks_and_origins_are_asked_about_once() {
    let (bench, mut phone, stops) = Bench::with_round(5).await;
    // Two doors of one street, a minute apart: nothing to ask.
    let honest = [
        attempt(&mut phone, &stops[0], |a| a.fix = at(37.50, 121.40, false)),
        attempt(&mut phone, &stops[1], |a| {
            a.fix = at(37.501, 121.401, false)
        }),
    ];
    send(&bench, &mut phone, &honest, &[]).await;
    assert_eq!(bench.hub.look_for_doubts().await.unwrap(), 0);
    // 100 km in a second, by a mock provider; the clock jumps by an hour; the photo is an old one of the gallery.
    let jump = attempt(&mut phone, &stops[2], |a| a.fix = at(38.40, 121.40, true));
    phone.minutes_later += 60;
    let photo = b"a photo whose bytes are not looked at here".to_vec();
    let old = attempt(&mut phone, &stops[3], |a| {
        let facts = PhotoFacts {
            taken_local: Some("2025-12-24T18:00:00".into()),
            ..PhotoFacts::default()
        };
        a.proofs = vec![ProofRef {
            origin: Some(PhotoOrigin::Gallery),
            photo: Some(facts),
            ..proof(ProofKind::Photo, &photo)
        }];
    });
    send(
        &bench,
        &mut phone,
        &[jump, old],
        &[(ProofKind::Photo, &photo)],
    )
    .await;
    assert_eq!(bench.hub.look_for_doubts().await.unwrap(), 5);
    let found = [
        "clock_moved",
        "gallery_photo",
        "mock_location",
        "old_photo",
        "teleport",
    ];
    assert_eq!(kinds(&bench, &mut phone).await, found);
    let doubts = told(&bench, &mut phone).await;
    let teleport = doubts.iter().find(|d| d.doubt == "teleport").unwrap();
    let apart_km = teleport.apart_m.unwrap() / 1_000;
    assert!((98..=101).contains(&apart_km), "{apart_km}");
    // Asked once, also when everything is derived anew.
    bench.hub.rebuild().await.unwrap();
    assert_eq!(bench.hub.look_for_doubts().await.unwrap(), 0);
}

/// Soft hills and hollows of light: something with a look of its own.
fn scene(seed: u32) -> RgbImage {
    RgbImage::from_fn(160, 120, |x, y| {
        let wave = |at: u32, pace: u32| (f64::from(at * pace) / 37.0 + f64::from(seed)).sin();
        let light = 128.0 + 100.0 * wave(x, seed + 1) * wave(y, seed + 2);
        image::Rgb([light as u8, light as u8 / 2, 90])
    })
}

fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

#[tokio::test]
async fn a_photo_of_two_visits_is_found_scaled_and_recompressed_too() {
    let (bench, mut phone, stops) = Bench::with_round(5).await;
    let original = jpeg(&scene(1));
    let smaller = jpeg(&imageops::resize(
        &scene(1),
        400,
        300,
        imageops::FilterType::Lanczos3,
    ));
    let another = jpeg(&scene(4));
    let mut with = |stop: &StopItem, bytes: &[u8]| {
        let named = vec![proof(ProofKind::Photo, bytes)];
        attempt(&mut phone, stop, |a| a.proofs = named)
    };
    let entries = [
        with(&stops[0], &original),
        with(&stops[1], &another),
        with(&stops[2], &original),
        with(&stops[3], &smaller),
    ];
    let blobs = [&original, &another, &smaller].map(|b| (ProofKind::Photo, &b[..]));
    send(&bench, &mut phone, &entries, &blobs).await;
    assert_eq!(bench.hub.look_for_doubts().await.unwrap(), 2);
    let doubts = told(&bench, &mut phone).await;
    let about = |kind: &str| doubts.iter().find(|d| d.doubt == kind).unwrap().parcel_id;
    assert_eq!(about("photo_reused"), stops[2].parcels[0].parcel_id);
    assert_eq!(about("photo_looks_reused"), stops[3].parcels[0].parcel_id);
}

#[tokio::test]
async fn strokes_copied_into_another_signature_are_found() {
    let (bench, mut phone, stops) = Bench::with_round(3).await;
    let drawn = |shift: f32| {
        let point = |i: u16| InkPoint {
            x: f32::from(i) * 5.0,
            y: 60.0 + shift * f32::from(i % 7),
            t_ms: u32::from(i) * 16,
            pressure: None,
        };
        let strokes = vec![(0..60).map(point).collect::<Vec<_>>()];
        Signature::from_strokes(&strokes, 400.0, 200.0).unwrap()
    };
    let mut signed = |stop: &StopItem, ink: Signature| {
        let bytes = ink.bound_to(phone.next_visit(1)).encode();
        let named = vec![proof(ProofKind::Signature, &bytes)];
        (attempt(&mut phone, stop, |a| a.proofs = named), bytes)
    };
    let (first, a) = signed(&stops[0], drawn(6.0));
    let (second, b) = signed(&stops[1], drawn(9.0));
    let (third, c) = signed(&stops[2], drawn(6.0));
    assert_ne!(a, c, "each names its own visit");
    let blobs = [&a, &b, &c].map(|ink| (ProofKind::Signature, &ink[..]));
    send(&bench, &mut phone, &[first, second, third], &blobs).await;
    assert_eq!(bench.hub.look_for_doubts().await.unwrap(), 1);
    let doubts = told(&bench, &mut phone).await;
    assert_eq!(
        (doubts[0].doubt.as_str(), doubts[0].parcel_id),
        ("signature_reused", stops[2].parcels[0].parcel_id)
    );
}

#[tokio::test]
async fn the_courier_answers_and_a_person_judges_with_a_reason() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let mut stranger = Phone::enrolled(&bench, "李娜", 2).await;
    let entry = attempt(&mut phone, &stops[0], |a| a.fix = at(37.50, 121.40, true));
    send(&bench, &mut phone, &[entry], &[]).await;
    assert_eq!(bench.hub.look_for_doubts().await.unwrap(), 1);
    let doubt = told(&bench, &mut phone).await[0].doubt_id;
    let answer = |words: &str| {
        let words = words.to_owned();
        DoubtAnswerBody { doubt, words }.encode()
    };
    // Somebody else's words about it are in his log and nowhere else; of two answers the first stands.
    let foreign = stranger.entry(DoubtAnswerBody::KIND, answer("it was me"), None, vec![]);
    send(&bench, &mut stranger, &[foreign], &[]).await;
    let mine = phone.entry(
        DoubtAnswerBody::KIND,
        answer("测试应用忘了关 <b>"),
        None,
        vec![],
    );
    let again = phone.entry(
        DoubtAnswerBody::KIND,
        answer("something else"),
        None,
        vec![],
    );
    send(&bench, &mut phone, &[mine, again], &[]).await;
    let heard = &told(&bench, &mut phone).await[0];
    assert_eq!(
        (heard.answer.as_deref(), &heard.verdict),
        (Some("测试应用忘了关 <b>"), &None)
    );

    let cookie = bench.board_cookie().await;
    let page = bench.board("/board/doubts?lang=en").await;
    assert!(
        page.contains("mock provider") && page.contains("测试应用忘了关 &#60;b&#62;"),
        "{page}"
    );
    let path = format!("/board/doubts/{doubt}");
    let headers = [("cookie", cookie.as_str())];
    for bad in [
        "verdict=dismissed&why=",
        "verdict=guilty&why=because",
        "why=because",
    ] {
        assert_eq!(
            bench.post_form(&path, bad, &headers).await.status,
            422,
            "{bad}"
        );
    }
    let nobody = bench
        .post_form(&path, "verdict=dismissed&why=shown", &[])
        .await;
    assert_eq!(nobody.status, 401);
    let unknown =
        bench
            .hub
            .judge_doubt(DoubtId(uuid::Uuid::nil()), DoubtVerdict::Upheld, "no such");
    assert!(unknown.await.is_err());
    let done = bench
        .post_form(&path, "verdict=dismissed&why=He+showed+the+phone", &headers)
        .await;
    assert_eq!(done.status, 303);
    let judged = &told(&bench, &mut phone).await[0];
    assert_eq!(
        (judged.verdict.as_deref(), judged.why.as_deref()),
        (Some("dismissed"), Some("He showed the phone"))
    );
    assert_eq!(bench.hub.check_journal().await.unwrap().broken_at, None);
}
