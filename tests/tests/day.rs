//! The courier's day beside the doors: calls, reports, loading, pickups, temperatures, codes and
//! the shift.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use satchel_core::model::day::{CallInput, PickupInput, ReportInput};
use satchel_core::proof::photo::PhotoSource;
use satchel_core::rules::codes::{CodeRefusal, CodeVerdict, OfflineCode, parcel_label};
use satchel_core::rules::coldchain::{MAX_SAMPLES, Sample};
use satchel_core::rules::duty::{Duty, DutyRefusal};
use satchel_core::rules::load::ScanResult;
use satchel_core::rules::pickup::{Contents, Pickup, PickupStep, PickupVerdict};
use satchel_core::rules::remedy::{RemedyNeed, WarningKind};
use satchel_core::{Error, Refusal};
use satchel_protocol::attempt::Fix;
use satchel_protocol::doorstep::{
    CallBody, CodeEntryBody, DutyBody, LoadScanBody, PickupBody, ReminderBody, ReportBody,
    TemperatureBody,
};
use satchel_protocol::entry::EntryKind;
use satchel_protocol::feed::{CodeItem, PickupItem, TemperatureLimits};
use satchel_protocol::ids::{Hash32, Salt, StopId};
use satchel_protocol::taxonomy::{
    Action, CallResult, Datum, HandoffKind, PhotoOrigin, PromiseClass, Reason,
};
use satchel_protocol::transitions::ParcelState;
use satchel_tests::day::{Day, MORNING_MS};
use satchel_tests::phone::{self, SyncEnd};
use satchel_tests::work::Work;
use serde_json::json;

fn call(stop: StopId, number: &str, result: CallResult) -> CallInput {
    CallInput {
        stop,
        number: number.into(),
        virtual_number: false,
        result,
        duration_s: 0,
        call_id: None,
    }
}

#[test]
fn a_call_is_kept_masked_once_and_survives_a_kill() {
    let day = Day::new(1).stops(2);
    let mut work = Work::on(day.clone());
    let stop = day.stop_id(0);
    let input = CallInput {
        call_id: Some("pbx-77".into()),
        duration_s: 42,
        ..call(stop, " 138 0013 8000 ", CallResult::Answered)
    };
    let first = work.phone.core().log_call(&input).unwrap();
    assert_eq!(first.number, "138******00");
    assert_eq!(first.at_ms, MORNING_MS);
    work.phone.restart();
    let again = work.phone.core().log_call(&input).unwrap();
    assert_eq!(again, first, "the same call of the same call system");
    let masked = call(stop, "138******00", CallResult::NoAnswer);
    work.phone.core().log_call(&masked).unwrap();
    let calls = work.phone.core().calls(stop).unwrap();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[1].number, "138******00");
    assert!(work.phone.core().calls(day.stop_id(1)).unwrap().is_empty());
    let bodies = work.bodies(EntryKind::CALL);
    assert_eq!(bodies.len(), 2);
    for bytes in bodies {
        let body = CallBody::decode(&bytes).unwrap();
        assert_eq!((body.stop, body.number.as_str()), (stop, "138******00"));
        assert!(!bytes.windows(5).any(|w| w == b"00138" || w == b"13800"));
    }
}

#[test]
fn a_call_that_cannot_be_one_is_refused_and_nothing_is_written() {
    let day = Day::new(1).stops(1);
    let work = Work::on(day.clone());
    let stop = day.stop_id(0);
    let long = "1".repeat(40);
    for bad in ["", "no number", long.as_str()] {
        let refused = work
            .phone
            .core()
            .log_call(&call(stop, bad, CallResult::Busy));
        assert!(matches!(refused, Err(Error::InvalidInput { .. })), "{bad}");
    }
    let endless = CallInput {
        duration_s: u32::MAX,
        ..call(stop, "13800138000", CallResult::Answered)
    };
    assert!(work.phone.core().log_call(&endless).is_err());
    let nowhere = call(
        StopId(uuid::Uuid::from_u128(9)),
        "13800138000",
        CallResult::Busy,
    );
    assert!(matches!(
        work.phone.core().log_call(&nowhere),
        Err(Error::NotFound { .. })
    ));
    assert!(work.entries(EntryKind::CALL).is_empty());
}

