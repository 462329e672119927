//! The hub's rules on the phone: what they add, and what happens to a document that may not rule.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use satchel_core::model::attempt::{Completion, ParcelOutcome, ParcelResult};
use satchel_core::rules::position::RawFix;
use satchel_core::rules::ruleset::{Item, Level, Skip, SkipReason};
use satchel_core::{Error, Refusal};
use satchel_protocol::attempt::ItemCount;
use satchel_protocol::doorstep::RuleSetRefusedBody;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::feed::RULE_SET;
use satchel_protocol::taxonomy::{Datum, HandlingTag, HandoffKind, Outcome, Zone};
use satchel_protocol::transitions::ParcelState;
use satchel_tests::day::{Day, MORNING_MS};
use satchel_tests::phone::nobody_there;
use satchel_tests::work::Work;
use serde_json::{Value, json};

fn rules(version: u32, rules: Value) -> Value {
    json!({ "format": 1, "version": version, "rules": rules })
}

fn level(work: &Work, item: Item) -> Level {
    work.phone
        .core()
        .requirements(work.day.stop_id(0), HandoffKind::Recipient)
        .unwrap()
        .iter()
        .find(|line| line.item == item)
        .unwrap()
        .level
}

#[test]
fn a_rule_set_takes_effect_and_outlives_a_restart_and_a_bad_one_is_kept_out_and_reported() {
    let mut work = Work::on(Day::new(1).stops(1));
    assert_eq!(level(&work, Item::Position), Level::Optional);
    let position = json!([{ "id": "near", "item": "POSITION", "level": "required_with_reason" }]);
    work.tell_raw(RULE_SET, rules(3, position.clone()));
    assert_eq!(work.phone.core().rules_version(), 3);
    assert_eq!(level(&work, Item::Position), Level::RequiredWithReason);

    let weaker = json!([{ "id": "no-photo", "item": "PHOTO", "level": "optional" }]);
    for _ in 0..2 {
        work.tell_raw(RULE_SET, rules(4, weaker.clone()));
    }
    work.tell_raw(RULE_SET, json!({ "version": 5, "rules": "none" }));
    work.phone.restart();
    assert_eq!(work.phone.core().rules_version(), 3, "the old ones stay");
    assert_eq!(level(&work, Item::Position), Level::RequiredWithReason);
    assert_eq!(level(&work, Item::Photo), Level::Required);
    let told: Vec<RuleSetRefusedBody> = work
        .bodies(EntryKind::RULESET_REFUSED)
        .iter()
        .map(|body| RuleSetRefusedBody::decode(body).unwrap())
        .collect();
    let versions: Vec<_> = told.iter().map(|t| t.offered_version).collect();
    assert_eq!(versions, [Some(4), Some(5)], "each document once");
    assert!(told[0].why.contains("PHOTO") && told[0].current_version == 3);
    // The one in force, sent again, is no news.
    work.tell_raw(RULE_SET, rules(3, position));
    assert_eq!(work.bodies(EntryKind::RULESET_REFUSED).len(), 2);
}

#[test]
fn a_skip_needs_its_reason_and_is_written_down() {
    let day = Day::new(1).stop_with(1, |s| s.parcels[0].tags = vec![HandlingTag::ColdChain]);
    let work = Work::on(day);
    let core = work.phone.core();
    let stop = work.day.stop_id(0);
    let draft = work.begin(0, HandoffKind::Recipient);
    let photos = draft
        .requirements
        .iter()
        .find(|line| line.item == Item::Photo)
        .unwrap()
        .count;
    for n in 0..u64::from(photos) {
        work.photo(draft.attempt_id, n);
    }
    let with = |skips: Vec<Skip>| Completion {
        skips,
        ..work.phone.delivered(stop, 1)
    };
    let skip = |item, reason| Skip { item, reason };
    for refused in [
        vec![],
        vec![skip(Item::Signature, SkipReason::Unsafe)],
        vec![skip(Item::Temperature, SkipReason::Other)],
    ] {
        assert!(matches!(
            core.complete_attempt(draft.attempt_id, &with(refused)),
            Err(Error::Refused(Refusal::Missing { .. }))
        ));
    }
    let broken = vec![skip(Item::Temperature, SkipReason::DeviceFault)];
    core.complete_attempt(draft.attempt_id, &with(broken))
        .unwrap();
    let body = work.attempts().remove(0);
    assert_eq!(body.skips[0].item, "TEMPERATURE");
    assert_eq!(body.skips[0].reason, "DEVICE_FAULT");
}

