//! The customer's side: the share that makes a rating count, cases, tracking, choices.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use axum::body::Body;
use axum::http::Request;
use common::{Answer, Bench, HOUR_MS, PUBLIC_URL, Phone, rating_path};
use satchel_protocol::appeal::AppealBody;
use satchel_protocol::entry::SignedEntry;
use satchel_protocol::feed::{FeedContent, RatingItem, StopItem};
use satchel_protocol::taxonomy::{HandoffKind, Outcome};
use satchel_protocol::transitions::EventKind;

async fn feed(bench: &Bench, phone: &mut Phone) -> Vec<FeedContent> {
    let page = phone.pull(bench, "", 500).await;
    page.items.iter().map(|i| i.content().unwrap()).collect()
}

async fn ratings(bench: &Bench, phone: &mut Phone) -> Vec<RatingItem> {
    let all = feed(bench, phone).await;
    all.into_iter()
        .filter_map(|c| match c {
            FeedContent::Rating(r) => Some(r),
            _ => None,
        })
        .collect()
}

/// The private path and the code of a parcel, as the message to its customer has them.
async fn share(bench: &Bench, waybill: &str) -> (String, String) {
    let links = bench.hub.customer_links(Some(waybill)).await.unwrap();
    let path = links[0].url.strip_prefix(PUBLIC_URL).unwrap().to_owned();
    (path, links[0].rating_code.clone())
}

fn cookie(answer: &Answer, name: &str) -> Option<String> {
    answer
        .headers
        .get_all("set-cookie")
        .iter()
        .filter_map(|v| v.to_str().ok())
        .find(|v| v.starts_with(&format!("{name}=")))
        .map(|v| v.split(';').next().unwrap().to_owned())
}

/// The English page that an answer leads to.
async fn follow(bench: &Bench, answer: &Answer) -> String {
    let path = answer.header("location").replace("lang=zh-CN", "lang=en");
    bench.get(&path, &[]).await.text()
}

/// What stands in a hidden field.
fn hidden(html: &str, name: &str) -> String {
    let after = html.split(&format!("name=\"{name}\" value=\"")).nth(1);
    after.unwrap().split('"').next().unwrap().to_owned()
}

fn multipart(fields: &[(&str, &str)], file: Option<&[u8]>) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend_from_slice(
            format!("--BB\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                .as_bytes(),
        );
    }
    if let Some(bytes) = file {
        body.extend_from_slice(
            b"--BB\r\nContent-Disposition: form-data; name=\"photos\"; filename=\"a.jpg\"\r\n\
              Content-Type: image/jpeg\r\n\r\n",
        );
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--BB--\r\n");
    ("multipart/form-data; boundary=BB".to_owned(), body)
}

async fn post_multipart(
    bench: &Bench,
    path: &str,
    fields: &[(&str, &str)],
    file: Option<&[u8]>,
) -> Answer {
    let (kind, body) = multipart(fields, file);
    let request = Request::post(path)
        .header("content-type", kind)
        .body(Body::from(body))
        .unwrap();
    bench.send(request).await
}

/// Files among the proofs.
fn pictures(bench: &Bench) -> usize {
    let folders = std::fs::read_dir(bench.dir.path().join("proofs")).unwrap();
    let files = folders.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count());
    files.sum()
}

fn jpeg() -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(64, 48, image::Rgb([120, 60, 30]))
        .write_to(&mut out, image::ImageFormat::Jpeg)
        .unwrap();
    out.into_inner()
}

async fn delivered(bench: &Bench, phone: &mut Phone, stop: &StopItem) -> (SignedEntry, String) {
    let entry = phone.delivery(stop, &[]);
    phone
        .push_entries(bench, std::slice::from_ref(&entry))
        .await
        .receipt(bench, phone);
    let path = rating_path(&stop.parcels[0], &entry.hash());
    (entry, path)
}

