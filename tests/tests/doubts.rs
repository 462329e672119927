//! What the hub wonders about, on the courier's phone: shown with its reason, answered without a network, once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use satchel_core::Error;
use satchel_protocol::doubt::DoubtAnswerBody;
use satchel_protocol::ids::DoubtId;
use satchel_protocol::taxonomy::{DoubtKind, DoubtVerdict};
use satchel_tests::day::{Day, MORNING_MS};
use satchel_tests::phone::SyncEnd;
use satchel_tests::work::Work;
use serde_json::{Value, json};
use uuid::Uuid;

fn doubt(day: &Day, number: u128, more: &Value) -> (String, Value) {
    let mut item = json!({
        "doubt_id": Uuid::from_u128(number),
        "doubt": "photo_reused",
        "parcel_id": day.parcel_id(0, 0),
        "occurred_at_ms": MORNING_MS,
        "other_at_ms": MORNING_MS - 86_400_000,
        "raised_at_ms": MORNING_MS + i64::try_from(number).unwrap(),
    });
    let fields = item.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    ("doubt".to_owned(), item)
}

#[test]
fn a_doubt_is_shown_answered_offline_and_comes_back_with_its_verdict() {
    let day = Day::new(1).stops(1);
    let mut work = Work::on(day.clone());
    work.phone.deliver(day.stop_id(0), 1).unwrap();
    let (first, newer) = (DoubtId(Uuid::from_u128(1)), DoubtId(Uuid::from_u128(2)));
    let none = work.phone.core().answer_doubt(first, "why");
    assert!(matches!(none, Err(Error::NotFound { what: "doubt" })));
    let of_a_newer_hub = json!({"doubt": "smells_of_fish"});
    work.hub.give(
        work.courier,
        [doubt(&day, 1, &json!({})), doubt(&day, 2, &of_a_newer_hub)],
    );
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    let shown = work.phone.core().doubts().unwrap();
    let kinds: Vec<_> = shown.iter().map(|d| (d.id, d.kind)).collect();
    assert_eq!(
        kinds,
        [(newer, None), (first, Some(DoubtKind::PhotoReused))]
    );

    let long = "长".repeat(2_001);
    for words in ["", "  ", long.as_str()] {
        let refused = work.phone.core().answer_doubt(first, words);
        assert!(matches!(refused, Err(Error::InvalidInput { .. })));
    }
    let made = work
        .phone
        .core()
        .answer_doubt(first, " 同一单元两个包裹 ")
        .unwrap();
    assert_eq!(made.answer.as_deref(), Some("同一单元两个包裹"));
    work.phone.kill();
    work.phone.restart();
    assert_eq!(
        work.phone.core().answer_doubt(first, "another").unwrap(),
        made
    );
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    let sent = work.bodies(DoubtAnswerBody::KIND);
    assert_eq!(sent.len(), 1);
    assert_eq!(DoubtAnswerBody::decode(&sent[0]).unwrap().doubt, first);

    let judged = json!({"verdict": "dismissed", "why": "two parcels, one door"});
    work.hub.give(work.courier, [doubt(&day, 1, &judged)]);
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    let shown = work.phone.core().doubts().unwrap();
    assert_eq!(
        (
            shown[1].verdict,
            shown[1].why.as_deref(),
            shown[1].answer.as_deref()
        ),
        (
            Some(DoubtVerdict::Dismissed),
            Some("two parcels, one door"),
            Some("同一单元两个包裹")
        )
    );
}
