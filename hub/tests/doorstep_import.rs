//! What a file can say about a parcel since handoffs have rules, and the code the hub judges.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use common::{Bench, PUBLIC_URL, Phone};
use satchel_hub::ImportOptions;
use satchel_hub::import::Mapping;
use satchel_protocol::attempt::{AttemptBody, CodeResult};
use satchel_protocol::crypto;
use satchel_protocol::doorstep::CodeEntryBody;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::feed::{CodeItem, ParcelItem, StopItem, TemperatureLimits};
use satchel_protocol::ids::AttemptId;
use satchel_protocol::taxonomy::{HandoffKind, Outcome};
use satchel_protocol::token::from_base32;
use uuid::Uuid;

const SAMPLE: &str = include_str!("../../docs/mappings/sample.csv");
const SAMPLE_MAPPING: &str = include_str!("../../docs/mappings/sample.json");

async fn sample() -> (Bench, Phone, Vec<StopItem>) {
    let bench = Bench::new().await;
    let mapping = Mapping::from_json(SAMPLE_MAPPING.as_bytes()).unwrap();
    let options = ImportOptions {
        couriers: vec!["王强".into()],
        ..ImportOptions::default()
    };
    let report = bench
        .hub
        .import(SAMPLE.as_bytes(), &mapping, &options)
        .await
        .unwrap();
    assert_eq!((report.errors.len(), report.new_parcels), (0, 6));
    let mut phone = Phone::enrolled(&bench, "王强", 1).await;
    let stops = phone.pull_stops(&bench).await;
    (bench, phone, stops)
}

fn find<'s>(stops: &'s [StopItem], waybill: &str) -> (&'s StopItem, &'s ParcelItem) {
    let all = stops
        .iter()
        .flat_map(|s| s.parcels.iter().map(move |p| (s, p)));
    let mut found = all.filter(|(_, p)| p.waybill == waybill);
    found.next().unwrap()
}

/// Art 25: who has waybill and code finds goods, pieces, weight and fee; the courier's phone is not told them.
#[tokio::test]
async fn the_recipient_finds_what_was_sent_and_the_phone_is_not_told() {
    let (bench, mut phone, _) = sample().await;
    let link = async |waybill| {
        let links = bench.hub.customer_links(Some(waybill)).await.unwrap();
        links[0].url.strip_prefix(PUBLIC_URL).unwrap().to_owned()
    };
    let sent = link("SAMPLE-0001").await;
    for (lang, words) in [
        ("en", "冻虾 · pieces: 1 · 1.250 kg · fee CNY 18.00"),
        ("zh", "冻虾 · 1 件 · 1.250 千克 · 资费 18.00 元"),
    ] {
        let page = bench.get(&sent, &[("accept-language", lang)]).await.text();
        assert!(page.contains(words), "{page}");
    }
    let feed = serde_json::to_string(&phone.pull_stops(&bench).await).unwrap();
    assert!(!feed.contains("冻虾"), "{feed}");
    // What the file does not say is said to be missing.
    let other = link("SAMPLE-0004").await;
    let page = bench.get(&other, &[("accept-language", "en")]).await.text();
    assert!(page.contains("not given to this page by the carrier"));
}

