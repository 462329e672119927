//! Contact, door hours and reminders, by example and by chance.

use super::*;
use proptest::prelude::*;
use uuid::Uuid;

/// 2027-01-15 12:00 in China.
const NOON: i64 = 1_799_985_600_000;
const CHINA: i16 = 480;

fn call(minutes_ago: i64, result: CallResult) -> CallAttempt {
    CallAttempt {
        at_ms: NOON - minutes_ago * 60_000,
        number: MaskedPhone::mask("13812345612"),
        virtual_number: false,
        duration_s: 0,
        result,
    }
}

fn absent(calls: &[CallAttempt]) -> Result<(), NoContact> {
    check_contact(
        Reason::RecipientAbsent,
        Action::SecondDelivery,
        calls,
        false,
        NOON,
    )
}

#[test]
fn nobody_at_home_cannot_be_recorded_before_a_call() {
    assert_eq!(
        absent(&[]),
        Err(NoContact::CallFirst { needed: 1, made: 0 })
    );
    assert_eq!(absent(&[call(1, CallResult::NoAnswer)]), Ok(()));
}

#[test]
fn a_call_of_this_morning_does_not_count_for_this_evening() {
    assert!(absent(&[call(121, CallResult::NoAnswer)]).is_err());
    assert!(absent(&[call(120, CallResult::NoAnswer)]).is_ok());
    assert!(absent(&[call(-1, CallResult::NoAnswer)]).is_err());
}

#[test]
fn unreachable_takes_two_calls_and_is_contradicted_by_an_answer() {
    let check = |calls: &[CallAttempt]| {
        check_contact(
            Reason::Unreachable,
            Action::ContactRecipient,
            calls,
            false,
            NOON,
        )
    };
    let one = call(9, CallResult::NoAnswer);
    assert_eq!(
        check(std::slice::from_ref(&one)),
        Err(NoContact::CallFirst { needed: 2, made: 1 })
    );
    assert_eq!(check(&[one.clone(), call(2, CallResult::Busy)]), Ok(()));
    assert_eq!(
        check(&[one, call(2, CallResult::Answered)]),
        Err(NoContact::Contradiction)
    );
}

#[test]
fn a_changed_time_needs_the_customers_word_by_phone_or_on_the_page() {
    let check = |calls: &[CallAttempt], chose| {
        check_contact(Reason::Rescheduled, Action::NewWindow, calls, chose, NOON)
    };
    assert_eq!(
        check(&[call(3, CallResult::NoAnswer)], false),
        Err(NoContact::NotReached)
    );
    assert_eq!(check(&[call(3, CallResult::Answered)], false), Ok(()));
    assert_eq!(check(&[], true), Ok(()));
}

#[test]
fn a_vague_address_is_asked_about_first() {
    let check = |calls: &[CallAttempt]| {
        let (reason, action) = (Reason::AddressIncomplete, Action::ConfirmAddress);
        check_contact(reason, action, calls, false, NOON)
    };
    assert!(check(&[]).is_err());
    assert_eq!(check(&[call(1, CallResult::SwitchedOff)]), Ok(()));
}

#[test]
fn danger_comes_before_any_call() {
    for action in Reason::Safety.legal_actions() {
        assert_eq!(
            check_contact(Reason::Safety, *action, &[], false, NOON),
            Ok(())
        );
    }
}

fn visit(hour: i64) -> DoorVisit {
    DoorVisit {
        at_ms: NOON + (hour - 12) * HOUR_MS,
        utc_offset_min: CHINA,
        last_door_ms: None,
        attempts: 1,
        customer_chose_time: false,
    }
}

#[test]
fn the_door_is_open_from_eight_to_eight_unless_the_customer_says_otherwise() {
    assert_eq!(door_warnings(&visit(8)), vec![]);
    assert_eq!(door_warnings(&visit(19)), vec![]);
    assert_eq!(
        door_warnings(&visit(20)),
        vec![DoorWarning::QuietHours {
            minute_of_day: 1_200
        }]
    );
    assert_eq!(
        door_warnings(&visit(7)),
        vec![DoorWarning::QuietHours { minute_of_day: 420 }]
    );
    assert_eq!(
        door_warnings(&DoorVisit {
            customer_chose_time: true,
            ..visit(21)
        }),
        vec![]
    );
}

#[test]
fn eight_hours_lie_between_two_visits() {
    let after = |hours| DoorVisit {
        last_door_ms: Some(NOON - hours * HOUR_MS),
        ..visit(12)
    };
    assert_eq!(
        door_warnings(&after(5)),
        vec![DoorWarning::TooSoon {
            wait_ms: 3 * HOUR_MS
        }]
    );
    assert_eq!(door_warnings(&after(8)), vec![]);
    assert_eq!(
        door_warnings(&after(-1)),
        vec![DoorWarning::TooSoon {
            wait_ms: DOOR_GAP_MS
        }]
    );
}

#[test]
fn giving_up_after_one_visit_warns_but_a_refusal_does_not() {
    let warn = |reason, attempts| giving_up_warning(reason, Action::ReturnToSender, attempts);
    assert_eq!(
        warn(Reason::RecipientAbsent, 1),
        Some(DoorWarning::GivenUpEarly { attempts: 1 })
    );
    assert_eq!(warn(Reason::RecipientAbsent, 2), None);
    assert_eq!(warn(Reason::Refused, 1), None);
}

#[test]
fn numbers_that_are_not_masked_are_not_taken() {
    assert!(MaskedPhone::from_masked("138******12").is_ok());
    assert_eq!(MaskedPhone::from_masked("13812345612"), Err(NotMasked));
    assert_eq!(MaskedPhone::from_masked("138*****612"), Err(NotMasked));
    assert_eq!(MaskedPhone::from_masked("张三 138******12"), Err(NotMasked));
}

proptest! {
    #[test]
    fn what_masking_makes_is_always_masked(number in "[0-9+ -]{0,18}") {
        let masked = MaskedPhone::mask(&number);
        prop_assert_eq!(MaskedPhone::from_masked(masked.as_str()), Ok(masked));
    }

    /// However the ETA moves, each attempt is reminded of once, and the first time it is under an hour.
    #[test]
    fn one_reminder_for_each_attempt(etas in proptest::collection::vec((0u128..3, 1u16..3, -30i64..200), 0..60)) {
        let mut already = BTreeSet::new();
        for (tick, (n, attempt_no, minutes)) in etas.into_iter().enumerate() {
            let now_ms = NOON + i64::try_from(tick).unwrap() * 60_000;
            let planned = PlannedVisit {
                parcel: ParcelId(Uuid::from_u128(n)),
                attempt_no,
                eta_ms: now_ms + minutes * 60_000,
            };
            let due = reminders_due(&[planned, planned], &already, now_ms);
            let key = (planned.parcel, attempt_no);
            prop_assert_eq!(due.len(), usize::from(minutes <= 60 && !already.contains(&key)));
            already.extend(due.iter().map(|v| (v.parcel, v.attempt_no)));
        }
    }
}
