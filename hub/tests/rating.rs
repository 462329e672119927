//! The feed and the customer's rating: the QR that works before anything was synced.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use std::collections::HashSet;

use common::{Answer, Bench, HOUR_MS, Phone, rating_path};
use satchel_protocol::api::ErrorCode;
use satchel_protocol::feed::{FeedContent, RatingItem};
use satchel_protocol::token::{base32, from_base32};

const GOOD: &str = "stars=5&timeliness=4&attitude=5&tag_polite=1&tag_to_address=1&comment=thanks";

async fn ratings(bench: &Bench, phone: &mut Phone) -> Vec<RatingItem> {
    let page = phone.pull(bench, "", 500).await;
    page.items
        .iter()
        .filter_map(|item| match item.content().unwrap() {
            FeedContent::Rating(rating) => Some(rating),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn the_feed_pages_through_route_and_stops_with_a_key_per_device() {
    let (bench, mut phone, stops) = Bench::with_round(5).await;
    let mut cursor = String::new();
    let mut seqs = Vec::new();
    let mut kinds = Vec::new();
    loop {
        let page = phone.pull(&bench, &cursor, 2).await;
        assert!(page.items.len() <= 2);
        seqs.extend(page.items.iter().map(|i| i.seq));
        kinds.extend(page.items.iter().map(|i| i.kind.clone()));
        cursor = page.cursor;
        if !page.more {
            break;
        }
    }
    assert_eq!(seqs, [1, 2, 3, 4, 5, 6]);
    assert_eq!(kinds, ["route", "stop", "stop", "stop", "stop", "stop"]);
    // Nothing new: the cursor stays.
    let empty = phone.pull(&bench, &cursor, 2).await;
    assert_eq!((empty.items.len(), empty.cursor == cursor), (0, true));
    for bad in ["cursor=nonsense", "limit=many", "limit=-1"] {
        let path = format!("/v1/feed?{bad}");
        let answer = phone.send(&bench, "GET", &path, &[], vec![]).await;
        assert_eq!(answer.refused(400), ErrorCode::Malformed, "{bad}");
    }
    let gzip = [("accept-encoding", "gzip")];
    let small = phone.send(&bench, "GET", "/v1/feed", &gzip, vec![]).await;
    assert_eq!(small.header("content-encoding"), "gzip");
    let zstd = [("accept-encoding", "gzip, zstd")];
    let packed = phone.send(&bench, "GET", "/v1/feed", &zstd, vec![]).await;
    assert_eq!(packed.header("content-encoding"), "zstd");
    let json = satchel_protocol::packed::unpack(&packed.body, 1 << 20).unwrap();
    let page: satchel_protocol::feed::FeedPage = serde_json::from_slice(&json).unwrap();
    assert_eq!(page.items.len(), 6);
    assert!(packed.body.len() * 2 < json.len());

    // The same courier's second phone gets other keys for the same parcels; another courier nothing.
    let mut second = Phone::enrolled(&bench, "王强", 2).await;
    let theirs = second.pull_stops(&bench).await;
    let keys: HashSet<_> = stops
        .iter()
        .chain(&theirs)
        .map(|s| s.parcels[0].rating_key)
        .collect();
    assert_eq!(keys.len(), 10);
    let handles: HashSet<_> = stops.iter().map(|s| s.parcels[0].handle).collect();
    assert_eq!(handles.len(), 5);
    let mut stranger = Phone::enrolled(&bench, "李娜", 3).await;
    assert!(stranger.pull(&bench, "", 500).await.items.is_empty());
}

#[tokio::test]
async fn a_rating_before_the_attempt_is_pending_and_bound_when_it_arrives() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    // The phone is offline: nothing of this has reached the hub.
    let entry = phone.delivery(&stops[0], &[]);
    let path = rating_path(&stops[0].parcels[0], &entry.hash());

    let page = bench
        .get(&path, &[("accept-language", "zh-CN,zh;q=0.9")])
        .await;
    assert_eq!(page.status, 200);
    let html = page.text();
    assert!(html.contains("评价本次派送") && html.contains("王师傅") && html.contains("0000"));
    assert!(!html.contains("王强") && !html.contains("WB0000") && !html.contains("张小"));
    assert!(!html.contains("<script") && page.body.len() < 30 * 1024);

    let posted = bench.post_form(&path, GOOD, &[]).await;
    assert_eq!(posted.status, 303);
    assert!(posted.header("location").starts_with("/thanks/"));
    assert!(posted.header("location").ends_with("?lang=zh-CN"));
    let thanks = bench.get(posted.header("location"), &[]).await;
    assert!(thanks.text().contains("感谢评价"));

    let waiting = ratings(&bench, &mut phone).await;
    assert_eq!(waiting.len(), 1);
    assert!(!waiting[0].bound);
    assert_eq!(
        (
            waiting[0].stars,
            waiting[0].timeliness,
            waiting[0].information
        ),
        (5, Some(4), None)
    );
    assert_eq!(waiting[0].tags, ["polite", "to_address"]);
    assert!(
        bench
            .board("/board/ratings")
            .await
            .contains("waiting for the attempt")
    );

    phone
        .push_entries(&bench, &[entry])
        .await
        .receipt(&bench, &phone);
    let bound = ratings(&bench, &mut phone).await;
    assert_eq!(bound.len(), 2);
    assert_eq!(
        bound[1],
        RatingItem {
            bound: true,
            ..waiting[0].clone()
        }
    );
    let board = bench.board("/board/ratings").await;
    assert!(board.contains("bound to the attempt") && !board.contains("waiting for the attempt"));
}

#[tokio::test]
async fn a_rating_after_the_attempt_is_bound_at_once_in_either_case_of_the_token() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let entry = phone.delivery(&stops[0], &[]);
    let path = rating_path(&stops[0].parcels[0], &entry.hash());
    phone
        .push_entries(&bench, &[entry])
        .await
        .receipt(&bench, &phone);
    let posted = bench.post_form(&path.to_lowercase(), "stars=4", &[]).await;
    assert_eq!(posted.status, 303);
    assert!(ratings(&bench, &mut phone).await[0].bound);
}

/// What a customer can tell apart.
fn seen(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (answer.status.as_u16(), headers, answer.text())
}

#[tokio::test]
async fn unknown_forged_used_expired_and_no_tokens_all_look_the_same() {
    let (bench, mut phone, stops) = Bench::with_round(3).await;
    let entries: Vec<_> = stops.iter().map(|s| phone.delivery(s, &[])).collect();
    let path = |i: usize| rating_path(&stops[i].parcels[0], &entries[i].hash());

    let used = path(0);
    assert_eq!(bench.post_form(&used, GOOD, &[]).await.status, 303);
    // One bit of the tag, and another parcel's handle under this tag.
    let mut bytes = from_base32(&path(1)[1..]).unwrap();
    bytes[36] ^= 1;
    let forged = format!("/{}", base32(&bytes));
    let mut bytes = from_base32(&path(1)[1..]).unwrap();
    bytes[1..9].copy_from_slice(&stops[2].parcels[0].handle.0);
    let moved = format!("/{}", base32(&bytes));
    bytes[1..9].copy_from_slice(&[0xee; 8]);
    let unknown = format!("/{}", base32(&bytes));
    let expired = path(2);
    assert_eq!(bench.get(&expired, &[]).await.status, 200);
    bench.clock.advance(72 * HOUR_MS + 1);

    let reference = seen(&bench.get(&used, &[]).await);
    assert_eq!(reference.0, 404);
    for path in [
        &forged,
        &moved,
        &unknown,
        &expired,
        "/hello",
        "/favicon.ico",
    ] {
        assert_eq!(seen(&bench.get(path, &[]).await), reference, "{path}");
        assert_eq!(
            seen(&bench.post_form(path, GOOD, &[]).await),
            reference,
            "{path}"
        );
    }
    assert_eq!(
        seen(&bench.post_form(&used, "stars=1", &[]).await),
        reference
    );
    assert_eq!(bench.hub.audit().await.unwrap().ratings.len(), 1);
    // A token nobody has seen yet is still good: its time has not begun.
    assert_eq!(bench.get(&path(1), &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_posts_at_once_give_one_rating() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let entry = phone.delivery(&stops[0], &[]);
    let path = rating_path(&stops[0].parcels[0], &entry.hash());
    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..200 {
        let (router, path) = (bench.hub.router(), path.clone());
        tasks.spawn(async move {
            let request = axum::http::Request::post(path)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(axum::body::Body::from(format!("stars={}", i % 5 + 1)))
                .unwrap();
            tower::ServiceExt::oneshot(router, request)
                .await
                .unwrap()
                .status()
                .as_u16()
        });
    }
    let mut statuses = tasks.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 303);
    assert!(statuses[1..].iter().all(|s| *s == 404));
    assert_eq!(bench.hub.audit().await.unwrap().ratings.len(), 1);
    assert_eq!(ratings(&bench, &mut phone).await.len(), 1);
}

#[tokio::test]
async fn what_a_customer_writes_is_shown_as_text() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let entry = phone.delivery(&stops[0], &[]);
    let path = rating_path(&stops[0].parcels[0], &entry.hash());
    let nasty = "%3Cscript%3Ealert(1)%3C%2Fscript%3E%22%3E%3Cimg+src%3Dx%3E%0D%0Aline+two";
    // Shown back in the form when the stars are missing…
    let again = bench
        .post_form(&path, &format!("comment={nasty}"), &[])
        .await;
    assert_eq!(again.status, 422);
    assert!(!again.text().contains("<script>") && again.text().contains("script"));
    assert!(again.text().contains("role=\"alert\""));
    // … and on the board.
    assert_eq!(
        bench
            .post_form(&path, &format!("stars=1&comment={nasty}"), &[])
            .await
            .status,
        303
    );
    let board = bench.board("/board/ratings").await;
    assert!(!board.contains("<script>") && !board.contains("<img src=x"));
    assert!(board.contains("alert(1)") && board.contains("line two"));
    let comment = ratings(&bench, &mut phone).await[0]
        .comment
        .clone()
        .unwrap();
    assert_eq!(comment, "<script>alert(1)</script>\"><img src=x>\nline two");
}

#[tokio::test]
async fn a_low_rating_is_flagged_and_offers_the_complaint_channel() {
    let (bench, mut phone, stops) = Bench::with_round(2).await;
    for (stop, stars) in stops.iter().zip([2, 3]) {
        let entry = phone.delivery(stop, &[]);
        let path = rating_path(&stop.parcels[0], &entry.hash());
        let page = bench.get(&path, &[("accept-language", "en")]).await.text();
        // One tap to the complaint page.
        assert!(page.contains("href=\"/help?lang=en\""));
        let posted = bench
            .post_form(&format!("{path}?lang=en"), &format!("stars={stars}"), &[])
            .await;
        let thanks = bench.get(posted.header("location"), &[]).await.text();
        assert_eq!(thanks.contains("12305"), stars <= 2);
    }
    let board = bench.board("/board/ratings").await;
    assert_eq!(board.matches("follow up").count(), 1);
    assert!(
        bench
            .get("/help?lang=en", &[])
            .await
            .text()
            .contains("12305")
    );
}

#[tokio::test]
async fn forms_sent_by_other_sites_and_impossible_answers_are_not_taken() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let entry = phone.delivery(&stops[0], &[]);
    let path = rating_path(&stops[0].parcels[0], &entry.hash());
    for header in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ] {
        assert_eq!(bench.post_form(&path, GOOD, &[header]).await.status, 404);
    }
    for form in [
        "",
        "stars=0",
        "stars=6",
        "stars=4.5",
        "stars=-1",
        "stars=%00",
        "=&=&",
    ] {
        assert_eq!(
            bench.post_form(&path, form, &[]).await.status,
            422,
            "{form}"
        );
    }
    let huge = format!("stars=5&comment={}", "x".repeat(100_000));
    assert_eq!(bench.post_form(&path, &huge, &[]).await.status, 422);
    let long = format!("stars=5&comment={}", "x".repeat(2_001));
    assert_eq!(bench.post_form(&path, &long, &[]).await.status, 422);
    // A browser behind `no-referrer` sends `Origin: null` from our own page.
    let own = [("origin", "null"), ("sec-fetch-site", "same-origin")];
    assert_eq!(bench.post_form(&path, GOOD, &own).await.status, 303);
}