const HOUR_MS: i64 = 3_600_000;

fn report(stop: StopId, reason: Reason) -> ReportInput {
    ReportInput {
        draft: None,
        stop: Some(stop),
        parcels: vec![],
        reason,
        words: None,
        fix: None,
    }
}

#[test]
fn a_report_is_taken_offline_with_its_photo_and_the_hour_runs_from_when_it_happened() {
    let day = Day::new(1).stop(2);
    let mut work = Work::on(day.clone());
    let stop = day.stop_id(0);
    let draft = work.phone.core().begin_report(stop).unwrap().draft;
    let picture = phone::photo(1);
    let core = work.phone.core();
    core.add_photo(draft, PhotoSource::Bytes(&picture), PhotoOrigin::Camera)
        .unwrap();
    work.phone.restart();
    let again = work.phone.core().begin_report(stop).unwrap();
    assert_eq!((again.draft, again.photos.len()), (draft, 1));
    let input = ReportInput {
        draft: Some(draft),
        parcels: vec![day.parcel_id(0, 1)],
        words: Some(" 外箱压扁 ".into()),
        fix: Some(Fix::wgs84(37.501, 121.4, 9.0, 100, false)),
        ..report(stop, Reason::RefusedDamaged)
    };
    let taken = work.phone.core().report(&input).unwrap();
    assert!(!taken.owes_photo);
    assert_eq!(taken.answer_due_ms, MORNING_MS + HOUR_MS);
    assert_eq!(taken.warning, Some(WarningKind::Damage));
    assert!(!taken.remedies.is_empty());
    let twice = work.phone.core().report(&input);
    assert!(matches!(twice, Err(Error::AlreadyCompleted)));

    work.phone.clock.advance_ms(2 * HOUR_MS);
    let bodies = work.bodies(EntryKind::REPORT);
    assert_eq!(bodies.len(), 1);
    let body = ReportBody::decode(&bodies[0]).unwrap();
    assert_eq!(body.answer_due_ms, MORNING_MS + HOUR_MS);
    assert_eq!(body.words.as_deref(), Some("外箱压扁"));
    assert!(body.fix.unwrap().distance_m.unwrap() < 1.0);
    assert!(work.hub.has_blob(body.proofs[0].hash), "its photo arrived");
    let late = &work.phone.core().reports().unwrap()[0];
    assert!(late.text.en.contains("overdue"));
    work.hub.give(
        work.courier,
        [(
            "report_answer".to_owned(),
            json!({"report_id": taken.report_id, "action": "RETURN_TO_SENDER",
                "words": "退回", "answered_at_ms": MORNING_MS + 5}),
        )],
    );
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    let answer = work.phone.core().reports().unwrap()[0]
        .answer
        .clone()
        .unwrap();
    assert_eq!(answer.action, Some(Action::ReturnToSender));
}

#[test]
fn a_report_is_no_visit_and_a_visit_no_report() {
    let day = Day::new(1).stops(1);
    let work = Work::on(day.clone());
    let stop = day.stop_id(0);
    let core = work.phone.core();
    let of_report = core.begin_report(stop).unwrap().draft;
    core.add_photo(
        of_report,
        PhotoSource::Bytes(&phone::photo(1)),
        PhotoOrigin::Camera,
    )
    .unwrap();
    let visit = core.begin_attempt(stop, HandoffKind::Recipient).unwrap();
    assert_ne!(visit.attempt_id, of_report);
    assert!(
        visit.photos.is_empty(),
        "a report's photo proves no delivery"
    );
    let delivered = work.phone.delivered(stop, 1);
    assert!(core.complete_attempt(of_report, &delivered).is_err());
    let wrong = ReportInput {
        draft: Some(visit.attempt_id),
        ..report(stop, Reason::Missort)
    };
    assert!(matches!(core.report(&wrong), Err(Error::NotFound { .. })));
    assert!(work.entries(EntryKind::REPORT).is_empty());
}