#[tokio::test]
async fn the_qr_alone_is_shown_and_the_customer_s_share_makes_it_count() {
    let (bench, mut phone, stops) = Bench::with_round(3).await;
    // Alone.
    let (_, alone) = delivered(&bench, &mut phone, &stops[0]).await;
    bench.post_form(&alone, "stars=5", &[]).await;
    // With the code.
    let (_, coded) = delivered(&bench, &mut phone, &stops[1]).await;
    let (_, code) = share(&bench, "WB0001").await;
    let posted = bench
        .post_form(
            &coded,
            &format!("stars=4&code={}+{}", &code[..3], &code[3..]),
            &[],
        )
        .await;
    assert_eq!(posted.status, 303);
    assert!(
        follow(&bench, &posted)
            .await
            .contains("counts for the courier")
    );
    // With the session that the private link opened.
    let (_, held) = delivered(&bench, &mut phone, &stops[2]).await;
    let (link, _) = share(&bench, "WB0002").await;
    let tracked = bench.get(&link, &[]).await;
    assert_eq!(tracked.status, 200);
    let session = cookie(&tracked, "satchel_me").unwrap();
    let page = bench
        .get(&held, &[("cookie", &session), ("accept-language", "en")])
        .await;
    assert!(
        page.text().contains("your rating will count") && !page.text().contains("name=\"code\"")
    );
    let posted = bench
        .post_form(&held, "stars=3", &[("cookie", &session)])
        .await;
    assert_eq!(posted.status, 303);

    let classes: Vec<_> = ratings(&bench, &mut phone)
        .await
        .into_iter()
        .map(|r| r.class)
        .collect();
    assert_eq!(classes, ["present", "verified", "verified"]);
    // A session of another parcel is no share of this one.
    let again = bench.get(&alone, &[("cookie", &session)]).await;
    assert_eq!(again.status, 404);
    let check = bench.hub.check_journal().await.unwrap();
    assert_eq!((check.records, check.broken_at), (4, None));
}

#[tokio::test]
async fn the_holder_replaces_a_scanned_only_rating_once_and_may_change_his_own_for_a_day() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let (_, path) = delivered(&bench, &mut phone, &stops[0]).await;
    bench.post_form(&path, "stars=5", &[]).await;
    let (link, _) = share(&bench, "WB0000").await;
    let session = cookie(&bench.get(&link, &[]).await, "satchel_me").unwrap();
    let held = [("cookie", session.as_str())];
    // The courier gave himself five; the customer sees it and says two.
    let page = bench.get(&path, &held).await;
    assert_eq!(page.status, 200);
    assert_eq!(bench.post_form(&path, "stars=2", &held).await.status, 303);
    assert_eq!(bench.post_form(&path, "stars=3", &held).await.status, 303);
    bench.clock.advance(24 * HOUR_MS + 1);
    assert_eq!(bench.post_form(&path, "stars=1", &held).await.status, 404);
    let all = ratings(&bench, &mut phone).await;
    let seen: Vec<_> = all.iter().map(|r| (r.stars, r.class.as_str())).collect();
    assert_eq!(seen, [(5, "present"), (2, "verified"), (3, "verified")]);
    let audit = bench.hub.audit().await.unwrap();
    assert_eq!(
        audit.ratings.iter().map(|r| r.stars).collect::<Vec<_>>(),
        [3]
    );
}

#[tokio::test]
async fn five_wrong_codes_and_the_right_one_is_dead_too() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let (_, path) = delivered(&bench, &mut phone, &stops[0]).await;
    let (_, code) = share(&bench, "WB0000").await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        let answer = bench
            .post_form(&path, &format!("stars=5&code={wrong}"), &[])
            .await;
        assert_eq!(answer.status, 422);
    }
    let answer = bench
        .post_form(&path, &format!("stars=5&code={code}"), &[])
        .await;
    assert_eq!(answer.status, 422);
    // Nor does it open the tracking page.
    let form = format!("waybill=WB0000&code={code}");
    assert_eq!(bench.post_form("/track", &form, &[]).await.status, 422);
    // Without a code the rating is taken as what it is, and set aside for the tries.
    assert_eq!(bench.post_form(&path, "stars=5", &[]).await.status, 303);
    // The clock of this test stands still: "scanned the moment it was shown" is true as well.
    assert_eq!(bench.hub.review_ratings().await.unwrap(), 2);
    let last = ratings(&bench, &mut phone).await.pop().unwrap();
    assert_eq!(last.class, "flagged");
    assert!(last.flags.contains(&"wrong_codes".to_owned()));
}

