//! Consents at the hub: who hears of them, and what is none.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use common::{Bench, HOUR_MS, NOW_MS, Phone};
use satchel_hub::{ConsentFault, HubError};
use satchel_protocol::doorstep::{ConsentEvidence, ConsentRecord};
use satchel_protocol::feed::FeedContent;
use satchel_protocol::ids::ParcelId;
use satchel_protocol::taxonomy::{ConsentOrigin, Giver, HandoffKind};
use uuid::Uuid;

fn consent(id: &str, parcels: Vec<ParcelId>) -> ConsentRecord {
    ConsentRecord {
        consent_id: id.into(),
        giver: Giver::Recipient,
        origin: ConsentOrigin::HubPage,
        scope: vec![HandoffKind::Locker],
        parcels,
        named_person: None,
        place: Some("3 号柜".into()),
        evidence: ConsentEvidence::Page {
            reference: "page/1".into(),
        },
        given_at_ms: NOW_MS,
        expires_at_ms: None,
        withdrawn_at_ms: None,
    }
}

#[tokio::test]
async fn a_consent_and_its_withdrawal_reach_the_courier_once_and_nobody_else() {
    let (bench, mut phone, stops) = Bench::with_round(2).await;
    let mut other = Phone::enrolled(&bench, "李娜", 2).await;
    let cursor = phone.pull(&bench, "", 500).await.cursor;
    let given = consent("c-1", vec![stops[0].parcels[0].parcel_id]);
    bench.hub.record_consent(&given).await.unwrap();
    bench.hub.record_consent(&given).await.unwrap();
    bench.clock.advance(HOUR_MS);
    bench.hub.withdraw_consent("c-1").await.unwrap();
    bench.hub.withdraw_consent("c-1").await.unwrap();
    // Sent again after it was withdrawn, it stays withdrawn.
    bench.hub.record_consent(&given).await.unwrap();

    let page = phone.pull(&bench, &cursor, 500).await;
    let news: Vec<_> = page.items.iter().map(|i| i.content().unwrap()).collect();
    assert_eq!(news.len(), 2);
    assert_eq!(news[0], FeedContent::Consent(Box::new(given)));
    let FeedContent::ConsentWithdrawn(end) = &news[1] else {
        unreachable!("{news:?}");
    };
    assert_eq!(
        (end.consent_id.as_str(), end.withdrawn_at_ms),
        ("c-1", NOW_MS + HOUR_MS)
    );
    assert!(other.pull(&bench, "", 500).await.items.is_empty());
}

#[tokio::test]
async fn what_is_no_consent_is_refused_by_name() {
    let (bench, _, stops) = Bench::with_round(1).await;
    let known = stops[0].parcels[0].parcel_id;
    let refused = async |record: ConsentRecord| match bench.hub.record_consent(&record).await {
        Err(HubError::Consent(fault)) => fault,
        other => unreachable!("{other:?}"),
    };
    let good = consent("c-1", vec![known]);
    let spoilt = |spoil: fn(&mut ConsentRecord)| {
        let mut record = good.clone();
        spoil(&mut record);
        record
    };
    for (record, fault) in [
        (spoilt(|c| c.consent_id.clear()), ConsentFault::Id),
        (
            spoilt(|c| c.scope = vec![HandoffKind::Recipient]),
            ConsentFault::EmptyScope,
        ),
        (
            spoilt(|c| c.scope = vec![HandoffKind::NamedProxy]),
            ConsentFault::NobodyNamed,
        ),
        (spoilt(|c| c.parcels.clear()), ConsentFault::NoParcel),
        (
            spoilt(|c| c.expires_at_ms = Some(NOW_MS)),
            ConsentFault::EndsBeforeItBegins,
        ),
        (
            spoilt(|c| c.parcels = vec![ParcelId(Uuid::nil())]),
            ConsentFault::UnknownParcel,
        ),
    ] {
        assert_eq!(refused(record).await, fault);
    }
    bench.hub.record_consent(&good).await.unwrap();
    assert_eq!(
        refused(spoilt(|c| c.place = None)).await,
        ConsentFault::IdTaken
    );
    assert!(matches!(
        bench.hub.withdraw_consent("c-2").await,
        Err(HubError::Consent(ConsentFault::Unknown))
    ));
}

#[tokio::test]
async fn a_stop_that_is_sent_again_brings_the_consents_given_since() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let parcel = stops[0].parcels[0].parcel_id;
    let given = consent("c-1", vec![parcel]);
    bench.hub.record_consent(&given).await.unwrap();
    // A second parcel for the same person at the same door.
    let more = format!(
        "{}WB9999,37.5000,121.4,08-14 08:30:00,烟台市芝罘区南大街0号3单元502室,张小0,13800000000\n",
        common::csv(1)
    );
    let options = satchel_hub::ImportOptions {
        couriers: vec!["王强".into()],
        ..Default::default()
    };
    bench
        .hub
        .import(more.as_bytes(), &common::mapping(), &options)
        .await
        .unwrap();
    let again = phone.pull_stops(&bench).await;
    let whole = again.last().unwrap();
    assert_eq!(whole.parcels.len(), 2);
    let told = whole.parcels.iter().find(|p| p.parcel_id == parcel);
    assert_eq!(told.unwrap().consents, [given]);
}