#[test]
fn a_report_without_photo_owes_it_and_one_that_says_nothing_is_refused() {
    let day = Day::new(1).stop_with(1, |s| s.parcels[0].door_required = true);
    let work = Work::on(day.clone());
    let core = work.phone.core();
    let stop = day.stop_id(0);
    let owed = core.report(&report(stop, Reason::RefusedDamaged)).unwrap();
    assert!(owed.owes_photo);
    assert!(matches!(
        core.report(&report(stop, Reason::Other)),
        Err(Error::Refused(Refusal::WordsMissing { .. }))
    ));
    let parcel = day.parcel_id(0, 0);
    let offered = core
        .remedies(stop, &[parcel], Reason::RecipientAbsent)
        .unwrap();
    let barred = |a: Action| offered.iter().all(|r| r.action != a);
    assert!(barred(Action::StationWithConsent), "the waybill says door");
    let nothing_missing = offered.first().unwrap();
    assert!(!nothing_missing.needs.contains(&RemedyNeed::StationConsent));
    let twice = ReportInput {
        parcels: vec![parcel, parcel],
        ..report(stop, Reason::Missort)
    };
    assert!(matches!(
        core.report(&twice),
        Err(Error::InvalidInput { .. })
    ));
    assert_eq!(work.bodies(EntryKind::REPORT).len(), 1);
}

fn trained(until_ms: i64) -> (String, serde_json::Value) {
    (
        "courier".to_owned(),
        json!({"training": {"passed_at_ms": MORNING_MS - HOUR_MS, "valid_until_ms": until_ms}}),
    )
}

fn north(metres: f64) -> Fix {
    Fix::wgs84(37.5 + metres / 111_195.0, 121.4, 8.0, 100, false)
}

#[test]
fn no_shift_without_training_and_no_position_off_duty() {
    let day = Day::new(1).stops(1);
    let mut work = Work::on(day.clone());
    let refused = work.phone.core().start_shift(None);
    assert!(matches!(
        refused,
        Err(Error::Refused(Refusal::Duty(DutyRefusal::NotTrained)))
    ));
    assert!(!work.phone.core().track(north(0.0)).unwrap());
    work.hub
        .give(work.courier, [trained(MORNING_MS + 9 * HOUR_MS)]);
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert!(
        !work.phone.core().track(north(0.0)).unwrap(),
        "still off duty"
    );
    assert_eq!(work.phone.core().duty().unwrap().last_fix, None);

    work.phone.core().start_shift(Some(north(0.0))).unwrap();
    assert!(
        !work.phone.core().track(north(3.0)).unwrap(),
        "too near, too soon"
    );
    assert!(work.phone.core().track(north(40.0)).unwrap());
    let unknown = Fix {
        datum: Some(Datum::Unknown),
        ..north(90.0)
    };
    assert!(work.phone.core().track(unknown).is_err());
    work.phone.restart();
    let duty = work.phone.core().duty().unwrap();
    assert!(matches!(duty.duty, Duty::On { since_ms } if since_ms >= MORNING_MS));
    assert!((duty.last_fix.unwrap().0.lat - north(40.0).lat).abs() < 1e-9);
    let again = work.phone.core().start_shift(None);
    assert!(matches!(
        again,
        Err(Error::Refused(Refusal::Duty(DutyRefusal::AlreadyOn)))
    ));

    work.phone.clock.jump_wall_ms(-3 * HOUR_MS);
    let shift = work.phone.core().end_shift().unwrap();
    assert!(shift.clock_moved_back && shift.until_ms == shift.from_ms);
    assert_eq!(
        work.phone.core().duty().unwrap().last_fix,
        None,
        "forgotten"
    );
    assert!(!work.phone.core().track(north(500.0)).unwrap());
    let bodies = work.bodies(EntryKind::DUTY);
    let bodies: Vec<DutyBody> = bodies
        .iter()
        .map(|b| DutyBody::decode(b).unwrap())
        .collect();
    assert_eq!(bodies.len(), 2);
    assert!(bodies[0].on && bodies[0].fix.is_some());
    assert!(!bodies[1].on && bodies[1].clock_moved_back && bodies[1].fix.is_none());
}