#[tokio::test]
async fn a_flag_is_lifted_and_words_are_hidden_only_with_a_reason_and_on_record() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let (_, path) = delivered(&bench, &mut phone, &stops[0]).await;
    for _ in 0..3 {
        bench.post_form(&path, "stars=5&code=12", &[]).await;
    }
    bench
        .post_form(&path, "stars=1&comment=rude+words", &[])
        .await;
    bench.hub.review_ratings().await.unwrap();
    assert!(bench.hub.lift_flags(1, " ").await.is_err());
    bench.hub.lift_flags(1, "customer mistyped").await.unwrap();
    assert!(bench.hub.lift_flags(1, "again").await.is_err());
    // Judged again, it stays lifted.
    assert_eq!(bench.hub.review_ratings().await.unwrap(), 0);
    bench.hub.hide_rating(1, "insults").await.unwrap();
    assert!(bench.hub.hide_rating(1, "twice").await.is_err());
    assert!(bench.hub.hide_rating(99, "unknown").await.is_err());
    let last = ratings(&bench, &mut phone).await.pop().unwrap();
    assert_eq!(last.class, "present");
    assert_eq!(
        (last.stars, last.comment, last.hidden.as_deref()),
        (1, None, Some("insults"))
    );
    // The auditor reads both.
    let board = bench.board("/board/ratings").await;
    assert!(board.contains("rude words") && board.contains("insults"));
    // Shown again, with a reason, and hidden once more: each is on record, none is taken out.
    assert!(bench.hub.show_rating(1, "").await.is_err());
    bench.hub.show_rating(1, "no insult in it").await.unwrap();
    assert!(bench.hub.show_rating(1, "twice").await.is_err());
    let again = ratings(&bench, &mut phone).await.pop().unwrap();
    assert_eq!(
        (again.comment.as_deref(), again.hidden),
        (Some("rude words"), None)
    );
    let cookie = bench.board_cookie().await;
    let form = "do=hide&why=names+a+neighbour";
    let hidden = bench
        .post_form("/board/ratings/1", form, &[("cookie", &cookie)])
        .await;
    assert_eq!(hidden.status, 303);
    let last = ratings(&bench, &mut phone).await.pop().unwrap();
    assert_eq!(last.hidden.as_deref(), Some("names a neighbour"));
    assert_eq!(bench.hub.check_journal().await.unwrap().broken_at, None);
}