#[test]
fn one_keeps_half_one_keeps_all_and_one_is_not_there_to_take_it() {
    let work = Work::on(Day::new(1).stop(3));
    let core = work.phone.core();
    let stop = work.day.stop_id(0);
    let draft = work.begin(0, HandoffKind::Recipient);
    work.photo(draft.attempt_id, 1);
    let counted = |of, accepted| ItemCount {
        label: "苹果".into(),
        of,
        accepted,
    };
    let with = |items: Vec<ItemCount>| {
        let mut input = work.phone.delivered(stop, 1);
        input.parcels[0].outcome = ParcelOutcome::PartlyDelivered;
        input.parcels[0].items = items;
        input.parcels[2].outcome = nobody_there();
        input.parcels[2].scan = None;
        input
    };
    for contradiction in [counted(3, 3), counted(3, 0), counted(2, 3), counted(0, 0)] {
        assert!(matches!(
            core.complete_attempt(draft.attempt_id, &with(vec![contradiction])),
            Err(Error::InvalidInput {
                what: "count of items"
            })
        ));
    }
    assert!(matches!(
        core.complete_attempt(draft.attempt_id, &with(vec![])),
        Err(Error::Refused(Refusal::Missing { .. }))
    ));
    let recorded = core
        .complete_attempt(draft.attempt_id, &with(vec![counted(3, 2)]))
        .unwrap();
    let rated: Vec<bool> = recorded
        .parcels
        .iter()
        .map(|p| p.rating.is_some())
        .collect();
    assert_eq!(rated, [false, true, false]);
    let bodies = work.attempts();
    let outcomes: Vec<Outcome> = bodies.iter().map(|b| b.outcome).collect();
    assert_eq!(
        outcomes,
        [
            Outcome::PartiallyDelivered,
            Outcome::Delivered,
            Outcome::Failed
        ]
    );
    assert_eq!(bodies[0].handoff, HandoffKind::Partial);
    assert!(bodies.iter().all(|b| b.proofs == bodies[0].proofs));
    let states: Vec<ParcelState> = work
        .phone
        .stop(stop)
        .parcels
        .iter()
        .map(|p| p.state)
        .collect();
    assert_eq!(
        states,
        [
            ParcelState::PartlyDelivered,
            ParcelState::Delivered,
            ParcelState::AwaitingNextAttempt
        ]
    );
}