#[test]
fn signing_out_tells_the_counts_first_and_loses_nothing() {
    let day = Day::new(1).stops(2);
    let work = Work::on(day.clone());
    work.hub
        .give(work.courier, [trained(MORNING_MS + 9 * HOUR_MS)]);
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    let core = work.phone.core();
    core.start_shift(None).unwrap();
    work.phone.deliver(day.stop_id(0), 1).unwrap();
    let left = core.logout_warning().unwrap().unwrap().left;
    // The shift's entry and the delivery; its photo and its signature; the stop still to do.
    assert_eq!((left.entries, left.proofs, left.open_stops), (2, 2, 1));
    let refused = core.sign_out(false);
    assert!(matches!(
        refused,
        Err(Error::Refused(Refusal::UnsyncedWork { left })) if left.entries == 2
    ));
    assert!(matches!(core.duty().unwrap().duty, Duty::On { .. }));
    core.sign_out(true).unwrap();
    assert_eq!(core.duty().unwrap().duty, Duty::Off);
    assert_eq!(work.entries(EntryKind::DUTY).len(), 2, "sent after all");
    let warning = core.logout_warning().unwrap().unwrap();
    assert!(!warning.evidence_at_stake);
    core.sign_out(false).unwrap();
}

#[test]
fn the_load_check_tells_missorts_and_what_is_missing_and_survives_a_kill() {
    let day = Day::new(1).stops(3);
    let mut work = Work::on(day.clone());
    let route = day.route.route_id;
    work.hub.give(
        work.courier,
        [(
            "other_round".to_owned(),
            json!({"route_id": "00000000-0000-0000-0000-0000000000aa", "name": "二线",
                "service_date": day.route.service_date, "waybills": ["SF9999999"]}),
        )],
    );
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    let scan =
        |work: &Work, text: &str, off| work.phone.core().load_scan(route, text, off).unwrap();
    let number = |stop: usize| day.stops[stop].parcels[0].waybill.clone();
    let state = |work: &Work, stop: usize| work.phone.stop(day.stop_id(stop)).parcels[0].state;

    assert!(
        work.phone
            .core()
            .load_scan(route, "RR123456789CN", false)
            .is_err()
    );
    let first = scan(&work, &number(0), false);
    assert_eq!(first.result, ScanResult::Expected(day.parcel_id(0, 0)));
    assert_eq!((first.loaded, first.expected), (1, 3));
    assert_eq!(state(&work, 0), ParcelState::OnVehicle);
    let again = scan(&work, &number(0).to_lowercase(), false);
    assert!(again.repeated && again.seq.is_none());
    let label = scan(&work, &parcel_label(day.parcel_id(1, 0)), false);
    assert_eq!(label.loaded, 2);
    let strange = scan(&work, "SF9999999", false);
    assert!(matches!(strange.result, ScanResult::Missort { ref round } if round == "二线"));
    assert_eq!(scan(&work, "JD5555555", false).result, ScanResult::Surplus);
    let page = scan(&work, "https://example.com/x", false);
    assert_eq!((page.result, page.seq), (ScanResult::NotAParcel, None));
    // Taken off again; a clock moved back does not put it on the vehicle.
    work.phone.clock.jump_wall_ms(-HOUR_MS);
    scan(&work, &number(0), true);
    assert_eq!(state(&work, 0), ParcelState::AtDepot);
    work.phone.restart();
    let report = work.phone.core().load_report(route).unwrap();
    assert_eq!(report.loaded.len(), 1);
    assert_eq!(report.missing.len(), 2);
    assert_eq!((report.missorts.len(), report.surplus.len()), (1, 1));
    assert_eq!(report.missort_bp(), Some(2_500));
    scan(&work, &number(0), false);
    assert_eq!(state(&work, 0), ParcelState::OnVehicle);
    // The hub has each scan once, with what it meant.
    let results: Vec<String> = work
        .bodies(EntryKind::LOAD_SCAN)
        .iter()
        .map(|b| LoadScanBody::decode(b).unwrap().result)
        .collect();
    assert_eq!(
        results,
        [
            "EXPECTED", "EXPECTED", "MISSORT", "SURPLUS", "EXPECTED", "EXPECTED"
        ]
    );
    let nowhere = satchel_protocol::ids::RouteId(uuid::Uuid::from_u128(1));
    assert!(work.phone.core().load_report(nowhere).is_err());
}

