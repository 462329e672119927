//! What the customer said, on the courier's phone: what it counts for, and what he may say against it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use satchel_core::Error;
use satchel_core::model::stop::RatingView;
use satchel_protocol::appeal::AppealBody;
use satchel_protocol::taxonomy::{RatingClass, RatingFlag};
use satchel_tests::day::{Day, MORNING_MS};
use satchel_tests::phone::SyncEnd;
use satchel_tests::work::Work;
use serde_json::{Value, json};

fn rating(day: &Day, stop: usize, more: &Value) -> (String, Value) {
    let mut item = json!({
        "parcel_id": day.parcel_id(stop, 0),
        "stars": 5,
        "timeliness": 4,
        "attitude": null,
        "information": 2,
        "tags": ["polite"],
        "comment": "quick",
        "rated_at_ms": MORNING_MS + 1_000,
        "bound": true,
    });
    let fields = item.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    ("rating".to_owned(), item)
}

fn shown(work: &Work, day: &Day, stop: usize) -> RatingView {
    let stops = work.phone.core().stops().unwrap();
    let stop = stops
        .iter()
        .find(|s| s.stop_id == day.stop_id(stop))
        .unwrap();
    stop.parcels[0].rating.clone().unwrap()
}

#[test]
fn only_a_verified_rating_earns_and_every_one_is_shown_with_what_it_counts_for() {
    let day = Day::new(1).stops(5);
    let work = Work::on(day.clone());
    let points =
        json!({"points": {"good_rating": 5, "on_time": 0, "no_damage": 0, "carried_over": 0}});
    for stop in 0..5 {
        work.phone.deliver(day.stop_id(stop), stop as u64).unwrap();
    }
    work.hub.give(
        work.courier,
        [
            ("courier".to_owned(), points),
            rating(&day, 0, &json!({"class": "verified"})),
            rating(&day, 1, &json!({"class": "present"})),
            rating(
                &day,
                2,
                &json!({"class": "flagged", "flags": ["burst", "of_a_newer_hub"]}),
            ),
            // A hub before classes, and one after them.
            rating(&day, 3, &json!({})),
            rating(
                &day,
                4,
                &json!({"class": "notarised", "comment": null, "hidden": "insults"}),
            ),
        ],
    );
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    let balance = |work: &Work| work.phone.core().points().unwrap().unwrap().balance;
    assert_eq!(
        balance(&work),
        5,
        "five stars with the QR alone earned something"
    );
    let word = shown(&work, &day, 0);
    assert_eq!(word.class, Some(RatingClass::Verified));
    assert_eq!(
        (word.items, word.tags.as_slice()),
        ([Some(4), None, Some(2)], &["polite".to_owned()][..])
    );
    assert_eq!(shown(&work, &day, 2).flags, [RatingFlag::Burst]);
    assert_eq!(shown(&work, &day, 3).class, Some(RatingClass::Present));
    let hidden = shown(&work, &day, 4);
    assert_eq!(
        (hidden.class, hidden.comment, hidden.hidden.as_deref()),
        (None, None, Some("insults"))
    );
    // The customer thinks again and says so with his share: it counts as what it is now.
    let later = json!({"class": "verified", "stars": 2, "rated_at_ms": MORNING_MS + 2_000});
    work.hub.give(work.courier, [rating(&day, 0, &later)]);
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert_eq!(balance(&work), 0);
}

#[test]
fn an_appeal_is_kept_offline_once_to_a_rating_and_its_answer_comes_back() {
    let day = Day::new(1).stops(2);
    let mut work = Work::on(day.clone());
    work.phone.deliver(day.stop_id(0), 1).unwrap();
    let parcel = day.parcel_id(0, 0);
    let none = work.phone.core().appeal(parcel, "why");
    assert!(matches!(none, Err(Error::NotFound { what: "rating" })));
    work.hub
        .give(work.courier, [rating(&day, 0, &json!({"stars": 1}))]);
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    let long = "长".repeat(2_001);
    for words in ["", "  ", long.as_str()] {
        let refused = work.phone.core().appeal(parcel, words);
        assert!(matches!(refused, Err(Error::InvalidInput { .. })));
    }
    let made = work.phone.core().appeal(parcel, " 门卫拒绝放行 ").unwrap();
    work.phone.kill();
    work.phone.restart();
    assert_eq!(work.phone.core().appeal(parcel, "another").unwrap(), made);
    assert_eq!(shown(&work, &day, 0).appeal, Some(made.clone()));
    assert_eq!(
        (made.words.as_str(), &made.case, &made.answer),
        ("门卫拒绝放行", &None, &None)
    );

    // It is one signed entry that names the very word it is about.
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    let sent = work.bodies(AppealBody::KIND);
    assert_eq!(sent.len(), 1);
    let body = AppealBody::decode(&sent[0]).unwrap();
    assert_eq!(
        (body.parcel, body.rated_at_ms),
        (parcel, MORNING_MS + 1_000)
    );

    let told = json!({"stars": 1, "appeal": {"case": "260814-ABCDEFGH", "answer": "lifted"}});
    work.hub.give(work.courier, [rating(&day, 0, &told)]);
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    let appeal = shown(&work, &day, 0).appeal.unwrap();
    assert_eq!(
        (appeal.case.as_deref(), appeal.answer.as_deref()),
        (Some("260814-ABCDEFGH"), Some("lifted"))
    );
    // Another word of the customer is another thing to appeal against.
    let later = json!({"stars": 2, "rated_at_ms": MORNING_MS + 9_000});
    work.hub.give(work.courier, [rating(&day, 0, &later)]);
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert_eq!(shown(&work, &day, 0).appeal, None);
    work.phone.core().appeal(parcel, "again").unwrap();
    assert_eq!(work.bodies(AppealBody::KIND).len(), 2);
}
