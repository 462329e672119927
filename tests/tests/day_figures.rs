//! The courier's own figures: the live sheet, points, stars and earnings, counted from the phone's log.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use satchel_core::model::day::CallInput;
use satchel_core::rules::kpi::{Kpi, Window};
use satchel_protocol::attempt::AttemptBody;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::taxonomy::{CallResult, Outcome};
use satchel_tests::day::{Day, MORNING_MS};
use satchel_tests::phone::SyncEnd;
use satchel_tests::work::Work;
use serde_json::json;

const HOUR_MS: i64 = 3_600_000;

#[test]
fn the_sheet_is_what_a_slow_recount_of_the_log_gives() {
    let day = Day::new(1)
        .stops(4)
        .stop_with(1, |s| s.parcels[0].promised_by_ms = MORNING_MS - 1)
        .stop_with(1, |s| s.parcels[0].promised_by_ms = MORNING_MS - 1);
    let mut work = Work::on(day.clone());
    work.hub.give(
        work.courier,
        [(
            "courier".to_owned(),
            json!({
                "training": {"passed_at_ms": MORNING_MS - HOUR_MS, "valid_until_ms": MORNING_MS + 99 * HOUR_MS},
                "tariff": {"currency": "CNY", "prices": [
                    {"piece": "DELIVERY", "star": 3, "unit_minor": 115},
                    {"piece": "BALLOON", "star": 3, "unit_minor": 1}]},
                "star_level": 3,
                "stars": {"goals": [{"kpi": "PROMISE_HIT", "at_least": true, "goal": 9_000, "weight": 40}],
                    "steps": [40]},
                "points": {"good_rating": 5, "on_time": 2, "no_damage": 1, "carried_over": 10},
            }),
        )],
    );
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    let core = work.phone.core();
    core.start_shift(None).unwrap();
    let route = day.route.route_id;
    core.load_scan(route, &day.stops[0].parcels[0].waybill, false)
        .unwrap();
    core.load_scan(route, "JD5555555", false).unwrap();
    for stop in [0, 1, 4] {
        work.phone.deliver(day.stop_id(stop), stop as u64).unwrap();
    }
    let tried = CallInput {
        stop: day.stop_id(2),
        number: "13800138000".into(),
        virtual_number: false,
        result: CallResult::NoAnswer,
        duration_s: 0,
        call_id: None,
    };
    core.log_call(&tried).unwrap();
    work.phone.fail(day.stop_id(2)).unwrap();
    work.phone.clock.advance_ms(60_000);
    work.phone.restart();

    let today = Window {
        from_ms: MORNING_MS - HOUR_MS,
        until_ms: MORNING_MS + 24 * HOUR_MS,
    };
    let sheet = work.phone.core().scorecard(today).unwrap();
    assert_eq!(sheet.lines.len(), Kpi::ALL.len());
    let pair = |kpi| {
        let line = sheet.lines.iter().find(|l| l.figure.kpi == kpi).unwrap();
        (line.figure.numerator, line.figure.denominator)
    };
    let bodies: Vec<AttemptBody> = work
        .bodies(EntryKind::ATTEMPT)
        .iter()
        .map(|b| AttemptBody::decode(b).unwrap())
        .collect();
    let delivered = bodies.iter().filter(|b| b.outcome == Outcome::Delivered);
    let delivered = delivered.count() as u64;
    let failed = bodies.len() as u64 - delivered;
    assert_eq!((delivered, failed), (3, 1));
    // Two in time, one delivered late, one overdue and still open.
    assert_eq!(pair(Kpi::PromiseHit), (2, 4));
    assert_eq!(pair(Kpi::ProxySign), (0, delivered));
    assert_eq!(pair(Kpi::DeliverToAddress), (delivered, delivered));
    assert_eq!(pair(Kpi::CompliantSigning), (delivered, delivered));
    assert_eq!(pair(Kpi::ExceptionNotice), (1, failed));
    assert_eq!(pair(Kpi::ParcelsPerDay), (delivered, 1));
    assert_eq!(pair(Kpi::MissortAtLoad), (0, 2));
    let before = Window {
        from_ms: 0,
        until_ms: MORNING_MS - HOUR_MS,
    };
    let empty = work.phone.core().scorecard(before).unwrap();
    assert!(empty.lines.iter().all(|l| l.value.is_none()));
    let backwards = Window {
        from_ms: 2,
        until_ms: 1,
    };
    assert!(work.phone.core().scorecard(backwards).is_err());

    let earned = work.phone.core().earnings(today).unwrap().unwrap();
    assert_eq!((earned.currency.as_str(), earned.total_minor), ("CNY", 345));
    let points = work.phone.core().points().unwrap().unwrap();
    assert_eq!(points.balance, 10 + 2 * 2 + 3);
    assert!(points.reversed.is_empty());
    let stars = work.phone.core().stars().unwrap();
    assert_eq!(stars.level_by_hub, Some(3));
    let estimate = stars.estimate.unwrap();
    assert_eq!((estimate.level, estimate.inputs.len()), (1, 1));
    assert!(!estimate.inputs[0].met);
}

#[test]
fn without_the_operators_word_there_is_no_estimate() {
    let work = Work::on(Day::new(1).stops(1));
    let core = work.phone.core();
    let today = Window {
        from_ms: 0,
        until_ms: i64::MAX,
    };
    assert_eq!(core.earnings(today).unwrap(), None);
    assert_eq!(core.points().unwrap(), None);
    let stars = core.stars().unwrap();
    assert_eq!((stars.level_by_hub, stars.estimate), (None, None));
}
