//! What the operator tells the phones, and what is not sent.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use common::{Bench, HOUR_MS, NOW_MS, Phone, csv, mapping};
use satchel_hub::{
    AnswerFault, HubError, ImportOptions, RegimeFault, RuleSetFault, SettingFault, TrafficFault,
};
use satchel_protocol::doorstep::ReportBody;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::feed::{
    CourierItem, FeedContent, PhotosItem, PriceItem, RadiiItem, TariffItem, TrainingItem,
};
use satchel_protocol::taxonomy::{Action, Reason, Regime};

async fn news(bench: &Bench, phone: &mut Phone) -> Vec<FeedContent> {
    let page = phone.pull(bench, "", 500).await;
    page.items.iter().map(|i| i.content().unwrap()).collect()
}

#[tokio::test]
async fn rules_go_to_everybody_and_to_who_comes_later_and_never_backwards() {
    let bench = Bench::new().await;
    let mut first = Phone::enrolled(&bench, "王强", 1).await;
    let document = br#"{"format":1,"version":2,"rules":[]}"#;
    assert_eq!(bench.hub.set_rules(document).await.unwrap(), 2);
    assert_eq!(bench.hub.set_rules(document).await.unwrap(), 2);
    let mut later = Phone::enrolled(&bench, "李娜", 2).await;
    for phone in [&mut first, &mut later] {
        let news = news(&bench, phone).await;
        let [FeedContent::RuleSet(told)] = news.as_slice() else {
            unreachable!("{news:?}");
        };
        assert_eq!(told["version"], 2);
    }
    let refused = async |text: &str| match bench.hub.set_rules(text.as_bytes()).await {
        Err(HubError::RuleSet(fault)) => fault,
        other => unreachable!("{other:?}"),
    };
    for (text, fault) in [
        ("rules", RuleSetFault::Form),
        ("[]", RuleSetFault::Form),
        (r#"{"format":1,"version":3}"#, RuleSetFault::Form),
        (
            r#"{"format":2,"version":3,"rules":[]}"#,
            RuleSetFault::Format,
        ),
        (
            r#"{"format":1,"version":0,"rules":[]}"#,
            RuleSetFault::Version,
        ),
        (
            r#"{"format":1,"version":1,"rules":[]}"#,
            RuleSetFault::NotNewer {
                current: 2,
                offered: 1,
            },
        ),
        (
            r#"{"format":1,"version":2,"rules":[{}]}"#,
            RuleSetFault::NotNewer {
                current: 2,
                offered: 2,
            },
        ),
    ] {
        assert_eq!(refused(text).await, fault, "{text}");
    }
    assert_eq!(refused(&" ".repeat(300_000)).await, RuleSetFault::TooLarge);
}

#[tokio::test]
async fn traffic_goes_to_everybody_the_newest_to_who_comes_later_and_always_newer() {
    let bench = Bench::new().await;
    let mut first = Phone::enrolled(&bench, "王强", 1).await;
    let table = |speed: u16| {
        format!(
            r#"{{"made_at_ms":99999999999999,"utc_offset_min":480,"bands_min":[0,420],"elsewhere":[1000,{speed}]}}"#
        )
    };
    let send = async |text: String| bench.hub.set_traffic(text.as_bytes()).await;
    let speeds = |news: Vec<FeedContent>| -> Vec<(i64, u16)> {
        let told = news.into_iter().map(|content| match content {
            FeedContent::Traffic(item) => (item.made_at_ms, item.elsewhere[1]),
            other => unreachable!("{other:?}"),
        });
        told.collect()
    };
    assert_eq!(send(table(600)).await.unwrap(), NOW_MS);
    assert_eq!(speeds(news(&bench, &mut first).await), [(NOW_MS, 600)]);
    // Twice within the same millisecond, and the second is still the newer one. It takes the first one's
    // place: who has not read that yet never will.
    assert_eq!(send(table(300)).await.unwrap(), NOW_MS + 1);
    assert_eq!(speeds(news(&bench, &mut first).await), [(NOW_MS + 1, 300)]);
    let mut later = Phone::enrolled(&bench, "李娜", 2).await;
    assert_eq!(speeds(news(&bench, &mut later).await), [(NOW_MS + 1, 300)]);
    for (text, fault) in [
        ("jam".to_owned(), TrafficFault::Form),
        ("[]".to_owned(), TrafficFault::Form),
        (r#"{"bands_min":[0]}"#.to_owned(), TrafficFault::Form),
        (table(1_001), TrafficFault::Senseless),
        (table(0), TrafficFault::Senseless),
        (table(600).replace("420", "0"), TrafficFault::Senseless),
        (" ".repeat(300_000), TrafficFault::TooLarge),
    ] {
        let answer = send(text.clone()).await;
        assert!(
            matches!(answer, Err(HubError::Traffic(f)) if f == fault),
            "{text}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn an_abnormal_day_is_declared_and_ended() {
    let bench = Bench::new().await;
    let mut phone = Phone::enrolled(&bench, "王强", 1).await;
    let until = NOW_MS + 5 * HOUR_MS;
    let declare = |from_ms, until_ms| {
        bench
            .hub
            .declare_regime(Regime::Weather, from_ms, until_ms, true)
    };
    let told = |news: Vec<FeedContent>| -> Vec<_> {
        let told = news.into_iter().map(|content| match content {
            FeedContent::Regime(item) => (item.regime_id, item.until_ms, item.excuses),
            other => unreachable!("{other:?}"),
        });
        told.collect()
    };
    let id = declare(NOW_MS, until).await.unwrap();
    let begun = told(news(&bench, &mut phone).await);
    assert_eq!(begun, [(id.clone(), until, true)]);
    bench.clock.advance(HOUR_MS);
    bench.hub.end_regime(&id).await.unwrap();
    let ended = told(news(&bench, &mut phone).await);
    assert_eq!(ended, [(id, NOW_MS + HOUR_MS, true)]);
    assert!(matches!(
        declare(NOW_MS, NOW_MS).await,
        Err(HubError::Regime(RegimeFault::EndsBeforeItBegins))
    ));
    assert!(matches!(
        bench.hub.end_regime("none").await,
        Err(HubError::Regime(RegimeFault::Unknown))
    ));
    // One that is over is nothing to tell a new courier.
    let mut later = Phone::enrolled(&bench, "李娜", 2).await;
    assert!(news(&bench, &mut later).await.is_empty());
}

#[tokio::test]
async fn a_courier_s_settings_reach_that_courier_only() {
    let bench = Bench::new().await;
    let mut phone = Phone::enrolled(&bench, "王强", 1).await;
    let mut other = Phone::enrolled(&bench, "李娜", 2).await;
    let item = CourierItem {
        training: Some(TrainingItem {
            passed_at_ms: NOW_MS,
            valid_until_ms: NOW_MS + HOUR_MS,
        }),
        radii: Some(RadiiItem {
            inside_m: 80.0,
            extended_m: 250.0,
        }),
        photos: Some(PhotosItem::LOW_DATA),
        photos_on_metered: Some(true),
        ..CourierItem::default()
    };
    bench.hub.set_courier("王强", &item).await.unwrap();
    assert_eq!(
        news(&bench, &mut phone).await,
        [FeedContent::Courier(Box::new(item.clone()))]
    );
    assert!(news(&bench, &mut other).await.is_empty());

    assert!(matches!(
        bench.hub.set_courier("无名", &item).await,
        Err(HubError::UnknownCourier)
    ));
    let refused = async |spoil: fn(&mut CourierItem)| {
        let mut item = CourierItem::default();
        spoil(&mut item);
        match bench.hub.set_courier("王强", &item).await {
            Err(HubError::Setting(fault)) => fault,
            other => unreachable!("{other:?}"),
        }
    };
    assert_eq!(refused(|_| {}).await, SettingFault::Empty);
    assert_eq!(
        refused(|i| i.star_level = Some(6)).await,
        SettingFault::Star
    );
    let training = |i: &mut CourierItem| {
        i.training = Some(TrainingItem {
            passed_at_ms: 2,
            valid_until_ms: 2,
        });
    };
    assert_eq!(refused(training).await, SettingFault::Training);
    let radii = |i: &mut CourierItem| {
        i.radii = Some(RadiiItem {
            inside_m: 300.0,
            extended_m: f64::NAN,
        });
    };
    assert_eq!(refused(radii).await, SettingFault::Radii);
    let photos = |i: &mut CourierItem| {
        i.photos = Some(PhotosItem {
            long_side_px: 100_000,
            ..PhotosItem::STANDARD
        });
    };
    assert_eq!(refused(photos).await, SettingFault::Photos);
    let tariff = |i: &mut CourierItem| {
        i.tariff = Some(TariffItem {
            currency: "CNY".into(),
            prices: vec![PriceItem {
                piece: "LETTER".into(),
                star: 1,
                unit_minor: 120,
            }],
        });
    };
    assert_eq!(refused(tariff).await, SettingFault::Tariff);
}

#[tokio::test]
async fn couriers_hear_the_numbers_of_the_day_s_other_rounds_once() {
    let bench = Bench::new().await;
    let options = ImportOptions {
        group: Some("single,max=10".parse().unwrap()),
        couriers: vec!["王强".into(), "李娜".into()],
        dry_run: false,
    };
    let import = async || {
        bench
            .hub
            .import(csv(20).as_bytes(), &mapping(), &options)
            .await
    };
    import().await.unwrap();
    let mut phone = Phone::enrolled(&bench, "王强", 1).await;
    let told = news(&bench, &mut phone).await;
    let mut own = Vec::new();
    let mut others = Vec::new();
    for content in told {
        match content {
            FeedContent::Stop(stop) => own.extend(stop.parcels.into_iter().map(|p| p.waybill)),
            FeedContent::OtherRound(item) => others.extend(item.waybills),
            _ => {}
        }
    }
    assert!(!own.is_empty() && !others.is_empty());
    assert!(own.iter().all(|w| !others.contains(w)));
    assert_eq!(own.len() + others.len(), 20);
    let before = phone.pull(&bench, "", 500).await;
    import().await.unwrap();
    assert_eq!(phone.pull(&bench, "", 500).await, before);
}

#[tokio::test]
async fn a_report_is_answered_to_its_courier() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let cursor = phone.pull(&bench, "", 500).await.cursor;
    let body = ReportBody {
        report_id: "r-1".into(),
        stop: Some(stops[0].stop_id),
        parcels: vec![stops[0].parcels[0].parcel_id],
        reason: Reason::AccessDenied,
        words: None,
        proofs: vec![],
        owes_photo: false,
        answer_due_ms: NOW_MS,
        fix: None,
    };
    let entry = phone.entry(EntryKind::REPORT, body.encode(), None, vec![]);
    phone
        .push_entries(&bench, &[entry])
        .await
        .receipt(&bench, &phone);
    let answer = async |id: &str, action, words| bench.hub.answer_report(id, action, words).await;
    let second = Some(Action::SecondDelivery);
    for (given, fault) in [
        (answer("r-2", second, None).await, AnswerFault::Unknown),
        (answer("r-1", None, Some("  ")).await, AnswerFault::Empty),
        (
            answer("r-1", Some(Action::Search), None).await,
            AnswerFault::IllegalPair {
                reason: Reason::AccessDenied,
                action: Action::Search,
            },
        ),
    ] {
        assert!(matches!(given, Err(HubError::Answer(f)) if f == fault));
    }
    answer("r-1", second, Some("请联系物业")).await.unwrap();
    let page = phone.pull(&bench, &cursor, 500).await;
    assert_eq!(page.items.len(), 1);
    let FeedContent::ReportAnswer(told) = page.items[0].content().unwrap() else {
        unreachable!();
    };
    assert_eq!(
        (told.report_id.as_str(), told.action, told.words.as_deref()),
        ("r-1", second, Some("请联系物业"))
    );
}

#[tokio::test]
async fn a_new_phone_is_given_no_numbers_of_other_days_and_no_rounds_of_other_months() {
    let bench = Bench::new().await;
    let options = ImportOptions {
        group: Some("single,max=2".parse().unwrap()),
        couriers: vec!["王强".into(), "李娜".into()],
        dry_run: false,
    };
    bench
        .hub
        .import(csv(8).as_bytes(), &mapping(), &options)
        .await
        .unwrap();
    let mut phone = Phone::enrolled(&bench, "王强", 1).await;
    let told = async |phone: &mut Phone| {
        let told = news(&bench, phone).await;
        let routes = told.iter().filter(|c| matches!(c, FeedContent::Route(_)));
        let stops = told.iter().filter(|c| matches!(c, FeedContent::Stop(_)));
        let others = told
            .iter()
            .filter(|c| matches!(c, FeedContent::OtherRound(_)));
        (routes.count(), stops.count(), others.count())
    };
    assert_eq!(told(&mut phone).await, (2, 4, 2));
    // One round is delivered, of the other a parcel is left.
    let mut done = Vec::new();
    for stop in phone.pull_stops(&bench).await.iter().take(3) {
        done.push(phone.delivery(stop, &[]));
    }
    phone
        .push_entries(&bench, &done)
        .await
        .receipt(&bench, &phone);

    let later = async |days: i64| {
        bench.clock.set(NOW_MS + days * 24 * HOUR_MS);
        bench.hub.sweep().await.unwrap();
        told(&mut Phone::enrolled(&bench, "王强", u8::try_from(days).unwrap() + 10).await).await
    };
    assert_eq!(later(1).await, (2, 4, 2));
    assert_eq!(later(4).await, (2, 4, 0));
    assert_eq!(later(29).await, (2, 4, 0));
    assert_eq!(later(32).await, (1, 2, 0), "what is left to do stays");
}