#[tokio::test]
async fn few_stars_open_a_case_and_the_complaint_is_one_tap_away() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let (_, path) = delivered(&bench, &mut phone, &stops[0]).await;
    let posted = bench
        .post_form(
            &format!("{path}?lang=en"),
            "stars=1&timeliness=1&attitude=5&comment=three+hours+late",
            &[],
        )
        .await;
    let thanks_path = posted.header("location").to_owned();
    let thanks = bench.get(&thanks_path, &[]).await.text();
    // Level 2 by its lowest item: respond in 4 h, progress in 12 h, closed in 24 h.
    assert!(thanks.contains("Case number") && thanks.contains("260814-"));
    assert!(
        thanks.contains("08-14 16:00")
            && thanks.contains("08-15 00:00")
            && thanks.contains("08-15 12:00")
    );
    assert!(thanks.contains("value=\"late\" checked") && thanks.contains("three hours late"));

    let complaint = [
        ("reason", "damaged"),
        ("words", "and the box was open"),
        ("channel", "phone"),
    ];
    let bad = post_multipart(&bench, &thanks_path, &complaint, Some(b"<svg>no</svg>")).await;
    assert_eq!(bad.status, 422);
    assert!(bad.text().contains("not a usable photo"));
    let wordless = [("reason", "damaged"), ("words", " ")];
    let refused = post_multipart(&bench, &thanks_path, &wordless, Some(&jpeg())).await;
    assert_eq!(refused.status, 422);
    assert_eq!(pictures(&bench), 0, "nothing of a refused form is kept");
    let sent = post_multipart(&bench, &thanks_path, &complaint, Some(&jpeg())).await;
    assert_eq!(sent.status, 303);
    assert_eq!(pictures(&bench), 1);
    let case_path = sent.header("location").to_owned();
    let case = bench.get(&case_path, &[]).await.text();
    // Damage is level 1: contact within 2 h of the first word, solution within 24 h.
    assert!(case.contains("Damaged") && case.contains("1 (loss, damage)"));
    assert!(case.contains("08-14 14:00") && case.contains("Photo received"));
    assert!(!case.contains("/board/care"));

    // The people at the hub see all of it and answer; the customer sees the answer.
    bench.clock.advance(HOUR_MS);
    let cookie = bench.board_cookie().await;
    let board = bench
        .get("/board/cases?lang=en", &[("cookie", &cookie)])
        .await
        .text();
    assert!(board.contains("and the box was open") && board.contains("/board/care/"));
    let work = "kind=contacted&words=We+called+you";
    let done = bench
        .post_form("/board/cases/1", work, &[("cookie", &cookie)])
        .await;
    assert_eq!(done.status, 303);
    assert_eq!(
        bench.post_form("/board/cases/1", work, &[]).await.status,
        401
    );
    let case = bench.get(&case_path, &[]).await.text();
    assert!(case.contains("We called you") && case.contains(">done<"));
    // Another link opens nothing.
    assert_eq!(
        bench
            .get("/c/00000000000000000000000000000000000000", &[])
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn tracking_needs_the_share_shows_what_the_law_asks_for_and_no_more() {
    let (bench, mut phone, stops) = Bench::with_round(2).await;
    let (link, code) = share(&bench, "WB0001").await;
    let english = [("accept-language", "en")];
    let html = bench.get(&link, &english).await.text();
    for part in [
        "Same city",
        "into your hands",
        "inspected and signed",
        "12305",
        "Personal data used",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert!(html.contains("No honest estimate is possible now"));
    assert!(!html.contains("13800000001") && !html.contains("张小1") && !html.contains("502"));
    assert!(!html.contains("WB0001"));
    // Waybill and code lead to the same page; anything less leads nowhere and says no more.
    let found = bench
        .post_form("/track", &format!("waybill=WB0001&code={code}"), &english)
        .await;
    assert_eq!(found.status, 303);
    assert!(found.header("location").starts_with(&link));
    let wrong = bench
        .post_form("/track", "waybill=WB0001&code=0001", &english)
        .await;
    let unknown = bench
        .post_form("/track", "waybill=WB0001X&code=0001", &english)
        .await;
    assert_eq!((wrong.status.as_u16(), unknown.status.as_u16()), (422, 422));
    assert_eq!(wrong.text(), unknown.text().replace("WB0001X", "WB0001"));

    // Once delivered: history, masked proof by a link that runs out.
    delivered(&bench, &mut phone, &stops[1]).await;
    let html = bench.get(&link, &english).await.text();
    assert!(html.contains("Delivered") && !html.contains("How shall we hand it over?"));
    let proof = html
        .split("href=\"/p/")
        .nth(1)
        .unwrap()
        .split('?')
        .next()
        .unwrap();
    let proof = format!("/p/{proof}");
    let page = bench.get(&proof, &english).await.text();
    assert!(page.contains("张") && !page.contains("张小") && page.contains("Entry hash"));
    bench.clock.advance(24 * HOUR_MS + 1);
    assert_eq!(bench.get(&proof, &english).await.status, 404);
}

#[tokio::test]
async fn a_choice_is_the_consent_and_reaches_the_courier() {
    let (bench, mut phone, _stops) = Bench::with_round(1).await;
    let (link, _) = share(&bench, "WB0000").await;
    let page = bench.get(&link, &[]).await.text();
    let key = hidden(&page, "form");
    let act = |form: String| {
        let (bench, link, key) = (&bench, &link, &key);
        async move {
            bench
                .post_form(link, &format!("form={key}&{form}"), &[])
                .await
        }
    };
    // Without the page's own key nothing is done.
    let forged = bench
        .post_form(&link, "do=handoff&handoff=LOCKER", &[])
        .await;
    assert_eq!(forged.status, 404);
    assert_eq!(
        act("do=handoff&handoff=NEIGHBOUR&whom=5-501".into())
            .await
            .status,
        303
    );
    assert_eq!(
        act("do=handoff&handoff=RETURN_TO_SENDER".into())
            .await
            .status,
        422
    );
    let consents: Vec<_> = feed(&bench, &mut phone)
        .await
        .into_iter()
        .filter_map(|c| match c {
            FeedContent::Consent(c) => Some(*c),
            _ => None,
        })
        .collect();
    assert_eq!(consents.len(), 1);
    assert_eq!(consents[0].scope, [HandoffKind::Neighbour]);
    assert_eq!(consents[0].place.as_deref(), Some("5-501"));
    let stop = phone.pull_stops(&bench).await.pop().unwrap();
    assert_eq!(stop.parcels[0].consents, consents);
    // Changed his mind: the consent is withdrawn.
    assert_eq!(act("do=handoff&handoff=SELF".into()).await.status, 303);
    let last = feed(&bench, &mut phone).await;
    assert!(last.iter().any(
        |c| matches!(c, FeedContent::ConsentWithdrawn(w) if w.consent_id == consents[0].consent_id)
    ));
    assert!(
        phone.pull_stops(&bench).await.pop().unwrap().parcels[0]
            .consents
            .is_empty()
    );
    // Another time today becomes the stop's window; a day long past is refused.
    assert_eq!(
        act("do=time&day=2026-08-14&slot=evening".into())
            .await
            .status,
        303
    );
    let stop = phone.pull_stops(&bench).await.pop().unwrap();
    assert_eq!(stop.window_start_ms, Some(common::NOW_MS + 6 * HOUR_MS));
    assert_eq!(
        act("do=time&day=2026-08-13&slot=evening".into())
            .await
            .status,
        422
    );
    assert_eq!(
        act("do=time&day=2027-08-14&slot=evening".into())
            .await
            .status,
        422
    );
    // Another day is the dispatcher's to plan: a case with a number, and the stop stays as it is.
    let another = act("do=time&day=2026-08-16&slot=morning".into()).await;
    assert!(another.header("location").starts_with("/c/"));
    assert!(follow(&bench, &another).await.contains("2026-08-16 9–12"));
    let stop = phone.pull_stops(&bench).await.pop().unwrap();
    assert_eq!(stop.window_start_ms, Some(common::NOW_MS + 6 * HOUR_MS));
    // Requests become cases with a number.
    let moved = act("do=address&words=New+Street+7".into()).await;
    assert!(moved.header("location").starts_with("/c/"));
    assert_eq!(act("do=helpful&answer=yes".into()).await.status, 303);
    let erased = act("do=erase".into()).await;
    assert!(
        bench
            .get(erased.header("location"), &[])
            .await
            .text()
            .contains("删除个人信息")
    );
    assert_eq!(bench.hub.check_journal().await.unwrap().broken_at, None);
}

#[tokio::test]
async fn a_parcel_left_at_a_station_brings_its_channel_the_appointment_and_the_claim() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let (link, _) = share(&bench, "WB0000").await;
    let before = bench.get(&link, &[("accept-language", "en")]).await.text();
    assert!(!before.contains("Have it brought from the station"));
    let entry = phone.attempt_by(&stops[0], Outcome::Delivered, HandoffKind::Station);
    phone
        .push_entries(&bench, &[entry])
        .await
        .receipt(&bench, &phone);
    let html = bench.get(&link, &[("accept-language", "en")]).await.text();
    assert!(html.contains("Pickup point") && html.contains("Have it brought from the station"));
    let key = hidden(&html, "form");
    let book = format!("form={key}&do=book&day=2026-08-15&slot=morning");
    let booked = bench.post_form(&link, &book, &[]).await;
    assert!(booked.header("location").starts_with("/c/"));
    assert!(
        bench
            .get(&link, &[])
            .await
            .text()
            .contains("2026-08-15 9–12")
    );
    // The parcel is wanted at the door again, and the courier's phone hears it.
    let demanded = |c: &FeedContent| matches!(c, FeedContent::ParcelEvent(e) if e.event.kind == EventKind::RedeliveryDemanded);
    assert_eq!(
        feed(&bench, &mut phone)
            .await
            .iter()
            .filter(|c| demanded(c))
            .count(),
        1
    );
    let station = format!("form={key}&do=station&words=closed+at+noon");
    let sent = bench.post_form(&link, &station, &[]).await;
    assert!(sent.header("location").starts_with("/c/"));
    let demand = bench
        .post_form(&link, &format!("form={key}&do=redeliver"), &[])
        .await;
    assert!(demand.header("location").starts_with("/c/"));
    // Demanded a second time, it is on its way already.
    assert_eq!(
        feed(&bench, &mut phone)
            .await
            .iter()
            .filter(|c| demanded(c))
            .count(),
        1
    );
    let claim = [
        ("form", key.as_str()),
        ("do", "claim"),
        ("reason", "lost"),
        ("words", "nothing there"),
    ];
    let claimed = post_multipart(&bench, &link, &claim, Some(&jpeg())).await;
    let case = follow(&bench, &claimed).await;
    assert!(
        case.contains("Claim") && case.contains("1 (loss, damage)") && case.contains("08-14 14:00")
    );
}

#[tokio::test]
async fn a_courier_s_appeal_opens_a_case_with_a_clock_and_its_answer_reaches_the_phone() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let (_, path) = delivered(&bench, &mut phone, &stops[0]).await;
    let posted = bench.post_form(&path, "stars=1", &[]).await;
    let rated = ratings(&bench, &mut phone).await.pop().unwrap();
    let appeal = AppealBody {
        parcel: rated.parcel_id,
        rated_at_ms: rated.rated_at_ms,
        words: "门卫拒绝放行".into(),
    };
    let entry = phone.entry(AppealBody::KIND, appeal.encode(), None, vec![]);
    phone
        .push_entries(&bench, &[entry])
        .await
        .receipt(&bench, &phone);
    assert!(bench.board("/board/ratings").await.contains("门卫拒绝放行"));
    let told = ratings(&bench, &mut phone).await.pop().unwrap();
    let case = told.appeal.unwrap();
    assert_eq!((told.stars, case.answer), (1, None));
    let board = bench.board("/board/cases").await;
    assert!(board.contains(&case.case) && board.contains("Courier&#39;s appeal"));
    // Answered within 24 hours of its arrival.
    assert!(board.contains("08-15 12:00"));
    // The customer sees his own case and not the courier's words.
    let (link, _) = share(&bench, "WB0000").await;
    for page in [link.as_str(), posted.header("location")] {
        let html = bench.get(page, &[]).await.text();
        assert!(
            !html.contains("门卫拒绝放行") && !html.contains(&case.case),
            "{page}"
        );
    }
    // Sent twice, there is one case; an appeal against what is not his or was never said opens none.
    let count = || async {
        bench
            .board("/board/cases")
            .await
            .matches("<h2 id=\"case-")
            .count()
    };
    let before = count().await;
    let mut stranger = Phone::enrolled(&bench, "李娜", 3).await;
    let never = AppealBody {
        rated_at_ms: 7,
        ..appeal.clone()
    };
    for (who, body) in [(&mut phone, &appeal), (&mut stranger, &appeal)] {
        let entry = who.entry(AppealBody::KIND, body.encode(), None, vec![]);
        who.push_entries(&bench, &[entry])
            .await
            .receipt(&bench, who);
    }
    let entry = phone.entry(AppealBody::KIND, never.encode(), None, vec![]);
    phone
        .push_entries(&bench, &[entry])
        .await
        .receipt(&bench, &phone);
    assert_eq!(count().await, before);

    // What the people at the hub answer goes to the courier's phone.
    let cookie = bench.board_cookie().await;
    let work = "kind=solution&words=The+rating+is+set+aside";
    let newest = format!("/board/cases/{before}");
    let done = bench.post_form(&newest, work, &[("cookie", &cookie)]).await;
    assert_eq!(done.status, 303);
    let told = ratings(&bench, &mut phone).await.pop().unwrap();
    assert_eq!(
        told.appeal.unwrap().answer.as_deref(),
        Some("The rating is set aside")
    );
    assert_eq!(bench.hub.check_journal().await.unwrap().broken_at, None);
}