#[tokio::test]
async fn pages_are_private_and_run_nothing() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let entry = phone.delivery(&stops[0], &[]);
    let page = bench
        .get(&rating_path(&stops[0].parcels[0], &entry.hash()), &[])
        .await;
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
    assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"));
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("cache-control"), "no-store");
    // The style in the page is the one the policy lets in.
    let html = page.text();
    let style = html
        .split("<style>")
        .nth(1)
        .unwrap()
        .split("</style>")
        .next()
        .unwrap();
    let hash = data_encoding::BASE64.encode(&common::sha(style.as_bytes()).0);
    assert!(policy.contains(&hash));
    // Every input is reachable with a label for a screen reader.
    let inputs = html.matches("type=\"radio\"").count();
    assert_eq!((inputs, html.matches("aria-label=").count()), (20, 20));
    assert_eq!(html.matches("<legend>").count(), 6);
}

#[tokio::test]
async fn a_revoked_phone_s_unreported_token_rates_nothing() {
    let (bench, mut phone, stops) = Bench::with_round(2).await;
    let entries: Vec<_> = stops.iter().map(|s| phone.delivery(s, &[])).collect();
    phone
        .push_entries(&bench, &entries[..1])
        .await
        .receipt(&bench, &phone);
    bench.hub.revoke(phone.device).await.unwrap();
    let path = |i: usize| rating_path(&stops[i].parcels[0], &entries[i].hash());
    assert_eq!(bench.get(&path(0), &[]).await.status, 200);
    assert_eq!(bench.get(&path(1), &[]).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn however_many_post_one_token_at_once_there_is_one_rating() {
    // 100,000 by flag; a thousand in every run.
    let posts: usize = std::env::var("SATCHEL_REPLAYS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1_000);
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let entry = phone.delivery(&stops[0], &[]);
    let path = rating_path(&stops[0].parcels[0], &entry.hash());
    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..posts {
        let (router, path) = (bench.hub.router(), path.clone());
        tasks.spawn(async move {
            let request = axum::http::Request::post(path)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(axum::body::Body::from(format!("stars={}", i % 5 + 1)))
                .unwrap();
            tower::ServiceExt::oneshot(router, request)
                .await
                .unwrap()
                .status()
                .as_u16()
        });
    }
    let statuses = tasks.join_all().await;
    assert_eq!(statuses.iter().filter(|s| **s == 303).count(), 1);
    assert_eq!(statuses.iter().filter(|s| **s == 404).count(), posts - 1);
    assert_eq!(bench.hub.audit().await.unwrap().ratings.len(), 1);
    assert_eq!(ratings(&bench, &mut phone).await.len(), 1);
    assert_eq!(bench.hub.check_journal().await.unwrap().broken_at, None);
}

#[tokio::test]
async fn a_phone_three_hours_off_shows_a_good_token_and_the_limit_runs_on_the_hub_s_clock() {
    for hours in [-3, 3] {
        let (bench, mut phone, stops) = Bench::with_round(1).await;
        // The phone's clock stands wrong by hours; its token carries no time at all.
        phone.minutes_later = hours * 60;
        let entry = phone.delivery(&stops[0], &[]);
        let path = rating_path(&stops[0].parcels[0], &entry.hash());
        assert_eq!(bench.get(&path, &[]).await.status, 200);
        bench.clock.advance(71 * HOUR_MS);
        phone
            .push_entries(&bench, &[entry])
            .await
            .receipt(&bench, &phone);
        assert_eq!(bench.post_form(&path, "stars=5", &[]).await.status, 303);
        assert!(ratings(&bench, &mut phone).await[0].bound);
        assert_eq!(bench.hub.review_ratings().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn one_address_that_guesses_is_slowed_down_and_its_good_token_still_opens() {
    use axum::extract::ConnectInfo;
    use std::net::SocketAddr;

    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let entry = phone.delivery(&stops[0], &[]);
    let good = rating_path(&stops[0].parcels[0], &entry.hash());
    let ask = |path: String, ip: [u8; 4]| {
        let bench = &bench;
        async move {
            let mut request = axum::http::Request::get(path)
                .body(axum::body::Body::empty())
                .unwrap();
            request
                .extensions_mut()
                .insert(ConnectInfo(SocketAddr::from((ip, 1_000))));
            bench.send(request).await.status.as_u16()
        }
    };
    let mut seen = Vec::new();
    for i in 0..70 {
        seen.push(ask(format!("/{i:060}"), [9, 9, 9, 9]).await);
    }
    assert_eq!(
        (seen[0], seen[59], seen[60], seen[69]),
        (404, 404, 429, 429)
    );
    assert_eq!(ask(good, [9, 9, 9, 9]).await, 200);
    assert_eq!(ask("/guess".into(), [8, 8, 8, 8]).await, 404);
}

#[tokio::test]
async fn a_scan_while_the_hub_is_down_costs_nothing_of_the_code() {
    // What the proxy shows then: both languages, and nothing that would have to be fetched.
    let page = satchel_hub::down_page();
    assert!(page.contains("二维码和链接仍然有效") && page.contains("links stay valid"));
    assert!(page.contains("lang=\"en\"") && page.len() < 10 * 1_024);
    for part in ["<script", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(part), "{part}");
    }
    // The code was shown, scanned into silence, and is scanned again five days later: its time begins now.
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let entry = phone.delivery(&stops[0], &[]);
    let path = rating_path(&stops[0].parcels[0], &entry.hash());
    bench.clock.advance(5 * 24 * HOUR_MS);
    assert_eq!(bench.get(&path, &[]).await.status, 200);
    bench.clock.advance(71 * HOUR_MS);
    assert_eq!(bench.post_form(&path, GOOD, &[]).await.status, 303);
}