fn complete_pickup() -> Pickup {
    Pickup {
        sender_checked: Some(true),
        contents: Some(Contents::Compliant),
        time_need: Some(PromiseClass::SameCity),
        wishes: Some(String::new()),
        waybill_label: true,
        inspection_label: true,
        scanned: true,
        ..Pickup::default()
    }
}

#[test]
fn what_is_collected_goes_to_its_stop_and_what_may_not_travel_stays() {
    let day = Day::new(1).stops(1);
    let to = day.stop_id(0);
    let day = day.stop_with(2, |s| {
        for p in &mut s.parcels {
            p.pickup = Some(PickupItem {
                window_end_ms: MORNING_MS + HOUR_MS,
                deliver_to: Some(to),
            });
        }
    });
    let mut work = Work::on(day.clone());
    let (good, bad) = (day.parcel_id(1, 0), day.parcel_id(1, 1));
    let input = |parcel, pickup| PickupInput {
        parcel,
        pickup,
        draft: None,
        arrived_at_ms: MORNING_MS,
    };
    let core = work.phone.core();
    let half = Pickup {
        scanned: false,
        ..complete_pickup()
    };
    assert_eq!(
        core.pickup(&input(good, half)).unwrap(),
        PickupVerdict::Incomplete {
            missing: vec![PickupStep::Scanned]
        }
    );
    assert!(
        work.entries(EntryKind::PICKUP).is_empty(),
        "nothing recorded"
    );
    let draft = core.begin_report(day.stop_id(1)).unwrap().draft;
    core.add_photo(
        draft,
        PhotoSource::Bytes(&phone::photo(3)),
        PhotoOrigin::Camera,
    )
    .unwrap();
    let with_photo = PickupInput {
        draft: Some(draft),
        ..input(good, complete_pickup())
    };
    let accepted = core.pickup(&with_photo).unwrap();
    assert!(matches!(
        accepted,
        PickupVerdict::Accepted {
            class: PromiseClass::SameCity
        }
    ));
    let at_target = |work: &Work| {
        work.phone
            .stop(to)
            .parcels
            .iter()
            .any(|p| p.parcel_id == good)
    };
    assert!(at_target(&work));
    let twice = core.pickup(&input(good, complete_pickup()));
    assert!(matches!(twice, Err(Error::Refused(Refusal::NotNow(_)))));
    let prohibited = Pickup {
        contents: Some(Contents::Prohibited),
        ..complete_pickup()
    };
    let refused = core.pickup(&input(bad, prohibited)).unwrap();
    assert_eq!(
        refused,
        PickupVerdict::NotAccepted {
            reason: Reason::Prohibited
        }
    );
    let left = work.phone.stop(day.stop_id(1));
    assert_eq!(left.parcels.len(), 1);
    assert_eq!(left.parcels[0].state, ParcelState::ToCollect);
    // Both stops come once more, as the hub planned them: what was collected stays where it goes.
    work.hub.give(work.courier, day.items());
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    work.phone.restart();
    assert!(at_target(&work));
    let no_pickup = work
        .phone
        .core()
        .pickup(&input(day.parcel_id(0, 0), complete_pickup()));
    assert!(matches!(
        no_pickup,
        Err(Error::Refused(Refusal::NotOfThisParcel { .. }))
    ));
    let bodies: Vec<PickupBody> = work
        .bodies(EntryKind::PICKUP)
        .iter()
        .map(|b| PickupBody::decode(b).unwrap())
        .collect();
    assert_eq!(bodies.len(), 2);
    assert_eq!(
        (bodies[0].refused, bodies[1].refused),
        (None, Some(Reason::Prohibited))
    );
    assert!(work.hub.has_blob(bodies[0].proofs[0].hash));
    assert!(
        work.phone.core().reports().unwrap().is_empty(),
        "a pickup is no report"
    );
}