#[test]
fn a_scan_that_names_another_parcel_or_none_is_refused_by_type() {
    let work = Work::on(Day::new(1).stop(2));
    let core = work.phone.core();
    let stop = work.day.stop_id(0);
    let draft = work.begin(0, HandoffKind::Recipient);
    work.photo(draft.attempt_id, 1);
    let scanned = |text: &str| {
        let mut input = work.phone.delivered(stop, 1);
        input.parcels[0].scan = Some(text.into());
        match core.complete_attempt(draft.attempt_id, &input) {
            Err(Error::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    };
    let other = work.day.stops[0].parcels[1].waybill.clone();
    assert!(matches!(scanned(&other), Refusal::ScanContradicts { .. }));
    assert!(matches!(
        scanned("YT99999999"),
        Refusal::ScanContradicts { .. }
    ));
    assert!(matches!(
        scanned("https://example.com/x"),
        Refusal::ScanNotAParcel { .. }
    ));
    assert!(matches!(scanned("RR123456780CN"), Refusal::Scan(_)));
    let input = work.phone.delivered(stop, 1);
    core.complete_attempt(draft.attempt_id, &input).unwrap();
    assert!(work.attempts().iter().all(|b| b.scanned));
}

#[test]
fn a_fix_of_a_map_kit_is_converted_and_an_unknown_datum_refused() {
    let work = Work::on(Day::new(1).stops(1));
    let core = work.phone.core();
    let stop = work.day.stop_id(0);
    let door = work.day.stops[0].place;
    let draft = work.begin(0, HandoffKind::Recipient);
    work.photo(draft.attempt_id, 1);
    let gcj = satchel_core::rules::position::wgs84_to_gcj02(door);
    let with = |datum| Completion {
        fix: Some(RawFix {
            datum,
            ..RawFix::wgs84(gcj.lat, gcj.lng, 9.0, 400, false)
        }),
        ..work.phone.delivered(stop, 1)
    };
    assert!(matches!(
        core.complete_attempt(draft.attempt_id, &with(Datum::Unknown)),
        Err(Error::Refused(Refusal::Position(_)))
    ));
    let recorded = core
        .complete_attempt(draft.attempt_id, &with(Datum::Gcj02))
        .unwrap();
    assert!(recorded.parcels[0].warnings.is_empty());
    let fix = work.attempts()[0].fix.unwrap();
    assert_eq!(
        (fix.datum, fix.zone),
        (Some(Datum::Gcj02), Some(Zone::Inside))
    );
    assert_eq!(fix.raw, Some((gcj.lat, gcj.lng)));
    assert!(fix.distance_m.unwrap() < 1.0);
}

#[test]
fn the_operators_radii_decide_what_is_at_the_door_and_senseless_ones_do_not() {
    let zone_at = |radii: Option<(f64, f64)>| {
        let work = Work::on(Day::new(1).stops(1));
        if let Some((inside_m, extended_m)) = radii {
            let sent = json!({ "radii": { "inside_m": inside_m, "extended_m": extended_m } });
            work.tell_raw("courier", sent);
        }
        let (stop, door) = (work.day.stop_id(0), work.day.stops[0].place);
        let draft = work.begin(0, HandoffKind::Recipient);
        work.photo(draft.attempt_id, 1);
        // About 150 m north of the door.
        let there = Completion {
            fix: Some(RawFix::wgs84(
                door.lat + 0.001_35,
                door.lng,
                5.0,
                400,
                false,
            )),
            ..work.phone.delivered(stop, 1)
        };
        let core = work.phone.core();
        core.complete_attempt(draft.attempt_id, &there).unwrap();
        work.attempts()[0].fix.unwrap().zone
    };
    assert_eq!(zone_at(None), Some(Zone::Extended));
    assert_eq!(zone_at(Some((200.0, 400.0))), Some(Zone::Inside));
    assert_eq!(zone_at(Some((400.0, 200.0))), Some(Zone::Extended));
}

#[test]
fn odd_hours_and_places_warn_are_kept_and_stop_nobody() {
    let work = Work::on(Day::new(1).stops(1));
    let core = work.phone.core();
    let stop = work.day.stop_id(0);
    work.phone.fail(stop).unwrap();
    work.phone.clock.set_wall_ms(MORNING_MS + 13 * 3_600_000);
    let draft = work.begin(0, HandoffKind::Recipient);
    let codes: Vec<&str> = draft.warnings.iter().map(|w| w.code()).collect();
    assert_eq!(codes, ["QUIET_HOURS"], "21 o'clock, 13 hours later");
    work.photo(draft.attempt_id, 1);
    let far = Completion {
        fix: Some(RawFix::wgs84(37.6, 121.4, 9.0, 400, true)),
        ..work.phone.delivered(stop, 1)
    };
    core.complete_attempt(draft.attempt_id, &far).unwrap();
    let body = work.attempts().pop().unwrap();
    assert_eq!(
        body.warnings,
        ["QUIET_HOURS", "MOCK_POSITION", "NOT_AT_THE_DOOR"]
    );
    assert_eq!(body.fix.unwrap().zone, Some(Zone::Outside));
}

#[test]
fn a_pickup_cannot_be_delivered_before_it_is_collected() {
    let day = Day::new(1).stop_with(1, |s| {
        s.parcels[0].pickup = Some(satchel_protocol::feed::PickupItem {
            window_end_ms: MORNING_MS + 3_600_000,
            deliver_to: None,
        });
    });
    let work = Work::on(day);
    let view = work.phone.stop(work.day.stop_id(0)).parcels.remove(0);
    assert_eq!(view.state, ParcelState::ToCollect);
    assert!(matches!(
        work.phone.deliver(work.day.stop_id(0), 1),
        Err(Error::Refused(Refusal::NotNow(_)))
    ));
}

#[test]
fn a_damaged_package_has_its_own_inspection_prompt() {
    let work = Work::on(Day::new(1).stops(1));
    let core = work.phone.core();
    let (stop, parcel) = (work.day.stop_id(0), work.day.parcel_id(0, 0));
    let prompt = |damaged: &[_]| {
        core.requirements_for(stop, HandoffKind::Recipient, &[parcel], damaged)
            .unwrap()
            .into_iter()
            .find(|line| line.item == Item::InspectionPrompt)
            .unwrap()
            .text
    };
    assert_ne!(prompt(&[]), prompt(&[parcel]));
    let draft = work.begin(0, HandoffKind::Recipient);
    work.photo(draft.attempt_id, 1);
    let damaged = Completion {
        parcels: vec![ParcelResult {
            visibly_damaged: true,
            ..ParcelResult::new(parcel, ParcelOutcome::Delivered)
        }],
        ..work.phone.delivered(stop, 1)
    };
    core.complete_attempt(draft.attempt_id, &damaged).unwrap();
    assert!(work.attempts()[0].visibly_damaged);
}
