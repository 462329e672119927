//! The feed: what holds instead of what once held, histories told apart, news without asking again.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "how long a real request took is the machine's time"
)]

mod common;

use common::{Bench, Phone};
use satchel_protocol::api::ErrorCode;
use satchel_protocol::feed::{FeedPage, SnapshotPart, StopItem};
use satchel_protocol::token::{base32, from_base32};

fn stops(page: &FeedPage) -> usize {
    page.items
        .iter()
        .filter(|i| i.kind == StopItem::KIND)
        .count()
}

#[tokio::test]
async fn a_new_phone_reads_a_snapshot_of_what_holds_and_later_only_what_changed() {
    let (bench, mut phone, given) = Bench::with_round(3).await;
    // Each traffic table replaces the one before.
    for speed in [400, 500, 600] {
        let table = format!(r#"{{"utc_offset_min":480,"bands_min":[0],"elsewhere":[{speed}]}}"#);
        bench.hub.set_traffic(table.as_bytes()).await.unwrap();
    }
    let page = phone.pull(&bench, "", 500).await;
    assert_eq!(stops(&page), given.len());
    let tables: Vec<_> = page.items.iter().filter(|i| i.kind == "traffic").collect();
    assert_eq!(tables.len(), 1);
    assert_eq!(tables[0].data["elsewhere"][0], 600);
    let whole = SnapshotPart {
        first: true,
        last: true,
    };
    assert_eq!(page.snapshot, Some(whole));
    let next = phone.pull(&bench, &page.cursor, 500).await;
    assert_eq!((next.items.len(), next.snapshot), (0, None));

    // In pages it says where it begins and where it ends.
    let (mut cursor, mut parts) = (String::new(), Vec::new());
    loop {
        let page = phone.pull(&bench, &cursor, 2).await;
        parts.push(page.snapshot.map(|p| (p.first, p.last)));
        cursor = page.cursor;
        if !page.more {
            break;
        }
    }
    assert_eq!(parts.first(), Some(&Some((true, false))));
    assert_eq!(parts.last(), Some(&Some((false, true))));
    assert!(parts.iter().all(Option::is_some));
}

#[tokio::test]
async fn a_cursor_of_a_history_the_hub_lost_leads_to_a_snapshot_for_everybody() {
    let (bench, mut phone, _) = Bench::with_round(3).await;
    let begun = phone.pull(&bench, "", 1).await;
    let page = phone.pull(&bench, "", 500).await;
    // The hub is set back: the end of the feed is gone.
    let db = common::raw(&bench).await;
    sqlx::query("DELETE FROM feed_item WHERE seq > 2")
        .execute(&db)
        .await
        .unwrap();
    let again = phone.pull(&bench, &page.cursor, 500).await;
    assert!(again.snapshot.unwrap().first);
    assert_eq!(again.items.len(), 2);
    // A place that lies within what is left belongs to the lost history as well.
    let begun = phone.pull(&bench, &begun.cursor, 500).await;
    assert!(begun.snapshot.unwrap().first);
    assert_eq!(begun.items.len(), 2);
    // The new history goes on from its own cursors.
    let next = phone.pull(&bench, &again.cursor, 500).await;
    assert_eq!((next.items.len(), next.snapshot), (0, None));
}

#[tokio::test]
async fn a_place_that_this_hub_did_not_give_to_this_courier_is_refused_and_changes_nothing() {
    let (bench, mut phone, _) = Bench::with_round(3).await;
    let whole = phone.pull(&bench, "", 500).await;
    let mut other = Phone::enrolled(&bench, "another", 9).await;
    let of_other = other.pull(&bench, "", 500).await.cursor;
    let mut bytes = from_base32(&whole.cursor).unwrap();
    bytes[10] = 0x40;
    let far = base32(&bytes);
    for cursor in [
        far,
        of_other,
        base32(&[2; 18]),
        base32(&[0; 16]),
        "zz".into(),
    ] {
        let path = format!("/v1/feed?cursor={cursor}");
        let answer = phone.send(&bench, "GET", &path, &[], vec![]).await;
        assert_eq!(answer.refused(400), ErrorCode::Malformed, "{cursor}");
    }
    // Nobody is told everything anew.
    let next = phone.pull(&bench, &whole.cursor, 500).await;
    assert_eq!((next.items.len(), next.snapshot), (0, None));
}

#[tokio::test]
async fn a_request_that_may_wait_is_answered_at_once_when_there_is_news_and_late_when_there_is_none()
 {
    let (bench, mut phone, _) = Bench::with_round(1).await;
    let page = phone.pull(&bench, "", 500).await;
    let ask = |cursor: &str| format!("/v1/feed?cursor={cursor}&wait=1");
    let begun = std::time::Instant::now();
    let news = phone.send(&bench, "GET", &ask(""), &[], vec![]).await;
    assert!(news.text().contains("\"stop\""));
    assert!(begun.elapsed() < std::time::Duration::from_millis(900));
    let path = ask(&page.cursor);
    let none = phone.send(&bench, "GET", &path, &[], vec![]).await;
    assert!(none.text().contains("\"items\":[]"));
    assert!(begun.elapsed() >= std::time::Duration::from_secs(1));
}

#[tokio::test]
async fn a_courier_for_whom_there_is_nothing_waits_for_what_comes_and_is_not_told_it_all_anew() {
    let bench = Bench::new().await;
    let mut phone = Phone::enrolled(&bench, "Zhou", 7).await;
    let empty = phone.pull(&bench, "", 500).await;
    let told = (empty.items.len(), empty.snapshot.map(|p| (p.first, p.last)));
    assert_eq!(told, (0, Some((true, true))));
    let begun = std::time::Instant::now();
    let path = format!("/v1/feed?cursor={}&wait=1", empty.cursor);
    let none = phone.send(&bench, "GET", &path, &[], vec![]).await;
    assert!(begun.elapsed() >= std::time::Duration::from_secs(1));
    let page: FeedPage = serde_json::from_str(&none.text()).unwrap();
    assert_eq!((page.items.len(), page.snapshot), (0, None));
    // The first that comes is news, not another history.
    bench.import(2, &["Zhou"]).await;
    let page = phone.pull(&bench, &page.cursor, 500).await;
    assert_eq!((stops(&page), page.snapshot), (2, None));
}