#[tokio::test]
async fn a_standing_wish_meets_the_next_parcel() {
    let (bench, mut phone, _) = Bench::with_round(1).await;
    let (link, _) = share(&bench, "WB0000").await;
    let key = hidden(&bench.get(&link, &[]).await.text(), "form");
    let wish = format!("form={key}&do=wish&handoff=LEAVE_AT_DOOR");
    assert_eq!(bench.post_form(&link, &wish, &[]).await.status, 303);
    // The next day's file has another parcel for the same telephone.
    let csv = "id,lat,lng,at,address,name,phone\nWB9,37.5,121.4,08-15 08:30:00,某街1号,张小0,1380000 0000\n";
    let options = satchel_hub::ImportOptions {
        couriers: vec!["王强".into()],
        ..Default::default()
    };
    bench
        .hub
        .import(csv.as_bytes(), &common::mapping(), &options)
        .await
        .unwrap();
    let stops = phone.pull_stops(&bench).await;
    let new = stops
        .iter()
        .flat_map(|s| &s.parcels)
        .find(|p| p.waybill == "WB9")
        .unwrap();
    assert_eq!(new.consents[0].scope, [HandoffKind::LeaveAtDoor]);
}

#[tokio::test]
async fn the_suggestion_box_answers_with_a_number() {
    let bench = Bench::new().await;
    assert_eq!(bench.get("/suggest", &[]).await.status, 200);
    let none = post_multipart(&bench, "/suggest", &[("words", "  ")], None).await;
    assert_eq!(none.status, 422);
    // It has no place for a picture.
    let words = [("words", "look")];
    let picture = post_multipart(&bench, "/suggest", &words, Some(&jpeg())).await;
    assert_eq!((picture.status.as_u16(), pictures(&bench)), (422, 0));
    let sent = post_multipart(&bench, "/suggest", &[("words", "more lockers")], None).await;
    let case = follow(&bench, &sent).await;
    assert!(case.contains("Suggestion") && case.contains("more lockers"));
    let foreign = Request::post("/suggest")
        .header("sec-fetch-site", "cross-site")
        .header("content-type", "multipart/form-data; boundary=BB")
        .body(Body::from(multipart(&[("words", "spam")], None).1))
        .unwrap();
    assert_eq!(bench.send(foreign).await.status, 404);
}