#[test]
fn temperatures_count_once_and_the_first_excursion_opens_one_exception() {
    let day = Day::new(1)
        .stop_with(1, |s| {
            s.parcels[0].temperature = Some(TemperatureLimits {
                min_centi_c: 200,
                max_centi_c: 800,
            });
        })
        .stops(1);
    let mut work = Work::on(day.clone());
    let parcel = day.parcel_id(0, 0);
    let at = |minute: i64, centi_c| Sample {
        at_ms: MORNING_MS + minute * 60_000,
        centi_c,
    };
    let calm = [at(5, 500), at(0, 400)];
    let core = work.phone.core();
    assert_eq!(core.add_temperatures(parcel, &calm).unwrap().new_samples, 2);
    assert_eq!(core.add_temperatures(parcel, &calm).unwrap().new_samples, 0);
    let warm = core
        .add_temperatures(parcel, &[at(5, 500), at(10, 910)])
        .unwrap();
    assert_eq!(warm.new_samples, 1);
    let exception = warm.exception.unwrap();
    assert_eq!(exception.reason, Reason::TemperatureOut);
    assert_eq!(exception.warning, Some(WarningKind::Damage));
    let again = core.add_temperatures(parcel, &[at(15, 950)]).unwrap();
    assert!(again.exception.is_none(), "one exception for one parcel");
    work.phone.restart();
    let report = work.phone.core().temperature_report(parcel).unwrap();
    assert_eq!(
        (report.min_centi_c, report.max_centi_c),
        (Some(400), Some(950))
    );
    let uncooled = work
        .phone
        .core()
        .add_temperatures(day.parcel_id(1, 0), &calm);
    assert!(matches!(
        uncooled,
        Err(Error::Refused(Refusal::NotOfThisParcel { .. }))
    ));
    let sent: usize = work
        .bodies(EntryKind::TEMPERATURE)
        .iter()
        .map(|b| TemperatureBody::decode(b).unwrap().samples.len())
        .sum();
    assert_eq!(sent, 4);
    assert_eq!(work.bodies(EntryKind::REPORT).len(), 1);
    // A logger that runs for days leaves a bounded run behind.
    let core = work.phone.core();
    for block in 0..5i64 {
        let many: Vec<Sample> = (0..1_000)
            .map(|i| at(100 + block * 1_000 + i, 600))
            .collect();
        core.add_temperatures(parcel, &many).unwrap();
    }
    assert_eq!(
        core.temperature_report(parcel).unwrap().samples,
        MAX_SAMPLES
    );
    assert_eq!(core.add_temperatures(parcel, &calm).unwrap().new_samples, 0);
    let flood = vec![at(1, 1); 1_001];
    assert!(core.add_temperatures(parcel, &flood).is_err());
}

#[test]
fn three_tries_of_a_code_are_all_there_are_whatever_is_restarted() {
    let code = [7u8; 10];
    let salt = Salt([3; 32]);
    let first = Day::new(1).stops(1);
    let digest = OfflineCode::digest(first.parcel_id(0, 0), &salt, &code);
    let long = |digest: Hash32, chars| CodeItem::Phone {
        chars,
        salt: Hash32(salt.0),
        digest,
        expires_at_ms: Some(MORNING_MS + HOUR_MS),
    };
    let mut day = first.stop_with(1, |s| s.parcels[0].code = Some(CodeItem::Hub { digits: 6 }));
    day.stops[0].parcels[0].code = Some(long(digest, 16));
    let mut work = Work::on(day.clone());
    let (checked, sealed) = (day.parcel_id(0, 0), day.parcel_id(1, 0));
    let right = OfflineCode::wording(&code);
    let wrong = OfflineCode::wording(&[8; 10]);
    let core = work.phone.core();
    assert_eq!(
        core.enter_code(checked, &wrong).unwrap(),
        CodeVerdict::Wrong { left: 2 }
    );
    let no_form = core.enter_code(checked, "482913");
    assert!(matches!(
        no_form,
        Err(Error::Refused(Refusal::Code(CodeRefusal::NotTheForm)))
    ));
    work.phone.restart();
    let core = work.phone.core();
    assert_eq!(
        core.enter_code(checked, &wrong).unwrap(),
        CodeVerdict::Wrong { left: 1 }
    );
    assert_eq!(
        core.enter_code(checked, &right).unwrap(),
        CodeVerdict::Matches
    );
    assert_eq!(
        core.enter_code(checked, &wrong).unwrap(),
        CodeVerdict::Matches,
        "it has matched"
    );

    for left in [2, 1, 0] {
        let taken = work.phone.core().enter_code(sealed, "482913").unwrap();
        assert_eq!(taken, CodeVerdict::AwaitsHub { left });
        work.phone.restart();
    }
    assert!(matches!(
        work.phone.core().enter_code(sealed, "482913"),
        Err(Error::Refused(Refusal::Code(CodeRefusal::Locked)))
    ));
    // A digest short enough to be tried through is not used.
    day.stops[0].parcels[0].code = Some(long(digest, 6));
    work.hub.give(work.courier, day.items());
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert!(matches!(
        work.phone.core().enter_code(checked, &right),
        Err(Error::Refused(Refusal::NotOfThisParcel { .. }))
    ));
    let bodies: Vec<CodeEntryBody> = work
        .bodies(EntryKind::CODE_ENTRY)
        .iter()
        .map(|b| CodeEntryBody::decode(b).unwrap())
        .collect();
    assert_eq!(bodies.len(), 6);
    assert!(
        bodies[..3].iter().all(|b| b.sealed.is_none()),
        "a checked code is not kept"
    );
    assert_eq!(bodies[5].sealed.as_deref(), Some("482913"));
    work.phone.deliver(day.stop_id(1), 1).unwrap();
    assert!(matches!(
        work.phone.core().enter_code(sealed, "482913"),
        Err(Error::Refused(Refusal::ParcelClosed))
    ));
}