#[tokio::test]
async fn the_sample_file_brings_every_part_to_the_phone() {
    let (_, _, stops) = sample().await;
    let (_, first) = find(&stops, "SAMPLE-0001");
    assert_eq!(first.tier.as_deref(), Some("gold"));
    let limits = TemperatureLimits {
        min_centi_c: 200,
        max_centi_c: 800,
    };
    assert_eq!(first.temperature, Some(limits));
    assert_eq!(first.code, Some(CodeItem::Hub { digits: 4 }));
    let (_, third) = find(&stops, "SAMPLE-0003");
    assert_eq!(
        (third.min_age_years, third.tier.as_deref()),
        (Some(18), Some("standard"))
    );
    let (_, fourth) = find(&stops, "SAMPLE-0004");
    let Some(CodeItem::Phone {
        chars,
        salt,
        digest,
        ..
    }) = &fourth.code
    else {
        unreachable!("{:?}", fourth.code);
    };
    let code = from_base32("ABCDEFGHJKMNPQRS").unwrap();
    let id = fourth.parcel_id;
    let expected = crypto::sha256(&[b"satchel-recipient-code/1\0", &salt.0, id.as_bytes(), &code]);
    assert_eq!((*chars, *digest), (16, expected));
    let (_, sixth) = find(&stops, "SAMPLE-0006");
    // 19:30 in China.
    assert_eq!(
        sixth.pickup.as_ref().unwrap().window_end_ms,
        1_772_451_000_000
    );
}

#[tokio::test]
async fn bad_values_are_named_and_stop_no_other_row() {
    let bench = Bench::new().await;
    let mapping = Mapping::from_json(SAMPLE_MAPPING.as_bytes()).unwrap();
    let options = ImportOptions {
        dry_run: true,
        ..ImportOptions::default()
    };
    let spoilt = SAMPLE
        .replace(";gold;;2,0;8,0;4711;", ";go ld;200;9,0;8,0;47x;")
        .replace(";;;-18;-12,5;;", ";;;-18;;;");
    let report = bench
        .hub
        .import(spoilt.as_bytes(), &mapping, &options)
        .await
        .unwrap();
    assert_eq!(report.rows_rejected, 2);
    for part in ["tier", "min_age", "temp_min_c", "code"] {
        assert!(
            report
                .errors
                .iter()
                .any(|e| e.starts_with(&format!("row 2, {part}:"))),
            "{part}"
        );
    }
    assert!(
        report
            .errors
            .iter()
            .any(|e| e.starts_with("row 6, temp_min_c: needs both"))
    );
    assert!(report.errors.iter().all(|e| !e.contains("47x")));
}

#[tokio::test]
async fn sealed_digits_are_judged_by_the_hub_and_kept_in_no_table() {
    let (bench, mut phone, stops) = sample().await;
    let (stop, item) = find(&stops, "SAMPLE-0001");
    let tried = |phone: &mut Phone, digits: &str| {
        let body = CodeEntryBody {
            parcel: item.parcel_id,
            stop: stop.stop_id,
            matched: None,
            sealed: Some(digits.into()),
        };
        phone.entry(EntryKind::CODE_ENTRY, body.encode(), None, vec![])
    };
    let visit = AttemptId(Uuid::from_u128(1));
    let mut body = AttemptBody::bare(
        visit,
        item.parcel_id,
        stop.stop_id,
        Outcome::Delivered,
        HandoffKind::Recipient,
    );
    body.code = Some(CodeResult::AwaitsHub);
    let wrong = tried(&mut phone, "4712");
    let delivered = phone.entry(EntryKind::ATTEMPT, body.encode(), Some(item.handle), vec![]);
    phone
        .push_entries(&bench, &[wrong, delivered])
        .await
        .receipt(&bench, &phone);
    let page = format!("/board/parcels/{}", item.parcel_id);
    let html = bench.board(&page).await;
    assert!(html.contains("did not match") && html.contains("judged by the hub"));
    assert!(html.contains("code was wrong"));
    let right = tried(&mut phone, "4711");
    phone
        .push_entries(&bench, &[right])
        .await
        .receipt(&bench, &phone);
    let html = bench.board(&page).await;
    assert!(!html.contains("code was wrong") && !html.contains("4711"));
    let kept = common::dump(&bench, &["code_entry", "parcel"]).await;
    assert!(
        !kept
            .iter()
            .any(|row| row.contains("4711") || row.contains("4712"))
    );
    bench.hub.rebuild().await.unwrap();
    assert_eq!(common::dump(&bench, &["code_entry", "parcel"]).await, kept);
}