#[tokio::test]
async fn a_changed_record_breaks_the_journal_and_the_database_refuses_the_change() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let (_, path) = delivered(&bench, &mut phone, &stops[0]).await;
    bench.post_form(&path, "stars=1", &[]).await;
    let file = bench.dir.path().join("hub.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(file)
        .foreign_keys(false);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    for sql in [
        "DELETE FROM rating_said",
        "UPDATE rating_said SET stars = 5",
        "UPDATE rating_said SET class = 'verified', share = 'code'",
        "DELETE FROM journal",
        "UPDATE journal SET sig = zeroblob(64)",
        "UPDATE journal SET body = x'7b7d'",
        "DELETE FROM care_case",
        "DELETE FROM care_event",
    ] {
        assert!(sqlx::query(sql).execute(&pool).await.is_err(), "{sql}");
    }
    // Someone who takes the lock off the table is still found out.
    sqlx::query("DROP TRIGGER journal_is_never_deleted")
        .execute(&pool)
        .await
        .unwrap();
    sqlx::query("DELETE FROM journal WHERE seq = 2")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(bench.hub.check_journal().await.unwrap().broken_at, Some(2));
}

/// Whoever types the name of the host, or a path that is nothing, still meets a page in his language.
#[tokio::test]
async fn a_wrong_path_is_a_page_and_the_bare_host_finds_parcels() {
    let (bench, _phone, _stops) = Bench::with_round(1).await;
    let english = [("accept-language", "en")];
    let bare = bench.get("/", &english).await;
    assert_eq!(
        (bare.status.as_u16(), bare.header("location")),
        (303, "/track")
    );
    for path in ["/t/", "/r/AAAA", "/c/a/b", "/t/../etc"] {
        let answer = bench.get(path, &english).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text().contains("</html>"), "{path}");
    }
    let phone = bench.get("/v1/nothing", &english).await;
    assert_eq!(phone.status, 404);
    assert!(phone.text().contains("not_found"), "{}", phone.text());
}