#[test]
fn a_reminder_is_due_once_per_attempt_and_the_clocks_know_what_is_late() {
    let day = Day::new(1)
        .stop_with(1, |s| s.parcels[0].promised_by_ms = MORNING_MS + 1)
        .stops(2);
    let mut work = Work::on(day.clone());
    work.phone.clock.advance_ms(1_000);
    let plan = work.phone.core().plan(None).unwrap();
    assert_eq!(plan.stops.len(), 3);
    let clocks = work.phone.core().clocks().unwrap();
    assert_eq!(clocks.clocks.len(), 3);
    assert_eq!(clocks.clocks[0].promise.parcel, day.parcel_id(0, 0));
    assert!(clocks.clocks[0].promise.left_ms < 0);
    assert!(clocks.clocks[0].promise.predicted_late_ms.is_some());
    assert!(!clocks.clocks[0].promise.excused && clocks.preselected.is_none());
    work.phone.restart();
    work.phone.core().plan(None).unwrap();
    work.phone.core().clocks().unwrap();
    let bodies = work.bodies(EntryKind::REMINDER_DUE);
    assert_eq!(
        bodies.len(),
        3,
        "three stops within the hour, one reminder each"
    );
    assert!(
        bodies
            .iter()
            .all(|b| ReminderBody::decode(b).unwrap().attempt_no == 1)
    );
    // A failed visit is followed by another attempt, which has its own reminder.
    let stop = day.stop_id(1);
    let tried = call(stop, "13800138000", CallResult::NoAnswer);
    work.phone.core().log_call(&tried).unwrap();
    work.phone.fail(stop).unwrap();
    work.phone.core().clocks().unwrap();
    work.phone.core().clocks().unwrap();
    let again = work.bodies(EntryKind::REMINDER_DUE);
    let last = ReminderBody::decode(again.last().unwrap()).unwrap();
    assert_eq!((again.len(), last.attempt_no), (4, 2));
    assert_eq!(last.parcel, day.parcel_id(1, 0));
    // A storm excuses and preselects, until it is taken back.
    let storm = |until_ms: i64| {
        (
            "regime".to_owned(),
            json!({"regime_id": "t-1", "regime": "WEATHER", "from_ms": MORNING_MS,
                "until_ms": until_ms, "excuses": true}),
        )
    };
    work.hub
        .give(work.courier, [storm(MORNING_MS + 9 * HOUR_MS)]);
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    let stormy = work.phone.core().clocks().unwrap();
    assert_eq!(stormy.preselected, Some(Reason::Weather));
    assert!(stormy.clocks[0].promise.excused);
    work.hub.give(work.courier, [storm(MORNING_MS)]);
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert!(work.phone.core().clocks().unwrap().regimes.is_empty());
}
